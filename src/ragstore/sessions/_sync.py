# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""The sessions' repository."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from ragstore.core import border
from ragstore.core._sync import Access, Repository
from ragstore.core.backend import Backend
from ragstore.core.ids import parse_id
from ragstore.core.query import Steps
from ragstore.core.records import JsonObject
from ragstore.errors import ConcurrencyError, InvalidInput, LockTimeout, ReadOnlyError, SessionEnded, TenantRequired
from ragstore.sessions import changing, ending, judging, preparing, starting, statements
from ragstore.sessions.book import Listener, SessionBook
from ragstore.sessions.judging import Presented, Worth
from ragstore.sessions.records import NewSession, Session, SessionEvent, SessionInfo, SessionRules
from ragstore.sessions.starting import Wanted
from ragstore.sessions.tokens import Token, read_token

T = TypeVar("T")


class Sessions(Repository[Backend]):
    """Login sessions of the host's users.

    A session has a public id, for lists and logs, and a token, which the browser keeps and which the database could not
    tell. A token carries its tenant: a store without a tenant (`Settings(tenant=None)`) takes those of every tenant, a
    handle with a tenant only its own.

    On the store, each call has a transaction of its own on connections beside the pool: an open unit of work, rolled
    back, undoes none of it. On SQLite it raises `UsageError` inside a writing unit of the same thread or task, which it
    would wait for. `unit.sessions`, and those of `using()`, are part of that transaction.

    Every time is the database's. `now` stands in for its clock where it is given: for tests, and for replaying a log.
    """

    def __init__(self, access: Access[Backend], book: SessionBook) -> None:
        """Read and write through `access`; the book holds the rules and the listeners."""
        super().__init__(access)
        self._book = book

    # ------------------------------------------------------------------------------------------------ settings

    def define(self, *rules: SessionRules) -> None:
        """Set the rules of kinds, in the place of earlier ones. Nothing is stored.

        They hold for this store and all its handles; each process that makes or checks sessions needs them.

        Args:
            rules: One for each kind.

        Raises:
            InvalidInput: One is no `SessionRules`.

        Example:
            .. code-block:: python

                from ragstore import SessionRules

                store.sessions.define(SessionRules("login", idle=1800, absolute=8 * 3600, max_sessions=5))
        """
        self._book.define(rules)

    def on_event(self, listener: Listener) -> None:
        """Call a function for each event, in this process and for this store and all its handles.

        It is called once the change is committed; under `using()`, when the call is done, since the host's commit is
        not seen here. It runs in the thread of the call, so it should be quick. If it raises, the error goes to the
        logger `ragstore.sessions`, and the call goes on: what it is told of has happened. Sessions that a changed stamp
        ended have no event.

        Args:
            listener: A plain function, which may put the event into a queue.

        Raises:
            InvalidInput: It is a coroutine function, or cannot be called.
        """
        self._book.listen(listener)

    # -------------------------------------------------------------------------------------------- tokens

    def create(  # noqa: PLR0913 - all that is known at a login, by keyword
        self,
        user_id: str | None = None,
        *,
        kind: str = "login",
        organisation_id: str | None = None,
        data: JsonObject | None = None,
        schema_version: int = 1,
        ip: str | None = None,
        agent: str | None = None,
        label: str | None = None,
        replaces: str | None = None,
        now: datetime | None = None,
    ) -> NewSession:
        """Make a session, in one transaction; each call makes another.

        Where the kind's rules bound the number, the user's row is locked meanwhile, and logins of the same user wait
        for each other: the bound is exact.

        Args:
            user_id: The host's id of the user, 1 to 255 bytes; None: a visitor, whose sessions are not counted.
            kind: The realm. Sessions of different kinds live side by side.
            organisation_id: The organisation that the user acts for, to 255 bytes.
            data: A JSON object of the host's own, at most `max_data_bytes` of the kind's rules. Never pickled.
            schema_version: The host's number of the data's form, 0 or more.
            ip: The client's address; its network is kept (/24, /48), the address is not.
            agent: The `User-Agent`; its first 512 characters are kept.
            label: What the user calls the device, at most 100 characters.
            replaces: The token that the browser came with; its session ends in the same transaction. So nobody can
                prepare a session for somebody else to log in to. A token that is no good is passed over.
            now: Stands in for the database's clock.

        Raises:
            LimitExceeded: The user has as many sessions as the rules allow, and they say "reject".
            InvalidInput: A value is unfit.
            TenantRequired: The store has no tenant: make it on `for_tenant`.

        Example:
            .. code-block:: python

                new = store.sessions.create("ann", agent="Firefox")
                session = store.sessions.authenticate(new.token)
                assert session.user_id == "ann"
        """
        rules, policy = self._book.rules(preparing.kind(kind)), self._policy()
        values = {
            "organisation_id": None if organisation_id is None else preparing.organisation(organisation_id),
            "data": preparing.data({} if data is None else data, policy, rules.max_data_bytes),
            "schema_version": preparing.number(schema_version, "schema_version"),
            "ip": preparing.network(ip),
            "agent": preparing.agent(agent, policy),
            "label": preparing.label(label, policy),
        }
        user = None if user_id is None else preparing.user(user_id)
        wanted = Wanted(self._tenant, user, rules, values, read_token(replaces))
        return self._change(starting.create(self._backend, wanted, self._book, preparing.time(now)))

    def authenticate(
        self, token: str | None, *, kind: str | None = None, now: datetime | None = None
    ) -> Session | None:
        """Give the live session of a token, or None, whatever is wrong with it.

        One SELECT, which is the same for an unknown, a wrong, an expired and a revoked token. If the last use was noted
        `touch_interval` ago or longer, one UPDATE notes this one; of several at once, one writes. On a standby, in a
        read-only unit, and while somebody else writes for longer than the time-outs, use cannot be noted: the session
        is given as it is, and ends as if it had not been used. No row is ever made.

        Args:
            token: What the browser sent; None, too, is no session.
            kind: Only a session of this kind is good.
            now: Stands in for the database's clock.

        Returns:
            The session. It is `outdated` if the token was rotated less than `replay_window` ago: `rotate` gives the
            new one. A token from before that was copied by somebody: the session is revoked.

        Raises:
            UsageError: On SQLite, inside a writing unit of the same thread or task.
            ReadOnlyError: A replay cannot be answered on a standby, or a use not be noted in the host's transaction.
        """
        at, wanted = preparing.time(now), None if kind is None else preparing.kind(kind)
        presented = self._present(token, at)
        if presented is None:
            return None
        session = presented.session
        if session is None or wanted not in (None, session.kind):
            return None
        due = presented.row.at - session.last_seen_at >= presented.row.touch_interval
        return self._touch(session, at) if due else session

    def rotate(self, token: str | None, *, now: datetime | None = None) -> NewSession | None:
        """Give a session another token, from time to time. Its data and its end stay.

        Whoever has the old token is given the new one too, within `replay_window`. So at a login, and wherever nobody
        who knew the old token may go on, make another session: `create(replaces=token)`.

        One SELECT, and one UPDATE in a transaction. Of several callers with the same token one writes, and all are
        given the same new token, within `replay_window` of the first. Rotate no more often than that: after two
        rotations in one window, a request that still carries the token before both is taken for a replay.

        Args:
            token: What the browser sent.
            now: Stands in for the database's clock.

        Returns:
            The new token; None as for `authenticate`.

        Raises:
            UsageError: On SQLite, inside a writing unit of the same thread or task.
        """
        at = preparing.time(now)
        presented = self._present(token, at)
        if presented is None:
            return None
        if presented.worth is Worth.CURRENT:
            return self._change(changing.rotate(presented, self._book, at))
        return changing.handed_on(presented)

    # ----------------------------------------------------------------------------------------------- sessions

    def get(self, session_id: UUID | str, *, now: datetime | None = None) -> Session:
        """Read a session by its public id, for the host's own use: an id proves nothing.

        Raises:
            SessionEnded: It is over, or there is none.
        """
        known = parse_id(session_id, field="session_id")
        found = self._fetch(statements.look(self._tenant, known, preparing.time(now)))
        return changing.live(found, known).session

    def list_user(
        self,
        user_id: str,
        *,
        kind: str | None = None,
        current: str | None = None,
        limit: int = 100,
        now: datetime | None = None,
    ) -> list[SessionInfo]:
        """List a user's live sessions, the last used first, without data and secrets.

        Args:
            user_id: The user.
            kind: Only those of this kind.
            current: The token of the session to be marked `is_current`.
            limit: How many at most, 1 to 1,000.
            now: Stands in for the database's clock.
        """
        of_kind = None if kind is None else preparing.kind(kind)
        rows, user = border.limit(limit), preparing.user(user_id)
        found = self._fetch(statements.of_user(self._tenant, user, of_kind, rows, preparing.time(now)))
        token = self._read(current)
        own = None if token is None else token.session_id
        return [info.model_copy(update={"is_current": info.id == own}) for info in found]

    def save_data(
        self,
        session: Session | str,
        data: JsonObject,
        *,
        version: int,
        schema_version: int | None = None,
        now: datetime | None = None,
    ) -> Session:
        """Replace a session's data, if it still has the version that was read. One UPDATE; no use is noted by it.

        Args:
            session: The session that `authenticate` gave, or its token.
            data: A JSON object, at most `max_data_bytes` of the kind's rules.
            version: The `data_version` that was read.
            schema_version: The host's number of the data's form; None: as the session was read.
            now: Stands in for the database's clock.

        Returns:
            The session with the new data and version.

        Raises:
            SessionEnded: It was revoked or has expired: nothing brings it back.
            Conflict: The data was saved since. Nothing is stored.
            InvalidInput: The data cannot be stored, or is too large.
        """
        at, known = preparing.time(now), preparing.number(version, "version")
        known_session = self._known(session, at)
        fit = preparing.data(data, self._policy(), self._book.rules(known_session.kind).max_data_bytes)
        form = known_session.schema_version if schema_version is None else schema_version
        form = preparing.number(form, "schema_version")
        with self._access.writing() as work:
            return work.steps(changing.save(known_session, fit, known, form, at))

    # ----------------------------------------------------------------------------------------------- ending

    def revoke(self, session: UUID | str, *, now: datetime | None = None) -> bool:
        """End a session: at a logout, or from a list of devices. The next check sees it, on any connection.

        Args:
            session: A token, as text, or a public id, as a `UUID`. Text is never taken for an id, which others may
                know.
            now: Stands in for the database's clock.

        Returns:
            False: it was over, there is none, or the token is wrong.
        """
        at = preparing.time(now)
        if isinstance(session, UUID):
            return bool(self._tell(ending.revoke(self._tenant, session, at)))
        if not isinstance(session, str):
            raise InvalidInput(f"must be a UUID or a token, not {type(session).__name__}", field="session")
        token = self._read(session)
        return token is not None and bool(self._tell(ending.revoke_token(token, self._book, at)))

    def revoke_others(self, token: str, *, now: datetime | None = None) -> int:
        """End all sessions of a token's user and kind but its own, and give their number.

        Raises:
            SessionEnded: The token is no good. Nothing is ended.
        """
        return len(self._tell(ending.revoke_others(self._good(token), self._book, preparing.time(now))))

    def revoke_user(
        self, user_id: str, *, kind: str | None = None, keep: str | None = None, now: datetime | None = None
    ) -> int:
        """End a user's sessions, and give their number.

        Args:
            user_id: The user.
            kind: Only those of this kind.
            keep: The token of a session that stays.
            now: Stands in for the database's clock.

        Raises:
            SessionEnded: The token to keep is no good. Nothing is ended.
        """
        user, of_kind = preparing.user(user_id), None if kind is None else preparing.kind(kind)
        kept = None if keep is None else self._good(keep)
        at = preparing.time(now)
        return len(self._tell(ending.revoke_user(self._tenant, user, of_kind, kept, self._book, at)))

    def revoke_organisation(self, organisation_id: str, *, now: datetime | None = None) -> int:
        """End all sessions of an organisation, and give their number."""
        organisation = preparing.organisation(organisation_id)
        return len(self._tell(ending.revoke_organisation(self._tenant, organisation, preparing.time(now))))

    def change_stamp(self, user_id: str) -> int:
        """End all of a user's sessions that were made so far, at a changed password, say, by writing one row.

        Their own rows are not touched, and they have no events. A login that is under way in the same moment may have
        been made with the old stamp, and is over then too.

        Returns:
            The new stamp.
        """
        query = statements.change_stamp(self._backend, self._tenant, preparing.user(user_id))
        with self._access.writing() as work:
            (stamp,) = work.fetch(query)
            return stamp

    # ------------------------------------------------------------------------------------------------- inside

    def _is_ours(self, tenant: str) -> bool:
        try:
            return tenant == self._tenant
        except TenantRequired:
            return True

    def _read(self, token: str | None) -> Token | None:
        """Read a token; one of another tenant than the handle's is none."""
        read = read_token(token)
        return read if read is not None and self._is_ours(read.tenant) else None

    def _good(self, token: str) -> Token:
        read = self._read(token)
        if read is None:
            raise SessionEnded("this is no token of a session: pass what the browser sent")
        return read

    def _known(self, session: Session | str, at: datetime | None) -> Session:
        if isinstance(session, str):
            token = self._good(session)
            return self._access.read(lambda: judging.admit(token, self._book, at))
        if not isinstance(session, Session):
            raise InvalidInput(f"must be a Session or a token, not {type(session).__name__}", field="session")
        if not self._is_ours(session.tenant):
            raise SessionEnded(f"the session {session.id} is of another tenant: use store.for_tenant(session.tenant)")
        return session

    def _present(self, token: str | None, at: datetime | None) -> Presented | None:
        """Read what a token names; a replay is answered at once."""
        self._access.refuse_own_writer()  # always, and not only when there is something to write
        read = self._read(token)
        if read is None:
            return None
        presented = self._access.read(lambda: judging.present(read, self._book, at))
        if presented.worth is Worth.REPLAYED:
            self._tell(ending.replayed(presented.row.session, at))
        return presented

    def _touch(self, session: Session, at: datetime | None) -> Session:
        try:
            with self._access.writing() as work:
                if work.read_only:
                    return session
                touched = work.fetch(statements.touch(session, at))
        except (ReadOnlyError, LockTimeout, ConcurrencyError):
            # a standby, or somebody who writes for long: the session is good all the same
            if self._access.one_shot:  # and no transaction of anybody's was spoilt
                return session
            raise
        return touched[0].model_copy(update={"outdated": session.outdated}) if touched else session

    def _change(self, steps: Steps[tuple[T, list[SessionEvent]]]) -> T:
        with self._access.writing() as work:
            result, events = work.steps(steps)
            work.afterwards.append(partial(self._book.tell, events))
        return result

    def _tell(self, steps: Steps[list[SessionEvent]]) -> list[SessionEvent]:
        with self._access.writing() as work:
            events = work.steps(steps)
            work.afterwards.append(partial(self._book.tell, events))
        return events
