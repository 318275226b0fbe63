# Generated from test_spaces_async.py by tools/unasync.py: edit that file and run the tool again.
"""Embedding spaces: begun, filled, activated, rolled back, reclaimed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from ragstore import NewChunk, Store
from ragstore.core._face_sync import sleep
from ragstore.errors import Conflict, DimensionMismatch, InvalidInput, NotFound, UsageError
from ragstore.testing.factories import MODEL, Embedder, chunk, chunks, document, vector
from tests.conformance.support import Database, run_calls, together, watching

NEW = "new-model"
WIDTH = 16


def filled(store: Store, documents: int = 3, each: int = 4) -> None:
    """Make a collection whose chunks have vectors in its one space."""
    store.collections.ensure("docs", model=MODEL, dimensions=8)
    store.documents.load("docs", [(document(n), chunks(each, of=n)) for n in range(documents)])


# ---------------------------------------------------------------------------------------- K-15, spaces are data


def test_a_model_is_added_as_a_row(store: Store, db: Database) -> None:
    """K-15: a space is a row; searches do not see it."""
    filled(store)
    space = store.spaces.begin("docs", NEW, WIDTH, metric="l2")
    assert (space.model, space.dimensions, space.metric, space.state) == (NEW, WIDTH, "l2", "building")
    assert db.counts()["rag_embedding_space"] == 2
    assert store.spaces.get(space.id) == space
    assert store.spaces.get(str(space.id)) == space
    collection = store.collections.get("docs")
    assert collection.space is not None
    assert (collection.space.model, collection.building) == (MODEL, space)
    assert store.spaces.list("docs") == [collection.space, space]
    assert len(store.chunks.search("docs", embedding=vector("x"))) == 10


@pytest.mark.parametrize(
    ("dimensions", "storage"), [(1, "vector"), (2000, "vector"), (2001, "halfvec"), (4000, "halfvec")]
)
def test_storage_follows_from_the_dimensions(store: Store, dimensions: int, storage: str) -> None:
    """K-15: vector to 2,000, halfvec to 4,000; the record says which, and such vectors are stored and found."""
    store.collections.ensure("docs")
    space = store.spaces.begin("docs", NEW, dimensions)
    assert space.storage == storage
    store.documents.put("docs", document(), ["some text"])
    embed = Embedder(dimensions)
    assert store.spaces.backfill("docs", embed).embedded == 1
    store.spaces.activate("docs")
    hits = store.chunks.search("docs", embedding=embed(["some text"])[0])
    assert [round(hit.distance or 0.0, 3) for hit in hits] == [0.0]


@pytest.mark.parametrize("dimensions", [0, -1, 4001, True, 8.0, "8"])
def test_other_dimensions_are_refused(store: Store, dimensions: Any) -> None:
    """K-15: more than 4,000 cannot be indexed, so they are refused, before any SQL."""
    store.collections.ensure("docs")
    with watching(store) as seen:
        with pytest.raises(InvalidInput) as raised:
            store.spaces.begin("docs", NEW, dimensions)
        with pytest.raises(InvalidInput):
            store.collections.ensure("other", model=NEW, dimensions=dimensions)
    assert raised.value.field == "dimensions"
    assert seen == []


@pytest.mark.parametrize("values", [{"metric": "manhattan"}, {"model": ""}, {"model": "x" * 256}])
def test_other_values_are_refused(store: Store, values: Any) -> None:
    store.collections.ensure("docs")
    with pytest.raises(InvalidInput):
        store.spaces.begin("docs", **{"model": NEW, "dimensions": 8, **values})


def test_a_vector_of_another_length_is_refused_before_any_sql(store: Store) -> None:
    """K-15: `DimensionMismatch(expected, got)`."""
    filled(store)
    store.chunks.search("docs", embedding=vector("x"))
    with pytest.raises(DimensionMismatch) as raised:
        store.chunks.search("docs", embedding=vector("x", dimensions=9))
    assert (raised.value.expected, raised.value.got) == (8, 9)
    with pytest.raises(DimensionMismatch) as raised:
        store.documents.put("docs", document(9), [chunk("other", dimensions=7)])
    assert (raised.value.expected, raised.value.got, raised.value.index) == (8, 7, 0)
    assert store.documents.find("docs", document(9).source) is None


def test_one_space_is_filled_at_a_time(store: Store, db: Database) -> None:
    """K-16: of several that begin at once, one does."""
    filled(store)

    def begin() -> object:
        return store.spaces.begin("docs", NEW, WIDTH)

    results = together(*[begin] * 4)
    assert sorted(type(result).__name__ for result in results) == ["Conflict"] * 3 + ["EmbeddingSpace"]
    with pytest.raises(Conflict, match=NEW):
        store.spaces.begin("docs", "third", WIDTH)
    assert db.counts()["rag_embedding_space"] == 2


def test_ensure_says_what_to_do_about_another_model(store: Store) -> None:
    filled(store)
    with pytest.raises(Conflict, match=r"spaces\.begin"):
        store.collections.ensure("docs", model=NEW, dimensions=WIDTH)
    store.spaces.begin("docs", NEW, WIDTH)
    with pytest.raises(Conflict, match=r"spaces\.activate"):
        store.collections.ensure("docs", model=NEW, dimensions=WIDTH)
    store.spaces.backfill("docs", Embedder(WIDTH))
    store.spaces.activate("docs")
    ensured = store.collections.ensure("docs", model=NEW, dimensions=WIDTH)
    assert ensured.space is not None
    assert ensured.space.model == NEW


def test_what_is_not_there(store: Store) -> None:
    store.collections.ensure("bare")
    spaces = store.spaces
    with pytest.raises(NotFound):
        spaces.get(uuid4())
    with pytest.raises(NotFound):
        spaces.list("absent")
    with pytest.raises(NotFound):
        spaces.begin("absent", NEW, 8)
    with pytest.raises(NotFound):
        spaces.activate("absent")
    with pytest.raises(NotFound):
        spaces.coverage("bare", space=uuid4())
    with pytest.raises(InvalidInput, match="no active embedding space"):
        spaces.coverage("bare")
    for call in (spaces.activate, spaces.rollback, spaces.abandon):
        with pytest.raises(Conflict):
            call("bare")
    with pytest.raises(Conflict, match=r"spaces\.begin"):
        spaces.backfill("bare", Embedder(8))
    assert spaces.list("bare") == []


def test_spaces_are_the_tenants_own(store: Store) -> None:
    filled(store)
    space = (store.spaces.list("docs"))[0]
    other = store.for_tenant("other")
    other.collections.ensure("docs")
    with pytest.raises(NotFound):
        other.spaces.get(space.id)
    with pytest.raises(NotFound):
        other.spaces.coverage("docs", space=space.id)


# ---------------------------------------------------------------------------------------- K-16, backfill


def test_backfill_gives_every_chunk_a_vector(store: Store, db: Database) -> None:
    """K-16: each text once, in batches, in the order of ids; the report and the callback say how far it is."""
    filled(store)
    space = store.spaces.begin("docs", NEW, WIDTH)
    before = store.spaces.coverage("docs")
    assert (before.space_id, before.chunks, before.embedded, before.missing, before.ratio) == (space.id, 12, 0, 12, 0.0)
    embed = Embedder(WIDTH)
    told: list[tuple[int, int]] = []
    report = store.spaces.backfill("docs", embed, batch_size=5, progress=lambda done, total: told.append((done, total)))
    assert (report.space_id, report.embedded, report.remaining) == (space.id, 12, 0)
    assert [len(batch) for batch in embed.batches] == [5, 5, 2]
    assert told == [(5, 12), (10, 12), (12, 12)]
    ordered = [row[0] for row in db.execute("SELECT content FROM rag_chunk ORDER BY id")]
    assert embed.texts == ordered
    after = store.spaces.coverage("docs")
    assert (after.embedded, after.missing, after.ratio) == (12, 0, 1.0)
    again = store.spaces.backfill("docs", embed)
    assert (again.embedded, len(embed.batches)) == (0, 3)


def test_no_transaction_is_open_while_the_model_runs(store: Store, db: Database) -> None:
    """K-16: another connection can write between a batch's reading and its writing."""
    filled(store)
    store.spaces.begin("docs", NEW, WIDTH)
    model = Embedder(WIDTH)

    def embed(texts: Any) -> Any:
        db.execute("UPDATE rag_collection SET analyzed_chunks = analyzed_chunks + 1")
        return model(texts)

    assert store.spaces.backfill("docs", embed).embedded == 12


