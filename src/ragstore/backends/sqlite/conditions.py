"""Filters over metadata on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, exists, false, func, literal, or_, select, true

from ragstore.corpus.filters import Operator
from ragstore.corpus.tables import ChunkRow, DocumentRow


def metadata_condition(
    path: tuple[str, ...], operator: Operator, value: Any, *, of_document: bool = False
) -> ColumnElement[bool]:
    """Compare the value at a path of the effective metadata, or of the document's own; true or false, never unknown.

    Keys are compared as values, never written into a JSON path.
    """
    if operator == "!=":
        return ~metadata_condition(path, "==", value, of_document=of_document)
    return _holds(DocumentRow.meta, path, operator, value) if of_document else _effective(path, operator, value)


def _effective(path: tuple[str, ...], operator: Operator, value: Any) -> ColumnElement[bool]:
    """The chunk's own value, or its document's where the chunk's metadata does not have the first key."""
    own = _holds(ChunkRow.meta, path, operator, value)
    hidden = _holds(ChunkRow.meta, path[:1], "exists", True)
    return or_(own, and_(~hidden, _holds(DocumentRow.meta, path, operator, value)))


def _holds(column: Any, path: tuple[str, ...], operator: Operator, value: Any) -> ColumnElement[bool]:
    levels = [_members(column)]
    for _ in path[1:]:
        levels.append(_members(_only("object", levels[-1], "{}")))
    at_path = [level.c.key == literal(key, Text) for level, key in zip(levels, path, strict=True)]
    return _some(levels, *at_path, _compare(levels[-1], operator, value))


def _members(column: Any) -> Any:
    return func.json_each(column).table_valued("key", "type", "value")


def _only(kind: str, member: Any, empty: str) -> ColumnElement[str]:
    # json_each of a plain text is an error, and SQLite is free to try it before it looks at the type
    return case((member.c.type == kind, member.c.value), else_=empty)


def _some(sources: Sequence[Any], *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    # joined, not listed: SQLAlchemy cannot see that each source is made of the one before, and warns of a product
    joined = reduce(lambda left, right: left.join(right, true()), sources)
    statement = select(literal(1)).select_from(joined).where(*conditions)
    return exists(statement.correlate(ChunkRow, DocumentRow))


def _type_is(kind: ColumnElement[str], name: str) -> ColumnElement[bool]:
    return kind == name


def _among(member: Any, values: tuple[Any, ...]) -> ColumnElement[bool]:
    # one list for each type: an OR of them all would nest deeper than SQLite allows
    texts = [value for value in values if isinstance(value, str)]
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    others = [value for value in (None, True, False) if any(value is given for given in values)]
    return or_(
        false(),
        *(_compare(member, "==", value) for value in others),
        *([and_(member.c.type == "text", member.c.value.in_(texts))] if texts else []),
        *([and_(member.c.type.in_(("integer", "real")), member.c.value.in_(numbers))] if numbers else []),
    )


def _compare(member: Any, operator: Operator, value: Any) -> ColumnElement[bool]:
    kind, actual = member.c.type, member.c.value
    match operator:
        case "exists":
            return true()
        case "in":
            return _among(member, value)
        case "contains":
            items = _members(_only("array", member, "[]"))
            return _some([items], _compare(items, "==", value))
        case "starts_with":
            return and_(kind == "text", func.substr(actual, 1, len(value)) == value)
        case "==" if value is None:
            return _type_is(kind, "null")
        case "==" if isinstance(value, bool):
            return _type_is(kind, "true" if value else "false")
        case _:
            types = ("text",) if isinstance(value, str) else ("integer", "real")
            sign = "=" if operator == "==" else operator
            return and_(kind.in_(types), actual.op(sign, is_comparison=True)(value))
