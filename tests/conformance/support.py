"""What the conformance tests look with: the rows as they are, the statements that ran, and calls made at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from sqlalchemy import NullPool, create_engine, event, text
from sqlalchemy.engine import Engine

from ragstore.backends import read_url
from ragstore.schema import tables_for

QUIET = ("rag_meta", "rag_version")


class Database:
    """A look at a database from outside, on a connection of its own.

    Attributes:
        kind: "postgresql" or "sqlite".
    """

    def __init__(self, url: str) -> None:
        self.url = url
        # Autocommit, so that no snapshot is kept between two looks.
        self.engine = create_engine(read_url(url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self.kind = self.engine.dialect.name
        self.connection = self.engine.connect()
        if self.kind == "postgresql":
            self.execute("SET search_path TO ragstore, public")

    def close(self) -> None:
        self.connection.close()
        self.engine.dispose()

    def execute(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        """Run one statement and give its rows."""
        result = self.connection.execute(text(statement), values)
        return [tuple(row) for row in result] if result.returns_rows else []

    def scalar(self, statement: str, **values: object) -> Any:
        """Run one statement and give its first row's first value."""
        return self.execute(statement, **values)[0][0]

    @property
    def tables(self) -> list[str]:
        return [table.name for table in tables_for(self.kind) if table.name not in QUIET]

    def counts(self) -> dict[str, int]:
        """Count the rows of each table that has any."""
        found = {table: self.scalar(f"SELECT count(*) FROM {table}") for table in self.tables}
        return {table: count for table, count in found.items() if count}

    def versions(self) -> dict[str, Any]:
        """Give what changes with every write: on PostgreSQL each row's version, on SQLite the file's and all rows."""
        if self.kind == "postgresql":
            version = "SELECT xmin::text, ctid::text FROM {} ORDER BY 1, 2"
            return {table: self.execute(version.format(table)) for table in self.tables}
        rows: dict[str, Any] = {
            table: sorted(self.execute(f"SELECT * FROM {table}"), key=repr) for table in self.tables
        }
        return {**rows, "file": self.scalar("PRAGMA data_version")}

    def vectors(self) -> dict[str, Any]:
        """Give the stored vectors by chunk id."""
        column = "dense::text" if self.kind == "postgresql" else "dense"
        rows = self.execute(f"SELECT chunk_id, {column} FROM rag_embedding")
        return {str(chunk_id).replace("-", ""): value for chunk_id, value in rows}

    def plan(self, statement: str, parameters: Any) -> str:
        """Explain a statement as it was sent."""
        explain = "EXPLAIN " if self.kind == "postgresql" else "EXPLAIN QUERY PLAN "
        return "\n".join(str(row[-1]) for row in self.connection.exec_driver_sql(explain + statement, parameters))

    def words(self) -> int:
        """Count the chunks that are known to the lexical leg."""
        table = "rag_chunk_terms" if self.kind == "postgresql" else "rag_chunk_key"
        return int(self.scalar(f"SELECT count(*) FROM {table}"))


def plain_engine(engine: Any) -> Engine:
    """Give the engine that events are registered on, of either face."""
    plain: Engine = getattr(engine, "sync_engine", engine)
    return plain


@contextmanager
def watching(store: Any) -> Iterator[list[tuple[str, bool]]]:
    """Collect a store's statements, each with whether it ran outside any transaction."""
    seen: list[tuple[str, bool]] = []

    def note(connection: Any, _cursor: object, statement: str, *_: object) -> None:
        autocommit = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
        seen.append((statement, autocommit))

    engine = plain_engine(store.engine)
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def noted(store: Any) -> Iterator[list[tuple[str, Any]]]:
    """Collect a store's statements with their parameters, as they are sent."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    engine = plain_engine(store.engine)
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def async_together(*calls: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Make calls at the same time; gives each one's result or error."""
    return await asyncio.gather(*(call() for call in calls), return_exceptions=True)


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Make calls at the same time, each in a thread; gives each one's result or error."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait(60)
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - handed to the test
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def run_calls(results: list[Any]) -> list[Any]:
    """Raise the first error among the results, or give them."""
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
