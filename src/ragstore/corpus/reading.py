"""Reading what is named by its collection: the collection first, then the rest."""

from __future__ import annotations

from collections.abc import Sequence

from ragstore.core.query import Steps
from ragstore.corpus import statements
from ragstore.corpus.records import Chunk, Collection, Document
from ragstore.errors import NotFound


def find_collection(tenant: str, collection: str, *, to_write: bool = False) -> Steps[Collection]:
    """Read a collection, or raise `NotFound`; `to_write` keeps its spaces as they are until the transaction ends."""
    if to_write:  # in a statement of its own: one that has waited for a switch would give the spaces of before it
        yield statements.keep_spaces(tenant, collection)
    found: list[Collection] = yield statements.collection_by_name(tenant, collection)
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


def chunks_by_hash(tenant: str, collection: str, content_hash: bytes) -> Steps[list[Chunk]]:
    """Read the chunks that have this text."""
    within = yield from find_collection(tenant, collection)
    found: list[Chunk] = yield statements.chunks_by_hash(tenant, within.id, content_hash)
    return found
