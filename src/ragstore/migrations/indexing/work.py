"""One call of `ensure_indexes`: what was asked, until when, and what has been done."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from ragstore.migrations.indexing.hands import Hands
from ragstore.migrations.job import Job
from ragstore.migrations.results import IndexProgress

logger = logging.getLogger("ragstore.migrations")

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

    def tell(self, index: str, phase: str, done: int = 0, total: int = 0, blocker: int | None = None) -> None:
        """Tell the caller how far it is."""
        if self._tell is not None:
            self._tell(IndexProgress(index=index, phase=phase, done=done, total=total, blocker=blocker))