def test_a_stopped_backfill_goes_on_where_it_was(store: Store) -> None:
    """K-16: resumable; what was written before a failure stays, and is not asked for again."""
    filled(store)
    store.spaces.begin("docs", NEW, WIDTH)
    model = Embedder(WIDTH)

    def failing(texts: Any) -> Any:
        if len(model.batches) == 2:
            raise RuntimeError("the model is gone")
        return model(texts)

    with pytest.raises(RuntimeError, match="the model is gone"):
        store.spaces.backfill("docs", failing, batch_size=4)
    assert store.spaces.coverage("docs").embedded == 8
    assert store.spaces.backfill("docs", model, batch_size=4).embedded == 4
    assert len(set(model.texts)) == len(model.texts) == 12


def test_chunks_that_slip_in_behind_are_found(store: Store, db: Database) -> None:
    """K-16: ids are made by clients, so a new chunk's may be less than those that the backfill has been past."""
    filled(store)
    store.spaces.begin("docs", NEW, WIDTH)
    store.spaces.backfill("docs", Embedder(WIDTH))
    space = (store.spaces.list("docs"))[1].id
    db.execute(
        "DELETE FROM rag_embedding WHERE space_id = :space"
        " AND chunk_id IN (SELECT id FROM rag_chunk ORDER BY id LIMIT 2)",
        space=space if db.kind == "postgresql" else space.hex,
    )
    report = store.spaces.backfill("docs", Embedder(WIDTH))
    assert (report.embedded, report.remaining) == (2, 0)


