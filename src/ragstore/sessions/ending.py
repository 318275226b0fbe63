"""Ending sessions."""

from __future__ import annotations

from uuid import UUID

from ragstore.core.query import Steps
from ragstore.sessions import judging, statements
from ragstore.sessions.book import SessionBook
from ragstore.sessions.events import event, revoked
from ragstore.sessions.judging import Worth
from ragstore.sessions.preparing import Time
from ragstore.sessions.records import Session, SessionEvent
from ragstore.sessions.statements import Ended
from ragstore.sessions.tokens import Token


def replayed(session: Session, at: Time) -> Steps[list[SessionEvent]]:
    """End a session of which an old token was presented."""
    ended: list[Ended] = yield statements.revoke(session.tenant, [session.id], "replayed", at)
    return [*(event("replayed", session, one.at) for one in ended), *revoked(ended)]


def revoke(tenant: str, session_id: UUID, at: Time) -> Steps[list[SessionEvent]]:
    """End a session that is known by its id."""
    ended: list[Ended] = yield statements.revoke(tenant, [session_id], "revoked", at)
    return revoked(ended)


def revoke_token(token: Token, book: SessionBook, at: Time) -> Steps[list[SessionEvent]]:
    """End the session of a token, current or not; a wrong one ends nothing."""
    presented = yield from judging.present(token, book, at)
    if presented.worth is Worth.NOTHING:
        return []
    return (yield from revoke(token.tenant, token.session_id, at))


def revoke_others(token: Token, book: SessionBook, at: Time) -> Steps[list[SessionEvent]]:
    """End the other sessions of a token's user and kind, or raise `SessionEnded`."""
    session = yield from judging.admit(token, book, at)
    if session.user_id is None:
        return []
    ended: list[Ended] = yield statements.revoke_user(session.tenant, session.user_id, session.kind, session.id, at)
    return revoked(ended)


def revoke_user(
    tenant: str, user: str, kind: str | None, keep: Token | None, book: SessionBook, at: Time
) -> Steps[list[SessionEvent]]:
    """End a user's sessions, but for a token's; raise `SessionEnded` if that token is no good."""
    if keep is not None:
        yield from judging.admit(keep, book, at)
    kept = None if keep is None else keep.session_id
    ended: list[Ended] = yield statements.revoke_user(tenant, user, kind, kept, at)
    return revoked(ended)


def revoke_organisation(tenant: str, organisation: str, at: Time) -> Steps[list[SessionEvent]]:
    """End an organisation's sessions."""
    ended: list[Ended] = yield statements.revoke_organisation(tenant, organisation, at)
    return revoked(ended)
