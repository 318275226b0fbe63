"""Search on PostgreSQL: any number of searches in one statement, made of their legs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Float,
    Integer,
    Text,
    and_,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import LateralFromClause, Subquery

from ragstore.backends.postgresql import lexical, vectors
from ragstore.backends.postgresql.keeping import Conditions, Kept, shape_of
from ragstore.backends.postgresql.legs import FENCE, NARROW, TENANT, WIDEST_NARROW, Scope, best, narrow
from ragstore.core import json
from ragstore.core.query import Query, Selected, Steps
from ragstore.core.stored_vectors import components
from ragstore.core.types import Dense, Id
from ragstore.corpus.backend import Answer, CorpusBackend, SearchRequest
from ragstore.corpus.records import Collection, Neighbor, SearchHit
from ragstore.corpus.search import hits
from ragstore.corpus.search.conditions import condition
from ragstore.corpus.search.fusion import RRF_K, Ranked, similarity
from ragstore.corpus.tables import ChunkRow, CollectionRow, DocumentRow, EmbeddingRow, SpaceRow

CHUNK_WIDTH = len(hits.HIT_COLUMNS)


def search(requests: Sequence[SearchRequest], backend: CorpusBackend) -> Steps[list[Answer] | None]:
    """Find the best chunks for each request, in one statement."""
    statement, filter_values = _statement_for(requests, backend)
    rows = yield Query(statement, tuple, _parameters(requests) | filter_values)
    if rows[0][0] < len(_collections(requests)):
        return None
    found: list[list[tuple[Any, ...]]] = [[] for _ in requests]
    for row in rows:
        if row[1] is not None:
            found[row[1]].append(row)
    read = _Reader(requests)
    return [read.answer(*each) for each in zip(requests, found, strict=True)]


def _collections(requests: Sequence[SearchRequest]) -> dict[UUID, Collection]:
    return {target.collection.id: target.collection for request in requests for target in request.targets}


def scopes_of(place: int, request: SearchRequest, where: ColumnElement[bool] | None) -> list[Scope]:
    """Give a request's targets with their places in the statement."""
    return [Scope(request, target, (place, at), where) for at, target in enumerate(request.targets)]


# ------------------------------------------------------------------------------------------------- statement

_kept = Kept()


def _statement_for(requests: Sequence[SearchRequest], backend: CorpusBackend) -> tuple[Selected, dict[str, Any]]:
    """Give the statement, and the values of the filters' parameters."""
    conditions = [None if request.where is None else condition(request.where, backend) for request in requests]
    shape = tuple(_shape(request) for request in requests)
    return _kept.get(shape, conditions, lambda wheres: _statement(requests, wheres))


def _shape(request: SearchRequest) -> tuple[Any, ...]:
    """Give all of a request that its statement depends on."""
    targets = [
        (
            space and (space.storage, space.metric, space.dimensions, space.index_method, space.quantization),
            vectors.uses_index(request, target),
            target.text and (bool(target.text.required), bool(target.text.excluded)),
        )
        for target in request.targets
        for space in [None if request.vector is None else target.collection.space]
    ]
    return (*targets, request.per_document is None, request.neighbors, request.with_embeddings, shape_of(request.where))


def _statement(requests: Sequence[SearchRequest], wheres: Conditions) -> Selected:
    """Search, and count in the first column the collections that are still as the requests have them.

    The count is joined to the hits by an outer join: it comes back without any, so that "nothing found" and "not there
    any more" can be told apart in one round trip.
    """
    pages: list[Selected] = []
    every_scope: list[Scope] = []
    for place, (request, where) in enumerate(zip(requests, wheres, strict=True)):
        scopes = scopes_of(place, request, where)
        every_scope += scopes
        pages.append(_page(place, scopes, ranked_columns(requests)))
    whole: Any = pages[0] if len(pages) == 1 else union_all(*(select(*page.subquery().c) for page in pages))
    ranked: Subquery = whole.subquery("ranked")
    chunk, document = _looked_up(ranked)
    found: Any = ranked.join(chunk, true()).join(document, true())
    columns: list[Any] = [*(ranked.c[name] for name in ranked_columns(requests)), *chunk.c, *document.c]
    if any(request.neighbors for request in requests):
        beside = _beside(ranked, chunk, requests)
        found, columns = found.join(beside, true()), [*columns, beside.c.neighbors]
    if any(request.with_embeddings for request in requests):
        embedding = _embedding(ranked, every_scope)
        found, columns = found.outerjoin(embedding, true()), [*columns, embedding.c.embedding]
    current = _current(every_scope)
    statement: Selected = select(current.c.known, *columns)
    return statement.select_from(current.outerjoin(found, true())).order_by(ranked.c.request, ranked.c.place)


