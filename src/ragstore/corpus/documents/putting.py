"""Putting documents: the steps that make the stored ones equal to the given ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ragstore.core.query import Steps
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.collections.statistics import refresh, refresh_due
from ragstore.corpus.documents.comparing import Piece, compare, find_stored, make_piece
from ragstore.corpus.documents.loading import Load
from ragstore.corpus.documents.preparing import Made, PreparedChunk, PreparedDocument
from ragstore.corpus.documents.targets import Dedupe, SpaceKey, Targets, find_targets
from ragstore.corpus.documents.writing import Writer
from ragstore.corpus.reading import find_collection
from ragstore.corpus.records import EmbeddingSpace, LoadError, PutReport
from ragstore.errors import ConcurrencyError

Lacking = dict[SpaceKey, tuple[EmbeddingSpace, list[PreparedChunk]]]
"""For each of the host's models: its space, and the chunks that need a vector there and brought none."""

Written = tuple[list[Piece], list[LoadError]]


@dataclass(frozen=True, slots=True)
class Into:
    """Where a put goes, as it was asked for."""

    tenant: str
    collection: str
    asked: tuple[SpaceKey, ...] = ()
    dedupe: Dedupe = "document"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a put would find.

    Attributes:
        report: What to report at once if there is nothing to write but perhaps vectors that are yet to be made.
        lacking: The chunks that need vectors.
    """

    report: PutReport | None
    lacking: Lacking


@dataclass(frozen=True, slots=True)
class Put:
    """What a put has done.

    Attributes:
        due: The collection's statistics should be seen to, now that this is committed.
    """

    report: PutReport
    due: bool


def find_into(into: Into, documents: Sequence[PreparedDocument], *, to_write: bool) -> Steps[Targets]:
    """Find the collection and its spaces; `to_write` keeps them as they are until the transaction ends."""
    collection = yield from find_collection(into.tenant, into.collection, to_write=to_write)
    models = {model for document in documents for chunk in document.chunks for model in chunk.embeddings}
    return (yield from find_targets(into.tenant, collection, into.asked, into.dedupe, models))


def preview(into: Into, document: PreparedDocument) -> Steps[Preview]:
    """Look, without locking anything, whether there is something to write or to embed."""
    targets = yield from find_into(into, [document], to_write=False)
    only = make_piece(document, targets, {})
    lacking = yield from _lacking(targets, [only])
    return Preview(None if only.needs_writing else only.report(), lacking)


def preview_batch(into: Into, load: Load) -> Steps[Lacking]:
    """Look, without locking anything, which of a batch's chunks need vectors."""
    targets = yield from find_into(into, load.batch.documents, to_write=False)
    pieces, _ = load.pieces(targets, {})
    return (yield from _lacking(targets, pieces))


def _lacking(targets: Targets, pieces: Sequence[Piece]) -> Steps[Lacking]:
    yield from find_stored(targets, pieces, lock=False)
    yield from compare(targets, pieces)
    lacking: Lacking = {}
    for key, space in targets.embedding.items():
        by_hash = {chunk.content_hash: chunk for piece in pieces for chunk in piece.lacking(space.id)}
        lacking[key] = space, list(by_hash.values())
    return lacking


def put_one(backend: CorpusBackend, into: Into, document: PreparedDocument, made: Made, *, in_unit: bool) -> Steps[Put]:
    """Put one document; inside a unit, take the lexical statistics anew in the same transaction if that is due.

    Args:
        backend: The database.
        into: Where to put it.
        document: What it shall be.
        made: Vectors that models have made for it.
        in_unit: The transaction is not this put's own.
    """
    targets = yield from find_into(into, [document], to_write=True)
    only = make_piece(document, targets, made)
    yield from put_all(backend, targets, [only])
    report = only.report()
    changed = report.added + report.deleted
    if in_unit:
        yield from refresh(backend, into.tenant, targets.collection, changed)
        return Put(report, due=False)
    due = refresh_due(targets.collection, changed)
    if changed and not due:
        due = yield from backend.has_stale_terms(into.tenant, targets.collection)
    return Put(report, due)


def put_batch(backend: CorpusBackend, into: Into, load: Load, made: Made) -> Steps[Written]:
    """Put a load's batch of documents; give those that were put, and those that cannot be stored."""
    targets = yield from find_into(into, load.batch.documents, to_write=True)
    pieces, refused = load.pieces(targets, made)
    yield from put_all(backend, targets, pieces)
    return pieces, refused


def put_all(backend: CorpusBackend, targets: Targets, pieces: Sequence[Piece]) -> Steps[None]:
    """Make stored documents equal to the given ones, under their locks; each source once.

    Afterwards each piece can report what was written.

    Raises:
        ConcurrencyError: A chunk lacks a vector that there is a model for, as another writer has come in between.
    """
    if not pieces:
        return
    writer = Writer(backend, targets)
    yield from writer.lock(pieces)
    yield from compare(targets, pieces)
    if any(piece.lacking(space.id) for space in targets.embedding.values() for piece in pieces):
        raise ConcurrencyError("another writer changed the document while its vectors were made")
    yield from writer.write(pieces)
