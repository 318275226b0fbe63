"""Bulk inserts: what is copied is what an insert would have stored; and where a COPY is not allowed, it is inserted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event

from ragstore import AsyncStore, NewChunk, NewDocument, Settings, aupgrade
from ragstore.backends.postgresql import copying
from ragstore.errors import ConcurrencyError, ConnectionLost, InvalidInput, PermissionDenied, ReadOnlyError, UsageError
from ragstore.schema import tables_for
from ragstore.testing.factories import DIMENSIONS, MODEL, document, vector
from tests.conformance.support import Database, plain_engine

pytestmark = pytest.mark.anyio

HOSTILE = [
    "back\\slash 'quote' \"double\" tab\t new\nline $1 %s :name \\N \\.",
    "astral \U0001f600\U00020000 \u00e9 e\u0301 \u202e rtl",
    "x" * 64 + " " + "\u00fc" * 40 + " " + "\U0001f600" * 20,
    "it''s \\' \\\\' ''' : , 1:2",
    "\u4e2d\u6587\u5b57 \ud55c\uad6d\uc5b4 \u0e44\u0e17\u0e22",
    " ".join(f"many{i}" for i in range(1500)),
    "again " * 20_000,
]


def awkward() -> list[NewChunk | str]:
    given: list[NewChunk | str] = [
        NewChunk(
            content=text,
            embedding=vector(text),
            metadata={text[:20]: [text[:50], None, 1.5, True, {"deep": -(2**63)}]},
            start_offset=0,
            end_offset=2**31 - 1,
            page=1,
            heading=text[:100],
            embedding_id=text[:60],
        )
        for text in HOSTILE
    ]
    return [*given, *(f"plain {i}" for i in range(60))]


def snapshot(db: Database) -> dict[str, Any]:
    """Give all rows but their ids and times, in the order of the texts."""
    columns = {
        "rag_chunk": "t.tenant_id, t.chunk_index, t.content, t.content_hash, t.language, t.metadata, t.start_offset,"
        " t.end_offset, t.page, t.heading, t.embedding_id, t.collection_id = d.collection_id",
        "rag_embedding": "t.tenant_id, t.dense::text, t.half::text, t.sparse::text",
        "rag_chunk_terms": "t.tenant_id, t.generation, t.length, t.lexemes::text, t.weights::text, t.rest::text",
    }
    key = {"rag_chunk": "t.id"}
    return {
        table: db.execute(
            f"SELECT c.content, {names} FROM {table} t JOIN rag_chunk c ON c.id = {key.get(table, 't.chunk_id')}"
            " JOIN rag_document d ON d.id = c.document_id ORDER BY c.content"
        )
        for table, names in columns.items()
    }


async def filled(store: AsyncStore, db: Database, name: str, model: str) -> dict[str, Any]:
    await store.collections.ensure(name, model=model, dimensions=DIMENSIONS)
    db.execute("UPDATE rag_collection SET salt = 7, average_length = 3")
    await store.documents.put(name, document(), awkward())
    found = snapshot(db)
    await store.collections.delete(name)
    return found


async def test_a_copy_stores_what_an_insert_stores(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """K-4: every column of every type, with texts that would break a careless writer."""
    db = Database(postgres_url)
    async with AsyncStore.open(postgres_url) as store:
        copied = await filled(store, db, "docs", MODEL)
        with monkeypatch.context() as patch:
            patch.setattr(copying, "WORTH_IT", 10**9)
            inserted = await filled(store, db, "docs", MODEL)
        assert len(copied["rag_chunk"]) == len(HOSTILE) + 60
        assert len(copied["rag_embedding"]) == len(HOSTILE)
        assert any(row[-1] is not None for row in copied["rag_chunk_terms"])  # more weights than fit a page
        for table in copied:
            assert copied[table] == inserted[table], table
    db.close()


async def test_half_vectors_are_copied(postgres_url: str) -> None:
    """K-15."""
    db = Database(postgres_url)
    given = [NewChunk(content=f"text {i}", embedding=vector(i, dimensions=2500)) for i in range(60)]
    async with AsyncStore.open(postgres_url) as store:
        await store.collections.ensure("wide", model=MODEL, dimensions=2500)
        await store.documents.put("wide", document(), given)
        hits = await store.chunks.search("wide", embedding=vector(7, dimensions=2500), limit=1)
        assert hits[0].content == "text 7"
    assert db.execute("SELECT count(half), count(dense) FROM rag_embedding") == [(60, 0)]
    db.close()


async def test_every_column_that_is_copied_has_a_binary_form() -> None:
    for table in tables_for("postgresql"):
        if table.name in ("rag_chunk", "rag_embedding", "rag_chunk_terms"):
            given = [column for column in table.columns if column.name != "created_at"]
            assert all(copying.packer_for(column.type, "utf-8") for column in given)


async def test_another_schema_is_copied_into(postgres_database: str) -> None:
    """Names that need quoting are only names; the host's map of schemas does not matter."""
    schema = 'Odd "schema" 100% :x'
    await aupgrade(postgres_database, schema=schema)
    async with AsyncStore.open(postgres_database, Settings(schema=schema)) as store:
        await store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
        report = await store.documents.put("docs", document(), awkward())
        assert report.added == len(HOSTILE) + 60
        assert await store.chunks.count("docs") == len(HOSTILE) + 60


