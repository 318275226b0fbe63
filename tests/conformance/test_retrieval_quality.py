"""Retrieval on real queries and judgements: as good as the published figures, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from ragstore import F, NewChunk, NewDocument, Store
from tests import data_sets

LIMIT = 100
DENSE = "dense exact cosine"
BM25 = "BM25 k1=1.2 b=0.75, stemmed"
FUSED = "RRF k=60 (dense + BM25 k1=1.2 b=0.75, stemmed)"
KEYS = {"nDCG@10": "nDCG@10", "R@10": "Recall@10", "R@100": "Recall@100", "RR@10": "MRR@10"}


def items(name: str) -> Iterator[tuple[NewDocument, list[NewChunk]]]:
    """Give each passage as a document of one chunk.

    The sources are in the corpus's order, so that the ids are, and ties fall as they did in the published figures. A
    passage without text, of which Cranfield has two, becomes a text without words.
    """
    vectors = data_sets.embeddings(name, "corpus")
    for row, passage in enumerate(data_sets.corpus(name)):
        chunk = NewChunk(content=passage.content if passage.content.strip() else ".", embedding=vectors[row])
        yield NewDocument(source=f"{row:06}/{passage.id}", title=passage.title), [chunk]


def rank(store: Store, name: str, **legs: bool) -> dict[str, list[str]]:
    """Search for every query; gives the sources found, the best first."""
    vectors = data_sets.embeddings(name, "queries").astype(np.float32)
    ranking = {}
    for row, (query, text) in enumerate(data_sets.queries(name).items()):
        asked: dict[str, Any] = {}
        if legs.get("text"):
            asked["text"] = text
        if legs.get("vector"):
            asked["embedding"] = vectors[row]
        hits = store.chunks.search(name, limit=LIMIT, **asked)
        ranking[query] = [hit.source.partition("/")[2] for hit in hits]
    return ranking


@pytest.mark.parametrize("name", ["cranfield", pytest.param("npl", marks=pytest.mark.slow)])
def test_retrieval_is_as_good_as_published(store: Store, name: str) -> None:
    """K-8: vector search equals the dense rows to four digits. K-13: BM25 and hybrid reach theirs."""
    judged = data_sets.qrels(name)
    store.collections.ensure(name, model="all-MiniLM-L6-v2", dimensions=384)
    store.documents.load(name, items(name), commit_every=500)
    store.collections.analyze(name)
    dense = data_sets.evaluate(rank(store, name, vector=True), judged)
    text = data_sets.evaluate(rank(store, name, text=True), judged)
    hybrid = data_sets.evaluate(rank(store, name, vector=True, text=True), judged)
    for leg, figures in (("dense", dense), ("BM25", text), ("hybrid", hybrid)):
        print(f"{name} {store.engine.dialect.name} {leg}: {figures}")
    for measure in data_sets.MEASURES:
        assert round(dense[measure], 4) == data_sets.baseline(name, DENSE, KEYS[measure]), measure
    assert text["nDCG@10"] >= data_sets.baseline(name, BM25) - 0.01
    assert hybrid["nDCG@10"] >= data_sets.baseline(name, FUSED) - 0.005


@pytest.mark.slow
@pytest.mark.parametrize("quantization", ["none", "binary"])
def test_an_index_misses_little(postgres_url: str, quantization: str) -> None:
    """K-9: recall of at least 0.95 on real vectors at the defaults, with filters of several widths, in every mode."""
    with Store.open(postgres_url) as store:
        store.collections.ensure("npl", model="all-MiniLM-L6-v2", dimensions=384)
        store.documents.load("npl", items("npl"), commit_every=500)
        vectors = data_sets.embeddings("npl", "queries").astype(np.float32)
        widths = [None, F.source < "009000", F.source < "001500", F.source < "000100"]
        asked = [(where, limit) for where in widths for limit in (10, 100)]
        exact = {place: [nearest(store, vectors, where, limit)] for place, (where, limit) in enumerate(asked)}
        store.spaces.create_index("npl", quantization="binary" if quantization == "binary" else "none")
        for place, (where, limit) in enumerate(asked):
            found, [wanted] = nearest(store, vectors, where, limit), exact[place]
            right = sum(len(a & b) for a, b in zip(found, wanted, strict=True))
            assert right >= 0.95 * sum(map(len, wanted)), (where, limit)


def nearest(store: Store, vectors: Any, where: Any, limit: int) -> list[set[Any]]:
    """Search for every query by its vector."""
    return [
        {hit.chunk_id for hit in store.chunks.search("npl", embedding=vector, where=where, limit=limit)}
        for vector in vectors
    ]
