"""Statements that delete or count conversations by their last activity; pinned ones are never looked at."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, cast, delete, func, select, tuple_

from ragstore.conversations.statements.base import CONVERSATIONS, ROWS, TENANT
from ragstore.core.clock import later, time_or_now
from ragstore.core.query import Query, Write
from ragstore.core.types import Whole

_AGE = cast(bindparam("age", type_=Whole()), Whole())
_BEFORE: ColumnElement[datetime] = later(time_or_now("now"), -_AGE)
_PLACE = (CONVERSATIONS.c.last_activity, CONVERSATIONS.c.id)

_OLD = (
    select(CONVERSATIONS.c.tenant_id, CONVERSATIONS.c.id)
    .where(CONVERSATIONS.c.tenant_id == TENANT, CONVERSATIONS.c.last_activity < _BEFORE, ~CONVERSATIONS.c.pinned)
    .order_by(*_PLACE)
    .limit(ROWS)
)
# Locking looks at the row as it is then: one that has become active or pinned meanwhile is passed over. Nested, because
# sqlite3 counts no rows of a statement that begins with WITH.
_LOCKED = _OLD.with_for_update(skip_locked=True).cte("old", nesting=True)
_PURGE = delete(CONVERSATIONS).where(
    tuple_(CONVERSATIONS.c.tenant_id, CONVERSATIONS.c.id).in_(select(_LOCKED.c.tenant_id, _LOCKED.c.id))
)
_COUNT = select(func.count()).select_from(_OLD.subquery())


def _values(age: int, now: datetime | None, **values: Any) -> dict[str, Any]:
    return {"age": age, "now": now, **values}


def purge(tenant: str, age: int, now: datetime | None, rows: int) -> Write:
    """Delete a tenant's conversations of this age in microseconds, the longest silent first; locked ones are left."""
    return Write(_PURGE, _values(age, now, tenant=tenant, rows=rows))


def count(tenant: str, age: int, now: datetime | None, rows: int) -> Query[int]:
    """Count what `purge` would delete."""
    return Query(_COUNT, lambda row: int(row[0]), _values(age, now, tenant=tenant, rows=rows))


_FIRST = select(func.min(CONVERSATIONS.c.tenant_id).label("tenant")).where(
    CONVERSATIONS.c.tenant_id > bindparam("after")
)
_WALK = _FIRST.cte("walk", recursive=True)
_NEXT = select(func.min(CONVERSATIONS.c.tenant_id)).where(CONVERSATIONS.c.tenant_id > _WALK.c.tenant)
_TENANTS = _WALK.union_all(select(_NEXT.correlate(_WALK).scalar_subquery()).where(_WALK.c.tenant.is_not(None)))
# A scalar subquery, not EXISTS: the planner could turn that into a join that reads the whole table.
_HAS_OLD = (
    select(CONVERSATIONS.c.id)
    .where(
        CONVERSATIONS.c.tenant_id == _TENANTS.c.tenant,
        CONVERSATIONS.c.last_activity < _BEFORE,
        ~CONVERSATIONS.c.pinned,
    )
    .order_by(*_PLACE)
    .limit(1)
    .correlate(_TENANTS)
    .scalar_subquery()
)
_TENANTS_WITH_OLD = (
    select(_TENANTS.c.tenant)
    .where(_TENANTS.c.tenant.is_not(None), _HAS_OLD.is_not(None))
    .order_by(_TENANTS.c.tenant)
    .limit(ROWS)
)


def tenants_with_old(after: str, age: int, now: datetime | None, rows: int) -> Query[str]:
    """Select tenants, from after one, that have something to purge; each is found by two looks into an index."""
    return Query(_TENANTS_WITH_OLD, lambda row: str(row[0]), _values(age, now, after=after, rows=rows))
