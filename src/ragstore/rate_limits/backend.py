"""What rate limits ask of a database: to decide a batch of charges where the rows are locked, in one go."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from ragstore.rate_limits.algorithms import Rule, State

Action = Literal["ask", "take", "give", "look", "forget"]
"""Take if all fits; take whether it fits or not; give back; only look; delete the rows."""


class Ask(NamedTuple):
    """One limit of one policy for one key."""

    tenant: str
    policy: str
    rule: Rule
    key: bytes
    cost: int

    @property
    def place(self) -> tuple[bytes, str, str, bytes]:
        """Give the row's key, ordered as PostgreSQL orders it."""
        return self.tenant.encode(), self.policy, self.rule.name, self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is decided together.

    Attributes:
        asks: In the order of their rows' keys, so that two batches never wait for each other; no row twice.
        action: What to do.
        taken_at: When what is given back was taken, in microseconds.
        now: The time, in microseconds, in place of the database's clock.
        durable: Wait until it has reached the disk.
        max_wait: Seconds.
    """

    asks: tuple[Ask, ...]
    action: Action
    taken_at: int = 0
    now: int | None = None
    durable: bool = False
    max_wait: float = 1.0


class Verdict(NamedTuple):
    """How an ask was decided: whether it would have fitted by itself, and the state afterwards."""

    fits: bool
    state: State


class Answers(NamedTuple):
    """The verdicts in the order of the asks, and the time they hold for."""

    now: int
    verdicts: list[Verdict]


class Wait(NamedTuple):
    """A socket that the caller is to wait for."""

    socket: int
    write: bool


Talk = Generator[Wait, None, Answers]
"""A talk with a database over a driver's connection; it yields when it has to wait."""


class LimitsBackend(Protocol):
    """How a database decides."""

    def talk(self, driver: Any, batch: Batch, schema: str, seconds: float) -> Talk:
        """Decide a batch over a driver's connection that nobody else uses, in a transaction of its own.

        Args:
            driver: The connection.
            batch: What to decide.
            schema: Where the tables are.
            seconds: How long locks may be waited for.
        """
        ...

    def is_idle(self, driver: Any) -> bool:
        """Say whether a driver's connection can be used again: no answer is awaited, no transaction open."""
        ...

    def hang_up(self, driver: Any) -> None:
        """Close a driver's connection without waiting for anything."""
        ...

    def decide(self, cursor: Any, batch: Batch) -> Answers:
        """Decide a batch inside the transaction of a connection that is the engine's only one."""
        ...
