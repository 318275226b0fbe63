"""PostgreSQL and forks: a child has the sockets of its parent's sessions, and could end or confuse them."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from psycopg import Error
from psycopg.pq.abc import PGconn
from sqlalchemy.engine import URL


def leave_to_parent(url: URL, idle: Sequence[Any], used: Sequence[Any]) -> None:
    """Put dead sockets in the places of a parent's: what is done to its connections here reaches no session of its."""
    dead, other = socket.socketpair()
    with dead:
        other.close()
        for driver in idle:
            connection = _raw(driver)
            _replace(connection, dead)
            connection.finish()
        for driver in used:
            _replace(_raw(driver), dead)


def _replace(connection: PGconn, dead: socket.socket) -> None:
    with suppress(Error):  # it is closed
        os.dup2(dead.fileno(), connection.socket, inheritable=False)


def _raw(driver: Any) -> PGconn:
    """Give libpq's connection of either face's."""
    inner: Any = getattr(driver, "driver_connection", driver)
    connection: PGconn = inner.pgconn
    return connection
