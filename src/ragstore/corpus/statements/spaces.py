"""Statements about embedding spaces and the vectors in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, func, or_, select, update

from ragstore.core.clock import utc_now
from ragstore.core.query import Query, Selected, Write
from ragstore.core.types import Id
from ragstore.corpus.backend import CorpusBackend, IndexSpec
from ragstore.corpus.parameters import IDS, TENANT
from ragstore.corpus.records import EmbeddingSpace
from ragstore.corpus.statements.chunks import HAS_VECTOR
from ragstore.corpus.tables import (
    EMBEDDINGS,
    SPACES,
    ChunkRow,
    CollectionRow,
    DocumentRow,
    EmbeddingRow,
    SpaceRow,
)

SPACE_FIELDS = tuple(EmbeddingSpace.model_fields)
SPACE_WIDTH = len(SPACE_FIELDS)


def space_columns(row: Any) -> tuple[Any, ...]:
    """Give the columns that `to_space` takes, of `SpaceRow` or an alias of it."""
    return tuple(getattr(row, field) for field in SPACE_FIELDS)


def to_space(values: Sequence[Any]) -> EmbeddingSpace:
    """Make a record of `space_columns`."""
    return EmbeddingSpace(**dict(zip(SPACE_FIELDS, values, strict=True)))


_SPACE = select(*space_columns(SpaceRow)).where(SpaceRow.tenant_id == TENANT)
_SPACE_BY_ID = _SPACE.where(SpaceRow.id == bindparam("id"))
_SPACES_OF = _SPACE.where(SpaceRow.collection_id == bindparam("collection_id")).order_by(
    SpaceRow.created_at, SpaceRow.id
)
_ALL_SPACES = _SPACE.order_by(SpaceRow.created_at, SpaceRow.id)


def space_by_id(tenant: str, space_id: UUID) -> Query[EmbeddingSpace]:
    """Select a space."""
    return Query(_SPACE_BY_ID, to_space, {"tenant": tenant, "id": space_id})


def spaces_of(tenant: str, collection_id: UUID) -> Query[EmbeddingSpace]:
    """Select a collection's spaces, the oldest first."""
    return Query(_SPACES_OF, to_space, {"tenant": tenant, "collection_id": collection_id})


def all_spaces(tenant: str) -> Query[EmbeddingSpace]:
    """Select the tenant's spaces, the oldest first."""
    return Query(_ALL_SPACES, to_space, {"tenant": tenant})


def insert_space(backend: CorpusBackend, values: dict[str, Any]) -> Write:
    """Insert a space unless the collection has one in this state, of which there may be one."""
    return Write(backend.upsert(SPACES).values(**values).on_conflict_do_nothing())


def update_space(tenant: str, space_id: UUID, values: dict[str, Any]) -> Write:
    """Patch a space."""
    matching = (SPACES.c.tenant_id == tenant, SPACES.c.id == space_id)
    return Write(update(SPACES).where(*matching).values(**values))


# ------------------------------------------------------------------------------------------- who may write

_COLLECTION_ID = select(CollectionRow.id).where(
    CollectionRow.tenant_id == TENANT, CollectionRow.name == bindparam("name")
)
_KEEP_SPACES = _COLLECTION_ID.with_for_update(read=True, key_share=True)
_SWITCH_SPACES = _COLLECTION_ID.with_for_update()


def keep_spaces(tenant: str, collection: str) -> Query[UUID]:
    """Lock a collection against a switch of its spaces; any number of writers may."""
    return Query(_KEEP_SPACES, lambda row: row[0], {"tenant": tenant, "name": collection})


def switch_spaces(tenant: str, collection: str) -> Query[UUID]:
    """Lock a collection against all who write documents, and wait for those under way."""
    return Query(_SWITCH_SPACES, lambda row: row[0], {"tenant": tenant, "name": collection})


# ------------------------------------------------------------------------------------------- coverage

_IN_SPACE = and_(EmbeddingRow.tenant_id == TENANT, EmbeddingRow.space_id == bindparam("space_id", type_=Id()))
_ALL_CHUNKS = select(func.count()).where(
    ChunkRow.tenant_id == TENANT, ChunkRow.collection_id == bindparam("collection_id", type_=Id())
)
_VECTORS = select(func.count()).where(_IN_SPACE)
_COVERAGE = select(_ALL_CHUNKS.scalar_subquery(), _VECTORS.scalar_subquery())
_SOME_VECTORS = select(func.count()).select_from(
    select(EmbeddingRow.chunk_id).where(_IN_SPACE).limit(bindparam("rows")).subquery()
)


