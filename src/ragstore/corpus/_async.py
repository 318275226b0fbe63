"""The corpus's repositories."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Sequence
from uuid import UUID

from ragstore.core import border
from ragstore.core._async import AsyncRepository
from ragstore.core._face_async import Embed, call_embed, each
from ragstore.core.border import TextPolicy
from ragstore.core.ids import parse_id
from ragstore.core.paging import Page, decode_cursor, page_of
from ragstore.core.records import JsonObject
from ragstore.core.vectors import Metric, VectorLike, kept
from ragstore.corpus import ensuring, putting, reading, statements, statistics
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.filters import Filter
from ragstore.corpus.loading import Item, Load, Progress
from ragstore.corpus.preparing import PreparedChunk, PreparedDocument, Vectors, hash_content, prepare
from ragstore.corpus.records import (
    Chunk,
    Collection,
    Document,
    LoadReport,
    NewChunk,
    NewDocument,
    PutReport,
    SearchHits,
)
from ragstore.corpus.searching import Asked, make_request, to_hits
from ragstore.corpus.tables import NAME_BYTES, SOURCE_BYTES
from ragstore.errors import ConcurrencyError, InvalidInput, NotFound, UsageError

ATTEMPTS = 3
"""How often a put starts anew when another writer changes the document while the model runs."""


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
        policy = TextPolicy(self._access.settings.invalid_text)
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
        return await self._access.read(lambda: reading.find_collection(self._tenant, _collection_name(name)))

    async def find(self, name: str) -> Collection | None:
        """Read a collection, or give None."""
        return await self._first(statements.collection_by_name(self._tenant, _collection_name(name)))

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
        collection's row and its term table under the row's lock; other writers of documents do not wait.

        Raises:
            NotFound: There is no such collection.
        """
        async with self._access.writing() as work:
            steps = statistics.analyze_collection(self._backend, self._tenant, _collection_name(name))
            return await work.steps(steps)

    async def delete(self, name: str) -> bool:
        """Delete a collection with its documents, chunks, vectors and words. False: there was none."""
        write = statements.delete_collection(self._tenant, _collection_name(name))
        return await self._write(write) > 0


