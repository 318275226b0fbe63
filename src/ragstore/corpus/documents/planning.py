"""What a put has to write: worked out from what is there and what is wanted, without a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from ragstore.corpus.documents.preparing import PreparedChunk
from ragstore.corpus.statements import StoredChunk


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

    def lacking(self) -> list[PreparedChunk]:
        """List the chunks that have no vector yet."""
        return [*self.added, *(chunk for _, chunk in self.unembedded)]


def nothing(wanted: Sequence[PreparedChunk], lacking: Mapping[bytes, UUID]) -> Changes:
    """Plan for a document whose hash says that it is as wanted.

    Args:
        wanted: Its chunks.
        lacking: Those that have no vector, by content hash.
    """
    unembedded = [(lacking[chunk.content_hash], chunk) for chunk in wanted if chunk.content_hash in lacking]
    return Changes(unchanged=len(wanted), unembedded=unembedded)


def plan(stored: Sequence[tuple[StoredChunk, bool]], wanted: Sequence[PreparedChunk], language: str) -> Changes:
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


def _compare(changes: Changes, stored: StoredChunk, wanted: PreparedChunk, language: str) -> None:
    attributes = {key: getattr(stored, key) for key in wanted.attributes}
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
