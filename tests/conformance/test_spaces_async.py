"""Embedding spaces: begun, filled, activated, rolled back, reclaimed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from ragstore import AsyncStore, NewChunk
from ragstore.core._face_async import sleep
from ragstore.errors import Conflict, DimensionMismatch, InvalidInput, NotFound, UsageError
from ragstore.testing.factories import MODEL, Embedder, chunk, chunks, document, vector
from tests.conformance.support import Database, async_together, run_calls, watching

pytestmark = pytest.mark.anyio

NEW = "new-model"
WIDTH = 16


async def filled(store: AsyncStore, documents: int = 3, each: int = 4) -> None:
    """Make a collection whose chunks have vectors in its one space."""
    await store.collections.ensure("docs", model=MODEL, dimensions=8)
    await store.documents.load("docs", [(document(n), chunks(each, of=n)) for n in range(documents)])


# ---------------------------------------------------------------------------------------- K-15, spaces are data


async def test_a_model_is_added_as_a_row(async_store: AsyncStore, db: Database) -> None:
    """K-15: a space is a row; searches do not see it."""
    await filled(async_store)
    space = await async_store.spaces.begin("docs", NEW, WIDTH, metric="l2")
    assert (space.model, space.dimensions, space.metric, space.state) == (NEW, WIDTH, "l2", "building")
    assert db.counts()["rag_embedding_space"] == 2
    assert await async_store.spaces.get(space.id) == space
    assert await async_store.spaces.get(str(space.id)) == space
    collection = await async_store.collections.get("docs")
    assert collection.space is not None
    assert (collection.space.model, collection.building) == (MODEL, space)
    assert await async_store.spaces.list("docs") == [collection.space, space]
    assert len(await async_store.chunks.search("docs", embedding=vector("x"))) == 10


@pytest.mark.parametrize(
    ("dimensions", "storage"), [(1, "vector"), (2000, "vector"), (2001, "halfvec"), (4000, "halfvec")]
)
async def test_storage_follows_from_the_dimensions(async_store: AsyncStore, dimensions: int, storage: str) -> None:
    """K-15: vector to 2,000, halfvec to 4,000; the record says which, and such vectors are stored and found."""
    await async_store.collections.ensure("docs")
    space = await async_store.spaces.begin("docs", NEW, dimensions)
    assert space.storage == storage
    await async_store.documents.put("docs", document(), ["some text"])
    embed = Embedder(dimensions)
    assert (await async_store.spaces.backfill("docs", embed)).embedded == 1
    await async_store.spaces.activate("docs")
    hits = await async_store.chunks.search("docs", embedding=embed(["some text"])[0])
    assert [round(hit.distance or 0.0, 3) for hit in hits] == [0.0]


@pytest.mark.parametrize("dimensions", [0, -1, 4001, True, 8.0, "8"])
async def test_other_dimensions_are_refused(async_store: AsyncStore, dimensions: Any) -> None:
    """K-15: more than 4,000 cannot be indexed, so they are refused, before any SQL."""
    await async_store.collections.ensure("docs")
    with watching(async_store) as seen:
        with pytest.raises(InvalidInput) as raised:
            await async_store.spaces.begin("docs", NEW, dimensions)
        with pytest.raises(InvalidInput):
            await async_store.collections.ensure("other", model=NEW, dimensions=dimensions)
    assert raised.value.field == "dimensions"
    assert seen == []


@pytest.mark.parametrize("values", [{"metric": "manhattan"}, {"model": ""}, {"model": "x" * 256}])
async def test_other_values_are_refused(async_store: AsyncStore, values: Any) -> None:
    await async_store.collections.ensure("docs")
    with pytest.raises(InvalidInput):
        await async_store.spaces.begin("docs", **{"model": NEW, "dimensions": 8, **values})


async def test_a_vector_of_another_length_is_refused_before_any_sql(async_store: AsyncStore) -> None:
    """K-15: `DimensionMismatch(expected, got)`."""
    await filled(async_store)
    await async_store.chunks.search("docs", embedding=vector("x"))
    with pytest.raises(DimensionMismatch) as raised:
        await async_store.chunks.search("docs", embedding=vector("x", dimensions=9))
    assert (raised.value.expected, raised.value.got) == (8, 9)
    with pytest.raises(DimensionMismatch) as raised:
        await async_store.documents.put("docs", document(9), [chunk("other", dimensions=7)])
    assert (raised.value.expected, raised.value.got, raised.value.index) == (8, 7, 0)
    assert await async_store.documents.find("docs", document(9).source) is None


async def test_one_space_is_filled_at_a_time(async_store: AsyncStore, db: Database) -> None:
    """K-16: of several that begin at once, one does."""
    await filled(async_store)

    async def begin() -> object:
        return await async_store.spaces.begin("docs", NEW, WIDTH)

    results = await async_together(*[begin] * 4)
    assert sorted(type(result).__name__ for result in results) == ["Conflict"] * 3 + ["EmbeddingSpace"]
    with pytest.raises(Conflict, match=NEW):
        await async_store.spaces.begin("docs", "third", WIDTH)
    assert db.counts()["rag_embedding_space"] == 2


async def test_ensure_says_what_to_do_about_another_model(async_store: AsyncStore) -> None:
    await filled(async_store)
    with pytest.raises(Conflict, match=r"spaces\.begin"):
        await async_store.collections.ensure("docs", model=NEW, dimensions=WIDTH)
    await async_store.spaces.begin("docs", NEW, WIDTH)
    with pytest.raises(Conflict, match=r"spaces\.activate"):
        await async_store.collections.ensure("docs", model=NEW, dimensions=WIDTH)
    await async_store.spaces.backfill("docs", Embedder(WIDTH))
    await async_store.spaces.activate("docs")
    ensured = await async_store.collections.ensure("docs", model=NEW, dimensions=WIDTH)
    assert ensured.space is not None
    assert ensured.space.model == NEW


async def test_what_is_not_there(async_store: AsyncStore) -> None:
    await async_store.collections.ensure("bare")
    spaces = async_store.spaces
    with pytest.raises(NotFound):
        await spaces.get(uuid4())
    with pytest.raises(NotFound):
        await spaces.list("absent")
    with pytest.raises(NotFound):
        await spaces.begin("absent", NEW, 8)
    with pytest.raises(NotFound):
        await spaces.activate("absent")
    with pytest.raises(NotFound):
        await spaces.coverage("bare", space=uuid4())
    with pytest.raises(InvalidInput, match="no active embedding space"):
        await spaces.coverage("bare")
    for call in (spaces.activate, spaces.rollback, spaces.abandon):
        with pytest.raises(Conflict):
            await call("bare")
    with pytest.raises(Conflict, match=r"spaces\.begin"):
        await spaces.backfill("bare", Embedder(8))
    assert await spaces.list("bare") == []


async def test_spaces_are_the_tenants_own(async_store: AsyncStore) -> None:
    await filled(async_store)
    space = (await async_store.spaces.list("docs"))[0]
    other = async_store.for_tenant("other")
    await other.collections.ensure("docs")
    with pytest.raises(NotFound):
        await other.spaces.get(space.id)
    with pytest.raises(NotFound):
        await other.spaces.coverage("docs", space=space.id)


# ---------------------------------------------------------------------------------------- K-16, backfill


async def test_backfill_gives_every_chunk_a_vector(async_store: AsyncStore, db: Database) -> None:
    """K-16: each text once, in batches, in the order of ids; the report and the callback say how far it is."""
    await filled(async_store)
    space = await async_store.spaces.begin("docs", NEW, WIDTH)
    before = await async_store.spaces.coverage("docs")
    assert (before.space_id, before.chunks, before.embedded, before.missing, before.ratio) == (space.id, 12, 0, 12, 0.0)
    embed = Embedder(WIDTH)
    told: list[tuple[int, int]] = []
    report = await async_store.spaces.backfill(
        "docs", embed, batch_size=5, progress=lambda done, total: told.append((done, total))
    )
    assert (report.space_id, report.embedded, report.remaining) == (space.id, 12, 0)
    assert [len(batch) for batch in embed.batches] == [5, 5, 2]
    assert told == [(5, 12), (10, 12), (12, 12)]
    ordered = [row[0] for row in db.execute("SELECT content FROM rag_chunk ORDER BY id")]
    assert embed.texts == ordered
    after = await async_store.spaces.coverage("docs")
    assert (after.embedded, after.missing, after.ratio) == (12, 0, 1.0)
    again = await async_store.spaces.backfill("docs", embed)
    assert (again.embedded, len(embed.batches)) == (0, 3)


async def test_no_transaction_is_open_while_the_model_runs(async_store: AsyncStore, db: Database) -> None:
    """K-16: another connection can write between a batch's reading and its writing."""
    await filled(async_store)
    await async_store.spaces.begin("docs", NEW, WIDTH)
    model = Embedder(WIDTH)

    def embed(texts: Any) -> Any:
        db.execute("UPDATE rag_collection SET analyzed_chunks = analyzed_chunks + 1")
        return model(texts)

    assert (await async_store.spaces.backfill("docs", embed)).embedded == 12


