"""The databases. `backend_for` is the one look at an engine's name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from sqlalchemy import make_url
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import ArgumentError

from ragstore.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from ragstore.backends.postgresql import PostgresBackend
    from ragstore.backends.sqlite import SqliteBackend

    AnyBackend = PostgresBackend | SqliteBackend

_SUPPORTED = {"postgresql": ("psycopg",), "sqlite": ("pysqlite", "aiosqlite")}
_ALIASES = {"postgres": "postgresql"}


def backend_for(dialect: Dialect) -> AnyBackend:
    """Give the backend of an engine's or a connection's dialect.

    Raises:
        UsageError: The database or the driver is not supported.
    """
    drivers = _SUPPORTED.get(dialect.name)
    if drivers is None:
        raise UsageError(f"{dialect.name} is not supported: use PostgreSQL or SQLite")
    if dialect.driver not in drivers:
        raise UsageError(f"the driver {dialect.driver} is not supported: use {' or '.join(drivers)}")
    return _load(dialect.name)


def _load(name: str) -> AnyBackend:
    # a backend brings NumPy and its driver: loaded when one is needed, not at import
    return cast("AnyBackend", import_module(f"ragstore.backends.{name}").BACKEND)


def read_url(target: str | URL, *, asynchronous: bool = False) -> URL:
    """Read a database URL and set the driver that ragstore uses.

    Args:
        target: `postgresql://`, `postgres://` or `postgresql+psycopg://`, or `sqlite:///file`.
        asynchronous: Choose the driver for the async face.

    Raises:
        InvalidInput: It is no database URL. The message never holds the password.
        UsageError: Another database or driver, or SQLite in memory (pass an engine for that).
    """
    try:
        url = make_url(target)
    except (ArgumentError, ValueError):  # a port that is no number is a ValueError
        raise InvalidInput("is no database URL, e.g. postgresql://host/name or sqlite:///app.db", field="url") from None
    database, _, driver = url.drivername.partition("+")
    database = _ALIASES.get(database, database)
    if database not in _SUPPORTED:
        raise UsageError(f"{database} is not supported: use PostgreSQL or SQLite")
    if driver and driver not in _SUPPORTED[database]:
        raise UsageError(f"the driver {driver} is not supported: use {' or '.join(_SUPPORTED[database])}")
    return _load(database).read_url(url.set(drivername=database), asynchronous=asynchronous)
