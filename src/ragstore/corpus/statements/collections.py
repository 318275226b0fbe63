"""Statements about collections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, delete, select, update
from sqlalchemy.orm import aliased

from ragstore.core.query import Query, Selected, Write
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.parameters import TENANT
from ragstore.corpus.records import Collection
from ragstore.corpus.statements.spaces import SPACE_WIDTH, space_columns, to_space
from ragstore.corpus.tables import (
    COLLECTIONS,
    CollectionRow,
    SpaceRow,
)

_ACTIVE = aliased(SpaceRow)
_BUILDING = aliased(SpaceRow)


def _in_state(space: Any, state: str) -> ColumnElement[bool]:
    return and_(
        space.tenant_id == CollectionRow.tenant_id, space.collection_id == CollectionRow.id, space.state == state
    )


_COLLECTION: Selected = (
    select(
        CollectionRow.id,
        CollectionRow.name,
        CollectionRow.language,
        CollectionRow.languages,
        CollectionRow.meta,
        CollectionRow.created_at,
        CollectionRow.generation,
        CollectionRow.analyzed_chunks,
        CollectionRow.average_length,
        CollectionRow.salt,
        *space_columns(_ACTIVE),
        *space_columns(_BUILDING),
    )
    .outerjoin(_ACTIVE, _in_state(_ACTIVE, "active"))
    .outerjoin(_BUILDING, _in_state(_BUILDING, "building"))
    .where(CollectionRow.tenant_id == TENANT)
)
_COLLECTION_BY_NAME = _COLLECTION.where(CollectionRow.name == bindparam("name"))
_COLLECTION_PAGE = (
    _COLLECTION.where(CollectionRow.name > bindparam("after")).order_by(CollectionRow.name).limit(bindparam("rows"))
)


def _to_collection(row: Sequence[Any]) -> Collection:
    return Collection(
        id=row[0],
        name=row[1],
        language=row[2],
        languages=tuple(row[3]),
        metadata=row[4],
        created_at=row[5],
        generation=row[6],
        analyzed_chunks=row[7],
        average_length=row[8],
        salt=row[9],
        space=None if row[10] is None else to_space(row[10 : 10 + SPACE_WIDTH]),
        building=None if row[10 + SPACE_WIDTH] is None else to_space(row[10 + SPACE_WIDTH :]),
    )


def collection_by_name(tenant: str, name: str) -> Query[Collection]:
    """Select a collection with its spaces."""
    return Query(_COLLECTION_BY_NAME, _to_collection, {"tenant": tenant, "name": name})


def collection_page(tenant: str, after: str, rows: int) -> Query[Collection]:
    """Select collections by name, from after `after`."""
    return Query(_COLLECTION_PAGE, _to_collection, {"tenant": tenant, "after": after, "rows": rows})


_LOCK_COLLECTION = (
    select(CollectionRow.id)
    .where(CollectionRow.tenant_id == TENANT, CollectionRow.id == bindparam("collection_id"))
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


def update_collection(tenant: str, collection_id: UUID, values: dict[str, Any]) -> Write:
    """Patch a collection."""
    matching = (CollectionRow.tenant_id == tenant, CollectionRow.id == collection_id)
    return Write(update(COLLECTIONS).where(*matching).values(**values))


_SEED_COLLECTION = (
    update(COLLECTIONS)
    .where(COLLECTIONS.c.tenant_id == TENANT, COLLECTIONS.c.id == bindparam("of"), COLLECTIONS.c.average_length == 0)
    .values(average_length=bindparam("average"))
)


def seed_collection(tenant: str, collection_id: UUID, average: float) -> Write:
    """Set a collection's average length unless it has one."""
    return Write(_SEED_COLLECTION, {"tenant": tenant, "of": collection_id, "average": average})


_DELETE_COLLECTION = delete(COLLECTIONS).where(COLLECTIONS.c.tenant_id == TENANT, COLLECTIONS.c.name == bindparam("of"))


def delete_collection(tenant: str, name: str) -> Write:
    """Delete a collection with all that hangs on it."""
    return Write(_DELETE_COLLECTION, {"tenant": tenant, "of": name})
