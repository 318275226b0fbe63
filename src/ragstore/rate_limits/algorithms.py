"""The three ways to count, as plain functions over whole numbers.

Each database runs the same arithmetic where the row is locked: SQLite these functions, PostgreSQL a function of its own
in the schema. What people see of a state (remaining, waiting times) is worked out here for both.

Times are microseconds since 1970 UTC. A state is three numbers:

| algorithm | mark | used | previous |
|---|---|---|---|
| fixed | start of the window | units in it | 0 |
| sliding | start of the window | units in it | units in the window before |
| gcra | theoretical arrival time, nanoseconds | 0 | 0 |

**gcra** is the generic cell rate algorithm (ITU-T I.371, virtual scheduling): a unit comes every `interval` T, and the
theoretical arrival time may lie at most `tolerance` = capacity * T ahead of now. T is rounded up to a nanosecond.

`settle` may take what is not there: the arrival time then lies further ahead, by less than one more tolerance.

**A clock that steps back** finds marks ahead of it. They are pulled back to the window of now, or to the largest debt:
what was used stays used, and nobody waits longer than one full window for the next unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ragstore.core.times import MICROSECOND
from ragstore.rate_limits.limits import Limit
from ragstore.rate_limits.records import Algorithm

ANCHOR = 4 * 86_400_000_000
"""Monday, 5 January 1970: windows begin at multiples of their period from here."""
HOUR = 3_600_000_000
NEVER_FITS = 4 * 10**18
"""Nanoseconds that no tolerance reaches, and that a bigint holds together with any time."""


class State(NamedTuple):
    """What is stored for one limit and key."""

    mark: int
    used: int
    previous: int


FRESH = State(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit as the databases count it.

    Attributes:
        algorithm: How it counts.
        capacity: Units that may be taken at once.
        period: Microseconds.
        interval: Nanoseconds from one unit to the next; gcra only.
    """

    algorithm: Algorithm
    capacity: int
    period: int
    interval: int

    @property
    def name(self) -> str:
        """Give the part of the row's key that says how its numbers are to be read."""
        return f"{self.algorithm}/{self.period}"

    @property
    def tolerance(self) -> int:
        """Give the nanoseconds that the arrival time may lie ahead."""
        return self.capacity * self.interval

    @property
    def reach(self) -> int:
        """Give the nanoseconds that it may lie ahead with a debt: the next unit is then a whole tolerance away."""
        return 2 * self.tolerance - self.interval

    def step(self, cost: int) -> int:
        """Give what a cost adds to the state: units, or nanoseconds for gcra."""
        return cost if self.algorithm != "gcra" else min(cost * self.interval, NEVER_FITS)


def rule_for(limit: Limit, algorithm: Algorithm) -> Rule:
    """Make the rule of a limit."""
    period = limit.period // MICROSECOND
    interval = -(-period * 1000 // limit.amount) if algorithm == "gcra" else 0
    return Rule(algorithm, limit.capacity, period, interval)


def at(rule: Rule, state: State, now: int) -> State:
    """Give the state as it stands now: windows that have passed are gone, marks ahead of the clock are pulled back."""
    if rule.algorithm == "gcra":
        return State(min(max(state.mark, now * 1000), now * 1000 + rule.reach), 0, 0)
    start = now - (now - ANCHOR) % rule.period
    if state.mark >= start:
        return State(start, state.used, state.previous)
    follows = rule.algorithm == "sliding" and state.mark == start - rule.period
    return State(start, 0, state.used if follows else 0)


def fits(rule: Rule, state: State, cost: int, now: int) -> bool:
    """Say whether so much may be taken now from a state as it stands now."""
    if rule.algorithm == "gcra":
        return state.mark + rule.step(cost) <= now * 1000 + rule.tolerance
    return _taken(rule, state, now) + cost <= rule.capacity


def take(rule: Rule, state: State, cost: int, now: int) -> State:
    """Take so much, whether it fits or not."""
    if rule.algorithm == "gcra":
        return state._replace(mark=min(state.mark + rule.step(cost), now * 1000 + rule.reach))
    return state._replace(used=state.used + cost)


def give_back(rule: Rule, state: State, cost: int, taken_at: int, now: int) -> State:
    """Give back what was taken at some time; what was taken from a window that is out of sight stays gone."""
    if rule.algorithm == "gcra":
        return state._replace(mark=max(state.mark - rule.step(cost), now * 1000))
    if taken_at >= state.mark:
        return state._replace(used=max(state.used - cost, 0))
    if taken_at >= state.mark - rule.period:
        return state._replace(previous=max(state.previous - cost, 0))
    return state


def remaining(rule: Rule, state: State, now: int) -> int:
    """Count the units that may be taken now."""
    if rule.algorithm == "gcra":
        return max((now * 1000 + rule.tolerance - state.mark) // rule.interval, 0)
    return max(rule.capacity - _taken(rule, state, now), 0)


def wait(rule: Rule, state: State, cost: int, now: int) -> int | None:
    """Give the microseconds until so much may be taken, if nobody takes anything; None: it never may."""
    if cost > rule.capacity:
        return None
    if fits(rule, state, cost, now):
        return 0
    if rule.algorithm == "gcra":
        return -(-(state.mark + rule.step(cost) - rule.tolerance - now * 1000) // 1000)
    if rule.algorithm == "fixed":
        return state.mark + rule.period - now
    return _sliding_wait(rule, state, cost, now)


def expiry(rule: Rule, state: State) -> int:
    """Give a time from which on the state says nothing any more, rounded up so that it seldom changes."""
    windows = {"fixed": 1, "sliding": 2}
    end = -(-state.mark // 1000) if rule.algorithm == "gcra" else state.mark + windows[rule.algorithm] * rule.period
    grain = max(rule.period, HOUR)
    return -(-end // grain) * grain


def _taken(rule: Rule, state: State, now: int) -> int:
    return state.used + -(-state.previous * (rule.period - (now - state.mark)) // rule.period)


def _sliding_wait(rule: Rule, state: State, cost: int, now: int) -> int:
    room = rule.capacity - cost - state.used
    if room >= 0:  # in this window, when little enough of the last one is in sight
        return state.mark + _faded(rule, state.previous, room) - now
    return state.mark + rule.period + _faded(rule, state.used, rule.capacity - cost) - now


def _faded(rule: Rule, count: int, room: int) -> int:
    """Give the microseconds into a window after which the last one's count weighs no more than `room`."""
    return max(rule.period - room * rule.period // count, 0)
