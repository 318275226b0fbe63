"""Loading many documents: batches of checked items, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ragstore.core.border import InvalidTextRule, TextPolicy
from ragstore.corpus.documents.preparing import PreparedDocument, Vectors, prepare
from ragstore.corpus.documents.putting import Piece, piece
from ragstore.corpus.records import Counts, EmbeddingSpace, LoadError, LoadReport, NewChunk, NewDocument
from ragstore.errors import InvalidInput

COUNTED = tuple(Counts.model_fields)
BATCH_CHUNKS = 5_000
"""A batch is written at so many chunks, however few documents they are."""

Item = tuple[NewDocument, Sequence[NewChunk | str]]
Progress = Callable[[int, int | None], None]
"""Told after each commit: documents done, and how many there are if that is known."""


@dataclass(slots=True)
class Load:
    """A load on its way.

    Attributes:
        batch: Checked items that wait to be written, each with its position.
        done: Items stored or refused so far.
    """

    rule: InvalidTextRule
    partial: bool
    total: int | None = None
    batch: list[tuple[int, PreparedDocument]] = field(default_factory=list)
    reports: dict[str, int] = field(default_factory=dict)
    documents: int = 0
    seen: int = 0
    errors: list[LoadError] = field(default_factory=list)

    def take(self, item: Item) -> None:
        """Check an item and put it into the batch."""
        index, self.seen = self.seen, self.seen + 1
        try:
            self.batch.append((index, _prepare(item, TextPolicy(self.rule))))
        except InvalidInput as error:
            self.refuse(index, _source(item), error)

    def refuse(self, index: int, source: str | None, error: InvalidInput) -> None:
        """Note an item that cannot be stored; without `partial`, stop the load there."""
        at_item = of_item(error, index)
        if not self.partial:
            raise at_item from error
        self.errors.append(LoadError(index=index, source=source, error=at_item))

    def is_full(self, documents: int) -> bool:
        """Say whether the batch should be written now."""
        return len(self.batch) >= documents or sum(len(item.chunks) for _, item in self.batch) >= BATCH_CHUNKS

    def pieces(self, space: EmbeddingSpace | None, made: Vectors) -> list[list[Piece]]:
        """Take the batch as rounds in which each source stands once: given twice, the last one wins."""
        rounds: list[dict[str, Piece]] = []
        for index, document in self.batch:
            try:
                ready = piece(document, space, made)
            except InvalidInput as error:
                self.refuse(index, document.source, error)
                continue
            fitting = next((found for found in rounds if document.source not in found), None)
            if fitting is None:
                rounds.append(fitting := {})
            fitting[document.source] = ready
        self.batch = []
        return [list(found.values()) for found in rounds]

    def count(self, pieces: Sequence[Piece]) -> None:
        """Add up the reports of written documents."""
        for written in pieces:
            self.documents += 1
            report = written.report()
            for key in COUNTED:
                self.reports[key] = self.reports.get(key, 0) + getattr(report, key)

    @property
    def changed(self) -> int:
        """Count the chunks that have come or gone."""
        return self.reports.get("added", 0) + self.reports.get("deleted", 0)

    def report(self) -> LoadReport:
        """Say what became of all items."""
        counts = {key: self.reports.get(key, 0) for key in COUNTED}
        return LoadReport(documents=self.documents, errors=tuple(self.errors), **counts)


def of_item(error: InvalidInput, index: int) -> InvalidInput:
    """Name the item that a refused value belongs to; a chunk's place goes into the field."""
    field = error.field if error.index is None else f"chunks[{error.index}].{error.field}"
    return InvalidInput(error.message, field=field, index=index)


def _prepare(item: object, policy: TextPolicy) -> PreparedDocument:
    if not isinstance(item, tuple) or len(item) != 2:
        raise InvalidInput("each item must be a pair (NewDocument, chunks)")
    document, chunks = item
    return prepare(document, chunks, policy)


def _source(item: object) -> str | None:
    document = item[0] if isinstance(item, tuple) and item else None
    return document.source if isinstance(document, NewDocument) else None
