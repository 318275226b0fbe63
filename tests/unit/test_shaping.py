"""What becomes of the hits after the database: newness, variety, threshold, page, snippets."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstore import SearchHit
from ragstore.core.query_text import LexicalQuery
from ragstore.core.snippets import Snippet
from ragstore.corpus.records import Recency, SearchQuery
from ragstore.corpus.search.shaping import candidates, shape
from ragstore.errors import InvalidInput

NOW = datetime(2026, 1, 31, tzinfo=UTC)
DAY = timedelta(days=1)


def query(**given: Any) -> SearchQuery:
    return SearchQuery(collection="docs", text="wing", **given)


def hit(number: int, score: float, *, age: timedelta = DAY, embedding: tuple[float, ...] | None = None) -> SearchHit:
    return SearchHit(
        chunk_id=UUID(int=number),
        document_id=UUID(int=number),
        collection="docs",
        source=str(number),
        title="",
        doc_type=None,
        chunk_index=0,
        content=f"A wing of {number}.",
        heading=None,
        page=None,
        start_offset=None,
        end_offset=None,
        metadata={},
        document_metadata={},
        created_at=NOW - 10 * age,
        updated_at=NOW - age,
        score=score,
        embedding=embedding,
    )


def shaped(asked: SearchQuery, hits: list[SearchHit]) -> list[SearchHit]:
    return shape(asked, hits, [LexicalQuery(frequencies={"wing": 1})], [("en",)], now=NOW)


def numbers(hits: list[SearchHit]) -> list[int]:
    return [found.chunk_id.int for found in hits]


# ------------------------------------------------------------------------------------------------------ candidates


@pytest.mark.parametrize(
    ("limit", "offset", "expected"),
    [(1, 0, 100), (10, 15, 100), (10, 16, 104), (100, 0, 400), (250, 0, 1000), (300, 0, 1000), (999, 1, 1000)],
)
@pytest.mark.parametrize("anew", [{"mmr": 0.5}, {"recency": Recency(half_life=DAY)}])
def test_more_candidates_than_the_page_where_hits_are_ranked_anew(
    limit: int, offset: int, expected: int, anew: dict[str, Any]
) -> None:
    """K-11: never fewer than `limit`."""
    assert candidates(query(**anew), limit, offset) == expected


def test_a_far_page_has_as_many_candidates_as_it_needs() -> None:
    newer = query(recency=Recency(half_life=DAY))
    assert candidates(newer, 1000, 10_000) == 11_000
    with pytest.raises(InvalidInput, match="offset: with mmr, limit and offset come to at most 1,000 together"):
        candidates(query(mmr=0.5), 10, 991)


def test_the_database_cuts_where_nothing_is_ranked_anew() -> None:
    assert candidates(query(threshold=0.5, snippet=100, per_document=1), 10, 0) is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"mmr": -0.01}, "mmr"),
        ({"mmr": 1.01}, "mmr"),
        ({"mmr": math.nan}, "mmr"),
        ({"threshold": math.nan}, "threshold"),
        ({"threshold": -math.inf}, "threshold"),
        ({"snippet": 19}, "snippet"),
        ({"snippet": 10_001}, "snippet"),
        ({"recency": Recency(half_life=DAY, weight=0)}, "recency.weight"),
        ({"recency": Recency(half_life=DAY, weight=1.01)}, "recency.weight"),
        ({"recency": Recency(half_life=DAY, weight=math.nan)}, "recency.weight"),
        ({"recency": Recency(half_life=timedelta(0))}, "recency.half_life"),
        ({"recency": Recency(half_life=-DAY)}, "recency.half_life"),
    ],
)
def test_values_out_of_bounds_are_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        candidates(query(**given), 10, 0)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "given",
    [
        {"mmr": 0},
        {"mmr": 1},
        {"snippet": 20},
        {"snippet": 10_000},
        {"recency": Recency(half_life=timedelta(microseconds=1), weight=1)},
    ],
)
def test_bounds_belong_to_it(given: dict[str, Any]) -> None:
    candidates(query(**given), 10, 0)


# --------------------------------------------------------------------------------------------------------- recency


def test_the_score_is_mixed_with_freshness() -> None:
    """K-11, by hand: relevance 1, 0.5, 0; freshness 2^-2, 2^-1, 1."""
    hits = [hit(1, 9.0, age=2 * DAY), hit(2, 6.0, age=DAY), hit(3, 3.0, age=0 * DAY)]
    found = shaped(query(recency=Recency(half_life=DAY, weight=0.4)), hits)
    assert numbers(found) == [1, 2, 3]
    assert [one.score for one in found] == pytest.approx([0.6 + 0.4 * 0.25, 0.3 + 0.4 * 0.5, 0.4])
    newest = shaped(query(recency=Recency(half_life=DAY, weight=1.0)), hits)
    assert [(one.chunk_id.int, one.score) for one in newest] == [(3, 1.0), (2, 0.5), (1, 0.25)]


def test_half_life_may_be_given_in_seconds() -> None:
    assert Recency(half_life=60) == Recency(half_life=timedelta(minutes=1))  # type: ignore[arg-type]


def test_age_counts_from_the_change_or_from_the_first_put() -> None:
    found = [
        shaped(query(recency=Recency(half_life=10 * DAY, weight=1.0, field=field)), [hit(1, 1.0, age=DAY)])[0].score
        for field in ("updated_at", "created_at")
    ]
    assert found == pytest.approx([2**-0.1, 0.5])


def test_equal_scores_leave_the_choice_to_freshness_and_ties_to_the_id() -> None:
    hits = [hit(1, 2.0, age=3 * DAY), hit(2, 2.0, age=DAY), hit(4, 2.0, age=DAY), hit(3, 2.0, age=DAY)]
    assert numbers(shaped(query(recency=Recency(half_life=DAY)), hits)) == [2, 3, 4, 1]


@pytest.mark.parametrize("age", [-DAY, timedelta(days=700_000), timedelta(0)])
def test_any_age_has_a_freshness(age: timedelta) -> None:
    """A document of the future is as fresh as one of now; a very old one as good as not."""
    found = shaped(query(recency=Recency(half_life=timedelta(microseconds=1), weight=1.0)), [hit(1, 1.0, age=age / 10)])
    assert found[0].score in (0.0, 1.0)


def test_without_now_age_counts_to_this_moment() -> None:
    fresh = hit(1, 1.0).model_copy(update={"updated_at": datetime.now(UTC)})
    found = shape(query(recency=Recency(half_life=DAY, weight=1.0)), [fresh], [], [("en",)])
    assert found[0].score == pytest.approx(1.0, abs=0.01)


def test_the_page_is_cut_after_ranking_anew() -> None:
    hits = [hit(n, 100.0 - n, age=(100 - n) * DAY) for n in range(100)]
    asked = query(recency=Recency(half_life=10 * DAY, weight=1.0), limit=3, offset=2)
    assert numbers(shaped(asked, hits)) == [97, 96, 95]


# ------------------------------------------------------------------------------------------------------------- mmr


def cosine(one: tuple[float, ...] | None, other: tuple[float, ...] | None) -> float:
    lengths = math.hypot(*(one or ())) * math.hypot(*(other or ()))
    return sum(a * b for a, b in zip(one or (), other or (), strict=True)) / lengths if lengths and one and other else 0


def by_hand(hits: list[SearchHit], trade: float, wanted: int) -> list[int]:
    """Pick by the formula of the paper, one at a time."""
    best, worst = max(h.score for h in hits), min(h.score for h in hits)
    left, picked = sorted(hits, key=lambda h: (-h.score, h.chunk_id)), list[SearchHit]()
    while left and len(picked) < wanted:

        def value(one: SearchHit) -> float:
            relevance = (one.score - worst) / (best - worst) if best > worst else 1.0
            alike = max((cosine(one.embedding, other.embedding) for other in picked), default=0.0)
            return trade * relevance - (1 - trade) * round(alike, 9)

        chosen = max(left, key=value)
        picked.append(chosen)
        left.remove(chosen)
    return numbers(picked)


VECTORS = st.none() | st.tuples(*[st.integers(-2, 2).map(float)] * 3)


@given(
    st.lists(st.tuples(st.integers(0, 5), VECTORS), min_size=1, max_size=12),
    st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]),
    st.integers(1, 12),
    st.integers(0, 3),
)
def test_mmr_picks_by_the_formula(
    found: list[tuple[int, tuple[float, ...] | None]], trade: float, limit: int, offset: int
) -> None:
    """K-11: as many as were asked for if there are so many; missing and zero vectors are like none."""
    hits = [hit(n, float(score), embedding=vector) for n, (score, vector) in enumerate(found)]
    hits.sort(key=lambda one: (-one.score, one.chunk_id))
    picked = shaped(query(mmr=trade, limit=limit, offset=offset), hits)
    assert len(picked) == min(limit, max(0, len(hits) - offset))
    scores = {one.chunk_id: one.score for one in hits}
    assert all(one.score == scores[one.chunk_id] for one in picked)
    assert numbers(picked) == by_hand(hits, trade, offset + limit)[offset:]


def test_mmr_prefers_what_is_unlike_the_better_ones() -> None:
    hits = [
        hit(1, 1.0, embedding=(1.0, 0.0)),
        hit(2, 0.9, embedding=(1.0, 0.0)),
        hit(3, 0.8, embedding=(1.0, 0.01)),
        hit(4, 0.1, embedding=(0.0, 1.0)),
        hit(5, 0.0, embedding=(0.0, 1.0)),
    ]
    assert numbers(shaped(query(mmr=1.0), hits)) == [1, 2, 3, 4, 5]
    assert numbers(shaped(query(mmr=0.5), hits)) == by_hand(hits, 0.5, 5) == [1, 4, 2, 3, 5]
    assert numbers(shaped(query(mmr=0.0), hits))[:2] == [1, 4]
    assert numbers(shaped(query(mmr=0.5, limit=2, offset=1), hits)) == [4, 2]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_ties_fall_to_the_id(order: tuple[int, ...]) -> None:
    """Equal vectors and scores are equally good, in whatever order they come."""
    vector = tuple(1 / (n + 3) for n in range(384))
    hits = [hit(n, 1.0, embedding=vector) for n in order]
    assert numbers(shaped(query(mmr=0.3), hits)) == [0, 1, 2, 3]


def test_mmr_goes_by_the_mixed_score() -> None:
    hits = [hit(1, 2.0, age=9 * DAY, embedding=(1.0,)), hit(2, 1.0, age=0 * DAY, embedding=(1.0,))]
    assert numbers(shaped(query(mmr=1.0, recency=Recency(half_life=DAY, weight=0.9)), hits)) == [2, 1]


def test_nothing_is_shaped_to_nothing() -> None:
    assert shaped(query(mmr=0.5, recency=Recency(half_life=DAY), threshold=0.5, snippet=20), []) == []


def test_numpy_is_imported_by_mmr_alone() -> None:
    code = "import ragstore.corpus.search.shaping, sys; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -------------------------------------------------------------------------------------- threshold, snippet, vectors


def test_the_threshold_cuts_the_page() -> None:
    hits = [hit(1, 0.9), hit(2, 0.5), hit(3, 0.1)]
    assert numbers(shaped(query(threshold=0.5), hits)) == [1, 2]
    assert numbers(shaped(query(threshold=1.0), hits)) == []


def test_the_threshold_applies_to_the_mixed_score() -> None:
    hits = [hit(1, 9.0, age=0 * DAY), hit(2, 5.0, age=90 * DAY)]
    assert numbers(shaped(query(threshold=0.5, recency=Recency(half_life=DAY)), hits)) == [1]


def test_mmr_picks_only_what_reaches_the_threshold() -> None:
    """K-11: the page is full as long as enough hits reach it."""
    alike = [hit(n, 1.0 - n / 100, embedding=(1.0, 0.0)) for n in range(3)]
    other = hit(9, 0.1, embedding=(0.0, 1.0))
    assert numbers(shaped(query(mmr=0.1, limit=3, threshold=0.5), [*alike, other])) == [0, 1, 2]


def test_without_ranking_anew_the_page_is_the_databases() -> None:
    """It has passed over the offset already."""
    hits = [hit(2, 0.5), hit(1, 0.5)]
    assert shaped(query(offset=5, limit=1), hits) == hits


def test_snippets_by_the_words_of_every_collection() -> None:
    texts = [LexicalQuery(frequencies={"wing": 1}), LexicalQuery(frequencies={"7": 1})]
    (found,) = shape(query(snippet=50), [hit(7, 1.0)], texts, [("en",), ("de", "en")])
    assert found.snippet == Snippet(text="A wing of 7.", start=0, marks=((2, 6), (10, 11)))
    (by_vector,) = shape(query(snippet=50), [hit(7, 1.0)], [], [("en",)])
    assert by_vector.snippet == Snippet(text="A wing of 7.", start=0, marks=())
    assert shaped(query(), [hit(7, 1.0)])[0].snippet is None


def test_vectors_are_given_only_if_they_were_asked_for() -> None:
    hits = [hit(1, 1.0, embedding=(1.0, 0.0))]
    assert shaped(query(mmr=0.5), hits)[0].embedding is None
    assert shaped(query(mmr=0.5, with_embeddings=True), hits)[0].embedding == (1.0, 0.0)
    assert shaped(query(with_embeddings=True), hits)[0].embedding == (1.0, 0.0)
