# Generated from test_rate_limits_async.py by tools/unasync.py: edit that file and run the tool again.
"""Rate limits: one behaviour on both databases and both faces."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from ragstore import Settings, Store
from ragstore.errors import InvalidInput, NotFound, TenantRequired
from ragstore.rate_limits import Charge, Limit, Policy
from tests.conformance.support import Database

NOW = datetime(2030, 5, 6, 12, 0, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)
MICROSECOND = timedelta(microseconds=1)
ALGORITHMS = ("gcra", "fixed", "sliding")


def policy(rule: str | Limit, algorithm: Any = "gcra", name: str = "a", **more: Any) -> Policy:
    return Policy(name, rule, algorithm=algorithm, max_wait=10.0, **more)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_refusal_is_free(store: Store, algorithm: str) -> None:
    """RL-3: what was refused charges nothing."""
    limits, ten = store.rate_limits, policy("10/minute", algorithm)
    assert limits.hit(ten, "k", cost=8, now=NOW).remaining == 2
    refused = limits.hit(ten, "k", cost=5, now=NOW)
    assert (refused.allowed, refused.remaining, refused.limit, refused.policy) == (False, 2, 10, "a")
    admitted = limits.hit(ten, "k", now=NOW)
    assert (admitted.allowed, admitted.remaining, admitted.retry_after) == (True, 1, None)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_all_or_nothing(store: Store, algorithm: str) -> None:
    """RL-4: where one policy is exhausted, the others are left alone, and the result lists all and names the one."""
    limits = store.rate_limits
    limits.define(policy("10/minute", algorithm, "wide"), policy("3/hour", algorithm, "narrow"))
    both = [Charge("wide", "k"), Charge("narrow", ("k", 7))]
    for taken in (1, 2, 3):
        decision = limits.hit_all(both, now=NOW)
        assert (decision.allowed, decision.policy, decision.remaining) == (True, "narrow", 3 - taken)
    refused = limits.hit_all(both, now=NOW)
    assert (refused.allowed, refused.policy, refused.remaining) == (False, "narrow", 0)
    assert [(state.policy, state.remaining) for state in refused.states] == [("wide", 7), ("narrow", 0)]
    assert refused.states[0].retry_after is None
    assert refused.states[1].retry_after == refused.retry_after is not None
    assert limits.peek("wide", "k", now=NOW).remaining == 7


def test_all_limits_of_a_policy_hold(store: Store) -> None:
    limits, two = store.rate_limits, policy("3/minute; 5/hour", "fixed")
    for _ in range(3):
        assert limits.hit(two, "k", now=NOW).allowed
    refused = limits.hit(two, "k", now=NOW)
    assert (refused.allowed, refused.retry_after, refused.limit) == (False, MINUTE, 3)
    for _ in range(2):
        assert limits.hit(two, "k", now=NOW + MINUTE).allowed
    refused = limits.hit(two, "k", now=NOW + MINUTE)
    assert (refused.allowed, refused.retry_after, refused.limit) == (False, timedelta(minutes=59), 5)


def test_an_impossible_cost(store: Store) -> None:
    """RL-5."""
    refused = store.rate_limits.hit(policy("10/minute"), "k", cost=11, now=NOW)
    assert (refused.allowed, refused.permanent, refused.retry_after, refused.remaining) == (False, True, None, 10)
    huge = store.rate_limits.hit(policy("10/minute"), "k", cost=10**12, now=NOW)
    assert (huge.permanent, huge.remaining) == (True, 10)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_wait_is_tight(store: Store, algorithm: str) -> None:
    """RL-6: after `retry_after` it succeeds, a microsecond earlier it does not."""
    limits, seven = store.rate_limits, policy("7/minute", algorithm)
    start = NOW + timedelta(seconds=17)
    for _ in range(3):
        while (decision := limits.hit(seven, "k", now=start)).allowed:
            pass
        wait = decision.retry_after
        assert wait is not None
        assert not limits.hit(seven, "k", now=start + wait - MICROSECOND).allowed
        assert limits.hit(seven, "k", now=start + wait).allowed
        start += wait


def test_gcra(store: Store, db: Database) -> None:
    """RL-7: burst, then one every T; after a rest exactly the burst again; peek writes nothing; one time is kept."""
    limits, bucket = store.rate_limits, policy(Limit(6, MINUTE, burst=4))
    for now in (NOW, NOW + timedelta(days=3)):
        for _ in range(4):
            assert limits.hit(bucket, "k", now=now).allowed
        refused = limits.hit(bucket, "k", now=now)
        assert (refused.allowed, refused.retry_after) == (False, timedelta(seconds=10))
        assert refused.reset_after == timedelta(seconds=40)
    before = db.execute("SELECT mark, used, previous FROM rag_rate_limit")
    assert [row[1:] for row in before] == [(0, 0)]
    assert not limits.peek(bucket, "k", now=now).allowed
    assert limits.peek(bucket, "unknown", now=now).remaining == 4
    assert db.execute("SELECT mark, used, previous FROM rag_rate_limit") == before


def test_the_databases_clock_decides(store: Store) -> None:
    """RL-9: without an injected time, the decision carries the database's, in UTC."""
    decision = store.rate_limits.hit(policy("10/minute"), "k")
    assert abs(decision.decided_at - datetime.now(UTC)) < MINUTE
    assert decision.decided_at.tzinfo is UTC
    assert not decision.degraded
    injected = store.rate_limits.hit(policy("10/minute"), "k2", now=NOW.astimezone(timezone(-5 * 60 * MINUTE)))
    assert injected.decided_at == NOW


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_clock_that_steps_back(store: Store, algorithm: str) -> None:
    """RL-9: it admits nothing extra and blocks no longer than a full window."""
    limits, ten = store.rate_limits, policy("10/minute", algorithm)
    assert limits.hit(ten, "k", cost=10, now=NOW).allowed
    back = NOW - timedelta(hours=1)
    refused = limits.hit(ten, "k", now=back)
    assert refused.retry_after is not None
    assert not refused.allowed
    assert refused.retry_after <= MINUTE * 1.1
    assert limits.hit(ten, "k", now=back + refused.retry_after).allowed


