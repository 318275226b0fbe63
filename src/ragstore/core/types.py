"""Column types that pick their form by database.

| type        | PostgreSQL                 | SQLite (STRICT tables)                    |
|-------------|----------------------------|-------------------------------------------|
| Id          | uuid                       | TEXT, 32 hex digits, as `sqlalchemy.Uuid` |
| Key(n)      | varchar(n) COLLATE "C"     | TEXT                                      |
| UtcDateTime | timestamptz                | INTEGER, microseconds since 1970 UTC      |
| Flag        | boolean                    | INTEGER, 0 or 1                           |
| Real        | double precision           | REAL                                      |
| Whole       | bigint                     | INTEGER                                   |
| Money       | bigint, billionths         | INTEGER, billionths                       |
| Json        | jsonb                      | TEXT                                      |
| Digest      | bytea                      | BLOB                                      |
| Dense       | vector                     | BLOB, little-endian float32               |
| Half        | halfvec                    | BLOB, little-endian float16               |
| Sparse      | sparsevec                  | BLOB, as pgvector's binary form           |
| Lexemes     | tsvector                   | (PostgreSQL only)                         |
| Integers    | integer[]                  | BLOB, little-endian int32                 |
"""

from __future__ import annotations

import struct
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Boolean, Double, Integer, LargeBinary, Text, Uuid, cast, type_coerce
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import DateTime, String, TypeDecorator, TypeEngine, UserDefinedType

from ragstore.core import extension, vectors
from ragstore.core import json as json_text
from ragstore.core.money import from_billionths, to_billionths
from ragstore.core.times import from_microseconds, to_microseconds
from ragstore.errors import InvalidInput


class Id(Uuid[Any]):
    """A UUID, stored as `sqlalchemy.Uuid` stores it, so that a host's foreign key needs nothing of ours."""

    cache_ok = True


@compiles(Id, "sqlite")
def _id_on_sqlite(_type: Id, _compiler: object, **_: object) -> str:
    return "TEXT"  # CHAR(32), sqlalchemy.Uuid's own name for it, is not allowed in a STRICT table


def Key(length: int) -> String:  # noqa: N802 - reads as a type where it is used
    """Text that is compared or is part of a key: ordered by code point on every database."""
    portable = String(length).with_variant(postgresql.VARCHAR(length, collation="C"), "postgresql")
    return portable.with_variant(sqlite.TEXT(), "sqlite")


def Digest() -> LargeBinary:  # noqa: N802
    """A hash, as bytes."""
    return LargeBinary()


class Flag(Boolean):
    """True or false."""

    cache_ok = True


@compiles(Flag, "sqlite")
def _flag_on_sqlite(_type: Flag, _compiler: object, **_: object) -> str:
    return "INTEGER"


class Real(Double[Any]):
    """A double."""

    cache_ok = True


@compiles(Real, "sqlite")
def _real_on_sqlite(_type: Real, _compiler: object, **_: object) -> str:
    return "REAL"


class Whole(BigInteger):
    """A 64-bit integer."""

    cache_ok = True


@compiles(Whole, "sqlite")
def _whole_on_sqlite(_type: Whole, _compiler: object, **_: object) -> str:
    return "INTEGER"


class Money(TypeDecorator[Decimal]):
    """An amount as a whole number of billionths: exact, and summed alike on every database."""

    impl = Whole
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Turn an amount into billionths, rounded half to even."""
        return None if value is None else to_billionths(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Give the amount."""
        return None if value is None else from_billionths(value)


def to_utc(value: datetime, *, field: str | None = None) -> datetime:
    """Give an aware time in UTC; refuse a naive one, and one that leaves the calendar in UTC."""
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidInput("a time needs a time zone, e.g. datetime.now(UTC)", field=field)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidInput("the time lies outside the years 1 to 9999 in UTC", field=field) from None


class UtcDateTime(TypeDecorator[datetime]):
    """An instant; aware, in UTC, to the microsecond."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Pick integer microseconds on SQLite: exact, sortable, and arithmetic needs no parsing."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Turn an aware time into what the database holds."""
        if value is None:
            return None
        utc = to_utc(value)
        return to_microseconds(utc) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give the instant in UTC, whatever the connection's time zone."""
        if value is None:
            return None
        return from_microseconds(value) if dialect.name == "sqlite" else value.astimezone(UTC)


