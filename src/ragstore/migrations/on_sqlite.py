"""Migrations on SQLite: the write lock from the beginning, foreign keys off during the change and checked after it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import SingletonThreadPool

from ragstore.backends.sqlite import connect, ddl
from ragstore.backends.sqlite.files import file_of
from ragstore.backends.sqlite.violations import classify as _classify
from ragstore.config import Settings
from ragstore.core.backend import READ_ONLY
from ragstore.core.sql import literal, quoted
from ragstore.errors import LockTimeout, MigrationError, RagstoreError, StorageError, UsageError
from ragstore.migrations.job import Job
from ragstore.migrations.sides import Busy, Catalogue

_POLL_MS = 100  # the driver cannot be interrupted while SQLite waits, so SQLite waits in small pieces
_PRIMARY = 0xFF
_NUMBERS = count()  # make a statement new: an EXPLAIN from the driver's cache is not compiled for a changed schema

# only our tables: a host's own keys and collations may be such that SQLite cannot check them
ORPHANS = """SELECT k."table" FROM main.sqlite_master AS m, pragma_foreign_key_check(m.name, 'main') AS k
     WHERE m.type = 'table' AND m.name IN ({tables})"""


class SqliteSide:
    """SQLite as migrations see it."""

    classify = staticmethod(_classify)

    def prefix(self, schema: str) -> str:
        """Give nothing: the tables stand in the host's file."""
        return ""

    def look_prefix(self, schema: str) -> str:
        """Name the host's file: without a name SQLite would look into attached databases too."""
        return "main."

    def declared(self) -> Sequence[str]:
        """Name the tables that this code declares; there are no functions."""
        from ragstore.schema import tables_for

        return [table.name for table in tables_for("sqlite")]

    def ours(self, connection: Connection, schema: str) -> set[str]:
        """Name the tables that exist and have a name of ours."""
        names = connection.execute(
            text("SELECT name FROM main.sqlite_master WHERE type IN ('table', 'view')")
        ).scalars()
        return set(names) & {*self.declared(), "rag_version"}

    def has_columns(self, connection: Connection, schema: str, table: str, columns: Sequence[str]) -> bool:
        """Ask the catalogue, which has no rows for a missing table."""
        statement = text("SELECT name FROM pragma_table_info(:table, 'main')")  # not an attached database's
        return set(columns) <= set(connection.execute(statement, {"table": table}).scalars())

    def is_missing(self, error: DBAPIError) -> bool:
        """Say whether a table or a column may be missing: one code stands for all that is wrong with a statement."""
        return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR

    def cannot_tell(self, error: DBAPIError) -> bool:
        """Say whether something is missing, or the file is locked."""
        return self.is_missing(error) or _is_busy(error)

    def new_engine_options(self, url: URL) -> dict[str, object]:
        """Check where the file is to be; SQLite has one message for all that can be wrong."""
        path = file_of(url)
        if path is not None and _is(path, Path.is_dir):
            raise StorageError(f"{path} is a folder: the URL must name a file in it")
        if path is not None and not _is(path.parent, Path.is_dir):
            raise StorageError(f"the folder {path.parent} does not exist: create it first")
        # journal_mode is a property of the file, and the host's to choose: nothing is set here
        return {"connect_args": connect.engine_options(url, Settings())["connect_args"], "hide_parameters": True}

    def watch(self, engine: Engine) -> None:
        """Nothing to do: every SQLite database can hold all of Unicode."""

    def exists(self, url: URL) -> bool:
        """Look for the file, since SQLite would make it by looking into it."""
        path = file_of(url)
        return path is None or _is(path, Path.exists)

    def refuse_autocommit(self, connection: Connection) -> None:
        """Refuse a connection whose transaction cannot be ended by its owner."""
        options = connection.get_execution_options()
        if options.get("isolation_level") == "AUTOCOMMIT" or _driver_commits(connection):
            raise UsageError(
                "this connection is in autocommit, so a failed upgrade could not be rolled back: pass one in a "
                "transaction, or the engine"
            )
        _refuse_bytes(connection)

    def quiet(self, connection: Connection) -> None:
        """Keep our own engines from taking the write lock for a look; refuse one in the middle of a transaction."""
        if isinstance(connection.engine.pool, SingletonThreadPool):
            raise UsageError(
                "this engine gives each thread its own database in memory: make it with poolclass=StaticPool"
            )
        if _driver_commits(connection):
            raise UsageError("this engine's driver has autocommit=True, so its transactions cannot be ended")
        if _in_transaction(connection) and not _always_in_transaction(connection):
            raise UsageError("the engine's one connection is in a transaction: end it first, or pass that connection")
        _refuse_bytes(connection)
        connection.execution_options(**{READ_ONLY: True})

    @contextmanager
    def alone(self, connection: Connection, job: Job, *, owned: bool) -> Iterator[None]:
        """Begin with the write lock; at the end commit, if owned, or roll back."""
        _check_version()
        if not owned:
            _lock_callers(connection)
            with _views_kept(connection):
                yield
            return
        before = _leave(connection)
        try:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {_POLL_MS}")
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")  # in a transaction it would do nothing
            _begin(connection)
            with _views_kept(connection):
                yield
            connection.commit()
        finally:
            connection.rollback()
            _restore(connection, before)

    def gave_up(self, connection: Connection, job: Job) -> RagstoreError:
        """Say that somebody writes; SQLite does not know who."""
        advice = "end that transaction, or raise timeout; nothing was changed"
        return LockTimeout(f"another process was writing to the database for more than {job.timeout:g} s: {advice}")

    def make_ready(self, connection: Connection, job: Job, *, owned: bool, rebuilds: bool) -> dict[str, str]:
        """Refuse to rebuild a table while foreign keys are on: dropping the old one would delete what refers to it."""
        if rebuilds and not owned and connection.exec_driver_sql("PRAGMA foreign_keys").scalar():
            raise UsageError("this upgrade rebuilds a table, which needs foreign keys off: pass the engine or the URL")
        return {}

    def references(self, connection: Connection, schema: str, tables: Sequence[str]) -> list[tuple[str, str, str]]:
        """List the foreign keys of other tables to these; one without a name by its columns."""
        inspector = inspect(connection)
        return [
            (theirs, key["name"] or f"({', '.join(key['constrained_columns'])})", key["referred_table"])
            for theirs in inspector.get_table_names()
            if theirs not in tables
            for key in inspector.get_foreign_keys(theirs)
            if key["referred_table"].lower() in tables
        ]

    def verify(self, connection: Connection) -> None:
        """Refuse to commit rows that refer to nothing.

        Raises:
            MigrationError: Such rows exist in tables of ours.
        """
        statement = ORPHANS.format(tables=", ".join(map(literal, self.declared())))
        orphans = connection.exec_driver_sql(statement).scalars().all()
        if orphans:
            tables = ", ".join(sorted(set(orphans)))
            raise MigrationError(f"{len(orphans)} rows would refer to nothing (in {tables}); nothing was changed")

    def catalogues(self, connection: Connection, schema: str, *, owned: bool) -> tuple[Catalogue, Catalogue]:
        """Give what is declared and what the database holds."""
        from ragstore.migrations import catalogue_sqlite

        return catalogue_sqlite.declared_and_found(connection, schema, owned=owned)


