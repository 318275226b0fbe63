"""What is to be taken over, in the order in which it will be: on disk, so that old tables may be of any size.

It is a temporary SQLite file, which nobody else sees and which goes with the process.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ragstore.core.times import from_microseconds, to_microseconds
from ragstore.errors import InvalidInput
from ragstore.operations.adoption.records import Kind, Refusal
from ragstore.operations.adoption.rows import OldChunk, OldExchange, joined

_TABLES = """
CREATE TABLE exchange (pk PRIMARY KEY, thread TEXT, at INTEGER, name TEXT, owner TEXT);
CREATE TABLE piece (pk PRIMARY KEY, source TEXT, place INTEGER, at INTEGER, hash BLOB, digest BLOB);
CREATE INDEX piece_source ON piece (source);
CREATE TABLE refusal (kind TEXT, pk TEXT, reason TEXT);
"""
_ARRANGED = """
CREATE TEMP TABLE owner AS
  SELECT thread, owner FROM (
    SELECT thread, owner, row_number() OVER (PARTITION BY thread ORDER BY at, pk) AS n FROM exchange
    WHERE owner IS NOT NULL
  ) WHERE n = 1;
INSERT INTO refusal
  SELECT 'conversation', e.pk, 'user_id: its thread belongs to another user, ' || o.owner
  FROM exchange AS e JOIN owner AS o USING (thread) WHERE e.owner <> o.owner;
CREATE TABLE turn (n INTEGER PRIMARY KEY, pk, thread TEXT, name TEXT, owner TEXT, there INTEGER NOT NULL DEFAULT 0);
INSERT INTO turn (pk, thread, name, owner)
  SELECT e.pk, e.thread, e.name, o.owner FROM exchange AS e LEFT JOIN owner AS o USING (thread)
  WHERE e.owner IS NULL OR e.owner = o.owner ORDER BY e.thread, e.at, e.pk;
DROP TABLE exchange;
CREATE TABLE document (
  n INTEGER PRIMARY KEY, source TEXT, rows INTEGER, chunks INTEGER, first INTEGER, last INTEGER, digest BLOB, state TEXT
);
INSERT INTO document (source, rows, chunks, first, last)
  SELECT source, count(*), count(DISTINCT hash), min(at), max(at) FROM piece GROUP BY source ORDER BY source;
