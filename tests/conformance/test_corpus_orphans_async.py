"""K-6: chunks whose vectors another store keeps, and what is done when it keeps them no more."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ragstore import AsyncStore
from ragstore.core._face_async import each
from ragstore.corpus.records import OrphanReport
from ragstore.errors import InvalidInput, NotFound, ReadOnlyError
from ragstore.testing.factories import chunk, document
from tests.conformance.support import Database, watching

pytestmark = pytest.mark.anyio

HOSTILE = "Ä'; DROP TABLE rag_chunk; --\U0001f600%_\\\n\r{}"


def pass_by() -> None:
    """Let a millisecond of the database's clock pass: what was changed in that of the call is left alone."""
    time.sleep(0.003)


async def fill(store: AsyncStore, collection: str = "docs", documents: int = 3, each_has: int = 4) -> list[str]:
    """Put documents whose chunks have ids of another store, but for one each that has none; give the ids."""
    await store.collections.ensure(collection)
    ids = []
    for number in range(documents):
        own = [f"v-{number}-{place}" for place in range(each_has)]
        pieces = [chunk(f"text {one}", dimensions=None, embedding_id=one) for one in own]
        await store.documents.put(collection, document(number), [*pieces, f"bare {number}"])
        ids += own
    pass_by()
    return ids


async def kept(store: AsyncStore, collection: str = "docs") -> list[str]:
    """Give the ids that chunks have, "-" for a chunk without."""
    return sorted([found.embedding_id or "-" async for found in store.chunks.export(collection)])


async def stream(ids: Iterable[str]) -> AsyncIterator[str]:
    """Give ids one by one, in the face's own kind of iterator."""
    async for one in each(ids):
        yield one


def report(checked: int, orphans: int, deleted: int) -> OrphanReport:
    return OrphanReport(checked=checked, orphans=orphans, deleted=deleted)


async def test_orphans_go(async_store: AsyncStore, db: Database) -> None:
    """K-6: chunks whose id did not come, and no others: none without an id, of another collection or tenant."""
    other = async_store.for_tenant("other")
    ids = await fill(async_store)
    await fill(async_store, "others")
    await fill(other)
    active = [one for one in ids if not one.endswith(("-1", "-3"))]
    assert await async_store.chunks.delete_orphans("docs", stream(active)) == report(12, 6, 6)
    assert await kept(async_store) == sorted([*active, "-", "-", "-"])
    assert await kept(async_store, "others") == await kept(other) == sorted([*ids, "-", "-", "-"])
    assert {found.chunk_count async for found in async_store.documents.export("docs")} == {3}
    assert db.words() == db.scalar("SELECT count(*) FROM rag_chunk")
    pass_by()
    assert await async_store.chunks.delete_orphans("docs", active) == report(6, 0, 0)


async def test_a_put_brings_a_deleted_chunk_back(async_store: AsyncStore) -> None:
    """K-6: as after any deletion of a chunk."""
    await fill(async_store, documents=1, each_has=2)
    await async_store.chunks.delete_orphans("docs", ["v-0-0"])
    pieces = [chunk(f"text v-0-{place}", dimensions=None, embedding_id=f"v-0-{place}") for place in range(2)]
    again = await async_store.documents.put("docs", document(0), [*pieces, "bare 0"])
    assert (again.added, again.unchanged) == (1, 2)


async def test_a_dry_run_counts(async_store: AsyncStore, db: Database) -> None:
    """K-6: and deletes nothing, in the documents' counts as little as in the chunks."""
    ids = await fill(async_store)
    before = db.versions()
    assert await async_store.chunks.delete_orphans("docs", ids[:5], dry_run=True) == report(12, 7, 0)
    after = db.versions()
    before.pop("file", None), after.pop("file", None)
    assert after == before


