"""What a presented token is worth."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import Enum
from secrets import token_bytes

from ragstore.core.query import Steps
from ragstore.errors import SessionEnded
from ragstore.sessions import statements
from ragstore.sessions.book import SessionBook
from ragstore.sessions.preparing import Time
from ragstore.sessions.records import Session, microseconds
from ragstore.sessions.statements import Stored
from ragstore.sessions.tokens import SECRET_BYTES, Token


class Worth(Enum):
    """What a token is worth.

    `NOTHING` is said of an unknown session, a wrong secret, and a session that is over, in the same way.
    """

    NOTHING = "nothing"
    CURRENT = "current"
    OUTDATED = "outdated"
    """It was rotated so short a time ago that requests with it may still be under way."""
    REPLAYED = "replayed"


@dataclass(frozen=True, slots=True)
class Presented:
    """A token beside what is stored.

    Attributes:
        token: What was presented.
        worth: What it is worth.
        stored: The session's row; there is one unless the token is worth nothing.
        successor: The token that is current now, derived from the presented one.
    """

    token: Token
    worth: Worth
    stored: Stored | None
    successor: Token | None

    @property
    def row(self) -> Stored:
        """Give the row of a session that is there."""
        assert self.stored is not None
        return self.stored

    @property
    def session(self) -> Session | None:
        """Give the session if the token is good."""
        if self.worth is Worth.CURRENT:
            return self.row.session
        return self.row.session.model_copy(update={"outdated": True}) if self.worth is Worth.OUTDATED else None


_NO_ONE = token_bytes(SECRET_BYTES)


def judge(token: Token, stored: Stored | None, book: SessionBook) -> Presented:
    """Say what a token is worth; whatever it is, one digest is made and compared."""
    generation, nonce, digest = (
        (token.generation, _NO_ONE, _NO_ONE) if stored is None else (stored.generation, stored.nonce, stored.digest)
    )
    successor = token.at(generation, nonce)
    same = hmac.compare_digest((successor or token).digest, digest)
    if stored is None or successor is None or not same or stored.over:
        return Presented(token, Worth.NOTHING, stored, None)
    return Presented(token, _worth(token, stored, book), stored, successor)


def _worth(token: Token, stored: Stored, book: SessionBook) -> Worth:
    if token.generation == stored.generation:
        return Worth.CURRENT
    window = microseconds(book.rules(stored.session.kind).replay_window)
    young = microseconds(stored.at - stored.rotated_at) < window
    return Worth.OUTDATED if young and token.generation == stored.generation - 1 else Worth.REPLAYED


def present(token: Token, book: SessionBook, at: Time) -> Steps[Presented]:
    """Read what a token names, and judge it."""
    found: list[Stored] = yield statements.look(token.tenant, token.session_id, at)
    return judge(token, found[0] if found else None, book)


def admit(token: Token, book: SessionBook, at: Time) -> Steps[Session]:
    """Give a good token's session, or raise `SessionEnded`."""
    presented = yield from present(token, book, at)
    session = presented.session
    if session is None:
        raise SessionEnded("the token's session is over or unknown, and nothing was changed: log in again")
    return session
