"""What a corpus asks of a database beyond what every aggregate does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement

from ragstore.core.backend import Backend
from ragstore.core.query import Steps
from ragstore.core.text import Terms
from ragstore.corpus.filters import Filter, Operator
from ragstore.corpus.records import Collection, SearchHit


@dataclass(frozen=True, slots=True)
class ChunkTerms:
    """A chunk's analysed text.

    Attributes:
        chunk_id: The chunk.
        terms: Its lexemes.
    """

    chunk_id: UUID
    terms: Terms


Phrase = tuple[tuple[str, int], ...]
"""Lexemes, each with its distance in words from the first, which has 0. One word is a phrase of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LexicalQuery:
    """What a query's text asks for, analysed.

    Attributes:
        frequencies: The lexemes that rank a chunk, with their counts in the query; any of them may match.
        required: Of each of these, at least one alternative must stand in the chunk. A word has an alternative for
            each language that the query was analysed in.
        excluded: None of these may stand in the chunk.
    """

    frequencies: dict[str, int]
    required: tuple[tuple[Phrase, ...], ...] = ()
    excluded: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """A collection that is searched.

    Attributes:
        collection: May be out of date, which the backend finds out.
        text: The query in the collection's languages; None: no lexical leg.
    """

    collection: Collection
    text: LexicalQuery | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """A search whose every value has been checked.

    Attributes:
        targets: The collections, each once; the legs are those of all of them.
        vector: The query's vector, checked for every target's space; None: no vector leg.
        where: A filter.
        limit: How many hits.
        offset: How many better ones to pass over.
        weights: Of the vector leg and the lexical leg, for fusion.
        per_document: At most so many hits of one document; None: any number.
        neighbors: How many chunks around each hit come with it, on each side.
        with_embeddings: Bring each hit's vector.
        effort: What an approximate index's effort is to be; None: the backend chooses.
    """

    tenant: str
    targets: tuple[Target, ...]
    vector: Any
    where: Filter | None
    limit: int
    offset: int
    weights: tuple[float, float]
    per_document: int | None = None
    neighbors: int = 0
    with_embeddings: bool = False
    effort: int | None = None

    @property
    def lexical(self) -> bool:
        """Say whether the lexical leg runs."""
        return self.targets[0].text is not None

    @property
    def hybrid(self) -> bool:
        """Say whether both legs run."""
        return self.vector is not None and self.lexical

    @property
    def depth(self) -> int:
        """Count the candidates each leg brings: enough for the page, and for fusion at least 100."""
        wanted = self.limit + self.offset
        return max(wanted, 100) if self.hybrid else wanted


@dataclass(frozen=True, slots=True)
class Answer:
    """What a backend found.

    Attributes:
        hits: The page, best first, ties by chunk id.
        path: How the vector leg went: an exact scan, or an approximate index.
    """

    hits: list[SearchHit]
    path: Literal["exact", "approximate"] = "exact"


class CorpusBackend(Backend, Protocol):
    """A backend as the corpus sees it."""

    def metadata_condition(self, path: tuple[str, ...], operator: Operator, value: Any) -> ColumnElement[bool]:
        """Compare the value at a path of the effective metadata; true or false, never unknown."""
        ...

    def search(self, requests: Sequence[SearchRequest]) -> Steps[list[Answer] | None]:
        """Find the best chunks for each request; None: a collection or its space is no longer what a request says."""
        ...

    def add_terms(self, tenant: str, collection: Collection, chunks: Sequence[ChunkTerms]) -> Steps[None]:
        """Store chunks' lexemes; the chunks have none yet."""
        ...

    def remove_terms(self, tenant: str, chunk_ids: Sequence[UUID]) -> Steps[None]:
        """Remove chunks' lexemes, as a deletion of the chunks would."""
        ...

    def count_terms(self, tenant: str, collection: Collection) -> Steps[None]:
        """Write anew in how many chunks each term stands, and `analyzed_chunks`."""
        ...

    def measure_length(self, tenant: str, collection: Collection) -> Steps[tuple[int, float]]:
        """Give the number of chunks and their average length in words."""
        ...

    @property
    def stores_weights(self) -> bool:
        """Say whether stored terms hold weights, so that a new average length means storing them anew."""
        ...
