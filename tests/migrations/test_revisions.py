"""What every revision script must be: checked by reading it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from ragstore.migrations import chain, runner
from tests.migrations.conftest import PACKAGE, finish, start_child

SCRIPTS = sorted((PACKAGE / "migrations/versions").glob("rs_*.py"))
ALLOWED = {"__future__", "alembic", "sqlalchemy"}
FORBIDDEN = re.compile(
    r"\b(CONCURRENTLY|COMMIT|ROLLBACK|VACUUM|autocommit_block|SET\s+SESSION|PRAGMA)\b", re.IGNORECASE
)


def problems(source: str) -> list[str]:
    """List what a script must not do."""
    found = [f"says {match[0]}" for match in FORBIDDEN.finditer(source)]
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
    """M58: transactional statements only, no live code, a short id."""
    script = runner.module(path.stem)
    assert len(script.revision) <= 32
    assert script.revision == path.stem
    assert problems(path.read_text()) == []
    assert script.min_code <= script.schema_number
    assert set(script.CREATED) == {"postgresql", "sqlite"}
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
    ],
)
def test_the_lint_sees(source: str) -> None:
    """M58: each forbidden thing is found."""
    assert problems(source)


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
