"""A process that forks after it has decided: the child makes connections of its own, the parent's stay as they were."""

from __future__ import annotations

import multiprocessing
import os
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from ragstore import Store
from ragstore.rate_limits import Limit, Policy
from tests.conformance.support import Database

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]

POLICY = Policy("p", Limit(100, timedelta(days=366)), max_wait=60.0)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def backends(db: Database) -> set[int]:
    """Give the server's processes that serve others than us."""
    if db.kind == "sqlite":
        return set()
    others = """
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    """
    return {pid for (pid,) in db.execute(others)}


def in_child(work: Callable[[], object]) -> Any:
    """Run something in a forked child, where every warning is an error; gives what it gives."""
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[Any] = context.Queue()

    def run() -> None:
        try:
            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter("always")
                answer = work()
            answers.put((answer, [str(warning.message) for warning in seen]))
        except BaseException as error:  # noqa: BLE001 - handed to the test
            answers.put((repr(error), []))
        answers.close()
        answers.join_thread()
        os._exit(0)  # no clean-up of pytest's in here

    child = context.Process(target=run)
    child.start()
    answer, seen = answers.get(timeout=120)
    child.join(120)
    assert child.exitcode == 0
    assert seen == []
    return answer


def hit(store: Store, key: str = "k", policy: Policy = POLICY) -> tuple[int | None, bool]:
    decision = store.rate_limits.hit(policy, key)
    return decision.remaining, decision.degraded


def test_both_go_on_and_count_together(database_url: str, db: Database) -> None:
    with Store.open(database_url) as store:
        assert hit(store) == (99, False)
        parents = backends(db)
        answer = in_child(lambda: [hit(store), hit(store)])
        assert answer == [(98, False), (97, False)]
        assert hit(store) == (96, False)
        assert backends(db) >= parents


def test_four_children_count_exactly(database_url: str, db: Database) -> None:
    with Store.open(database_url) as store, ThreadPoolExecutor(4) as pool:
        hit(store)
        parents = backends(db)
        children = [pool.submit(in_child, lambda: [hit(store) for _ in range(20)]) for _ in range(4)]
        found = [answer for child in children for answer in child.result()]
        assert sorted(found) == [(left, False) for left in range(19, 99)]
        assert hit(store) == (18, False)
        assert backends(db) >= parents


def test_a_child_that_closes_the_store_leaves_the_parents_connections(database_url: str, db: Database) -> None:
    """Also where the child has decided nothing: what it holds then is the parent's."""
    with Store.open(database_url) as store:
        hit(store)
        parents = backends(db)
        assert in_child(store.close) is None
        assert in_child(lambda: [hit(store), store.close()]) == [(98, False), None]
        time.sleep(0.1)
        assert backends(db) >= parents
        assert hit(store) == (97, False)
        assert backends(db) >= parents


def test_a_fork_while_every_connection_is_in_use(postgres_url: str) -> None:
    """What the parent's threads hold is not held in the child, where those threads are not."""
    db, other = Database(postgres_url), Database(postgres_url)  # the one sees no more connections in its transaction
    with Store.open(postgres_url) as store, ThreadPoolExecutor(store.settings.side_pool_size) as pool:
        hit(store, "held")
        db.execute("BEGIN")
        db.execute("SELECT 1 FROM rag_rate_limit FOR UPDATE")
        waiting = [pool.submit(hit, store, "held") for _ in range(store.settings.side_pool_size)]
        deadline = time.monotonic() + 20
        while len(backends(other)) <= len(waiting) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)
        answer = in_child(lambda: hit(store, "free", Policy("p", POLICY.rule, max_wait=20.0)))
        db.execute("ROLLBACK")
        assert answer == (99, False)
        assert sorted(future.result() for future in waiting) == [(left, False) for left in range(91, 99)]
    db.close()
    other.close()
