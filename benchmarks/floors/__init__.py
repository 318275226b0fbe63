"""The same work by hand: raw psycopg (binary COPY, prepared statements) and raw sqlite3.

A floor writes the same values into the same tables with the same indexes, and reads the same columns back; it only
knows in advance what ragstore has to find out: the collection's ids and statistics, and which settings suit the data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from benchmarks.data import Document, Floats, Width
from benchmarks.databases import path_of
from benchmarks.floors.postgresql import PostgresFloor
from benchmarks.floors.sqlite import SqliteFloor

Plan = Callable[[Floats], list[Any]]


class Floor(Protocol):
    """What the jobs ask of a floor."""

    index: tuple[str, str] | None

    def find(self, collection: str) -> None: ...
    def load(self, documents: Sequence[Document]) -> None: ...
    def compare(self, documents: Sequence[Document]) -> None: ...
    def settle(self) -> None: ...
    def plans(self, width: Width | None = None) -> dict[str, Plan]: ...
    def text_search(self, text: str) -> list[Any]: ...
    def hybrid(self, text: str, vector: Floats) -> list[Any]: ...
    def place(self, row: Any) -> tuple[str, int]: ...
    def start(self, thread: str) -> Any: ...
    def append(self, conversation: Any, content: str) -> None: ...
    def latest(self, conversation: Any) -> list[Any]: ...
    def another(self) -> Floor: ...
    def close(self) -> None: ...


def floor_of(url: str) -> Floor:
    """Give the floor of a database."""
    return SqliteFloor(path_of(url)) if url.startswith("sqlite") else PostgresFloor(url)


__all__ = ["Floor", "Plan", "floor_of"]
