"""What a database says of itself: read by plain queries, judged by one function without I/O."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ragstore.errors import MigrationError, SchemaDamaged, SchemaTooNew
from ragstore.migrations import chain, sides
from ragstore.migrations.job import Job
from ragstore.migrations.results import State, Status

VERSION_TABLE = "rag_version"
META_TABLE = "rag_meta"
_STAMP = "if you know which revision it has, ragstore.migrations.stamp (or: ragstore db stamp) writes it down anew"
_OURS = "rs_"  # every revision's name begins so

_GLANCE = """
SELECT v.version_num, m.schema_number, m.min_code, m.writer
FROM {schema}rag_version AS v LEFT JOIN {schema}rag_meta AS m ON m.id = 1
"""
_VERSION_ALONE = "SELECT version_num, NULL, NULL, NULL FROM {schema}rag_version"
COLUMNS = {VERSION_TABLE: ("version_num",), META_TABLE: ("id", "schema_number", "min_code", "writer")}

Record = tuple[str, int | None, int | None, str | None]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found.

    Attributes:
        names: Names of ours that tables and functions have.
        records: One for each row of the version table; None if it cannot be read as ours.
    """

    names: Collection[str]
    records: tuple[Record, ...] | None


def glance(connection: Connection, schema: str, *, owned: bool) -> Status | None:
    """Read the version record by one query, without a lock; None if it takes more than that to judge.

    Args:
        connection: Where to look.
        schema: Schema of our tables.
        owned: The transaction is ours, so a missing table may abort it. Else the catalogue is asked first.
    """
    side = sides.of(connection.dialect)
    if not owned and not all(side.has_columns(connection, schema, *item) for item in COLUMNS.items()):
        return None
    try:
        records = _records(connection, schema, _GLANCE)
    except DBAPIError as error:
        if owned and side.cannot_tell(error):
            return None
        raise
    return judge(Evidence((), records)) if len(records) == 1 and records[0][1] is not None else None


def read(connection: Connection, schema: str) -> Status:
    """Look at tables, functions and the version record, and judge. No error of a missing table can occur."""
    side = sides.of(connection.dialect)
    names = side.ours(connection, schema)
    there = {table: side.has_columns(connection, schema, table, columns) for table, columns in COLUMNS.items()}
    statement = _GLANCE if there[META_TABLE] else _VERSION_ALONE
    seen = judge(Evidence(names, _records(connection, schema, statement) if there[VERSION_TABLE] else None))
    missing = [name for name in side.declared() if name not in names]
    if seen.state is State.CURRENT and missing:
        return _damaged(seen.revision, f"the database says {seen.revision}, but {', '.join(missing)} is missing")
    return seen


def _records(connection: Connection, schema: str, statement: str) -> tuple[Record, ...]:
    prefix = sides.of(connection.dialect).look_prefix(schema)
    # by the driver's own words, which takes a tenth off the whole look
    rows = connection.exec_driver_sql(statement.format(schema=prefix.replace("%", "%%")))
    return tuple((row[0], row[1], row[2], row[3]) for row in rows.all())


def judge(found: Evidence) -> Status:
    """Say how a database stands to this code."""
    if found.records is None:
        return _without_record(found.names)
    if not found.records:
        return _without_version(found.names)
    if len(found.records) > 1:
        several = ", ".join(sorted(record[0] for record in found.records))
        return _damaged(None, f"the version table has several rows ({several}): {_STAMP}")
    revision, number, min_code, writer = next(iter(found.records))
    if number is None or min_code is None:
        return _without_meta(revision, found.names)
    if revision in chain.CHAIN:
        pending = chain.CHAIN[chain.position(revision) :]
        state = State.BEHIND if pending else State.CURRENT
        return Status(
            state=state,
            revision=revision,
            head=chain.HEAD,
            pending=pending,
            schema_number=number,
            min_code=min_code,
            writer=writer,
        )
    return _ahead(revision, number, min_code, writer)


def _ahead(revision: str, number: int, min_code: int, writer: str | None) -> Status:
    ours = chain.SCHEMA_NUMBER
    if number <= ours:
        return _damaged(
            revision, f"revision {revision} is unknown, though its number {number} is not newer than {ours}"
        )
    problem = ""
    if min_code > ours:
        problem = (
            f"the database is at {revision} (schema {number}, written by ragstore {writer}) and needs code of schema "
            f"{min_code} or later; this code knows {chain.HEAD} (schema {ours}): install ragstore {writer} or later"
        )
    state = State.AHEAD_INCOMPATIBLE if problem else State.AHEAD_COMPATIBLE
    return Status(
        state=state,
        revision=revision,
        head=chain.HEAD,
        schema_number=number,
        min_code=min_code,
        writer=writer,
        problem=problem,
    )


def _without_meta(revision: str, names: Collection[str]) -> Status:
    """Judge a version without the row that says which code may run on it."""
    if not revision.startswith(_OURS):
        return _foreign(names)
    if META_TABLE not in names:
        return _damaged(revision, f"{META_TABLE} is missing or cannot be read: restore it from a backup")
    return _damaged(revision, f"the row of {META_TABLE} is missing: {_STAMP}")


def _without_record(names: Collection[str]) -> Status:
    """Judge without a version table that can be read as ours."""
    if META_TABLE in names:
        return _damaged(None, f"{VERSION_TABLE} is missing or cannot be read: {_STAMP}")
    return _foreign(names) if names else nothing()


def _foreign(names: Collection[str]) -> Status:
    problem = f"ragstore did not make what has its names ({', '.join(sorted(names))}): pass another schema= or database"
    return Status(state=State.FOREIGN, revision=None, head=chain.HEAD, problem=problem)


def _without_version(names: Collection[str]) -> Status:
    """Judge with a version table that has no row."""
    if set(names) <= {VERSION_TABLE}:
        return nothing()
    return _damaged(None, f"{VERSION_TABLE} has no row: {_STAMP}")


def nothing() -> Status:
    """Give the status of a database with nothing of ours."""
    return Status(state=State.EMPTY, revision=None, head=chain.HEAD, pending=chain.CHAIN)


def _damaged(revision: str | None, problem: str) -> Status:
    return Status(state=State.DAMAGED, revision=revision, head=chain.HEAD, problem=problem)


def refuse_beyond(found: Status, job: Job) -> None:
    """Raise `SchemaTooNew` if a schema that is newer than this code is to be anything but at least at head."""
    if job.down or not (job.at_least or job.revision == "head"):
        raise SchemaTooNew(
            f"the database is at {found.revision}, which this code does not know, so it cannot bring it to "
            f"{job.revision}: use ragstore {found.writer} for that; nothing was changed",
            found=str(found.revision),
            supported=chain.HEAD,
        )


def refuse(found: Status) -> None:
    """Raise the error of a state in which nothing may be changed.

    Raises:
        SchemaTooNew: The schema is newer than this code can serve.
        SchemaDamaged: The version record and what is there disagree.
        MigrationError: Somebody else's tables or functions have our names.
    """
    if found.state is State.AHEAD_INCOMPATIBLE:
        raise SchemaTooNew(found.problem, found=str(found.revision), supported=chain.HEAD)
    if found.state is State.DAMAGED:
        raise SchemaDamaged(f"{found.problem}; nothing was changed")
    if found.state is State.FOREIGN:
        raise MigrationError(f"{found.problem}; nothing was changed")
