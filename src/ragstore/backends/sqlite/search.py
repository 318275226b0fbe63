"""Search on SQLite: vectors by NumPy over the stored blobs, words by a postings table.

A query costs no round trip here, so a search is a few plain statements inside one read transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from heapq import nsmallest
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from ragstore.core import json, vectors
from ragstore.core.base import table_of
from ragstore.core.bm25 import K1, B, idf
from ragstore.core.clock import utc_now
from ragstore.core.query import Query, Selected, Steps, Write
from ragstore.core.text import term_id
from ragstore.core.types import Id
from ragstore.corpus import statements
from ragstore.corpus.backend import Answer, ChunkTerms, CorpusBackend, SearchRequest
from ragstore.corpus.filters import Operator
from ragstore.corpus.records import Collection, EmbeddingSpace, SearchHit
from ragstore.corpus.search import hits
from ragstore.corpus.search.conditions import condition
from ragstore.corpus.search.fusion import Ranked, fuse, rank_texts, rank_vectors
from ragstore.corpus.tables import (
    ChunkKeyRow,
    ChunkRow,
    CollectionRow,
    DocumentRow,
    EmbeddingRow,
    PostingRow,
    SpaceRow,
    TermRow,
)

KEYS = table_of(ChunkKeyRow)
POSTINGS = table_of(PostingRow)
FREQUENCIES = table_of(TermRow)

_TENANT: Any = bindparam("tenant")
_IDS = bindparam("ids", expanding=True, type_=Id())
_COLLECTION_ID = bindparam("collection_id", type_=Id())

# -------------------------------------------------------------------------------------------------- postings

_LAST_KEY = select(func.coalesce(func.max(ChunkKeyRow.key), 0))


def add_terms(tenant: str, collection: Collection, chunks: Sequence[ChunkTerms]) -> Steps[None]:
    """Store chunks' postings. The write lock is held, so the next keys are ours to give."""
    last: list[int] = yield Query(_LAST_KEY, lambda row: int(row[0]))
    keyed = list(enumerate(chunks, last[0] + 1))
    shared = {"tenant_id": tenant, "collection_id": collection.id}
    yield Write(
        insert(KEYS),
        [{**shared, "key": key, "chunk_id": c.chunk_id, "length": c.terms.length} for key, c in keyed],
    )
    yield Write(insert(POSTINGS), [row for key, chunk in keyed for row in _postings(collection.salt, key, chunk)])


def _postings(salt: int, key: int, chunk: ChunkTerms) -> list[dict[str, Any]]:
    counts: Counter[int] = Counter()
    for lexeme, count in chunk.terms.frequencies.items():
        counts[term_id(lexeme)] += count
    shared = {"salt": salt, "chunk_key": key, "length": chunk.terms.length}
    return [{**shared, "term": term, "frequency": count} for term, count in counts.items()]


_REMOVE_KEYS = delete(KEYS).where(KEYS.c.tenant_id == _TENANT, KEYS.c.chunk_id.in_(_IDS))


def remove_terms(tenant: str, chunk_ids: Sequence[UUID]) -> Steps[None]:
    """Remove chunks' postings, which hang on their keys."""
    yield Write(_REMOVE_KEYS, {"tenant": tenant, "ids": list(chunk_ids)})


_MEASURE = select(func.count(), func.coalesce(func.avg(ChunkKeyRow.length), 0.0)).where(
    ChunkKeyRow.tenant_id == _TENANT, ChunkKeyRow.collection_id == _COLLECTION_ID
)


def measure_length(tenant: str, collection: Collection) -> Steps[tuple[int, float]]:
    """Give the number of chunks and their average length in words."""
    parameters = {"tenant": tenant, "collection_id": collection.id}
    measured: list[tuple[int, float]] = yield Query(_MEASURE, lambda row: (int(row[0]), float(row[1])), parameters)
    return measured[0]


