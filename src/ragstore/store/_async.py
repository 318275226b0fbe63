"""The store, its unit of work, and where their connections come from."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar

from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from ragstore.backends import backend_for, read_url
from ragstore.config import Settings
from ragstore.conversations._async import AsyncConversations
from ragstore.core._async import AsyncAccess, AsyncWork
from ragstore.core._face_async import ASYNCHRONOUS, Slots, make_engine, plain_engine, side_engine, worker
from ragstore.core.border import name
from ragstore.core.engines import is_autocommit
from ragstore.core.forks import keep_for_ever, watch
from ragstore.core.memory import NO_MEMORY, ReadOnlyMemory, VectorMemory
from ragstore.core.query import Steps
from ragstore.corpus.chunks._async import AsyncChunks
from ragstore.corpus.collections._async import AsyncCollections
from ragstore.corpus.documents._async import AsyncDocuments
from ragstore.corpus.spaces._async import AsyncSpaces
from ragstore.errors import ConnectionLost, PoolTimeout, TenantRequired, UsageError
from ragstore.privacy._async import AsyncPrivacy
from ragstore.privacy.records import ErasureReport
from ragstore.rate_limits._async import AsyncDecides, AsyncRateLimits
from ragstore.rate_limits.records import Policy
from ragstore.sessions._async import AsyncSessions
from ragstore.sessions.book import SessionBook
from ragstore.store.desk._async import AsyncDesk
from ragstore.store.maintenance._async import AsyncMaintenance
from ragstore.store.pool import (
    Catalog,
    PoolStatus,
    is_single_connection,
    pool_status,
    read_only_options,
)
from ragstore.store.shared_desk._async import AsyncSharedDesk

if TYPE_CHECKING:
    from ragstore.backends import AnyBackend

T = TypeVar("T")

_READ_COMMITTED = {"isolation_level": "READ COMMITTED"}


class _AsyncEngineRoom:
    """The engine, and what all handles on one store share."""

    def __init__(self, engine: AsyncEngine, settings: Settings, backend: AnyBackend) -> None:
        self.engine = engine
        self.settings = settings
        self.backend = backend
        self.options = backend.execution_options(settings.schema)
        self.single_connection = is_single_connection(plain_engine(engine))
        self.transaction_options: dict[str, Any] = {}
        if backend.supports.row_locks and is_autocommit(plain_engine(engine)):
            self.transaction_options = dict(_READ_COMMITTED)
        self._turns = Slots(1)
        self.catalog = Catalog()
        # On one connection, a reader may see what somebody else's transaction has not committed.
        self.memory = NO_MEMORY if self.single_connection else VectorMemory(settings.vector_cache)
        self.units = 0
        self.writers: set[object] = set()
        self.inside: list[object] = []
        self.side = self
        """For what must not depend on the caller's transaction: the same with connections of its own, if it can."""
        self.policies: dict[str, Policy] = {}
        self.session_book = SessionBook()

    @asynccontextmanager
    async def in_unit(self, *, write: bool) -> AsyncIterator[None]:
        """Note that a unit of work is open, and who writes in it."""
        writer = worker() if write and not self.backend.supports.concurrent_writers else None
        self.units += 1
        self.writers.add(writer)
        self.inside.append(inside := worker())
        try:
            yield
        finally:
            self.units -= 1
            self.writers.discard(writer)
            self.inside.remove(inside)

    def refuse_own_writer(self) -> None:
        """Raise `UsageError` where a second writer would wait for a unit that waits for it."""
        if worker() in self.writers:
            raise UsageError(
                "your unit of work is writing to this file, and SQLite has one writer: call this before it"
            )

    def refuse_unit(self) -> None:
        """Raise `UsageError` inside a unit of the caller's own: what commits by itself could wait for it."""
        if worker() in self.inside:
            raise UsageError("this commits many transactions of its own: call it outside your unit of work")

    @asynccontextmanager
    async def autocommitting(self) -> AsyncIterator[AsyncWork]:
        self._refuse_second_use()
        async with AsyncExitStack() as stack:
            connection = await self._connect(stack, {"isolation_level": "AUTOCOMMIT"})
            work = AsyncWork(connection, self.backend, self.options)
            await work.prepare()
            yield work

    @asynccontextmanager
    async def transaction(self, *, write: bool) -> AsyncIterator[AsyncWork]:
        self._refuse_second_use()
        async with AsyncExitStack() as stack:
            connection = await self._connect(stack, self.transaction_options | ({} if write else read_only_options()))
            work = AsyncWork(connection, self.backend, self.options, read_only=not write)
            await work.begin(self.settings, write=write)
            yield work
            await work.commit()
        work.conclude()

    async def _connect(self, stack: AsyncExitStack, options: dict[str, Any]) -> AsyncConnection:
        # Set by an engine of their own, options would lose the connection of a task that is cancelled meanwhile.
        if self.single_connection and self.backend.supports.in_process:
            await stack.enter_async_context(self._turn())
        with self.backend.translating():
            connection = await stack.enter_async_context(self.engine.connect())
            stack.callback(_unless_forked(stack))
            return await connection.execution_options(**options) if options else connection

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait for others who use the only connection: they would be in one transaction."""
        if not await self._turns.acquire(self.settings.pool_timeout):
            raise PoolTimeout("others used the engine's only connection for longer than pool_timeout")
        try:
            yield
        finally:
            self._turns.release()

    def _refuse_second_use(self) -> None:
        if self.single_connection and self.units:
            raise UsageError("this engine has one connection, and a unit of work is using it: call the unit's methods")


class _AsyncHandle:
    """What every way to the database has."""

    one_shot = False

    def __init__(self, room: _AsyncEngineRoom, tenant: str | None) -> None:
        self._room = room
        self._tenant = tenant
        self.backend = room.backend
        self.catalog = room.catalog
        self.memory = room.memory
        self.settings = room.settings

    @property
    def tenant(self) -> str:
        if self._tenant is None:
            advice = "use store.for_tenant(name), or give the settings a default tenant"
            raise TenantRequired(f"no tenant is set: {advice}")
        return self._tenant

    def refuse_own_writer(self) -> None:
        """Raise `UsageError` where a write would wait for the caller's own unit."""

    def autocommitting(self) -> AbstractAsyncContextManager[AsyncWork]:
        if not self.one_shot:
            raise UsageError("this cannot be part of a transaction: call it on the store, outside any unit of work")
        return self._room.autocommitting()


