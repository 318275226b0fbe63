"""A server that crashes, and a client that is killed: old or new, and nobody waits for long."""

from __future__ import annotations

import os
import signal
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event, make_url

from ragstore.errors import ConnectionLost
from ragstore.migrations import State, chain, check, status, upgrade
from tests.migrations.conftest import start_child
from tests.migrations.own_servers import conninfo, crash, is_up, wait_until
from tests.migrations.test_crashes import FailAt


def crash_at(number: int, url: str) -> FailAt:
    """Crash the server when the migration's n-th statement is about to run."""

    def now(connection: Connection) -> None:
        with psycopg.connect(conninfo(url)) as bystander:
            migrating = connection.connection.driver_connection.info.backend_pid
            crash(bystander.info.backend_pid, [migrating])

    return FailAt(number, now)


@pytest.mark.parametrize(
    "places", [pytest.param((2, 40), id="two"), pytest.param(range(1, 400, 6), marks=pytest.mark.slow, id="every 6th")]
)
def test_the_server_crashes_at_the_nth_statement(database: str, places: Any) -> None:
    """M10: one of its processes is killed, so it ends all and recovers: `ConnectionLost`, and old; then new."""
    for number in places:
        with crash_at(number, database) as failing:
            try:
                upgrade(database)
            except ConnectionLost:
                wait_until(lambda: is_up(database))
                assert status(database).state is State.EMPTY, number
                continue
        assert failing.left > 0, f"the crash at statement {number} went unnoticed"
        assert number > 40
        break
    assert upgrade(database).to_revision == chain.HEAD
    assert check(database) == ()


def test_the_server_crashes_before_the_commit(database: str) -> None:
    """M10: all has run, nothing is committed: old."""
    crashed = []

    def before_commit(connection: Connection) -> None:
        if not crashed:
            crashed.append(True)
            crash_at(1, database).action(connection)

    event.listen(Engine, "commit", before_commit)
    try:
        with pytest.raises(ConnectionLost):
            upgrade(database)
    finally:
        event.remove(Engine, "commit", before_commit)
    wait_until(lambda: is_up(database))
    assert status(database).state is State.EMPTY
    assert upgrade(database).applied == chain.CHAIN
    assert check(database) == ()


def test_a_committed_upgrade_survives_a_crash(database: str) -> None:
    """M10: what `upgrade` said is done is done, whatever the role says of waiting for the disk."""
    name = make_url(database).database
    with psycopg.connect(conninfo(database), autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    assert upgrade(database).applied == chain.CHAIN
    with psycopg.connect(conninfo(database)) as bystander, psycopg.connect(conninfo(database)) as other:
        crash(bystander.info.backend_pid, [other.info.backend_pid])
    wait_until(lambda: is_up(database))
    assert status(database).state is State.CURRENT


SLEEPS = """
    import sys
    from sqlalchemy import Engine, event
    import ragstore.migrations as m
    left = 40
    @event.listens_for(Engine, "before_cursor_execute")
    def _count(connection, cursor, *_):
        global left
        left -= 1
        if left == 0:
            print("sleeping", flush=True)
            cursor.execute(f"SELECT pg_sleep({sys.argv[2]})")
    m.upgrade(sys.argv[1])
"""
LONG = 120


def test_the_holder_is_killed_in_a_long_statement(database: str) -> None:
    """M14: the server notices within a second or so that nobody waits for the answer, and the next one migrates."""
    holder = start_child(SLEEPS, database, str(LONG))
    try:
        assert holder.stdout
        assert holder.stdout.readline() == "sleeping\n"
        asleep = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        with psycopg.connect(conninfo(database), autocommit=True) as looking:
            wait_until(lambda: looking.execute(asleep).fetchone() is not None)
        os.kill(holder.pid, signal.SIGKILL)
        assert upgrade(database, timeout=LONG / 2).applied == chain.CHAIN  # without the setting it would wait for LONG
    finally:
        holder.kill()
        holder.communicate()
