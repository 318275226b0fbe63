"""What a decision does not depend on: the caller's transactions, other keys' locks, the host's pool."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sqlite3
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import AsyncAdaptedQueuePool, NullPool, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ragstore import AsyncStore, Settings, configure_engine
from ragstore.backends import read_url
from ragstore.core._face_async import sleep
from ragstore.errors import UsageError
from ragstore.rate_limits import Charge, Decision, Limit, Policy
from tests.conformance.support import Database, async_together, plain_engine, run_calls

pytestmark = pytest.mark.anyio

SLACK = 20.0  # for machines that have other things to do
ASYNCHRONOUS = AsyncStore.__name__.startswith("Async")
RULE = Limit(100, timedelta(days=366))
LIMIT = Policy("p", RULE, max_wait=30.0)
BRIEF = Policy("p", RULE, max_wait=0.5)  # where it is to be refused; both count together
LEAVING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leaving' AND datname = current_database()"


class Stop(Exception):
    """What a host raises to have nothing stored."""


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


async def left(store: AsyncStore, key: str = "k") -> int | None:
    return (await store.rate_limits.peek(LIMIT, key)).remaining


async def hit(store: AsyncStore, key: str = "k") -> int | None:
    decision = await store.rate_limits.hit(LIMIT, key)
    assert not decision.degraded
    return decision.remaining


# ---------------------------------------------------------------------------------------- the caller's transactions


async def test_a_hit_outlives_the_unit_around_it(postgres_url: str) -> None:
    """RL-10: it stays counted where the unit is rolled back, is seen at once, and commits nothing of the unit's."""
    async with AsyncStore.open(postgres_url) as store:
        with contextlib.suppress(Stop):
            async with store.begin() as unit:
                await unit.collections.ensure("docs")
                assert await hit(store) == 99
                assert await hit(store.for_tenant("other")) == 99
                assert await left(store) == 99
                await store.rate_limits.settle(await store.rate_limits.reserve(LIMIT, "k", 5), 1)
                assert await store.collections.find("docs") is None
                raise Stop
        assert await left(store) == 98
        assert await store.collections.find("docs") is None
        async with store.begin() as unit:
            await unit.collections.ensure("docs")
            assert await hit(store) == 97
        assert await store.collections.find("docs") is not None


async def test_a_hit_outlives_the_hosts_transaction(postgres_url: str) -> None:
    """RL-10: inside `using` as well."""
    engine = create_async_engine(read_url(postgres_url, asynchronous=ASYNCHRONOUS))
    async with AsyncStore.open(engine) as store:
        with contextlib.suppress(Stop):
            async with engine.begin() as connection:
                await store.using(connection).collections.ensure("docs")
                await connection.execute(text("CREATE TABLE host_note (id int)"))
                assert await hit(store) == 99
                raise Stop
        assert await left(store) == 99
        assert await store.collections.find("docs") is None
    await engine.dispose()


async def test_a_hit_in_an_aborted_unit(postgres_url: str) -> None:
    """RL-10: also where the unit's transaction has failed already."""
    async with AsyncStore.open(postgres_url) as store:
        with contextlib.suppress(UsageError):
            async with store.begin() as unit:
                with contextlib.suppress(Exception):
                    await unit.connection.execute(text("SELECT 1 / 0"))
                assert await hit(store) == 99
        assert await left(store) == 99


async def test_sqlite_has_one_writer(sqlite_database: str) -> None:
    """RL-10: it would wait for itself, so it says so at once; the unit goes on, and nothing was counted."""
    async with AsyncStore.open(sqlite_database) as store:
        async with store.begin() as unit:
            await unit.collections.ensure("docs")
            begun = time.perf_counter()
            limits = store.rate_limits
            for call in (lambda: limits.hit(LIMIT, "k"), lambda: limits.refund(LIMIT, "k")):
                with pytest.raises(UsageError, match="before"):
                    await call()
            assert time.perf_counter() - begun < SLACK
        assert await store.collections.find("docs") is not None
        assert await hit(store) == 99


async def test_a_read_only_unit_is_in_nobodys_way(sqlite_database: str) -> None:
    """RL-10: a reader on SQLite does not hold up a writer."""
    async with AsyncStore.open(sqlite_database) as store:
        async with store.begin(read_only=True) as unit:
            assert await unit.collections.find("docs") is None
            assert await hit(store) == 99
        assert await hit(store) == 98


async def test_others_may_hit_after_a_unit(sqlite_database: str) -> None:
    """RL-10: nothing remembers the writer when the unit is over, however it ended."""
    async with AsyncStore.open(sqlite_database) as store:
        for number in range(3):
            with contextlib.suppress(Stop):
                async with store.begin() as unit:
                    await unit.collections.ensure(f"docs {number}")
                    if number:
                        raise Stop
        assert await hit(store) == 99
        assert sorted(run_calls(await async_together(*[lambda: hit(store)] * 4))) == [95, 96, 97, 98]


