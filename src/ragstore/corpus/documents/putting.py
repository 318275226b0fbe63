"""Putting documents: the steps that make the stored ones equal to the given ones, many in a few statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from ragstore.core import vectors
from ragstore.core.ids import new_id
from ragstore.core.query import Steps
from ragstore.core.text import analyze
from ragstore.corpus import statements
from ragstore.corpus.backend import ChunkTerms, CorpusBackend
from ragstore.corpus.collections.statistics import refresh, seed_average
from ragstore.corpus.documents.planning import Changes, nothing, plan
from ragstore.corpus.documents.preparing import PreparedChunk, PreparedDocument, Vectors, check_vectors, checked
from ragstore.corpus.reading import find_collection
from ragstore.corpus.records import Collection, EmbeddingSpace, PutReport
from ragstore.corpus.statements import StoredChunk, StoredDocument
from ragstore.errors import ConcurrencyError

T = TypeVar("T")
MAX_IDS = 10_000
"""Ids in one statement: databases take some ten thousand parameters."""
ANALYZED_AT_ONCE = 500
"""Chunks whose lexemes are held in memory at a time."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a put would find.

    Attributes:
        report: What to report at once if there is nothing to write.
        unembedded: The chunks that need a vector and brought none.
    """

    report: PutReport | None
    unembedded: list[PreparedChunk]


@dataclass(slots=True)
class Piece:
    """A document on its way.

    Attributes:
        document: What it shall be.
        given: The vectors there are for it, by content hash.
        id: Its id, once its row is locked.
        stored_hash: The hash it had before; None if this put has created it.
        changes: What has to be written.
    """

    document: PreparedDocument
    given: Mapping[bytes, vectors.Floats]
    id: UUID = field(default_factory=new_id)
    stored_hash: bytes | None = None
    changes: Changes = field(default_factory=Changes)
    embedded: int = 0

    @property
    def is_as_stored(self) -> bool:
        """Say whether the stored document is equal, but perhaps for vectors."""
        return self.stored_hash == self.document.content_hash

    def report(self) -> PutReport:
        """Say what was written."""
        return PutReport(
            document_id=self.id,
            created=self.stored_hash is None,
            added=len(self.changes.added),
            updated=self.changes.updated,
            moved=self.changes.moved,
            unchanged=self.changes.unchanged,
            deleted=len(self.changes.deleted),
            duplicates=self.document.duplicates,
            embedded=self.embedded,
            replaced_characters=self.document.replaced,
        )


def piece(document: PreparedDocument, space: EmbeddingSpace | None, made: Vectors) -> Piece:
    """Give a document with the vectors that came with it and those that a model made.

    Raises:
        InvalidInput: A vector cannot be stored.
    """
    given = check_vectors(document, space)
    if space is not None:
        wanted = {chunk.content_hash for chunk in document.chunks if chunk.content_hash in made}
        given |= {content_hash: checked(made[content_hash], space) for content_hash in wanted}
    return Piece(document, given)


def preview(tenant: str, collection_name: str, document: PreparedDocument) -> Steps[Preview]:
    """Look, without locking anything, whether there is something to write or to embed."""
    collection = yield from find_collection(tenant, collection_name)
    only = piece(document, collection.space, {})
    yield from find_stored(tenant, collection, [only], lock=False)
    yield from compare(tenant, collection, [only])
    lacking = only.changes.lacking() if collection.space else []
    unembedded = [chunk for chunk in lacking if chunk.content_hash not in only.given]
    is_equal = only.is_as_stored and len(unembedded) == len(lacking)
    return Preview(only.report() if is_equal else None, unembedded)


def put_one(
    backend: CorpusBackend,
    tenant: str,
    collection_name: str,
    document: PreparedDocument,
    made: Vectors,
    *,
    must_embed: bool,
) -> Steps[PutReport]:
    """Put one document, and take the lexical statistics anew if that is due.

    Args:
        backend: The database.
        tenant: Whose document it is.
        collection_name: Where to put it.
        document: What it shall be.
        made: Vectors that a model has made for it.
        must_embed: Raise `ConcurrencyError` if a chunk still lacks a vector, as another writer has come in between.
    """
    collection = yield from find_collection(tenant, collection_name, to_write=True)
    only = piece(document, collection.space, made)
    yield from put_all(backend, tenant, collection, [only], must_embed=must_embed)
    report = only.report()
    yield from refresh(backend, tenant, collection, report.added + report.deleted)
    return report


def language_of(document: PreparedDocument, collection: Collection) -> str:
    """Give the language that a document's chunks are analysed in."""
    return document.language or collection.language


