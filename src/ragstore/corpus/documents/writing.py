"""Writing what has changed in documents, many in a few statements, under their locks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any
from uuid import UUID

from ragstore.core.ids import new_id
from ragstore.core.query import Copy, Steps
from ragstore.core.slices import slices
from ragstore.core.text import analyze
from ragstore.corpus import statements
from ragstore.corpus.backend import ChunkTerms, CorpusBackend
from ragstore.corpus.collections.statistics import SEED_CHUNKS, note_languages, seed_average
from ragstore.corpus.documents.comparing import MAX_IDS, Piece, find_stored
from ragstore.corpus.documents.preparing import PreparedChunk
from ragstore.corpus.documents.targets import Targets
from ragstore.corpus.records import Collection, EmbeddingSpace

New = tuple[Piece, UUID, PreparedChunk]


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes documents into a collection."""

    backend: CorpusBackend
    targets: Targets

    @property
    def _tenant(self) -> str:
        return self.targets.tenant

    @property
    def _collection(self) -> Collection:
        return self.targets.collection

    def lock(self, pieces: Sequence[Piece]) -> Steps[None]:
        """Lock the documents that are there, and insert the others as they shall be."""
        # the collection's row first: whoever waits for it must hold no document
        yield from note_languages(self._tenant, self._collection, {piece.language for piece in pieces})
        missing = yield from find_stored(self.targets, pieces, lock=True)
        while missing:
            ordered = sorted(missing, key=lambda piece: piece.document.source)
            inserted = yield statements.insert_documents(self.backend, [self._document(piece) for piece in ordered])
            if inserted == len(missing):
                break
            # another transaction has inserted some meanwhile, and a third may have deleted them again
            missing = yield from find_stored(self.targets, missing, lock=True)

    def _document(self, piece: Piece) -> dict[str, Any]:
        place = {"tenant_id": self._tenant, "id": piece.id, "collection_id": self._collection.id}
        return {**place, "source": piece.document.source, **_values(piece)}

    def write(self, pieces: Sequence[Piece]) -> Steps[None]:
        """Write all that has changed."""
        for ids in slices([chunk_id for piece in pieces for chunk_id in piece.changes.deleted], MAX_IDS):
            yield statements.delete_chunks(self._tenant, ids)
        yield statements.update_chunks(
            [self._rewritten(piece, *item) for piece in pieces for item in piece.changes.rewritten]
        )
        new = [(piece, new_id(), chunk) for piece in pieces for chunk in piece.changes.added]
        yield statements.insert_chunks(self._tenant, self._collection.id, map(_inserted, new), len(new))
        for space in self.targets.spaces:
            yield self._embeddings(space, new, pieces)
        yield from self._write_terms(new, pieces)
        yield statements.update_documents(
            [{"tenant": self._tenant, "document_id": p.id, **_values(p)} for p in pieces if _differs(p)]
        )

    def _rewritten(self, piece: Piece, chunk_id: UUID, chunk: PreparedChunk) -> dict[str, Any]:
        place = {"tenant": self._tenant, "of": chunk_id, "chunk_index": chunk.place, "language": piece.language}
        return {**place, **chunk.attributes}

    def _embeddings(self, space: EmbeddingSpace, new: Sequence[New], pieces: Sequence[Piece]) -> Copy:
        kept = ((piece, *item) for piece in pieces for item in piece.changes.unembedded.get(space.id, ()))
        rows = []
        for piece, chunk_id, chunk in chain(new, kept):
            vector = piece.given.get(space.id, {}).get(chunk.content_hash)
            if vector is not None:
                rows.append((chunk_id, vector))
                piece.embedded += 1
        return statements.insert_embeddings(self._tenant, space, rows)

    def _write_terms(self, new: Sequence[New], pieces: Sequence[Piece]) -> Steps[None]:
        again: list[New] = [(piece, *item) for piece in pieces for item in piece.changes.reanalyzed]
        for some in slices(again, MAX_IDS):
            yield from self.backend.remove_terms(self._tenant, [chunk_id for _, chunk_id, _ in some])
        collection, todo = self._collection, [*new, *again]
        terms = _analyzed(todo)  # while they are sent: the server works at the same time
        if todo and not collection.average_length:
            first = list(islice(terms, SEED_CHUNKS))
            collection = yield from seed_average(self._tenant, collection, first)
            terms = chain(first, terms)
        yield from self.backend.add_terms(self._tenant, collection, terms, len(todo))


def _analyzed(chunks: Sequence[New]) -> Iterator[ChunkTerms]:
    return (ChunkTerms(chunk_id, analyze(chunk.content, piece.language)) for piece, chunk_id, chunk in chunks)


def _inserted(new: New) -> tuple[Any, ...]:
    piece, chunk_id, chunk = new
    place = (chunk_id, piece.id, chunk.place, chunk.content, chunk.content_hash, piece.language)
    return (*place, *chunk.attributes.values())


def _differs(piece: Piece) -> bool:
    """Say whether the document's row is to be updated; a new one is already as it shall be, but for skipped chunks."""
    if piece.stored is None:
        return bool(piece.changes.skipped)
    return not piece.has_its_hash or piece.changes.any


def _values(piece: Piece) -> dict[str, Any]:
    document = piece.document
    count = len(document.chunks) - len(piece.changes.skipped)
    return {**document.fields, "content_hash": document.content_hash, "chunk_count": count}
