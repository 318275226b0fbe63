# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""The repository of chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
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
from ragstore.corpus.records import Chunk, Collection, Match, Recency, SearchHits, SearchQuery
from ragstore.corpus.search.searching import check_queries, make_requests, names_of, to_hits
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

    def search(  # noqa: PLR0913 - the ways to ask stand in one place, SearchQuery's
        self,
        collection: str | Sequence[str],
        *,
        text: str | None = None,
        embedding: VectorLike | None = None,
        limit: int = 10,
        offset: int = 0,
        where: Filter | Mapping[str, object] | None = None,
        language: str | None = None,
        match: Match = "any",
        weights: tuple[float, float] = (1.0, 1.0),
        threshold: float | None = None,
        per_document: int | None = None,
        neighbors: int = 0,
        mmr: float | None = None,
        recency: Recency | None = None,
        snippet: int | None = None,
        with_embeddings: bool = False,
        effort: int | None = None,
    ) -> SearchHits:
        """Find the chunks that fit best: by words, by vector, or by both.

        Text alone ranks by BM25, a vector alone by distance, and both fuse the best 100 of each by weighted
        reciprocal rank. One round trip on PostgreSQL.

        Args:
            collection: The collection's name, or several, searched as one.
            text: Words to look for; any of them may match, rare ones count more. Any text is valid.
            embedding: The query's vector in the collection's active space.
            limit: How many hits, 1 to 1,000.
            offset: How many better ones to pass over, to 10,000.
            where: Only chunks for which this holds, e.g. `F.doc_type == "manual"`, or the same as a dict.
            language: ISO 639-1 code of the query; None: every language that the collection has.
            match: "any" word, "all" words, or "web": "quoted phrases", -word and AND.
            weights: Of the vector and the text in fusion.
            threshold: Only hits of at least this score.
            per_document: At most so many hits of one document.
            neighbors: So many chunks before and after each hit come with it, to 20.
            mmr: From 0 (as different as can be) to 1 (by score alone): pick by maximal marginal relevance.
            recency: Prefer newer documents.
            snippet: Show the passage with the query's words, of about so many characters.
            with_embeddings: Bring each hit's vector.
            effort: How many candidates an approximate index looks at, 1 to 1,000; None: as many as it takes.

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
        query = SearchQuery(
            collection=collection if isinstance(collection, str) else tuple(collection),
            text=text,
            embedding=kept(embedding),
            limit=limit,
            offset=offset,
            where=where,
            language=language,
            match=match,
            weights=weights,
            threshold=threshold,
            per_document=per_document,
            neighbors=neighbors,
            mmr=mmr,
            recency=recency,
            snippet=snippet,
            with_embeddings=with_embeddings,
            effort=effort,
        )
        return (self.search_many([query]))[0]

    def search_many(self, queries: Sequence[SearchQuery]) -> list[SearchHits]:
        """Run several searches as one, in one round trip on PostgreSQL; each as `search` would.

        Args:
            queries: To 100 of them; each may search other collections in its own way.

        Raises:
            InvalidInput: A value is unfit; `index` is its query's place. And as for `search`.
        """
        names = list(dict.fromkeys(chain.from_iterable(map(names_of, check_queries(queries)))))
        remembered = self._access.catalog
        known = {name: remembered[self._tenant, name] for name in names if (self._tenant, name) in remembered}
        answers = None
        if len(known) == len(names):
            answers = self._search_known(queries, known)
        if answers is None:
            answers = self._search_afresh(queries, names)
        if answers is None:
            raise ConcurrencyError("a collection was changed during the search: search again")
        return answers

    def _search_known(self, queries: Sequence[SearchQuery], known: Mapping[str, Collection]) -> list[SearchHits] | None:
        """Search with what is remembered of the collections, which saves a round trip; None if it is out of date."""
        try:
            return self._search(queries, known)
        except InvalidInput:  # perhaps only for the space that is remembered
            return None

    def _search_afresh(self, queries: Sequence[SearchQuery], names: Sequence[str]) -> list[SearchHits] | None:
        known = self._access.read(lambda: reading.find_collections(self._tenant, names))
        for name, collection in known.items():
            self._access.catalog[self._tenant, name] = collection
        return self._search(queries, known)

    def _search(self, queries: Sequence[SearchQuery], known: Mapping[str, Collection]) -> list[SearchHits] | None:
        requests = make_requests(self._tenant, queries, known)
        answers = self._access.read(lambda: self._backend.search(requests))
        if answers is None:
            return None
        return [to_hits(*found) for found in zip(queries, requests, answers, strict=True)]
