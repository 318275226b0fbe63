"""A corpus's statements: each function returns one, with the maker of its records; none is run here.

Statements stand at module level, made once; a call brings only values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, exists, func, insert, or_, select, update

from ragstore.core.base import table_of
from ragstore.core.clock import utc_now
from ragstore.core.query import Query, Selected, Write
from ragstore.core.types import Id
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.records import Chunk, Collection, Document, EmbeddingSpace
from ragstore.corpus.tables import ChunkRow, CollectionRow, DocumentRow, EmbeddingRow, SpaceRow

CHUNKS = table_of(ChunkRow)
COLLECTIONS = table_of(CollectionRow)
DOCUMENTS = table_of(DocumentRow)
EMBEDDINGS = table_of(EmbeddingRow)
SPACES = table_of(SpaceRow)

_TENANT: Any = bindparam("tenant")
_IDS = bindparam("ids", expanding=True, type_=Id())

# ----------------------------------------------------------------------------------------------- collections

_COLLECTION: Selected = (
    select(
        CollectionRow.id,
        CollectionRow.name,
        CollectionRow.language,
        CollectionRow.meta,
        CollectionRow.created_at,
        CollectionRow.generation,
        CollectionRow.analyzed_chunks,
        CollectionRow.average_length,
        CollectionRow.salt,
        SpaceRow.id,
        SpaceRow.model,
        SpaceRow.dimensions,
        SpaceRow.metric,
        SpaceRow.storage,
        SpaceRow.state,
    )
    .outerjoin(
        SpaceRow,
        and_(
            SpaceRow.tenant_id == CollectionRow.tenant_id,
            SpaceRow.collection_id == CollectionRow.id,
            SpaceRow.state == "active",
        ),
    )
    .where(CollectionRow.tenant_id == _TENANT)
)
_COLLECTION_BY_NAME = _COLLECTION.where(CollectionRow.name == bindparam("name"))
_COLLECTION_PAGE = (
    _COLLECTION.where(CollectionRow.name > bindparam("after")).order_by(CollectionRow.name).limit(bindparam("rows"))
)


def _to_collection(row: Sequence[Any]) -> Collection:
    space = None
    if row[9] is not None:
        space = EmbeddingSpace(
            id=row[9], model=row[10], dimensions=row[11], metric=row[12], storage=row[13], state=row[14]
        )
    return Collection(
        id=row[0],
        name=row[1],
        language=row[2],
        metadata=row[3],
        created_at=row[4],
        generation=row[5],
        analyzed_chunks=row[6],
        average_length=row[7],
        salt=row[8],
        space=space,
    )


def collection_by_name(tenant: str, name: str) -> Query[Collection]:
    """Select a collection with its active space."""
    return Query(_COLLECTION_BY_NAME, _to_collection, {"tenant": tenant, "name": name})


def collection_page(tenant: str, after: str, rows: int) -> Query[Collection]:
    """Select collections by name, from after `after`."""
    return Query(_COLLECTION_PAGE, _to_collection, {"tenant": tenant, "after": after, "rows": rows})


_LOCK_COLLECTION = (
    select(CollectionRow.id)
    .where(CollectionRow.tenant_id == _TENANT, CollectionRow.id == bindparam("collection_id"))
    .with_for_update(key_share=True)  # documents may be inserted meanwhile: their key check does not wait for this
)
_LOCK_COLLECTION_OR_SKIP = _LOCK_COLLECTION.with_for_update(key_share=True, skip_locked=True)


def lock_collection(tenant: str, collection_id: UUID, *, wait: bool) -> Query[UUID]:
    """Lock a collection's row against other analyses; gives nothing if another holds it and `wait` is false."""
    statement = _LOCK_COLLECTION if wait else _LOCK_COLLECTION_OR_SKIP
    return Query(statement, lambda row: row[0], {"tenant": tenant, "collection_id": collection_id})


def insert_collection(backend: CorpusBackend, values: dict[str, Any]) -> Write:
    """Insert a collection unless its name is taken."""
    return Write(backend.upsert(COLLECTIONS).on_conflict_do_nothing(), values)


def insert_space(backend: CorpusBackend, values: dict[str, Any]) -> Write:
    """Insert a space unless the collection has an active one."""
    return Write(backend.upsert(SPACES).on_conflict_do_nothing(), values)


