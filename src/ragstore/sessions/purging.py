"""Deleting sessions that are over, so many at a time."""

from __future__ import annotations

from ragstore.core.query import Steps
from ragstore.sessions import preparing, statements
from ragstore.sessions.events import expired
from ragstore.sessions.preparing import Time
from ragstore.sessions.records import SessionEvent
from ragstore.sessions.statements import Ended


def purge(rows: int, now: Time) -> Steps[tuple[int, list[SessionEvent]]]:
    """Delete some of all tenants' sessions that are over, and give their number."""
    purged: list[Ended] = yield statements.purge(rows, preparing.time(now))
    return len(purged), expired(purged)
