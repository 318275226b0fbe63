# Generated from test_rate_limits_hard_async.py by tools/unasync.py: edit that file and run the tool again.
"""Rate limits in awkward surroundings: odd names, one connection for all, failed writes, debts, held rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import StaticPool, create_engine, text
from sqlalchemy.engine import make_url

from ragstore import Store, configure_engine, upgrade
from ragstore.backends import read_url
from ragstore.errors import InvalidInput, LockTimeout
from ragstore.rate_limits import Limit, Policy
from tests.conformance.support import plain_engine, run_calls, together

ASYNCHRONOUS = Store.__name__.startswith("Async")
NOW = datetime(2030, 5, 6, 12, 0, tzinfo=UTC)


def policy(rule: str | Limit, name: str = "a", algorithm: Any = "gcra", **more: Any) -> Policy:
    return Policy(name, rule, **{"algorithm": algorithm, "max_wait": 10.0, **more})


@pytest.mark.parametrize("name", ["null", "NULL", "a:b.c-d_e"])
def test_names_that_mean_something_to_a_database(store: Store, name: str) -> None:
    """RL-11: a policy may be called null."""
    for left in (1, 0):
        assert store.rate_limits.hit(policy("2/minute", name), "k", now=NOW).remaining == left
    store.rate_limits.reset(policy("2/minute", name), "k")
    assert store.rate_limits.peek(policy("2/minute", name), "k", now=NOW).remaining == 2


@pytest.mark.parametrize("tenant", ['a"b', "a\\b", "{x,y}", "NULL", "a'b", "ä,b", "\U0001f600"])
def test_tenants_keep_apart_whatever_their_names(store: Store, tenant: str) -> None:
    two = policy("2/minute")
    for other in (tenant, tenant + "\\"):
        assert store.for_tenant(other).rate_limits.hit(two, "k", now=NOW).remaining == 1


@pytest.mark.parametrize("algorithm", ["gcra", "fixed", "sliding"])
def test_debts_are_paid(store: Store, algorithm: str) -> None:
    """Small estimates do not outwit a budget: what was too little is waited for."""
    limits, budget = store.rate_limits, policy("1000/minute", algorithm=algorithm)
    spent, now = 0, NOW
    for _ in range(50):
        reservation = limits.reserve(budget, "k", 1, now=now)
        if reservation.decision.allowed:
            limits.settle(reservation, 500, now=now)
            spent += 500
        now += timedelta(milliseconds=60)
    assert spent <= 1500
    assert limits.hit(budget, "k", now=NOW + timedelta(minutes=2)).allowed


def test_a_debt_is_less_than_a_capacity(store: Store) -> None:
    limits, budget = store.rate_limits, policy("10/minute")
    for cost in (10**12, 1):
        limits.settle(limits.reserve(budget, "k", 1, now=NOW), cost, now=NOW)
    refused = limits.hit(budget, "k", now=NOW)
    assert (refused.allowed, refused.retry_after, refused.remaining) == (False, timedelta(minutes=1), 0)


@pytest.mark.parametrize("algorithm", ["gcra", "fixed", "sliding"])
def test_the_largest_numbers(store: Store, algorithm: str) -> None:
    """The arithmetic of both databases holds them until the last time that is accepted."""
    limits, late = store.rate_limits, datetime(2099, 12, 31, tzinfo=UTC)
    largest = policy(Limit(10**12, timedelta(days=366)), algorithm=algorithm)
    for _ in range(3):
        limits.settle(limits.reserve(largest, "k", 10**12, now=late), 10**12, now=late)
    longest = policy(Limit(1, timedelta(days=366), 10 if algorithm == "gcra" else None), "b", algorithm)
    assert limits.hit(longest, "k", cost=10**12, now=late).permanent
    limits.settle(limits.reserve(longest, "k", 1, now=late), 10**12, now=late)
    assert limits.hit(longest, "k", now=late).remaining == 0
    limits.refund(longest, "k", cost=10**12, now=late)
    assert limits.hit(longest, "k", now=late).allowed


@pytest.mark.parametrize("year", [1970, 2100, 9999])
def test_times_out_of_range(store: Store, year: int) -> None:
    with pytest.raises(InvalidInput, match="now"):
        store.rate_limits.hit(policy("2/minute"), "k", now=datetime(year, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize("wait", [-1, float("nan"), timedelta(seconds=-1)])
def test_waits_that_are_none(store: Store, wait: Any) -> None:
    with pytest.raises(InvalidInput, match="max_wait"):
        store.rate_limits.acquire(policy("2/minute"), "k", max_wait=wait)


def test_a_failed_write_keeps_no_lock(sqlite_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision that fails in the middle gives the file's lock up, whoever still holds its error."""
    from ragstore.rate_limits import algorithms

    errors = []
    with Store.open(sqlite_database) as store:
        with monkeypatch.context() as patch:
            patch.setattr(algorithms, "expiry", lambda *_: 2**63)  # more than SQLite holds
            for _ in range(2):
                with pytest.raises(InvalidInput) as caught:
                    store.rate_limits.hit(policy("2/minute"), "k")
                errors.append(caught.value)
        assert not store.rate_limits.hit(policy("2/minute"), "k").degraded
    assert len(errors) == 2


def test_one_connection_for_all() -> None:
    """RL-1: on a database in memory tasks and threads take turns, and every hit counts."""
    scheme = "sqlite+aiosqlite" if ASYNCHRONOUS else "sqlite+pysqlite"
    arguments = {} if ASYNCHRONOUS else {"connect_args": {"check_same_thread": False}}
    engine = create_engine(f"{scheme}:///:memory:", poolclass=StaticPool, **arguments)
    configure_engine(plain_engine(engine))
    upgrade(engine)
    with Store.open(engine) as store:
        twenty = policy("20/hour")
        token = store.sessions.create("ann").token

        def hit() -> list[bool]:
            seen = []
            for _ in range(5):
                seen.append(store.rate_limits.hit(twenty, "k", now=NOW).allowed)
                assert store.sessions.authenticate(token) is not None
            return seen

        found = run_calls(together(*[hit] * 8))
        assert sum(allowed for each in found for allowed in each) == 20
        assert store.rate_limits.peek(twenty, "k", now=NOW).remaining == 0
    engine.dispose()


def test_a_reset_that_waits_for_a_row_harms_no_other_key(postgres_url: str) -> None:
    """RL-18: the server tells that a row is held, so nobody takes the database for away."""
    engine, patient, quick = create_engine(read_url(postgres_url)), policy("9/hour"), policy("9/hour", max_wait=0.3)
    with Store.open(postgres_url) as store:
        store.rate_limits.hit(patient, "held")
        with engine.begin() as holder:
            holder.execute(text("SELECT 1 FROM ragstore.rag_rate_limit FOR UPDATE"))
            with pytest.raises(LockTimeout):
                store.rate_limits.reset(quick, "held")
            assert not store.rate_limits.hit(patient, "free").degraded
    engine.dispose()


def test_a_purge_takes_no_more_than_it_may_whatever_the_plan(postgres_url: str) -> None:
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
    with Store.open(url) as store:
        assert store.maintenance().purge_rate_limits(max_rows=10) == 10
