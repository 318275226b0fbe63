"""The border of the corpus: what is put is checked here, whole, before anything is stored."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ragstore.core import json, vectors
from ragstore.core.border import STRICT_TEXT, TextPolicy, name
from ragstore.core.text import normalize_language
from ragstore.corpus.records import EmbeddingSpace, NewChunk, NewDocument
from ragstore.corpus.tables import LABEL_BYTES, SOURCE_BYTES
from ragstore.errors import InvalidInput

MAX_CONTENT = 1_000_000
MAX_INT = 2**31 - 1

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
        content_hash: Of everything but the vectors: equal when a put would change nothing.
    """

    source: str
    language: str | None
    fields: dict[str, Any]
    chunks: list[PreparedChunk]
    duplicates: int
    replaced: int
    content_hash: bytes


def _digest(fields: Mapping[str, Any], chunks: Sequence[PreparedChunk]) -> bytes:
    parts = [fields, [[c.place, c.content_hash.hex(), c.attributes] for c in chunks]]
    return hashlib.sha256(json.dumps(parts).encode()).digest()


def hash_content(content: str) -> bytes:
    """Give SHA-256 of the normalised text: Unicode NFC, line ends as LF, no outer white space."""
    lines = content.replace("\r\n", "\n").replace("\r", "\n").strip()
    return hashlib.sha256(unicodedata.normalize("NFC", lines).encode("utf-8", "surrogatepass")).digest()


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
    if isinstance(chunks, str | bytes) or not isinstance(chunks, Iterable):
        raise InvalidInput(f"must be a list of texts or chunks, not {type(chunks).__name__}", field="chunks")
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
        _digest(fields, kept),
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
    return PreparedChunk(place, content, hash_content(content), attributes, vectors.kept(chunk.embedding))


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
