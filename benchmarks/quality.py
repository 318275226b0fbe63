"""How good the rankings are, by ir-measures, on collections with judgements, beside published figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import ir_measures
import numpy as np
import pytest
from ir_measures import RR, R, nDCG

from ragstore import NewChunk, NewDocument, SearchHits, Store
from tests import data_sets

MEASURES = {"nDCG@10": nDCG @ 10, "Recall@10": R @ 10, "Recall@100": R @ 100, "MRR@10": RR @ 10}
BASELINES = {
    "vector": "dense exact cosine",
    "text": "BM25 k1=1.2 b=0.75, stemmed",
    "hybrid": "RRF k=60 (dense + BM25 k1=1.2 b=0.75, stemmed)",
}
DEPTH = 100


def measure(url: str) -> Iterator[dict[str, Any]]:
    """Measure each mode on each collection that is there."""
    with Store.open(url) as store:
        for name in data_sets.NAMES:
            try:
                data_sets.data_folder(name)
            except pytest.skip.Exception as absent:
                print(f"not measured: {absent}")
                continue
            _load(store, name)
            for mode, method in BASELINES.items():
                measured = _measured(store, name, mode)
                for measure in MEASURES:
                    baseline = data_sets.baseline(name, method, measure)
                    figure = {"measure": measure, "value": measured[measure], "baseline": baseline}
                    yield {"database": url.split(":", maxsplit=1)[0], "collection": name, "mode": mode, **figure}


def _load(store: Store, name: str) -> None:
    store.collections.ensure(name, model="all-MiniLM-L6-v2", dimensions=384)
    store.documents.load(name, _documents(name))
    store.collections.analyze(name)


def _documents(name: str) -> Iterator[tuple[NewDocument, list[NewChunk]]]:
    """Give the passages in the corpus's order, so that ties fall as they did in the published figures.

    Two passages of Cranfield have no text, and become one without words.
    """
    vectors = np.asarray(data_sets.embeddings(name, "corpus"), np.float32)
    for row, (passage, vector) in enumerate(zip(data_sets.corpus(name), vectors, strict=True)):
        content = passage.content if passage.content.strip() else "."
        yield NewDocument(source=f"{row:06}/{passage.id}"), [NewChunk(content=content, embedding=vector)]


def _measured(store: Store, name: str, mode: str) -> dict[str, float]:
    vectors = np.asarray(data_sets.embeddings(name, "queries"), np.float32)
    run: list[ir_measures.ScoredDoc] = []
    for (query, text), vector in zip(data_sets.queries(name).items(), vectors, strict=True):
        asked = {"text": None if mode == "vector" else text, "embedding": None if mode == "text" else vector}
        run += _scored(query, store.chunks.search(name, limit=DEPTH, **asked))
    judged = [
        ir_measures.Qrel(query, document, relevance)
        for query, relevances in data_sets.qrels(name).items()
        for document, relevance in relevances.items()
    ]
    found = ir_measures.calc_aggregate(list(MEASURES.values()), judged, run)
    return {measure: float(found[of]) for measure, of in MEASURES.items()}


def _scored(query: str, hits: SearchHits) -> Iterable[ir_measures.ScoredDoc]:
    # the rank is the score: trec_eval would break ties its own way
    return (ir_measures.ScoredDoc(query, hit.source[7:], -float(rank)) for rank, hit in enumerate(hits))
