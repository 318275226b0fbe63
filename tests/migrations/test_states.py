"""What a database says of itself, and what follows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from ragstore.backends.postgresql import ddl
from ragstore.errors import InvalidInput, MigrationError, SchemaDamaged, SchemaTooNew, StorageError, UsageError
from ragstore.migrations import State, chain, current, downgrade, history, runner, status, upgrade
from ragstore.migrations.states import Evidence, judge
from tests.migrations.conftest import AFTER_HEAD

SQL = Callable[..., list[Any]]


def prefix(url: str) -> str:
    return "ragstore." if make_url(url).get_backend_name() == "postgresql" else ""


def plant(url: str, run_sql: SQL, *statements: str) -> None:
    upgrade(url)
    run_sql(url, *(statement.replace("rag_", f"{prefix(url)}rag_") for statement in statements))


def newer(url: str, run_sql: SQL, min_code: int) -> None:
    plant(
        url, run_sql, "UPDATE rag_version SET version_num = 'rs_0999'",
        f"UPDATE rag_meta SET schema_number = 999, min_code = {min_code}, writer = '9.9'",
    )  # fmt: skip


def test_empty_then_current(database_url: str) -> None:
    """M21: the plain cases."""
    before = status(database_url)
    assert (before.state, before.revision, before.pending) == (State.EMPTY, None, chain.CHAIN)
    assert current(database_url) is None
    upgrade(database_url)
    after = status(database_url)
    assert (after.state, after.revision, after.pending, after.problem) == (State.CURRENT, chain.HEAD, (), "")
    assert (after.schema_number, after.min_code) == (chain.SCHEMA_NUMBER, runner.module(chain.HEAD).min_code)
    assert current(database_url) == chain.HEAD


def test_newer_and_compatible(database_url: str, run_sql: SQL, caplog: pytest.LogCaptureFixture) -> None:
    """M21: starts, with one warning, and changes nothing."""
    newer(database_url, run_sql, min_code=chain.SCHEMA_NUMBER)
    assert status(database_url).state is State.AHEAD_COMPATIBLE
    caplog.clear()
    result = upgrade(database_url)
    assert (result.from_revision, result.applied) == ("rs_0999", ())
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.name for record in warnings] == ["ragstore.migrations"]
    assert current(database_url) == "rs_0999"


def test_newer_and_incompatible(database_url: str, run_sql: SQL, statements: list[str]) -> None:
    """M22: refused with both versions, by one query, without a write."""
    newer(database_url, run_sql, min_code=999)
    assert status(database_url).state is State.AHEAD_INCOMPATIBLE
    statements.clear()
    with pytest.raises(SchemaTooNew, match=rf"rs_0999.*999.*{chain.HEAD}") as caught:
        upgrade(database_url)
    assert len(statements) == 1
    assert (caught.value.found, caught.value.supported) == ("rs_0999", chain.HEAD)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("DELETE FROM rag_version", id="M23: version row deleted"),
        pytest.param("DROP TABLE rag_version", id="M23: version table dropped"),
        pytest.param("INSERT INTO rag_version VALUES ('rs_0000')", id="M24: two rows"),
        pytest.param("DELETE FROM rag_meta", id="meta row deleted"),
        pytest.param("DROP TABLE rag_meta", id="meta table dropped"),
        pytest.param("UPDATE rag_version SET version_num = 'rs_00xx'", id="a revision nobody knows"),
    ],
)
def test_damaged(database_url: str, run_sql: SQL, statements: list[str], damage: str) -> None:
    """M23, M24: DAMAGED, no DDL run, and the message tells what is wrong."""
    plant(database_url, run_sql, damage)
    found = status(database_url)
    assert found.state is State.DAMAGED
    assert found.problem
    statements.clear()
    with pytest.raises(SchemaDamaged, match="nothing was changed"):
        upgrade(database_url)
    assert not [statement for statement in statements if statement.startswith(("CREATE", "ALTER", "DROP", "INSERT"))]


def test_missing_table_at_head(database_url: str, run_sql: SQL) -> None:
    """M23: the version says head, and a table is gone."""
    plant(database_url, run_sql, "DROP TABLE rag_feedback")
    found = status(database_url)
    assert found.state is State.DAMAGED
    assert "rag_feedback is missing" in found.problem


@pytest.mark.parametrize("function", ddl.FUNCTIONS)
def test_missing_function_at_head(postgres_database: str, run_sql: SQL, function: str) -> None:
    """M23: the version says head, and a function is gone."""
    plant(postgres_database, run_sql, f"DROP FUNCTION {function}")
    found = status(postgres_database)
    assert found.state is State.DAMAGED
    assert f"{function} is missing" in found.problem


def test_all_functions_are_looked_for(postgres_database: str, run_sql: SQL) -> None:
    """M23: what the chain makes is what a status misses."""
    upgrade(postgres_database)
    made = run_sql(postgres_database, "SELECT proname FROM pg_proc WHERE pronamespace = 'ragstore'::regnamespace")
    assert {name for (name,) in made} == {*ddl.FUNCTIONS}


@pytest.mark.parametrize("function", ddl.FUNCTIONS)
def test_foreign_function(postgres_database: str, run_sql: SQL, function: str) -> None:
    """M26: somebody else's function with our name is left alone."""
    theirs = f"CREATE FUNCTION ragstore.{function}() RETURNS integer LANGUAGE sql AS 'SELECT 1'"
    run_sql(postgres_database, "CREATE SCHEMA ragstore", theirs)
    assert status(postgres_database).state is State.FOREIGN
    with pytest.raises(MigrationError, match=rf"did not make.*{function}.*schema="):
        upgrade(postgres_database)


