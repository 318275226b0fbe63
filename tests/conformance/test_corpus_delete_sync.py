# Generated from test_corpus_delete_async.py by tools/unasync.py: edit that file and run the tool again.
"""Deletion: by id, source and filter; all that hangs on a chunk goes with it, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

import ragstore
from ragstore import F, Settings, Store
from ragstore.conversations.records import NewCitation
from ragstore.corpus.chunks import deleting as of_chunks
from ragstore.corpus.collections import statistics
from ragstore.corpus.documents import deleting as of_documents
from ragstore.corpus.filters import Every, Not, Some
from ragstore.errors import InvalidInput, NotFound, ReadOnlyError
from ragstore.testing.factories import DIMENSIONS, MODEL, chunk, chunks, document
from tests.conformance.support import Database, run_calls, together, watching

HOSTILE = "Ä'; DROP TABLE rag_chunk; --\U0001f600%_\\"


@pytest.fixture
def docs(store: Store) -> str:
    """Make a collection for vectors of the factories' dimensions."""
    return store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS).name


def fill(store: Store, collection: str, documents: int = 4) -> None:
    """Put documents of two chunks each; every second one is a manual."""
    store.collections.ensure(collection, model=MODEL, dimensions=DIMENSIONS)
    for number in range(documents):
        given = document(number, doc_type="manual" if number % 2 else None, metadata={"n": number})
        store.documents.put(collection, given, chunks(2, of=number))


def sources(store: Store, collection: str = "docs") -> list[str]:
    return [found.source for found in store.documents.export(collection)]


# ------------------------------------------------------------------------------------------------- documents


def test_nothing_is_left_of_a_document(store: Store, docs: str, db: Database) -> None:
    """K-7: chunks, vectors and words go with it, by source and by id, and `False` says that there was none."""
    store.documents.put(docs, document(0), chunks(1, of=0))
    store.collections.analyze(docs)
    before = db.counts()
    first = store.documents.put(docs, document(1), chunks(3))
    store.documents.put(docs, document(2), chunks(3, of=2))
    assert store.documents.delete_by_id(first.document_id) is True
    assert store.documents.delete_by_id(str(first.document_id)) is False
    assert store.documents.delete(docs, "doc-2.txt") is True
    assert store.documents.delete(docs, "doc-2.txt") is False
    words = {"rag_term", "rag_posting"}  # which statistics may have been taken anew
    assert {t: n for t, n in db.counts().items() if t not in words} == {
        t: n for t, n in before.items() if t not in words
    }
    assert sources(store) == ["doc-0.txt"]


def test_documents_are_deleted_by_filter(store: Store, docs: str, db: Database) -> None:
    """K-7: those that match go with all that hangs on them; other collections and tenants are not touched."""
    other = store.for_tenant("other")
    for whose, collection in ((store, docs), (store, "others"), (other, docs), (other, "others")):
        fill(whose, collection)
    assert store.documents.delete_where(docs, F.doc_type == "manual") == 2
    assert store.documents.delete_where(docs, F.doc_type == "manual") == 0
    assert sources(store) == ["doc-0.txt", "doc-2.txt"]
    assert sources(store, "others") == sources(other) == sources(other, "others") == [f"doc-{n}.txt" for n in range(4)]
    assert store.documents.delete_where(docs, F.metadata["n"] > 0) == 1
    assert db.scalar("SELECT count(*) FROM rag_chunk") == db.words() == len(db.vectors()) == 26
    assert store.documents.delete_all(docs) == 1
    assert store.documents.delete_all(docs) == 0
    assert store.collections.get(docs).space is not None
    assert store.chunks.count("others") == other.chunks.count(docs) == 8


