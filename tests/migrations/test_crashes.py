"""A failure or a kill at any point leaves the old schema or the new one."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable
from typing import Any, Self

import pytest
from sqlalchemy import Connection, Engine, event, make_url

from ragstore.errors import ConnectionLost, MigrationError, UsageError
from ragstore.migrations import State, chain, check, status, upgrade
from tests.migrations.conftest import AFTER_HEAD, start_child

SQL = Callable[..., list[Any]]


class Planted(Exception):
    """The failure of a test."""


class FailAt:
    """Do something at the n-th statement of any engine, once."""

    def __init__(self, number: int, action: Callable[[Connection], None]) -> None:
        self.left, self.action = number, action

    def __enter__(self) -> Self:
        event.listen(Engine, "before_cursor_execute", self._count)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._count)

    def _count(self, connection: Connection, *_: object) -> None:
        self.left -= 1
        if self.left == 0:
            self.action(connection)


def plant(_connection: Connection) -> None:
    raise Planted


def numbers(step: int, last: int = 400) -> list[Any]:
    """Sample in a plain run; every one with `-m slow`."""
    return [
        pytest.param(range(2, last, step), id=f"every {step}th"),
        pytest.param(range(1, last), id="every", marks=pytest.mark.slow),
    ]


@pytest.mark.parametrize("places", numbers(9))
def test_raising_at_the_nth_statement(database_url: str, places: range) -> None:
    """M08: old for every n, then new."""
    for number in places:
        with FailAt(number, plant) as failing:
            try:
                result = upgrade(database_url)
            except Planted:
                if status(database_url).state is State.EMPTY:
                    continue
                break  # new: it struck after the commit
        if failing.left > 0:
            assert number > 20  # else the plant was never in the way of anything
            break
        pytest.fail(f"the failure at statement {number} was swallowed: {result}")
    assert check(database_url) == ()


@pytest.mark.parametrize("places", numbers(15))
def test_backend_terminated_at_the_nth_statement(postgres_database: str, run_sql: SQL, places: range) -> None:
    """M09: `ConnectionLost`; the old schema; the next call completes."""

    def terminate(connection: Connection) -> None:
        pid = connection.connection.driver_connection.info.backend_pid
        run_sql(postgres_database, "SELECT pg_terminate_backend(:pid)", pid=pid)

    for number in places:
        with FailAt(number, terminate) as failing:
            try:
                upgrade(postgres_database)
            except ConnectionLost:
                assert status(postgres_database).state is State.EMPTY, number
                continue
        assert failing.left > 0, f"termination at statement {number} went unnoticed"
        break
    assert check(postgres_database) == ()


KILLED = """
    import os, signal, sys
    from sqlalchemy import Engine, event
    import ragstore.migrations as m
    left = int(sys.argv[2])
    @event.listens_for(Engine, sys.argv[3])
    def _count(*_):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    m.upgrade(sys.argv[1])
"""


def killed(url: str, number: int, moment: str) -> bool:
    child = start_child(KILLED, url, str(number), moment)
    _, err = child.communicate(timeout=300)
    assert child.returncode in (0, -signal.SIGKILL), err
    return child.returncode != 0


@pytest.mark.parametrize("places", [(12, 30, 58, 66), pytest.param(range(1, 200), marks=pytest.mark.slow)])
def test_kill_in_mid_migration(postgres_database: str, places: Any) -> None:
    """M06: kill -9 of the process; no table remains; the next call completes."""
    for number in places:
        if not killed(postgres_database, number, "after_cursor_execute"):
            assert number > 20
            break
        # the server may need a moment to notice: the next call waits for its lock
        assert status(postgres_database).state is State.EMPTY, number
    assert upgrade(postgres_database).to_revision == chain.HEAD
    assert check(postgres_database) == ()


@pytest.mark.parametrize("places", [(12, 30, 58, 66), pytest.param(range(1, 200), marks=pytest.mark.slow)])
@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_kill_in_mid_migration_of_a_file(sqlite_url: str, run_sql: SQL, journal: str, places: Any) -> None:
    """M07: kill -9 of the process; the host's rows are intact; the file is sound; the next call completes."""
    run_sql(sqlite_url, f"PRAGMA journal_mode = {journal}", "CREATE TABLE host (x)", "INSERT INTO host VALUES (1), (2)")
    for number in places:
        if not killed(sqlite_url, number, "after_cursor_execute"):
            assert number > 20
            break
        assert run_sql(sqlite_url, "PRAGMA integrity_check") == [("ok",)]
        assert run_sql(sqlite_url, "SELECT x FROM host") == [(1,), (2,)]
        if status(sqlite_url).state is State.CURRENT:
            assert number > 20
            break  # new: it struck after the commit
        assert status(sqlite_url).state is State.EMPTY, number
    assert upgrade(sqlite_url).to_revision == chain.HEAD
    assert check(sqlite_url) == ()


