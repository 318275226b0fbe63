"""Deleting documents with all that hangs on them, some at a time in one transaction."""

from __future__ import annotations

from uuid import UUID

from ragstore.core.query import Query, Steps
from ragstore.corpus import statements
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.collections.statistics import refresh
from ragstore.corpus.reading import find_collection
from ragstore.corpus.statements import DoomedDocument, Matching

AT_ONCE = 1000
"""Documents that a statement deletes."""


def delete_documents(backend: CorpusBackend, tenant: str, collection_name: str, matching: Matching) -> Steps[int]:
    """Delete the collection's documents that match, and give their number."""
    collection = yield from find_collection(tenant, collection_name)
    statement = statements.doomed_documents(matching.condition)
    scope = {**matching.parameters, "tenant": tenant, "collection_id": collection.id, "rows": AT_ONCE}
    after, documents, chunks = "", 0, 0
    while True:
        query = Query(statement, statements.to_doomed_document, {**scope, "after": after})
        doomed: list[DoomedDocument] = yield query
        deleted: int = yield statements.delete_documents(tenant, [document.id for document in doomed])
        documents += deleted
        chunks += sum(document.chunk_count for document in doomed)
        if len(doomed) < AT_ONCE:
            break
        after = doomed[-1].source
    yield from refresh(backend, tenant, collection, chunks)
    return documents


def delete_document(backend: CorpusBackend, tenant: str, document_id: UUID) -> Steps[bool]:
    """Delete a document by its id."""
    of: list[str] = yield statements.collection_of(tenant, document_id)
    if not of:
        return False
    matching = Matching(statements.OF_ID, {"id": document_id})
    deleted = yield from delete_documents(backend, tenant, of[0], matching)
    return deleted > 0
