# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""The store, its unit of work, and where their connections come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from ragstore.backends import backend_for, read_url
from ragstore.config import Settings
from ragstore.conversations._sync import Conversations
from ragstore.core._face_sync import ASYNCHRONOUS, make_engine, plain_engine
from ragstore.core._sync import Access, Work
from ragstore.core.border import name
from ragstore.core.memory import NO_MEMORY, ReadOnlyMemory, VectorMemory
from ragstore.core.query import Steps
from ragstore.corpus.chunks._sync import Chunks
from ragstore.corpus.collections._sync import Collections
from ragstore.corpus.documents._sync import Documents
from ragstore.corpus.spaces._sync import Spaces
from ragstore.errors import ConnectionLost, TenantRequired, UsageError
from ragstore.store.pool import (
    Catalog,
    PoolStatus,
    dispose_after_fork,
    is_single_connection,
    pool_status,
    read_only_options,
)

if TYPE_CHECKING:
    from ragstore.backends import AnyBackend

T = TypeVar("T")


class _EngineRoom:
    """The engine, and what all handles on one store share."""

    def __init__(self, engine: Engine, settings: Settings, backend: AnyBackend) -> None:
        self.engine = engine
        self.settings = settings
        self.backend = backend
        self.options = backend.execution_options(settings.schema)
        self.single_connection = is_single_connection(plain_engine(engine))
        self.catalog = Catalog()
        # On one connection, a reader may see what somebody else's transaction has not committed.
        self.memory = NO_MEMORY if self.single_connection else VectorMemory(settings.vector_cache)
        self.units = 0

    @contextmanager
    def autocommitting(self) -> Iterator[Work]:
        self._refuse_second_use()
        with ExitStack() as stack:
            connection = self._connect(stack, {"isolation_level": "AUTOCOMMIT"})
            work = Work(connection, self.backend, self.options)
            work.prepare()
            yield work

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[Work]:
        self._refuse_second_use()
        with ExitStack() as stack:
            connection = self._connect(stack, {} if write else read_only_options())
            work = Work(connection, self.backend, self.options, read_only=not write)
            work.begin(self.settings, write=write)
            yield work
            work.commit()

    def _connect(self, stack: ExitStack, options: dict[str, Any]) -> Connection:
        # Set by an engine of their own, options would lose the connection of a task that is cancelled meanwhile.
        with self.backend.translating():
            connection = stack.enter_context(self.engine.connect())
            return connection.execution_options(**options) if options else connection

    def _refuse_second_use(self) -> None:
        if self.single_connection and self.units:
            raise UsageError("this engine has one connection, and a unit of work is using it: call the unit's methods")


class _Handle:
    """What every way to the database has."""

    one_shot = False

    def __init__(self, room: _EngineRoom, tenant: str | None) -> None:
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

    def autocommitting(self) -> AbstractContextManager[Work]:
        if not self.one_shot:
            raise UsageError("this cannot be part of a transaction: call it on the store, outside any unit of work")
        return self._room.autocommitting()


class _OneShot(_Handle):
    """Each call for itself: a read in autocommit, a write in a transaction of its own."""

    one_shot = True

    @contextmanager
    def writing(self) -> Iterator[Work]:
        with self._room.transaction(write=True) as work:
            yield work

    def read(self, make_steps: Callable[[], Steps[T]]) -> T:
        try:
            return self._read(make_steps)
        except ConnectionLost:  # a pooled connection had died; the pool has dropped its like
            return self._read(make_steps)

    def _read(self, make_steps: Callable[[], Steps[T]]) -> T:
        if self.backend.supports.free_transactions:
            with self._room.transaction(write=False) as work:
                return work.steps(make_steps())
        with self._room.autocommitting() as work:
            return work.steps(make_steps())


class _Bound(_Handle):
    """All calls on one transaction: a unit's."""

    def __init__(self, room: _EngineRoom, tenant: str | None, work: Work) -> None:
        super().__init__(room, tenant)
        self.memory = ReadOnlyMemory(room.memory)
        self._work = work

    @contextmanager
    def writing(self) -> Iterator[Work]:
        yield self._work

    def read(self, make_steps: Callable[[], Steps[T]]) -> T:
        return self._work.steps(make_steps())


class _Joined(_Handle):
    """All calls inside the host's transaction, whose connection is looked up at each call and never kept."""

    def __init__(self, room: _EngineRoom, tenant: str | None, host: Connection | Session) -> None:
        super().__init__(room, tenant)
        self.memory = ReadOnlyMemory(room.memory) if _is_on(host, room.engine) else NO_MEMORY
        self._host = host

    def _connection(self) -> Connection:
        if isinstance(self._host, Session):
            self._host.flush()
            return self._host.connection()
        return self._host

    def _work(self) -> Work:
        connection = self._connection()
        if backend_for(connection.dialect) is not self.backend:
            raise UsageError(f"the store is on {self.backend.name}, this connection on {connection.dialect.name}")
        return Work(connection, self.backend, self._room.options)

    @contextmanager
    def writing(self) -> Iterator[Work]:
        work = self._work()
        work.refuse_autocommit()
        work.begin(Settings(schema=self.settings.schema), write=True)  # the host's time-outs stay its own
        yield work

    def read(self, make_steps: Callable[[], Steps[T]]) -> T:
        work = self._work()
        work.prepare()
        return work.steps(make_steps())