def ranked_columns(requests: Sequence[SearchRequest]) -> tuple[str, ...]:
    """Name what comes before each hit's own columns; each column costs time in every layer that it passes."""
    names = ["request", "place"]
    names += ["distance", "approximate"] if any(request.vector is not None for request in requests) else []
    names += ["bm25"] if any(request.lexical for request in requests) else []
    names += ["score", "vector_rank", "text_rank"] if any(request.hybrid for request in requests) else []
    return tuple(names)


_NOTHING = {"approximate": "NULL::boolean", "vector_rank": "NULL::bigint", "text_rank": "NULL::bigint"}


def _page(place: int, scopes: Sequence[Scope], names: Sequence[str]) -> Selected:
    """Rank one request's hits, and give the asked page of them; a column that another request needs is NULL."""
    first = scopes[0]
    left = [narrow(scope) for scope in scopes]
    if first.request.hybrid:
        ranked = _fused(first, _vector_leg(scopes, left), _text_leg(scopes, left))
        order: Any = (ranked.c.score.desc(), ranked.c.chunk_id)
    elif first.request.lexical:
        ranked = _text_leg(scopes, left).subquery()
        order = (ranked.c.bm25.desc(), ranked.c.chunk_id)
    else:
        ranked = _vector_leg(scopes, left).subquery()
        order = (ranked.c.distance, ranked.c.chunk_id)
    number = func.row_number().over(order_by=order).label("place")
    values = [
        ranked.c[name] if name in ranked.c else literal_column(_NOTHING.get(name, "NULL::float8")).label(name)
        for name in names[2:]
    ]
    statement: Selected = select(
        literal_column(str(place), Integer).label("request"), number, ranked.c.chunk_id, *values
    )
    return statement.order_by(*order).limit(first.shared("rows")).offset(first.shared("offset"))


def _vector_leg(scopes: Sequence[Scope], left: Sequence[CTE | None]) -> Selected:
    legs = [vectors.vector_leg(*each) for each in zip(scopes, left, strict=True)]
    return legs[0] if len(legs) == 1 else vectors.nearest(scopes[0], legs)


def _text_leg(scopes: Sequence[Scope], left: Sequence[CTE | None]) -> Selected:
    legs = [lexical.lexical_leg(*each) for each in zip(scopes, left, strict=True)]
    return legs[0] if len(legs) == 1 else lexical.highest(scopes[0], legs)


def _numbered(leg: Selected, name: str, order: str, *, descending: bool = False) -> CTE:
    """Number a leg's candidates, best first."""
    candidates = leg.subquery()
    by = candidates.c[order].desc() if descending else candidates.c[order]
    number = func.row_number().over(order_by=(by, candidates.c.chunk_id)).label("rank")
    return select(*candidates.c, number).cte(name)


def _fused(scope: Scope, nearest: Selected, highest: Selected) -> Subquery:
    """Fuse the legs by weighted reciprocal rank, as `fusion.fuse` does."""
    by_vector = _numbered(nearest, f"by_vector_{scope.place[0]}", "distance")
    by_text = _numbered(highest, f"by_text_{scope.place[0]}", "bm25", descending=True)
    chunk_id = func.coalesce(by_vector.c.chunk_id, by_text.c.chunk_id)
    vector_part = _reciprocal(scope.shared("vector_weight"), by_vector.c.rank)
    score = vector_part + _reciprocal(scope.shared("text_weight"), by_text.c.rank)
    both = by_vector.join(by_text, by_vector.c.chunk_id == by_text.c.chunk_id, full=True)
    rows: Selected = select(
        chunk_id.label("chunk_id"),
        score.label("score"),
        by_vector.c.distance,
        by_text.c.bm25,
        by_vector.c.rank.label("vector_rank"),
        by_text.c.rank.label("text_rank"),
        by_vector.c.approximate,
    ).select_from(both)
    if scope.request.per_document is None:
        fused: Subquery = rows.subquery()
        return fused
    is_it = and_(ChunkRow.tenant_id == TENANT, ChunkRow.id == chunk_id)
    with_document = rows.join(ChunkRow, is_it).add_columns(ChunkRow.document_id)
    others = ("distance", "bm25", "vector_rank", "text_rank", "approximate")
    bounded: Subquery = best(scope, with_document, "score", *others, descending=True).subquery()
    return bounded


