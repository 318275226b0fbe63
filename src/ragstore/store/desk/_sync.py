# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""Decides rate limits, within a deadline and whatever the caller's transactions do."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Engine

from ragstore.config import Settings
from ragstore.core._face_sync import Slots, sleep, socket_ready, within
from ragstore.core.backend import Backend
from ragstore.core.forks import Connections, in_child
from ragstore.errors import ConcurrencyError, ConnectionLost, PoolTimeout, RagstoreError, Unavailable
from ragstore.rate_limits.backend import Answers, Batch, LimitsBackend
from ragstore.store.desk.breaker import Breaker, NoAnswer

_PAUSE = 0.002


class Desk:
    """A few drivers' connections of its own, and who may use them.

    SQLAlchemy's pool and execution cost more than a decision does, and libpq's time-outs are whole seconds. So the
    engine makes the connections, and all else is done here: an idle one is taken without waiting, and a new one is made
    while the caller waits no longer than its deadline.
    """

    def __init__(self, engine: Engine, backend: Backend, limits: LimitsBackend, settings: Settings) -> None:
        """Make connections by `engine`, as many as the settings say."""
        self._engine = engine
        self._backend = backend
        self._limits = limits
        self._schema = settings.schema
        self._idle_limit = settings.ping_after
        # SQLite has one writer: waiting here is fairer than its busy handler, and polls nothing.
        self._size = 1 if backend.supports.in_process else settings.side_pool_size
        self._slots = Slots(self._size)
        self._idle: list[tuple[float, Any]] = []
        self._connections = Connections(backend, engine.url)
        self._closed = False
        self._breaker = Breaker()
        in_child(self._begin_anew)

    def decide(self, batch: Batch) -> Answers:
        """Decide a batch.

        Raises:
            Unavailable: The database cannot be reached, or could not be a moment ago.
            Timeout: It took longer than the batch may.
        """
        if self._breaker.is_open():
            raise Unavailable("the database could not be reached a moment ago")
        begun = time.monotonic()
        try:
            answers = self._decide(batch, begun + batch.max_wait)
        except (Unavailable, NoAnswer) as error:
            if batch.action != "give" or not isinstance(error, ConnectionLost):
                self._breaker.failed(error, begun)
            raise
        except PoolTimeout:  # our own connections are all in use, which says nothing of the database
            raise
        except RagstoreError:
            self._breaker.worked()
            raise
        self._breaker.worked()
        return answers

    def close(self) -> None:
        """Close the idle connections; those in use or being made are closed when they come back."""
        self._closed = True
        self._forget_idle()

    def _begin_anew(self) -> None:
        """Begin a forked child's life: connections are the parent's, and so are the threads that hold slots."""
        self._idle = []
        self._slots = Slots(self._size)
        self._breaker = Breaker()

    def _decide(self, batch: Batch, deadline: float) -> Answers:
        lost = False
        while True:
            try:
                with self._backend.translating():
                    return self._ask(batch, deadline)
            except ConnectionLost:  # idle connections die with the server: a new one tells whether it is there again
                self._forget_idle()
                if lost or batch.action == "give":  # what may have been given back is not given back again
                    raise
                lost = True
            # nothing was counted: the server isolates transactions more than by default, or a host's pool lets fewer
            # connect at once than there are slots, and gives up before the deadline
            except (ConcurrencyError, PoolTimeout):
                if time.monotonic() > deadline:
                    raise
                sleep(_PAUSE)

    def _ask(self, batch: Batch, deadline: float) -> Answers:
        if not self._slots.acquire(deadline - time.monotonic()):
            raise PoolTimeout("so many decide at once that none came to it within the policy's max_wait")
        try:
            driver = self._take_idle() or self._new(deadline)
            try:
                answers = self._talk(driver, batch, deadline)
            except BaseException:
                if self._limits.is_idle(driver):
                    self._keep(driver)
                else:  # an answer may still be on its way
                    self._hang_up(driver)
                raise
            self._keep(driver)
        finally:
            self._slots.release()
        return answers

    def _talk(self, driver: Any, batch: Batch, deadline: float) -> Answers:
        talk = self._limits.talk(driver, batch, self._schema, deadline - time.monotonic())
        try:
            while True:
                socket, write = next(talk)
                if not socket_ready(socket, write=write, seconds=deadline - time.monotonic()):
                    raise NoAnswer("the database did not answer within the policy's max_wait")
        except StopIteration as stop:
            answers: Answers = stop.value
            return answers

    def _take_idle(self) -> Any:
        while self._idle:
            since, driver = self._idle.pop()
            if time.monotonic() - since < self._idle_limit:
                self._connections.use(driver)
                return driver
            self._hang_up(driver)
        return None

    def _new(self, deadline: float) -> Any:
        try:
            return within(deadline - time.monotonic(), self._connect, self._keep)
        except TimeoutError as error:
            raise NoAnswer("no connection could be made within the policy's max_wait") from error

    def _connect(self) -> Any:
        pooled = self._engine.raw_connection()
        driver = pooled.driver_connection
        pooled.detach()
        self._connections.use(driver)
        return driver

    def _keep(self, driver: Any) -> None:
        if self._closed or len(self._idle) >= self._size:  # some that had been given up are made after all
            self._hang_up(driver)
        else:
            self._connections.rest(driver)
            self._idle.append((time.monotonic(), driver))

    def _forget_idle(self) -> None:
        while self._idle:
            self._hang_up(self._idle.pop()[1])

    def _hang_up(self, driver: Any) -> None:
        self._connections.forget(driver)
        self._limits.hang_up(driver)
