"""What a put has to write: worked out from what is there and what is wanted, without a database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from ragstore.corpus.documents.preparing import PreparedChunk
from ragstore.corpus.statements import StoredChunk

Placed = tuple[UUID, PreparedChunk]
"""A stored chunk's id, and what it shall be."""


@dataclass(slots=True)
class Changes:
    """What a put writes.

    Attributes:
        skipped: Texts that the collection has in another document, and of which this one gets no copy.
        unembedded: By space, the stored chunks that have no vector in it.
    """

    added: list[PreparedChunk] = field(default_factory=list)
    rewritten: list[Placed] = field(default_factory=list)
    deleted: list[UUID] = field(default_factory=list)
    skipped: list[PreparedChunk] = field(default_factory=list)
    unembedded: dict[UUID, list[Placed]] = field(default_factory=dict)
    reanalyzed: list[Placed] = field(default_factory=list)
    updated: int = 0
    moved: int = 0
    unchanged: int = 0

    def skip(self, present: Collection[bytes]) -> None:
        """Add none of the texts that are present elsewhere."""
        self.skipped = [chunk for chunk in self.added if chunk.content_hash in present]
        self.added = [chunk for chunk in self.added if chunk.content_hash not in present]

    def lack(self, space: UUID, lacking: Mapping[bytes, UUID], wanted: Sequence[PreparedChunk]) -> None:
        """Note which of the wanted chunks are stored without a vector in a space; `lacking` has them by hash."""
        self.unembedded[space] = [(lacking[c.content_hash], c) for c in wanted if c.content_hash in lacking]

    def lacking(self, space: UUID) -> list[PreparedChunk]:
        """List the chunks that have no vector in a space yet."""
        return [*self.added, *(chunk for _, chunk in self.unembedded.get(space, ()))]

    @property
    def any(self) -> bool:
        """Say whether a chunk has to be written."""
        return bool(self.added or self.rewritten or self.deleted)


def plan(stored: Sequence[StoredChunk], wanted: Sequence[PreparedChunk], language: str) -> Changes:
    """Work out what has to be written so that the stored chunks become the wanted ones.

    A chunk is known by its text: the same text keeps its id and vectors wherever it stands now.

    Args:
        stored: The document's chunks.
        wanted: What they shall be, each text once.
        language: What language they shall be in.
    """
    changes = Changes()
    known = {chunk.content_hash: chunk for chunk in reversed(stored)}
    kept: set[UUID] = set()
    for chunk in wanted:
        match = known.get(chunk.content_hash)
        if match is None:
            changes.added.append(chunk)
        else:
            kept.add(match.id)
            _compare(changes, match, chunk, language)
    changes.deleted = [chunk.id for chunk in stored if chunk.id not in kept]
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
