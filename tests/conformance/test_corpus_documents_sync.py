# Generated from test_corpus_documents_async.py by tools/unasync.py: edit that file and run the tool again.
"""Around a document: what describes it changes alone, and documents and chunks are counted."""

from __future__ import annotations

from typing import Any

import pytest

from ragstore import F, Filter, NewDocument, Store
from ragstore.errors import InvalidInput, NotFound, ReadOnlyError
from ragstore.testing.factories import DIMENSIONS, MODEL, chunk, chunks, document
from tests.conformance.support import Database

HOSTILE = "Ä'; DROP TABLE rag_document; --\U0001f600%_\\"


@pytest.fixture
def docs(store: Store) -> str:
    """Make a collection for vectors of the factories' dimensions."""
    return store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS).name


# ----------------------------------------------------------------------------------------------------- K-7a


def test_what_describes_a_document_changes_alone(store: Store, docs: str, db: Database) -> None:
    """K-7a: title, type, version and metadata change; what is left out stays; no chunk is touched."""
    given = document(doc_type="guide", version="1", language="de", metadata={"a": 1, "b": 2})
    store.documents.put(docs, given, chunks(3))
    before, rows = store.documents.find(docs, given.source), db.versions()
    assert before is not None
    changed = store.documents.update(docs, given.source, title=HOSTILE, metadata={"c": [HOSTILE, None]})
    values = {"title": HOSTILE, "metadata": {"c": [HOSTILE, None]}}
    assert changed == before.model_copy(update={**values, "updated_at": changed.updated_at})
    assert changed.updated_at >= before.updated_at
    assert changed == store.documents.get(before.id)
    cleared = store.documents.update(docs, given.source, doc_type=None, version=None, metadata={})
    assert (cleared.doc_type, cleared.version, cleared.metadata) == (None, None, {})
    assert (cleared.title, cleared.language, cleared.chunk_count) == (HOSTILE, "de", 3)
    untouched = [table for table in db.tables if table != "rag_document"]
    assert {table: db.versions()[table] for table in untouched} == {table: rows[table] for table in untouched}


def test_the_same_values_write_nothing(store: Store, docs: str, db: Database) -> None:
    """K-7a: a value that is there already, or none at all, changes no row; 1 is not true."""
    given = document(doc_type="guide", metadata={"a": 1})
    store.documents.put(docs, given, chunks(1))
    before = db.versions()
    first = store.documents.update(docs, given.source)
    same = store.documents.update(docs, given.source, title=given.title, doc_type="guide", metadata={"a": 1})
    assert first == same == store.documents.find(docs, given.source)
    after = db.versions()
    before.pop("file", None), after.pop("file", None)
    assert after == before
    changed = store.documents.update(docs, given.source, metadata={"a": True})
    assert changed.metadata["a"] is True


def test_the_next_put_sees_the_change(store: Store, docs: str) -> None:
    """K-7a, K-1: after an update, a put of the original writes the original again, and keeps the chunks."""
    given = document(metadata={"year": 2023})
    first = store.documents.put(docs, given, chunks(2))
    store.documents.update(docs, given.source, metadata={"year": 2024})
    again = store.documents.put(docs, given, chunks(2))
    assert (again.unchanged, again.updated, again.added) == (2, 0, 0)
    stored = store.documents.get(first.document_id)
    assert stored.metadata == {"year": 2023}
    store.documents.update(docs, given.source, metadata={"year": 2024})
    store.documents.put(docs, NewDocument(**{**dict(given), "metadata": {"year": 2024}}), chunks(2))
    assert store.documents.get(first.document_id).metadata == {"year": 2024}


def test_a_searcher_sees_the_change(store: Store, docs: str) -> None:
    """K-7a: filters and hits have the new values."""
    store.documents.put(docs, document(doc_type="draft"), chunks(1))
    store.documents.update(docs, "doc-1.txt", doc_type="manual", title="New")
    (hit,) = store.chunks.search(docs, text="text", where=F.doc_type == "manual")
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
def test_unfit_values_change_nothing(store: Store, docs: str, db: Database, values: dict[str, Any], field: str) -> None:
    """K-7a: a bad value is named, and nothing is written."""
    store.documents.put(docs, document(), chunks(1))
    before = db.versions()
    with pytest.raises(InvalidInput, match=field):
        store.documents.update(docs, "doc-1.txt", **values)
    assert db.versions() == before


