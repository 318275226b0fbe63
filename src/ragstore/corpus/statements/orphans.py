"""Statements about the ids under which another vector store keeps vectors."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ColumnElement, MetaData, Table, Text, and_, bindparam, delete, exists, select, true
from sqlalchemy.schema import CreateTable, DropTable

from ragstore.core.clock import utc_now
from ragstore.core.json_rows import json_texts
from ragstore.core.query import Query, Write
from ragstore.core.types import Key, UtcDateTime
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.tables import LABEL_BYTES, ChunkRow, DocumentRow

ACTIVE = Table(
    "ragstore_active_id",
    MetaData(),  # of its own: this table is no part of the schema
    Column("id", Key(LABEL_BYTES), primary_key=True),
    prefixes=["TEMPORARY"],
)
_CREATE = CreateTable(ACTIVE, if_not_exists=True)
_EMPTY = delete(ACTIVE)
_DROP = DropTable(ACTIVE)
_NOW = select(utc_now())


def now() -> Query[datetime]:
    """Select the database's time."""
    return Query(_NOW, lambda row: row[0])


def create_active_ids() -> Write:
    """Make the connection's own table of ids, unless a caught error has left it behind."""
    return Write(_CREATE)


def empty_active_ids() -> Write:
    """Delete what a caught error has left behind."""
    return Write(_EMPTY)


_GIVEN = json_texts(bindparam("ids", type_=Text())).table_valued("value")
_GIVEN_IDS = select(_GIVEN.c.value).where(true())  # SQLite takes ON for a join's without a WHERE before it


def insert_active_ids(backend: CorpusBackend, ids: str) -> Write:
    """Insert the ids of a JSON array; one that comes twice is kept once."""
    return Write(backend.upsert(ACTIVE).from_select(["id"], _GIVEN_IDS).on_conflict_do_nothing(), {"ids": ids})


def drop_active_ids() -> Write:
    """Drop the table of ids, which its own transaction has made."""
    return Write(_DROP)


IS_EXTERNAL: ColumnElement[bool] = and_(
    ChunkRow.embedding_id.is_not(None), DocumentRow.updated_at < bindparam("as_of", type_=UtcDateTime())
)
IS_ORPHAN: ColumnElement[bool] = and_(IS_EXTERNAL, ~exists().where(ACTIVE.c.id == ChunkRow.embedding_id))