def update_collection(tenant: str, collection_id: UUID, values: dict[str, Any]) -> Write:
    """Patch a collection."""
    matching = (CollectionRow.tenant_id == tenant, CollectionRow.id == collection_id)
    return Write(update(COLLECTIONS).where(*matching).values(**values))


_DELETE_COLLECTION = delete(COLLECTIONS).where(
    COLLECTIONS.c.tenant_id == _TENANT, COLLECTIONS.c.name == bindparam("of")
)


def delete_collection(tenant: str, name: str) -> Write:
    """Delete a collection with all that hangs on it."""
    return Write(_DELETE_COLLECTION, {"tenant": tenant, "of": name})


# ------------------------------------------------------------------------------------------------- documents

_DOCUMENT_COLUMNS = (
    DocumentRow.id,
    DocumentRow.source,
    DocumentRow.title,
    DocumentRow.doc_type,
    DocumentRow.version,
    DocumentRow.language,
    DocumentRow.meta,
    DocumentRow.chunk_count,
    DocumentRow.created_at,
    DocumentRow.updated_at,
)
_DOCUMENT = select(*_DOCUMENT_COLUMNS).where(DocumentRow.tenant_id == _TENANT)
_DOCUMENT_BY_ID = _DOCUMENT.where(DocumentRow.id == bindparam("id"))
_DOCUMENT_BY_SOURCE = _DOCUMENT.where(
    DocumentRow.collection_id == bindparam("collection_id"), DocumentRow.source == bindparam("source")
)


def _to_document(row: Sequence[Any]) -> Document:
    return Document(
        id=row[0],
        source=row[1],
        title=row[2],
        doc_type=row[3],
        version=row[4],
        language=row[5],
        metadata=row[6],
        chunk_count=row[7],
        created_at=row[8],
        updated_at=row[9],
    )


def document_by_id(tenant: str, document_id: UUID) -> Query[Document]:
    """Select a document."""
    return Query(_DOCUMENT_BY_ID, _to_document, {"tenant": tenant, "id": document_id})


def document_by_source(tenant: str, collection_id: UUID, source: str) -> Query[Document]:
    """Select a document by what identifies it in its collection."""
    parameters = {"tenant": tenant, "collection_id": collection_id, "source": source}
    return Query(_DOCUMENT_BY_SOURCE, _to_document, parameters)


_DOCUMENT_PAGE = (
    _DOCUMENT.where(DocumentRow.collection_id == bindparam("collection_id"), DocumentRow.source > bindparam("after"))
    .order_by(DocumentRow.source)
    .limit(bindparam("rows"))
)


def document_page(tenant: str, collection_id: UUID, after: str, rows: int) -> Query[Document]:
    """Select a collection's documents by source, from after `after`."""
    parameters = {"tenant": tenant, "collection_id": collection_id, "after": after, "rows": rows}
    return Query(_DOCUMENT_PAGE, _to_document, parameters)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What a put needs to know of the document as it is."""

    id: UUID
    source: str
    content_hash: bytes


_STORED_DOCUMENTS = (
    select(DocumentRow.id, DocumentRow.source, DocumentRow.content_hash)
    .where(
        DocumentRow.tenant_id == _TENANT,
        DocumentRow.collection_id == bindparam("collection_id"),
        DocumentRow.source.in_(bindparam("sources", expanding=True)),
    )
    .order_by(DocumentRow.source)  # all writers lock in this order, so that no two wait for each other
)
_LOCKED_DOCUMENTS = _STORED_DOCUMENTS.with_for_update(key_share=True)


def stored_documents(tenant: str, collection_id: UUID, sources: Sequence[str], *, lock: bool) -> Query[StoredDocument]:
    """Select what a put compares with; `lock` makes other writers of the documents wait."""
    statement = _LOCKED_DOCUMENTS if lock else _STORED_DOCUMENTS
    parameters = {"tenant": tenant, "collection_id": collection_id, "sources": list(sources)}
    return Query(statement, lambda row: StoredDocument(row[0], row[1], row[2]), parameters)


def insert_documents(backend: CorpusBackend, rows: Sequence[dict[str, Any]]) -> Write:
    """Insert documents unless their sources are taken; waits for another transaction that is inserting one."""
    return Write(backend.upsert(DOCUMENTS).on_conflict_do_nothing(), rows)


_UPDATE_DOCUMENT = (
    update(DOCUMENTS)
    .where(DOCUMENTS.c.tenant_id == _TENANT, DOCUMENTS.c.id == bindparam("document_id"))
    .values(
        title=bindparam("title"),
        doc_type=bindparam("doc_type"),
        version=bindparam("version"),
        language=bindparam("language"),
        meta=bindparam("meta"),
        content_hash=bindparam("content_hash"),
        chunk_count=bindparam("chunk_count"),
        updated_at=utc_now(),
    )
)


def update_documents(rows: Sequence[dict[str, Any]]) -> Write:
    """Write documents' fields."""
    return Write(_UPDATE_DOCUMENT, rows)


