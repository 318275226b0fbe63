"""Managed indexes by the awaited function, with each kind of target, and cancelled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine

from ragstore.backends import read_url
from ragstore.errors import QueryTimeout, UsageError
from ragstore.migrations import IndexProgress, aensure_indexes, check, ensure_indexes, upgrade
from tests.migrations.test_awaited import engine_for, share_of_turns
from tests.migrations.test_indexes import (
    BUILDERS,
    KEPT,
    end_of,
    eventually,
    invalid,
    long_transaction,
    prefix,
    room_for,
)

SQL = Callable[..., list[Any]]


@pytest.fixture
def without_index(database_url: str, run_sql: SQL) -> str:
    """A database at head that lacks an index."""
    upgrade(database_url)
    run_sql(database_url, f"DROP INDEX {prefix(database_url)}{KEPT}")
    return database_url


@pytest.fixture
def postgres(postgres_database: str, run_sql: SQL) -> str:
    """As `without_index`, on PostgreSQL alone."""
    upgrade(postgres_database)
    run_sql(postgres_database, f"DROP INDEX ragstore.{KEPT}")
    return postgres_database


@pytest.mark.parametrize("kind", ["url", "engine", "async engine"])
def test_each_target(without_index: str, kind: str) -> None:
    """M32: a URL and an engine in a thread, an async engine on the loop."""
    plain = create_engine(read_url(without_index))

    async def run() -> None:
        engine = engine_for(without_index)
        target = {"url": without_index, "engine": plain, "async engine": engine}[kind]
        (done,) = await aensure_indexes(target)
        assert (done.index, done.action) == (KEPT, "built")
        assert await aensure_indexes(target) == ()
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        await engine.dispose()

    asyncio.run(run())
    plain.dispose()
    assert check(without_index) == ()


def test_a_connection_is_refused(without_index: str) -> None:
    """M30: CONCURRENTLY cannot be part of a transaction."""

    async def run() -> None:
        engine = engine_for(without_index)
        async with engine.connect() as connection:
            with pytest.raises(UsageError, match="CONCURRENTLY"):
                await aensure_indexes(connection)  # type: ignore[arg-type]
        await engine.dispose()

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["url", "async engine"])
def test_waiting_does_not_block_the_loop(postgres: str, run_sql: SQL, kind: str) -> None:
    """M19, M32: while a long transaction holds the build up, the loop goes on and the caller is told for whom."""
    told: list[IndexProgress] = []
    room = room_for(postgres)

    async def run() -> None:
        engine = engine_for(postgres)
        target = postgres if kind == "url" else engine
        share, task = await share_of_turns(aensure_indexes(target, timeout=room, progress=told.append))
        with pytest.raises(QueryTimeout, match=r"waiting for process \d+ .a report."):
            task.result()
        assert share > 0.25  # beside waits that block, a tenth
        await engine.dispose()

    with long_transaction(postgres) as holder:
        asyncio.run(run())
    assert holder in [now.blocker for now in told]
    assert invalid(check(postgres)).name == KEPT


@pytest.mark.parametrize("kind", ["url", "async engine"])
def test_cancelled(postgres: str, run_sql: SQL, kind: str) -> None:
    """M33: the server's statement is ended before the cancellation is passed on; the next call repairs."""

    async def run() -> None:
        engine = engine_for(postgres)
        task = asyncio.ensure_future(aensure_indexes(postgres if kind == "url" else engine))
        waiting = f"SELECT 1 FROM {BUILDERS} AND phase = 'waiting for old snapshots'"
        await asyncio.to_thread(eventually, lambda: run_sql(postgres, waiting))
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - began < 60
        assert run_sql(postgres, f"SELECT 1 FROM {BUILDERS}") == []
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        await engine.dispose()

    with long_transaction(postgres):
        asyncio.run(run())
    assert invalid(check(postgres)).name == KEPT
    assert [done.action for done in ensure_indexes(postgres)] == ["rebuilt"]
    assert check(postgres) == ()


def test_an_error_of_the_progress_function(postgres: str, run_sql: SQL) -> None:
    """M19: what `progress` raises comes out when the build has ended."""

    called = asyncio.Event()

    def fail(_now: IndexProgress) -> None:
        called.set()
        raise ZeroDivisionError

    async def run() -> None:
        engine = engine_for(postgres)
        task = asyncio.ensure_future(aensure_indexes(engine, progress=fail))
        await called.wait()
        await asyncio.to_thread(run_sql, postgres, end_of("a report"))
        with pytest.raises(ZeroDivisionError):
            await task
        await engine.dispose()

    with long_transaction(postgres):
        asyncio.run(run())
    assert check(postgres) == ()
