"""Deleting chunks, some at a time in one transaction, and noting it on their documents."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ragstore.core.query import Query, Steps, Write
from ragstore.corpus import statements
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.collections.statistics import refresh
from ragstore.corpus.reading import find_collection
from ragstore.corpus.records import Chunk, Collection
from ragstore.corpus.statements import DoomedChunk, Matching

AT_ONCE = 1000
"""Chunks that a statement deletes."""
FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many chunks matched, and how many of these still did once their documents were locked."""

    found: int
    deleted: int


def delete_chunk(tenant: str, chunk_id: UUID) -> Steps[bool]:
    """Delete a chunk; its document then differs from what was put, so that the next put restores it."""
    found: list[Chunk] = yield statements.chunk_by_id(tenant, chunk_id)
    if not found:
        return False
    yield statements.lock_document(tenant, found[0].document_id)
    deleted: int = yield statements.delete_chunks(tenant, [chunk_id])
    if deleted:
        yield statements.note_deleted_chunks(tenant, [found[0].document_id])
    return deleted > 0


def delete_chunks(backend: CorpusBackend, tenant: str, collection_name: str, matching: Matching) -> Steps[int]:
    """Delete the collection's chunks that match, and give their number."""
    collection = yield from find_collection(tenant, collection_name)
    gone = yield from delete_matching(backend, tenant, collection, matching)
    return gone.deleted


def delete_matching(
    backend: CorpusBackend, tenant: str, collection: Collection, matching: Matching, rows: int = AT_ONCE
) -> Steps[Deleted]:
    """Delete a collection's chunks that match, so many a statement, under their documents' locks."""
    find, delete = statements.doomed_chunks(matching.condition), statements.delete_doomed(matching.condition)
    scope = {**matching.parameters, "tenant": tenant}
    after, after_id, found, deleted = "", FIRST, 0, 0
    unnoted: set[UUID] = set()
    while True:
        place = {"collection_id": collection.id, "after": after, "after_id": after_id, "rows": rows}
        doomed: list[DoomedChunk] = yield Query(find, statements.to_doomed_chunk, {**scope, **place})
        gone: int = yield Write(delete, {**scope, "ids": [chunk.id for chunk in doomed]})
        found, deleted = found + len(doomed), deleted + gone
        # The last document may have more: noted now, it would look as if someone else had just changed it.
        unnoted |= {chunk.document_id for chunk in doomed}
        more = {doomed[-1].document_id} if len(doomed) == rows else set()
        yield statements.note_deleted_chunks(tenant, list(unnoted - more))
        if not more:
            break
        unnoted, after, after_id = more, doomed[-1].source, doomed[-1].id
    yield from refresh(backend, tenant, collection, deleted)
    return Deleted(found, deleted)