def test_many_documents_go_some_at_a_time(store: Store, docs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """K-7: in bounded statements, and in one transaction."""
    monkeypatch.setattr(of_documents, "AT_ONCE", 2)
    fill(store, docs, 7)
    with watching(store) as seen:
        assert store.documents.delete_where(docs, F.metadata["n"] < 5) == 5
    assert len([1 for statement, _ in seen if re.match(r"DELETE FROM (\S+\.)?rag_document\b", statement)]) == 3
    assert sources(store) == ["doc-5.txt", "doc-6.txt"]


@pytest.mark.parametrize("where", [None, {}, Every(()), Some(()), Not(Every((Some(()),)))], ids=repr)
def test_an_empty_filter_deletes_nothing(store: Store, docs: str, where: Any) -> None:
    """K-7: it would be everything, for which there is another verb."""
    fill(store, docs, 2)
    for repository in (store.documents, store.chunks):
        with pytest.raises(InvalidInput, match="delete_all"):
            repository.delete_where(docs, where)
    assert store.chunks.count(docs) == 4


def test_what_cannot_be_deleted(store: Store, docs: str) -> None:
    """K-7: an unknown collection is `NotFound`, a wrong id or filter `InvalidInput`."""
    for repository in (store.documents, store.chunks):
        with pytest.raises(NotFound):
            repository.delete_where("none", F.title == "x")
        with pytest.raises(InvalidInput):
            repository.delete_where(docs, "title = 'x'")  # type: ignore[arg-type]
        with pytest.raises(InvalidInput):
            repository.delete_where(docs, F.title == 1)
    with pytest.raises(NotFound):
        store.documents.delete_all("none")
    with pytest.raises(InvalidInput, match="document_id"):
        store.documents.delete_by_id("doc-1.txt")


def test_another_tenants_ids_delete_nothing(store: Store, docs: str) -> None:
    """K-7: an id is only known to its own tenant."""
    report = store.documents.put(docs, document(), chunks(1))
    (kept,) = store.chunks.page(report.document_id)
    other = store.for_tenant("other")
    assert not other.documents.delete_by_id(report.document_id)
    assert not other.chunks.delete(kept.id)
    assert store.chunks.count(docs) == 1


# ---------------------------------------------------------------------------------------------------- chunks


def test_chunks_are_deleted_by_filter(store: Store, docs: str, db: Database) -> None:
    """K-7: each is counted off its document, whose next put brings it back."""
    pieces = [chunk(f"text {place}", page=place) for place in range(5)]
    first = store.documents.put(docs, document(1), pieces)
    second = store.documents.put(docs, document(2), pieces[:2])
    kept = {one.content: one.id for one in store.chunks.export(docs, F.source == "doc-1.txt")}
    assert store.chunks.delete_where(docs, F.page >= 2) == 3
    assert store.chunks.delete_where(docs, F.page >= 2) == 0
    assert store.documents.get(first.document_id).chunk_count == 2
    assert store.documents.get(second.document_id).chunk_count == 2
    assert db.words() == len(db.vectors()) == 4
    assert store.documents.put(docs, document(2), pieces[:2]).unchanged == 2
    again = store.documents.put(docs, document(1), pieces)
    assert (again.added, again.unchanged) == (3, 2)
    now = {one.content: one.id for one in store.chunks.export(docs, F.source == "doc-1.txt")}
    assert {text for text, chunk_id in now.items() if kept[text] == chunk_id} == {"text 0", "text 1"}


def test_many_chunks_go_some_at_a_time(store: Store, docs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """K-7: in bounded statements, across documents and within one; nobody else's."""
    monkeypatch.setattr(of_chunks, "AT_ONCE", 3)
    monkeypatch.setattr(of_chunks.delete_matching, "__defaults__", (3,))
    other = store.for_tenant("other")
    for whose, collection in ((store, docs), (store, "others"), (other, docs), (other, "others")):
        fill(whose, collection, 5)
    with watching(store) as seen:
        assert store.chunks.delete_where(docs, F.metadata["n"] >= 1) == 8
    assert len([1 for statement, _ in seen if re.match(r"DELETE FROM (\S+\.)?rag_chunk\b", statement)]) == 3
    counted = {found.source: found.chunk_count for found in store.documents.export(docs)}
    assert counted == {"doc-0.txt": 2} | {f"doc-{n}.txt": 0 for n in range(1, 5)}
    assert store.chunks.count("others") == other.chunks.count(docs) == 10


def test_a_chunk_deleted_by_id_is_noted(store: Store, docs: str) -> None:
    """K-7: the document counts one chunk less, and the next put brings it back."""
    report = store.documents.put(docs, document(), chunks(3))
    first = store.chunks.page(report.document_id).items[0]
    assert store.chunks.delete(first.id) is True
    assert store.chunks.delete(first.id) is False
    assert store.documents.get(report.document_id).chunk_count == 2
    assert store.documents.put(docs, document(), chunks(3)).added == 1


# --------------------------------------------------------------------------------------------------- together


def test_a_deletion_is_part_of_its_unit(store: Store, docs: str, db: Database) -> None:
    """K-7: all of it goes with the unit's rollback, and a read-only unit refuses it."""
    fill(store, docs)
    before = db.counts()
    with pytest.raises(ZeroDivisionError):
        with store.begin() as unit:
            assert unit.chunks.delete_where(docs, F.source == "doc-0.txt") == 2
            assert unit.documents.delete_where(docs, F.doc_type == "manual") == 2
            assert unit.documents.delete_all(docs) == 2
            raise ZeroDivisionError
    assert db.counts() == before
    for where in (F.doc_type == "manual", F.doc_type == "none"):
        for name in ("documents", "chunks"):
            with pytest.raises(ReadOnlyError):
                with store.begin(read_only=True) as unit:
                    getattr(unit, name).delete_where(docs, where)
    assert db.counts() == before


def test_citations_keep_their_snapshots(store: Store, docs: str) -> None:
    """K-7: a citation of a deleted chunk loses its link and keeps everything else, whichever way the chunk went."""
    fill(store, docs, 3)
    hits = store.chunks.search(docs, text="text", limit=6)
    chats = store.conversations
    chats.record_exchange(thread_id="t", query="q", response="r", sources=hits)
    before = (chats.history("t"))[1].citations
    assert len(before) == 6
    store.chunks.delete_where(docs, F.source == "doc-0.txt")
    store.documents.delete_where(docs, F.source == "doc-1.txt")
    store.documents.delete_all(docs)
    after = (chats.history("t"))[1].citations
    assert after == tuple(cited.model_copy(update={"chunk_id": None}) for cited in before)
    assert NewCitation(source=after[0].source).source.startswith("doc-")


def test_hostile_names(store: Store) -> None:
    """K-7: names and values are bound, never written into a statement."""
    store.collections.ensure(HOSTILE)
    given = document(source=HOSTILE, doc_type=HOSTILE, metadata={HOSTILE: HOSTILE})
    for where in (F.source == HOSTILE, F.doc_type.starts_with(HOSTILE), F.metadata[HOSTILE] == HOSTILE):
        store.documents.put(HOSTILE, given, [HOSTILE])
        assert store.chunks.delete_where(HOSTILE, where) == 1
        assert store.documents.delete_where(HOSTILE, where) == 1
    assert store.documents.count(HOSTILE) == 0


def test_deleting_much_takes_the_statistics_anew(store: Store, docs: str) -> None:
    """K-7: words are ranked by what is left; one chunk less is not worth it."""
    fill(store, docs, 40)
    assert store.collections.analyze(docs).analyzed_chunks == 80
    store.documents.delete_where(docs, F.metadata["n"] >= 10)
    assert store.collections.get(docs).analyzed_chunks == 20
    store.chunks.delete_where(docs, F.metadata["n"] >= 2)
    assert store.collections.get(docs).analyzed_chunks == 4


def test_statistics_are_asked_for_once(store: Store, docs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """K-7: a deletion in many statements weighs its whole number of chunks."""
    asked: list[int] = []

    def never(_within: object, changed: int) -> bool:
        asked.append(changed)
        return False

    monkeypatch.setattr(statistics, "refresh_due", never)
    fill(store, docs, 5)
    asked.clear()
    monkeypatch.setattr(of_documents, "AT_ONCE", 2)
    store.documents.delete_all(docs)
    assert asked == [10]


def test_writers_and_deleters_at_once(store: Store, docs: str, db: Database) -> None:
    """K-3, K-7: deletions and loads of the same documents, in any order, never deadlock and leave no orphan."""
    many = [(document(number, doc_type="manual"), chunks(2, of=number)) for number in range(30)]

    def load() -> None:
        store.documents.load(docs, many, commit_every=10)

    def load_backwards() -> None:
        store.documents.load(docs, reversed(many), commit_every=30)

    def delete_documents() -> None:
        for _ in range(3):
            store.documents.delete_where(docs, F.doc_type == "manual")

    def delete_chunks() -> None:
        for _ in range(3):
            store.chunks.delete_where(docs, F.chunk_index == 1)

    run_calls(together(load, load_backwards, delete_documents, delete_chunks))
    for found in store.documents.export(docs):
        assert found.chunk_count == len(store.chunks.page(found.id))
    chunk_rows = db.scalar("SELECT count(*) FROM rag_chunk")
    assert db.words() == len(db.vectors()) == chunk_rows
    load()
    assert store.chunks.count(docs) == 60


def test_another_schema(postgres_database: str) -> None:
    """K-7: every statement names the schema that the settings do."""
    schema = 'Other "schema"'
    ragstore.upgrade(postgres_database, schema=schema)
    with Store.open(postgres_database, Settings(schema=schema)) as store:
        fill(store, "docs", 5)
        assert store.documents.update("docs", "doc-0.txt", title="x").title == "x"
        assert store.chunks.delete_where("docs", F.source == "doc-0.txt") == 2
        found = store.documents.find("docs", "doc-1.txt")
        assert found is not None
        assert store.documents.delete_by_id(found.id)
        assert store.documents.delete("docs", "doc-2.txt")
        exported = [one for one in store.chunks.export("docs", F.doc_type == "manual", with_embeddings=True)]
        assert [len(one.embedding or ()) for one in exported] == [DIMENSIONS] * 2
        assert not len(store.chunks.missing_embeddings("docs"))
        assert store.chunks.delete_orphans("docs", ["x"]).checked == 0
        assert store.documents.delete_all("docs") == 3