class AsyncDocuments(AsyncRepository[CorpusBackend]):
    """Sources, put with their chunks."""

    async def put(
        self,
        collection: str,
        document: NewDocument,
        chunks: Sequence[NewChunk | str],
        *,
        embed: Embed | None = None,
        batch_size: int = 64,
    ) -> PutReport:
        """Make the stored document equal to this one. The same document again writes nothing.

        A chunk is known by its text: the same text keeps its id and vector, wherever it stands now. Everything happens
        in one transaction under the document's lock, so readers see the old chunks or the new ones.

        Args:
            collection: The collection's name.
            document: The source and what describes it.
            chunks: Its texts in reading order, with vectors or without. A text given twice is kept once.
            embed: Gives vectors for texts. Called before the write transaction opens, and only for chunks that have no
                vector, so it is refused inside a unit of work.
            batch_size: How many texts `embed` gets at a time.

        Raises:
            NotFound: There is no such collection.
            InvalidInput: A value cannot be stored; `index` is the chunk's place. Nothing is stored.
            ConcurrencyError: Other writers kept changing the document while its vectors were made.
            UsageError: `embed` was given inside a unit of work.

        Example:
            .. code-block:: python

                from ragstore import NewDocument

                await store.collections.ensure("manuals")
                report = await store.documents.put("manuals", NewDocument(source="a.txt"), ["Turn it off.", "And on."])
                assert report.added == 2
        """
        self._refuse_model_in_unit(embed)
        prepared = prepare(document, chunks, TextPolicy(self._access.settings.invalid_text))
        name = _collection_name(collection)
        attempts = ATTEMPTS if embed else 1
        while True:
            attempts -= 1
            preview = await self._access.read(lambda: putting.preview(self._tenant, name, prepared))
            made = await _make_vectors(embed, preview.unembedded, batch_size)
            if preview.report is not None and not made:
                return preview.report
            try:
                return await self._put(name, prepared, made, must_embed=embed is not None)
            except ConcurrencyError:
                if not attempts:
                    raise

    async def load(
        self,
        collection: str,
        items: Iterable[Item] | AsyncIterable[Item],
        *,
        embed: Embed | None = None,
        batch_size: int = 64,
        commit_every: int = 100,
        partial: bool = False,
        progress: Progress | None = None,
    ) -> LoadReport:
        """Put many documents, a commit every `commit_every` of them, in memory for that many at a time.

        Each document is stored whole or not at all; of a source given twice, the last one stays. Inside a unit of work
        everything is part of the unit.

        Args:
            collection: The collection's name.
            items: Pairs of a document and its chunks; any iterable, read once.
            embed: As for `put`.
            batch_size: As for `put`.
            commit_every: Documents a transaction, 1 to 10,000; fewer once they have 5,000 chunks.
            partial: Note an item that cannot be stored and go on, instead of stopping there.
            progress: Called after each commit with the documents done and their number, if that is known.

        Raises:
            InvalidInput: An item cannot be stored; `index` is its position. What was committed before stays.
            NotFound: There is no such collection.
        """
        self._refuse_model_in_unit(embed)
        rows = border.limit(commit_every, field="commit_every", maximum=10_000)
        name = _collection_name(collection)
        total = len(items) if isinstance(items, Sequence) else None
        load = Load(self._access.settings.invalid_text, partial, total)
        async for item in each(items):
            load.take(item)
            if load.is_full(rows):
                await self._write_batch(name, load, embed, batch_size, progress)
        await self._write_batch(name, load, embed, batch_size, progress)
        async with self._access.writing() as work:
            await work.steps(statistics.refresh_after_load(self._backend, self._tenant, name, load.changed))
        return load.report()

    async def get(self, document_id: UUID | str) -> Document:
        """Read a document by its id.

        Raises:
            NotFound: There is none.
        """
        found = await self._first(statements.document_by_id(self._tenant, parse_id(document_id)))
        if found is None:
            raise NotFound(f"there is no document {document_id}")
        return found

    async def find(self, collection: str, source: str) -> Document | None:
        """Read a document by its source, or give None.

        Raises:
            NotFound: There is no such collection.
        """
        return await self._access.read(
            lambda: reading.find_document(self._tenant, _collection_name(collection), _source(source))
        )

    async def page(self, collection: str, *, limit: int = 50, cursor: str | None = None) -> Page[Document]:
        """List a collection's documents by source.

        Args:
            collection: The collection's name.
            limit: How many at most, 1 to 1,000.
            cursor: A page's `next_cursor`; None: from the start.

        Raises:
            NotFound: There is no such collection.
        """
        rows, name = border.limit(limit), _collection_name(collection)
        (after,) = decode_cursor("documents", cursor, str) if cursor is not None else ("",)
        found = await self._access.read(lambda: reading.page_documents(self._tenant, name, after, rows + 1))
        return page_of(found, rows, "documents", lambda document: (document.source,))

    async def delete(self, collection: str, source: str) -> bool:
        """Delete a document with its chunks, vectors and words. Citations keep their snapshots.

        Returns:
            False if there was none.

        Raises:
            NotFound: There is no such collection.
        """
        async with self._access.writing() as work:
            steps = reading.delete_document(self._tenant, _collection_name(collection), _source(source))
            return await work.steps(steps)

    def _refuse_model_in_unit(self, embed: Embed | None) -> None:
        if embed is not None and not self._access.one_shot:
            raise UsageError("embed= would hold the transaction open while a model runs: use store.documents instead")

    async def _put(self, collection: str, document: PreparedDocument, made: Vectors, *, must_embed: bool) -> PutReport:
        async with self._access.writing() as work:
            steps = putting.put_one(self._backend, self._tenant, collection, document, made, must_embed=must_embed)
            return await work.steps(steps)

    async def _write_batch(
        self, collection: str, load: Load, embed: Embed | None, batch_size: int, progress: Progress | None
    ) -> None:
        made = await self._embed_batch(collection, load, embed, batch_size)
        async with self._access.writing() as work:
            within = await work.steps(reading.find_collection(self._tenant, collection))
            for pieces in load.pieces(within.space, made):
                await work.steps(putting.put_all(self._backend, self._tenant, within, pieces))
                load.count(pieces)
        if progress is not None:
            progress(load.seen, load.total)

    async def _embed_batch(
        self, collection: str, load: Load, embed: Embed | None, batch_size: int
    ) -> dict[bytes, VectorLike]:
        lacking: dict[bytes, PreparedChunk] = {}
        if embed is not None:
            for _, document in load.batch:
                steps = lambda document=document: putting.preview(self._tenant, collection, document)  # noqa: E731
                preview = await self._access.read(steps)
                lacking |= {chunk.content_hash: chunk for chunk in preview.unembedded}
        return await _make_vectors(embed, list(lacking.values()), batch_size)


