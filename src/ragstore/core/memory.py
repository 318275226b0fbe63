"""The vectors that a store keeps in memory, for databases that have no index on them.

Nothing is locked, as a lock could be held by another thread while this process forks: what is kept is never changed,
only replaced, and each step on a dictionary is atomic.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from ragstore.core.nearest import Block

SpaceKey = tuple[str, UUID]
"""A tenant and a space."""


@dataclass(frozen=True, slots=True)
class Version:
    """Which state of a space's vectors a copy is of.

    Attributes:
        added: How many were ever added.
        removed: How many were ever removed or changed.
        newest: The last chunk's id: two copies of one file may count alike.
    """

    added: int
    removed: int
    newest: str | None

    @property
    def counted(self) -> int:
        """Give a number that only grows."""
        return self.added + self.removed


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A space's vectors, whole, as of a version; never changed.

    Attributes:
        last_row: The largest row number among them.
        size: Bytes.
    """

    version: Version
    blocks: tuple[Block, ...]
    last_row: int
    size: int


class VectorMemory:
    """Spaces' vectors, up to a limit; those that were not used for longest go first."""

    def __init__(self, limit: int) -> None:
        """Keep at most so many bytes."""
        self._limit = limit
        self._held: dict[SpaceKey, Held] = {}
        self._used: dict[SpaceKey, int] = {}
        self._loading: dict[SpaceKey, tuple[int, int]] = {}
        self._clock = count()

    def find(self, key: SpaceKey) -> Held | None:
        """Give what is kept of a space, of whatever version."""
        held = self._held.get(key)
        if held is not None:
            self._used[key] = next(self._clock)
        return held

    def reserve(self, key: SpaceKey, size: int) -> bool:
        """Make room for a space that is to be read; False if it does not fit, or if another is reading it.

        What is reserved must be released.
        """
        if size > self._limit:
            return False
        claim = (os.getpid(), size)
        other = self._loading.setdefault(key, claim)
        if other is not claim and other[0] == claim[0]:  # else it is of the process that this one was forked from
            return False
        self._loading[key] = claim
        self._held.pop(key, None)
        self._evict(but=key)
        return True

    def release(self, key: SpaceKey) -> None:
        """Give up a reservation; what was read has been kept, or not."""
        self._loading.pop(key, None)

    def keep(self, key: SpaceKey, held: Held) -> None:
        """Keep a space's vectors for all who share this memory: those of a committed state, read by a reader."""
        if held.size > self._limit:
            self._held.pop(key, None)
            return
        self._held[key] = held
        self._used[key] = next(self._clock)
        self._evict(but=key)

    def _evict(self, *, but: SpaceKey) -> None:
        for key in sorted(set(self._held) - {but}, key=lambda key: self._used.get(key, 0)):
            if self.size <= self._limit:
                break
            self._held.pop(key, None)
            self._used.pop(key, None)

    @property
    def size(self) -> int:
        """Count the bytes that are kept, and those that are reserved."""
        kept = dict(self._held)
        claims = {key: claim for key, claim in dict(self._loading).items() if key not in kept}
        loading = sum(size for process, size in claims.values() if process == os.getpid())
        return sum(held.size for held in kept.values()) + loading


class ReadOnlyMemory(VectorMemory):
    """A look at another memory: for a transaction, whose own writes nobody else may see."""

    def __init__(self, shared: VectorMemory) -> None:
        """Look at `shared`."""
        super().__init__(0)
        self._shared = shared

    def find(self, key: SpaceKey) -> Held | None:
        """Give what is kept of a space, of whatever version."""
        return self._shared.find(key)

    def keep(self, key: SpaceKey, held: Held) -> None:
        """Keep nothing."""


NO_MEMORY = VectorMemory(0)
"""Keeps nothing."""