def test_keys_never_collide(store: Store, db: Database) -> None:
    """RL-11: borders and types count, any text and any length is stored in 16 bytes, an empty component is refused."""
    limits, one = store.rate_limits, policy("1/minute")
    keys = [("a/b", "c"), ("a", "b/c"), "a/bc", 1, "1", b"1", "\0", "\ud800", "k" * 100_000, "K", ("a", "b", "c")]
    for key in keys:
        assert limits.hit(one, key, now=NOW).allowed, key
        assert not limits.hit(one, key, now=NOW).allowed, key
    assert {len(bytes(row[0])) for row in db.execute('SELECT "key" FROM rag_rate_limit')} == {16}
    for empty in ("", (), ("a", ""), b""):
        with pytest.raises(InvalidInput, match="key"):
            limits.hit(one, empty)


@pytest.mark.parametrize("algorithm", ["fixed", "sliding"])
def test_a_changed_limit_keeps_what_was_used(store: Store, algorithm: str) -> None:
    """RL-16: 20 instead of 10 in mid-window leaves 20 - used."""
    limits = store.rate_limits
    limits.define(policy("10/minute", algorithm))
    assert limits.hit("a", "k", cost=7, now=NOW).remaining == 3
    limits.define(policy("20/minute", algorithm))
    assert limits.peek("a", "k", now=NOW).remaining == 13
    assert limits.hit("a", "k", now=NOW).remaining == 12
    limits.define(policy("5/minute", algorithm))
    assert limits.hit("a", "k", now=NOW).remaining == 0


def test_a_changed_limit_keeps_the_share_that_was_used_of_a_bucket(store: Store) -> None:
    """RL-16, for gcra: it keeps a time, so half of the bucket stays half of it."""
    limits = store.rate_limits
    assert limits.hit(policy("10/minute"), "k", cost=5, now=NOW).remaining == 5
    assert limits.peek(policy("20/minute"), "k", now=NOW).remaining == 10


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_refund_and_reset(store: Store, algorithm: str) -> None:
    limits, ten = store.rate_limits, policy("10/minute", algorithm)
    limits.hit(ten, "k", cost=6, now=NOW)
    limits.refund(ten, "k", cost=2, now=NOW)
    assert limits.peek(ten, "k", now=NOW).remaining == 6
    limits.refund(ten, "k", cost=100, now=NOW)
    assert limits.peek(ten, "k", now=NOW).remaining == 10
    limits.hit(ten, "k", cost=10, now=NOW)
    limits.reset(ten, "k")
    assert limits.peek(ten, "k", now=NOW).remaining == 10
    limits.reset(ten, "nobody")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_reserve_and_settle(store: Store, algorithm: str) -> None:
    """A budget that is known only afterwards: too much is given back, too little is taken."""
    limits, budget = store.rate_limits, policy("1000/day", algorithm, durable=True)
    reservation = limits.reserve(budget, "org", 400, now=NOW)
    assert reservation.decision.allowed
    reservation = limits.settle(reservation, 150, now=NOW)
    assert limits.peek(budget, "org", now=NOW).remaining == 850
    reservation = limits.settle(reservation, 300, now=NOW)
    assert limits.peek(budget, "org", now=NOW).remaining == 700
    assert limits.settle(reservation, 300, now=NOW) == reservation
    refused = limits.reserve(budget, "org", 900, now=NOW)
    assert (refused.decision.allowed, refused.cost) == (False, 0)
    limits.settle(limits.reserve(budget, "org", 1, now=NOW), 800, now=NOW)
    over = limits.peek(budget, "org", now=NOW)
    assert (over.allowed, over.remaining) == (False, 0)
    with pytest.raises(InvalidInput, match="cost"):
        limits.settle(reservation, -1)