@pytest.mark.parametrize("first", ["patient", "hasty"])
async def test_others_wait_for_a_unit_that_writes(sqlite_database: str, first: str) -> None:
    """RL-10: what is not the writer itself waits: until the unit is over, or as long as the policy says.

    Also who gives up a connection on which the next one waits on.
    """
    waits = {"patient": 20.0, "hasty": 0.5}
    inside: list[str] = []
    given_up: list[str] = []

    async with AsyncStore.open(sqlite_database) as store:

        async def write() -> None:
            async with store.begin() as unit:
                await unit.collections.ensure("docs")
                inside.append("unit")
                while not given_up:
                    await sleep(0.01)
                await sleep(0.2)

        async def wait(who: str) -> Decision:
            while not inside:
                await sleep(0.01)
            await sleep(0.0 if who == first else 0.2)
            return await store.rate_limits.hit(Policy("p", RULE, max_wait=waits[who]), "k")

        async def give_up() -> Decision:
            try:
                return await wait("hasty")
            finally:
                given_up.append("hit")

        _, waited, gave_up = run_calls(await async_together(write, lambda: wait("patient"), give_up))
        assert (waited.degraded, waited.remaining) == (False, 99)
        assert (gave_up.degraded, gave_up.allowed) == (True, False)
        assert await left(store) == 99


# async only
async def test_a_child_task_of_a_unit(database_url: str) -> None:
    """RL-10: it is another task: counted on PostgreSQL; on SQLite it waits in vain, but no longer than it may."""
    async with AsyncStore.open(database_url) as store:
        begun = time.perf_counter()
        async with store.begin() as unit:
            await unit.collections.ensure("docs")
            decision = await asyncio.create_task(store.rate_limits.hit(BRIEF, "k"))
            (also,) = await asyncio.gather(store.rate_limits.hit(BRIEF, "l"))
        assert decision.degraded == also.degraded == database_url.startswith("sqlite")
        assert time.perf_counter() - begun < 1 + SLACK
        assert await left(store) == (100 if decision.degraded else 99)


async def test_a_cancelled_hit_leaves_nothing_behind(database_url: str, db: Database) -> None:
    """Its connection is given up, its place is free, and the next ones are decided."""
    async with AsyncStore.open(database_url, Settings(side_pool_size=2)) as store:
        await hit(store)
        with holding(db, "k"):
            for _ in range(6):
                task = asyncio.create_task(store.rate_limits.hit(Policy("p", RULE, max_wait=5.0), "k"))
                await sleep(0.03)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        until = time.monotonic() + 60
        while (await store.rate_limits.hit(LIMIT, "other")).degraded:
            assert time.monotonic() < until
        assert not any(each.degraded for each in await asyncio.gather(*[store.rate_limits.hit(LIMIT, "k")] * 1))


# end async only


# ------------------------------------------------------------------------------------------------- other keys' locks


@contextmanager
def holding(db: Database, key: str) -> Iterator[None]:
    """Lock the rows there are (on SQLite: the file) in the block, as somebody else."""
    db.execute("BEGIN IMMEDIATE" if db.kind == "sqlite" else "BEGIN")
    if db.kind == "postgresql":
        assert db.execute("SELECT 1 FROM rag_rate_limit FOR UPDATE")
    try:
        yield
    finally:
        db.execute("ROLLBACK")


async def keep_hitting(store: AsyncStore, seconds: float) -> list[tuple[Decision, float]]:
    """Hit keys that nobody holds, one after the other; gives each decision with the time that it took."""
    until = time.monotonic() + seconds
    policy = Policy("free", "1000000/minute", max_wait=30.0)
    found = []
    while time.monotonic() < until:
        begun = time.perf_counter()
        decision = await store.rate_limits.hit(policy, len(found) % 50)
        found.append((decision, time.perf_counter() - begun))
        await sleep(0.002)
    return found


async def hit_later(store: AsyncStore, policy: Policy, after: float) -> tuple[Decision, float]:
    await sleep(after)
    begun = time.perf_counter()
    decision = await store.rate_limits.hit(policy, "held")
    return decision, time.perf_counter() - begun