class _AsyncOneShot(_AsyncHandle):
    """Each call for itself: a read in autocommit, a write in a transaction of its own."""

    one_shot = True

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncWork]:
        async with self._room.transaction(write=True) as work:
            yield work

    async def read(self, make_steps: Callable[[], Steps[T]]) -> T:
        try:
            return await self._read(make_steps)
        except ConnectionLost:  # a pooled connection had died; the pool has dropped its like
            return await self._read(make_steps)

    async def _read(self, make_steps: Callable[[], Steps[T]]) -> T:
        if self.backend.supports.free_transactions:
            async with self._room.transaction(write=False) as work:
                return await work.steps(make_steps())
        async with self._room.autocommitting() as work:
            return await work.steps(make_steps())


class _AsyncAside(_AsyncOneShot):
    """Each call for itself, on connections beside the pool: what an open unit does never undoes it."""

    def __init__(self, room: _AsyncEngineRoom, tenant: str | None) -> None:
        super().__init__(room.side, tenant)
        self._home = room

    def refuse_own_writer(self) -> None:
        self._home.refuse_own_writer()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncWork]:
        self.refuse_own_writer()
        async with super().writing() as work:
            yield work


class _AsyncBound(_AsyncHandle):
    """All calls on one transaction: a unit's."""

    def __init__(self, room: _AsyncEngineRoom, tenant: str | None, work: AsyncWork) -> None:
        super().__init__(room, tenant)
        self.memory = ReadOnlyMemory(room.memory)
        self._work = work

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncWork]:
        yield self._work

    async def read(self, make_steps: Callable[[], Steps[T]]) -> T:
        return await self._work.steps(make_steps())


