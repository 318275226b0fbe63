# Generated from test_units_async.py by tools/unasync.py: edit that file and run the tool again.
"""Units of work and the host's own transactions: who commits, who rolls back, who waits."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, StaticPool, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from ragstore import F, Settings, Store, configure_engine, upgrade
from ragstore.backends import read_url
from ragstore.errors import ConcurrencyError, Conflict, InvalidInput, NotFound, PoolTimeout, ReadOnlyError, UsageError
from ragstore.testing.factories import DIMENSIONS, MODEL, chunks, document, vector
from tests.conformance.support import Database, plain_engine, together

ASYNCHRONOUS = Store.__name__.startswith("Async")


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
def docs(store: Store) -> str:
    """Make a collection for vectors of the factories' dimensions."""
    return store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS).name


@pytest.fixture
def host_engine(database_url: str) -> Iterator[Engine]:
    """Make an engine of the host's on the test's database, set up as ours are."""
    engine = create_engine(read_url(database_url, asynchronous=ASYNCHRONOUS))
    configure_engine(plain_engine(engine))
    yield engine
    engine.dispose()


# --------------------------------------------------------------------------------------------------------- units


def test_a_unit_commits_at_its_end(store: Store, docs: str, db: Database) -> None:
    """All of it or nothing: what a unit does is seen by others when it ends."""
    with store.begin() as unit:
        unit.collections.ensure("second")
        unit.documents.put(docs, document(1), chunks(2))
        unit.documents.put("second", document(1), ["text"])
        assert unit.chunks.count(docs) == 2
        assert store.chunks.count(docs) == 0
        assert store.collections.find("second") is None
        assert db.counts()["rag_collection"] == 1
    assert store.chunks.count(docs) == 2
    assert store.chunks.count("second") == 1


