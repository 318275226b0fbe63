"""What a thread and an event loop do in their own ways: pause, run something beside, cancel a statement."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.util import await_only, greenlet_spawn

from ragstore.migrations import guard
from ragstore.migrations.guard import Sleep

T = TypeVar("T")
Ended = Callable[[float], bool]
"""Wait for so many seconds; True: stop now."""
Beside = Callable[[Ended], None]


class Hands(Protocol):
    """How one face works."""

    def pause(self, seconds: float, /) -> None:
        """Wait; raise if the caller waits no longer."""
        ...

    def beside(self, work: Beside) -> Any:
        """Run work beside the block, which its end stops and waits for."""
        ...

    def cancel(self, connection: Connection) -> None:
        """Tell the server, over a connection of its own, to end what runs on this one."""
        ...


class ThreadHands:
    """Threads."""

    def __init__(self, pause: Sleep = time.sleep) -> None:
        self.pause = pause

    @contextmanager
    def beside(self, work: Beside) -> Iterator[None]:
        """Run work in another thread."""
        stop = Event()
        # a daemon: a connection attempt that hangs must not hold up the end of the process
        thread = Thread(target=work, args=(stop.wait,), daemon=True, name="ragstore-indexes")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def cancel(self, connection: Connection) -> None:
        """Send a cancel request."""
        _driver(connection).cancel_safe()


class LoopHands:
    """Tasks on an event loop; every method is called in a greenlet of SQLAlchemy's."""

    def __init__(self, pause: Sleep) -> None:
        self.pause = pause

    @staticmethod
    async def run(work: Callable[[Hands], T], *, interrupt: bool) -> T:
        """Run work on the loop. A cancelled caller waits until it has ended.

        Args:
            work: What to do.
            interrupt: Cancel the statement too: the driver tells the server, and waits. Else the next pause ends it.
        """
        running = asyncio.ensure_future(greenlet_spawn(work, LoopHands(guard.on_loop())))
        return await guard.to_its_end(running, running.cancel if interrupt else None)

    @contextmanager
    def beside(self, work: Beside) -> Iterator[None]:
        """Run work in another task."""
        stop = asyncio.Event()

        def ended(seconds: float) -> bool:
            return bool(await_only(_within(stop, seconds)))

        task = asyncio.ensure_future(greenlet_spawn(work, ended))
        try:
            yield
        finally:
            stop.set()
            await_only(asyncio.wait([task]))
        task.result()

    def cancel(self, connection: Connection) -> None:
        """Send a cancel request."""
        await_only(_driver(connection).cancel_safe())


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
