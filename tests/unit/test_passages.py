"""Hits and their neighbors as passages of their documents."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstore import SearchHit, SearchHits
from ragstore.corpus.passages import MIN_OVERLAP, join_texts, overlap
from ragstore.corpus.records import Neighbor, Passage

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TWENTY = "of twenty characters"


def content(document: int, index: int) -> str:
    return f"text {index} of {document}"


def hit(document: int, index: int, score: float = 1.0, near: range | None = None) -> SearchHit:
    """Make a hit of a chunk, with the neighbors of the range."""
    return SearchHit(
        chunk_id=UUID(int=document * 1000 + index),
        document_id=UUID(int=document),
        collection="docs",
        source=f"source {document}",
        title=f"title {document}",
        doc_type=None,
        chunk_index=index,
        content=content(document, index),
        heading=None,
        page=None,
        start_offset=None,
        end_offset=None,
        metadata={},
        document_metadata={},
        created_at=NOW,
        updated_at=NOW,
        score=score,
        neighbors=tuple(
            Neighbor(chunk_id=UUID(int=document * 1000 + i), chunk_index=i, content=content(document, i))
            for i in near or range(0)
            if i != index
        ),
    )


def passages(*hits: SearchHit) -> tuple[Passage, ...]:
    return SearchHits(hits, "text", "lexical").passages


def test_runs_that_overlap_or_touch_become_one_passage_at_the_place_of_the_best_hit() -> None:
    """K-11."""
    hits = (
        hit(1, 10, 0.9, range(9, 12)),
        hit(2, 0, 0.8, range(2)),
        hit(1, 5, 0.7, range(4, 7)),
        hit(1, 7, 0.6, range(6, 9)),  # touches the first and overlaps the third
        hit(1, 20, 0.5, range(19, 22)),
    )
    first, second, third = passages(*hits)
    assert first == Passage(
        document_id=UUID(int=1),
        source="source 1",
        title="title 1",
        first_index=4,
        last_index=11,
        content="\n\n".join(content(1, index) for index in range(4, 12)),
        hits=(hits[0], hits[2], hits[3]),
        score=0.9,
    )
    assert (second.document_id, second.first_index, second.last_index) == (UUID(int=2), 0, 1)
    assert (third.first_index, third.last_index, third.hits, third.score) == (19, 21, (hits[4],), 0.5)


def test_hits_without_neighbors_are_merged_only_where_they_touch() -> None:
    assert [(p.first_index, p.last_index) for p in passages(hit(1, 3), hit(1, 5), hit(1, 4), hit(1, 7))] == [
        (3, 5),
        (7, 7),
    ]
    assert passages() == ()


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, 30), st.integers(0, 3)), unique_by=lambda one: one[:2], max_size=15
    )
)
def test_no_chunk_stands_twice_and_none_is_lost(found: list[tuple[int, int, int]]) -> None:
    """K-11: against the plain union of the chunks."""
    hits = [
        hit(document, index, 1.0 - place / 100, range(max(0, index - around), index + around + 1))
        for place, (document, index, around) in enumerate(found)
    ]
    made = passages(*hits)
    expected = {(d, i) for d, index, n in found for i in range(max(0, index - n), index + n + 1)}
    covered = [(p.document_id.int, i) for p in made for i in range(p.first_index, p.last_index + 1)]
    assert sorted(covered) == sorted(expected)
    assert not {(d, i + 1) for d, i in {(p.document_id.int, p.last_index) for p in made}} & expected
    assert [p.score for p in made] == sorted((p.score for p in made), reverse=True)
    assert sorted(h.chunk_id for p in made for h in p.hits) == sorted(h.chunk_id for h in hits)
    for passage in made:
        assert [h.score for h in passage.hits] == sorted((h.score for h in passage.hits), reverse=True)
        assert passage.score == passage.hits[0].score
        chunks = range(passage.first_index, passage.last_index + 1)
        assert passage.content == "\n\n".join(content(passage.document_id.int, index) for index in chunks)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "a"], "a\n\na"),
        ([f"one {TWENTY}", f"{TWENTY} two"], f"one {TWENTY} two"),
        ([f"one {TWENTY[1:]}", f"{TWENTY[1:]} two"], f"one {TWENTY[1:]}\n\n{TWENTY[1:]} two"),
        ([f"one {TWENTY}", f"{TWENTY}"], f"one {TWENTY}"),
        ([f"{TWENTY}", f"{TWENTY}"], TWENTY),
        ([f"{TWENTY} one", f"{TWENTY} two"], f"{TWENTY} one\n\n{TWENTY} two"),
        ([f"one {TWENTY}", f"{TWENTY}, {TWENTY}", f"{TWENTY} end"], f"one {TWENTY}, {TWENTY} end"),
        (["ab" * 20, "ab" * 30], "ab" * 30),
    ],
)
def test_an_overlap_that_a_splitter_made_stands_once(texts: list[str], expected: str) -> None:
    """K-11: of 20 characters or more."""
    assert join_texts(texts) == expected


@given(st.text("ab", max_size=80), st.text("ab", max_size=80))
def test_the_longest_overlap_is_found(before: str, after: str) -> None:
    ends = [n for n in range(min(len(before), len(after)) + 1) if before.endswith(after[:n])]
    assert overlap(before, after) == (max(ends) if max(ends) >= MIN_OVERLAP else 0)


def test_long_texts_take_linear_time() -> None:
    began = time.perf_counter()
    assert overlap("a" * 300_000 + "b", "a" * 300_000) == 0
    assert overlap("b" + "a" * 300_000, "a" * 300_001) == 300_000
    assert time.perf_counter() - began < 10
