# Generated from test_corpus_put_async.py by tools/unasync.py: edit that file and run the tool again.
"""Putting documents: idempotent, atomic, and no orphans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ragstore import NewChunk, PutReport, Settings, Store
from ragstore.errors import DimensionMismatch, InvalidInput, NotFound, UsageError
from ragstore.testing.factories import DIMENSIONS, MODEL, Embedder, chunk, chunks, document, vector
from tests.conformance.support import Database, run_calls, together


@pytest.fixture
def docs(store: Store) -> str:
    """Make a collection for vectors of the factories' dimensions."""
    return store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS).name


def counted(report: PutReport) -> dict[str, int]:
    """Give the report's counts that are not 0."""
    keys = ("added", "updated", "moved", "unchanged", "deleted", "duplicates", "embedded", "replaced_characters")
    return {key: getattr(report, key) for key in keys if getattr(report, key)}


def ids_by_text(store: Store, source: str = "doc-1.txt") -> dict[str, str]:
    found = store.documents.find("docs", source)
    assert found is not None
    return {chunk.content: chunk.id.hex for chunk in store.chunks.page(found.id, limit=1000)}


def texts_in_order(store: Store, source: str = "doc-1.txt") -> list[str]:
    return list(ids_by_text(store, source))


# ------------------------------------------------------------------------------------------------------- K-1


def test_what_is_put_is_there(store: Store, docs: str) -> None:
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
    report = store.documents.put(docs, given, [piece])
    assert report.created
    assert counted(report) == {"added": 1}
    stored = store.documents.get(report.document_id)
    assert stored == store.documents.find(docs, given.source)
    assert stored.model_dump(include=set(given.model_dump())) == given.model_dump()
    assert stored.chunk_count == 1
    assert stored.created_at.utcoffset() is not None
    (kept,) = store.chunks.page(report.document_id)
    assert kept.model_dump(include=set(piece.model_dump())) == piece.model_dump(exclude={"embedding", "embeddings"})
    assert (kept.chunk_index, kept.document_id, kept.language) == (0, report.document_id, "de")


def test_the_same_again_writes_nothing(store: Store, docs: str, db: Database) -> None:
    """K-1: no row version changes, no embedding is asked for, in a call of its own and in a unit."""
    embed = Embedder()
    given = [chunk(f"text {i}", dimensions=None, metadata={"i": i}) for i in range(4)]
    first = store.documents.put(docs, document(metadata={"a": 1}), given, embed=embed)
    assert counted(first) == {"added": 4, "embedded": 4}
    asked = list(embed.texts)
    before, stored = db.versions(), store.documents.get(first.document_id)
    again = store.documents.put(docs, document(metadata={"a": 1}), given, embed=embed)
    assert not again.created
    assert again.document_id == first.document_id
    assert counted(again) == {"unchanged": 4}
    with_vectors = [chunk(f"text {i}", metadata={"i": i}) for i in range(4)]
    assert counted(store.documents.put(docs, document(metadata={"a": 1}), with_vectors)) == {"unchanged": 4}
    assert db.versions() == before
    with store.begin() as unit:
        assert counted(unit.documents.put(docs, document(metadata={"a": 1}), given)) == {"unchanged": 4}
    report = store.documents.load(docs, [(document(metadata={"a": 1}), given)], embed=embed)
    assert (report.documents, report.unchanged, report.added, report.embedded) == (1, 4, 0, 0)
    assert embed.texts == asked
    assert store.documents.get(first.document_id) == stored
    if db.kind == "sqlite":  # a row lock on PostgreSQL leaves the row's version alone, a commit on SQLite counts
        before.pop("file")
        assert {**db.versions(), **before} == db.versions()
    else:
        assert db.versions() == before


def test_a_changed_paragraph_alone_is_replaced(store: Store, docs: str, db: Database) -> None:
    """K-1: unchanged chunks keep ids, vectors and rows; only the new text is embedded; the old one goes."""
    embed = Embedder()
    store.documents.put(docs, document(), ["one", "two", "three"], embed=embed)
    ids, vectors, embed.batches = ids_by_text(store), db.vectors(), []
    report = store.documents.put(docs, document(), ["one", "two, changed", "three"], embed=embed)
    assert counted(report) == {"added": 1, "unchanged": 2, "deleted": 1, "embedded": 1}
    assert embed.texts == ["two, changed"]
    new_ids, new_vectors = ids_by_text(store), db.vectors()
    assert list(new_ids) == ["one", "two, changed", "three"]
    for kept in ("one", "three"):
        assert new_ids[kept] == ids[kept]
        assert new_vectors[ids[kept]] == vectors[ids[kept]]
    assert ids["two"] not in new_vectors
    assert db.counts()["rag_chunk"] == db.counts()["rag_embedding"] == db.words() == 3


