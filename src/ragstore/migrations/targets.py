"""From what the caller passed to a connection: whose it is, and who ends its transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, NullPool, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ragstore.backends import backend_for, read_url
from ragstore.core.translate import translating
from ragstore.errors import MigrationError, RagstoreError, UsageError
from ragstore.migrations import sides

Target: TypeAlias = str | URL | Engine | Connection
AsyncTarget: TypeAlias = Target | AsyncEngine | AsyncConnection
_OPTIONS: dict[str, Any] = {"schema_translate_map": None, "stream_results": False, "yield_per": 0}


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


def refuse_missing(target: AsyncTarget) -> None:
    """Refuse a file that does not exist, for what could only find nothing there, and would create it.

    Raises:
        UsageError: There is none.
    """
    if missing(target):
        raise UsageError("there is no database at this address: upgrade makes one, and this never does")


@contextmanager
def private(url: URL) -> Iterator[Engine]:
    """Make an engine for a URL, without a pool, and dispose of it."""
    side = sides.of(url.get_dialect()())
    with configuring():
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
def configuring() -> Iterator[None]:
    """Translate what the driver or SQLAlchemy says of a URL's parts and of an engine's arguments."""
    try:
        yield
    except RagstoreError:
        raise
    except (ValueError, TypeError, ArgumentError) as error:
        advice = "look at the URL's part after the question mark, and at connect_args"
        raise UsageError(f"the connection cannot be made with these arguments ({error}): {advice}") from error


@contextmanager
def connecting(engine: Engine) -> Iterator[None]:
    """Translate what can go wrong while a connection is made."""
    with configuring(), translating(sides.of(engine.dialect).classify):
        try:
            yield
        except TypeError as error:
            if engine.dialect.name != "postgresql" or "bytes" not in str(error):
                raise
            # SQLAlchemy's first look at a server whose text comes as bytes
            advice = "ragstore needs a database in UTF8, not SQL_ASCII"
            raise MigrationError(f"the server sends bytes for text: {advice}") from error


def make_quiet(connection: Connection) -> None:
    """Prepare a borrowed connection for a look; its options end when it goes back."""
    side = sides.of(connection.dialect)
    with translating(side.classify):
        side.quiet(connection)
    changed = _changed(connection)
    if changed:
        connection.execution_options(**changed)


@contextmanager
def callers(connection: Connection) -> Iterator[None]:
    """Use a caller's connection, and give it back with the options that its owner had set."""
    backend_for(connection.dialect)
    side = sides.of(connection.dialect)
    with translating(side.classify):
        side.refuse_autocommit(connection)
    changed = _changed(connection)
    theirs = {name: connection.get_execution_options()[name] for name in changed}
    if changed:
        connection.execution_options(**changed)
    try:
        yield
    finally:
        if theirs:
            connection.execution_options(**theirs)


def _changed(connection: Connection) -> dict[str, Any]:
    """Give what is not to hold for our statements: their map is for their tables, and a stream is no DDL's result."""
    options = connection.get_execution_options()
    return {name: value for name, value in _OPTIONS.items() if options.get(name) not in (None, value)}
