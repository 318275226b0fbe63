"""Search on PostgreSQL: one statement for each mode, and the lexemes it finds chunks by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    false,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSQUERY
from sqlalchemy.sql.selectable import CTE, LateralFromClause, Subquery

from ragstore.core import json
from ragstore.core.base import table_of
from ragstore.core.bm25 import weights
from ragstore.core.clock import utc_now
from ragstore.core.query import Query, Selected, Steps, Write
from ragstore.core.text import TERM_SPACE, Terms, term_id
from ragstore.core.types import Dense, Half, Id, Sparse
from ragstore.corpus import statements
from ragstore.corpus.backend import Answer, ChunkTerms, CorpusBackend, SearchRequest
from ragstore.corpus.filters import Operator
from ragstore.corpus.records import Collection, SearchHit
from ragstore.corpus.search import hits
from ragstore.corpus.search.conditions import condition
from ragstore.corpus.search.fusion import RRF_K, Ranked, similarity
from ragstore.corpus.tables import (
    ChunkRow,
    ChunkTermsRow,
    CollectionRow,
    DocumentRow,
    EmbeddingRow,
    SpaceRow,
    TermRow,
)

TERMS = table_of(ChunkTermsRow)
FREQUENCIES = table_of(TermRow)

MAX_INLINE = 900
"""Weights that fit a page beside the row's keys, at 8 bytes each."""

_TENANT: Any = bindparam("tenant")
_FENCE: Any = literal_column("0")
_DISTANCE = {"cosine": "<=>", "l2": "<->", "inner_product": "<#>"}

# -------------------------------------------------------------------------------------------------- lexemes


def salted(salt: int, lexeme: str) -> str:
    """Give a lexeme as it is stored: behind its collection's salt, so that an index look-up meets no other's rows."""
    return f"{salt:06x}{lexeme}"