_LOCK_DOCUMENT = _DOCUMENT_BY_ID.with_for_update(key_share=True)


def lock_document(tenant: str, document_id: UUID) -> Query[Document]:
    """Select a document and make its other writers wait."""
    return Query(_LOCK_DOCUMENT, _to_document, {"tenant": tenant, "id": document_id})


_NOTE_DELETED_CHUNK = (
    update(DOCUMENTS)
    .where(DOCUMENTS.c.tenant_id == _TENANT, DOCUMENTS.c.id == bindparam("document_id"))
    .values(chunk_count=DOCUMENTS.c.chunk_count - 1, content_hash=b"", updated_at=utc_now())
)


def note_deleted_chunk(tenant: str, document_id: UUID) -> Write:
    """Count a document's chunk off, and forget its hash, so that the next put compares chunk by chunk."""
    return Write(_NOTE_DELETED_CHUNK, {"tenant": tenant, "document_id": document_id})


_DELETE_DOCUMENTS = delete(DOCUMENTS).where(
    DOCUMENTS.c.tenant_id == _TENANT,
    DOCUMENTS.c.collection_id == bindparam("collection_id"),
    DOCUMENTS.c.source == bindparam("source"),
)


def delete_document(tenant: str, collection_id: UUID, source: str) -> Write:
    """Delete a document with its chunks and all that hangs on them."""
    return Write(_DELETE_DOCUMENTS, {"tenant": tenant, "collection_id": collection_id, "source": source})


# ---------------------------------------------------------------------------------------------------- chunks

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
_CHUNK = select(*_CHUNK_COLUMNS).where(ChunkRow.tenant_id == _TENANT)
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
    EmbeddingRow.tenant_id == _TENANT,
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
    .where(ChunkRow.tenant_id == _TENANT, ChunkRow.document_id.in_(_IDS))
    .order_by(ChunkRow.document_id, ChunkRow.chunk_index, ChunkRow.id)
)


def stored_chunks(tenant: str, document_ids: Sequence[UUID], space_id: UUID | None) -> Query[tuple[StoredChunk, bool]]:
    """Select documents' chunks, each with whether it has a vector in the space."""
    parameters = {"tenant": tenant, "ids": list(document_ids), "space_id": space_id}
    return Query(_STORED_CHUNKS, lambda row: (StoredChunk(*row[:-1]), bool(row[-1])), parameters)


_UNEMBEDDED_CHUNKS = select(ChunkRow.document_id, ChunkRow.content_hash, ChunkRow.id).where(
    ChunkRow.tenant_id == _TENANT, ChunkRow.document_id.in_(_IDS), ~_HAS_VECTOR
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
    .where(CHUNKS.c.tenant_id == _TENANT, CHUNKS.c.id == bindparam("of"))
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


_DELETE_CHUNKS = delete(CHUNKS).where(CHUNKS.c.tenant_id == _TENANT, CHUNKS.c.id.in_(_IDS))


def delete_chunks(tenant: str, ids: Sequence[UUID]) -> Write:
    """Delete chunks with their vectors and lexemes."""
    return Write(_DELETE_CHUNKS, {"tenant": tenant, "ids": list(ids)})


_CONTENTS = (
    select(ChunkRow.id, ChunkRow.content, ChunkRow.language)
    .where(
        ChunkRow.tenant_id == _TENANT,
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
    .where(CHUNKS.c.tenant_id == _TENANT, CHUNKS.c.collection_id == bindparam("collection_id"))
)


def count_chunks(tenant: str, collection_id: UUID) -> Query[int]:
    """Count a collection's chunks."""
    return Query(_COUNT, lambda row: int(row[0]), {"tenant": tenant, "collection_id": collection_id})
