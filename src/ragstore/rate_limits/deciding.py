"""From charges to a batch, and from a database's answers to a decision; plain functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from ragstore.core.times import MICROSECOND, from_microseconds, to_microseconds
from ragstore.core.types import to_utc
from ragstore.errors import (
    ConcurrencyError,
    InvalidInput,
    NotFound,
    RagstoreError,
    ReadOnlyError,
    StorageError,
    Timeout,
    Unavailable,
)
from ragstore.rate_limits import algorithms
from ragstore.rate_limits.algorithms import Rule
from ragstore.rate_limits.backend import Action, Answers, Ask, Batch, Verdict
from ragstore.rate_limits.keys import key_digest
from ragstore.rate_limits.limits import Limit
from ragstore.rate_limits.records import Charge, Decision, LimitState, Policy

GLOBAL = ""
"""The tenant of policies that count for all tenants together; no tenant's name is empty."""

REFUSED_FOR = timedelta(seconds=1)
"""When to try again after a refusal that the database had no part in."""

AWAY: tuple[type[RagstoreError], ...] = (Unavailable, Timeout, StorageError, ReadOnlyError, ConcurrencyError)
"""Errors that say that the database cannot count now; all others are raised."""

EARLIEST = datetime(1971, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
"""Later than any window's start. The arithmetic of nanoseconds fits a bigint until then."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One limit that is asked, as people know it and as the database does."""

    policy: Policy
    limit: Limit
    ask: Ask


def find_policy(policies: dict[str, Policy], wanted: str | Policy) -> Policy:
    """Give a policy, or the defined one of this name.

    Raises:
        NotFound: None of this name is defined.
    """
    if isinstance(wanted, Policy):
        return wanted
    if wanted not in policies:
        raise NotFound(f"no policy {wanted!r} is defined: call store.rate_limits.define(Policy({wanted!r}, …)) first")
    return policies[wanted]


def expand(charges: Sequence[Charge], policies: dict[str, Policy], tenant: Callable[[], str]) -> list[Asked]:
    """List every limit that the charges ask, in their order.

    Raises:
        InvalidInput: There is none, or a limit would be asked twice for one key.
    """
    asked = [
        Asked(policy, limit, Ask(GLOBAL if policy.scope == "global" else tenant(), policy.name, rule, key, charge.cost))
        for charge in charges
        for policy, key in [(find_policy(policies, charge.policy), key_digest(charge.key))]
        for limit, rule in zip(policy.limits, _rules(policy), strict=True)
    ]
    if not asked or len({one.ask.place for one in asked}) < len(asked):
        raise InvalidInput("needs one or more, and no policy twice for one key: add up their costs", field="charges")
    return asked


@lru_cache(1024)
def _rules(policy: Policy) -> tuple[Rule, ...]:
    return tuple(algorithms.rule_for(limit, policy.algorithm) for limit in policy.limits)


def make_batch(
    asked: Sequence[Asked], action: Action, *, now: datetime | None, taken_at: datetime | None = None
) -> Batch:
    """Make what a database decides together, in the order of the rows' keys."""
    return Batch(
        asks=tuple(sorted((one.ask for one in asked), key=lambda ask: ask.place)),
        action=action,
        taken_at=0 if taken_at is None else to_microseconds(taken_at),
        now=_microseconds(now),
        durable=any(one.policy.durable for one in asked),
        max_wait=min(one.policy.max_wait for one in asked),
    )


def _microseconds(now: datetime | None) -> int | None:
    if now is None:
        return None
    if not EARLIEST <= to_utc(now, field="now") < LATEST:
        raise InvalidInput("must be from 1971 to 2099", field="now")
    return to_microseconds(now)


def decide(asked: Sequence[Asked], batch: Batch, answers: Answers) -> Decision:
    """Tell people what the database has decided."""
    verdicts = dict(zip(batch.asks, answers.verdicts, strict=True))
    states = tuple(_state(one, verdicts[one.ask], answers.now) for one in asked)
    allowed = all(verdict.fits for verdict in answers.verdicts)
    binding = _binding(states, allowed)
    return Decision(
        allowed=allowed,
        policy=binding.policy,
        limit=binding.limit.capacity,
        remaining=binding.remaining,
        retry_after=binding.retry_after,
        reset_after=binding.reset_after,
        permanent=binding.permanent,
        degraded=False,
        decided_at=from_microseconds(answers.now),
        states=states,
    )


def degraded(asked: Sequence[Asked]) -> Decision:
    """Decide without the database: one closed policy is enough to refuse."""
    closed = [one.policy.name for one in asked if one.policy.failure == "closed"]
    return Decision(
        allowed=not closed,
        policy=closed[0] if closed else asked[0].policy.name,
        limit=None,
        remaining=None,
        retry_after=REFUSED_FOR if closed else None,
        reset_after=None,
        permanent=False,
        degraded=True,
        decided_at=datetime.now(UTC),
        states=(),
    )


def _state(one: Asked, verdict: Verdict, now: int) -> LimitState:
    rule, state, cost = one.ask.rule, verdict.state, one.ask.cost
    left = algorithms.remaining(rule, state, now)
    more = None if left >= rule.capacity else algorithms.wait(rule, state, left + 1, now)
    retry = None if verdict.fits else algorithms.wait(rule, state, cost, now)
    return LimitState(
        policy=one.policy.name,
        limit=one.limit,
        remaining=left,
        reset_after=(algorithms.wait(rule, state, rule.capacity, now) or 0) * MICROSECOND,
        more_after=None if more is None else more * MICROSECOND,
        retry_after=None if retry is None else retry * MICROSECOND,
        permanent=cost > rule.capacity,
    )


def _binding(states: Sequence[LimitState], allowed: bool) -> LimitState:
    if allowed:
        return min(states, key=lambda state: state.remaining / state.limit.capacity)
    refusing = [state for state in states if state.permanent or state.retry_after is not None]
    return max(refusing, key=lambda state: (state.permanent, state.retry_after or timedelta()))
