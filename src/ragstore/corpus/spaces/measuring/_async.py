"""Searches by an index and by a scan, compared."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from uuid import UUID

from ragstore.core._async import AsyncWork
from ragstore.corpus.backend import IndexSpec, VectorIndexes
from ragstore.corpus.records import EmbeddingSpace, RecallPoint
from ragstore.corpus.spaces import recall


class AsyncTrial:
    """Searches of a sample, by a scan and by the index."""

    def __init__(
        self, found: VectorIndexes, schema: str, tenant: str, space: EmbeddingSpace, spec: IndexSpec, limit: int
    ) -> None:
        """Try a space's index, asking for so many nearest."""
        self.found = found
        self.schema = schema
        self.tenant = tenant
        self.space = space
        self.spec = spec
        self.limit = limit

    async def scan(self, work: AsyncWork, rows: int) -> dict[UUID, list[float]]:
        """Give the exact nearest distances of each sampled chunk."""
        sampled = await work.fetch(self.found.sample(self.schema, self.tenant, self.space, rows))
        exact = {}
        for chunk_id in sampled:
            query = self.found.exact(self.schema, self.tenant, self.space, chunk_id, self.limit)
            exact[chunk_id] = await work.fetch(query)
        return exact

    async def measure(self, work: AsyncWork, exact: dict[UUID, list[float]], effort: int) -> RecallPoint:
        """Search for each sampled chunk by the index."""
        await work.fetch(self.found.try_index(effort, self.spec.method))
        shares: list[float] = []
        seconds: list[float] = []
        for chunk_id, nearest in exact.items():
            query = self.found.approximate(self.schema, self.tenant, self.space, chunk_id, self.limit)
            start = perf_counter()
            near: Sequence[float] = await work.fetch(query)
            seconds.append(perf_counter() - start)
            shares.append(recall.share_found(nearest, near))
        return recall.point(effort, shares, seconds)
