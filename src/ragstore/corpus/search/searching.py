"""A search's values, checked against the collections, and what becomes of the hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from ragstore.core import border, vectors
from ragstore.core.border import STRICT_TEXT
from ragstore.core.query_text import MAX_QUERY, LexicalQuery, parse
from ragstore.core.text import normalize_language
from ragstore.core.vectors import Storage, VectorLike
from ragstore.corpus.backend import Answer, SearchRequest, Target
from ragstore.corpus.filters import check
from ragstore.corpus.naming import collection_name
from ragstore.corpus.records import Collection, EmbeddingSpace, SearchHits, SearchMode, SearchPath, SearchQuery
from ragstore.corpus.search.shaping import candidates, shape
from ragstore.errors import DimensionMismatch, InvalidInput

MAX_LIMIT = 1000
MAX_OFFSET = 10_000
MAX_COLLECTIONS = 16
MAX_QUERIES = 100
MAX_NEIGHBORS = 20
MAX_EFFORT = 1000

Known = Mapping[str, Collection]
"""Collections by name."""


def names_of(query: SearchQuery) -> tuple[str, ...]:
    """Give the names of the collections that a query searches, each once.

    Raises:
        InvalidInput: There is none, or there are too many.
    """
    given: Any = query.collection
    several = isinstance(given, Sequence) and not isinstance(given, str | bytes)
    names = tuple(dict.fromkeys(map(collection_name, given if several else [given])))
    if not 1 <= len(names) <= MAX_COLLECTIONS:
        raise InvalidInput(f"name 1 to {MAX_COLLECTIONS} collections", field="collection")
    return names


def check_queries(queries: Sequence[SearchQuery]) -> Sequence[SearchQuery]:
    """Give the queries, or refuse what is none."""
    if not 1 <= len(queries) <= MAX_QUERIES:
        raise InvalidInput(f"give 1 to {MAX_QUERIES} searches", field="queries")
    for index, query in enumerate(queries):
        if not isinstance(query, SearchQuery):
            raise InvalidInput(f"must be a SearchQuery, not {type(query).__name__}", field="queries", index=index)
    return queries


def make_requests(tenant: str, queries: Sequence[SearchQuery], known: Known) -> list[SearchRequest]:
    """Check each search's values against its collections.

    Raises:
        InvalidInput: As for `make_request`; of several searches, `index` says which.
    """
    if len(queries) == 1:
        return [make_request(tenant, queries[0], known)]
    requests = []
    for index, query in enumerate(queries):
        try:
            requests.append(make_request(tenant, query, known))
        except InvalidInput as error:
            error.index = index
            raise
    return requests


def make_request(tenant: str, query: SearchQuery, known: Known) -> SearchRequest:
    """Check a search's values against its collections.

    Raises:
        InvalidInput: One of them is unfit; `DimensionMismatch` for a vector of another length.
    """
    if query.text is None and query.embedding is None:
        raise InvalidInput("give text=, embedding=, or both", field="search")
    collections = [known[name] for name in names_of(query)]
    limit = border.limit(query.limit, maximum=MAX_LIMIT)
    offset = border.limit(query.offset, field="offset", minimum=0, maximum=MAX_OFFSET)
    wanted = candidates(query, limit, offset)
    return SearchRequest(
        tenant=tenant,
        targets=tuple(Target(collection, _text(query, collection)) for collection in collections),
        vector=None if query.embedding is None else _vector(query.embedding, collections, query.model),
        where=check(query.where),
        limit=wanted or limit,
        offset=0 if wanted else offset,
        weights=_weights(query.weights),
        per_document=_whole(query.per_document, "per_document", 1, MAX_LIMIT),
        neighbors=border.limit(query.neighbors, field="neighbors", minimum=0, maximum=MAX_NEIGHBORS),
        with_embeddings=query.with_embeddings or query.mmr is not None,
        effort=_whole(query.effort, "effort", 1, MAX_EFFORT),
    )


def to_hits(query: SearchQuery, request: SearchRequest, answer: Answer) -> SearchHits:
    """Give the hits as they were asked for, with how they were found."""
    texts = [target.text for target in request.targets if target.text is not None]
    hits = shape(query, answer.hits, texts, [_languages(target.collection) for target in request.targets])
    return SearchHits(tuple(hits), mode_of(request), path_of(request, answer))


def mode_of(request: SearchRequest) -> SearchMode:
    """Name what a search goes by."""
    if request.hybrid:
        return "hybrid"
    return "text" if request.vector is None else "vector"


def path_of(request: SearchRequest, answer: Answer) -> SearchPath:
    """Name how the hits were found."""
    if request.vector is None:
        return "lexical"
    if answer.path == "exact":
        return "exact+lexical" if request.lexical else "exact"
    return "approximate+lexical" if request.lexical else "approximate"


def _languages(collection: Collection) -> tuple[str, ...]:
    return (collection.language, *collection.languages)


def _text(query: SearchQuery, collection: Collection) -> LexicalQuery | None:
    if query.text is None:
        return None
    if len(query.text) > MAX_QUERY:
        raise InvalidInput(f"has {len(query.text):,} characters, at most {MAX_QUERY:,}", field="text")
    text = STRICT_TEXT.text(query.text, field="text")
    spoken = _languages(collection) if query.language is None else (normalize_language(query.language),)
    return parse(text, spoken, query.match)


def _vector(embedding: VectorLike, collections: Sequence[Collection], model: str | None) -> vectors.Floats:
    spaces = [_space(collection) for collection in collections]
    first = spaces[0]
    if model not in (None, first.model):
        raise InvalidInput(f"{collections[0].name!r} is searched by vectors of {first.model!r} now", field="model")
    for collection, space in zip(collections[1:], spaces[1:], strict=True):
        if space.dimensions != first.dimensions:
            raise DimensionMismatch(first.dimensions, space.dimensions, field="embedding")
        if (space.model, space.metric) != (first.model, first.metric):
            raise InvalidInput(
                f"{collections[0].name!r} has vectors of {first.model!r} by {first.metric}, {collection.name!r} of"
                f" {space.model!r} by {space.metric}: their distances cannot be compared, so search them apart",
                field="collection",
            )
    # float16 has the narrower range, and rounds the query as it does what is stored
    storage: Storage = "halfvec" if any(space.storage == "halfvec" for space in spaces) else "vector"
    return vectors.prepare(embedding, dimensions=first.dimensions, metric=first.metric, storage=storage)


def _space(collection: Collection) -> EmbeddingSpace:
    if collection.space is None:
        raise InvalidInput(f"the collection {collection.name!r} has no embedding space", field="embedding")
    return collection.space


def _whole(value: int | None, field: str, minimum: int, maximum: int) -> int | None:
    return None if value is None else border.limit(value, field=field, minimum=minimum, maximum=maximum)


def _weights(weights: tuple[float, float]) -> tuple[float, float]:
    vector, text = weights
    if all(isfinite(weight) and weight >= 0 for weight in weights) and vector + text > 0:
        return vector, text
    raise InvalidInput("must be two numbers, not negative and not both 0: (vector, text)", field="weights")
