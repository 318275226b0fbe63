"""Loading many documents: batches of checked items, and what became of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ragstore.core.border import InvalidTextRule, TextPolicy
from ragstore.core.vectors import VectorLike
from ragstore.corpus.documents.comparing import Piece, make_piece
from ragstore.corpus.documents.preparing import Made, PreparedChunk, PreparedDocument, prepare
from ragstore.corpus.documents.targets import Targets
from ragstore.corpus.records import Counts, LoadError, LoadProgress, LoadReport, NewChunk, NewDocument
from ragstore.errors import InvalidInput

COUNTED = tuple(Counts.model_fields)
BATCH_CHUNKS = 2_000
BATCH_BYTES = 16_000_000
"""A batch is written at so many chunks, or about so many bytes, however few documents they are."""

Item = tuple[NewDocument, Sequence[NewChunk | str]]
Progress = Callable[[LoadProgress], None]
"""Told after each commit."""


@dataclass(slots=True)
class Batch:
    """Checked items that wait to be written, each with its position; no source twice."""

    items: list[tuple[int, PreparedDocument]] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    chunks: int = 0
    bytes: int = 0

    @property
    def documents(self) -> list[PreparedDocument]:
        """List the documents."""
        return [document for _, document in self.items]

    def add(self, index: int, document: PreparedDocument) -> None:
        """Put an item into the batch."""
        self.items.append((index, document))
        self.sources.add(document.source)
        self.chunks += len(document.chunks)
        self.bytes += sum(map(_size, document.chunks))

    def is_full(self, documents: int) -> bool:
        """Say whether the batch should be written now."""
        return len(self.items) >= documents or self.chunks >= BATCH_CHUNKS or self.bytes >= BATCH_BYTES


@dataclass(slots=True)
class Load:
    """A load on its way.

    Attributes:
        batch: What waits to be written.
        seen: Items taken so far.
        documents: Documents stored or found unchanged.
        chunks: Their chunks.
    """

    rule: InvalidTextRule
    partial: bool
    hash_metadata: bool
    total: int | None = None
    batch: Batch = field(default_factory=Batch)
    reports: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))
    documents: int = 0
    chunks: int = 0
    seen: int = 0
    errors: list[LoadError] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def take(self, item: Item) -> tuple[int, PreparedDocument] | None:
        """Check an item; None: it cannot be stored, and that is noted."""
        index, self.seen = self.seen, self.seen + 1
        try:
            return index, self._prepare(item)
        except InvalidInput as error:
            self.errors.append(self._refused(index, _source(item), error))
            return None

    def _prepare(self, item: object) -> PreparedDocument:
        if not isinstance(item, tuple) or len(item) != 2:
            raise InvalidInput("each item must be a pair (NewDocument, chunks)")
        return prepare(*item, TextPolicy(self.rule), hash_metadata=self.hash_metadata)

    def _refused(self, index: int, source: str | None, error: InvalidInput) -> LoadError:
        """Say what cannot be stored; without `partial`, stop the load there."""
        at_item = of_item(error, index)
        if not self.partial:
            raise at_item from error
        return LoadError(index=index, source=source, error=at_item)

    def pieces(self, targets: Targets, made: Made) -> tuple[list[Piece], list[LoadError]]:
        """Give the batch's documents with their vectors, and those that turned out not to be storable."""
        pieces, refused = [], []
        for index, document in self.batch.items:
            try:
                pieces.append(make_piece(document, targets, made))
            except InvalidInput as error:
                refused.append(self._refused(index, document.source, error))
        return pieces, refused

    def written(self, pieces: Sequence[Piece], refused: Sequence[LoadError]) -> None:
        """Add up the reports of a batch that is stored, and begin a new one."""
        for piece in pieces:
            self.documents += 1
            self.chunks += len(piece.document.chunks)
            report = piece.report()
            for key in COUNTED:
                self.reports[key] += getattr(report, key)
        self.errors += refused
        self.batch = Batch()

    @property
    def changed(self) -> int:
        """Count the chunks that have come or gone."""
        return self.reports["added"] + self.reports["deleted"]

    def progress(self) -> LoadProgress:
        """Say how far it is."""
        seconds = time.monotonic() - self.started
        return LoadProgress(
            documents=self.seen,
            chunks=self.chunks,
            total=self.total,
            seconds=seconds,
            rate=self.chunks / seconds if seconds else 0.0,
        )

    def report(self, index_error: Exception | None) -> LoadReport:
        """Say what became of all items, and what kept the index from being built."""
        errors = sorted(self.errors, key=lambda error: error.index)
        return LoadReport(documents=self.documents, errors=tuple(errors), index_error=index_error, **self.reports)


def of_item(error: InvalidInput, index: int) -> InvalidInput:
    """Name the item that a refused value belongs to; a chunk's place goes into the field."""
    field = error.field if error.index is None else f"chunks[{error.index}].{error.field}"
    return InvalidInput(error.message, field=field, index=index)


def _size(chunk: PreparedChunk) -> int:
    """Estimate what a chunk takes in memory."""
    return len(chunk.content) + sum(map(_vector_size, chunk.embeddings.values()))


def _vector_size(vector: VectorLike) -> int:
    size = getattr(vector, "nbytes", None)
    return size if isinstance(size, int) else 32 * (len(vector) if isinstance(vector, Sequence) else 0)


def _source(item: object) -> str | None:
    document = item[0] if isinstance(item, tuple) and item else None
    return document.source if isinstance(document, NewDocument) else None
