"""One browser's session during one request: what is read of it, changed in it, and stored in the end.

What is asked of the store is yielded as a function of its repository, so that both faces can answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator, MutableMapping
from copy import deepcopy
from typing import Any, NamedTuple, TypeAlias, TypeVar

from ragstore.errors import Conflict, RagstoreError, SessionEnded, UsageError
from ragstore.sessions._sync import Sessions
from ragstore.sessions.records import NewSession, Session

T = TypeVar("T")
Ask: TypeAlias = Callable[[Sessions], object]
"""A call of the repository; given that of the async face, it gives an awaitable."""
Asking: TypeAlias = Generator[Ask, Any, T]

PERMANENT = "_permanent"
"""Flask's own key for how long the cookie is kept; by itself it is nothing to store."""
TRIES = 20


class Device(NamedTuple):
    """Where a session is made."""

    ip: str | None
    agent: str | None


class BrowserSession(MutableMapping[str, Any]):
    """The session of one kind that a browser has, as a mapping of JSON values.

    Without a cookie nothing is asked of the database, and nothing stored until something is written. Changes inside
    nested values count. They are stored once, before the response; of two requests at once that change the same
    session, each stores the keys that it changed, and of a key that both changed the later value stays. What is written
    to a session that somebody ends meanwhile goes with it.

    `clear` leaves the session: it is revoked, and what is written afterwards goes into a new one.
    """

    def __init__(
        self, kind: str, presented: str | None, device: Callable[[], Device], *, read_only: bool = False
    ) -> None:
        """Begin with what the browser sent; the integrations make these."""
        self.kind = kind
        self._presented = presented
        self._device = device
        self._token: str | None = None
        self._leaving: str | None = None
        self._stored: Session | None = None
        self._data: dict[str, Any] = {}
        self._original: dict[str, Any] = {}
        self._is_open = False
        self._closed = "a websocket can read its session only" if read_only else ""

    # ------------------------------------------------------------------------------------------------- mapping

    def __getitem__(self, key: str) -> Any:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __setitem__(self, key: str, value: Any) -> None:
        self._write()[key] = value

    def __delitem__(self, key: str) -> None:
        del self._write()[key]

    def __repr__(self) -> str:
        """Show the kind and, once it is read, the data, but no token."""
        return f"<{type(self).__name__} {self.kind!r}: {self._data if self._is_open else 'not read yet'}>"

    def clear(self) -> None:
        """Leave the session: with the response it is revoked, and the cookie goes."""
        self._write()
        self._leaving = self._token or self._leaving
        self._stored, self._token = None, None
        self._data, self._original = {}, {}

    # -------------------------------------------------------------------------------------------------- facts

    @property
    def stored(self) -> Session | None:
        """The session as it was stored last; None: there is none."""
        self._read()
        return self._stored

    @property
    def user_id(self) -> str | None:
        """Who is logged in; None: nobody."""
        return None if self.stored is None else self.stored.user_id

    @property
    def token(self) -> str | None:
        """The token that the browser has after the response: for `revoke_others` and `list_user(current=…)`."""
        self._read()
        return self._token

    @property
    def modified(self) -> bool:
        """Whether there is something to store."""
        return self._is_open and (repr(self._data) != repr(self._original) or self._leaving is not None)

    @property
    def is_open(self) -> bool:
        """Whether the session was asked for at all."""
        return self._is_open

    @property
    def new_cookie(self) -> bool:
        """Whether the browser has to be told of another token, or of none."""
        return self._is_open and self._token != self._presented

    # -------------------------------------------------------------------------------------------------- steps

    def opening(self) -> Asking[None]:
        """Read the session, unless that was done."""
        if self._is_open:
            return
        if self._presented is not None:
            yield from self._look_up(self._presented)
        self._is_open = True

    def _look_up(self, token: str) -> Asking[None]:
        found: Session | None = yield lambda sessions: sessions.authenticate(token, kind=self.kind)
        if found is None:
            return
        self._adopt(found, token)
        if found.outdated and not self._closed:  # the answer that brought the next token may never have arrived
            new: NewSession | None = yield lambda sessions: sessions.rotate(token)
            self._token = token if new is None else new.token

    def logging_in(self, user_id: str, organisation_id: str | None, label: str | None) -> Asking[Session]:
        """Make the user's session in the place of the one that is there, and take the data along if it is nobody's."""
        before = self._write()
        data = dict(before) if self.user_id in (None, user_id) else {}
        device, replaces = self._device(), self._token or self._leaving
        new: NewSession = yield lambda sessions: sessions.create(
            user_id,
            kind=self.kind,
            organisation_id=organisation_id,
            data=data,
            ip=device.ip,
            agent=device.agent,
            label=label,
            replaces=replaces,
        )
        self._leaving = None
        self._adopt(new.session, new.token)
        return new.session

    def logging_out(self) -> Asking[None]:
        """End the session at once."""
        self.clear()
        yield from self._leave()

    def rotating(self) -> Asking[None]:
        """Give the session another token."""
        self._write()
        token = self._token
        new: NewSession | None = yield lambda sessions: sessions.rotate(token)
        if new is None:
            raise SessionEnded("there is no session to rotate: log in first")
        self._token = new.token

    def closing(self) -> Asking[None]:
        """Store what was changed. After that, writing is an error."""
        if self._is_open and not self._closed:
            yield from self._store_changes()
        self._closed = self._closed or "the response has been started, and nothing could be stored any more"

    def _store_changes(self) -> Asking[None]:
        empty = not self._data.keys() - {PERMANENT}
        if self._stored is not None and self._stored.user_id is None and empty and self.modified:
            self.clear()
        if self._stored is not None:
            yield from self._save()
        elif empty:
            yield from self._leave()
        else:
            yield from self._make()

    def _leave(self) -> Asking[None]:
        token, self._leaving = self._leaving, None
        if token is not None:
            yield lambda sessions: sessions.revoke(token)

    def _make(self) -> Asking[None]:
        device = self._device()
        new: NewSession = yield lambda sessions: sessions.create(
            kind=self.kind,
            data=self._data,
            ip=device.ip,
            agent=device.agent,
            replaces=self._leaving,
        )
        self._leaving = None
        self._adopt(new.session, new.token)

    def _save(self) -> Asking[None]:
        for _ in range(TRIES):
            if self._stored is None or repr(self._data) == repr(self._original):
                return
            try:
                saved: Session = yield self._saving(self._stored)
            except Conflict:
                latest: Session | None = yield lambda sessions: sessions.authenticate(self._token, kind=self.kind)
                if latest is None:
                    return
                original, changed = self._original, self._data
                self._adopt(latest, self._token)
                self._data = merge(original, changed, self._original)
            except SessionEnded:
                # Whoever ended it has told the browser, and this answer may come after his: it leaves the cookie alone.
                return
            else:
                self._adopt(saved, self._token)
        raise Conflict(f"the session was changed {TRIES} times meanwhile, and this change is not stored: ask again")

    def _saving(self, stored: Session) -> Ask:
        return lambda sessions: sessions.save_data(stored, self._data, version=stored.data_version)

    # ------------------------------------------------------------------------------------------------- inside

    def _adopt(self, session: Session, token: str | None) -> None:
        self._stored, self._token = session, token
        self._original, self._data = dict(session.data), deepcopy(dict(session.data))

    def _open(self) -> None:
        """See to it that the session is read; the integrations know how."""

    def _read(self) -> dict[str, Any]:
        if not self._is_open:
            self._open()
        return self._data

    def _write(self) -> dict[str, Any]:
        data = self._read()
        if self._closed:
            raise UsageError(f"the session cannot be changed: {self._closed}")
        return data


def merge(original: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Make the changes between `original` and `mine` in `theirs`."""
    unchanged = {key for key in mine if key in original and repr(mine[key]) == repr(original[key])}
    removed = original.keys() - mine.keys()
    kept = {key: value for key, value in theirs.items() if key not in removed}
    return kept | {key: value for key, value in mine.items() if key not in unchanged}


def ask(steps: Asking[T], sessions: Callable[[], Sessions]) -> T:
    """Let the repository answer, if it is asked; its errors are raised where the call was yielded."""
    try:
        call = next(steps)
        while True:
            try:
                answer = call(sessions())
            except RagstoreError as error:
                call = steps.throw(error)
            else:
                call = steps.send(answer)
    except StopIteration as done:
        result: T = done.value
        return result


async def ask_async(steps: Asking[T], answer: Callable[[Ask], Awaitable[object]]) -> T:
    """Do the same where answers are awaited."""
    try:
        call = next(steps)
        while True:
            try:
                value = await answer(call)
            except RagstoreError as error:
                call = steps.throw(error)
            else:
                call = steps.send(value)
    except StopIteration as done:
        result: T = done.value
        return result