def test_what_is_settled_late_goes_to_its_own_window(store: Store) -> None:
    limits = store.rate_limits
    fixed, sliding = policy("10/minute", "fixed"), policy("10/minute", "sliding", "b")
    late = NOW + MINUTE
    for one in (fixed, sliding):
        reservation = limits.reserve(one, "k", 10, now=NOW)
        assert limits.hit(one, "k", cost=4, now=late + 50 * timedelta(seconds=1)).allowed
        limits.settle(reservation, 0, now=late + 50 * timedelta(seconds=1))
        assert limits.peek(one, "k", now=late + 50 * timedelta(seconds=1)).remaining == 6


def test_acquire_waits_until_it_is_there(store: Store) -> None:
    limits, quick = store.rate_limits, policy(Limit(10, timedelta(seconds=1), burst=1))
    first, second = [limits.acquire(quick, "k", max_wait=timedelta(seconds=60)) for _ in range(2)]
    assert first.allowed
    assert second.allowed
    assert second.decided_at - first.decided_at >= timedelta(seconds=0.1)
    slow = policy("1/hour")
    assert limits.acquire(slow, "k", max_wait=0).allowed
    assert not limits.acquire(slow, "k", max_wait=0).allowed
    assert not limits.acquire(slow, "k", max_wait=5).allowed
    assert not limits.acquire(slow, "k", cost=2, max_wait=5).allowed


def test_tenants_and_global_policies(store: Store) -> None:
    one, other = store.for_tenant("one"), store.for_tenant("other")
    for scope, left in (("tenant", 1), ("global", 0)):
        limit = policy("2/minute", name=scope, scope=scope)
        assert one.rate_limits.hit(limit, "k", now=NOW).remaining == 1
        assert other.rate_limits.hit(limit, "k", now=NOW).remaining == left
    one.rate_limits.define(policy("2/minute", name="shared"))
    assert other.rate_limits.hit("shared", "k", now=NOW).allowed


def test_a_global_policy_needs_no_tenant(database_url: str) -> None:
    with Store.open(database_url, Settings(tenant=None)) as store:
        assert store.rate_limits.hit(policy("2/minute", scope="global"), "k").allowed
        with pytest.raises(TenantRequired):
            store.rate_limits.hit(policy("2/minute"), "k")


def test_bad_input(store: Store) -> None:
    limits = store.rate_limits
    with pytest.raises(NotFound, match="define"):
        limits.hit("unknown", "k")
    for cost in (0, -1, 10**12 + 1, True, 1.5):
        with pytest.raises(InvalidInput, match="cost"):
            limits.hit(policy("10/minute"), "k", cost=cost)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="charges"):
        limits.hit_all([])
    with pytest.raises(InvalidInput, match="add up"):
        limits.hit_all([Charge(policy("1/minute"), "k"), Charge(policy("1/minute"), ("k",))])
    with pytest.raises(InvalidInput, match="time zone"):
        limits.hit(policy("10/minute"), "k", now=datetime(2030, 1, 1))  # noqa: DTZ001
    with pytest.raises(InvalidInput, match="1971"):
        limits.hit(policy("10/minute"), "k", now=datetime(1960, 1, 1, tzinfo=UTC))


def test_purging(store: Store, db: Database) -> None:
    """RL-17: at most so many expired rows a transaction, of all tenants; no decision changes."""
    limits, day = store.rate_limits, policy("2/day", "fixed")
    other = store.for_tenant("other").rate_limits
    for number in range(6):
        limits.hit(policy("5/minute"), number, now=NOW)
        other.hit(policy("5/minute"), number, now=NOW)
    limits.hit(day, "k", cost=2, now=NOW)
    maintenance, later = store.maintenance(), NOW + timedelta(hours=3)
    assert [maintenance.purge_rate_limits(max_rows=5, now=when) for when in (NOW, *[later] * 4)] == [
        0,
        5,
        5,
        2,
        0,
    ]
    assert db.scalar("SELECT count(*) FROM rag_rate_limit") == 1
    assert not limits.hit(day, "k", now=later).allowed
    assert limits.peek(policy("5/minute"), 1, now=later).remaining == 5
    with pytest.raises(InvalidInput, match="max_rows"):
        maintenance.purge_rate_limits(max_rows=0)


def test_a_unit_of_work_has_no_rate_limits(store: Store) -> None:
    """RL-10: they could be rolled back."""
    with store.begin() as unit:
        assert not hasattr(unit, "rate_limits")