_COUNT_TERMS = (
    select(PostingRow.term, func.count())
    .join(ChunkKeyRow, ChunkKeyRow.key == PostingRow.chunk_key)  # another collection may have the same salt
    .where(
        PostingRow.salt == bindparam("salt"),
        ChunkKeyRow.tenant_id == _TENANT,
        ChunkKeyRow.collection_id == _COLLECTION_ID,
    )
    .group_by(PostingRow.term)
)
_FORGET_TERMS = delete(FREQUENCIES).where(
    FREQUENCIES.c.tenant_id == _TENANT, FREQUENCIES.c.collection_id == bindparam("collection_id")
)


def count_terms(tenant: str, collection: Collection) -> Steps[None]:
    """Count in how many chunks each term stands; idf is worked out here, as SQLite may have no logarithm."""
    total, _ = yield from measure_length(tenant, collection)
    of = {"tenant": tenant, "collection_id": collection.id}
    counted = yield Query(_COUNT_TERMS, tuple, {**of, "salt": collection.salt})
    yield Write(_FORGET_TERMS, of)
    shared = {"tenant_id": tenant, "collection_id": collection.id}
    yield Write(
        insert(FREQUENCIES),
        [{**shared, "term": term, "frequency": count, "idf": idf(count, total)} for term, count in counted],
    )
    yield statements.update_collection(tenant, collection.id, {"analyzed_chunks": total, "analyzed_at": utc_now()})


# ------------------------------------------------------------------------------------------------ conditions


def metadata_condition(path: tuple[str, ...], operator: Operator, value: Any) -> ColumnElement[bool]:
    """Compare the value at a path of the effective metadata; true or false, never unknown.

    Keys are compared as values, never written into a JSON path.
    """
    if operator == "!=":
        return ~_effective(path, "==", value)
    return _effective(path, operator, value)


def _effective(path: tuple[str, ...], operator: Operator, value: Any) -> ColumnElement[bool]:
    """The chunk's own value, or its document's where the chunk's metadata does not have the first key."""
    own = _holds(ChunkRow.meta, path, operator, value)
    hidden = _holds(ChunkRow.meta, path[:1], "exists", True)
    return or_(own, and_(~hidden, _holds(DocumentRow.meta, path, operator, value)))


def _holds(column: Any, path: tuple[str, ...], operator: Operator, value: Any) -> ColumnElement[bool]:
    levels = [_members(column)]
    for _ in path[1:]:
        levels.append(_members(_only("object", levels[-1], "{}")))
    at_path = [level.c.key == literal(key, Text) for level, key in zip(levels, path, strict=True)]
    return _some(levels, *at_path, _compare(levels[-1], operator, value))


def _members(column: Any) -> Any:
    return func.json_each(column).table_valued("key", "type", "value")


def _only(kind: str, member: Any, empty: str) -> ColumnElement[str]:
    # json_each of a plain text is an error, and SQLite is free to try it before it looks at the type
    return case((member.c.type == kind, member.c.value), else_=empty)


