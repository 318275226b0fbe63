"""A healthy database has no errors and no warnings, a look changes nothing, and no check hides another."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, StaticPool, create_engine, make_url
from sqlalchemy.ext.asyncio import create_async_engine

import ragstore
from ragstore.backends import read_url
from ragstore.errors import InvalidInput, UsageError
from ragstore.migrations import State
from ragstore.operations.doctor import adiagnose, diagnose, rounds
from ragstore.operations.doctor.looking import Advice, Look

SQL = Callable[..., list[Any]]
Engines = Callable[..., Engine]


def serious(diagnosis: Any) -> list[Any]:
    return [finding for finding in diagnosis.findings if finding.level != "hint"]


def test_fresh_database(database_url: str) -> None:
    """By URL: facts, no error, no warning."""
    ragstore.upgrade(database_url)
    found = diagnose(database_url, deep=True)
    assert serious(found) == []
    assert found.healthy
    assert (found.state, found.revision) == (State.CURRENT, ragstore.migrations.history()[-1].id)
    assert found.version
    assert (found.extension is not None) == (found.database == "postgresql")
    assert len(found.checks) == len(set(found.checks)) > 15
    assert not [finding for finding in found.findings if "could not be looked at" in finding.what]


def test_stores_own_engine(database_url: str, make_engine: Engines) -> None:
    """By an engine that ragstore has set up, with idle connections in its pool."""
    ragstore.upgrade(database_url)
    engine = make_engine(database_url)
    ragstore.configure_engine(engine)
    with engine.connect(), engine.connect():
        pass
    assert serious(diagnose(engine)) == []
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_awaited(database_url: str) -> None:
    """A URL in a thread, an AsyncEngine on the loop."""

    async def run() -> None:
        await ragstore.aupgrade(database_url)
        assert serious(await adiagnose(database_url)) == []
        engine = create_async_engine(read_url(database_url, asynchronous=True))
        try:
            found = await adiagnose(engine)
        finally:
            await engine.dispose()
        # the plain engine of an SQLite host has foreign keys off
        assert [finding for finding in serious(found) if finding.check != "connection-options"] == []
        assert found.state is State.CURRENT

    asyncio.run(run())


def test_memory() -> None:
    """An SQLite database in memory has no file to look at."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    ragstore.configure_engine(engine)
    ragstore.upgrade(engine)
    assert serious(diagnose(engine)) == []
    engine.dispose()


def test_file_is_unchanged(upgraded_file: str) -> None:
    """Byte for byte, and nothing is left beside it."""
    path = Path(str(make_url(upgraded_file).database))
    before = hashlib.sha256(path.read_bytes()).digest()
    diagnose(upgraded_file, deep=True)
    assert hashlib.sha256(path.read_bytes()).digest() == before
    assert list(path.parent.iterdir()) == [path]


def test_server_is_unchanged(upgraded: str, run_sql: SQL) -> None:
    """Nothing is made, and no row is written."""
    seen = """
        SELECT (SELECT array_agg(oid::text || relname || relhasindex ORDER BY oid) FROM pg_class
                WHERE relnamespace::regnamespace::text NOT LIKE 'pg\\_t%'),
          (SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables), current_setting('search_path')
    """
    before = run_sql(upgraded, seen)
    diagnose(upgraded)
    assert run_sql(upgraded, seen) == before


def test_missing_file(sqlite_url: str, make_engine: Engines) -> None:
    """A finding, and the file is not made."""
    for target in (sqlite_url, make_engine(sqlite_url)):
        found = diagnose(target)
        assert [(finding.check, finding.level) for finding in found.findings] == [("reach", "error")]
        assert "no such file" in found.findings[0].what
    assert not Path(str(make_url(sqlite_url).database)).exists()


def test_not_a_database(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is a text and no database, by far" * 100)
    found = diagnose(f"sqlite:///{tmp_path}/text.db")
    assert [finding.check for finding in found.at("error")] == ["reach"]
    assert "not an SQLite database" in found.findings[0].what


def test_server_that_is_not_there() -> None:
    """A finding; what needs no database is looked at all the same."""
    found = diagnose("postgresql://nobody@127.0.0.1:1/none")
    assert [(finding.check, finding.level) for finding in found.findings] == [("reach", "error")]
    assert "psycopg" in found.facts
    assert not found.healthy


def test_other_encoding(new_database: Callable[..., str]) -> None:
    url = new_database("ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    found = diagnose(url)
    assert "LATIN1" in found.at("error")[0].what


def test_wrong_calls() -> None:
    with pytest.raises(InvalidInput):
        diagnose("no url")
    with pytest.raises(InvalidInput):
        diagnose("sqlite:///x.db", schema="")
    with pytest.raises(UsageError):
        diagnose("mysql://host/name")
    with pytest.raises(UsageError, match="adiagnose"):
        diagnose(create_async_engine("sqlite+aiosqlite:///x.db"))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="int is no database"):
        diagnose(1)  # type: ignore[arg-type]


def test_one_broken_check_hides_no_other(upgraded_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had found stays, its failure is a hint, and the next ones are made."""

    def broken_check(_look: Look) -> Iterator[Advice]:
        yield Advice("warning", "a", "b", "c")
        raise KeyError("planted")

    def next_check(_look: Look) -> Iterator[Advice]:
        yield Advice("error", "d", "e", "f")

    monkeypatch.setattr(rounds.tables, "CHECKS", (broken_check, next_check))
    found = diagnose(upgraded_file)
    levels = {(finding.check, finding.level) for finding in found.findings}
    assert {("broken-check", "warning"), ("broken-check", "hint"), ("next-check", "error")} <= levels
    assert any("KeyError: 'planted'" in finding.what for finding in found.at("hint"))
    order = [finding.level for finding in found.findings]
    assert order == sorted(order, key=("error", "warning", "hint").index)


def test_each_check_is_documented() -> None:
    """The page has a row for each, and no other."""
    page = (Path(__file__).parents[3] / "docs/how-to/find-what-is-wrong.md").read_text(encoding="utf-8")
    named = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    checks = set()
    for database in ("postgresql", "sqlite"):
        first, others = rounds._checks(database)
        checks |= {rounds._name(check) for check in (first, *others, *rounds.tables.CHECKS, *rounds.drivers.CHECKS)}
    assert named == checks
