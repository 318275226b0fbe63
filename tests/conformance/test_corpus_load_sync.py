# Generated from test_corpus_load_async.py by tools/unasync.py: edit that file and run the tool again.
"""Loading many documents: batches, progress, and what becomes of a bad item."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ragstore import LoadProgress, NewChunk, NewDocument, Store
from ragstore.corpus.documents import loading, putting
from ragstore.errors import ConcurrencyError, InvalidInput
from ragstore.testing.factories import DIMENSIONS, MODEL, Embedder, chunks, document, vector
from tests.conformance.support import Database, run_calls, together


@pytest.fixture
def docs(store: Store) -> str:
    """Make a collection for vectors of the factories' dimensions."""
    return store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS).name


def items(count: int, *, each: int = 2) -> list[tuple[NewDocument, list[NewChunk | str]]]:
    return [(document(i), list(chunks(each, of=i))) for i in range(count)]


def test_load_puts_every_document(store: Store, docs: str, db: Database) -> None:
    """K-4: sums over all documents; again, nothing is written."""
    report = store.documents.load(docs, items(25), commit_every=10)
    assert (report.documents, report.added, report.embedded, report.errors) == (25, 50, 50, ())
    assert db.counts()["rag_chunk"] == db.counts()["rag_embedding"] == db.words() == 50
    before = db.versions()
    again = store.documents.load(docs, items(25), commit_every=10)
    assert (again.documents, again.unchanged, again.added, again.embedded) == (25, 50, 0, 0)
    after = db.versions()
    for table in ("rag_document", "rag_chunk", "rag_embedding"):
        assert after[table] == before[table]
    assert len(store.chunks.search(docs, text="text", limit=100)) == 50
    mixed = [*items(25)[:24], (document(24), ["another text"]), (document(25), ["a new document"])]
    report = store.documents.load(docs, mixed)
    assert (report.documents, report.added, report.deleted, report.unchanged) == (26, 2, 2, 48)


def test_items_may_come_from_anywhere(store: Store, docs: str) -> None:
    """K-4: a list, a generator, an iterator; each read once."""

    def generated() -> Iterator[Any]:
        yield from items(3)

    for source in (items(3), tuple(items(3)), generated(), iter(items(3))):
        assert store.documents.load(docs, source).documents == 3
    assert store.documents.load(docs, []).documents == 0
    assert store.documents.load(docs, iter(())).documents == 0
    assert store.chunks.count(docs) == 6


def test_progress_is_told_after_each_commit(store: Store, docs: str, db: Database) -> None:
    """K-4: how many are done, how many there are if that is known, how fast; what is told is stored."""
    seen: list[tuple[LoadProgress, int]] = []

    def progress(told: LoadProgress) -> None:
        seen.append((told, db.scalar("SELECT count(*) FROM rag_document")))

    def numbers() -> list[tuple[int, int, int | None, int]]:
        return [(told.documents, told.chunks, told.total, stored) for told, stored in seen]

    store.documents.load(docs, items(5), commit_every=2, progress=progress)
    assert numbers() == [(2, 4, 5, 2), (4, 8, 5, 4), (5, 10, 5, 5)]
    assert all(told.rate == pytest.approx(told.chunks / told.seconds) for told, _ in seen)
    assert [told.seconds for told, _ in seen] == sorted(told.seconds for told, _ in seen)
    seen.clear()
    store.documents.load(docs, iter(items(7)), commit_every=4, progress=progress)
    assert numbers() == [(4, 8, None, 5), (7, 14, None, 7)]


def test_a_load_is_read_as_it_is_stored(store: Store, docs: str, db: Database) -> None:
    """K-4: memory holds one batch: what was read before is stored when more is read."""
    stored: list[int] = []

    def generated() -> Iterator[Any]:
        for item in items(10):
            stored.append(db.scalar("SELECT count(*) FROM rag_document"))
            yield item

    store.documents.load(docs, generated(), commit_every=4)
    assert stored == [0, 0, 0, 0, 4, 4, 4, 4, 8, 8]


