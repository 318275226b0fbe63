"""What a store knows of its engine's pool; the same for both faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.pool import QueuePool, SingletonThreadPool, StaticPool

from ragstore.backends import backend_for
from ragstore.config import Settings
from ragstore.core.backend import READ_ONLY
from ragstore.errors import UsageError


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """A pool's connections.

    Attributes:
        size: Connections that are kept open at most; None for a pool without a bound.
        in_use: Connections handed out now.
        idle: Open connections waiting for use.
        overflow: Connections open beyond `size`.
    """

    size: int | None
    in_use: int
    idle: int
    overflow: int


def pool_status(engine: Engine) -> PoolStatus:
    """Read an engine's pool."""
    pool = engine.pool
    if not isinstance(pool, QueuePool):
        return PoolStatus(None, 0, 0, 0)
    return PoolStatus(pool.size(), pool.checkedout(), pool.checkedin(), max(pool.overflow(), 0))


def is_single_connection(engine: Engine) -> bool:
    """Say whether all calls share one connection.

    Raises:
        UsageError: Each thread would get a database of its own.
    """
    if isinstance(engine.pool, SingletonThreadPool):
        raise UsageError("this engine gives each thread its own database in memory: make it with poolclass=StaticPool")
    return isinstance(engine.pool, StaticPool)


def read_only_options() -> dict[str, Any]:
    """Give the engine options under which a transaction cannot write."""
    return {"postgresql_readonly": True, READ_ONLY: True}


class Catalog(dict[tuple[str, str], Any]):
    """What a store remembers of its collections, bounded: when full, it starts anew."""

    LIMIT = 4096

    def __setitem__(self, key: tuple[str, str], value: Any) -> None:
        """Remember a collection."""
        if len(self) >= self.LIMIT:
            self.clear()
        super().__setitem__(key, value)


def configure_engine(engine: Engine, settings: Settings | None = None) -> None:
    """Give a host's own engine what ours have: on SQLite foreign keys, WAL and the write lock at a unit's start.

    For an async engine pass its `sync_engine`. Call it once, before the first connection.

    Args:
        engine: The host's engine.
        settings: Time-outs and durability; by default `Settings()`.
    """
    backend_for(engine.dialect).set_up(engine, settings or Settings())
