"""What people hold of an erasure."""

from __future__ import annotations

from collections.abc import Mapping

from ragstore.core.records import Record


class ErasureReport(Record):
    """What was erased, or would be.

    Attributes:
        rows: The number of rows by table; a table without any is left out.
        dry_run: Nothing was deleted.
        traces: Bytes of what was deleted may still lie in the database's files. On PostgreSQL they do until the tables
            are vacuumed. On SQLite they do if somebody was reading, until another call finds that nobody is; or if
            `secure_delete` is off on the connections, until the file is vacuumed.
    """

    rows: Mapping[str, int]
    dry_run: bool
    traces: bool

    @property
    def total(self) -> int:
        """Count the rows of all tables."""
        return sum(self.rows.values())
