"""Statements about documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update

from ragstore.core.clock import utc_now
from ragstore.core.query import Query, Write
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.parameters import TENANT
from ragstore.corpus.records import Document
from ragstore.corpus.tables import (
    DOCUMENTS,
    DocumentRow,
)

DOCUMENT_COLUMNS = (
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
_DOCUMENT = select(*DOCUMENT_COLUMNS).where(DocumentRow.tenant_id == TENANT)
_DOCUMENT_BY_ID = _DOCUMENT.where(DocumentRow.id == bindparam("id"))
_DOCUMENT_BY_SOURCE = _DOCUMENT.where(
    DocumentRow.collection_id == bindparam("collection_id"), DocumentRow.source == bindparam("source")
)


def to_document(row: Sequence[Any]) -> Document:
    """Make a document of `DOCUMENT_COLUMNS`."""
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
    return Query(_DOCUMENT_BY_ID, to_document, {"tenant": tenant, "id": document_id})


def document_by_source(tenant: str, collection_id: UUID, source: str) -> Query[Document]:
    """Select a document by what identifies it in its collection."""
    parameters = {"tenant": tenant, "collection_id": collection_id, "source": source}
    return Query(_DOCUMENT_BY_SOURCE, to_document, parameters)


_DOCUMENT_PAGE = (
    _DOCUMENT.where(DocumentRow.collection_id == bindparam("collection_id"), DocumentRow.source > bindparam("after"))
    .order_by(DocumentRow.source)
    .limit(bindparam("rows"))
)


def document_page(tenant: str, collection_id: UUID, after: str, rows: int) -> Query[Document]:
    """Select a collection's documents by source, from after `after`."""
    parameters = {"tenant": tenant, "collection_id": collection_id, "after": after, "rows": rows}
    return Query(_DOCUMENT_PAGE, to_document, parameters)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What a put needs to know of the document as it is."""

    id: UUID
    source: str
    content_hash: bytes
    chunk_count: int


_STORED_DOCUMENTS = (
    select(DocumentRow.id, DocumentRow.source, DocumentRow.content_hash, DocumentRow.chunk_count)
    .where(
        DocumentRow.tenant_id == TENANT,
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
    return Query(statement, lambda row: StoredDocument(*row), parameters)


def insert_documents(backend: CorpusBackend, rows: Sequence[dict[str, Any]]) -> Write:
    """Insert documents unless their sources are taken; waits for another transaction that is inserting one."""
    return Write(backend.upsert(DOCUMENTS).on_conflict_do_nothing(), rows)


_UPDATE_DOCUMENT = (
    update(DOCUMENTS)
    .where(DOCUMENTS.c.tenant_id == TENANT, DOCUMENTS.c.id == bindparam("document_id"))
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
    return Query(_LOCK_DOCUMENT, to_document, {"tenant": tenant, "id": document_id})