def _reciprocal(weight: Any, rank: ColumnElement[int]) -> ColumnElement[float]:
    return func.coalesce(cast(weight, Float) / (RRF_K + rank), 0.0)


# ------------------------------------------------------------------------------------ what comes with the hits


def _looked_up(ranked: Subquery) -> tuple[LateralFromClause, LateralFromClause]:
    """Look the few ranked chunks and their documents up by key: OFFSET 0 keeps any other plan out."""
    columns = (ChunkRow.collection_id, *hits.HIT_CHUNK_COLUMNS)
    chunk = (
        select(*(column.label(f"chunk_{place}") for place, column in enumerate(columns)))
        .where(ChunkRow.tenant_id == TENANT, ChunkRow.id == ranked.c.chunk_id)
        .offset(FENCE)
        .lateral("chunk")
    )
    document = (
        select(*hits.HIT_DOCUMENT_COLUMNS)
        .where(DocumentRow.tenant_id == TENANT, DocumentRow.id == chunk.c.chunk_2)
        .offset(FENCE)
        .lateral("document")
    )
    return chunk, document


def _beside(ranked: Subquery, chunk: LateralFromClause, requests: Sequence[SearchRequest]) -> LateralFromClause:
    """Collect the chunks around each hit as JSON text."""
    other = aliased(ChunkRow)
    width = func.coalesce(
        *(
            literal_column(f"CASE WHEN ranked.request = {place} THEN {int(request.neighbors)} END", Integer)
            for place, request in enumerate(requests)
        ),
        0,
    )
    one = func.json_build_array(other.id, other.chunk_index, other.content)
    return (
        select(cast(func.json_agg(one.op("ORDER BY")(other.chunk_index)), Text).label("neighbors"))
        .where(
            other.tenant_id == TENANT,
            other.document_id == chunk.c.chunk_2,
            other.chunk_index.between(chunk.c.chunk_3 - width, chunk.c.chunk_3 + width),
            other.id != chunk.c.chunk_1,
        )
        .lateral("beside")
    )


def _embedding(ranked: Subquery, scopes: Sequence[Scope]) -> LateralFromClause:
    """Bring each hit's vector."""
    either = func.coalesce(EmbeddingRow.dense, cast(EmbeddingRow.half, Dense()))
    spaces = or_(*(EmbeddingRow.space_id == scope.own("space_id", Id()) for scope in scopes))
    return (
        select(components(either, "vector").label("embedding"))
        .where(EmbeddingRow.tenant_id == TENANT, EmbeddingRow.chunk_id == ranked.c.chunk_id, spaces)
        .offset(FENCE)
        .lateral("embedding")
    )


def _current(scopes: Sequence[Scope]) -> Subquery:
    """Count the collections that are still as the requests have them, each once."""
    by_collection: dict[UUID, list[ColumnElement[bool]]] = {}
    for scope in scopes:
        conditions = by_collection.setdefault(scope.target.collection.id, [])
        conditions += _as_remembered(scope)
    as_remembered = or_(*(and_(*conditions) for conditions in by_collection.values()))
    counted = select(func.count().label("known")).select_from(CollectionRow)
    return counted.where(CollectionRow.tenant_id == TENANT, as_remembered).subquery("current")


def _as_remembered(scope: Scope) -> Iterator[ColumnElement[bool]]:
    yield CollectionRow.id == scope.own("collection_id", Id())
    if scope.request.lexical:
        yield cast(CollectionRow.languages, JSONB) == cast(scope.own("languages", Text()), JSONB)
    if scope.request.vector is not None:
        yield exists().where(
            SpaceRow.tenant_id == TENANT,
            SpaceRow.id == scope.own("space_id", Id()),
            SpaceRow.collection_id == CollectionRow.id,
            SpaceRow.state == "active",
            SpaceRow.index_state == scope.own("index_state"),
            SpaceRow.index_method == scope.own("index_method"),
            SpaceRow.quantization == scope.own("quantization"),
            SpaceRow.search_effort.is_not_distinct_from(cast(scope.own("search_effort"), Integer)),
        )


