"""The lexical leg's rows on SQLite: a posting for each term of a chunk, and their statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select

from ragstore.core.base import table_of
from ragstore.core.bm25 import idf
from ragstore.core.clock import utc_now
from ragstore.core.query import Copy, Query, Steps, Write
from ragstore.core.slices import portions
from ragstore.core.text import term_id
from ragstore.core.types import Id
from ragstore.corpus import statements
from ragstore.corpus.backend import ChunkTerms
from ragstore.corpus.records import Collection
from ragstore.corpus.tables import ChunkKeyRow, PostingRow, TermRow

KEYS = table_of(ChunkKeyRow)
POSTINGS = table_of(PostingRow)
FREQUENCIES = table_of(TermRow)

_TENANT: Any = bindparam("tenant")
_IDS = bindparam("ids", expanding=True, type_=Id())
_COLLECTION_ID = bindparam("collection_id", type_=Id())

_LAST_KEY = select(func.coalesce(func.max(ChunkKeyRow.key), 0))


_KEY_COLUMNS = ("tenant_id", "collection_id", "key", "chunk_id", "length")
_POSTING_COLUMNS = ("salt", "term", "chunk_key", "frequency", "length")
_AT_ONCE = 500


def add_terms(tenant: str, collection: Collection, chunks: Iterable[ChunkTerms], count: int) -> Steps[None]:
    """Store chunks' postings. The write lock is held, so the next keys are ours to give."""
    if not count:
        return
    last: list[int] = yield Query(_LAST_KEY, lambda row: int(row[0]))
    for some in portions(enumerate(chunks, last[0] + 1), _AT_ONCE):
        keys = [(tenant, collection.id, key, chunk.chunk_id, chunk.terms.length) for key, chunk in some]
        yield Copy(KEYS, _KEY_COLUMNS, keys, len(keys))
        postings = [row for key, chunk in some for row in _postings(collection.salt, key, chunk)]
        yield Copy(POSTINGS, _POSTING_COLUMNS, postings, len(postings))


def _postings(salt: int, key: int, chunk: ChunkTerms) -> list[tuple[int, ...]]:
    counts: Counter[int] = Counter()
    for lexeme, count in chunk.terms.frequencies.items():
        counts[term_id(lexeme)] += count
    length = chunk.terms.length
    return [(salt, term, key, count, length) for term, count in counts.items()]


def has_stale_terms(tenant: str, collection: Collection) -> Steps[bool]:
    """Say no: postings hold no weights."""
    yield from ()
    return False


def weigh_anew(tenant: str, collection: Collection, rows: int) -> Steps[int]:
    """Do nothing: postings hold no weights."""
    yield from ()
    return 0


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
        PostingRow.term > bindparam("after"),
        ChunkKeyRow.tenant_id == _TENANT,
        ChunkKeyRow.collection_id == _COLLECTION_ID,
    )
    .group_by(PostingRow.term)
    .order_by(PostingRow.term)
    .limit(bindparam("rows"))
)
_FORGET_TERMS = delete(FREQUENCIES).where(
    FREQUENCIES.c.tenant_id == _TENANT, FREQUENCIES.c.collection_id == bindparam("collection_id")
)
_FREQUENCY_COLUMNS = ("tenant_id", "collection_id", "term", "frequency", "idf")
_TERMS_AT_ONCE = 10_000


def count_terms(tenant: str, collection: Collection) -> Steps[None]:
    """Count in how many chunks each term stands; idf is worked out here, as SQLite may have no logarithm."""
    total, _ = yield from measure_length(tenant, collection)
    of = {"tenant": tenant, "collection_id": collection.id}
    yield Write(_FORGET_TERMS, of)
    counted: list[tuple[int, int]] = [(0, 0)]
    while counted:
        parameters = {**of, "salt": collection.salt, "after": counted[-1][0], "rows": _TERMS_AT_ONCE}
        counted = yield Query(_COUNT_TERMS, tuple, parameters)
        rows = [(tenant, collection.id, term, count, idf(count, total)) for term, count in counted]
        yield Copy(FREQUENCIES, _FREQUENCY_COLUMNS, rows, len(rows))
    yield statements.update_collection(tenant, collection.id, {"analyzed_chunks": total, "analyzed_at": utc_now()})
