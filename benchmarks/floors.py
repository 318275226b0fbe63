"""The same work by hand: raw psycopg (binary COPY, prepared statements) and raw sqlite3.

A floor writes the same values into the same tables with the same indexes, and reads the same columns back; it only
knows in advance what ragstore has to find out.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

from benchmarks.data import COLLECTION, Data
from ragstore.backends.postgresql.search import to_tsquery, to_tsvector
from ragstore.core import bm25, packing
from ragstore.core.ids import new_id
from ragstore.core.text import analyze, term_id
from ragstore.corpus.documents.preparing import hash_content

HIT = (
    "c.id, c.document_id, c.chunk_index, c.content, c.heading, c.page, c.start_offset, c.end_offset, c.metadata,"
    " d.source, d.title, d.doc_type, d.metadata"
)
MESSAGE = "id, conversation_id, seq, parent_id, role, status, content, metadata, response_time, created_at"


class _Bytes(bytes):
    pass


class _BytesDumper(Dumper):
    format = Format.BINARY
    oid = 0

    def dump(self, obj: bytes) -> bytes:
        return obj


class PostgresFloor:
    """The work by psycopg alone."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True, prepare_threshold=0)
        self.connection.adapters.register_dumper(_Bytes, _BytesDumper)
        self.connection.execute("SET search_path = ragstore, public")

    def find(self) -> None:
        """Look up once what the statements need."""
        row = self.connection.execute(
            "SELECT c.id, c.salt, c.average_length, s.id FROM rag_collection c JOIN rag_embedding_space s"
            " ON s.collection_id = c.id WHERE c.name = %s",
            [COLLECTION],
        ).fetchone()
        assert row is not None
        self.collection_id, self.salt, self.average, self.space_id = row

    def load(self, data: Data, prefix: str) -> None:
        """Insert all documents in one transaction, by binary COPY."""
        with self.connection.transaction():
            rows = _rows(data, prefix, self)
            self._copy(
                "rag_document (id, collection_id, source, title, doc_type, content_hash, metadata, chunk_count)",
                ["uuid", "uuid", "varchar", "text", "varchar", "bytea", "jsonb", "int4"],
                rows["documents"],
            )
            self._copy(
                "rag_chunk (id, collection_id, document_id, chunk_index, content, content_hash, language, metadata)",
                ["uuid", "uuid", "uuid", "int4", "text", "bytea", "varchar", "jsonb"],
                rows["chunks"],
            )
            self._copy("rag_embedding (space_id, chunk_id, dense)", ["uuid", "uuid", "bytea"], rows["embeddings"])
            self._terms(rows["terms"])

    def _copy(self, into: str, types: list[str], rows: list[tuple[Any, ...]]) -> None:
        with self.connection.cursor().copy(f"COPY {into} FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def _terms(self, rows: list[tuple[Any, ...]]) -> None:
        # a tsvector has no binary form in psycopg, so this table takes its rows from arrays
        with self.connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO rag_chunk_terms (chunk_id, generation, collection_id, length, lexemes, weights)"
                " SELECT * FROM unnest(%s::uuid[], %s::int[], %s::uuid[], %s::int[], %s::text[]::tsvector[],"
                " %s::text[]::sparsevec[])",
                [list(column) for column in zip(*rows, strict=True)],
            )

    def compare(self, data: Data) -> None:
        """Read each document's hashes and compare them."""
        for document, chunks in data.documents:
            found = self.connection.execute(
                "SELECT c.content_hash FROM rag_document d JOIN rag_chunk c ON c.tenant_id = d.tenant_id"
                " AND c.document_id = d.id WHERE d.tenant_id = 'default' AND d.collection_id = %s AND d.source = %s"
                " ORDER BY c.chunk_index",
                [self.collection_id, document.source],
            ).fetchall()
            assert [row[0] for row in found] == [hash_content(chunk.content) for chunk in chunks]

    def vector_search(self, vector: np.ndarray) -> list[Any]:
        """Find the ten nearest with their texts."""
        return self.connection.execute(
            f"SELECT n.distance, {HIT} FROM (SELECT chunk_id, dense <=> %s::vector AS distance FROM rag_embedding"
            " WHERE tenant_id = 'default' AND space_id = %s ORDER BY distance, chunk_id LIMIT 10) n"
            " JOIN rag_chunk c ON c.tenant_id = 'default' AND c.id = n.chunk_id"
            " JOIN rag_document d ON d.tenant_id = c.tenant_id AND d.id = c.document_id ORDER BY n.distance, c.id",
            [_Bytes(packing.pack_dense(vector)), self.space_id],
        ).fetchall()

    def text_search(self, text: str) -> list[Any]:
        """Find the ten best by BM25 with their texts, by two statements: the words' weights, then the chunks."""
        terms = analyze(text, "en").frequencies
        ids = {term_id(lexeme): count for lexeme, count in terms.items()}
        known = dict(
            self.connection.execute(
                "SELECT term, idf FROM rag_term WHERE tenant_id = 'default' AND collection_id = %s AND term = ANY(%s)",
                [self.collection_id, list(ids)],
            ).fetchall()
        )
        query = packing.pack_sparse({i: count * known.get(i, 10.0) for i, count in ids.items()})
        return self.connection.execute(
            f"SELECT n.bm25, {HIT} FROM (SELECT chunk_id, -(weights <#> %s::sparsevec) AS bm25 FROM rag_chunk_terms"
            " WHERE tenant_id = 'default' AND collection_id = %s AND lexemes @@ %s::tsquery"
            " ORDER BY bm25 DESC, chunk_id LIMIT 10) n"
            " JOIN rag_chunk c ON c.tenant_id = 'default' AND c.id = n.chunk_id"
            " JOIN rag_document d ON d.tenant_id = c.tenant_id AND d.id = c.document_id ORDER BY n.bm25 DESC, c.id",
            [_Bytes(query), self.collection_id, to_tsquery(self.salt, list(terms))],
        ).fetchall()

    def start(self, thread: str) -> UUID:
        """Make a conversation."""
        made = new_id()
        self.connection.execute(
            "INSERT INTO rag_conversation (id, thread_id, metadata) VALUES (%s, %s, '{}')", [made, thread]
        )
        return made

    def append(self, conversation: UUID, content: str) -> None:
        """Take the next place and insert the message, durably."""
        with self.connection.transaction():
            row = self.connection.execute(
                "UPDATE rag_conversation SET head = head + 1, last_activity = statement_timestamp()"
                " WHERE tenant_id = 'default' AND id = %s RETURNING head",
                [conversation],
            ).fetchone()
            assert row is not None
            self.connection.execute(
                "INSERT INTO rag_message (id, conversation_id, seq, role, content, metadata)"
                " VALUES (%s, %s, %s, 'user', %s, '{}')",
                [new_id(), conversation, row[0], content],
            )

    def latest(self, conversation: UUID) -> list[Any]:
        """Read the newest 20."""
        return self.connection.execute(
            f"SELECT {MESSAGE} FROM rag_message WHERE tenant_id = 'default' AND conversation_id = %s"
            " ORDER BY seq DESC LIMIT 20",
            [conversation],
        ).fetchall()

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def _rows(data: Data, prefix: str, floor: Any) -> dict[str, list[tuple[Any, ...]]]:
    rows: dict[str, list[tuple[Any, ...]]] = {"documents": [], "chunks": [], "embeddings": [], "terms": []}
    for document, chunks in data.documents:
        document_id = new_id()
        rows["documents"].append(
            (
                document_id,
                floor.collection_id,
                prefix + document.source,
                document.title,
                "bench",
                b"",
                "{}",
                len(chunks),
            )
        )
        for place, chunk in enumerate(chunks):
            chunk_id, terms = new_id(), analyze(chunk.content, "en")
            digest = hash_content(chunk.content)
            rows["chunks"].append(
                (chunk_id, floor.collection_id, document_id, place, chunk.content, digest, "en", "{}")
            )
            rows["embeddings"].append((floor.space_id, chunk_id, packing.pack_dense(np.asarray(chunk.embedding))))
            weights = bm25.weights(terms, floor.average)
            written = "{" + ",".join(f"{i}:{v}" for i, v in weights.items()) + f"}}/{packing.SPARSE_DIMENSIONS}"
            lexemes = to_tsvector(floor.salt, terms)
            rows["terms"].append((chunk_id, 0, floor.collection_id, terms.length, lexemes, written))
    return rows