@pytest.mark.parametrize("starts", [(0.0,), (0.0, 0.1, 0.2, 0.3)])
async def test_a_held_key_holds_up_no_other(postgres_url: str, starts: tuple[float, ...]) -> None:
    """RL-18: who asks for it is told in time, one waiter or many; the database is not taken to be away."""
    slow = Policy("p", RULE, max_wait=1.5)  # in which one of the others has an answer, also on a busy machine
    with contextlib.closing(Database(postgres_url)) as db:
        async with AsyncStore.open(postgres_url) as store:
            assert await hit(store, "held") == 99
            with holding(db, "held"):
                calls: list[Any] = [lambda start=start: hit_later(store, slow, start) for start in starts]  # type: ignore[misc]
                free, *held = run_calls(await async_together(lambda: keep_hitting(store, 1.9), *calls))
            for decision, seconds in held:
                assert (decision.degraded, decision.allowed) == (True, False)
                assert seconds < 1.5 + SLACK
            assert [decision for decision, _ in free if decision.degraded or not decision.allowed] == []
            assert len(free) > 10
            assert await hit(store, "held") == 98


@pytest.mark.parametrize("setting", ["statement_timeout=100ms", "lock_timeout=100ms"])
async def test_time_outs_of_the_servers_own(postgres_url: str, setting: str) -> None:
    """RL-18: a statement that the server itself has ended shows that it is there."""
    url = make_url(postgres_url).update_query_dict({"options": f"-c {setting}"})
    with contextlib.closing(Database(postgres_url)) as db:
        async with AsyncStore.open(url) as store:
            await hit(store, "held")
            with holding(db, "held"):
                for number in range(3):
                    assert (await store.rate_limits.hit(BRIEF, "held")).degraded
                    assert await hit(store, f"free {number}") == 99


async def test_several_held_rows_are_waited_for_no_longer_than_one(postgres_url: str) -> None:
    """RL-18: `max_wait` holds for a decision, not for each of its rows."""
    policies = [Policy(name, RULE, max_wait=0.8) for name in ("a", "b", "c", "d")]
    charges = [Charge(policy, "k") for policy in policies]
    held: list[str] = []
    async with AsyncStore.open(postgres_url) as store:
        for policy in policies:
            await store.rate_limits.hit(Policy(policy.name, RULE, max_wait=30.0), "k")

        async def hold(policy: Policy, seconds: float) -> None:
            with contextlib.closing(Database(postgres_url)) as other:
                other.execute("BEGIN")
                other.execute("SELECT 1 FROM rag_rate_limit WHERE policy = :name FOR UPDATE", name=policy.name)
                held.append(policy.name)
                while len(held) < len(policies):
                    await sleep(0.01)
                await sleep(seconds)
                other.execute("ROLLBACK")

        async def ask() -> tuple[Decision, float]:
            while len(held) < len(policies):
                await sleep(0.01)
            begun = time.perf_counter()
            decision = await store.rate_limits.hit_all(charges)
            return decision, time.perf_counter() - begun

        holders: list[Any] = [
            lambda policy=policy, number=number: hold(policy, 0.6 + 0.6 * number)  # type: ignore[misc]
            for number, policy in enumerate(policies)
        ]
        (decision, seconds), free, *_ = run_calls(await async_together(ask, lambda: keep_hitting(store, 0.9), *holders))
        assert decision.degraded
        assert seconds < 0.8 + SLACK
        assert not any(decision.degraded for decision, _ in free)


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
async def test_a_server_that_isolates_more(postgres_url: str, level: str) -> None:
    """RL-2: another default level of isolation lets no decision fail."""
    patient = Policy("p", RULE, max_wait=10.0)
    url = make_url(postgres_url).update_query_dict(
        {"options": f"-c default_transaction_isolation={level}".replace("ble r", "ble\\ r")}
    )
    async with AsyncStore.open(url) as store:

        async def many() -> list[Decision]:
            return [await store.rate_limits.hit(patient, "k") for _ in range(10)]

        found = run_calls(await async_together(*[many] * 6))
        assert [decision for each in found for decision in each if decision.degraded] == []
        assert await left(store) == 40


# ------------------------------------------------------------------------------------------- the host's connections


