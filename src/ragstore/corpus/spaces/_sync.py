# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""The repository of embedding spaces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from ragstore.core import border
from ragstore.core._face_sync import Embed, call_embed
from ragstore.core.ids import parse_id
from ragstore.core.query import Steps, only
from ragstore.core.vectors import Metric
from ragstore.corpus import statements
from ragstore.corpus.naming import collection_name, space_fields
from ragstore.corpus.records import BackfillReport, EmbeddingSpace, SpaceCoverage
from ragstore.corpus.spaces import backfilling, lifecycle
from ragstore.corpus.spaces.backfilling import FIRST, IDS_AT_ONCE, Goal
from ragstore.corpus.spaces.building._sync import Builder
from ragstore.corpus.spaces.indexing._sync import Indexing
from ragstore.errors import ConcurrencyError, InvalidInput

if TYPE_CHECKING:
    from ragstore.core.vectors import Floats

T = TypeVar("T")
ATTEMPTS = 3
"""How often a batch is written anew when another transaction gets in between."""
SOAK = timedelta(days=7)

BackfillProgress = Callable[[int, int], None]
"""Told after each batch: chunks done, and how many lacked a vector at the start."""


class Spaces(Indexing):
    """Embedding spaces: one model's vectors for one collection.

    A collection has one active space, which answers searches, and at most one that is being filled to take its place:

    `begin` → `backfill` → (`create_index`) → `activate` → later `reclaim`, or at once `rollback`.
    """

    def list(self, collection: str) -> Sequence[EmbeddingSpace]:
        """List a collection's spaces, the oldest first.

        Raises:
            NotFound: There is no such collection.
        """
        name = collection_name(collection)
        return self._access.read(lambda: lifecycle.list_spaces(self._tenant, name))

    def get(self, space_id: UUID | str) -> EmbeddingSpace:
        """Read a space.

        Raises:
            NotFound: There is none.
        """
        chosen = parse_id(space_id)
        return self._access.read(lambda: lifecycle.find_space(self._tenant, chosen))

    def begin(self, collection: str, model: str, dimensions: int, *, metric: Metric = "cosine") -> EmbeddingSpace:
        """Add a space for another model, beside the active one. Searches do not see it before `activate`.

        One row is written, in a transaction that waits for documents that are being written. From then on `put` and
        `load` write to both spaces, if `embed=` gives them both models.

        Args:
            collection: The collection's name.
            model: The embedding model, as the host calls it.
            dimensions: Components of its vectors, to 4,000; above 2,000 they are stored as float16, and the record's
                `storage` says so.
            metric: How its vectors are compared.

        Raises:
            NotFound: There is no such collection.
            Conflict: Another space is being filled already.
            InvalidInput: A value is unfit.

        Example:
            .. code-block:: python

                store.collections.ensure("guides", model="small", dimensions=3)
                space = store.spaces.begin("guides", "large", 8)
                assert (space.state, space.storage) == ("building", "vector")
        """
        fields = space_fields(model, dimensions, metric)
        name = collection_name(collection)
        return self._change(name, lifecycle.begin(self._backend, self._tenant, name, fields))

    def coverage(self, collection: str, *, space: UUID | str | None = None) -> SpaceCoverage:
        """Count how many of a collection's chunks have a vector in a space.

        Args:
            collection: The collection's name.
            space: The id of a space of the collection; None: the one that is being filled, else the active one.

        Raises:
            NotFound: There is no such collection or space.
        """
        name, space_id = collection_name(collection), _id_of(space)
        return self._access.read(lambda: lifecycle.coverage_of(self._tenant, name, space_id))

    def backfill(
        self,
        collection: str,
        embed: Embed,
        *,
        batch_size: int = 64,
        space: UUID | str | None = None,
        progress: BackfillProgress | None = None,
    ) -> BackfillReport:
        """Give every chunk without a vector in a space one, in the order of the chunks' ids.

        No transaction is open while the model runs. Each batch is a short one of its own, which passes over chunks that
        are being written or were deleted meanwhile. A run that was stopped or killed goes on where it was; several at
        once are safe, though each asks its model. At the end it looks for chunks that came in behind it.

        Args:
            collection: The collection's name.
            embed: Gives one vector for each text, in their order.
            batch_size: How many texts `embed` gets at a time, 1 to 10,000.
            space: The id of a space of the collection, to fill it up; None: the one that is being filled.
            progress: Called after each batch with the chunks done and those that lacked a vector at the start.

        Raises:
            NotFound: There is no such collection or space.
            Conflict: No space is being filled, or it was given up meanwhile.
            DimensionMismatch: A vector has not the space's dimensions. What was written before stays.
            UsageError: Inside a unit of work, which would be held open while the model runs.
        """
        self._refuse_in_unit("backfill")
        name, space_id = collection_name(collection), _id_of(space)
        size = border.limit(batch_size, field="batch_size", maximum=10_000)
        goal = self._access.read(lambda: backfilling.goal(self._tenant, name, space_id))
        run = _Backfill(self, goal, embed, size, progress)
        run.fill_from(goal.resume_at)
        while run.fill_from(FIRST):
            pass
        left = self._access.read(lambda: backfilling.remaining(self._tenant, goal))
        return BackfillReport(space_id=goal.space.id, embedded=run.embedded, remaining=left)

    def activate(self, collection: str, *, require_coverage: float = 1.0) -> EmbeddingSpace:
        """Let the space that was filled answer searches from now on; the active one is retired.

        One transaction, which waits for documents that are being written and lets no others be written meanwhile. Each
        search answers from one space, the old one or the new one.

        Args:
            collection: The collection's name.
            require_coverage: The share of chunks that must have a vector, 0 to 1; the others are found by text alone.

        Raises:
            NotFound: There is no such collection.
            Conflict: No space is being filled, or too many chunks have no vector in it; the message says how many.
        """
        if not 0 <= require_coverage <= 1:
            raise InvalidInput("must be from 0 to 1", field="require_coverage")
        name = collection_name(collection)
        return self._change(name, lifecycle.activate(self._tenant, name, require_coverage))

    def rollback(self, collection: str, *, allow_missing: bool = False) -> EmbeddingSpace:
        """Let the space that was retired last answer again; the active one is retired. One transaction, as `activate`.

        Args:
            collection: The collection's name.
            allow_missing: Go back although chunks written since have no vector there: text alone finds them, until
                `backfill(..., space=...)` fills the space up.

        Raises:
            NotFound: There is no such collection.
            Conflict: There is no retired space, or chunks have no vector in it.
        """
        name = collection_name(collection)
        return self._change(name, lifecycle.rollback(self._tenant, name, allow_missing=allow_missing))

    def reclaim(self, collection: str, *, older_than: timedelta | float = SOAK) -> int:
        """Delete spaces that were retired a while ago, with their indexes and vectors, and those given up half-way.

        Vectors go in transactions of 5,000 each; a call that was killed is completed by the next. The active space and
        the one that is being filled stay.

        Args:
            collection: The collection's name.
            older_than: How long ago a space must have been retired; a timedelta, or seconds.

        Returns:
            How many spaces were deleted.

        Raises:
            NotFound: There is no such collection.
            UsageError: Inside a unit of work.
        """
        self._refuse_in_unit("reclaim")
        name = collection_name(collection)
        age = older_than if isinstance(older_than, timedelta) else timedelta(seconds=older_than)
        spaces = self._access.read(lambda: lifecycle.reclaimable(self._tenant, name, age))
        for space_id in spaces:
            self._reclaim(space_id)
        return len(spaces)

    def abandon(self, collection: str) -> None:
        """Give up the space that is being filled: it is deleted with its index and its vectors.

        Raises:
            NotFound: There is no such collection.
            Conflict: No space is being filled.
            UsageError: Inside a unit of work.
        """
        self._refuse_in_unit("abandon")
        name = collection_name(collection)
        space = self._change(name, lifecycle.abandon(self._tenant, name))
        self._reclaim(space.id)

    def _change(self, collection: str, steps: Steps[T]) -> T:
        with self._access.writing() as work:
            changed = work.steps(steps)
        self._forget(collection)
        return changed

    def _reclaim(self, space_id: UUID) -> None:
        if self._backend.indexes is not None:
            Builder(self._access, self._backend.indexes).drop(space_id)
        more = True
        while more:
            with self._access.writing() as work:
                more = work.steps(lifecycle.reclaim_some(self._tenant, space_id))


