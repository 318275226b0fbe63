"""Many decide at once, in threads, tasks and processes: every count is exact, and nobody is refused in vain."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import multiprocessing
import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import create_engine, event

from ragstore import Settings, configure_engine
from ragstore.rate_limits import Charge, Decision, Limit, Policy
from ragstore.store._async import AsyncStore
from ragstore.store._sync import Store
from tests.conformance.support import Database

ALGORITHMS: tuple[Any, ...] = ("gcra", "fixed", "sliding")
YEAR = timedelta(days=366)  # no window ends, and nothing fills up, while a test runs
PATIENT = 30.0
START = "fork" if hasattr(os, "fork") else "spawn"  # spawning takes seconds of imports

HUNDRED = {kind: Policy(kind, Limit(100, YEAR), algorithm=kind, max_wait=PATIENT) for kind in ALGORITHMS}
PLENTY = {kind: Policy(kind, "10000000/minute", algorithm=kind, max_wait=PATIENT) for kind in ALGORITHMS}


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run so many threads, each with its number, that start at the same time."""
    barrier = Barrier(count)

    def run(number: int) -> Any:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return [done.result() for done in [pool.submit(run, number) for number in range(count)]]


def count_admitted(store: Store, kind: str, tries: int) -> int:
    decisions = [store.rate_limits.hit(HUNDRED[kind], "k") for _ in range(tries)]
    assert not any(decision.degraded for decision in decisions)
    return sum(decision.allowed for decision in decisions)


def admitted_in_process(url: str, tries: int) -> list[int]:
    with Store.open(url) as store:
        return [count_admitted(store, kind, tries) for kind in ALGORITHMS]


# ------------------------------------------------------------------------------------------------ counts are exact


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_threads_admit_exactly_the_limit(database_url: str, kind: str) -> None:
    """RL-1: 8 threads, 100 tries each."""
    with Store.open(database_url) as store:
        assert sum(together(8, lambda _: count_admitted(store, kind, 100))) == 100
        assert store.rate_limits.peek(HUNDRED[kind], "k").remaining == 0


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_processes_admit_exactly_the_limit(database_url: str) -> None:
    """RL-1: 4 processes, 200 tries each, for each way of counting."""
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context(START)) as pool:
        found = [pool.submit(admitted_in_process, database_url, 200) for _ in range(4)]
        counts = [done.result() for done in found]
    assert [sum(each) for each in zip(*counts, strict=True)] == [100, 100, 100]


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_tasks_admit_exactly_the_limit(database_url: str, kind: str) -> None:
    """RL-1: 200 tasks on one event loop."""

    async def main() -> list[Decision]:
        async with AsyncStore.open(database_url) as store:
            return await asyncio.gather(*(store.rate_limits.hit(HUNDRED[kind], "k") for _ in range(200)))

    decisions = asyncio.run(main())
    assert not any(decision.degraded for decision in decisions)
    assert sum(decision.allowed for decision in decisions) == 100


def test_faces_and_stores_count_together(database_url: str) -> None:
    """RL-1: an async store and two sync ones share the counts, while others take back and settle."""
    policy = Policy("p", Limit(1000, YEAR), max_wait=PATIENT)

    async def tasks() -> None:
        async with AsyncStore.open(database_url) as store:
            await asyncio.gather(*(store.rate_limits.hit(policy, "k") for _ in range(60)))

    def work(number: int) -> None:
        if number == 0:
            asyncio.run(tasks())
            return
        limits = stores[number % 2].rate_limits
        for cost in range(1, 21):
            reservation = limits.reserve(policy, "k", 5)
            limits.settle(reservation, cost % 10)
            limits.hit(policy, "k", cost=2)
            limits.refund(policy, "k")

    with Store.open(database_url) as first, Store.open(database_url) as second:
        stores = (first, second)
        together(5, work)
        taken = 60 + 4 * sum(cost % 10 + 1 for cost in range(1, 21))
        assert first.rate_limits.peek(policy, "k").remaining == 1000 - taken


