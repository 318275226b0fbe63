"""The repository of collections."""

from __future__ import annotations

from ragstore.core import border
from ragstore.core._async import AsyncAccess, AsyncRepository
from ragstore.core.paging import Page, decode_cursor, page_of
from ragstore.core.records import JsonObject
from ragstore.core.vectors import Metric
from ragstore.corpus import reading, statements
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.collections import ensuring, statistics
from ragstore.corpus.naming import collection_name
from ragstore.corpus.records import (
    Collection,
)


class AsyncCollections(AsyncRepository[CorpusBackend]):
    """Named sets of documents that are searched together."""

    async def ensure(
        self,
        name: str,
        *,
        model: str | None = None,
        dimensions: int | None = None,
        metric: Metric = "cosine",
        language: str | None = None,
        metadata: JsonObject | None = None,
    ) -> Collection:
        """Get a collection, or make it.

        One read if it is there; else it is inserted in a transaction. A second call changes nothing, and two at once
        get the same collection.

        Args:
            name: 1 to 63 bytes, compared letter for letter.
            model: The embedding model, as the host calls it; None: chunks have no vectors (yet).
            dimensions: Components of the model's vectors, to 4,000; above 2,000 they are stored as float16.
            metric: How the model's vectors are compared.
            language: ISO 639-1 code of the texts; None: whatever it has, "en" for a new one.
            metadata: Stored with a new collection; an existing one keeps its own.

        Raises:
            Conflict: It is there with another language, model, number of dimensions or metric.
            InvalidInput: A value is unfit.
        """
        policy = self._policy()
        asked = ensuring.wanted(
            name,
            model=model,
            dimensions=dimensions,
            metric=metric,
            language=language,
            metadata=metadata,
            policy=policy,
        )
        found = await self._first(statements.collection_by_name(self._tenant, asked.name))
        if found is not None and ensuring.is_there(found, asked):
            return found
        async with self._access.writing() as work:
            return await work.steps(ensuring.ensure(self._backend, self._tenant, asked))

    async def get(self, name: str) -> Collection:
        """Read a collection.

        Raises:
            NotFound: There is none of this name.
        """
        return await self._access.read(lambda: reading.find_collection(self._tenant, collection_name(name)))

    async def find(self, name: str) -> Collection | None:
        """Read a collection, or give None."""
        return await self._first(statements.collection_by_name(self._tenant, collection_name(name)))

    async def page(self, *, limit: int = 50, cursor: str | None = None) -> Page[Collection]:
        """List collections by name.

        Args:
            limit: How many at most, 1 to 1,000.
            cursor: A page's `next_cursor`; None: from the start.
        """
        rows = border.limit(limit)
        (after,) = decode_cursor("collections", cursor, str) if cursor is not None else ("",)
        found = await self._fetch(statements.collection_page(self._tenant, after, rows + 1))
        return page_of(found, rows, "collections", lambda collection: (collection.name,))

    async def analyze(self, name: str) -> Collection:
        """Take the lexical statistics anew: in how many chunks each word stands, and how long chunks are.

        This happens by itself as a collection grows; call it after changes that should count at once. Writes the
        collection's row and its term table under the row's lock; other writers of documents do not wait. If chunks
        are of another length than before, their weights are made anew after that, in short transactions of their own;
        a call that is cut off there has changed nothing that the next one, or the next put, does not go on with.
        Inside a unit of work all of it is part of the unit.

        Raises:
            NotFound: There is no such collection.
        """
        async with self._access.writing() as work:
            steps = statistics.analyze_collection(self._backend, self._tenant, collection_name(name))
            analyzed = await work.steps(steps)
        await weigh_anew(self._access, analyzed.name)
        return analyzed

    async def delete(self, name: str) -> bool:
        """Delete a collection with its documents, chunks, vectors and words. False: there was none.

        Approximate indexes of its spaces are dropped after the commit, which waits for transactions that are under way.
        Inside a unit of work they stay, empty, until `spaces.drop_unused_indexes` is called.
        """
        write = statements.delete_collection(self._tenant, collection_name(name))
        deleted = await self._write(write) > 0
        if deleted and self._access.one_shot:
            await self._drop_unused_indexes()
        return deleted

    async def _drop_unused_indexes(self) -> None:
        indexes, schema = self._backend.indexes, self._access.settings.schema
        if indexes is None:
            return
        async with self._access.autocommitting() as work:
            for space_id in await work.fetch(indexes.unused(schema)):
                await work.execute(indexes.drop(schema, space_id).statement)


async def weigh_anew(access: AsyncAccess[CorpusBackend], collection: str, *, batches: int | None = None) -> None:
    """Make stale weights anew, each batch in a transaction of its own, or inside the unit.

    Args:
        access: The way to the database.
        collection: The collection's name.
        batches: At most so many; None: until none is left that nobody else works on.
    """
    weighed = 1 if access.backend.stores_weights else 0
    while weighed and batches != 0:
        async with access.writing() as work:
            weighed = await work.steps(statistics.weigh_batch(access.backend, access.tenant, collection))
        batches = None if batches is None else batches - 1
