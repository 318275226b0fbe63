"""From a call to an engine, and from there to the database's own way."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ragstore.backends import backend_for, read_url
from ragstore.core.translate import translating
from ragstore.errors import SchemaBehind, SchemaTooNew, UsageError
from ragstore.migrations import faces, sides, states, targets
from ragstore.migrations.indexing.hands import LoopHands, ThreadHands
from ragstore.migrations.indexing.work import Tell, Work
from ragstore.migrations.job import Job
from ragstore.migrations.results import IndexReport, State, Status

Reports = tuple[IndexReport, ...]


def ensure(target: object, job: Job, tell: Tell | None) -> Reports:
    """Make every managed index right, in this thread."""
    return _with_engine(target, Work(job, tell, ThreadHands()))


async def aensure(target: object, job: Job, tell: Tell | None) -> Reports:
    """Make every managed index right: with an async engine on the event loop, else in a thread."""
    if isinstance(target, AsyncEngine):
        # in a thread of this process nothing can be interrupted, and what was given up would keep its transaction open
        interrupt = not backend_for(target.dialect).supports.in_process
        return await LoopHands.run(
            lambda hands: _on_engine(target.sync_engine, Work(job, tell, hands)), interrupt=interrupt
        )
    return await faces.in_thread(lambda sleep: _with_engine(target, Work(job, tell, ThreadHands(sleep))))


def _with_engine(target: object, work: Work) -> Reports:
    if isinstance(target, str | URL):
        if targets.missing(target):
            raise _behind(states.nothing())
        with targets.private(read_url(target)) as engine:
            return _on_engine(engine, work)
    if isinstance(target, Engine):
        return _on_engine(target, work)
    if isinstance(target, Connection | AsyncConnection):
        reason = "indexes are built CONCURRENTLY, which cannot be part of a transaction"
        raise UsageError(f"{reason}: pass a URL or the engine, not a connection")
    if isinstance(target, AsyncEngine):
        raise UsageError("AsyncEngine needs the awaited function: aensure_indexes")
    raise UsageError(f"{type(target).__name__} is no database: pass a URL or an Engine")


def _on_engine(engine: Engine, work: Work) -> Reports:
    with targets.borrowed(engine) as connection, translating(sides.of(engine.dialect).classify):
        work.look(connection, lambda: _refuse_other_schemas(connection, work.job))
        return _builder(engine)(engine, connection, work)


def _refuse_other_schemas(connection: Connection, job: Job) -> None:
    """Refuse a schema that is not the one whose indexes this code declares: it would undo a newer one's."""
    found = states.read(connection, job.schema)
    states.refuse(found)
    if found.state is State.AHEAD_COMPATIBLE:
        message = f"the database is at {found.revision}, and this code knows the indexes of {found.head}"
        raise SchemaTooNew(
            f"{message}: run ensure_indexes with ragstore {found.writer} or later",
            found=str(found.revision),
            supported=found.head,
        )
    if found.state is not State.CURRENT:
        raise _behind(found)


def _behind(found: Status) -> SchemaBehind:
    at = found.revision or "nothing"
    return SchemaBehind(f"the database is at {at}, and indexes belong to {found.head}: run ragstore.upgrade first")


def _builder(engine: Engine) -> Callable[[Engine, Connection, Work], Reports]:
    if engine.dialect.name == "sqlite":
        from ragstore.migrations.indexing.on_sqlite import ensure as on_sqlite

        return on_sqlite
    from ragstore.migrations.indexing.on_postgresql import ensure as on_postgresql

    return on_postgresql
