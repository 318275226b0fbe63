"""Decides rate limits in the store's transactions: for a database in memory, whose connection is the only one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing

from sqlalchemy import Connection

from ragstore.core._async import AsyncWork
from ragstore.core.backend import Backend
from ragstore.rate_limits.backend import Answers, Batch, LimitsBackend


class AsyncSharedDesk:
    """A desk without connections of its own; while a unit of work has the only one, it refuses."""

    def __init__(
        self,
        writing: Callable[[], AbstractAsyncContextManager[AsyncWork]],
        backend: Backend,
        limits: LimitsBackend,
    ) -> None:
        """Decide in the transactions that `writing` begins."""
        self._writing = writing
        self._backend = backend
        self._limits = limits

    async def decide(self, batch: Batch) -> Answers:
        """Decide a batch.

        Raises:
            UsageError: A unit of work is using the connection.
        """
        async with self._writing() as work:
            return await work.connection.run_sync(self._run, batch)

    async def aclose(self) -> None:
        """Do nothing: the connection is the engine's."""

    def _run(self, connection: Connection, batch: Batch) -> Answers:
        with self._backend.translating():
            if not connection.in_transaction():  # a cursor of the driver's begins none
                connection.begin()
            with closing(connection.connection.cursor()) as cursor:
                return self._limits.decide(cursor, batch)
