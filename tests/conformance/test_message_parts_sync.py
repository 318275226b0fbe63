# Generated from test_message_parts_async.py by tools/unasync.py: edit that file and run the tool again.
"""Parts of messages come back as they were given, and what is damaged is told by its message."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import text

from ragstore.conversations._sync import Conversations
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
from ragstore.store._sync import Store

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
def chats(store: Store) -> Conversations:
    return store.conversations


def with_parts(parts: object) -> NewMessage:
    return NewMessage(role="assistant", parts=parts, sources=[NewCitation(source="s")])


def test_every_kind_comes_back(chats: Conversations) -> None:
    """C-8: known kinds with the fields that we do not know, and other values as they are."""
    (stored,) = chats.append("t", with_parts([*TYPED, *UNKNOWN]))
    assert stored.parts == (*TYPED, *UNKNOWN)
    assert chats.get_message(stored.id) == stored
    assert stored.parts[1].signature == "abc"


def test_json_is_as_good_as_a_part(chats: Conversations) -> None:
    """C-8: no field that was left out is added, none that was given is lost."""
    given = [to_json(part) for part in TYPED]
    assert given[3] == {"type": "tool_call", "id": "c2", "arguments": '{"as": "text"}'}
    (stored,) = chats.append("t", with_parts(given))
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
def test_an_unfit_part_is_refused(chats: Conversations, part: object, field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        chats.append("t", with_parts(["fine", part]))
    assert raised.value.field == field
    assert chats.find("t") is None


def damage(store: Store, what: str, message_id: UUID) -> None:
    """Do by hand what this library never does; PostgreSQL lets only JSON of another shape in."""
    on_postgresql = store.engine.dialect.name == "postgresql"
    raw = {"parts": '{"no": "list"}', "metadata": "[1]"}[what]
    table, value = ("ragstore.rag_message", "CAST(:raw AS jsonb)") if on_postgresql else ("rag_message", ":raw")
    known = message_id if on_postgresql else message_id.hex
    with store.engine.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET {what} = {value} WHERE id = :id"), {"raw": raw, "id": known})


@pytest.mark.parametrize("what", ["parts", "metadata"])
def test_a_damaged_message_is_named(store: Store, what: str) -> None:
    """C-15: no row is passed over in silence; lenient reading gives what there is, and says what is missing."""
    chats = store.conversations
    fine = NewMessage(role="user", content="fine", metadata={"a": 1}, parts=["x"])
    before, hurt, after = chats.append("t", [fine, fine, fine])
    damage(store, what, hurt.id)
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
            read()
        assert (raised.value.table, raised.value.id) == ("rag_message", hurt.id)
        read(lenient=True)
    first, second, third = chats.history("t", lenient=True)
    assert (first, third) == (before, after)
    assert second.damage is not None
    assert what in second.damage
    assert (second.id, second.content, second.seq) == (hurt.id, "fine", 2)
    assert (second.parts, second.metadata) == ((None, {"a": 1}) if what == "parts" else (("x",), {}))
    assert chats.siblings(hurt.id, lenient=True) == [second]
    assert chats.context("t", turns=9, lenient=True) == [first, second, third]
    hits = chats.search("fine", lenient=True)
    assert sorted((hit.message for hit in hits), key=lambda message: message.seq) == [first, second, third]


@pytest.mark.parametrize("hurt", ["call", "result"])
def test_a_window_with_a_damaged_message(store: Store, hurt: str) -> None:
    """C-15, C-5: what belongs to a call or result that cannot be read is left out, and to no turn before it."""
    chats = store.conversations
    turn = [
        NewMessage(role="user", content="question"),
        NewMessage(role="assistant", content="call", parts=[ToolCall(id="1", name="look")]),
        NewMessage(role="tool", content="result", parts=[ToolResult(call_id="1", content="found" * 9)]),
    ]
    chats.append("t", turn)
    whole = {message.content: message for message in chats.append("t", turn)}
    damage(store, "parts", whole[hurt].id)
    window = chats.context("t", turns=2, lenient=True)
    assert [message.content for message in window] == ["question", "call", "result", "question", hurt]
    assert [message.damage is None for message in window] == [True] * 4 + [False]
    assert chats.context("t", tokens=2, lenient=True) == window[-1:]  # it counts as what can be read of it
    assert chats.context("t", tokens=4, lenient=True) == window[-2:]


def test_a_damaged_message_above_a_long_window(store: Store) -> None:
    """C-15, C-5: one that is pinned is kept, however far above, and read as leniently as the others."""
    chats = store.conversations
    pinned = NewMessage(role="user", content="pinned", parts=["x"], pinned=True)
    kept, *_ = chats.append("t", [pinned, *[NewMessage(role="user", content="fine")] * 99])
    damage(store, "parts", kept.id)
    with pytest.raises(CorruptRow, match=str(kept.id)):
        chats.context("t", turns=3)
    for turns in (3, 90):
        window = chats.context("t", turns=turns, lenient=True)
        assert [message.content for message in window] == ["pinned"] + ["fine"] * turns
        assert window[0].damage is not None


def test_a_hit_whose_message_is_damaged(store: Store) -> None:
    """C-15, C-12: it is a hit as before; its passage, and phrases, are of what can be read."""
    chats = store.conversations
    texts = [TextPart(text="the blue kite")]
    (hurt,) = chats.append("t", NewMessage(role="user", content="a red kite", parts=texts))
    ((before,), (named,)) = chats.search("blue"), chats.search("blue", snippet=20)
    assert named.snippet is not None
    damage(store, "parts", hurt.id)
    (hit,) = chats.search("blue", snippet=20, lenient=True)
    assert (hit.message.id, hit.message.parts, hit.score, hit.thread_id) == (hurt.id, None, before.score, "t")
    assert hit.message.damage is not None
    assert (hit.snippet is not None, hit.snippet and hit.snippet.text) == (True, "a red kite")
    assert len(chats.search('"red kite"', match="web", lenient=True)) == 1
    assert chats.search('"blue kite"', match="web", lenient=True) == []


@pytest.mark.parametrize("raw", ['{"a"', "[" * 200_000], ids=["cut", "deep"])
def test_text_that_is_no_json(sqlite_database: str, raw: str) -> None:
    """C-15: SQLite keeps any text in its columns, where jsonb holds nothing but JSON."""
    with Store.open(sqlite_database) as store:
        (message,) = store.conversations.append("t", NewMessage(role="user", metadata={"a": 1}))
        with store.engine.begin() as connection:
            connection.execute(text("UPDATE rag_message SET metadata = :raw"), {"raw": raw})
        with pytest.raises(CorruptRow, match=str(message.id)):
            store.conversations.history("t")
        (read,) = store.conversations.history("t", lenient=True)
        assert read.metadata == {}
        assert read.damage is not None
        assert read.damage.startswith("its metadata is no JSON")


def damage_conversation(store: Store, raw: str) -> None:
    on_postgresql = store.engine.dialect.name == "postgresql"
    table = "ragstore.rag_conversation" if on_postgresql else "rag_conversation"
    value = "CAST(:raw AS jsonb)" if on_postgresql else ":raw"
    with store.engine.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET metadata = {value} WHERE thread_id = 'hurt'"), {"raw": raw})


@pytest.mark.parametrize("raw", ["[1]", "{bad"])
def test_a_damaged_conversation_is_named(store: Store, raw: str) -> None:
    """C-15: by whatever call reads it; an update with new metadata mends it, and the others are not concerned."""
    if raw == "{bad" and store.engine.dialect.name == "postgresql":
        pytest.skip("jsonb holds nothing but JSON")
    chats = store.conversations
    hurt, fine = chats.start("hurt", user_id="ann", metadata={"a": 1}), chats.start("fine")
    damage_conversation(store, raw)
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
            call()
        assert (raised.value.table, raised.value.id) == ("rag_conversation", hurt.id)
    assert chats.find("fine") == fine
    assert chats.update("hurt", metadata={"b": 2}).metadata == {"b": 2}
    assert len(chats.page_threads()) == 2


def test_pins_and_metadata_change(chats: Conversations) -> None:
    """What is no part of what was said may change; its text may not."""
    (stored,) = chats.append("t", with_parts(["x"]))
    changed = chats.update_message(stored.id, pinned=True, metadata={"b": 2})
    assert (changed.pinned, changed.metadata) == (True, {"b": 2})
    assert changed.citations == stored.citations
    assert chats.update_message(stored.id) == chats.get_message(stored.id) == changed
    for unfit in ({"pinned": 1}, {"metadata": [1]}, {"metadata": None}):
        with pytest.raises(InvalidInput):
            chats.update_message(stored.id, **unfit)
