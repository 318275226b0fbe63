"""Putting documents: idempotent, atomic, and no orphans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ragstore import AsyncStore, NewChunk, PutReport, Settings
from ragstore.errors import DimensionMismatch, InvalidInput, NotFound, UsageError
from ragstore.testing.factories import DIMENSIONS, MODEL, Embedder, chunk, chunks, document, vector
from tests.conformance.support import Database, async_together, run_calls

pytestmark = pytest.mark.anyio


@pytest.fixture
async def docs(async_store: AsyncStore) -> str:
    """Make a collection for vectors of the factories' dimensions."""
    return (await async_store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)).name


def counted(report: PutReport) -> dict[str, int]:
    """Give the report's counts that are not 0."""
    keys = ("added", "updated", "moved", "unchanged", "deleted", "duplicates", "embedded", "replaced_characters")
    return {key: getattr(report, key) for key in keys if getattr(report, key)}


async def ids_by_text(store: AsyncStore, source: str = "doc-1.txt") -> dict[str, str]:
    found = await store.documents.find("docs", source)
    assert found is not None
    return {chunk.content: chunk.id.hex for chunk in await store.chunks.page(found.id, limit=1000)}


async def texts_in_order(store: AsyncStore, source: str = "doc-1.txt") -> list[str]:
    return list(await ids_by_text(store, source))


# ------------------------------------------------------------------------------------------------------- K-1


async def test_what_is_put_is_there(async_store: AsyncStore, docs: str) -> None:
    """K-1: every field comes back as it was given."""
    given = document(
        title="Title", doc_type="manual", version="2", language="de", metadata={"a": [1, 2.5, None, {"b": "ä"}]}
    )
    piece = NewChunk(
        content="  Ein Text\r\n mit Rändern\t",
        metadata={"k": True},
        start_offset=3,
        end_offset=20,
        page=7,
        heading="Kopf",
        embedding_id="chroma-1",
    )
    report = await async_store.documents.put(docs, given, [piece])
    assert report.created
    assert counted(report) == {"added": 1}
    stored = await async_store.documents.get(report.document_id)
    assert stored == await async_store.documents.find(docs, given.source)
    assert stored.model_dump(include=set(given.model_dump())) == given.model_dump()
    assert stored.chunk_count == 1
    assert stored.created_at.utcoffset() is not None
    (kept,) = await async_store.chunks.page(report.document_id)
    assert kept.model_dump(include=set(piece.model_dump())) == piece.model_dump(exclude={"embedding", "embeddings"})
    assert (kept.chunk_index, kept.document_id, kept.language) == (0, report.document_id, "de")


