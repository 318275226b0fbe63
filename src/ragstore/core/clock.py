"""The database's clock, as an SQL expression: hosts' clocks are never compared."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, cast, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from ragstore.core.types import UtcDateTime


class utc_now(FunctionElement[datetime]):  # noqa: N801 - reads as a function in statements
    """The database's time at the start of the statement; whole milliseconds on SQLite."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(utc_now, "postgresql")
def _on_postgresql(_element: utc_now, _compiler: object, **_: object) -> str:
    return "statement_timestamp()"


@compiles(utc_now, "sqlite")
def _on_sqlite(_element: utc_now, _compiler: object, **_: object) -> str:
    # unixepoch('subsec') came with SQLite 3.42; a Julian day as a double is exact to 0.05 ms
    return "(CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER) * 1000)"


class later(FunctionElement[datetime]):  # noqa: N801
    """A time and a number of microseconds after it; NULL if either is."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(later, "postgresql")
def _later_on_postgresql(element: later, compiler: Any, **options: Any) -> str:
    time, microseconds = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({time} + ({microseconds}) * interval '1 microsecond')"


@compiles(later, "sqlite")
def _later_on_sqlite(element: later, compiler: Any, **options: Any) -> str:
    time, microseconds = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({time} + {microseconds})"


def time_or_now(name: str) -> ColumnElement[Any]:
    """Give the time that a parameter of this name stands for, or the database's where it is None."""
    # cast, because PostgreSQL cannot know the type of a parameter that is NULL
    given = cast(bindparam(name, type_=UtcDateTime()), UtcDateTime())
    return func.coalesce(given, utc_now(), type_=UtcDateTime())
