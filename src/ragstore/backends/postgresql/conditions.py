"""Filters over metadata on PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, false, func, literal, literal_column, or_
from sqlalchemy.dialects.postgresql import JSONB

from ragstore.core import json
from ragstore.corpus.filters import Operator
from ragstore.corpus.tables import ChunkRow, DocumentRow


def metadata_condition(
    path: tuple[str, ...], operator: Operator, value: Any, *, of_document: bool = False
) -> ColumnElement[bool]:
    """Compare the value at a path of the effective metadata, or of the document's own; true or false, never unknown."""
    found = _at(DocumentRow.meta, path[:1])
    if not of_document:  # the chunk's own key wins; a key that holds null is there, so it wins too
        found = func.coalesce(_at(ChunkRow.meta, path[:1]), found)
    found = _at(found, path[1:])
    return func.coalesce(_json_compare(found, operator, value), false())


def _at(found: Any, path: tuple[str, ...]) -> Any:
    # -> with a text key reads objects only, where #> would read the string '0' as a place in an array
    for key in path:
        found = found.op("->", return_type=JSONB())(cast(key, Text))
    return found


def _jsonb(value: Any) -> ColumnElement[Any]:
    return cast(literal(json.dumps(value), Text), _PlainJsonb())


def _json_compare(found: ColumnElement[Any], operator: Operator, value: Any) -> ColumnElement[bool]:
    match operator:
        case "exists":
            return found.is_not(None)
        case "==":
            return _is(found, "=", _jsonb(value))
        case "!=":
            return found.op("IS DISTINCT FROM", is_comparison=True)(_jsonb(value))
        case "in":
            return or_(false(), *(_is(found, "=", _jsonb(item)) for item in value))
        case "contains":
            return and_(func.jsonb_typeof(found) == "array", _is(found, "@>", _jsonb([value])))
        case "starts_with":
            return and_(func.jsonb_typeof(found) == "string", func.starts_with(_as_text(found), value))
        case _ if isinstance(value, str):
            return and_(
                func.jsonb_typeof(found) == "string", _is(_as_text(found).collate("C"), operator, literal(value))
            )
        case _:
            return and_(func.jsonb_typeof(found) == "number", _is(found, operator, _jsonb(value)))


def _is(left: ColumnElement[Any], operator: str, right: ColumnElement[Any]) -> ColumnElement[bool]:
    return left.op(operator, is_comparison=True)(right)


def _as_text(found: ColumnElement[Any]) -> ColumnElement[str]:
    return found.op("#>>", return_type=Text())(literal_column("'{}'"))


class _PlainJsonb(JSONB):
    """The name of the type, for casts alone."""
