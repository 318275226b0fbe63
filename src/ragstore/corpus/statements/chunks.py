"""Statements about chunks and their vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, literal_column, or_, select, update

from ragstore.core.query import Copy, Query, Write
from ragstore.core.types import Id
from ragstore.corpus.parameters import IDS, TENANT
from ragstore.corpus.records import Chunk, EmbeddingSpace
from ragstore.corpus.tables import (
    CHUNKS,
    EMBEDDINGS,
    ChunkRow,
    EmbeddingRow,
)

CHUNK_COLUMNS = (
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
_CHUNK = select(*CHUNK_COLUMNS).where(ChunkRow.tenant_id == TENANT)
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


def to_chunk(row: Sequence[Any]) -> Chunk:
    """Make a chunk of `CHUNK_COLUMNS`."""
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
    return Query(_CHUNK_BY_ID, to_chunk, {"tenant": tenant, "id": chunk_id})


def chunk_page(tenant: str, document_id: UUID, after: int, after_id: UUID, rows: int) -> Query[Chunk]:
    """Select a document's chunks in reading order, from after a place."""
    parameters = {"tenant": tenant, "document_id": document_id, "after": after, "after_id": after_id, "rows": rows}
    return Query(_CHUNK_PAGE, to_chunk, parameters)


def chunks_by_hash(tenant: str, collection_id: UUID, content_hash: bytes) -> Query[Chunk]:
    """Select the collection's chunks that have this text."""
    parameters = {"tenant": tenant, "collection_id": collection_id, "content_hash": content_hash}
    return Query(_CHUNKS_BY_HASH, to_chunk, parameters)


HAS_VECTOR = (  # fenced by the offset: made into a join, a planner without statistics reads the space for each chunk
    select(literal_column("1"))
    .select_from(EmbeddingRow)
    .where(
        EmbeddingRow.tenant_id == TENANT,
        EmbeddingRow.space_id == bindparam("space_id", type_=Id()),
        EmbeddingRow.chunk_id == ChunkRow.id,
    )
    .correlate(ChunkRow)
    .offset(literal_column("0"))
    .exists()
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
    select(*(getattr(ChunkRow, field.name) for field in fields(StoredChunk)))
    .where(ChunkRow.tenant_id == TENANT, ChunkRow.document_id.in_(IDS))
    .order_by(ChunkRow.document_id, ChunkRow.chunk_index, ChunkRow.id)
)


def stored_chunks(tenant: str, document_ids: Sequence[UUID]) -> Query[StoredChunk]:
    """Select documents' chunks."""
    return Query(_STORED_CHUNKS, lambda row: StoredChunk(*row), {"tenant": tenant, "ids": list(document_ids)})


_PRESENT_HASHES = (
    select(ChunkRow.content_hash)
    .where(
        ChunkRow.tenant_id == TENANT,
        ChunkRow.collection_id == bindparam("collection_id"),
        ChunkRow.content_hash.in_(bindparam("hashes", expanding=True)),
        ChunkRow.id.not_in(IDS),
    )
    .distinct()
)


def present_hashes(tenant: str, collection_id: UUID, hashes: Sequence[bytes], but: Sequence[UUID]) -> Query[bytes]:
    """Select which of these texts the collection has in a chunk other than `but`."""
    parameters = {"tenant": tenant, "collection_id": collection_id, "hashes": list(hashes), "ids": list(but)}
    return Query(_PRESENT_HASHES, lambda row: bytes(row[0]), parameters)


_UNEMBEDDED_CHUNKS = select(ChunkRow.document_id, ChunkRow.content_hash, ChunkRow.id).where(
    ChunkRow.tenant_id == TENANT, ChunkRow.document_id.in_(IDS), ~HAS_VECTOR
)


def unembedded_chunks(tenant: str, document_ids: Sequence[UUID], space_id: UUID) -> Query[tuple[UUID, bytes, UUID]]:
    """Select (document, content hash, chunk) of documents' chunks that have no vector in the space."""
    parameters = {"tenant": tenant, "ids": list(document_ids), "space_id": space_id}
    return Query(_UNEMBEDDED_CHUNKS, lambda row: (row[0], row[1], row[2]), parameters)


_INSERTED = ("id", "document_id", "chunk_index", "content", "content_hash", "language")
ATTRIBUTES = ("meta", "start_offset", "end_offset", "page", "heading", "embedding_id")
"""What a chunk has beside its text and place."""


def insert_chunks(tenant: str, collection_id: UUID, rows: Iterable[Sequence[Any]], count: int) -> Copy:
    """Insert so many chunks: id, document, place, content, hash, language, then the `ATTRIBUTES`."""
    columns = ("tenant_id", "collection_id", *_INSERTED, *ATTRIBUTES)
    return Copy(CHUNKS, columns, ((tenant, collection_id, *row) for row in rows), count)


def insert_embeddings(tenant: str, space: EmbeddingSpace, rows: Sequence[tuple[UUID, Any]]) -> Copy:
    """Insert vectors: the chunk's id, and what `vectors.prepare` gave."""
    columns = ("tenant_id", "space_id", "chunk_id", "half" if space.storage == "halfvec" else "dense")
    return Copy(EMBEDDINGS, columns, ((tenant, space.id, *row) for row in rows), len(rows))


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
