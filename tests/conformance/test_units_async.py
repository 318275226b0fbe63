"""Units of work and the host's own transactions: who commits, who rolls back, who waits."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import StaticPool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ragstore import AsyncStore, F, Settings, aupgrade, configure_engine
from ragstore.backends import read_url
from ragstore.errors import ConcurrencyError, Conflict, InvalidInput, NotFound, PoolTimeout, ReadOnlyError, UsageError
from ragstore.testing.factories import DIMENSIONS, MODEL, chunks, document, vector
from tests.conformance.support import Database, async_together, plain_engine

pytestmark = pytest.mark.anyio

ASYNCHRONOUS = AsyncStore.__name__.startswith("Async")


class Stop(Exception):
    """What a host raises to have nothing stored."""


class Base(DeclarativeBase):
    """The host's own tables."""


class Note(Base):
    """A row of the host's."""

    __tablename__ = "host_note"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


@pytest.fixture
async def docs(async_store: AsyncStore) -> str:
    """Make a collection for vectors of the factories' dimensions."""
    return (await async_store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)).name


@pytest.fixture
async def host_engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Make an engine of the host's on the test's database, set up as ours are."""
    engine = create_async_engine(read_url(database_url, asynchronous=ASYNCHRONOUS))
    configure_engine(plain_engine(engine))
    yield engine
    await engine.dispose()


# --------------------------------------------------------------------------------------------------------- units


async def test_a_unit_commits_at_its_end(async_store: AsyncStore, docs: str, db: Database) -> None:
    """All of it or nothing: what a unit does is seen by others when it ends."""
    async with async_store.begin() as unit:
        await unit.collections.ensure("second")
        await unit.documents.put(docs, document(1), chunks(2))
        await unit.documents.put("second", document(1), ["text"])
        assert await unit.chunks.count(docs) == 2
        assert await async_store.chunks.count(docs) == 0
        assert await async_store.collections.find("second") is None
        assert db.counts()["rag_collection"] == 1
    assert await async_store.chunks.count(docs) == 2
    assert await async_store.chunks.count("second") == 1


@pytest.mark.parametrize("error", [Stop, KeyboardInterrupt, SystemExit, GeneratorExit])
async def test_an_exception_rolls_all_back(
    async_store: AsyncStore, docs: str, db: Database, error: type[BaseException]
) -> None:
    """CX12, CX30: whatever is raised, nothing is stored and the connection is free again."""
    before = db.counts()
    with pytest.raises(error):
        async with async_store.begin() as unit:
            await unit.collections.ensure("second")
            await unit.documents.put(docs, document(), chunks(2))
            raise error
    assert db.counts() == before
    assert async_store.pool_status().in_use == 0
    await async_store.documents.put(docs, document(), chunks(2))
    assert await async_store.chunks.count(docs) == 2


async def test_a_read_only_unit_refuses_writes(async_store: AsyncStore, docs: str, db: Database) -> None:
    """A read-only unit reads one snapshot, takes no write lock, and the database refuses its writes."""
    before = db.versions()
    async with async_store.begin(read_only=True) as unit:
        assert await unit.chunks.count(docs) == 0
    with pytest.raises(ReadOnlyError):
        async with async_store.begin(read_only=True) as unit:
            await unit.documents.put(docs, document(), chunks(2))
    with pytest.raises(ReadOnlyError):
        async with async_store.begin(read_only=True) as unit:
            await unit.collections.delete(docs)
    assert db.versions() == before
    async with async_store.begin(read_only=True), async_store.begin() as writer:  # no lock is held by the reader
        await writer.documents.put(docs, document(), chunks(2))
    await async_store.documents.put(docs, document(2), chunks(2))  # the pooled connection may write again
    async with async_store.begin() as unit:
        await unit.documents.put(docs, document(3), chunks(2))
    assert await async_store.chunks.count(docs) == 6


async def test_an_error_caught_inside_a_unit(async_store: AsyncStore, docs: str, db: Database) -> None:
    """CX16: after a statement failed, the unit cannot go on; leaving it says that nothing was stored."""
    before = db.counts()
    bad = f"INSERT INTO {'ragstore.' if db.kind == 'postgresql' else ''}rag_collection (id, name) VALUES (NULL, NULL)"

    async def swallow() -> None:
        async with async_store.begin() as unit:
            await unit.documents.put(docs, document(), chunks(2))
            with pytest.raises(InvalidInput):
                await unit._access._work.execute(text(bad))
            with pytest.raises(UsageError, match="aborted"):
                await unit.chunks.count(docs)
            with pytest.raises(UsageError, match="aborted"):
                await unit.documents.put(docs, document(2), chunks(2))

    with pytest.raises(UsageError, match="nothing was stored"):
        await swallow()
    assert db.counts() == before


async def test_the_hosts_own_error_caught_inside_a_unit(async_store: AsyncStore, docs: str) -> None:
    """CX16: PostgreSQL would answer the COMMIT with a silent rollback; on SQLite the rest of the unit stands."""

    async def unit() -> None:
        async with async_store.begin() as uow:
            await uow.documents.put(docs, document(), ["kept?"])
            with contextlib.suppress(DBAPIError):
                await uow.connection.execute(text("SELECT no_such_column"))

    if async_store.engine.dialect.name == "postgresql":
        with pytest.raises(UsageError, match="rolled back"):
            await unit()
        assert await async_store.chunks.count(docs) == 0
    else:
        await unit()
        assert await async_store.chunks.count(docs) == 1


async def test_a_connection_in_autocommit_is_refused(
    async_store: AsyncStore, docs: str, host_engine: AsyncEngine
) -> None:
    """A call of several statements would be stored in part."""
    async with host_engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        with pytest.raises(UsageError, match="AUTOCOMMIT"):
            await async_store.using(connection).documents.put(docs, document(), ["a"])
    assert await async_store.chunks.count(docs) == 0


async def test_an_answer_of_ours_does_not_spoil_a_unit(async_store: AsyncStore, docs: str) -> None:
    """NotFound, Conflict and InvalidInput that no statement failed for: the unit goes on and commits."""
    async with async_store.begin() as unit:
        with pytest.raises(NotFound):
            await unit.collections.get("nowhere")
        with pytest.raises(Conflict):
            await unit.collections.ensure(docs, model="other", dimensions=3)
        with pytest.raises(InvalidInput):
            await unit.documents.put(docs, document(), ["nul\0"])
        with pytest.raises(InvalidInput):
            await unit.chunks.search(docs, text="a", where=F.page == "1")
        await unit.documents.put(docs, document(), chunks(2))
    assert await async_store.chunks.count(docs) == 2


async def test_two_on_one_unit(async_store: AsyncStore, docs: str, database_url: str) -> None:
    """CX28: two tasks or threads in one unit at the same time: a clear UsageError, and no corruption."""
    await async_store.documents.put(docs, document(), chunks(20))
    async with async_store.begin(read_only=True) as unit:

        async def read() -> None:
            for _ in range(200):
                assert len(await unit.chunks.search(docs, text="text", limit=20)) == 20

        results = await async_together(read, read)
        errors = [result for result in results if result is not None]
        assert errors
        assert {type(error) for error in errors} == {UsageError}
        assert all("same time" in str(error) for error in errors)
        assert await unit.chunks.count(docs) == 20


async def test_units_side_by_side(async_store: AsyncStore, docs: str) -> None:
    """Each task or thread with a unit of its own: all are stored."""

    def work(number: int) -> Any:
        async def put() -> None:
            async with async_store.begin() as unit:
                await unit.documents.put(docs, document(number), chunks(2, of=number))

        return put

    assert await async_together(*(work(i) for i in range(6))) == [None] * 6
    assert await async_store.chunks.count(docs) == 12


async def test_no_connection_becomes_free(database_url: str) -> None:
    """CX10: `PoolTimeout` within the time-out; afterwards all is well."""
    async with AsyncStore.open(database_url, Settings(pool_size=1, max_overflow=0, pool_timeout=0.1)) as opened:
        await opened.collections.ensure("docs")
        async with opened.begin(read_only=True) as unit:
            assert opened.pool_status().in_use == 1
            for call in (
                lambda: opened.collections.find("docs"),
                lambda: opened.documents.put("docs", document(), ["text"]),
                lambda: opened.chunks.search("docs", text="text"),
            ):
                with pytest.raises(PoolTimeout, match="pool_size"):
                    await call()
            with pytest.raises(PoolTimeout):
                async with opened.begin():
                    pass
            assert await unit.chunks.count("docs") == 0
        assert opened.pool_status().in_use == 0
        assert await opened.chunks.count("docs") == 0


# async only
async def test_a_cancelled_task_leaves_nothing(async_store: AsyncStore, docs: str, db: Database) -> None:
    """CX26: rolled back, and the connection is back in the pool."""
    before = db.counts()
    written = asyncio.Event()

    async def work() -> None:
        async with async_store.begin() as unit:
            await unit.documents.put(docs, document(), chunks(2))
            written.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert db.counts() == before
    assert async_store.pool_status().in_use == 0
    await async_store.documents.put(docs, document(), chunks(2))


# async only
async def test_a_cancelled_write_holds_no_lock(async_store: AsyncStore, docs: str, db: Database) -> None:
    """CX26: cut off at any point, nobody waits for what it had locked."""
    await async_store.documents.put(docs, document(), ["text"])
    for attempt in range(120):
        task = asyncio.create_task(async_store.documents.update(docs, document().source, title=str(attempt)))
        for _ in range(attempt % 60):
            await asyncio.sleep(0)
        await asyncio.sleep(attempt % 37 * 0.0001)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        db.execute("UPDATE rag_document SET title = 'another'")
    assert async_store.pool_status().in_use == 0


async def test_time_outs_around_a_search_leak_nothing(async_store: AsyncStore, docs: str) -> None:
    """CX27: cut off at any point, no connection stays out."""
    await async_store.documents.put(docs, document(), chunks(20))
    for attempt in range(60):
        try:
            async with asyncio.timeout(attempt * 0.0002):
                await async_store.chunks.search(docs, text="text", embedding=vector("q"))
        except TimeoutError:
            continue
    assert async_store.pool_status().in_use == 0
    assert len(await async_store.chunks.search(docs, text="text", limit=20)) == 20


# end async only


# ----------------------------------------------------------------------------------------- the host's transaction


async def test_the_hosts_connection_is_never_ended(
    async_store: AsyncStore, docs: str, db: Database, host_engine: AsyncEngine
) -> None:
    """`using(connection)`: not committed, not rolled back; the host does either."""
    before = db.counts()
    async with host_engine.connect() as connection:
        joined = async_store.using(connection)
        await joined.collections.ensure("second")
        await joined.documents.put(docs, document(), chunks(2))
        assert await joined.chunks.count(docs) == 2
        assert len(await joined.chunks.search(docs, text="text", embedding=vector("q"))) == 2
        assert connection.in_transaction()
        assert db.counts() == before
        with pytest.raises(NotFound):
            await joined.collections.get("nowhere")
        assert connection.in_transaction()
        await connection.rollback()
        assert db.counts() == before
        await joined.documents.put(docs, document(), chunks(2))
        assert db.counts() == before
        await connection.commit()
    assert await async_store.chunks.count(docs) == 2


async def test_the_hosts_session_is_flushed_and_never_ended(
    async_store: AsyncStore, docs: str, db: Database, host_engine: AsyncEngine
) -> None:
    """`using(session)`: what is pending is flushed first; the transaction stays the host's."""
    async with host_engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(host_engine) as session:
        joined = async_store.using(session)
        session.add(Note(id=1, text="pending"))
        await joined.documents.put(docs, document(), chunks(2))
        assert not session.new
        assert await joined.chunks.count(docs) == 2
        assert await async_store.chunks.count(docs) == 0
        await session.rollback()
        assert await joined.chunks.count(docs) == 0
        session.add(Note(id=2, text="kept"))
        await joined.documents.put(docs, document(), chunks(2))
        await session.commit()
        assert await joined.chunks.count(docs) == 2  # the session's next transaction, on whatever connection
    assert db.execute(f"SELECT id FROM {'public.' if db.kind == 'postgresql' else ''}host_note") == [(2,)]
    assert await async_store.chunks.count(docs) == 2


