"""What the database holds of a corpus."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ragstore.core.base import POSTGRESQL_ONLY, SCHEMA, SQLITE_ONLY, STRICT, Base, TenantRow, child_of, table_of
from ragstore.core.clock import utc_now
from ragstore.core.types import Dense, Digest, Half, Id, Json, Key, Lexemes, Real, Sparse, UtcDateTime

NAME_BYTES = 63
SOURCE_BYTES = 2048
LABEL_BYTES = 255
LANGUAGE_BYTES = 35


class CollectionRow(TenantRow, Base):
    """A named set of documents searched together, with its lexical statistics."""

    __tablename__ = "rag_collection"
    __table_args__ = (UniqueConstraint("tenant_id", "name"), STRICT)

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Key(NAME_BYTES))
    language: Mapped[str] = mapped_column(Key(LANGUAGE_BYTES))
    # Other languages that documents have brought: a query is analysed in each of them too.
    languages: Mapped[list[str]] = mapped_column(Json, server_default="[]")
    meta: Mapped[dict[str, Any]] = mapped_column("metadata", Json, key="meta")
    # Keeps one collection's terms apart from all others in the shared indexes; a collision costs time, not rightness.
    salt: Mapped[int] = mapped_column(Integer)
    # Statistics of the last analysis: a stale idf is harmless, a counter that every writer updates is not.
    # Stored weights hold the average length; those of an older generation are due to be weighed anew.
    generation: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    analyzed_chunks: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    average_length: Mapped[float] = mapped_column(Real, server_default=text("0"))
    analyzed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=utc_now())


class SpaceRow(TenantRow, Base):
    """One model's vectors for one collection."""

    __tablename__ = "rag_embedding_space"
    __table_args__ = (
        child_of("collection_id", "rag_collection"),
        CheckConstraint("dimensions BETWEEN 1 AND 4000", name="dimensions"),
        CheckConstraint("metric IN ('cosine', 'l2', 'inner_product')", name="metric"),
        CheckConstraint("storage IN ('vector', 'halfvec')", name="storage"),
        CheckConstraint("state IN ('building', 'active', 'retired')", name="state"),
        CheckConstraint("index_method IN ('none', 'hnsw', 'ivfflat')", name="index_method"),
        CheckConstraint("index_state IN ('none', 'building', 'ready', 'invalid')", name="index_state"),
        CheckConstraint("quantization IN ('none', 'binary')", name="quantization"),
        Index("ix_rag_embedding_space_collection", "tenant_id", "collection_id"),
        Index(
            "uq_rag_embedding_space_active",
            "tenant_id",
            "collection_id",
            unique=True,
            postgresql_where=text("state = 'active'"),
            sqlite_where=text("state = 'active'"),
        ),
        Index(
            "uq_rag_embedding_space_building",
            "tenant_id",
            "collection_id",
            unique=True,
            postgresql_where=text("state = 'building'"),
            sqlite_where=text("state = 'building'"),
        ),
        STRICT,
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    collection_id: Mapped[UUID] = mapped_column(Id)
    model: Mapped[str] = mapped_column(Key(LABEL_BYTES))
    dimensions: Mapped[int] = mapped_column(Integer)
    metric: Mapped[str] = mapped_column(Key(16))
    storage: Mapped[str] = mapped_column(Key(16))
    state: Mapped[str] = mapped_column(Key(16))
    index_method: Mapped[str] = mapped_column(Key(16), server_default="none")
    index_state: Mapped[str] = mapped_column(Key(16), server_default="none")
    index_options: Mapped[dict[str, Any]] = mapped_column(Json, server_default="{}")
    quantization: Mapped[str] = mapped_column(Key(16), server_default="none")
    search_effort: Mapped[int | None] = mapped_column(Integer)
    # The last chunk that a backfill has been past, in the order of ids: where a restarted one goes on.
    backfilled_to: Mapped[UUID | None] = mapped_column(Id)
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=utc_now())


class DocumentRow(TenantRow, Base):
    """One source in a collection. Fields that people filter by are columns, not metadata."""

    __tablename__ = "rag_document"
    __table_args__ = (
        child_of("collection_id", "rag_collection"),
        UniqueConstraint("tenant_id", "collection_id", "source"),
        Index(None, "tenant_id", "collection_id", "doc_type"),
        Index(None, "tenant_id", "collection_id", "version"),
        STRICT,
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    collection_id: Mapped[UUID] = mapped_column(Id)
    source: Mapped[str] = mapped_column(Key(SOURCE_BYTES))
    title: Mapped[str] = mapped_column(Text)
    doc_type: Mapped[str | None] = mapped_column(Key(LABEL_BYTES))
    version: Mapped[str | None] = mapped_column(Key(LABEL_BYTES))
    language: Mapped[str | None] = mapped_column(Key(LANGUAGE_BYTES))
    content_hash: Mapped[bytes] = mapped_column(Digest())
    meta: Mapped[dict[str, Any]] = mapped_column("metadata", Json, key="meta")
    chunk_count: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=utc_now())
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=utc_now())


