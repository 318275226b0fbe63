"""All we store: importing this module declares every table."""

from __future__ import annotations

from sqlalchemy import Table

from ragstore.conversations import tables as _conversations
from ragstore.core import tables as _core
from ragstore.core.base import Base
from ragstore.corpus import tables as _corpus
from ragstore.rate_limits import tables as _rate_limits
from ragstore.sessions import tables as _sessions

metadata = Base.metadata
"""The metadata of every table, for a host's foreign keys; its schema is `ragstore`."""

_DECLARED = (_core, _corpus, _conversations, _rate_limits, _sessions)


def tables_for(database: str) -> list[Table]:
    """List the tables that a database has, parents before children.

    Args:
        database: "postgresql" or "sqlite".
    """
    return [table for table in metadata.sorted_tables if table.info.get("only", database) == database]
