"""Erasing by the inventory: in batches, each a transaction of its own that begins by locking what it deletes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from ragstore.core.query import Steps
from ragstore.privacy import statements
from ragstore.privacy.inventory import INVENTORY
from ragstore.privacy.statements import Scope
from ragstore.schema import tables_for

AT_ONCE = 200
"""Rows that a batch deletes with what hangs on them."""
ALONE_AT_ONCE = 1000
"""Rows on which nothing hangs that a batch deletes."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of a table that go in one transaction.

    Attributes:
        table: Its name.
        hanging: The tables whose rows go with them.
        patient: Wait for a row that somebody else holds, and take that one alone; else such rows are passed over. Who
            waits holds nothing then, so that nobody waits for each other.
    """

    table: str
    hanging: tuple[str, ...]
    patient: bool


def _there(database: str) -> list[str]:
    names = {table.name for table in tables_for(database)}
    return [name for name in INVENTORY if name in names]


def batches(database: str, scope: Scope) -> list[Batch]:
    """Give what is to be done, each until it finds nothing."""
    there = _there(database)
    deleted = [name for name in there if statements.action(name, scope.whole) == "delete"]
    hanging = {name: tuple(one for one in there if name in statements.above(one)) for name in deleted}
    return [Batch(name, hanging[name], patient) for name in deleted for patient in (False, True)]


def erase(batch: Batch, scope: Scope) -> Steps[Counter[str]]:
    """Delete some rows with what hangs on them, and count them by table; none: there are none left."""
    rows = 1 if batch.patient else AT_ONCE if batch.hanging else ALONE_AT_ONCE
    keys: list[tuple[Any, ...]] = yield statements.lock(batch.table, scope, rows, skip_locked=not batch.patient)
    erased: Counter[str] = Counter()
    if not keys:
        return erased
    for name in batch.hanging:
        (erased[name],) = yield statements.count_hanging(name, batch.table, keys)
    deleted: int = yield statements.delete_rows(batch.table, keys)
    erased[batch.table] = deleted
    return erased


def count(database: str, scope: Scope) -> Steps[Counter[str]]:
    """Count the rows that are to go by table."""
    counted: Counter[str] = Counter()
    for name in _there(database):
        if statements.action(name, scope.whole) != "keep":
            (counted[name],) = yield statements.count(name, scope)
    return counted
