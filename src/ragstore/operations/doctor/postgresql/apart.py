"""Fresh connections, beside those of the application's pool."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from ragstore.core.engines import side_pool
from ragstore.migrations import targets


@contextmanager
def apart(engine: Engine) -> Iterator[Connection]:
    """Make a connection as the engine's pool does, its `connect` events included, for reading transactions."""
    beside = side_pool(engine)
    try:
        with targets.connecting(beside):
            connection = beside.connect()
        with connection:
            yield connection.execution_options(isolation_level="READ COMMITTED", postgresql_readonly=True)
    finally:
        beside.dispose()
