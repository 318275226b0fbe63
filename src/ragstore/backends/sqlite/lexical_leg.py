"""The lexical leg on SQLite: chunks are scored by their postings, and looked at in the order of their scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, select

from ragstore.backends.sqlite.phrases import TEXTS_AT_ONCE, hold_words, terms_to_check
from ragstore.backends.sqlite.scoring import AskedTerm, Scored, read_postings, score_all, score_best
from ragstore.backends.sqlite.selecting import COLLECTION_ID, Quota, growing, listed, unindexed
from ragstore.core import json
from ragstore.core.bm25 import idf
from ragstore.core.phrases import fulfils, has_phrases
from ragstore.core.query import Query, Selected, Steps
from ragstore.core.query_text import LexicalQuery
from ragstore.core.text import count_terms
from ragstore.corpus.backend import SearchRequest
from ragstore.corpus.parameters import TENANT
from ragstore.corpus.records import Collection
from ragstore.corpus.search import hits
from ragstore.corpus.tables import ChunkKeyRow, ChunkRow, DocumentRow, TermRow

Found = tuple[UUID, float]
"""A chunk and its BM25 score."""


def lexical_leg(
    request: SearchRequest, collections: Sequence[Collection], where: ColumnElement[bool] | None
) -> Steps[list[Found]]:
    """Give the best chunks of all collections with their scores, ties by id."""
    found: list[Found] = []
    for target, collection in zip(request.targets, collections, strict=True):
        if target.text is not None and target.text.frequencies:
            found += yield from _best_of(_Search(request, collection, target.text, where))
    return sorted(found, key=_in_order)[: request.depth]


def _in_order(pair: tuple[Any, float]) -> tuple[float, Any]:
    return -pair[1], pair[0]


@dataclass(slots=True)
class _Search:
    """One collection's part of the leg, and what it has taken so far."""

    request: SearchRequest
    collection: Collection
    text: LexicalQuery
    where: ColumnElement[bool] | None
    taken: list[Found] = field(default_factory=list)

    @property
    def plain(self) -> bool:
        """Say whether every chunk that scores will do."""
        conditions = self.where is not None or self.request.per_document is not None
        return not (conditions or self.text.required or self.text.excluded)

    @property
    def full(self) -> bool:
        """Say whether enough has been taken."""
        return len(self.taken) >= self.request.depth


def _best_of(search: _Search) -> Steps[list[Found]]:
    asked = yield from _weigh(search)
    salt, average = search.collection.salt, search.collection.average_length or 1.0
    if search.plain:
        scored = yield from score_best(salt, asked, average, search.request.depth)
        yield from _take(search, scored)
        if search.full and search.taken[-1][1] >= scored.bar:
            return search.taken
        search.taken.clear()  # some were another collection's of the same salt, or there are not so many
    postings = yield from read_postings(salt, terms_to_check(search.text))
    scored = yield from score_all(salt, asked, average, postings)
    yield from _take(search, hold_words(search.text, scored, postings))
    return search.taken


_TERMS = select(TermRow.term, TermRow.idf, TermRow.frequency).where(
    TermRow.tenant_id == TENANT, TermRow.collection_id == COLLECTION_ID, TermRow.term.in_(listed("terms"))
)


def _weigh(search: _Search) -> Steps[list[AskedTerm]]:
    """Give the query's terms, the rarest first."""
    times = count_terms(search.text.frequencies)
    of = {"tenant": search.request.tenant, "collection_id": search.collection.id}
    rows = yield Query(_TERMS, tuple, {**of, "terms": json.dumps(list(times))})
    known = {term: (weight, frequency) for term, weight, frequency in rows}
    unknown = (idf(0, search.collection.analyzed_chunks), 0)
    weighed = []
    for term, count in times.items():
        weight, frequency = known.get(term, unknown)
        weighed.append(AskedTerm(term, count * weight, frequency))
    return sorted(weighed, key=lambda asked: (asked.frequency, asked.term))


# ------------------------------------------------------------------------------- in the order of the scores


def _take(search: _Search, scored: Scored) -> Steps[None]:
    """Take the best chunks that will do, looking at no more of them than it needs."""
    quota = Quota(search.request.per_document)
    for batch in _batches(scored, search.request.depth):
        candidates = yield from _candidates(search, batch)
        for start in range(0, len(candidates), TEXTS_AT_ONCE):
            some = [found for found in candidates[start : start + TEXTS_AT_ONCE] if quota.has(found.document_id)]
            for found in (yield from _fulfilling(search, some)):
                if quota.take(found.document_id):
                    search.taken.append((found.chunk_id, found.score))
                if search.full:
                    return


def _batches(scored: Scored, depth: int) -> Iterator[Scored]:
    """Part the chunks by score, the best first; equals are never parted."""
    import numpy as np

    above = np.inf
    for count in growing(depth, len(scored.keys)):
        kept = min(count, len(scored.keys))
        least = np.partition(scored.scores, -kept)[-kept] if kept else 0.0
        yield scored.only((scored.scores >= least) & (scored.scores < above))
        above = least


@dataclass(frozen=True, slots=True)
class _Candidate:
    key: int
    chunk_id: UUID
    document_id: UUID
    score: float


_IS_KEYED = and_(ChunkRow.tenant_id == ChunkKeyRow.tenant_id, ChunkRow.id == ChunkKeyRow.chunk_id)
_CANDIDATES: Selected = (
    select(ChunkKeyRow.key, ChunkKeyRow.chunk_id, ChunkRow.document_id)
    .join(ChunkRow, _IS_KEYED)
    .where(
        ChunkKeyRow.key.in_(listed("keys")),
        unindexed(ChunkKeyRow.tenant_id) == TENANT,
        unindexed(ChunkKeyRow.collection_id) == COLLECTION_ID,
    )
)


def _candidates(search: _Search, batch: Scored) -> Steps[list[_Candidate]]:
    """Give those of this collection that the filter lets pass, the best first, ties by id."""
    statement = _CANDIDATES
    if search.where is not None:
        statement = statement.join(DocumentRow, hits.IS_ITS_DOCUMENT).where(search.where)
    scores = dict(zip(batch.keys.tolist(), batch.scores.tolist(), strict=True))
    of = {"tenant": search.request.tenant, "collection_id": search.collection.id}
    rows = yield Query(statement, tuple, {**of, "keys": json.dumps(batch.keys.tolist())})
    found = [_Candidate(key, chunk_id, document_id, scores[key]) for key, chunk_id, document_id in rows]
    return sorted(found, key=lambda candidate: (-candidate.score, candidate.chunk_id))


_TEXTS = (
    select(ChunkKeyRow.key, ChunkRow.content, ChunkRow.language)
    .join(ChunkRow, _IS_KEYED)
    .where(ChunkKeyRow.key.in_(listed("keys")), ChunkKeyRow.tenant_id == bindparam("tenant"))
)


def _fulfilling(search: _Search, candidates: list[_Candidate]) -> Steps[list[_Candidate]]:
    """Give those whose text has the phrases that are required, and none that is excluded."""
    if not candidates or not has_phrases(search.text):
        return candidates
    parameters = {"tenant": search.request.tenant, "keys": json.dumps([found.key for found in candidates])}
    rows = yield Query(_TEXTS, tuple, parameters)
    passing = {key for key, content, language in rows if fulfils(search.text, content, language)}
    return [found for found in candidates if found.key in passing]