class _AsyncJoined(_AsyncHandle):
    """All calls inside the host's transaction, whose connection is looked up at each call and never kept."""

    def __init__(self, room: _AsyncEngineRoom, tenant: str | None, host: AsyncConnection | AsyncSession) -> None:
        super().__init__(room, tenant)
        self.memory = ReadOnlyMemory(room.memory) if _is_on(host, room.engine) else NO_MEMORY
        self._host = host

    async def _connection(self) -> AsyncConnection:
        if isinstance(self._host, AsyncSession):
            await self._host.flush()
            return await self._host.connection()
        return self._host

    async def _work(self) -> AsyncWork:
        connection = await self._connection()
        if backend_for(connection.dialect) is not self.backend:
            raise UsageError(f"the store is on {self.backend.name}, this connection on {connection.dialect.name}")
        return AsyncWork(connection, self.backend, self._room.options)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncWork]:
        work = await self._work()
        await work.refuse_autocommit()
        await work.begin(Settings(schema=self.settings.schema), write=True)  # the host's time-outs stay its own
        yield work
        work.conclude()  # the host's commit is not seen here

    async def read(self, make_steps: Callable[[], Steps[T]]) -> T:
        work = await self._work()
        await work.prepare()
        return await work.steps(make_steps())


def _is_on(host: AsyncConnection | AsyncSession, engine: AsyncEngine) -> bool:
    """Say whether the host's transaction is in the store's own database, and not in a copy of it, say."""
    bind = host.bind if isinstance(host, AsyncSession) else host
    if bind is None:
        return False
    used = bind if isinstance(bind, AsyncEngine) else bind.engine
    return plain_engine(used).pool is plain_engine(engine).pool


class AsyncRepositories:
    """Every repository, over one way to the database."""

    def __init__(self, access: AsyncAccess[AnyBackend], room: _AsyncEngineRoom) -> None:
        """Make the repositories over `access`."""
        self._access = access
        self._room = room

    @cached_property
    def collections(self) -> AsyncCollections:
        """Named sets of documents that are searched together."""
        return AsyncCollections(self._access)

    @cached_property
    def documents(self) -> AsyncDocuments:
        """Sources, put with their chunks."""
        return AsyncDocuments(self._access)

    @cached_property
    def chunks(self) -> AsyncChunks:
        """Pieces of text: found, listed, searched."""
        return AsyncChunks(self._access)

    @cached_property
    def spaces(self) -> AsyncSpaces:
        """Embedding spaces: another model without downtime, approximate indexes, their recall."""
        return AsyncSpaces(self._access)

    @cached_property
    def conversations(self) -> AsyncConversations:
        """Threads of messages."""
        return AsyncConversations(self._access)

    @cached_property
    def sessions(self) -> AsyncSessions:
        """Login sessions, as a part of this transaction."""
        return AsyncSessions(self._access, self._room.session_book)

    def export_user(self, user_id: str) -> AsyncIterator[str]:
        """Read out what is stored of a user, as lines of JSON, each of which ends with a line feed.

        First the lines of `conversations.export` for the user's conversations; then their thumbs on messages of others,
        as lines of the types "feedback" and "feedback_change"; then a line of the type "session" for each login
        session, with what `SessionInfo` shows, and neither its secret nor the host's `data`. In bounded memory; each
        portion is a read of its own.

        Args:
            user_id: The user, to 255 bytes; one of whom nothing is stored has no line.

        Raises:
            CorruptRow: A value cannot be read: `conversations.export` can be lenient.
            InvalidInput: The user is empty or too long.
        """
        return AsyncPrivacy(self._access, self._room.session_book).export_user(user_id)


class AsyncUnitOfWork(AsyncRepositories):
    """One transaction and the repositories bound to it; made by `begin()`. Not for two tasks at once."""

    def __init__(self, access: AsyncAccess[AnyBackend], room: _AsyncEngineRoom, connection: AsyncConnection) -> None:
        """Bind the repositories to one transaction."""
        super().__init__(access, room)
        self.connection = connection


