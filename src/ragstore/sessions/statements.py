"""The statements of sessions: each function returns one, with the maker of its records; none is run here.

Each that judges time takes `at`, which stands in for the database's clock if it is not None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Executable,
    Table,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)

from ragstore.core.backend import Backend, UpsertInsert
from ragstore.core.base import table_of
from ragstore.core.clock import later, time_or_now
from ragstore.core.query import Query, Selected
from ragstore.core.times import MICROSECOND
from ragstore.core.types import Id, UtcDateTime, Whole
from ragstore.sessions.records import Session, SessionInfo
from ragstore.sessions.tables import SessionRow, SessionUserRow

SESSIONS = table_of(SessionRow)
USERS = table_of(SessionUserRow)

Upsert = Callable[[Table], UpsertInsert]
"""A backend's; statements that need it are made once for each."""

_TENANT: Any = bindparam("tenant")
_SESSION: Any = bindparam("session", type_=Id())
_USER: Any = bindparam("user")
_ROWS: Any = bindparam("rows")

_NOW: Any = time_or_now("at")

_IS_THE_ONE = (SESSIONS.c.tenant_id == _TENANT, SESSIONS.c.id == _SESSION)
_NOT_OVER = (SESSIONS.c.revoked_at.is_(None), SESSIONS.c.ends_at > _NOW)
_STAMP_NOW = (
    select(USERS.c.stamp)
    .where(USERS.c.tenant_id == SESSIONS.c.tenant_id, USERS.c.user_id == SESSIONS.c.user_id)
    .correlate(SESSIONS)
    .scalar_subquery()
)
_LIVE = (*_NOT_OVER, SESSIONS.c.stamp == func.coalesce(_STAMP_NOW, literal(0)))


def _end(idle: Any, touch_interval: Any, expires_at: Any) -> ColumnElement[Any]:
    # Uses in the touch interval after this one are not noted: silence is counted from the last of them that can be.
    silence = later(_NOW, idle + touch_interval)
    return case((silence < expires_at, silence), else_=expires_at)


_END = _end(SESSIONS.c.idle_timeout, SESSIONS.c.touch_interval, SESSIONS.c.expires_at)

# -------------------------------------------------------------------------------------------------- one session

_SESSION_COLUMNS = (
    SESSIONS.c.tenant_id,
    SESSIONS.c.id,
    SESSIONS.c.kind,
    SESSIONS.c.user_id,
    SESSIONS.c.organisation_id,
    SESSIONS.c.data,
    SESSIONS.c.data_version,
    SESSIONS.c.schema_version,
    SESSIONS.c.created_at,
    SESSIONS.c.last_seen_at,
    SESSIONS.c.ends_at,
    SESSIONS.c.expires_at,
    SESSIONS.c.ip,
    SESSIONS.c.agent,
    SESSIONS.c.label,
)


def _to_session(row: Sequence[Any]) -> Session:
    return Session(
        tenant=row[0],
        id=row[1],
        kind=row[2],
        user_id=row[3],
        organisation_id=row[4],
        data=row[5],
        data_version=row[6],
        schema_version=row[7],
        created_at=row[8],
        last_seen_at=row[9],
        ends_at=row[10],
        expires_at=row[11],
        ip=row[12],
        agent=row[13],
        label=row[14],
    )


@dataclass(frozen=True, slots=True)
class Stored:
    """A session's row, and the time it was read at.

    Attributes:
        session: What may be shown of it.
        digest: The SHA-256 of its secret.
        nonce: What goes into each derivation.
        generation: How often it was rotated.
        rotated_at: When last.
        touch_interval: How often its use is noted.
        over: It was revoked, has ended, or was made with another stamp.
        at: The database's time, or that which stood in for it.
    """

    session: Session
    digest: bytes
    nonce: bytes
    generation: int
    rotated_at: datetime
    touch_interval: timedelta
    over: bool
    at: datetime


