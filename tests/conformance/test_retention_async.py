"""Retention: conversations that nobody has written to for a while go, on both databases and both faces (C-14)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ragstore.config import Settings
from ragstore.conversations.records import NewMessage
from ragstore.errors import InvalidInput, ReadOnlyError, TenantRequired
from ragstore.store._async import AsyncStore
from tests.conformance.support import Database, watching

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
LATER = datetime.now(UTC) + 100 * DAY
"""A time at which all that is written now has been silent for about a hundred days."""


def said(content: str) -> NewMessage:
    return NewMessage(role="user", content=content)


async def write(store: AsyncStore, *threads: str) -> None:
    for thread in threads:
        await store.conversations.append(thread, said(f"in {thread}"))


async def threads(store: AsyncStore) -> set[str]:
    return {one.thread_id for one in await store.conversations.page_threads(limit=1000)}


async def age(db: Database, thread: str, days: int) -> None:
    """Put a conversation's last activity back by so many days."""
    moved = (
        "last_activity - interval '1 day' * :days" if db.kind == "postgresql" else "last_activity - :days * 86400000000"
    )
    db.execute(
        f"UPDATE rag_conversation SET last_activity = {moved} WHERE thread_id = :thread", days=days, thread=thread
    )


async def test_what_has_been_silent_goes_with_all_that_hangs_on_it(async_store: AsyncStore, db: Database) -> None:
    chats = async_store.conversations
    await chats.record_exchange(thread_id="old", query="Is it?", response="It is.", feedback=1, user_id="ann")
    await write(async_store, "new")
    await age(db, "old", 91)
    kept = {"rag_conversation": 1, "rag_message": 1}
    assert await chats.purge(older_than=90 * DAY) == 1
    assert await threads(async_store) == {"new"}
    assert db.counts() == kept
    assert await chats.purge(older_than=90 * DAY) == 0


async def test_the_age_counts_to_the_microsecond(async_store: AsyncStore) -> None:
    """A conversation goes when its silence is longer than the age, by the time given or the database's own."""
    await write(async_store, "t")
    last = (await async_store.conversations.get("t")).last_activity
    purge = async_store.conversations.purge
    assert await purge(older_than=DAY, now=last + DAY) == 0
    assert await purge(older_than=86_399.0) == 0
    assert await purge(older_than=86_400.0, now=last + DAY + timedelta(microseconds=1)) == 1


async def test_activity_is_appending(async_store: AsyncStore, db: Database) -> None:
    await write(async_store, "t")
    await age(db, "t", 10)
    await async_store.conversations.update("t", title="renamed")
    await async_store.conversations.history("t")
    assert await async_store.conversations.purge(older_than=DAY, dry_run=True) == 1
    await write(async_store, "t")
    assert await async_store.conversations.purge(older_than=DAY) == 0


async def test_pinned_conversations_stay_and_do_not_count(async_store: AsyncStore) -> None:
    await write(async_store, "a", "b", "c")
    await async_store.conversations.update("a", pinned=True)
    assert await async_store.conversations.purge(older_than=DAY, now=LATER, max_rows=1) == 1
    assert await threads(async_store) == {"a", "c"}
    assert await async_store.conversations.purge(older_than=DAY, now=LATER) == 1
    await async_store.conversations.update("a", pinned=False)
    assert await async_store.conversations.purge(older_than=DAY, now=LATER) == 1


async def test_the_longest_silent_go_first_and_a_call_is_bounded(async_store: AsyncStore, db: Database) -> None:
    await write(async_store, "a", "b", "c", "d", "e")
    await age(db, "d", 3)
    await age(db, "b", 5)
    purge = async_store.conversations.purge
    assert await purge(older_than=DAY, now=LATER, max_rows=2) == 2
    assert await threads(async_store) == {"a", "c", "e"}
    assert [await purge(older_than=DAY, now=LATER, max_rows=2) for _ in range(3)] == [2, 1, 0]


async def test_a_dry_run_gives_the_number_and_writes_nothing(async_store: AsyncStore, db: Database) -> None:
    await write(async_store, "a", "b", "c")
    before = db.versions()
    with watching(async_store) as seen:
        assert await async_store.conversations.purge(older_than=DAY, now=LATER, dry_run=True) == 3
        assert await async_store.conversations.purge(older_than=DAY, now=LATER, dry_run=True, max_rows=2) == 2
    assert not [statement for statement, _ in seen if "DELETE" in statement or "FOR UPDATE" in statement]
    assert await async_store.maintenance().purge_conversations(older_than=DAY, now=LATER, dry_run=True) == 3
    assert db.versions() == before


