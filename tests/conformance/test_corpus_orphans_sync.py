# Generated from test_corpus_orphans_async.py by tools/unasync.py: edit that file and run the tool again.
"""K-6: chunks whose vectors another store keeps, and what is done when it keeps them no more."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ragstore import Store
from ragstore.core._face_sync import each
from ragstore.corpus.records import OrphanReport
from ragstore.errors import InvalidInput, NotFound, ReadOnlyError
from ragstore.testing.factories import chunk, document
from tests.conformance.support import Database, watching

HOSTILE = "Ä'; DROP TABLE rag_chunk; --\U0001f600%_\\\n\r{}"


def pass_by() -> None:
    """Let a millisecond of the database's clock pass: what was changed in that of the call is left alone."""
    time.sleep(0.003)


def fill(store: Store, collection: str = "docs", documents: int = 3, each_has: int = 4) -> list[str]:
    """Put documents whose chunks have ids of another store, but for one each that has none; give the ids."""
    store.collections.ensure(collection)
    ids = []
    for number in range(documents):
        own = [f"v-{number}-{place}" for place in range(each_has)]
        pieces = [chunk(f"text {one}", dimensions=None, embedding_id=one) for one in own]
        store.documents.put(collection, document(number), [*pieces, f"bare {number}"])
        ids += own
    pass_by()
    return ids


def kept(store: Store, collection: str = "docs") -> list[str]:
    """Give the ids that chunks have, "-" for a chunk without."""
    return sorted([found.embedding_id or "-" for found in store.chunks.export(collection)])


def stream(ids: Iterable[str]) -> Iterator[str]:
    """Give ids one by one, in the face's own kind of iterator."""
    for one in each(ids):
        yield one


def report(checked: int, orphans: int, deleted: int) -> OrphanReport:
    return OrphanReport(checked=checked, orphans=orphans, deleted=deleted)


def test_orphans_go(store: Store, db: Database) -> None:
    """K-6: chunks whose id did not come, and no others: none without an id, of another collection or tenant."""
    other = store.for_tenant("other")
    ids = fill(store)
    fill(store, "others")
    fill(other)
    active = [one for one in ids if not one.endswith(("-1", "-3"))]
    assert store.chunks.delete_orphans("docs", stream(active)) == report(12, 6, 6)
    assert kept(store) == sorted([*active, "-", "-", "-"])
    assert kept(store, "others") == kept(other) == sorted([*ids, "-", "-", "-"])
    assert {found.chunk_count for found in store.documents.export("docs")} == {3}
    assert db.words() == db.scalar("SELECT count(*) FROM rag_chunk")
    pass_by()
    assert store.chunks.delete_orphans("docs", active) == report(6, 0, 0)


def test_a_put_brings_a_deleted_chunk_back(store: Store) -> None:
    """K-6: as after any deletion of a chunk."""
    fill(store, documents=1, each_has=2)
    store.chunks.delete_orphans("docs", ["v-0-0"])
    pieces = [chunk(f"text v-0-{place}", dimensions=None, embedding_id=f"v-0-{place}") for place in range(2)]
    again = store.documents.put("docs", document(0), [*pieces, "bare 0"])
    assert (again.added, again.unchanged) == (1, 2)


def test_a_dry_run_counts(store: Store, db: Database) -> None:
    """K-6: and deletes nothing, in the documents' counts as little as in the chunks."""
    ids = fill(store)
    before = db.versions()
    assert store.chunks.delete_orphans("docs", ids[:5], dry_run=True) == report(12, 7, 0)
    after = db.versions()
    before.pop("file", None), after.pop("file", None)
    assert after == before


@pytest.mark.parametrize("dry_run", [True, False])
def test_an_empty_stream_is_refused(store: Store, dry_run: bool) -> None:
    """K-6: it would delete all, so it has to be said."""
    fill(store)
    empty: list[str] = []
    for nothing in (empty, stream(empty)):
        with pytest.raises(InvalidInput, match="allow_empty"):
            store.chunks.delete_orphans("docs", nothing, dry_run=dry_run)
    assert store.chunks.count("docs") == 15
    assert store.chunks.delete_orphans("docs", [], allow_empty=True).deleted == 12
    assert kept(store) == ["-"] * 3


@pytest.mark.parametrize("batch_size", [1, 5, 12, 1000])
def test_deletion_in_batches(store: Store, batch_size: int) -> None:
    """K-6: so many a statement, across documents and within one."""
    fill(store)
    with watching(store) as seen:
        found = store.chunks.delete_orphans("docs", ["x"], batch_size=batch_size)
    assert found == report(12, 12, 12)
    deletions = [statement for statement, _ in seen if re.match(r"DELETE FROM (\S+\.)?rag_chunk\b", statement)]
    assert len(deletions) == 12 // batch_size + 1


def test_ids_are_compared_letter_for_letter(store: Store) -> None:
    """K-6: hostile and Unicode ids, ids given twice, and ids that nothing here has."""
    ids = [HOSTILE, "", " ", "a", "A", "\u00e4", "a\u0308", "x" * 255, "\U0001f600" * 63]
    store.collections.ensure("docs")
    pieces = [chunk(f"text {n}", dimensions=None, embedding_id=one) for n, one in enumerate(ids)]
    store.documents.put("docs", document(), pieces)
    pass_by()
    assert store.chunks.delete_orphans("docs", [*ids, *ids, "else"]).orphans == 0
    active = [HOSTILE, HOSTILE, "", "a", "a\u0308", "x" * 255]
    assert store.chunks.delete_orphans("docs", active, dry_run=True).orphans == 4
    assert store.chunks.delete_orphans("docs", active).deleted == 4
    left = {found.embedding_id for found in store.chunks.export("docs")}
    assert left == set(active)