def test_one_bad_item_of_a_hundred(store: Store, docs: str) -> None:
    """I05, K-4: the error names the item; with `partial=True` the other 99 are stored."""
    given = items(100, each=1)
    given[37] = (document(37), ["fine", NewChunk(content="bad\0")])
    with pytest.raises(InvalidInput) as refused:
        store.documents.load(docs, iter(given), commit_every=10)
    assert (refused.value.index, refused.value.field) == (37, "chunks[1].content")
    assert store.chunks.count(docs) == 30  # three batches were committed before
    report = store.documents.load(docs, iter(given), commit_every=10, partial=True)
    assert report.documents == 99
    assert store.chunks.count(docs) == 99
    (error,) = report.errors
    assert (error.index, error.source) == (37, "doc-37.txt")
    assert isinstance(error.error, InvalidInput)
    assert error.error.field == "chunks[1].content"
    assert store.documents.find(docs, "doc-37.txt") is None


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ((document(source="x" * 2049), ["text"]), "source"),
        ((document(metadata={"a": float("inf")}), ["text"]), "metadata.a"),
        ((document(), [NewChunk(content="text", embedding=vector("q", dimensions=3))]), "chunks[0].embedding"),
        ((document(), [NewChunk(content="text", embedding=[0.0] * DIMENSIONS)]), "chunks[0].embedding"),
        ((document(), [7]), "chunks[0].chunks"),
        ((document(), None), "chunks"),
        ((document(), 7), "chunks"),
        ((document(), "a text is no list of texts"), "chunks"),
        (("source", ["text"]), "document"),
        ((None, ["text"]), "document"),
        (document(), None),
        ("ab", None),
        (None, None),
        ((document(),), None),
    ],
)
def test_an_item_of_any_kind_is_refused_alone(store: Store, docs: str, bad: Any, field: str | None) -> None:
    """I05, I27: whatever is handed in, the rest is stored and the error says which item it was."""
    good = items(3)
    report = store.documents.load(docs, [*good[:2], bad, good[2]], partial=True)
    assert report.documents == 3
    assert [(error.index, getattr(error.error, "field", None)) for error in report.errors] == [(2, field)]
    assert all(isinstance(error.error, InvalidInput) for error in report.errors)
    with pytest.raises(InvalidInput) as refused:
        store.documents.load(docs, [bad])
    assert (refused.value.index, refused.value.field) == (0, field)
    assert store.chunks.count(docs) == 6


def test_a_vector_that_does_not_fit_leaves_its_batch_whole(store: Store, docs: str) -> None:
    """I05: found only when the space is known, inside the batch's transaction, and still it is one item's error."""
    given = items(6, each=1)
    given[3] = (document(3), [NewChunk(content="text", embedding=[1.0] * 5)])
    report = store.documents.load(docs, given, partial=True, commit_every=6)
    assert (report.documents, [error.index for error in report.errors]) == (5, [3])
    assert store.chunks.count(docs) == 5
    with pytest.raises(InvalidInput):
        store.documents.load("docs", [(document(9), ["text"]), given[3]], commit_every=6)
    assert store.documents.find(docs, "doc-9.txt") is None  # its batch was rolled back


def test_the_same_source_twice_in_one_load(store: Store, docs: str) -> None:
    """I26: the last one holds."""
    given = [(document(1), ["first"]), (document(2), ["other"]), (document(1), ["last"])]
    for every in (1, 2, 100):
        report = store.documents.load(docs, given, commit_every=every)
        assert report.documents == 3
        found = store.documents.find(docs, "doc-1.txt")
        assert found is not None
        assert [piece.content for piece in store.chunks.page(found.id)] == ["last"]


def test_a_load_embeds_what_needs_it(store: Store, docs: str) -> None:
    """K-2, K-4: each text of a batch once, in the given sizes."""
    embed = Embedder()
    given = [(document(i), [f"text {i}", "in all of them"]) for i in range(4)]
    report = store.documents.load(docs, given, embed=embed, batch_size=3, commit_every=2)
    assert (report.added, report.embedded) == (8, 8)
    assert all(len(batch) <= 3 for batch in embed.batches)
    assert sorted(set(embed.texts)) == sorted(["in all of them", *(f"text {i}" for i in range(4))])
    assert embed.texts.count("in all of them") <= 2  # once for each of two batches
    embed.batches = []
    assert store.documents.load(docs, given, embed=embed).unchanged == 8
    assert embed.batches == []


