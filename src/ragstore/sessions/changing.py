"""Changing a live session: another secret, other data."""

from __future__ import annotations

from typing import Any

from ragstore.core.query import Steps
from ragstore.errors import Conflict, SessionEnded
from ragstore.sessions import judging, statements
from ragstore.sessions.book import SessionBook
from ragstore.sessions.events import event
from ragstore.sessions.judging import Presented, Worth
from ragstore.sessions.preparing import Time
from ragstore.sessions.records import NewSession, Session, SessionEvent
from ragstore.sessions.statements import Stored


def rotate(presented: Presented, book: SessionBook, at: Time) -> Steps[tuple[NewSession | None, list[SessionEvent]]]:
    """Put the next secret in the place of the presented one; of several at once one does, and all get the same."""
    token, generation = presented.token, presented.row.generation + 1
    following = token.at(generation, presented.row.nonce)
    assert following is not None
    rotated: list[Session] = yield statements.rotate(
        presented.row.session, presented.row.generation, following.digest, at
    )
    if rotated:
        new = NewSession(token=str(following), session=rotated[0])
        return new, [event("rotated", rotated[0], rotated[0].last_seen_at)]
    again = yield from judging.present(token, book, at)
    return handed_on(again), []  # it was current when it was presented: that it is so no more is no replay


def handed_on(presented: Presented) -> NewSession | None:
    """Give the token that has taken the place of a presented one."""
    if presented.worth is not Worth.OUTDATED:
        return None
    return NewSession(token=str(presented.successor), session=presented.row.session)


def save(session: Session, data: Any, version: int, schema_version: int, at: Time) -> Steps[Session]:
    """Replace a session's data, or say why not."""
    saved: list[Session] = yield statements.save(session, data, version, schema_version, at)
    if saved:
        return saved[0]
    found: list[Stored] = yield statements.look(session.tenant, session.id, at)
    stored = live(found, session.id)
    raise Conflict(
        f"the data has version {stored.session.data_version} by now, not {version}: authenticate again, and save anew"
    )


def live(found: list[Stored], session_id: object) -> Stored:
    """Give a session that is not over, or raise `SessionEnded`."""
    if not found or found[0].over:
        raise SessionEnded(f"the session {session_id} is over or unknown, and nothing was changed: log in again")
    return found[0]
