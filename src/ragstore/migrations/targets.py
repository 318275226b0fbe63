"""From what the caller passed to a connection: whose it is, and who ends its transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

from sqlalchemy import Connection, Engine, NullPool, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ragstore.backends import backend_for, read_url
from ragstore.core.translate import translating
from ragstore.errors import MigrationError, UsageError
from ragstore.migrations import sides

Target: TypeAlias = str | URL | Engine | Connection
AsyncTarget: TypeAlias = Target | AsyncEngine | AsyncConnection


@contextmanager
def opened(target: object) -> Iterator[Connection]:
    """Give a connection for a URL (private, closed after), an engine (borrowed), or itself.

    Raises:
        UsageError: It is something else, or a connection in AUTOCOMMIT.
    """
    if isinstance(target, str | URL):
        with private(read_url(target)) as engine, borrowed(engine) as connection:
            yield connection
    elif isinstance(target, Engine):
        with borrowed(target) as connection:
            yield connection
    elif isinstance(target, Connection):
        with callers(target):
            yield target
    elif isinstance(target, AsyncEngine | AsyncConnection):
        raise UsageError(f"{type(target).__name__} needs the awaited function: aupgrade, astatus, ...")
    else:
        raise UsageError(f"{type(target).__name__} is no database: pass a URL, an Engine or a Connection")


def missing(target: AsyncTarget) -> bool:
    """Say whether a URL names a file that does not exist, so that a look would create it."""
    if not isinstance(target, str | URL):
        return False
    url = read_url(target)
    return not sides.of(url.get_dialect()()).exists(url)


@contextmanager
def private(url: URL) -> Iterator[Engine]:
    """Make an engine for a URL, without a pool, and dispose of it."""
    side = sides.of(url.get_dialect()())
    engine = create_engine(url, poolclass=NullPool, **side.new_engine_options(url))
    side.watch(engine)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def borrowed(engine: Engine) -> Iterator[Connection]:
    """Take one connection from an engine, ready for a look."""
    backend_for(engine.dialect)
    with connecting(engine):
        connection = engine.connect()
    with connection:
        make_quiet(connection)
        yield connection


@contextmanager
def connecting(engine: Engine) -> Iterator[None]:
    """Translate what can go wrong while a connection is made."""
    try:
        with translating(sides.of(engine.dialect).classify):
            yield
    except TypeError as error:  # SQLAlchemy's first look at a server whose text comes as bytes
        raise MigrationError(
            "the server sends bytes for text: ragstore needs a database in UTF8, not SQL_ASCII"
        ) from error


def make_quiet(connection: Connection) -> None:
    """Prepare a borrowed connection for a look; its options end when it goes back."""
    side = sides.of(connection.dialect)
    with translating(side.classify):
        side.quiet(connection)
        if _map_of(connection) is not None:
            connection.execution_options(schema_translate_map=None)


@contextmanager
def callers(connection: Connection) -> Iterator[None]:
    """Use a caller's connection; a map of schema names that its owner set is for the owner's tables, not for ours."""
    backend_for(connection.dialect)
    side = sides.of(connection.dialect)
    with translating(side.classify):
        side.refuse_autocommit(connection)
    theirs = _map_of(connection)
    if theirs is not None:
        connection.execution_options(schema_translate_map=None)
    try:
        yield
    finally:
        if theirs is not None:
            connection.execution_options(schema_translate_map=theirs)


def _map_of(connection: Connection) -> object:
    return connection.get_execution_options().get("schema_translate_map")