def test_chunks_deleted_meanwhile_are_passed_over(store: Store) -> None:
    """K-16: the model has their texts already, and nothing fails."""
    filled(store)
    store.spaces.begin("docs", NEW, WIDTH)
    model = Embedder(WIDTH)

    def embed(texts: Any) -> Any:
        store.documents.delete("docs", document(1).source)
        return model(texts)

    report = store.spaces.backfill("docs", embed)
    assert (report.embedded, report.remaining) == (8, 0)


def test_two_backfills_at_once(store: Store) -> None:
    """K-16: safe; together they write each vector once."""
    filled(store, documents=10, each=10)
    store.spaces.begin("docs", NEW, WIDTH)

    def fill() -> Any:
        return store.spaces.backfill("docs", Embedder(WIDTH), batch_size=7)

    reports = run_calls(together(*[fill] * 3))
    assert sum(report.embedded for report in reports) == 100
    assert store.spaces.coverage("docs").missing == 0


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda texts: [vector(text, dimensions=15) for text in texts], DimensionMismatch),
        (lambda texts: [vector(text, dimensions=16) for text in texts][1:], InvalidInput),
        (lambda texts: [[float("nan")] * 16 for _ in texts], InvalidInput),
    ],
)
def test_a_models_wrong_answer_is_refused(store: Store, answer: Any, error: Any) -> None:
    filled(store)
    store.spaces.begin("docs", NEW, WIDTH)
    with pytest.raises(error) as raised:
        store.spaces.backfill("docs", answer)
    assert raised.value.field == "embed"
    assert store.spaces.coverage("docs").embedded == 0


def test_a_named_space_is_filled(store: Store) -> None:
    """A chunk that was stored without a vector gets one in the active space."""
    filled(store)
    store.documents.put("docs", document(7), ["no vector"])
    active = (store.spaces.list("docs"))[0]
    assert store.spaces.coverage("docs").missing == 1
    assert store.spaces.backfill("docs", Embedder(8), space=active.id).embedded == 1


def test_a_backfill_stops_when_its_space_is_given_up(store: Store) -> None:
    filled(store)
    store.spaces.begin("docs", NEW, WIDTH)

    def embed(texts: Any) -> Any:
        store.spaces.abandon("docs")
        return Embedder(WIDTH)(texts)

    with pytest.raises(Conflict, match="deleted while it was being filled"):
        store.spaces.backfill("docs", embed)


