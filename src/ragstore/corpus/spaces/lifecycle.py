"""A space's life: building, active, retired, gone. Steps of one transaction each.

Who writes documents holds the collection's row (`keep_spaces`) until the end of the transaction; who changes which
space is what waits for them and locks them out (`switch_spaces`). So no write lands in a space that has just been
switched away from.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from ragstore.core.clock import utc_now
from ragstore.core.ids import new_id
from ragstore.core.query import Steps
from ragstore.corpus import statements
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.reading import find_collection
from ragstore.corpus.records import Collection, EmbeddingSpace, SpaceCoverage
from ragstore.errors import Conflict, InvalidInput, NotFound

RECLAIMED_AT_ONCE = 5_000
"""Vectors deleted in one transaction."""


def list_spaces(tenant: str, collection: str) -> Steps[list[EmbeddingSpace]]:
    """Read a collection's spaces, the oldest first."""
    within = yield from find_collection(tenant, collection)
    found: list[EmbeddingSpace] = yield statements.spaces_of(tenant, within.id)
    return found


def find_space(tenant: str, space_id: UUID) -> Steps[EmbeddingSpace]:
    """Read a space, or raise `NotFound`."""
    found: list[EmbeddingSpace] = yield statements.space_by_id(tenant, space_id)
    if not found:
        raise NotFound(f"there is no embedding space {space_id}")
    return found[0]


def choose_space(tenant: str, collection: str, space_id: UUID | None) -> Steps[EmbeddingSpace]:
    """Read the space that is meant: the active one, unless another of the collection's is named."""
    within = yield from find_collection(tenant, collection)
    if space_id is None:
        return active_space(within)
    found: list[EmbeddingSpace] = yield statements.spaces_of(tenant, within.id)
    for space in found:
        if space.id == space_id:
            return space
    raise NotFound(f"the collection {collection!r} has no embedding space {space_id}")


def active_space(collection: Collection) -> EmbeddingSpace:
    """Give the active space, or refuse."""
    if collection.space is None:
        advice = "give collections.ensure a model, or begin one with spaces.begin"
        raise InvalidInput(f"{collection.name!r} has no active embedding space: {advice}", field="collection")
    return collection.space


def building_space(collection: Collection) -> EmbeddingSpace:
    """Give the space that is being filled, or refuse."""
    if collection.building is None:
        raise Conflict(f"no embedding space of {collection.name!r} is being filled: begin one with spaces.begin")
    return collection.building


def coverage(tenant: str, collection: Collection, space: EmbeddingSpace) -> Steps[SpaceCoverage]:
    """Count the chunks with and without a vector in a space."""
    (counted,) = yield statements.count_covered(tenant, collection.id, space.id)
    chunks, embedded = counted
    return SpaceCoverage(space_id=space.id, chunks=chunks, embedded=embedded, missing=chunks - embedded)


def coverage_of(tenant: str, collection: str, space_id: UUID | None) -> Steps[SpaceCoverage]:
    """Count for the space that is named, else the one that is being filled, else the active one."""
    within = yield from find_collection(tenant, collection)
    if space_id is None:
        space = within.building or active_space(within)
    else:
        space = yield from choose_space(tenant, collection, space_id)
    return (yield from coverage(tenant, within, space))


def begin(backend: CorpusBackend, tenant: str, collection: str, fields: dict[str, Any]) -> Steps[EmbeddingSpace]:
    """Add a space that is to take the active one's place."""
    within = yield from _lock(tenant, collection)
    if within.building is not None:
        advice = "activate it, or give it up with spaces.abandon"
        raise Conflict(f"a space of the model {within.building.model!r} is being filled already: {advice}")
    space_id = new_id()
    row = {"tenant_id": tenant, "id": space_id, "collection_id": within.id, "state": "building", **fields}
    yield statements.insert_space(backend, row)
    return (yield from find_space(tenant, space_id))


def activate(tenant: str, collection: str, require_coverage: float) -> Steps[EmbeddingSpace]:
    """Let the space that was being filled answer from now on."""
    within = yield from _lock(tenant, collection)
    space = building_space(within)
    covered = yield from coverage(tenant, within, space)
    if covered.ratio < require_coverage:
        advice = "run spaces.backfill, or lower require_coverage"
        raise Conflict(f"{covered.missing} of {covered.chunks} chunks have no vector of {space.model!r} yet: {advice}")
    return (yield from _switch(tenant, within, space))


def rollback(tenant: str, collection: str, *, allow_missing: bool) -> Steps[EmbeddingSpace]:
    """Let the space that answered before answer again."""
    within = yield from _lock(tenant, collection)
    spaces: list[EmbeddingSpace] = yield statements.spaces_of(tenant, within.id)
    retired = [space for space in spaces if space.state == "retired" and space.activated_at is not None]
    if not retired:
        raise Conflict(f"{collection!r} has no earlier embedding space to go back to")
    space = max(retired, key=lambda space: (space.retired_at or space.created_at, space.id))
    covered = yield from coverage(tenant, within, space)
    if covered.missing and not allow_missing:
        advice = "fill it with spaces.backfill(..., space=its id), or give allow_missing=True: text alone finds them"
        raise Conflict(f"{covered.missing} of {covered.chunks} chunks have no vector of {space.model!r}: {advice}")
    return (yield from _switch(tenant, within, space))


def abandon(tenant: str, collection: str) -> Steps[EmbeddingSpace]:
    """Stop filling a space; it is retired without ever having been active."""
    within = yield from _lock(tenant, collection)
    space = building_space(within)
    yield statements.update_space(tenant, space.id, {"state": "retired", "retired_at": utc_now()})
    return space


def reclaimable(tenant: str, collection: str, older_than: timedelta) -> Steps[list[UUID]]:
    """Read which spaces are to go: those retired for so long, and those that were abandoned."""
    within = yield from find_collection(tenant, collection)
    found: list[tuple[UUID, timedelta | None]] = yield statements.retired_spaces(tenant, within.id)
    return [space_id for space_id, age in found if age is None or age >= older_than]


def reclaim_some(tenant: str, space_id: UUID) -> Steps[bool]:
    """Delete some of a retired space's vectors, and with the last of them the space. True: there is more to do."""
    locked: list[UUID] = yield statements.lock_retired(tenant, space_id)
    if not locked:
        return False
    some: list[UUID] = yield statements.lock_vectors(tenant, space_id, RECLAIMED_AT_ONCE)
    if some:
        yield statements.delete_vectors(tenant, space_id, some)
        return True
    yield statements.delete_space(tenant, space_id)
    return False


def _lock(tenant: str, collection: str) -> Steps[Collection]:
    yield statements.switch_spaces(tenant, collection)
    return (yield from find_collection(tenant, collection))


def _switch(tenant: str, collection: Collection, space: EmbeddingSpace) -> Steps[EmbeddingSpace]:
    if collection.space is not None:  # first, as there may be one active space at most
        yield statements.update_space(tenant, collection.space.id, {"state": "retired", "retired_at": utc_now()})
    yield statements.update_space(tenant, space.id, {"state": "active", "activated_at": utc_now(), "retired_at": None})
    return (yield from find_space(tenant, space.id))
