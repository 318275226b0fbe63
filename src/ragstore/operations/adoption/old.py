"""Reading the old database: never written to, and no transaction of it outlives a batch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    Column,
    ColumnElement,
    Engine,
    LargeBinary,
    Table,
    Text,
    bindparam,
    cast,
    create_engine,
    func,
    select,
)
from sqlalchemy.engine import URL, Connection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NULLTYPE

from ragstore.backends import backend_for, read_url
from ragstore.core.query import Selected
from ragstore.errors import InvalidInput, UsageError
from ragstore.migrations.targets import missing
from ragstore.operations.adoption.recognising import Layout, OldTable, recognise
from ragstore.operations.adoption.records import Mapping
from ragstore.store.pool import read_only_options

OldRow: TypeAlias = dict[str, Any]
"""By field; a field without a column is not in it."""
_UNDECODED = re.compile("[\ud800-\udfff]")
"""What `_lenient` makes of bytes that are no UTF-8."""


class as_written(FunctionElement[Any]):  # noqa: N801 - reads as a function in statements
    """A time as text, where the driver would refuse the whole batch for one that Python does not have."""

    inherit_cache = True


@compiles(as_written, "postgresql")
def _on_postgresql(element: as_written, compiler: Any, **options: Any) -> str:
    return f"to_json({compiler.process(element.clauses, **options)})"  # ISO 8601, whatever DateStyle the role has


@compiles(as_written, "sqlite")
def _on_sqlite(element: as_written, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@contextmanager
def opened(source: str | URL | Engine) -> Iterator[OldDatabase]:
    """Open the old database; a host's engine stays open.

    Raises:
        InvalidInput: The URL cannot be read, or there is no such file.
        StorageError: Its place cannot be reached.
        UsageError: It is no synchronous engine of a database that is supported.
    """
    if isinstance(source, Engine):
        backend_for(source.dialect)
        yield OldDatabase(source)
        return
    if not isinstance(source, str | URL):
        raise UsageError(f"the source must be a URL or an Engine, not {type(source).__name__}")
    engine = create_engine(_url_of(source), pool_size=1, max_overflow=0)
    try:
        yield OldDatabase(engine)
    finally:
        engine.dispose()


def _url_of(source: str | URL) -> URL:
    url = read_url(source)
    if missing(url):
        raise InvalidInput(f"there is no file {url.database}", field="source")  # connecting would make it
    return url


@dataclass(frozen=True, slots=True)
class OldDatabase:
    """An old database.

    Attributes:
        engine: How to reach it.
    """

    engine: Engine

    def layout(self, mapping: Mapping) -> Layout:
        """Find its tables and columns."""
        with self._connected() as connection:
            return recognise(connection, mapping)

    def count(self, table: Table) -> int:
        """Count a table's rows."""
        with self._connected() as connection:
            return int(connection.execute(select(func.count()).select_from(table)).scalar_one())

    def batches(self, table: OldTable, rows: int) -> Iterator[list[OldRow]]:
        """Read a table in the order of its key, so many rows at a time, each batch from after the last one."""
        key = table.table.c[table.columns["id"]]
        first = _selected(table).where(key.is_not(None)).order_by(key).limit(rows)
        found = self._rows(table, first, {})
        while found:
            yield found
            found = self._rows(table, first.where(key > _bound(found[-1]["id"])), {})

    def rows(self, table: OldTable, keys: Sequence[Any]) -> dict[Any, OldRow]:
        """Read rows by their keys."""
        key = table.table.c[table.columns["id"]]
        statement = _selected(table).where(key.in_(bindparam("keys", expanding=True)))
        return {key_of(row): row for row in self._rows(table, statement, {"keys": list(keys)})}

    def _rows(self, table: OldTable, statement: Selected, parameters: dict[str, Any]) -> list[OldRow]:
        with self._connected() as connection:
            return [dict(zip(table.columns, row, strict=True)) for row in connection.execute(statement, parameters)]

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with backend_for(self.engine.dialect).translating(), self.engine.connect() as plain:
            connection = plain.execution_options(**read_only_options())
            driver: Any = connection.connection.driver_connection
            before = getattr(driver, "text_factory", None)
            if before is not None:  # SQLite may hold bytes as text: one such row is refused, and not the batch
                driver.text_factory = _lenient
            try:
                yield connection
            finally:
                if before is not None:
                    driver.text_factory = before


def _lenient(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")


def _selected(table: OldTable) -> Selected:
    return select(*(_read(field, table.table.c[column]) for field, column in table.columns.items()))


def _read(field: str, column: Column[Any]) -> Any:
    return as_written(column).label("at") if field == "created_at" else column.label(f"of_{field}")


def _bound(key: Any) -> ColumnElement[Any]:
    if _is_undecoded(key):  # the driver binds no such text
        return cast(bindparam("after", key.encode("utf-8", "surrogateescape"), LargeBinary()), Text)
    return bindparam("after", key, NULLTYPE)


def _is_undecoded(key: object) -> bool:
    return isinstance(key, str) and _UNDECODED.search(key) is not None


def usable_key_of(row: OldRow) -> Any:
    """Give a row's key, by which the row can be asked for.

    Raises:
        InvalidInput: SQLite holds bytes as its text.
    """
    key = key_of(row)
    if _is_undecoded(key):
        raise InvalidInput("is not UTF-8", field="id")
    return key


def key_of(row: OldRow) -> Any:
    """Give a row's key as SQLite can hold it; the databases compare its text form with their own types."""
    key = row["id"]
    return key if isinstance(key, int | float | bytes | str) else str(key)