class _Backfill:
    """A backfill on its way."""

    def __init__(self, spaces: Spaces, goal: Goal, embed: Embed, size: int, progress: BackfillProgress | None) -> None:
        self.access = spaces._access
        self.goal = goal
        self.embed = embed
        self.size = size
        self.progress = progress
        self.embedded = 0

    def fill_from(self, after: UUID) -> int:
        """Go through the chunks once; gives how many vectors were written."""
        before = self.embedded
        while ids := self._lacking(after):
            for start in range(0, len(ids), self.size):
                self._fill(ids[start : start + self.size])
            after = ids[-1]
        return self.embedded - before

    def _lacking(self, after: UUID) -> Sequence[UUID]:
        collection, space = self.goal.collection.id, self.goal.space.id
        query = statements.lacking_chunks(self.access.tenant, collection, space, after, IDS_AT_ONCE)
        return self.access.read(lambda: only(query))

    def _fill(self, ids: Sequence[UUID]) -> None:
        found = self.access.read(lambda: only(statements.texts_of(self.access.tenant, ids)))
        texts = [text for _, text in found]
        answer = list(call_embed(self.embed, texts)) if texts else []
        vectors = backfilling.check_vectors(self.goal.space, len(texts), answer)
        made = [(chunk_id, vector) for (chunk_id, _), vector in zip(found, vectors, strict=True)]
        self.embedded += self._store(made, ids[-1])
        if self.progress is not None:
            self.progress(self.embedded, self.goal.missing)

    def _store(self, made: Sequence[tuple[UUID, Floats]], to: UUID) -> int:
        attempts = ATTEMPTS
        while True:
            attempts -= 1
            try:
                with self.access.writing() as work:
                    return work.steps(backfilling.store(self.access.backend, self.access.tenant, self.goal, made, to))
            except ConcurrencyError:
                if not attempts:
                    raise


def _id_of(space: UUID | str | None) -> UUID | None:
    return None if space is None else parse_id(space, field="space")
