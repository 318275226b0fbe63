"""Lexical statistics: generations of weights, made anew in batches, and the languages that documents bring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ragstore import AsyncStore, NewChunk, NewDocument
from ragstore.corpus.collections import statistics
from ragstore.errors import ConcurrencyError
from ragstore.testing.factories import document
from tests.conformance.support import Database, async_together, run_calls

pytestmark = pytest.mark.anyio


class Stop(BaseException):
    """As if the process had been killed here."""


@pytest.fixture
async def docs(async_store: AsyncStore) -> str:
    return (await async_store.collections.ensure("docs")).name


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "WEIGHED_AT_ONCE", 10)


def long_documents(count: int, *, start: int = 0) -> list[tuple[NewDocument, list[NewChunk | str]]]:
    words = [f"word{i}" for i in range(40)]
    return [(document(i), [f"{' '.join(words[i % 7 :])} {i}", f"short {i}"]) for i in range(start, start + count)]


def weights(db: Database) -> dict[str, str]:
    found = db.execute("SELECT c.content, t.weights::text FROM rag_chunk_terms t JOIN rag_chunk c ON c.id = t.chunk_id")
    return dict(found)


def stale(db: Database) -> int:
    return int(
        db.scalar(
            "SELECT count(*) FROM rag_chunk_terms t JOIN rag_collection c ON c.id = t.collection_id"
            " WHERE t.generation <> c.generation"
        )
    )


@contextmanager
def stopping_after(batches: int, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Iterator[None]:
    """Let so many batches of weights be made, and stop inside the next one."""
    weigh, begun = statistics.weigh_batch, 0

    def stopped(*arguments: Any) -> Any:
        nonlocal begun
        begun += 1
        done = yield from weigh(*arguments)
        if begun > batches:
            raise error
        return done

    with monkeypatch.context() as patch:
        patch.setattr(statistics, "weigh_batch", stopped)
        yield


async def drift(store: AsyncStore, collection: str) -> None:
    """Fill a collection with short chunks, and then with long ones inside a unit, which leaves the weights alone."""
    await store.documents.load(collection, [(document(1000), ["a b", "c d"])])
    async with store.begin() as unit:
        await unit.documents.load(collection, long_documents(30))


@pytest.mark.usefixtures("small_batches")
async def test_a_drift_is_a_new_generation(async_store: AsyncStore, docs: str, db: Database) -> None:
    """The statistics and weights are those that a load into a new collection has in the end."""
    await drift(async_store, docs)
    before = await async_store.collections.get(docs)
    analyzed = await async_store.collections.analyze(docs)
    assert analyzed.average_length == pytest.approx(19.5, abs=0.1)
    if db.kind == "postgresql":  # postings hold no weights, so a unit may set the average at once
        assert analyzed.generation == before.generation + 1
        assert stale(db) == 0
        found = weights(db)
        await async_store.collections.delete(docs)
        await async_store.collections.ensure(docs)
        db.execute("UPDATE rag_collection SET average_length = :average", average=analyzed.average_length)
        await async_store.documents.load(docs, [(document(1000), ["a b", "c d"]), *long_documents(30)])
        assert weights(db) == found


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("batches", [0, 1, 4])
async def test_what_was_cut_off_is_gone_on_with(
    async_store: AsyncStore, docs: str, db: Database, batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch is kept as a whole or not at all, and the next analysis makes the others."""
    if not async_store.collections._backend.stores_weights:
        pytest.skip("postings hold no weights")
    await drift(async_store, docs)
    with stopping_after(batches, monkeypatch, Stop()), pytest.raises(Stop):
        await async_store.collections.analyze(docs)
    assert stale(db) == 62 - 10 * batches
    assert len(await async_store.chunks.search(docs, text="word20", limit=100)) == 30
    generation = (await async_store.collections.get(docs)).generation
    assert (await async_store.collections.analyze(docs)).generation == generation  # the average has not moved since
    assert stale(db) == 0