_LOOK = (
    select(
        *_SESSION_COLUMNS,
        SESSIONS.c.secret_hash,
        SESSIONS.c.nonce,
        SESSIONS.c.generation,
        SESSIONS.c.rotated_at,
        SESSIONS.c.touch_interval,
        SESSIONS.c.revoked_at.is_(None) & (SESSIONS.c.stamp == func.coalesce(USERS.c.stamp, literal(0))),
        _NOW,
    )
    .outerjoin_from(
        SESSIONS, USERS, (USERS.c.tenant_id == SESSIONS.c.tenant_id) & (USERS.c.user_id == SESSIONS.c.user_id)
    )
    .where(*_IS_THE_ONE)
)


def _to_stored(row: Sequence[Any]) -> Stored:
    session = _to_session(row)
    digest, nonce, generation, rotated_at, touch_interval, stands, at = row[15:]
    over = not stands or session.ends_at <= at
    return Stored(session, digest, nonce, generation, rotated_at, touch_interval * MICROSECOND, over, at)


def look(tenant: str, session_id: UUID, at: datetime | None) -> Query[Stored]:
    """Select a session, over or not, with what is needed to judge a token."""
    return Query(_LOOK, _to_stored, {"tenant": tenant, "session": session_id, "at": at})


_IDLE, _ABSOLUTE, _INTERVAL = (
    cast(bindparam(name, type_=Whole()), Whole()) for name in ("idle", "absolute", "interval")
)
_EXPIRES = later(_NOW, _ABSOLUTE)
_STAMP = select(USERS.c.stamp).where(USERS.c.tenant_id == _TENANT, USERS.c.user_id == _USER).scalar_subquery()
_GIVEN = (
    *("id", "kind", "organisation_id", "secret_hash", "nonce"),
    *("data", "schema_version", "ip", "agent", "label"),
)
_CREATE = (
    insert(SESSIONS)
    .values(
        tenant_id=_TENANT,
        user_id=_USER,
        stamp=func.coalesce(_STAMP, literal(0)),
        created_at=_NOW,
        rotated_at=_NOW,
        last_seen_at=_NOW,
        idle_timeout=_IDLE,
        touch_interval=_INTERVAL,
        expires_at=_EXPIRES,
        ends_at=_end(_IDLE, _INTERVAL, _EXPIRES),
        **{name: bindparam(f"new_{name}", type_=SESSIONS.c[name].type) for name in _GIVEN},
    )
    .returning(*_SESSION_COLUMNS)
)


@dataclass(frozen=True, slots=True)
class Life:
    """How long a session lives, in microseconds."""

    idle: int | None
    absolute: int
    touch_interval: int


def create(tenant: str, user: str | None, life: Life, values: dict[str, Any], at: datetime | None) -> Query[Session]:
    """Insert a session, with the user's stamp as it is."""
    lives = {"idle": life.idle, "absolute": life.absolute, "interval": life.touch_interval}
    given = {f"new_{name}": value for name, value in values.items()}
    return Query(_CREATE, _to_session, {"tenant": tenant, "user": user, "at": at, **lives, **given})


_TOUCH = (
    update(SESSIONS)
    .where(*_IS_THE_ONE, *_NOT_OVER, SESSIONS.c.last_seen_at == bindparam("seen", type_=UtcDateTime()))
    .values(last_seen_at=_NOW, ends_at=_END)
    .returning(*_SESSION_COLUMNS)
)


def touch(session: Session, at: datetime | None) -> Query[Session]:
    """Note a session's use, unless somebody has noted one since it was read; of several at once, one does."""
    values = {"tenant": session.tenant, "session": session.id, "seen": session.last_seen_at, "at": at}
    return Query(_TOUCH, _to_session, values)


_ROTATE = (
    update(SESSIONS)
    .where(*_IS_THE_ONE, *_LIVE, SESSIONS.c.generation == bindparam("known"))
    .values(
        secret_hash=bindparam("new_digest", type_=SESSIONS.c.secret_hash.type),
        generation=bindparam("next"),
        rotated_at=_NOW,
        last_seen_at=_NOW,
        ends_at=_END,
    )
    .returning(*_SESSION_COLUMNS)
)