@pytest.mark.parametrize("dry_run", [True, False])
async def test_an_empty_stream_is_refused(async_store: AsyncStore, dry_run: bool) -> None:
    """K-6: it would delete all, so it has to be said."""
    await fill(async_store)
    empty: list[str] = []
    for nothing in (empty, stream(empty)):
        with pytest.raises(InvalidInput, match="allow_empty"):
            await async_store.chunks.delete_orphans("docs", nothing, dry_run=dry_run)
    assert await async_store.chunks.count("docs") == 15
    assert (await async_store.chunks.delete_orphans("docs", [], allow_empty=True)).deleted == 12
    assert await kept(async_store) == ["-"] * 3


@pytest.mark.parametrize("batch_size", [1, 5, 12, 1000])
async def test_deletion_in_batches(async_store: AsyncStore, batch_size: int) -> None:
    """K-6: so many a statement, across documents and within one."""
    await fill(async_store)
    with watching(async_store) as seen:
        found = await async_store.chunks.delete_orphans("docs", ["x"], batch_size=batch_size)
    assert found == report(12, 12, 12)
    deletions = [statement for statement, _ in seen if re.match(r"DELETE FROM (\S+\.)?rag_chunk\b", statement)]
    assert len(deletions) == 12 // batch_size + 1


async def test_ids_are_compared_letter_for_letter(async_store: AsyncStore) -> None:
    """K-6: hostile and Unicode ids, ids given twice, and ids that nothing here has."""
    ids = [HOSTILE, "", " ", "a", "A", "\u00e4", "a\u0308", "x" * 255, "\U0001f600" * 63]
    await async_store.collections.ensure("docs")
    pieces = [chunk(f"text {n}", dimensions=None, embedding_id=one) for n, one in enumerate(ids)]
    await async_store.documents.put("docs", document(), pieces)
    pass_by()
    assert (await async_store.chunks.delete_orphans("docs", [*ids, *ids, "else"])).orphans == 0
    active = [HOSTILE, HOSTILE, "", "a", "a\u0308", "x" * 255]
    assert (await async_store.chunks.delete_orphans("docs", active, dry_run=True)).orphans == 4
    assert (await async_store.chunks.delete_orphans("docs", active)).deleted == 4
    left = {found.embedding_id async for found in async_store.chunks.export("docs")}
    assert left == set(active)


@pytest.mark.parametrize("ids", ["v-0-0", b"v", {"ids": ["v-0-0"]}, 7, None], ids=repr)
async def test_what_is_no_stream_of_ids(async_store: AsyncStore, ids: Any) -> None:
    """K-6: a text's letters or a dict's keys would be taken for ids, and everything deleted."""
    await fill(async_store)
    with pytest.raises(InvalidInput, match="active_ids"):
        await async_store.chunks.delete_orphans("docs", ids)
    assert await async_store.chunks.count("docs") == 15


@pytest.mark.parametrize("bad", [None, 7, b"v", "a\0b", "\ud800", "ä" * 128])
async def test_a_bad_id_is_named(async_store: AsyncStore, bad: Any) -> None:
    """K-6: with its place in the stream, and nothing is deleted."""
    ids = await fill(async_store)
    with pytest.raises(InvalidInput, match="item 1: active_ids") as caught:
        await async_store.chunks.delete_orphans("docs", [ids[0], bad])
    assert caught.value.index == 1
    assert await async_store.chunks.count("docs") == 15


async def test_other_bad_values(async_store: AsyncStore) -> None:
    """K-6: refused before the stream is touched."""
    await fill(async_store)
    ids = stream(["x"])
    for options in ({"batch_size": 0}, {"batch_size": 10_001}, {"as_of": datetime.fromisoformat("2026-01-01")}):
        with pytest.raises(InvalidInput):
            await async_store.chunks.delete_orphans("docs", ids, **options)
    with pytest.raises(NotFound):
        await async_store.chunks.delete_orphans("none", ids)
    assert [one async for one in ids] == ["x"]