ROLE = """
CREATE ROLE {role} LOGIN;
GRANT USAGE ON SCHEMA ragstore TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ragstore TO {role};
ALTER TABLE rag_chunk ENABLE ROW LEVEL SECURITY;
ALTER TABLE rag_embedding ENABLE ROW LEVEL SECURITY;
CREATE POLICY ours ON rag_chunk USING (tenant_id = 'mine');
CREATE POLICY ours ON rag_embedding USING (tenant_id = 'mine')
"""


async def test_row_level_security_is_respected(postgres_url: str) -> None:
    """K-4: PostgreSQL refuses a COPY there, so rows are inserted, and the policy holds for them."""
    db, role = Database(postgres_url), f"app_{uuid4().hex[:12]}"
    for statement in ROLE.format(role=role).split(";"):
        db.execute(statement)
    try:
        async with AsyncStore.open(postgres_url, Settings(tenant="mine")) as store:
            await store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
            await store.for_tenant("theirs").collections.ensure("docs")

            @event.listens_for(plain_engine(store.engine), "begin")
            def become(connection: Any) -> None:
                connection.exec_driver_sql(f"SET LOCAL ROLE {role}")

            report = await store.documents.put("docs", document(), awkward())
            assert (report.added, report.embedded) == (len(HOSTILE) + 60, len(HOSTILE))
            with pytest.raises(PermissionDenied, match="row-level security"):
                await store.for_tenant("theirs").documents.put("docs", document(), many())
        assert db.execute("SELECT DISTINCT tenant_id FROM rag_chunk") == [("mine",)]
    finally:
        db.execute(f"DROP OWNED BY {role}")
        db.execute(f"DROP ROLE {role}")
        db.close()


def many(count: int = 60) -> list[NewChunk | str]:
    return [f"text {i}" for i in range(count)]


async def test_a_copy_keeps_the_rules_of_its_unit(async_store: AsyncStore, db: Database) -> None:
    """Read-only, a transaction that has failed, and rolling back."""
    await async_store.collections.ensure("docs")
    with pytest.raises(ReadOnlyError):
        async with async_store.begin(read_only=True) as unit:
            await unit.documents.put("docs", document(), many())

    class Stop(Exception):
        pass

    with pytest.raises(Stop):
        async with async_store.begin() as unit:
            await unit.documents.put("docs", document(), many())
            assert await unit.chunks.count("docs") == 60
            raise Stop
    assert await async_store.chunks.count("docs") == 0


async def test_an_error_in_a_copy_is_ours(postgres_url: str) -> None:
    """What the server refuses in a COPY is translated, the unit has failed, and the connection is as good as new."""
    db = Database(postgres_url)
    db.execute("ALTER TABLE rag_chunk ADD CONSTRAINT short CHECK (length(content) < 100)")
    async with AsyncStore.open(postgres_url) as store:
        await store.collections.ensure("docs")
        with pytest.raises(InvalidInput):
            await store.documents.put("docs", document(), [*many(), "x" * 100])
        with pytest.raises(UsageError, match="aborted"):
            async with store.begin() as unit:
                with pytest.raises(InvalidInput):
                    await unit.documents.put("docs", document(), [*many(), "x" * 100])
                await unit.chunks.count("docs")
        assert (await store.documents.put("docs", document(), many())).added == 60
    assert db.scalar("SELECT count(*) FROM rag_document") == 1
    db.close()


async def test_a_connection_that_breaks_in_a_copy(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """K-3: nothing is stored, the error says what happened, and the next call has a connection."""
    db = Database(postgres_url)
    pack = copying.pack_rows

    def cut(*arguments: Any) -> Iterator[bytes]:
        for place, block in enumerate(pack(*arguments)):
            if place == 0:
                db.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            yield block

    async with AsyncStore.open(postgres_url) as store:
        await store.collections.ensure("docs")
        with monkeypatch.context() as patch:
            patch.setattr(copying, "pack_rows", cut)
            with pytest.raises(ConnectionLost):
                await store.documents.put("docs", document(), [f"{i} " + "long text " * 100 for i in range(500)])
        assert await store.chunks.count("docs") == 0
        assert (await store.documents.put("docs", document(), many())).added == 60
    db.close()


async def test_what_cannot_be_packed_is_refused(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """I05: an error of ours while rows are sent stops the COPY and comes out as it is."""

    def broken(*arguments: Any) -> Iterator[bytes]:
        yield b"PGCOPY\n\xff\r\n\0" + bytes(8)
        raise ConcurrencyError("in between")

    async with AsyncStore.open(postgres_url) as store:
        await store.collections.ensure("docs")
        with monkeypatch.context() as patch:
            patch.setattr(copying, "pack_rows", broken)
            with pytest.raises(ConcurrencyError, match="in between"):
                await store.documents.put("docs", document(), many())
        assert (await store.documents.put("docs", NewDocument(source="other"), many())).added == 60


async def test_text_goes_in_the_connections_encoding(postgres_url: str) -> None:
    """A host's connection may speak Latin-1; what that lacks is refused."""
    db, separator = Database(postgres_url), "&" if "?" in postgres_url else "?"
    async with AsyncStore.open(f"{postgres_url}{separator}client_encoding=latin1") as store:
        await store.collections.ensure("docs")
        await store.documents.put("docs", document(), [f"\u00fc {i}" for i in range(60)])
        with pytest.raises(InvalidInput):
            await store.documents.put("docs", document(), [f"\u4e2d {i}" for i in range(60)])
    assert db.scalar("SELECT count(*) FROM rag_chunk WHERE content LIKE '\u00fc %'") == 60
    db.close()