def test_updating_what_is_not_there(store: Store, docs: str) -> None:
    """K-7a: an unknown collection, document, or another tenant's is `NotFound`."""
    store.documents.put(docs, document(), chunks(1))
    store.for_tenant("other").collections.ensure(docs)
    for whose, collection, source in (
        (store, "none", "doc-1.txt"),
        (store, docs, "none"),
        (store.for_tenant("other"), docs, "doc-1.txt"),
    ):
        with pytest.raises(NotFound):
            whose.documents.update(collection, source, title="x")
    with pytest.raises(InvalidInput):
        store.documents.update(docs, "", title="x")


def test_an_update_is_part_of_its_unit(store: Store, docs: str) -> None:
    """K-7a: it goes with the unit's rollback, and a read-only unit refuses it."""
    store.documents.put(docs, document(), chunks(1))
    before = store.documents.find(docs, "doc-1.txt")
    with pytest.raises(ZeroDivisionError):
        with store.begin() as unit:
            assert unit.documents.update(docs, "doc-1.txt", title="x").title == "x"
            raise ZeroDivisionError
    with pytest.raises(ReadOnlyError):
        with store.begin(read_only=True) as unit:
            unit.documents.update(docs, "doc-1.txt", title="x")
    assert store.documents.find(docs, "doc-1.txt") == before


# ---------------------------------------------------------------------------------------------------- counts


def fill(store: Store, collection: str) -> None:
    """Put three documents of 1, 2 and 3 chunks."""
    for number, kind in ((1, "manual"), (2, "manual"), (3, None)):
        given = document(number, doc_type=kind, metadata={"n": number, "who": "document"})
        pieces = [chunk(f"{number} {place}", page=place, metadata={"n": place}) for place in range(number)]
        store.documents.put(collection, given, pieces)


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
def test_documents_are_counted(store: Store, docs: str, where: Filter | None, documents: int) -> None:
    """K-7a: by documents' own fields and metadata: what a chunk lays over them is not looked at."""
    fill(store, docs)
    store.collections.ensure("others", model=MODEL, dimensions=DIMENSIONS)
    fill(store, "others")
    assert store.documents.count(docs, where) == documents
    assert len([found for found in store.documents.export(docs, where)]) == documents


@pytest.mark.parametrize(
    ("where", "found"),
    [(None, 6), (F.page == 0, 3), (F.metadata["n"] == 1, 2), ((F.page > 0) & (F.source == "doc-3.txt"), 2)],
)
def test_chunks_are_counted(store: Store, docs: str, where: Filter | None, found: int) -> None:
    """K-7a: by the fields of both, as a search filters."""
    fill(store, docs)
    store.collections.ensure("others", model=MODEL, dimensions=DIMENSIONS)
    fill(store, "others")
    assert store.chunks.count(docs, where) == found
    assert len([one for one in store.chunks.export(docs, where)]) == found


OF_CHUNKS = [F.page == 1, F.chunk_index == 0, F.heading == "h", F.language == "en", F.embedding_id.exists()]


@pytest.mark.parametrize("where", [*OF_CHUNKS, ~(F.page == 1) & (F.title == "x")], ids=repr)
def test_a_chunks_field_names_no_document(store: Store, docs: str, where: Filter) -> None:
    """K-7: what a document does not have is refused by its verbs, not taken for "any chunk"."""
    for call in (store.documents.count, store.documents.delete_where):
        with pytest.raises(InvalidInput, match="is a chunk's"):
            call(docs, where)
    with pytest.raises(InvalidInput, match="is a chunk's"):
        store.documents.export(docs, where)


def test_counting_what_is_not_there(store: Store, docs: str) -> None:
    """K-7a: an empty collection counts 0, an unknown one is `NotFound`."""
    assert store.documents.count(docs) == store.chunks.count(docs) == 0
    for repository in (store.documents, store.chunks):
        with pytest.raises(NotFound):
            repository.count("none")
        with pytest.raises(InvalidInput):
            repository.count(docs, "doc_type == 'x'")  # type: ignore[arg-type]