async def test_a_connection_to_another_database(async_store: AsyncStore, docs: str, tmp_path: Path) -> None:
    """A store on PostgreSQL cannot work on a connection to SQLite."""
    url = read_url(f"sqlite:///{tmp_path / 'other.db'}", asynchronous=ASYNCHRONOUS)
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        if plain_engine(async_store.engine).dialect.name == "postgresql":
            with pytest.raises(UsageError, match="sqlite"):
                await async_store.using(connection).chunks.count(docs)
        else:
            with pytest.raises(UsageError, match="foreign keys"):  # the host's engine was not set up
                await async_store.using(connection).chunks.count(docs)
    await engine.dispose()


async def test_the_hosts_engine_is_not_closed(host_engine: AsyncEngine, db: Database) -> None:
    """A store on the host's engine leaves it open."""
    async with AsyncStore.open(host_engine) as opened:
        await opened.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
        await opened.documents.put("docs", document(), chunks(2))
        async with opened.begin() as unit:
            await unit.documents.put("docs", document(2), chunks(2))
        assert len(await opened.chunks.search("docs", text="text", embedding=vector("q"))) == 4
        before = plain_engine(host_engine).pool
    assert plain_engine(host_engine).pool is before
    async with host_engine.connect() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar() == 1
    assert db.counts()["rag_chunk"] == 4


