"""The awaited functions, with each kind of target."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import AsyncAdaptedQueuePool, StaticPool, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from ragstore.backends import read_url
from ragstore.errors import SchemaDamaged, UpgradeLockTimeout, UsageError
from ragstore.migrations import (
    State,
    acheck,
    acurrent,
    adowngrade,
    astatus,
    aupgrade,
    chain,
    guard,
    status,
    upgrade,
)

SQL = Callable[..., list[Any]]


def engine_for(url: str) -> AsyncEngine:
    return create_async_engine(read_url(url, asynchronous=True), poolclass=AsyncAdaptedQueuePool)


def test_url(database_url: str) -> None:
    """M32: a URL is served in a thread."""

    async def run() -> None:
        assert (await astatus(database_url)).state is State.EMPTY
        result = await aupgrade(database_url)
        assert (result.applied, result.committed) == (chain.CHAIN, True)
        assert (await aupgrade(database_url)).applied == ()
        assert await acheck(database_url) == ()
        await adowngrade(database_url, "base", allow_data_loss=True)
        assert await acurrent(database_url) is None

    asyncio.run(run())


def test_async_engine(database_url: str, statements: list[str]) -> None:
    """M32: an async engine is borrowed on the loop, and gets its connection back."""

    async def run() -> None:
        engine = engine_for(database_url)
        try:
            assert (await aupgrade(engine)).applied == chain.CHAIN
            statements.clear()
            assert (await aupgrade(engine)).applied == ()
            assert len(statements) == 1
            assert (await astatus(engine)).state is State.CURRENT
            assert await acheck(engine) == ()
            assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        finally:
            await engine.dispose()

    asyncio.run(run())


def test_async_memory_engine() -> None:
    """M45: in memory, by an engine with one shared connection."""

    async def run() -> None:
        engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
        assert (await aupgrade(engine)).applied == chain.CHAIN
        assert (await astatus(engine)).state is State.CURRENT
        await engine.dispose()

    asyncio.run(run())


def test_async_connection(database_url: str) -> None:
    """M28, M32: inside the caller's transaction; a rollback leaves nothing, a commit all."""

    async def run() -> None:
        engine = engine_for(database_url)
        async with engine.connect() as connection:
            assert (await aupgrade(connection)).committed is False
            assert await acurrent(connection) == chain.HEAD
            await connection.rollback()
            assert (await astatus(connection)).state is State.EMPTY
            await aupgrade(connection)
            await connection.commit()
        await engine.dispose()

    asyncio.run(run())
    assert status(database_url).state is State.CURRENT


def test_async_autocommit_connection(database_url: str) -> None:
    """M30: refused."""

    async def run() -> None:
        engine = engine_for(database_url)
        async with engine.connect() as plain:
            connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
            with pytest.raises(UsageError):
                await aupgrade(connection)
        await engine.dispose()

    asyncio.run(run())
    assert status(database_url).state is State.EMPTY


def test_plain_engine_and_connection(database_url: str) -> None:
    """M32: a plain engine is served in a thread; a plain connection belongs to its own thread."""
    engine = create_engine(read_url(database_url))
    assert asyncio.run(aupgrade(engine)).committed
    with engine.connect() as connection, pytest.raises(UsageError, match="AsyncConnection"):
        asyncio.run(aupgrade(connection))
    engine.dispose()


def test_async_targets_need_the_awaited_function(database_url: str) -> None:
    """M32: and the other way round."""
    engine = engine_for(database_url)
    with pytest.raises(UsageError, match="aupgrade"):
        upgrade(engine)  # type: ignore[arg-type]


def test_errors_come_through(database_url: str, run_sql: SQL) -> None:
    """M23: an awaited call raises what a plain one does."""
    upgrade(database_url)
    run_sql(database_url, f"DELETE FROM {'' if database_url.startswith('sqlite') else 'ragstore.'}rag_version")

    async def run() -> None:
        engine = engine_for(database_url)
        for target in (database_url, engine):
            with pytest.raises(SchemaDamaged):
                await aupgrade(target)
        await engine.dispose()

    asyncio.run(run())


