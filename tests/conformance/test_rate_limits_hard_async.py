"""Rate limits in awkward surroundings: odd names, one connection for all, failed writes, debts, held rows."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import StaticPool, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from ragstore import AsyncStore, aupgrade, configure_engine
from ragstore.backends import read_url
from ragstore.errors import InvalidInput, LockTimeout
from ragstore.rate_limits import Limit, Policy
from tests.conformance.support import async_together, plain_engine, run_calls

pytestmark = pytest.mark.anyio

ASYNCHRONOUS = AsyncStore.__name__.startswith("Async")
NOW = datetime(2030, 5, 6, 12, 0, tzinfo=UTC)


def policy(rule: str | Limit, name: str = "a", algorithm: Any = "gcra", **more: Any) -> Policy:
    return Policy(name, rule, **{"algorithm": algorithm, "max_wait": 10.0, **more})


@pytest.mark.parametrize("name", ["null", "NULL", "a:b.c-d_e"])
async def test_names_that_mean_something_to_a_database(async_store: AsyncStore, name: str) -> None:
    """RL-11: a policy may be called null."""
    for left in (1, 0):
        assert (await async_store.rate_limits.hit(policy("2/minute", name), "k", now=NOW)).remaining == left
    await async_store.rate_limits.reset(policy("2/minute", name), "k")
    assert (await async_store.rate_limits.peek(policy("2/minute", name), "k", now=NOW)).remaining == 2


@pytest.mark.parametrize("tenant", ['a"b', "a\\b", "{x,y}", "NULL", "a'b", "ä,b", "\U0001f600"])
async def test_tenants_keep_apart_whatever_their_names(async_store: AsyncStore, tenant: str) -> None:
    two = policy("2/minute")
    for other in (tenant, tenant + "\\"):
        assert (await async_store.for_tenant(other).rate_limits.hit(two, "k", now=NOW)).remaining == 1


@pytest.mark.parametrize("algorithm", ["gcra", "fixed", "sliding"])
async def test_debts_are_paid(async_store: AsyncStore, algorithm: str) -> None:
    """Small estimates do not outwit a budget: what was too little is waited for."""
    limits, budget = async_store.rate_limits, policy("1000/minute", algorithm=algorithm)
    spent, now = 0, NOW
    for _ in range(50):
        reservation = await limits.reserve(budget, "k", 1, now=now)
        if reservation.decision.allowed:
            await limits.settle(reservation, 500, now=now)
            spent += 500
        now += timedelta(milliseconds=60)
    assert spent <= 1500
    assert (await limits.hit(budget, "k", now=NOW + timedelta(minutes=2))).allowed


async def test_a_debt_is_less_than_a_capacity(async_store: AsyncStore) -> None:
    limits, budget = async_store.rate_limits, policy("10/minute")
    for cost in (10**12, 1):
        await limits.settle(await limits.reserve(budget, "k", 1, now=NOW), cost, now=NOW)
    refused = await limits.hit(budget, "k", now=NOW)
    assert (refused.allowed, refused.retry_after, refused.remaining) == (False, timedelta(minutes=1), 0)


@pytest.mark.parametrize("algorithm", ["gcra", "fixed", "sliding"])
async def test_the_largest_numbers(async_store: AsyncStore, algorithm: str) -> None:
    """The arithmetic of both databases holds them until the last time that is accepted."""
    limits, late = async_store.rate_limits, datetime(2099, 12, 31, tzinfo=UTC)
    largest = policy(Limit(10**12, timedelta(days=366)), algorithm=algorithm)
    for _ in range(3):
        await limits.settle(await limits.reserve(largest, "k", 10**12, now=late), 10**12, now=late)
    longest = policy(Limit(1, timedelta(days=366), 10 if algorithm == "gcra" else None), "b", algorithm)
    assert (await limits.hit(longest, "k", cost=10**12, now=late)).permanent
    await limits.settle(await limits.reserve(longest, "k", 1, now=late), 10**12, now=late)
    assert (await limits.hit(longest, "k", now=late)).remaining == 0
    await limits.refund(longest, "k", cost=10**12, now=late)
    assert (await limits.hit(longest, "k", now=late)).allowed


@pytest.mark.parametrize("year", [1970, 2100, 9999])
async def test_times_out_of_range(async_store: AsyncStore, year: int) -> None:
    with pytest.raises(InvalidInput, match="now"):
        await async_store.rate_limits.hit(policy("2/minute"), "k", now=datetime(year, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize("wait", [-1, float("nan"), timedelta(seconds=-1)])
async def test_waits_that_are_none(async_store: AsyncStore, wait: Any) -> None:
    with pytest.raises(InvalidInput, match="max_wait"):
        await async_store.rate_limits.acquire(policy("2/minute"), "k", max_wait=wait)


async def test_a_failed_write_keeps_no_lock(sqlite_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision that fails in the middle gives the file's lock up, whoever still holds its error."""
    from ragstore.rate_limits import algorithms

    errors = []
    async with AsyncStore.open(sqlite_database) as store:
        with monkeypatch.context() as patch:
            patch.setattr(algorithms, "expiry", lambda *_: 2**63)  # more than SQLite holds
            for _ in range(2):
                with pytest.raises(InvalidInput) as caught:
                    await store.rate_limits.hit(policy("2/minute"), "k")
                errors.append(caught.value)
        assert not (await store.rate_limits.hit(policy("2/minute"), "k")).degraded
    assert len(errors) == 2


