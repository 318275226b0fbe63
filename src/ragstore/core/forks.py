"""What a forked child has of its parent's, and must not end: connections. They are noted as they are made and used."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import URL

from ragstore.core.backend import Backend


class Connections:
    """The drivers' connections that one owner has open.

    Nothing is locked, as a lock could be held by another thread while this process forks.
    """

    def __init__(self, backend: Backend, url: URL) -> None:
        """Note none yet."""
        self._backend = backend
        self._url = url
        self._idle: dict[int, Any] = {}
        self._used: dict[int, Any] = {}
        _owners.add(self)

    def use(self, driver: Any) -> None:
        """Note that a connection is in use."""
        self._used[id(driver)] = driver
        self._idle.pop(id(driver), None)

    def rest(self, driver: Any) -> None:
        """Note that a connection is idle; None: it has been closed."""
        if driver is not None:
            self._idle[id(driver)] = driver
            self._used.pop(id(driver), None)

    def forget(self, driver: Any) -> None:
        """Note that a connection is closed, or another's from now on."""
        self._idle.pop(id(driver), None)
        self._used.pop(id(driver), None)

    def leave(self) -> None:
        """Give up all of them, in a child."""
        idle, used = list(self._idle.values()), list(self._used.values())
        self._idle, self._used = {}, {}
        self._backend.leave_to_parent(self._url, idle, used)


_owners: weakref.WeakSet[Connections] = weakref.WeakSet()
_followers: list[weakref.WeakMethod[Callable[[], None]]] = []


def watch(engine: Engine, backend: Backend) -> None:
    """Note an engine's connections; a forked child's pool begins empty."""
    connections = Connections(backend, engine.url)
    event.listen(engine, "connect", lambda driver, _entry: connections.use(driver))
    event.listen(engine, "checkout", lambda driver, _entry, _proxy: connections.use(driver))
    event.listen(engine, "checkin", lambda driver, _entry: connections.rest(driver))
    event.listen(engine, "detach", lambda driver, _entry: connections.forget(driver))
    event.listen(engine, "close", lambda driver, _entry: connections.forget(driver))
    _engines[engine] = connections


_engines: weakref.WeakKeyDictionary[Engine, Connections] = weakref.WeakKeyDictionary()


def in_child(call: Callable[[], None]) -> None:
    """Call a method in each forked child, once the connections are given up, for as long as its object is there."""
    _followers[:] = [*(follower for follower in _followers if follower() is not None), weakref.WeakMethod(call)]


def keep_for_ever(thing: object) -> None:
    """Let nothing end this, not even the interpreter's end: to close a parent's connection would end it there."""
    import ctypes  # seldom needed

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _begin_anew() -> None:
    for owner in list(_owners):
        owner.leave()
    for engine in list(_engines):
        engine.dispose(close=False)
    for follower in _followers:
        if (call := follower()) is not None:
            call()


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_begin_anew)
