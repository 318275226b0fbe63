"""The work inside the lock. Alembic is the engine here, driven directly: its commands work on module globals."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from types import ModuleType

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from ragstore.core.sql import for_text
from ragstore.errors import MigrationError, SchemaDamaged
from ragstore.migrations import chain, frozen, losing, sides, states
from ragstore.migrations.job import Job
from ragstore.migrations.results import Revision, State, Status, UpgradeResult

logger = logging.getLogger("ragstore.migrations")

_META = "rag_meta (id, schema_number, min_code, writer) VALUES (1, :number, :min_code, :writer)"


@lru_cache(1)
def scripts() -> ScriptDirectory:
    """Load the scripts, by the absolute path of the installed package: a `package:folder` would leak at each load."""
    directory = ScriptDirectory(str(Path(__file__).resolve().parent))
    directory.get_heads()  # reads them all, before another thread can see it half read
    return directory


def module(revision: str) -> ModuleType:
    """Give a revision's script."""
    script = scripts().get_revision(revision)
    if script is None:
        raise MigrationError(f"the script of revision {revision} is not installed: install ragstore anew")
    return script.module


def history() -> tuple[Revision, ...]:
    """List the revisions, oldest first."""
    modules = [module(revision) for revision in chain.CHAIN]
    return tuple(
        Revision(id=found.revision, previous=found.down_revision, summary=(found.__doc__ or "").partition("\n")[0])
        for found in modules
    )


def migrate(connection: Connection, job: Job, *, owned: bool) -> UpgradeResult:
    """Bring a database to a revision, inside a transaction and a lock that the caller has opened."""
    found = states.read(connection, job.schema)
    states.refuse(found)
    if found.state is State.AHEAD_COMPATIBLE:
        states.refuse_beyond(found, job)
        return _unchanged(found, owned=owned)
    if job.is_reached(found.revision):
        return _unchanged(found, owned=owned)
    there = chain.resolve(job.revision, found.revision)
    steps = chain.steps(job.revision, found.revision, down=job.down)
    if job.down:
        _refuse_what_would_be_lost(connection, job, steps)
    deferred = _run(connection, job, steps, owned=owned)
    _verify(connection, job, chain.at(there))
    if deferred:
        call = "until `ragstore db ensure-indexes` or migrations.ensure_indexes(...) builds them, queries are slower"
        logger.warning("indexes of large tables were left out: %s; %s", ", ".join(deferred), call)
    return UpgradeResult(
        from_revision=found.revision, to_revision=chain.at(there), applied=steps, committed=owned, deferred=deferred
    )


def _refuse_what_would_be_lost(connection: Connection, job: Job, steps: Sequence[str]) -> None:
    taken_back = [module(step) for step in steps]
    losing.refuse_references(connection, job.schema, taken_back)
    if not job.allow_data_loss:
        losing.refuse_loss(connection, job.schema, taken_back)


def _unchanged(found: Status, *, owned: bool) -> UpgradeResult:
    return UpgradeResult(from_revision=found.revision, to_revision=found.revision, applied=(), committed=owned)


def _run(connection: Connection, job: Job, steps: Sequence[str], *, owned: bool) -> tuple[str, ...]:
    side = sides.of(connection.dialect)
    rebuilds = any(module(step).rebuilds_tables for step in steps)
    names = side.make_ready(connection, job, owned=owned, rebuilds=rebuilds)
    context = context_of(connection, names, job.schema if side.prefix(job.schema) else None)
    op = Operations(context)
    for step in steps:
        script = module(step)
        logger.info("%s %s", "taking back" if job.down else "running", step)
        (script.downgrade if job.down else script.upgrade)(op)
        after = script.down_revision if job.down else step
        context.stamp(scripts(), after or "base")
        note(connection, job, after)
    return tuple(context.opts[frozen.DEFERRED])


def context_of(connection: Connection, names: Mapping[str, str], schema: str | None) -> MigrationContext:
    """Give Alembic what it needs to work on our version table."""
    options: dict[str, object] = {
        "version_table": states.VERSION_TABLE,
        "version_table_schema": schema,
        frozen.NAMES: names,
        frozen.DEFERRED: [],
    }
    return MigrationContext.configure(connection=connection, opts=options)


def note(connection: Connection, job: Job, revision: str | None) -> None:
    """Write which code may run on the schema; after the first revision is taken back nothing is left to write to."""
    prefix = for_text(sides.of(connection.dialect).prefix(job.schema))
    if revision is None:
        connection.execute(text(f"DROP TABLE {prefix}{states.VERSION_TABLE}"))
        return
    script = module(revision)
    values = {"number": script.schema_number, "min_code": script.min_code, "writer": version()}
    connection.execute(text(f"DELETE FROM {prefix}rag_meta"))  # noqa: S608 - a quoted name
    connection.execute(text(f"INSERT INTO {prefix}{_META}"), values)


def version() -> str:
    """Give this package's version, which a schema tells as its writer's."""
    try:
        return metadata.version("ragstore")
    except metadata.PackageNotFoundError:
        return "unknown"


def _verify(connection: Connection, job: Job, expected: str | None) -> None:
    sides.of(connection.dialect).verify(connection)
    found = states.read(connection, job.schema)
    if found.revision != expected or found.problem:
        raise SchemaDamaged(f"after the migration the database is at {found.revision}, not {expected}: {found.problem}")
