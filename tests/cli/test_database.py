"""`ragstore db`, as a shell or a script calls it: what it prints, and the exit code."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from ragstore import migrations
from ragstore.cli import app
from ragstore.migrations import State, chain
from tests.cli.running import Called, call

HEAD = chain.HEAD


@pytest.fixture(autouse=True)
def _no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAGSTORE_URL", "DATABASE_URL", "RAGSTORE_UPGRADE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sqlite_file(tmp_path: Path) -> str:
    """URL of an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path}/app.db"


def run(*arguments: str, code: int = 0) -> Called:
    result = call(app, ["db", *arguments])
    assert result.exit_code == code, result.stdout + result.stderr
    return result


def as_json(*arguments: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, "--json", code=code).stdout)
    return found


def process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call it as a shell does: errors become a line and an exit code in the script alone."""
    command = [sys.executable, "-m", "ragstore", "db", *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def test_from_nothing_to_head_and_back(sqlite_file: str) -> None:
    """M13's way back is asked for twice: the second time it says what goes."""
    at = ("--url", sqlite_file)
    assert run("status", *at, code=1).stdout.startswith("empty: at no revision")
    assert run("upgrade", *at, "--to", "rs_0001").stdout == "upgraded from nothing to rs_0001\n"
    assert "pending: rs_0002" in run("status", *at, code=1).stdout
    assert run("upgrade", *at).stdout == f"upgraded from rs_0001 to {HEAD}\n"
    assert run("upgrade", *at).stdout == f"up to date at {HEAD}\n"
    assert run("status", *at).stdout.startswith("current")
    assert run("current", *at).stdout == f"{HEAD}\n"
    assert run("check", *at).stdout == "no differences\n"
    assert run("downgrade", *at, "rs_0003", "--allow-data-loss").stdout == f"downgraded from {HEAD} to rs_0003\n"
    assert run("downgrade", *at, "base", "--allow-data-loss").stdout == "downgraded from rs_0003 to nothing\n"
    assert run("current", *at, code=1).stdout == ""


def test_for_scripts(sqlite_file: str) -> None:
    """Each command prints one JSON object that holds what the function returns."""
    at = ("--url", sqlite_file)
    assert as_json("current", *at, code=1) == {"revision": None}
    assert as_json("upgrade", *at)["applied"] == list(chain.CHAIN)
    assert as_json("status", *at)["state"] == "current"
    assert as_json("current", *at) == {"revision": HEAD}
    assert as_json("check", *at) == {"differences": []}
    assert [each["id"] for each in as_json("history")["revisions"]] == list(chain.CHAIN)
    assert as_json("ensure-indexes", *at) == {"indexes": []}
    assert as_json("downgrade", *at, "-1", "--allow-data-loss")["to_revision"] == chain.CHAIN[-2]


def test_drift_and_repair(sqlite_file: str) -> None:
    """A missing index is found, with exit code 1, and built."""
    at = ("--url", sqlite_file)
    run("upgrade", *at)
    with sqlite3.connect(make_url(sqlite_file).database or "") as connection:
        connection.execute("DROP INDEX ix_rag_message_kept")
    connection.close()
    assert "ix_rag_message_kept is missing" in run("check", *at, code=1).stdout
    assert [each["name"] for each in as_json("check", *at, code=1)["differences"]] == ["ix_rag_message_kept"]
    assert run("ensure-indexes", *at).stdout == "built ix_rag_message_kept\n"
    assert run("ensure-indexes", *at).stdout == "all indexes are as they should be\n"
    run("check", *at)


def test_progress_goes_to_the_error_stream(postgres_url: str) -> None:
    """What a script reads is the result alone."""
    at = ("--url", postgres_url)
    run("upgrade", *at)
    assert as_json("ensure-indexes", *at) == {"indexes": []}


def test_a_lost_record_is_stamped(sqlite_file: str) -> None:
    """M23: damaged, then current again."""
    at = ("--url", sqlite_file)
    run("upgrade", *at)
    with sqlite3.connect(make_url(sqlite_file).database or "") as connection:
        connection.execute("DELETE FROM rag_version")
    connection.close()
    assert run("status", *at, code=1).stdout.startswith("damaged")
    run("stamp", *at, HEAD)
    run("check", *at)


@pytest.mark.parametrize("policy", ["off", "check"])
def test_what_governs_applications_does_not_govern_this(
    sqlite_file: str, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    """M59: `SchemaBehind` tells an operator to run this command, so it upgrades."""
    monkeypatch.setenv("RAGSTORE_UPGRADE", policy)
    assert run("upgrade", "--url", sqlite_file).stdout == f"upgraded from nothing to {HEAD}\n"


def test_text_for_an_administrator(tmp_path: Path, sqlite_file: str) -> None:
    """M52: what is printed, run by hand, is an upgrade; no database is asked."""
    script = run("sql", "sqlite").stdout
    connection = sqlite3.connect(tmp_path / "app.db")
    connection.executescript(script)
    connection.close()
    assert migrations.status(sqlite_file).state is State.CURRENT
    assert "rag_message_append" in run("sql", "postgresql", "--from", "rs_0003", "--schema", "other").stdout
    assert "BEGIN;" not in run("sql", "postgresql", "--from", "rs_0002", "--to", "rs_0003", "--no-transaction").stdout
    assert "DROP TABLE" in run("sql", "postgresql", "--from", "rs_0003", "--to", "rs_0002").stdout


def test_address_from_the_environment(sqlite_file: str) -> None:
    """`RAGSTORE_URL` goes before `DATABASE_URL`, and `--url` before both."""
    assert process("upgrade", DATABASE_URL=sqlite_file).stdout == f"upgraded from nothing to {HEAD}\n"
    other = sqlite_file.replace("app.db", "other.db")
    assert process("current", DATABASE_URL=other, RAGSTORE_URL=sqlite_file).stdout == f"{HEAD}\n"
    assert process("current", "--url", sqlite_file, RAGSTORE_URL=other).stdout == f"{HEAD}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (("upgrade", "--url", "sqlite:///missing/app.db"), 1, "does not exist: create it first"),
        (("upgrade", "--url", "mysql://localhost/x"), 2, "mysql"),
        (("upgrade", "--url", "sqlite://"), 2, "memory"),
        (("downgrade", "--url", "sqlite:///app.db", "rs_9999"), 2, "rs_9999"),
        (("upgrade",), 2, "--url"),
        (("sql", "oracle"), 2, "oracle"),
    ],
)
def test_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: Any, code: int, line: str) -> None:
    """One line on the error stream; 1 if it failed, 2 if the call was wrong."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(migrations.__file__).parents[2]))
    result = process(*arguments)
    assert (result.returncode, result.stdout) == (code, "")
    assert line in result.stderr
    assert "Traceback" not in result.stderr


def test_a_downgrade_says_what_would_go(sqlite_file: str) -> None:
    """M08: nothing is touched without --allow-data-loss."""
    run("upgrade", "--url", sqlite_file)
    result = process("downgrade", "--url", sqlite_file, "base")
    assert (result.returncode, result.stdout) == (2, "")
    assert "allow" in result.stderr
    assert migrations.current(sqlite_file) == HEAD