def count_covered(tenant: str, collection_id: UUID, space_id: UUID) -> Query[tuple[int, int]]:
    """Count a collection's chunks, and those of them that have a vector in a space: both of one moment."""
    parameters = {"tenant": tenant, "collection_id": collection_id, "space_id": space_id}
    return Query(_COVERAGE, lambda row: (row[0], row[1]), parameters)


def count_vectors(tenant: str, space_id: UUID) -> Query[int]:
    """Count a space's vectors."""
    return Query(_VECTORS, lambda row: int(row[0]), {"tenant": tenant, "space_id": space_id})


def count_vectors_to(tenant: str, space_id: UUID, rows: int) -> Query[int]:
    """Count a space's vectors, but not beyond `rows`."""
    return Query(_SOME_VECTORS, lambda row: int(row[0]), {"tenant": tenant, "space_id": space_id, "rows": rows})


# ------------------------------------------------------------------------------------------- backfill

_LACKING = (
    select(ChunkRow.id)
    .where(
        ChunkRow.tenant_id == TENANT,
        ChunkRow.collection_id == bindparam("collection_id"),
        ChunkRow.id > bindparam("after", type_=Id()),
        ~HAS_VECTOR,
    )
    .order_by(ChunkRow.id)
    .limit(bindparam("rows"))
)
_TEXTS = (
    select(ChunkRow.id, ChunkRow.content)
    .where(ChunkRow.tenant_id == TENANT, ChunkRow.id.in_(IDS))
    .order_by(ChunkRow.id)
)
# Whoever writes a chunk or its vectors holds its document. What is held is passed over, never waited for: so no put and
# no backfill wait for each other.
_STANDING: Selected = (
    select(ChunkRow.id)
    .join(DocumentRow, and_(DocumentRow.tenant_id == TENANT, DocumentRow.id == ChunkRow.document_id))
    .where(ChunkRow.tenant_id == TENANT, ChunkRow.id.in_(IDS))
    .order_by(ChunkRow.id)
    .with_for_update(read=True, of=[ChunkRow, DocumentRow], skip_locked=True)
)
_BACKFILLED_TO = select(SpaceRow.backfilled_to).where(SpaceRow.tenant_id == TENANT, SpaceRow.id == bindparam("id"))
_ADVANCE = (
    update(SPACES)
    .where(
        SPACES.c.tenant_id == TENANT,
        SPACES.c.id == bindparam("of"),
        or_(SPACES.c.backfilled_to.is_(None), SPACES.c.backfilled_to < bindparam("to", type_=Id())),
    )
    .values(backfilled_to=bindparam("to", type_=Id()))
)


def lacking_chunks(tenant: str, collection_id: UUID, space_id: UUID, after: UUID, rows: int) -> Query[UUID]:
    """Select chunks that have no vector in a space, in the order of their ids, from after `after`."""
    parameters = {
        "tenant": tenant,
        "collection_id": collection_id,
        "space_id": space_id,
        "after": after,
        "rows": rows,
    }
    return Query(_LACKING, lambda row: row[0], parameters)


def texts_of(tenant: str, ids: Sequence[UUID]) -> Query[tuple[UUID, str]]:
    """Select chunks' texts, in the order of their ids."""
    return Query(_TEXTS, lambda row: (row[0], row[1]), {"tenant": tenant, "ids": list(ids)})


def standing_chunks(tenant: str, ids: Sequence[UUID]) -> Query[UUID]:
    """Lock those of the chunks that are there and that nobody is writing."""
    return Query(_STANDING, lambda row: row[0], {"tenant": tenant, "ids": list(ids)})


def add_embeddings(backend: CorpusBackend, rows: Sequence[dict[str, Any]]) -> Write:
    """Insert vectors for chunks that have none in their space."""
    return Write(backend.upsert(EMBEDDINGS).on_conflict_do_nothing(), rows)


def backfilled_to(tenant: str, space_id: UUID) -> Query[UUID | None]:
    """Select how far a space's backfill has come."""
    return Query(_BACKFILLED_TO, lambda row: row[0], {"tenant": tenant, "id": space_id})


