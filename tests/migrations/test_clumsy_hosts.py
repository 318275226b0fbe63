"""Calls that cannot be served as they are: each is refused in ragstore's own words, and leaves everything as it was."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from ragstore.backends import read_url
from ragstore.errors import (
    InvalidInput,
    LockTimeout,
    PermissionDenied,
    RagstoreError,
    SchemaBehind,
    SchemaTooNew,
    UsageError,
)
from ragstore.migrations import (
    apply,
    chain,
    check,
    current,
    downgrade,
    ensure_indexes,
    stamp,
    status,
    upgrade,
)
from ragstore.migrations.on_postgresql import SETTINGS
from ragstore.operations.doctor import diagnose
from tests.migrations.test_indexes import CITED, KEPT, report, spoil
from tests.migrations.test_states import newer

SQL = Callable[..., list[Any]]


def test_a_newer_schema_is_at_head_and_nothing_else(database_url: str, run_sql: SQL) -> None:
    """M21: what this code does not know it cannot take back, nor bring to a revision."""
    newer(database_url, run_sql, min_code=chain.SCHEMA_NUMBER)
    for call in (
        lambda: downgrade(database_url, "base", allow_data_loss=True),
        lambda: upgrade(database_url, "rs_0001"),
        lambda: upgrade(database_url, "+1"),
    ):
        with pytest.raises(SchemaTooNew, match=r"rs_0999.*9\.9"):
            call()
    engine = create_engine(read_url(database_url))
    with engine.begin() as connection:
        assert apply(connection, "rs_0002").to_revision == "rs_0999"
    engine.dispose()
    assert current(database_url) == "rs_0999"


@pytest.mark.parametrize("revision", ["nonsense", "", "rs_9999", "+", "1", "+" + "9" * 5000, None, 1])
@pytest.mark.parametrize("newer_schema", [True, False])
def test_what_is_no_revision(sqlite_url: str, run_sql: SQL, revision: Any, newer_schema: bool) -> None:
    """Refused, whatever the database has."""
    upgrade(sqlite_url)
    if newer_schema:
        newer(sqlite_url, run_sql, min_code=chain.SCHEMA_NUMBER)
    for call in (upgrade, downgrade, stamp):
        with pytest.raises(InvalidInput, match="is none of rs_0001"):
            call(sqlite_url, revision)


@pytest.mark.parametrize("timeout", [None, "60", float("nan"), -1])
def test_what_is_no_time(sqlite_url: str, timeout: Any) -> None:
    """Refused before anything is opened."""
    with pytest.raises(InvalidInput, match="timeout"):
        upgrade(sqlite_url, timeout=timeout)


@pytest.mark.parametrize("schema", [None, 1, "", "\udcff", "a\0"])
def test_what_is_no_schema(sqlite_url: str, schema: Any) -> None:
    """Refused before anything is opened."""
    with pytest.raises(InvalidInput, match="schema"):
        upgrade(sqlite_url, schema=schema)


def test_a_refused_call_gives_the_callers_settings_back(postgres_database: str, run_sql: SQL) -> None:
    """M28: the host's transaction goes on as if nothing had been asked."""
    upgrade(postgres_database)
    run_sql(postgres_database, "CREATE TABLE host (x int)")
    asked = text(f"SELECT name, setting FROM pg_settings WHERE name = ANY ('{{{','.join(SETTINGS)}}}')")
    engine = create_engine(read_url(postgres_database))
    with engine.connect() as connection:
        before = connection.execute(asked).all()
        for call in (lambda: downgrade(connection, "base"), lambda: stamp(connection, "rs_0001")):
            with pytest.raises(RagstoreError):
                call()
            assert connection.execute(asked).all() == before
        assert connection.scalar(text("SELECT count(*) FROM host")) == 0
    engine.dispose()


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_file_that_is_locked_is_waited_for(sqlite_url: str, journal: str) -> None:
    """M48: until the call's own time is over, not the driver's; then it is a matter of a lock."""
    upgrade(sqlite_url)
    file = str(make_url(sqlite_url).database)
    holder = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    holder.execute(f"PRAGMA journal_mode = {journal}")
    if journal == "wal":
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    engine = create_engine(read_url(sqlite_url), connect_args={"timeout": 0.1})
    holder.execute("BEGIN EXCLUSIVE")
    holder.execute("UPDATE rag_meta SET writer = writer")
    with pytest.raises(LockTimeout):
        upgrade(engine, timeout=0.5)
    timer = threading.Timer(0.7, lambda: (holder.execute("COMMIT"), holder.close()))
    timer.start()
    assert upgrade(engine, timeout=20).applied == ()
    timer.join()
    engine.dispose()


