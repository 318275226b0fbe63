"""Many at once: exactly one migrates, the others wait and find it done."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from ragstore.backends import read_url
from ragstore.errors import LockTimeout, UpgradeLockTimeout
from ragstore.migrations import State, chain, status, upgrade
from tests.migrations.conftest import AFTER_HEAD, finish, start_child

SQL = Callable[..., list[Any]]

CHILD = """
    import json, sys, time
    import ragstore.migrations as m
    import ragstore.migrations.runner
    print("ready", flush=True)
    for line in sys.stdin:
        url, start = json.loads(line)
        time.sleep(max(0, start - time.time()))
        print(json.dumps(m.upgrade(url).applied), flush=True)
"""


def race(urls: list[str], processes: int) -> list[list[list[str]]]:
    """Let processes upgrade each database at the same moment; give what each of them ran, by database."""
    children = [start_child(CHILD, stdin=-1) for _ in range(processes)]
    rounds = []
    try:
        assert [_line(child) for child in children] == ["ready\n"] * processes
        for url in urls:
            start = time.time() + 0.1
            for child in children:
                assert child.stdin
                child.stdin.write(json.dumps([url, start]) + "\n")
                child.stdin.flush()
            rounds.append([json.loads(_line(child) or "null") for child in children])
    finally:
        for child in children:
            finish(child)
    return rounds


def _line(child: Any) -> str:
    line: str = child.stdout.readline()
    return line


@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_processes_on_one_empty_database(
    new_database: Callable[..., str], tmp_path: Path, run_sql: SQL, rounds: int
) -> None:
    """M01, M03: all succeed, exactly one migrates, one version row; SQLite's journal mode stays as the host set it."""
    postgres = [new_database() for _ in range(rounds)]
    files = [f"sqlite:///{tmp_path}/{number}-{mode}.db" for number in range(rounds) for mode in ("delete", "wal")]
    for url in files:
        run_sql(url, f"PRAGMA journal_mode = {url[-6:-3].replace('ete', 'delete')}", "CREATE TABLE host (x)")
    for applied in race(postgres + files, 8 if rounds > 2 else 6):
        assert sorted(applied) == [[]] * (len(applied) - 1) + [[*chain.CHAIN]]
    for url in postgres:
        assert run_sql(url, "SELECT version_num FROM ragstore.rag_version") == [(chain.HEAD,)]
    for url in files:
        assert run_sql(url, "SELECT version_num FROM rag_version") == [(chain.HEAD,)]
        assert run_sql(url, "PRAGMA journal_mode")[0][0] in url


THREADS = """
    import sys, threading
    import ragstore.migrations as m
    urls, failures = sys.argv[1:], []
    barrier = threading.Barrier(len(urls))
    def work(url):
        barrier.wait()
        try:
            assert m.upgrade(url).applied == m.chain.CHAIN, url
        except BaseException as error:
            failures.append(repr(error))
    threads = [threading.Thread(target=work, args=(url,)) for url in urls]
    [thread.start() for thread in threads]; [thread.join() for thread in threads]
    assert not failures, failures
"""


@pytest.mark.parametrize("rounds", [1, pytest.param(28, marks=pytest.mark.slow)])
def test_threads_on_different_databases(new_database: Callable[..., str], tmp_path: Path, rounds: int) -> None:
    """M04: six threads upgrade six databases in one process that has not loaded Alembic yet."""
    for number in range(rounds):
        urls = [new_database() for _ in range(3)] + [f"sqlite:///{tmp_path}/{number}-{file}.db" for file in range(3)]
        finish(start_child(THREADS, *urls))
        assert {status(url).state for url in urls} == {State.CURRENT}


@pytest.mark.slow
def test_beside_a_hosts_alembic_command(tmp_path: Path, new_database: Callable[..., str]) -> None:
    """M05: a host thread loops `alembic.command.upgrade` of its own chain while five threads run ours."""
    (tmp_path / "host/versions").mkdir(parents=True)
    (tmp_path / "host/versions/a1.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\nrevision = 'a1'\ndown_revision = None\n"
        "def upgrade():\n    op.create_table('host', sa.Column('id', sa.Integer, primary_key=True))\n"
    )
    (tmp_path / "host/env.py").write_text(
        "from alembic import context\nfrom sqlalchemy import create_engine\n"
        "e = create_engine(context.config.get_main_option('sqlalchemy.url'))\n"
        "with e.connect() as c:\n    context.configure(connection=c)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n"
    )
    code = THREADS.replace(
        "    threads =",
        """
    from alembic import command
    from alembic.config import Config
    def host():
        for number in range(20):
            config = Config()
            config.set_main_option("script_location", urls[0])
            config.set_main_option("sqlalchemy.url", f"sqlite:///{urls[0]}/host{number}.db")
            command.upgrade(config, "head")
    hosting = threading.Thread(target=host); hosting.start()
    urls_ours = urls[1:]
    barrier = threading.Barrier(len(urls_ours))
    threads =""",
    ).replace("for url in urls]\n", "for url in urls_ours]\n")
    urls = [f"sqlite:///{tmp_path}/ours{number}.db" for number in range(3)] + [new_database() for _ in range(2)]
    finish(start_child(code + "    hosting.join()\n", str(tmp_path / "host"), *urls))
    assert {status(url).state for url in urls} == {State.CURRENT}


