"""Databases as applications of one's own have made them, on SQLite and on PostgreSQL."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, create_engine, select, text

from ragstore import Store
from ragstore.backends import read_url
from ragstore.schema import metadata

TABLES = """
CREATE TABLE conversation (
  id INTEGER PRIMARY KEY, thread_id VARCHAR(64), user_query TEXT, response TEXT, sources TEXT, timestamp {time},
  response_time FLOAT, feedback INTEGER, feedback_text TEXT, user_id VARCHAR(64), model TEXT, ip_address TEXT
);
CREATE TABLE document_chunk (
  id VARCHAR(36) PRIMARY KEY, source TEXT, title TEXT, content TEXT, content_hash VARCHAR(64), chunk_index INTEGER,
  doc_type TEXT, doc_version TEXT, embedding_id TEXT, embedding {vector}, metadata {json}, created_at {aware}
);
CREATE TABLE rate_limit (ip_address TEXT PRIMARY KEY, request_count INTEGER, window_start {time});
"""
TYPES = {
    "sqlite": {"time": "DATETIME", "aware": "TEXT", "json": "TEXT", "vector": "TEXT"},
    "postgresql": {"time": "TIMESTAMP", "aware": "TIMESTAMPTZ", "json": "JSONB", "vector": "TEXT"},
}
START = datetime(2023, 4, 5, 6, 7, 8, 123456, tzinfo=UTC)
QUESTIONS = ("How do I open a file?", "And how do I close it?", "What of the lock?", "¿Dónde está el café?", "Why?")
ANSWERS = ("Call open with its path.", "Call close, or use with.", "It is released.", "Aquí.", "")


def sources_of(number: int) -> str | None:
    """Sources as old applications have stored them, in turn."""
    kinds = (
        json.dumps(["a.html", "b.html"]),
        "a.html | b.html",
        json.dumps([{"title": "A", "url": "https://example.org/a", "score": 0.5, "snippet": "An a."}]),
        None,
        "",
        "a.html",
        "[]",
    )
    return kinds[number % len(kinds)]


def exchange(number: int, thread: str | None = None, **other: Any) -> dict[str, Any]:
    """A row of the old conversations."""
    return {
        "id": number,
        "thread_id": thread or f"thread-{number % 7}",
        "user_query": f"{QUESTIONS[number % 5]} ({number})",
        "response": ANSWERS[number % 5],
        "sources": sources_of(number),
        "timestamp": str((START + timedelta(seconds=number)).replace(tzinfo=None)),
        "response_time": number % 9 / 4,
        "feedback": (None, 1, -1, 0)[number % 4],
        "feedback_text": "Well said." if number % 4 == 1 else None,
        "user_id": None,
        "model": "gpt-old" if number % 2 else None,
        "ip_address": "127.0.0.1",
        **other,
    }


def piece(number: int, source: str | None = None, **other: Any) -> dict[str, Any]:
    """A row of the old chunks."""
    content = f"This is what piece {number} says of files and locks."
    return {
        "id": f"chunk-{number:05}",
        "source": source or f"https://example.org/{number // 4}",
        "title": f"Page {number // 4}",
        "content": content,
        "content_hash": hashlib.md5(content.encode()).hexdigest(),
        "chunk_index": number % 4,
        "doc_type": "guide",
        "doc_version": "2.1",
        "embedding_id": f"vector-{number}",
        "embedding": None,
        "metadata": json.dumps({"section": number % 3}),
        "created_at": (START + timedelta(minutes=number)).isoformat(),
        **other,
    }


class OldApp:
    """An old application's database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: Engine = create_engine(read_url(url))

    @classmethod
    def on(cls, engine: Engine) -> OldApp:
        """On an engine that is there."""
        app = cls.__new__(cls)
        app.url, app.engine = str(engine.url), engine
        return app

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def create(self) -> OldApp:
        types = TYPES[self.engine.dialect.name]
        self.run(*filter(str.strip, TABLES.format(**types).split(";")))
        return self

    def add(self, table: str, *rows: dict[str, Any]) -> None:
        columns = list(rows[0])
        cast = {"metadata": "CAST(:metadata AS JSONB)"} if self.engine.dialect.name == "postgresql" else {}
        values = ", ".join(cast.get(column, f":{column}") for column in columns)
        with self.engine.begin() as connection:
            connection.execute(text(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"), list(rows))

    def fill(self, exchanges: int = 40, pieces: int = 30) -> OldApp:
        """Make the tables, with rows whose ids are not in the order of their times."""
        self.create()
        if exchanges:
            self.add("conversation", *(exchange(number) for number in range(1, exchanges + 1)))
        if pieces:
            self.add("document_chunk", *(piece(number) for number in range(pieces)))
        self.run("INSERT INTO rate_limit VALUES ('127.0.0.1', 3, '2023-04-05 06:07:08')")
        return self

    def checksum(self) -> str:
        """Of all old rows and their tables."""
        old = MetaData()
        old.reflect(self.engine, only=["conversation", "document_chunk", "rate_limit"])
        with self.engine.connect() as connection:
            rows = [
                connection.exec_driver_sql(f"SELECT CAST(t.{column.name} AS TEXT) FROM {table.name} t ORDER BY 1").all()
                for table in old.sorted_tables
                for column in table.columns
            ]
        return hashlib.sha256(repr((str(old.tables), rows)).encode()).hexdigest()


def stored(store: Any) -> dict[str, list[str]]:
    """All rows of the store, by table."""
    found = {}
    with store.begin(read_only=True) as unit:
        options = {"schema_translate_map": {"ragstore": None}} if unit.connection.dialect.name == "sqlite" else {}
        skipped = "sqlite" if unit.connection.dialect.name == "postgresql" else "postgresql"
        for table in metadata.sorted_tables:
            if table.info.get("only") == skipped:
                continue
            rows = unit.connection.execute(select(table), execution_options=options).all()
            found[table.name] = sorted(map(repr, rows))
    return found


@pytest.fixture
def sqlite_store(sqlite_database: str) -> Iterator[Store]:
    """A store on SQLite alone, for what does not depend on the database."""
    with Store.open(sqlite_database) as opened:
        yield opened


@pytest.fixture
def sqlite_old(tmp_path: Path) -> Iterator[OldApp]:
    """An old SQLite file without tables."""
    app = OldApp(f"sqlite:///{tmp_path}/old.db")
    yield app
    app.engine.dispose()


@pytest.fixture
def postgres_old(postgres_database: str) -> Iterator[OldApp]:
    """An old PostgreSQL database without tables."""
    app = OldApp(postgres_database)
    yield app
    app.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest) -> OldApp:
    """Either."""
    app: OldApp = request.getfixturevalue("sqlite_old" if request.param == "sqlite" else "postgres_old")
    return app
