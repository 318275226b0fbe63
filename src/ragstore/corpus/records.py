"""What people hold of a corpus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, overload
from uuid import UUID

from pydantic import Field

from ragstore.core.query_text import Match
from ragstore.core.records import Input, JsonObject, Record, Unchecked
from ragstore.core.snippets import Snippet
from ragstore.core.vectors import Metric, Storage, VectorLike
from ragstore.corpus.passages import Run, merge

SpaceState = Literal["building", "active", "retired"]
SearchMode = Literal["vector", "text", "hybrid"]
SearchPath = Literal["exact", "approximate", "lexical", "exact+lexical", "approximate+lexical"]
IndexMethod = Literal["none", "hnsw", "ivfflat"]
IndexState = Literal["none", "building", "ready", "invalid"]
Quantization = Literal["none", "binary"]


class EmbeddingSpace(Record):
    """One model's vectors for one collection.

    Attributes:
        model: The embedding model's name, as the host calls it.
        dimensions: Components of each vector.
        metric: How distance is measured.
        storage: "vector" (float32, to 2,000 dimensions) or "halfvec" (float16, to 4,000).
        state: "active" answers searches; "building" is being filled, and written to beside it; "retired" answered
            before, and can again.
        index_method: The approximate index on its vectors, if any.
        index_state: "ready" indexes are used by searches.
        quantization: "binary": the index holds one bit a component, and hits are ranked by the whole vector.
        search_effort: How many candidates the index looks at (hnsw: `ef_search`, ivfflat: `probes`); None: as many as
            the search needs.
        activated_at: When it last began to answer searches; None: it never has.
        retired_at: When another space took its place.
    """

    id: UUID
    model: str
    dimensions: int
    metric: Metric
    storage: Storage
    state: SpaceState
    index_method: IndexMethod
    index_state: IndexState
    quantization: Quantization
    search_effort: int | None
    created_at: datetime
    activated_at: datetime | None
    retired_at: datetime | None


class SpaceCoverage(Record):
    """How many of a collection's chunks have a vector in a space.

    Attributes:
        chunks: All of the collection's chunks.
        embedded: Those with a vector.
        missing: Those without one.
    """

    space_id: UUID
    chunks: int
    embedded: int
    missing: int

    @property
    def ratio(self) -> float:
        """Give the share with a vector, 0 to 1; 1 of a collection without chunks."""
        return self.embedded / self.chunks if self.chunks else 1.0


class BackfillReport(Record):
    """What a `backfill` did.

    Attributes:
        embedded: Vectors that this call has written.
        remaining: Chunks without a vector at its end: other writers were at them, or they are newer.
    """

    space_id: UUID
    embedded: int
    remaining: int


class IndexStatus(Record):
    """A space's approximate index, as the database has it.

    Attributes:
        name: The index's name in the schema; None: there is none, and searches are exact.
        method: "none", "hnsw" or "ivfflat".
        state: "ready": searches use it. "building": it is being built. "invalid": a build has failed or was killed,
            and `create_index` or `repair_indexes` builds it anew.
        valid: The database itself takes it for complete.
        quantization: "binary": one bit a component.
        options: What it was built with: `m` and `ef_construction`, or `lists`.
        size_bytes: On the disk.
        rows: Vectors in the space.
        scans: How often it was used since the server's statistics were last reset.
    """

    space_id: UUID
    name: str | None
    method: IndexMethod
    state: IndexState
    valid: bool
    quantization: Quantization
    options: dict[str, int]
    size_bytes: int
    rows: int
    scans: int


class RecallPoint(Record):
    """What one effort gives.

    Attributes:
        effort: hnsw: `ef_search`; ivfflat: `probes`.
        recall: The share of the exact nearest that the index found, 0 to 1.
        p50_ms: Half of the searches took at most so many milliseconds.
    """

    effort: int
    recall: float
    p50_ms: float


class RecallReport(Record):
    """How an approximate index compares with an exact scan.

    Attributes:
        sample: How many stored vectors were searched for.
        limit: How many nearest were asked for.
        effort: What searches of this limit use now; None: they are exact.
        recall: The recall at that effort.
        wanted_effort: The least measured effort that reaches what was wanted; None: none does.
        measured: Each effort that was tried, least first.
    """

    space_id: UUID
    sample: int
    limit: int
    effort: int | None
    recall: float
    wanted_effort: int | None
    measured: tuple[RecallPoint, ...]


class Collection(Record):
    """A named set of documents that are searched together.

    Attributes:
        language: ISO 639-1 code, the default of its chunks' text analysis.
        languages: Others that documents have brought; a query is analysed in each.
        space: The active embedding space; None: chunks have no vectors.
        building: The space that is being filled to take its place, if any.
        analyzed_chunks: How many chunks there were when the lexical statistics were last taken.
        average_length: The average number of words a chunk that BM25 assumes.
    """

    id: UUID
    name: str
    language: str
    languages: tuple[str, ...]
    metadata: JsonObject
    created_at: datetime
    space: EmbeddingSpace | None
    building: EmbeddingSpace | None
    generation: int
    analyzed_chunks: int
    average_length: float
    salt: int


class NewDocument(Input):
    """A source to be put into a collection.

    Attributes:
        source: What identifies it in the collection: a URL, a path, an id; at most 2,048 bytes.
        title: What people call it.
        doc_type: What kind of document it is, for filters.
        version: Which version of the source this is, for filters.
        language: ISO 639-1 code, if other than the collection's.
        metadata: Anything else, for filters and for display.
    """

    source: str
    title: str = ""
    doc_type: str | None = None
    version: str | None = None
    language: str | None = None
    metadata: JsonObject = {}


class NewChunk(Input):
    """A piece of a document's text.

    Attributes:
        content: The text, at most 1,000,000 characters.
        embedding: Its vector in the collection's active space; None: found by text alone until it has one.
        embeddings: Vectors by model, for the active space and one that is being built to take its place.
        metadata: For filters and for display.
        start_offset: Where the text begins in the document, in characters.
        end_offset: Where it ends.
        page: The page it stands on, counted from 1.
        heading: The heading it stands under.
        embedding_id: The id under which another vector store keeps its vector.
    """

    content: str
    embedding: Annotated[VectorLike | None, Unchecked] = None
    embeddings: Annotated[Mapping[str, VectorLike], Unchecked] = {}
    metadata: JsonObject = {}
    start_offset: int | None = None
    end_offset: int | None = None
    page: int | None = None
    heading: str | None = None
    embedding_id: str | None = None


class Document(Record):
    """A stored source.

    Attributes:
        chunk_count: How many chunks it has.
        updated_at: When the document or one of its chunks last changed.
    """

    id: UUID
    source: str
    title: str
    doc_type: str | None
    version: str | None
    language: str | None
    metadata: JsonObject
    chunk_count: int
    created_at: datetime
    updated_at: datetime


class Chunk(Record):
    """A stored piece of a document's text; its fields are those of `NewChunk`.

    Attributes:
        chunk_index: Its place in the document, counted from 0.
        content_hash: SHA-256 of the normalised text.
    """

    id: UUID
    document_id: UUID
    chunk_index: int
    content: str
    content_hash: bytes
    language: str
    metadata: JsonObject
    start_offset: int | None
    end_offset: int | None
    page: int | None
    heading: str | None
    embedding_id: str | None


class ExportedChunk(Chunk):
    """A chunk on its way out.

    Attributes:
        source: Its document's source.
        embedding: Its vector in the active space; None: it was not asked for, or there is none.
    """

    source: str
    embedding: tuple[float, ...] | None


class OrphanReport(Record):
    """What `delete_orphans` found.

    Attributes:
        checked: The chunks with an `embedding_id` that were looked at.
        orphans: Those of them whose vector is gone.
        deleted: How many of these were deleted; 0 in a dry run.
    """

    checked: int
    orphans: int
    deleted: int


class Counts(Record):
    """What became of the chunks that were given or found; each is counted once, but for `embedded`.

    Attributes:
        added: Chunks that were not there before.
        updated: Chunks with the same text and other metadata, heading, page, offsets or language.
        moved: Chunks that only changed their place.
        unchanged: Chunks of which nothing was written.
        deleted: Chunks that are gone, with their vectors.
        duplicates: Chunks given twice in one document; the first is kept. With `dedupe="collection"` also those whose
            text another document has.
        embedded: Vectors written.
    """

    added: int = 0
    updated: int = 0
    moved: int = 0
    unchanged: int = 0
    deleted: int = 0
    duplicates: int = 0
    embedded: int = 0


class PutReport(Counts):
    """What a `put` did.

    Attributes:
        document_id: The document's id, the same at every put of its source.
        created: The document was not there before.
        replaced_characters: Characters that cannot be stored and became U+FFFD.
    """

    document_id: UUID
    created: bool
    replaced_characters: int


class LoadError(Record):
    """An item that was not stored.

    Attributes:
        index: Its position among the items, counted from 0.
        source: Its document's source, if that could be read.
        error: What was wrong with it.
    """

    index: int
    source: str | None
    error: Exception


class LoadProgress(Record):
    """How far a `load` is.

    Attributes:
        documents: Items done: stored, found unchanged, or refused.
        chunks: Chunks of the documents that were stored or found unchanged.
        total: How many items there are; None: not known.
        seconds: Since the load began.
        rate: Chunks a second, since then.
    """

    documents: int
    chunks: int
    total: int | None
    seconds: float
    rate: float


class LoadReport(Counts):
    """What a `load` did; its counts are the sums of the documents'.

    Attributes:
        documents: How many documents were stored or found unchanged.
        errors: The items that were not stored; always empty unless `partial=True`.
        index_error: What kept the space's approximate index from being built, if `Settings.index_above` asks for one;
            the chunks are stored all the same.
    """

    documents: int
    errors: tuple[LoadError, ...]
    index_error: Exception | None = None


class Recency(Input):
    """How much newness counts in a search.

    The candidates' scores are brought to 0..1 (the worst to the best), and mixed with freshness, which is 1 for a
    document of now and halves with every `half_life`: (1 - weight) * score + weight * freshness.

    Attributes:
        half_life: The age at which freshness is a half; a timedelta, or seconds.
        weight: The share of freshness, above 0 to 1.
        field: What age is counted from: when the document last changed, or when it was first put.
    """

    half_life: Annotated[timedelta, Field(strict=False)]
    weight: float = 0.3
    field: Literal["updated_at", "created_at"] = "updated_at"


class SearchQuery(Input):
    """A search, as `chunks.search` takes it apart into arguments and `chunks.search_many` takes it whole.

    Attributes:
        collection: The collection's name, or several, searched as one.
        text: Words to look for.
        embedding: The query's vector in the collections' active space.
        limit: How many hits, 1 to 1,000.
        offset: How many better ones to pass over, to 10,000.
        where: Only chunks for which this holds: an expression over `F`, or a dict (see `Filter.from_dict`).
        language: ISO 639-1 code of the text; None: every language that the collection has.
        match: "any": any of the words may match. "all": each must. "web": as in a search box, words are optional,
            "quoted phrases" must stand there, -words must not, and both words around AND must. What must or must not
            stand there holds for every hit, also for one that is found by its vector.
        weights: Of the vector and the text in fusion.
        threshold: Only hits of at least this score.
        per_document: At most so many hits of one document.
        neighbors: So many chunks before and after each hit come with it.
        mmr: From 0 (as different as can be) to 1 (by score alone): pick hits by maximal marginal relevance.
        recency: Prefer newer documents.
        snippet: Show the passage that has the query's words, of about so many characters.
        with_embeddings: Bring each hit's vector.
        effort: How many candidates an approximate index looks at, instead of what the search would choose.
        model: What the embedding was made with: refused if it is not the active space's model.
    """

    collection: Annotated[str | Sequence[str], Unchecked]
    text: str | None = None
    embedding: Annotated[VectorLike | None, Unchecked] = None
    limit: int = 10
    offset: int = 0
    where: Annotated[Any, Unchecked] = None
    language: str | None = None
    match: Match = "any"
    weights: tuple[float, float] = (1.0, 1.0)
    threshold: float | None = None
    per_document: int | None = None
    neighbors: int = 0
    mmr: float | None = None
    recency: Recency | None = None
    snippet: int | None = None
    with_embeddings: bool = False
    effort: int | None = None
    model: str | None = None


class Neighbor(Record):
    """A chunk that stands beside a hit in its document."""

    chunk_id: UUID
    chunk_index: int
    content: str


class SearchHit(Record):
    """A chunk that a search found.

    Attributes:
        score: Higher is better. Vector: 1 - distance for cosine, -distance for l2, the product for inner_product.
            Text: the BM25 score. Hybrid: the sum of weight / (60 + rank) over the legs.
        distance: The vector leg's distance, as pgvector defines it; None if that leg did not find it.
        bm25: The lexical leg's score; None if that leg did not find it.
        vector_rank: The place in the vector leg, counted from 1.
        text_rank: The place in the lexical leg, counted from 1.
        neighbors: The chunks around it that were asked for, in reading order, without itself.
        snippet: The passage with the query's words, if it was asked for.
        embedding: Its vector, if it was asked for.
    """

    chunk_id: UUID
    document_id: UUID
    collection: str
    source: str
    title: str
    doc_type: str | None
    chunk_index: int
    content: str
    heading: str | None
    page: int | None
    start_offset: int | None
    end_offset: int | None
    metadata: JsonObject
    document_metadata: JsonObject
    created_at: datetime
    updated_at: datetime
    score: float
    distance: float | None = None
    bm25: float | None = None
    vector_rank: int | None = None
    text_rank: int | None = None
    neighbors: tuple[Neighbor, ...] = ()
    snippet: Snippet | None = None
    embedding: tuple[float, ...] | None = None


class Passage(Record):
    """A stretch of one document's text that hits stand in.

    Attributes:
        first_index: The `chunk_index` of its first chunk.
        last_index: That of its last.
        content: Its chunks' texts, with an empty line between them. Where the end of one, of 20 characters or more, is
            repeated at the beginning of the next, as splitters with a sliding window do, it stands there once.
        hits: The hits in it, best first.
        score: The best one's.
    """

    document_id: UUID
    source: str
    title: str
    first_index: int
    last_index: int
    content: str
    hits: tuple[SearchHit, ...]
    score: float


@dataclass(frozen=True, slots=True)
class SearchHits(Sequence[SearchHit]):
    """The hits, best first; ties by chunk id.

    Attributes:
        mode: What was searched by.
        path: How the database found them.
        underfilled: Fewer came than were asked for although more match.
    """

    hits: tuple[SearchHit, ...]
    mode: SearchMode
    path: SearchPath
    underfilled: bool = False

    @overload
    def __getitem__(self, index: int) -> SearchHit: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[SearchHit, ...]: ...
    def __getitem__(self, index: int | slice) -> SearchHit | tuple[SearchHit, ...]:
        """Give a hit, or several."""
        return self.hits[index]

    def __len__(self) -> int:
        """Count the hits."""
        return len(self.hits)

    def __iter__(self) -> Iterator[SearchHit]:
        """Iterate over the hits, best first."""
        return iter(self.hits)

    @property
    def passages(self) -> tuple[Passage, ...]:
        """The hits with the neighbors that came with them, put together where they overlap or touch; best first.

        Worked out at each call, without the database. A prompt that is made of passages has no text twice.
        """
        runs = merge([(hit.document_id, _chunks_of(hit)) for hit in self.hits])
        return tuple(_passage(run, tuple(self.hits[place] for place in run.of)) for run in runs)


def _chunks_of(hit: SearchHit) -> dict[int, str]:
    return {hit.chunk_index: hit.content} | {near.chunk_index: near.content for near in hit.neighbors}


def _passage(run: Run, hits: tuple[SearchHit, ...]) -> Passage:
    best = hits[0]
    return Passage(
        document_id=best.document_id,
        source=best.source,
        title=best.title,
        first_index=run.first,
        last_index=run.last,
        content=run.text,
        hits=hits,
        score=best.score,
    )


class ExplainedStatement(Record):
    """One statement of a search.

    Attributes:
        plan: The database's own plan, a step a line; on PostgreSQL with the rows that each step gave.
        indexes: The indexes that it uses.
        candidates: How many rows the parts of the search brought (PostgreSQL only).
        rows: How many rows came back.
        milliseconds: From sending it to having its rows.
    """

    plan: str
    indexes: tuple[str, ...]
    candidates: dict[str, int]
    rows: int
    milliseconds: float


class SearchExplanation(Record):
    """How a search ran.

    Attributes:
        mode: What was searched by.
        path: How the hits were found, as in `SearchHits.path`.
        hits: How many there were.
        statements: Its statements, in turn; on PostgreSQL one.
    """

    mode: SearchMode
    path: SearchPath
    hits: int
    statements: tuple[ExplainedStatement, ...]

    @property
    def indexes(self) -> tuple[str, ...]:
        """List the indexes that were used, each once."""
        return tuple(dict.fromkeys(index for statement in self.statements for index in statement.indexes))

    @property
    def milliseconds(self) -> float:
        """Give the time that all statements took."""
        return sum(statement.milliseconds for statement in self.statements)

    def __str__(self) -> str:
        """Write it for people."""
        head = f"{self.mode} search, {self.path}, {self.hits} hits, {self.milliseconds:.1f} ms"
        parts = [head]
        for statement in self.statements:
            parts.append(f"-- {statement.rows} rows, {statement.milliseconds:.1f} ms")
            parts += [f"   {what}: {count}" for what, count in statement.candidates.items()]
            parts.append(statement.plan)
        return "\n".join(parts)