async def test_the_same_again_writes_nothing(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-1: no row version changes, no embedding is asked for, in a call of its own and in a unit."""
    embed = Embedder()
    given = [chunk(f"text {i}", dimensions=None, metadata={"i": i}) for i in range(4)]
    first = await async_store.documents.put(docs, document(metadata={"a": 1}), given, embed=embed)
    assert counted(first) == {"added": 4, "embedded": 4}
    asked = list(embed.texts)
    before, stored = db.versions(), await async_store.documents.get(first.document_id)
    again = await async_store.documents.put(docs, document(metadata={"a": 1}), given, embed=embed)
    assert not again.created
    assert again.document_id == first.document_id
    assert counted(again) == {"unchanged": 4}
    with_vectors = [chunk(f"text {i}", metadata={"i": i}) for i in range(4)]
    assert counted(await async_store.documents.put(docs, document(metadata={"a": 1}), with_vectors)) == {"unchanged": 4}
    assert db.versions() == before
    async with async_store.begin() as unit:
        assert counted(await unit.documents.put(docs, document(metadata={"a": 1}), given)) == {"unchanged": 4}
    report = await async_store.documents.load(docs, [(document(metadata={"a": 1}), given)], embed=embed)
    assert (report.documents, report.unchanged, report.added, report.embedded) == (1, 4, 0, 0)
    assert embed.texts == asked
    assert await async_store.documents.get(first.document_id) == stored
    if db.kind == "sqlite":  # a row lock on PostgreSQL leaves the row's version alone, a commit on SQLite counts
        before.pop("file")
        assert {**db.versions(), **before} == db.versions()
    else:
        assert db.versions() == before


async def test_a_changed_paragraph_alone_is_replaced(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-1: unchanged chunks keep ids, vectors and rows; only the new text is embedded; the old one goes."""
    embed = Embedder()
    await async_store.documents.put(docs, document(), ["one", "two", "three"], embed=embed)
    ids, vectors, embed.batches = await ids_by_text(async_store), db.vectors(), []
    report = await async_store.documents.put(docs, document(), ["one", "two, changed", "three"], embed=embed)
    assert counted(report) == {"added": 1, "unchanged": 2, "deleted": 1, "embedded": 1}
    assert embed.texts == ["two, changed"]
    new_ids, new_vectors = await ids_by_text(async_store), db.vectors()
    assert list(new_ids) == ["one", "two, changed", "three"]
    for kept in ("one", "three"):
        assert new_ids[kept] == ids[kept]
        assert new_vectors[ids[kept]] == vectors[ids[kept]]
    assert ids["two"] not in new_vectors
    assert db.counts()["rag_chunk"] == db.counts()["rag_embedding"] == db.words() == 3


async def test_moved_chunks_keep_ids_and_vectors(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-1: places shift when a paragraph comes in before, or when all are turned round."""
    embed = Embedder()
    await async_store.documents.put(docs, document(), ["one", "two", "three"], embed=embed)
    ids, vectors, embed.batches = await ids_by_text(async_store), db.vectors(), []
    report = await async_store.documents.put(docs, document(), ["zero", "one", "two", "three"], embed=embed)
    assert counted(report) == {"added": 1, "moved": 3, "embedded": 1}
    assert embed.texts == ["zero"]
    report = await async_store.documents.put(docs, document(), ["three", "two", "one", "zero"])
    assert counted(report) == {"moved": 4}
    assert await texts_in_order(async_store) == ["three", "two", "one", "zero"]
    assert {text: key for text, key in (await ids_by_text(async_store)).items() if text != "zero"} == ids
    assert {key: value for key, value in db.vectors().items() if key in vectors} == vectors


async def test_removed_chunks_go_with_all_they_have(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-1, X04: a removed paragraph's vector and words go; an empty document stays."""
    await async_store.documents.put(docs, document(), chunks(5))
    report = await async_store.documents.put(docs, document(), chunks(2))
    assert counted(report) == {"unchanged": 2, "deleted": 3}
    assert db.counts()["rag_chunk"] == db.counts()["rag_embedding"] == db.words() == 2
    assert (await async_store.documents.get(report.document_id)).chunk_count == 2
    assert counted(await async_store.documents.put(docs, document(), [])) == {"deleted": 2}
    assert (await async_store.documents.get(report.document_id)).chunk_count == 0
    assert db.words() == 0
    assert not {"rag_chunk", "rag_embedding", "rag_posting"} & set(db.counts())


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": {"k": 2}},
        {"heading": "H"},
        {"page": 2},
        {"start_offset": 1},
        {"end_offset": 9},
        {"embedding_id": "e"},
    ],
)
async def test_a_chunks_attributes_are_updated_in_place(
    async_store: AsyncStore, docs: str, db: Database, change: dict[str, Any]
) -> None:
    """K-1: the same text with another attribute is updated, and keeps its id and vector."""
    await async_store.documents.put(docs, document(), [chunk("one"), chunk("two")])
    ids, vectors = await ids_by_text(async_store), db.vectors()
    report = await async_store.documents.put(docs, document(), [chunk("one"), chunk("two", **change)])
    assert counted(report) == {"unchanged": 1, "updated": 1}
    assert await ids_by_text(async_store) == ids
    assert db.vectors() == vectors
    stored = await async_store.chunks.get(ids["two"])
    assert stored.model_dump(include=set(change)) == change


