"""The server, the extension and the settings of new sessions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, event, make_url

import ragstore
from ragstore.backends.postgresql import ddl
from ragstore.operations.doctor import diagnose
from ragstore.operations.doctor.postgresql import extension, server
from tests.migrations.own_servers import own_server, standby_of, wait_until
from tests.operations.doctor.conftest import of, one

SQL = Callable[..., list[Any]]
Engines = Callable[..., Engine]


def in_database(url: str, setting: str) -> str:
    return f'ALTER DATABASE "{make_url(url).database}" SET {setting}'


@pytest.mark.parametrize(
    ("number", "today", "level"),
    [
        (140012, date(2020, 1, 1), "error"),
        (150004, date(2027, 11, 11), None),
        (150004, date(2027, 11, 12), "warning"),
        (180004, date(2026, 1, 1), None),
        (990000, date(2090, 1, 1), None),
    ],
)
def test_server_version(number: int, today: date, level: str | None) -> None:
    assert [advice.level for advice in server.judge_version("x", number, today)] == ([level] if level else [])


def test_server_set_up_badly(run_sql: SQL) -> None:
    """A server whose administrator has turned off what keeps it safe and quick; and a hot standby of it."""
    with own_server() as own:
        ragstore.upgrade(own.url)
        with standby_of(own) as standby:
            found = one("standby", standby.url)
            assert (found.level, "hot standby" in found.what) == ("error", True)
            assert "ReadOnlyError" not in one("drift", standby.url).what  # a hint that says why there is no comparison
            assert one("drift", standby.url).level == "hint"
        for name in ("fsync", "full_page_writes", "autovacuum", "track_counts"):
            run_sql(own.url, f"ALTER SYSTEM SET {name} = off")
        run_sql(own.url, "SELECT pg_reload_conf()")
        wait_until(lambda: run_sql(own.url, "SHOW track_counts") == [("off",)])
        found = {finding.subject: finding.level for finding in diagnose(own.url).findings}
        assert {"fsync": "error", "full_page_writes": "warning"}.items() <= found.items()
        assert {"autovacuum": "warning", "track_counts": "warning"}.items() <= found.items()


def test_collation_version(server_url: str, new_database: Callable[..., str], run_sql: SQL) -> None:
    """An operating system that sorts otherwise than the one on which the database was made."""
    if int(run_sql(server_url, "SHOW server_version_num")[0][0]) < 170000:
        pytest.skip("no collation with a version that every build of such a server has")
    url = new_database("LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' TEMPLATE template0")
    assert of("collation-version", url) == []
    run_sql(url, "UPDATE pg_database SET datcollversion = '0.0' WHERE datname = current_database()")
    assert one("collation-version", url).level == "warning"


@pytest.mark.parametrize("ahead", [-60.0, 60.0])
def test_clock(upgraded: str, monkeypatch: pytest.MonkeyPatch, ahead: float) -> None:
    real = server.time.time
    monkeypatch.setattr(server, "time", SimpleNamespace(time=lambda: real() + ahead))
    assert "60 s apart" in one("clock", upgraded).what


def test_extension_is_missing(postgres_database: str, upgraded: str, run_sql: SQL) -> None:
    """And the table checks beside it still say what they can."""
    run_sql(upgraded, "DROP EXTENSION vector CASCADE")
    found = one("pgvector", upgraded)
    assert (found.level, "CREATE EXTENSION vector;" in found.remedy) == ("error", True)
    assert any(finding.check == "drift" for finding in diagnose(upgraded).findings)


def test_extension_below_the_floor(upgraded: str, run_sql: SQL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ddl, "VECTOR_MINIMUM", (99, 1))
    found = [finding for finding in of("pgvector", upgraded) if finding.level == "error"]
    assert ["99.1 or later" in finding.what for finding in found] == [True]


def test_newer_files(upgraded: str, run_sql: SQL) -> None:
    """Installed on the server, not yet in the database."""
    run_sql(upgraded, "UPDATE pg_extension SET extversion = '0.8.1' WHERE extname = 'vector'")
    assert "ALTER EXTENSION vector UPDATE;" in [finding.remedy for finding in of("pgvector", upgraded)]


@pytest.mark.parametrize(
    ("version", "methods", "level", "said"),
    [
        ("0.8.0", (), "warning", "CVE-2026-3172"),
        ("0.8.2", (), "warning", "corrupt"),
        ("0.8.5", ("hnsw",), "hint", "ivfflat"),
        ("0.8.5", ("ivfflat",), "warning", "ivfflat"),
    ],
)
def test_known_bugs(version: str, methods: tuple[str, ...], level: str, said: str) -> None:
    (found,) = extension.bugs(version, methods)
    assert (found.level, said in found.what) == (level, True)


def test_no_known_bugs() -> None:
    assert list(extension.bugs("0.8.7", ("hnsw", "ivfflat"))) == []


@pytest.mark.parametrize(
    ("setting", "level"),
    [
        ("default_transaction_read_only = on", "error"),
        ("session_replication_role = replica", "error"),
        ("DateStyle = 'SQL, DMY'", "error"),
        ("client_encoding = 'LATIN1'", "error"),
        ("default_transaction_isolation = 'serializable'", "warning"),
        ("transaction_timeout = '60s'", "warning"),
        ("enable_indexscan = off", "warning"),
        ("statement_timeout = '5s'", "hint"),
        ("synchronous_commit = off", "hint"),
    ],
)
def test_settings_of_the_database(upgraded: str, run_sql: SQL, setting: str, level: str) -> None:
    if not run_sql(upgraded, "SELECT 1 FROM pg_settings WHERE name = :name", name=setting.partition(" ")[0]):
        pytest.skip("this server does not have it")
    run_sql(upgraded, in_database(upgraded, setting))
    found = one("session-settings", upgraded)
    assert (found.level, found.subject) == (level, setting.partition(" ")[0])
    assert found.remedy.startswith("ALTER DATABASE ... RESET")


def test_settings_of_the_engine(upgraded: str, make_engine: Engines) -> None:
    """What the host runs on each connection, or sends with it."""
    engine = make_engine(upgraded, connect_args={"options": "-c statement_timeout=1s"})

    @event.listens_for(engine, "connect")
    def _connect(driver: Any, _entry: object) -> None:
        driver.execute("SET default_transaction_isolation = 'serializable'")
        driver.commit()

    remedies = {finding.subject: finding.remedy for finding in of("session-settings", engine)}
    assert "new connection" in remedies["default_transaction_isolation"]
    assert "connect_args" in remedies["statement_timeout"]
    assert of("left-on-connections", engine) == []  # it is how they are made, not a leftover