def test_deadline_names_the_holder(postgres_database: str, run_sql: SQL) -> None:
    """M13: `UpgradeLockTimeout` with the holder's pid and application_name; nothing has changed."""
    engine = create_engine(read_url(postgres_database), connect_args={"application_name": "the other one"})
    with engine.connect() as holder:
        upgrade(holder)  # not committed: the lock is held
        pid = holder.connection.driver_connection.info.backend_pid
        began = time.monotonic()
        with pytest.raises(UpgradeLockTimeout, match=rf"process {pid} \(.*the other one\)"):
            upgrade(postgres_database, timeout=0.3)
        assert time.monotonic() - began < 30
        with pytest.raises(UpgradeLockTimeout), engine.connect() as second:
            upgrade(second, timeout=0)
    assert status(postgres_database).state is State.EMPTY
    engine.dispose()


def test_waits_for_the_holder(postgres_database: str) -> None:
    """M13: a waiter goes on as soon as the holder is done, and finds nothing left to do."""
    engine = create_engine(read_url(postgres_database))
    results: list[Any] = []
    with engine.connect() as holder:
        upgrade(holder)
        waiter = threading.Thread(target=lambda: results.append(upgrade(postgres_database, timeout=60)))
        waiter.start()
        time.sleep(0.5)
        assert results == []
        holder.commit()
        waiter.join(60)
    assert [result.applied for result in results] == [()]
    engine.dispose()


def test_other_schemas_do_not_wait(postgres_database: str) -> None:
    """M13: the lock is of one schema; the extension is the only thing shared."""
    engine = create_engine(read_url(postgres_database))
    upgrade(postgres_database, schema="first")
    with engine.connect() as holder:
        upgrade(holder, schema="second")
        assert upgrade(postgres_database, schema="third", timeout=0).applied == chain.CHAIN
    engine.dispose()


def test_sqlite_waits_for_a_writer(sqlite_url: str, run_sql: SQL) -> None:
    """M48: another writer's transaction is waited for until the deadline, then `LockTimeout`."""
    run_sql(sqlite_url, "CREATE TABLE host (x)")
    writer = sqlite3.connect(str(make_url(sqlite_url).database), isolation_level=None, check_same_thread=False)
    writer.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(LockTimeout):
        upgrade(sqlite_url, timeout=0.4)
    assert 0.4 <= time.monotonic() - began < 30
    timer = threading.Timer(0.5, writer.execute, ["COMMIT"])
    timer.start()
    assert upgrade(sqlite_url, timeout=60).applied == chain.CHAIN
    timer.join()
    writer.close()


ADD_COLUMN = """
    def upgrade(op):
        prefix = "ragstore." if op.get_context().dialect.name == "postgresql" else ""
        op.execute(f"ALTER TABLE {prefix}rag_collection ADD COLUMN note TEXT")
"""


def test_a_held_table_lock(postgres_database: str, longer_chain: Callable[[str], None]) -> None:
    """M12: the ALTER gives up within lock_timeout, is tried again, and a SELECT behind it does not wait longer."""
    upgrade(postgres_database)
    longer_chain(ADD_COLUMN)
    results: list[Any] = []
    conninfo = postgres_database.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(conninfo) as reader, psycopg.connect(conninfo, autocommit=True) as other:
        reader.execute("SELECT * FROM ragstore.rag_collection")
        waiter = threading.Thread(target=lambda: results.append(upgrade(postgres_database, timeout=60)))
        waiter.start()
        time.sleep(0.5)
        began = time.monotonic()
        other.execute("SELECT * FROM ragstore.rag_collection")
        assert time.monotonic() - began < 30  # else it would wait as long as the reader's transaction is open
        reader.commit()
        waiter.join(60)
    assert [result.applied for result in results] == [(AFTER_HEAD,)]


def test_a_table_lock_held_past_the_deadline(postgres_database: str, longer_chain: Callable[[str], None]) -> None:
    """M12: `LockTimeout` after the deadline; nothing has changed."""
    upgrade(postgres_database)
    longer_chain(ADD_COLUMN)
    engine = create_engine(read_url(postgres_database))
    with engine.connect() as reader:
        reader.execute(text("SELECT * FROM ragstore.rag_collection"))
        with pytest.raises(LockTimeout):
            upgrade(postgres_database, timeout=0.1)
    assert status(postgres_database).state is State.BEHIND
    engine.dispose()
