"""Export: every row once, in a stable order, in bounded memory; and the chunks that lack a vector."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ragstore import AsyncStore, F, NewChunk
from ragstore.errors import InvalidInput, NotFound
from ragstore.testing.factories import DIMENSIONS, MODEL, Embedder, chunk, chunks, document, vector
from tests.conformance.support import Database, watching

pytestmark = pytest.mark.anyio


@pytest.fixture
async def docs(async_store: AsyncStore) -> str:
    """Make a collection for vectors of the factories' dimensions."""
    return (await async_store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)).name


async def exported(store: AsyncStore, collection: str = "docs", where: Any = None, **options: Any) -> list[Any]:
    return [found async for found in store.chunks.export(collection, where, **options)]


@pytest.mark.parametrize("batch_size", [1, 3, 7, 14, 500])
async def test_everything_comes_once(async_store: AsyncStore, docs: str, batch_size: int) -> None:
    """K-7a: documents by source, chunks by id, whatever the size of a batch; nobody else's."""
    other = async_store.for_tenant("other")
    for whose, collection in ((async_store, docs), (async_store, "others"), (other, docs)):
        await whose.collections.ensure(collection, model=MODEL, dimensions=DIMENSIONS)
        for number in range(7):
            await whose.documents.put(collection, document(number), chunks(2, of=number))
    documents = [found async for found in async_store.documents.export(docs, batch_size=batch_size)]
    assert documents == list(await async_store.documents.page(docs))
    found = await exported(async_store, batch_size=batch_size)
    assert [one.id for one in found] == sorted(one.id for one in found)
    stored = [one for document in documents for one in await async_store.chunks.page(document.id)]
    assert {one.id: one.model_dump(exclude={"source", "embedding"}) for one in found} == {
        one.id: one.model_dump() for one in stored
    }
    of = {document.id: document.source for document in documents}
    assert [one.source for one in found] == [of[one.document_id] for one in found]
    assert {one.embedding for one in found} == {None}


@pytest.mark.parametrize(("dimensions", "digits"), [(DIMENSIONS, 6), (2001, 3)], ids=["vector", "halfvec"])
async def test_vectors_come_on_request(async_store: AsyncStore, dimensions: int, digits: int) -> None:
    """K-7a: as numbers, as the space stores them; None for a chunk without."""
    await async_store.collections.ensure("docs", model=MODEL, dimensions=dimensions)
    await async_store.documents.put("docs", document(), [chunk("with", dimensions=dimensions), "without"])
    found = {one.content: one.embedding for one in await exported(async_store, with_embeddings=True)}
    assert found["without"] is None
    assert isinstance(found["with"], tuple)
    assert {type(number) for number in found["with"]} == {float}
    np.testing.assert_almost_equal(found["with"], vector("with", dimensions=dimensions), digits)


async def test_no_space_has_no_vectors(async_store: AsyncStore) -> None:
    """K-7a: asked for where there is no space, a vector is None."""
    await async_store.collections.ensure("docs")
    await async_store.documents.put("docs", document(), ["a"])
    assert [one.embedding for one in await exported(async_store, with_embeddings=True)] == [None]


async def test_what_is_exported_can_be_put(async_store: AsyncStore, docs: str) -> None:
    """K-7a: a collection goes out and comes in again, vectors and all."""
    piece = chunk("Grüße \U0001f600", metadata={"a": [1, None]}, page=3, heading="H", start_offset=1, end_offset=8)
    await async_store.documents.put(docs, document(metadata={"x": "y"}), [piece, chunk("two", embedding_id="v-2")])
    await async_store.collections.ensure("copy", model=MODEL, dimensions=DIMENSIONS)
    fields = set(NewChunk.model_fields)
    async for found in async_store.documents.export(docs):
        pieces = await exported(async_store, where=F.source == found.source, with_embeddings=True)
        again = [NewChunk(**one.model_dump(include=fields)) for one in sorted(pieces, key=lambda c: c.chunk_index)]
        given = document(**found.model_dump(include={"source", "title", "doc_type", "version", "metadata"}))
        await async_store.documents.put("copy", given, again)
    ignored = {"id", "document_id"}
    one, other = [
        [found.model_dump(exclude=ignored) for found in await exported(async_store, name, with_embeddings=True)]
        for name in (docs, "copy")
    ]
    assert one == other


async def test_batches_are_reads_of_their_own(async_store: AsyncStore, docs: str) -> None:
    """K-7a: nothing is open between two batches: the host may write, and what was there all the time comes once."""
    for number in range(6):
        await async_store.documents.put(docs, document(number), chunks(1, of=number))
    seen = []
    async for found in async_store.chunks.export(docs, batch_size=2):
        seen.append(found.source)
        if len(seen) == 3:
            await async_store.documents.delete(docs, "doc-5.txt")
            await async_store.documents.put(docs, document(0), [*chunks(1, of=0), "one more"])
    assert seen == [*(f"doc-{n}.txt" for n in range(5)), "doc-0.txt"]


