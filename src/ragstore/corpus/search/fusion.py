"""Fusion of rankings, and the scores that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ragstore.core.vectors import Metric

RRF_K = 60
"""Reciprocal rank fusion's constant (Cormack, Clarke and Büttcher 2009)."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A chunk's place in the result, and how it came by it."""

    chunk_id: UUID
    score: float
    distance: float | None = None
    bm25: float | None = None
    vector_rank: int | None = None
    text_rank: int | None = None


def similarity(distance: float, metric: Metric) -> float:
    """Turn a distance into a score: 1 - distance for cosine, else its negative."""
    return 1.0 - distance if metric == "cosine" else -distance


def rank_vectors(found: Sequence[tuple[UUID, float]], metric: Metric) -> list[Ranked]:
    """Rank a vector leg's (chunk, distance), given nearest first."""
    return [
        Ranked(chunk_id, similarity(distance, metric), distance=distance, vector_rank=rank)
        for rank, (chunk_id, distance) in enumerate(found, 1)
    ]


def rank_texts(found: Sequence[tuple[UUID, float]]) -> list[Ranked]:
    """Rank a lexical leg's (chunk, BM25), given best first."""
    return [Ranked(chunk_id, bm25, bm25=bm25, text_rank=rank) for rank, (chunk_id, bm25) in enumerate(found, 1)]


def fuse(vectors: Sequence[Ranked], texts: Sequence[Ranked], weights: tuple[float, float]) -> list[Ranked]:
    """Fuse two legs by weighted reciprocal rank: the sum of weight / (60 + rank); ties by chunk id."""
    by_vector = {ranked.chunk_id: ranked for ranked in vectors}
    by_text = {ranked.chunk_id: ranked for ranked in texts}
    fused = [_fused(by_vector.get(i), by_text.get(i), weights) for i in by_vector.keys() | by_text.keys()]
    return sorted(fused, key=lambda ranked: (-ranked.score, ranked.chunk_id))


def _fused(vector: Ranked | None, text: Ranked | None, weights: tuple[float, float]) -> Ranked:
    vector_rank = vector.vector_rank if vector else None
    text_rank = text.text_rank if text else None
    either = vector or text
    assert either is not None  # the id came from one of the two
    return Ranked(
        either.chunk_id,
        _reciprocal(weights[0], vector_rank) + _reciprocal(weights[1], text_rank),
        distance=vector.distance if vector else None,
        bm25=text.bm25 if text else None,
        vector_rank=vector_rank,
        text_rank=text_rank,
    )


def _reciprocal(weight: float, rank: int | None) -> float:
    return 0.0 if rank is None else weight / (RRF_K + rank)