@pytest.mark.parametrize(
    "theirs",
    [
        ["CREATE TABLE rag_chunk (id INTEGER)"],
        ["CREATE TABLE rag_version (number INTEGER)"],
        ["CREATE TABLE rag_version (version_num VARCHAR(32))", "INSERT INTO rag_version VALUES ('8fa3c1')"],
    ],
)
def test_foreign(database_url: str, run_sql: SQL, theirs: list[str]) -> None:
    """M26: somebody else's tables with our names are left alone."""
    if prefix(database_url):
        run_sql(database_url, "CREATE SCHEMA ragstore")
    run_sql(database_url, *(statement.replace("rag_", f"{prefix(database_url)}rag_") for statement in theirs))
    assert status(database_url).state is State.FOREIGN
    with pytest.raises(MigrationError, match=r"did not make.*schema="):
        upgrade(database_url)


def test_a_hosts_other_tables_are_none_of_ours(database_url: str, run_sql: SQL) -> None:
    """M26: a host may name its own tables as it likes."""
    run_sql(database_url, "CREATE TABLE rag_time (id INTEGER)")
    assert upgrade(database_url).applied == chain.CHAIN


def test_behind_and_pending(database_url: str, longer_chain: Callable[[str], None]) -> None:
    """M21: an older schema says which steps are pending; steps can be taken one at a time."""
    before = chain.HEAD
    longer_chain("def upgrade(op):\n    pass\ndef downgrade(op):\n    pass\n")
    for number, revision in enumerate(chain.CHAIN[:-1], 1):
        assert upgrade(database_url, "+1").applied == (revision,)
        found = status(database_url)
        assert (found.state, found.pending, found.schema_number) == (State.BEHIND, chain.CHAIN[number:], number)
    assert upgrade(database_url).applied == (AFTER_HEAD,)
    assert status(database_url).schema_number == len(chain.CHAIN)
    result = downgrade(database_url, "-1", allow_data_loss=True)
    assert (result.from_revision, result.to_revision, result.applied) == (AFTER_HEAD, before, (AFTER_HEAD,))
    assert status(database_url).schema_number == len(chain.CHAIN) - 1
    with pytest.raises(UsageError, match="use upgrade"):
        downgrade(database_url, "head", allow_data_loss=True)
    with pytest.raises(InvalidInput):
        upgrade(database_url, "+2")


