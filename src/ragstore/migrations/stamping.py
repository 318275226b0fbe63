"""Write down which revision a database has: the way out where that record was lost. No table is changed."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from sqlalchemy import Connection, text

from ragstore.core.sql import for_text
from ragstore.errors import SchemaDamaged, UsageError
from ragstore.migrations import chain, runner, sides, states
from ragstore.migrations.job import Job
from ragstore.migrations.results import State, Status, UpgradeResult

logger = logging.getLogger("ragstore.migrations")


def stamp(connection: Connection, job: Job, *, owned: bool) -> UpgradeResult:
    """Write the version row and the row that says which code may run, inside a transaction and a lock.

    Raises:
        SchemaDamaged: The tables are not those of the revision.
        UsageError: A newer ragstore wrote the schema.
    """
    before = states.read(connection, job.schema)
    _refuse_newer(connection, job, before)
    wrong = [*_lacking(connection, job), *_beyond(connection, job)]
    if wrong:
        advice = "stamp the revision that the tables have, or restore them from a backup"
        raise SchemaDamaged(f"this is not {job.revision}: {', '.join(wrong)}; {advice}; nothing was changed")
    _write(connection, job)
    after = states.read(connection, job.schema)
    if after.problem:
        raise SchemaDamaged(f"{after.problem}; nothing was changed")
    logger.info("stamped %s", job.revision)
    return UpgradeResult(from_revision=before.revision, to_revision=job.revision, applied=(), committed=owned)


def _refuse_newer(connection: Connection, job: Job, found: Status) -> None:
    """Refuse a schema of which this code does not know what it should hold."""
    number = _number(connection, job)
    if found.state in (State.AHEAD_COMPATIBLE, State.AHEAD_INCOMPATIBLE) or number > chain.SCHEMA_NUMBER:
        newer = f"a newer ragstore wrote this schema (number {number}, this code knows {chain.SCHEMA_NUMBER})"
        raise UsageError(f"{newer}: stamp it with that one; nothing was changed")


def _number(connection: Connection, job: Job) -> int:
    if not _has(connection, job, states.META_TABLE, states.COLUMNS[states.META_TABLE]):
        return 0
    prefix = sides.of(connection.dialect).prefix(job.schema)
    statement = f"SELECT max(schema_number) FROM {prefix}{states.META_TABLE}"  # noqa: S608 - a quoted name
    return connection.execute(text(for_text(statement))).scalar() or 0


def _has(connection: Connection, job: Job, table: str, columns: tuple[str, ...]) -> bool:
    return sides.of(connection.dialect).has_columns(connection, job.schema, table, columns)


def _lacking(connection: Connection, job: Job) -> Iterator[str]:
    """Name what the revision has and the database has not."""
    names = sides.of(connection.dialect).ours(connection, job.schema)
    for table, column in _made(connection, chain.CHAIN[: chain.position(job.revision)]):
        if column is None and table not in names:
            yield f"{table} is missing"
        elif column is not None and table in names and not _has(connection, job, table, (column,)):
            yield f"{table}.{column} is missing"
    for table, columns in states.COLUMNS.items():
        if table in names and not _has(connection, job, table, columns):
            yield f"{table} is not ragstore's"


def _beyond(connection: Connection, job: Job) -> Iterator[str]:
    """Name what only a later revision has."""
    names = sides.of(connection.dialect).ours(connection, job.schema)
    for table, column in _made(connection, chain.CHAIN[chain.position(job.revision) :]):
        if column is None and table in names:
            yield f"{table} is there"
        elif column is not None and _has(connection, job, table, (column,)):
            yield f"{table}.{column} is there"


def _made(connection: Connection, revisions: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
    """Give the tables, and the columns of older tables, that these revisions make."""
    database = connection.dialect.name
    for revision in revisions:
        script = runner.module(revision)
        yield from ((table, None) for table in script.CREATED[database])
        yield from ((table, column) for table, columns in script.ADDED[database].items() for column in columns)


def _write(connection: Connection, job: Job) -> None:
    prefix = sides.of(connection.dialect).prefix(job.schema)
    if _has(connection, job, states.VERSION_TABLE, states.COLUMNS[states.VERSION_TABLE]):
        connection.execute(text(for_text(f"DELETE FROM {prefix}{states.VERSION_TABLE}")))  # noqa: S608 - a quoted name
    # from no row: Alembic would take two for branches to be joined
    runner.context_of(connection, {}, job.schema if prefix else None).stamp(runner.scripts(), job.revision)
    runner.note(connection, job, job.revision)
