"""Rows of the old tables become messages and chunks that may be stored, or an error that says why not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from ragstore.config import Settings
from ragstore.conversations import preparing
from ragstore.conversations.preparing import Border
from ragstore.conversations.records import NewMessage
from ragstore.core import json, vectors
from ragstore.core.border import TextPolicy
from ragstore.core.records import JsonObject
from ragstore.corpus.documents.preparing import prepare
from ragstore.corpus.records import NewChunk, NewDocument
from ragstore.errors import InvalidInput
from ragstore.operations.adoption import sources, values
from ragstore.operations.adoption.old import OldRow, key_of

NOTE = "adopted"
"""Where metadata holds what has no other place with us."""
_NAME_BYTES = 230
_OF_THE_DOCUMENT = ("title", "doc_type", "version")


@dataclass(frozen=True, slots=True)
class Rules:
    """How rows are read.

    Attributes:
        settings: Of the store they go into.
        zone: Of times that do not say theirs.
        now: The present.
        space: The vectors' dimensions and metric; None: vectors are left.
    """

    settings: Settings
    zone: tzinfo
    now: datetime
    space: tuple[int, vectors.Metric] | None = None

    def policy(self) -> TextPolicy:
        """Give what happens to characters that cannot be stored."""
        return TextPolicy(self.settings.invalid_text)


# -------------------------------------------------------------------------------------------- exchanges


@dataclass(frozen=True, slots=True)
class OldExchange:
    """A question with its answer.

    Attributes:
        name: What the host's ids of both messages begin with.
        thumb: 1, -1 or None.
    """

    thread: str
    at: datetime
    name: str
    user: str | None
    question: NewMessage
    answer: NewMessage
    thumb: int | None
    comment: str | None


def exchange(row: OldRow, rules: Rules) -> OldExchange:
    """Read a row of the old conversations.

    Raises:
        InvalidInput: It cannot be stored.
    """
    at = values.moment(row["created_at"], rules.zone, rules.now, "created_at")
    question, answer = values.text(row["question"], "question"), values.text(row["answer"], "answer")
    name = _name(key_of(row), at, question)
    thumb = values.thumb(row.get("feedback"), "feedback")
    comment = values.name(row.get("comment"), "comment")
    cited = sources.read(row.get("sources"))
    note = {"sources": cited.raw, "comment": None if thumb else comment}
    kept = {key: value for key, value in note.items() if value is not None}
    found = OldExchange(
        thread=values.text(values.name(row["thread"], "thread"), "thread"),
        at=at,
        name=name,
        user=values.name(row.get("user_id"), "user_id"),
        question=NewMessage(role="user", content=question, client_id=f"{name}/question"),
        answer=NewMessage(
            role="assistant",
            content=answer,
            client_id=f"{name}/answer",
            sources=cited.citations,
            response_time=values.number(row.get("response_time"), "response_time"),
            model=values.name(row.get("model"), "model"),
            metadata={NOTE: kept} if kept else {},
        ),
        thumb=thumb,
        comment=comment if thumb else None,
    )
    _check(found, rules)
    return found


def _name(key: object, at: datetime, question: str) -> str:
    """Name an exchange: alike in every run, and unlike the same id's of another old database."""
    identity = f"{type(key).__name__}\x00{at.isoformat()}\x00{question}"
    said = _hexed(identity)[:16]
    shown = str(key)
    if not shown.isprintable() or len(shown.encode("utf-8", "surrogatepass")) > _NAME_BYTES - 30:
        shown = _hexed(repr(key))
    return f"{NOTE}/{shown}/{said}"


def _hexed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _check(found: OldExchange, rules: Rules) -> None:
    """Let in or refuse, as storing it will."""
    let_in = Border.of(rules.settings)
    preparing.thread(found.thread)
    preparing.optional_name(found.user, "user_id")
    preparing.comment(found.comment, let_in.policy)
    preparing.message(found.question, let_in, content="question")
    preparing.message(found.answer, let_in, content="answer")


# ------------------------------------------------------------------------------------------------ chunks


@dataclass(frozen=True, slots=True)
class OldChunk:
    """A piece of a document's text.

    Attributes:
        key: The row's id.
        labels: Its document's title, doc_type and version, as this row has them.
        place: Its place in the document; None: after those that have one.
        at: When it was stored, if that is known.
        chunk: What of it is the chunk's own.
        content_hash: Ours, by which it is known.
        noted: What has no other place with us.
    """

    key: Any
    source: str
    labels: dict[str, str | None]
    place: int | None
    at: datetime | None
    chunk: NewChunk
    content_hash: bytes
    noted: dict[str, Any]

    def digest(self) -> bytes:
        """Give a hash of all of it."""
        vector = None if self.chunk.embedding is None else [float(number) for number in self.chunk.embedding]
        own = [self.chunk.content, self.chunk.metadata, self.chunk.embedding_id, vector]
        at = None if self.at is None else self.at.isoformat()
        said = [str(self.key), self.source, self.labels, self.place, at, own, self.noted]
        return hashlib.sha256(json.dumps(said).encode("utf-8", "surrogatepass")).digest()