# ---------------------------------------------------------------------------------------- K-16, the switch


def test_activate_switches_and_rollback_switches_back(store: Store) -> None:
    """K-16: the same search, before and after; the store's own memory of the collection is renewed."""
    filled(store)
    old = (store.spaces.list("docs"))[0]
    space = store.spaces.begin("docs", NEW, 8)
    store.spaces.backfill("docs", lambda texts: [vector(("new", text)) for text in texts])
    text = chunks(1, of=1)[0].content
    best = (store.chunks.search("docs", embedding=vector(text), limit=1))[0]
    assert best.content == text
    activated = store.spaces.activate("docs")
    assert (activated.id, activated.state) == (space.id, "active")
    assert activated.activated_at is not None
    best = (store.chunks.search("docs", embedding=vector(("new", text)), limit=1))[0]
    assert (best.content, round(best.distance or 0.0, 6)) == (text, 0.0)
    retired = store.spaces.get(old.id)
    assert (retired.state, retired.retired_at is not None) == ("retired", True)
    back = store.spaces.rollback("docs")
    assert (back.id, back.state, back.retired_at) == (old.id, "active", None)
    assert (store.chunks.search("docs", embedding=vector(text), limit=1))[0].content == text
    assert store.spaces.rollback("docs").id == space.id


def test_activate_verifies_the_coverage(store: Store) -> None:
    """K-16: and says how many chunks lack a vector; fewer may do, if asked."""
    filled(store)
    store.spaces.begin("docs", NEW, WIDTH)
    with pytest.raises(Conflict, match="12 of 12 chunks"):
        store.spaces.activate("docs")
    store.spaces.backfill("docs", Embedder(WIDTH))
    store.documents.put("docs", document(9), ["no vector", "nor this"])
    with pytest.raises(Conflict, match="2 of 14 chunks"):
        store.spaces.activate("docs")
    for wrong in (-0.1, 1.1):
        with pytest.raises(InvalidInput):
            store.spaces.activate("docs", require_coverage=wrong)
    assert store.spaces.activate("docs", require_coverage=0.8).model == NEW


def test_rollback_verifies_the_coverage(store: Store) -> None:
    """K-16: chunks written since have no vector in the old space; text alone finds them, if that is allowed."""
    filled(store)
    store.spaces.begin("docs", NEW, WIDTH)
    store.spaces.backfill("docs", Embedder(WIDTH))
    store.spaces.activate("docs")
    store.documents.put("docs", document(9), ["a zebra"], embed=Embedder(WIDTH))
    with pytest.raises(Conflict, match="1 of 13 chunks"):
        store.spaces.rollback("docs")
    back = store.spaces.rollback("docs", allow_missing=True)
    assert back.model == MODEL
    hits = store.chunks.search("docs", embedding=vector("x"), limit=100)
    assert len(hits) == 12
    assert [hit.content for hit in store.chunks.search("docs", text="zebra")] == ["a zebra"]
    store.spaces.backfill("docs", Embedder(8), space=back.id)
    assert len(store.chunks.search("docs", embedding=vector("x"), limit=100)) == 13


def test_the_first_space_of_a_collection(store: Store) -> None:
    store.collections.ensure("docs")
    store.documents.put("docs", document(), ["one", "two"])
    store.spaces.begin("docs", NEW, WIDTH)
    store.spaces.backfill("docs", Embedder(WIDTH))
    store.spaces.activate("docs")
    assert len(store.chunks.search("docs", embedding=vector("x", dimensions=WIDTH))) == 2
    with pytest.raises(Conflict, match="no earlier"):
        store.spaces.rollback("docs")


