"""Putting a document: the steps that make the stored one equal to the given one."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ragstore.core import vectors
from ragstore.core.ids import new_id
from ragstore.core.query import Query, Steps, Write
from ragstore.core.text import analyze
from ragstore.corpus import statements
from ragstore.corpus.backend import ChunkTerms, CorpusBackend
from ragstore.corpus.planning import Changes, plan
from ragstore.corpus.preparing import PreparedChunk, PreparedDocument, Vectors, check_vectors, checked
from ragstore.corpus.reading import find_collection
from ragstore.corpus.records import Chunk, Collection, PutReport
from ragstore.corpus.statements import StoredDocument
from ragstore.corpus.statistics import refresh, seed_average
from ragstore.errors import ConcurrencyError


@dataclass(frozen=True, slots=True)
class Preview:
    """What a put would find.

    Attributes:
        report: What to report at once if there is nothing to write.
        unembedded: The chunks that need a vector and brought none.
    """

    report: PutReport | None
    unembedded: list[PreparedChunk]


def preview(tenant: str, collection_name: str, document: PreparedDocument) -> Steps[Preview]:
    """Look, without locking anything, whether there is something to write or to embed."""
    collection = yield from find_collection(tenant, collection_name)
    given = check_vectors(document, collection.space)
    stored = yield statements.stored_document(tenant, collection.id, document.source, lock=False)
    old = (yield from _stored_chunks(tenant, collection, stored[0])) if stored else []
    changes = plan(old, document.chunks, document.language or collection.language)
    lacking = changes.lacking() if collection.space else []
    unembedded = [chunk for chunk in lacking if chunk.content_hash not in given]
    is_equal = bool(stored) and stored[0].content_hash == document.digest() and len(unembedded) == len(lacking)
    return Preview(_report(stored[0].id, changes, document) if is_equal else None, unembedded)


def put(
    backend: CorpusBackend,
    tenant: str,
    collection: Collection,
    document: PreparedDocument,
    made: Vectors,
    *,
    must_embed: bool = False,
) -> Steps[PutReport]:
    """Make the stored document equal to the given one, under its lock.

    Args:
        backend: The database.
        tenant: Whose document it is.
        collection: Where to put it, as read in this transaction.
        document: What it shall be.
        made: Vectors that a model has made for it.
        must_embed: Raise `ConcurrencyError` if a chunk still lacks a vector, as another writer has come in between.
    """
    given = check_vectors(document, collection.space)
    if collection.space is not None:
        lacking = {c.content_hash for c in document.chunks if c.content_hash in made}
        given |= {content_hash: checked(made[content_hash], collection.space) for content_hash in lacking}
    return (yield from _Put(backend, tenant, collection, document, given).run(must_embed=must_embed))


def put_and_refresh(
    backend: CorpusBackend,
    tenant: str,
    collection_name: str,
    document: PreparedDocument,
    made: Vectors,
    *,
    must_embed: bool,
) -> Steps[PutReport]:
    """Put one document, and take the lexical statistics anew if that is due."""
    collection = yield from find_collection(tenant, collection_name)
    report = yield from put(backend, tenant, collection, document, made, must_embed=must_embed)
    yield from refresh(backend, tenant, collection, report.added + report.deleted)
    return report


def _stored_chunks(tenant: str, collection: Collection, stored: StoredDocument) -> Steps[list[tuple[Chunk, bool]]]:
    space_id = collection.space.id if collection.space else None
    found: list[tuple[Chunk, bool]] = yield statements.stored_chunks(tenant, stored.id, space_id)
    return found


@dataclass(frozen=True, slots=True)
class _Put:
    backend: CorpusBackend
    tenant: str
    collection: Collection
    document: PreparedDocument
    given: Mapping[bytes, vectors.Floats]

    @property
    def language(self) -> str:
        return self.document.language or self.collection.language

    def run(self, *, must_embed: bool) -> Steps[PutReport]:
        stored, created = yield from self._lock()
        old = [] if created else (yield from _stored_chunks(self.tenant, self.collection, stored))
        changes = plan(old, self.document.chunks, self.language)
        has_space = self.collection.space is not None
        if must_embed and has_space and any(c.content_hash not in self.given for c in changes.lacking()):
            raise ConcurrencyError("another writer changed the document while its vectors were made")
        embedded = yield from self._write_chunks(stored.id, changes)
        if stored.content_hash != self.document.digest():
            yield statements.update_document({"tenant": self.tenant, "document_id": stored.id, **self._values()})
        return _report(stored.id, changes, self.document, created=created, embedded=embedded)

    def _values(self) -> dict[str, Any]:
        counted = {"content_hash": self.document.digest(), "chunk_count": len(self.document.chunks)}
        return {**self.document.fields, **counted}

    def _lock(self) -> Generator[Query[Any] | Write, Any, tuple[StoredDocument, bool]]:
        """Lock the document's row, or insert it as it shall be; then it was created."""
        locked = statements.stored_document(self.tenant, self.collection.id, self.document.source, lock=True)
        found = yield locked
        if not found:
            new = {"id": new_id(), "collection_id": self.collection.id, "source": self.document.source}
            values = {"tenant_id": self.tenant, **new, **self._values()}
            if (yield statements.insert_document(self.backend, values)):
                return StoredDocument(values["id"], values["content_hash"], values["chunk_count"]), True
            found = yield locked  # another transaction has inserted it meanwhile
        return found[0], False

    def _write_chunks(self, document_id: UUID, changes: Changes) -> Steps[int]:
        if changes.deleted:
            yield statements.delete_chunks(self.tenant, changes.deleted)
        if changes.reanalyzed:
            yield from self.backend.remove_terms(self.tenant, [chunk_id for chunk_id, _ in changes.reanalyzed])
        yield statements.update_chunks([self._rewritten(*item) for item in changes.rewritten])
        new = [(new_id(), chunk) for chunk in changes.added]
        yield statements.insert_chunks([self._inserted(document_id, *item) for item in new])
        embeddings = self._embeddings([*new, *changes.unembedded])
        yield statements.insert_embeddings(embeddings)
        yield from self._write_terms([*new, *changes.reanalyzed])
        return len(embeddings)

    def _rewritten(self, chunk_id: UUID, chunk: PreparedChunk) -> dict[str, Any]:
        place = {"tenant": self.tenant, "of": chunk_id, "chunk_index": chunk.place, "language": self.language}
        return {**place, **chunk.attributes}

    def _inserted(self, document_id: UUID, chunk_id: UUID, chunk: PreparedChunk) -> dict[str, Any]:
        return {
            "tenant_id": self.tenant,
            "id": chunk_id,
            "collection_id": self.collection.id,
            "document_id": document_id,
            "chunk_index": chunk.place,
            "content": chunk.content,
            "content_hash": chunk.content_hash,
            "language": self.language,
            **chunk.attributes,
        }

    def _embeddings(self, chunks: Iterable[tuple[UUID, PreparedChunk]]) -> list[dict[str, Any]]:
        space = self.collection.space
        if space is None:
            return []
        column = "half" if space.storage == "halfvec" else "dense"
        of_space = {"tenant_id": self.tenant, "space_id": space.id}
        return [
            {**of_space, "chunk_id": chunk_id, column: self.given[chunk.content_hash]}
            for chunk_id, chunk in chunks
            if chunk.content_hash in self.given
        ]

    def _write_terms(self, chunks: list[tuple[UUID, PreparedChunk]]) -> Steps[None]:
        if chunks:
            terms = [ChunkTerms(chunk_id, analyze(chunk.content, self.language)) for chunk_id, chunk in chunks]
            seeded = yield from seed_average(self.tenant, self.collection, terms)
            yield from self.backend.add_terms(self.tenant, seeded, terms)


def _report(
    document_id: UUID, changes: Changes, document: PreparedDocument, *, created: bool = False, embedded: int = 0
) -> PutReport:
    return PutReport(
        document_id=document_id,
        created=created,
        added=len(changes.added),
        updated=changes.updated,
        moved=changes.moved,
        unchanged=changes.unchanged,
        deleted=len(changes.deleted),
        duplicates=document.duplicates,
        embedded=embedded,
        replaced_characters=document.replaced,
    )
