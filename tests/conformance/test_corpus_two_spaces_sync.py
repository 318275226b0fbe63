# Generated from test_corpus_two_spaces_async.py by tools/unasync.py: edit that file and run the tool again.
"""Putting documents while a second embedding space is being built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ragstore import NewChunk, Store
from ragstore.errors import DimensionMismatch, InvalidInput
from ragstore.testing.factories import DIMENSIONS, MODEL, Embedder, chunk, document, vector
from tests.conformance.support import Database

LARGE = "large-model"


@pytest.fixture
def docs(store: Store) -> str:
    """Make a collection with an active space and one that is being built."""
    store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
    store.spaces.begin("docs", LARGE, 12)
    return "docs"


def vectors_by_model(db: Database) -> dict[str, int]:
    rows = db.execute(
        "SELECT s.model, count(*) FROM rag_embedding e JOIN rag_embedding_space s ON s.id = e.space_id GROUP BY s.model"
    )
    return {str(model): int(count) for model, count in rows}


def test_each_model_is_asked_for_what_its_space_lacks(store: Store, docs: str, db: Database) -> None:
    """K-1, K-2, K-16: new and changed texts go to both; unchanged ones are asked of none."""
    small, large = Embedder(), Embedder(12)
    models = {MODEL: small, LARGE: large}
    report = store.documents.put(docs, document(1), ["a", "b", "c"], embed=models, batch_size=2)
    assert (report.added, report.embedded) == (3, 6)
    assert small.batches == large.batches == [["a", "b"], ["c"]]
    assert vectors_by_model(db) == {MODEL: 3, LARGE: 3}
    again = store.documents.put(docs, document(1), ["a", "b", "c"], embed=models)
    assert (again.unchanged, again.embedded) == (3, 0)
    store.documents.put(docs, document(1), ["a", "d"], embed=models)
    assert small.texts == large.texts == ["a", "b", "c", "d"]
    assert vectors_by_model(db) == {MODEL: 2, LARGE: 2}


def test_a_single_function_is_for_the_active_space(store: Store, docs: str, db: Database) -> None:
    """K-2: what the other space lacks, a later put with its model adds."""
    large = Embedder(12)
    store.documents.put(docs, document(1), ["a", "b"], embed=Embedder())
    assert vectors_by_model(db) == {MODEL: 2}
    report = store.documents.put(docs, document(1), ["a", "b"], embed={LARGE: large})
    assert (report.unchanged, report.embedded, large.texts) == (2, 2, ["a", "b"])
    assert vectors_by_model(db) == {MODEL: 2, LARGE: 2}


def test_a_load_writes_to_both(store: Store, docs: str, db: Database) -> None:
    """K-2, K-4: by space as well as by name, and only what has no vector yet."""
    collection = store.collections.get(docs)
    assert collection.space is not None
    assert collection.building is not None
    small, large = Embedder(), Embedder(12)
    given: list[Any] = [(document(i), [chunk(f"given {i}"), f"made {i}"]) for i in range(4)]
    models = {collection.space: small, collection.building: large}
    report = store.documents.load(docs, given, embed=models, commit_every=2)
    assert (report.added, report.embedded) == (8, 16)
    assert sorted(small.texts) == [f"made {i}" for i in range(4)]
    assert len(large.texts) == 8
    assert vectors_by_model(db) == {MODEL: 8, LARGE: 8}


def test_vectors_for_both_come_with_a_chunk(store: Store, docs: str, db: Database) -> None:
    """K-2: `embedding` is the active space's, `embeddings` go by model."""
    one = NewChunk(content="a", embedding=vector("a"), embeddings={LARGE: vector("a", dimensions=12)})
    two = NewChunk(content="b", embeddings={MODEL: vector("b")})
    report = store.documents.put(docs, document(1), [one, two])
    assert (report.added, report.embedded) == (2, 3)
    assert vectors_by_model(db) == {MODEL: 2, LARGE: 1}
    with store.begin() as unit:
        filled = NewChunk(content="b", embeddings={LARGE: iter(vector("b", dimensions=12))})
        report = unit.documents.put(docs, document(1), ["a", filled])
    assert (report.unchanged, report.embedded) == (2, 1)
    assert vectors_by_model(db) == {MODEL: 2, LARGE: 2}


@pytest.mark.parametrize(
    ("embeddings", "error", "field"),
    [
        ({"unknown": [1.0] * DIMENSIONS}, InvalidInput, "embeddings"),
        ({LARGE: [1.0] * DIMENSIONS}, DimensionMismatch, "embedding"),
        ({MODEL: [1.0] * 12}, DimensionMismatch, "embedding"),
        ({LARGE: [0.0] * 12}, InvalidInput, "embedding"),
        ([1.0], InvalidInput, "embeddings"),
    ],
)
def test_an_unfit_vector_stores_nothing(
    store: Store, docs: str, db: Database, embeddings: Any, error: type[InvalidInput], field: str
) -> None:
    """K-15."""
    before = db.counts()
    with pytest.raises(error) as refused:
        store.documents.put(docs, document(1), ["fine", NewChunk(content="a", embeddings=embeddings)])
    assert (refused.value.field, refused.value.index) == (field, 1)
    report = store.documents.load(docs, [(document(1), [NewChunk(content="a", embeddings=embeddings)])], partial=True)
    assert [failed.index for failed in report.errors] == [0]
    assert db.counts() == before


def test_a_model_that_has_no_space_is_refused(store: Store, docs: str, db: Database) -> None:
    """K-2: before it is asked."""
    embed = Embedder()
    with pytest.raises(InvalidInput) as refused:
        store.documents.put(docs, document(1), ["a"], embed={"unknown": embed})
    assert (refused.value.field, embed.batches) == ("embed", [])
    assert "rag_document" not in db.counts()


def test_a_writer_may_know_the_old_model_a_while_longer(store: Store, docs: str, db: Database) -> None:
    """K-16: after the switch the retired space gets nothing more, and a put with both models goes on."""
    small, large = Embedder(), Embedder(12)
    models = {MODEL: small, LARGE: large}
    store.documents.put(docs, document(1), ["a"], embed=models)
    store.spaces.activate(docs)
    report = store.documents.put(docs, document(2), ["b"], embed=models)
    assert (report.embedded, small.texts, large.texts) == (1, ["a"], ["a", "b"])
    both = NewChunk(content="c", embeddings={MODEL: vector("c"), LARGE: vector("c", dimensions=12)})
    assert store.documents.put(docs, document(3), [both]).embedded == 1


def test_one_of_two_failing_models_leaves_the_old_document(store: Store, docs: str, db: Database) -> None:
    """K-2: both spaces are as they were."""

    def broken(texts: Sequence[str]) -> list[list[float]]:
        raise OSError("no answer")

    store.documents.put(docs, document(1), ["old"], embed={MODEL: Embedder(), LARGE: Embedder(12)})
    before = db.versions()
    for models in ({MODEL: Embedder(), LARGE: broken}, {MODEL: broken, LARGE: Embedder(12)}):
        with pytest.raises(OSError, match="no answer"):
            store.documents.put(docs, document(1), ["new"], embed=models)
    with pytest.raises(InvalidInput):
        store.documents.put(docs, document(1), ["new"], embed={MODEL: Embedder(), LARGE: Embedder(5)})
    assert db.versions() == before
