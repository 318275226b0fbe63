"""Around a document: what describes it changes alone, and documents and chunks are counted."""

from __future__ import annotations

from typing import Any

import pytest

from ragstore import AsyncStore, F, Filter, NewDocument
from ragstore.errors import InvalidInput, NotFound, ReadOnlyError
from ragstore.testing.factories import DIMENSIONS, MODEL, chunk, chunks, document
from tests.conformance.support import Database

pytestmark = pytest.mark.anyio

HOSTILE = "Ä'; DROP TABLE rag_document; --\U0001f600%_\\"


@pytest.fixture
async def docs(async_store: AsyncStore) -> str:
    """Make a collection for vectors of the factories' dimensions."""
    return (await async_store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)).name


# ----------------------------------------------------------------------------------------------------- K-7a


async def test_what_describes_a_document_changes_alone(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-7a: title, type, version and metadata change; what is left out stays; no chunk is touched."""
    given = document(doc_type="guide", version="1", language="de", metadata={"a": 1, "b": 2})
    await async_store.documents.put(docs, given, chunks(3))
    before, rows = await async_store.documents.find(docs, given.source), db.versions()
    assert before is not None
    changed = await async_store.documents.update(docs, given.source, title=HOSTILE, metadata={"c": [HOSTILE, None]})
    values = {"title": HOSTILE, "metadata": {"c": [HOSTILE, None]}}
    assert changed == before.model_copy(update={**values, "updated_at": changed.updated_at})
    assert changed.updated_at >= before.updated_at
    assert changed == await async_store.documents.get(before.id)
    cleared = await async_store.documents.update(docs, given.source, doc_type=None, version=None, metadata={})
    assert (cleared.doc_type, cleared.version, cleared.metadata) == (None, None, {})
    assert (cleared.title, cleared.language, cleared.chunk_count) == (HOSTILE, "de", 3)
    untouched = [table for table in db.tables if table != "rag_document"]
    assert {table: db.versions()[table] for table in untouched} == {table: rows[table] for table in untouched}


async def test_the_same_values_write_nothing(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-7a: a value that is there already, or none at all, changes no row; 1 is not true."""
    given = document(doc_type="guide", metadata={"a": 1})
    await async_store.documents.put(docs, given, chunks(1))
    before = db.versions()
    first = await async_store.documents.update(docs, given.source)
    same = await async_store.documents.update(
        docs, given.source, title=given.title, doc_type="guide", metadata={"a": 1}
    )
    assert first == same == await async_store.documents.find(docs, given.source)
    after = db.versions()
    before.pop("file", None), after.pop("file", None)
    assert after == before
    changed = await async_store.documents.update(docs, given.source, metadata={"a": True})
    assert changed.metadata["a"] is True


async def test_the_next_put_sees_the_change(async_store: AsyncStore, docs: str) -> None:
    """K-7a, K-1: after an update, a put of the original writes the original again, and keeps the chunks."""
    given = document(metadata={"year": 2023})
    first = await async_store.documents.put(docs, given, chunks(2))
    await async_store.documents.update(docs, given.source, metadata={"year": 2024})
    again = await async_store.documents.put(docs, given, chunks(2))
    assert (again.unchanged, again.updated, again.added) == (2, 0, 0)
    stored = await async_store.documents.get(first.document_id)
    assert stored.metadata == {"year": 2023}
    await async_store.documents.update(docs, given.source, metadata={"year": 2024})
    await async_store.documents.put(docs, NewDocument(**{**dict(given), "metadata": {"year": 2024}}), chunks(2))
    assert (await async_store.documents.get(first.document_id)).metadata == {"year": 2024}


async def test_a_searcher_sees_the_change(async_store: AsyncStore, docs: str) -> None:
    """K-7a: filters and hits have the new values."""
    await async_store.documents.put(docs, document(doc_type="draft"), chunks(1))
    await async_store.documents.update(docs, "doc-1.txt", doc_type="manual", title="New")
    (hit,) = await async_store.chunks.search(docs, text="text", where=F.doc_type == "manual")
    assert (hit.title, hit.doc_type) == ("New", "manual")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": None}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"title": 1}, "title"),
        ({"doc_type": "x" * 256}, "doc_type"),
        ({"version": "\ud800"}, "version"),
        ({"metadata": None}, "metadata"),
        ({"metadata": {"a": float("nan")}}, "metadata"),
        ({"metadata": {1: 2}}, "metadata"),
    ],
)
async def test_unfit_values_change_nothing(
    async_store: AsyncStore, docs: str, db: Database, values: dict[str, Any], field: str
) -> None:
    """K-7a: a bad value is named, and nothing is written."""
    await async_store.documents.put(docs, document(), chunks(1))
    before = db.versions()
    with pytest.raises(InvalidInput, match=field):
        await async_store.documents.update(docs, "doc-1.txt", **values)
    assert db.versions() == before


