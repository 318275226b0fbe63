"""The two databases as migrations see them: one module each, with the same functions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import DBAPIError

from ragstore.core.translate import Classify
from ragstore.errors import RagstoreError, UsageError
from ragstore.migrations.job import Job


class Busy(Exception):
    """Another process is migrating, or writing: try again until the deadline."""


Catalogue = dict[tuple[str, str, str], str]
"""What a database holds: (kind, table, name) → a description that is equal if and only if the object is."""


class Side(Protocol):
    """What differs between the databases."""

    @property
    def classify(self) -> Classify:
        """Give what makes our error of a driver's."""
        ...

    def prefix(self, schema: str) -> str:
        """Give what stands before a table's name: the quoted schema and a dot, or nothing."""
        ...

    def look_prefix(self, schema: str) -> str:
        """Give what stands before a table's name in a query: never nothing, which could find somebody else's."""
        ...

    def declared(self) -> Sequence[str]:
        """Name the tables that this code declares, parents first, and then the functions."""
        ...

    def ours(self, connection: Connection, schema: str) -> set[str]:
        """Name the tables and functions that exist and have a name of ours."""
        ...

    def has_columns(self, connection: Connection, schema: str, table: str, columns: Sequence[str]) -> bool:
        """Ask the catalogue, which cannot fail, whether these can be read."""
        ...

    def cannot_tell(self, error: DBAPIError) -> bool:
        """Say whether a look failed by what is missing, locked or not to be read: `alone` makes it, waits, or says."""
        ...

    def new_engine_options(self, url: URL) -> dict[str, object]:
        """Give the arguments for a private engine; check a file's place before it is opened."""
        ...

    def watch(self, engine: Engine) -> None:
        """Look at each new connection of a private engine before SQLAlchemy does."""
        ...

    def exists(self, url: URL) -> bool:
        """Say whether there can be a database at this address; a look must not create a file."""
        ...

    def refuse_autocommit(self, connection: Connection) -> None:
        """Refuse a caller's connection on which each statement would commit."""
        ...

    def quiet(self, connection: Connection) -> None:
        """Set up a borrowed connection for a look that takes no lock and leaves no transaction."""
        ...

    def alone(self, connection: Connection, job: Job, *, owned: bool) -> AbstractContextManager[None]:
        """Begin, check the server, take the migration lock; at the end commit, if owned, or roll back."""
        ...

    def gave_up(self, connection: Connection, job: Job) -> RagstoreError:
        """Make the error for a deadline that passed while another process was busy."""
        ...

    def make_ready(self, connection: Connection, job: Job, *, owned: bool, rebuilds: bool) -> dict[str, str]:
        """Make what tables need, and give the replacements in the revisions' statements."""
        ...

    def references(self, connection: Connection, schema: str, tables: Sequence[str]) -> list[tuple[str, str, str]]:
        """List the foreign keys of other tables to these: (their table, the key's name, our table)."""
        ...

    def verify(self, connection: Connection) -> None:
        """Look for damage before the commit."""
        ...

    def catalogues(self, connection: Connection, schema: str, *, owned: bool) -> tuple[Catalogue, Catalogue]:
        """Give what is declared and what the database holds."""
        ...


def of(dialect: Dialect) -> Side:
    """Give the side of a connection's dialect.

    Raises:
        UsageError: The database is not supported.
    """
    return _named(dialect.name)


@cache
def _named(database: str) -> Side:
    if database == "postgresql":
        from ragstore.migrations.on_postgresql import SIDE as POSTGRESQL

        return POSTGRESQL
    if database == "sqlite":
        from ragstore.migrations.on_sqlite import SIDE as SQLITE

        return SQLITE
    raise UsageError(f"{database} is not supported: use PostgreSQL or SQLite")
