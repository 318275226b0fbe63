# Generated from test_corpus_dedupe_async.py by tools/unasync.py: edit that file and run the tool again.
"""A text once in a document, or once in a collection."""

from __future__ import annotations

from typing import Any

import pytest

from ragstore import NewChunk, Store
from ragstore.errors import InvalidInput
from ragstore.testing.factories import DIMENSIONS, MODEL, Embedder, document
from tests.conformance.support import Database


@pytest.fixture
def docs(store: Store) -> str:
    """Make a collection for vectors of the factories' dimensions."""
    return store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS).name


def contents(store: Store, collection: str, number: int) -> list[str]:
    found = store.documents.find(collection, f"doc-{number}.txt")
    assert found is not None
    page = store.chunks.page(found.id)
    assert found.chunk_count == len(page)
    return [chunk.content for chunk in page]


def test_a_text_of_another_document_is_skipped(store: Store, docs: str, db: Database) -> None:
    """K-5: and asked of no model; the same put again writes nothing; without the option both have it."""
    embed = Embedder()
    store.documents.put(docs, document(1), ["licence", "one"], embed=embed)
    report = store.documents.put(docs, document(2), ["licence ", "two", "two"], embed=embed, dedupe="collection")
    assert (report.added, report.duplicates, report.embedded) == (1, 2, 1)
    assert embed.texts == ["licence", "one", "two"]
    assert contents(store, docs, 2) == ["two"]
    before = db.versions()
    for model in (None, embed):
        again = store.documents.put(docs, document(2), ["licence ", "two", "two"], embed=model, dedupe="collection")
        assert (again.added, again.unchanged, again.deleted, again.duplicates) == (0, 1, 0, 2)
    assert db.versions() == before
    assert embed.texts == ["licence", "one", "two"]
    everywhere = store.documents.put(docs, document(2), ["licence ", "two", "two"], embed=embed)
    assert (everywhere.added, everywhere.unchanged, everywhere.duplicates) == (1, 1, 1)
    assert contents(store, docs, 2) == ["licence ", "two"]
    kept = store.documents.put(docs, document(2), ["licence ", "two"], dedupe="collection")
    assert (kept.unchanged, kept.deleted) == (2, 0)


def test_a_skipped_text_comes_back_when_the_other_has_gone(store: Store, docs: str) -> None:
    """K-5: it is not there until its document is put again."""
    store.documents.put(docs, document(1), ["licence", "one"])
    store.documents.put(docs, document(2), ["licence", "two"], dedupe="collection")
    store.documents.delete(docs, "doc-1.txt")
    assert contents(store, docs, 2) == ["two"]
    report = store.documents.put(docs, document(2), ["licence", "two"], dedupe="collection")
    assert (report.added, report.unchanged, report.duplicates) == (1, 1, 0)
    assert contents(store, docs, 2) == ["licence", "two"]


def test_a_document_of_nothing_new_is_stored_empty(store: Store, docs: str, db: Database) -> None:
    """K-5."""
    store.documents.put(docs, document(1), ["a", "b"])
    for _ in range(2):
        report = store.documents.put(docs, document(2), ["b", "a"], dedupe="collection")
        assert (report.added, report.unchanged, report.duplicates) == (0, 0, 2)
    assert contents(store, docs, 2) == []
    assert db.counts()["rag_chunk"] == 2


def test_a_load_counts_what_came_before_in_it(store: Store, docs: str) -> None:
    """K-5: in the same batch and in an earlier one; other collections do not matter."""
    store.collections.ensure("other")
    store.documents.put("other", document(1), ["common"])
    given: list[tuple[Any, list[NewChunk | str]]] = [(document(i), ["common", f"own {i}"]) for i in range(5)]
    for every in (1, 2, 5):
        report = store.documents.load(docs, given, dedupe="collection", commit_every=every)
        assert report.duplicates == 4
        assert store.chunks.count(docs) == 6
        assert [contents(store, docs, i) for i in range(5)] == [
            ["common", "own 0"],
            *([f"own {i}"] for i in range(1, 5)),
        ]
    store.collections.delete(docs)
    store.collections.ensure(docs)
    report = store.documents.load(docs, given, dedupe="collection", commit_every=5)
    assert (report.added, report.duplicates) == (6, 4)


def test_what_the_same_batch_takes_away_is_not_counted_on(store: Store, docs: str) -> None:
    """K-5: a text that moves from one document to another is not lost on the way."""
    store.documents.put(docs, document(1), ["moving", "one"])
    given: list[tuple[Any, list[NewChunk | str]]] = [(document(1), ["one"]), (document(2), ["moving", "two"])]
    report = store.documents.load(docs, given, dedupe="collection")
    assert (report.added, report.deleted, report.duplicates) == (2, 1, 0)
    assert contents(store, docs, 2) == ["moving", "two"]


def test_metadata_can_be_part_of_what_a_chunk_is_known_by(store: Store, docs: str) -> None:
    """K-5: the same text with other metadata is then another chunk, in one document and in the collection."""
    pieces = [NewChunk(content="same", metadata={"page": page}) for page in (1, 2, 1)]
    report = store.documents.put(docs, document(1), pieces, hash_metadata=True)
    assert (report.added, report.duplicates) == (2, 1)
    again = store.documents.put(docs, document(1), pieces, hash_metadata=True)
    assert (again.unchanged, again.added, again.deleted) == (2, 0, 0)
    other = [NewChunk(content="same", metadata={"page": page}) for page in (2, 3)]
    report = store.documents.put(docs, document(2), other, hash_metadata=True, dedupe="collection")
    assert (report.added, report.duplicates) == (1, 1)
    assert len(store.chunks.find_by_hash(docs, "same")) == 0
    report = store.documents.put(docs, document(1), pieces)
    assert (report.added, report.deleted, report.duplicates) == (1, 2, 2)


@pytest.mark.parametrize("rule", [None, "", "Document", True])
def test_an_unknown_rule_is_refused(store: Store, docs: str, rule: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        store.documents.put(docs, document(), ["text"], dedupe=rule)
    assert refused.value.field == "dedupe"
    with pytest.raises(InvalidInput) as refused:
        store.documents.load(docs, [(document(), ["text"])], dedupe=rule)
    assert refused.value.field == "dedupe"