def advance_backfill(tenant: str, space_id: UUID, to: UUID) -> Write:
    """Note how far a space's backfill has come; never backwards."""
    return Write(_ADVANCE, {"tenant": tenant, "of": space_id, "to": to})


# ------------------------------------------------------------------------------------------- reclaiming

_RETIRED = (
    select(SpaceRow.id, SpaceRow.activated_at, SpaceRow.retired_at, utc_now())
    .where(
        SpaceRow.tenant_id == TENANT,
        SpaceRow.collection_id == bindparam("collection_id"),
        SpaceRow.state == "retired",
    )
    .order_by(SpaceRow.retired_at, SpaceRow.id)
)
_LOCK_RETIRED = (
    select(SpaceRow.id)
    .where(SpaceRow.tenant_id == TENANT, SpaceRow.id == bindparam("id"), SpaceRow.state == "retired")
    .with_for_update()
)
_SOME_VECTORS_TO_DELETE = (
    select(EMBEDDINGS.c.chunk_id)
    .where(EMBEDDINGS.c.tenant_id == TENANT, EMBEDDINGS.c.space_id == bindparam("space_id"))
    .limit(bindparam("rows"))
    .with_for_update(skip_locked=True)  # who deletes the chunks takes these rows along, in another order
)
_DELETE_VECTORS = delete(EMBEDDINGS).where(
    EMBEDDINGS.c.tenant_id == TENANT, EMBEDDINGS.c.space_id == bindparam("of"), EMBEDDINGS.c.chunk_id.in_(IDS)
)
_DELETE_SPACE = delete(SPACES).where(SPACES.c.tenant_id == TENANT, SPACES.c.id == bindparam("of"))


def retired_spaces(tenant: str, collection_id: UUID) -> Query[tuple[UUID, timedelta | None]]:
    """Select retired spaces, the longest retired first, with for how long; None: it has never been active."""
    parameters = {"tenant": tenant, "collection_id": collection_id}
    return Query(_RETIRED, lambda row: (row[0], None if row[1] is None else row[3] - row[2]), parameters)


def lock_retired(tenant: str, space_id: UUID) -> Query[UUID]:
    """Lock a space if it is retired, so that no rollback brings it back meanwhile."""
    return Query(_LOCK_RETIRED, lambda row: row[0], {"tenant": tenant, "id": space_id})


def lock_vectors(tenant: str, space_id: UUID, rows: int) -> Query[UUID]:
    """Lock some of a space's vectors, by chunk; as a subquery of the deletion this would run again for each row."""
    return Query(_SOME_VECTORS_TO_DELETE, lambda row: row[0], {"tenant": tenant, "space_id": space_id, "rows": rows})


def delete_vectors(tenant: str, space_id: UUID, chunk_ids: Sequence[UUID]) -> Write:
    """Delete chunks' vectors in one space."""
    return Write(_DELETE_VECTORS, {"tenant": tenant, "of": space_id, "ids": list(chunk_ids)})


def delete_space(tenant: str, space_id: UUID) -> Write:
    """Delete a space with what is left in it."""
    return Write(_DELETE_SPACE, {"tenant": tenant, "of": space_id})


# ------------------------------------------------------------------------------------------- indexes


_INDEX_OPTIONS = select(SpaceRow.index_options).where(SpaceRow.tenant_id == TENANT, SpaceRow.id == bindparam("id"))
_BUILDING_IDS = select(SpaceRow.id).where(SpaceRow.index_state == "building")


def spaces_being_indexed() -> Query[UUID]:
    """Select the spaces of all tenants whose index is being built: the number of indexes is the database's."""
    return Query(_BUILDING_IDS, lambda row: row[0], {})


def index_options(tenant: str, space_id: UUID) -> Query[dict[str, int]]:
    """Select what a space's index was last built with."""
    return Query(_INDEX_OPTIONS, lambda row: dict(row[0]), {"tenant": tenant, "id": space_id})


def claim_index(tenant: str, space_id: UUID, spec: IndexSpec, *, take_over: bool) -> Write:
    """Note that an index is being built, unless another builder has; `take_over` takes it from a dead one."""
    statement = update(SPACES).where(SPACES.c.tenant_id == tenant, SPACES.c.id == space_id)
    if not take_over:
        statement = statement.where(SPACES.c.index_state != "building")
    values = {
        "index_state": "building",
        "index_method": spec.method,
        "quantization": spec.quantization,
        "index_options": spec.options,
    }
    return Write(statement.values(**values))
