"""Both databases decide alike, and as the plain functions do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragstore import Store
from ragstore.rate_limits import Charge, Decision, Limit, Policy
from ragstore.rate_limits.records import Algorithm

START = datetime(2031, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
PERIODS = [timedelta(seconds=1), timedelta(seconds=7), timedelta(minutes=1), timedelta(days=31)]

amounts = st.one_of(st.integers(1, 9), st.sampled_from([10**6, 10**12]))
bounds = st.lists(
    st.tuples(amounts, st.sampled_from(PERIODS)), min_size=1, max_size=3, unique_by=lambda bound: bound[1]
)
policies = st.builds(
    lambda algorithm, given: Policy("p", tuple(Limit(*bound) for bound in given), algorithm=algorithm, max_wait=30.0),
    st.sampled_from(get_args(Algorithm)),
    bounds,
)
costs = st.one_of(st.integers(1, 5), st.sampled_from([10**6, 10**11, 10**12]))
pauses = st.one_of(st.integers(-8 * 10**6, 70 * 10**6), st.sampled_from([0, 1, 10**6, 7 * 10**6, 31 * 86_400 * 10**6]))
actions = st.sampled_from(["hit", "hit", "hit", "peek", "refund", "reserve", "reset", "both"])
steps = st.lists(st.tuples(actions, costs, pauses), min_size=1, max_size=12)


@pytest.fixture
def stores(sqlite_database: str, postgres_url: str) -> Iterator[list[Store]]:
    """Give a store on each database."""
    with Store.open(sqlite_database) as one, Store.open(postgres_url) as other:
        yield [one, other]


def do(store: Store, policy: Policy, action: str, cost: int, now: datetime) -> Any:
    limits = store.rate_limits
    if action == "both":
        other = Policy("q", "3/minute", algorithm="sliding", max_wait=30.0)
        return limits.hit_all([Charge(other, "k"), Charge(policy, "k", cost)], now=now)
    if action == "reserve":
        reservation = limits.reserve(policy, "k", cost, now=now)
        limits.settle(reservation, cost // 2, now=now + timedelta(seconds=3))
        return reservation.decision
    if action == "reset":
        return limits.reset(policy, "k")
    return getattr(limits, action)(policy, "k", cost=cost, now=now)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(policy=policies, walk=steps)
def test_the_databases_decide_alike(stores: list[Store], policy: Policy, walk: list[tuple[str, int, int]]) -> None:
    """RL-8: whatever comes, also a clock that steps back, the decisions are equal to the microsecond."""
    for store in stores:
        for name in (policy, Policy("q", "3/minute", algorithm="sliding", max_wait=30.0)):
            store.rate_limits.reset(name, "k")
    now = START
    for action, cost, pause in walk:
        now += timedelta(microseconds=pause)
        one, other = (do(store, policy, action, cost, now) for store in stores)
        assert one == other
        if isinstance(one, Decision):
            assert one.decided_at == now
            assert all(0 <= state.remaining <= state.limit.capacity for state in one.states)