async def test_one_connection_for_all() -> None:
    """RL-1: on a database in memory tasks and threads take turns, and every hit counts."""
    scheme = "sqlite+aiosqlite" if ASYNCHRONOUS else "sqlite+pysqlite"
    arguments = {} if ASYNCHRONOUS else {"connect_args": {"check_same_thread": False}}
    engine = create_async_engine(f"{scheme}:///:memory:", poolclass=StaticPool, **arguments)
    configure_engine(plain_engine(engine))
    await aupgrade(engine)
    async with AsyncStore.open(engine) as store:
        twenty = policy("20/hour")
        token = (await store.sessions.create("ann")).token

        async def hit() -> list[bool]:
            seen = []
            for _ in range(5):
                seen.append((await store.rate_limits.hit(twenty, "k", now=NOW)).allowed)
                assert await store.sessions.authenticate(token) is not None
            return seen

        found = run_calls(await async_together(*[hit] * 8))
        assert sum(allowed for each in found for allowed in each) == 20
        assert (await store.rate_limits.peek(twenty, "k", now=NOW)).remaining == 0
    await engine.dispose()


async def test_a_reset_that_waits_for_a_row_harms_no_other_key(postgres_url: str) -> None:
    """RL-18: the server tells that a row is held, so nobody takes the database for away."""
    engine, patient, quick = create_engine(read_url(postgres_url)), policy("9/hour"), policy("9/hour", max_wait=0.3)
    async with AsyncStore.open(postgres_url) as store:
        await store.rate_limits.hit(patient, "held")
        with engine.begin() as holder:
            holder.execute(text("SELECT 1 FROM ragstore.rag_rate_limit FOR UPDATE"))
            with pytest.raises(LockTimeout):
                await store.rate_limits.reset(quick, "held")
            assert not (await store.rate_limits.hit(patient, "free")).degraded
    engine.dispose()


async def test_a_purge_takes_no_more_than_it_may_whatever_the_plan(postgres_url: str) -> None:
    """RL-17: a plan that runs the choice of rows again for each row deletes no others."""
    engine = create_engine(read_url(postgres_url))
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO ragstore.rag_rate_limit (tenant_id, policy, rule, key, mark, used, previous, expires_at) "
            "SELECT 'default', 'x', 'gcra/1', decode(md5(g::text), 'hex'), 0, 0, 0, '2000-01-01' "
            "FROM generate_series(1, 300) AS g"
        )
    engine.dispose()
    plans = ("hashjoin", "mergejoin", "material", "hashagg", "sort")
    url = make_url(postgres_url).update_query_dict({"options": " ".join(f"-c enable_{plan}=off" for plan in plans)})
    async with AsyncStore.open(url) as store:
        assert await store.maintenance().purge_rate_limits(max_rows=10) == 10


# async only
def hits(store: AsyncStore) -> int:
    """Hit forty times at once in an event loop of its own, and count what was decided."""

    async def all_at_once() -> int:
        calls = [lambda: store.rate_limits.hit(policy("1000/hour"), "k")] * 40
        return sum(not decision.degraded for decision in run_calls(await async_together(*calls)))

    return asyncio.run(all_at_once())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_one_event_loop_after_another_and_a_fork(database_url: str) -> None:
    """A store outlives the loop it was first used in, and the process."""
    store = AsyncStore.open(database_url)
    assert [hits(store), hits(store)] == [40, 40]
    child = os.fork()
    if not child:
        signal.alarm(120)
        os._exit(0 if hits(store) == 40 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert hits(store) == 40
    asyncio.run(store.aclose())


# end async only