def test_a_load_in_a_unit_is_part_of_it(store: Store, docs: str, db: Database) -> None:
    """K-3: inside a unit nothing is committed before the unit is."""
    before = db.counts()

    class Stop(Exception):
        pass

    def fail() -> None:
        with store.begin() as unit:
            unit.documents.load(docs, items(5), commit_every=2)
            assert unit.chunks.count(docs) == 10
            assert store.chunks.count(docs) == 0
            raise Stop

    with pytest.raises(Stop):
        fail()
    assert db.counts() == before
    with store.begin() as unit:
        unit.documents.load(docs, items(5), commit_every=2)
    assert store.chunks.count(docs) == 10


@pytest.mark.parametrize("number", [0, -1, True, 1.5, None, 10_001])
def test_sizes_of_batches_are_checked(store: Store, docs: str, number: Any) -> None:
    """I23: `commit_every` and `batch_size`."""
    embed: Callable[..., Any] = Embedder()
    with pytest.raises(InvalidInput) as refused:
        store.documents.load(docs, items(1), commit_every=number)
    assert refused.value.field == "commit_every"
    with pytest.raises(InvalidInput) as refused:
        store.documents.put(docs, document(), ["text"], embed=embed, batch_size=number)
    assert refused.value.field == "batch_size"
    with pytest.raises(InvalidInput) as refused:
        store.documents.load(docs, [(document(), ["text"])], embed=embed, batch_size=number)
    assert refused.value.field == "batch_size"
    assert store.chunks.count(docs) == 0


def test_a_batch_ends_at_its_size_too(store: Store, docs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """K-4: a few large documents are no more in memory at once than many small ones."""
    done: list[int] = []
    large = [(document(i), [f"text {i} " * 100, NewChunk(content=f"b{i}", embedding=vector(i))]) for i in range(6)]
    monkeypatch.setattr(loading, "BATCH_BYTES", 1_900)
    store.documents.load(docs, large, progress=lambda told: done.append(told.documents))
    assert done == [2, 4, 6]
    done.clear()
    monkeypatch.setattr(loading, "BATCH_CHUNKS", 6)
    monkeypatch.setattr(loading, "BATCH_BYTES", 10**9)
    store.documents.load(docs, large, progress=lambda told: done.append(told.documents))
    assert done == [3, 6]


def test_loads_in_opposite_orders(store: Store, docs: str) -> None:
    """K-3: of the same documents, changed by both: one after the other, whatever the order."""
    store.documents.load(docs, items(20)[::2])  # half of them are there, half are inserted by whoever comes

    def version(number: int) -> list[tuple[NewDocument, list[NewChunk | str]]]:
        return [(document(i), [f"version {number} of {i}", "common"]) for i in range(20)]

    orders = [version(1), version(2)[::-1], version(3)]
    results = together(*(lambda order=order: store.documents.load(docs, order, commit_every=7) for order in orders))
    assert [report.documents for report in run_calls(results)] == [20, 20, 20]
    assert store.chunks.count(docs) == 40


def test_others_who_get_in_between_are_waited_for(store: Store, docs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """K-3: a batch's own transaction is tried again; a unit's is its owner's."""
    failing = iter([True, True, False, True, True, True, True])
    written = putting.put_all

    def deadlocked(*arguments: Any) -> Any:
        yield from written(*arguments)
        if next(failing):
            raise ConcurrencyError("two transactions waited for each other")

    monkeypatch.setattr(putting, "put_all", deadlocked)
    report = store.documents.load(docs, items(3), commit_every=10)
    assert (report.documents, report.added) == (3, 6)
    assert store.chunks.count(docs) == 6
    with pytest.raises(ConcurrencyError):
        store.documents.put(docs, document(9), ["text"])
    with pytest.raises(ConcurrencyError):
        with store.begin() as unit:
            unit.documents.put(docs, document(9), ["text"])
    assert next(failing, None) is None
    assert store.documents.find(docs, "doc-9.txt") is None