async def test_an_export_is_lazy(async_store: AsyncStore, docs: str) -> None:
    """K-7a: it reads as far as it is followed, the collection and a batch at a time."""
    for number in range(9):
        await async_store.documents.put(docs, document(number), chunks(1, of=number))
    with watching(async_store) as seen:
        async for _ in async_store.chunks.export(docs, batch_size=3):
            break
    assert sum("rag_chunk" in statement for statement, _ in seen) == 1


async def test_an_export_in_a_unit(async_store: AsyncStore, docs: str) -> None:
    """K-7a: it reads the unit's own writes."""
    async with async_store.begin() as unit:
        await unit.documents.put(docs, document(), ["a"])
        assert [found.content async for found in unit.chunks.export(docs)] == ["a"]
    async with async_store.begin(read_only=True) as unit:
        assert [found.source async for found in unit.documents.export(docs)] == ["doc-1.txt"]


async def test_what_cannot_be_exported(async_store: AsyncStore, docs: str) -> None:
    """K-7a: a bad value is refused at the call, an unknown collection at the first row."""
    for repository in (async_store.documents, async_store.chunks):
        for options in ({"batch_size": 0}, {"batch_size": 10_001}, {"where": "x"}, {"where": F.title == 1}):
            with pytest.raises(InvalidInput):
                repository.export(docs, **options)
        with pytest.raises(InvalidInput):
            repository.export("")
        with pytest.raises(NotFound):
            assert [found async for found in repository.export("none")]


# ------------------------------------------------------------------------------------------------------- K-2


async def test_chunks_without_a_vector_are_listed(async_store: AsyncStore, docs: str) -> None:
    """K-2: page by page, each once, until they have one; nobody else's."""
    for whose, collection in ((async_store, "others"), (async_store.for_tenant("other"), docs)):
        await whose.collections.ensure(collection, model=MODEL, dimensions=DIMENSIONS)
        await whose.documents.put(collection, document(), ["not ours"])
    pieces = [chunk(f"text {place}", dimensions=DIMENSIONS if place % 2 else None) for place in range(9)]
    await async_store.documents.put(docs, document(), pieces)
    found, cursor = [], None
    while True:
        page = await async_store.chunks.missing_embeddings(docs, limit=2, cursor=cursor)
        found += [one.content for one in page]
        cursor = page.next_cursor
        if cursor is None:
            break
        assert len(page) == 2
    assert sorted(found) == [f"text {place}" for place in range(0, 9, 2)]
    assert await async_store.chunks.missing_embeddings(docs, space=MODEL, limit=2) == (
        await async_store.chunks.missing_embeddings(docs, limit=2)
    )
    texts = [f"text {place}" for place in range(9)]
    await async_store.documents.put(docs, document(), texts, embed=Embedder())
    assert len(await async_store.chunks.missing_embeddings(docs)) == 0


async def test_a_space_that_is_not_there(async_store: AsyncStore, docs: str) -> None:
    """K-2: an unknown model, or a collection without a space, is `NotFound`; another call's cursor is refused."""
    await async_store.collections.ensure("bare")
    for collection, space in (("none", None), ("bare", None), (docs, "another model")):
        with pytest.raises(NotFound):
            await async_store.chunks.missing_embeddings(collection, space=space)
    await async_store.documents.put(docs, document(), ["a", "b"])
    found = await async_store.documents.find(docs, "doc-1.txt")
    assert found is not None
    cursor = (await async_store.chunks.page(found.id, limit=1)).next_cursor
    for options in ({"cursor": cursor}, {"cursor": "x"}, {"limit": 0}):
        with pytest.raises(InvalidInput):
            await async_store.chunks.missing_embeddings(docs, **options)


async def test_the_space_that_is_being_built(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-2, K-16: by its model's name, beside the active one."""
    await async_store.documents.put(docs, document(), chunks(2))
    collection = await async_store.collections.get(docs)
    assert collection.space is not None
    columns = "tenant_id, id, collection_id, model, dimensions, metric, storage, state"
    values = "tenant_id, :new, collection_id, 'new-model', dimensions, metric, storage, 'building'"
    new = "00000000-0000-7000-8000-000000000001"
    db.execute(
        f"INSERT INTO rag_embedding_space ({columns}) SELECT {values} FROM rag_embedding_space",
        new=new if db.kind == "postgresql" else new.replace("-", ""),
    )
    assert len(await async_store.chunks.missing_embeddings(docs)) == 0
    assert len(await async_store.chunks.missing_embeddings(docs, space="new-model")) == 2
