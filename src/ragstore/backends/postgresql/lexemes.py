"""The lexical leg's rows on PostgreSQL: lexemes to find a chunk by, weights to rank it by, and their statistics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    func,
    insert,
    literal_column,
    select,
    true,
    update,
)

from ragstore.core.base import table_of
from ragstore.core.bm25 import weights
from ragstore.core.clock import utc_now
from ragstore.core.query import Copy, Query, Selected, Steps, Write
from ragstore.core.text import TERM_SPACE, Terms, analyze
from ragstore.core.types import Id, quote_lexeme
from ragstore.corpus import statements
from ragstore.corpus.backend import ChunkTerms
from ragstore.corpus.records import Collection
from ragstore.corpus.tables import ChunkRow, ChunkTermsRow, TermRow

TERMS = table_of(ChunkTermsRow)
FREQUENCIES = table_of(TermRow)

MAX_INLINE = 900
"""Weights that fit a page beside the row's keys, at 8 bytes each."""

_TENANT: Any = bindparam("tenant")


def salted(salt: int, lexeme: str) -> str:
    """Give a lexeme as it is stored: behind its collection's salt, so that an index look-up meets no other's rows."""
    return f"{salt:06x}{lexeme}"


quote = quote_lexeme


_COLUMNS = ("tenant_id", "chunk_id", "generation", "collection_id", "length", "lexemes", "weights", "rest")


def _rows(tenant: str, collection: Collection, chunks: Iterable[ChunkTerms]) -> Iterator[tuple[Any, ...]]:
    salt, generation = salted(collection.salt, ""), collection.generation
    for chunk in chunks:
        terms = chunk.terms
        lexemes = {salt + lexeme: positions for lexeme, positions in terms.positions.items()}
        weights = _weights(terms, collection.average_length)
        yield (tenant, chunk.chunk_id, generation, collection.id, terms.length, lexemes, *weights)


def _weights(terms: Terms, average_length: float) -> tuple[dict[int, float], dict[int, float] | None]:
    """Give a chunk's weights, and the rest of them where they are too many for a page."""
    entries = weights(terms, average_length)
    if len(entries) <= MAX_INLINE:
        return entries, None
    heaviest = set(sorted(entries, key=lambda term: (-entries[term], term))[:MAX_INLINE])
    inline = {term: value for term, value in entries.items() if term in heaviest}
    return inline, {term: value for term, value in entries.items() if term not in heaviest}


def add_terms(tenant: str, collection: Collection, chunks: Iterable[ChunkTerms], count: int) -> Steps[None]:
    """Store chunks' lexemes and weights."""
    yield Copy(TERMS, _COLUMNS, _rows(tenant, collection, chunks), count)


_IS_STALE = and_(
    ChunkTermsRow.tenant_id == _TENANT,
    ChunkTermsRow.collection_id == bindparam("collection_id", type_=Id()),
    ChunkTermsRow.generation < bindparam("generation"),
)
_HAS_STALE: Selected = select(literal_column("1")).where(_IS_STALE).limit(literal_column("1"))
_STALE_CHUNKS = (
    select(ChunkRow.id, ChunkRow.content, ChunkRow.language)
    .join(ChunkTermsRow, and_(ChunkTermsRow.tenant_id == ChunkRow.tenant_id, ChunkTermsRow.chunk_id == ChunkRow.id))
    .where(_IS_STALE)
    .limit(bindparam("rows"))
    # whoever deletes a chunk holds its row and then wants this one: by waiting for nothing, no two wait for each other
    .with_for_update(of=ChunkTermsRow, skip_locked=True)
)
_WEIGH = (
    update(TERMS)
    .where(TERMS.c.tenant_id == _TENANT, TERMS.c.chunk_id == bindparam("of"))
    .values(weights=bindparam("weights"), rest=bindparam("rest"), generation=bindparam("generation"))
)


def has_stale_terms(tenant: str, collection: Collection) -> Steps[bool]:
    """Say whether a chunk's weights are of an older generation than the collection."""
    parameters = {"tenant": tenant, "collection_id": collection.id, "generation": collection.generation}
    return bool((yield Query(_HAS_STALE, tuple, parameters)))


def weigh_anew(tenant: str, collection: Collection, rows: int) -> Steps[int]:
    """Weigh anew up to so many such chunks, of those that nobody else is working on, and give their number."""
    of = {"tenant": tenant, "generation": collection.generation}
    stale = yield Query(_STALE_CHUNKS, tuple, {**of, "collection_id": collection.id, "rows": rows})
    weighed = []
    for chunk_id, content, language in stale:
        inline, rest = _weights(analyze(content, language), collection.average_length)
        weighed.append({**of, "of": chunk_id, "weights": inline, "rest": rest})
    yield Write(_WEIGH, weighed)
    return len(weighed)


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