async def test_a_stopped_backfill_goes_on_where_it_was(async_store: AsyncStore) -> None:
    """K-16: resumable; what was written before a failure stays, and is not asked for again."""
    await filled(async_store)
    await async_store.spaces.begin("docs", NEW, WIDTH)
    model = Embedder(WIDTH)

    def failing(texts: Any) -> Any:
        if len(model.batches) == 2:
            raise RuntimeError("the model is gone")
        return model(texts)

    with pytest.raises(RuntimeError, match="the model is gone"):
        await async_store.spaces.backfill("docs", failing, batch_size=4)
    assert (await async_store.spaces.coverage("docs")).embedded == 8
    assert (await async_store.spaces.backfill("docs", model, batch_size=4)).embedded == 4
    assert len(set(model.texts)) == len(model.texts) == 12


async def test_chunks_that_slip_in_behind_are_found(async_store: AsyncStore, db: Database) -> None:
    """K-16: ids are made by clients, so a new chunk's may be less than those that the backfill has been past."""
    await filled(async_store)
    await async_store.spaces.begin("docs", NEW, WIDTH)
    await async_store.spaces.backfill("docs", Embedder(WIDTH))
    space = (await async_store.spaces.list("docs"))[1].id
    db.execute(
        "DELETE FROM rag_embedding WHERE space_id = :space"
        " AND chunk_id IN (SELECT id FROM rag_chunk ORDER BY id LIMIT 2)",
        space=space if db.kind == "postgresql" else space.hex,
    )
    report = await async_store.spaces.backfill("docs", Embedder(WIDTH))
    assert (report.embedded, report.remaining) == (2, 0)


