"""Work in bounded portions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into slices of at most so many."""
    return (items[start : start + size] for start in range(0, len(items), size))


def portions(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Read an iterable so many items at a time."""
    remaining = iter(items)
    while some := list(islice(remaining, size)):
        yield some