class SqliteFloor:
    """The work by sqlite3 alone."""

    def __init__(self, path: str) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=10)
        self.connection.execute("PRAGMA foreign_keys = ON")

    def find(self) -> None:
        """Look up once what the statements need."""
        self.collection_id, self.salt, self.average, self.space_id = self.connection.execute(
            "SELECT c.id, c.salt, c.average_length, s.id FROM rag_collection c JOIN rag_embedding_space s"
            " ON s.collection_id = c.id WHERE c.name = ?",
            [COLLECTION],
        ).fetchone()

    @contextmanager
    def _transaction(self) -> Any:
        self.connection.execute("BEGIN IMMEDIATE")
        yield
        self.connection.execute("COMMIT")

    def load(self, data: Data, prefix: str) -> None:
        """Insert all documents in one transaction, by executemany."""
        now = int(time.time() * 1e6)
        with self._transaction():
            key = self.connection.execute("SELECT coalesce(max(key), 0) FROM rag_chunk_key").fetchone()[0]
            for document, chunks in data.documents:
                document_id = new_id().hex
                self.connection.execute(
                    "INSERT INTO rag_document (id, collection_id, source, title, doc_type, content_hash, metadata,"
                    " chunk_count, created_at, updated_at) VALUES (?, ?, ?, ?, 'bench', x'', '{}', ?, ?, ?)",
                    [document_id, self.collection_id, prefix + document.source, document.title, len(chunks), now, now],
                )
                analysed = [(new_id().hex, chunk, analyze(chunk.content, "en")) for chunk in chunks]
                self.connection.executemany(
                    "INSERT INTO rag_chunk (id, collection_id, document_id, chunk_index, content, content_hash,"
                    " language, metadata, created_at) VALUES (?, ?, ?, ?, ?, ?, 'en', '{}', ?)",
                    [
                        (i, self.collection_id, document_id, place, c.content, hash_content(c.content), now)
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

    def compare(self, data: Data) -> None:
        """Read each document's hashes and compare them."""
        for document, chunks in data.documents:
            found = self.connection.execute(
                "SELECT c.content_hash FROM rag_document d JOIN rag_chunk c ON c.tenant_id = d.tenant_id"
                " AND c.document_id = d.id WHERE d.tenant_id = 'default' AND d.collection_id = ? AND d.source = ?"
                " ORDER BY c.chunk_index",
                [self.collection_id, document.source],
            ).fetchall()
            assert [row[0] for row in found] == [hash_content(chunk.content) for chunk in chunks]

    def vector_search(self, vector: np.ndarray) -> list[Any]:
        """Read all vectors, rank them by NumPy, and fetch the ten nearest."""
        rows = self.connection.execute(
            "SELECT chunk_id, dense FROM rag_embedding WHERE tenant_id = 'default' AND space_id = ?", [self.space_id]
        ).fetchall()
        matrix = np.frombuffer(b"".join(row[1] for row in rows), dtype=np.float32).reshape(len(rows), -1)
        cosine = matrix @ vector / (np.linalg.norm(matrix, axis=1) * np.linalg.norm(vector))
        best = np.argsort(-cosine)[:10]
        return self._hits([rows[i][0] for i in best])

    def text_search(self, text: str) -> list[Any]:
        """Find the ten best by BM25 over the postings."""
        times = _counts(analyze(text, "en").frequencies)
        marks = ",".join("?" * len(times))
        known = dict(
            self.connection.execute(
                f"SELECT term, idf FROM rag_term WHERE tenant_id = 'default' AND collection_id = ? AND term IN ({marks})",
                [self.collection_id, *times],
            ).fetchall()
        )
        asked = json.dumps({term: count * known.get(term, 10.0) for term, count in times.items()})
        rows = self.connection.execute(
            "SELECT k.chunk_id, sum(a.value * p.frequency * 2.2 / (p.frequency + 0.3 + 0.9 * p.length / ?)) AS bm25"
            " FROM json_each(?) a JOIN rag_posting p ON p.salt = ? AND p.term = CAST(a.key AS INTEGER)"
            " JOIN rag_chunk_key k ON k.key = p.chunk_key GROUP BY k.chunk_id ORDER BY bm25 DESC, k.chunk_id LIMIT 10",
            [self.average, asked, self.salt],
        ).fetchall()
        return self._hits([row[0] for row in rows])

    def _hits(self, ids: list[str]) -> list[Any]:
        return self.connection.execute(
            f"SELECT {HIT} FROM rag_chunk c JOIN rag_document d ON d.tenant_id = c.tenant_id AND d.id = c.document_id"
            f" WHERE c.tenant_id = 'default' AND c.id IN ({','.join('?' * len(ids))})",
            ids,
        ).fetchall()

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

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def _counts(frequencies: dict[str, int]) -> Counter[int]:
    counts: Counter[int] = Counter()
    for lexeme, count in frequencies.items():
        counts[term_id(lexeme)] += count
    return counts
