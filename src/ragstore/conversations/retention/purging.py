"""Deleting conversations by their last activity, so many at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ragstore.conversations import preparing
from ragstore.conversations.retention import statements
from ragstore.core import border
from ragstore.core.query import Steps
from ragstore.core.times import MICROSECOND

MAX_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Purge:
    """What is to go.

    Attributes:
        age: The silence after which a conversation goes, in microseconds.
        rows: How many conversations at most.
        now: Stands in for the database's clock.
        dry_run: Only count them.
    """

    age: int
    rows: int
    now: datetime | None
    dry_run: bool


def wanted(older_than: object, max_rows: object, now: datetime | None, *, dry_run: bool) -> Purge:
    """Check what a purge is asked for."""
    age = border.span(older_than, field="older_than", minimum=timedelta(0))
    rows = border.limit(max_rows, field="max_rows", maximum=MAX_ROWS)
    return Purge(age // MICROSECOND, rows, preparing.moment(now, "now"), dry_run)


def purge(tenant: str, asked: Purge, rows: int | None = None) -> Steps[int]:
    """Delete some of a tenant's old conversations, or count them."""
    wanted_rows = asked.rows if rows is None else rows
    if asked.dry_run:
        counted: list[int] = yield statements.count(tenant, asked.age, asked.now, wanted_rows)
        return counted[0]
    deleted: int = yield statements.purge(tenant, asked.age, asked.now, wanted_rows)
    return deleted


def purge_all(asked: Purge) -> Steps[int]:
    """Delete some of all tenants' old conversations, or count them: one tenant's after the other's."""
    after, done = "", 0
    while done < asked.rows:
        left = asked.rows - done
        tenants: list[str] = yield statements.tenants_with_old(after, asked.age, asked.now, left)
        for tenant in tenants:
            done += yield from purge(tenant, asked, asked.rows - done)
            if done == asked.rows:
                break
        if len(tenants) < left:
            break
        after = tenants[-1]
    return done
