"""Weighted reciprocal rank fusion."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstore.corpus.search.fusion import RRF_K, fuse, rank_texts, rank_vectors

IDS = st.lists(st.integers(0, 30), unique=True, max_size=20)


@given(IDS, IDS, st.floats(0, 5), st.floats(0.1, 5))
def test_scores_follow_the_formula_and_ties_the_id(one: list[int], two: list[int], w1: float, w2: float) -> None:
    vectors = rank_vectors([(UUID(int=i), 0.1 * n) for n, i in enumerate(one)], "cosine")
    texts = rank_texts([(UUID(int=i), 9.0 - n) for n, i in enumerate(two)])
    fused = fuse(vectors, texts, (w1, w2))
    expected = {
        i: (w1 / (RRF_K + one.index(i) + 1) if i in one else 0) + (w2 / (RRF_K + two.index(i) + 1) if i in two else 0)
        for i in {*one, *two}
    }
    assert [found.chunk_id.int for found in fused] == sorted(expected, key=lambda i: (-expected[i], i))
    assert [found.score for found in fused] == pytest.approx([expected[found.chunk_id.int] for found in fused])


def test_each_leg_keeps_its_own_figures() -> None:
    (only,) = fuse(rank_vectors([(UUID(int=1), 0.25)], "cosine"), [], (1.0, 1.0))
    assert (only.distance, only.vector_rank, only.bm25, only.text_rank) == (0.25, 1, None, None)


@pytest.mark.parametrize(("metric", "score"), [("cosine", 0.75), ("l2", -0.25), ("inner_product", -0.25)])
def test_higher_is_better_for_each_metric(metric: str, score: float) -> None:
    """K-8."""
    assert rank_vectors([(UUID(int=1), 0.25)], metric)[0].score == score  # type: ignore[arg-type]
