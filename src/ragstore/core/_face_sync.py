"""What the sync face does in its own way; `_face_async` is its hand-written twin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL

from ragstore.core.vectors import VectorLike

T = TypeVar("T")

ASYNCHRONOUS = False

Embed = Callable[[Sequence[str]], Sequence[VectorLike]]
"""Gives one vector for each text, in their order."""


def make_engine(url: URL, options: dict[str, Any]) -> Engine:
    """Make an engine; nothing is connected yet."""
    return create_engine(url, **options)


def plain_engine(engine: Engine) -> Engine:
    """Give the engine that events are registered on."""
    return engine


def call_embed(embed: Embed, texts: Sequence[str]) -> Sequence[VectorLike]:
    """Ask the model for vectors."""
    return embed(texts)


def each(items: Iterable[T]) -> Iterator[T]:
    """Iterate."""
    return iter(items)