def _is(path: Path, question: Callable[[Path], bool]) -> bool:
    try:
        return question(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be reached: {error.strerror}") from error


def _check_version() -> None:
    if sqlite3.sqlite_version_info < ddl.SQLITE_MINIMUM:
        needed = ".".join(map(str, ddl.SQLITE_MINIMUM))
        raise MigrationError(f"this Python has SQLite {sqlite3.sqlite_version}, and {needed} or later is needed")


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _driver_commits(connection: Connection) -> bool:
    return _autocommit(connection) is True


def _always_in_transaction(connection: Connection) -> bool:
    return _autocommit(connection) is False


def _autocommit(connection: Connection) -> object:
    try:
        return getattr(_sqlite3(connection), "autocommit", None)
    except sqlite3.ProgrammingError:  # Python 3.12 gives it to the connection's own thread alone; aiosqlite sets none
        return None


def _sqlite3(connection: Connection) -> Any:
    driver = _driver(connection)
    return getattr(driver, "_conn", driver)  # aiosqlite wraps it and lacks Python 3.12's attribute


def _refuse_bytes(connection: Connection) -> None:
    factory = getattr(_sqlite3(connection), "text_factory", str)
    if factory is not str and not isinstance(factory(b""), str):
        raise UsageError("this connection's text_factory makes no str of text: leave it at sqlite3's default")


@contextmanager
def _views_kept(connection: Connection) -> Iterator[None]:
    """Refuse what would break a view of the host's: SQLite drops a table from under it without a word."""
    before = _views(connection)  # to be compared with: one that was broken before is in nobody's way
    yield
    broken = before - _views(connection) if before else None
    if broken:
        listed = ", ".join(sorted(broken))
        raise MigrationError(f"views of yours read what would go ({listed}): drop those first; nothing was changed")


def _views(connection: Connection) -> set[str]:
    names = connection.execute(text("SELECT name FROM main.sqlite_master WHERE type = 'view'")).scalars().all()
    return {name for name in names if _compiles(connection, name)}


def _compiles(connection: Connection, view: str) -> bool:
    try:
        explain = f"EXPLAIN SELECT * FROM main.{quoted(view)} -- {next(_NUMBERS)}"  # noqa: S608 - a quoted name
        connection.exec_driver_sql(explain).close()
    except DBAPIError as error:
        if SIDE.is_missing(error):
            return False
        raise
    return True


def _in_transaction(connection: Connection) -> bool:
    return bool(_driver(connection).in_transaction)


def _lock_callers(connection: Connection) -> None:
    """Take the write lock in the caller's transaction; the old driver default would begin none before DDL."""
    if not connection.in_transaction():
        connection.begin()
    if not _in_transaction(connection):
        _begin(connection)


def _begin(connection: Connection) -> None:
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except DBAPIError as error:
        if _is_busy(error):
            raise Busy from error
        raise


def _is_busy(error: DBAPIError) -> bool:
    return (getattr(error.orig, "sqlite_errorcode", 0) & _PRIMARY) == sqlite3.SQLITE_BUSY


def _leave(connection: Connection) -> dict[str, int]:
    """Leave whatever transaction the host's events began, and give the settings to restore."""
    connection.rollback()
    before = {
        name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("busy_timeout", "foreign_keys")
    }
    if _in_transaction(connection):
        connection.exec_driver_sql("ROLLBACK")
    return before


def _restore(connection: Connection, before: dict[str, int]) -> None:
    if connection.invalidated or connection.closed:
        return
    _leave(connection)
    for name, value in before.items():
        connection.exec_driver_sql(f"PRAGMA {name} = {value}")
    connection.rollback()


SIDE = SqliteSide()
