"""Search on SQLite: vectors by NumPy, words by a postings table.

A query costs no round trip here, so a search is a few plain statements inside one read transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Text, and_, bindparam, func, select
from sqlalchemy.orm import aliased

from ragstore.backends.sqlite.lexical_leg import lexical_leg
from ragstore.backends.sqlite.selecting import (
    COLLECTION_ID,
    IDS_LISTED,
    SPACE_ID,
    Quota,
    documents_of,
    list_ids,
    listed,
)
from ragstore.backends.sqlite.vector_leg import SpaceAsOf, vector_leg
from ragstore.core.memory import Version
from ragstore.core.query import Query, Selected, Steps
from ragstore.core.stored_vectors import components
from ragstore.core.vectors import Storage
from ragstore.corpus.backend import Answer, CorpusBackend, SearchRequest, Target
from ragstore.corpus.parameters import TENANT
from ragstore.corpus.records import Collection, Neighbor, SearchHit
from ragstore.corpus.search import hits
from ragstore.corpus.search.conditions import condition
from ragstore.corpus.search.fusion import Ranked, fuse, rank_texts, rank_vectors
from ragstore.corpus.tables import ChunkRow, CollectionRow, DocumentRow, EmbeddingRow, SpaceRow, VectorChangeRow


def search(requests: Sequence[SearchRequest], backend: CorpusBackend) -> Steps[list[Answer] | None]:
    """Find the best chunks for each request; None: a collection or its space is not what a request says."""
    answers: list[Answer] = []
    for request in requests:
        found = yield from _search_one(request, backend)
        if found is None:
            return None
        answers.append(Answer(found))
    return answers


def _search_one(request: SearchRequest, backend: CorpusBackend) -> Steps[list[SearchHit] | None]:
    current: list[_Current] = []
    for target in request.targets:
        found = yield from _look_up(request, target)
        if found is None:
            return None
        current.append(found)
    page = yield from _rank(request, current, backend)
    return (yield from _fetch(request, current, page))


# ------------------------------------------------------------------------------------ the collections as they are


@dataclass(frozen=True, slots=True)
class _Current:
    """A collection as it is now, with the version of its vectors."""

    collection: Collection
    version: Version

    @property
    def space(self) -> SpaceAsOf:
        space = self.collection.space
        assert space is not None  # the repository has refused a vector for a collection without a space
        return SpaceAsOf(space, self.collection.id, self.version)


_NEWEST = (
    select(func.max(EmbeddingRow.chunk_id, type_=Text()))
    .where(EmbeddingRow.tenant_id == SpaceRow.tenant_id, EmbeddingRow.space_id == SpaceRow.id)
    .correlate(SpaceRow)
    .scalar_subquery()
)
_CURRENT = (
    select(
        CollectionRow.languages,
        CollectionRow.analyzed_chunks,
        CollectionRow.average_length,
        SpaceRow.id,
        func.coalesce(VectorChangeRow.added, 0),
        func.coalesce(VectorChangeRow.removed, 0),
        _NEWEST,
    )
    .outerjoin(
        SpaceRow,
        and_(
            SpaceRow.tenant_id == CollectionRow.tenant_id,
            SpaceRow.collection_id == CollectionRow.id,
            SpaceRow.state == "active",
        ),
    )
    .outerjoin(
        VectorChangeRow,
        and_(VectorChangeRow.tenant_id == SpaceRow.tenant_id, VectorChangeRow.space_id == SpaceRow.id),
    )
    .where(CollectionRow.tenant_id == TENANT, CollectionRow.id == COLLECTION_ID)
)


def _look_up(request: SearchRequest, target: Target) -> Steps[_Current | None]:
    """Give the target's collection with its statistics as they are now; None if it is another."""
    known = target.collection
    rows = yield Query(_CURRENT, tuple, {"tenant": request.tenant, "collection_id": known.id})
    if not rows:
        return None
    languages, analyzed, average, space_id, added, removed, newest = rows[0]
    by_space = request.vector is not None or request.with_embeddings
    if by_space and space_id != (known.space.id if known.space else None):
        return None
    if tuple(languages) != known.languages:
        return None
    now = known.model_copy(update={"analyzed_chunks": analyzed, "average_length": average})
    return _Current(now, Version(added, removed, newest))


# ------------------------------------------------------------------------------------------------- the ranking


