"""What the async face does in its own way; `_face_sync` is its hand-written twin."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ragstore.core.vectors import VectorLike

T = TypeVar("T")

ASYNCHRONOUS = True

Embed = Callable[[Sequence[str]], Sequence[VectorLike] | Awaitable[Sequence[VectorLike]]]
"""Gives one vector for each text, in their order. A plain function runs in a thread, a coroutine is awaited."""


def make_engine(url: URL, options: dict[str, Any]) -> AsyncEngine:
    """Make an engine; nothing is connected yet."""
    return create_async_engine(url, **options)


def plain_engine(engine: AsyncEngine) -> Engine:
    """Give the engine that events are registered on."""
    return engine.sync_engine


async def call_embed(embed: Embed, texts: Sequence[str]) -> Sequence[VectorLike]:
    """Ask the model for vectors without holding up the event loop."""
    if inspect.iscoroutinefunction(embed):
        vectors: Sequence[VectorLike] = await embed(texts)
        return vectors
    answer = await asyncio.to_thread(embed, texts)
    return await answer if inspect.isawaitable(answer) else answer


async def each(items: Iterable[T] | AsyncIterable[T]) -> AsyncIterator[T]:
    """Iterate over either kind of iterable."""
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item


sleep = asyncio.sleep


@asynccontextmanager
async def repeating(call: Callable[[], Awaitable[None]], seconds: float) -> AsyncIterator[None]:
    """Call something every so many seconds while the block runs; its error is raised at the block's end."""
    stop = asyncio.Event()

    async def repeat() -> None:
        while not stop.is_set():
            await call()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), seconds)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        stop.set()
        await task
