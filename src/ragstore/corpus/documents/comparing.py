"""What putting documents would change: the stored ones beside those that are given, many in a few statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from ragstore.core.ids import new_id
from ragstore.core.query import Steps
from ragstore.core.slices import slices
from ragstore.corpus import statements
from ragstore.corpus.documents.planning import Changes, plan
from ragstore.corpus.documents.preparing import Given, Made, PreparedChunk, PreparedDocument, check_vectors
from ragstore.corpus.documents.targets import Targets
from ragstore.corpus.records import PutReport
from ragstore.corpus.statements import StoredChunk, StoredDocument

MAX_IDS = 10_000
"""Ids in one statement: databases take some ten thousand parameters."""


@dataclass(slots=True)
class Piece:
    """A document on its way.

    Attributes:
        document: What it shall be.
        language: What its chunks are analysed in.
        given: The vectors there are for it.
        id: Its id, once its row is locked.
        stored: The document as it was before; None if this put has created it.
        changes: What has to be written.
    """

    document: PreparedDocument
    language: str
    given: Given
    id: UUID = field(default_factory=new_id)
    stored: StoredDocument | None = None
    changes: Changes = field(default_factory=Changes)
    embedded: int = 0

    @property
    def has_its_hash(self) -> bool:
        """Say whether what was last put was equal, but perhaps for vectors."""
        return self.stored is not None and self.stored.content_hash == self.document.content_hash

    @property
    def is_as_stored(self) -> bool:
        """Say whether the stored document is equal and has all of its chunks; only vectors may be missing."""
        return self.has_its_hash and self.stored is not None and self.stored.chunk_count == len(self.document.chunks)

    @property
    def needs_writing(self) -> bool:
        """Say whether anything has to be written."""
        return (
            not self.has_its_hash
            or self.changes.any
            or any(
                chunk.content_hash in self.given.get(space, {})
                for space, lacking in self.changes.unembedded.items()
                for _, chunk in lacking
            )
        )

    def lacking(self, space: UUID) -> list[PreparedChunk]:
        """List the chunks that need a vector in a space, and for which there is none."""
        given = self.given.get(space, {})
        return [chunk for chunk in self.changes.lacking(space) if chunk.content_hash not in given]

    def report(self) -> PutReport:
        """Say what was written."""
        return PutReport(
            document_id=self.id,
            created=self.stored is None,
            added=len(self.changes.added),
            updated=self.changes.updated,
            moved=self.changes.moved,
            unchanged=self.changes.unchanged,
            deleted=len(self.changes.deleted),
            duplicates=self.document.duplicates + len(self.changes.skipped),
            embedded=self.embedded,
            replaced_characters=self.document.replaced,
        )


def make_piece(document: PreparedDocument, targets: Targets, made: Made) -> Piece:
    """Give a document with the vectors that came with it and those that models made.

    Raises:
        InvalidInput: A vector cannot be stored.
    """
    language = document.language or targets.collection.language
    return Piece(document, language, check_vectors(document, targets, made))


def find_stored(targets: Targets, pieces: Sequence[Piece], *, lock: bool) -> Steps[list[Piece]]:
    """Give each piece its stored document, if there is one that it has not made itself; returns those without any."""
    sources = [piece.document.source for piece in pieces]
    found: list[StoredDocument] = yield statements.stored_documents(
        targets.tenant, targets.collection.id, sources, lock=lock
    )
    stored = {document.source: document for document in found}
    for piece in pieces:
        document = stored.get(piece.document.source)
        if document is not None and document.id != piece.id:
            piece.id, piece.stored = document.id, document
    return [piece for piece in pieces if piece.document.source not in stored]


def compare(targets: Targets, pieces: Sequence[Piece]) -> Steps[None]:
    """Work out what each document needs; of those that are as stored, only the vectors are looked at."""
    others = [piece.id for piece in pieces if piece.stored is not None and not piece.is_as_stored]
    stored = yield from _stored_chunks(targets, others)
    for piece in pieces:
        if piece.is_as_stored:
            piece.changes = Changes(unchanged=len(piece.document.chunks))
        else:
            piece.changes = plan(stored.get(piece.id, []), piece.document.chunks, piece.language)
    if targets.dedupe == "collection":
        yield from _skip_present(targets, pieces, stored)
    yield from _find_unembedded(targets, pieces)


def _stored_chunks(targets: Targets, ids: Sequence[UUID]) -> Steps[dict[UUID, list[StoredChunk]]]:
    stored: dict[UUID, list[StoredChunk]] = {}
    if ids:
        found: list[StoredChunk] = yield statements.stored_chunks(targets.tenant, ids)
        for chunk in found:
            stored.setdefault(chunk.document_id, []).append(chunk)
    return stored


def _skip_present(targets: Targets, pieces: Sequence[Piece], stored: dict[UUID, list[StoredChunk]]) -> Steps[None]:
    """Pass over texts that another document has, here or in the collection, and will still have afterwards."""
    wanted = {chunk.content_hash for piece in pieces for chunk in piece.changes.added}
    going = {chunk_id for piece in pieces for chunk_id in piece.changes.deleted}
    gone = [c.id for chunks in stored.values() for c in chunks if c.id in going and c.content_hash in wanted]
    present: set[bytes] = set()
    for some in slices(list(wanted), MAX_IDS):
        present.update((yield statements.present_hashes(targets.tenant, targets.collection.id, some, gone)))
    for piece in pieces:
        piece.changes.skip(present)
        present.update(chunk.content_hash for chunk in piece.changes.added)


def _find_unembedded(targets: Targets, pieces: Sequence[Piece]) -> Steps[None]:
    asked = {space.id for space in targets.embedding.values()}
    for space in targets.spaces:
        known = [p for p in pieces if p.stored is not None and (space.id in asked or space.id in p.given)]
        lacking = yield from _lacking(targets, [piece.id for piece in known], space.id)
        for piece in known:
            piece.changes.lack(space.id, lacking.get(piece.id, {}), piece.document.chunks)


def _lacking(targets: Targets, ids: Iterable[UUID], space: UUID) -> Steps[dict[UUID, dict[bytes, UUID]]]:
    lacking: dict[UUID, dict[bytes, UUID]] = {}
    for some in slices(list(ids), MAX_IDS):
        for document_id, content_hash, chunk_id in (yield statements.unembedded_chunks(targets.tenant, some, space)):
            lacking.setdefault(document_id, {})[content_hash] = chunk_id
    return lacking
