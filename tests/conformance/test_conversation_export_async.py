"""The export of conversations: all branches, streamed, the same bytes on both databases (C-6, C-13, C-15)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, create_engine, insert, select

from ragstore.backends import backend_for, read_url
from ragstore.config import Settings
from ragstore.conversations.exporting.reading import CONVERSATIONS_AT_ONCE, MESSAGES_AT_ONCE
from ragstore.conversations.records import NewCitation, NewMessage
from ragstore.conversations.tables import ConversationRow
from ragstore.core.base import Base, table_of
from ragstore.core.json_lines import line
from ragstore.errors import CorruptRow, InvalidInput, TenantRequired
from ragstore.store._async import AsyncStore
from tests.conformance.support import Database, watching

pytestmark = pytest.mark.anyio

ODD = 'a "quoted" \\ line\nand\u2028another\r\tof \U0001f600 ä a\u0308 \x7f \u202e'


def said(content: str, **fields: Any) -> NewMessage:
    return NewMessage(role="user", content=content, **fields)


async def collect(lines: AsyncIterator[str]) -> list[dict[str, Any]]:
    """Read lines back, each from its own line of text."""
    found = [one async for one in lines]
    assert all(one.endswith("\n") and one.count("\n") == 1 for one in found)
    return [json.loads(one) for one in found]


async def export(store: AsyncStore, **asked: Any) -> list[dict[str, Any]]:
    return await collect(store.conversations.export(**asked))


async def make_everything(store: AsyncStore) -> None:
    """Store conversations in which each column has a value somewhere, and is missing somewhere."""
    chats = store.conversations
    await chats.start(
        "t-1", user_id="ann", organisation_id="org", collection="docs", title=ODD, metadata={"b": 1, "a": 2}
    )
    full = NewMessage(
        role="assistant",
        content=ODD,
        parts=[{"type": "text", "text": ODD, "z": 1, "a": [1.0, 2.5e-7, 1e300, -3, None, True]}, {"type": "new"}],
        metadata={"z": {"y": [], "x": {}}, "ä": "ö", "a": 0.1, "n": 2**53},
        client_id="c-1",
        sources=[
            NewCitation(
                source="s", title="t", snippet=ODD, score=0.25, start_offset=3, end_offset=9, page=2, heading="h"
            ),
            NewCitation(source="only"),
        ],
        response_time=1.5,
        model="m",
        resolved_model="m-1",
        input_tokens=10,
        output_tokens=0,
        cached_tokens=3,
        reasoning_tokens=1,
        cost=Decimal("0.000000001"),
        pinned=True,
    )
    _, answer = await chats.append("t-1", [said("first"), full])
    for user in ("ann", None, "bob"):
        await chats.give_feedback(answer.id, -1, user_id=user, comment=ODD)
        await chats.give_feedback(answer.id, 1, user_id=user)
    await chats.delete_feedback(answer.id, user_id="bob")
    await chats.add_sibling(answer.id, NewMessage(role="assistant", content="again", response_time=2.0))
    await chats.append("t-1", [said("on"), NewMessage(role="tool", content="", parts=[])])
    await chats.start("t-2", user_id="bob")
    await chats.append("t-3", said("of nobody", cost=Decimal("12.50")))


async def test_a_conversation_and_its_messages_are_told_whole(async_store: AsyncStore) -> None:
    await make_everything(async_store)
    lines = await export(async_store, thread_id="t-1")
    assert [one["type"] for one in lines] == ["conversation"] + ["message"] * 5
    conversation, first, answer, again, on, tool = lines
    stored = await async_store.conversations.get("t-1")
    assert conversation == {
        "type": "conversation",
        "id": str(stored.id),
        "thread_id": "t-1",
        "user_id": "ann",
        "organisation_id": "org",
        "collection": "docs",
        "title": ODD,
        "pinned": False,
        "metadata": {"a": 2, "b": 1},
        "head": 5,
        "leaf_id": tool["id"],
        "branched": True,
        "created_at": stored.created_at.isoformat(timespec="microseconds"),
        "last_activity": stored.last_activity.isoformat(timespec="microseconds"),
    }
    assert [one["seq"] for one in lines[1:]] == [1, 2, 3, 4, 5]
    assert (again["parent_id"], answer["parent_id"], first["parent_id"]) == (first["id"], first["id"], None)
    assert on["parent_id"] == again["id"]
    assert (answer["content"], answer["cost"], answer["response_time"], answer["output_tokens"]) == (
        ODD,
        "0.000000001",
        1.5,
        0,
    )
    assert answer["parts"][0]["a"] == [1.0, 2.5e-7, 1e300, -3, None, True]
    assert answer["metadata"] == {"z": {"y": [], "x": {}}, "ä": "ö", "a": 0.1, "n": 2**53}
    assert [(one["rank"], one["source"], one["score"]) for one in answer["citations"]] == [
        (1, "s", 0.25),
        (2, "only", None),
    ]
    assert answer["citations"][0]["snippet"] == ODD
    assert [(one["user_id"], one["value"], one["comment"]) for one in answer["feedback"]] == [
        (None, 1, None),
        ("ann", 1, None),
    ]
    changes = [(one["user_id"], one["value"]) for one in answer["feedback_changes"]]
    assert changes == [("ann", -1), ("ann", 1), (None, -1), (None, 1), ("bob", -1), ("bob", 1), ("bob", None)]
    assert first["citations"] == first["feedback"] == first["feedback_changes"] == []
    assert (first["cost"], first["input_tokens"], first["parts"]) == (None, None, None)
    assert tool["parts"] == []


async def test_whose_conversations_are_told(async_store: AsyncStore) -> None:
    await make_everything(async_store)
    await async_store.for_tenant("other").conversations.append("t-1", said("of another tenant"))

    async def threads(**asked: Any) -> list[str]:
        return [one["thread_id"] for one in await export(async_store, **asked) if one["type"] == "conversation"]

    assert await threads() == ["t-1", "t-2", "t-3"]
    assert await threads(user_id="ann") == ["t-1"]
    assert await threads(user_id=None) == ["t-3"]
    assert await threads(user_id="nobody knows") == []
    assert await threads(thread_id="t-2") == ["t-2"]
    assert await threads(user_id="ann", thread_id="t-2") == []
    assert await threads(thread_id="unknown") == []
    assert len(await export(async_store.for_tenant("other"))) == 2


def copy(table: Table, source: Any, target: Any) -> None:
    found = source.execute(select(table)).all()
    names = [column.key for column in table.c]
    if found:
        target.execute(insert(table), [dict(zip(names, row, strict=True)) for row in found])


async def test_the_same_content_gives_the_same_bytes_on_both_databases(sqlite_database: str, postgres_url: str) -> None:
    async with AsyncStore.open(sqlite_database) as one, AsyncStore.open(postgres_url) as other:
        await make_everything(one)
        engines = [create_engine(read_url(url)) for url in (sqlite_database, postgres_url)]
        options = [backend_for(engine.dialect).execution_options("ragstore") for engine in engines]
        with engines[0].connect() as source, engines[1].begin() as target:
            for connection, own in zip((source, target), options, strict=True):
                connection.execution_options(**own)
            for table in Base.metadata.sorted_tables:
                if table.name.startswith(("rag_conversation", "rag_message", "rag_citation", "rag_feedback")):
                    copy(table, source, target)
        for engine in engines:
            engine.dispose()
        written = [[text async for text in store.conversations.export()] for store in (one, other)]
        assert written[0] == written[1]
        assert len(written[0]) == 9
        assert [text async for text in one.conversations.export()] == written[0]


def test_a_line_is_sorted_and_compact() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert line("x", {"b": at, "a": Decimal("1E-9"), "ä": None}) == (
        '{"a":"0.000000001","b":"2026-01-02T03:04:05.000000+00:00","type":"x","ä":null}\n'
    )
    with pytest.raises(TypeError):
        line("x", {"b": b"bytes"})


@pytest.mark.parametrize(
    "messages", [MESSAGES_AT_ONCE - 1, MESSAGES_AT_ONCE, MESSAGES_AT_ONCE + 1, 2 * MESSAGES_AT_ONCE]
)
async def test_long_conversations_come_in_portions(async_store: AsyncStore, messages: int) -> None:
    """However long a conversation is, a read brings a bounded number of messages, and none twice or never."""
    chats = async_store.conversations
    await chats.append("short", said("0"))
    await chats.append("long", [said(str(number)) for number in range(messages)])
    await chats.append("last", said("0"))
    told = await export(async_store)
    assert [one["thread_id"] for one in told if one["type"] == "conversation"] == ["short", "long", "last"]
    assert [one["content"] for one in told if one["type"] == "message"] == ["0", *map(str, range(messages)), "0"]


async def test_many_conversations_come_in_portions(async_store: AsyncStore, db: Database) -> None:
    count = 2 * CONVERSATIONS_AT_ONCE + 1
    await async_store.conversations.append("c-0", said("a"))
    await async_store.conversations.append("c-0", said("b"))
    made = [{"id": UUID(int=number), "thread_id": f"c-{number}", "meta": {}} for number in range(1, count)]
    options = backend_for(db.engine.dialect).execution_options("ragstore")
    with db.engine.connect() as connection:
        connection.execution_options(**options).execute(insert(table_of(ConversationRow)), made)
    with watching(async_store) as seen:
        told = await export(async_store)
    assert len({one["id"] for one in told if one["type"] == "conversation"}) == count
    assert len(told) == count + 2
    reads = [statement for statement, _ in seen if "FROM" in statement and "rag_conversation" in statement]
    assert len(reads) == 4
    assert len(seen) < 40, "neighbours are read together"


async def test_what_is_written_meanwhile_disturbs_nothing(async_store: AsyncStore) -> None:
    """A conversation that becomes active or is deleted while others are read comes once or not at all."""
    chats = async_store.conversations
    for number in range(5):
        await chats.append(f"c-{number}", [said(str(at)) for at in range(MESSAGES_AT_ONCE)])
    threads = []
    async for text in chats.export():
        one = json.loads(text)
        if one["type"] == "conversation":
            threads.append(one["thread_id"])
            await chats.append("c-0", said("more"))
            await chats.delete("c-4")
    assert threads in (["c-0", "c-1", "c-2", "c-3"], ["c-0", "c-1", "c-2", "c-3", "c-4"])


async def test_inside_a_unit_its_own_writes_are_told(async_store: AsyncStore) -> None:
    async with async_store.begin() as unit:
        await unit.conversations.append("t", said("not committed"))
        told = await collect(unit.conversations.export())
        assert [one.get("content") for one in told] == [None, "not committed"]
        assert len(await collect(unit.export_user("ann"))) == 0


def damage(db: Database, table: str, column: str, on_postgresql: str, on_sqlite: str) -> None:
    """Put a value into a column that the library never stores there."""
    value, type_ = (on_postgresql, "jsonb") if db.kind == "postgresql" else (on_sqlite, "text")
    db.execute(f"UPDATE {table} SET {column} = CAST(:value AS {type_})", value=value)


@pytest.mark.parametrize("column", ["metadata", "parts"])
async def test_a_damaged_message_is_named_or_passed_over(async_store: AsyncStore, db: Database, column: str) -> None:
    """C-15: a value that is no JSON, or of another kind, is an error that names the row, unless leniently read."""
    (kept,) = await async_store.conversations.append("t", said("kept"))
    damage(db, "rag_message", column, '"text"', "{not json")
    with pytest.raises(CorruptRow) as refused:
        await export(async_store)
    assert (refused.value.table, refused.value.id) == ("rag_message", kept.id)
    _, told = await export(async_store, lenient=True)
    assert (told["content"], told[column]) == ("kept", None)
    assert told["damage"]


async def test_a_damaged_conversation_is_named_or_passed_over(async_store: AsyncStore, db: Database) -> None:
    await async_store.conversations.append("t", said("kept"))
    stored = await async_store.conversations.get("t")
    damage(db, "rag_conversation", "metadata", "[]", "{")
    with pytest.raises(CorruptRow) as refused:
        await export(async_store)
    assert (refused.value.table, refused.value.id) == ("rag_conversation", stored.id)
    told, message = await export(async_store, lenient=True)
    assert told["metadata"] is None
    assert told["damage"]
    assert "damage" not in message


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("user_id", {"user_id": ""}),
        ("user_id", {"user_id": 7}),
        ("thread_id", {"thread_id": ""}),
        ("thread_id", {"thread_id": "a\0"}),
    ],
)
async def test_what_is_unfit_is_refused_at_once(async_store: AsyncStore, field: str, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        async_store.conversations.export(**asked)
    assert refused.value.field == field


async def test_it_takes_a_tenant(database_url: str) -> None:
    async with AsyncStore.open(database_url, Settings(tenant=None)) as store:
        with pytest.raises(TenantRequired):
            store.conversations.export()
