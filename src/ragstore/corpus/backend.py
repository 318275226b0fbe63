"""What a corpus asks of a database beyond what every aggregate does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """A search whose every value has been checked.

    Attributes:
        collection: What is searched; may be out of date, which the backend finds out.
        vector: The query's packed vector; None: no vector leg.
        terms: The query's lexemes with their counts; None: no lexical leg.
        where: A filter.
        limit: How many hits.
        offset: How many better ones to pass over.
        weights: Of the vector leg and the lexical leg, for fusion.
    """

    tenant: str
    collection: Collection
    vector: Any
    terms: dict[str, int] | None
    where: Filter | None
    limit: int
    offset: int
    weights: tuple[float, float]

    @property
    def hybrid(self) -> bool:
        """Say whether both legs run."""
        return self.vector is not None and self.terms is not None

    @property
    def depth(self) -> int:
        """Count the candidates each leg brings: enough for the page, and for fusion at least 100."""
        wanted = self.limit + self.offset
        return max(wanted, 100) if self.hybrid else wanted


class CorpusBackend(Backend, Protocol):
    """A backend as the corpus sees it."""

    def metadata_condition(self, path: tuple[str, ...], operator: Operator, value: Any) -> ColumnElement[bool]:
        """Compare the value at a path of the effective metadata; true or false, never unknown."""
        ...

    def search(self, request: SearchRequest) -> Steps[list[SearchHit] | None]:
        """Find the best chunks; None: the collection or its active space is no longer what the request says."""
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
