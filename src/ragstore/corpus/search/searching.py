"""A search's values, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from ragstore.core import border, vectors
from ragstore.core.border import STRICT_TEXT
from ragstore.core.text import analyze, normalize_language
from ragstore.core.vectors import VectorLike
from ragstore.corpus.backend import SearchRequest
from ragstore.corpus.filters import Filter, check
from ragstore.corpus.records import Collection, SearchHit, SearchHits, SearchMode, SearchPath
from ragstore.errors import InvalidInput

MAX_LIMIT = 1000
MAX_OFFSET = 10_000
MAX_QUERY = 100_000
MAX_TERMS = 1000

PATHS: dict[SearchMode, SearchPath] = {"vector": "exact", "text": "lexical", "hybrid": "exact+lexical"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A search as the host asked for it."""

    text: str | None
    embedding: VectorLike | None
    limit: int
    offset: int
    where: Filter | None
    language: str | None
    weights: tuple[float, float]


def make_request(tenant: str, collection: Collection, asked: Asked) -> SearchRequest:
    """Check a search's values against the collection.

    Raises:
        InvalidInput: One of them is unfit; `DimensionMismatch` for a vector of another length.
    """
    if asked.text is None and asked.embedding is None:
        raise InvalidInput("give text=, embedding=, or both", field="search")
    return SearchRequest(
        tenant=tenant,
        collection=collection,
        vector=None if asked.embedding is None else _vector(asked.embedding, collection),
        terms=None if asked.text is None else _terms(asked.text, collection, asked.language),
        where=check(asked.where),
        limit=border.limit(asked.limit, maximum=MAX_LIMIT),
        offset=border.limit(asked.offset, field="offset", minimum=0, maximum=MAX_OFFSET),
        weights=_weights(asked.weights),
    )


def to_hits(request: SearchRequest, hits: Sequence[SearchHit]) -> SearchHits:
    """Give the hits with how they were found."""
    mode = mode_of(request)
    return SearchHits(tuple(hits), mode, PATHS[mode])


def mode_of(request: SearchRequest) -> SearchMode:
    """Name what a search goes by."""
    if request.hybrid:
        return "hybrid"
    return "text" if request.vector is None else "vector"


def _vector(embedding: VectorLike, collection: Collection) -> vectors.Floats:
    space = collection.space
    if space is None:
        raise InvalidInput(f"the collection {collection.name!r} has no embedding space", field="embedding")
    return vectors.prepare(embedding, dimensions=space.dimensions, metric=space.metric, storage=space.storage)


def _terms(text: object, collection: Collection, language: str | None) -> dict[str, int]:
    if not isinstance(text, str):
        raise InvalidInput(f"must be text, not {type(text).__name__}", field="text")
    if len(text) > MAX_QUERY:
        raise InvalidInput(f"has {len(text):,} characters, at most {MAX_QUERY:,}", field="text")
    spoken = collection.language if language is None else normalize_language(language)
    frequencies = analyze(STRICT_TEXT.text(text, field="text"), spoken).frequencies
    return dict(list(frequencies.items())[:MAX_TERMS])


def _weights(weights: object) -> tuple[float, float]:
    if isinstance(weights, tuple | list) and len(weights) == 2 and all(_is_weight(weight) for weight in weights):
        vector, text = float(weights[0]), float(weights[1])
        if vector + text > 0:
            return vector, text
    raise InvalidInput("must be two numbers, not negative and not both 0: (vector, text)", field="weights")


def _is_weight(value: object) -> bool:
    return isinstance(value, int | float) and isfinite(value) and value >= 0