REBUILD = """
    rebuilds_tables = True
    def upgrade(op):
        op.execute('CREATE TABLE new_one AS SELECT * FROM rag_collection')
        sql = op.get_bind().exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'rag_collection'").scalar()
        op.execute('DROP TABLE rag_collection')
        op.get_bind().exec_driver_sql(sql)
        op.execute('INSERT INTO rag_collection SELECT * FROM new_one')
        op.execute('DROP TABLE new_one')
"""


def with_rows(url: str, run_sql: SQL) -> None:
    upgrade(url)
    run_sql(
        url,
        "INSERT INTO rag_collection (id, name, language, metadata, salt) VALUES ('c', 'n', 'en', '{}', 1)",
        "INSERT INTO rag_term (collection_id, term, frequency, idf) VALUES ('c', 1, 1, 1.0), ('c', 2, 1, 1.0)",
    )


def test_rebuilding_a_parent_keeps_its_children(
    sqlite_url: str, run_sql: SQL, longer_chain: Callable[[str], None]
) -> None:
    """M46: foreign keys are off while a table is rebuilt, so nothing that refers to it is deleted."""
    with_rows(sqlite_url, run_sql)
    longer_chain(REBUILD)
    assert upgrade(sqlite_url).applied == (AFTER_HEAD,)
    assert run_sql(sqlite_url, "SELECT count(*) FROM rag_term") == [(2,)]
    assert run_sql(sqlite_url, "PRAGMA foreign_key_check") == []


def test_rebuilding_on_a_callers_connection(sqlite_url: str, run_sql: SQL, longer_chain: Callable[[str], None]) -> None:
    """M46: with foreign keys on, inside a caller's transaction, it is refused."""
    with_rows(sqlite_url, run_sql)
    longer_chain(REBUILD)
    from sqlalchemy import create_engine

    engine = create_engine(sqlite_url)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        with pytest.raises(UsageError, match="foreign keys"):
            upgrade(connection)
        connection.rollback()
    engine.dispose()
    assert run_sql(sqlite_url, "SELECT count(*) FROM rag_term") == [(2,)]
    assert status(sqlite_url).state is State.BEHIND


def test_orphans_are_refused(sqlite_url: str, run_sql: SQL, longer_chain: Callable[[str], None]) -> None:
    """M47: a revision that would leave rows referring to nothing is not committed; the host's own are its affair."""
    with_rows(sqlite_url, run_sql)
    run_sql(sqlite_url, "CREATE TABLE a (x PRIMARY KEY)", "CREATE TABLE b (x REFERENCES a)", "INSERT INTO b VALUES (1)")
    head = chain.HEAD
    longer_chain("def upgrade(op):\n    op.execute('DELETE FROM rag_collection')\n")
    with pytest.raises(MigrationError, match="2 rows would refer to nothing"):
        upgrade(sqlite_url)
    assert run_sql(sqlite_url, "SELECT count(*) FROM rag_collection") == [(1,)]
    assert status(sqlite_url).revision == head


def test_file_and_journal_are_left_alone(sqlite_url: str) -> None:
    """M43: after a failure the file holds what it held; no page is left over."""
    path = str(make_url(sqlite_url).database)
    with sqlite3.connect(path) as host:
        host.execute("CREATE TABLE host (x)")
        host.execute("INSERT INTO host VALUES (1)")
    before = list(host.iterdump())
    with FailAt(30, plant), pytest.raises(Planted):
        upgrade(sqlite_url)
    assert list(host.iterdump()) == before
    host.close()