async def test_a_stream_that_fails(async_store: AsyncStore) -> None:
    """K-6: its error is the host's own; nothing is deleted, and the next call works."""
    ids = await fill(async_store)

    async def breaking() -> AsyncIterator[str]:
        yield ids[0]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await async_store.chunks.delete_orphans("docs", breaking())
    assert await async_store.chunks.count("docs") == 15
    assert (await async_store.chunks.delete_orphans("docs", ids[:-1])).deleted == 1


async def test_no_transaction_is_open_while_the_stream_runs(async_store: AsyncStore) -> None:
    """K-6: the other store may be slow, and writers do not wait for it; what they write meanwhile is left alone."""
    ids = await fill(async_store)

    async def slow() -> AsyncIterator[str]:
        yield ids[0]
        new = chunk("a new text", dimensions=None, embedding_id="too late")
        await async_store.documents.put("docs", document(99), [new])
        await async_store.documents.put("docs", document(0), [chunk("changed", dimensions=None, embedding_id="late")])
        yield ids[1]

    assert await async_store.chunks.delete_orphans("docs", slow()) == report(8, 8, 8)
    assert await kept(async_store) == ["-", "-", "late", "too late"]


async def test_a_list_of_an_earlier_time(async_store: AsyncStore) -> None:
    """K-6: documents that changed since are left alone; a time to come counts for now."""
    ids = await fill(async_store)
    (found, *_) = [one async for one in async_store.documents.export("docs")]
    long_ago = found.updated_at - timedelta(hours=1)
    assert await async_store.chunks.delete_orphans("docs", ["x"], as_of=long_ago) == report(0, 0, 0)
    assert await async_store.chunks.delete_orphans("docs", ["x"], as_of=found.updated_at, dry_run=True) == report(
        0, 0, 0
    )
    to_come = datetime.now(UTC) + timedelta(days=1)

    async def late() -> AsyncIterator[str]:
        await async_store.documents.put("docs", document(99), [chunk("n", dimensions=None, embedding_id="n")])
        yield ids[0]

    assert await async_store.chunks.delete_orphans("docs", late(), as_of=to_come) == report(12, 11, 11)
    assert await kept(async_store) == ["-", "-", "-", "n", ids[0]]


async def test_orphans_are_part_of_the_unit(async_store: AsyncStore, db: Database) -> None:
    """K-6: with its rollback, several in one unit, after its own writes; a read-only unit refuses it."""
    ids = await fill(async_store)
    before = db.counts()
    with pytest.raises(ZeroDivisionError):
        async with async_store.begin() as unit:
            assert (await unit.chunks.delete_orphans("docs", ids[:5], dry_run=True)).orphans == 7
            assert (await unit.chunks.delete_orphans("docs", ids[5:])).deleted == 5
            raise ZeroDivisionError
    assert db.counts() == before
    with pytest.raises(ReadOnlyError):
        async with async_store.begin(read_only=True) as unit:
            await unit.chunks.delete_orphans("docs", ids, dry_run=True)
    async with async_store.begin() as unit:
        await unit.chunks.delete_orphans("docs", ids[:5])
    assert len(await kept(async_store)) == 5 + 3


async def test_a_bad_stream_leaves_the_unit_usable(async_store: AsyncStore) -> None:
    """K-6: an error of the stream inside a unit is the host's to catch."""
    ids = await fill(async_store)
    async with async_store.begin() as unit:
        with pytest.raises(InvalidInput):
            await unit.chunks.delete_orphans("docs", [None])  # type: ignore[list-item]
        assert (await unit.chunks.delete_orphans("docs", ids[1:])).deleted == 1


async def test_again_and_again_on_one_connection(async_store: AsyncStore) -> None:
    """K-6: the table is made anew each time, also under statements that the driver has prepared."""
    ids = await fill(async_store)
    for size in range(len(ids), 0, -1):
        assert (await async_store.chunks.delete_orphans("docs", ids[:size])).deleted == (size < len(ids))
        pass_by()
    assert await kept(async_store) == ["-", "-", "-", ids[0]]