def find_stored(tenant: str, collection: Collection, pieces: Sequence[Piece], *, lock: bool) -> Steps[None]:
    """Give each piece the id and the hash of its stored document, if there is one that it has not made itself."""
    sources = [piece.document.source for piece in pieces]
    found: list[StoredDocument] = yield statements.stored_documents(tenant, collection.id, sources, lock=lock)
    stored = {document.source: document for document in found}
    for piece in pieces:
        document = stored.get(piece.document.source)
        if document is not None and document.id != piece.id:
            piece.id, piece.stored_hash = document.id, document.content_hash


def compare(tenant: str, collection: Collection, pieces: Sequence[Piece]) -> Steps[None]:
    """Work out what each document needs; of those that are as stored, only the vectors are looked at."""
    lacking = yield from _unembedded(tenant, collection, [piece.id for piece in pieces if piece.is_as_stored])
    others = [piece.id for piece in pieces if piece.stored_hash is not None and not piece.is_as_stored]
    stored = yield from _stored(tenant, collection, others)
    for piece in pieces:
        wanted = piece.document.chunks
        if piece.is_as_stored:
            piece.changes = nothing(wanted, lacking.get(piece.id, {}))
        else:
            piece.changes = plan(stored.get(piece.id, []), wanted, language_of(piece.document, collection))


def _unembedded(tenant: str, collection: Collection, ids: Sequence[UUID]) -> Steps[dict[UUID, dict[bytes, UUID]]]:
    lacking: dict[UUID, dict[bytes, UUID]] = {}
    if ids and collection.space is not None:
        found = yield statements.unembedded_chunks(tenant, ids, collection.space.id)
        for document_id, content_hash, chunk_id in found:
            lacking.setdefault(document_id, {})[content_hash] = chunk_id
    return lacking


def _stored(
    tenant: str, collection: Collection, ids: Sequence[UUID]
) -> Steps[dict[UUID, list[tuple[StoredChunk, bool]]]]:
    stored: dict[UUID, list[tuple[StoredChunk, bool]]] = {}
    if ids:
        found = yield statements.stored_chunks(tenant, ids, collection.space.id if collection.space else None)
        for chunk, embedded in found:
            stored.setdefault(chunk.document_id, []).append((chunk, embedded))
    return stored


def put_all(
    backend: CorpusBackend, tenant: str, collection: Collection, pieces: Sequence[Piece], *, must_embed: bool = False
) -> Steps[None]:
    """Make stored documents equal to the given ones, under their locks; each source once.

    Afterwards each piece can report what was written.
    """
    put = _Put(backend, tenant, collection)
    yield from put.lock(pieces)
    yield from compare(tenant, collection, pieces)
    lacking = (chunk for piece in pieces for chunk in piece.changes.lacking() if chunk.content_hash not in piece.given)
    if must_embed and collection.space is not None and any(lacking):
        raise ConcurrencyError("another writer changed the document while its vectors were made")
    yield from put.write(pieces)