async def test_chunks_deleted_meanwhile_are_passed_over(async_store: AsyncStore) -> None:
    """K-16: the model has their texts already, and nothing fails."""
    await filled(async_store)
    await async_store.spaces.begin("docs", NEW, WIDTH)
    model = Embedder(WIDTH)

    async def embed(texts: Any) -> Any:
        await async_store.documents.delete("docs", document(1).source)
        return model(texts)

    report = await async_store.spaces.backfill("docs", embed)
    assert (report.embedded, report.remaining) == (8, 0)


async def test_two_backfills_at_once(async_store: AsyncStore) -> None:
    """K-16: safe; together they write each vector once."""
    await filled(async_store, documents=10, each=10)
    await async_store.spaces.begin("docs", NEW, WIDTH)

    async def fill() -> Any:
        return await async_store.spaces.backfill("docs", Embedder(WIDTH), batch_size=7)

    reports = run_calls(await async_together(*[fill] * 3))
    assert sum(report.embedded for report in reports) == 100
    assert (await async_store.spaces.coverage("docs")).missing == 0


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda texts: [vector(text, dimensions=15) for text in texts], DimensionMismatch),
        (lambda texts: [vector(text, dimensions=16) for text in texts][1:], InvalidInput),
        (lambda texts: [[float("nan")] * 16 for _ in texts], InvalidInput),
    ],
)
async def test_a_models_wrong_answer_is_refused(async_store: AsyncStore, answer: Any, error: Any) -> None:
    await filled(async_store)
    await async_store.spaces.begin("docs", NEW, WIDTH)
    with pytest.raises(error) as raised:
        await async_store.spaces.backfill("docs", answer)
    assert raised.value.field == "embed"
    assert (await async_store.spaces.coverage("docs")).embedded == 0


async def test_a_named_space_is_filled(async_store: AsyncStore) -> None:
    """A chunk that was stored without a vector gets one in the active space."""
    await filled(async_store)
    await async_store.documents.put("docs", document(7), ["no vector"])
    active = (await async_store.spaces.list("docs"))[0]
    assert (await async_store.spaces.coverage("docs")).missing == 1
    assert (await async_store.spaces.backfill("docs", Embedder(8), space=active.id)).embedded == 1


async def test_a_backfill_stops_when_its_space_is_given_up(async_store: AsyncStore) -> None:
    await filled(async_store)
    await async_store.spaces.begin("docs", NEW, WIDTH)

    async def embed(texts: Any) -> Any:
        await async_store.spaces.abandon("docs")
        return Embedder(WIDTH)(texts)

    with pytest.raises(Conflict, match="deleted while it was being filled"):
        await async_store.spaces.backfill("docs", embed)


