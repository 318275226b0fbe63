"""What a database holds in the end: rows and bytes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Executable, func, select, text

from ragstore import Store
from ragstore.backends import backend_for
from ragstore.conversations.tables import ConversationRow, MessageRow
from ragstore.core.base import Base, table_of
from ragstore.corpus.tables import ChunkRow, CollectionRow, DocumentRow, EmbeddingRow

ROWS: dict[str, type[Base]] = {
    "collections": CollectionRow,
    "documents": DocumentRow,
    "chunks": ChunkRow,
    "vectors": EmbeddingRow,
    "conversations": ConversationRow,
    "messages": MessageRow,
}

SIZE = {
    "sqlite": text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"),
    "postgresql": text(
        "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema AND c.relkind IN ('r', 'p')"
    ),
}


@dataclass(frozen=True, slots=True)
class Stored:
    """What is there.

    Attributes:
        rows: How many of each kind the tenant has.
        size: Bytes of the SQLite file, or of the tables with their indexes.
    """

    rows: dict[str, int]
    size: int


def measure(store: Store) -> Stored:
    """Count a store's rows and bytes, in one reading transaction."""
    schema = store.settings.schema
    options = backend_for(store.engine.dialect).execution_options(schema)
    with store.begin(read_only=True) as unit:
        counted = unit.connection.execute(_counts(store.tenant), execution_options=options).one()
        size = unit.connection.scalar(SIZE[store.engine.dialect.name], {"schema": schema})
    return Stored(dict(zip(ROWS, counted, strict=True)), int(size))


def _counts(tenant: str | None) -> Executable:
    tables = [table_of(row) for row in ROWS.values()]
    return select(
        *(select(func.count()).select_from(t).where(t.c.tenant_id == tenant).scalar_subquery() for t in tables)
    )
