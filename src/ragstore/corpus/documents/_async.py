"""The repository of documents."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from ragstore.core import border
from ragstore.core._async import AsyncRepository
from ragstore.core._face_async import Embed, call_embed, each
from ragstore.core.ids import parse_id
from ragstore.core.paging import Page, decode_cursor, page_of
from ragstore.core.query import Selected
from ragstore.core.records import UNSET, JsonObject, Unset
from ragstore.core.slices import slices
from ragstore.core.vectors import VectorLike, kept
from ragstore.corpus import matching, reading, statements
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.collections import statistics
from ragstore.corpus.collections._async import weigh_anew
from ragstore.corpus.documents import deleting, exporting, putting, updating
from ragstore.corpus.documents.loading import Item, Load, Progress
from ragstore.corpus.documents.preparing import Made, PreparedDocument, prepare
from ragstore.corpus.documents.putting import Into
from ragstore.corpus.documents.targets import Dedupe, SpaceKey
from ragstore.corpus.matching import Where
from ragstore.corpus.naming import collection_name, source_name
from ragstore.corpus.records import (
    Document,
    EmbeddingSpace,
    LoadReport,
    NewChunk,
    NewDocument,
    PutReport,
)
from ragstore.corpus.spaces.indexing._async import autoindex
from ragstore.errors import ConcurrencyError, InvalidInput, NotFound, UsageError

T = TypeVar("T")

ATTEMPTS = 3
"""How often a put, or a batch of a load, is tried when other writers get in between."""
BATCHES_A_PUT = 2
"""So many batches of stale weights does one put make anew; the next writers go on."""

Models = Embed | Mapping[str, Embed] | Mapping[EmbeddingSpace, Embed]
"""What gives vectors: for the active space, or by model or space."""


class AsyncDocuments(AsyncRepository[CorpusBackend]):
    """Sources, put with their chunks."""

    async def put(
        self,
        collection: str,
        document: NewDocument,
        chunks: Sequence[NewChunk | str],
        *,
        embed: Models | None = None,
        batch_size: int = 64,
        dedupe: Dedupe = "document",
        hash_metadata: bool = False,
    ) -> PutReport:
        """Make the stored document equal to this one. The same document again writes nothing.

        A chunk is known by its text: the same text keeps its id and vector, wherever it stands now. Everything happens
        in one transaction under the document's lock, so readers see the old chunks or the new ones. The collection's
        statistics follow after the commit, if that is due.

        Args:
            collection: The collection's name.
            document: The source and what describes it.
            chunks: Its texts in reading order, with vectors or without. A text given twice is kept once.
            embed: Gives vectors for texts in the active space; or a dict of such functions by model or space, to fill
                a space that is being built as well; one that has no space (yet, or any more) is passed over. Called
                before the write transaction opens, and only for chunks that have no vector in that space, so it is
                refused inside a unit of work.
            batch_size: How many texts `embed` gets at a time.
            dedupe: "collection": a text that another document of the collection has is skipped, and counted in
                `duplicates`. It is not there any more when that document goes, until this one is put again. Two
                writers at the same time may both store a copy.
            hash_metadata: A chunk is known by its text and its metadata, so that the same text may stand there with
                different metadata. To be given at every put of a document, or its chunks count as others.

        Raises:
            NotFound: There is no such collection.
            InvalidInput: A value cannot be stored; `index` is the chunk's place. Nothing is stored.
            ConcurrencyError: Other writers kept changing the document.
            UsageError: `embed` was given inside a unit of work.

        Example:
            .. code-block:: python

                from ragstore import NewDocument

                await store.collections.ensure("manuals")
                report = await store.documents.put("manuals", NewDocument(source="a.txt"), ["Turn it off.", "And on."])
                assert report.added == 2
        """
        models = self._models(embed, batch_size)
        policy = self._policy()
        prepared = prepare(document, chunks, policy, hash_metadata=hash_metadata)
        into = self._into(collection, models, dedupe)
        return await self._again(lambda: self._put(into, prepared, models))

    async def load(  # noqa: PLR0913 - each says one thing, by its name
        self,
        collection: str,
        items: Iterable[Item] | AsyncIterable[Item],
        *,
        embed: Models | None = None,
        batch_size: int = 64,
        dedupe: Dedupe = "document",
        hash_metadata: bool = False,
        commit_every: int = 100,
        partial: bool = False,
        progress: Progress | None = None,
    ) -> LoadReport:
        """Put many documents, a commit every `commit_every` of them, in memory for that many at a time.

        Each document is stored whole or not at all; of a source given twice, the last one stays. On PostgreSQL new
        chunks are copied in binary, unless row-level security forbids it. Inside a unit of work everything is part of
        the unit. At the end the collection's statistics are taken anew, and the space's approximate index is built, if
        that is due.

        Args:
            collection: The collection's name.
            items: Pairs of a document and its chunks; any iterable, read once.
            embed: As for `put`.
            batch_size: As for `put`.
            dedupe: As for `put`; what came earlier in this load counts as well.
            hash_metadata: As for `put`.
            commit_every: Documents a transaction, 1 to 10,000; fewer once they have 2,000 chunks or about 16 MB.
            partial: Note an item that cannot be stored and go on, instead of stopping there.
            progress: Called after each commit.

        Raises:
            InvalidInput: An item cannot be stored; `index` is its position. What was committed before stays.
            NotFound: There is no such collection.
            ConcurrencyError: Other writers kept changing the same documents.
        """
        models = self._models(embed, batch_size)
        into = self._into(collection, models, dedupe)
        rows = border.limit(commit_every, field="commit_every", maximum=10_000)
        total = len(items) if isinstance(items, Sequence) else None
        load = Load(self._access.settings.invalid_text, partial, hash_metadata, total)
        async for item in each(items):
            taken = load.take(item)
            if taken is None:
                continue
            if taken[1].source in load.batch.sources:
                await self._write_batch(into, load, models, progress)
            load.batch.add(*taken)
            if load.batch.is_full(rows):
                await self._write_batch(into, load, models, progress)
        await self._write_batch(into, load, models, progress)
        await self._refresh(into, load.changed, batches=None)
        problem = await autoindex(self._access, into.collection) if load.changed else None
        return load.report(problem)

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

    async def update(
        self,
        collection: str,
        source: str,
        *,
        title: str | Unset = UNSET,
        doc_type: str | Unset | None = UNSET,
        version: str | Unset | None = UNSET,
        metadata: JsonObject | Unset = UNSET,
    ) -> Document:
        """Change what describes a document, and leave its chunks alone.

        What is left out stays. One transaction under the document's lock; values that are there already write nothing.
        The next `put` writes again what it brings itself.

        Args:
            collection: The collection's name.
            source: The document's source.
            title: What people call it.
            doc_type: What kind of document it is; None takes it away.
            version: Which version of the source this is; None takes it away.
            metadata: Takes the place of the stored metadata, whole.

        Returns:
            The document as it is then.

        Raises:
            NotFound: There is no such collection or document.
            InvalidInput: A value cannot be stored.

        Example:
            .. code-block:: python

                await store.documents.put("manuals", NewDocument(source="b.txt"), ["Turn it on."])
                changed = await store.documents.update("manuals", "b.txt", title="Starting", metadata={"year": 2024})
                assert (changed.title, changed.metadata, changed.chunk_count) == ("Starting", {"year": 2024}, 1)
        """
        name, checked = collection_name(collection), source_name(source)
        fields = {"title": title, "doc_type": doc_type, "version": version, "metadata": metadata}
        values = updating.patch(checked, self._policy(), fields)
        async with self._access.writing() as work:
            return await work.steps(updating.update(self._tenant, name, checked, values))

    async def count(self, collection: str, where: Where = None) -> int:
        """Count a collection's documents, or those that match.

        Args:
            collection: The collection's name.
            where: A filter over documents' own fields and metadata; a chunk's fields are refused.

        Raises:
            NotFound: There is no such collection.
            InvalidInput: The filter is unfit.
        """
        name, condition = collection_name(collection), matching.documents_where(where, self._backend)
        return await self._access.read(lambda: exporting.count(self._tenant, name, condition))

    def export(self, collection: str, where: Where = None, *, batch_size: int = 500) -> AsyncIterator[Document]:
        """Read out a collection's documents by source, in memory for `batch_size` of them at a time.

        Each batch is a read of its own, so that nothing is held open or locked while the host works. A document that is
        there all the time comes once. One moment's picture takes a transaction that keeps one: a unit of work on
        SQLite, a host's own with REPEATABLE READ on PostgreSQL, given to `using()`.

        Args:
            collection: The collection's name.
            where: As for `count`.
            batch_size: How many are read at a time, 1 to 10,000.

        Raises:
            NotFound: There is no such collection; raised when the first one is asked for.
            InvalidInput: A value is unfit.
        """
        rows = border.limit(batch_size, field="batch_size", maximum=10_000)
        statement = statements.exported_documents(matching.documents_where(where, self._backend))
        return self._export(collection_name(collection), statement, rows)

    async def delete(self, collection: str, source: str) -> bool:
        """Delete a document with its chunks, vectors and words. Citations keep their snapshots.

        Returns:
            False if there was none.

        Raises:
            NotFound: There is no such collection.
        """
        named = statements.Matching(statements.OF_SOURCE, {"source": source_name(source)})
        return await self._delete(collection_name(collection), named) > 0

    async def delete_by_id(self, document_id: UUID | str) -> bool:
        """Delete a document by its id, as `delete` does.

        Returns:
            False if there was none.
        """
        document = parse_id(document_id, field="document_id")
        async with self._access.writing() as work:
            return await work.steps(deleting.delete_document(self._backend, self._tenant, document))

    async def delete_where(self, collection: str, where: Where) -> int:
        """Delete the documents that match, with all that hangs on them. Citations keep their snapshots.

        One transaction, a thousand documents a statement: all of them go or none. Their writers wait.

        Args:
            collection: The collection's name.
            where: A filter over documents' own fields and metadata; a chunk's fields are refused.

        Returns:
            How many documents there were.

        Raises:
            NotFound: There is no such collection.
            InvalidInput: The filter is unfit or empty: `delete_all` deletes all.
        """
        name, condition = collection_name(collection), matching.documents_where(matching.required(where), self._backend)
        assert condition is not None
        return await self._delete(name, statements.Matching(condition, {}))

    async def delete_all(self, collection: str) -> int:
        """Delete all of a collection's documents, as `delete_where` does; the collection and its spaces stay.

        Returns:
            How many documents there were.

        Raises:
            NotFound: There is no such collection.
        """
        return await self._delete(collection_name(collection), statements.Matching(statements.ANYTHING, {}))

    async def _delete(self, collection: str, named: statements.Matching) -> int:
        async with self._access.writing() as work:
            return await work.steps(deleting.delete_documents(self._backend, self._tenant, collection, named))

    async def _export(self, collection: str, statement: Selected, rows: int) -> AsyncIterator[Document]:
        within = await self._access.read(lambda: reading.find_collection(self._tenant, collection))
        after = ""
        while batch := await self._fetch(exporting.batch(self._tenant, within, statement, after, rows)):
            for document in batch:
                yield document
            after = batch[-1].source

    def _models(self, embed: Models | None, batch_size: int) -> _Models:
        if embed is not None and not self._access.one_shot:
            raise UsageError("embed= would hold the transaction open while a model runs: use store.documents instead")
        size = border.limit(batch_size, field="batch_size", maximum=10_000)
        by_space: dict[SpaceKey, Embed] = {}
        if isinstance(embed, Mapping):
            by_space.update(embed.items())
        elif embed is not None:
            by_space[None] = embed
        return _Models(by_space, size)

    def _into(self, collection: str, models: _Models, dedupe: Dedupe) -> Into:
        if dedupe not in ("document", "collection"):
            raise InvalidInput("must be 'document' or 'collection'", field="dedupe")
        return Into(self._tenant, collection_name(collection), tuple(models.by_space), dedupe)

    async def _again(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Run a transaction of our own again when others got in between; a unit's is its owner's to repeat."""
        attempts = ATTEMPTS if self._access.one_shot else 1
        while True:
            attempts -= 1
            try:
                return await attempt()
            except ConcurrencyError:
                if not attempts:
                    raise

    async def _put(self, into: Into, document: PreparedDocument, models: _Models) -> PutReport:
        preview = await self._access.read(lambda: putting.preview(into, document))
        made = await models.vectors(preview.lacking)
        if preview.report is not None and not made:
            return preview.report
        in_unit = not self._access.one_shot
        async with self._access.writing() as work:
            put = await work.steps(putting.put_one(self._backend, into, document, made, in_unit=in_unit))
        if put.due:
            await self._refresh(into, put.report.added + put.report.deleted, batches=BATCHES_A_PUT)
        return put.report

    async def _write_batch(self, into: Into, load: Load, models: _Models, progress: Progress | None) -> None:
        if load.batch.items:
            load.written(*await self._again(lambda: self._put_batch(into, load, models)))
            if progress is not None:
                progress(load.progress())

    async def _put_batch(self, into: Into, load: Load, models: _Models) -> putting.Written:
        made: Made = {}
        if models.by_space:
            made = await models.vectors(await self._access.read(lambda: putting.preview_batch(into, load)))
        async with self._access.writing() as work:
            return await work.steps(putting.put_batch(self._backend, into, load, made))

    async def _refresh(self, into: Into, changed: int, *, batches: int | None) -> None:
        one_shot = self._access.one_shot
        async with self._access.writing() as work:
            steps = statistics.refresh_after(self._backend, into.tenant, into.collection, changed, in_unit=not one_shot)
            await work.steps(steps)
        if one_shot:
            await weigh_anew(self._access, into.collection, batches=batches)


@dataclass(frozen=True, slots=True)
class _Models:
    """The host's models, and how many texts they get at a time."""

    by_space: Mapping[SpaceKey, Embed]
    batch_size: int

    async def vectors(self, lacking: putting.Lacking) -> Made:
        """Ask each model for the vectors that are lacking in its space."""
        made: dict[UUID, dict[bytes, VectorLike]] = {}
        for key, (space, chunks) in lacking.items():
            for some in slices(chunks, self.batch_size):
                vectors = list(await call_embed(self.by_space[key], [chunk.content for chunk in some]))
                if len(vectors) != len(some):
                    raise InvalidInput(f"gave {len(vectors)} vectors for {len(some)} texts", field="embed")
                found = {chunk.content_hash: kept(vector) for chunk, vector in zip(some, vectors, strict=True)}
                made.setdefault(space.id, {}).update(found)
        return made
