"""Writing on PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import Insert, insert


def upsert(table: Table) -> Insert:
    """Make an insert that can say what happens on a conflict."""
    return insert(table)