@pytest.mark.parametrize("ids", ["v-0-0", b"v", {"ids": ["v-0-0"]}, 7, None], ids=repr)
def test_what_is_no_stream_of_ids(store: Store, ids: Any) -> None:
    """K-6: a text's letters or a dict's keys would be taken for ids, and everything deleted."""
    fill(store)
    with pytest.raises(InvalidInput, match="active_ids"):
        store.chunks.delete_orphans("docs", ids)
    assert store.chunks.count("docs") == 15


@pytest.mark.parametrize("bad", [None, 7, b"v", "a\0b", "\ud800", "ä" * 128])
def test_a_bad_id_is_named(store: Store, bad: Any) -> None:
    """K-6: with its place in the stream, and nothing is deleted."""
    ids = fill(store)
    with pytest.raises(InvalidInput, match="item 1: active_ids") as caught:
        store.chunks.delete_orphans("docs", [ids[0], bad])
    assert caught.value.index == 1
    assert store.chunks.count("docs") == 15


def test_other_bad_values(store: Store) -> None:
    """K-6: refused before the stream is touched."""
    fill(store)
    ids = stream(["x"])
    for options in ({"batch_size": 0}, {"batch_size": 10_001}, {"as_of": datetime.fromisoformat("2026-01-01")}):
        with pytest.raises(InvalidInput):
            store.chunks.delete_orphans("docs", ids, **options)
    with pytest.raises(NotFound):
        store.chunks.delete_orphans("none", ids)
    assert [one for one in ids] == ["x"]


def test_a_stream_that_fails(store: Store) -> None:
    """K-6: its error is the host's own; nothing is deleted, and the next call works."""
    ids = fill(store)

    def breaking() -> Iterator[str]:
        yield ids[0]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.chunks.delete_orphans("docs", breaking())
    assert store.chunks.count("docs") == 15
    assert store.chunks.delete_orphans("docs", ids[:-1]).deleted == 1


def test_no_transaction_is_open_while_the_stream_runs(store: Store) -> None:
    """K-6: the other store may be slow, and writers do not wait for it; what they write meanwhile is left alone."""
    ids = fill(store)

    def slow() -> Iterator[str]:
        yield ids[0]
        new = chunk("a new text", dimensions=None, embedding_id="too late")
        store.documents.put("docs", document(99), [new])
        store.documents.put("docs", document(0), [chunk("changed", dimensions=None, embedding_id="late")])
        yield ids[1]

    assert store.chunks.delete_orphans("docs", slow()) == report(8, 8, 8)
    assert kept(store) == ["-", "-", "late", "too late"]


def test_a_list_of_an_earlier_time(store: Store) -> None:
    """K-6: documents that changed since are left alone; a time to come counts for now."""
    ids = fill(store)
    (found, *_) = [one for one in store.documents.export("docs")]
    long_ago = found.updated_at - timedelta(hours=1)
    assert store.chunks.delete_orphans("docs", ["x"], as_of=long_ago) == report(0, 0, 0)
    assert store.chunks.delete_orphans("docs", ["x"], as_of=found.updated_at, dry_run=True) == report(0, 0, 0)
    to_come = datetime.now(UTC) + timedelta(days=1)

    def late() -> Iterator[str]:
        store.documents.put("docs", document(99), [chunk("n", dimensions=None, embedding_id="n")])
        yield ids[0]

    assert store.chunks.delete_orphans("docs", late(), as_of=to_come) == report(12, 11, 11)
    assert kept(store) == ["-", "-", "-", "n", ids[0]]


def test_orphans_are_part_of_the_unit(store: Store, db: Database) -> None:
    """K-6: with its rollback, several in one unit, after its own writes; a read-only unit refuses it."""
    ids = fill(store)
    before = db.counts()
    with pytest.raises(ZeroDivisionError):
        with store.begin() as unit:
            assert unit.chunks.delete_orphans("docs", ids[:5], dry_run=True).orphans == 7
            assert unit.chunks.delete_orphans("docs", ids[5:]).deleted == 5
            raise ZeroDivisionError
    assert db.counts() == before
    with pytest.raises(ReadOnlyError):
        with store.begin(read_only=True) as unit:
            unit.chunks.delete_orphans("docs", ids, dry_run=True)
    with store.begin() as unit:
        unit.chunks.delete_orphans("docs", ids[:5])
    assert len(kept(store)) == 5 + 3


def test_a_bad_stream_leaves_the_unit_usable(store: Store) -> None:
    """K-6: an error of the stream inside a unit is the host's to catch."""
    ids = fill(store)
    with store.begin() as unit:
        with pytest.raises(InvalidInput):
            unit.chunks.delete_orphans("docs", [None])  # type: ignore[list-item]
        assert unit.chunks.delete_orphans("docs", ids[1:]).deleted == 1


def test_again_and_again_on_one_connection(store: Store) -> None:
    """K-6: the table is made anew each time, also under statements that the driver has prepared."""
    ids = fill(store)
    for size in range(len(ids), 0, -1):
        assert store.chunks.delete_orphans("docs", ids[:size]).deleted == (size < len(ids))
        pass_by()
    assert kept(store) == ["-", "-", "-", ids[0]]