# ---------------------------------------------------------------------------------------- K-16, the switch


async def test_activate_switches_and_rollback_switches_back(async_store: AsyncStore) -> None:
    """K-16: the same search, before and after; the store's own memory of the collection is renewed."""
    await filled(async_store)
    old = (await async_store.spaces.list("docs"))[0]
    space = await async_store.spaces.begin("docs", NEW, 8)
    await async_store.spaces.backfill("docs", lambda texts: [vector(("new", text)) for text in texts])
    text = chunks(1, of=1)[0].content
    best = (await async_store.chunks.search("docs", embedding=vector(text), limit=1))[0]
    assert best.content == text
    activated = await async_store.spaces.activate("docs")
    assert (activated.id, activated.state) == (space.id, "active")
    assert activated.activated_at is not None
    best = (await async_store.chunks.search("docs", embedding=vector(("new", text)), limit=1))[0]
    assert (best.content, round(best.distance or 0.0, 6)) == (text, 0.0)
    retired = await async_store.spaces.get(old.id)
    assert (retired.state, retired.retired_at is not None) == ("retired", True)
    back = await async_store.spaces.rollback("docs")
    assert (back.id, back.state, back.retired_at) == (old.id, "active", None)
    assert (await async_store.chunks.search("docs", embedding=vector(text), limit=1))[0].content == text
    assert (await async_store.spaces.rollback("docs")).id == space.id


async def test_activate_verifies_the_coverage(async_store: AsyncStore) -> None:
    """K-16: and says how many chunks lack a vector; fewer may do, if asked."""
    await filled(async_store)
    await async_store.spaces.begin("docs", NEW, WIDTH)
    with pytest.raises(Conflict, match="12 of 12 chunks"):
        await async_store.spaces.activate("docs")
    await async_store.spaces.backfill("docs", Embedder(WIDTH))
    await async_store.documents.put("docs", document(9), ["no vector", "nor this"])
    with pytest.raises(Conflict, match="2 of 14 chunks"):
        await async_store.spaces.activate("docs")
    for wrong in (-0.1, 1.1):
        with pytest.raises(InvalidInput):
            await async_store.spaces.activate("docs", require_coverage=wrong)
    assert (await async_store.spaces.activate("docs", require_coverage=0.8)).model == NEW


async def test_rollback_verifies_the_coverage(async_store: AsyncStore) -> None:
    """K-16: chunks written since have no vector in the old space; text alone finds them, if that is allowed."""
    await filled(async_store)
    await async_store.spaces.begin("docs", NEW, WIDTH)
    await async_store.spaces.backfill("docs", Embedder(WIDTH))
    await async_store.spaces.activate("docs")
    await async_store.documents.put("docs", document(9), ["a zebra"], embed=Embedder(WIDTH))
    with pytest.raises(Conflict, match="1 of 13 chunks"):
        await async_store.spaces.rollback("docs")
    back = await async_store.spaces.rollback("docs", allow_missing=True)
    assert back.model == MODEL
    hits = await async_store.chunks.search("docs", embedding=vector("x"), limit=100)
    assert len(hits) == 12
    assert [hit.content for hit in await async_store.chunks.search("docs", text="zebra")] == ["a zebra"]
    await async_store.spaces.backfill("docs", Embedder(8), space=back.id)
    assert len(await async_store.chunks.search("docs", embedding=vector("x"), limit=100)) == 13


async def test_the_first_space_of_a_collection(async_store: AsyncStore) -> None:
    await async_store.collections.ensure("docs")
    await async_store.documents.put("docs", document(), ["one", "two"])
    await async_store.spaces.begin("docs", NEW, WIDTH)
    await async_store.spaces.backfill("docs", Embedder(WIDTH))
    await async_store.spaces.activate("docs")
    assert len(await async_store.chunks.search("docs", embedding=vector("x", dimensions=WIDTH))) == 2
    with pytest.raises(Conflict, match="no earlier"):
        await async_store.spaces.rollback("docs")