def rotate(session: Session, generation: int, digest: bytes, at: datetime | None) -> Query[Session]:
    """Put the next secret's digest in the place of this generation's; nothing if it has passed, or all is over."""
    next_one = {"known": generation, "next": generation + 1, "new_digest": digest}
    return Query(_ROTATE, _to_session, {"tenant": session.tenant, "session": session.id, "at": at, **next_one})


_SAVE = (
    update(SESSIONS)
    .where(*_IS_THE_ONE, *_LIVE, SESSIONS.c.data_version == bindparam("known"))
    .values(
        data=bindparam("new_data", type_=SESSIONS.c.data.type),
        data_version=bindparam("next"),
        schema_version=bindparam("new_schema"),
    )
    .returning(*_SESSION_COLUMNS)
)


def save(session: Session, data: Any, version: int, schema_version: int, at: datetime | None) -> Query[Session]:
    """Replace a session's data; nothing if it has another version, or is over."""
    values = {"known": version, "next": version + 1, "new_data": data, "new_schema": schema_version}
    return Query(_SAVE, _to_session, {"tenant": session.tenant, "session": session.id, "at": at, **values})


# ------------------------------------------------------------------------------------------------ many sessions


_OF_USER = (SESSIONS.c.tenant_id == _TENANT, SESSIONS.c.user_id == _USER)
_OF_KIND = SESSIONS.c.kind == bindparam("of_kind")
_INFO_COLUMNS = (
    SESSIONS.c.id,
    SESSIONS.c.kind,
    SESSIONS.c.created_at,
    SESSIONS.c.last_seen_at,
    SESSIONS.c.ends_at,
    SESSIONS.c.expires_at,
    SESSIONS.c.ip,
    SESSIONS.c.agent,
    SESSIONS.c.label,
)


def _to_info(row: Sequence[Any]) -> SessionInfo:
    return SessionInfo(
        id=row[0],
        kind=row[1],
        created_at=row[2],
        last_seen_at=row[3],
        ends_at=row[4],
        expires_at=row[5],
        ip=row[6],
        agent=row[7],
        label=row[8],
    )


@cache
def _list(of_kind: bool) -> Selected:
    wanted = (*_OF_USER, *_LIVE, _OF_KIND) if of_kind else (*_OF_USER, *_LIVE)
    latest = (SESSIONS.c.last_seen_at.desc(), SESSIONS.c.id.desc())
    return select(*_INFO_COLUMNS).where(*wanted).order_by(*latest).limit(_ROWS)


def of_user(tenant: str, user: str, kind: str | None, rows: int, at: datetime | None) -> Query[SessionInfo]:
    """Select a user's live sessions, the last used first."""
    values = {"tenant": tenant, "user": user, "rows": rows, "at": at, **_named(of_kind=kind)}
    return Query(_list(kind is not None), _to_info, values)


_OLDEST = (
    select(SESSIONS.c.id).where(*_OF_USER, _OF_KIND, *_LIVE).order_by(SESSIONS.c.created_at.asc(), SESSIONS.c.id.asc())
)