@pytest.mark.parametrize("seconds", [0.7, pytest.param(4.0, marks=pytest.mark.slow)])
def test_nobody_is_refused_in_vain(database_url: str, seconds: float) -> None:
    """RL-2: far below the limit nothing is refused, on one key or many."""
    with Store.open(database_url) as store:
        deadline = time.monotonic() + seconds

        def work(number: int) -> list[Decision]:
            decisions = []
            for turn in itertools.count():
                policy, key = PLENTY[ALGORITHMS[turn % 3]], ("hot", turn // 3 % 2 * number)
                decisions.append(store.rate_limits.hit(policy, key))
                if time.monotonic() > deadline:
                    return decisions
            raise AssertionError

        decisions = [decision for each in together(8, work) for decision in each]
        assert len(decisions) >= 8
        assert [decision for decision in decisions if decision.degraded or not decision.allowed] == []


def test_no_task_is_refused_in_vain(database_url: str) -> None:
    """RL-2: also where far more ask at once than there are connections."""

    async def main() -> list[Decision]:
        async with AsyncStore.open(database_url) as store:
            store.rate_limits.define(*PLENTY.values())
            hits = [store.rate_limits.hit(ALGORITHMS[number % 3], ("k", number % 7)) for number in range(300)]
            return await asyncio.gather(*hits)

    decisions = asyncio.run(main())
    assert [decision for decision in decisions if decision.degraded or not decision.allowed] == []


def test_a_full_file(sqlite_database: str) -> None:
    """RL-15: what cannot be stored cannot be counted; the failure mode decides, and it mends when there is room."""
    pages = [1_000_000]
    engine = create_engine(sqlite_database)
    configure_engine(engine)

    @event.listens_for(engine, "connect")
    def _connect(driver: Any, _entry: object) -> None:
        driver.execute(f"PRAGMA max_page_count = {pages[0]}")

    with Store.open(engine, Settings(ping_after=0)) as store:  # a new connection for each decision
        store.rate_limits.define(Policy("closed", "10/day", max_wait=PATIENT), Policy("open", "10/day", failure="open"))
        store.rate_limits.hit("closed", "before")
        with engine.connect() as connection:
            pages[0] = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        decisions = [store.rate_limits.hit("closed", number) for number in range(200)]
        assert (decisions[-1].degraded, decisions[-1].allowed) == (True, False)
        assert (store.rate_limits.hit("open", 0).degraded, store.rate_limits.hit("open", 0).allowed) == (True, True)
        pages[0] = 1_000_000
        assert store.rate_limits.hit("closed", 199).remaining == 9
    engine.dispose()


# --------------------------------------------------------------------------------------- several policies at once


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_opposite_orders_are_all_or_nothing(database_url: str, kind: Any) -> None:
    """RL-4: no deadlock, and what was taken from the one was taken from all, from the first row on."""
    wide = Policy("wide", Limit(10_000, YEAR), algorithm=kind, max_wait=PATIENT)
    middle = Policy("middle", Limit(500, YEAR), algorithm=kind, max_wait=PATIENT)
    narrow = Policy("narrow", Limit(150, YEAR), algorithm=kind, max_wait=PATIENT)
    charges = [Charge(wide, "k"), Charge(narrow, "k"), Charge(middle, "k"), Charge(wide, "l")]

    def work(number: int) -> int:
        order = charges if number % 2 else charges[::-1]
        decisions = []
        for turn in range(40):
            shuffled = random.Random(turn * 8 + number).sample(order, 4) if turn > 20 else order
            decisions.append(store.rate_limits.hit_all(shuffled))
        assert not any(decision.degraded for decision in decisions)
        assert {decision.policy for decision in decisions if not decision.allowed} <= {"narrow"}
        return sum(decision.allowed for decision in decisions)

    with Store.open(database_url) as store:
        assert sum(together(8, work)) == 150
        left = [store.rate_limits.peek(charge.policy, charge.key).remaining for charge in charges]
        assert left == [9850, 0, 350, 9850]


def test_resets_and_hits_of_many_limits_never_wait_for_each_other(database_url: str) -> None:
    """RL-4: rows are deleted in the order in which they are charged."""
    rule = tuple(Limit(10**6, timedelta(days=days)) for days in range(1, 9))
    policies = [Policy(name, rule, max_wait=PATIENT) for name in ("b", "a", "c")]
    until = time.monotonic() + 1.0

    def work(number: int) -> int:
        turns = 0
        while time.monotonic() < until or turns < 2:
            turns += 1
            if number % 2:
                store.rate_limits.reset(policies[turns % 3], "k")
            else:
                order = policies if number % 4 else policies[::-1]
                decision = store.rate_limits.hit_all([Charge(policy, "k") for policy in order])
                assert decision.allowed
                assert not decision.degraded
        return turns

    with Store.open(database_url) as store:
        together(6, work)
    assert deadlocks(database_url) == 0


def deadlocks(url: str) -> int:
    """Give how many the server has ended in this database; a process tells it when it ends, at the latest."""
    if url.startswith("sqlite"):
        return 0
    clients = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    """
    with contextlib.closing(Database(url)) as db:
        until = time.monotonic() + 60
        while db.scalar(clients):
            assert time.monotonic() < until
            time.sleep(0.02)
        return int(db.scalar("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"))
