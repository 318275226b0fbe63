"""Events: what is told of a session, its public id and nothing of its secret."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ragstore.sessions.records import EventType, Session, SessionEvent
from ragstore.sessions.statements import Ended


def event(type_: EventType, session: Session, at: datetime) -> SessionEvent:
    """Make an event of a session."""
    return SessionEvent(type=type_, tenant=session.tenant, session_id=session.id, at=at)


def revoked(ended: Sequence[Ended]) -> list[SessionEvent]:
    """Make the events of sessions that were revoked."""
    return [SessionEvent(type="revoked", tenant=one.tenant, session_id=one.id, at=one.at) for one in ended]


def expired(purged: Sequence[Ended]) -> list[SessionEvent]:
    """Make the events of purged sessions whose time was up; of a revoked one was told before."""
    return [
        SessionEvent(type="expired", tenant=one.tenant, session_id=one.id, at=one.at)
        for one in purged
        if not one.revoked
    ]
