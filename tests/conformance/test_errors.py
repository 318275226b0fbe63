"""Errors: what the driver says, as one of ours; and nothing secret in it."""

from __future__ import annotations

import socket
import struct
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, insert, make_url, text

from ragstore import Settings, Store, configure_engine
from ragstore.backends import backend_for, read_url
from ragstore.corpus.tables import COLLECTIONS, DOCUMENTS
from ragstore.errors import (
    ConcurrencyError,
    Conflict,
    ConnectError,
    ConnectionLost,
    CorruptDatabase,
    DatabaseError,
    InvalidInput,
    LockTimeout,
    NotFound,
    QueryTimeout,
    RagstoreError,
    ReadOnlyError,
    SchemaBehind,
    StorageError,
)
from ragstore.testing.factories import chunks, document
from ragstore.testing.servers import Server
from tests.conformance.support import Database, together

SECRET = "swordfish"  # a password

COLLECTION = {"tenant_id": "default", "id": uuid4(), "name": "docs", "language": "en", "meta": {}, "salt": 1}
DOCUMENT = {
    "tenant_id": "default",
    "id": uuid4(),
    "collection_id": COLLECTION["id"],
    "source": "s",
    "title": "",
    "content_hash": b"",
    "meta": {},
    "chunk_count": 0,
}


def run(url: str, *statements: Any, **engine_options: Any) -> None:
    """Run statements on an engine of a host's, their errors translated."""
    engine = create_engine(read_url(url), **engine_options)
    configure_engine(engine)
    backend = backend_for(engine.dialect)
    try:
        with backend.translating(), engine.begin() as connection:
            for statement in statements:
                connection.execute(statement, execution_options=backend.execution_options("ragstore"))
    finally:
        engine.dispose()


