"""Deleting sessions that are over, so many at a time."""

from __future__ import annotations

from ragstore.core import border
from ragstore.core.query import Steps
from ragstore.sessions import preparing, statements
from ragstore.sessions.events import expired
from ragstore.sessions.preparing import Time
from ragstore.sessions.records import SessionEvent
from ragstore.sessions.statements import Ended

MAX_ROWS = 10_000


def purge(max_rows: int, now: Time) -> Steps[tuple[int, list[SessionEvent]]]:
    """Delete some of all tenants' sessions that are over, and give their number."""
    rows = border.limit(max_rows, field="max_rows", maximum=MAX_ROWS)
    purged: list[Ended] = yield statements.purge(rows, preparing.time(now))
    return len(purged), expired(purged)
