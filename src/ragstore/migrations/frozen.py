"""What revision scripts may import: append-only. What is here never changes, or old revisions would change with it.

A script holds SQL text for each database. In PostgreSQL's, `{schema}` stands for the quoted schema of our tables, and
`{vector}` for the quoted schema of the extension pgvector; SQLite has neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from alembic.operations import Operations
from sqlalchemy import DDL

NAMES = "ragstore_names"
"""The option of the migration context that holds the replacements."""

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
