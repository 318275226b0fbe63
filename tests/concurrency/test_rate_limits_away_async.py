"""RL-15: the database is away, frozen or busy: the policies' failure modes decide, in time, and it mends by itself."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from ragstore import AsyncStore, Settings
from ragstore.core._face_async import sleep
from ragstore.errors import ConnectionLost, Timeout, Unavailable
from ragstore.rate_limits import Charge, Decision, Limit, Policy
from tests.concurrency.conftest import OwnServer
from tests.conformance.support import Database, async_together, run_calls

pytestmark = pytest.mark.anyio

WAIT = 0.25
SLACK = 8.0  # for machines that have other things to do; without a deadline it would be more, or for ever
MILLION = Limit(10**6, timedelta(days=366))  # nothing comes back while a test runs
CLOSED = Policy("closed", MILLION, max_wait=WAIT)
PATIENT = Policy("closed", MILLION, max_wait=30.0)  # counted together with the one above
OPEN = Policy("open", MILLION, max_wait=WAIT, failure="open")
MENDED = 60.0
RUSH = Settings(connect_timeout=2.0)


@pytest.fixture
def key() -> str:
    return str(uuid4())


async def timed(call: Callable[[], Awaitable[Decision]]) -> tuple[Decision, float]:
    begun = time.perf_counter()
    decision = await call()
    return decision, time.perf_counter() - begun


async def check_degraded(store: AsyncStore, key: str, *, at_once: int = 1) -> None:
    """See that so many calls at once, of both kinds, are decided in time and without the database."""
    limits = store.rate_limits
    calls = [
        lambda policy=policy: timed(lambda: limits.hit(policy, key))  # type: ignore[misc]
        for policy in (CLOSED, OPEN)
        for _ in range(at_once)
    ]
    for place in range(0, len(calls), at_once * 2):
        answers = run_calls(await async_together(*calls[place : place + at_once * 2]))
        for decision, seconds in answers:
            assert decision.degraded
            assert decision.allowed == (decision.policy == "open")
            assert (decision.limit, decision.remaining, decision.states) == (None, None, ())
            assert (decision.retry_after is None) == decision.allowed
            assert seconds < WAIT + SLACK
    both = await limits.hit_all([Charge(OPEN, key), Charge(CLOSED, key)])
    assert (both.allowed, both.degraded, both.policy) == (False, True, "closed")


async def check_calls_that_raise(store: AsyncStore, key: str) -> None:
    """See that what is no decision raises in time."""
    limits = store.rate_limits
    for call in (lambda: limits.refund(CLOSED, key), lambda: limits.reset(CLOSED, key)):
        begun = time.perf_counter()
        with pytest.raises((Unavailable, Timeout)):
            await call()
        assert time.perf_counter() - begun < WAIT + SLACK


async def check_nobody_waits(store: AsyncStore, key: str, seconds: float = 0.8) -> None:
    """See that the breaker answers at once, but for the one call now and then that tries."""
    until = time.monotonic() + seconds
    waits = []
    while time.monotonic() < until or len(waits) <= 40:
        decision, waited = await timed(lambda: store.rate_limits.hit(CLOSED, key))
        assert decision.degraded
        waits.append(waited)
    assert max(waits) < WAIT + SLACK
    assert sum(waited > 0.05 for waited in waits) < len(waits) / 4


async def check_mends(store: AsyncStore, key: str, remaining: int | None = None) -> None:
    """See that it counts again, with the same store and soon, and never fails again after that."""
    until, asked = time.monotonic() + MENDED, 0
    while (decision := await store.rate_limits.hit(CLOSED, key)).degraded:
        assert time.monotonic() < until
        asked += 1
        await sleep(0.02)
    for _ in range(20):
        following = await store.rate_limits.hit(PATIENT, key)
        assert not following.degraded
    assert (following.remaining or 0) <= (decision.remaining or 0) - 20  # what was asked before may be counted late
    answers = run_calls(await async_together(*[lambda: store.rate_limits.hit(PATIENT, key)] * 12))
    assert not any(answer.degraded for answer in answers)
    if remaining is not None:
        assert remaining - asked <= (decision.remaining or 0) <= remaining


# ----------------------------------------------------------------------------------------------------- PostgreSQL


async def warm_up(store: AsyncStore, key: str) -> None:
    """Have connections, so many as there can be."""
    calls = [lambda: store.rate_limits.hit(PATIENT, (key, "warm"))] * store.settings.side_pool_size * 2
    assert not any(decision.degraded for decision in run_calls(await async_together(*calls)))
    assert (await store.rate_limits.hit(PATIENT, key)).remaining == 10**6 - 1


async def test_the_server_is_killed(own_server: OwnServer, key: str, caplog: pytest.LogCaptureFixture) -> None:
    """Stopped at once, and started again: counts that had been flushed are still there."""
    async with AsyncStore.open(own_server.url) as store:
        await warm_up(store, key)
        with contextlib.closing(Database(own_server.url)) as db:
            db.execute("CHECKPOINT")  # puts asynchronous commits on disk, as time does
        with own_server.killed(), caplog.at_level(logging.WARNING, "ragstore.rate_limits"):
            await check_degraded(store, key, at_once=6)
            await check_calls_that_raise(store, key)
            await check_nobody_waits(store, key)
        await check_mends(store, key, remaining=10**6 - 2)
    said = [record for record in caplog.records if record.name == "ragstore.rate_limits"]
    assert len(said) <= 2  # it is said once, not a thousand times


async def test_a_store_is_opened_while_the_server_is_away(own_server: OwnServer, key: str) -> None:
    with own_server.killed():
        store = AsyncStore.open(own_server.url)
        await check_degraded(store, key, at_once=6)
    await check_mends(store, key, remaining=10**6 - 1)
    await store.aclose()


@pytest.mark.parametrize("warm", [True, False])
async def test_the_server_is_frozen(own_server: OwnServer, key: str, warm: bool) -> None:
    """It accepts connections and statements, and says nothing."""
    async with AsyncStore.open(own_server.url) as store:
        if warm:
            await warm_up(store, key)
        with own_server.frozen():
            await check_degraded(store, key, at_once=12)
            await check_nobody_waits(store, key)
            await check_calls_that_raise(store, key)
        await check_mends(store, key)
        assert await connections_fall(own_server.url, store.settings.side_pool_size)


async def connections_fall(url: str, most: int, name: str = "%") -> bool:
    """Wait until a database has no more connections than so many beside ours."""
    connected = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE :name
            AND backend_type = 'client backend'
    """
    with contextlib.closing(Database(url)) as db:
        for _ in range(3000):
            if db.scalar(connected, name=name) <= most:
                return True
            await sleep(0.02)
    return False


