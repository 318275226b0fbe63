# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""The repository of chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement

from ragstore.core import border
from ragstore.core._face_sync import each
from ragstore.core.ids import parse_id
from ragstore.core.paging import Page, decode_cursor, page_of
from ragstore.core.types import to_utc
from ragstore.corpus import matching, reading, statements
from ragstore.corpus.chunks import deleting, exporting, orphans
from ragstore.corpus.documents.preparing import hash_content
from ragstore.corpus.matching import Where
from ragstore.corpus.naming import collection_name
from ragstore.corpus.records import (
    Chunk,
    ExportedChunk,
    OrphanReport,
)
from ragstore.corpus.search._sync import Searches
from ragstore.errors import NotFound


class Chunks(Searches):
    """Pieces of text: found, listed, searched."""

    def get(self, chunk_id: UUID | str) -> Chunk:
        """Read a chunk.

        Raises:
            NotFound: There is none.
        """
        found = self.find(chunk_id)
        if found is None:
            raise NotFound(f"there is no chunk {chunk_id}")
        return found

    def find(self, chunk_id: UUID | str) -> Chunk | None:
        """Read a chunk, or give None."""
        return self._first(statements.chunk_by_id(self._tenant, parse_id(chunk_id)))

    def find_by_hash(self, collection: str, content: str) -> list[Chunk]:
        """Find the collection's chunks that have this text, by its normalised hash.

        Raises:
            NotFound: There is no such collection.
        """
        digest, name = hash_content(content), collection_name(collection)
        return self._access.read(lambda: reading.chunks_by_hash(self._tenant, name, digest))

    def page(self, document_id: UUID | str, *, limit: int = 50, cursor: str | None = None) -> Page[Chunk]:
        """List a document's chunks in reading order.

        Args:
            document_id: The document's id.
            limit: How many at most, 1 to 1,000.
            cursor: A page's `next_cursor`; None: from the start.
        """
        rows, document = border.limit(limit), parse_id(document_id, field="document_id")
        after, last = decode_cursor("chunks", cursor, int, str) if cursor is not None else (-1, str(UUID(int=0)))
        query = statements.chunk_page(self._tenant, document, after, parse_id(last, field="cursor"), rows + 1)
        return page_of(self._fetch(query), rows, "chunks", lambda chunk: (chunk.chunk_index, str(chunk.id)))

    def count(self, collection: str, where: Where = None) -> int:
        """Count a collection's chunks, or those that match.

        Args:
            collection: The collection's name.
            where: A filter over chunks and their documents, as for `search`.

        Raises:
            NotFound: There is no such collection.
            InvalidInput: The filter is unfit.
        """
        name, condition = collection_name(collection), matching.chunks_where(where, self._backend)
        return self._access.read(lambda: exporting.count(self._tenant, name, condition))

    def export(
        self, collection: str, where: Where = None, *, with_embeddings: bool = False, batch_size: int = 500
    ) -> Iterator[ExportedChunk]:
        """Read out a collection's chunks by id, in memory for `batch_size` of them at a time.

        Each batch is a read of its own, so that nothing is held open or locked while the host works. A chunk that is
        there all the time comes once. One moment's picture takes a transaction that keeps one: a unit of work on
        SQLite, a host's own with REPEATABLE READ on PostgreSQL, given to `using()`.

        Args:
            collection: The collection's name.
            where: As for `count`.
            with_embeddings: Bring each chunk's vector in the space that is active when the export begins.
            batch_size: How many are read at a time, 1 to 10,000.

        Raises:
            NotFound: There is no such collection; raised when the first one is asked for.
            InvalidInput: A value is unfit.

        Example:
            .. code-block:: python

                from ragstore import NewDocument

                store.collections.ensure("manuals")
                store.documents.put("manuals", NewDocument(source="a.txt"), ["Turn it off."])
                texts = [chunk.content for chunk in store.chunks.export("manuals")]
                assert texts == ["Turn it off."]
        """
        rows = border.limit(batch_size, field="batch_size", maximum=10_000)
        condition = matching.chunks_where(where, self._backend)
        return self._export(collection_name(collection), condition, rows, with_embeddings=with_embeddings)

    def missing_embeddings(
        self, collection: str, *, space: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Chunk]:
        """List a collection's chunks that have no vector, by id.

        Args:
            collection: The collection's name.
            space: The model whose space it is, the active one or the one that is being built; None: the active one.
            limit: How many at most, 1 to 1,000.
            cursor: A page's `next_cursor`; None: from the start.

        Raises:
            NotFound: There is no such collection or space.
        """
        rows, name = border.limit(limit), collection_name(collection)
        (last,) = decode_cursor("missing_embeddings", cursor, str) if cursor is not None else (str(deleting.FIRST),)
        after = parse_id(last, field="cursor")
        steps = lambda: exporting.missing_embeddings(self._tenant, name, space, after, rows + 1)  # noqa: E731
        found = self._access.read(steps)
        return page_of(found, rows, "missing_embeddings", lambda chunk: (str(chunk.id),))

    def delete(self, chunk_id: UUID | str) -> bool:
        """Delete one chunk with its vectors and words. The next `put` of its document brings it back.

        Returns:
            False if there was none.
        """
        with self._access.writing() as work:
            return work.steps(deleting.delete_chunk(self._tenant, parse_id(chunk_id)))

    def delete_where(self, collection: str, where: Where) -> int:
        """Delete the chunks that match, with their vectors and words. The next `put` of a document brings its own back.

        One transaction, a thousand chunks a statement: all of them go or none. Writers of their documents wait.
        Citations keep their snapshots.

        Args:
            collection: The collection's name.
            where: A filter over chunks and their documents, as for `search`.

        Returns:
            How many chunks there were.

        Raises:
            NotFound: There is no such collection.
            InvalidInput: The filter is unfit or empty: `documents.delete_all` deletes all.
        """
        name, condition = collection_name(collection), matching.chunks_where(matching.required(where), self._backend)
        assert condition is not None
        matched = statements.Matching(condition, {})
        with self._access.writing() as work:
            return work.steps(deleting.delete_chunks(self._backend, self._tenant, name, matched))

    def delete_orphans(
        self,
        collection: str,
        active_ids: Iterable[str],
        *,
        as_of: datetime | None = None,
        dry_run: bool = False,
        allow_empty: bool = False,
        batch_size: int = 1000,
    ) -> OrphanReport:
        """Delete the chunks whose `embedding_id` is not among the ids that another vector store still has.

        Chunks without an `embedding_id` stay. The ids are read before the transaction opens, in bounded memory, and go
        into a temporary table; then all orphans are deleted in one transaction, `batch_size` of them a statement.
        Inside a unit of work it is part of the unit.

        A document that was put or changed at `as_of` or later is left alone: its new ids may have come too late for
        the list. So store vectors first, then put their chunks.

        Args:
            collection: The collection's name.
            active_ids: The ids, in any number and order; one may come twice.
            as_of: When the list was begun, by the database's clock; None, or a later time: when this call began.
            dry_run: Count the orphans and delete nothing.
            allow_empty: Take a list without any id for what it says: delete all chunks that have an `embedding_id`.
            batch_size: How many chunks a statement deletes, 1 to 10,000.

        Raises:
            NotFound: There is no such collection.
            InvalidInput: An id is unfit, `index` says which; or none came, and `allow_empty` is not set.

        Example:
            .. code-block:: python

                report = store.chunks.delete_orphans("manuals", ["vector-1", "vector-2"], dry_run=True)
                assert report.deleted == 0
        """
        orphans.check_stream(active_ids)
        rows = border.limit(batch_size, field="batch_size", maximum=10_000)
        name, listed = collection_name(collection), None if as_of is None else to_utc(as_of, field="as_of")
        within, since = self._access.read(lambda: orphans.begin(self._tenant, name, listed))
        with orphans.ActiveIds() as ids:
            for one in each(active_ids):
                ids.take(one)
            ids.check(allow_empty=allow_empty)
            steps = orphans.delete_orphans(self._backend, self._tenant, within, ids, since, dry_run=dry_run, rows=rows)
            with self._access.writing() as work:
                return work.steps(steps)

    def _export(
        self, collection: str, condition: ColumnElement[bool] | None, rows: int, *, with_embeddings: bool
    ) -> Iterator[ExportedChunk]:
        within = self._access.read(lambda: reading.find_collection(self._tenant, collection))
        export = exporting.export(self._tenant, within, condition, rows, with_embeddings=with_embeddings)
        after = deleting.FIRST
        while batch := self._fetch(export.batch(after)):
            for chunk in batch:
                yield chunk
            after = batch[-1].id