def test_a_switch_inside_a_unit(store: Store) -> None:
    """K-16: it is undone with the unit; what runs a model or takes several transactions is refused."""
    filled(store)
    old = (store.spaces.list("docs"))[0]

    def switch() -> None:
        with store.begin() as unit:
            unit.spaces.begin("docs", NEW, WIDTH)
            unit.spaces.activate("docs", require_coverage=0)
            raise KeyError

    with pytest.raises(KeyError):
        switch()
    assert store.spaces.list("docs") == [old]
    with store.begin() as unit:
        unit.spaces.begin("docs", NEW, WIDTH)
        with pytest.raises(UsageError):
            unit.spaces.backfill("docs", Embedder(WIDTH))
        with pytest.raises(UsageError):
            unit.spaces.reclaim("docs")
        with pytest.raises(UsageError):
            unit.spaces.abandon("docs")
        with pytest.raises(UsageError):
            unit.spaces.measure_recall("docs")
    assert len(store.spaces.list("docs")) == 2


def test_reclaim_deletes_what_has_been_retired_long_enough(store: Store, db: Database) -> None:
    """K-16: after a soak, with the vectors; never the active space or the one that is being filled."""
    filled(store)
    store.spaces.begin("docs", NEW, WIDTH)
    store.spaces.backfill("docs", Embedder(WIDTH))
    store.spaces.activate("docs")
    store.spaces.begin("docs", "third", 4)
    assert store.spaces.reclaim("docs") == 0
    assert store.spaces.reclaim("docs", older_than=timedelta(hours=1)) == 0
    assert db.counts()["rag_embedding"] == 24
    assert store.spaces.reclaim("docs", older_than=0) == 1
    assert [space.state for space in store.spaces.list("docs")] == ["active", "building"]
    assert db.counts()["rag_embedding"] == 12
    with pytest.raises(Conflict):
        store.spaces.rollback("docs")
    assert store.spaces.reclaim("docs", older_than=0) == 0


def test_vectors_are_reclaimed_in_bounded_batches(store: Store, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """K-16: no one transaction deletes a whole space."""
    monkeypatch.setattr("ragstore.corpus.spaces.lifecycle.RECLAIMED_AT_ONCE", 5)
    filled(store)
    store.spaces.begin("docs", NEW, WIDTH)
    store.spaces.backfill("docs", Embedder(WIDTH))
    with watching(store) as seen:
        store.spaces.abandon("docs")
    deletions = [statement for statement, _ in seen if statement.startswith("DELETE") and "chunk_id" in statement]
    assert len(deletions) == 3
    assert [space.model for space in store.spaces.list("docs")] == [MODEL]
    assert db.counts()["rag_embedding"] == 12


def test_an_abandoned_space_is_never_gone_back_to(store: Store, db: Database) -> None:
    """K-16: a killed `abandon` leaves a retired space that was never active; `reclaim` deletes it at once."""
    filled(store)
    store.spaces.begin("docs", NEW, WIDTH)
    store.spaces.abandon("docs")
    with pytest.raises(Conflict, match="no earlier"):
        store.spaces.rollback("docs")
    space = store.spaces.begin("docs", NEW, WIDTH)
    db.execute("UPDATE rag_embedding_space SET state = 'retired', retired_at = created_at WHERE state = 'building'")
    with pytest.raises(Conflict, match="no earlier"):
        store.spaces.rollback("docs")
    assert store.spaces.get(space.id).state == "retired"
    assert store.spaces.reclaim("docs") == 1


def test_a_writer_that_waited_for_the_switch_sees_the_new_space(store: Store, db: Database) -> None:
    """K-16: else it would go on writing to the space that was active when it asked for the lock."""
    if db.kind == "sqlite":
        pytest.skip("one writer at a time: none reads before it has the lock")
    filled(store)
    store.spaces.begin("docs", NEW, 8)
    store.spaces.backfill("docs", lambda texts: [vector(("new", text)) for text in texts])

    switched: list[bool] = []

    def switch() -> None:
        with store.begin() as unit:
            unit.spaces.activate("docs")
            switched.append(True)
            waiting(db)

    def write() -> Any:
        while not switched:
            sleep(0.01)
        return store.documents.put("docs", document(9), [NewChunk(content="late", embedding=vector("late"))])

    run_calls(together(switch, write))
    assert store.spaces.coverage("docs").missing == 0


def waiting(db: Database) -> None:
    """Wait until somebody waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    for _ in range(3000):
        if db.scalar(waiting):
            return
        sleep(0.02)
    raise AssertionError("nobody waits")
