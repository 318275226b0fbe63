"""Parts of messages come back as they were given, and what is damaged is told by its message."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import text

from ragstore.conversations._async import AsyncConversations
from ragstore.conversations.parts import (
    Attachment,
    CitationPart,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    to_json,
)
from ragstore.conversations.records import NewCitation, NewMessage
from ragstore.errors import CorruptRow, InvalidInput
from ragstore.store._async import AsyncStore

pytestmark = pytest.mark.anyio

TYPED = (
    TextPart(text="It is so."),
    ReasoningPart(text="Why?", signature="abc"),
    ToolCall(id="c1", name="search", arguments={"q": [1, None, "ä"]}),
    ToolCall(id="c2", arguments='{"as": "text"}'),
    ToolResult(call_id="c1", content=[{"hits": 3}], is_error=False),
    ToolResult(call_id="c2", content=None),
    Attachment(uri="s3://bucket/a.png", media_type="image/png", name="a", width=7),
    CitationPart(rank=1, at=12),
)
UNKNOWN = ("text", 1, None, [], [1, {"a": []}], {}, {"type": "video", "id": 4}, {"type": ["text"]}, {"self": 1})


@pytest.fixture
def chats(async_store: AsyncStore) -> AsyncConversations:
    return async_store.conversations


def with_parts(parts: object) -> NewMessage:
    return NewMessage(role="assistant", parts=parts, sources=[NewCitation(source="s")])


async def test_every_kind_comes_back(chats: AsyncConversations) -> None:
    """C-8: known kinds with the fields that we do not know, and other values as they are."""
    (stored,) = await chats.append("t", with_parts([*TYPED, *UNKNOWN]))
    assert stored.parts == (*TYPED, *UNKNOWN)
    assert await chats.get_message(stored.id) == stored
    assert stored.parts[1].signature == "abc"


async def test_json_is_as_good_as_a_part(chats: AsyncConversations) -> None:
    """C-8: no field that was left out is added, none that was given is lost."""
    given = [to_json(part) for part in TYPED]
    assert given[3] == {"type": "tool_call", "id": "c2", "arguments": '{"as": "text"}'}
    (stored,) = await chats.append("t", with_parts(given))
    assert stored.parts == TYPED
    assert [to_json(part) for part in stored.parts] == given


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"type": "text"}, "parts[1].text"),
        ({"type": "tool_call", "name": "no id"}, "parts[1].id"),
        ({"type": "tool_result", "call_id": 7}, "parts[1].call_id"),
        ({"type": "citation", "rank": "1"}, "parts[1].rank"),
        (TextPart(text="\0"), "parts[1].text"),
        (Attachment(uri="u", extra="\ud800"), "parts[1].extra"),
        (object(), "parts[1]"),
    ],
)
async def test_an_unfit_part_is_refused(chats: AsyncConversations, part: object, field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        await chats.append("t", with_parts(["fine", part]))
    assert raised.value.field == field
    assert await chats.find("t") is None


async def damage(store: AsyncStore, what: str, message_id: UUID) -> None:
    """Do by hand what this library never does; PostgreSQL lets only JSON of another shape in."""
    on_postgresql = store.engine.dialect.name == "postgresql"
    raw = {"parts": '{"no": "list"}', "metadata": "[1]"}[what]
    table, value = ("ragstore.rag_message", "CAST(:raw AS jsonb)") if on_postgresql else ("rag_message", ":raw")
    known = message_id if on_postgresql else message_id.hex
    async with store.engine.begin() as connection:
        await connection.execute(text(f"UPDATE {table} SET {what} = {value} WHERE id = :id"), {"raw": raw, "id": known})


@pytest.mark.parametrize("what", ["parts", "metadata"])
async def test_a_damaged_message_is_named(async_store: AsyncStore, what: str) -> None:
    """C-15: no row is passed over in silence; lenient reading gives what there is, and says what is missing."""
    chats = async_store.conversations
    fine = NewMessage(role="user", content="fine", metadata={"a": 1}, parts=["x"])
    before, hurt, after = await chats.append("t", [fine, fine, fine])
    await damage(async_store, what, hurt.id)
    for read in (
        lambda **more: chats.history("t", **more),
        lambda **more: chats.page("t", **more),
        lambda **more: chats.page("t", backwards=True, **more),
        lambda **more: chats.page_branch("t", **more),
        lambda **more: chats.get_message(hurt.id, **more),
        lambda **more: chats.siblings(hurt.id, **more),
        lambda **more: chats.context("t", turns=9, **more),
        lambda **more: chats.search("fine", **more),
        lambda **more: chats.search('"fine"', match="web", **more),
    ):
        with pytest.raises(CorruptRow, match=str(hurt.id)) as raised:
            await read()
        assert (raised.value.table, raised.value.id) == ("rag_message", hurt.id)
        await read(lenient=True)
    first, second, third = await chats.history("t", lenient=True)
    assert (first, third) == (before, after)
    assert second.damage is not None
    assert what in second.damage
    assert (second.id, second.content, second.seq) == (hurt.id, "fine", 2)
    assert (second.parts, second.metadata) == ((None, {"a": 1}) if what == "parts" else (("x",), {}))
    assert await chats.siblings(hurt.id, lenient=True) == [second]
    assert await chats.context("t", turns=9, lenient=True) == [first, second, third]
    hits = await chats.search("fine", lenient=True)
    assert sorted((hit.message for hit in hits), key=lambda message: message.seq) == [first, second, third]


@pytest.mark.parametrize("hurt", ["call", "result"])
async def test_a_window_with_a_damaged_message(async_store: AsyncStore, hurt: str) -> None:
    """C-15, C-5: what belongs to a call or result that cannot be read is left out, and to no turn before it."""
    chats = async_store.conversations
    turn = [
        NewMessage(role="user", content="question"),
        NewMessage(role="assistant", content="call", parts=[ToolCall(id="1", name="look")]),
        NewMessage(role="tool", content="result", parts=[ToolResult(call_id="1", content="found" * 9)]),
    ]
    await chats.append("t", turn)
    whole = {message.content: message for message in await chats.append("t", turn)}
    await damage(async_store, "parts", whole[hurt].id)
    window = await chats.context("t", turns=2, lenient=True)
    assert [message.content for message in window] == ["question", "call", "result", "question", hurt]
    assert [message.damage is None for message in window] == [True] * 4 + [False]
    assert await chats.context("t", tokens=2, lenient=True) == window[-1:]  # it counts as what can be read of it
    assert await chats.context("t", tokens=4, lenient=True) == window[-2:]


async def test_a_damaged_message_above_a_long_window(async_store: AsyncStore) -> None:
    """C-15, C-5: one that is pinned is kept, however far above, and read as leniently as the others."""
    chats = async_store.conversations
    pinned = NewMessage(role="user", content="pinned", parts=["x"], pinned=True)
    kept, *_ = await chats.append("t", [pinned, *[NewMessage(role="user", content="fine")] * 99])
    await damage(async_store, "parts", kept.id)
    with pytest.raises(CorruptRow, match=str(kept.id)):
        await chats.context("t", turns=3)
    for turns in (3, 90):
        window = await chats.context("t", turns=turns, lenient=True)
        assert [message.content for message in window] == ["pinned"] + ["fine"] * turns
        assert window[0].damage is not None


async def test_a_hit_whose_message_is_damaged(async_store: AsyncStore) -> None:
    """C-15, C-12: it is a hit as before; its passage, and phrases, are of what can be read."""
    chats = async_store.conversations
    texts = [TextPart(text="the blue kite")]
    (hurt,) = await chats.append("t", NewMessage(role="user", content="a red kite", parts=texts))
    ((before,), (named,)) = await chats.search("blue"), await chats.search("blue", snippet=20)
    assert named.snippet is not None
    await damage(async_store, "parts", hurt.id)
    (hit,) = await chats.search("blue", snippet=20, lenient=True)
    assert (hit.message.id, hit.message.parts, hit.score, hit.thread_id) == (hurt.id, None, before.score, "t")
    assert hit.message.damage is not None
    assert (hit.snippet is not None, hit.snippet and hit.snippet.text) == (True, "a red kite")
    assert len(await chats.search('"red kite"', match="web", lenient=True)) == 1
    assert await chats.search('"blue kite"', match="web", lenient=True) == []


@pytest.mark.parametrize("raw", ['{"a"', "[" * 200_000], ids=["cut", "deep"])
async def test_text_that_is_no_json(sqlite_database: str, raw: str) -> None:
    """C-15: SQLite keeps any text in its columns, where jsonb holds nothing but JSON."""
    async with AsyncStore.open(sqlite_database) as store:
        (message,) = await store.conversations.append("t", NewMessage(role="user", metadata={"a": 1}))
        async with store.engine.begin() as connection:
            await connection.execute(text("UPDATE rag_message SET metadata = :raw"), {"raw": raw})
        with pytest.raises(CorruptRow, match=str(message.id)):
            await store.conversations.history("t")
        (read,) = await store.conversations.history("t", lenient=True)
        assert read.metadata == {}
        assert read.damage is not None
        assert read.damage.startswith("its metadata is no JSON")


async def damage_conversation(store: AsyncStore, raw: str) -> None:
    on_postgresql = store.engine.dialect.name == "postgresql"
    table = "ragstore.rag_conversation" if on_postgresql else "rag_conversation"
    value = "CAST(:raw AS jsonb)" if on_postgresql else ":raw"
    async with store.engine.begin() as connection:
        await connection.execute(text(f"UPDATE {table} SET metadata = {value} WHERE thread_id = 'hurt'"), {"raw": raw})


@pytest.mark.parametrize("raw", ["[1]", "{bad"])
async def test_a_damaged_conversation_is_named(async_store: AsyncStore, raw: str) -> None:
    """C-15: by whatever call reads it; an update with new metadata mends it, and the others are not concerned."""
    if raw == "{bad" and async_store.engine.dialect.name == "postgresql":
        pytest.skip("jsonb holds nothing but JSON")
    chats = async_store.conversations
    hurt, fine = await chats.start("hurt", user_id="ann", metadata={"a": 1}), await chats.start("fine")
    await damage_conversation(async_store, raw)
    placed = {"expected_head": 0, "parent_id": None}  # this one locks and reads it, on every database
    for call in (
        lambda: chats.find("hurt"),
        lambda: chats.get("hurt"),
        lambda: chats.start("hurt"),
        lambda: chats.page_threads(),
        lambda: chats.append("hurt", NewMessage(role="user"), **placed),
        lambda: chats.update("hurt", title="x"),
    ):
        with pytest.raises(CorruptRow, match=str(hurt.id)) as raised:
            await call()
        assert (raised.value.table, raised.value.id) == ("rag_conversation", hurt.id)
    assert await chats.find("fine") == fine
    assert (await chats.update("hurt", metadata={"b": 2})).metadata == {"b": 2}
    assert len(await chats.page_threads()) == 2


async def test_pins_and_metadata_change(chats: AsyncConversations) -> None:
    """What is no part of what was said may change; its text may not."""
    (stored,) = await chats.append("t", with_parts(["x"]))
    changed = await chats.update_message(stored.id, pinned=True, metadata={"b": 2})
    assert (changed.pinned, changed.metadata) == (True, {"b": 2})
    assert changed.citations == stored.citations
    assert await chats.update_message(stored.id) == await chats.get_message(stored.id) == changed
    for unfit in ({"pinned": 1}, {"metadata": [1]}, {"metadata": None}):
        with pytest.raises(InvalidInput):
            await chats.update_message(stored.id, **unfit)