# ------------------------------------------------------------------------------------------------ parameters


def _parameters(requests: Sequence[SearchRequest]) -> dict[str, Any]:
    values: dict[str, Any] = {"tenant": requests[0].tenant}
    for place, request in enumerate(requests):
        vector_weight, text_weight = request.weights
        shared = {
            "rows": request.limit,
            "offset": request.offset,
            "depth": request.depth,
            "per_document": request.per_document,
            "vector_weight": vector_weight,
            "text_weight": text_weight,
        }
        values |= {f"{name}_{place}": value for name, value in shared.items()}
        for scope in scopes_of(place, request, None if request.where is None else true()):
            values |= _own_parameters(scope)
    return values


def _own_parameters(scope: Scope) -> dict[str, Any]:
    collection = scope.target.collection
    values: dict[str, Any] = {
        "collection_id": collection.id,
        "bound": min(max(collection.analyzed_chunks // 50, NARROW), WIDEST_NARROW),
    }
    space = collection.space
    values["space_id"] = None if space is None else space.id
    if scope.request.vector is not None and space is not None:
        values |= {name: getattr(space, name) for name in ("index_state", "index_method", "quantization")}
        values["search_effort"] = space.search_effort
        values["vector"] = scope.request.vector
    if scope.request.lexical:
        values["languages"] = json.dumps(list(collection.languages))
    named = {scope.own_name(name): value for name, value in values.items()}
    if scope.request.vector is not None:
        named |= vectors.parameters(scope)
    return named | lexical.parameters(scope) if scope.request.lexical else named


# ---------------------------------------------------------------------------------------------------- answers


class _Reader:
    """Makes answers of rows: what ranked a hit, its collection, its own columns, and what else came with it."""

    def __init__(self, requests: Sequence[SearchRequest]) -> None:
        self._ranked = ranked_columns(requests)
        self._hit_at = len(self._ranked) + 2  # behind the count of collections and the hit's collection
        self._neighbors_at = self._hit_at + CHUNK_WIDTH
        self._embedding_at = self._neighbors_at + any(request.neighbors for request in requests)

    def answer(self, request: SearchRequest, rows: Sequence[tuple[Any, ...]]) -> Answer:
        names = {target.collection.id: target.collection.name for target in request.targets}
        found = [self._hit(row, request, names) for row in rows]
        approximate = "approximate" in self._ranked and any(row[4] for row in rows)
        return Answer(found, "approximate" if approximate else "exact")

    def _hit(self, row: tuple[Any, ...], request: SearchRequest, names: dict[UUID, str]) -> SearchHit:
        own = row[self._hit_at : self._neighbors_at]
        hit = hits.to_hit(own, self._rank(row, request, own[0]), names[row[self._hit_at - 1]])
        update: dict[str, Any] = {}
        if request.neighbors:
            update["neighbors"] = _neighbors(row[self._neighbors_at])
        if request.with_embeddings:
            update["embedding"] = row[self._embedding_at]
        return hit.model_copy(update=update) if update else hit

    def _rank(self, row: tuple[Any, ...], request: SearchRequest, chunk_id: UUID) -> Ranked:
        values = dict(zip(self._ranked, row[1:], strict=False))
        space = request.targets[0].collection.space
        if request.hybrid:
            ranks = (values["vector_rank"], values["text_rank"])
            return Ranked(chunk_id, values["score"], values["distance"], values["bm25"], *ranks)
        if request.lexical or space is None:
            return Ranked(chunk_id, values["bm25"], bm25=values["bm25"], text_rank=values["place"])
        score = similarity(values["distance"], space.metric)
        return Ranked(chunk_id, score, distance=values["distance"], vector_rank=values["place"])


def _neighbors(written: str | None) -> tuple[Neighbor, ...]:
    return tuple(
        Neighbor(chunk_id=UUID(chunk_id), chunk_index=index, content=content)
        for chunk_id, index, content in json.loads(written or "[]")
    )
