"""Retrieval quality of analysis and weights on real judgements, without a database."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean

import numpy as np
import pytest

from ragstore.core.bm25 import idf, weights
from ragstore.core.text import analyze, term_id
from tests.data_sets import corpus, ndcg_at_10, qrels, queries


class Index:
    """An inverted index in memory: by term, the documents' numbers and weights."""

    def __init__(self, name: str) -> None:
        passages = [(passage.id, analyze(passage.content, "en")) for passage in corpus(name)]
        self.ids = [passage_id for passage_id, _ in passages]
        average_length = fmean(terms.length for _, terms in passages)
        self.postings: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for number, (_, terms) in enumerate(passages):
            for term, weight in weights(terms, average_length).items():
                self.postings[term].append((number, weight))

    def search(self, query: str, limit: int) -> list[str]:
        scores = np.zeros(len(self.ids))
        for lexeme, tf in analyze(query, "en").frequencies.items():
            found = self.postings.get(term_id(lexeme))
            if found:
                numbers, held = zip(*found, strict=True)
                scores[list(numbers)] += tf * idf(len(found), len(self.ids)) * np.array(held)
        best = np.argsort(-scores, kind="stable")[:limit]
        return [self.ids[number] for number in best if scores[number] > 0]


@pytest.mark.parametrize(("name", "published"), [("cranfield", 0.5115), ("npl", 0.4361)])
def test_bm25_ranks_as_well_as_the_published_stemmed_baseline(name: str, published: float) -> None:
    index = Index(name)
    ranking = {query: index.search(text, 100) for query, text in queries(name).items()}
    assert ndcg_at_10(ranking, qrels(name)) >= published - 0.01
