"""Retention and erasure while others write: nothing active is lost, nobody waits for ever, and nobody fails."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import create_engine, text

from ragstore.backends import read_url
from ragstore.config import Settings
from ragstore.conversations.records import NewMessage
from ragstore.store._sync import Store

T = TypeVar("T")

PATIENT = Settings(busy_timeout=60.0, pool_timeout=60.0, pool_size=12)
DAY = timedelta(days=1)
OLD = 120
ACTIVE = 24
PROCESSES = 2


def said(content: str) -> NewMessage:
    return NewMessage(role="user", content=content)


def outside(url: str, statement: str, **values: object) -> list[tuple[object, ...]]:
    """Run a statement on a connection of its own."""
    engine = create_engine(read_url(url))
    schema = "ragstore." if engine.dialect.name == "postgresql" else ""
    with engine.begin() as connection:
        result = connection.execute(text(statement.replace("rag_", f"{schema}rag_")), values)
        found = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return found


def make_old(url: str, days: int = 2) -> None:
    """Put every conversation's last activity back."""
    moved = "last_activity - interval '1 day' * :days" if "postgres" in url else "last_activity - :days * 86400000000"
    outside(url, f"UPDATE rag_conversation SET last_activity = {moved}", days=days)


def fill(store: Store, prefix: str, threads: int, user: str | None = None) -> None:
    for number in range(threads):
        store.conversations.record_exchange(
            thread_id=f"{prefix}{number}", query="q", response="r", user_id=user, feedback=1
        )


def purge_all(url: str) -> int:
    with Store.open(url, PATIENT) as store:
        purged = 0
        while some := store.conversations.purge(older_than=DAY, max_rows=7):
            purged += some
        return purged + store.maintenance().purge_conversations(older_than=DAY, max_rows=7)


def purge_while_any(store: Store) -> int:
    """Purge a few at a time until a look at what is left finds nothing."""
    purged = 0
    while store.conversations.purge(older_than=DAY, dry_run=True):
        purged += store.conversations.purge(older_than=DAY, max_rows=5)
    return purged


def at_once(*calls: Callable[[], T]) -> list[T]:
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        start.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_purges_in_processes_delete_each_conversation_once(database_url: str) -> None:
    """What several purges delete together is what was old, each counted by one of them (C-14)."""
    with Store.open(database_url, PATIENT) as store:
        fill(store, "old", OLD)
        make_old(database_url)
        fill(store, "new", 3)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
            purged = [done.result() for done in [pool.submit(purge_all, database_url) for _ in range(PROCESSES)]]
        assert sum(purged) == OLD
        assert len(store.conversations.page_threads(limit=1000)) == 3


def test_what_becomes_active_meanwhile_stays(database_url: str) -> None:
    """Purges run against writers: each conversation either stays whole or is begun anew, and nobody fails (C-14)."""
    with Store.open(database_url, PATIENT) as store:
        chats = store.conversations
        fill(store, "old", OLD)
        fill(store, "active", ACTIVE)
        make_old(database_url)

        def append() -> int:
            for number in range(ACTIVE):
                chats.append(f"active{number}", said("again"))
            return 0

        purge = partial(purge_while_any, store)
        purged = sum(at_once(purge, purge, append)) + purge()
        histories = [chats.history(f"active{number}") for number in range(ACTIVE)]
        assert [history[-1].content for history in histories] == ["again"] * ACTIVE
        assert {len(history) for history in histories} <= {1, 3}
        assert all([one.seq for one in history] == list(range(1, len(history) + 1)) for history in histories)
        assert purged == OLD + sum(len(history) == 1 for history in histories)
        assert len(chats.page_threads(limit=1000)) == ACTIVE


def test_what_is_pinned_meanwhile_stays(database_url: str) -> None:
    """Whoever has pinned a conversation that was there finds it afterwards."""
    with Store.open(database_url, PATIENT) as store:
        fill(store, "t", OLD)
        make_old(database_url)

        pinning = threading.Event()

        def pin() -> int:
            statement, pinned = "UPDATE rag_conversation SET pinned = true WHERE thread_id = :thread RETURNING id", 0
            for number in reversed(range(OLD)):  # purges begin at the other end
                pinned += len(outside(database_url, statement, thread=f"t{number}"))
                pinning.set()
            return pinned

        def purge() -> int:
            assert pinning.wait(30)
            return purge_while_any(store)

        *purged, pinned = at_once(purge, purge, pin)
        left = sum(purged) + purge()
        assert left + pinned == OLD
        assert len(store.conversations.page_threads(limit=1000)) == pinned > 0


def test_a_purge_passes_over_what_a_unit_is_writing_to(postgres_url: str) -> None:
    """No purge waits for a writer, and the writer's conversation, which is active then, is not deleted after it."""
    with Store.open(postgres_url, PATIENT) as store:
        fill(store, "t", 2)
        make_old(postgres_url)
        with store.begin() as unit:
            unit.conversations.append("t0", said("uncommitted"))
            started = time.monotonic()
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(store.conversations.purge, older_than=DAY).result(30) == 1
            assert time.monotonic() - started < 25
        assert store.conversations.purge(older_than=DAY) == 0
        assert [message.content for message in store.conversations.history("t0")] == ["q", "r", "uncommitted"]


def test_an_erasure_waits_for_what_a_unit_is_writing_to(postgres_url: str) -> None:
    """A conversation that somebody writes to is erased as soon as they are done, with what they have written."""
    with Store.open(postgres_url, PATIENT) as store, ThreadPoolExecutor(1) as pool:
        fill(store, "t", 3, user="ann")
        with store.begin() as unit:
            unit.conversations.append("t1", said("uncommitted"))
            erasing = pool.submit(store.erase_user, "ann")
            time.sleep(0.3)
            assert not erasing.done()
        report = erasing.result(30)
        assert (report.rows["rag_conversation"], report.rows["rag_message"]) == (3, 7)
        assert outside(postgres_url, "SELECT count(*) FROM rag_message") == [(0,)]


def test_erasures_purges_and_writers_together(database_url: str) -> None:
    """Two erasures of a user, a purge, and thumbs and writers of others: no error, and only the user's data is gone."""
    with Store.open(database_url, PATIENT) as store:
        chats = store.conversations
        fill(store, "ann", 30, user="ann")
        fill(store, "old", 30)
        make_old(database_url)
        fill(store, "bob", 10, user="bob")
        answers = [chats.history(f"bob{number}")[-1].id for number in range(10)]
        for answer in answers:
            chats.give_feedback(answer, 1, user_id="ann")

        def write() -> int:
            for answer in answers:
                chats.give_feedback(answer, -1, user_id="carol")
                chats.append("bob0", said("more"))
            return 0

        calls: list[Callable[[], int]] = [
            lambda: store.erase_user("ann").rows.get("rag_feedback_change", 0),
            lambda: store.erase_user("ann").rows.get("rag_feedback_change", 0),
            lambda: store.conversations.purge(older_than=DAY),
            write,
        ]
        at_once(*calls)
        assert store.erase_user("ann").rows == {}
        assert [chats.find(f"ann{number}") for number in range(30)] == [None] * 30
        thumbs = [{one.user_id for one in chats.get_message(answer).feedback} for answer in answers]
        assert thumbs == [{"bob", "carol"}] * 10
        assert len(chats.history("bob0", limit=100)) == 12