@pytest.mark.parametrize("options", [{"stream_results": True}, {"yield_per": 10}], ids=str)
def test_an_engine_that_streams(database_url: str, run_sql: SQL, options: dict[str, Any]) -> None:
    """M16: what the host wants for its own reading is not for ours: no cursor of the server's can build an index."""
    engine = create_engine(read_url(database_url), execution_options=options)
    assert upgrade(engine).applied == chain.CHAIN
    assert status(engine).revision == chain.HEAD
    assert ensure_indexes(engine) == ()
    spoil(database_url, run_sql)
    assert ensure_indexes(engine) == (report(CITED, "replaced"), report(KEPT, "built"))
    assert check(engine) == ()
    plain = create_engine(read_url(database_url))
    assert diagnose(engine).findings == diagnose(plain).findings
    plain.dispose()
    with engine.connect() as connection:
        assert upgrade(connection).applied == ()
        left = connection.get_execution_options()
        assert {name: left[name] for name in options} == options
    engine.dispose()


@pytest.mark.parametrize(
    "arguments", [{"connect_args": {"bogus": 1}}, {"creator": lambda: "text".nothing}, {"creator": lambda: int("x")}]
)
def test_an_engine_that_cannot_connect(sqlite_url: str, arguments: dict[str, Any]) -> None:
    """What the driver says is told, and nothing of encodings."""
    engine = create_engine(read_url(sqlite_url), **arguments)
    with pytest.raises((UsageError, AttributeError)) as caught:
        upgrade(engine)
    assert "SQL_ASCII" not in str(caught.value)


@pytest.mark.parametrize("query", ["timeout=abc", "check_same_thread=maybe", "cached_statements=x", "uri=maybe"])
def test_a_url_whose_parts_the_driver_cannot_read(sqlite_url: str, query: str) -> None:
    """Refused as the caller's, by every call."""
    upgrade(sqlite_url)
    for call in (upgrade, status, check, ensure_indexes, diagnose):
        try:
            call(f"{sqlite_url}?{query}")
        except (UsageError, InvalidInput):
            continue
        assert call is diagnose


def test_no_call_but_upgrade_makes_a_file(tmp_path: Path) -> None:
    """What can only find nothing does not leave an empty file behind."""
    url = f"sqlite:///{tmp_path / 'none.db'}"
    calls: list[Callable[[], object]] = [
        lambda: check(url),
        lambda: downgrade(url, "base"),
        lambda: stamp(url, "rs_0001"),
    ]
    for call in calls:
        with pytest.raises(UsageError, match="no database at this address"):
            call()
    with pytest.raises(SchemaBehind):
        ensure_indexes(url)
    assert list(tmp_path.iterdir()) == []


def test_a_role_without_the_schema(postgres_database: str, role: str, run_sql: SQL) -> None:
    """M35: also where the role may make tables in a schema into which it may not look."""
    upgrade(postgres_database)
    run_sql(postgres_database, f"GRANT CREATE ON SCHEMA ragstore TO {role}")
    as_role = make_url(postgres_database).set(username=role, password="secret")
    with pytest.raises(PermissionDenied, match="GRANT USAGE, CREATE ON SCHEMA"):
        upgrade(as_role)


def test_a_locked_record_is_waited_for(postgres_database: str, run_sql: SQL) -> None:
    """M12: where the role gives up on locks, the call goes on trying until its own time is over."""
    upgrade(postgres_database)
    engine = create_engine(read_url(postgres_database), connect_args={"options": "-c lock_timeout=100"})
    other = create_engine(read_url(postgres_database))
    with other.connect() as holder:
        holder.execute(text("LOCK TABLE ragstore.rag_version IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(LockTimeout):
            upgrade(engine, timeout=0.3)
        timer = threading.Timer(0.5, holder.rollback)
        timer.start()
        assert upgrade(engine, timeout=20).applied == ()
        timer.join()
    engine.dispose()
    other.dispose()


def test_the_doctor_waits_for_no_lock(postgres_database: str) -> None:
    """Its statements give up after a second, that about the schema's state too."""
    upgrade(postgres_database)
    engine = create_engine(read_url(postgres_database))
    with engine.connect() as holder:
        holder.execute(text("LOCK TABLE ragstore.rag_version IN ACCESS EXCLUSIVE MODE"))
        began = time.monotonic()
        found = diagnose(postgres_database)
        assert time.monotonic() - began < 20
    assert not found.healthy
    engine.dispose()
