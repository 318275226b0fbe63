"""From a call to a connection, for every kind of target; the awaited half runs the same functions."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ragstore.backends import backend_for
from ragstore.core.translate import translating
from ragstore.errors import SchemaBehind, UsageError
from ragstore.migrations import chain, guard, policy, sides, states, targets
from ragstore.migrations.guard import Sleep
from ragstore.migrations.job import Job
from ragstore.migrations.policy import Policy
from ragstore.migrations.results import Difference, State, Status, UpgradeResult
from ragstore.migrations.targets import AsyncTarget, Target

logger = logging.getLogger("ragstore.migrations")
T = TypeVar("T")
Use = Callable[[Connection, bool], T]
"""Work on a connection, told whether its transaction is ours to end."""


class _Stopped(Exception):
    """The awaiting task was cancelled: the thread gives up at its next pause."""


def use(target: Target, work: Use[T]) -> T:
    """Run work on a target's connection."""
    with targets.opened(target) as connection:
        return work(connection, connection is not target)


def migrate(target: Target, job: Job, sleep: Sleep = time.sleep) -> UpgradeResult:
    """Bring a database to a revision."""
    if job.down:
        targets.refuse_missing(target)
    return use(target, lambda connection, owned: _migrate(connection, job, owned, sleep))


def _migrate(connection: Connection, job: Job, owned: bool, sleep: Sleep) -> UpgradeResult:
    done = _done(connection, job, owned)
    if done is not None:
        return done
    from ragstore.migrations import runner  # brings Alembic, which a database at head does not need

    return guard.alone(connection, job, lambda: runner.migrate(connection, job, owned=owned), owned=owned, sleep=sleep)


def _done(connection: Connection, job: Job, owned: bool) -> UpgradeResult | None:
    """Give the result if there is nothing to do, by one query; None if there may be."""
    with translating(sides.of(connection.dialect).classify):
        found = states.glance(connection, job.schema, owned=owned)
    if found is None:
        return None
    states.refuse(found)
    if found.state is State.AHEAD_COMPATIBLE:
        states.refuse_beyond(found, job)
        newer = "the schema is at %s (number %s), newer than this code's %s, which may run on it: update ragstore soon"
        logger.warning(newer, found.revision, found.schema_number, chain.HEAD)
    elif not job.is_reached(found.revision):
        return None
    return UpgradeResult(from_revision=found.revision, to_revision=found.revision, applied=(), committed=owned)


def upgrade(target: Target, job: Job) -> UpgradeResult:
    """Bring a database to a revision, if the environment lets it."""
    chosen = policy.current()
    if chosen is Policy.OFF:
        return _skipped()
    return require(target, job) if chosen is Policy.CHECK else migrate(target, job)


def _skipped() -> UpgradeResult:
    logger.info("%s is off: no upgrade", policy.VARIABLE)
    return UpgradeResult(from_revision=None, to_revision=None, applied=(), committed=False, skipped=True)


def require(target: Target, job: Job) -> UpgradeResult:
    """Refuse a database that is not yet at a revision; change nothing."""
    if targets.missing(target):
        raise _behind(states.nothing(), job)
    return use(target, lambda connection, owned: _require(connection, job, owned))


def _require(connection: Connection, job: Job, owned: bool) -> UpgradeResult:
    done = _done(connection, job, owned)
    if done is not None:
        return done
    found = _status(connection, job)
    states.refuse(found)
    raise _behind(found, job)


def _behind(found: Status, job: Job) -> SchemaBehind:
    pending = chain.steps(job.revision, found.revision, down=False)
    return SchemaBehind(
        f"the database is at {found.revision or 'no revision'}, and these are pending: {', '.join(pending)}; "
        f"{policy.VARIABLE} is check, so nothing was changed: run  ragstore db upgrade"
    )


def status(target: Target, schema: str) -> Status:
    """Read a database's state."""
    job = Job(schema=schema)
    if targets.missing(target):
        return states.nothing()
    return use(target, lambda connection, _owned: _status(connection, job))


def _status(connection: Connection, job: Job) -> Status:
    with translating(sides.of(connection.dialect).classify):
        return states.read(connection, job.schema)


def check(target: Target, schema: str) -> tuple[Difference, ...]:
    """Compare a database's catalogue with what is declared."""
    job = Job(schema=schema)
    targets.refuse_missing(target)
    return use(target, lambda connection, owned: _check(connection, job, owned))


def _check(connection: Connection, job: Job, owned: bool) -> tuple[Difference, ...]:
    from ragstore.migrations import drift

    with translating(sides.of(connection.dialect).classify):
        return drift.compare(connection, job.schema, owned=owned)


async def ause(target: AsyncTarget, work: Use[T]) -> T:
    """Run work on a target's connection: an async one on the event loop, all else in a thread."""
    if isinstance(target, AsyncEngine):
        return await _on_engine(target, work)
    if isinstance(target, AsyncConnection):
        return await target.run_sync(lambda connection: _as_callers(connection, work))
    if isinstance(target, Connection):
        raise UsageError("a Connection belongs to its own thread: pass an AsyncConnection, or call the plain function")
    return await in_thread(lambda _sleep: use(target, work))


