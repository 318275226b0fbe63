"""What a downgrade would take with it: the rows that would go, and the host's keys that stand in its way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import ModuleType

from sqlalchemy import Connection, text

from ragstore.core.sql import for_text
from ragstore.errors import MigrationError, UsageError
from ragstore.migrations import sides, states


def refuse_loss(connection: Connection, schema: str, scripts: Sequence[ModuleType]) -> None:
    """Count what would go, and refuse.

    Raises:
        UsageError: Always; the message says how many rows each table and each column would lose.
    """
    tables, columns = _tables(connection, scripts), _columns(connection, scripts)
    counts = {table: _count(connection, schema, table, ["true"])[0] for table in tables}
    for table, defaults in columns.items():
        kept = _count(connection, schema, table, [_differs(*item) for item in defaults.items()])
        counts |= {f"{table}.{column}": count for column, count in zip(defaults, kept, strict=True)}
    listed = ", ".join(f"{name} ({count} rows)" for name, count in counts.items() if count) or "no rows"
    dropped = f"{len(tables)} tables and {sum(map(len, columns.values()))} columns"
    raise UsageError(
        f"this downgrade drops {dropped} with {listed}: pass allow_data_loss=True if they may go, after a backup"
    )


def refuse_references(connection: Connection, schema: str, scripts: Sequence[ModuleType]) -> None:
    """Refuse to drop a table that the host's rows refer to: SQLite would drop it, and leave those rows behind.

    Raises:
        MigrationError: There are such foreign keys; the message names them.
    """
    tables = _tables(connection, scripts)
    found = sides.of(connection.dialect).references(connection, schema, tables) if tables else []
    if found:
        keys = "; ".join(f"{key} of {theirs} to {ours}" for theirs, key, ours in found)
        raise MigrationError(
            f"this downgrade drops tables that foreign keys of yours refer to ({keys}): drop those first; "
            "nothing was changed"
        )


def _tables(connection: Connection, scripts: Sequence[ModuleType]) -> list[str]:
    return [table for script in scripts for table in script.CREATED[connection.dialect.name]]


def _columns(connection: Connection, scripts: Sequence[ModuleType]) -> dict[str, dict[str, str]]:
    """Give the columns that go while their table stays, and the default of each."""
    gone = _tables(connection, scripts)
    found: dict[str, dict[str, str]] = {}
    for table, defaults in _added(connection, scripts):
        if table not in gone:
            found[table] = found.get(table, {}) | defaults
    return found


def _added(connection: Connection, scripts: Sequence[ModuleType]) -> Iterator[tuple[str, dict[str, str]]]:
    for script in scripts:
        yield from script.ADDED[connection.dialect.name].items()


def _differs(column: str, default: str) -> str:
    return f"{column} IS NOT NULL" if default == "NULL" else f"{column} IS NULL OR {column} <> {default}"


def _count(connection: Connection, schema: str, table: str, conditions: Sequence[str]) -> Sequence[int]:
    """Count the rows for which each condition holds, in one scan."""
    if table == states.META_TABLE:
        return [0]  # it holds a row of our own, which nobody misses
    prefix = sides.of(connection.dialect).prefix(schema)
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions)
    statement = f"SELECT {counts} FROM {prefix}{table}"  # noqa: S608 - frozen names
    return tuple(connection.execute(text(for_text(statement))).one())