def test_no_status_creates_no_file(sqlite_url: str, tmp_path: Any) -> None:
    """M44: a look at a file that does not exist does not make it."""
    assert status(sqlite_url).state is State.EMPTY
    assert status(f"sqlite:///file:{tmp_path}/a%2520b.db?uri=true").state is State.EMPTY
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("authority", ["", "//", "//localhost"])
def test_a_file_as_sqlite_names_it(tmp_path: Path, authority: str) -> None:
    """M44: what a `file:` URL names is found, or its folder is said to be missing."""
    upgrade(f"sqlite:///{tmp_path}/app.db")
    url = f"sqlite:///file:{authority}{tmp_path}"
    assert status(f"{url}/app.db?uri=true&mode=ro").state is State.CURRENT
    with pytest.raises(StorageError, match=r"folder .*nowhere does not exist"):
        upgrade(f"{url}/nowhere/app.db?uri=true")
    with pytest.raises(StorageError, match="is a folder"):
        upgrade(f"{url}?uri=true")


@pytest.mark.parametrize(
    ("records", "state"),
    [
        (None, State.EMPTY),
        ((), State.EMPTY),
        (((chain.HEAD, chain.SCHEMA_NUMBER, 1, "1"),), State.CURRENT),
        (((chain.HEAD, None, None, None),), State.DAMAGED),
        ((("x", None, None, None),), State.FOREIGN),
        ((("rs_9", 999, chain.SCHEMA_NUMBER, "1"),), State.AHEAD_COMPATIBLE),
        ((("rs_9", 999, chain.SCHEMA_NUMBER + 1, "1"),), State.AHEAD_INCOMPATIBLE),
        ((("rs_9", chain.SCHEMA_NUMBER, 1, "1"),), State.DAMAGED),
        (((chain.HEAD, 1, 1, "1"), ("rs_9", 1, 1, "1")), State.DAMAGED),
    ],
)
def test_judge(records: Any, state: State) -> None:
    """M21-M24: the judgement alone, without a database."""
    assert judge(Evidence((), records)).state is state


def test_downgrade_says_what_would_go(database_url: str, run_sql: SQL) -> None:
    """M08: without `allow_data_loss` the rows are counted and nothing is touched; with it nothing of ours is left."""
    identifier = "00000000-0000-0000-0000-000000000001"
    insert = (
        f"INSERT INTO rag_collection (id, name, language, metadata, salt) VALUES ('{identifier}', 'n', 'en', '{{}}', 1)"
    )
    plant(database_url, run_sql, insert)
    with pytest.raises(UsageError, match=r"rag_collection \(1 rows\).*allow_data_loss"):
        downgrade(database_url, "base")
    assert run_sql(database_url, f"SELECT name FROM {prefix(database_url)}rag_collection") == [("n",)]
    result = downgrade(database_url, "base", allow_data_loss=True)
    assert (result.from_revision, result.to_revision, result.committed) == (chain.HEAD, None, True)
    catalogue = (
        "SELECT tablename FROM pg_tables WHERE tablename LIKE 'rag%'" if prefix(database_url)
        else "SELECT name FROM sqlite_master WHERE name LIKE 'rag%'"
    )  # fmt: skip
    assert run_sql(database_url, catalogue) == []
    assert upgrade(database_url).applied == chain.CHAIN


def test_history() -> None:
    """M58: each revision with a summary."""
    assert [revision.id for revision in history()] == [*chain.CHAIN]
    assert [revision.previous for revision in history()] == [None, *chain.CHAIN[:-1]]
    assert all(revision.summary.endswith(".") for revision in history())
