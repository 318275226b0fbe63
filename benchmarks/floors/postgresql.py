"""The work by psycopg alone."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

from benchmarks.data import DIMENSIONS, Document, Floats, Width
from ragstore.core import bm25, packing
from ragstore.core.ids import new_id
from ragstore.core.text import Terms, analyze, term_id
from ragstore.corpus.documents.preparing import hash_content

HIT = (
    "c.id, c.document_id, c.chunk_index, c.content, c.heading, c.page, c.start_offset, c.end_offset, c.metadata,"
    " d.source, d.title, d.doc_type, d.metadata, d.created_at, d.updated_at"
)
SOURCE, PLACE = 10, 3  # behind the value that a hit is ranked by
MESSAGE = "id, conversation_id, seq, parent_id, role, status, content, metadata, response_time, created_at"
TEXTS = (
    "JOIN rag_chunk c ON c.tenant_id = 'default' AND c.id = n.chunk_id"
    " JOIN rag_document d ON d.tenant_id = c.tenant_id AND d.id = c.document_id"
)
EFFORTS = (40, 100, 200, 400)
DEPTH = 100


class _Bytes(bytes):
    pass


class _BytesDumper(Dumper):
    format = Format.BINARY
    oid = 0

    def dump(self, obj: bytes) -> bytes:
        return obj


def _connect(url: str) -> psycopg.Connection[Any]:
    connection = psycopg.connect(url, autocommit=True, prepare_threshold=0)
    connection.adapters.register_dumper(_Bytes, _BytesDumper)
    connection.execute("SET search_path = ragstore, public")
    return connection


class PostgresFloor:
    """The work by psycopg alone."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._approximate: dict[int, psycopg.Connection[Any]] = {}
        self.connection = _connect(url)

    def find(self, collection: str) -> None:
        """Look up once what the statements need."""
        row = self.connection.execute(
            "SELECT c.id, c.salt, c.average_length, c.analyzed_chunks, s.id FROM rag_collection c"
            " JOIN rag_embedding_space s ON s.collection_id = c.id WHERE c.name = %s",
            [collection],
        ).fetchone()
        assert row is not None
        self.collection_id, self.salt, self.average, self.analyzed, self.space_id = row
        self.idf = dict(
            self.connection.execute(
                "SELECT term, idf FROM rag_term WHERE tenant_id = 'default' AND collection_id = %s",
                [self.collection_id],
            ).fetchall()
        )
        self.index = self._find_index()

    # ------------------------------------------------------------------------------------------------- writing

    def load(self, documents: Sequence[Document]) -> None:
        """Insert the documents in one transaction, by binary COPY."""
        rows = self._rows(documents)
        with self.connection.transaction():
            self._copy(
                "rag_document (id, collection_id, source, title, doc_type, version, content_hash, metadata, chunk_count)",
                ["uuid", "uuid", "varchar", "text", "varchar", "varchar", "bytea", "jsonb", "int4"],
                rows["documents"],
            )
            self._copy(
                "rag_chunk (id, collection_id, document_id, chunk_index, content, content_hash, language, metadata)",
                ["uuid", "uuid", "uuid", "int4", "text", "bytea", "varchar", "jsonb"],
                rows["chunks"],
            )
            self._copy("rag_embedding (space_id, chunk_id, dense)", ["uuid", "uuid", "bytea"], rows["embeddings"])
            self._copy(
                "rag_chunk_terms (chunk_id, generation, collection_id, length, lexemes, weights)",
                ["uuid", "int4", "uuid", "int4", "bytea", "bytea"],
                rows["terms"],
            )

    def _copy(self, into: str, types: list[str], rows: list[tuple[Any, ...]]) -> None:
        with self.connection.cursor().copy(f"COPY {into} FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def _rows(self, documents: Sequence[Document]) -> dict[str, list[tuple[Any, ...]]]:
        rows: dict[str, list[tuple[Any, ...]]] = {"documents": [], "chunks": [], "embeddings": [], "terms": []}
        for new, chunks in documents:
            document, of = new_id(), self.collection_id
            described = (new.source, new.title, new.doc_type, new.version, b"", json.dumps(new.metadata))
            rows["documents"].append((document, of, *described, len(chunks)))
            for place, chunk in enumerate(chunks):
                i, terms = new_id(), analyze(chunk.content, "en")
                digest = hash_content(chunk.content)
                rows["chunks"].append((i, of, document, place, chunk.content, digest, "en", "{}"))
                rows["embeddings"].append((self.space_id, i, packing.pack_dense(np.asarray(chunk.embedding))))
                weights = packing.pack_sparse(bm25.weights(terms, self.average))
                rows["terms"].append((i, 0, of, terms.length, _pack_lexemes(self.salt, terms), weights))
        return rows

    def compare(self, documents: Sequence[Document]) -> None:
        """Read the documents' hashes and compare them."""
        found: dict[str, list[bytes]] = {}
        for source, digest in self.connection.execute(
            "SELECT d.source, c.content_hash FROM rag_document d JOIN rag_chunk c ON c.tenant_id = d.tenant_id"
            " AND c.document_id = d.id WHERE d.tenant_id = 'default' AND d.collection_id = %s AND d.source = ANY(%s)"
            " ORDER BY d.source, c.chunk_index",
            [self.collection_id, [document.source for document, _ in documents]],
        ):
            found.setdefault(source, []).append(digest)
        for document, chunks in documents:
            assert found[document.source] == [hash_content(chunk.content) for chunk in chunks]

    def settle(self) -> None:
        """Let the database put its house in order, so that no job pays for the one before."""
        self.connection.execute("VACUUM (ANALYZE)")
        self.connection.execute("CHECKPOINT")

    # ----------------------------------------------------------------------------------------------- searching

    def _find_index(self) -> tuple[str, str] | None:
        """Read the index's expression and condition as the database writes them: a query must repeat both."""
        found: tuple[str, str] | None = self.connection.execute(
            "SELECT pg_get_indexdef(i.indexrelid, 1, true), pg_get_expr(i.indpred, i.indrelid) FROM pg_index i"
            " JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = x.relam"
            " WHERE i.indrelid = 'rag_embedding'::regclass AND a.amname = 'hnsw' AND i.indisvalid"
            " AND pg_get_expr(i.indpred, i.indrelid) LIKE %s",
            [f"%{self.space_id}%"],
        ).fetchone()
        return found

    def plans(self, width: Width | None = None) -> dict[str, Callable[[Floats], list[Any]]]:
        """Give the ways to find the ten nearest with their texts."""
        plans: dict[str, Callable[[Floats], list[Any]]] = {}
        if width is not None or self.index is None:
            plans["exact"] = self._plan(self.connection, self._exact(width))
        if self.index is not None:
            for effort in EFFORTS:
                connection = self._with_effort(effort)
                plans[f"hnsw, ef_search {effort}"] = self._plan(connection, self._by_index(self.index, width))
        return plans

    @staticmethod
    def _plan(connection: psycopg.Connection[Any], nearest: str) -> Callable[[Floats], list[Any]]:
        statement = f"SELECT n.distance, {HIT} FROM ({nearest}) n {TEXTS} ORDER BY n.distance, c.id"
        return lambda vector: connection.execute(statement, [_Bytes(packing.pack_dense(vector))]).fetchall()

    def _with_effort(self, effort: int) -> psycopg.Connection[Any]:
        """Give a connection for each setting, so that no query pays for setting it."""
        if effort not in self._approximate:
            connection = self._approximate[effort] = _connect(self._url)
            connection.execute(f"SET hnsw.ef_search = {effort}")
            connection.execute("SET hnsw.iterative_scan = relaxed_order")
            connection.execute("SET enable_sort = off")  # else the planner may prefer an exact scan
        return self._approximate[effort]

    def _exact(self, width: Width | None) -> str:
        if width is None:
            return (
                f"SELECT chunk_id, dense <=> %s::vector AS distance FROM rag_embedding WHERE tenant_id = 'default'"
                f" AND space_id = '{self.space_id}' ORDER BY distance, chunk_id LIMIT 10"
            )
        return (
            "WITH filtered AS MATERIALIZED (SELECT e.chunk_id, e.dense <=> %s::vector AS distance FROM rag_document d"
            " JOIN rag_chunk c ON c.tenant_id = 'default' AND c.document_id = d.id JOIN rag_embedding e"
            f" ON e.tenant_id = 'default' AND e.space_id = '{self.space_id}' AND e.chunk_id = c.id"
            f" WHERE d.tenant_id = 'default' AND d.collection_id = '{self.collection_id}' AND {width.sql})"
            " SELECT chunk_id, distance FROM filtered ORDER BY distance, chunk_id LIMIT 10"
        )

    def _by_index(self, index: tuple[str, str], width: Width | None) -> str:
        expression, condition = index
        ordered = f"{expression} <=> %s::vector({DIMENSIONS})"
        tables, left = "rag_embedding", ""
        if width is not None:
            tables = (
                "rag_embedding JOIN rag_chunk c ON c.tenant_id = 'default' AND c.id = chunk_id"
                " JOIN rag_document d ON d.tenant_id = 'default' AND d.id = c.document_id"
            )
            left = f" AND {width.sql}"
        return (
            f"SELECT chunk_id, {ordered} AS distance FROM {tables} WHERE rag_embedding.tenant_id = 'default'"
            f" AND {condition}{left} ORDER BY distance LIMIT 10"
        )

    def text_search(self, text: str) -> list[Any]:
        """Find the ten best by BM25 with their texts."""
        return self.connection.execute(
            f"SELECT n.bm25, {HIT} FROM ({self._lexical(10)}) n {TEXTS} ORDER BY n.bm25 DESC, c.id", self._asked(text)
        ).fetchall()

    def _lexical(self, limit: int) -> str:
        """Score every chunk that holds a word. The subquery keeps the planner from a scan of the whole table."""
        return (
            "SELECT chunk_id, -(weights <#> %s::sparsevec) AS bm25 FROM rag_chunk_terms WHERE tenant_id = 'default'"
            f" AND collection_id = '{self.collection_id}' AND lexemes @@ (SELECT %s::tsquery)"
            f" ORDER BY bm25 DESC, chunk_id LIMIT {limit}"
        )

    def _asked(self, text: str) -> list[Any]:
        terms = analyze(text, "en").frequencies
        unknown = bm25.idf(0, self.analyzed)
        query: dict[int, float] = {}
        for lexeme, count in terms.items():
            term = term_id(lexeme)
            query[term] = query.get(term, 0.0) + count * self.idf.get(term, unknown)
        lexemes = "|".join("'" + _salted(self.salt, lexeme).replace("'", "''") + "'" for lexeme in terms)
        return [_Bytes(packing.pack_sparse(dict(sorted(query.items())))), lexemes]

    def hybrid(self, text: str, vector: Floats) -> list[Any]:
        """Fuse the best 100 of both legs in one statement."""
        nearest = self._exact(None) if self.index is None else self._by_index(self.index, None)
        nearest = nearest.removesuffix("LIMIT 10") + f"LIMIT {DEPTH}"
        connection = self.connection if self.index is None else self._with_effort(DEPTH)
        return connection.execute(
            f"WITH v AS (SELECT chunk_id, row_number() OVER (ORDER BY distance, chunk_id) AS rank FROM ({nearest}) x),"
            f" t AS (SELECT chunk_id, row_number() OVER (ORDER BY bm25 DESC, chunk_id) AS rank FROM"
            f" ({self._lexical(DEPTH)}) y), n AS (SELECT coalesce(v.chunk_id, t.chunk_id) AS chunk_id,"
            " coalesce(1.0 / (60 + v.rank), 0) + coalesce(1.0 / (60 + t.rank), 0) AS score FROM v"
            " FULL JOIN t ON t.chunk_id = v.chunk_id ORDER BY score DESC, 1 LIMIT 10)"
            f" SELECT n.score, {HIT} FROM n {TEXTS} ORDER BY n.score DESC, c.id",
            [_Bytes(packing.pack_dense(vector)), *self._asked(text)],
        ).fetchall()

    @staticmethod
    def place(row: Any) -> tuple[str, int]:
        """Tell which chunk a hit is."""
        return row[SOURCE], row[PLACE]

    # ---------------------------------------------------------------------------------------------- conversing

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

    def another(self) -> PostgresFloor:
        """Give one more connection that knows the same."""
        other = PostgresFloor(self._url)
        for known in ("collection_id", "salt", "average", "analyzed", "space_id", "idf", "index"):
            setattr(other, known, getattr(self, known))
        return other

    def close(self) -> None:
        """Close the connections."""
        for connection in (self.connection, *self._approximate.values()):
            connection.close()


def _salted(salt: int, lexeme: str) -> str:
    return f"{salt:06x}{lexeme}"


def _pack_lexemes(salt: int, terms: Terms) -> bytes:
    """Write a tsvector in PostgreSQL's binary form, which psycopg has none of."""
    parts = [struct.pack("!i", len(terms.positions))]
    for lexeme, positions in terms.positions.items():
        count = len(positions)
        parts.append(_salted(salt, lexeme).encode() + struct.pack(f"!xH{count}H", count, *positions))
    return b"".join(parts)
