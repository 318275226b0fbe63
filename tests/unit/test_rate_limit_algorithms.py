"""The arithmetic of rate limits, held against what the words say."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstore.rate_limits import Limit, algorithms
from ragstore.rate_limits.algorithms import FRESH, Rule, State
from ragstore.rate_limits.records import Algorithm

SECOND = 1_000_000
NOW = 1_800_000_000 * SECOND + 123_457
ALGORITHMS: tuple[Algorithm, ...] = ("gcra", "fixed", "sliding")

seconds = st.integers(1, 40).map(lambda count: timedelta(seconds=count))
limits = st.builds(Limit, st.integers(1, 12), seconds)
rules = st.builds(algorithms.rule_for, limits, st.sampled_from(ALGORITHMS))


def hit(rule: Rule, state: State, cost: int, now: int) -> tuple[bool, State]:
    """Do what a database does."""
    state = algorithms.at(rule, state, now)
    allowed = algorithms.fits(rule, state, cost, now)
    return allowed, algorithms.take(rule, state, cost, now) if allowed else state


@st.composite
def histories(draw: st.DrawFn) -> tuple[Rule, State, int]:
    """Draw a rule, the state after some hits, and a time after them."""
    rule, state, now = draw(rules), FRESH, NOW
    for _ in range(draw(st.integers(0, 20))):
        now += draw(st.integers(0, rule.period))
        _, state = hit(rule, state, draw(st.integers(1, rule.capacity)), now)
    return rule, state, now + draw(st.integers(0, rule.period))


@given(histories(), st.integers(1, 15))
def test_a_refusal_takes_nothing_and_an_admission_its_cost(history: tuple[Rule, State, int], cost: int) -> None:
    """RL-3."""
    rule, state, now = history
    before = algorithms.at(rule, state, now)
    left = algorithms.remaining(rule, before, now)
    allowed, after = hit(rule, state, cost, now)
    assert allowed == (cost <= left)
    assert algorithms.remaining(rule, after, now) == (left - cost if allowed else left)
    assert allowed or after == before


@given(histories(), st.integers(1, 15))
def test_waiting_is_tight(history: tuple[Rule, State, int], cost: int) -> None:
    """RL-5, RL-6: after the wait it succeeds, a microsecond earlier it does not; an impossible cost never does."""
    rule, state, now = history
    state = algorithms.at(rule, state, now)
    wait = algorithms.wait(rule, state, cost, now)
    if cost > rule.capacity:
        assert wait is None
        return
    assert wait is not None
    assert hit(rule, state, cost, now + wait)[0]
    if wait:
        assert not hit(rule, state, cost, now + wait - 1)[0]
        assert not hit(rule, state, cost, now)[0]


@given(histories())
def test_it_is_full_after_the_reset_and_not_before(history: tuple[Rule, State, int]) -> None:
    rule, state, now = history
    state = algorithms.at(rule, state, now)
    wait = algorithms.wait(rule, state, rule.capacity, now)
    assert wait is not None
    for later, full in ((now + wait, True), (now + wait - 1, False)):
        if full or wait:
            left = algorithms.remaining(rule, algorithms.at(rule, state, later), later)
            assert (left == rule.capacity) == full


@given(st.integers(1, 20), seconds, st.integers(1, 60), st.integers(0, 10**9))
def test_gcra_identities(amount: int, period: timedelta, burst: int, idle: int) -> None:
    """RL-7: the burst at once, then one every T; after a rest exactly the burst again, never more; one time is kept."""
    rule = algorithms.rule_for(Limit(amount, period, burst), "gcra")
    state = FRESH
    for _ in range(2):
        for _ in range(burst):
            allowed, state = hit(rule, state, 1, NOW)
            assert allowed
        allowed, state = hit(rule, state, 1, NOW)
        assert not allowed
        assert (state.used, state.previous) == (0, 0)
        interval = Fraction(rule.period, amount)
        wait = algorithms.wait(rule, state, 1, NOW)
        assert wait is not None
        assert interval <= wait < interval + 2
        state = FRESH
    later = NOW + -(-rule.tolerance // 1000) + idle
    admitted = 0
    state = State(NOW * 1000 + rule.tolerance, 0, 0)
    while (answer := hit(rule, state, 1, later))[0]:
        state, admitted = answer[1], admitted + 1
    assert admitted == burst


@given(rules, st.lists(st.tuples(st.integers(-7_200, 90), st.integers(1, 3)), min_size=1, max_size=30))
def test_a_clock_that_steps_back_blocks_no_longer(rule: Rule, steps: list[tuple[int, int]]) -> None:
    """RL-9: whatever the clock does, a wait is no longer than a full window (two for a sliding one to be empty)."""
    state, now = FRESH, NOW
    for step, cost in steps:
        now += step * SECOND
        before = algorithms.remaining(rule, algorithms.at(rule, state, now), now)
        _, state = hit(rule, state, min(cost, rule.capacity), now)
        assert 0 <= algorithms.remaining(rule, state, now) <= before
        wait = algorithms.wait(rule, algorithms.at(rule, state, now), 1, now)
        longest = {"gcra": -(-rule.tolerance // 1000), "fixed": rule.period, "sliding": 2 * rule.period}
        assert wait is not None
        assert wait <= longest[rule.algorithm]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_step_back_by_an_hour_admits_nothing_extra(algorithm: Algorithm) -> None:
    """RL-9: what was used up stays used up."""
    rule = algorithms.rule_for(Limit(10, timedelta(minutes=1)), algorithm)
    state = FRESH
    for _ in range(10):
        _, state = hit(rule, state, 1, NOW)
    back = NOW - 3600 * SECOND
    assert not hit(rule, state, 1, back)[0]
    assert hit(rule, hit(rule, state, 1, back)[1], 1, back + 67 * SECOND)[0]


@given(st.integers(1, 8), st.lists(st.integers(0, 4_000_000), min_size=1, max_size=60))
def test_the_sliding_windows_error_is_bounded(amount: int, pauses: list[int]) -> None:
    """RL-8: in any span of one period it admits less than twice the amount, and a single unit exactly once."""
    rule = algorithms.rule_for(Limit(amount, timedelta(seconds=4)), "sliding")
    state, now, admitted = FRESH, NOW, []
    for pause in pauses:
        now += pause
        allowed, state = hit(rule, state, 1, now)
        if allowed:
            admitted.append(now)
    for start in admitted:
        assert sum(start <= at < start + rule.period for at in admitted) < 2 * amount


@given(histories(), st.integers(1, 12))
def test_what_is_given_back_is_there_again_and_never_more(history: tuple[Rule, State, int], cost: int) -> None:
    rule, state, now = history
    before = algorithms.at(rule, state, now)
    left = algorithms.remaining(rule, before, now)
    cost = min(cost, rule.capacity)
    after = algorithms.give_back(rule, algorithms.take(rule, before, cost, now), cost, now, now)
    if left >= cost:
        assert after == before
    much = algorithms.give_back(rule, before, 10**12, now, now)
    assert left <= algorithms.remaining(rule, much, now) <= rule.capacity


@given(rules, st.integers(1, 5))
def test_what_was_taken_from_a_window_out_of_sight_stays_gone(rule: Rule, cost: int) -> None:
    """A refund never makes room in a window that it was not taken from."""
    if rule.algorithm == "gcra":
        return
    _, state = hit(rule, FRESH, 1, NOW)
    later = NOW + 3 * rule.period
    allowed, state = hit(rule, state, 1, later)
    assert allowed
    assert algorithms.give_back(rule, state, cost, NOW, later) == state


@given(histories())
def test_an_expired_state_says_nothing(history: tuple[Rule, State, int]) -> None:
    """RL-17: purging it changes no decision."""
    rule, state, _ = history
    end = algorithms.expiry(rule, state)
    now = max(end, NOW)
    kept, purged = (algorithms.at(rule, one, now) for one in (state, FRESH))
    assert algorithms.remaining(rule, kept, now) == algorithms.remaining(rule, purged, now)


def test_windows_begin_on_the_clock() -> None:
    """Days begin at midnight in UTC, weeks on Mondays."""
    monday = 1_799_625_600 * SECOND  # 2027-01-11 00:00 UTC
    for period, offset in ((timedelta(days=7), 3 * 86_400), (timedelta(days=1), 5), (timedelta(hours=1), 3_599)):
        rule = algorithms.rule_for(Limit(1, period), "fixed")
        assert algorithms.at(rule, FRESH, monday + offset * SECOND).mark == monday
