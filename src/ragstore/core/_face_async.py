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

from ragstore.core.engines import side_pool
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


def side_engine(engine: AsyncEngine) -> AsyncEngine:
    """Make an engine of the same kind, with a pool of its own that makes connections as the given one's does."""
    return AsyncEngine(side_pool(engine.sync_engine))


def worker() -> object:
    """Name what runs now: code in the same task would wait for itself."""
    return asyncio.current_task()


async def socket_ready(socket: int, *, write: bool, seconds: float) -> bool:
    """Wait until a socket can be read from or written to; False: not within so many seconds."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    watch, forget = (loop.add_writer, loop.remove_writer) if write else (loop.add_reader, loop.remove_reader)
    watch(socket, ready.set)
    try:
        async with asyncio.timeout(seconds):  # wait_for loses a cancellation before Python 3.12
            await ready.wait()
    except TimeoutError:
        return False
    finally:
        forget(socket)
    return True


async def within(seconds: float, call: Callable[[], Awaitable[T]], late: Callable[[T], None]) -> T:
    """Give what a call gives, or raise `TimeoutError`. The call goes on, and what it gives then goes to `late`."""
    task = asyncio.ensure_future(call())

    def hand_over(done: asyncio.Future[T]) -> None:
        if not done.cancelled() and done.exception() is None:
            late(done.result())

    try:
        async with asyncio.timeout(seconds):
            return await asyncio.shield(task)
    except (TimeoutError, asyncio.CancelledError):
        task.add_done_callback(hand_over)
        raise


class Slots:
    """So many at a time, in each event loop: a semaphore belongs to the loop in which it was first waited for."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._of_loop: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}

    async def acquire(self, seconds: float) -> bool:
        """Take a slot; False: none came free within so many seconds."""
        slots = self._own()
        if not slots.locked():
            return await slots.acquire()
        try:
            async with asyncio.timeout(seconds):
                return await slots.acquire()
        except TimeoutError:
            return False

    def release(self) -> None:
        """Give the slot back."""
        self._own().release()

    def _own(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        if loop not in self._of_loop:
            others = {one: slots for one, slots in self._of_loop.items() if not one.is_closed()}
            self._of_loop = {**others, loop: asyncio.Semaphore(self._count)}
        return self._of_loop[loop]


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


CANCELLATIONS = (asyncio.CancelledError, GeneratorExit)
"""What ends a block that nothing is wrong with."""


async def to_the_end(call: Callable[[], Awaitable[T]]) -> T:
    """Give what a call gives, even if the task that waits for it is cancelled meanwhile, which is told after it."""
    task = asyncio.ensure_future(call())
    cancelled = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:  # some cancel again and again until the task is out of a block
            cancelled = error
    if cancelled is not None and task.exception() is None:
        raise cancelled
    return task.result()