"""
_IN_PLACE = "ORDER BY place IS NULL, place, pk"


@dataclass(frozen=True, slots=True)
class Turn:
    """An exchange of the plan.

    Attributes:
        n: Its place in the plan.
        key: Its row's id.
        name: What the host's ids of its messages begin with.
        owner: Whose its thread is.
        there: The store has it.
    """

    n: int
    key: Any
    thread: str
    name: str
    owner: str | None
    there: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """A document of the plan.

    Attributes:
        n: Its place in the plan.
        rows: Its rows.
        chunks: Its different texts.
        first: When the first of them was stored, if that is known.
        last: When the last one was.
        state: How the store has it: "missing", "present" as planned, "changed", or "kept", as somebody else's.
    """

    n: int
    source: str
    rows: int
    chunks: int
    first: datetime | None
    last: datetime | None
    digest: bytes
    state: str


class Plan:
    """What was read and may be stored, and what may not."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file

    # ----------------------------------------------------------------------------------------- while reading

    def add_exchanges(self, batch: Iterable[tuple[Any, OldExchange]]) -> None:
        """Plan exchanges, each with its row's id."""
        rows = [(key, old.thread, to_microseconds(old.at), old.name, old.user) for key, old in batch]
        self._insert("INSERT INTO exchange VALUES (?, ?, ?, ?, ?)", rows)

    def add_chunks(self, batch: Iterable[tuple[Any, OldChunk]]) -> None:
        """Plan chunks, each with its row's id."""
        rows = [
            (key, old.source, old.place, old.at and to_microseconds(old.at), old.content_hash, old.digest())
            for key, old in batch
        ]
        self._insert("INSERT INTO piece VALUES (?, ?, ?, ?, ?, ?)", rows)

    def refuse(self, kind: Kind, key: object, reason: str) -> None:
        """Note a row that cannot be taken over."""
        self._file.execute("INSERT INTO refusal VALUES (?, ?, ?)", (kind, _safe(str(key)), _safe(reason)))

    def arrange(self) -> None:
        """Put everything in order, once it is read; a thread belongs to the first user that wrote in it."""
        self._file.executescript(f"BEGIN; {_ARRANGED} COMMIT;")
        self._file.execute("BEGIN")
        for n, source in self._file.execute("SELECT n, source FROM document"):
            found = self._file.execute(f"SELECT digest FROM piece WHERE source = ? {_IN_PLACE}", (source,))  # noqa: S608
            whole = joined(digest for (digest,) in found)
            self._file.execute("UPDATE document SET digest = ? WHERE n = ?", (whole, n))
        self._file.execute("COMMIT")

    # ------------------------------------------------------------------------------------------- exchanges

    def turns(self, size: int, *, missing: bool = False) -> Iterator[list[Turn]]:
        """Give the exchanges by thread, time and id, so many at a time; perhaps only those that are missing."""
        statement = "SELECT n, pk, thread, name, owner, there FROM turn WHERE n > ? AND there <= ? ORDER BY n LIMIT ?"
        return self._batches(statement, 0 if missing else 1, size, _to_turn)

    def note_there(self, turns: Iterable[Turn]) -> None:
        """Note which exchanges the store has."""
        self._many("UPDATE turn SET there = 1 WHERE n = ?", [(turn.n,) for turn in turns])

    def refuse_turns(self, turns: Iterable[Turn], reason: str) -> None:
        """Take exchanges off the plan."""
        for turn in turns:
            self.refuse("conversation", turn.key, reason)
            self._file.execute("DELETE FROM turn WHERE n = ?", (turn.n,))

    def count_turns(self) -> int:
        """Count the exchanges."""
        return self._number("SELECT count(*) FROM turn")

    def count_there(self) -> int:
        """Count the exchanges that the store has."""
        return self._number("SELECT count(*) FROM turn WHERE there")

    def count_threads(self) -> int:
        """Count the threads."""
        return self._number("SELECT count(DISTINCT thread) FROM turn")

    # ------------------------------------------------------------------------------------------- documents

    def documents(self, size: int, *states: str) -> Iterator[list[Planned]]:
        """Give the documents by source, so many at a time; perhaps only those in some states."""
        wanted = f"AND state IN ({', '.join('?' * len(states))})" if states else ""
        statement = f"SELECT * FROM document WHERE n > ? {wanted} ORDER BY n LIMIT ?"  # noqa: S608
        return self._batches(statement, *states, size, _to_planned)

    def count_documents(self) -> int:
        """Count the documents."""
        return self._number("SELECT count(*) FROM document")

    def keys(self, source: str) -> list[Any]:
        """Give the ids of a document's rows, in the order of its text."""
        found = self._file.execute(f"SELECT pk FROM piece WHERE source = ? {_IN_PLACE}", (source,))  # noqa: S608
        return [key for (key,) in found]

    def note_states(self, states: Iterable[tuple[Planned, str]]) -> None:
        """Note how the store has documents."""
        self._many("UPDATE document SET state = ? WHERE n = ?", [(state, document.n) for document, state in states])

    def sums(self, *states: str) -> tuple[int, int, int]:
        """Count the documents in some states, their rows and their chunks."""
        statement = "SELECT count(*), coalesce(sum(rows), 0), coalesce(sum(chunks), 0) FROM document"
        wanted = f" WHERE state IN ({', '.join('?' * len(states))})"
        documents, rows, chunks = self._file.execute(statement + wanted, states).fetchone()
        return documents, rows, chunks

    # -------------------------------------------------------------------------------------------- refusals

    def count_refused(self, kind: Kind | None = None) -> int:
        """Count the rows that cannot be taken over."""
        return self._number("SELECT count(*) FROM refusal WHERE kind = coalesce(?, kind)", kind)

    def refusals(self, names: dict[str, str]) -> tuple[Refusal, ...]:
        """List the rows that cannot be taken over; `names` are the tables' by kind."""
        found = self._file.execute("SELECT kind, pk, reason FROM refusal ORDER BY kind, rowid")
        return tuple(Refusal(table=names[kind], id=str(key), reason=reason) for kind, key, reason in found)

    def _insert(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        try:
            self._many(statement, rows)
        except sqlite3.IntegrityError:
            raise InvalidInput("two rows have the same id: name a column whose values differ", field="id") from None

    def _many(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        self._file.execute("BEGIN")
        self._file.executemany(statement, rows)
        self._file.execute("COMMIT")

    def _batches(self, statement: str, *values: Any) -> Iterator[list[Any]]:
        *parameters, make = values
        rows = self._file.execute(statement, (0, *parameters)).fetchall()
        while rows:
            yield [make(row) for row in rows]
            rows = self._file.execute(statement, (rows[-1][0], *parameters)).fetchall()

    def _number(self, statement: str, *parameters: object) -> int:
        return int(self._file.execute(statement, parameters).fetchone()[0])


def _to_turn(row: Sequence[Any]) -> Turn:
    n, key, thread, name, owner, there = row
    return Turn(n, key, thread, name, owner, bool(there))


def _to_planned(row: Sequence[Any]) -> Planned:
    n, source, rows, chunks, first, last, digest, state = row
    return Planned(n, source, rows, chunks, _time(first), _time(last), digest, state)


def _time(count: int | None) -> datetime | None:
    return None if count is None else from_microseconds(count)


def _safe(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


@contextmanager
def new_plan() -> Iterator[Plan]:
    """Make a plan for the time of a run."""
    with closing(sqlite3.connect("", isolation_level=None, check_same_thread=False)) as file:
        file.execute("PRAGMA journal_mode = OFF")  # it is never rolled back: who fails begins anew
        file.execute("PRAGMA synchronous = OFF")
        file.executescript(_TABLES)
        yield Plan(file)
