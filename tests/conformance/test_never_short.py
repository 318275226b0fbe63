"""K-9: as many hits as were asked for, if so many match, whatever the filter leaves, with an index and without."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from ragstore import F, Filter, NewChunk, NewDocument, SearchQuery, Store

SIZE = 4000
DIMENSIONS = 32
LIMIT = 10
WIDTHS: dict[str, Filter | None] = {
    "no filter": None,
    "all": F.metadata["n"] >= 0,
    "half": F.metadata["n"] < SIZE // 2,
    "a tenth": F.metadata["n"] < SIZE // 10,
    "a hundredth": F.metadata["n"] < SIZE // 100,
    "a thousandth": F.metadata["n"] < SIZE // 1000,
    "just as many": F.metadata["n"] < LIMIT,
    "far from the query": F.doc_type == "far",
    "none": F.doc_type == "nowhere",
}


def made_vectors() -> np.ndarray:
    """Make vectors in 40 groups that run into each other, as topics do."""
    numbers = np.random.default_rng(5)
    centres = numbers.standard_normal((40, DIMENSIONS))
    found: np.ndarray = centres[numbers.integers(0, 40, SIZE)] + 0.9 * numbers.standard_normal((SIZE, DIMENSIONS))
    return found


def items(vectors: np.ndarray, query: np.ndarray) -> Iterator[tuple[NewDocument, list[NewChunk]]]:
    """Make documents of ten chunks; a "far" one has only chunks that lie apart from the query."""
    order = np.argsort(vectors @ query)  # the farthest first
    places = list(range(SIZE))
    random.Random(3).shuffle(places)
    for start in range(0, SIZE, 10):
        pieces = [
            NewChunk(
                content=f"text {i} word{i % 7} word{i % 31}", embedding=vectors[order[i]], metadata={"n": places[i]}
            )
            for i in range(start, start + 10)
        ]
        yield NewDocument(source=f"{start}", doc_type="far" if start < SIZE * 0.4 else "near"), pieces


def has_indexes(store: Store) -> bool:
    return store.engine.dialect.name == "postgresql"


def true_nearest(stored: dict[Any, np.ndarray], among: list[Any], query: np.ndarray, limit: int) -> list[Any]:
    """Rank by the vectors themselves; ties by id."""
    if not among:
        return []
    matrix = np.stack([stored[chunk_id] for chunk_id in among])
    distances = 1 - matrix @ query / (np.linalg.norm(matrix, axis=1) * np.linalg.norm(query))
    return [among[place] for place in np.lexsort((range(len(among)), distances))[:limit]]


@pytest.mark.parametrize(
    "indexed", [None, "hnsw", *(pytest.param(method, marks=pytest.mark.slow) for method in ("ivfflat", "binary"))]
)
def test_never_short(store: Store, indexed: str | None) -> None:
    """K-9: each width has its hits, nearly all of them the true ones, by vector, by text and by both."""
    if indexed is not None and not has_indexes(store):
        pytest.skip("SQLite ranks every vector: it has no approximate index")
    vectors = made_vectors()
    query = vectors[7] + 0.1
    queries = [query, *(vectors[place] + 0.1 for place in range(100, 900, 100))]
    store.collections.ensure("docs", model="made", dimensions=DIMENSIONS)
    store.documents.load("docs", items(vectors, query))
    stored = {chunk.id: np.asarray(chunk.embedding) for chunk in store.chunks.export("docs", with_embeddings=True)}
    if indexed is not None:
        quantized = indexed == "binary"
        store.spaces.create_index(
            "docs", method="hnsw" if quantized else indexed, quantization="binary" if quantized else "none"
        )
    for width, where in WIDTHS.items():
        matching = [chunk.id for chunk in store.chunks.export("docs", where)]
        for limit in (LIMIT, 100):
            right = []
            for asked in queries:
                hits = store.chunks.search("docs", embedding=asked, where=where, limit=limit)
                assert len(hits) == min(limit, len(matching)), (width, limit)
                assert not hits.underfilled
                wanted = true_nearest(stored, matching, asked, limit)
                right += [hit.chunk_id in wanted for hit in hits]
            if indexed == "binary":
                continue  # one bit of made-up vectors tells too little: test_retrieval_quality has real ones
            assert sum(right) >= 0.95 * len(right), (width, limit, sum(right) / len(right))
        by_text = store.chunks.search("docs", text="text", where=where, limit=LIMIT)
        assert len(by_text) == min(LIMIT, len(matching)), width
        both = store.chunks.search("docs", text="text", embedding=query, where=where, limit=LIMIT)
        assert len(both) == min(LIMIT, len(matching)), width
        documents = {
            hit.document_id for hit in store.chunks.search("docs", embedding=query, where=where, limit=SIZE // 10)
        }
        bounded = store.chunks.search("docs", embedding=query, where=where, limit=20, per_document=1)
        assert len({hit.document_id for hit in bounded}) == len(bounded) >= min(20, len(documents)), width


def test_deep_pages_and_large_limits(store: Store) -> None:
    """K-9, K-11: a limit of 1,000, and pages that follow each other, with an index where there can be one."""
    vectors = made_vectors()
    query = vectors[7] + 0.1
    store.collections.ensure("docs", model="made", dimensions=DIMENSIONS)
    store.documents.load("docs", items(vectors, query))
    if has_indexes(store):
        store.spaces.create_index("docs")
    stored = {chunk.id: np.asarray(chunk.embedding) for chunk in store.chunks.export("docs", with_embeddings=True)}
    wanted = true_nearest(stored, list(stored), query, 1500)
    many = [hit.chunk_id for hit in store.chunks.search("docs", embedding=query, limit=1000)]
    assert len(many) == len(set(many)) == 1000
    assert len(set(many) & set(wanted[:1000])) >= 950
    beyond = [hit.chunk_id for hit in store.chunks.search("docs", embedding=query, limit=500, offset=1000)]
    assert beyond == wanted[1000:]  # deeper than an index goes, so exact


def test_the_path_is_told(store: Store) -> None:
    """K-12: the path in the result is the one that the database took."""
    vectors = made_vectors()
    query = vectors[7] + 0.1
    store.collections.ensure("docs", model="made", dimensions=DIMENSIONS)
    store.documents.load("docs", items(vectors, query))
    ask = SearchQuery(collection="docs", embedding=query)
    plain = store.chunks.explain(ask)
    assert (plain.path, plain.mode, plain.hits) == ("exact", "vector", 10)
    if not has_indexes(store):
        return
    store.spaces.create_index("docs")
    near = store.chunks.explain(ask)
    assert near.path == "approximate"
    assert any(name.startswith("ann_") for name in near.indexes)
    [statement] = near.statements
    assert statement.candidates["candidates of the vector index"] == 10
    narrow = store.chunks.explain(ask.model_copy(update={"where": F.metadata["n"] < 40}))
    assert narrow.path == "exact"
    assert not any(name.startswith("ann_") for name in narrow.indexes)
    wide = store.chunks.explain(ask.model_copy(update={"where": F.metadata["n"] >= 0}))
    assert wide.path == "approximate"
    far = store.chunks.explain(ask.model_copy(update={"where": F.doc_type == "far"}))
    assert far.path == "exact"
    assert far.statements[0].candidates["of these, what passes"] < 10