def test_moved_chunks_keep_ids_and_vectors(store: Store, docs: str, db: Database) -> None:
    """K-1: places shift when a paragraph comes in before, or when all are turned round."""
    embed = Embedder()
    store.documents.put(docs, document(), ["one", "two", "three"], embed=embed)
    ids, vectors, embed.batches = ids_by_text(store), db.vectors(), []
    report = store.documents.put(docs, document(), ["zero", "one", "two", "three"], embed=embed)
    assert counted(report) == {"added": 1, "moved": 3, "embedded": 1}
    assert embed.texts == ["zero"]
    report = store.documents.put(docs, document(), ["three", "two", "one", "zero"])
    assert counted(report) == {"moved": 4}
    assert texts_in_order(store) == ["three", "two", "one", "zero"]
    assert {text: key for text, key in ids_by_text(store).items() if text != "zero"} == ids
    assert {key: value for key, value in db.vectors().items() if key in vectors} == vectors


def test_removed_chunks_go_with_all_they_have(store: Store, docs: str, db: Database) -> None:
    """K-1, X04: a removed paragraph's vector and words go; an empty document stays."""
    store.documents.put(docs, document(), chunks(5))
    report = store.documents.put(docs, document(), chunks(2))
    assert counted(report) == {"unchanged": 2, "deleted": 3}
    assert db.counts()["rag_chunk"] == db.counts()["rag_embedding"] == db.words() == 2
    assert store.documents.get(report.document_id).chunk_count == 2
    assert counted(store.documents.put(docs, document(), [])) == {"deleted": 2}
    assert store.documents.get(report.document_id).chunk_count == 0
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
def test_a_chunks_attributes_are_updated_in_place(
    store: Store, docs: str, db: Database, change: dict[str, Any]
) -> None:
    """K-1: the same text with another attribute is updated, and keeps its id and vector."""
    store.documents.put(docs, document(), [chunk("one"), chunk("two")])
    ids, vectors = ids_by_text(store), db.vectors()
    report = store.documents.put(docs, document(), [chunk("one"), chunk("two", **change)])
    assert counted(report) == {"unchanged": 1, "updated": 1}
    assert ids_by_text(store) == ids
    assert db.vectors() == vectors
    stored = store.chunks.get(ids["two"])
    assert stored.model_dump(include=set(change)) == change


def test_a_documents_fields_are_updated_without_its_chunks(store: Store, docs: str, db: Database) -> None:
    """K-1: a new title leaves every chunk's row as it is."""
    report = store.documents.put(docs, document(title="Old", metadata={"a": 1}), chunks(3))
    before, old = db.versions(), store.documents.get(report.document_id)
    changed = document(title="New", doc_type="t", version="v", metadata={"a": 2})
    assert counted(store.documents.put(docs, changed, chunks(3))) == {"unchanged": 3}
    after, new = db.versions(), store.documents.get(report.document_id)
    for table in ("rag_chunk", "rag_embedding"):
        assert after[table] == before[table]
    assert (new.title, new.doc_type, new.version, new.metadata) == ("New", "t", "v", {"a": 2})
    assert new.created_at == old.created_at
    assert new.updated_at >= old.updated_at
    assert counted(store.documents.put(docs, document(), chunks(3))) == {"unchanged": 3}
    assert store.documents.get(report.document_id).doc_type is None


def test_another_language_is_analysed_anew(store: Store, docs: str, db: Database) -> None:
    """K-1, K-13: the words follow the document's language; ids and vectors stay."""
    store.documents.put(docs, document(language="en"), [chunk("die Häuser der Stadt")])
    ids, vectors = ids_by_text(store), db.vectors()
    assert len(store.chunks.search(docs, text="Haus", language="de")) == 0
    report = store.documents.put(docs, document(language="de"), [chunk("die Häuser der Stadt")])
    assert counted(report) == {"updated": 1}
    assert len(store.chunks.search(docs, text="Haus", language="de")) == 1
    assert (ids_by_text(store), db.vectors()) == (ids, vectors)
    assert db.words() == 1


