"""The work by sqlite3 and NumPy alone, and by sqlite-vec where there is a SQLite that can load it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data import Document, Floats, Width
from benchmarks.floors.postgresql import DEPTH, HIT, MESSAGE
from ragstore.core import bm25
from ragstore.core.ids import new_id
from ragstore.core.text import analyze, term_id
from ragstore.corpus.documents.preparing import hash_content

SOURCE, PLACE = 9, 2


class SqliteFloor:
    """The work by sqlite3 alone."""

    index = None

    def __init__(self, path: str) -> None:
        self._path = path
        self._version: int | None = None
        self._by_extension: Any = None
        self._shares = False
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=10)
        self.connection.execute("PRAGMA foreign_keys = ON")

    def find(self, collection: str) -> None:
        """Look up once what the statements need."""
        self.collection_id, self.salt, self.average, self.analyzed, self.space_id = self.connection.execute(
            "SELECT c.id, c.salt, c.average_length, c.analyzed_chunks, s.id FROM rag_collection c"
            " JOIN rag_embedding_space s ON s.collection_id = c.id WHERE c.name = ?",
            [collection],
        ).fetchone()
        self.idf = dict(
            self.connection.execute(
                "SELECT term, idf FROM rag_term WHERE tenant_id = 'default' AND collection_id = ?",
                [self.collection_id],
            ).fetchall()
        )
        self._version = None

    # ------------------------------------------------------------------------------------------------- writing

    @contextmanager
    def _transaction(self) -> Any:
        self.connection.execute("BEGIN IMMEDIATE")
        yield
        self.connection.execute("COMMIT")

    def load(self, documents: Sequence[Document]) -> None:
        """Insert the documents in one transaction, by executemany."""
        now = int(time.time() * 1e6)
        with self._transaction():
            key = self.connection.execute("SELECT coalesce(max(key), 0) FROM rag_chunk_key").fetchone()[0]
            for new, chunks in documents:
                document = new_id().hex
                described = (new.source, new.title, new.doc_type, new.version)
                self.connection.execute(
                    "INSERT INTO rag_document (id, collection_id, source, title, doc_type, version, content_hash,"
                    " metadata, chunk_count, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, x'', ?, ?, ?, ?)",
                    [document, self.collection_id, *described, json.dumps(new.metadata), len(chunks), now, now],
                )
                analysed = [(new_id().hex, chunk, analyze(chunk.content, "en")) for chunk in chunks]
                self.connection.executemany(
                    "INSERT INTO rag_chunk (id, collection_id, document_id, chunk_index, content, content_hash,"
                    " language, metadata, created_at) VALUES (?, ?, ?, ?, ?, ?, 'en', '{}', ?)",
                    [
                        (i, self.collection_id, document, place, c.content, hash_content(c.content), now)
                        for place, (i, c, _) in enumerate(analysed)
                    ],
                )
                self.connection.executemany(
                    "INSERT INTO rag_embedding (space_id, chunk_id, dense) VALUES (?, ?, ?)",
                    [(self.space_id, i, np.asarray(c.embedding).astype("<f4").tobytes()) for i, c, _ in analysed],
                )
                keyed = list(enumerate(analysed, key + 1))
                key += len(keyed)
                self.connection.executemany(
                    "INSERT INTO rag_chunk_key VALUES (?, 'default', ?, ?, ?)",
                    [(k, self.collection_id, i, terms.length) for k, (i, _, terms) in keyed],
                )
                self.connection.executemany(
                    "INSERT INTO rag_posting VALUES (?, ?, ?, ?, ?)",
                    [
                        (self.salt, term, k, count, terms.length)
                        for k, (_, _, terms) in keyed
                        for term, count in _counts(terms.frequencies).items()
                    ],
                )

    def compare(self, documents: Sequence[Document]) -> None:
        """Read each document's hashes and compare them."""
        for document, chunks in documents:
            found = self.connection.execute(
                "SELECT c.content_hash FROM rag_document d JOIN rag_chunk c ON c.tenant_id = d.tenant_id"
                " AND c.document_id = d.id WHERE d.tenant_id = 'default' AND d.collection_id = ? AND d.source = ?"
                " ORDER BY c.chunk_index",
                [self.collection_id, document.source],
            ).fetchall()
            assert [row[0] for row in found] == [hash_content(chunk.content) for chunk in chunks]

    def settle(self) -> None:
        """Let the database put its house in order, so that no job pays for the one before."""
        self.connection.execute("ANALYZE")
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # ----------------------------------------------------------------------------------------------- searching

    def plans(self, width: Width | None = None) -> dict[str, Callable[[Floats], list[Any]]]:
        """Give the ways to find the ten nearest with their texts."""
        if width is not None:
            sql = width.sql.replace("d.metadata ->> 'kind'", "json_extract(d.metadata, '$.kind')")
            return {
                "exact": lambda vector: self._over_filtered(vector, sql),
                "NumPy in memory": lambda vector: self._in_memory(vector, sql),
            }
        plans: dict[str, Callable[[Floats], list[Any]]] = {"NumPy in memory": self._in_memory}
        if not self._shares and self._extension() is not None:
            plans["sqlite-vec"] = self._by_function
            plans["sqlite-vec vec0"] = self._by_virtual_table
        return plans

    def _in_memory(self, vector: Floats, sql: str | None = None) -> list[Any]:
        self._refresh()
        distances = 1.0 - self._matrix @ (vector / np.linalg.norm(vector))
        if sql is not None:
            kept = np.ones(len(distances), dtype=bool)
            kept[[self._places[row[0]] for row in self._ids(sql)]] = False
            distances[kept] = np.inf
        best = np.argpartition(distances, min(10, len(distances) - 1))[:10]
        return self._hits([self._chunks[i] for i in best[np.argsort(distances[best])] if distances[i] < np.inf])

    def _refresh(self) -> None:
        """Read the matrix again when another connection has written."""
        version = self._data_version()
        if version != self._version:
            rows = self.connection.execute(
                "SELECT chunk_id, dense FROM rag_embedding WHERE tenant_id = 'default' AND space_id = ?",
                [self.space_id],
            ).fetchall()
            self._chunks = [row[0] for row in rows]
            self._places = {chunk: place for place, chunk in enumerate(self._chunks)}
            matrix = np.frombuffer(b"".join(row[1] for row in rows), "<f4").reshape(len(rows), -1)
            self._matrix = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
            self._version = version

    def _data_version(self) -> int:
        (version,) = self.connection.execute("PRAGMA data_version").fetchone()
        return int(version)

    def _ids(self, sql: str) -> list[Any]:
        return self.connection.execute(
            "SELECT c.id FROM rag_document d JOIN rag_chunk c ON c.tenant_id = 'default' AND c.document_id = d.id"
            f" WHERE d.tenant_id = 'default' AND d.collection_id = ? AND {sql}",
            [self.collection_id],
        ).fetchall()

    def _over_filtered(self, vector: Floats, sql: str) -> list[Any]:
        rows = self.connection.execute(
            "SELECT c.id, e.dense FROM rag_document d JOIN rag_chunk c ON c.tenant_id = 'default'"
            " AND c.document_id = d.id JOIN rag_embedding e ON e.tenant_id = 'default' AND e.space_id = ?"
            f" AND e.chunk_id = c.id WHERE d.tenant_id = 'default' AND d.collection_id = ? AND {sql}",
            [self.space_id, self.collection_id],
        ).fetchall()
        matrix = np.frombuffer(b"".join(row[1] for row in rows), "<f4").reshape(len(rows), -1)
        cosine = matrix @ vector / (np.linalg.norm(matrix, axis=1) * np.linalg.norm(vector))
        return self._hits([rows[i][0] for i in np.argsort(-cosine)[:10]])

    def _extension(self) -> Any:
        """Open a copy with sqlite-vec; None where it, or a SQLite that loads extensions, is not installed.

        A copy, because two SQLite libraries in one process release each other's locks on a file.
        """
        if self._by_extension is None and (modules := _modules()) is not None:
            apsw, sqlite_vec = modules
            copy = Path(self._path).with_name("sqlite_vec.db")
            copy.unlink(missing_ok=True)
            self.connection.execute("VACUUM INTO ?", [str(copy)])
            self._by_extension = apsw.Connection(str(copy))
            self._by_extension.enable_load_extension(True)
            self._by_extension.load_extension(sqlite_vec.loadable_path())
            self._fill_virtual_table()
        return self._by_extension

    def _fill_virtual_table(self) -> None:
        execute = self._by_extension.execute
        (size,) = next(execute("SELECT length(dense) / 4 FROM rag_embedding LIMIT 1"))
        execute(f"CREATE VIRTUAL TABLE floor_vec USING vec0(dense float[{size}] distance_metric=cosine)")
        execute(
            "INSERT INTO floor_vec (rowid, dense) SELECT k.key, e.dense FROM rag_embedding e JOIN rag_chunk_key k"
            " ON k.tenant_id = e.tenant_id AND k.chunk_id = e.chunk_id WHERE e.space_id = ?",
            [self.space_id],
        )

    def _by_function(self, vector: Floats) -> list[Any]:
        rows = self._by_extension.execute(
            "SELECT chunk_id FROM rag_embedding WHERE tenant_id = 'default' AND space_id = ?"
            " ORDER BY vec_distance_cosine(dense, ?) LIMIT 10",
            [self.space_id, vector.astype("<f4").tobytes()],
        )
        return self._hits([row[0] for row in rows])

    def _by_virtual_table(self, vector: Floats) -> list[Any]:
        rows = self._by_extension.execute(
            "SELECT k.chunk_id FROM floor_vec v JOIN rag_chunk_key k ON k.key = v.rowid"
            " WHERE v.dense MATCH ? AND v.k = 10 ORDER BY v.distance",
            [vector.astype("<f4").tobytes()],
        )
        return self._hits([row[0] for row in rows])

    def text_search(self, text: str) -> list[Any]:
        """Find the ten best by BM25 over the postings."""
        return self._hits([row[0] for row in self._lexical(text, 10)])

    def _lexical(self, text: str, limit: int) -> list[Any]:
        unknown = bm25.idf(0, self.analyzed)
        times = _counts(analyze(text, "en").frequencies)
        asked = json.dumps({term: count * self.idf.get(term, unknown) for term, count in times.items()})
        return self.connection.execute(
            "SELECT k.chunk_id, s.bm25 FROM (SELECT p.chunk_key AS key, sum(a.value * p.frequency * 2.2"
            " / (p.frequency + 0.3 + 0.9 * p.length / ?)) AS bm25 FROM json_each(?) a JOIN rag_posting p"
            " ON p.salt = ? AND p.term = CAST(a.key AS INTEGER) GROUP BY p.chunk_key ORDER BY bm25 DESC LIMIT ?) s"
            " JOIN rag_chunk_key k ON k.key = s.key ORDER BY s.bm25 DESC, k.chunk_id",
            [self.average, asked, self.salt, limit],
        ).fetchall()

    def hybrid(self, text: str, vector: Floats) -> list[Any]:
        """Fuse the best 100 of both legs."""
        self._refresh()
        distances = -(self._matrix @ (vector / np.linalg.norm(vector)))
        best = np.argpartition(distances, min(DEPTH, len(distances) - 1))[:DEPTH]
        legs = [
            [self._chunks[i] for i in best[np.argsort(distances[best])]],
            [row[0] for row in self._lexical(text, DEPTH)],
        ]
        scores: dict[str, float] = {}
        for leg in legs:
            for rank, chunk in enumerate(leg, 1):
                scores[chunk] = scores.get(chunk, 0.0) + 1.0 / (60 + rank)
        return self._hits(sorted(scores, key=lambda chunk: (-scores[chunk], chunk))[:10])

    def _hits(self, ids: list[str]) -> list[Any]:
        return self.connection.execute(
            f"SELECT {HIT} FROM rag_chunk c JOIN rag_document d ON d.tenant_id = c.tenant_id AND d.id = c.document_id"
            f" WHERE c.tenant_id = 'default' AND c.id IN ({','.join('?' * len(ids))})",
            ids,
        ).fetchall()

    @staticmethod
    def place(row: Any) -> tuple[str, int]:
        """Tell which chunk a hit is."""
        return row[SOURCE], row[PLACE]

    # ---------------------------------------------------------------------------------------------- conversing

    def start(self, thread: str) -> str:
        """Make a conversation."""
        made, now = new_id().hex, int(time.time() * 1e6)
        self.connection.execute(
            "INSERT INTO rag_conversation (id, thread_id, metadata, created_at, last_activity) VALUES (?, ?, '{}', ?, ?)",
            [made, thread, now, now],
        )
        return made

    def append(self, conversation: str, content: str) -> None:
        """Take the next place and insert the message, durably."""
        now = int(time.time() * 1e6)
        with self._transaction():
            (head,) = self.connection.execute(
                "UPDATE rag_conversation SET head = head + 1, last_activity = ? WHERE tenant_id = 'default' AND id = ?"
                " RETURNING head",
                [now, conversation],
            ).fetchone()
            self.connection.execute(
                "INSERT INTO rag_message (id, conversation_id, seq, role, content, metadata, created_at)"
                " VALUES (?, ?, ?, 'user', ?, '{}', ?)",
                [new_id().hex, conversation, head, content, now],
            )

    def latest(self, conversation: str) -> list[Any]:
        """Read the newest 20."""
        return self.connection.execute(
            f"SELECT {MESSAGE} FROM rag_message WHERE tenant_id = 'default' AND conversation_id = ?"
            " ORDER BY seq DESC LIMIT 20",
            [conversation],
        ).fetchall()

    def another(self) -> SqliteFloor:
        """Give one more connection, for a thread of its own, that knows the same and shares the matrix."""
        other = SqliteFloor(self._path)
        other.connection.close()
        other.connection = sqlite3.connect(self._path, isolation_level=None, timeout=10, check_same_thread=False)
        self._refresh()
        shared = ("_matrix", "_chunks", "_places")
        for known in ("collection_id", "salt", "average", "analyzed", "space_id", "idf", *shared):
            setattr(other, known, getattr(self, known))
        other._version, other._shares = other._data_version(), True
        return other

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()
        if self._by_extension is not None:
            self._by_extension.close()


@cache
def _modules() -> tuple[Any, Any] | None:
    try:
        import apsw
        import sqlite_vec
    except ImportError as missing:
        print(f"sqlite-vec is not measured: {missing}")
        return None
    return apsw, sqlite_vec


def _counts(frequencies: dict[str, int]) -> Counter[int]:
    counts: Counter[int] = Counter()
    for lexeme, count in frequencies.items():
        counts[term_id(lexeme)] += count
    return counts
