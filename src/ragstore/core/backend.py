"""What differs between databases, as seen by everyone else: ask for an ability, never for a database's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.engine import URL

from ragstore.config import Settings
from ragstore.core.query import Copy

PREPARED = "ragstore_prepared"
"""Key in a connection's info: this driver's connection has been prepared."""

READ_ONLY = "ragstore_read_only"
"""Execution option: this transaction takes no write lock."""

UpsertInsert = PostgresInsert | SqliteInsert


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a backend can do.

    Attributes:
        schemas: Tables live in a named schema.
        concurrent_writers: Several transactions may write at once.
        row_locks: `FOR UPDATE` exists; without it a write transaction locks everything.
        concurrent_index: An index can be built while others write.
        free_transactions: Beginning one is no round trip, so that every read may have a snapshot of its own.
        in_process: The database runs in the calling thread, so an async face needs threads.
    """

    schemas: bool
    concurrent_writers: bool
    row_locks: bool
    concurrent_index: bool
    free_transactions: bool
    in_process: bool


class Backend(Protocol):
    """What every aggregate may ask of a backend. Statements are returned, never run."""

    name: str
    supports: Abilities

    def upsert(self, table: Table) -> UpsertInsert:
        """Make an insert that has `on_conflict_do_nothing` and `on_conflict_do_update`."""
        ...

    def leave_to_parent(self, url: URL, idle: Sequence[Any], used: Sequence[Any]) -> None:
        """In a forked child, give up a parent's connections so that nothing reaches them; `used` may be in mid-call."""
        ...

    def copy(self, connection: Connection, copy: Copy, options: Mapping[str, Any]) -> bool:
        """Write rows in bulk, faster than an insert would; False: not possible here, and nothing was done."""
        ...

    def begin(self, connection: Connection, settings: Settings, *, write: bool) -> None:
        """Do what the start of a transaction needs: SQLite's write lock, PostgreSQL's time-outs."""
        ...

    def is_aborted(self, connection: Connection) -> bool:
        """Say whether the server would answer a COMMIT with a silent rollback."""
        ...

    def refuse_autocommit(self, connection: Connection) -> None:
        """Raise `UsageError` if each statement on this connection commits by itself."""
        ...

    def prepare(self, connection: Connection) -> None:
        """Prepare a driver's connection for our parameters, and note it under `PREPARED` in its info."""
        ...

    def overwrite_deleted(self, connection: Connection, mode: int | None) -> int | None:
        """Have the bytes of what is deleted overwritten, and give the mode until then, which sets it back."""
        ...

    def clear_traces(self, connection: Connection) -> bool:
        """Remove what the files still hold of what was overwritten; False: something may be left in them."""
        ...

    def execution_options(self, schema: str) -> Mapping[str, Any]:
        """Give the options that go with each execution for tables in this schema."""
        ...

    def translating(self) -> AbstractContextManager[None]:
        """Turn the driver's errors into ours."""
        ...
