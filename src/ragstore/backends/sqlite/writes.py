"""Writing on SQLite."""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.dialects.sqlite import Insert, insert


def upsert(table: Table) -> Insert:
    """Make an insert that can say what happens on a conflict. Never `INSERT OR REPLACE`: it deletes what refers."""
    return insert(table)
