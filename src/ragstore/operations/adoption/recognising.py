"""Which of an old database's tables and columns are which: by their names, and as the caller says."""

from __future__ import annotations

import warnings
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, MetaData, Table, inspect
from sqlalchemy.engine import Connection, Inspector
from sqlalchemy.exc import NoSuchTableError, SAWarning

from ragstore.errors import InvalidInput
from ragstore.operations.adoption.records import Mapping

TABLES = {
    "conversation": ("conversation", "conversations"),
    "document_chunk": ("document_chunk", "document_chunks"),
    "rate_limit": ("rate_limit", "rate_limits"),
}
CONVERSATION = {
    "id": (),
    "thread": ("thread_id", "session_id", "conversation_id", "chat_id"),
    "question": ("user_query", "query", "question", "user_message"),
    "answer": ("response", "answer", "assistant_response", "bot_response"),
    "created_at": ("timestamp", "created_at"),
    "sources": ("sources", "citations"),
    "response_time": ("response_time",),
    "feedback": ("feedback", "rating"),
    "comment": ("feedback_text", "feedback_comment", "comment"),
    "user_id": ("user_id",),
    "model": ("model", "model_name"),
}
DOCUMENT_CHUNK = {
    "id": (),
    "source": ("source", "document_source", "source_url", "url"),
    "content": ("content", "text", "chunk_text"),
    "title": ("title", "document_title"),
    "content_hash": ("content_hash",),
    "chunk_index": ("chunk_index",),
    "doc_type": ("doc_type", "document_type"),
    "version": ("version", "doc_version"),
    "embedding_id": ("embedding_id", "vector_id"),
    "embedding": ("embedding",),
    "metadata": ("metadata", "chunk_metadata", "metadata_json", "meta"),
    "created_at": ("created_at", "timestamp"),
}
"""By field the names that columns have for it, the likeliest first; the id is the primary key."""
_FIELDS = {"conversation": CONVERSATION, "document_chunk": DOCUMENT_CHUNK}
_REQUIRED = {
    "conversation": ("id", "thread", "question", "answer", "created_at"),
    "document_chunk": ("id", "source", "content"),
}


@dataclass(frozen=True, slots=True)
class OldTable:
    """A table that was recognised.

    Attributes:
        table: It, with the columns that are read.
        columns: Column by field.
        unmapped: The columns that are no field.
    """

    table: Table
    columns: AnyMapping[str, str]
    unmapped: tuple[str, ...]

    @property
    def name(self) -> str:
        """Give the table's name."""
        return str(self.table.name)


@dataclass(frozen=True, slots=True)
class Layout:
    """The tables that are there."""

    conversation: OldTable | None
    document_chunk: OldTable | None
    rate_limit: Table | None


def recognise(connection: Connection, mapping: Mapping) -> Layout:
    """Find the old tables and their columns.

    Raises:
        InvalidInput: Something cannot be told; it says what is there, and what to pass.
    """
    search = _Search(inspect(connection), mapping)
    layout = Layout(search.columned("conversation"), search.columned("document_chunk"), search.counted("rate_limit"))
    if layout.conversation is None and layout.document_chunk is None and not search.problems:
        search.problems.append('neither table is there: name them, e.g. Mapping(tables={"conversation": "chat_log"})')
    if search.problems:
        there = f"tables there: {_listed(search.tables)}"
        raise InvalidInput("\n".join(["the old tables cannot be told", *search.problems, there]), field="mapping")
    return layout


class _Search:
    def __init__(self, inspector: Inspector, mapping: Mapping) -> None:
        self.inspector = inspector
        self.mapping = mapping
        schema = mapping.source_schema
        self.tables = sorted([*inspector.get_table_names(schema), *inspector.get_view_names(schema)])
        self.problems = [
            f"tables: there is no kind {kind!r}, but {_listed(TABLES)}" for kind in mapping.tables if kind not in TABLES
        ]

    def counted(self, kind: str) -> Table | None:
        name = self.named(kind)
        return None if name is None else Table(name, MetaData(), schema=self.mapping.source_schema)

    def columned(self, kind: str) -> OldTable | None:
        name = self.named(kind)
        if name is None:
            return None
        there = self.columns_of(name)
        columns = self.fields(kind, name, there)
        table = Table(name, MetaData(), *map(Column, set(columns.values())), schema=self.mapping.source_schema)
        return OldTable(table, columns, tuple(column for column in there if column not in columns.values()))

    def named(self, kind: str) -> str | None:
        if kind in self.mapping.tables:
            given = self.mapping.tables[kind]
            if given is not None and given not in self.tables:
                self.problems.append(f"tables.{kind}: there is no table {given!r}")
                return None
            return given
        found = [name for name in self.tables if name.lower() in TABLES[kind]]
        if len(found) > 1:
            self.problems.append(f'{_listed(found)} are all there: say which, Mapping(tables={{"{kind}": ...}})')
            return None
        return next(iter(found), None)

    def columns_of(self, name: str) -> list[str]:
        with warnings.catch_warnings():  # pgvector's type, which SQLAlchemy need not know for this
            warnings.filterwarnings("ignore", "Did not recognize type", SAWarning)
            try:
                return [column["name"] for column in self.inspector.get_columns(name, self.mapping.source_schema)]
            except NoSuchTableError:  # dropped since
                return []

    def fields(self, kind: str, name: str, there: Sequence[str]) -> dict[str, str]:
        given: dict[str, str | None] = getattr(self.mapping, kind)
        known = _FIELDS[kind]
        unknown = [field for field in given if field not in known]
        absent = [column for column in given.values() if column is not None and column not in there]
        columns = {field: self.column(name, there, given, field, known[field]) for field in known}
        missing = [field for field in _REQUIRED[kind] if columns[field] is None]
        if unknown:
            self.problems.append(f"{kind}: there is no field {_listed(unknown)}, but {_listed(known)}")
        if absent:
            self.problems.append(f"{kind}: the table {name!r} has no column {_listed(absent)}")
        if missing:
            example = f'Mapping({kind}={{"{missing[0]}": "its column"}})'
            self.problems.append(f"{kind}: no column of {name!r} is known for {_listed(missing)}: pass {example}")
        if unknown or absent or missing:
            self.problems.append(f"columns of {name!r}: {_listed(there)}")
        return {field: column for field, column in columns.items() if column is not None}

    def column(
        self, table: str, there: Sequence[str], given: AnyMapping[str, str | None], field: str, names: Sequence[str]
    ) -> str | None:
        if field in given:
            return given[field]
        if field == "id":
            return self.key_of(table)
        lower = {column.lower(): column for column in reversed(there) if column not in given.values()}
        return next((lower[name] for name in names if name in lower), None)

    def key_of(self, table: str) -> str | None:
        key = self.inspector.get_pk_constraint(table, self.mapping.source_schema)["constrained_columns"]
        return key[0] if len(key) == 1 else None


def _listed(names: Sequence[str] | AnyMapping[str, object]) -> str:
    return ", ".join(map(repr, names)) or "none"