class ChunkRow(TenantRow, Base):
    """A piece of a document's text. Its place is no key: places shift when a document changes."""

    __tablename__ = "rag_chunk"
    __table_args__ = (
        child_of("document_id", "rag_document"),
        CheckConstraint("chunk_index >= 0", name="chunk_index"),
        Index(None, "tenant_id", "document_id", "chunk_index"),
        Index(None, "tenant_id", "collection_id", "content_hash"),
        Index(
            "ix_rag_chunk_embedding_id",
            "tenant_id",
            "collection_id",
            "embedding_id",
            postgresql_where=text("embedding_id IS NOT NULL"),
            sqlite_where=text("embedding_id IS NOT NULL"),
        ),
        STRICT,
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    collection_id: Mapped[UUID] = mapped_column(Id)
    document_id: Mapped[UUID] = mapped_column(Id)
    chunk_index: Mapped[int] = mapped_column(Integer)
    content: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[bytes] = mapped_column(Digest())
    language: Mapped[str] = mapped_column(Key(LANGUAGE_BYTES))
    meta: Mapped[dict[str, Any]] = mapped_column("metadata", Json, key="meta")
    start_offset: Mapped[int | None] = mapped_column(Integer)
    end_offset: Mapped[int | None] = mapped_column(Integer)
    page: Mapped[int | None] = mapped_column(Integer)
    heading: Mapped[str | None] = mapped_column(Text)
    embedding_id: Mapped[str | None] = mapped_column(Key(LABEL_BYTES))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=utc_now())


class EmbeddingRow(TenantRow, Base):
    """A chunk's vector in a space, apart from the text so that scans read nothing else."""

    __tablename__ = "rag_embedding"
    __table_args__ = (
        child_of("space_id", "rag_embedding_space"),
        child_of("chunk_id", "rag_chunk"),
        CheckConstraint(
            "CASE WHEN dense IS NULL THEN 0 ELSE 1 END + CASE WHEN half IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN sparse IS NULL THEN 0 ELSE 1 END = 1",
            name="one_vector",
        ),
        Index(None, "tenant_id", "chunk_id"),
        STRICT,
    )

    space_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    chunk_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    dense: Mapped[bytes | None] = mapped_column(Dense)
    half: Mapped[bytes | None] = mapped_column(Half)
    sparse: Mapped[bytes | None] = mapped_column(Sparse)


class TermRow(TenantRow, Base):
    """In how many of a collection's chunks a term stands, and the weight that follows, as of the last analysis."""

    __tablename__ = "rag_term"
    __table_args__ = (child_of("collection_id", "rag_collection"), STRICT)

    collection_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    term: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    frequency: Mapped[int] = mapped_column(Integer)
    idf: Mapped[float] = mapped_column(Real)


class ChunkTermsRow(TenantRow, Base):
    """A chunk's terms on PostgreSQL: lexemes to find it by, BM25 weights to rank it by.

    A row must fit a page, so that ranking reads no out-of-line value: `weights` holds the heaviest entries, `rest`
    what is left of an unusually long chunk.
    """

    __tablename__ = "rag_chunk_terms"
    __table_args__ = (
        child_of("chunk_id", "rag_chunk"),
        Index(None, "lexemes", postgresql_using="gin"),
        Index(None, "tenant_id", "collection_id", "generation"),
        POSTGRESQL_ONLY,
    )

    chunk_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    collection_id: Mapped[UUID] = mapped_column(Id)
    generation: Mapped[int] = mapped_column(Integer)
    length: Mapped[int] = mapped_column(Integer)
    lexemes: Mapped[str] = mapped_column(Lexemes)
    weights: Mapped[bytes] = mapped_column(Sparse)
    rest: Mapped[bytes | None] = mapped_column(Sparse)


class ChunkKeyRow(Base):
    """A chunk's integer key on SQLite, which keeps postings small."""

    __tablename__ = "rag_chunk_key"
    __table_args__ = (
        child_of("chunk_id", "rag_chunk"),
        UniqueConstraint("tenant_id", "chunk_id"),
        Index(None, "tenant_id", "collection_id"),
        SQLITE_ONLY,
    )

    key: Mapped[int] = mapped_column(Integer, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Key(64))
    collection_id: Mapped[UUID] = mapped_column(Id)
    chunk_id: Mapped[UUID] = mapped_column(Id)
    length: Mapped[int] = mapped_column(Integer)


class VectorChangeRow(TenantRow, Base):
    """How often a space's vectors were added to or taken from, on SQLite: whether a copy in memory is still right.

    Triggers count, so that a write by anyone is seen.
    """

    __tablename__ = "rag_vector_change"
    __table_args__ = (child_of("space_id", "rag_embedding_space"), SQLITE_ONLY)

    space_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    added: Mapped[int] = mapped_column(Integer)
    removed: Mapped[int] = mapped_column(Integer)


class PostingRow(Base):
    """That a chunk holds a term, how often, and the chunk's length: all that BM25 needs, in index order."""

    __tablename__ = "rag_posting"
    __table_args__ = (
        ForeignKeyConstraint(["chunk_key"], [f"{SCHEMA}.rag_chunk_key.key"], ondelete="CASCADE"),
        Index(None, "chunk_key"),
        {**SQLITE_ONLY, "sqlite_with_rowid": False},
    )

    salt: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    term: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    chunk_key: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    frequency: Mapped[int] = mapped_column(Integer)
    length: Mapped[int] = mapped_column(Integer)


CHUNKS = table_of(ChunkRow)
COLLECTIONS = table_of(CollectionRow)
DOCUMENTS = table_of(DocumentRow)
EMBEDDINGS = table_of(EmbeddingRow)
SPACES = table_of(SpaceRow)
