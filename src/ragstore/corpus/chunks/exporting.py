"""Counting and reading out a collection's chunks, and finding those that lack a vector."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement

from ragstore.core.query import Query, Selected, Steps
from ragstore.corpus import statements
from ragstore.corpus.reading import find_collection
from ragstore.corpus.records import Chunk, Collection, EmbeddingSpace, ExportedChunk
from ragstore.errors import NotFound


def count(tenant: str, collection_name: str, condition: ColumnElement[bool] | None) -> Steps[int]:
    """Count a collection's chunks, or those that match."""
    within = yield from find_collection(tenant, collection_name)
    counted: list[int] = yield statements.count_chunks(tenant, within.id, condition)
    return counted[0]


@dataclass(frozen=True, slots=True)
class Export:
    """A running export: one statement for all of its batches, and the space it began with."""

    tenant: str
    collection_id: UUID
    space_id: UUID | None
    statement: Selected
    rows: int

    def batch(self, after: UUID) -> Query[ExportedChunk]:
        """Select the next chunks."""
        place = {"collection_id": self.collection_id, "space_id": self.space_id, "after": after, "rows": self.rows}
        return Query(self.statement, statements.to_exported_chunk, {"tenant": self.tenant, **place})


def export(
    tenant: str, collection: Collection, condition: ColumnElement[bool] | None, rows: int, *, with_embeddings: bool
) -> Export:
    """Begin an export."""
    space = collection.space if with_embeddings else None
    statement = statements.exported_chunks(condition, space.storage if space else None)
    return Export(tenant, collection.id, space.id if space else None, statement, rows)


def missing_embeddings(
    tenant: str, collection_name: str, model: str | None, after: UUID, rows: int
) -> Steps[list[Chunk]]:
    """Read chunks without a vector in the active space, or in the one of this model."""
    collection = yield from find_collection(tenant, collection_name)
    space = _space(collection, model)
    found: list[Chunk] = yield statements.unembedded_page(tenant, collection.id, space.id, after, rows)
    return found


def _space(collection: Collection, model: str | None) -> EmbeddingSpace:
    for space in (collection.space, collection.building):
        if space is not None and model in (None, space.model):
            return space
    missing = "no embedding space" if model is None else f"no embedding space of the model {model!r}"
    raise NotFound(f"the collection has {missing} that is active or being built: ensure it with model= and dimensions=")
