"""Statements about chunks and their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, exists, func, insert, or_, select, update

from ragstore.core.query import Query, Write
from ragstore.core.types import Id
from ragstore.corpus.parameters import IDS, TENANT
from ragstore.corpus.records import Chunk
from ragstore.corpus.tables import (
    CHUNKS,
    EMBEDDINGS,
    ChunkRow,
    EmbeddingRow,
)

_CHUNK_COLUMNS = (
    ChunkRow.id,
    ChunkRow.document_id,
    ChunkRow.chunk_index,
    ChunkRow.content,
    ChunkRow.content_hash,
    ChunkRow.language,
    ChunkRow.meta,
    ChunkRow.start_offset,
    ChunkRow.end_offset,
    ChunkRow.page,
    ChunkRow.heading,
    ChunkRow.embedding_id,
)
_CHUNK = select(*_CHUNK_COLUMNS).where(ChunkRow.tenant_id == TENANT)
_CHUNK_BY_ID = _CHUNK.where(ChunkRow.id == bindparam("id"))
_CHUNK_PAGE = (
    _CHUNK.where(
        ChunkRow.document_id == bindparam("document_id"),
        or_(
            ChunkRow.chunk_index > bindparam("after"),
            and_(ChunkRow.chunk_index == bindparam("after"), ChunkRow.id > bindparam("after_id", type_=Id())),
        ),
    )
    .order_by(ChunkRow.chunk_index, ChunkRow.id)
    .limit(bindparam("rows"))
)
_CHUNKS_BY_HASH = _CHUNK.where(
    ChunkRow.collection_id == bindparam("collection_id"), ChunkRow.content_hash == bindparam("content_hash")
).order_by(ChunkRow.id)


def _to_chunk(row: Sequence[Any]) -> Chunk:
    return Chunk(
        id=row[0],
        document_id=row[1],
        chunk_index=row[2],
        content=row[3],
        content_hash=row[4],
        language=row[5],
        metadata=row[6],
        start_offset=row[7],
        end_offset=row[8],
        page=row[9],
        heading=row[10],
        embedding_id=row[11],
    )


def chunk_by_id(tenant: str, chunk_id: UUID) -> Query[Chunk]:
    """Select a chunk."""
    return Query(_CHUNK_BY_ID, _to_chunk, {"tenant": tenant, "id": chunk_id})


def chunk_page(tenant: str, document_id: UUID, after: int, after_id: UUID, rows: int) -> Query[Chunk]:
    """Select a document's chunks in reading order, from after a place."""
    parameters = {"tenant": tenant, "document_id": document_id, "after": after, "after_id": after_id, "rows": rows}
    return Query(_CHUNK_PAGE, _to_chunk, parameters)


def chunks_by_hash(tenant: str, collection_id: UUID, content_hash: bytes) -> Query[Chunk]:
    """Select the collection's chunks that have this text."""
    parameters = {"tenant": tenant, "collection_id": collection_id, "content_hash": content_hash}
    return Query(_CHUNKS_BY_HASH, _to_chunk, parameters)


_HAS_VECTOR = exists().where(  # no outer join: without statistics the planner walks the whole space for each chunk
    EmbeddingRow.tenant_id == TENANT,
    EmbeddingRow.space_id == bindparam("space_id", type_=Id()),
    EmbeddingRow.chunk_id == ChunkRow.id,
)


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """What a put needs to know of a chunk as it is: all but its text, which the hash stands for."""

    id: UUID
    document_id: UUID
    chunk_index: int
    content_hash: bytes
    language: str
    meta: Any
    start_offset: int | None
    end_offset: int | None
    page: int | None
    heading: str | None
    embedding_id: str | None


_STORED_CHUNKS = (
    select(*(getattr(ChunkRow, field.name) for field in fields(StoredChunk)), _HAS_VECTOR)
    .where(ChunkRow.tenant_id == TENANT, ChunkRow.document_id.in_(IDS))
    .order_by(ChunkRow.document_id, ChunkRow.chunk_index, ChunkRow.id)
)


