"""Filters as SQL conditions over chunk and document rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, and_, func, or_, type_coerce
from sqlalchemy.sql import ColumnElement

from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.filters import Condition, Every, Filter, Not, Some
from ragstore.corpus.tables import ChunkRow, DocumentRow
from ragstore.errors import InvalidInput

_TEXT: dict[str, Any] = {
    "source": DocumentRow.source,
    "title": DocumentRow.title,
    "doc_type": DocumentRow.doc_type,
    "version": DocumentRow.version,
    "language": ChunkRow.language,
    "heading": ChunkRow.heading,
    "embedding_id": ChunkRow.embedding_id,
}
_NUMBER: dict[str, Any] = {  # compared in 64 bits, as any integer of a filter fits those
    "page": type_coerce(ChunkRow.page, BigInteger),
    "chunk_index": type_coerce(ChunkRow.chunk_index, BigInteger),
}
_OF_CHUNKS = {"language", "heading", "embedding_id", *_NUMBER}
_TIME: dict[str, Any] = {"created_at": DocumentRow.created_at, "updated_at": DocumentRow.updated_at}
_KINDS: tuple[tuple[dict[str, Any], tuple[type, ...], str], ...] = (
    (_TEXT, (str,), "text"),
    (_NUMBER, (int, float), "a number"),
    (_TIME, (datetime,), "a time with its zone"),
)


def condition(where: Filter, backend: CorpusBackend, *, of_documents: bool = False) -> ColumnElement[bool]:
    """Compile a filter over chunk and document rows; true or false for every row, never unknown.

    Args:
        where: The filter.
        backend: The database.
        of_documents: Over document rows alone: a chunk's fields are refused, metadata is the document's own.

    Raises:
        InvalidInput: A field does not exist, or is compared with a value of another type.
    """
    if isinstance(where, Every):
        return and_(*(condition(part, backend, of_documents=of_documents) for part in where.parts))
    if isinstance(where, Some):
        return or_(*(condition(part, backend, of_documents=of_documents) for part in where.parts))
    if isinstance(where, Not):
        return ~condition(where.part, backend, of_documents=of_documents)
    assert isinstance(where, Condition)
    if where.field == "metadata":
        if not where.path:
            raise InvalidInput("name a key: F.metadata['key']", field="where")
        if any(isinstance(v, datetime) for v in (where.value if where.operator == "in" else (where.value,))):
            raise InvalidInput("JSON has no times: compare with the text that was stored", field="where")
        return backend.metadata_condition(where.path, where.operator, where.value, of_document=of_documents)
    if of_documents and where.field in _OF_CHUNKS:
        hint = "documents are matched by their own fields and metadata; chunks.delete_where and its like match chunks"
        raise InvalidInput(f"is a chunk's: {hint}", field=where.field)
    return _field_condition(where)


def _field_condition(where: Condition) -> ColumnElement[bool]:
    column, types, expected = _field(where.field)
    values = where.value if where.operator == "in" else (where.value,)
    for value in values:
        wrong = value is not None and (not isinstance(value, types) or isinstance(value, bool))
        if where.operator != "exists" and wrong:
            raise InvalidInput(f"is {expected}, not {type(value).__name__}", field=where.field)
    if where.operator == "contains" or (where.operator == "starts_with" and str not in types):
        raise InvalidInput(f"cannot be asked whether it {where.operator} something", field=where.field)
    return _compare(column, where)


def _field(name: str) -> tuple[Any, tuple[type, ...], str]:
    for fields, types, expected in _KINDS:
        if name in fields:
            return fields[name], types, expected
    known = ", ".join(sorted([*_TEXT, *_NUMBER, *_TIME, "metadata"]))
    raise InvalidInput(f"there is no field {name!r}: use one of {known}", field="where")


def _compare(column: Any, where: Condition) -> ColumnElement[bool]:
    value = where.value
    match where.operator:
        case "==" if value is None:
            return column.is_(None)  # type: ignore[no-any-return]
        case "==":  # IS NOT DISTINCT FROM, which is never unknown either, would use no index
            return and_(column.is_not(None), column == value)
        case "!=":
            return column.is_distinct_from(value)  # type: ignore[no-any-return]
        case "exists":
            return column.is_not(None)  # type: ignore[no-any-return]
        case "in":
            among = _among(column, tuple(item for item in value if item is not None))
            return or_(column.is_(None), among) if None in value else among
        case "starts_with":
            return and_(column.is_not(None), func.substr(column, 1, len(value)) == value)
        case operator:
            return and_(column.is_not(None), column.op(operator, is_comparison=True)(value))


def _among(column: Any, values: tuple[Any, ...]) -> ColumnElement[bool]:
    return and_(column.is_not(None), column.in_(values))
