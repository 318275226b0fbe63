"""What conversations cost: round trips to PostgreSQL, which do not depend on the machine, and rows read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text

from ragstore.backends.postgresql import appends
from ragstore.conversations.records import NewCitation, NewMessage
from ragstore.core._face_async import plain_engine
from ragstore.store._async import AsyncStore

pytestmark = pytest.mark.anyio

ONE = NewMessage(role="user", content="one")
CITING = NewMessage(role="assistant", content="two", sources=[NewCitation(source="s"), NewCitation(source="t")])
KEYED = NewMessage(role="user", content="three", client_id="3")


@pytest.fixture
async def on_postgres(postgres_url: str) -> AsyncIterator[AsyncStore]:
    async with AsyncStore.open(postgres_url) as store:
        await store.conversations.append("t", ONE)
        await store.conversations.history("t")
        yield store


@contextmanager
def counted(store: AsyncStore) -> Iterator[list[str]]:
    """Note each round trip: a BEGIN, a statement (many parameter sets are one pipeline), a COMMIT."""
    trips: list[str] = []
    engine = plain_engine(store.engine)

    def begun(connection: Any) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            trips.append("BEGIN")

    def executed(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        trips.append(statement)

    def ended(_connection: Any) -> None:
        if _connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            trips.append("END")

    listeners = {"begin": begun, "before_cursor_execute": executed, "commit": ended, "rollback": ended}
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield trips
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


async def test_round_trips(on_postgres: AsyncStore) -> None:
    chats = on_postgres.conversations
    exchange = {"thread_id": "t", "query": "q", "response": "r"}
    calls = [
        (1, lambda: chats.append("t", ONE)),
        (1, lambda: chats.append("t", ONE, expected_head=2)),
        (1, lambda: chats.append("t", KEYED)),
        (1, lambda: chats.append("t", [ONE, ONE])),
        (1, lambda: chats.append("t", CITING)),
        (5, lambda: chats.append("t", KEYED)),  # it is there: tried, and then locked and read
        (5, lambda: chats.append("t", [ONE] * 500)),
        (1, lambda: chats.append("new", ONE)),
        (1, lambda: chats.record_exchange(**exchange)),
        (1, lambda: chats.record_exchange(**exchange, sources=CITING.sources)),
        (6, lambda: chats.record_exchange(**exchange, sources=CITING.sources, feedback=1)),
        (2, lambda: chats.history("t", limit=1000)),
        (1, lambda: chats.history("new")),
        (2, lambda: chats.history("nobody wrote here")),
        (0, lambda: chats.history("t", limit=0)),
        (2, lambda: chats.page("t")),
        (1, lambda: chats.page_threads(limit=10)),
        (1, lambda: chats.start("t")),
        (1, lambda: chats.find("t")),
    ]
    for place, (expected, call) in enumerate(calls):
        with counted(on_postgres) as trips:
            await call()
        assert len(trips) == expected, (place, trips)


LONG = "long " * 200


@pytest.mark.parametrize(
    "more",
    [{"content": LONG}, {"parts": [LONG]}, {"metadata": {"a": LONG}}, {"sources": [NewCitation(source=LONG)]}],
)
async def test_a_long_batch_is_written_as_rows(
    on_postgres: AsyncStore, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    """However few its messages are, in a transaction of its own and in a unit, of which nothing is left if it fails."""
    monkeypatch.setattr(appends, "LONGEST", 1000)
    chats, batch = on_postgres.conversations, [ONE, NewMessage(**{"role": "user", **more})]
    with counted(on_postgres) as trips:
        stored = await chats.append("t", batch)
    assert len(trips) > 1
    async with on_postgres.begin() as unit:
        stored += await unit.conversations.append("t", batch)
        stored += await unit.conversations.append("t", ONE)
    with pytest.raises(ZeroDivisionError):
        async with on_postgres.begin() as unit:
            await unit.conversations.append("t", batch)
            raise ZeroDivisionError
    assert await chats.history("t", limit=5) == stored
    assert [message.seq for message in stored] == [2, 3, 4, 5, 6]


async def plan_of(store: AsyncStore, statement: str, parameters: dict[str, Any]) -> dict[str, Any]:
    async with store.engine.connect() as connection:
        explain = "EXPLAIN (ANALYZE, FORMAT JSON) " + statement
        answer = (await connection.exec_driver_sql(explain, parameters)).scalar_one()
        plan: dict[str, Any] = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
        return plan


def shape(plan: dict[str, Any]) -> tuple[Any, ...]:
    """Give a plan's nodes and what they go by."""
    children = tuple(shape(child) for child in plan.get("Plans", ()))
    return plan["Node Type"], plan.get("Scan Direction"), plan.get("Index Name"), children


