"""The text of an upgrade or a downgrade, for an administrator to run: what `runner` does, without a database."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from ragstore.core.sql import literal, quoted
from ragstore.errors import InvalidInput
from ragstore.migrations import chain, frozen, runner, states
from ragstore.migrations.job import Job

_FIRST_VERSION = """CREATE TABLE {version} (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT rag_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO {version} VALUES ({end});
"""
_NEXT_VERSION = "UPDATE {version} SET version_num = {end};\n"
_META = """DELETE FROM {meta};
INSERT INTO {meta} (id, schema_number, min_code, writer) VALUES ({values});
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a script is to do.

    Attributes:
        database: "postgresql" or "sqlite".
        here: The position in the chain at which it begins.
        there: The position at which it ends.
        job: What else is asked.
        vector_schema: Schema of the extension.
    """

    database: str
    here: int
    there: int
    job: Job
    vector_schema: str

    @property
    def down(self) -> bool:
        """Say whether it takes revisions back."""
        return self.there < self.here

    @property
    def start(self) -> str | None:
        """Give the revision at which it begins."""
        return chain.at(self.here)

    @property
    def end(self) -> str | None:
        """Give the revision at which it ends."""
        return chain.at(self.there)

    @property
    def steps(self) -> tuple[str, ...]:
        """Give the revisions, in the order in which they run."""
        return chain.steps(self.end or "base", self.start, down=self.down)

    @property
    def prefix(self) -> str:
        """Give what stands before a table's name."""
        return quoted(self.job.schema) + "." if self.database == "postgresql" else ""

    @property
    def names(self) -> Mapping[str, str]:
        """Give the replacements in the revisions' statements."""
        if self.database == "sqlite":
            return {}
        return {"schema": quoted(self.job.schema), "vector": quoted(self.vector_schema)}


def plan(database: str, revision: str, *, start: str, schema: str, vector_schema: str) -> Plan:
    """Check what is asked.

    Raises:
        InvalidInput: There is no such database or revision.
    """
    if database not in ("postgresql", "sqlite"):
        raise InvalidInput('must be "postgresql" or "sqlite"', field="database")
    here = chain.resolve(start, None)
    there = chain.resolve(revision, chain.at(here))
    Job(schema=vector_schema)  # the same rules for a schema's name
    return Plan(database=database, here=here, there=there, job=Job(schema=schema), vector_schema=vector_schema)


def script(plan: Plan, *, transaction: bool) -> str:
    """Write the script."""
    if plan.here == plan.there:
        return f"-- nothing to do: {plan.start or 'base'} is where the database is\n"
    if plan.database == "postgresql":
        from ragstore.migrations import offline_postgresql

        return offline_postgresql.script(plan, changes(plan), transaction=transaction)
    from ragstore.migrations import offline_sqlite

    return offline_sqlite.script(plan, changes(plan), transaction=transaction)


def changes(plan: Plan) -> str:
    """Write the revisions' own statements, and what the version record then says."""
    parts = []
    for step in plan.steps:
        summary = (runner.module(step).__doc__ or "").partition("\n")[0]
        parts += [f"-- {step}{', taken back' if plan.down else ''}: {summary}\n", statements(plan, step)]
    return "\n".join([*parts, "-- what the schema is now, and which code may run on it\n", _record(plan)])


def statements(plan: Plan, step: str) -> str:
    """Write one revision's statements."""
    buffer = io.StringIO()
    options = {"as_sql": True, "output_buffer": buffer, frozen.NAMES: plan.names}
    # with the default style each percent sign would be doubled, for a driver
    style = {"paramstyle": "named"}
    context = MigrationContext.configure(dialect_name=plan.database, dialect_opts=style, opts=options)
    module = runner.module(step)
    (module.downgrade if plan.down else module.upgrade)(Operations(context))
    return buffer.getvalue()


def _record(plan: Plan) -> str:
    version, meta = f"{plan.prefix}{states.VERSION_TABLE}", f"{plan.prefix}{states.META_TABLE}"
    if plan.end is None:
        return f"DROP TABLE {version};\n"
    end = runner.module(plan.end)
    values = f"1, {end.schema_number}, {end.min_code}, {literal(runner.version())}"
    written = _FIRST_VERSION if plan.start is None else _NEXT_VERSION
    return written.format(version=version, end=literal(plan.end)) + _META.format(meta=meta, values=values)
