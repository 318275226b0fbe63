"""The desk of the async face on SQLite: one hop to a thread a decision; an async driver needs one a statement."""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from ragstore.backends import backend_for, read_url
from ragstore.config import Settings
from ragstore.core._face_async import Slots
from ragstore.errors import PoolTimeout
from ragstore.rate_limits.backend import Answers, Batch
from ragstore.store.desk._sync import Desk


class ThreadDesk:
    """A desk whose decisions run in threads of its own."""

    def __init__(self, url: URL, settings: Settings) -> None:
        """Use the file that `url` names."""
        engine = create_engine(read_url(url.set(drivername="sqlite")), poolclass=NullPool)
        backend = backend_for(engine.dialect)
        backend.set_up(engine, settings)
        self._desk = Desk(engine, backend, backend.limits, settings)
        self._count = settings.side_pool_size
        self._threads = self._make_threads()
        self._process = os.getpid()
        self._slots = Slots(1)  # SQLite has one writer

    async def decide(self, batch: Batch) -> Answers:
        """Decide a batch; a task that is cancelled meanwhile may have been charged."""
        if self._process != os.getpid():  # a forked child has none of the threads
            self._process, self._threads = os.getpid(), self._make_threads()
        deadline = time.monotonic() + batch.max_wait
        if not await self._slots.acquire(batch.max_wait):  # waiting for a thread would have no end
            raise PoolTimeout("so many decide at once that none came to it within the policy's max_wait")
        try:
            left = replace(batch, max_wait=max(deadline - time.monotonic(), 0.001))
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._desk.decide, left)
        finally:
            self._slots.release()

    async def aclose(self) -> None:
        """Close the idle connections."""
        threads, self._threads = self._threads, self._make_threads()  # none runs before it has work
        threads.shutdown(wait=False)
        self._desk.close()

    def _make_threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._count, thread_name_prefix="ragstore-limits")