async def test_a_documents_fields_are_updated_without_its_chunks(
    async_store: AsyncStore, docs: str, db: Database
) -> None:
    """K-1: a new title leaves every chunk's row as it is."""
    report = await async_store.documents.put(docs, document(title="Old", metadata={"a": 1}), chunks(3))
    before, old = db.versions(), await async_store.documents.get(report.document_id)
    changed = document(title="New", doc_type="t", version="v", metadata={"a": 2})
    assert counted(await async_store.documents.put(docs, changed, chunks(3))) == {"unchanged": 3}
    after, new = db.versions(), await async_store.documents.get(report.document_id)
    for table in ("rag_chunk", "rag_embedding"):
        assert after[table] == before[table]
    assert (new.title, new.doc_type, new.version, new.metadata) == ("New", "t", "v", {"a": 2})
    assert new.created_at == old.created_at
    assert new.updated_at >= old.updated_at
    assert counted(await async_store.documents.put(docs, document(), chunks(3))) == {"unchanged": 3}
    assert (await async_store.documents.get(report.document_id)).doc_type is None


async def test_another_language_is_analysed_anew(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-1, K-13: the words follow the document's language; ids and vectors stay."""
    await async_store.documents.put(docs, document(language="en"), [chunk("die Häuser der Stadt")])
    ids, vectors = await ids_by_text(async_store), db.vectors()
    assert len(await async_store.chunks.search(docs, text="Haus", language="de")) == 0
    report = await async_store.documents.put(docs, document(language="de"), [chunk("die Häuser der Stadt")])
    assert counted(report) == {"updated": 1}
    assert len(await async_store.chunks.search(docs, text="Haus", language="de")) == 1
    assert (await ids_by_text(async_store), db.vectors()) == (ids, vectors)
    assert db.words() == 1


async def test_a_text_given_twice_is_kept_once(async_store: AsyncStore, docs: str) -> None:
    """K-5, I26: the first one stays; the rest are counted; a re-put agrees."""
    given = ["same", "other", "same", "same\r\n", "  same"]
    assert counted(await async_store.documents.put(docs, document(), given)) == {"added": 2, "duplicates": 3}
    assert await texts_in_order(async_store) == ["same", "other"]
    assert counted(await async_store.documents.put(docs, document(), given)) == {"unchanged": 2, "duplicates": 3}


async def test_a_hash_is_of_the_normalised_text(async_store: AsyncStore, docs: str) -> None:
    """K-5: NFC, line ends as LF, no outer white space; `find_by_hash` answers "is it there?"."""
    await async_store.documents.put(docs, document(1), ["caf\u00e9\nau lait", "other"])
    await async_store.documents.put(docs, document(2), ["  cafe\u0301\r\nau lait "])
    found = await async_store.chunks.find_by_hash(docs, "caf\u00e9\rau lait\n")
    assert [chunk.content for chunk in found] == ["caf\u00e9\nau lait", "  cafe\u0301\r\nau lait "]
    assert await async_store.chunks.find_by_hash(docs, "Caf\u00e9\nau lait") == []
    with pytest.raises(NotFound):
        await async_store.chunks.find_by_hash("nowhere", "other")


async def test_two_documents_do_not_touch_each_other(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-1: the same texts in two documents are two documents' chunks."""
    await async_store.documents.put(docs, document(1), ["one", "two"])
    await async_store.documents.put(docs, document(2), ["one", "two"])
    await async_store.documents.put(docs, document(1), ["two"])
    assert await texts_in_order(async_store, "doc-2.txt") == ["one", "two"]
    assert db.counts()["rag_chunk"] == 3


# ------------------------------------------------------------------------------------------------------- K-2


async def test_only_texts_that_need_a_vector_are_embedded(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-2: in batches, once for each text; given vectors are kept; what is missing is made up for later."""
    embed = Embedder()
    given = ["one", "two", chunk("three", embedding=vector("mine")), "four", "one"]
    report = await async_store.documents.put(docs, document(), given, embed=embed, batch_size=2)
    assert counted(report) == {"added": 4, "duplicates": 1, "embedded": 4}
    assert embed.batches == [["one", "two"], ["four"]]
    embed.batches = []
    assert counted(await async_store.documents.put(docs, document(2), ["five", "six"])) == {"added": 2}
    assert len(await async_store.chunks.search(docs, text="five")) == 1  # found by text without a vector
    assert len(await async_store.chunks.search(docs, embedding=vector("five"))) == 4
    report = await async_store.documents.put(docs, document(2), ["five", "six", "seven"], embed=embed)
    assert counted(report) == {"added": 1, "unchanged": 2, "embedded": 3}
    assert sorted(embed.texts) == ["five", "seven", "six"]
    assert len(db.vectors()) == 7
    hits = await async_store.chunks.search(docs, embedding=vector("mine"), limit=1)
    assert hits[0].content == "three"


async def test_given_vectors_fill_in_what_is_missing(async_store: AsyncStore, docs: str) -> None:
    """K-2: vectors that come with the chunks are written to chunks that are there without."""
    await async_store.documents.put(docs, document(), ["one", "two"])
    report = await async_store.documents.put(docs, document(), [chunk("one"), chunk("two", dimensions=None)])
    assert counted(report) == {"unchanged": 2, "embedded": 1}
    assert [hit.content for hit in await async_store.chunks.search(docs, embedding=vector("one"))] == ["one"]


async def test_no_transaction_is_held_while_a_model_runs(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-2: others can write, and no connection idles in a transaction."""
    looks: list[int] = []

    def embed(texts: Any) -> Any:
        if db.kind == "sqlite":
            db.execute("UPDATE rag_collection SET salt = salt")  # fails if the write lock is held
            looks.append(0)
        else:
            looks.append(db.scalar("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                                   "AND state LIKE 'idle in transaction%'"))  # fmt: skip
        return [vector(text) for text in texts]

    await async_store.documents.put(docs, document(), ["one", "two"], embed=embed, batch_size=1)
    await async_store.documents.load(docs, [(document(2), ["three"])], embed=embed)
    assert looks == [0, 0, 0]


# async only
async def test_a_coroutine_may_embed(async_store: AsyncStore, docs: str) -> None:
    """K-2: sync and async callables."""

    async def embed(texts: Any) -> Any:
        return [vector(text) for text in texts]

    class Model:
        async def encode(self, texts: Any) -> Any:
            return [vector(text) for text in texts]

    report = await async_store.documents.put(docs, document(), ["one"], embed=embed)
    assert report.embedded == 1
    assert (await async_store.documents.put(docs, document(2), ["two"], embed=Model().encode)).embedded == 1
    assert (await async_store.documents.put(docs, document(3), ["three"], embed=lambda t: embed(list(t)))).embedded == 1


# end async only


class ModelDown(Exception):
    """What the model raises."""


def failing(_texts: object) -> Any:
    raise ModelDown


@pytest.mark.parametrize(
    ("embed", "error"),
    [
        (failing, ModelDown),
        (lambda texts: [vector(text) for text in texts][1:], InvalidInput),
        (lambda texts: [vector(text) for text in texts] * 2, InvalidInput),
        (lambda texts: [vector(text, dimensions=7) for text in texts], DimensionMismatch),
        (lambda texts: [[float("nan")] * DIMENSIONS for _ in texts], InvalidInput),
        (lambda texts: [[0.0] * DIMENSIONS for _ in texts], InvalidInput),
        (lambda texts: [None for _ in texts], InvalidInput),
    ],
)
async def test_a_failing_model_leaves_the_old_document_whole(
    async_store: AsyncStore, docs: str, db: Database, embed: Callable[..., Any], error: type[Exception]
) -> None:
    """K-2: whatever goes wrong with the vectors, not a row changes."""
    await async_store.documents.put(docs, document(), [chunk("one"), chunk("two")])
    before = db.versions()
    with pytest.raises(error):
        await async_store.documents.put(docs, document(title="new"), ["two", "three", "four"], embed=embed)
    assert db.versions() == before
    assert await texts_in_order(async_store) == ["one", "two"]


async def test_no_model_runs_inside_a_unit(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-2: `embed=` in a unit is a UsageError, before it is called."""
    embed = Embedder()
    before = db.versions()
    async with async_store.begin() as unit:
        with pytest.raises(UsageError, match="store"):
            await unit.documents.put(docs, document(), ["one"], embed=embed)
        with pytest.raises(UsageError, match="store"):
            await unit.documents.load(docs, [(document(), ["one"])], embed=embed)
    async with async_store.engine.connect() as connection:
        with pytest.raises(UsageError, match="store"):
            await async_store.using(connection).documents.put(docs, document(), ["one"], embed=embed)
    assert embed.batches == []
    before.pop("file", None)  # an empty unit of SQLite may count as a write
    assert {**db.versions(), **before} == db.versions()


async def test_a_collection_without_a_space_asks_no_model(async_store: AsyncStore) -> None:
    """K-2, K-15: nothing to embed without a space; a given vector is refused."""
    await async_store.collections.ensure("plain")
    embed = Embedder()
    assert counted(await async_store.documents.put("plain", document(), ["one"], embed=embed)) == {"added": 1}
    assert embed.batches == []
    with pytest.raises(InvalidInput) as refused:
        await async_store.documents.put("plain", document(2), ["zero", chunk("one")])
    assert (refused.value.field, refused.value.index) == ("embedding", 1)
    assert await async_store.documents.find("plain", "doc-2.txt") is None


# ------------------------------------------------------------------------------------------------------- K-3


async def test_readers_see_the_old_set_or_the_new(async_store: AsyncStore, docs: str) -> None:
    """K-3: nothing of a put is seen before it is committed, then all of it."""
    await async_store.documents.put(docs, document(), chunks(3))
    old = await texts_in_order(async_store)
    async with async_store.begin() as unit:
        await unit.documents.put(docs, document(), ["new one", "new two"])
        assert await texts_in_order(async_store) == old
        assert len(await async_store.chunks.search(docs, text="text")) == 3
        assert len(await async_store.chunks.search(docs, text="new")) == 0
        assert len(await unit.chunks.search(docs, text="new")) == 2
        assert await unit.chunks.count(docs) == 2
    assert await texts_in_order(async_store) == ["new one", "new two"]
    assert len(await async_store.chunks.search(docs, text="text")) == 0


async def test_writers_of_one_document_take_turns(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-3: each report is relative to what was there; in the end the document is one writer's, whole."""
    sets = [[f"writer {w} text {i}" for i in range(5)] for w in range(4)]

    def put(texts: list[str]) -> Callable[[], Any]:
        return lambda: async_store.documents.put(docs, document(), texts)

    reports = run_calls(await async_together(*map(put, sets)))
    assert len({report.document_id for report in reports}) == 1
    assert [report.added for report in reports] == [5] * 4
    assert sorted(report.deleted for report in reports) == [0, 5, 5, 5]
    assert sorted(report.created for report in reports) == [False, False, False, True]
    assert await texts_in_order(async_store) in sets
    assert db.counts()["rag_chunk"] == db.words() == 5


async def test_the_same_message_three_times_at_once(async_store: AsyncStore, docs: str, db: Database) -> None:
    """X01: one document, the same id each time."""

    async def put() -> Any:
        return await async_store.documents.put(docs, document(), chunks(3))

    reports = run_calls(await async_together(put, put, put))
    assert len({report.document_id for report in reports}) == 1
    assert sorted(report.added + 10 * report.unchanged for report in reports) == [3, 30, 30]
    assert db.counts()["rag_chunk"] == db.counts()["rag_embedding"] == 3


async def test_opposite_orders_never_deadlock(async_store: AsyncStore, docs: str) -> None:
    """K-3, CX13: loads lock documents in one order, whatever order they come in."""
    items = [(document(i), [f"text of {i}"]) for i in range(12)]

    def load(turn: int) -> Callable[[], Any]:
        texts = [(d, [*texts, f"turn {turn}"]) for d, texts in items]
        return lambda: async_store.documents.load(docs, texts[::-1] if turn % 2 else texts)

    for turn in range(3):
        run_calls(await async_together(load(2 * turn), load(2 * turn + 1)))
    assert await async_store.chunks.count(docs) == 24


async def test_a_put_needs_its_collection(async_store: AsyncStore, db: Database) -> None:
    """K-3: NotFound, and nothing is made."""
    with pytest.raises(NotFound, match="'nowhere'"):
        await async_store.documents.put("nowhere", document(), chunks(2))
    with pytest.raises(NotFound, match="'nowhere'"):
        await async_store.documents.load("nowhere", [(document(), chunks(2))])
    assert db.counts() == {}


async def test_each_write_commits_by_itself(async_store: AsyncStore, docs: str, database_url: str) -> None:
    """K-3: when a put returns, another store sees it."""
    await async_store.documents.put(docs, document(), chunks(2))
    async with AsyncStore.open(database_url, Settings(pool_size=1)) as other:
        assert await other.chunks.count(docs) == 2
        assert len(await other.chunks.search(docs, embedding=vector("x"))) == 2


# ------------------------------------------------------------------------------------------------------- K-7


async def test_a_deleted_document_leaves_no_orphans(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-7: chunks, vectors and words go in the same transaction; the neighbour's stay."""
    await async_store.documents.put(docs, document(1), chunks(3, of=1))
    alone = db.counts()
    report = await async_store.documents.put(docs, document(2), chunks(3, of=2))
    assert await async_store.documents.delete(docs, "doc-2.txt") is True
    left = db.counts()
    assert {table: left[table] for table in alone if table != "rag_term"} == {
        table: count for table, count in alone.items() if table != "rag_term"
    }
    assert await async_store.documents.delete(docs, "doc-2.txt") is False
    assert await async_store.documents.find(docs, "doc-2.txt") is None
    with pytest.raises(NotFound):
        await async_store.documents.get(report.document_id)
    with pytest.raises(NotFound, match="'nowhere'"):
        await async_store.documents.delete("nowhere", "doc-1.txt")
    assert {hit.source for hit in await async_store.chunks.search(docs, text="text")} == {"doc-1.txt"}


async def test_a_deleted_chunk_leaves_no_orphans(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-7: one chunk goes with its vector and words; the next put of its document restores it."""
    report = await async_store.documents.put(docs, document(), chunks(3))
    ids = await ids_by_text(async_store)
    (gone, gone_id), *_ = ids.items()
    assert await async_store.chunks.delete(gone_id) is True
    assert await async_store.chunks.delete(gone_id) is False
    assert db.counts()["rag_chunk"] == db.counts()["rag_embedding"] == db.words() == 2
    assert gone not in await ids_by_text(async_store)
    assert (await async_store.documents.get(report.document_id)).chunk_count == 2
    assert counted(await async_store.documents.put(docs, document(), chunks(3))) == {
        "added": 1,
        "unchanged": 2,
        "embedded": 1,
    }
    assert await texts_in_order(async_store) == list(ids)
    assert (await async_store.documents.get(report.document_id)).chunk_count == 3


# ----------------------------------------------------------------------------------------------- reads of chunks


async def test_chunks_are_read_by_id_and_in_order(async_store: AsyncStore, docs: str) -> None:
    """K-7a: `get` raises, `find` gives None, pages come in reading order."""
    report = await async_store.documents.put(docs, document(), [f"text {i}" for i in range(7)])
    found: list[str] = []
    cursor = None
    while True:
        page = await async_store.chunks.page(report.document_id, limit=3, cursor=cursor)
        found += [piece.content for piece in page]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == [f"text {i}" for i in range(7)]
    (first,) = await async_store.chunks.page(report.document_id, limit=1)
    assert await async_store.chunks.get(first.id) == await async_store.chunks.find(str(first.id)) == first
    assert await async_store.chunks.find(report.document_id) is None
    with pytest.raises(NotFound):
        await async_store.chunks.get(report.document_id)
    with pytest.raises(NotFound):
        await async_store.chunks.count("nowhere")
    assert await async_store.chunks.count(docs) == 7


async def test_documents_are_listed_by_source(async_store: AsyncStore, docs: str) -> None:
    """Sources come in the order of their code points, each once, in pages of any size."""
    sources = ["b", "a", "Z", "ä", "a/1", "a.1", "z" * 2048]
    for source in sources:
        await async_store.documents.put(docs, document(source=source), [])
    for size in (1, 3, 7, 8):
        found: list[str] = []
        cursor = None
        while True:
            page = await async_store.documents.page(docs, limit=size, cursor=cursor)
            found += [listed.source for listed in page]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == sorted(sources)
    with pytest.raises(NotFound):
        await async_store.documents.page("nowhere")
