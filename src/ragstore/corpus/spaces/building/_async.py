"""Building, mending and dropping one space's approximate index."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from ragstore.core._async import AsyncAccess, AsyncRepository
from ragstore.core._face_async import repeating, sleep
from ragstore.corpus import statements
from ragstore.corpus.backend import CorpusBackend, FoundIndex, IndexSpec, VectorIndexes
from ragstore.corpus.records import EmbeddingSpace, IndexStatus
from ragstore.corpus.spaces import indexes
from ragstore.errors import Conflict

IndexProgress = Callable[[str, int, int], None]
"""Told the phase of a build, how much of it is done, and how much there is to do (0: not known)."""

LOOK_EVERY = 0.25
"""Seconds between two looks at a build that is under way."""
LOOKS_AT_NOTHING = 12
"""A build that was begun and cannot be seen after so many looks has died."""


class AsyncBuilder(AsyncRepository[CorpusBackend]):
    """One at a time builds a space's index, in whatever process, without a lock that a dead one could leave behind.

    Who builds writes "building" into the space's row first. Another one waits as long as the server shows the build; it
    takes over if there is nothing to see for three seconds, because the first has died. The server builds on when its
    client has died, and then leaves a complete index or an invalid one.
    """

    def __init__(
        self, access: AsyncAccess[CorpusBackend], found: VectorIndexes, progress: IndexProgress | None = None
    ) -> None:
        """Build indexes of this kind, and tell how far it is."""
        super().__init__(access)
        self._indexes = found
        self._progress = progress
        self._schema = access.settings.schema

    async def build(self, space: EmbeddingSpace, asked: IndexSpec, spec: IndexSpec) -> None:
        """Build until an index as asked is there: by this call, or by another one that was faster."""
        looked = 0
        while True:
            row, there = await self._look(space.id)
            if row is None:
                raise Conflict("the space was deleted while its index was being built")
            if there is not None and indexes.is_as_asked(there, asked):
                await self._settle(space.id)
                return
            running = there is not None and there.running is not None
            if running or (row.index_state == "building" and looked < LOOKS_AT_NOTHING):
                self._tell(there)
                looked = 0 if running else looked + 1
                await sleep(LOOK_EVERY)
                continue
            take_over, looked = looked >= LOOKS_AT_NOTHING, 0
            if await self._claim(space, spec, take_over=take_over):
                _, there = await self._look(space.id)  # another may have built it between the look and the claim
                if there is None or not indexes.is_as_asked(there, asked):
                    await self._run(space, spec, replace=there is not None)

    async def drop(self, space_id: UUID) -> bool:
        """Drop an index; False: there was none."""
        there = await self._first(self._indexes.find(self._schema, space_id))
        # first, so that no search counts on it
        await self._write(statements.update_space(self._tenant, space_id, indexes.recorded(None)))
        if there is not None:
            async with self._access.autocommitting() as work:
                await work.execute(self._indexes.drop(self._schema, space_id).statement)
        return there is not None

    async def repair(self, space: EmbeddingSpace) -> IndexStatus | None:
        """Make an index what it should be; None: it is."""
        there = await self._first(self._indexes.find(self._schema, space.id))
        if indexes.is_right(space, there):
            return None
        if there is not None and there.valid:
            await self._settle(space.id)
        else:
            options = await self._fetch(statements.index_options(self._tenant, space.id))
            recorded = IndexSpec(space.index_method, space.quantization, options[0])
            spec = recorded if there is None else there.spec
            await self.build(space, spec, spec)
        return await self.status(space.id)

    async def status(self, space_id: UUID) -> IndexStatus | None:
        """Say what there is; None: the space is gone."""
        row, there = await self._look(space_id)
        rows = await self._fetch(statements.count_vectors(self._tenant, space_id))
        return None if row is None else indexes.status(row, there, rows[0])

    async def _look(self, space_id: UUID) -> tuple[EmbeddingSpace | None, FoundIndex | None]:
        return await self._access.read(lambda: indexes.look(self._indexes, self._schema, self._tenant, space_id))

    async def _claim(self, space: EmbeddingSpace, spec: IndexSpec, *, take_over: bool) -> bool:
        most = self._access.settings.max_indexes
        steps = indexes.claim(self._indexes, self._schema, self._tenant, space, spec, most=most, take_over=take_over)
        async with self._access.writing() as work:
            return await work.steps(steps)

    async def _run(self, space: EmbeddingSpace, spec: IndexSpec, *, replace: bool) -> None:
        build = self._indexes.create(self._schema, space, spec).statement
        try:
            async with self._access.autocommitting() as work:
                if replace:
                    await work.execute(self._indexes.drop(self._schema, space.id).statement)
                if self._progress is None:
                    await work.execute(build)
                else:
                    async with repeating(lambda: self._watch(space.id), LOOK_EVERY):
                        await work.execute(build)
        finally:
            await self._settle(space.id)

    async def _watch(self, space_id: UUID) -> None:
        self._tell(await self._first(self._indexes.find(self._schema, space_id)))

    def _tell(self, there: FoundIndex | None) -> None:
        if self._progress is not None and there is not None and there.running is not None:
            self._progress(*there.running)

    async def _settle(self, space_id: UUID) -> None:
        async with self._access.writing() as work:
            await work.steps(indexes.settle(self._indexes, self._schema, self._tenant, space_id))