class AsyncStore(AsyncRepositories):
    """The front door: an engine, its settings, and the repositories over it.

    Outside `begin()` each call stands for itself: a read runs in autocommit (on SQLite in a read transaction, which
    costs nothing there), a write in a transaction of its own.

    Attributes:
        engine: The engine in use.
        settings: The settings in use.
    """

    def __init__(
        self, room: _AsyncEngineRoom, desk: AsyncDecides, tenant: str | None, *, owned: tuple[AsyncEngine, ...]
    ) -> None:
        """Use `AsyncStore.open`."""
        super().__init__(_AsyncOneShot(room, tenant), room)
        self._owned = owned
        self._desk = desk
        self.tenant = tenant
        self.engine = room.engine
        self.settings = room.settings

    @classmethod
    def open(cls, target: str | URL | AsyncEngine, settings: Settings | None = None) -> Self:
        """Open a store. Nothing is connected until the first call.

        Args:
            target: A URL (`postgresql://…`, `sqlite:///file`), for which an engine is made and closed with the
                store; or the host's engine, which stays the host's.
            settings: How to connect and what to assume; by default `Settings()`. For a host's engine, what concerns
                connecting has no effect.

        Raises:
            InvalidInput: The URL cannot be read.
            UsageError: The database or driver is not supported, or each thread would have a database of its own.
        """
        settings = settings or Settings()
        engine = target if isinstance(target, AsyncEngine) else _make_engine(target, settings)
        room = _AsyncEngineRoom(engine, settings, backend_for(engine.dialect))
        owned = [] if engine is target else [engine]
        if not room.single_connection:
            room.side = _AsyncEngineRoom(_make_side(target, settings), settings, room.backend)
            room.side.catalog = room.catalog  # what is erased there is forgotten here
            if room.backend.supports.row_locks:
                # Who has waited for a row must see what was done to it, whatever level the host's engine has.
                room.side.transaction_options = dict(_READ_COMMITTED)
            owned.append(room.side.engine)
        return cls(room, _make_desk(room), settings.tenant, owned=tuple(owned))

    def for_tenant(self, tenant: str) -> AsyncStore:
        """Give a handle on the same store for another tenant. It shares the engine and need not be closed.

        Raises:
            InvalidInput: The tenant is empty or longer than 64 bytes.
        """
        return AsyncStore(self._room, self._desk, name(tenant, field="tenant", max_bytes=64), owned=())

    @cached_property
    def rate_limits(self) -> AsyncRateLimits:
        """Who may do how much; independent of any unit of work."""
        return AsyncRateLimits(_AsyncAside(self._room, self.tenant), self._desk, self._room.policies)

    @cached_property
    def sessions(self) -> AsyncSessions:
        """Login sessions; independent of any unit of work, whose own are `unit.sessions`."""
        return AsyncSessions(_AsyncAside(self._room, self.tenant), self._room.session_book)

    async def erase_user(self, user_id: str, *, dry_run: bool = False) -> ErasureReport:
        """Delete what is stored of a user: login sessions, conversations with all that hangs on them, and thumbs.

        The thumbs are those on messages of others. Which tables that touches, and why some are kept, is told in
        `ragstore.privacy.inventory`. Sessions go first, and their listeners are told "revoked". It is done in
        transactions of some 200 rows with what hangs on them; a call that was cut off is made again. End the user's
        access before: what they write meanwhile stays. On SQLite the bytes are overwritten in the file.

        Args:
            user_id: The user, to 255 bytes; one of whom nothing is stored gives a report without rows.
            dry_run: Delete nothing, and count what would go.

        Raises:
            InvalidInput: The user is empty or too long.
            TenantRequired: No tenant is set.
            UsageError: A unit of work is open here.

        Example:
            .. code-block:: python

                await store.conversations.record_exchange(thread_id="t-9", query="Why?", response="So.", user_id="bob")
                assert (await store.erase_user("bob")).rows["rag_message"] == 2
        """
        self._room.refuse_unit()
        return await self._privacy.erase_user(user_id, dry_run=dry_run)

    async def erase_tenant(self, *, confirm: str, dry_run: bool = False) -> ErasureReport:
        """Delete everything of this handle's tenant: conversations, sessions, the corpus with its indexes, rate limits.

        As `erase_user`, in many short transactions. Stop the tenant's writers before: what they write meanwhile may
        stay. Counts under policies of the scope "global" belong to no tenant and stay.

        Args:
            confirm: The tenant's name, so that none is erased by mistake.
            dry_run: Delete nothing, and count what would go.

        Raises:
            InvalidInput: `confirm` is another name.
            TenantRequired: No tenant is set.
            UsageError: A unit of work is open here.
        """
        self._room.refuse_unit()
        return await self._privacy.erase_tenant(confirm=confirm, dry_run=dry_run)

    @cached_property
    def _privacy(self) -> AsyncPrivacy:
        return AsyncPrivacy(_AsyncAside(self._room, self.tenant), self._room.session_book)

    def maintenance(self) -> AsyncMaintenance:
        """Give the one handle that works across all tenants, for jobs that run from time to time."""
        return AsyncMaintenance(_AsyncAside(self._room, None), self._room.session_book)

    @asynccontextmanager
    async def begin(self, *, read_only: bool = False) -> AsyncIterator[AsyncUnitOfWork]:
        """Begin a unit of work: one transaction, committed at the end, rolled back on an exception.

        A unit is never run again by itself: after a `retryable` error, run the whole of it again.

        Args:
            read_only: Take no write lock, and let the database refuse writes.

        Raises:
            UsageError: An error inside was caught, so there is nothing left to commit.

        Example:
            .. code-block:: python

                async with store.begin() as unit:
                    await unit.collections.ensure("docs")
        """
        write = not read_only
        async with self._room.transaction(write=write) as work, self._room.in_unit(write=write):
            yield AsyncUnitOfWork(_AsyncBound(self._room, self.tenant, work), self._room, work.connection)

    def using(self, host: AsyncConnection | AsyncSession) -> AsyncRepositories:
        """Give the repositories inside the host's own transaction, which is never committed or rolled back here.

        Args:
            host: A connection, or an ORM session, which is flushed before each call.
        """
        return AsyncRepositories(_AsyncJoined(self._room, self.tenant, host), self._room)

    def pool_status(self) -> PoolStatus:
        """Say how many connections are open, in use and allowed."""
        return pool_status(plain_engine(self.engine))

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: connections belong to their process."""
        raise UsageError("a store cannot be pickled or copied: give the other process the URL, and open a store there")

    async def aclose(self) -> None:
        """Close the connections that the store has made; a host's engine stays open."""
        if self._owned:
            await self._desk.aclose()
        for engine in self._owned:
            await engine.dispose()

    async def __aenter__(self) -> Self:
        """Give the store itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        await self.aclose()


def _make_engine(target: str | URL, settings: Settings) -> AsyncEngine:
    url = read_url(target, asynchronous=ASYNCHRONOUS)
    backend = backend_for(url.get_dialect()())
    return _set_up(make_engine(url, backend.engine_options(url, settings)), backend, settings)


def _make_side(target: str | URL | AsyncEngine, settings: Settings) -> AsyncEngine:
    if isinstance(target, AsyncEngine):
        return _set_up(side_engine(target), backend_for(target.dialect), settings)
    return _make_engine(target, replace(settings, pool_size=settings.side_pool_size, max_overflow=0))


def _unless_forked(stack: AsyncExitStack) -> Callable[[], None]:
    """Give what a stack calls first at its end: in a forked child, nothing else of it is called."""
    process = os.getpid()

    def check() -> None:
        if os.getpid() != process:
            keep_for_ever(stack.pop_all())

    return check


def _make_desk(room: _AsyncEngineRoom) -> AsyncDecides:
    in_process = room.backend.supports.in_process
    unnamed = ASYNCHRONOUS and in_process and not room.engine.url.database  # only the host's creator knows the file
    if room.single_connection or unnamed:
        return AsyncSharedDesk(lambda: room.side.transaction(write=True), room.backend, room.backend.limits)
    # async only
    if in_process:
        from ragstore.store.desk.threads import ThreadDesk

        return ThreadDesk(room.engine.url, room.settings)
    # end async only
    return AsyncDesk(room.side.engine, room.backend, room.backend.limits, room.settings)


def _set_up(engine: AsyncEngine, backend: AnyBackend, settings: Settings) -> AsyncEngine:
    backend.set_up(plain_engine(engine), settings)
    watch(plain_engine(engine), backend)
    return engine
