"""The vectors that a store keeps: what stays, and what goes."""

import os
from uuid import UUID

import pytest

from ragstore.core.memory import NO_MEMORY, Held, ReadOnlyMemory, SpaceKey, VectorMemory, Version


def key(number: int, tenant: str = "default") -> SpaceKey:
    return tenant, UUID(int=number)


def held(size: int, added: int = 1) -> Held:
    return Held(Version(added, 0, None), (), 0, size)


def test_what_was_not_used_for_longest_goes() -> None:
    """K-21: never more than the limit."""
    memory = VectorMemory(100)
    for number in range(3):
        memory.keep(key(number), held(30))
    memory.find(key(0))
    memory.keep(key(3), held(40))
    assert [memory.find(key(number)) is not None for number in range(4)] == [True, False, True, True]
    assert memory.size == 100
    memory.keep(key(4), held(95))
    assert memory.size == 95
    assert memory.find(key(4)) is not None


def test_what_does_not_fit_is_not_kept() -> None:
    memory = VectorMemory(100)
    assert not memory.reserve(key(1), 101)
    memory.keep(key(1), held(60))
    memory.keep(key(1), held(101, added=2))
    assert memory.find(key(1)) is None
    assert memory.size == 0


def test_what_is_being_read_takes_its_place_beforehand() -> None:
    """K-21: the others go before the space is read, and a second reader does not read it, too."""
    memory = VectorMemory(100)
    memory.keep(key(1), held(60))
    assert memory.reserve(key(2), 70)
    assert memory.find(key(1)) is None
    assert memory.size == 70
    assert not memory.reserve(key(2), 70)
    memory.keep(key(2), held(70))
    memory.release(key(2))
    assert memory.size == 70
    assert memory.reserve(key(2), 80)
    memory.release(key(2))
    assert memory.size == 0


def test_a_forked_process_reads_what_its_parent_was_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that had reserved it is not there."""
    memory = VectorMemory(100)
    assert memory.reserve(key(1), 10)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert memory.reserve(key(1), 10)
    assert not memory.reserve(key(1), 10)


def test_a_look_keeps_nothing() -> None:
    memory = VectorMemory(100)
    memory.keep(key(1), held(10))
    look = ReadOnlyMemory(memory)
    assert look.find(key(1)) is not None
    look.keep(key(1), held(20, added=2))
    look.keep(key(2), held(20))
    assert not look.reserve(key(2), 10)
    assert memory.find(key(1)) == look.find(key(1))
    assert memory.size == 10
    assert not NO_MEMORY.reserve(key(1), 1)


def test_tenants_have_memories_of_their_own() -> None:
    memory = VectorMemory(100)
    memory.keep(key(1, "a"), held(10))
    assert memory.find(key(1, "b")) is None