def test_a_text_given_twice_is_kept_once(store: Store, docs: str) -> None:
    """K-5, I26: the first one stays; the rest are counted; a re-put agrees."""
    given = ["same", "other", "same", "same\r\n", "  same"]
    assert counted(store.documents.put(docs, document(), given)) == {"added": 2, "duplicates": 3}
    assert texts_in_order(store) == ["same", "other"]
    assert counted(store.documents.put(docs, document(), given)) == {"unchanged": 2, "duplicates": 3}


def test_a_hash_is_of_the_normalised_text(store: Store, docs: str) -> None:
    """K-5: NFC, line ends as LF, no outer white space; `find_by_hash` answers "is it there?"."""
    store.documents.put(docs, document(1), ["caf\u00e9\nau lait", "other"])
    store.documents.put(docs, document(2), ["  cafe\u0301\r\nau lait "])
    found = store.chunks.find_by_hash(docs, "caf\u00e9\rau lait\n")
    assert [chunk.content for chunk in found] == ["caf\u00e9\nau lait", "  cafe\u0301\r\nau lait "]
    assert store.chunks.find_by_hash(docs, "Caf\u00e9\nau lait") == []
    with pytest.raises(NotFound):
        store.chunks.find_by_hash("nowhere", "other")


def test_two_documents_do_not_touch_each_other(store: Store, docs: str, db: Database) -> None:
    """K-1: the same texts in two documents are two documents' chunks."""
    store.documents.put(docs, document(1), ["one", "two"])
    store.documents.put(docs, document(2), ["one", "two"])
    store.documents.put(docs, document(1), ["two"])
    assert texts_in_order(store, "doc-2.txt") == ["one", "two"]
    assert db.counts()["rag_chunk"] == 3


# ------------------------------------------------------------------------------------------------------- K-2


def test_only_texts_that_need_a_vector_are_embedded(store: Store, docs: str, db: Database) -> None:
    """K-2: in batches, once for each text; given vectors are kept; what is missing is made up for later."""
    embed = Embedder()
    given = ["one", "two", chunk("three", embedding=vector("mine")), "four", "one"]
    report = store.documents.put(docs, document(), given, embed=embed, batch_size=2)
    assert counted(report) == {"added": 4, "duplicates": 1, "embedded": 4}
    assert embed.batches == [["one", "two"], ["four"]]
    embed.batches = []
    assert counted(store.documents.put(docs, document(2), ["five", "six"])) == {"added": 2}
    assert len(store.chunks.search(docs, text="five")) == 1  # found by text without a vector
    assert len(store.chunks.search(docs, embedding=vector("five"))) == 4
    report = store.documents.put(docs, document(2), ["five", "six", "seven"], embed=embed)
    assert counted(report) == {"added": 1, "unchanged": 2, "embedded": 3}
    assert sorted(embed.texts) == ["five", "seven", "six"]
    assert len(db.vectors()) == 7
    hits = store.chunks.search(docs, embedding=vector("mine"), limit=1)
    assert hits[0].content == "three"


def test_given_vectors_fill_in_what_is_missing(store: Store, docs: str) -> None:
    """K-2: vectors that come with the chunks are written to chunks that are there without."""
    store.documents.put(docs, document(), ["one", "two"])
    report = store.documents.put(docs, document(), [chunk("one"), chunk("two", dimensions=None)])
    assert counted(report) == {"unchanged": 2, "embedded": 1}
    assert [hit.content for hit in store.chunks.search(docs, embedding=vector("one"))] == ["one"]


def test_no_transaction_is_held_while_a_model_runs(store: Store, docs: str, db: Database) -> None:
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

    store.documents.put(docs, document(), ["one", "two"], embed=embed, batch_size=1)
    store.documents.load(docs, [(document(2), ["three"])], embed=embed)
    assert looks == [0, 0, 0]


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
def test_a_failing_model_leaves_the_old_document_whole(
    store: Store, docs: str, db: Database, embed: Callable[..., Any], error: type[Exception]
) -> None:
    """K-2: whatever goes wrong with the vectors, not a row changes."""
    store.documents.put(docs, document(), [chunk("one"), chunk("two")])
    before = db.versions()
    with pytest.raises(error):
        store.documents.put(docs, document(title="new"), ["two", "three", "four"], embed=embed)
    assert db.versions() == before
    assert texts_in_order(store) == ["one", "two"]


