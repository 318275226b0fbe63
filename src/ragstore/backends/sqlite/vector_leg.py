"""The vector leg on SQLite: exact, over vectors kept in memory, or block by block from the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, bindparam, func, literal_column, select, type_coerce

from ragstore.backends.sqlite.phrases import TEXTS_AT_ONCE
from ragstore.backends.sqlite.selecting import (
    COLLECTION_ID,
    IDS_LISTED,
    SPACE_ID,
    Quota,
    documents_of,
    growing,
    list_ids,
    unindexed,
)
from ragstore.backends.sqlite.words import Choice, choose
from ragstore.core import vectors
from ragstore.core.memory import Held, SpaceKey, VectorMemory, Version
from ragstore.core.nearest import Block, Gathering, Nearest, block_rows, packed_ids, row_bytes
from ragstore.core.phrases import fulfils, has_phrases
from ragstore.core.query import Query, Selected, Steps
from ragstore.core.query_text import LexicalQuery
from ragstore.core.vectors import Storage
from ragstore.corpus.backend import SearchRequest, Target
from ragstore.corpus.parameters import TENANT
from ragstore.corpus.records import EmbeddingSpace
from ragstore.corpus.search import hits
from ragstore.corpus.tables import ChunkRow, DocumentRow, EmbeddingRow

_ROW: Any = literal_column("rag_embedding.rowid")
_CHUNK_ID = type_coerce(EmbeddingRow.chunk_id, Text)  # to make an id of each row takes long
_OF_SPACE = (EmbeddingRow.tenant_id == TENANT, EmbeddingRow.space_id == SPACE_ID)


@dataclass(frozen=True, slots=True)
class SpaceAsOf:
    """A space with the version that this transaction sees."""

    space: EmbeddingSpace
    collection_id: UUID
    version: Version


@dataclass(frozen=True, slots=True)
class _Part:
    """A target of the search with its space, and those of its vectors that are looked at."""

    target: Target
    seen: SpaceAsOf
    choice: Choice


def vector_leg(
    request: SearchRequest, spaces: Sequence[SpaceAsOf], where: ColumnElement[bool] | None
) -> Steps[list[tuple[UUID, float]]]:
    """Give the nearest chunks of all spaces with their distances, ties by id."""
    parts: list[_Part] = []
    for target, seen in zip(request.targets, spaces, strict=True):
        parts.append(_Part(target, seen, (yield from choose(request.tenant, target))))
    phrased = {part.seen.collection_id: text for part in parts if (text := part.target.text) and has_phrases(text)}
    if request.per_document is None and not phrased:
        return (yield from _nearest(request, parts, where, request.depth))
    taking = _Taking(request, phrased, Quota(request.per_document))
    looked_at = 0
    for depth in growing(4 * request.depth, sum(seen.version.added for seen in spaces)):
        ranked = yield from _nearest(request, parts, where, depth)
        yield from _take(taking, ranked[looked_at:])
        if taking.full or len(ranked) < depth:
            break
        looked_at = len(ranked)
    return taking.taken


def _nearest(
    request: SearchRequest, parts: Sequence[_Part], where: ColumnElement[bool] | None, depth: int
) -> Steps[list[tuple[UUID, float]]]:
    best: list[tuple[UUID, float]] = []
    for part in parts:
        seen = part.seen
        query = vectors.rounded(request.vector, seen.space.storage)
        nearest = Nearest(query, seen.space.metric, depth)
        held = yield from _held(request, seen)
        if held is None:
            yield from _from_file(request.tenant, part, where, nearest)
        else:
            yield from _from_memory(request.tenant, part, held, where, nearest)
        best += nearest.best()
    return sorted(best, key=lambda pair: (pair[1], pair[0]))[:depth]


# --------------------------------------------------------------------------------- in the order of distances


@dataclass(slots=True)
class _Taking:
    """What the leg has taken so far, of chunks that are shown to it nearest first.

    Attributes:
        phrased: By collection, the texts that have phrases: these are looked for in what is stored.
    """

    request: SearchRequest
    phrased: Mapping[UUID, LexicalQuery]
    quota: Quota
    taken: list[tuple[UUID, float]] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Say whether enough has been taken."""
        return len(self.taken) >= self.request.depth


def _take(taking: _Taking, ranked: Sequence[tuple[UUID, float]]) -> Steps[None]:
    """Take the nearest that will do, reading no more texts than it needs."""
    at_once = TEXTS_AT_ONCE if taking.phrased else max(len(ranked), 1)
    for start in range(0, len(ranked), at_once):
        some = ranked[start : start + at_once]
        documents = yield from _documents(taking, [chunk_id for chunk_id, _ in some])
        for pair in some:
            if pair[0] in documents and taking.quota.take(documents[pair[0]]):
                taking.taken.append(pair)
            if taking.full:
                return


_TEXTS = select(ChunkRow.id, ChunkRow.document_id, ChunkRow.collection_id, ChunkRow.content, ChunkRow.language).where(
    IDS_LISTED
)


def _documents(taking: _Taking, ids: Sequence[UUID]) -> Steps[dict[UUID, UUID]]:
    """Give the documents of those chunks that have the phrases that they must, and none that they must not."""
    tenant, phrased = taking.request.tenant, taking.phrased
    if not phrased:
        return dict((yield documents_of(tenant, ids)))
    rows = yield Query(_TEXTS, tuple, {"tenant": tenant, "ids": list_ids(ids)})
    return {
        chunk_id: document_id
        for chunk_id, document_id, collection_id, content, language in rows
        if collection_id not in phrased or fulfils(phrased[collection_id], content, language)
    }


# ----------------------------------------------------------------------------------------------- from memory