def _quote(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def to_tsvector(salt: int, terms: Terms) -> str:
    """Write lexemes with their positions as a tsvector's text form."""
    return " ".join(
        f"{_quote(salted(salt, lexeme))}:{','.join(map(str, positions))}"
        for lexeme, positions in terms.positions.items()
    )


def to_tsquery(salt: int, lexemes: Sequence[str]) -> str:
    """Write a tsquery's text form that any of the lexemes matches."""
    return "|".join(_quote(salted(salt, lexeme)) for lexeme in lexemes)


def _terms_row(tenant: str, collection: Collection, chunk: ChunkTerms) -> dict[str, Any]:
    entries = weights(chunk.terms, collection.average_length)
    inline, rest = entries, {}
    if len(entries) > MAX_INLINE:
        heaviest = sorted(entries, key=lambda i: (-entries[i], i))
        inline = {i: entries[i] for i in heaviest[:MAX_INLINE]}
        rest = {i: entries[i] for i in heaviest[MAX_INLINE:]}
    return {
        "tenant_id": tenant,
        "chunk_id": chunk.chunk_id,
        "generation": collection.generation,
        "collection_id": collection.id,
        "length": chunk.terms.length,
        "lexemes": to_tsvector(collection.salt, chunk.terms),
        "weights": inline,
        "rest": rest or None,
    }


def add_terms(tenant: str, collection: Collection, chunks: Sequence[ChunkTerms]) -> Steps[None]:
    """Store chunks' lexemes and weights."""
    yield Write(insert(TERMS), [_terms_row(tenant, collection, chunk) for chunk in chunks])


_REMOVE_TERMS = delete(TERMS).where(
    TERMS.c.tenant_id == _TENANT, TERMS.c.chunk_id.in_(bindparam("ids", expanding=True, type_=Id()))
)


def remove_terms(tenant: str, chunk_ids: Sequence[UUID]) -> Steps[None]:
    """Remove chunks' lexemes."""
    yield Write(_REMOVE_TERMS, {"tenant": tenant, "ids": list(chunk_ids)})


_OF_COLLECTION = and_(
    ChunkTermsRow.tenant_id == _TENANT, ChunkTermsRow.collection_id == bindparam("collection_id", type_=Id())
)
_MEASURE = select(func.count(), func.coalesce(func.avg(ChunkTermsRow.length), 0).cast(Float)).where(_OF_COLLECTION)


def measure_length(tenant: str, collection: Collection) -> Steps[tuple[int, float]]:
    """Give the number of chunks and their average length in words."""
    parameters = {"tenant": tenant, "collection_id": collection.id}
    measured = yield Query(_MEASURE, lambda row: (row[0], row[1]), parameters)
    found: tuple[int, float] = measured[0]
    return found


# A lexeme's `core.text.term_id` in SQL: its SHA-256's first 8 bytes modulo 10^9 - 1, plus 1, word by word in 64 bits.
_HIGH, _LOW = (
    f"('x' || substr(encode(sha256(convert_to(lexeme, 'UTF8')), 'hex'), {start}, 8))::bit(32)::bigint"
    for start in (1, 9)
)
_MODULUS = TERM_SPACE - 1
_TERM_ID: ColumnElement[int] = literal_column(
    f"(({_HIGH} % {_MODULUS} * {2**32 % _MODULUS} + {_LOW}) % {_MODULUS} + 1)::int", Integer
)
_LEXEME = func.unnest(func.tsvector_to_array(ChunkTermsRow.lexemes)).table_valued("lexeme", name="l").render_derived()
_WORDS = (
    select(func.substr(_LEXEME.c.lexeme, 7).label("lexeme"), func.count().label("chunks"))
    .select_from(ChunkTermsRow)
    .join(_LEXEME, true())
    .where(_OF_COLLECTION)
    .group_by(literal_column("1"))
    .subquery("words")
)
_COUNTED = (
    select(_TERM_ID.label("term"), func.sum(_WORDS.c.chunks).cast(Integer).label("frequency"))
    .select_from(_WORDS)
    .group_by(literal_column("1"))
    .subquery("counted")
)
_TOTAL = cast(bindparam("total"), Float)
_IDF = func.ln(1 + (_TOTAL - _COUNTED.c.frequency + 0.5) / (_COUNTED.c.frequency + 0.5))
_FORGET_TERMS = delete(FREQUENCIES).where(
    FREQUENCIES.c.tenant_id == _TENANT, FREQUENCIES.c.collection_id == bindparam("collection_id")
)
_COUNT_TERMS = insert(FREQUENCIES).from_select(
    ["tenant_id", "collection_id", "term", "frequency", "idf"],
    select(
        cast(_TENANT, Text),
        cast(bindparam("collection_id"), Id),
        _COUNTED.c.term,
        _COUNTED.c.frequency,
        _IDF.cast(Float),
    ),
)


def count_terms(tenant: str, collection: Collection) -> Steps[None]:
    """Count in how many chunks each term stands, and work out its idf; all on the server."""
    total, _ = yield from measure_length(tenant, collection)
    of = {"tenant": tenant, "collection_id": collection.id}
    yield Write(_FORGET_TERMS, of)
    yield Write(_COUNT_TERMS, {**of, "total": total})
    yield statements.update_collection(tenant, collection.id, {"analyzed_chunks": total, "analyzed_at": utc_now()})


# ------------------------------------------------------------------------------------------------ conditions


def metadata_condition(path: tuple[str, ...], operator: Operator, value: Any) -> ColumnElement[bool]:
    """Compare the value at a path of the effective metadata; true or false, never unknown."""
    # -> with a text key reads objects only, where #> would read the string '0' as a place in an array
    found: ColumnElement[Any] = DocumentRow.meta.op("||", return_type=JSONB())(ChunkRow.meta)
    for key in path:
        found = found.op("->", return_type=JSONB())(cast(key, Text))
    return func.coalesce(_json_compare(found, operator, value), false())


def _jsonb(value: Any) -> ColumnElement[Any]:
    return cast(literal(json.dumps(value), Text), _PlainJsonb())


def _json_compare(found: ColumnElement[Any], operator: Operator, value: Any) -> ColumnElement[bool]:
    match operator:
        case "exists":
            return found.is_not(None)
        case "==":
            return _is(found, "=", _jsonb(value))
        case "!=":
            return found.op("IS DISTINCT FROM", is_comparison=True)(_jsonb(value))
        case "in":
            return or_(false(), *(_is(found, "=", _jsonb(item)) for item in value))
        case "contains":
            return and_(func.jsonb_typeof(found) == "array", _is(found, "@>", _jsonb([value])))
        case "starts_with":
            return and_(func.jsonb_typeof(found) == "string", func.starts_with(_as_text(found), value))
        case _ if isinstance(value, str):
            return and_(
                func.jsonb_typeof(found) == "string", _is(_as_text(found).collate("C"), operator, literal(value))
            )
        case _:
            return and_(func.jsonb_typeof(found) == "number", _is(found, operator, _jsonb(value)))


def _is(left: ColumnElement[Any], operator: str, right: ColumnElement[Any]) -> ColumnElement[bool]:
    return left.op(operator, is_comparison=True)(right)


def _as_text(found: ColumnElement[Any]) -> ColumnElement[str]:
    return found.op("#>>", return_type=Text())(literal_column("'{}'"))


class _PlainJsonb(JSONB):
    """The name of the type, for casts alone."""


# --------------------------------------------------------------------------------------------------- the legs


def _filtered(statement: Selected, chunk_id: Any, where: ColumnElement[bool] | None) -> Selected:
    if where is None:
        return statement
    joined = statement.join(ChunkRow, and_(ChunkRow.tenant_id == _TENANT, ChunkRow.id == chunk_id))
    return joined.join(DocumentRow, hits.IS_ITS_DOCUMENT).where(where)


def _vector_leg(collection: Collection, where: ColumnElement[bool] | None) -> Selected:
    """Give (chunk_id, distance) of the nearest, in order; the caller says how many."""
    space = collection.space
    assert space is not None  # the repository has refused a vector for a collection without a space
    half = space.storage == "halfvec"
    column = EmbeddingRow.half if half else EmbeddingRow.dense
    query = bindparam("vector", type_=Half() if half else Dense())
    distance = column.op(_DISTANCE[space.metric], return_type=Float())(query).label("distance")
    statement = select(EmbeddingRow.chunk_id, distance).where(
        EmbeddingRow.tenant_id == _TENANT, EmbeddingRow.space_id == bindparam("space_id", type_=Id())
    )
    found = _filtered(statement, EmbeddingRow.chunk_id, where)
    return found.order_by(literal_column("distance"), EmbeddingRow.chunk_id)


# `core.bm25.idf` of a term that no analysed chunk holds
_UNKNOWN_IDF = (
    select(func.ln(1 + (CollectionRow.analyzed_chunks + 0.5) / 0.5).cast(Float))
    .where(CollectionRow.tenant_id == _TENANT, CollectionRow.id == bindparam("collection_id", type_=Id()))
    .scalar_subquery()
)


def _query_vector() -> CTE:
    """The query's sparse vector, made where the idf values are: one round trip, and never a stale copy of them."""
    term_ids, counts = (cast(bindparam(key), ARRAY(Integer)) for key in ("term_ids", "counts"))
    asked = func.unnest(term_ids, counts).table_valued("term", "times", name="asked").render_derived()
    known = select(TermRow.idf).where(
        TermRow.tenant_id == _TENANT,
        TermRow.collection_id == bindparam("collection_id", type_=Id()),
        TermRow.term == asked.c.term,
    )
    idf = func.coalesce(known.scalar_subquery(), _UNKNOWN_IDF)
    entry = func.concat(asked.c.term, ":", asked.c.times * idf)
    text = func.concat("{", func.string_agg(entry, ","), f"}}/{TERM_SPACE}")
    vector = select(cast(text, Sparse()).label("vector")).select_from(asked)
    return vector.cte("query").prefix_with("MATERIALIZED", dialect="postgresql")


def _lexical_leg(where: ColumnElement[bool] | None) -> Selected:
    """Give (chunk_id, bm25) of the best, in order; the caller says how many."""
    query = _query_vector()
    holding = _holding_a_word()
    rest = func.coalesce(holding.c.rest.op("<#>", return_type=Float())(query.c.vector), 0.0)
    bm25 = (-(holding.c.weights.op("<#>", return_type=Float())(query.c.vector) + rest)).label("bm25")
    statement = select(holding.c.chunk_id, bm25).join(query, true())
    statement = statement.where(holding.c.tenant_id == _TENANT, holding.c.collection_id == bindparam("collection_id"))
    found = _filtered(statement, holding.c.chunk_id, where)
    return found.order_by(literal_column("bm25").desc(), holding.c.chunk_id)


def _holding_a_word() -> Subquery:
    """The chunks that hold a word of the query, by the GIN index.

    The salt in each lexeme keeps out nearly all other collections' rows, and OFFSET 0 keeps the rest of the condition
    out of here: with it, a planner without fresh statistics walks the whole collection by another index. The query
    comes by a subquery, so that the planner assumes a few rows whatever the words: knowing a common word, it would read
    the whole table, not knowing that each row's lexemes lie out of line.
    """
    columns = (
        ChunkTermsRow.tenant_id,
        ChunkTermsRow.collection_id,
        ChunkTermsRow.chunk_id,
        ChunkTermsRow.weights,
        ChunkTermsRow.rest,
    )
    asked = select(cast(bindparam("tsquery"), TSQUERY)).scalar_subquery()
    matching = ChunkTermsRow.lexemes.op("@@", is_comparison=True)(asked)
    return select(*columns).where(matching).offset(_FENCE).subquery("holding")


# --------------------------------------------------------------------------------------------- the statements


def _ranked(collection: Collection, where: ColumnElement[bool] | None, *, vector: bool, text: bool) -> Subquery:
    """Give (chunk_id, score, distance, bm25, vector_rank, text_rank) of the asked page; NULL where Python knows."""
    none: Any = literal_column("NULL")
    if vector and text:
        return _fused(_vector_leg(collection, where), _lexical_leg(where))
    if vector:
        leg = _page(_vector_leg(collection, where)).subquery("leg")
        columns = (leg.c.distance, none.label("bm25"))
    else:
        leg = _page(_lexical_leg(where)).subquery("leg")
        columns = (none.label("distance"), leg.c.bm25)
    ranks = (none.label("vector_rank"), none.label("text_rank"))
    return select(leg.c.chunk_id, none.label("score"), *columns, *ranks).subquery("ranked")


def _page(statement: Selected) -> Selected:
    return statement.limit(bindparam("rows")).offset(bindparam("offset"))


def _numbered(leg: Selected, value: str, rank: str, *, descending: bool = False) -> CTE:
    """Number a leg's candidates, best first."""
    best = leg.limit(bindparam("depth")).subquery()
    order = best.c[value].desc() if descending else best.c[value]
    number = func.row_number().over(order_by=(order, best.c.chunk_id)).label(rank)
    return select(best.c.chunk_id, best.c[value], number).cte(f"by_{value}")


def _fused(nearest: Selected, best: Selected) -> Subquery:
    by_vector = _numbered(nearest, "distance", "vector_rank")
    by_text = _numbered(best, "bm25", "text_rank", descending=True)
    chunk_id = func.coalesce(by_vector.c.chunk_id, by_text.c.chunk_id)
    score = _reciprocal("vector_weight", by_vector.c.vector_rank) + _reciprocal("text_weight", by_text.c.text_rank)
    both = by_vector.join(by_text, by_vector.c.chunk_id == by_text.c.chunk_id, full=True)
    legs = (by_vector.c.distance, by_text.c.bm25, by_vector.c.vector_rank, by_text.c.text_rank)
    statement: Selected = select(chunk_id.label("chunk_id"), score.label("score"), *legs).select_from(both)
    ranked: Subquery = _page(statement.order_by(score.desc(), chunk_id)).subquery("ranked")
    return ranked


def _reciprocal(weight: str, rank: ColumnElement[int]) -> ColumnElement[float]:
    return func.coalesce(cast(bindparam(weight), Float) / (RRF_K + rank), 0.0)


def _looked_up(ranked: Subquery) -> tuple[LateralFromClause, LateralFromClause]:
    """Look the few ranked chunks and their documents up by key: OFFSET 0 keeps any other plan out."""
    chunk_columns = [column.label(f"chunk_{place}") for place, column in enumerate(hits.HIT_CHUNK_COLUMNS)]
    chunk = (
        select(*chunk_columns)
        .where(ChunkRow.tenant_id == _TENANT, ChunkRow.id == ranked.c.chunk_id)
        .offset(_FENCE)
        .lateral("chunk")
    )
    document = (
        select(*hits.HIT_DOCUMENT_COLUMNS)
        .where(DocumentRow.tenant_id == _TENANT, DocumentRow.id == chunk.c.chunk_1)
        .offset(_FENCE)
        .lateral("document")
    )
    return chunk, document


def _best_first(ranked: Subquery, *, vector: bool, text: bool) -> tuple[Any, ...]:
    if vector and text:
        return ranked.c.score.desc(), ranked.c.chunk_id
    return (ranked.c.distance if vector else ranked.c.bm25.desc()), ranked.c.chunk_id


def _statement(collection: Collection, where: ColumnElement[bool] | None, *, vector: bool, text: bool) -> Selected:
    """Search, and say in the first column whether the collection is still as the request has it.

    The collection's row is joined to its hits by an outer join: it comes back without any, so that "nothing found"
    and "not there any more" can be told apart in one round trip.
    """
    ranked = _ranked(collection, where, vector=vector, text=text)
    chunk, document = _looked_up(ranked)
    hits = ranked.join(chunk, true()).join(document, true())
    valid = [CollectionRow.tenant_id == _TENANT, CollectionRow.id == bindparam("collection_id", type_=Id())]
    statement: Selected = select(
        ranked.c.score,
        ranked.c.distance,
        ranked.c.bm25,
        ranked.c.vector_rank,
        ranked.c.text_rank,
        *chunk.c,
        *document.c,
    ).select_from(CollectionRow)
    if vector:
        active = and_(
            SpaceRow.tenant_id == _TENANT,
            SpaceRow.id == bindparam("space_id", type_=Id()),
            SpaceRow.collection_id == CollectionRow.id,
            SpaceRow.state == "active",
        )
        statement = statement.join(SpaceRow, active)
    return statement.outerjoin(hits, true()).where(*valid).order_by(*_best_first(ranked, vector=vector, text=text))


_kept: dict[tuple[Any, ...], Selected] = {}


def _statement_for(request: SearchRequest, backend: CorpusBackend) -> Selected:
    """Give a kept statement where there is no filter: building one costs more than running it on a small space."""
    vector, text = request.vector is not None, request.targets[0].text is not None
    if request.where is not None:
        where = condition(request.where, backend)
        return _statement(request.targets[0].collection, where, vector=vector, text=text)
    space = request.targets[0].collection.space
    key = (vector, text, space.storage, space.metric) if vector and space else (vector, text)
    if key not in _kept:
        _kept[key] = _statement(request.targets[0].collection, None, vector=vector, text=text)
    return _kept[key]


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
    """Find the best chunks in one statement."""
    found = yield Query(_statement_for(request, backend), tuple, _parameters(request))
    if not found:
        return None
    hits = [row for row in found if row[5] is not None]
    return [_to_hit(row, rank, request) for rank, row in enumerate(hits, request.offset + 1)]


def _parameters(request: SearchRequest) -> dict[str, Any]:
    collection = request.targets[0].collection
    parameters: dict[str, Any] = {
        "tenant": request.tenant,
        "collection_id": collection.id,
        "rows": request.limit,
        "offset": request.offset,
    }
    if request.vector is not None and collection.space is not None:
        parameters |= {"vector": request.vector, "space_id": collection.space.id}
    if request.targets[0].text is not None:
        parameters |= _lexical_parameters(collection, request.targets[0].text.frequencies)
    if request.hybrid:
        vector_weight, text_weight = request.weights
        parameters |= {"depth": request.depth, "vector_weight": vector_weight, "text_weight": text_weight}
    return parameters


def _lexical_parameters(collection: Collection, terms: dict[str, int]) -> dict[str, Any]:
    times: dict[int, int] = {}
    for lexeme, count in terms.items():
        times[term_id(lexeme)] = times.get(term_id(lexeme), 0) + count
    return {
        "tsquery": to_tsquery(collection.salt, list(terms)),
        "term_ids": list(times),
        "counts": list(times.values()),
    }


def _to_hit(row: tuple[Any, ...], rank: int, request: SearchRequest) -> SearchHit:
    score, distance, bm25, vector_rank, text_rank = row[:5]
    space = request.targets[0].collection.space
    if request.targets[0].text is None and space is not None:
        score, vector_rank = similarity(distance, space.metric), rank
    elif request.vector is None:
        score, text_rank = bm25, rank
    found = Ranked(row[5], score, distance, bm25, vector_rank, text_rank)
    return hits.to_hit(row[5:], found, request.targets[0].collection.name)