@pytest.fixture(params=["plain", "null pool", "pool of one", "creator", "creator, null pool"])
async def host_engine(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[AsyncEngine]:
    """Make an engine as a host may have made it."""
    url = read_url(database_url, asynchronous=ASYNCHRONOUS)
    options: dict[str, Any] = {}
    if "null" in request.param:
        options["poolclass"] = NullPool
    if request.param == "pool of one":
        # not SQLAlchemy 2.0's own choice for aiosqlite
        options |= {"poolclass": AsyncAdaptedQueuePool, "pool_size": 1, "max_overflow": 0, "pool_timeout": 1}
    if "creator" in request.param:
        options |= creating(database_url)
    engine = create_async_engine(url, **options)
    configure_engine(plain_engine(engine))
    yield engine
    await engine.dispose()


def creating(url: str) -> dict[str, Any]:
    """Give the option that makes connections in a way of the host's own, with the driver's defaults."""
    path = make_url(url).database or ""
    conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    sqlite = url.startswith("sqlite")
    # async only
    if ASYNCHRONOUS:
        import aiosqlite

        return {
            "async_creator": lambda: aiosqlite.connect(path) if sqlite else psycopg.AsyncConnection.connect(conninfo)
        }
    # end async only
    return {"creator": lambda: sqlite3.connect(path, check_same_thread=False) if sqlite else psycopg.connect(conninfo)}


async def test_a_hosts_engine(host_engine: AsyncEngine, database_url: str) -> None:
    """Decisions connect as the host's engine does, and leave its pool alone."""
    async with AsyncStore.open(host_engine) as store:
        for number in range(3):
            assert await hit(store) == 99 - number
        assert sorted(run_calls(await async_together(*[lambda: hit(store)] * 6))) == list(range(91, 97))
        async with store.begin(read_only=True) as unit:
            assert await unit.collections.find("docs") is None
            assert await hit(store) == 90
        if database_url.startswith("postgresql"):
            async with store.begin() as unit:
                await unit.collections.ensure("docs")
                assert await hit(store) == 89


async def test_a_hosts_pool_that_gives_up_early(postgres_url: str) -> None:
    """RL-2: how many connect at once and how long the others wait is the host's for its own pool: `max_wait` holds."""
    engine = create_async_engine(
        read_url(postgres_url, asynchronous=ASYNCHRONOUS),
        **connecting_slowly(postgres_url),
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=0.05,
    )
    async with AsyncStore.open(engine) as store:
        assert sorted(run_calls(await async_together(*[lambda: hit(store)] * 6))) == list(range(94, 100))
    await engine.dispose()


def connecting_slowly(url: str) -> dict[str, Any]:
    """Give the option that makes one connection in a fifth of a second."""
    make = next(iter(creating(url).values()))
    # async only
    if ASYNCHRONOUS:

        async def make_slowly() -> Any:
            await asyncio.sleep(0.2)
            return await make()

        return {"async_creator": make_slowly}
    # end async only
    return {"creator": lambda: [time.sleep(0.2), make()][1]}


async def none_left(db: Database) -> None:
    """Wait until the server has none of the connections called "leaving"."""
    until = time.monotonic() + 60
    while db.scalar(LEAVING):
        assert time.monotonic() < until
        await sleep(0.01)


async def test_closing_leaves_no_connection(postgres_url: str) -> None:
    """None on the server, no warning of one here, and a second closing does no harm."""
    url = make_url(postgres_url).update_query_dict({"application_name": "leaving"})
    gc.collect()  # what other tests have left is none of this one's
    with contextlib.closing(Database(postgres_url)) as db, warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        store = AsyncStore.open(url)
        run_calls(await async_together(*[lambda: hit(store)] * 12))
        assert 1 <= db.scalar(LEAVING) <= store.settings.side_pool_size
        await store.aclose()
        await store.aclose()
        gc.collect()
        await none_left(db)
    assert [str(warning.message) for warning in seen] == []


async def test_closing_a_store_on_sqlite(sqlite_database: str) -> None:
    """The last connection to close takes the write-ahead log with it."""
    file = Path(make_url(sqlite_database).database or "")
    store = AsyncStore.open(sqlite_database)
    run_calls(await async_together(*[lambda: hit(store)] * 12))
    await store.aclose()
    assert [other.name for other in file.parent.iterdir() if other.name.startswith(file.name)] == [file.name]


async def test_closing_while_others_decide(database_url: str, db: Database) -> None:
    """What is under way ends as it would have, and its connection is closed as well."""
    url: Any = database_url
    if db.kind == "postgresql":
        url = make_url(database_url).update_query_dict({"application_name": "leaving"})
    store = AsyncStore.open(url)
    await hit(store, "k")
    told: list[str] = []

    async def until(what: str, times: int = 1) -> None:
        while told.count(what) < times:
            await sleep(0.01)
        await sleep(0.2)  # for what was begun after it was told

    async def close() -> None:
        await until("asked", 3)
        told.append("closed")
        await store.aclose()

    async def free() -> None:
        with holding(db, "k"):
            told.append("held")
            await until("closed")

    async def late() -> int | None:
        await until("held")
        told.append("asked")
        return (await store.rate_limits.hit(LIMIT, "k")).remaining

    found = run_calls(await async_together(free, late, late, late, close))
    assert sorted(found[1:4]) == [96, 97, 98]
    if db.kind == "postgresql":
        await none_left(db)