@pytest.mark.usefixtures("small_batches")
async def test_a_put_goes_on_a_little(
    async_store: AsyncStore, docs: str, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No single put pays for all of it."""
    if not async_store.collections._backend.stores_weights:
        pytest.skip("postings hold no weights")
    await drift(async_store, docs)
    with stopping_after(0, monkeypatch, Stop()), pytest.raises(Stop):
        await async_store.collections.analyze(docs)
    average = " ".join(f"x{n}" for n in range(19))
    left = [stale(db)]
    for i in range(4):
        await async_store.documents.put(docs, document(2000 + i), [f"{average} {i}"])
        left.append(stale(db))
    assert left == [62, 42, 22, 2, 0]


@pytest.mark.usefixtures("small_batches")
async def test_others_write_while_weights_are_made(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-3: puts and deletions of the same chunks meanwhile neither fail nor leave anything behind."""
    await drift(async_store, docs)
    changed = [(new, [*texts[:1], "another text"]) for new, texts in long_documents(10)]

    async def delete() -> None:
        for i in range(10, 20):
            await async_store.documents.delete(docs, f"doc-{i}.txt")

    results = await async_together(
        lambda: async_store.collections.analyze(docs),
        lambda: async_store.documents.load(docs, changed, commit_every=1),
        delete,
        lambda: async_store.collections.analyze(docs),
    )
    run_calls(results)
    await async_store.collections.analyze(docs)
    assert await async_store.chunks.count(docs) == db.words() == 2 + 20 + 20
    if db.kind == "postgresql":
        assert stale(db) == 0


async def test_inside_a_unit_it_is_all_the_units(async_store: AsyncStore, docs: str, db: Database) -> None:
    """Rolled back, nothing has changed; committed, all of it."""
    await drift(async_store, docs)
    before = await async_store.collections.get(docs)
    with pytest.raises(Stop):
        async with async_store.begin() as unit:
            await unit.documents.put(docs, document(3000), ["five words and no more"] * 9)
            assert (await unit.collections.analyze(docs)).analyzed_chunks == before.analyzed_chunks + 1
            raise Stop
    assert await async_store.collections.get(docs) == before
    async with async_store.begin() as unit:
        analyzed = await unit.collections.analyze(docs)
    assert await async_store.collections.get(docs) == analyzed
    if db.kind == "postgresql":
        assert stale(db) == 0


async def test_two_first_writers_do_not_wait_for_each_other(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-3: one gives the first average length, the other's weights are due to be made anew."""
    if not async_store.collections._backend.supports.concurrent_writers:
        pytest.skip("there is one writer at a time")
    async with async_store.begin() as first:
        await first.documents.put(docs, document(1), ["one two three"])
        report = await async_store.documents.put(docs, document(2), ["four five six seven eight"])
        assert report.added == 1
    await async_store.collections.analyze(docs)
    assert stale(db) == 0
    assert len(weights(db)) == 2


async def test_a_documents_language_is_the_collections_too(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-13: so that a query is analysed in it; each is noted once, and the rest of the collection's row stays."""
    assert (await async_store.collections.get(docs)).languages == ()
    await async_store.documents.put(docs, document(1, language="de"), ["Die Häuser"])
    await async_store.documents.load(
        docs, [(document(i, language=code), ["text"]) for i, code in enumerate(("fr", "de", "en", "fr"), 2)]
    )
    found = await async_store.collections.get(docs)
    assert (found.language, sorted(found.languages)) == ("en", ["de", "fr"])
    before = db.versions()["rag_collection"]
    await async_store.documents.put(docs, document(1, language="de"), ["Die Häuser"])
    assert db.versions()["rag_collection"] == before
    results = await async_together(
        *(
            lambda code=code, i=i: async_store.documents.put(docs, document(i, language=code), ["texte"])
            for i, code in enumerate(("it", "es", "pt", "nl"), 10)
        )
    )
    run_calls(results)
    assert sorted((await async_store.collections.get(docs)).languages) == ["de", "es", "fr", "it", "nl", "pt"]


async def test_a_put_that_fails_brings_no_language(
    async_store: AsyncStore, docs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConcurrencyError):
        async with async_store.begin() as unit:
            await unit.documents.put(docs, document(1, language="de"), ["Die Häuser"])
            raise ConcurrencyError("in between")
    assert (await async_store.collections.get(docs)).languages == ()
