"""What every revision script must be: checked by reading it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from ragstore.migrations import chain, frozen, runner
from tests.migrations.conftest import PACKAGE, finish, start_child

SCRIPTS = sorted((PACKAGE / "migrations/versions").glob("rs_*.py"))
ALLOWED = {"__future__", "alembic", "sqlalchemy"}
FORBIDDEN = re.compile(
    r"\b(CONCURRENTLY|COMMIT|ROLLBACK|VACUUM|autocommit_block|SET\s+SESSION|PRAGMA)\b", re.IGNORECASE
)

INDEX = re.compile(r"\bCREATE\s+(?:UNIQUE\s+)?INDEX\s.*?\sON\s+(?:\{schema\}\.)?(\S+)", re.IGNORECASE | re.DOTALL)


def problems(source: str) -> list[str]:
    """List what a script must not do."""
    found = [f"says {match[0]}" for match in FORBIDDEN.finditer(source)]
    made = re.findall(r"\bCREATE TABLE (?:\{schema\}\.)?(\w+)", source)
    found += [f"indexes {match[1]}: use frozen.indexes" for match in INDEX.finditer(source) if match[1] not in made]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" if node.module == "ragstore.migrations" else str(node.module)
                     for alias in node.names]  # fmt: skip
        else:
            continue
        found += [f"imports {name}" for name in names
                  if name.partition(".")[0] not in ALLOWED and name != "ragstore.migrations.frozen"]  # fmt: skip
    return found


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path: Path) -> None:
    """M58: transactional statements only, no live code, a short id; no index on a table that may be large by then."""
    script = runner.module(path.stem)
    assert len(script.revision) <= 32
    assert script.revision == path.stem
    assert problems(path.read_text()) == []
    assert script.min_code <= script.schema_number
    assert set(script.CREATED) == set(script.ADDED) == {"postgresql", "sqlite"}
    assert isinstance(script.rebuilds_tables, bool)


@pytest.mark.parametrize(
    "source",
    [
        "from ragstore.schema import metadata",
        "import ragstore.core.types",
        "from ragstore.migrations import states",
        "import urllib.request",
        "S = 'CREATE INDEX CONCURRENTLY x ON y (z)'",
        "with op.get_context().autocommit_block(): pass",
        "op.execute('commit')",
        "S = 'CREATE INDEX x ON rag_message (seq)'",
        "S = 'CREATE INDEX x ON {schema}.rag_message (seq)'",
        "S = 'create unique index x on {table} (seq)'",
    ],
)
def test_the_lint_sees(source: str) -> None:
    """M58: each forbidden thing is found."""
    assert problems(source)


class Written(list[str]):
    """Takes the place of a file: each statement is one item."""

    write = list.append

    def flush(self) -> None:
        """Keep them."""


def statements(revision: str, database: str) -> list[str]:
    """Give what a revision's upgrade runs."""
    written = Written()
    options = {"as_sql": True, "output_buffer": written, frozen.NAMES: {"schema": "s", "vector": "v"}}
    context = MigrationContext.configure(dialect_name=database, dialect_opts={"paramstyle": "named"}, opts=options)
    runner.module(revision).upgrade(Operations(context))
    return [statement.strip().rstrip(";") for statement in written]


ADD_COLUMN = re.compile(r"\bADD (?:COLUMN )?\"?(\w+)\"? ([^,]*)")
ALTER_TABLE = re.compile(r"ALTER TABLE (?:\w+\.)?(\w+) (.*)", re.DOTALL)
EXPANDS = re.compile(
    r"CREATE TABLE |CREATE INDEX |CREATE (OR REPLACE )?FUNCTION |CREATE TRIGGER |COMMENT ON "
    r"|ALTER TABLE \S+ (ADD COLUMN [^,]+(, )?)+$|ALTER TABLE \S+ (ALTER COLUMN \S+ SET STORAGE \w+(, )?)+$"
)


def added(found: list[str]) -> dict[str, dict[str, str]]:
    """Give the columns that statements add to tables, with the rest of their definition."""
    tables: dict[str, dict[str, str]] = {}
    for statement in found:
        alters = ALTER_TABLE.fullmatch(statement)
        for column in ADD_COLUMN.finditer(alters[2] if alters else ""):
            tables.setdefault(alters[1] if alters else "", {})[column[1]] = column[2]
    return tables


def narrows(found: list[str]) -> list[str]:
    """List what code of the schema before could not live with, so that both cannot run side by side."""
    new = [match[1] for statement in found if (match := re.match(r"CREATE TABLE (?:\w+\.)?(\w+)", statement))]
    on_new = re.compile(rf"(CREATE UNIQUE INDEX \w+ ON|ALTER TABLE) (\w+\.)?({'|'.join(new) or '-'})\b")
    wrong = [statement for statement in found if not EXPANDS.match(statement) and not on_new.match(statement)]
    return wrong + [
        f"{table}.{column} {definition}"
        for table, columns in added(found).items()
        for column, definition in columns.items()
        if "NOT NULL" in definition and "DEFAULT" not in definition
    ]


