# Generated from test_retention_async.py by tools/unasync.py: edit that file and run the tool again.
"""Retention: conversations that nobody has written to for a while go, on both databases and both faces (C-14)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ragstore.config import Settings
from ragstore.conversations.records import NewMessage
from ragstore.errors import InvalidInput, ReadOnlyError, TenantRequired
from ragstore.store._sync import Store
from tests.conformance.support import Database, watching

DAY = timedelta(days=1)
LATER = datetime.now(UTC) + 100 * DAY
"""A time at which all that is written now has been silent for about a hundred days."""


def said(content: str) -> NewMessage:
    return NewMessage(role="user", content=content)


def write(store: Store, *threads: str) -> None:
    for thread in threads:
        store.conversations.append(thread, said(f"in {thread}"))


def threads(store: Store) -> set[str]:
    return {one.thread_id for one in store.conversations.page_threads(limit=1000)}


def age(db: Database, thread: str, days: int) -> None:
    """Put a conversation's last activity back by so many days."""
    moved = (
        "last_activity - interval '1 day' * :days" if db.kind == "postgresql" else "last_activity - :days * 86400000000"
    )
    db.execute(
        f"UPDATE rag_conversation SET last_activity = {moved} WHERE thread_id = :thread", days=days, thread=thread
    )


def test_what_has_been_silent_goes_with_all_that_hangs_on_it(store: Store, db: Database) -> None:
    chats = store.conversations
    chats.record_exchange(thread_id="old", query="Is it?", response="It is.", feedback=1, user_id="ann")
    write(store, "new")
    age(db, "old", 91)
    kept = {"rag_conversation": 1, "rag_message": 1}
    assert chats.purge(older_than=90 * DAY) == 1
    assert threads(store) == {"new"}
    assert db.counts() == kept
    assert chats.purge(older_than=90 * DAY) == 0


def test_the_age_counts_to_the_microsecond(store: Store) -> None:
    """A conversation goes when its silence is longer than the age, by the time given or the database's own."""
    write(store, "t")
    last = store.conversations.get("t").last_activity
    purge = store.conversations.purge
    assert purge(older_than=DAY, now=last + DAY) == 0
    assert purge(older_than=86_399.0) == 0
    assert purge(older_than=86_400.0, now=last + DAY + timedelta(microseconds=1)) == 1


def test_activity_is_appending(store: Store, db: Database) -> None:
    write(store, "t")
    age(db, "t", 10)
    store.conversations.update("t", title="renamed")
    store.conversations.history("t")
    assert store.conversations.purge(older_than=DAY, dry_run=True) == 1
    write(store, "t")
    assert store.conversations.purge(older_than=DAY) == 0


def test_pinned_conversations_stay_and_do_not_count(store: Store) -> None:
    write(store, "a", "b", "c")
    store.conversations.update("a", pinned=True)
    assert store.conversations.purge(older_than=DAY, now=LATER, max_rows=1) == 1
    assert threads(store) == {"a", "c"}
    assert store.conversations.purge(older_than=DAY, now=LATER) == 1
    store.conversations.update("a", pinned=False)
    assert store.conversations.purge(older_than=DAY, now=LATER) == 1


def test_the_longest_silent_go_first_and_a_call_is_bounded(store: Store, db: Database) -> None:
    write(store, "a", "b", "c", "d", "e")
    age(db, "d", 3)
    age(db, "b", 5)
    purge = store.conversations.purge
    assert purge(older_than=DAY, now=LATER, max_rows=2) == 2
    assert threads(store) == {"a", "c", "e"}
    assert [purge(older_than=DAY, now=LATER, max_rows=2) for _ in range(3)] == [2, 1, 0]


def test_a_dry_run_gives_the_number_and_writes_nothing(store: Store, db: Database) -> None:
    write(store, "a", "b", "c")
    before = db.versions()
    with watching(store) as seen:
        assert store.conversations.purge(older_than=DAY, now=LATER, dry_run=True) == 3
        assert store.conversations.purge(older_than=DAY, now=LATER, dry_run=True, max_rows=2) == 2
    assert not [statement for statement, _ in seen if "DELETE" in statement or "FOR UPDATE" in statement]
    assert store.maintenance().purge_conversations(older_than=DAY, now=LATER, dry_run=True) == 3
    assert db.versions() == before


def test_a_tenant_purges_its_own(store: Store) -> None:
    other = store.for_tenant("other")
    write(store, "mine")
    write(other, "theirs")
    assert store.conversations.purge(older_than=DAY, now=LATER) == 1
    assert threads(other) == {"theirs"}


def test_maintenance_purges_every_tenant(store: Store) -> None:
    """One call takes `max_rows` of all tenants together, and a tenant with nothing to purge costs no statement."""
    tenants = [store.for_tenant(f"t{number}") for number in range(6)]
    for tenant in tenants:
        write(tenant, "a", "b", "pinned")
        tenant.conversations.update("pinned", pinned=True)
    purge = store.maintenance().purge_conversations
    assert purge(older_than=DAY, now=LATER, dry_run=True) == 12
    assert [purge(older_than=DAY, now=LATER, max_rows=5) for _ in range(4)] == [5, 5, 2, 0]
    assert [threads(tenant) for tenant in tenants] == [{"pinned"}] * 6


def test_maintenance_goes_on_past_tenants_with_nothing_to_purge(store: Store) -> None:
    for number in range(8):
        write(store.for_tenant(f"t{number}"), "only")
    store.for_tenant("t0").conversations.update("only", pinned=True)
    assert store.maintenance().purge_conversations(older_than=DAY, now=LATER, max_rows=3) == 3
    assert threads(store.for_tenant("t0")) == {"only"}
    assert threads(store.for_tenant("t3")) == set()
    assert threads(store.for_tenant("t4")) == {"only"}


def test_inside_a_unit_a_purge_is_undone_with_it(store: Store) -> None:
    write(store, "t")
    with pytest.raises(RuntimeError):
        with store.begin() as unit:
            assert unit.conversations.purge(older_than=DAY, now=LATER) == 1
            raise RuntimeError
    assert threads(store) == {"t"}
    with store.begin(read_only=True) as unit:
        assert unit.conversations.purge(older_than=DAY, now=LATER, dry_run=True) == 1
        with pytest.raises(ReadOnlyError):
            unit.conversations.purge(older_than=DAY, now=LATER)


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
def test_what_is_unfit_is_refused(store: Store, field: str, asked: dict[str, Any]) -> None:
    for purge in (store.conversations.purge, store.maintenance().purge_conversations):
        with pytest.raises(InvalidInput) as refused:
            purge(**asked)
        assert refused.value.field == field


def test_the_bounds_themselves_are_allowed(store: Store) -> None:
    write(store, "t")
    assert store.conversations.purge(older_than=timedelta(days=36_600)) == 0
    assert store.conversations.purge(older_than=0, now=LATER) == 1


def test_without_a_tenant_only_maintenance_can_purge(database_url: str) -> None:
    with Store.open(database_url, Settings(tenant=None)) as store:
        with pytest.raises(TenantRequired):
            store.conversations.purge(older_than=0)
        assert store.maintenance().purge_conversations(older_than=0) == 0