def oldest(tenant: str, user: str, kind: str, at: datetime | None) -> Query[UUID]:
    """Select the ids of a user's live sessions of a kind, the oldest first."""
    return Query(_OLDEST, lambda row: row[0], {"tenant": tenant, "user": user, "of_kind": kind, "at": at})


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that is over.

    Attributes:
        revoked: It was revoked; else its time was up.
        at: When it ended.
    """

    tenant: str
    id: UUID
    at: datetime
    revoked: bool = True


_BECAUSE: Any = case(
    (SESSIONS.c.id == bindparam("replaced", type_=Id()), literal("replaced")), else_=bindparam("because")
)


@cache
def _revoke(*filters: str) -> Executable:
    wanted = {
        "user": SESSIONS.c.user_id == _USER,
        "of_kind": _OF_KIND,
        "organisation": SESSIONS.c.organisation_id == bindparam("organisation"),
        "ids": SESSIONS.c.id.in_(bindparam("ids", expanding=True, type_=Id())),
        "keep": SESSIONS.c.id != bindparam("keep", type_=Id()),
    }
    conditions = (wanted[name] for name in filters)
    # In one order, so that two who revoke at once never wait for each other.
    chosen = (
        select(SESSIONS.c.id)
        .where(SESSIONS.c.tenant_id == _TENANT, *_LIVE, *conditions)
        .order_by(SESSIONS.c.id)
        .with_for_update()
        .cte("chosen")
    )
    return (
        update(SESSIONS)
        .where(SESSIONS.c.tenant_id == _TENANT, SESSIONS.c.id.in_(select(chosen.c.id)))
        .values(revoked_at=_NOW, ends_at=_NOW, revoked_because=_BECAUSE)
        .returning(SESSIONS.c.tenant_id, SESSIONS.c.id, SESSIONS.c.ends_at)
    )


def _revocation(
    tenant: str, because: str, at: datetime | None, replaced: UUID | None = None, **filters: Any
) -> Query[Ended]:
    values = _named(**filters)
    parameters = {"tenant": tenant, "because": because, "at": at, "replaced": replaced, **values}
    return Query(_revoke(*values), lambda row: Ended(row[0], row[1], row[2]), parameters)


def revoke(tenant: str, ids: Sequence[UUID], because: str, at: datetime | None) -> Query[Ended]:
    """End sessions; gives those that were not over."""
    return _revocation(tenant, because, at, ids=list(ids))


def make_room(tenant: str, replaced: UUID | None, surplus: Sequence[UUID], at: datetime | None) -> Query[Ended]:
    """End the session that a new one replaces, and those that are too many, all in one order."""
    ids = [*surplus] if replaced is None else [replaced, *surplus]
    return _revocation(tenant, "evicted", at, replaced=replaced, ids=ids)


def revoke_user(tenant: str, user: str, kind: str | None, keep: UUID | None, at: datetime | None) -> Query[Ended]:
    """End a user's sessions, of a kind or all, but for one perhaps."""
    return _revocation(tenant, "revoked", at, user=user, of_kind=kind, keep=keep)


def revoke_organisation(tenant: str, organisation: str, at: datetime | None) -> Query[Ended]:
    """End all sessions of an organisation."""
    return _revocation(tenant, "revoked", at, organisation=organisation)


def _named(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


_OVER = (
    select(SESSIONS.c.tenant_id, SESSIONS.c.id)
    .where(SESSIONS.c.ends_at <= _NOW)
    .order_by(SESSIONS.c.ends_at)
    .limit(_ROWS)
    .with_for_update(skip_locked=True)
    .cte("over")
)
_PURGE = (
    delete(SESSIONS)
    .where(tuple_(SESSIONS.c.tenant_id, SESSIONS.c.id).in_(select(_OVER.c.tenant_id, _OVER.c.id)))
    .returning(SESSIONS.c.tenant_id, SESSIONS.c.id, SESSIONS.c.ends_at, SESSIONS.c.revoked_at)
)


def purge(rows: int, at: datetime | None) -> Query[Ended]:
    """Delete the sessions of any tenant that have been over for longest; those that others are deleting are left."""
    return Query(_PURGE, lambda row: Ended(row[0], row[1], row[2], row[3] is not None), {"rows": rows, "at": at})


# ------------------------------------------------------------------------------------------------------- users


@cache
def _set_stamp(upsert: Upsert, first: int) -> Executable:
    row = upsert(USERS).values(tenant_id=_TENANT, user_id=_USER, stamp=literal(first))
    changed = {"stamp": USERS.c.stamp + first}
    return row.on_conflict_do_update(index_elements=["tenant_id", "user_id"], set_=changed).returning(USERS.c.stamp)


def lock_user(backend: Backend, tenant: str, user: str) -> Query[int]:
    """Make the user's row unless it is there, and make its other writers wait; gives the stamp."""
    return Query(_set_stamp(backend.upsert, 0), lambda row: row[0], {"tenant": tenant, "user": user})


def change_stamp(backend: Backend, tenant: str, user: str) -> Query[int]:
    """Give the user another stamp."""
    return Query(_set_stamp(backend.upsert, 1), lambda row: row[0], {"tenant": tenant, "user": user})
