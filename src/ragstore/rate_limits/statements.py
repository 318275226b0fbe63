"""The statements on rate limits that need no haste; decisions are made in `ragstore.backends`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, select, tuple_

from ragstore.core.base import table_of
from ragstore.core.clock import time_or_now
from ragstore.core.query import Write
from ragstore.rate_limits.tables import RateLimitRow

_TABLE = table_of(RateLimitRow)
_KEY = tuple_(*_TABLE.primary_key.columns)
_EXPIRED = (
    select(*_TABLE.primary_key.columns)
    .where(_TABLE.c.expires_at <= time_or_now("now"))
    .order_by(_TABLE.c.expires_at)
    .limit(bindparam("rows"))
    .with_for_update(skip_locked=True)
    # Chosen once: a plan may run a subquery anew for each row, and it then finds others. Nested, because sqlite3 counts
    # no rows of a statement that begins with WITH.
    .cte("expired", nesting=True)
)
_PURGE = delete(_TABLE).where(_KEY.in_(select(*_EXPIRED.columns)))


def purge(rows: int, now: datetime | None) -> Write:
    """Delete states of any tenant that say nothing any more; those that are being counted on are left."""
    return Write(_PURGE, {"rows": rows, "now": now})
