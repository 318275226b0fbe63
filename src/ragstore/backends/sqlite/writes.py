"""Writing on SQLite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.sqlite import Insert, insert

from ragstore.conversations.backend import Append, Place
from ragstore.core.query import Copy, Query


def upsert(table: Table) -> Insert:
    """Make an insert that can say what happens on a conflict. Never `INSERT OR REPLACE`: it deletes what refers."""
    return insert(table)


def copy(connection: Connection, copy: Copy, options: Mapping[str, Any]) -> bool:
    """Leave it to an insert: there is no faster way."""
    return False


def append_at_once(asked: Append) -> Query[Place] | None:
    """Leave it to statements: no round trip is saved."""
    return None