def chunk(row: OldRow, rules: Rules) -> OldChunk:
    """Read a row of the old chunks.

    Raises:
        InvalidInput: It cannot be stored.
    """
    source = values.text(values.name(row["source"], "source"), "source")
    labels = {label: values.name(row.get(label), label) for label in _OF_THE_DOCUMENT}
    metadata = values.json_object(row.get("metadata"), "metadata")
    if NOTE in metadata:
        raise InvalidInput(f"has a key {NOTE!r}, which is where an adoption notes what it keeps", field="metadata")
    new = NewChunk(
        content=values.text(row["content"], "content"),
        embedding=_vector(row.get("embedding"), rules),
        embedding_id=values.name(row.get("embedding_id"), "embedding_id"),
        metadata=metadata,
    )
    time = row.get("created_at")
    at = None if values.is_missing(time) else values.moment(time, rules.zone, rules.now, "created_at")
    old_hash = _hash(row.get("content_hash"))
    place = values.whole(row.get("chunk_index"), "chunk_index")
    noted = {"id": _as_json(row["id"]), **({"content_hash": old_hash} if old_hash else {})}
    whole = new.model_copy(update={"metadata": {**metadata, NOTE: {**noted, **labels}}})
    prepared = prepare(_document(source, labels, {}), [whole], rules.policy()).chunks[0]
    if old_hash == prepared.content_hash.hex():
        del noted["content_hash"]
    return OldChunk(row["id"], source, labels, place, at, new, prepared.content_hash, noted)


def _vector(value: object, rules: Rules) -> Any:
    found = None if rules.space is None else values.vector(value, "embedding")
    if found is None or rules.space is None:
        return None
    dimensions, metric = rules.space
    storage = vectors.storage_for(dimensions)
    return vectors.prepare(found, dimensions=dimensions, metric=metric, storage=storage)


def _hash(value: object) -> str | None:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return values.name(value, "content_hash")


def _as_json(key: object) -> int | str:
    return key if isinstance(key, int) else str(key)


def _document(source: str, labels: dict[str, str | None], metadata: JsonObject) -> NewDocument:
    return NewDocument(
        source=source,
        title=labels["title"] or "",
        doc_type=labels["doc_type"],
        version=labels["version"],
        metadata=metadata,
    )


def digest_of(chunks: Iterable[OldChunk]) -> bytes:
    """Give a hash of a document's rows, in their order."""
    return joined(old.digest() for old in chunks)


def joined(digests: Iterable[bytes]) -> bytes:
    """Give the hash of a document from those of its rows."""
    return hashlib.sha256(b"".join(digests)).digest()


def document(chunks: Sequence[OldChunk], digest: bytes) -> tuple[NewDocument, list[NewChunk]]:
    """Make a document of its chunks, in their order.

    Where they do not agree on what the document is called and what kind and version it is, the newest has the word, and
    the others keep theirs in their metadata. A text that stands there again is noted on the chunk that has it.

    Args:
        chunks: The rows.
        digest: What tells whether they have changed.
    """
    newest = max(chunks, key=lambda old: (old.at is not None, old.at, old.place or 0))
    first = {old.content_hash: old for old in reversed(chunks)}
    again: dict[bytes, list[dict[str, Any]]] = {}
    for old in chunks:
        if first[old.content_hash] is not old:
            again.setdefault(old.content_hash, []).append(_repeated(old))
    new = _document(newest.source, newest.labels, {NOTE: {"digest": digest.hex()}})
    kept = [old for old in chunks if first[old.content_hash] is old]
    return new, [_noting(old, newest.labels, again.get(old.content_hash)) for old in kept]


def _repeated(old: OldChunk) -> dict[str, Any]:
    said = {**old.noted, "embedding_id": old.chunk.embedding_id}
    return {key: value for key, value in said.items() if value is not None}


def _noting(old: OldChunk, labels: dict[str, str | None], again: list[dict[str, Any]] | None) -> NewChunk:
    differing = {label: value for label, value in old.labels.items() if value != labels[label]}
    note = {**old.noted, **differing, **({"again": again} if again else {})}
    return old.chunk.model_copy(update={"metadata": {**old.chunk.metadata, NOTE: note}})