def everything_said(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


# ------------------------------------------------------------------------------------------------ statements


def test_a_unique_constraint(database_url: str) -> None:
    """23505, SQLITE_CONSTRAINT_UNIQUE: Conflict."""
    again = insert(COLLECTIONS).values({**COLLECTION, "id": uuid4()})
    with pytest.raises(Conflict) as refused:
        run(database_url, insert(COLLECTIONS).values(COLLECTION), again)
    if database_url.startswith("postgresql"):
        assert refused.value.constraint == "uq_rag_collection_tenant_id_name"


def test_a_foreign_key_of_a_child(database_url: str) -> None:
    """23503, L10: writing a child without its parent is NotFound, also on SQLite."""
    with pytest.raises(NotFound):
        run(database_url, insert(DOCUMENTS).values(DOCUMENT))


def test_a_foreign_key_of_a_hosts_table(store: Store, db: Database, database_url: str) -> None:
    """23503: deleting what a host's row refers to is a Conflict, and nothing is deleted."""
    store.collections.ensure("docs")
    schema, kind = ("ragstore.", "uuid") if db.kind == "postgresql" else ("", "text")
    db.execute(
        f"CREATE TABLE host_course (tenant_id text, collection_id {kind}, "
        f"FOREIGN KEY (tenant_id, collection_id) REFERENCES {schema}rag_collection (tenant_id, id))"
    )
    db.execute(f"INSERT INTO host_course SELECT tenant_id, id FROM {schema}rag_collection")
    with pytest.raises(Conflict):
        store.collections.delete("docs")
    assert store.collections.find("docs") is not None


def test_a_missing_value_and_a_check(database_url: str) -> None:
    """23502, 23514: InvalidInput."""
    for values in ({**COLLECTION, "name": None}, {**COLLECTION, "language": None}):
        with pytest.raises(InvalidInput):
            run(database_url, insert(COLLECTIONS).values(values))
    space = text(
        "INSERT INTO ragstore.rag_embedding_space"
        " (tenant_id, id, collection_id, model, dimensions, metric, storage, state)"
        " SELECT tenant_id, id, id, 'm', 0, 'cosine', 'vector', 'active' FROM ragstore.rag_collection"
    )
    if database_url.startswith("sqlite"):
        space = text(space.text.replace("ragstore.", ""))
    with pytest.raises(InvalidInput):
        run(database_url, insert(COLLECTIONS).values(COLLECTION), space)


def test_stored_text_is_in_no_message(database_url: str) -> None:
    """T20: neither parameters nor the server's detail lines are repeated."""
    values = {**COLLECTION, "name": SECRET}
    with pytest.raises(Conflict) as refused:
        run(
            database_url,
            insert(COLLECTIONS).values(values),
            insert(COLLECTIONS).values({**values, "id": uuid4()}),
            hide_parameters=True,
        )
    assert SECRET not in str(refused.value)


def test_a_table_is_missing(postgres_database: str, sqlite_url: str) -> None:
    """42P01: SchemaBehind says to upgrade; SQLite has no code of its own for it, and the message says the same."""
    for url, error in ((postgres_database, SchemaBehind), (sqlite_url, DatabaseError)):
        with Store.open(url) as store:
            for call in (
                lambda: store.collections.find("docs"),
                lambda: store.collections.ensure("docs"),
                lambda: store.chunks.search("docs", text="a"),
                lambda: store.documents.put("docs", document(), ["a"]),
            ):
                with pytest.raises(error, match="upgrade"):
                    call()


def test_a_lock_is_held(postgres_url: str) -> None:
    """CX15, 55P03: LockTimeout, no partial write, and the connection goes on."""
    holder = Database(postgres_url)
    with Store.open(postgres_url, Settings(lock_timeout=0.1)) as store:
        store.collections.ensure("docs")
        store.documents.put("docs", document(), chunks(2, dimensions=None))
        holder.execute("BEGIN")
        holder.execute("SELECT 1 FROM rag_document FOR UPDATE")
        with pytest.raises(LockTimeout):
            store.documents.put("docs", document(), ["new"])
        holder.execute("ROLLBACK")
        assert store.chunks.count("docs") == 2
        store.documents.put("docs", document(), ["new"])
        assert store.chunks.count("docs") == 1
    holder.close()


def test_a_statement_takes_too_long(postgres_url: str) -> None:
    """CX11, CX12, 57014: QueryTimeout, the unit is rolled back, the connection goes on."""
    holder = Database(postgres_url)
    with Store.open(postgres_url, Settings(statement_timeout=1.0, pool_size=1)) as store:
        store.collections.ensure("docs")
        store.documents.put("docs", document(), chunks(2, dimensions=None))
        holder.execute("BEGIN")
        holder.execute("SELECT 1 FROM rag_document FOR UPDATE")
        with pytest.raises(QueryTimeout):
            store.documents.put("docs", document(), ["new"])
        holder.execute("ROLLBACK")
        assert store.chunks.count("docs") == 2
        store.documents.put("docs", document(), ["new"])
    holder.close()


def test_two_units_wait_for_each_other(postgres_url: str) -> None:
    """K-3, 40P01: across calls in one unit a deadlock is a ConcurrencyError; run again, the unit succeeds."""
    with Store.open(postgres_url) as store:
        store.collections.ensure("docs")
        both = threading.Barrier(2)

        def put(first: int, second: int) -> None:
            with store.begin() as unit:
                unit.documents.put("docs", document(first), [f"from {first}"])
                both.wait(60)
                unit.documents.put("docs", document(second), [f"from {first}"])

        for number in (1, 2):
            store.documents.put("docs", document(number), ["old"])
        results = together(lambda: put(1, 2), lambda: put(2, 1))
        lost = [result for result in results if result is not None]
        assert [type(error) for error in lost] == [ConcurrencyError]
        assert lost[0].retryable
        assert store.chunks.count("docs") == 2


def test_a_read_only_server(postgres_url: str) -> None:
    """CX33, 25006: a write where none is allowed is ReadOnlyError."""
    url = make_url(postgres_url).update_query_dict({"options": "-c default_transaction_read_only=on"})
    with Store.open(url) as store:
        with pytest.raises(ReadOnlyError):
            store.collections.ensure("docs")
        assert store.collections.find("docs") is None


# ---------------------------------------------------------------------------------------------- connections


def terminate(db: Database, application: str) -> None:
    ours = "application_name = :name AND datname = current_database()"  # other tests have victims of this name
    found = f"SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE {ours}"
    assert db.execute(found, name=application)


@pytest.fixture
def named(postgres_url: str) -> Iterator[tuple[Store, Database]]:
    """Open a store whose backends can be told apart, and a look at its database."""
    db = Database(postgres_url)
    url = make_url(postgres_url).update_query_dict({"application_name": "victim"})
    with Store.open(url, Settings(pool_size=2)) as store:
        store.collections.ensure("docs")
        yield store, db
    db.close()


def test_a_backend_ends_in_mid_transaction(named: tuple[Store, Database]) -> None:
    """CX01: ConnectionLost, the write is absent, and the next call works."""
    store, db = named

    def work() -> None:
        with store.begin() as unit:
            unit.documents.put("docs", document(), ["lost"])
            terminate(db, "victim")
            unit.chunks.count("docs")

    with pytest.raises(ConnectionLost) as lost:
        work()
    assert lost.value.retryable
    assert store.pool_status().in_use == 0
    assert store.chunks.count("docs") == 0
    store.documents.put("docs", document(), ["kept"])
    assert store.chunks.count("docs") == 1


def test_a_backend_ends_before_the_commit(named: tuple[Store, Database]) -> None:
    """CX01: the commit itself finds out."""
    store, db = named

    def work() -> None:
        with store.begin() as unit:
            unit.documents.put("docs", document(), ["lost"])
            terminate(db, "victim")

    with pytest.raises(ConnectionLost):
        work()
    assert store.chunks.count("docs") == 0


def test_idle_connections_end(named: tuple[Store, Database]) -> None:
    """CX02: a read finds new connections by itself, without an error to the caller."""
    store, db = named
    for call in (
        lambda: store.chunks.count("docs"),
        lambda: store.collections.get("docs"),
        lambda: len(store.chunks.search("docs", text="a")),
    ):
        call()
        terminate(db, "victim")
        call()


def test_idle_connections_are_checked(named: tuple[Store, Database], postgres_url: str) -> None:
    """CX02: a connection that idled longer than `ping_after` is replaced before a write gets it."""
    _, db = named
    url = make_url(postgres_url).update_query_dict({"application_name": "idler"})
    with Store.open(url, Settings(pool_size=1, ping_after=0.0)) as store:
        store.documents.put("docs", document(), ["one"])
        terminate(db, "idler")
        store.documents.put("docs", document(2), ["two"])
        assert store.chunks.count("docs") == 2


@contextmanager
def refusing_server(sqlstate: str, message: str) -> Iterator[int]:
    """Listen as a PostgreSQL server that turns every client away with a FATAL error; gives the port."""

    def refuse(client: socket.socket) -> None:
        with client:
            while True:
                length, code = struct.unpack("!ii", client.recv(8))
                client.recv(length - 8)
                if code not in (80877103, 80877104):  # SSL or GSS encryption asked for
                    break
                client.sendall(b"N")
            fields = f"SFATAL\0VFATAL\0C{sqlstate}\0M{message}\0\0".encode()
            client.sendall(b"E" + struct.pack("!i", len(fields) + 4) + fields)

    def serve() -> None:
        while True:
            try:
                refuse(listener.accept()[0])
            except struct.error:  # the client went away
                continue
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def refused(url: Any) -> RagstoreError:
    with Store.open(url, Settings(connect_timeout=2)) as store:
        for call in (store.collections.page, lambda: store.collections.ensure("docs"), store.begin().__enter__):
            with pytest.raises(ConnectError) as error:
                call()
            assert SECRET not in everything_said(error.value)
            assert SECRET not in repr(store.settings)
        return error.value


@pytest.mark.parametrize("sqlstate", ["28P01", "28000", "3D000", "53300", "57P03"])
def test_a_server_turns_us_away(sqlstate: str) -> None:
    """CX04, CX08, CX09: wrong password, unknown database, too many connections, starting up: ConnectError."""
    with refusing_server(sqlstate, "no") as port:
        refused(f"postgresql://someone:{SECRET}@127.0.0.1:{port}/app")


def test_nobody_listens() -> None:
    """CX08: a closed port is a ConnectError, without the password in what is said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    refused(f"postgresql://someone:{SECRET}@127.0.0.1:{port}/app")


def test_nobody_answers() -> None:
    """CX07: `connect_timeout` holds against a listener that never speaks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"postgresql://someone:{SECRET}@127.0.0.1:{listener.getsockname()[1]}/app"
        with Store.open(url, Settings(connect_timeout=2)) as store, pytest.raises(ConnectError):
            store.collections.page()


def test_an_unknown_database(postgres_server: Server) -> None:
    """CX08: the server is there, the database is not."""
    refused(postgres_server.url_of("no_such_database"))


@pytest.mark.parametrize("url", [f"postgresql://a:{SECRET}@host:port/app", f"nonsense {SECRET}", ""])
def test_an_unreadable_url(url: str) -> None:
    """T20: the message never holds the password."""
    with pytest.raises(InvalidInput) as error:
        Store.open(url)
    assert SECRET not in everything_said(error.value)


# ---------------------------------------------------------------------------------------------------- SQLite


def test_a_file_is_no_database(tmp_path: Path) -> None:
    """SQLITE_NOTADB: CorruptDatabase, and the file is left as it is."""
    path = tmp_path / "notes.db"
    path.write_bytes(b"These are my notes, and no database. " * 200)
    with Store.open(f"sqlite:///{path}") as store:
        for call in (store.collections.page, lambda: store.collections.ensure("docs")):
            with pytest.raises(CorruptDatabase):
                call()
    assert path.read_bytes().startswith(b"These are my notes")


def test_a_damaged_file(sqlite_database: str) -> None:
    """SQLITE_CORRUPT: pages that make no sense are an error, never an empty list."""
    with Store.open(sqlite_database) as store:
        store.collections.ensure("docs")
        store.documents.load("docs", [(document(i), chunks(20, of=i, dimensions=None)) for i in range(20)])
    path = Path(make_url(sqlite_database).database or "")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xff" * (size - 4096 * 2))
    with Store.open(sqlite_database) as store, pytest.raises(CorruptDatabase):
        store.chunks.search("docs", text="text")


def test_a_folder_is_missing(tmp_path: Path) -> None:
    """SQLITE_CANTOPEN: StorageError."""
    with Store.open(f"sqlite:///{tmp_path}/missing/app.db") as store, pytest.raises(StorageError):
        store.collections.page()


def test_foreign_keys_are_on(sqlite_database: str) -> None:
    """L10: on every connection of the pool."""
    with Store.open(sqlite_database) as store:
        held = [store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") for _ in range(3)]
        assert [connection.exec_driver_sql("PRAGMA foreign_keys").scalar() for connection in held] == [1, 1, 1]
        for connection in held:
            connection.close()
