"""What a corpus asks of a database beyond what every aggregate does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement

from ragstore.core.backend import Backend
from ragstore.core.memory import NO_MEMORY, VectorMemory
from ragstore.core.query import Query, Steps, Write
from ragstore.core.query_text import LexicalQuery
from ragstore.core.text import Terms
from ragstore.corpus.filters import Filter, Operator
from ragstore.corpus.records import Collection, EmbeddingSpace, IndexMethod, Quantization, SearchHit


@dataclass(frozen=True, slots=True)
class ChunkTerms:
    """A chunk's analysed text.

    Attributes:
        chunk_id: The chunk.
        terms: Its lexemes.
    """

    chunk_id: UUID
    terms: Terms


@dataclass(frozen=True, slots=True)
class Target:
    """A collection that is searched.

    Attributes:
        collection: May be out of date, which the backend finds out.
        text: The query in the collection's languages; None: no lexical leg.
    """

    collection: Collection
    text: LexicalQuery | None

    @property
    def strict(self) -> bool:
        """Say whether there are words that must, or must not, stand in a hit."""
        return self.text is not None and bool(self.text.required or self.text.excluded)


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
        memory: Where a database without vector indexes keeps vectors between searches.
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
    memory: VectorMemory = field(default=NO_MEMORY, repr=False, compare=False)

    @property
    def lexical(self) -> bool:
        """Say whether the lexical leg runs."""
        return self.targets[0].text is not None

    @property
    def hybrid(self) -> bool:
        """Say whether both legs run."""
        return self.vector is not None and self.lexical

    @property
    def shapes(self) -> bool:
        """Say whether some of the best may not be hits: a filter, or a document's bound, keeps them out."""
        return self.where is not None or self.per_document is not None

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


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """What an approximate index is, or is to be.

    Attributes:
        options: `m` and `ef_construction`, or `lists`.
    """

    method: IndexMethod
    quantization: Quantization
    options: dict[str, int]


@dataclass(frozen=True, slots=True)
class FoundIndex:
    """An approximate index as the database has it.

    Attributes:
        valid: It is complete.
        scans: How often it was used.
        running: (phase, done, total) of the build that is under way; None: there is none.
    """

    name: str
    spec: IndexSpec
    valid: bool
    size_bytes: int
    scans: int
    running: tuple[str, int, int] | None


class VectorIndexes(Protocol):
    """The approximate indexes of a database that has them, one a space at most, and how to try them out."""

    def create(self, schema: str, space: EmbeddingSpace, spec: IndexSpec) -> Write:
        """Build a space's index while others write; outside a transaction. One that is there already is left alone."""
        ...

    def drop(self, schema: str, space_id: UUID) -> Write:
        """Drop a space's index, if there is one, while others read and write; outside a transaction."""
        ...

    def find(self, schema: str, space_id: UUID) -> Query[FoundIndex]:
        """Look a space's index up in the database's catalogue."""
        ...

    def guard(self) -> Query[bool]:
        """Lock out, until the transaction ends, all others who are about to build an index."""
        ...

    def names(self, schema: str) -> Query[str]:
        """List the approximate indexes by name."""
        ...

    def name(self, space_id: UUID) -> str:
        """Name a space's index."""
        ...

    def unused(self, schema: str) -> Query[UUID]:
        """List the ids of deleted spaces whose indexes are still there and may be dropped by this role."""
        ...

    def try_index(self, effort: int, method: IndexMethod) -> Query[bool]:
        """Make the rest of the transaction use the index with this effort, wherever it can."""
        ...

    def sample(self, schema: str, tenant: str, space: EmbeddingSpace, rows: int) -> Query[UUID]:
        """Choose chunks of a space at random."""
        ...

    def exact(self, schema: str, tenant: str, space: EmbeddingSpace, chunk_id: UUID, rows: int) -> Query[float]:
        """Give the distances of the nearest to a chunk's vector, by a scan of all."""
        ...

    def approximate(self, schema: str, tenant: str, space: EmbeddingSpace, chunk_id: UUID, rows: int) -> Query[float]:
        """Give the distances of those that the index takes for the nearest to a chunk's vector."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """A database's own account of how it runs a statement.

    Attributes:
        text: As a tree, a step a line.
        indexes: Those that are used.
        candidates: How many rows the parts of the search brought, where the database says so.
    """

    text: str
    indexes: tuple[str, ...]
    candidates: dict[str, int]


class CorpusBackend(Backend, Protocol):
    """A backend as the corpus sees it."""

    indexes: VectorIndexes | None
    """None: there are no approximate indexes, every search is exact."""

    def metadata_condition(
        self, path: tuple[str, ...], operator: Operator, value: Any, *, of_document: bool = False
    ) -> ColumnElement[bool]:
        """Compare the value at a path of the effective metadata, or of the document's own; never unknown."""
        ...

    def search(self, requests: Sequence[SearchRequest]) -> Steps[list[Answer] | None]:
        """Find the best chunks for each request; None: a collection or its space is no longer what a request says."""
        ...

    def explain(self, query: Query[Any]) -> Steps[Plan]:
        """Ask how a statement runs."""
        ...

    def add_terms(self, tenant: str, collection: Collection, chunks: Iterable[ChunkTerms], count: int) -> Steps[None]:
        """Store the lexemes of so many chunks, which have none yet; they are read once, while they are sent."""
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

    def has_stale_terms(self, tenant: str, collection: Collection) -> Steps[bool]:
        """Say whether a chunk's weights are of an older generation than the collection."""
        ...

    def weigh_anew(self, tenant: str, collection: Collection, rows: int) -> Steps[int]:
        """Weigh anew up to so many such chunks, of those that nobody else is working on, and give their number."""
        ...

    @property
    def stores_weights(self) -> bool:
        """Say whether stored terms hold weights, so that a new average length means storing them anew."""
        ...
