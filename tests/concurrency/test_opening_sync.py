# Generated from test_opening_async.py by tools/unasync.py: edit that file and run the tool again.
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
from ragstore.store._sync import Store


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Give somebody who writes to a file that has a rollback journal."""
    with closing(sqlite3.connect(tmp_path / "new.db", isolation_level=None, check_same_thread=False)) as connection:
        connection.execute("CREATE TABLE hosts (id INTEGER)")
        connection.execute("BEGIN IMMEDIATE")
        yield connection


def mode(path: Path, settings: Settings) -> str:
    with Store.open(f"sqlite:///{path}", settings) as store, store.engine.connect() as connection:
        found: str = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        return found


def test_a_writer_is_waited_for(writer: sqlite3.Connection, tmp_path: Path) -> None:
    """SQLite itself does not, where the journal is to be changed: it has two that ask for it at once fail."""
    ending = threading.Timer(0.3, writer.execute, ["COMMIT"])
    ending.start()
    assert mode(tmp_path / "new.db", Settings(busy_timeout=60)) == "wal"
    ending.join()


@pytest.mark.usefixtures("writer")
def test_a_writer_is_waited_for_until_the_time_out(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'new.db'}", Settings(busy_timeout=0.2)) as store:
        with pytest.raises(ConcurrencyError):
            store.collections.page()
