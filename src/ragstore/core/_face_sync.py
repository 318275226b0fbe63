"""What the sync face does in its own way; `_face_async` is its hand-written twin."""

from __future__ import annotations

import os
import select
import selectors
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Lock, Thread, get_ident
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL

from ragstore.core.engines import side_pool
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


def side_engine(engine: Engine) -> Engine:
    """Make an engine of the same kind, with a pool of its own that makes connections as the given one's does."""
    return side_pool(engine)


def worker() -> object:
    """Name what runs now: code in the same thread would wait for itself."""
    return os.getpid(), get_ident()  # a forked child's threads have the names of its parent's


def socket_ready(socket: int, *, write: bool, seconds: float) -> bool:
    """Wait until a socket can be read from or written to; False: not within so many seconds."""
    if not hasattr(select, "poll"):  # Windows
        with selectors.SelectSelector() as selector:
            selector.register(socket, selectors.EVENT_WRITE if write else selectors.EVENT_READ)
            return bool(selector.select(max(seconds, 0)))
    poll = select.poll()
    poll.register(socket, select.POLLOUT if write else select.POLLIN)
    return bool(poll.poll(max(seconds * 1000, 0)))


def within(seconds: float, call: Callable[[], T], late: Callable[[T], None]) -> T:
    """Give what a call gives, or raise `TimeoutError`. The call goes on, and what it gives then goes to `late`."""
    answer: Future[T] = Future()
    # a daemon: a connection attempt that hangs must not hold up the end of the process
    Thread(target=_answer, args=(answer, call), daemon=True, name="ragstore-connect").start()

    def hand_over(done: Future[T]) -> None:
        if done.exception() is None:
            late(done.result())

    try:
        return answer.result(max(seconds, 0))
    except TimeoutError:
        answer.add_done_callback(hand_over)
        raise


def _answer(answer: Future[T], call: Callable[[], T]) -> None:
    try:
        answer.set_result(call())
    except BaseException as error:  # noqa: BLE001 - raised again where the answer is read
        answer.set_exception(error)


class Slots:
    """So many at a time. Who waits longest goes first; a semaphore of `threading` lets the quickest go first."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[Lock] = deque()
        self._lock = Lock()

    def acquire(self, seconds: float) -> bool:
        """Take a slot; False: none came free within so many seconds."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            if turn.acquire(timeout=max(seconds, 0)):
                return True
        except BaseException:
            if not self._leave(turn):
                self.release()
            raise
        return not self._leave(turn)

    def _leave(self, turn: Lock) -> bool:
        """Wait no longer; False: the slot has come in this very moment."""
        with self._lock:
            if turn not in self._waiting:
                return False
            self._waiting.remove(turn)
            return True

    def release(self) -> None:
        """Give the slot back."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


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


CANCELLATIONS = (KeyboardInterrupt, GeneratorExit)
"""What ends a block that nothing is wrong with."""


def to_the_end(call: Callable[[], T]) -> T:
    """Give what a call gives."""
    return call()
