"""Deletion: by id, source and filter; all that hangs on a chunk goes with it, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

import ragstore
from ragstore import AsyncStore, F, Settings
from ragstore.conversations.records import NewCitation
from ragstore.corpus.chunks import deleting as of_chunks
from ragstore.corpus.collections import statistics
from ragstore.corpus.documents import deleting as of_documents
from ragstore.corpus.filters import Every, Not, Some
from ragstore.errors import InvalidInput, NotFound, ReadOnlyError
from ragstore.testing.factories import DIMENSIONS, MODEL, chunk, chunks, document
from tests.conformance.support import Database, async_together, run_calls, watching

pytestmark = pytest.mark.anyio

HOSTILE = "Ä'; DROP TABLE rag_chunk; --\U0001f600%_\\"


@pytest.fixture
async def docs(async_store: AsyncStore) -> str:
    """Make a collection for vectors of the factories' dimensions."""
    return (await async_store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)).name


async def fill(store: AsyncStore, collection: str, documents: int = 4) -> None:
    """Put documents of two chunks each; every second one is a manual."""
    await store.collections.ensure(collection, model=MODEL, dimensions=DIMENSIONS)
    for number in range(documents):
        given = document(number, doc_type="manual" if number % 2 else None, metadata={"n": number})
        await store.documents.put(collection, given, chunks(2, of=number))


async def sources(store: AsyncStore, collection: str = "docs") -> list[str]:
    return [found.source async for found in store.documents.export(collection)]


# ------------------------------------------------------------------------------------------------- documents


