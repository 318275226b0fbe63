"""A circuit breaker: while the database is away, nobody waits for it."""

from __future__ import annotations

import logging
import time

from ragstore.errors import QueryTimeout

logger = logging.getLogger("ragstore.rate_limits")

REST = 0.5
"""Seconds that nobody asks after a failure; then one asks, and the others go on not asking until it has an answer."""


class NoAnswer(QueryTimeout):
    """We have stopped waiting; a time-out that the server tells of shows that it is there."""


class Breaker:
    """Remembers that the database was away a moment ago."""

    def __init__(self) -> None:
        self._until = 0.0
        self._worked_at = 0.0

    def is_open(self) -> bool:
        """Say whether to leave the database alone; the first to be told no after a rest is the one that tries."""
        if not self._until:
            return False
        now = time.monotonic()
        if now < self._until:
            return True
        self._until = now + REST
        return False

    def failed(self, error: BaseException, since: float) -> None:
        """Note that the database is away, unless others have had an answer since then: a row may have been held."""
        if isinstance(error, NoAnswer) and self._worked_at > since:
            return
        known, self._until = self._until, time.monotonic() + REST  # first, as others fail while it is being said
        if not known:
            logger.warning("rate limits cannot reach the database, their policies' failure modes decide: %s", error)

    def worked(self) -> None:
        """Note that it is there."""
        self._worked_at = time.monotonic()
        if self._until:
            self._until = 0.0
            logger.warning("rate limits reach the database again")
