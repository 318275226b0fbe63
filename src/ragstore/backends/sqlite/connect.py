"""Engines and connections on SQLite, by `sqlite3` and aiosqlite."""

from __future__ import annotations

import sqlite3
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool

from ragstore.backends.sqlite import forks
from ragstore.backends.sqlite.files import is_memory
from ragstore.config import Settings
from ragstore.core.backend import PREPARED, READ_ONLY
from ragstore.core.base import SCHEMA
from ragstore.core.engines import is_autocommit
from ragstore.errors import InvalidInput, UsageError

_OURS = "ragstore_sqlite"
_PAUSE = 0.002
_OPTIONS: Mapping[str, Any] = MappingProxyType({"schema_translate_map": MappingProxyType({SCHEMA: None})})


def read_url(url: URL, *, asynchronous: bool) -> URL:
    """Set the face's driver.

    Raises:
        InvalidInput: SQLAlchemy cannot read the URL.
        UsageError: The database is in memory: each connection would have one of its own.
    """
    try:
        in_memory = is_memory(url)
    except (ArgumentError, ValueError):
        raise InvalidInput("is no URL of an SQLite file, e.g. sqlite:///app.db", field="url") from None
    if in_memory:
        advice = "pass an engine made with poolclass=StaticPool, so that every call sees the same database"
        raise UsageError(f"SQLite in memory cannot be named by a URL: {advice}")
    return url.set(drivername="sqlite+aiosqlite" if asynchronous else "sqlite+pysqlite")


def engine_options(url: URL, settings: Settings) -> dict[str, Any]:
    """Give the arguments of `create_engine` and `create_async_engine`."""
    return {
        "connect_args": {"timeout": settings.busy_timeout, "check_same_thread": False},
        "poolclass": AsyncAdaptedQueuePool if url.get_driver_name() == "aiosqlite" else QueuePool,
        "pool_size": settings.pool_size,
        "max_overflow": settings.max_overflow,
        "pool_timeout": settings.pool_timeout,
        "hide_parameters": True,
    }


def set_up(engine: Engine, settings: Settings) -> None:
    """Make every connection enforce foreign keys, begin each write transaction with the write lock, and let it go."""

    @event.listens_for(engine, "do_connect")
    def _refuse(*_: object) -> None:
        forks.refuse_spoiled(engine.url)

    @event.listens_for(engine, "connect")
    def _connect(driver: Any, entry: Any) -> None:
        _configure(driver, settings)
        entry.info[_OURS] = True

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("isolation_level") == "AUTOCOMMIT":
            return  # the event fires here too, and reads must not take the write lock
        connection.exec_driver_sql("BEGIN" if options.get(READ_ONLY) else "BEGIN IMMEDIATE")

    @event.listens_for(engine, "invalidate")
    def _end(driver: Any, _entry: object, _error: object) -> None:
        # It is closed next, as the task that used it was cancelled; but a statement that is not finished, kept by
        # the error's frames, would keep it open, and with it the transaction's lock.
        with suppress(Exception):
            driver.rollback()


def _configure(driver: Any, settings: Settings) -> None:
    driver.isolation_level = None  # the driver then begins no transaction of its own
    cursor = driver.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA busy_timeout = {round(settings.busy_timeout * 1000)}")
    mode = _enter_wal(cursor, settings.busy_timeout)
    if mode not in ("wal", "memory"):
        warnings.warn(f"SQLite keeps journal_mode={mode} here, so readers wait for writers", stacklevel=2)
    cursor.execute("PRAGMA secure_delete = FAST")  # erased text leaves no copy in pages that are written anyway
    cursor.execute(f"PRAGMA synchronous = {settings.sqlite_synchronous.upper()}")
    cursor.close()


def _enter_wal(cursor: Any, seconds: float) -> str:
    """Ask for the write-ahead log, and give the mode that there is then.

    Of two that ask for it at once in a new file, SQLite refuses one without waiting, whatever its busy timeout.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            mode: str = cursor.fetchone()[0]
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() >= deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return mode


def prepare(connection: Connection) -> None:
    """Check a host's connection, once: without foreign keys, what hangs on a deleted row would stay.

    Raises:
        UsageError: Foreign keys are off, or the driver commits by itself.
    """
    if _OURS not in connection.info:
        _check(connection)
    connection.info[PREPARED] = True


def _check(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    if getattr(driver, "autocommit", False) is True:
        raise UsageError("this SQLite connection has autocommit=True, so its transactions cannot be ended")
    if not connection.exec_driver_sql("PRAGMA foreign_keys").scalar():
        raise UsageError(
            "this SQLite connection has foreign keys off: run  PRAGMA foreign_keys = ON  in a 'connect' event of your "
            "engine, or let ragstore.configure_engine(engine) do it"
        )


def begin(connection: Connection, settings: Settings, *, write: bool) -> None:
    """Take the lock at the start of a host's transaction: a reader that turns writer can only fail."""
    if _OURS in connection.info:
        return  # our engine's begin event has done it
    driver: Any = connection.connection.driver_connection
    if not driver.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
    elif write:
        connection.exec_driver_sql("UPDATE rag_meta SET id = id WHERE 0")


def is_aborted(connection: Connection) -> bool:
    """A failed statement undoes itself alone on SQLite."""
    return False


def refuse_autocommit(connection: Connection) -> None:
    """Raise `UsageError` if each statement on this connection commits by itself."""
    if is_autocommit(connection):
        raise UsageError("this connection is in AUTOCOMMIT, so a call could be stored in part: begin a transaction")


def execution_options(schema: str) -> Mapping[str, Any]:
    """Give the map that takes the schema's name off: SQLite has none."""
    return _OPTIONS
