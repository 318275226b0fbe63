"""The bytes of what was deleted: they go when the server vacuums the tables."""

from __future__ import annotations

from sqlalchemy import Connection


def overwrite_deleted(connection: Connection, mode: int | None) -> int | None:
    """Change nothing: other transactions may still have to see a deleted row."""
    return None


def clear_traces(connection: Connection) -> bool:
    """Leave it to VACUUM, which takes the tables' owner."""
    return False
