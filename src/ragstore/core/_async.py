"""How a repository reaches the database: a connection in use, and where it comes from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Executable, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ragstore.config import Settings
from ragstore.core.backend import PREPARED, Backend
from ragstore.core.border import TextPolicy
from ragstore.core.memory import VectorMemory
from ragstore.core.query import Copy, Query, Step, Steps, Write, only
from ragstore.core.slices import portions
from ragstore.errors import Conflict, NotFound, RagstoreError, ReadOnlyError, UsageError

B = TypeVar("B", bound=Backend)
B_co = TypeVar("B_co", bound=Backend, covariant=True)
R = TypeVar("R")
T = TypeVar("T")

INSERTED_AT_ONCE = 500
"""Rows of a bulk insert that are held in memory as parameters."""


class AsyncWork:
    """A connection in use: runs statements, makes records, translates errors.

    Attributes:
        read_only: Writes are refused, on SQLite too, which would let them through.
        failed: A statement was refused, so the transaction can only be rolled back.
        afterwards: What to call once the transaction is committed; in a host's, when the call is done.
    """

    def __init__(
        self, connection: AsyncConnection, backend: Backend, options: Mapping[str, Any], *, read_only: bool = False
    ) -> None:
        """Use a connection; it stays the caller's."""
        self.connection = connection
        self.backend = backend
        self.options = options
        self.read_only = read_only
        self.failed = False
        self.afterwards: list[Callable[[], None]] = []
        self._process = os.getpid()
        self._busy = False

    async def prepare(self) -> None:
        """Prepare the driver's connection if no one has."""
        if PREPARED not in self.connection.info:
            with self._running():
                await self.connection.run_sync(self.backend.prepare)

    async def begin(self, settings: Settings, *, write: bool) -> None:
        """Do what the start of a transaction needs."""
        await self.prepare()
        with self._running():
            await self.connection.run_sync(self.backend.begin, settings, write=write)

    async def refuse_autocommit(self) -> None:
        """Raise `UsageError` if the host's connection commits each statement by itself."""
        with self._running():
            await self.connection.run_sync(self.backend.refuse_autocommit)

    async def commit(self) -> None:
        """Commit, or say that there is nothing left to commit."""
        if self.failed or await self.connection.run_sync(self.backend.is_aborted):
            raise UsageError("the unit was rolled back: an error inside it had been caught, and nothing was stored")
        with self._running():
            await self.connection.commit()

    def conclude(self) -> None:
        """Call what was to be called after the commit."""
        for call in self.afterwards:
            call()

    async def fetch(self, query: Query[R]) -> list[R]:
        """Run a query and give its records."""
        if query.statement.is_dml:
            self._refuse_read_only()
        with self._running():
            result = await self.connection.execute(
                query.statement, dict(query.parameters), execution_options=self.options
            )
            return [query.make(row) for row in result.all()]

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> int:
        """Run a writing statement, once or for each of several parameter sets, and give the number of rows.

        An empty list of parameter sets runs nothing.
        """
        self._refuse_read_only()
        if parameters is not None and not parameters:
            return 0
        try:
            with self._running():
                options = {**self.options, "preserve_rowcount": True}  # an INSERT's is not kept otherwise
                result = await self.connection.execute(statement, parameters, execution_options=options)
                return max(result.rowcount, 0)
        except NotFound as error:  # SQLite does not say whether a key lacks its parent or a parent has children
            if not statement.is_delete:
                raise
            raise Conflict("this is still referred to: delete what refers to it first") from error.__cause__

    async def copy(self, copy: Copy) -> int:
        """Write new rows in bulk, and give their number."""
        self._refuse_read_only()
        if not copy.count:
            return 0
        with self._running():
            copied = await self.connection.run_sync(self.backend.copy, copy, self.options)
        if copied:
            return copy.count
        statement = insert(copy.table)
        for some in portions(copy.rows, INSERTED_AT_ONCE):
            await self.execute(statement, [dict(zip(copy.columns, row, strict=True)) for row in some])
        return copy.count

    async def steps(self, steps: Steps[T]) -> T:
        """Run each statement that the steps ask for, and give their result."""
        try:
            step = next(steps)
            while True:
                step = steps.send(await self._step(step))
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def _step(self, step: Step) -> list[Any] | int:
        if isinstance(step, Write):
            return await self.execute(step.statement, step.parameters)
        if isinstance(step, Copy):
            return await self.copy(step)
        return await self.fetch(step)

    def _refuse_read_only(self) -> None:
        if self.read_only:
            raise ReadOnlyError("this unit is read-only: begin it without read_only=True")

    @contextmanager
    def _running(self) -> Iterator[None]:
        if self._process != os.getpid():
            raise UsageError("this transaction was begun before the process was forked: it is the parent's")
        if self._busy:
            raise UsageError("two tasks or threads use one unit of work at the same time: give each its own")
        if self.failed:
            raise UsageError("the transaction was aborted by an earlier error: leave it and begin a new one")
        self._busy = True
        try:
            with self.backend.translating():
                yield
        except RagstoreError:
            self.failed = True
            raise
        finally:
            self._busy = False


class AsyncAccess(Protocol[B_co]):
    """Where a repository's connections come from: a one-shot call, a unit of work, or the host's transaction."""

    @property
    def backend(self) -> B_co:
        """Give the backend."""
        ...

    @property
    def settings(self) -> Settings:
        """Give the store's settings."""
        ...

    @property
    def tenant(self) -> str:
        """Give the tenant, or raise `TenantRequired`."""
        ...

    @property
    def catalog(self) -> MutableMapping[tuple[str, str], Any]:
        """Give what is remembered of collections, by tenant and name; a statement that uses it checks it."""
        ...

    @property
    def memory(self) -> VectorMemory:
        """Give the vectors that are kept in memory; only readers of committed states add to them."""
        ...

    @property
    def one_shot(self) -> bool:
        """Say whether each call has a transaction of its own."""
        ...

    def refuse_own_writer(self) -> None:
        """Raise `UsageError` where a write would wait for the caller's own unit."""
        ...

    def writing(self) -> AbstractAsyncContextManager[AsyncWork]:
        """Give a connection inside a transaction that may write."""
        ...

    def autocommitting(self) -> AbstractAsyncContextManager[AsyncWork]:
        """Give a connection on which each statement commits by itself, or raise `UsageError` inside a transaction."""
        ...

    async def read(self, make_steps: Callable[[], Steps[T]]) -> T:
        """Run reading steps; made anew if they have to be run again."""
        ...


class AsyncRepository(Generic[B]):
    """Base of every repository: build a statement, run it, map it, return it."""

    def __init__(self, access: AsyncAccess[B]) -> None:
        """Read and write through `access`."""
        self._access = access

    @property
    def _backend(self) -> B:
        return self._access.backend

    @property
    def _tenant(self) -> str:
        return self._access.tenant

    def _policy(self) -> TextPolicy:
        return TextPolicy(self._access.settings.invalid_text)

    async def _fetch(self, query: Query[R]) -> list[R]:
        return await self._access.read(lambda: only(query))

    async def _first(self, query: Query[R]) -> R | None:
        return next(iter(await self._fetch(query)), None)

    async def _write(self, write: Write) -> int:
        async with self._access.writing() as work:
            return await work.execute(write.statement, write.parameters)