@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
@pytest.mark.parametrize("revision", chain.CHAIN)
def test_what_a_script_makes_is_told(revision: str, database: str) -> None:
    """M58: tables in CREATED and columns in ADDED, with their defaults: a downgrade counts what they hold."""
    script, found = runner.module(revision), statements(revision, database)
    made = [match[1] for statement in found if (match := re.match(r"CREATE TABLE (?:\w+\.)?(\w+)", statement))]
    assert tuple(made) == script.CREATED[database]
    told = script.ADDED[database]
    assert {table: [*columns] for table, columns in added(found).items()} == {
        table: [*columns] for table, columns in told.items()
    }
    for table, columns in added(found).items():
        for column, definition in columns.items():
            default = re.search(r"DEFAULT (\S+)", definition)
            assert told[table][column] == (default[1] if default else "NULL"), column


@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
@pytest.mark.parametrize("revision", chain.CHAIN)
def test_a_script_only_expands(revision: str, database: str) -> None:
    """M50, M58: code of the schema before goes on working, so `min_code` stays; see `chain.py` for what to do else."""
    assert narrows(statements(revision, database)) == []
    script = runner.module(revision)
    before = script.down_revision and runner.module(script.down_revision)
    assert script.min_code == (before.min_code if before else 1)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE s.rag_chunk",
        "DROP INDEX s.ix",
        "ALTER TABLE s.rag_chunk DROP COLUMN x",
        "ALTER TABLE s.rag_chunk ADD COLUMN x INTEGER, DROP COLUMN y",
        "ALTER TABLE rag_chunk RENAME COLUMN x TO y",
        "ALTER TABLE s.rag_chunk ADD COLUMN x INTEGER NOT NULL",
        "ALTER TABLE s.rag_chunk ADD COLUMN w TEXT, ADD COLUMN x INTEGER NOT NULL, ADD COLUMN y INTEGER DEFAULT 1",
        "ALTER TABLE s.rag_chunk ALTER COLUMN x SET NOT NULL",
        "ALTER TABLE s.rag_chunk ALTER COLUMN x TYPE BIGINT",
        "ALTER TABLE s.rag_chunk ADD CONSTRAINT c CHECK (x > 0)",
        "CREATE UNIQUE INDEX ux ON s.rag_chunk (x)",
        "UPDATE s.rag_chunk SET x = 1",
        "DELETE FROM rag_chunk",
    ],
)
def test_the_lint_sees_what_narrows(statement: str) -> None:
    """M58: each such statement is found."""
    assert narrows([statement])


def test_chain_is_linear_and_complete() -> None:
    """M58: the plain names in `chain.py` are the scripts, in order, numbered one by one."""
    scripts = [script.revision for script in runner.scripts().walk_revisions("base", "heads")]
    assert scripts[::-1] == [*chain.CHAIN]
    assert [path.stem for path in SCRIPTS] == [*chain.CHAIN]
    modules = [runner.module(revision) for revision in chain.CHAIN]
    assert [module.down_revision for module in modules] == [None, *chain.CHAIN[:-1]]
    assert [module.schema_number for module in modules] == [*range(1, len(modules) + 1)]
    assert modules[-1].schema_number == chain.SCHEMA_NUMBER


def test_scripts_import_no_live_tables() -> None:
    """M58: loading the chain does not load what the tables are today."""
    finish(start_child("""
        import sys, types
        package = types.ModuleType("ragstore")
        import importlib.util
        package.__path__ = [importlib.util.find_spec("ragstore").submodule_search_locations[0]]
        sys.modules["ragstore"] = package  # its own imports are not the question
        from ragstore.migrations import runner
        runner.history()
        live = [name for name in sys.modules if name.startswith("ragstore.") and name.endswith((".tables", ".schema"))]
        assert not live, live
    """))  # fmt: skip


def test_position_and_steps() -> None:
    """M28: what a caller may write for a revision."""
    first, last = chain.CHAIN[0], len(chain.CHAIN)
    assert chain.resolve(first, None) == chain.resolve("+1", None) == chain.resolve(first, chain.HEAD) == 1
    assert chain.resolve("head", None) == chain.resolve(chain.HEAD, None) == chain.resolve(f"+{last}", None) == last
    assert chain.resolve("base", chain.HEAD) == chain.resolve("-1", first) == chain.resolve(f"-{last}", chain.HEAD) == 0
    assert [chain.at(chain.position(revision)) for revision in (None, *chain.CHAIN)] == [None, *chain.CHAIN]
