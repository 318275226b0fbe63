"""Putting a document: what changes is worked out here, without a database, and written in steps."""

from __future__ import annotations

import hashlib
import random
import unicodedata
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ragstore.core import bm25, json, vectors
from ragstore.core.border import STRICT_TEXT, TextPolicy, name
from ragstore.core.ids import new_id
from ragstore.core.query import Query, Steps, Write
from ragstore.core.text import analyze, normalize_language
from ragstore.corpus import statements
from ragstore.corpus.backend import ChunkTerms, CorpusBackend
from ragstore.corpus.reading import find_collection
from ragstore.corpus.records import Chunk, Collection, EmbeddingSpace, NewChunk, NewDocument, PutReport
from ragstore.corpus.tables import LABEL_BYTES, SOURCE_BYTES
from ragstore.errors import ConcurrencyError, InvalidInput

MAX_CONTENT = 1_000_000
MAX_INT = 2**31 - 1
REFRESH_SHARE = 0.1
"""Statistics are taken anew after about this share of a collection has changed."""
REINDEX_ROWS = 500

Vectors = Mapping[bytes, vectors.VectorLike]
"""Vectors by the content hash of their text."""


@dataclass(frozen=True, slots=True)
class PreparedChunk:
    """A chunk whose every value may be stored."""

    place: int
    content: str
    content_hash: bytes
    attributes: dict[str, Any]
    embedding: vectors.VectorLike | None


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A document whose every value may be stored.

    Attributes:
        fields: Column values.
        chunks: Its chunks, each text once.
        duplicates: How many chunks repeated another's text.
        replaced: How many characters were replaced.
    """

    source: str
    language: str | None
    fields: dict[str, Any]
    chunks: list[PreparedChunk]
    duplicates: int
    replaced: int

    def digest(self) -> bytes:
        """Give a hash of everything but the vectors: equal when a put would change nothing."""
        parts = [self.fields, [[c.place, c.content_hash.hex(), c.attributes] for c in self.chunks]]
        return hashlib.sha256(json.dumps(parts).encode()).digest()


@dataclass(slots=True)
class Changes:
    """What a put writes."""

    added: list[PreparedChunk] = field(default_factory=list)
    rewritten: list[tuple[UUID, PreparedChunk]] = field(default_factory=list)
    deleted: list[UUID] = field(default_factory=list)
    unembedded: list[tuple[UUID, PreparedChunk]] = field(default_factory=list)
    reanalyzed: list[tuple[UUID, PreparedChunk]] = field(default_factory=list)
    updated: int = 0
    moved: int = 0
    unchanged: int = 0


def hash_content(content: str) -> bytes:
    """Give SHA-256 of the normalised text: Unicode NFC, line ends as LF, no outer white space."""
    lines = content.replace("\r\n", "\n").replace("\r", "\n").strip()
    return hashlib.sha256(unicodedata.normalize("NFC", lines).encode("utf-8", "surrogatepass")).digest()


# ---------------------------------------------------------------------------------------------- the border


def prepare(document: NewDocument, chunks: Sequence[NewChunk | str], policy: TextPolicy) -> PreparedDocument:
    """Check a document and its chunks.

    Raises:
        InvalidInput: A value cannot be stored; `field` and, for a chunk, `index` say which.
    """
    if not isinstance(document, NewDocument):
        raise InvalidInput(f"must be a NewDocument, not {type(document).__name__}", field="document")
    fields = {
        "title": policy.text(document.title, field="title"),
        "doc_type": _label(document.doc_type, "doc_type"),
        "version": _label(document.version, "version"),
        "language": None if document.language is None else normalize_language(document.language),
        "meta": json.clean(_object(document.metadata, None), policy, field="metadata"),
    }
    prepared = [_prepare_chunk(chunk, place, policy) for place, chunk in enumerate(chunks)]
    first_of = {chunk.content_hash: chunk for chunk in reversed(prepared)}
    kept = [chunk for chunk in prepared if first_of[chunk.content_hash] is chunk]
    return PreparedDocument(
        name(document.source, field="source", max_bytes=SOURCE_BYTES),
        fields["language"],
        fields,
        kept,
        len(prepared) - len(kept),
        policy.replaced,
    )


def _prepare_chunk(chunk: NewChunk | str, place: int, policy: TextPolicy) -> PreparedChunk:
    if isinstance(chunk, str):
        chunk = NewChunk(content=chunk)
    if not isinstance(chunk, NewChunk):
        raise InvalidInput(f"must be a NewChunk or text, not {type(chunk).__name__}", field="chunks", index=place)
    content = policy.text(chunk.content, field="content", index=place)
    if not content.strip():
        raise InvalidInput("must not be empty or white space only: leave the chunk out", field="content", index=place)
    if len(content) > MAX_CONTENT:
        raise InvalidInput(f"has {len(content):,} characters, at most {MAX_CONTENT:,}", field="content", index=place)
    attributes = {
        "meta": json.clean(_object(chunk.metadata, place), policy, field="metadata", index=place),
        "start_offset": _whole(chunk.start_offset, "start_offset", place),
        "end_offset": _whole(chunk.end_offset, "end_offset", place),
        "page": _whole(chunk.page, "page", place),
        "heading": None if chunk.heading is None else policy.text(chunk.heading, field="heading", index=place),
        "embedding_id": _label(chunk.embedding_id, "embedding_id", place),
    }
    return PreparedChunk(place, content, hash_content(content), attributes, chunk.embedding)


def _object(value: object, index: int | None) -> object:
    if not isinstance(value, Mapping):
        raise InvalidInput(f"must be a dict, not {type(value).__name__}", field="metadata", index=index)
    return value


def _label(value: str | None, field: str, index: int | None = None) -> str | None:
    if value is None:
        return None
    text = STRICT_TEXT.text(value, field=field, index=index)
    if len(text.encode()) > LABEL_BYTES:
        raise InvalidInput(f"must be at most {LABEL_BYTES} bytes in UTF-8", field=field, index=index)
    return text


def _whole(value: int | None, field: str, index: int) -> int | None:
    if value is not None and not 0 <= value <= MAX_INT:
        raise InvalidInput(f"must be from 0 to {MAX_INT:,}", field=field, index=index)
    return value


def check_vectors(document: PreparedDocument, space: EmbeddingSpace | None) -> dict[bytes, vectors.Floats]:
    """Give the vectors that came with the chunks, by content hash.

    Raises:
        InvalidInput: A vector cannot be stored, or the collection has no embedding space.
    """
    given = [chunk for chunk in document.chunks if chunk.embedding is not None]
    if given and space is None:
        advice = "ensure it with model= and dimensions="
        raise InvalidInput(f"the collection has no embedding space: {advice}", field="embedding", index=given[0].place)
    return {c.content_hash: checked(c.embedding, space, c.place) for c in given if space and c.embedding is not None}


def checked(vector: vectors.VectorLike, space: EmbeddingSpace, index: int | None = None) -> vectors.Floats:
    """Check a vector against its space."""
    return vectors.prepare(vector, dimensions=space.dimensions, metric=space.metric, storage=space.storage, index=index)


# ------------------------------------------------------------------------------------------------ the plan


def plan(stored: Sequence[tuple[Chunk, bool]], wanted: Sequence[PreparedChunk], language: str) -> Changes:
    """Work out what has to be written so that the stored chunks become the wanted ones.

    A chunk is known by its text: the same text keeps its id and vector wherever it stands now.

    Args:
        stored: The document's chunks, each with whether it has a vector.
        wanted: What they shall be, each text once.
        language: What language they shall be in.
    """
    changes = Changes()
    known = {chunk.content_hash: (chunk, embedded) for chunk, embedded in reversed(stored)}
    kept: set[UUID] = set()
    for chunk in wanted:
        match, embedded = known.get(chunk.content_hash, (None, False))
        if match is None:
            changes.added.append(chunk)
            continue
        kept.add(match.id)
        _compare(changes, match, chunk, language)
        if not embedded:
            changes.unembedded.append((match.id, chunk))
    changes.deleted = [chunk.id for chunk, _ in stored if chunk.id not in kept]
    return changes


def _compare(changes: Changes, stored: Chunk, wanted: PreparedChunk, language: str) -> None:
    attributes = {key: getattr(stored, "metadata" if key == "meta" else key) for key in wanted.attributes}
    if stored.language != language:
        changes.reanalyzed.append((stored.id, wanted))
    if attributes != wanted.attributes or stored.language != language:
        changes.updated += 1
    elif stored.chunk_index != wanted.place:
        changes.moved += 1
    else:
        changes.unchanged += 1
        return
    changes.rewritten.append((stored.id, wanted))


# ------------------------------------------------------------------------------------------------ the steps


@dataclass(frozen=True, slots=True)
class Preview:
    """What a put would find.

    Attributes:
        report: What to report at once if there is nothing to write.
        unembedded: The chunks that need a vector.
    """

    report: PutReport | None
    unembedded: list[PreparedChunk]


def preview(tenant: str, collection_name: str, document: PreparedDocument) -> Steps[Preview]:
    """Look, without locking anything, whether there is something to write or to embed."""
    collection = yield from find_collection(tenant, collection_name)
    given = check_vectors(document, collection.space)
    stored = yield statements.stored_document(tenant, collection.id, document.source, lock=False)
    if not stored:
        return Preview(None, [c for c in document.chunks if c.content_hash not in given] if collection.space else [])
    space_id = collection.space.id if collection.space else None
    old = yield statements.stored_chunks(tenant, stored[0].id, space_id)
    changes = plan(old, document.chunks, document.language or collection.language)
    lacking = [*changes.added, *(chunk for _, chunk in changes.unembedded)] if collection.space else []
    lacking_given = any(chunk.content_hash in given for chunk in lacking)
    if stored[0].content_hash == document.digest() and not lacking_given:
        report = _report(stored[0].id, False, changes, document, 0)
        return Preview(report, [c for c in lacking if c.content_hash not in given])
    return Preview(None, [chunk for chunk in lacking if chunk.content_hash not in given])


def put(
    backend: CorpusBackend,
    tenant: str,
    collection_name: str,
    document: PreparedDocument,
    made: Vectors,
    *,
    must_embed: bool = False,
) -> Steps[PutReport]:
    """Make the stored document equal to the given one, under its lock.

    Args:
        backend: The database.
        tenant: Whose document it is.
        collection_name: Where to put it.
        document: What it shall be.
        made: Vectors that a model has made for it.
        must_embed: Raise `ConcurrencyError` if a chunk still lacks a vector, as another writer has come in between.
    """
    collection = yield from find_collection(tenant, collection_name)
    space = collection.space
    given = check_vectors(document, space)
    if space is not None:
        given |= {key: checked(vector, space) for key, vector in made.items()}
    stored, created = yield from _lock_document(backend, tenant, collection, document)
    old = yield statements.stored_chunks(tenant, stored.id, space.id if space else None)
    changes = plan(old, document.chunks, document.language or collection.language)
    if must_embed and any(c.content_hash not in given for c in (*changes.added, *(c for _, c in changes.unembedded))):
        raise ConcurrencyError("another writer changed the document while its vectors were made")
    embedded = yield from _write(backend, tenant, collection, stored.id, document, changes, given)
    digest = document.digest()
    if stored.content_hash != digest:
        values = {"tenant": tenant, "document_id": stored.id, "content_hash": digest, **document.fields}
        yield statements.update_document({**values, "chunk_count": len(document.chunks)})
    yield from refresh(backend, tenant, collection, len(changes.added) + len(changes.deleted))
    return _report(stored.id, created, changes, document, embedded)


def _lock_document(
    backend: CorpusBackend, tenant: str, collection: Collection, document: PreparedDocument
) -> Generator[Query[Any] | Write, Any, tuple[statements.StoredDocument, bool]]:
    locked = statements.stored_document(tenant, collection.id, document.source, lock=True)
    found = yield locked
    if found:
        return found[0], False
    values = {
        "tenant_id": tenant,
        "id": new_id(),
        "collection_id": collection.id,
        "source": document.source,
        "content_hash": b"",
        "chunk_count": 0,
        **document.fields,
    }
    inserted = yield statements.insert_document(backend, values)
    return (yield locked)[0], inserted == 1


def _write(
    backend: CorpusBackend,
    tenant: str,
    collection: Collection,
    document_id: UUID,
    document: PreparedDocument,
    changes: Changes,
    given: Mapping[bytes, vectors.Floats],
) -> Steps[int]:
    language = document.language or collection.language
    if changes.deleted:
        yield statements.delete_chunks(tenant, changes.deleted)
    if changes.reanalyzed:
        yield from backend.remove_terms(tenant, [chunk_id for chunk_id, _ in changes.reanalyzed])
    places = {"tenant": tenant, "language": language}
    yield statements.update_chunks(
        [{**places, "of": i, "chunk_index": c.place, **c.attributes} for i, c in changes.rewritten]
    )
    new = [(new_id(), chunk) for chunk in changes.added]
    shared = {"tenant_id": tenant, "collection_id": collection.id, "document_id": document_id, "language": language}
    yield statements.insert_chunks(
        [
            {**shared, "id": i, "chunk_index": c.place, "content": c.content, "content_hash": c.content_hash}
            | c.attributes
            for i, c in new
        ]
    )
    embedded = _embedding_rows(tenant, collection.space, [*new, *changes.unembedded], given)
    yield statements.insert_embeddings(embedded)
    terms = [ChunkTerms(i, analyze(c.content, language)) for i, c in [*new, *changes.reanalyzed]]
    if terms:
        seeded = yield from _seed_average(tenant, collection, terms)
        yield from backend.add_terms(tenant, seeded, terms)
    return len(embedded)


def _embedding_rows(
    tenant: str,
    space: EmbeddingSpace | None,
    chunks: Sequence[tuple[UUID, PreparedChunk]],
    given: Mapping[bytes, vectors.Floats],
) -> list[dict[str, Any]]:
    if space is None:
        return []
    column = "half" if space.storage == "halfvec" else "dense"
    return [
        {"tenant_id": tenant, "space_id": space.id, "chunk_id": i, column: given[chunk.content_hash]}
        for i, chunk in chunks
        if chunk.content_hash in given
    ]


def _report(document_id: UUID, created: bool, changes: Changes, document: PreparedDocument, embedded: int) -> PutReport:
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


# ------------------------------------------------------------------------------------- lexical statistics


def _seed_average(tenant: str, collection: Collection, terms: Sequence[ChunkTerms]) -> Steps[Collection]:
    """Take the first chunks' average length, which weights need before there are statistics."""
    if collection.average_length > 0:
        return collection
    average = sum(chunk.terms.length for chunk in terms) / len(terms) or 1.0
    yield statements.update_collection(tenant, collection.id, {"average_length": average})
    return collection.model_copy(update={"average_length": average})