@pytest.mark.parametrize("error", [Stop, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_exception_rolls_all_back(store: Store, docs: str, db: Database, error: type[BaseException]) -> None:
    """CX12, CX30: whatever is raised, nothing is stored and the connection is free again."""
    before = db.counts()
    with pytest.raises(error):
        with store.begin() as unit:
            unit.collections.ensure("second")
            unit.documents.put(docs, document(), chunks(2))
            raise error
    assert db.counts() == before
    assert store.pool_status().in_use == 0
    store.documents.put(docs, document(), chunks(2))
    assert store.chunks.count(docs) == 2


def test_a_read_only_unit_refuses_writes(store: Store, docs: str, db: Database) -> None:
    """A read-only unit reads one snapshot, takes no write lock, and the database refuses its writes."""
    before = db.versions()
    with store.begin(read_only=True) as unit:
        assert unit.chunks.count(docs) == 0
    with pytest.raises(ReadOnlyError):
        with store.begin(read_only=True) as unit:
            unit.documents.put(docs, document(), chunks(2))
    with pytest.raises(ReadOnlyError):
        with store.begin(read_only=True) as unit:
            unit.collections.delete(docs)
    assert db.versions() == before
    with store.begin(read_only=True), store.begin() as writer:  # no lock is held by the reader
        writer.documents.put(docs, document(), chunks(2))
    store.documents.put(docs, document(2), chunks(2))  # the pooled connection may write again
    with store.begin() as unit:
        unit.documents.put(docs, document(3), chunks(2))
    assert store.chunks.count(docs) == 6


def test_an_error_caught_inside_a_unit(store: Store, docs: str, db: Database) -> None:
    """CX16: after a statement failed, the unit cannot go on; leaving it says that nothing was stored."""
    before = db.counts()
    bad = f"INSERT INTO {'ragstore.' if db.kind == 'postgresql' else ''}rag_collection (id, name) VALUES (NULL, NULL)"

    def swallow() -> None:
        with store.begin() as unit:
            unit.documents.put(docs, document(), chunks(2))
            with pytest.raises(InvalidInput):
                unit._access._work.execute(text(bad))
            with pytest.raises(UsageError, match="aborted"):
                unit.chunks.count(docs)
            with pytest.raises(UsageError, match="aborted"):
                unit.documents.put(docs, document(2), chunks(2))

    with pytest.raises(UsageError, match="nothing was stored"):
        swallow()
    assert db.counts() == before


def test_the_hosts_own_error_caught_inside_a_unit(store: Store, docs: str) -> None:
    """CX16: PostgreSQL would answer the COMMIT with a silent rollback; on SQLite the rest of the unit stands."""

    def unit() -> None:
        with store.begin() as uow:
            uow.documents.put(docs, document(), ["kept?"])
            with contextlib.suppress(DBAPIError):
                uow.connection.execute(text("SELECT no_such_column"))

    if store.engine.dialect.name == "postgresql":
        with pytest.raises(UsageError, match="rolled back"):
            unit()
        assert store.chunks.count(docs) == 0
    else:
        unit()
        assert store.chunks.count(docs) == 1


def test_a_connection_in_autocommit_is_refused(store: Store, docs: str, host_engine: Engine) -> None:
    """A call of several statements would be stored in part."""
    with host_engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        with pytest.raises(UsageError, match="AUTOCOMMIT"):
            store.using(connection).documents.put(docs, document(), ["a"])
    assert store.chunks.count(docs) == 0


def test_an_answer_of_ours_does_not_spoil_a_unit(store: Store, docs: str) -> None:
    """NotFound, Conflict and InvalidInput that no statement failed for: the unit goes on and commits."""
    with store.begin() as unit:
        with pytest.raises(NotFound):
            unit.collections.get("nowhere")
        with pytest.raises(Conflict):
            unit.collections.ensure(docs, model="other", dimensions=3)
        with pytest.raises(InvalidInput):
            unit.documents.put(docs, document(), ["nul\0"])
        with pytest.raises(InvalidInput):
            unit.chunks.search(docs, text="a", where=F.page == "1")
        unit.documents.put(docs, document(), chunks(2))
    assert store.chunks.count(docs) == 2


def test_two_on_one_unit(store: Store, docs: str, database_url: str) -> None:
    """CX28: two tasks or threads in one unit at the same time: a clear UsageError, and no corruption."""
    store.documents.put(docs, document(), chunks(20))
    with store.begin(read_only=True) as unit:

        def read() -> None:
            for _ in range(200):
                assert len(unit.chunks.search(docs, text="text", limit=20)) == 20

        results = together(read, read)
        errors = [result for result in results if result is not None]
        assert errors
        assert {type(error) for error in errors} == {UsageError}
        assert all("same time" in str(error) for error in errors)
        assert unit.chunks.count(docs) == 20


def test_units_side_by_side(store: Store, docs: str) -> None:
    """Each task or thread with a unit of its own: all are stored."""

    def work(number: int) -> Any:
        def put() -> None:
            with store.begin() as unit:
                unit.documents.put(docs, document(number), chunks(2, of=number))

        return put

    assert together(*(work(i) for i in range(6))) == [None] * 6
    assert store.chunks.count(docs) == 12


def test_no_connection_becomes_free(database_url: str) -> None:
    """CX10: `PoolTimeout` within the time-out; afterwards all is well."""
    with Store.open(database_url, Settings(pool_size=1, max_overflow=0, pool_timeout=0.1)) as opened:
        opened.collections.ensure("docs")
        with opened.begin(read_only=True) as unit:
            assert opened.pool_status().in_use == 1
            for call in (
                lambda: opened.collections.find("docs"),
                lambda: opened.documents.put("docs", document(), ["text"]),
                lambda: opened.chunks.search("docs", text="text"),
            ):
                with pytest.raises(PoolTimeout, match="pool_size"):
                    call()
            with pytest.raises(PoolTimeout):
                with opened.begin():
                    pass
            assert unit.chunks.count("docs") == 0
        assert opened.pool_status().in_use == 0
        assert opened.chunks.count("docs") == 0


# ----------------------------------------------------------------------------------------- the host's transaction


def test_the_hosts_connection_is_never_ended(store: Store, docs: str, db: Database, host_engine: Engine) -> None:
    """`using(connection)`: not committed, not rolled back; the host does either."""
    before = db.counts()
    with host_engine.connect() as connection:
        joined = store.using(connection)
        joined.collections.ensure("second")
        joined.documents.put(docs, document(), chunks(2))
        assert joined.chunks.count(docs) == 2
        assert len(joined.chunks.search(docs, text="text", embedding=vector("q"))) == 2
        assert connection.in_transaction()
        assert db.counts() == before
        with pytest.raises(NotFound):
            joined.collections.get("nowhere")
        assert connection.in_transaction()
        connection.rollback()
        assert db.counts() == before
        joined.documents.put(docs, document(), chunks(2))
        assert db.counts() == before
        connection.commit()
    assert store.chunks.count(docs) == 2


def test_the_hosts_session_is_flushed_and_never_ended(
    store: Store, docs: str, db: Database, host_engine: Engine
) -> None:
    """`using(session)`: what is pending is flushed first; the transaction stays the host's."""
    with host_engine.begin() as connection:
        Base.metadata.create_all(connection)
    with Session(host_engine) as session:
        joined = store.using(session)
        session.add(Note(id=1, text="pending"))
        joined.documents.put(docs, document(), chunks(2))
        assert not session.new
        assert joined.chunks.count(docs) == 2
        assert store.chunks.count(docs) == 0
        session.rollback()
        assert joined.chunks.count(docs) == 0
        session.add(Note(id=2, text="kept"))
        joined.documents.put(docs, document(), chunks(2))
        session.commit()
        assert joined.chunks.count(docs) == 2  # the session's next transaction, on whatever connection
    assert db.execute(f"SELECT id FROM {'public.' if db.kind == 'postgresql' else ''}host_note") == [(2,)]
    assert store.chunks.count(docs) == 2


def test_a_connection_to_another_database(store: Store, docs: str, tmp_path: Path) -> None:
    """A store on PostgreSQL cannot work on a connection to SQLite."""
    url = read_url(f"sqlite:///{tmp_path / 'other.db'}", asynchronous=ASYNCHRONOUS)
    engine = create_engine(url)
    with engine.connect() as connection:
        if plain_engine(store.engine).dialect.name == "postgresql":
            with pytest.raises(UsageError, match="sqlite"):
                store.using(connection).chunks.count(docs)
        else:
            with pytest.raises(UsageError, match="foreign keys"):  # the host's engine was not set up
                store.using(connection).chunks.count(docs)
    engine.dispose()


def test_the_hosts_engine_is_not_closed(host_engine: Engine, db: Database) -> None:
    """A store on the host's engine leaves it open."""
    with Store.open(host_engine) as opened:
        opened.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
        opened.documents.put("docs", document(), chunks(2))
        with opened.begin() as unit:
            unit.documents.put("docs", document(2), chunks(2))
        assert len(opened.chunks.search("docs", text="text", embedding=vector("q"))) == 4
        before = plain_engine(host_engine).pool
    assert plain_engine(host_engine).pool is before
    with host_engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    assert db.counts()["rag_chunk"] == 4


def test_one_connection_for_all() -> None:
    """L11: `:memory:` with StaticPool works; a one-shot call while a unit is open would end the unit's transaction."""
    scheme = "sqlite+aiosqlite" if ASYNCHRONOUS else "sqlite+pysqlite"
    arguments = {} if ASYNCHRONOUS else {"connect_args": {"check_same_thread": False}}
    engine = create_engine(f"{scheme}:///:memory:", poolclass=StaticPool, **arguments)
    configure_engine(plain_engine(engine))
    upgrade(engine)
    with Store.open(engine) as opened:
        opened.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
        opened.documents.put("docs", document(), chunks(2))
        assert len(opened.chunks.search("docs", text="text", embedding=vector("q"))) == 2
        with opened.begin() as unit:
            unit.documents.put("docs", document(2), chunks(2))
            for call in (
                lambda: opened.chunks.count("docs"),
                lambda: opened.documents.put("docs", document(3), ["text"]),
                lambda: opened.for_tenant("other").collections.page(),
            ):
                with pytest.raises(UsageError, match="one connection"):
                    call()
            with pytest.raises(UsageError, match="one connection"):
                with opened.begin():
                    pass
            assert unit.chunks.count("docs") == 4
        assert opened.chunks.count("docs") == 4
        with pytest.raises(Stop):
            with opened.begin() as unit:
                unit.documents.put("docs", document(4), chunks(2))
                raise Stop
        assert opened.chunks.count("docs") == 4
    engine.dispose()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
def test_memory_cannot_be_named_by_a_url(url: str) -> None:
    """L11: never one empty database a thread."""
    with pytest.raises(UsageError, match="StaticPool"):
        Store.open(url)


def test_another_writer_holds_the_file(sqlite_database: str) -> None:
    """L02: SQLITE_BUSY past `busy_timeout` is a ConcurrencyError, nothing is lost, and the next call works."""
    holder = Database(sqlite_database)
    with Store.open(sqlite_database, Settings(busy_timeout=0.05)) as opened:
        opened.collections.ensure("docs")
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(ConcurrencyError) as lost:
            opened.documents.put("docs", document(), ["text"])
        assert lost.value.retryable
        with pytest.raises(ConcurrencyError):
            with opened.begin() as unit:
                unit.chunks.count("docs")
        assert opened.chunks.count("docs") == 0  # readers do not wait
        holder.execute("ROLLBACK")
        opened.documents.put("docs", document(), ["text"])
        assert opened.chunks.count("docs") == 1
    holder.close()


def test_a_store_is_not_pickled(store: Store) -> None:
    """A process that is spawned is told to open its own."""
    with pytest.raises(UsageError, match="open a store there"):
        pickle.dumps(store)