async def test_a_tenant_purges_its_own(async_store: AsyncStore) -> None:
    other = async_store.for_tenant("other")
    await write(async_store, "mine")
    await write(other, "theirs")
    assert await async_store.conversations.purge(older_than=DAY, now=LATER) == 1
    assert await threads(other) == {"theirs"}


async def test_maintenance_purges_every_tenant(async_store: AsyncStore) -> None:
    """One call takes `max_rows` of all tenants together, and a tenant with nothing to purge costs no statement."""
    tenants = [async_store.for_tenant(f"t{number}") for number in range(6)]
    for tenant in tenants:
        await write(tenant, "a", "b", "pinned")
        await tenant.conversations.update("pinned", pinned=True)
    purge = async_store.maintenance().purge_conversations
    assert await purge(older_than=DAY, now=LATER, dry_run=True) == 12
    assert [await purge(older_than=DAY, now=LATER, max_rows=5) for _ in range(4)] == [5, 5, 2, 0]
    assert [await threads(tenant) for tenant in tenants] == [{"pinned"}] * 6


async def test_maintenance_goes_on_past_tenants_with_nothing_to_purge(async_store: AsyncStore) -> None:
    for number in range(8):
        await write(async_store.for_tenant(f"t{number}"), "only")
    await async_store.for_tenant("t0").conversations.update("only", pinned=True)
    assert await async_store.maintenance().purge_conversations(older_than=DAY, now=LATER, max_rows=3) == 3
    assert await threads(async_store.for_tenant("t0")) == {"only"}
    assert await threads(async_store.for_tenant("t3")) == set()
    assert await threads(async_store.for_tenant("t4")) == {"only"}


async def test_inside_a_unit_a_purge_is_undone_with_it(async_store: AsyncStore) -> None:
    await write(async_store, "t")
    with pytest.raises(RuntimeError):
        async with async_store.begin() as unit:
            assert await unit.conversations.purge(older_than=DAY, now=LATER) == 1
            raise RuntimeError
    assert await threads(async_store) == {"t"}
    async with async_store.begin(read_only=True) as unit:
        assert await unit.conversations.purge(older_than=DAY, now=LATER, dry_run=True) == 1
        with pytest.raises(ReadOnlyError):
            await unit.conversations.purge(older_than=DAY, now=LATER)


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("older_than", {"older_than": -1}),
        ("older_than", {"older_than": timedelta(microseconds=-1)}),
        ("older_than", {"older_than": float("nan")}),
        ("older_than", {"older_than": float("inf")}),
        ("older_than", {"older_than": timedelta.max}),
        ("older_than", {"older_than": True}),
        ("older_than", {"older_than": "90 days"}),
        ("max_rows", {"older_than": 1, "max_rows": 0}),
        ("max_rows", {"older_than": 1, "max_rows": 10_001}),
        ("max_rows", {"older_than": 1, "max_rows": True}),
        ("now", {"older_than": 1, "now": datetime(2030, 1, 1)}),  # noqa: DTZ001
    ],
)
async def test_what_is_unfit_is_refused(async_store: AsyncStore, field: str, asked: dict[str, Any]) -> None:
    for purge in (async_store.conversations.purge, async_store.maintenance().purge_conversations):
        with pytest.raises(InvalidInput) as refused:
            await purge(**asked)
        assert refused.value.field == field


async def test_the_bounds_themselves_are_allowed(async_store: AsyncStore) -> None:
    await write(async_store, "t")
    assert await async_store.conversations.purge(older_than=timedelta(days=36_600)) == 0
    assert await async_store.conversations.purge(older_than=0, now=LATER) == 1


async def test_without_a_tenant_only_maintenance_can_purge(database_url: str) -> None:
    async with AsyncStore.open(database_url, Settings(tenant=None)) as store:
        with pytest.raises(TenantRequired):
            await store.conversations.purge(older_than=0)
        assert await store.maintenance().purge_conversations(older_than=0) == 0