async def test_updating_what_is_not_there(async_store: AsyncStore, docs: str) -> None:
    """K-7a: an unknown collection, document, or another tenant's is `NotFound`."""
    await async_store.documents.put(docs, document(), chunks(1))
    await async_store.for_tenant("other").collections.ensure(docs)
    for whose, collection, source in (
        (async_store, "none", "doc-1.txt"),
        (async_store, docs, "none"),
        (async_store.for_tenant("other"), docs, "doc-1.txt"),
    ):
        with pytest.raises(NotFound):
            await whose.documents.update(collection, source, title="x")
    with pytest.raises(InvalidInput):
        await async_store.documents.update(docs, "", title="x")


async def test_an_update_is_part_of_its_unit(async_store: AsyncStore, docs: str) -> None:
    """K-7a: it goes with the unit's rollback, and a read-only unit refuses it."""
    await async_store.documents.put(docs, document(), chunks(1))
    before = await async_store.documents.find(docs, "doc-1.txt")
    with pytest.raises(ZeroDivisionError):
        async with async_store.begin() as unit:
            assert (await unit.documents.update(docs, "doc-1.txt", title="x")).title == "x"
            raise ZeroDivisionError
    with pytest.raises(ReadOnlyError):
        async with async_store.begin(read_only=True) as unit:
            await unit.documents.update(docs, "doc-1.txt", title="x")
    assert await async_store.documents.find(docs, "doc-1.txt") == before


# ---------------------------------------------------------------------------------------------------- counts


async def fill(store: AsyncStore, collection: str) -> None:
    """Put three documents of 1, 2 and 3 chunks."""
    for number, kind in ((1, "manual"), (2, "manual"), (3, None)):
        given = document(number, doc_type=kind, metadata={"n": number, "who": "document"})
        pieces = [chunk(f"{number} {place}", page=place, metadata={"n": place}) for place in range(number)]
        await store.documents.put(collection, given, pieces)


@pytest.mark.parametrize(
    ("where", "documents"),
    [
        (None, 3),
        (F.doc_type == "manual", 2),
        (F.doc_type != "manual", 1),
        (F.metadata["n"] >= 2, 2),
        (F.metadata["n"] != 1, 2),
        (~(F.metadata["n"].in_([1, 3])), 1),
        (F.metadata["who"].starts_with("doc"), 3),
        (F.metadata["nowhere"].exists(), 0),
        ((F.source == "doc-1.txt") | (F.title == "Document 3"), 2),
    ],
)
async def test_documents_are_counted(async_store: AsyncStore, docs: str, where: Filter | None, documents: int) -> None:
    """K-7a: by documents' own fields and metadata: what a chunk lays over them is not looked at."""
    await fill(async_store, docs)
    await async_store.collections.ensure("others", model=MODEL, dimensions=DIMENSIONS)
    await fill(async_store, "others")
    assert await async_store.documents.count(docs, where) == documents
    assert len([found async for found in async_store.documents.export(docs, where)]) == documents


@pytest.mark.parametrize(
    ("where", "found"),
    [(None, 6), (F.page == 0, 3), (F.metadata["n"] == 1, 2), ((F.page > 0) & (F.source == "doc-3.txt"), 2)],
)
async def test_chunks_are_counted(async_store: AsyncStore, docs: str, where: Filter | None, found: int) -> None:
    """K-7a: by the fields of both, as a search filters."""
    await fill(async_store, docs)
    await async_store.collections.ensure("others", model=MODEL, dimensions=DIMENSIONS)
    await fill(async_store, "others")
    assert await async_store.chunks.count(docs, where) == found
    assert len([one async for one in async_store.chunks.export(docs, where)]) == found


OF_CHUNKS = [F.page == 1, F.chunk_index == 0, F.heading == "h", F.language == "en", F.embedding_id.exists()]


@pytest.mark.parametrize("where", [*OF_CHUNKS, ~(F.page == 1) & (F.title == "x")], ids=repr)
async def test_a_chunks_field_names_no_document(async_store: AsyncStore, docs: str, where: Filter) -> None:
    """K-7: what a document does not have is refused by its verbs, not taken for "any chunk"."""
    for call in (async_store.documents.count, async_store.documents.delete_where):
        with pytest.raises(InvalidInput, match="is a chunk's"):
            await call(docs, where)
    with pytest.raises(InvalidInput, match="is a chunk's"):
        async_store.documents.export(docs, where)


async def test_counting_what_is_not_there(async_store: AsyncStore, docs: str) -> None:
    """K-7a: an empty collection counts 0, an unknown one is `NotFound`."""
    assert await async_store.documents.count(docs) == await async_store.chunks.count(docs) == 0
    for repository in (async_store.documents, async_store.chunks):
        with pytest.raises(NotFound):
            await repository.count("none")
        with pytest.raises(InvalidInput):
            await repository.count(docs, "doc_type == 'x'")  # type: ignore[arg-type]