async def _on_engine(engine: AsyncEngine, work: Use[T]) -> T:
    if backend_for(engine.dialect).supports.in_process:
        # the driver's thread would go on, and leave its transaction open
        return await guard.to_its_end(asyncio.ensure_future(_borrowing(engine, work)))
    return await _borrowing(engine, work)


async def _borrowing(engine: AsyncEngine, work: Use[T]) -> T:
    with targets.connecting(engine.sync_engine):
        connection = await engine.connect()
    try:
        return await connection.run_sync(lambda lent: _as_lent(lent, work))
    finally:
        await asyncio.shield(asyncio.ensure_future(connection.close()))  # also when the task is cancelled again


def _as_lent(connection: Connection, work: Use[T]) -> T:
    targets.make_quiet(connection)
    return work(connection, True)


def _as_callers(connection: Connection, work: Use[T]) -> T:
    with targets.callers(connection):
        return work(connection, False)


async def aupgrade(target: AsyncTarget, job: Job) -> UpgradeResult:
    """Bring a database to a revision, if the environment lets it."""
    chosen = policy.current()
    if chosen is Policy.OFF:
        return _skipped()
    return await arequire(target, job) if chosen is Policy.CHECK else await amigrate(target, job)


async def arequire(target: AsyncTarget, job: Job) -> UpgradeResult:
    """Refuse a database that is not yet at a revision; change nothing."""
    if targets.missing(target):
        raise _behind(states.nothing(), job)
    return await ause(target, lambda connection, owned: _require(connection, job, owned))


async def amigrate(target: AsyncTarget, job: Job) -> UpgradeResult:
    """Bring a database to a revision without blocking the event loop."""
    if not isinstance(target, AsyncEngine | AsyncConnection):
        if isinstance(target, Connection):
            return await ause(target, lambda connection, owned: _migrate(connection, job, owned, time.sleep))
        return await in_thread(lambda sleep: migrate(target, job, sleep))
    done = await ause(target, lambda connection, owned: _done(connection, job, owned))
    if done is not None:
        return done
    await in_thread(lambda _sleep: _load())
    sleep = guard.on_loop()
    return await ause(target, lambda connection, owned: _migrate(connection, job, owned, sleep))


def _load() -> None:
    from ragstore.migrations import runner

    runner.scripts()


async def in_thread(work: Callable[[Sleep], T]) -> T:
    """Run work in a thread. A cancelled caller waits for its end: nothing may go on behind its back."""
    stop = threading.Event()

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise _Stopped

    return await guard.to_its_end(asyncio.ensure_future(asyncio.to_thread(work, sleep)), stop.set)


async def astatus(target: AsyncTarget, schema: str) -> Status:
    """Read a database's state."""
    job = Job(schema=schema)
    if targets.missing(target):
        return states.nothing()
    return await ause(target, lambda connection, _owned: _status(connection, job))


async def acheck(target: AsyncTarget, schema: str) -> tuple[Difference, ...]:
    """Compare a database's catalogue with what is declared."""
    job = Job(schema=schema)
    targets.refuse_missing(target)
    return await ause(target, lambda connection, owned: _check(connection, job, owned))


def stamp(target: Target, job: Job) -> UpgradeResult:
    """Write down which revision a database has."""
    targets.refuse_missing(target)
    return use(target, lambda connection, owned: _stamp(connection, job, owned, time.sleep))


def _stamp(connection: Connection, job: Job, owned: bool, sleep: Sleep) -> UpgradeResult:
    from ragstore.migrations import stamping  # brings Alembic

    return guard.alone(connection, job, lambda: stamping.stamp(connection, job, owned=owned), owned=owned, sleep=sleep)


async def astamp(target: AsyncTarget, job: Job) -> UpgradeResult:
    """Write down which revision a database has."""
    targets.refuse_missing(target)
    if isinstance(target, AsyncEngine | AsyncConnection | Connection):
        await in_thread(lambda _sleep: _load())
        sleep = guard.on_loop()
        return await ause(target, lambda connection, owned: _stamp(connection, job, owned, sleep))
    return await in_thread(lambda sleep: use(target, lambda connection, owned: _stamp(connection, job, owned, sleep)))


def apply(bind: object, job: Job) -> UpgradeResult:
    """Bring the database of a host's own migration at least to a revision."""
    if isinstance(bind, Connection):
        return migrate(bind, job)
    if bind is None or isinstance(bind, MockConnection):
        raise UsageError(
            "op.get_bind() gave no connection, so Alembic is writing SQL: "
            "op.execute(ragstore.migrations.sql(..., transaction=False)) writes ours"
        )
    raise UsageError(f"{type(bind).__name__} is no Connection: pass op.get_bind()")
