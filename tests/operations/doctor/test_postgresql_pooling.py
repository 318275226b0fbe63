"""The engine's pool, PgBouncer, and other sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, event, make_url, text

from ragstore.migrations.on_postgresql import key_of
from ragstore.operations.doctor import diagnose
from ragstore.operations.doctor.postgresql import pooling, sessions
from tests import poolers
from tests.operations.doctor.conftest import of, one
from tests.poolers import PROGRAM, pooled

SQL = Callable[..., list[Any]]
Engines = Callable[..., Engine]

needs_pooler = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")


@needs_pooler
@pytest.mark.parametrize("connections", [1, 2, 20])
def test_transaction_pooler(upgraded: str, tmp_path: Path, make_engine: Engines, connections: int) -> None:
    """Prepared statements through it are an error; a store's engine has none, and nothing to fear."""
    with pooled(upgraded, tmp_path, connections=connections) as url:
        found = one("pooler", make_engine(url))
        assert (found.level, "prepare_threshold" in found.remedy) == ("error", True)
        safe = diagnose(make_engine(url, connect_args={"prepare_threshold": None}))
        assert safe.facts["pooler"] == "transaction"
        assert safe.healthy, safe.findings
        assert diagnose(url).healthy


@needs_pooler
def test_session_pooler(upgraded: str, tmp_path: Path, make_engine: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is seen that there is one, and not claimed that it shares connections."""
    monkeypatch.setattr(poolers, "_CONFIG", poolers._CONFIG.replace("pool_mode = transaction", "pool_mode = session"))
    with pooled(upgraded, tmp_path, connections=20) as url:
        engine = make_engine(url)
        found = one("pooler", engine)
        engine.dispose()
    assert (found.level, "could not be seen" in found.what) == ("warning", True)


def test_no_pooler(upgraded: str, make_engine: Engines) -> None:
    """Prepared statements are then right."""
    found = diagnose(make_engine(upgraded))
    assert (found.facts["pooler"], found.facts["prepared_statements"]) == ("none seen", "on")
    assert [finding for finding in found.findings if finding.check == "pooler"] == []


def leave(engine: Engine, statement: str) -> None:
    """Use a connection as a careless caller does."""
    with engine.connect() as connection:
        connection.execute(text(statement))
        connection.commit()


@pytest.mark.parametrize(
    ("statement", "level", "said"),
    [
        ("SET statement_timeout = '1s'", "warning", "statement_timeout = 1000"),
        ("SET search_path = nowhere", "warning", "search_path = nowhere"),
        ("SET ROLE postgres", "warning", "role = postgres"),
        ("SET default_transaction_read_only = on", "error", "every write fails"),
        ("SET session_replication_role = replica", "error", "foreign keys are not enforced"),
        ("SELECT pg_advisory_lock(1)", "warning", "advisory lock"),
    ],
)
def test_left_on_a_connection(upgraded: str, make_engine: Engines, statement: str, level: str, said: str) -> None:
    engine = make_engine(upgraded)
    assert of("left-on-connections", engine) == []
    leave(engine, statement)
    found = one("left-on-connections", engine)
    assert (found.level, said in found.what) == (level, True), found


def test_each_idle_connection_is_looked_at(upgraded: str, make_engine: Engines) -> None:
    """One of three carries something, and the two others are in the pool before it."""
    engine = make_engine(upgraded)
    with engine.connect() as first, engine.connect(), engine.connect():
        first.execute(text("SET statement_timeout = '1s'"))
        first.commit()
    assert "statement_timeout" in one("left-on-connections", engine).what


def test_open_transaction(upgraded: str, make_engine: Engines) -> None:
    """It is reported before anything else could end it, and stays as it is."""
    engine = make_engine(upgraded, pool_reset_on_return=None)
    raw = engine.raw_connection()
    driver: Any = raw.driver_connection
    driver.execute("SELECT 1")
    raw.close()
    found = diagnose(engine)
    assert [(finding.check, finding.level) for finding in found.at("error")] == [("reach", "error")]
    assert "open transaction" in found.findings[0].what
    assert driver.info.transaction_status == TransactionStatus.INTRANS
    driver.rollback()


def test_busy_pool(upgraded: str, make_engine: Engines) -> None:
    """With every connection in use the pool's time-out is a finding, not an endless wait."""
    engine = make_engine(upgraded, pool_size=1, max_overflow=0, pool_timeout=0.1)
    with engine.connect():
        found = diagnose(engine)
    assert [finding.check for finding in found.at("error")] == ["reach"]
    assert diagnose(engine).healthy


def test_connection_limit(upgraded: str, make_engine: Engines) -> None:
    assert "200" in one("connection-limit", make_engine(upgraded, pool_size=150, max_overflow=50)).what
    assert "without an end" in one("connection-limit", make_engine(upgraded, max_overflow=-1)).what
    assert of("connection-limit", make_engine(upgraded)) == []


@contextmanager
def working(engine: Engine, statement: str, **values: object) -> Iterator[Connection]:
    with engine.connect() as connection:
        connection.execute(text(statement), values)
        yield connection


def test_long_transaction(upgraded: str, make_engine: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "LONG_TRANSACTION", 0)
    engine = make_engine(upgraded, connect_args={"application_name": "the lazy one"})
    with working(engine, "SELECT 1"):
        found = one("long-transactions", upgraded)
    assert ("the lazy one" in found.subject, "idle in transaction" in found.what) == (True, True)


def test_sessions_of_others(upgraded: str, role: str, make_engine: Engines) -> None:
    """A role that may not look at them is told so."""
    url = make_url(upgraded).set(username=role, password="secret").render_as_string(hide_password=False)
    with working(make_engine(upgraded), "SELECT 1"):
        found = one("long-transactions", url)
    assert (found.level, "pg_read_all_stats" in found.remedy) == ("hint", True)


def test_migration_lock(upgraded: str, make_engine: Engines) -> None:
    engine = make_engine(upgraded, connect_args={"application_name": "deploy 7"})
    with working(engine, "SELECT pg_advisory_xact_lock(:key)", key=key_of("ragstore")):
        assert "deploy 7" in one("migration-lock", upgraded).what
    assert of("migration-lock", upgraded) == []


def test_borrows_no_more_than_is_idle(upgraded: str, make_engine: Engines) -> None:
    """The application's pool is not emptied: what is in use stays so, and no more than BORROWED are taken."""
    engine = make_engine(upgraded, pool_size=8)
    held = [engine.connect() for _ in range(8)]
    for connection in held:
        connection.close()
    most = 0

    @event.listens_for(engine, "checkout")
    def _taken(*_: object) -> None:
        nonlocal most
        most = max(most, engine.pool.checkedout())  # type: ignore[attr-defined]

    diagnose(engine)
    assert most <= pooling.BORROWED
