"""One process migrates, the others wait: a look without a lock first, then the lock, polled until a deadline."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.util import await_only

from ragstore.core.translate import translating
from ragstore.errors import ConcurrencyError, LockTimeout
from ragstore.migrations import sides
from ragstore.migrations.job import Job

T = TypeVar("T")
Sleep = Callable[[float], None]

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5


def alone(connection: Connection, job: Job, work: Callable[[], T], *, owned: bool, sleep: Sleep) -> T:
    """Run the work in one transaction that nobody else's migration runs beside.

    Args:
        connection: Where to work.
        job: What is asked, and for how long to try.
        work: Run inside the lock, with a fresh look at the database; run anew after a lock time-out.
        owned: The transaction is ours: it is committed, or rolled back and tried again. A caller's is neither.
        sleep: Waits for so many seconds.

    Raises:
        UpgradeLockTimeout: Another process was migrating past the deadline.
        LockTimeout: Others held locks on our tables, or SQLite's write lock, past the deadline.
    """
    side = sides.of(connection.dialect)
    deadline = time.monotonic() + job.timeout
    longest = _FIRST_PAUSE
    while True:
        try:
            with translating(side.classify), side.alone(connection, job, owned=owned):
                return work()
        except sides.Busy as busy:
            if time.monotonic() >= deadline:
                with translating(side.classify):
                    raise side.gave_up(connection, job) from busy
        except (LockTimeout, ConcurrencyError):
            # a caller's transaction is spoilt now, and its owner's to roll back
            if not owned or time.monotonic() >= deadline:
                raise
        left = max(0.0, deadline - time.monotonic())
        sleep(min(left, random.uniform(longest / 2, longest)))  # noqa: S311 - jitter, so that waiters do not march in step
        longest = min(longest * 1.5, _LONGEST_PAUSE)


def on_loop() -> Sleep:
    """Give a way to wait for this task on its event loop, which notices that a cancellation was lost.

    `asyncio.wait_for`, by which drivers wait, loses one before Python 3.12 if the answer comes at the same moment.
    """
    task = asyncio.current_task()
    before = 0 if task is None else task.cancelling()

    def sleep(seconds: float) -> None:
        await_only(asyncio.sleep(seconds))
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError

    return sleep


async def to_its_end(running: asyncio.Future[T], stop: Callable[[], object] | None = None) -> T:
    """Await work. A cancellation stops it and is passed on when the work has ended: nothing goes on behind its back."""
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        if stop is not None:
            stop()
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # retrieved, so that the loop does not report it
        raise
