"""What revision scripts may import: append-only. What is here never changes, or old revisions would change with it.

A script holds SQL text for each database. In PostgreSQL's, `{schema}` stands for the quoted schema of our tables, and
`{vector}` for the quoted schema of the extension pgvector; SQLite has neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from alembic.operations import Operations
from sqlalchemy import DDL, text

NAMES = "ragstore_names"
"""The option of the migration context that holds the replacements."""

DEFERRED = "ragstore_deferred"
"""The option of the migration context that holds the list of the indexes left to `ensure_indexes`."""

LARGE = 100_000
"""A table with more rows than this gets no index in a migration, which would lock out its writers for too long."""

_PLACE = re.compile(r"\{(schema|vector)\}")


def run(op: Operations, statements: Mapping[str, Iterable[str]]) -> None:
    """Run the statements of the database in use, in order; keys are "postgresql" and "sqlite"."""
    context = op.get_context()
    names: Mapping[str, str] = context.opts.get(NAMES, {})
    for statement in statements[context.dialect.name]:
        filled = _PLACE.sub(lambda match: names[match[1]], statement)
        # DDL() formats by %; text() would take :name for a parameter
        op.execute(DDL(filled.replace("%", "%%")))  # type: ignore[no-untyped-call]


def drop_tables(op: Operations, tables: Mapping[str, Iterable[str]]) -> None:
    """Drop tables of the database in use, in the reverse of the order in which they were made."""
    name = op.get_context().dialect.name
    prefix = {"postgresql": "{schema}.", "sqlite": ""}[name]
    run(op, {name: [f"DROP TABLE {prefix}{table}" for table in reversed(list(tables[name]))]})


def indexes(op: Operations, table: str, definitions: Mapping[str, str]) -> None:
    """Add indexes to a table of an earlier revision: name → what follows the table, "(column, ...) WHERE ...".

    On a large table they are left to `ensure_indexes`; queries are right without them. They must not be unique.
    """
    context = op.get_context()
    if not context.as_sql and _is_large(op, table):
        context.opts[DEFERRED].extend(definitions)
        return
    run(
        op,
        {
            "postgresql": [f"CREATE INDEX {name} ON {{schema}}.{table} {what}" for name, what in definitions.items()],
            "sqlite": [f"CREATE INDEX {name} ON {table} {what}" for name, what in definitions.items()],
        },
    )


def drop_indexes(op: Operations, names: Iterable[str]) -> None:
    """Drop indexes that `indexes` added or left out."""
    listed = list(names)
    run(
        op,
        {
            "postgresql": [f"DROP INDEX IF EXISTS {{schema}}.{name}" for name in listed],
            "sqlite": [f"DROP INDEX IF EXISTS {name}" for name in listed],
        },
    )


def _is_large(op: Operations, table: str) -> bool:
    context = op.get_context()
    schema = context.opts.get(NAMES, {}).get("schema")
    name = table if schema is None else f"{schema}.{table}".replace(":", "\\:")
    some = text(f"SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT {LARGE + 1}) AS counted")  # noqa: S608 - a quoted name
    return bool(op.get_bind().execute(some).scalar_one() > LARGE)