def rows_read(plan: dict[str, Any]) -> int:
    """Sum the rows that scans of tables gave or dropped, and the pairs that joins dropped."""
    own = plan.get("Rows Removed by Join Filter", 0) * plan["Actual Loops"]
    if "Relation Name" in plan:
        own += (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return round(own) + sum(rows_read(child) for child in plan.get("Plans", ()))


@contextmanager
def noted(store: AsyncStore) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Note the statements with their parameters."""
    found: list[tuple[str, dict[str, Any]]] = []
    engine = plain_engine(store.engine)

    def executed(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        found.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", executed)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", executed)


async def test_a_page_costs_the_same_in_a_long_conversation(on_postgres: AsyncStore) -> None:
    chats = on_postgres.conversations
    for thread, count in (("short", 100), ("long", 10_000)):
        await chats.append(thread, [CITING] * 50 + [ONE] * (count - 50))
    async with on_postgres.engine.begin() as connection:
        await connection.execute(text("ANALYZE ragstore.rag_message, ragstore.rag_citation, ragstore.rag_conversation"))
    plans: dict[str, list[Any]] = {"short": [], "long": []}
    for thread, found in plans.items():
        with noted(on_postgres) as statements:
            await chats.history(thread, limit=20)
            await chats.page(thread, limit=20)
            await chats.page(thread, limit=20, backwards=True)
            middle = await chats.page(thread, limit=30)
            await chats.page(thread, limit=20, cursor=middle.next_cursor)
        for statement, parameters in statements:
            if "rag_citation" not in statement.split("FROM")[1]:
                plan = await plan_of(on_postgres, statement, parameters)
                found.append((shape(plan), rows_read(plan)))
    assert len(plans["short"]) == 5
    assert plans["short"] == plans["long"]
    assert max(rows for _, rows in plans["long"]) <= 34  # a page, one more, and all three conversations


async def test_siblings_are_looked_up(on_postgres: AsyncStore) -> None:
    chats = on_postgres.conversations
    stored = await chats.append("long", [ONE] * 2000)
    async with on_postgres.engine.begin() as connection:
        await connection.execute(text("ANALYZE ragstore.rag_message"))
    with noted(on_postgres) as statements:
        for place in (0, 1000):
            assert await chats.siblings(stored[place].id) == [stored[place]]
    for statement, parameters in statements:
        plan = await plan_of(on_postgres, statement, parameters)
        assert rows_read(plan) <= 2, plan


async def test_what_follows_a_message_is_found_in_one_pass(on_postgres: AsyncStore) -> None:
    """C-6: where the table was never analysed, the rows read to delete a branch still are as many as it is long."""
    count = 2_000
    async with on_postgres.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE ragstore.rag_message SET (autovacuum_enabled = false)"))
    first, *_ = await on_postgres.conversations.append("long", [ONE] * count)
    with noted(on_postgres) as statements, pytest.raises(ZeroDivisionError):
        async with on_postgres.begin() as unit:
            assert (await unit.conversations.choose_branch(first.id)).head == count
            assert await unit.conversations.delete_message(first.id) == count
            raise ZeroDivisionError
    own = [(statement, parameters) for statement, parameters in statements if "rag_message" in statement]
    assert 4 < len(own) < 20
    for statement, parameters in own:
        plan = await plan_of(on_postgres, statement, parameters)
        assert rows_read(plan) <= 2 * count + 1, (statement, plan)


async def test_a_page_of_threads_reads_a_page(on_postgres: AsyncStore) -> None:
    insert = """
        INSERT INTO ragstore.rag_conversation (id, thread_id, user_id, metadata, last_activity)
        SELECT gen_random_uuid(), 'n' || n, 'user' || n % 2, '{}', now() - n % 1000 * interval '1 minute'
        FROM generate_series(1, 20000) n
    """
    async with on_postgres.engine.begin() as connection:
        await connection.execute(text(insert))
        await connection.execute(text("ANALYZE ragstore.rag_conversation"))
    chats = on_postgres.conversations
    with noted(on_postgres) as statements:
        first = await chats.page_threads(user_id="user1", limit=49)
        await chats.page_threads(user_id="user1", limit=49, cursor=first.next_cursor)
        await chats.page_threads(limit=49, cursor=first.next_cursor)
    for statement, parameters in statements:
        plan = await plan_of(on_postgres, statement, parameters)
        assert rows_read(plan) <= 50, plan