async def test_one_connection_for_all() -> None:
    """L11: `:memory:` with StaticPool works; a one-shot call while a unit is open would end the unit's transaction."""
    scheme = "sqlite+aiosqlite" if ASYNCHRONOUS else "sqlite+pysqlite"
    arguments = {} if ASYNCHRONOUS else {"connect_args": {"check_same_thread": False}}
    engine = create_async_engine(f"{scheme}:///:memory:", poolclass=StaticPool, **arguments)
    configure_engine(plain_engine(engine))
    await aupgrade(engine)
    async with AsyncStore.open(engine) as opened:
        await opened.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
        await opened.documents.put("docs", document(), chunks(2))
        assert len(await opened.chunks.search("docs", text="text", embedding=vector("q"))) == 2
        async with opened.begin() as unit:
            await unit.documents.put("docs", document(2), chunks(2))
            for call in (
                lambda: opened.chunks.count("docs"),
                lambda: opened.documents.put("docs", document(3), ["text"]),
                lambda: opened.for_tenant("other").collections.page(),
            ):
                with pytest.raises(UsageError, match="one connection"):
                    await call()
            with pytest.raises(UsageError, match="one connection"):
                async with opened.begin():
                    pass
            assert await unit.chunks.count("docs") == 4
        assert await opened.chunks.count("docs") == 4
        with pytest.raises(Stop):
            async with opened.begin() as unit:
                await unit.documents.put("docs", document(4), chunks(2))
                raise Stop
        assert await opened.chunks.count("docs") == 4
    await engine.dispose()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