def _is_on(host: Connection | Session, engine: Engine) -> bool:
    """Say whether the host's transaction is in the store's own database, and not in a copy of it, say."""
    bind = host.bind if isinstance(host, Session) else host
    if bind is None:
        return False
    used = bind if isinstance(bind, Engine) else bind.engine
    return plain_engine(used).pool is plain_engine(engine).pool


class Repositories:
    """Every repository, over one way to the database."""

    def __init__(self, access: Access[AnyBackend]) -> None:
        """Make the repositories over `access`."""
        self._access = access

    @cached_property
    def collections(self) -> Collections:
        """Named sets of documents that are searched together."""
        return Collections(self._access)

    @cached_property
    def documents(self) -> Documents:
        """Sources, put with their chunks."""
        return Documents(self._access)

    @cached_property
    def chunks(self) -> Chunks:
        """Pieces of text: found, listed, searched."""
        return Chunks(self._access)

    @cached_property
    def spaces(self) -> Spaces:
        """Embedding spaces: another model without downtime, approximate indexes, their recall."""
        return Spaces(self._access)

    @cached_property
    def conversations(self) -> Conversations:
        """Threads of messages."""
        return Conversations(self._access)


class UnitOfWork(Repositories):
    """One transaction and the repositories bound to it; made by `begin()`. Not for two tasks at once."""

    def __init__(self, access: Access[AnyBackend], connection: Connection) -> None:
        """Bind the repositories to one transaction."""
        super().__init__(access)
        self.connection = connection


class Store(Repositories):
    """The front door: an engine, its settings, and the repositories over it.

    Outside `begin()` each call stands for itself: a read runs in autocommit (on SQLite in a read transaction, which
    costs nothing there), a write in a transaction of its own.

    Attributes:
        engine: The engine in use.
        settings: The settings in use.
    """

    def __init__(self, room: _EngineRoom, tenant: str | None, *, owns_engine: bool) -> None:
        """Use `Store.open`."""
        super().__init__(_OneShot(room, tenant))
        self._room = room
        self._owns_engine = owns_engine
        self.tenant = tenant
        self.engine = room.engine
        self.settings = room.settings

    @classmethod
    def open(cls, target: str | URL | Engine, settings: Settings | None = None) -> Self:
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
        if isinstance(target, Engine):
            engine, owns_engine = target, False
        else:
            engine, owns_engine = _make_engine(target, settings), True
        backend = backend_for(engine.dialect)
        return cls(_EngineRoom(engine, settings, backend), settings.tenant, owns_engine=owns_engine)

    def for_tenant(self, tenant: str) -> Store:
        """Give a handle on the same store for another tenant. It shares the engine and need not be closed.

        Raises:
            InvalidInput: The tenant is empty or longer than 64 bytes.
        """
        return Store(self._room, name(tenant, field="tenant", max_bytes=64), owns_engine=False)

    @contextmanager
    def begin(self, *, read_only: bool = False) -> Iterator[UnitOfWork]:
        """Begin a unit of work: one transaction, committed at the end, rolled back on an exception.

        A unit is never run again by itself: after a `retryable` error, run the whole of it again.

        Args:
            read_only: Take no write lock, and let the database refuse writes.

        Raises:
            UsageError: An error inside was caught, so there is nothing left to commit.

        Example:
            .. code-block:: python

                with store.begin() as unit:
                    unit.collections.ensure("docs")
        """
        with self._room.transaction(write=not read_only) as work:
            self._room.units += 1
            try:
                access = _Bound(self._room, self.tenant, work)
                yield UnitOfWork(access, work.connection)
            finally:
                self._room.units -= 1

    def using(self, host: Connection | Session) -> Repositories:
        """Give the repositories inside the host's own transaction, which is never committed or rolled back here.

        Args:
            host: A connection, or an ORM session, which is flushed before each call.
        """
        return Repositories(_Joined(self._room, self.tenant, host))

    def pool_status(self) -> PoolStatus:
        """Say how many connections are open, in use and allowed."""
        return pool_status(plain_engine(self.engine))

    def close(self) -> None:
        """Close the connections of an engine that the store has made."""
        if self._owns_engine:
            self.engine.dispose()

    def __enter__(self) -> Self:
        """Give the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self.close()


def _make_engine(target: str | URL, settings: Settings) -> Engine:
    url = read_url(target, asynchronous=ASYNCHRONOUS)
    backend = backend_for(url.get_dialect()())
    engine = make_engine(url, backend.engine_options(url, settings))
    backend.set_up(plain_engine(engine), settings)
    dispose_after_fork(plain_engine(engine))
    return engine