def _rank(request: SearchRequest, current: Sequence[_Current], backend: CorpusBackend) -> Steps[list[Ranked]]:
    """Rank by each leg, fuse, and cut the page."""
    where = None if request.where is None else condition(request.where, backend)
    legs: list[list[Ranked]] = []
    if request.vector is not None:
        spaces = [found.space for found in current]
        legs.append(rank_vectors((yield from vector_leg(request, spaces, where)), spaces[0].space.metric))
    if request.lexical:
        collections = [found.collection for found in current]
        legs.append(rank_texts((yield from lexical_leg(request, collections, where))))
    ranked = legs[0]
    if request.hybrid:
        ranked = fuse(legs[0], legs[1], request.weights)
        if request.per_document is not None:
            ranked = yield from _thinned(request, ranked)
    return ranked[request.offset : request.offset + request.limit]


def _thinned(request: SearchRequest, ranked: Sequence[Ranked]) -> Steps[list[Ranked]]:
    """Leave out all but the best of each document: each leg has brought as many as may stay."""
    documents = dict((yield documents_of(request.tenant, (found.chunk_id for found in ranked))))
    quota = Quota(request.per_document)
    return [found for found in ranked if quota.take(documents[found.chunk_id])]


# --------------------------------------------------------------------------------------------------- the hits


_HITS: Selected = (
    select(*hits.HIT_COLUMNS, ChunkRow.collection_id)
    .select_from(ChunkRow)
    .join(DocumentRow, hits.IS_ITS_DOCUMENT)
    .where(IDS_LISTED)
)


def _fetch(request: SearchRequest, current: Sequence[_Current], page: Sequence[Ranked]) -> Steps[list[SearchHit]]:
    """Read the page's chunks, and what is to come with them."""
    parameters = {"tenant": request.tenant, "ids": list_ids(found.chunk_id for found in page)}
    rows = {row[0]: row for row in (yield Query(_HITS, tuple, parameters))}
    names = {found.collection.id: found.collection.name for found in current}
    made = [hits.to_hit(rows[found.chunk_id], found, names[rows[found.chunk_id][-1]]) for found in page]
    if request.neighbors:
        around = yield from _neighbors(parameters, request.neighbors)
        made = [hit.model_copy(update={"neighbors": tuple(around.get(hit.chunk_id, ()))}) for hit in made]
    if request.with_embeddings:
        stored = yield from _embeddings(parameters, current)
        made = [hit.model_copy(update={"embedding": stored.get(hit.chunk_id)}) for hit in made]
    return made


_BESIDE = aliased(ChunkRow)
_NEIGHBORS: Selected = (
    select(ChunkRow.id, _BESIDE.id, _BESIDE.chunk_index, _BESIDE.content)
    .join(
        _BESIDE,
        and_(
            _BESIDE.tenant_id == ChunkRow.tenant_id,
            _BESIDE.document_id == ChunkRow.document_id,
            _BESIDE.chunk_index.between(
                ChunkRow.chunk_index - bindparam("most", type_=Integer()),
                ChunkRow.chunk_index + bindparam("most", type_=Integer()),
            ),
            _BESIDE.id != ChunkRow.id,
        ),
    )
    .where(IDS_LISTED)
    .order_by(ChunkRow.id, _BESIDE.chunk_index)
)


def _neighbors(parameters: dict[str, Any], most: int) -> Steps[dict[UUID, list[Neighbor]]]:
    around: dict[UUID, list[Neighbor]] = {}
    for chunk_id, beside, chunk_index, content in (yield Query(_NEIGHBORS, tuple, {**parameters, "most": most})):
        neighbor = Neighbor(chunk_id=beside, chunk_index=chunk_index, content=content)
        around.setdefault(chunk_id, []).append(neighbor)
    return around


@cache
def _embeddings_of(storage: Storage) -> Selected:
    column = EmbeddingRow.half if storage == "halfvec" else EmbeddingRow.dense
    return select(EmbeddingRow.chunk_id, components(column, storage)).where(
        EmbeddingRow.tenant_id == TENANT, EmbeddingRow.space_id == SPACE_ID, EmbeddingRow.chunk_id.in_(listed("ids"))
    )


def _embeddings(parameters: dict[str, Any], current: Sequence[_Current]) -> Steps[dict[UUID, tuple[float, ...]]]:
    stored: dict[UUID, tuple[float, ...]] = {}
    for found in current:
        space = found.collection.space
        if space is not None:
            query = Query(_embeddings_of(space.storage), tuple, {**parameters, "space_id": space.id})
            stored |= dict((yield query))
    return stored