async def share_of_turns(work: Any) -> tuple[float, Any]:
    """Give how often the loop came to something else, as a share of how often it does beside a sleep; and the work."""
    began = time.monotonic()
    turns, task = await turns_beside(work)
    beside_sleep, _ = await turns_beside(asyncio.sleep(time.monotonic() - began))
    return turns / beside_sleep, task


async def turns_beside(work: Any) -> tuple[int, asyncio.Future[Any]]:
    task = asyncio.ensure_future(work)
    turns = 0
    while not task.done():
        await asyncio.sleep(0.005)
        turns += 1
    return turns, task


@pytest.mark.parametrize("kind", ["url", "engine"])
def test_waiting_does_not_block_the_loop(postgres_database: str, kind: str) -> None:
    """M32: while another process migrates, the loop goes on."""

    async def run() -> None:
        engine = engine_for(postgres_database)
        plain = create_engine(read_url(postgres_database))
        with plain.connect() as holder:
            upgrade(holder)
            share, task = await share_of_turns(aupgrade(postgres_database if kind == "url" else engine, timeout=1.5))
            with pytest.raises(UpgradeLockTimeout):
                task.result()
            assert share > 0.25  # beside waits that block, a tenth
        plain.dispose()
        await engine.dispose()

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["url", "engine"])
def test_cancelled_while_waiting(postgres_database: str, run_sql: SQL, kind: str) -> None:
    """M33: cancelled at once; the connection is closed or returned; nothing goes on behind the caller's back."""

    async def run() -> None:
        engine = engine_for(postgres_database)
        plain = create_engine(read_url(postgres_database))
        with plain.connect() as holder:
            upgrade(holder)
            task = asyncio.ensure_future(aupgrade(postgres_database if kind == "url" else engine, timeout=120))
            await asyncio.sleep(0.5)
            assert not task.done()
            began = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - began < 60
            assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
            await engine.dispose()
            # each look from a new transaction: within one, pg_stat_activity does not change
            others = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            deadline = time.monotonic() + 60  # a closed connection's process needs a moment to end
            while (count := len(run_sql(postgres_database, others))) != 1 and time.monotonic() < deadline:
                time.sleep(0.05)  # noqa: ASYNC251 - nothing else runs
            assert count == 1
        plain.dispose()

    asyncio.run(run())
    assert status(postgres_database).state is State.EMPTY


def test_a_cancellation_that_was_lost() -> None:
    """M33: as `asyncio.wait_for` may lose one while it is given an answer; the next pause ends the call."""

    async def call() -> None:
        pause = guard.on_loop()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(10)
        await greenlet_spawn(pause, 0)
        pytest.fail("it went on")

    async def run() -> None:
        task = asyncio.ensure_future(call())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_an_older_cancellation_is_none_of_ours() -> None:
    """M33: a host may clean up in a task that was cancelled before."""

    async def call() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(10)
        await greenlet_spawn(guard.on_loop(), 0)

    async def run() -> None:
        task = asyncio.ensure_future(call())
        await asyncio.sleep(0)
        task.cancel()
        await task

    asyncio.run(run())


async def threads_end(before: set[threading.Thread]) -> None:
    """Wait for the threads that were not there before, as aiosqlite's: each tells the loop when it has ended."""
    for thread in {*threading.enumerate()} - before:
        if not thread.name.startswith("asyncio_"):  # the loop's own
            await asyncio.to_thread(thread.join, 60)


@pytest.mark.parametrize("kind", ["url", "engine", "connection"])
def test_cancelled_half_way(database_url: str, kind: str) -> None:
    """M33: at any moment, old or new, and usable again."""

    async def run(delay: float) -> None:
        before = {*threading.enumerate()}
        engine = engine_for(database_url)
        connection = await engine.connect()
        target = {"url": database_url, "engine": engine, "connection": connection}[kind]
        task = asyncio.ensure_future(aupgrade(target))
        await asyncio.sleep(delay)
        task.cancel()
        await asyncio.wait([task])
        await connection.close()
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        await engine.dispose()
        await threads_end(before)

    for delay in (0.0, 0.01, 0.03, 0.06):
        asyncio.run(run(delay))
        assert status(database_url).state in (State.EMPTY, State.CURRENT)
    upgrade(database_url)
    assert status(database_url).state is State.CURRENT