def refresh_due(collection: Collection, changed: int) -> bool:
    """Say whether statistics should be taken anew after so many chunks have come or gone.

    Without a counter that every writer would wait for: a change refreshes with the probability of its share, so that
    the cost of all refreshes stays in proportion to the growth.
    """
    span = collection.analyzed_chunks * REFRESH_SHARE
    return changed > 0 and (changed >= span or random.random() < changed / span)


def refresh(backend: CorpusBackend, tenant: str, collection: Collection, changed: int) -> Steps[None]:
    """Take the collection's lexical statistics anew if that is due and nobody else is doing it."""
    if refresh_due(collection, changed) and (yield statements.lock_collection(tenant, collection.id, wait=False)):
        yield from take_statistics(backend, tenant, collection.name)


def analyze_collection(backend: CorpusBackend, tenant: str, collection_name: str) -> Steps[Collection]:
    """Take a collection's lexical statistics anew, waiting for whoever is at it."""
    collection = yield from find_collection(tenant, collection_name)
    yield statements.lock_collection(tenant, collection.id, wait=True)
    yield from take_statistics(backend, tenant, collection_name)
    return (yield from find_collection(tenant, collection_name))


def take_statistics(backend: CorpusBackend, tenant: str, collection_name: str) -> Steps[None]:
    """Count the terms; past 20 % drift of the average length, weigh every chunk anew. The collection is locked."""
    collection = yield from find_collection(tenant, collection_name)
    _, average = yield from backend.measure_length(tenant, collection)
    if bm25.drifted(collection.average_length, average):
        yield statements.update_collection(tenant, collection.id, {"average_length": average})
        collection = collection.model_copy(update={"average_length": average})
        if backend.stores_weights:
            yield from _weigh_anew(backend, tenant, collection)
    yield from backend.count_terms(tenant, collection)


def _weigh_anew(backend: CorpusBackend, tenant: str, collection: Collection) -> Steps[None]:
    after = UUID(int=0)
    while rows := (yield statements.contents(tenant, collection.id, after, REINDEX_ROWS)):
        chunk_ids = [chunk_id for chunk_id, _, _ in rows]
        yield from backend.remove_terms(tenant, chunk_ids)
        terms = [ChunkTerms(chunk_id, analyze(content, language)) for chunk_id, content, language in rows]
        yield from backend.add_terms(tenant, collection, terms)
        after = chunk_ids[-1]