class Json(UserDefinedType[Any]):
    """JSON by our own reader and writer, whatever the host has set on its engine."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Name the column's type where no database has its own."""
        return "TEXT"

    def bind_processor(self, dialect: Dialect) -> Any:
        """Write compact JSON text; the border has checked the value."""
        return lambda value: None if value is None else json_text.dumps(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Read JSON text."""
        return lambda value: None if value is None else json_text.loads(value)

    def column_expression(self, colexpr: ColumnElement[Any]) -> ColumnElement[Any]:
        """Fetch text: the driver's own JSON reader may be the host's."""
        return type_coerce(cast(colexpr, Text), self)


@compiles(Json, "postgresql")
def _json_on_postgresql(_type: Json, _compiler: object, **_: object) -> str:
    return "JSONB"


class _Packed(UserDefinedType[Any]):
    """A vector type: packed bytes travel, so that no number is written as text."""

    cache_ok = True
    extension_name: str

    def get_col_spec(self, **_: object) -> str:
        return self.extension_name

    def bind_expression(self, bindvalue: Any) -> ColumnElement[Any]:
        return cast(bindvalue, self)

    def bind_processor(self, dialect: Dialect) -> Any:
        if dialect.name == "sqlite":
            return lambda value: None if value is None else self.to_blob(value)
        return lambda value: None if value is None else vectors.Packed(self.to_binary(value))

    @abstractmethod
    def to_blob(self, value: Any) -> bytes: ...

    @abstractmethod
    def to_binary(self, value: Any) -> bytes: ...


class Dense(_Packed):
    """A float32 vector; binds what `vectors.prepare` gives."""

    cache_ok = True
    extension_name = "vector"

    def to_blob(self, value: vectors.Floats) -> bytes:
        """Pack for SQLite."""
        return value.astype("<f4").tobytes()

    def to_binary(self, value: vectors.Floats) -> bytes:
        """Pack for pgvector."""
        from ragstore.core import packing

        return packing.pack_dense(value)


class Half(_Packed):
    """A float16 vector; binds what `vectors.prepare` gives."""

    cache_ok = True
    extension_name = "halfvec"

    def to_blob(self, value: vectors.Floats) -> bytes:
        """Pack for SQLite."""
        return value.astype("<f2").tobytes()

    def to_binary(self, value: vectors.Floats) -> bytes:
        """Pack for pgvector."""
        from ragstore.core import packing

        return packing.pack_half(value)


class Sparse(_Packed):
    """A sparse vector; binds its entries, {index from 1: value}."""

    cache_ok = True
    extension_name = "sparsevec"

    def to_blob(self, value: Mapping[int, float]) -> bytes:
        """Pack for SQLite, in pgvector's form."""
        from ragstore.core import packing

        return packing.pack_sparse(value)

    def to_binary(self, value: Mapping[int, float]) -> bytes:
        """Pack for pgvector."""
        from ragstore.core import packing

        return packing.pack_sparse(value)


@compiles(Dense, "postgresql")
@compiles(Half, "postgresql")
@compiles(Sparse, "postgresql")
def _packed_on_postgresql(type_: _Packed, compiler: Any, **_: object) -> str:
    return extension.prefix(compiler.dialect) + type_.extension_name


@compiles(Dense, "sqlite")
@compiles(Half, "sqlite")
@compiles(Sparse, "sqlite")
def _packed_on_sqlite(_type: _Packed, _compiler: object, **_: object) -> str:
    return "BLOB"


class Lexemes(UserDefinedType[Any]):
    """A `tsvector`; binds its lexemes with the positions of each, {lexeme: ascending positions}."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Name the column's type."""
        return "tsvector"

    def bind_processor(self, dialect: Dialect) -> Any:
        """Write the text form."""
        return lambda value: None if value is None else " ".join(map(_write_lexeme, value.items()))

    def bind_expression(self, bindvalue: Any) -> ColumnElement[Any]:
        """Cast the text form."""
        return cast(bindvalue, self)


class Integers(TypeDecorator[Sequence[int]]):
    """Whole numbers of 32 bits, in order; as a list or a tuple."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Pick an array where there is one."""
        return dialect.type_descriptor(LargeBinary() if dialect.name == "sqlite" else postgresql.ARRAY(Integer))

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> Any:
        """Pack for SQLite."""
        if value is None or dialect.name != "sqlite":
            return None if value is None else list(value)
        return struct.pack(f"<{len(value)}i", *value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Sequence[int] | None:
        """Give the numbers."""
        if value is None or dialect.name != "sqlite":
            return value  # type: ignore[no-any-return]
        return struct.unpack(f"<{len(value) // 4}i", value)


def quote_lexeme(lexeme: str) -> str:
    """Write a lexeme for the text form of a tsvector or a tsquery."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def _write_lexeme(item: tuple[str, Sequence[int]]) -> str:
    return f"{quote_lexeme(item[0])}:{','.join(map(str, item[1]))}"
