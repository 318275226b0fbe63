"""Making a session, beside a user's others or in the place of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ragstore.core.backend import Backend
from ragstore.core.ids import new_id
from ragstore.core.query import Steps
from ragstore.errors import LimitExceeded
from ragstore.sessions import judging, statements
from ragstore.sessions.book import SessionBook
from ragstore.sessions.events import event, revoked
from ragstore.sessions.judging import Worth
from ragstore.sessions.preparing import Time
from ragstore.sessions.records import NewSession, Session, SessionEvent, SessionRules, microseconds
from ragstore.sessions.statements import Ended, Life
from ragstore.sessions.tokens import Token, new_nonce, new_token


@dataclass(frozen=True, slots=True)
class Wanted:
    """A session to be made.

    Attributes:
        tenant: Whose it is to be.
        user: The user, if he is known.
        rules: The rules of its kind.
        values: Column values: organisation, data, device.
        replaces: The token whose session it takes the place of.
    """

    tenant: str
    user: str | None
    rules: SessionRules
    values: dict[str, Any]
    replaces: Token | None


def create(
    backend: Backend, wanted: Wanted, book: SessionBook, at: Time
) -> Steps[tuple[NewSession, list[SessionEvent]]]:
    """Make a session; the one it replaces ends, and the oldest do where there are too many."""
    if wanted.user is not None and wanted.rules.max_sessions is not None:
        yield statements.lock_user(backend, wanted.tenant, wanted.user)
    replaced = yield from _replaced(wanted, book, at)
    surplus = yield from _surplus(wanted, replaced, at)
    ended: list[Ended] = []
    if replaced is not None or surplus:
        ended = yield statements.make_room(wanted.tenant, replaced, surplus, at)
    made = yield from _insert(wanted, at)
    created = event("created", made.session, made.session.created_at)
    return made, [*revoked(ended), created]


def _replaced(wanted: Wanted, book: SessionBook, at: Time) -> Steps[UUID | None]:
    token = wanted.replaces
    if token is None or token.tenant != wanted.tenant:
        return None
    presented = yield from judging.present(token, book, at)
    return None if presented.worth is Worth.NOTHING else token.session_id


def _surplus(wanted: Wanted, leaving: UUID | None, at: Time) -> Steps[list[UUID]]:
    """Give the sessions that have to go, under the user's lock; raise `LimitExceeded` where none may."""
    limit = wanted.rules.max_sessions
    if limit is None or wanted.user is None:
        return []
    found: list[UUID] = yield statements.oldest(wanted.tenant, wanted.user, wanted.rules.kind, at)
    staying = [session_id for session_id in found if session_id != leaving]
    surplus = staying[: max(len(staying) - limit + 1, 0)]
    if surplus and wanted.rules.on_limit == "reject":
        raise LimitExceeded(f"the user has {len(staying)} sessions, at most {limit}: revoke one first")
    return surplus


def _insert(wanted: Wanted, at: Time) -> Steps[NewSession]:
    token, rules = new_token(wanted.tenant, new_id()), wanted.rules
    secret = {"id": token.session_id, "secret_hash": token.digest, "nonce": new_nonce()}
    life = Life(
        None if rules.idle is None else microseconds(rules.idle),
        microseconds(rules.absolute),
        microseconds(rules.touch_interval),
    )
    values = {**secret, "kind": rules.kind, **wanted.values}
    made: list[Session] = yield statements.create(wanted.tenant, wanted.user, life, values, at)
    return NewSession(token=str(token), session=made[0])
