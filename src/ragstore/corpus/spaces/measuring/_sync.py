# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""Searches by an index and by a scan, compared."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from uuid import UUID

from ragstore.core._sync import Work
from ragstore.corpus.backend import IndexSpec, VectorIndexes
from ragstore.corpus.records import EmbeddingSpace, RecallPoint
from ragstore.corpus.spaces import recall


class Trial:
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

    def scan(self, work: Work, rows: int) -> dict[UUID, list[float]]:
        """Give the exact nearest distances of each sampled chunk."""
        sampled = work.fetch(self.found.sample(self.schema, self.tenant, self.space, rows))
        exact = {}
        for chunk_id in sampled:
            query = self.found.exact(self.schema, self.tenant, self.space, chunk_id, self.limit)
            exact[chunk_id] = work.fetch(query)
        return exact

    def measure(self, work: Work, exact: dict[UUID, list[float]], effort: int) -> RecallPoint:
        """Search for each sampled chunk by the index."""
        work.fetch(self.found.try_index(effort, self.spec.method))
        shares: list[float] = []
        seconds: list[float] = []
        for chunk_id, nearest in exact.items():
            query = self.found.approximate(self.schema, self.tenant, self.space, chunk_id, self.limit)
            start = perf_counter()
            near: Sequence[float] = work.fetch(query)
            seconds.append(perf_counter() - start)
            shares.append(recall.share_found(nearest, near))
        return recall.point(effort, shares, seconds)
