"""Binary COPY, on the driver's connection, in the transaction that it is in.

Values are packed here and not by psycopg: the adapters of the connection are the host's, and blocks of packed rows cost
the same on both faces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import psycopg
from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy import Connection, Integer, LargeBinary, String, text
from sqlalchemy.engine import AdaptedConnection
from sqlalchemy.types import TypeEngine

from ragstore.backends.postgresql import violations
from ragstore.core import json, packing
from ragstore.core.query import Copy
from ragstore.core.types import Dense, Half, Id, Json, Lexemes, Sparse
from ragstore.errors import InvalidInput

WORTH_IT = 50
"""Fewer rows are inserted as fast: a COPY is a round trip more, and the look at the table's policies another."""

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_BLOCK = 2**16

_ROW_SECURITY = text("SELECT row_security_active(CAST(:name AS regclass))")

Pack = Callable[[Any], bytes]


def copy(connection: Connection, copy: Copy, options: Mapping[str, Any]) -> bool:
    """Copy rows into a table; False, with nothing done, for few rows, or where row-level security forbids a COPY."""
    if copy.count < WORTH_IT:
        return False
    table = _name(connection, copy, options)
    if connection.scalar(_ROW_SECURITY, {"name": table.as_string()}):
        return False
    # A foreign key's check keeps its plan: made while a table was small, it would read the whole table for each row.
    connection.exec_driver_sql("DISCARD PLANS")
    columns = SQL(", ").join(Identifier(copy.table.c[key].name) for key in copy.columns)
    statement = SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(table, columns)
    _send(connection, statement, copy)
    return True


def _name(connection: Connection, copy: Copy, options: Mapping[str, Any]) -> Identifier:
    asked = {**connection.get_execution_options(), **options}
    schema = asked.get("schema_translate_map", {}).get(copy.table.schema, copy.table.schema)
    return Identifier(schema, copy.table.name)


def _send(connection: Connection, statement: Composed, copy: Copy) -> None:
    pool_entry = connection.connection
    driver: Any = pool_entry.driver_connection
    blocks = pack_rows(copy, driver.info.encoding)
    try:
        if isinstance(driver, psycopg.AsyncConnection):
            cast(AdaptedConnection, pool_entry.dbapi_connection).run_async(
                lambda driver: _copy_asynchronously(driver, statement, blocks)
            )
        else:
            _copy(driver, statement, blocks)
    except UnicodeEncodeError as error:
        message = f"the connection's encoding, {error.encoding}, lacks a character: connect with client_encoding=utf8"
        raise InvalidInput(message) from error
    except psycopg.OperationalError as error:
        if not driver.closed:
            raise
        connection.invalidate(error)  # SQLAlchemy has not seen it break
        raise violations.classify(error, True) or error from error


def _copy(driver: psycopg.Connection[Any], statement: Composed, blocks: Iterator[bytes]) -> None:
    with driver.cursor() as cursor, cursor.copy(statement) as stream:
        for block in blocks:
            stream.write(block)


async def _copy_asynchronously(
    driver: psycopg.AsyncConnection[Any], statement: Composed, blocks: Iterator[bytes]
) -> None:
    async with driver.cursor() as cursor, cursor.copy(statement) as stream:
        for block in blocks:
            await stream.write(block)


def pack_rows(copy: Copy, encoding: str) -> Iterator[bytes]:
    """Write rows as the blocks of a binary COPY.

    Args:
        copy: The rows.
        encoding: The client's encoding, as Python calls it: text comes in that, binary or not.
    """
    packs = [packer_for(copy.table.c[key].type, encoding) for key in copy.columns]
    fields = len(packs).to_bytes(2, "big")
    parts, size = [_SIGNATURE], 0
    for row in copy.rows:
        parts.append(fields)
        for pack, value in zip(packs, row, strict=True):
            if value is None:
                parts.append(_NULL)
                continue
            packed = pack(value)
            size += len(packed)
            parts += (len(packed).to_bytes(4, "big"), packed)
        if size > _BLOCK:
            yield b"".join(parts)
            parts, size = [], 0
    yield b"".join([*parts, _END])


def packer_for(kind: TypeEngine[Any], encoding: str) -> Pack:
    """Choose how values of a column's type are packed."""
    match kind:
        case Id():
            return lambda value: value.bytes
        case Json():
            return lambda value: b"\1" + json.dumps(value).encode(encoding)
        case Dense() | Half() | Sparse():
            return kind.to_binary
        case Lexemes():
            return lambda value: packing.pack_lexemes(value, encoding)
        case String():
            return lambda value: value.encode(encoding)
        case Integer():
            return lambda value: value.to_bytes(4, "big", signed=True)
        case LargeBinary():
            return bytes
        case _:
            raise NotImplementedError(f"no binary form is known for {kind!r}")
