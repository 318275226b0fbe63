"""One call of `ensure_indexes`: what was asked, until when, and what has been done."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import Connection

from ragstore.core.translate import translating
from ragstore.errors import ConcurrencyError, LockTimeout
from ragstore.migrations import guard, sides
from ragstore.migrations.indexing.hands import Hands
from ragstore.migrations.job import Job
from ragstore.migrations.results import IndexProgress

logger = logging.getLogger("ragstore.migrations")

T = TypeVar("T")
Tell = Callable[[IndexProgress], None]


class Work:
    """What every step of a call needs.

    Attributes:
        job: The schema, and the seconds that the call may take.
        hands: How to pause, and to do something beside, in a thread or on the event loop.
        deadline: When the seconds are over, by the monotonic clock.
    """

    def __init__(self, job: Job, tell: Tell | None, hands: Hands) -> None:
        self.job = job
        self.hands = hands
        self.deadline = time.monotonic() + job.timeout
        self._tell = tell

    @property
    def left(self) -> float:
        """Give the seconds that are left; never less than none."""
        return max(0.0, self.deadline - time.monotonic())

    def look(self, connection: Connection, look: Callable[[], T]) -> T:
        """Look without a lock; where a writer keeps even readers out, as on SQLite, in its turn."""
        try:
            with translating(sides.of(connection.dialect).classify):
                return look()
        except ConcurrencyError:
            return self.alone(connection, look)

    def alone(self, connection: Connection, work: Callable[[], T]) -> T:
        """Work in a transaction that waits for other writers for as long as time is left."""
        job = replace(self.job, timeout=self.left)
        try:
            return guard.alone(connection, job, work, owned=True, sleep=self.hands.pause)
        except (LockTimeout, ConcurrencyError) as error:
            limit = f"{self.job.timeout:g} s were over while another process held the database"
            raise LockTimeout(
                f"{limit}: end its transaction, or raise timeout, and call ensure_indexes again"
            ) from error

    def tell(self, index: str, phase: str, done: int = 0, total: int = 0, blocker: int | None = None) -> None:
        """Tell the caller how far it is."""
        if self._tell is not None:
            self._tell(IndexProgress(index=index, phase=phase, done=done, total=total, blocker=blocker))