async def test_a_store_is_closed_while_the_server_is_frozen(own_server: OwnServer, key: str) -> None:
    """What was being connected then is closed when it comes, and nothing is left behind."""
    url = make_url(own_server.url).update_query_dict({"application_name": "leaving"})
    store = AsyncStore.open(url, RUSH)
    with own_server.frozen():
        await check_degraded(store, key, at_once=6)
        begun = time.perf_counter()
        await store.aclose()
        assert time.perf_counter() - begun < WAIT + SLACK
    assert await connections_fall(own_server.url, 0, "leaving")


async def test_one_frozen_backend(postgres_url: str, key: str) -> None:
    """It is given up, and the next connection is another one: nothing has to be thawed."""
    async with AsyncStore.open(postgres_url) as store:
        await store.rate_limits.hit(PATIENT, key)
        with contextlib.closing(Database(postgres_url)) as db:
            ((backend,),) = db.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
        with stopped(backend):
            decision, seconds = await timed(lambda: store.rate_limits.hit(OPEN, key))
            assert (decision.degraded, decision.allowed) == (True, True)
            assert seconds < WAIT + SLACK
            await check_mends(store, key)


async def test_a_standby_that_never_answers(own_server: OwnServer, key: str) -> None:
    """Only what is durable waits for it, and no longer than it may; nobody else is held up."""
    durable, patient = (Policy("durable", MILLION, max_wait=wait, durable=True) for wait in (WAIT, 30.0))
    async with AsyncStore.open(own_server.url) as store:

        async def ask() -> list[tuple[Decision, float]]:
            return [await timed(lambda: store.rate_limits.hit(durable, key)) for _ in range(3)]

        async def go_on() -> list[tuple[Decision, float]]:
            found = []
            until = time.monotonic() + 0.8
            while time.monotonic() < until:
                found.append(await timed(lambda: store.rate_limits.hit(PATIENT, key)))
                await sleep(0.002)
            return found

        with waiting_for_a_standby(own_server.url):
            waited, free = run_calls(await async_together(ask, go_on))
        assert [decision.degraded for decision, _ in waited] == [True] * 3
        assert max(seconds for _, seconds in waited) < WAIT + SLACK
        assert [decision for decision, _ in free if decision.degraded] == []
        assert not (await store.rate_limits.hit(patient, (key, "afterwards"))).degraded


@contextmanager
def waiting_for_a_standby(url: str) -> Iterator[None]:
    with contextlib.closing(Database(url)) as db, ThreadPoolExecutor(1) as pool:
        db.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        db.execute("SELECT pg_reload_conf()")
        writing = pool.submit(write_durably, url)
        try:
            while not db.scalar("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"):
                if writing.done():  # the server had not read its configuration yet
                    writing = pool.submit(write_durably, url)
                time.sleep(0.01)
            yield
        finally:
            db.execute("ALTER SYSTEM RESET synchronous_standby_names")
            db.execute("SELECT pg_reload_conf()")
            writing.result(60)  # waits until the server has read it


def write_durably(url: str) -> None:
    with contextlib.closing(Database(url)) as db:
        db.execute("SELECT pg_logical_emit_message(true, 'ragstore', '')")


@contextmanager
def stopped(process: int) -> Iterator[None]:
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