_PASSING: Selected = (
    select(func.group_concat(type_coerce(ChunkRow.id, Text), ""))  # one long text is quicker to fetch than many rows
    .join(DocumentRow, hits.IS_ITS_DOCUMENT)
    .where(ChunkRow.tenant_id == TENANT, ChunkRow.collection_id == COLLECTION_ID)
)


def _from_memory(
    tenant: str, part: _Part, held: Held, where: ColumnElement[bool] | None, nearest: Nearest
) -> Steps[None]:
    import numpy as np

    choice = part.choice
    if where is not None:
        parameters = {"tenant": tenant, "collection_id": part.seen.collection_id}
        passing = yield Query(_PASSING.where(where), lambda row: packed_ids(row[0] or ""), parameters)
        choice = choice.among(np.sort(passing[0]))
    for block in held.blocks:
        nearest.add(block, choice.rows_of(block))


def _held(request: SearchRequest, seen: SpaceAsOf) -> Steps[Held | None]:
    """Give the space's vectors as this transaction sees them; None if they are not to be kept in memory."""
    key = (request.tenant, seen.space.id)
    held = request.memory.find(key)
    if held is not None and held.version == seen.version:
        return held
    if held is not None and held.version.counted > seen.version.counted:
        return None  # this is a snapshot of before; others need what is held
    if held is not None and held.version.removed == seen.version.removed:
        held = yield from _with_added(request, seen, held)
        if held is not None:
            request.memory.keep(key, held)
            return held
    return (yield from _read(request.tenant, seen, request.memory))


@cache
def _added_rows(storage: Storage) -> Selected:
    newer = unindexed(_ROW) > bindparam("last_row")  # the table may have grown by many rows of other spaces
    return select(_CHUNK_ID, _column(storage), _ROW).where(*_OF_SPACE, newer).order_by(EmbeddingRow.chunk_id)


def _with_added(request: SearchRequest, seen: SpaceAsOf, held: Held) -> Steps[Held | None]:
    """Add what has come since; None if that cannot be told, or if it is so much that all can be read as well."""
    missing = seen.version.added - held.version.added
    most = block_rows(seen.space.dimensions)
    if not 0 < missing <= most:
        return None
    parameters = {"tenant": request.tenant, "space_id": seen.space.id, "last_row": held.last_row}
    rows = yield Query(_added_rows(seen.space.storage), tuple, parameters)
    if len(rows) != missing:
        return None
    block = Block.of([row[0] for row in rows], [row[1] for row in rows], seen.space.storage)
    blocks = list(held.blocks)
    while (
        blocks and blocks[-1].rows <= 2 * block.rows and blocks[-1].rows + block.rows <= most
    ):  # each row seldom moves
        block = blocks.pop().merged(block)
    size = held.size + missing * row_bytes(seen.space.dimensions)
    return Held(seen.version, (*blocks, block), max(row[2] for row in rows), size)


_COUNT = select(func.count(), func.coalesce(func.max(_ROW), 0)).select_from(EmbeddingRow).where(*_OF_SPACE)


def _read(tenant: str, seen: SpaceAsOf, memory: VectorMemory) -> Steps[Held | None]:
    counted = yield Query(_COUNT, tuple, {"tenant": tenant, "space_id": seen.space.id})
    count, last_row = counted[0]
    key, size = (tenant, seen.space.id), count * row_bytes(seen.space.dimensions)
    with _reserved(memory, key, size) as reserved:
        if not reserved:
            return None
        whole = Gathering(count, seen.space.dimensions)
        yield from _blocks(tenant, seen.space, None, whole.add)
        held = Held(seen.version, (whole.block(),) if count else (), last_row, size)
        memory.keep(key, held)
        return held


@contextmanager
def _reserved(memory: VectorMemory, key: SpaceKey, size: int) -> Iterator[bool]:
    reserved = memory.reserve(key, size)
    try:
        yield reserved
    finally:
        if reserved:
            memory.release(key)


# --------------------------------------------------------------------------------------------- from the file


def _column(storage: Storage) -> Any:
    return EmbeddingRow.half if storage == "halfvec" else EmbeddingRow.dense


@cache
def _page(storage: Storage) -> Selected:
    after = EmbeddingRow.chunk_id > bindparam("after", type_=Text())
    statement = select(_CHUNK_ID, _column(storage)).where(*_OF_SPACE, after)
    return statement.order_by(EmbeddingRow.chunk_id).limit(bindparam("rows"))


def _filtered_page(storage: Storage, where: ColumnElement[bool] | None) -> Selected:
    if where is None:
        return _page(storage)
    statement = _page(storage).join(ChunkRow, and_(ChunkRow.tenant_id == TENANT, ChunkRow.id == EmbeddingRow.chunk_id))
    return statement.join(DocumentRow, hits.IS_ITS_DOCUMENT).where(where)


def _from_file(tenant: str, part: _Part, where: ColumnElement[bool] | None, nearest: Nearest) -> Steps[None]:
    def add(block: Block) -> None:
        nearest.add(block, part.choice.rows_of(block))

    yield from _blocks(tenant, part.seen.space, where, add)


def _blocks(tenant: str, space: EmbeddingSpace, where: ColumnElement[bool] | None, use: Any) -> Steps[None]:
    """Read a space block by block, in the order of the ids; each is used before the next is read."""
    statement, rows = _filtered_page(space.storage, where), block_rows(space.dimensions)
    after = ""
    while True:
        parameters = {"tenant": tenant, "space_id": space.id, "after": after, "rows": rows}
        page = yield Query(statement, tuple, parameters)
        if page:
            use(Block.of([row[0] for row in page], [row[1] for row in page], space.storage))
        if len(page) < rows:
            return
        after = page[-1][0]
