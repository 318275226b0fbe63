# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""The repository of chunks."""

from __future__ import annotations

from uuid import UUID

from ragstore.core import border
from ragstore.core._sync import Repository
from ragstore.core.ids import parse_id
from ragstore.core.paging import Page, decode_cursor, page_of
from ragstore.core.vectors import VectorLike, kept
from ragstore.corpus import reading, statements
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.documents.preparing import hash_content
from ragstore.corpus.filters import Filter
from ragstore.corpus.naming import collection_name
from ragstore.corpus.records import (
    Chunk,
    Collection,
    SearchHits,
)
from ragstore.corpus.search.searching import Asked, make_request, to_hits
from ragstore.errors import ConcurrencyError, InvalidInput, NotFound


class Chunks(Repository[CorpusBackend]):
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

    def count(self, collection: str) -> int:
        """Count a collection's chunks.

        Raises:
            NotFound: There is no such collection.
        """
        name = collection_name(collection)
        return self._access.read(lambda: reading.count_chunks(self._tenant, name))

    def delete(self, chunk_id: UUID | str) -> bool:
        """Delete one chunk with its vectors and words. The next `put` of its document brings it back.

        Returns:
            False if there was none.
        """
        with self._access.writing() as work:
            return work.steps(reading.delete_chunk(self._tenant, parse_id(chunk_id)))

    def search(
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

                hits = store.chunks.search("manuals", text="turning off", limit=1)
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
        name = collection_name(collection)
        hits = self._search_known(name, asked)
        if hits is None:
            hits = self._search_afresh(name, asked)
        if hits is None:
            raise ConcurrencyError("the collection was changed during the search: search again")
        return hits

    def _search_known(self, name: str, asked: Asked) -> SearchHits | None:
        """Search with what is remembered of the collection, which saves a round trip; None if it is out of date."""
        known = self._access.catalog.get((self._tenant, name))
        if known is None:
            return None
        try:
            return self._search(known, asked)
        except InvalidInput:  # perhaps only for the space that is remembered
            return None

    def _search_afresh(self, name: str, asked: Asked) -> SearchHits | None:
        current = self._access.read(lambda: reading.find_collection(self._tenant, name))
        self._access.catalog[self._tenant, name] = current
        return self._search(current, asked)

    def _search(self, collection: Collection, asked: Asked) -> SearchHits | None:
        request = make_request(self._tenant, collection, asked)
        hits = self._access.read(lambda: self._backend.search(request))
        return None if hits is None else to_hits(request, hits)
