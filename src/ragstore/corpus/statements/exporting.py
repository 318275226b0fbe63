"""Statements that count and read what a condition names, and chunks that lack a vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, select

from ragstore.core.query import Query, Selected
from ragstore.core.stored_vectors import components
from ragstore.core.types import Id
from ragstore.core.vectors import Storage
from ragstore.corpus.parameters import TENANT
from ragstore.corpus.records import Chunk, ExportedChunk
from ragstore.corpus.statements.chunks import CHUNK_COLUMNS, HAS_VECTOR, to_chunk
from ragstore.corpus.statements.deleting import IS_ITS_DOCUMENT
from ragstore.corpus.statements.documents import DOCUMENT_COLUMNS
from ragstore.corpus.tables import CHUNKS, DOCUMENTS, ChunkRow, DocumentRow, EmbeddingRow

_COLLECTION_ID = bindparam("collection_id", type_=Id())
_AFTER_ID = bindparam("after", type_=Id())
_ROWS: Any = bindparam("rows")

_OF_COLLECTION = (DocumentRow.tenant_id == TENANT, DocumentRow.collection_id == _COLLECTION_ID)
_IN_COLLECTION = (ChunkRow.tenant_id == TENANT, ChunkRow.collection_id == _COLLECTION_ID)

_COUNT_DOCUMENTS = select(func.count()).select_from(DOCUMENTS).where(*_OF_COLLECTION)
_COUNT_CHUNKS = select(func.count()).select_from(CHUNKS).where(*_IN_COLLECTION)
_COUNT_WITH_DOCUMENTS = select(func.count()).select_from(ChunkRow).join(DocumentRow, IS_ITS_DOCUMENT)


def _count(statement: Selected, tenant: str, collection_id: UUID, values: Mapping[str, Any]) -> Query[int]:
    return Query(statement, lambda row: int(row[0]), {"tenant": tenant, "collection_id": collection_id, **values})


def count_documents(tenant: str, collection_id: UUID, condition: ColumnElement[bool] | None) -> Query[int]:
    """Count a collection's documents, or those that match."""
    statement = _COUNT_DOCUMENTS if condition is None else _COUNT_DOCUMENTS.where(condition)
    return _count(statement, tenant, collection_id, {})


def count_chunks(
    tenant: str,
    collection_id: UUID,
    condition: ColumnElement[bool] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Query[int]:
    """Count a collection's chunks, or those that match; `values` are of the condition's parameters."""
    if condition is None:
        return _count(_COUNT_CHUNKS, tenant, collection_id, {})
    statement = _COUNT_WITH_DOCUMENTS.where(*_IN_COLLECTION, condition)
    return _count(statement, tenant, collection_id, values or {})


_DOCUMENTS = (
    select(*DOCUMENT_COLUMNS)
    .where(*_OF_COLLECTION, DocumentRow.source > bindparam("after"))
    .order_by(DocumentRow.source)
    .limit(_ROWS)
)


def exported_documents(condition: ColumnElement[bool] | None) -> Selected:
    """Make the statement that reads a collection's documents by source, or those that match."""
    return _DOCUMENTS if condition is None else _DOCUMENTS.where(condition)


@cache
def _chunks(storage: Storage | None) -> Selected:
    columns = [*CHUNK_COLUMNS, DocumentRow.source]
    if storage is not None:
        columns.append(_vector(storage))
    statement = select(*columns).join(DocumentRow, IS_ITS_DOCUMENT)
    return statement.where(*_IN_COLLECTION, ChunkRow.id > _AFTER_ID).order_by(ChunkRow.id).limit(_ROWS)


def _vector(storage: Storage) -> Any:
    # no outer join: without statistics the planner walks the whole space for each chunk
    column = EmbeddingRow.half if storage == "halfvec" else EmbeddingRow.dense
    of_chunk = (EmbeddingRow.tenant_id == TENANT, EmbeddingRow.chunk_id == ChunkRow.id)
    in_space = EmbeddingRow.space_id == bindparam("space_id", type_=Id())
    return select(components(column, storage)).where(*of_chunk, in_space).scalar_subquery()


def exported_chunks(condition: ColumnElement[bool] | None, storage: Storage | None) -> Selected:
    """Make the statement that reads a collection's chunks by id, or those that match, with vectors of a storage."""
    return _chunks(storage) if condition is None else _chunks(storage).where(condition)


def to_exported_chunk(row: Sequence[Any]) -> ExportedChunk:
    """Make what `exported_chunks` selects."""
    width = len(CHUNK_COLUMNS)
    embedding = row[width + 1] if len(row) > width + 1 else None
    return ExportedChunk(**dict(to_chunk(row)), source=row[width], embedding=embedding)


_UNEMBEDDED = (
    select(*CHUNK_COLUMNS)
    .where(*_IN_COLLECTION, ChunkRow.id > _AFTER_ID, ~HAS_VECTOR)
    .order_by(ChunkRow.id)
    .limit(_ROWS)
)


def unembedded_page(tenant: str, collection_id: UUID, space_id: UUID, after: UUID, rows: int) -> Query[Chunk]:
    """Select a collection's chunks that have no vector in a space, by id, from after one."""
    place = {"collection_id": collection_id, "space_id": space_id, "after": after, "rows": rows}
    return Query(_UNEMBEDDED, to_chunk, {"tenant": tenant, **place})
