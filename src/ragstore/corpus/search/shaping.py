"""What is made of the hits after the database has ranked them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING

from ragstore.core.query_text import LexicalQuery
from ragstore.core.snippets import check_size, make_snippet
from ragstore.corpus.records import Recency, SearchHit, SearchQuery
from ragstore.errors import InvalidInput

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

MIN_CANDIDATES = 100
MAX_CANDIDATES = 1000
"""So many are looked at to be ranked anew, but never fewer than the page needs; by `mmr` never more."""


def candidates(query: SearchQuery, limit: int, offset: int) -> int | None:
    """Say how many candidates the database is to give, where hits are ranked anew afterwards; None: they are not.

    Raises:
        InvalidInput: `mmr`, `recency`, `threshold` or `snippet` is out of its bounds.
    """
    _check(query)
    if query.mmr is None and query.recency is None:
        return None
    wanted = limit + offset
    if query.mmr is not None and wanted > MAX_CANDIDATES:
        raise InvalidInput(f"with mmr, limit and offset come to at most {MAX_CANDIDATES:,} together", field="offset")
    return max(wanted, min(max(4 * wanted, MIN_CANDIDATES), MAX_CANDIDATES))


def shape(
    query: SearchQuery,
    hits: Sequence[SearchHit],
    texts: Sequence[LexicalQuery],
    languages: Sequence[tuple[str, ...]],
    *,
    now: datetime | None = None,
) -> list[SearchHit]:
    """Rank anew, cut and adorn the hits as the query asks for.

    Args:
        query: What was asked.
        hits: The page; or where `candidates` named a number, so many, from the first.
        texts: The query's text, as analysed for each collection; none without a text.
        languages: Each collection's, for the words of snippets.
        now: What age is counted to; None: this moment.

    Returns:
        The page. The threshold is applied before `mmr` picks, so that what it picks is shown.
    """
    found = list(hits)
    if query.recency is not None:
        found = _freshened(found, query.recency, now or datetime.now(UTC))
    if query.threshold is not None:
        found = [hit for hit in found if hit.score >= query.threshold]
    if query.mmr is not None:
        found = _diverse(found, query.mmr, query.offset + query.limit)
    if query.mmr is not None or query.recency is not None:
        found = found[query.offset : query.offset + query.limit]
    if query.snippet is not None:
        found = _with_snippets(found, query.snippet, texts, languages)
    return found if query.with_embeddings else [_without_embedding(hit) for hit in found]


def _check(query: SearchQuery) -> None:
    if query.mmr is not None and not 0 <= query.mmr <= 1:
        raise InvalidInput("must be from 0 (as different as can be) to 1 (by score alone)", field="mmr")
    if query.threshold is not None and not isfinite(query.threshold):
        raise InvalidInput("must be a finite number", field="threshold")
    check_size(query.snippet)
    if query.recency is not None:
        if not 0 < query.recency.weight <= 1:
            raise InvalidInput("must be above 0, and at most 1", field="recency.weight")
        if query.recency.half_life <= timedelta(0):
            raise InvalidInput("must be longer than nothing", field="recency.half_life")


def _by_score(hits: Iterable[SearchHit]) -> list[SearchHit]:
    return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))


def _normalized(hits: Sequence[SearchHit]) -> list[float]:
    """Bring scores to 0..1, the worst to the best; all to 1 where they are equal."""
    scores = [hit.score for hit in hits]
    worst, best = min(scores, default=0.0), max(scores, default=0.0)
    return [(score - worst) / (best - worst) if best > worst else 1.0 for score in scores]


def _freshened(hits: Sequence[SearchHit], recency: Recency, now: datetime) -> list[SearchHit]:
    weight = recency.weight
    return _by_score(
        hit.model_copy(update={"score": (1 - weight) * relevance + weight * _freshness(hit, recency, now)})
        for hit, relevance in zip(hits, _normalized(hits), strict=True)
    )


def _freshness(hit: SearchHit, recency: Recency, now: datetime) -> float:
    since = hit.updated_at if recency.field == "updated_at" else hit.created_at
    return float(2.0 ** -(max(now - since, timedelta(0)) / recency.half_life))


def _diverse(hits: Sequence[SearchHit], trade: float, wanted: int) -> list[SearchHit]:
    """Pick by maximal marginal relevance (Carbonell and Goldstein 1998); ties by score, then by chunk id."""
    import numpy as np

    ranked = _by_score(hits)
    relevance = trade * np.array(_normalized(ranked))
    alike = _similarities(ranked)
    nearest = np.zeros(len(ranked))  # to any that was picked; to none at first
    picked: list[int] = []
    while len(picked) < min(wanted, len(ranked)):
        place = int((relevance - (1 - trade) * nearest).argmax())
        relevance[place] = -np.inf
        nearest = np.maximum(nearest, alike[place]) if picked else alike[place]
        picked.append(place)
    return [ranked[place] for place in picked]


def _similarities(hits: Sequence[SearchHit]) -> NDArray[numpy.float64]:
    """Give the cosine of each two hits; 0 where one has no vector, or one of no length."""
    import numpy as np

    dimensions = max((len(hit.embedding) for hit in hits if hit.embedding), default=1)
    rows = np.array([hit.embedding or (0.0,) * dimensions for hit in hits], dtype=np.float64)
    rows = rows.reshape(len(hits), dimensions)  # of no hits too
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    units = rows / np.where(lengths > 0, lengths, 1.0)
    return np.round(units @ units.T, 9)  # equal vectors are equally alike, in whatever order they were summed


def _with_snippets(
    hits: Sequence[SearchHit], size: int, texts: Sequence[LexicalQuery], languages: Sequence[tuple[str, ...]]
) -> list[SearchHit]:
    lexemes = {lexeme for text in texts for lexeme in text.frequencies}
    spoken = tuple(dict.fromkeys(language for several in languages for language in several))
    return [hit.model_copy(update={"snippet": make_snippet(hit.content, lexemes, spoken, size)}) for hit in hits]


def _without_embedding(hit: SearchHit) -> SearchHit:
    return hit if hit.embedding is None else hit.model_copy(update={"embedding": None})
