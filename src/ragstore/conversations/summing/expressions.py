"""What sums need of SQL beyond its common part. Each gives the same value on every database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Integer, Text, func, literal_column, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from ragstore.core.types import Whole

_HALF = 2**32
_HALVES: ColumnElement[Any] = literal_column(str(_HALF), Whole())

LONGEST = 10**12
"""A longer time, in seconds, counts as this one: it is a mistake, and its microseconds leave a 64-bit integer."""


class utc_day(FunctionElement[int]):  # noqa: N801 - reads as a function in statements
    """The day of a time in UTC, whatever the connection's time zone, in days since 1970."""

    type = Integer()
    inherit_cache = True


@compiles(utc_day, "postgresql")
def _day_on_postgresql(element: utc_day, compiler: Any, **options: Any) -> str:
    return f"(CAST({compiler.process(element.clauses, **options)} AT TIME ZONE 'UTC' AS date) - DATE '1970-01-01')"


@compiles(utc_day, "sqlite")
def _day_on_sqlite(element: utc_day, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} / 86400000000)"


class microseconds(FunctionElement[int]):  # noqa: N801
    """Seconds as a whole number of microseconds: doubles would sum to what the order of the rows makes of them."""

    type = Whole()
    inherit_cache = True


_SECONDS = f"CASE WHEN {{0}} > {LONGEST} THEN {LONGEST} ELSE {{0}} END * 1e6 + 0.5"  # least() passes over a NULL


@compiles(microseconds, "postgresql")
def _microseconds_on_postgresql(element: microseconds, compiler: Any, **options: Any) -> str:
    return f"CAST(trunc({_SECONDS.format(compiler.process(element.clauses, **options))}) AS bigint)"


@compiles(microseconds, "sqlite")
def _microseconds_on_sqlite(element: microseconds, compiler: Any, **options: Any) -> str:
    return f"CAST({_SECONDS.format(compiler.process(element.clauses, **options))} AS INTEGER)"


class by_code_point(FunctionElement[str]):  # noqa: N801
    """Text that is compared by code point."""

    type = Text()
    inherit_cache = True


@compiles(by_code_point, "postgresql")
def _by_code_point_on_postgresql(element: by_code_point, compiler: Any, **options: Any) -> str:
    return f'({compiler.process(element.clauses, **options)} COLLATE "C")'


@compiles(by_code_point, "sqlite")
def _by_code_point_on_sqlite(element: by_code_point, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


def safe_sum(number: ColumnElement[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Sum 64-bit integers in two halves: SQLite refuses a sum that leaves 64 bits. `whole` puts them together."""
    wide = type_coerce(number, Whole())
    return func.sum(wide // _HALVES), func.sum(wide % _HALVES)


def whole(high: Any, low: Any) -> int | None:
    """Put the halves of a sum together; None: there was nothing to sum."""
    return None if high is None else int(high) * _HALF + int(low)
