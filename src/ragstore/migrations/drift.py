"""`check`: the catalogue held against the declaration, which is built beside it on the same kind of database.

Alembic's `compare_metadata` leaves out CHECKs, storage, operator classes, index methods and validity, and PostgreSQL
prints expressions in its own words, which differ between versions. So what is declared is made for real, as temporary
tables in a transaction that is rolled back (in memory on SQLite), and both catalogues are read by the same queries.
"""

from __future__ import annotations

from sqlalchemy import Connection

from ragstore.migrations import sides
from ragstore.migrations.results import Difference

MANAGED_PREFIXES = ("ann_",)
"""Indexes that come and go with the data, and are no part of the declaration."""

_ORDER = ("extension", "table", "column", "constraint", "index", "trigger", "policy", "function")


def compare(connection: Connection, schema: str, *, owned: bool) -> tuple[Difference, ...]:
    """List the differences, tables first; what belongs to a missing or undeclared table is not listed again."""
    declared, found = sides.of(connection.dialect).catalogues(connection, schema, owned=owned)
    differences = [
        Difference(kind=kind, table=table, name=name, expected=declared.get(key), found=found.get(key))
        for key in declared.keys() | found.keys()
        if declared.get(key) != found.get(key)
        for kind, table, name in [key]
        if not (kind == "index" and key not in declared and name.startswith(MANAGED_PREFIXES))
    ]
    gone = {item.table for item in differences if item.kind == "table" and None in (item.expected, item.found)}
    kept = [item for item in differences if item.kind == "table" or item.table not in gone]
    return tuple(sorted(kept, key=lambda item: (_ORDER.index(item.kind), item.table, item.name)))