def test_no_model_runs_inside_a_unit(store: Store, docs: str, db: Database) -> None:
    """K-2: `embed=` in a unit is a UsageError, before it is called."""
    embed = Embedder()
    before = db.versions()
    with store.begin() as unit:
        with pytest.raises(UsageError, match="store"):
            unit.documents.put(docs, document(), ["one"], embed=embed)
        with pytest.raises(UsageError, match="store"):
            unit.documents.load(docs, [(document(), ["one"])], embed=embed)
    with store.engine.connect() as connection:
        with pytest.raises(UsageError, match="store"):
            store.using(connection).documents.put(docs, document(), ["one"], embed=embed)
    assert embed.batches == []
    before.pop("file", None)  # an empty unit of SQLite may count as a write
    assert {**db.versions(), **before} == db.versions()


def test_a_collection_without_a_space_asks_no_model(store: Store) -> None:
    """K-2, K-15: nothing to embed without a space; a given vector is refused."""
    store.collections.ensure("plain")
    embed = Embedder()
    assert counted(store.documents.put("plain", document(), ["one"], embed=embed)) == {"added": 1}
    assert embed.batches == []
    with pytest.raises(InvalidInput) as refused:
        store.documents.put("plain", document(2), ["zero", chunk("one")])
    assert (refused.value.field, refused.value.index) == ("embedding", 1)
    assert store.documents.find("plain", "doc-2.txt") is None


# ------------------------------------------------------------------------------------------------------- K-3


def test_readers_see_the_old_set_or_the_new(store: Store, docs: str) -> None:
    """K-3: nothing of a put is seen before it is committed, then all of it."""
    store.documents.put(docs, document(), chunks(3))
    old = texts_in_order(store)
    with store.begin() as unit:
        unit.documents.put(docs, document(), ["new one", "new two"])
        assert texts_in_order(store) == old
        assert len(store.chunks.search(docs, text="text")) == 3
        assert len(store.chunks.search(docs, text="new")) == 0
        assert len(unit.chunks.search(docs, text="new")) == 2
        assert unit.chunks.count(docs) == 2
    assert texts_in_order(store) == ["new one", "new two"]
    assert len(store.chunks.search(docs, text="text")) == 0


def test_writers_of_one_document_take_turns(store: Store, docs: str, db: Database) -> None:
    """K-3: each report is relative to what was there; in the end the document is one writer's, whole."""
    sets = [[f"writer {w} text {i}" for i in range(5)] for w in range(4)]

    def put(texts: list[str]) -> Callable[[], Any]:
        return lambda: store.documents.put(docs, document(), texts)

    reports = run_calls(together(*map(put, sets)))
    assert len({report.document_id for report in reports}) == 1
    assert [report.added for report in reports] == [5] * 4
    assert sorted(report.deleted for report in reports) == [0, 5, 5, 5]
    assert sorted(report.created for report in reports) == [False, False, False, True]
    assert texts_in_order(store) in sets
    assert db.counts()["rag_chunk"] == db.words() == 5


def test_the_same_message_three_times_at_once(store: Store, docs: str, db: Database) -> None:
    """X01: one document, the same id each time."""

    def put() -> Any:
        return store.documents.put(docs, document(), chunks(3))

    reports = run_calls(together(put, put, put))
    assert len({report.document_id for report in reports}) == 1
    assert sorted(report.added + 10 * report.unchanged for report in reports) == [3, 30, 30]
    assert db.counts()["rag_chunk"] == db.counts()["rag_embedding"] == 3


def test_opposite_orders_never_deadlock(store: Store, docs: str) -> None:
    """K-3, CX13: loads lock documents in one order, whatever order they come in."""
    items = [(document(i), [f"text of {i}"]) for i in range(12)]

    def load(turn: int) -> Callable[[], Any]:
        texts = [(d, [*texts, f"turn {turn}"]) for d, texts in items]
        return lambda: store.documents.load(docs, texts[::-1] if turn % 2 else texts)

    for turn in range(3):
        run_calls(together(load(2 * turn), load(2 * turn + 1)))
    assert store.chunks.count(docs) == 24


