"""Giving a space the vectors that it lacks: what is asked for, and what is written in each transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ragstore.core import vectors
from ragstore.core.query import Steps
from ragstore.core.vectors import VectorLike
from ragstore.corpus import statements
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.reading import find_collection
from ragstore.corpus.records import Collection, EmbeddingSpace
from ragstore.corpus.spaces.lifecycle import building_space, choose_space, coverage
from ragstore.errors import Conflict, InvalidInput

FIRST = UUID(int=0)
IDS_AT_ONCE = 2_000
"""Ids of chunks that are looked up at a time; their texts come by the batch."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a backfill is to do.

    Attributes:
        resume_at: The last chunk that an earlier run has been past.
        missing: Chunks without a vector at the start.
    """

    collection: Collection
    space: EmbeddingSpace
    resume_at: UUID
    missing: int


def goal(tenant: str, collection: str, space_id: UUID | None) -> Steps[Goal]:
    """Look what there is to do."""
    within = yield from find_collection(tenant, collection)
    if space_id is None:
        space = building_space(within)
    else:
        space = yield from choose_space(tenant, collection, space_id)
    covered = yield from coverage(tenant, within, space)
    (resume_at,) = yield statements.backfilled_to(tenant, space.id)
    return Goal(within, space, resume_at or FIRST, covered.missing)


def remaining(tenant: str, goal: Goal) -> Steps[int]:
    """Count the chunks that still have no vector."""
    covered = yield from coverage(tenant, goal.collection, goal.space)
    return covered.missing


def check_vectors(space: EmbeddingSpace, texts: int, answer: Sequence[VectorLike]) -> list[vectors.Floats]:
    """Check what the model gave.

    Raises:
        InvalidInput: It gave more or fewer vectors than it got texts, or one that cannot be stored.
    """
    if len(answer) != texts:
        raise InvalidInput(f"gave {len(answer)} vectors for {texts} texts", field="embed")
    return [
        vectors.prepare(
            vector,
            dimensions=space.dimensions,
            metric=space.metric,
            storage=space.storage,
            field="embed",
            index=index,
        )
        for index, vector in enumerate(answer)
    ]


def store(
    backend: CorpusBackend, tenant: str, goal: Goal, made: Sequence[tuple[UUID, vectors.Floats]], to: UUID
) -> Steps[int]:
    """Write the vectors of the chunks that are still there, and note how far the backfill has come."""
    yield statements.keep_spaces(tenant, goal.collection.name)
    spaces: list[EmbeddingSpace] = yield statements.spaces_of(tenant, goal.collection.id)
    state = next((space.state for space in spaces if space.id == goal.space.id), None)
    if state is None or (state == "retired" and goal.space.state != "retired"):
        raise Conflict(f"the space was {state or 'deleted'} while it was being filled: see spaces.list")
    standing: list[UUID] = yield statements.standing_chunks(tenant, [chunk_id for chunk_id, _ in made])
    there = set(standing)
    column = "half" if goal.space.storage == "halfvec" else "dense"
    rows = [
        {"tenant_id": tenant, "space_id": goal.space.id, "chunk_id": chunk_id, column: vector}
        for chunk_id, vector in made
        if chunk_id in there
    ]
    written: int = yield statements.add_embeddings(backend, rows)
    yield statements.advance_backfill(tenant, goal.space.id, to)
    return written