@contextmanager
def silent_listener() -> Iterator[int]:
    """Accept connections, and never say a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


async def test_a_listener_that_never_answers(key: str) -> None:
    with silent_listener() as port:
        async with AsyncStore.open(f"postgresql://someone:secret@127.0.0.1:{port}/app", RUSH) as store:
            await check_degraded(store, key, at_once=12)
            await check_calls_that_raise(store, key)
            await check_nobody_waits(store, key)


async def test_nobody_listens(key: str) -> None:
    with silent_listener() as port:
        pass
    async with AsyncStore.open(f"postgresql://someone:secret@127.0.0.1:{port}/app", RUSH) as store:
        await check_degraded(store, key, at_once=12)
        await check_nobody_waits(store, key)


def end_connections(url: str) -> None:
    with contextlib.closing(Database(url)) as db:
        db.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_idle_connections_end(postgres_url: str, key: str) -> None:
    """A restart while nobody asks, a firewall, an administrator: the next decision uses a new connection."""
    async with AsyncStore.open(postgres_url) as store:
        await warm_up(store, key)
        end_connections(postgres_url)
        for _ in range(12):
            assert not (await store.rate_limits.hit(PATIENT, key)).degraded


async def test_nothing_is_given_back_twice(postgres_url: str, key: str) -> None:
    """A refund over a broken connection is told: it may have arrived. The next one goes over a new connection."""
    async with AsyncStore.open(postgres_url) as store:
        await warm_up(store, key)
        end_connections(postgres_url)
        with pytest.raises(ConnectionLost):
            await store.rate_limits.refund(PATIENT, key)
        await store.rate_limits.refund(PATIENT, key)


async def test_the_server_ends_idle_sessions(postgres_url: str, key: str) -> None:
    """`idle_session_timeout` has an error of its own, 57P05."""
    url = make_url(postgres_url).update_query_dict({"options": "-c idle_session_timeout=500ms"})
    async with AsyncStore.open(url) as store:
        for _ in range(3):
            assert not (await store.rate_limits.hit(PATIENT, key)).degraded
            assert await connections_fall(postgres_url, 0)


async def test_a_server_where_nothing_may_be_written(postgres_url: str, key: str) -> None:
    """A standby, say: not counted, and said to be so; the next server, after a switch, is asked anew each time."""
    url = make_url(postgres_url).update_query_dict({"options": "-c default_transaction_read_only=on"})
    async with AsyncStore.open(url) as store:
        await check_degraded(store, key, at_once=2)


# --------------------------------------------------------------------------------------------------------- SQLite


def file_connection(url: str) -> sqlite3.Connection:
    return sqlite3.connect(make_url(url).database or "", isolation_level=None, check_same_thread=False)


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Have somebody else write to the file in the block."""
    with contextlib.closing(file_connection(url)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.mark.parametrize("warm", [True, False])
async def test_another_writer_holds_the_file(sqlite_database: str, key: str, warm: bool) -> None:
    """However many ask at once, nobody waits longer than `max_wait`, and nobody waits when the file is free again."""
    async with AsyncStore.open(sqlite_database) as store:
        if warm:
            await warm_up(store, key)
        with locked(sqlite_database):
            await check_degraded(store, key, at_once=40)
            await check_calls_that_raise(store, key)
            assert not (await store.rate_limits.peek(PATIENT, key)).degraded
        for other in range(5):
            decision, seconds = await timed(lambda other=other: store.rate_limits.hit(PATIENT, (key, other)))  # type: ignore[misc]
            assert (decision.degraded, decision.remaining) == (False, 10**6 - 1)
            assert seconds < SLACK
        assert (await store.rate_limits.peek(PATIENT, key)).remaining == 10**6 - warm


async def test_a_writer_that_is_done_in_time(sqlite_database: str, key: str) -> None:
    """What comes free within `max_wait` is waited for."""
    patient = Policy("patient", "10/day", max_wait=60.0)
    async with AsyncStore.open(sqlite_database) as store:

        async def hold() -> None:
            with locked(sqlite_database):
                await sleep(0.4)

        async def ask() -> Decision:
            await sleep(0.1)
            return await store.rate_limits.hit(patient, key)

        decision, _ = run_calls(await async_together(ask, hold))
        assert (decision.degraded, decision.remaining) == (False, 9)


async def test_letting_go_of_an_error_waits_for_nobody(sqlite_database: str, key: str) -> None:
    """A call that has given up does not wait with whoever has its connection now, whenever its error goes."""
    hasty = Policy("closed", MILLION, max_wait=0.1)
    errors: list[BaseException] = []
    async with AsyncStore.open(sqlite_database) as store:

        async def hold() -> float:
            with locked(sqlite_database):
                try:
                    await store.rate_limits.reset(hasty, key)
                except Timeout as error:
                    errors.append(error)
                failed.append(True)
                await sleep(0.5)
                begun = time.perf_counter()
                errors.clear()
                return time.perf_counter() - begun

        async def ask() -> Decision:
            while not failed:
                await sleep(0.01)
            return await store.rate_limits.hit(PATIENT, key)

        failed: list[bool] = []
        seconds, decision = run_calls(await async_together(hold, ask))
        assert seconds < SLACK
        assert (decision.degraded, decision.remaining) == (False, 10**6 - 1)