async def test_memory_cannot_be_named_by_a_url(url: str) -> None:
    """L11: never one empty database a thread."""
    with pytest.raises(UsageError, match="StaticPool"):
        AsyncStore.open(url)


async def test_another_writer_holds_the_file(sqlite_database: str) -> None:
    """L02: SQLITE_BUSY past `busy_timeout` is a ConcurrencyError, nothing is lost, and the next call works."""
    holder = Database(sqlite_database)
    async with AsyncStore.open(sqlite_database, Settings(busy_timeout=0.05)) as opened:
        await opened.collections.ensure("docs")
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(ConcurrencyError) as lost:
            await opened.documents.put("docs", document(), ["text"])
        assert lost.value.retryable
        with pytest.raises(ConcurrencyError):
            async with opened.begin() as unit:
                await unit.chunks.count("docs")
        assert await opened.chunks.count("docs") == 0  # readers do not wait
        holder.execute("ROLLBACK")
        await opened.documents.put("docs", document(), ["text"])
        assert await opened.chunks.count("docs") == 1
    holder.close()


async def test_a_store_is_not_pickled(async_store: AsyncStore) -> None:
    """A process that is spawned is told to open its own."""
    with pytest.raises(UsageError, match="open a store there"):
        pickle.dumps(async_store)
