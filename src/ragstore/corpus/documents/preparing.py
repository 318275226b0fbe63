"""The border of the corpus: what is put is checked here, whole, before anything is stored."""

from __future__ import annotations

import hashlib
import json as plain_json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias
from uuid import UUID

from ragstore.core import json, vectors
from ragstore.core.border import STRICT_TEXT, TextPolicy, name
from ragstore.core.text import normalize_language
from ragstore.corpus.documents.targets import Targets
from ragstore.corpus.records import EmbeddingSpace, NewChunk, NewDocument
from ragstore.corpus.tables import LABEL_BYTES, SOURCE_BYTES
from ragstore.errors import InvalidInput

MAX_CONTENT = 1_000_000
MAX_INT = 2**31 - 1

Made = Mapping[UUID, Mapping[bytes, vectors.VectorLike]]
"""Vectors that models made: by space, then by the content hash of their text."""
Given: TypeAlias = "dict[UUID, dict[bytes, vectors.Floats]]"
"""Checked vectors: by space, then by the content hash of their text."""

_NO_VECTORS: Mapping[str | None, vectors.VectorLike] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PreparedChunk:
    """A chunk whose every value may be stored, but for its vectors.

    Attributes:
        embeddings: Its vectors by model; None is the active space's, whatever its model.
    """

    place: int
    content: str
    content_hash: bytes
    attributes: dict[str, Any]
    embeddings: Mapping[str | None, vectors.VectorLike]


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


def hash_content(content: str, metadata: Mapping[str, Any] | None = None) -> bytes:
    """Give the hash by which a text is known: SHA-256 of it after normalisation.

    Normalised is: Unicode NFC, line ends as LF, no outer white space, UTF-8. Metadata that is given and not empty is
    part of it: behind the text a NUL, which no text has, and its JSON with sorted keys.
    """
    lines = content.replace("\r\n", "\n").replace("\r", "\n").strip()
    text = unicodedata.normalize("NFC", lines)
    if metadata:
        text += "\0" + plain_json.dumps(metadata, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def prepare(
    document: NewDocument, chunks: Sequence[NewChunk | str], policy: TextPolicy, *, hash_metadata: bool = False
) -> PreparedDocument:
    """Check a document and its chunks.

    Args:
        document: The document.
        chunks: Its chunks, or their texts.
        policy: What happens to characters that cannot be stored.
        hash_metadata: A chunk is known by its text and its metadata, not by its text alone.

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
    prepared = [_prepare_chunk(chunk, place, policy, hash_metadata) for place, chunk in enumerate(chunks)]
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


def _prepare_chunk(chunk: NewChunk | str, place: int, policy: TextPolicy, hash_metadata: bool) -> PreparedChunk:
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
    content_hash = hash_content(content, attributes["meta"] if hash_metadata else None)
    return PreparedChunk(place, content, content_hash, attributes, _vectors_of(chunk, place))


def _vectors_of(chunk: NewChunk, place: int) -> Mapping[str | None, vectors.VectorLike]:
    if chunk.embedding is None and not chunk.embeddings:
        return _NO_VECTORS
    own: Mapping[str | None, vectors.VectorLike] = _NO_VECTORS
    if chunk.embedding is not None:
        own = {None: vectors.kept(chunk.embedding)}
    given: object = chunk.embeddings
    if not isinstance(given, Mapping):
        message = f"must be a dict of vectors by model, not {type(given).__name__}"
        raise InvalidInput(message, field="embeddings", index=place)
    return {**own, **{model: vectors.kept(vector) for model, vector in given.items()}}


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


def check_vectors(document: PreparedDocument, targets: Targets, made: Made) -> Given:
    """Give the vectors that came with the chunks, and those that models have made.

    Raises:
        InvalidInput: A vector cannot be stored, or there is no space for it.
    """
    given: Given = {}
    for space in targets.spaces:
        made_here = made.get(space.id)
        if made_here:
            wanted = [chunk.content_hash for chunk in document.chunks if chunk.content_hash in made_here]
            given[space.id] = {content_hash: checked(made_here[content_hash], space) for content_hash in wanted}
    for chunk in document.chunks:
        for model, vector in chunk.embeddings.items():
            space_of_model = targets.space_for(model, index=chunk.place)
            if space_of_model is not None:
                vectors_there = given.setdefault(space_of_model.id, {})
                vectors_there[chunk.content_hash] = checked(vector, space_of_model, chunk.place)
    return given


def checked(vector: vectors.VectorLike, space: EmbeddingSpace, index: int | None = None) -> vectors.Floats:
    """Check a vector against its space."""
    return vectors.prepare(vector, dimensions=space.dimensions, metric=space.metric, storage=space.storage, index=index)