async def test_nothing_is_left_of_a_document(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-7: chunks, vectors and words go with it, by source and by id, and `False` says that there was none."""
    await async_store.documents.put(docs, document(0), chunks(1, of=0))
    await async_store.collections.analyze(docs)
    before = db.counts()
    first = await async_store.documents.put(docs, document(1), chunks(3))
    await async_store.documents.put(docs, document(2), chunks(3, of=2))
    assert await async_store.documents.delete_by_id(first.document_id) is True
    assert await async_store.documents.delete_by_id(str(first.document_id)) is False
    assert await async_store.documents.delete(docs, "doc-2.txt") is True
    assert await async_store.documents.delete(docs, "doc-2.txt") is False
    words = {"rag_term", "rag_posting"}  # which statistics may have been taken anew
    assert {t: n for t, n in db.counts().items() if t not in words} == {
        t: n for t, n in before.items() if t not in words
    }
    assert await sources(async_store) == ["doc-0.txt"]


async def test_documents_are_deleted_by_filter(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-7: those that match go with all that hangs on them; other collections and tenants are not touched."""
    other = async_store.for_tenant("other")
    for whose, collection in ((async_store, docs), (async_store, "others"), (other, docs), (other, "others")):
        await fill(whose, collection)
    assert await async_store.documents.delete_where(docs, F.doc_type == "manual") == 2
    assert await async_store.documents.delete_where(docs, F.doc_type == "manual") == 0
    assert await sources(async_store) == ["doc-0.txt", "doc-2.txt"]
    assert (
        await sources(async_store, "others")
        == await sources(other)
        == await sources(other, "others")
        == [f"doc-{n}.txt" for n in range(4)]
    )
    assert await async_store.documents.delete_where(docs, F.metadata["n"] > 0) == 1
    assert db.scalar("SELECT count(*) FROM rag_chunk") == db.words() == len(db.vectors()) == 26
    assert await async_store.documents.delete_all(docs) == 1
    assert await async_store.documents.delete_all(docs) == 0
    assert (await async_store.collections.get(docs)).space is not None
    assert await async_store.chunks.count("others") == await other.chunks.count(docs) == 8


async def test_many_documents_go_some_at_a_time(
    async_store: AsyncStore, docs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K-7: in bounded statements, and in one transaction."""
    monkeypatch.setattr(of_documents, "AT_ONCE", 2)
    await fill(async_store, docs, 7)
    with watching(async_store) as seen:
        assert await async_store.documents.delete_where(docs, F.metadata["n"] < 5) == 5
    assert len([1 for statement, _ in seen if re.match(r"DELETE FROM (\S+\.)?rag_document\b", statement)]) == 3
    assert await sources(async_store) == ["doc-5.txt", "doc-6.txt"]


@pytest.mark.parametrize("where", [None, {}, Every(()), Some(()), Not(Every((Some(()),)))], ids=repr)
async def test_an_empty_filter_deletes_nothing(async_store: AsyncStore, docs: str, where: Any) -> None:
    """K-7: it would be everything, for which there is another verb."""
    await fill(async_store, docs, 2)
    for repository in (async_store.documents, async_store.chunks):
        with pytest.raises(InvalidInput, match="delete_all"):
            await repository.delete_where(docs, where)
    assert await async_store.chunks.count(docs) == 4


async def test_what_cannot_be_deleted(async_store: AsyncStore, docs: str) -> None:
    """K-7: an unknown collection is `NotFound`, a wrong id or filter `InvalidInput`."""
    for repository in (async_store.documents, async_store.chunks):
        with pytest.raises(NotFound):
            await repository.delete_where("none", F.title == "x")
        with pytest.raises(InvalidInput):
            await repository.delete_where(docs, "title = 'x'")  # type: ignore[arg-type]
        with pytest.raises(InvalidInput):
            await repository.delete_where(docs, F.title == 1)
    with pytest.raises(NotFound):
        await async_store.documents.delete_all("none")
    with pytest.raises(InvalidInput, match="document_id"):
        await async_store.documents.delete_by_id("doc-1.txt")


async def test_another_tenants_ids_delete_nothing(async_store: AsyncStore, docs: str) -> None:
    """K-7: an id is only known to its own tenant."""
    report = await async_store.documents.put(docs, document(), chunks(1))
    (kept,) = await async_store.chunks.page(report.document_id)
    other = async_store.for_tenant("other")
    assert not await other.documents.delete_by_id(report.document_id)
    assert not await other.chunks.delete(kept.id)
    assert await async_store.chunks.count(docs) == 1


# ---------------------------------------------------------------------------------------------------- chunks


async def test_chunks_are_deleted_by_filter(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-7: each is counted off its document, whose next put brings it back."""
    pieces = [chunk(f"text {place}", page=place) for place in range(5)]
    first = await async_store.documents.put(docs, document(1), pieces)
    second = await async_store.documents.put(docs, document(2), pieces[:2])
    kept = {one.content: one.id async for one in async_store.chunks.export(docs, F.source == "doc-1.txt")}
    assert await async_store.chunks.delete_where(docs, F.page >= 2) == 3
    assert await async_store.chunks.delete_where(docs, F.page >= 2) == 0
    assert (await async_store.documents.get(first.document_id)).chunk_count == 2
    assert (await async_store.documents.get(second.document_id)).chunk_count == 2
    assert db.words() == len(db.vectors()) == 4
    assert (await async_store.documents.put(docs, document(2), pieces[:2])).unchanged == 2
    again = await async_store.documents.put(docs, document(1), pieces)
    assert (again.added, again.unchanged) == (3, 2)
    now = {one.content: one.id async for one in async_store.chunks.export(docs, F.source == "doc-1.txt")}
    assert {text for text, chunk_id in now.items() if kept[text] == chunk_id} == {"text 0", "text 1"}


async def test_many_chunks_go_some_at_a_time(
    async_store: AsyncStore, docs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K-7: in bounded statements, across documents and within one; nobody else's."""
    monkeypatch.setattr(of_chunks, "AT_ONCE", 3)
    monkeypatch.setattr(of_chunks.delete_matching, "__defaults__", (3,))
    other = async_store.for_tenant("other")
    for whose, collection in ((async_store, docs), (async_store, "others"), (other, docs), (other, "others")):
        await fill(whose, collection, 5)
    with watching(async_store) as seen:
        assert await async_store.chunks.delete_where(docs, F.metadata["n"] >= 1) == 8
    assert len([1 for statement, _ in seen if re.match(r"DELETE FROM (\S+\.)?rag_chunk\b", statement)]) == 3
    counted = {found.source: found.chunk_count async for found in async_store.documents.export(docs)}
    assert counted == {"doc-0.txt": 2} | {f"doc-{n}.txt": 0 for n in range(1, 5)}
    assert await async_store.chunks.count("others") == await other.chunks.count(docs) == 10


async def test_a_chunk_deleted_by_id_is_noted(async_store: AsyncStore, docs: str) -> None:
    """K-7: the document counts one chunk less, and the next put brings it back."""
    report = await async_store.documents.put(docs, document(), chunks(3))
    first = (await async_store.chunks.page(report.document_id)).items[0]
    assert await async_store.chunks.delete(first.id) is True
    assert await async_store.chunks.delete(first.id) is False
    assert (await async_store.documents.get(report.document_id)).chunk_count == 2
    assert (await async_store.documents.put(docs, document(), chunks(3))).added == 1


# --------------------------------------------------------------------------------------------------- together


async def test_a_deletion_is_part_of_its_unit(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-7: all of it goes with the unit's rollback, and a read-only unit refuses it."""
    await fill(async_store, docs)
    before = db.counts()
    with pytest.raises(ZeroDivisionError):
        async with async_store.begin() as unit:
            assert await unit.chunks.delete_where(docs, F.source == "doc-0.txt") == 2
            assert await unit.documents.delete_where(docs, F.doc_type == "manual") == 2
            assert await unit.documents.delete_all(docs) == 2
            raise ZeroDivisionError
    assert db.counts() == before
    for where in (F.doc_type == "manual", F.doc_type == "none"):
        for name in ("documents", "chunks"):
            with pytest.raises(ReadOnlyError):
                async with async_store.begin(read_only=True) as unit:
                    await getattr(unit, name).delete_where(docs, where)
    assert db.counts() == before


async def test_citations_keep_their_snapshots(async_store: AsyncStore, docs: str) -> None:
    """K-7: a citation of a deleted chunk loses its link and keeps everything else, whichever way the chunk went."""
    await fill(async_store, docs, 3)
    hits = await async_store.chunks.search(docs, text="text", limit=6)
    chats = async_store.conversations
    await chats.record_exchange(thread_id="t", query="q", response="r", sources=hits)
    before = (await chats.history("t"))[1].citations
    assert len(before) == 6
    await async_store.chunks.delete_where(docs, F.source == "doc-0.txt")
    await async_store.documents.delete_where(docs, F.source == "doc-1.txt")
    await async_store.documents.delete_all(docs)
    after = (await chats.history("t"))[1].citations
    assert after == tuple(cited.model_copy(update={"chunk_id": None}) for cited in before)
    assert NewCitation(source=after[0].source).source.startswith("doc-")


async def test_hostile_names(async_store: AsyncStore) -> None:
    """K-7: names and values are bound, never written into a statement."""
    await async_store.collections.ensure(HOSTILE)
    given = document(source=HOSTILE, doc_type=HOSTILE, metadata={HOSTILE: HOSTILE})
    for where in (F.source == HOSTILE, F.doc_type.starts_with(HOSTILE), F.metadata[HOSTILE] == HOSTILE):
        await async_store.documents.put(HOSTILE, given, [HOSTILE])
        assert await async_store.chunks.delete_where(HOSTILE, where) == 1
        assert await async_store.documents.delete_where(HOSTILE, where) == 1
    assert await async_store.documents.count(HOSTILE) == 0


async def test_deleting_much_takes_the_statistics_anew(async_store: AsyncStore, docs: str) -> None:
    """K-7: words are ranked by what is left; one chunk less is not worth it."""
    await fill(async_store, docs, 40)
    assert (await async_store.collections.analyze(docs)).analyzed_chunks == 80
    await async_store.documents.delete_where(docs, F.metadata["n"] >= 10)
    assert (await async_store.collections.get(docs)).analyzed_chunks == 20
    await async_store.chunks.delete_where(docs, F.metadata["n"] >= 2)
    assert (await async_store.collections.get(docs)).analyzed_chunks == 4


async def test_statistics_are_asked_for_once(
    async_store: AsyncStore, docs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K-7: a deletion in many statements weighs its whole number of chunks."""
    asked: list[int] = []

    def never(_within: object, changed: int) -> bool:
        asked.append(changed)
        return False

    monkeypatch.setattr(statistics, "refresh_due", never)
    await fill(async_store, docs, 5)
    asked.clear()
    monkeypatch.setattr(of_documents, "AT_ONCE", 2)
    await async_store.documents.delete_all(docs)
    assert asked == [10]


async def test_writers_and_deleters_at_once(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-3, K-7: deletions and loads of the same documents, in any order, never deadlock and leave no orphan."""
    many = [(document(number, doc_type="manual"), chunks(2, of=number)) for number in range(30)]

    async def load() -> None:
        await async_store.documents.load(docs, many, commit_every=10)

    async def load_backwards() -> None:
        await async_store.documents.load(docs, reversed(many), commit_every=30)

    async def delete_documents() -> None:
        for _ in range(3):
            await async_store.documents.delete_where(docs, F.doc_type == "manual")

    async def delete_chunks() -> None:
        for _ in range(3):
            await async_store.chunks.delete_where(docs, F.chunk_index == 1)

    run_calls(await async_together(load, load_backwards, delete_documents, delete_chunks))
    async for found in async_store.documents.export(docs):
        assert found.chunk_count == len(await async_store.chunks.page(found.id))
    chunk_rows = db.scalar("SELECT count(*) FROM rag_chunk")
    assert db.words() == len(db.vectors()) == chunk_rows
    await load()
    assert await async_store.chunks.count(docs) == 60


async def test_another_schema(postgres_database: str) -> None:
    """K-7: every statement names the schema that the settings do."""
    schema = 'Other "schema"'
    ragstore.upgrade(postgres_database, schema=schema)
    async with AsyncStore.open(postgres_database, Settings(schema=schema)) as store:
        await fill(store, "docs", 5)
        assert (await store.documents.update("docs", "doc-0.txt", title="x")).title == "x"
        assert await store.chunks.delete_where("docs", F.source == "doc-0.txt") == 2
        found = await store.documents.find("docs", "doc-1.txt")
        assert found is not None
        assert await store.documents.delete_by_id(found.id)
        assert await store.documents.delete("docs", "doc-2.txt")
        exported = [one async for one in store.chunks.export("docs", F.doc_type == "manual", with_embeddings=True)]
        assert [len(one.embedding or ()) for one in exported] == [DIMENSIONS] * 2
        assert not len(await store.chunks.missing_embeddings("docs"))
        assert (await store.chunks.delete_orphans("docs", ["x"])).checked == 0
        assert await store.documents.delete_all("docs") == 3
