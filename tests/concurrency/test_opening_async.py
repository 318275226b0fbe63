"""A SQLite file that is new, or was made by others, is opened while somebody writes to it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ragstore.config import Settings
from ragstore.errors import ConcurrencyError
from ragstore.store._async import AsyncStore

pytestmark = pytest.mark.anyio


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Give somebody who writes to a file that has a rollback journal."""
    with closing(sqlite3.connect(tmp_path / "new.db", isolation_level=None, check_same_thread=False)) as connection:
        connection.execute("CREATE TABLE hosts (id INTEGER)")
        connection.execute("BEGIN IMMEDIATE")
        yield connection


async def mode(path: Path, settings: Settings) -> str:
    async with AsyncStore.open(f"sqlite:///{path}", settings) as store, store.engine.connect() as connection:
        found: str = (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar_one()
        return found


async def test_a_writer_is_waited_for(writer: sqlite3.Connection, tmp_path: Path) -> None:
    """SQLite itself does not, where the journal is to be changed: it has two that ask for it at once fail."""
    ending = threading.Timer(0.3, writer.execute, ["COMMIT"])
    ending.start()
    assert await mode(tmp_path / "new.db", Settings(busy_timeout=60)) == "wal"
    ending.join()


@pytest.mark.usefixtures("writer")
async def test_a_writer_is_waited_for_until_the_time_out(tmp_path: Path) -> None:
    async with AsyncStore.open(f"sqlite:///{tmp_path / 'new.db'}", Settings(busy_timeout=0.2)) as store:
        with pytest.raises(ConcurrencyError):
            await store.collections.page()
