"""What people hold of rate limits: policies, and the decisions made by them."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from ragstore.core.records import Record
from ragstore.errors import InvalidInput
from ragstore.rate_limits.limits import Limit, units
from ragstore.rate_limits.parsing import parse_limits

Algorithm = Literal["gcra", "fixed", "sliding"]
Failure = Literal["closed", "open"]
Scope = Literal["tenant", "global"]
KeyPart = str | int | UUID | bytes
"""One component of a key. Text is compared code point by code point; nothing is folded or normalised."""
Key = KeyPart | tuple[KeyPart, ...]
"""Who is limited: a component, or several, whose borders count: ("a/b", "c") is not ("a", "b/c")."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,62}")
_CHOICES = {"algorithm": ("gcra", "fixed", "sliding"), "failure": ("closed", "open"), "scope": ("tenant", "global")}


@dataclass(frozen=True, slots=True)
class Policy:
    """A named rule: which limits hold, how they count, and what happens when the database cannot be asked.

    State is kept under the policy's name, the algorithm and each limit's period. So an amount can be changed, and what
    was used still counts; another algorithm or period begins anew.

    Attributes:
        name: 1 to 63 of letters, digits and `_ . : -`, beginning with a letter or a digit.
        rule: A text like "10/minute;100/hour", a limit, or one to eight limits. All hold; their periods differ.
        algorithm: "gcra" lets requests through evenly, with bursts (a token bucket, kept as one time). "fixed" counts
            in windows that begin at multiples of the period in UTC (days at midnight, weeks on Mondays); around a
            border twice the amount can pass. "sliding" adds to the window's count the last window's, weighted by how
            much of it is still in sight, as if its hits had come evenly. "gcra" rounds the time of a unit up to a
            nanosecond, so with more than 10**7 units a second it is stricter than the rule says.
        failure: What is said when the database does not answer within `max_wait`: "closed" refuses, "open" admits.
        max_wait: Seconds that a decision may take before that, 0.01 to 60. Waiting for a lock counts.
        scope: "tenant" counts for each tenant, "global" for all together: before the tenant is known, say.
        durable: Wait until each hit has reached the disk. Without it a crash of the server forgets less than a second
            of hits, and a hit costs half or less.
        limits: The limits that `rule` says.

    Raises:
        InvalidInput: A value is outside these bounds.

    Example:
        >>> Policy("login", "5/minute; 50/day").limits[1].amount
        50
    """

    name: str
    rule: str | Limit | tuple[Limit, ...]
    _: KW_ONLY
    algorithm: Algorithm = "gcra"
    failure: Failure = "closed"
    max_wait: float = 1.0
    scope: Scope = "tenant"
    durable: bool = False
    limits: tuple[Limit, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the rule, and refuse a policy that could only fail later."""
        if not _is_name(self.name):
            raise InvalidInput("must be 1 to 63 letters, digits and _ . : -, the first a letter or digit", field="name")
        for choice, allowed in _CHOICES.items():
            if getattr(self, choice) not in allowed:
                raise InvalidInput(f"must be one of {', '.join(allowed)}", field=choice)
        if not _is_wait(self.max_wait):
            raise InvalidInput("must be from 0.01 to 60 seconds", field="max_wait")
        object.__setattr__(self, "limits", _limits(self.rule))
        if self.algorithm != "gcra" and any(limit.burst is not None for limit in self.limits):
            raise InvalidInput(f"{self.algorithm!r} has no burst: use algorithm='gcra'", field="rule")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def _is_wait(value: object) -> bool:
    return isinstance(value, int | float) and 0.01 <= value <= 60


def _limits(rule: str | Limit | tuple[Limit, ...]) -> tuple[Limit, ...]:
    if isinstance(rule, str):
        return parse_limits(rule)
    limits = rule if isinstance(rule, tuple) else (rule,)
    if not 1 <= len(limits) <= 8 or not all(isinstance(limit, Limit) for limit in limits):
        raise InvalidInput("must be a text, a Limit, or one to eight of them", field="rule")
    if len({limit.period for limit in limits}) < len(limits):
        raise InvalidInput("has two limits with the same period: keep the lower one", field="rule")
    return limits


@dataclass(frozen=True, slots=True)
class Charge:
    """One policy to be asked, as a part of `hit_all`.

    Attributes:
        policy: A defined policy's name, or a policy.
        key: Who is limited.
        cost: How much is asked for, 1 to 10**12.
    """

    policy: str | Policy
    key: Key
    cost: int = 1

    def __post_init__(self) -> None:
        """Refuse a cost that is none."""
        units(self.cost, field="cost")


class LimitState(Record):
    """How one limit stands after a decision.

    Attributes:
        policy: The policy's name.
        limit: The limit.
        remaining: What may still be taken now, 0 to the limit's capacity.
        reset_after: Time until all of it is there again, if nothing is taken.
        more_after: Time until at least one unit more is there than now; None: it is full.
        retry_after: None where what was asked for was there. Else the time after which it will be: not a microsecond
            earlier, if nobody else takes it. None as well if it can never be there (`permanent`).
        permanent: More was asked for than this limit ever admits.
    """

    policy: str
    limit: Limit
    remaining: int
    reset_after: timedelta
    more_after: timedelta | None
    retry_after: timedelta | None
    permanent: bool = False


class Decision(Record):
    """Whether it may go on. A refusal has taken nothing from any limit.

    Attributes:
        allowed: It may go on.
        policy: The name of the binding policy: on refusal the one to wait for longest, else the one with the least
            share left.
        limit: The binding limit's capacity; None where the database could not be asked.
        remaining: What the binding limit still has; None where the database could not be asked.
        retry_after: When to try again; None: not refused, or it can never succeed (`permanent`).
        reset_after: Time until the binding limit is full again; None where the database could not be asked.
        permanent: More was asked for than a limit ever admits: do not try again.
        degraded: The database did not answer in time, and the policy's `failure` decided.
        decided_at: When, by the database's clock, or by the host's where `degraded`.
        states: Every limit of every policy that was asked, in the order asked; empty where `degraded`.
    """

    allowed: bool
    policy: str
    limit: int | None
    remaining: int | None
    retry_after: timedelta | None
    reset_after: timedelta | None
    permanent: bool
    degraded: bool
    decided_at: datetime
    states: tuple[LimitState, ...]


class Reservation(Record):
    """What was taken before the true cost was known; give it to `settle`.

    Attributes:
        tenant: Whose budget it is.
        policy: The policy.
        key: Who was charged.
        cost: What was taken; 0 where it was refused.
        decision: How it was decided, and when.
    """

    tenant: str
    policy: Policy
    key: Key
    cost: int
    decision: Decision