@dataclass(frozen=True, slots=True)
class _Put:
    backend: CorpusBackend
    tenant: str
    collection: Collection

    def language(self, piece: Piece) -> str:
        return language_of(piece.document, self.collection)

    def lock(self, pieces: Sequence[Piece]) -> Steps[None]:
        """Lock the documents that are there, and insert the others as they shall be."""
        yield from find_stored(self.tenant, self.collection, pieces, lock=True)
        missing = [piece for piece in pieces if piece.stored_hash is None]
        ordered = sorted(missing, key=lambda piece: piece.document.source)
        inserted = yield statements.insert_documents(self.backend, [self._document(piece) for piece in ordered])
        if missing and inserted < len(missing):  # another transaction has inserted some meanwhile
            yield from find_stored(self.tenant, self.collection, missing, lock=True)

    def _document(self, piece: Piece) -> dict[str, Any]:
        place = {"tenant_id": self.tenant, "id": piece.id, "collection_id": self.collection.id}
        return {**place, "source": piece.document.source, **_values(piece.document)}

    def write(self, pieces: Sequence[Piece]) -> Steps[None]:
        """Write all that has changed."""
        for ids in _slices([chunk_id for piece in pieces for chunk_id in piece.changes.deleted], MAX_IDS):
            yield statements.delete_chunks(self.tenant, ids)
        yield statements.update_chunks(
            [self._rewritten(piece, *item) for piece in pieces for item in piece.changes.rewritten]
        )
        new = [(piece, new_id(), chunk) for piece in pieces for chunk in piece.changes.added]
        yield statements.insert_chunks([self._inserted(*item) for item in new])
        yield from self._write_embeddings(new, pieces)
        yield from self._write_terms(new, pieces)
        changed = [piece for piece in pieces if piece.stored_hash is not None and not piece.is_as_stored]
        yield statements.update_documents(
            [{"tenant": self.tenant, "document_id": piece.id, **_values(piece.document)} for piece in changed]
        )

    def _rewritten(self, piece: Piece, chunk_id: UUID, chunk: PreparedChunk) -> dict[str, Any]:
        place = {"tenant": self.tenant, "of": chunk_id, "chunk_index": chunk.place, "language": self.language(piece)}
        return {**place, **chunk.attributes}

    def _inserted(self, piece: Piece, chunk_id: UUID, chunk: PreparedChunk) -> dict[str, Any]:
        return {
            "tenant_id": self.tenant,
            "id": chunk_id,
            "collection_id": self.collection.id,
            "document_id": piece.id,
            "chunk_index": chunk.place,
            "content": chunk.content,
            "content_hash": chunk.content_hash,
            "language": self.language(piece),
            **chunk.attributes,
        }

    def _write_embeddings(
        self, new: Sequence[tuple[Piece, UUID, PreparedChunk]], pieces: Sequence[Piece]
    ) -> Steps[None]:
        space = self.collection.space
        if space is None:
            return
        column = "half" if space.storage == "halfvec" else "dense"
        of_space = {"tenant_id": self.tenant, "space_id": space.id}
        kept = [(piece, *item) for piece in pieces for item in piece.changes.unembedded]
        rows = []
        for piece, chunk_id, chunk in [*new, *kept]:
            if chunk.content_hash in piece.given:
                rows.append({**of_space, "chunk_id": chunk_id, column: piece.given[chunk.content_hash]})
                piece.embedded += 1
        yield statements.insert_embeddings(rows)

    def _write_terms(self, new: Sequence[tuple[Piece, UUID, PreparedChunk]], pieces: Sequence[Piece]) -> Steps[None]:
        again = [(piece, *item) for piece in pieces for item in piece.changes.reanalyzed]
        for some in _slices(again, MAX_IDS):
            yield from self.backend.remove_terms(self.tenant, [chunk_id for _, chunk_id, _ in some])
        collection = self.collection
        for some in _slices([*new, *again], ANALYZED_AT_ONCE):
            terms = [
                ChunkTerms(chunk_id, analyze(chunk.content, self.language(piece))) for piece, chunk_id, chunk in some
            ]
            collection = yield from seed_average(self.tenant, collection, terms)
            yield from self.backend.add_terms(self.tenant, collection, terms)


def _values(document: PreparedDocument) -> dict[str, Any]:
    return {**document.fields, "content_hash": document.content_hash, "chunk_count": len(document.chunks)}


def _slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