class AsyncChunks(AsyncRepository[CorpusBackend]):
    """Pieces of text: found, listed, searched."""

    async def get(self, chunk_id: UUID | str) -> Chunk:
        """Read a chunk.

        Raises:
            NotFound: There is none.
        """
        found = await self.find(chunk_id)
        if found is None:
            raise NotFound(f"there is no chunk {chunk_id}")
        return found

    async def find(self, chunk_id: UUID | str) -> Chunk | None:
        """Read a chunk, or give None."""
        return await self._first(statements.chunk_by_id(self._tenant, parse_id(chunk_id)))

    async def find_by_hash(self, collection: str, content: str) -> list[Chunk]:
        """Find the collection's chunks that have this text, by its normalised hash.

        Raises:
            NotFound: There is no such collection.
        """
        digest, name = hash_content(content), _collection_name(collection)
        return await self._access.read(lambda: reading.chunks_by_hash(self._tenant, name, digest))

    async def page(self, document_id: UUID | str, *, limit: int = 50, cursor: str | None = None) -> Page[Chunk]:
        """List a document's chunks in reading order.

        Args:
            document_id: The document's id.
            limit: How many at most, 1 to 1,000.
            cursor: A page's `next_cursor`; None: from the start.
        """
        rows, document = border.limit(limit), parse_id(document_id, field="document_id")
        after, last = decode_cursor("chunks", cursor, int, str) if cursor is not None else (-1, str(UUID(int=0)))
        query = statements.chunk_page(self._tenant, document, after, parse_id(last, field="cursor"), rows + 1)
        return page_of(await self._fetch(query), rows, "chunks", lambda chunk: (chunk.chunk_index, str(chunk.id)))

    async def count(self, collection: str) -> int:
        """Count a collection's chunks.

        Raises:
            NotFound: There is no such collection.
        """
        name = _collection_name(collection)
        return await self._access.read(lambda: reading.count_chunks(self._tenant, name))

    async def delete(self, chunk_id: UUID | str) -> bool:
        """Delete one chunk with its vectors and words. The next `put` of its document brings it back.

        Returns:
            False if there was none.
        """
        async with self._access.writing() as work:
            return await work.steps(reading.delete_chunk(self._tenant, parse_id(chunk_id)))

    async def search(
        self,
        collection: str,
        *,
        text: str | None = None,
        embedding: VectorLike | None = None,
        limit: int = 10,
        offset: int = 0,
        where: Filter | None = None,
        language: str | None = None,
        weights: tuple[float, float] = (1.0, 1.0),
    ) -> SearchHits:
        """Find the chunks that fit best: by words, by vector, or by both.

        Text alone ranks by BM25, a vector alone by exact distance, and both fuse the best 100 of each by weighted
        reciprocal rank. One round trip on PostgreSQL.

        Args:
            collection: The collection's name.
            text: Words to look for; any of them may match, rare ones count more. Any text is valid.
            embedding: The query's vector in the collection's active space.
            limit: How many hits, 1 to 1,000.
            offset: How many better ones to pass over, to 10,000.
            where: Only chunks for which this holds, e.g. `F.doc_type == "manual"`.
            language: ISO 639-1 code of the query, if other than the collection's.
            weights: Of the vector and the text in fusion.

        Returns:
            The hits, best first, ties by chunk id; `limit` of them if so many match.

        Raises:
            NotFound: There is no such collection.
            DimensionMismatch: The vector is of another length than the space's.
            InvalidInput: A value is unfit, or neither text nor vector is given.

        Example:
            .. code-block:: python

                hits = await store.chunks.search("manuals", text="turning off", limit=1)
                assert hits[0].content == "Turn it off."
        """
        asked = Asked(
            text=text,
            embedding=kept(embedding),
            limit=limit,
            offset=offset,
            where=where,
            language=language,
            weights=weights,
        )
        name = _collection_name(collection)
        hits = await self._search_known(name, asked)
        if hits is None:
            hits = await self._search_afresh(name, asked)
        if hits is None:
            raise ConcurrencyError("the collection was changed during the search: search again")
        return hits

    async def _search_known(self, name: str, asked: Asked) -> SearchHits | None:
        """Search with what is remembered of the collection, which saves a round trip; None if it is out of date."""
        known = self._access.catalog.get((self._tenant, name))
        if known is None:
            return None
        try:
            return await self._search(known, asked)
        except InvalidInput:  # perhaps only for the space that is remembered
            return None

    async def _search_afresh(self, name: str, asked: Asked) -> SearchHits | None:
        current = await self._access.read(lambda: reading.find_collection(self._tenant, name))
        self._access.catalog[self._tenant, name] = current
        return await self._search(current, asked)

    async def _search(self, collection: Collection, asked: Asked) -> SearchHits | None:
        request = make_request(self._tenant, collection, asked)
        hits = await self._access.read(lambda: self._backend.search(request))
        return None if hits is None else to_hits(request, hits)


async def _make_vectors(
    embed: Embed | None, chunks: Sequence[PreparedChunk], batch_size: int
) -> dict[bytes, VectorLike]:
    if embed is None:
        return {}
    size = border.limit(batch_size, field="batch_size", maximum=10_000)
    made: dict[bytes, VectorLike] = {}
    for start in range(0, len(chunks), size):
        batch = chunks[start : start + size]
        answer = list(await call_embed(embed, [chunk.content for chunk in batch]))
        if len(answer) != len(batch):
            raise InvalidInput(f"gave {len(answer)} vectors for {len(batch)} texts", field="embed")
        made |= {chunk.content_hash: kept(vector) for chunk, vector in zip(batch, answer, strict=True)}
    return made


def _collection_name(name: str) -> str:
    return border.name(name, field="collection", max_bytes=NAME_BYTES)


def _source(source: str) -> str:
    return border.name(source, field="source", max_bytes=SOURCE_BYTES)
