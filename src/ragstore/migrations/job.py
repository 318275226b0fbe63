"""What a caller asked for, checked once, as every step of a migration needs it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ragstore.config import check_schema
from ragstore.core.base import SCHEMA
from ragstore.errors import InvalidInput
from ragstore.migrations import chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One migration.

    Attributes:
        revision: Where to: see `chain.resolve`.
        down: Take revisions back instead of running them.
        schema: PostgreSQL schema of our tables.
        create_schema: The schema may be created if it is missing.
        timeout: Seconds to go on trying while others hold locks.
        allow_data_loss: A downgrade may drop tables with rows.
        at_least: A database past the revision is left alone.
    """

    revision: str = "head"
    down: bool = False
    schema: str = SCHEMA
    create_schema: bool = True
    timeout: float = 60.0
    allow_data_loss: bool = False
    at_least: bool = False

    def __post_init__(self) -> None:
        """Refuse what could only fail later."""
        chain.check(self.revision)
        check_schema(self.schema)
        if not _is_time(self.timeout):
            raise InvalidInput("must be a finite number of seconds, at least 0", field="timeout")

    def is_reached(self, revision: str | None) -> bool:
        """Say whether there is nothing to do for a database at this revision."""
        here, there = chain.position(revision), chain.resolve(self.revision, revision)
        return here == there or (self.at_least and there < here)


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value >= 0