def test_a_put_needs_its_collection(store: Store, db: Database) -> None:
    """K-3: NotFound, and nothing is made."""
    with pytest.raises(NotFound, match="'nowhere'"):
        store.documents.put("nowhere", document(), chunks(2))
    with pytest.raises(NotFound, match="'nowhere'"):
        store.documents.load("nowhere", [(document(), chunks(2))])
    assert db.counts() == {}


def test_each_write_commits_by_itself(store: Store, docs: str, database_url: str) -> None:
    """K-3: when a put returns, another store sees it."""
    store.documents.put(docs, document(), chunks(2))
    with Store.open(database_url, Settings(pool_size=1)) as other:
        assert other.chunks.count(docs) == 2
        assert len(other.chunks.search(docs, embedding=vector("x"))) == 2


# ------------------------------------------------------------------------------------------------------- K-7


def test_a_deleted_document_leaves_no_orphans(store: Store, docs: str, db: Database) -> None:
    """K-7: chunks, vectors and words go in the same transaction; the neighbour's stay."""
    store.documents.put(docs, document(1), chunks(3, of=1))
    alone = db.counts()
    report = store.documents.put(docs, document(2), chunks(3, of=2))
    assert store.documents.delete(docs, "doc-2.txt") is True
    left = db.counts()
    assert {table: left[table] for table in alone if table != "rag_term"} == {
        table: count for table, count in alone.items() if table != "rag_term"
    }
    assert store.documents.delete(docs, "doc-2.txt") is False
    assert store.documents.find(docs, "doc-2.txt") is None
    with pytest.raises(NotFound):
        store.documents.get(report.document_id)
    with pytest.raises(NotFound, match="'nowhere'"):
        store.documents.delete("nowhere", "doc-1.txt")
    assert {hit.source for hit in store.chunks.search(docs, text="text")} == {"doc-1.txt"}


def test_a_deleted_chunk_leaves_no_orphans(store: Store, docs: str, db: Database) -> None:
    """K-7: one chunk goes with its vector and words; the next put of its document restores it."""
    report = store.documents.put(docs, document(), chunks(3))
    ids = ids_by_text(store)
    (gone, gone_id), *_ = ids.items()
    assert store.chunks.delete(gone_id) is True
    assert store.chunks.delete(gone_id) is False
    assert db.counts()["rag_chunk"] == db.counts()["rag_embedding"] == db.words() == 2
    assert gone not in ids_by_text(store)
    assert store.documents.get(report.document_id).chunk_count == 2
    assert counted(store.documents.put(docs, document(), chunks(3))) == {
        "added": 1,
        "unchanged": 2,
        "embedded": 1,
    }
    assert texts_in_order(store) == list(ids)
    assert store.documents.get(report.document_id).chunk_count == 3


# ----------------------------------------------------------------------------------------------- reads of chunks


def test_chunks_are_read_by_id_and_in_order(store: Store, docs: str) -> None:
    """K-7a: `get` raises, `find` gives None, pages come in reading order."""
    report = store.documents.put(docs, document(), [f"text {i}" for i in range(7)])
    found: list[str] = []
    cursor = None
    while True:
        page = store.chunks.page(report.document_id, limit=3, cursor=cursor)
        found += [piece.content for piece in page]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == [f"text {i}" for i in range(7)]
    (first,) = store.chunks.page(report.document_id, limit=1)
    assert store.chunks.get(first.id) == store.chunks.find(str(first.id)) == first
    assert store.chunks.find(report.document_id) is None
    with pytest.raises(NotFound):
        store.chunks.get(report.document_id)
    with pytest.raises(NotFound):
        store.chunks.count("nowhere")
    assert store.chunks.count(docs) == 7


def test_documents_are_listed_by_source(store: Store, docs: str) -> None:
    """Sources come in the order of their code points, each once, in pages of any size."""
    sources = ["b", "a", "Z", "ä", "a/1", "a.1", "z" * 2048]
    for source in sources:
        store.documents.put(docs, document(source=source), [])
    for size in (1, 3, 7, 8):
        found: list[str] = []
        cursor = None
        while True:
            page = store.documents.page(docs, limit=size, cursor=cursor)
            found += [listed.source for listed in page]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == sorted(sources)
    with pytest.raises(NotFound):
        store.documents.page("nowhere")
