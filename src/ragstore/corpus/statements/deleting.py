"""Statements that delete what a condition names, some at a time, and note it on the documents.

All lock documents by source, as a put does, so that no two of them wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, select, true, update

from ragstore.core.clock import utc_now
from ragstore.core.query import Query, Selected, Write
from ragstore.core.types import Id
from ragstore.corpus.parameters import IDS, TENANT
from ragstore.corpus.tables import CHUNKS, DOCUMENTS, ChunkRow, CollectionRow, DocumentRow

_COLLECTION_ID = bindparam("collection_id", type_=Id())

IS_ITS_DOCUMENT = and_(DocumentRow.tenant_id == ChunkRow.tenant_id, DocumentRow.id == ChunkRow.document_id)

OF_SOURCE = DocumentRow.source == bindparam("source")
OF_ID = DocumentRow.id == bindparam("id", type_=Id())
ANYTHING = true()


@dataclass(frozen=True, slots=True)
class Matching:
    """What is to be deleted or counted: a condition, and the values of its bound parameters."""

    condition: ColumnElement[bool]
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DoomedDocument:
    """A document that is to be deleted, locked."""

    id: UUID
    source: str
    chunk_count: int


def doomed_documents(condition: ColumnElement[bool]) -> Selected:
    """Make the statement that selects documents to delete by source, from after `after`, and locks them."""
    return (
        select(DocumentRow.id, DocumentRow.source, DocumentRow.chunk_count)
        .where(
            DocumentRow.tenant_id == TENANT,
            DocumentRow.collection_id == _COLLECTION_ID,
            DocumentRow.source > bindparam("after"),
            condition,
        )
        .order_by(DocumentRow.source)
        .limit(bindparam("rows"))
        .with_for_update()
    )


def to_doomed_document(row: Sequence[Any]) -> DoomedDocument:
    """Make what `doomed_documents` selects."""
    return DoomedDocument(row[0], row[1], row[2])


_DELETE_DOCUMENTS = delete(DOCUMENTS).where(DOCUMENTS.c.tenant_id == TENANT, DOCUMENTS.c.id.in_(IDS))


def delete_documents(tenant: str, ids: Sequence[UUID]) -> Write:
    """Delete documents with their chunks and all that hangs on them."""
    return Write(_DELETE_DOCUMENTS, {"tenant": tenant, "ids": list(ids)})


_COLLECTION_OF = (
    select(CollectionRow.name)
    .join(
        DocumentRow,
        and_(DocumentRow.tenant_id == CollectionRow.tenant_id, DocumentRow.collection_id == CollectionRow.id),
    )
    .where(DocumentRow.tenant_id == TENANT, OF_ID)
)


def collection_of(tenant: str, document_id: UUID) -> Query[str]:
    """Select the name of a document's collection."""
    return Query(_COLLECTION_OF, lambda row: str(row[0]), {"tenant": tenant, "id": document_id})


@dataclass(frozen=True, slots=True)
class DoomedChunk:
    """A chunk that is to be deleted, its document locked."""

    id: UUID
    document_id: UUID
    source: str


def doomed_chunks(condition: ColumnElement[bool]) -> Selected:
    """Make the statement that selects chunks to delete by source and id, from after a place; locks their documents."""
    after_id = bindparam("after_id", type_=Id())
    return (
        select(ChunkRow.id, ChunkRow.document_id, DocumentRow.source)
        .join(DocumentRow, IS_ITS_DOCUMENT)
        .where(
            DocumentRow.tenant_id == TENANT,
            DocumentRow.collection_id == _COLLECTION_ID,
            DocumentRow.source >= bindparam("after"),
            or_(DocumentRow.source > bindparam("after"), ChunkRow.id > after_id),
            condition,
        )
        .order_by(DocumentRow.source, ChunkRow.id)
        .limit(bindparam("rows"))
        .with_for_update(key_share=True, of=DocumentRow)
    )


def to_doomed_chunk(row: Sequence[Any]) -> DoomedChunk:
    """Make what `doomed_chunks` selects."""
    return DoomedChunk(row[0], row[1], row[2])


def delete_doomed(condition: ColumnElement[bool]) -> Any:
    """Make the statement that deletes those of some chunks that still match: they were found before the lock was."""
    still = (
        select(ChunkRow.id)
        .join(DocumentRow, IS_ITS_DOCUMENT)
        .where(ChunkRow.tenant_id == TENANT, ChunkRow.id.in_(IDS), condition)
        .correlate(None)
    )
    return delete(CHUNKS).where(CHUNKS.c.tenant_id == TENANT, CHUNKS.c.id.in_(still))


_REMAINING = (
    select(func.count())
    .where(ChunkRow.tenant_id == DOCUMENTS.c.tenant_id, ChunkRow.document_id == DOCUMENTS.c.id)
    .scalar_subquery()
)
_NOTE_DELETED_CHUNKS = (
    update(DOCUMENTS)
    .where(DOCUMENTS.c.tenant_id == TENANT, DOCUMENTS.c.id.in_(IDS))
    .values(chunk_count=_REMAINING, content_hash=b"", updated_at=utc_now())
)


def note_deleted_chunks(tenant: str, document_ids: Sequence[UUID]) -> Write:
    """Count documents' chunks anew, and forget their hashes, so that the next put compares chunk by chunk."""
    return Write(_NOTE_DELETED_CHUNKS, {"tenant": tenant, "ids": list(document_ids)})


def patch_document(tenant: str, document_id: UUID, values: Mapping[str, Any]) -> Write:
    """Change some of a document's fields, and forget its hash, so that the next put compares what it brings."""
    patch = {**values, "content_hash": b"", "updated_at": utc_now()}
    whose = (DOCUMENTS.c.tenant_id == TENANT, DOCUMENTS.c.id == bindparam("document_id", type_=Id()))
    return Write(update(DOCUMENTS).where(*whose).values(patch), {"tenant": tenant, "document_id": document_id})