async def test_a_switch_inside_a_unit(async_store: AsyncStore) -> None:
    """K-16: it is undone with the unit; what runs a model or takes several transactions is refused."""
    await filled(async_store)
    old = (await async_store.spaces.list("docs"))[0]

    async def switch() -> None:
        async with async_store.begin() as unit:
            await unit.spaces.begin("docs", NEW, WIDTH)
            await unit.spaces.activate("docs", require_coverage=0)
            raise KeyError

    with pytest.raises(KeyError):
        await switch()
    assert await async_store.spaces.list("docs") == [old]
    async with async_store.begin() as unit:
        await unit.spaces.begin("docs", NEW, WIDTH)
        with pytest.raises(UsageError):
            await unit.spaces.backfill("docs", Embedder(WIDTH))
        with pytest.raises(UsageError):
            await unit.spaces.reclaim("docs")
        with pytest.raises(UsageError):
            await unit.spaces.abandon("docs")
        with pytest.raises(UsageError):
            await unit.spaces.measure_recall("docs")
    assert len(await async_store.spaces.list("docs")) == 2


async def test_reclaim_deletes_what_has_been_retired_long_enough(async_store: AsyncStore, db: Database) -> None:
    """K-16: after a soak, with the vectors; never the active space or the one that is being filled."""
    await filled(async_store)
    await async_store.spaces.begin("docs", NEW, WIDTH)
    await async_store.spaces.backfill("docs", Embedder(WIDTH))
    await async_store.spaces.activate("docs")
    await async_store.spaces.begin("docs", "third", 4)
    assert await async_store.spaces.reclaim("docs") == 0
    assert await async_store.spaces.reclaim("docs", older_than=timedelta(hours=1)) == 0
    assert db.counts()["rag_embedding"] == 24
    assert await async_store.spaces.reclaim("docs", older_than=0) == 1
    assert [space.state for space in await async_store.spaces.list("docs")] == ["active", "building"]
    assert db.counts()["rag_embedding"] == 12
    with pytest.raises(Conflict):
        await async_store.spaces.rollback("docs")
    assert await async_store.spaces.reclaim("docs", older_than=0) == 0


async def test_vectors_are_reclaimed_in_bounded_batches(
    async_store: AsyncStore, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K-16: no one transaction deletes a whole space."""
    monkeypatch.setattr("ragstore.corpus.spaces.lifecycle.RECLAIMED_AT_ONCE", 5)
    await filled(async_store)
    await async_store.spaces.begin("docs", NEW, WIDTH)
    await async_store.spaces.backfill("docs", Embedder(WIDTH))
    with watching(async_store) as seen:
        await async_store.spaces.abandon("docs")
    deletions = [statement for statement, _ in seen if statement.startswith("DELETE") and "chunk_id" in statement]
    assert len(deletions) == 3
    assert [space.model for space in await async_store.spaces.list("docs")] == [MODEL]
    assert db.counts()["rag_embedding"] == 12


async def test_an_abandoned_space_is_never_gone_back_to(async_store: AsyncStore, db: Database) -> None:
    """K-16: a killed `abandon` leaves a retired space that was never active; `reclaim` deletes it at once."""
    await filled(async_store)
    await async_store.spaces.begin("docs", NEW, WIDTH)
    await async_store.spaces.abandon("docs")
    with pytest.raises(Conflict, match="no earlier"):
        await async_store.spaces.rollback("docs")
    space = await async_store.spaces.begin("docs", NEW, WIDTH)
    db.execute("UPDATE rag_embedding_space SET state = 'retired', retired_at = created_at WHERE state = 'building'")
    with pytest.raises(Conflict, match="no earlier"):
        await async_store.spaces.rollback("docs")
    assert (await async_store.spaces.get(space.id)).state == "retired"
    assert await async_store.spaces.reclaim("docs") == 1


async def test_a_writer_that_waited_for_the_switch_sees_the_new_space(async_store: AsyncStore, db: Database) -> None:
    """K-16: else it would go on writing to the space that was active when it asked for the lock."""
    if db.kind == "sqlite":
        pytest.skip("one writer at a time: none reads before it has the lock")
    await filled(async_store)
    await async_store.spaces.begin("docs", NEW, 8)
    await async_store.spaces.backfill("docs", lambda texts: [vector(("new", text)) for text in texts])

    switched: list[bool] = []

    async def switch() -> None:
        async with async_store.begin() as unit:
            await unit.spaces.activate("docs")
            switched.append(True)
            await async_waiting(db)

    async def write() -> Any:
        while not switched:
            await sleep(0.01)
        return await async_store.documents.put(
            "docs", document(9), [NewChunk(content="late", embedding=vector("late"))]
        )

    run_calls(await async_together(switch, write))
    assert (await async_store.spaces.coverage("docs")).missing == 0


async def async_waiting(db: Database) -> None:
    """Wait until somebody waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    for _ in range(3000):
        if db.scalar(waiting):
            return
        await sleep(0.02)
    raise AssertionError("nobody waits")
