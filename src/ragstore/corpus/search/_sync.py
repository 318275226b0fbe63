# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""The repository's searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

from ragstore.core._sync import Repository
from ragstore.core.query_text import Match
from ragstore.core.vectors import VectorLike, kept
from ragstore.corpus import reading
from ragstore.corpus.backend import CorpusBackend, SearchRequest
from ragstore.corpus.filters import Filter
from ragstore.corpus.records import Collection, Recency, SearchExplanation, SearchHits, SearchQuery
from ragstore.corpus.search.explaining import explain
from ragstore.corpus.search.searching import check_queries, make_requests, names_of, to_hits
from ragstore.errors import ConcurrencyError, InvalidInput


class Searches(Repository[CorpusBackend]):
    """Ranks chunks by words, by vector, or by both."""

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
        model: str | None = None,
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
            model: What the embedding was made with, which must be the active space's model; None: not checked.

        Returns:
            The hits, best first, ties by chunk id; `limit` of them if so many match.

        Raises:
            NotFound: There is no such collection.
            DimensionMismatch: The vector is of another length than the space's.
            InvalidInput: A value is unfit, or neither text nor vector is given.

        Example:
            .. code-block:: python

                from ragstore import NewDocument

                store.collections.ensure("manuals")
                store.documents.put("manuals", NewDocument(source="a.txt"), ["Turn it off.", "And on."])
                hits = store.chunks.search("manuals", text="turning off", limit=1)
                assert hits[0].content == "Turn it off."
        """
        query = SearchQuery(
            collection=collection,
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
            model=model,
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

    def explain(self, query: SearchQuery) -> SearchExplanation:
        """Run a search and say how it ran: path, candidates, indexes, plans and times.

        On PostgreSQL it runs twice, the first time under EXPLAIN ANALYZE.

        Raises:
            InvalidInput: A value is unfit. And as for `search`.

        Example:
            .. code-block:: python

                from ragstore import SearchQuery

                store.collections.ensure("manuals")
                print(store.chunks.explain(SearchQuery(collection="manuals", text="turning off")))
        """
        [query] = check_queries([query])
        known = self._access.read(lambda: reading.find_collections(self._tenant, names_of(query)))
        [request] = self._requests([query], known)
        explanation = self._access.read(lambda: explain(self._backend, request))
        if explanation is None:
            raise ConcurrencyError("a collection was changed during the search: explain again")
        return explanation

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
        requests = self._requests(queries, known)
        answers = self._access.read(lambda: self._backend.search(requests))
        if answers is None:
            return None
        return [to_hits(*found) for found in zip(queries, requests, answers, strict=True)]

    def _requests(self, queries: Sequence[SearchQuery], known: Mapping[str, Collection]) -> list[SearchRequest]:
        made = make_requests(self._tenant, queries, known)
        return [replace(request, memory=self._access.memory) for request in made]
