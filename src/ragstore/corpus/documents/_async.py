"""The repository of documents."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Sequence
from uuid import UUID

from ragstore.core import border
from ragstore.core._async import AsyncRepository
from ragstore.core._face_async import Embed, call_embed, each
from ragstore.core.border import TextPolicy
from ragstore.core.ids import parse_id
from ragstore.core.paging import Page, decode_cursor, page_of
from ragstore.core.vectors import VectorLike, kept
from ragstore.corpus import reading, statements
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.collections import statistics
from ragstore.corpus.documents import putting
from ragstore.corpus.documents.loading import Item, Load, Progress
from ragstore.corpus.documents.preparing import PreparedChunk, PreparedDocument, Vectors, prepare
from ragstore.corpus.naming import collection_name, source_name
from ragstore.corpus.records import (
    Document,
    LoadReport,
    NewChunk,
    NewDocument,
    PutReport,
)
from ragstore.errors import ConcurrencyError, InvalidInput, NotFound, UsageError

ATTEMPTS = 3
"""How often a put starts anew when another writer changes the document while the model runs."""


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
        name = collection_name(collection)
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
        name = collection_name(collection)
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
            lambda: reading.find_document(self._tenant, collection_name(collection), source_name(source))
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
        rows, name = border.limit(limit), collection_name(collection)
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
            steps = reading.delete_document(self._tenant, collection_name(collection), source_name(source))
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
            within = await work.steps(reading.find_collection(self._tenant, collection, to_write=True))
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
