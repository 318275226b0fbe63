"""Reading, and deleting, what is named by its collection: the collection first, then the rest."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ragstore.core.query import Steps
from ragstore.corpus import statements
from ragstore.corpus.records import Chunk, Collection, Document
from ragstore.errors import NotFound


def find_collection(tenant: str, collection: str, *, to_write: bool = False) -> Steps[Collection]:
    """Read a collection, or raise `NotFound`; `to_write` keeps its spaces as they are until the transaction ends."""
    found: list[Collection] = yield statements.collection_by_name(tenant, collection, to_write=to_write)
    if not found:
        raise NotFound(f"there is no collection {collection!r}: make it with collections.ensure")
    return found[0]


def find_collections(tenant: str, names: Sequence[str]) -> Steps[dict[str, Collection]]:
    """Read collections by name, or raise `NotFound`."""
    found: dict[str, Collection] = {}
    for name in names:
        found[name] = yield from find_collection(tenant, name)
    return found


def find_document(tenant: str, collection: str, source: str) -> Steps[Document | None]:
    """Read a document by its source."""
    within = yield from find_collection(tenant, collection)
    found: list[Document] = yield statements.document_by_source(tenant, within.id, source)
    return next(iter(found), None)


def page_documents(tenant: str, collection: str, after: str, rows: int) -> Steps[list[Document]]:
    """Read documents by source, from after `after`."""
    within = yield from find_collection(tenant, collection)
    found: list[Document] = yield statements.document_page(tenant, within.id, after, rows)
    return found


def count_chunks(tenant: str, collection: str) -> Steps[int]:
    """Count a collection's chunks."""
    within = yield from find_collection(tenant, collection)
    counted: list[int] = yield statements.count_chunks(tenant, within.id)
    return counted[0]


def chunks_by_hash(tenant: str, collection: str, content_hash: bytes) -> Steps[list[Chunk]]:
    """Read the chunks that have this text."""
    within = yield from find_collection(tenant, collection)
    found: list[Chunk] = yield statements.chunks_by_hash(tenant, within.id, content_hash)
    return found


def delete_document(tenant: str, collection: str, source: str) -> Steps[bool]:
    """Delete a document with all that hangs on it."""
    within = yield from find_collection(tenant, collection)
    deleted: int = yield statements.delete_document(tenant, within.id, source)
    return deleted > 0


def delete_chunk(tenant: str, chunk_id: UUID) -> Steps[bool]:
    """Delete a chunk; its document then differs from what was put, so that the next put restores it."""
    found: list[Chunk] = yield statements.chunk_by_id(tenant, chunk_id)
    if not found:
        return False
    yield statements.lock_document(tenant, found[0].document_id)
    deleted: int = yield statements.delete_chunks(tenant, [chunk_id])
    if deleted:
        yield statements.note_deleted_chunk(tenant, found[0].document_id)
    return deleted > 0
