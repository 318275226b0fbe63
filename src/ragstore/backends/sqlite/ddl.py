"""What a table declaration cannot say on SQLite: nothing so far."""

from __future__ import annotations

SQLITE_MINIMUM = (3, 38, 0)

STORAGE: tuple[str, ...] = ()
"""Run after the tables are made."""
