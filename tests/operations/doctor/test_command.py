"""`ragstore doctor`: what it prints, and its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import typer

import ragstore
from ragstore.cli.doctor import doctor
from tests.cli.running import Called, call

SQL = Callable[..., list[Any]]


@pytest.fixture
def run() -> Callable[..., Called]:
    app = typer.Typer()
    app.command()(doctor)
    return lambda *arguments: call(app, arguments)


def test_healthy(database_url: str, run: Callable[..., Called]) -> None:
    ragstore.upgrade(database_url)
    found = run("--url", database_url, "--strict")
    assert found.exit_code == 0, found.stdout
    assert "Errors" not in found.stdout
    assert "checks" in found.stdout


def test_no_findings(
    upgraded_file: str, run_sql: SQL, run: Callable[..., Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ragstore.operations.doctor.sqlite import library

    monkeypatch.setattr(library, "WAL_RESET_FIXED", (((0,), (99,)),))
    run_sql(upgraded_file, "PRAGMA journal_mode = WAL")
    assert run("--url", upgraded_file, "--deep").stdout.endswith("no findings\n")


def test_error(sqlite_url: str, run: Callable[..., Called]) -> None:
    found = run("--url", sqlite_url)
    assert found.exit_code == 1
    assert "Errors\n- " in found.stdout
    assert "  -> check the path" in found.stdout


def test_warning(database_url: str, run_sql: SQL, run: Callable[..., Called]) -> None:
    """It fails a strict run alone."""
    ragstore.upgrade(database_url)
    at = "ragstore." if database_url.startswith("postgresql") else ""
    run_sql(database_url, f"DROP INDEX {at}ix_rag_message_open")
    assert run("--url", database_url).exit_code == 0
    found = run("--url", database_url, "--strict")
    assert (found.exit_code, "Warnings\n- rag_message" in found.stdout) == (1, True)


def test_json(database_url: str, run_sql: SQL, run: Callable[..., Called]) -> None:
    run_sql(database_url, "CREATE TABLE host (x integer)")
    found = run("--url", database_url, "--json")
    told = json.loads(found.stdout)
    assert (found.exit_code, told["healthy"], told["state"]) == (1, False, "empty")
    assert {"check", "level", "subject", "what", "remedy"} == set(told["findings"][0])
    assert told["facts"]["SQLAlchemy"]