def stored_chunks(tenant: str, document_ids: Sequence[UUID], space_id: UUID | None) -> Query[tuple[StoredChunk, bool]]:
    """Select documents' chunks, each with whether it has a vector in the space."""
    parameters = {"tenant": tenant, "ids": list(document_ids), "space_id": space_id}
    return Query(_STORED_CHUNKS, lambda row: (StoredChunk(*row[:-1]), bool(row[-1])), parameters)


_UNEMBEDDED_CHUNKS = select(ChunkRow.document_id, ChunkRow.content_hash, ChunkRow.id).where(
    ChunkRow.tenant_id == TENANT, ChunkRow.document_id.in_(IDS), ~_HAS_VECTOR
)


def unembedded_chunks(tenant: str, document_ids: Sequence[UUID], space_id: UUID) -> Query[tuple[UUID, bytes, UUID]]:
    """Select (document, content hash, chunk) of documents' chunks that have no vector in the space."""
    parameters = {"tenant": tenant, "ids": list(document_ids), "space_id": space_id}
    return Query(_UNEMBEDDED_CHUNKS, lambda row: (row[0], row[1], row[2]), parameters)


def insert_chunks(rows: Sequence[dict[str, Any]]) -> Write:
    """Insert chunks."""
    return Write(insert(CHUNKS), rows)


def insert_embeddings(rows: Sequence[dict[str, Any]]) -> Write:
    """Insert vectors."""
    return Write(insert(EMBEDDINGS), rows)


_UPDATE_CHUNK = (
    update(CHUNKS)
    .where(CHUNKS.c.tenant_id == TENANT, CHUNKS.c.id == bindparam("of"))
    .values(
        chunk_index=bindparam("chunk_index"),
        language=bindparam("language"),
        meta=bindparam("meta"),
        start_offset=bindparam("start_offset"),
        end_offset=bindparam("end_offset"),
        page=bindparam("page"),
        heading=bindparam("heading"),
        embedding_id=bindparam("embedding_id"),
    )
)


def update_chunks(rows: Sequence[dict[str, Any]]) -> Write:
    """Write chunks' places and attributes; their text never changes."""
    return Write(_UPDATE_CHUNK, rows)


_DELETE_CHUNKS = delete(CHUNKS).where(CHUNKS.c.tenant_id == TENANT, CHUNKS.c.id.in_(IDS))


def delete_chunks(tenant: str, ids: Sequence[UUID]) -> Write:
    """Delete chunks with their vectors and lexemes."""
    return Write(_DELETE_CHUNKS, {"tenant": tenant, "ids": list(ids)})


_CONTENTS = (
    select(ChunkRow.id, ChunkRow.content, ChunkRow.language)
    .where(
        ChunkRow.tenant_id == TENANT,
        ChunkRow.collection_id == bindparam("collection_id"),
        ChunkRow.id > bindparam("after", type_=Id()),
    )
    .order_by(ChunkRow.id)
    .limit(bindparam("rows"))
)


def contents(tenant: str, collection_id: UUID, after: UUID, rows: int) -> Query[tuple[UUID, str, str]]:
    """Select chunks' texts and languages in the order of their ids."""
    parameters = {"tenant": tenant, "collection_id": collection_id, "after": after, "rows": rows}
    return Query(_CONTENTS, lambda row: (row[0], row[1], row[2]), parameters)


_COUNT = (
    select(func.count())
    .select_from(CHUNKS)
    .where(CHUNKS.c.tenant_id == TENANT, CHUNKS.c.collection_id == bindparam("collection_id"))
)


def count_chunks(tenant: str, collection_id: UUID) -> Query[int]:
    """Count a collection's chunks."""
    return Query(_COUNT, lambda row: int(row[0]), {"tenant": tenant, "collection_id": collection_id})