def _some(sources: Sequence[Any], *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    # joined, not listed: SQLAlchemy cannot see that each source is made of the one before, and warns of a product
    joined = reduce(lambda left, right: left.join(right, true()), sources)
    statement = select(literal(1)).select_from(joined).where(*conditions)
    return exists(statement.correlate(ChunkRow, DocumentRow))


def _type_is(kind: ColumnElement[str], name: str) -> ColumnElement[bool]:
    return kind == name


def _among(member: Any, values: tuple[Any, ...]) -> ColumnElement[bool]:
    # one list for each type: an OR of them all would nest deeper than SQLite allows
    texts = [value for value in values if isinstance(value, str)]
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    others = [value for value in (None, True, False) if any(value is given for given in values)]
    return or_(
        false(),
        *(_compare(member, "==", value) for value in others),
        *([and_(member.c.type == "text", member.c.value.in_(texts))] if texts else []),
        *([and_(member.c.type.in_(("integer", "real")), member.c.value.in_(numbers))] if numbers else []),
    )


def _compare(member: Any, operator: Operator, value: Any) -> ColumnElement[bool]:
    kind, actual = member.c.type, member.c.value
    match operator:
        case "exists":
            return true()
        case "in":
            return _among(member, value)
        case "contains":
            items = _members(_only("array", member, "[]"))
            return _some([items], _compare(items, "==", value))
        case "starts_with":
            return and_(kind == "text", func.substr(actual, 1, len(value)) == value)
        case "==" if value is None:
            return _type_is(kind, "null")
        case "==" if isinstance(value, bool):
            return _type_is(kind, "true" if value else "false")
        case _:
            types = ("text",) if isinstance(value, str) else ("integer", "real")
            sign = "=" if operator == "==" else operator
            return and_(kind.in_(types), actual.op(sign, is_comparison=True)(value))


# --------------------------------------------------------------------------------------------------- the legs


def _filtered(statement: Selected, chunk_id: Any, where: ColumnElement[bool] | None) -> Selected:
    if where is None:
        return statement
    joined = statement.join(ChunkRow, and_(ChunkRow.tenant_id == _TENANT, ChunkRow.id == chunk_id))
    return joined.join(DocumentRow, hits.IS_ITS_DOCUMENT).where(where)


def _vector_leg(request: SearchRequest, where: ColumnElement[bool] | None) -> Steps[list[Ranked]]:
    space = request.targets[0].collection.space
    assert space is not None  # the repository has refused a vector for a collection without a space
    column = EmbeddingRow.half if space.storage == "halfvec" else EmbeddingRow.dense
    statement = select(type_coerce(EmbeddingRow.chunk_id, Text), column).where(  # an id for each row takes long to read
        EmbeddingRow.tenant_id == _TENANT, EmbeddingRow.space_id == bindparam("space_id", type_=Id())
    )
    statement = _filtered(statement, EmbeddingRow.chunk_id, where)
    rows = yield Query(statement, tuple, {"tenant": request.tenant, "space_id": space.id})
    return rank_vectors(_nearest(rows, request, space), space.metric)


def _nearest(
    rows: Sequence[tuple[str, bytes]], request: SearchRequest, space: EmbeddingSpace
) -> list[tuple[UUID, float]]:
    query = vectors.rounded(request.vector, space.storage)
    distances = vectors.distances_to([blob for _, blob in rows], query, space.metric, space.storage)
    found = nsmallest(request.depth, zip(distances, (chunk_id for chunk_id, _ in rows), strict=True))
    return [(UUID(hex=chunk_id), distance) for distance, chunk_id in found]


_IDF = select(TermRow.term, TermRow.idf).where(
    TermRow.tenant_id == _TENANT,
    TermRow.collection_id == _COLLECTION_ID,
    TermRow.term.in_(bindparam("terms", expanding=True)),
)


def _lexical_leg(request: SearchRequest, where: ColumnElement[bool] | None) -> Steps[list[Ranked]]:
    collection = request.targets[0].collection
    times: Counter[int] = Counter()
    for lexeme, count in (request.targets[0].text.frequencies if request.targets[0].text else {}).items():
        times[term_id(lexeme)] += count
    if not times:
        return []
    of = {"tenant": request.tenant, "collection_id": collection.id}
    known = dict((yield Query(_IDF, tuple, {**of, "terms": list(times)})))
    unknown = idf(0, collection.analyzed_chunks)
    importance = {term: count * known.get(term, unknown) for term, count in times.items()}
    parameters = {
        **of,
        "salt": collection.salt,
        "asked": json.dumps(importance),
        "average": collection.average_length or 1.0,
        "depth": request.depth,
    }
    found = yield Query(_filtered(_BM25, ChunkKeyRow.chunk_id, where), tuple, parameters)
    return rank_texts(found)


def _unindexed(column: Any) -> Any:
    """Keep the planner from starting at this column: it would walk the whole collection instead of the postings."""
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


# BM25 over the postings: the sum of importance x tf (k1 + 1) / (tf + k1 (1 - b + b dl / average)).
_ASKED = func.json_each(bindparam("asked", type_=Text())).table_valued("key", "value", name="asked")
_LENGTH_PART = PostingRow.length * (K1 * B) / bindparam("average", type_=Float())
_PART = PostingRow.frequency * (K1 + 1.0) / (PostingRow.frequency + K1 * (1.0 - B) + _LENGTH_PART)
_SCORED = (
    select(PostingRow.chunk_key, func.sum(_ASKED.c.value * _PART).label("bm25"))
    .select_from(_ASKED)
    .join(PostingRow, and_(PostingRow.salt == bindparam("salt"), PostingRow.term == cast(_ASKED.c.key, Integer)))
    .group_by(PostingRow.chunk_key)
    .subquery("scored")
)
_BM25 = (
    select(ChunkKeyRow.chunk_id, _SCORED.c.bm25)
    .join(_SCORED, ChunkKeyRow.key == _SCORED.c.chunk_key)
    .where(_unindexed(ChunkKeyRow.tenant_id) == _TENANT, _unindexed(ChunkKeyRow.collection_id) == _COLLECTION_ID)
    .order_by(_SCORED.c.bm25.desc(), ChunkKeyRow.chunk_id)
    .limit(bindparam("depth"))
)


# ------------------------------------------------------------------------------------------------ the search

_CURRENT = select(CollectionRow.id, CollectionRow.analyzed_chunks, CollectionRow.average_length).where(
    CollectionRow.tenant_id == _TENANT, CollectionRow.id == _COLLECTION_ID
)
_CURRENT_WITH_SPACE = _CURRENT.join(
    SpaceRow,
    and_(
        SpaceRow.tenant_id == _TENANT,
        SpaceRow.id == bindparam("space_id", type_=Id()),
        SpaceRow.collection_id == CollectionRow.id,
        SpaceRow.state == "active",
    ),
)
_HITS = (
    select(*hits.HIT_COLUMNS)
    .select_from(ChunkRow)
    .join(DocumentRow, hits.IS_ITS_DOCUMENT)
    .where(ChunkRow.tenant_id == _TENANT, ChunkRow.id.in_(_IDS))
)


def search(requests: Sequence[SearchRequest], backend: CorpusBackend) -> Steps[list[Answer] | None]:
    """Find the best chunks for each request."""
    answers: list[Answer] = []
    for request in requests:
        found = yield from _search_one(request, backend)
        if found is None:
            return None
        answers.append(Answer(found))
    return answers


def _search_one(request: SearchRequest, backend: CorpusBackend) -> Steps[list[SearchHit] | None]:
    """Rank by each leg, fuse, and fetch the page's chunks."""
    current = yield _current(request)
    if not current:
        return None
    _, analyzed, average = current[0]
    statistics = {"analyzed_chunks": analyzed, "average_length": average}
    current_collection = request.targets[0].collection.model_copy(update=statistics)
    request = replace(request, targets=(replace(request.targets[0], collection=current_collection),))
    where = None if request.where is None else condition(request.where, backend)
    legs: list[list[Ranked]] = []
    if request.vector is not None:
        legs.append((yield from _vector_leg(request, where)))
    if request.targets[0].text is not None:
        legs.append((yield from _lexical_leg(request, where)))
    ranked = fuse(legs[0], legs[1], request.weights) if request.hybrid else legs[0]
    page = ranked[request.offset : request.offset + request.limit]
    parameters = {"tenant": request.tenant, "ids": [found.chunk_id for found in page]}
    rows = {row[0]: row for row in (yield Query(_HITS, tuple, parameters))}
    return [hits.to_hit(rows[found.chunk_id], found, request.targets[0].collection.name) for found in page]


def _current(request: SearchRequest) -> Query[Any]:
    parameters = {"tenant": request.tenant, "collection_id": request.targets[0].collection.id}
    if request.vector is None or request.targets[0].collection.space is None:
        return Query(_CURRENT, tuple, parameters)
    return Query(_CURRENT_WITH_SPACE, tuple, {**parameters, "space_id": request.targets[0].collection.space.id})
