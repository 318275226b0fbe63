"""What the sync face does in its own way; `_face_async` is its hand-written twin."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
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


sleep = time.sleep


@contextmanager
def repeating(call: Callable[[], None], seconds: float) -> Iterator[None]:
    """Call something every so many seconds in a thread while the block runs; its error is raised at the end."""
    stop = Event()

    def repeat() -> None:
        while not stop.is_set():
            call()
            stop.wait(seconds)

    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(repeat)
        try:
            yield
        finally:
            stop.set()
            task.result()
