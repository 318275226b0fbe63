"""The frame of a script for SQLite, which has no IF: a row that breaks a CHECK refuses.

The shell goes on after an error unless it is told `-bail`. So the refusal is remembered, and before the commit a second
row that breaks the CHECK rolls everything back. Any other error is only safe with `-bail`.
"""

from __future__ import annotations

from ragstore.core.sql import literal, quoted
from ragstore.migrations import chain, runner, states
from ragstore.migrations.offline import Plan
from ragstore.migrations.on_sqlite import ORPHANS

_HEAD = """-- ragstore, from {start} to {end}, for SQLite. Run it by  sqlite3 -bail
-- All of it is one transaction: if a statement fails, nothing is changed. Without -bail the shell would go on.
"""
# the pragma does nothing inside a transaction, and a table that is dropped with it on takes the rows that refer to it
_BEGIN = """
PRAGMA busy_timeout = 60000;
PRAGMA foreign_keys = OFF; -- for this connection; turn it on again if you go on using it
BEGIN IMMEDIATE;
"""
# Alembic writes a BEGIN for SQLite only if it is asked to; a savepoint is a transaction of its own where there is none
_SAVEPOINT = "\nSAVEPOINT ragstore;\n"
_RELEASE = "RELEASE ragstore;\n"
_GUARD = """
-- Refuse a database that is at another revision{and_references}.
CREATE TEMP TABLE rag_guard (
    at_start INTEGER CONSTRAINT {wrong_start} CHECK (at_start),
    unreferenced INTEGER CONSTRAINT "foreign keys of other tables refer to ours: nothing was changed"
        CHECK (unreferenced),
    sound INTEGER CONSTRAINT "rows would refer to nothing: nothing was changed" CHECK (sound)
);
INSERT INTO temp.rag_guard VALUES (
    ({at_start}),
    ({unreferenced}),
    1
);
"""
_AT_START = "SELECT group_concat(version_num) IS {start} FROM {table}"
_AT_BASE = "SELECT count(*) = 0 FROM main.sqlite_master WHERE name = '{table}'"
_UNREFERENCED = """SELECT count(*) = 0 FROM main.sqlite_master AS m, pragma_foreign_key_list(m.name) AS k
     WHERE m.type = 'table' AND m.name NOT IN ({tables}) AND lower(k."table") IN ({tables})"""
_END = """
-- Roll back if the database was refused above, or if rows would refer to nothing.
INSERT OR ROLLBACK INTO temp.rag_guard
SELECT count(*) = 1, 1, NOT EXISTS ({orphans})
FROM temp.rag_guard;
DROP TABLE temp.rag_guard;
"""


def script(plan: Plan, changes: str, *, transaction: bool) -> str:
    """Write the script."""
    begin, commit = (_BEGIN, "COMMIT;\n") if transaction else (_SAVEPOINT, _RELEASE)
    head = _HEAD.format(start=plan.start or "base", end=plan.end or "base")
    return f"{head}{begin}{_guard(plan)}\n{changes}{_end(plan)}{commit}"


def _guard(plan: Plan) -> str:
    table = states.VERSION_TABLE
    begins = f"this script begins at {plan.start or 'no revision'}, where the database is not: nothing was changed"
    return _GUARD.format(
        and_references=", and tables to which others refer" if plan.down else "",
        wrong_start=quoted(begins),
        at_start=_AT_START.format(start=literal(plan.start), table=table)
        if plan.start
        else _AT_BASE.format(table=table),
        unreferenced=_UNREFERENCED.format(tables=_listed(plan.steps)) if plan.down else "1",
    )


def _end(plan: Plan) -> str:
    return _END.format(orphans=ORPHANS.format(tables=_listed(chain.CHAIN)))


def _listed(revisions: tuple[str, ...]) -> str:
    tables = [table for revision in revisions for table in runner.module(revision).CREATED["sqlite"]]
    return ", ".join(map(literal, tables)) or "''"
