"""`ragstore adopt`, as a shell or a script calls it: what it prints, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from ragstore import Store
from ragstore.cli.adopting import adopt
from ragstore.errors import InvalidInput
from tests.cli.running import Called, call
from tests.operations.adoption.conftest import OldApp, exchange, piece

app = typer.Typer()
app.command()(adopt)


@pytest.fixture
def old(tmp_path: Path) -> OldApp:
    made = OldApp(f"sqlite:///{tmp_path}/old.db").fill(exchanges=8, pieces=4)
    made.engine.dispose()
    return made


def run(*arguments: str, code: int = 0) -> Called:
    result = call(app, arguments)
    assert result.exit_code == code, result.stdout + result.stderr
    return result


def test_it_prints_what_was_taken_over_and_progress_aside(old: OldApp, sqlite_database: str) -> None:
    planned = run(old.url, "--url", sqlite_database, "--dry-run").stdout.splitlines()
    assert planned == [
        "conversation: 8 rows, 8 to add, 0 there already, 0 refused; columns left: ip_address",
        "document_chunk: 4 rows, 4 to add, 0 there already, 0 refused; columns left: embedding",
        "there would be 7 threads, 16 messages, 1 documents and 4 chunks of them in the store",
        "rate limits: 1 rows, which are left where they are",
    ]
    result = run(old.url, "--url", sqlite_database, "--collection", "manuals")
    assert result.stdout.splitlines()[2].startswith("there are now 7 threads, 16 messages")
    assert "writing conversation: 8 of 8" in result.stderr
    with Store.open(sqlite_database) as store:
        assert store.chunks.count("manuals") == 4


def test_json_is_one_object(old: OldApp, sqlite_database: str) -> None:
    printed = json.loads(run(old.url, "--url", sqlite_database, "--json").stdout)
    assert (printed["messages"], printed["conversation"]["added"], printed["refused"]) == (16, 8, [])


def test_refused_rows_give_exit_code_1_and_are_listed(old: OldApp, sqlite_database: str) -> None:
    old.add("conversation", *(exchange(n, response=None) for n in range(100, 130)))
    arguments = (old.url, "--url", sqlite_database)
    for more in ([], ["--dry-run"]):
        lines = run(*arguments, *more, code=1).stdout.splitlines()
        assert lines[4] == "refused: conversation 100: answer: is NULL"
        assert lines[-1] == "and 10 more rows that cannot be taken over: --json lists all"
    with Store.open(sqlite_database) as store:
        assert store.conversations.find("thread-1") is None
    assert len(json.loads(run(*arguments, "--on-bad", "skip", "--json", code=1).stdout)["refused"]) == 30
    with Store.open(sqlite_database) as store:
        assert store.conversations.find("thread-1") is not None
    old.engine.dispose()


def test_names_are_mapped(old: OldApp, sqlite_database: str) -> None:
    old.run("ALTER TABLE conversation RENAME TO chat_log", "ALTER TABLE chat_log RENAME COLUMN user_query TO asked")
    maps = ["conversation=chat_log", "conversation.question=asked", "document_chunk=", "conversation.sources="]
    arguments = [part for pair in maps for part in ("--map", pair)]
    printed = json.loads(run(old.url, "--url", sqlite_database, "--json", *arguments).stdout)
    assert (printed["messages"], printed["document_chunk"]) == (16, None)
    assert printed["conversation"]["unmapped"] == ["sources", "ip_address"]
    old.engine.dispose()


def test_vectors_tenant_and_zone_are_passed_on(old: OldApp, sqlite_database: str) -> None:
    old.add("document_chunk", piece(9, embedding="[1, 2]"))
    options = ["--model", "ada", "--dimensions", "2", "--tenant", "acme", "--timezone", "Europe/Berlin"]
    run(old.url, "--url", sqlite_database, *options)
    with Store.open(sqlite_database) as store:
        acme = store.for_tenant("acme")
        assert acme.spaces.coverage("adopted").embedded == 1
        assert acme.conversations.history("thread-1")[0].created_at.hour == 4
    old.engine.dispose()


@pytest.mark.parametrize(
    "arguments", [["--map", "question"], ["--map", "tables.question=a"], ["--timezone", "Mars/Base"]]
)
def test_a_wrong_call_is_refused(old: OldApp, sqlite_database: str, arguments: list[str]) -> None:
    with pytest.raises(InvalidInput, match="--"):
        run(old.url, "--url", sqlite_database, *arguments)
