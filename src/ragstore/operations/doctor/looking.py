"""What a check is given to look with, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from ragstore.backends import backend_for, read_url
from ragstore.errors import UsageError
from ragstore.migrations import Status, sides, targets
from ragstore.operations.doctor.results import Level

RESTORE = "restore a backup; without one, the program sqlite3 has  .recover"
"""What to do with a damaged file."""


class Advice(NamedTuple):
    """A finding before it has its check's name."""

    level: Level
    subject: str
    what: str
    remedy: str


@dataclass(slots=True, kw_only=True)
class Look:
    """One examination.

    Attributes:
        engine: Where to look; it may not have connected yet.
        schema: PostgreSQL schema of our tables.
        hosts: The engine is the application's own: its pool and options are worth a look.
        deep: Long checks are wanted.
        facts: What the checks learn, by name.
        status: How the schema stands to this code, once that is known.
    """

    engine: Engine
    schema: str
    hosts: bool
    deep: bool
    facts: dict[str, str] = field(default_factory=dict)
    status: Status | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Borrow a connection, in a transaction that writes nothing and takes its settings with it."""
        with targets.borrowed(self.engine) as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execution_options(isolation_level="READ COMMITTED", postgresql_readonly=True)
                connection.execute(_LIMITS)
            yield connection
            connection.rollback()

    def rows(self, statement: str, **values: object) -> Sequence[Any]:
        """Run one reading statement in a transaction of its own."""
        with self.reading() as connection:
            return connection.execute(text(statement), values).all()

    def value(self, statement: str, **values: object) -> Any:
        """Give the first value of the first row; None if there is none."""
        found = self.rows(statement, **values)
        return found[0][0] if found else None


Check = Callable[[Look], Iterator[Advice]]
"""Looks at one thing. Its name is the check's name."""

_LIMITS = text("""
SELECT pg_catalog.set_config('statement_timeout', '10s', true), pg_catalog.set_config('lock_timeout', '1s', true),
  pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)
""")


@contextmanager
def opened(target: object, schema: str, *, deep: bool) -> Iterator[Look]:
    """Give a look at a URL, by an engine that is disposed of at the end, or at an application's engine.

    Raises:
        UsageError: It is something else.
    """
    if isinstance(target, Engine):
        backend_for(target.dialect)
        yield Look(engine=target, schema=schema, hosts=True, deep=deep)
    elif isinstance(target, str | URL):
        engine = _private(read_url(target))
        try:
            yield Look(engine=engine, schema=schema, hosts=False, deep=deep)
        finally:
            engine.dispose()
    elif isinstance(target, AsyncEngine):
        raise UsageError("an AsyncEngine needs the awaited function: adiagnose")
    else:
        raise UsageError(f"{type(target).__name__} is no database: pass a URL or an Engine")


def _private(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        with targets.configuring():
            engine = create_engine(url, hide_parameters=True)
        event.listen(engine, "connect", _refuse_writes)
        return engine
    side = sides.of(url.get_dialect()())
    with targets.configuring():
        engine = create_engine(url, pool_size=2, **side.new_engine_options(url))
    side.watch(engine)
    return engine


def _refuse_writes(driver: Any, _entry: object) -> None:
    driver.execute("PRAGMA query_only = ON").close()
