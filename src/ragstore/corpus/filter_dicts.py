"""Filters as plain dicts; `Filter.from_dict` says how they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ragstore.core.json import Json
from ragstore.corpus.filters import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    MAX_LIST,
    Condition,
    Every,
    F,
    Filter,
    MetadataOperand,
    Not,
    Operand,
    Operator,
    Some,
    check,
    every,
    some,
    too_large,
)
from ragstore.errors import InvalidInput

_METADATA = "metadata"
_PATH = "$path"
_TIMES = ("created_at", "updated_at")
_FIELDS: dict[str, Operand] = {
    name: operand for name, operand in vars(type(F)).items() if isinstance(operand, Operand) and name != _METADATA
}
_NAMES: dict[Operator, str] = {
    "==": "$eq",
    "!=": "$ne",
    "<": "$lt",
    "<=": "$lte",
    ">": "$gt",
    ">=": "$gte",
    "in": "$in",
    "contains": "$contains",
    "starts_with": "$starts_with",
    "exists": "$exists",
}
_COMPARE: dict[str, Callable[[Any, Any], Filter]] = {
    "$eq": Operand.__eq__,
    "$ne": Operand.__ne__,
    "$lt": Operand.__lt__,
    "$lte": Operand.__le__,
    "$gt": Operand.__gt__,
    "$gte": Operand.__ge__,
    "$in": Operand.in_,
    "$nin": lambda operand, values: ~operand.in_(values),
    "$contains": Operand.contains,
    "$starts_with": Operand.starts_with,
    "$exists": lambda operand, wanted: operand.exists() if wanted else ~operand.exists(),
}


def read(value: object) -> Filter:
    """Make a filter of a dict.

    Raises:
        InvalidInput: It is not written as a filter is, or is too large.
    """
    parts = _Reader().parts(value, 1)
    where = check(every(parts))
    assert where is not None
    return where


def write(where: Filter) -> dict[str, Json]:
    """Give a filter as a dict of JSON values.

    Raises:
        InvalidInput: It is too large.
    """
    check(where)
    return _written(where)


class _Reader:
    """Reads one filter; counts its conditions, so that a dict that is in itself many times costs no more."""

    def __init__(self) -> None:
        self._conditions = 0

    def parts(self, value: object, depth: int) -> list[Filter]:
        """Give what a dict asks for, all of which must hold."""
        if depth > MAX_DEPTH:
            raise too_large()
        found = [self._part(key, asked, depth) for key, asked in _items(value)]
        return [condition for several in found for condition in several]

    def _part(self, key: str, asked: object, depth: int) -> list[Filter]:
        if key == "$not":
            return [~every(self.parts(asked, depth + 1))]
        if key in ("$and", "$or"):
            alternatives = [every(self.parts(one, depth + 1)) for one in _list(asked, key)]
            return [every(alternatives) if key == "$and" else some(alternatives)]
        return [self._counted(condition) for condition in _conditions(key, asked)]

    def _counted(self, condition: Filter) -> Filter:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise too_large()
        return condition


def _items(value: object) -> Iterator[tuple[str, object]]:
    if not isinstance(value, Mapping):
        raise _wrong(f"a filter is a dict such as {{'doc_type': 'manual'}}, not {type(value).__name__}")
    if not value:
        raise _wrong("an empty filter: leave where= out, or name a field as in {'doc_type': 'manual'}")
    for key, asked in value.items():
        if not isinstance(key, str):
            raise _wrong(f"a filter's keys are text, not {type(key).__name__}")
        yield key, asked


def _list(value: object, key: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple) or not value:
        raise _wrong(f"{key} takes a list of one or more filters: {{'{key}': [{{...}}, {{...}}]}}")
    return value


def _conditions(key: str, asked: object) -> Iterator[Filter]:
    """Compare one field by each of the operators that its dict has."""
    operators = dict(_items(asked)) if isinstance(asked, Mapping) else {"$eq": asked}
    operand = _operand(key, operators)
    if not operators:
        raise _wrong(f"{key!r} is compared with nothing: add an operator such as '$eq'")
    for operator, value in operators.items():
        yield _compared(operand, key, operator, value)


def _operand(key: str, operators: dict[str, object]) -> Operand:
    if key in _FIELDS:
        return _FIELDS[key]
    if key.startswith(f"{_METADATA}."):
        path = key.split(".")[1:]
        if "" in path:
            raise _wrong(f"{key[:100]!r} has an empty key: write {{'metadata': {{'$path': ['a', ''], '$eq': ...}}}}")
        return _at(path)
    if key == _METADATA:
        keys = operators.pop(_PATH, None)
        if not isinstance(keys, list | tuple) or not keys:
            raise _wrong("name a key: {'metadata.year': 2024}, or {'metadata': {'$path': ['year'], '$eq': 2024}}")
        return _at(keys)
    if key.startswith("$"):
        raise _wrong(f"there is no operator {key[:100]!r} here: use '$and', '$or', '$not', or a field's name")
    known = ", ".join(sorted(_FIELDS))
    raise _wrong(
        f"there is no field {key[:100]!r}: use one of {known}, or 'metadata.' and a key, as in 'metadata.year'"
    )


def _at(path: Sequence[Any]) -> Operand:
    operand: MetadataOperand = F.metadata
    for key in path:
        operand = operand[key]
    return operand


def _compared(operand: Operand, key: str, operator: str, value: object) -> Filter:
    compare = _COMPARE.get(operator)
    if compare is None:
        known = ", ".join(_COMPARE)
        nested = "; to negate, write {'$not': {field: {...}}}" if operator == "$not" else ""
        raise _wrong(f"{key[:100]!r} cannot be asked for {operator[:100]!r}: use one of {known}{nested}")
    if operator == "$exists" and not isinstance(value, bool):
        raise _wrong(f"$exists takes true or false, not {type(value).__name__}")
    if operator in ("$in", "$nin"):
        if not isinstance(value, list | tuple):
            raise _wrong(f"{operator} takes a list of values: {{{key[:100]!r}: {{'{operator}': [...]}}}}")
        if len(value) > MAX_LIST:
            raise _wrong(f"{operator} has {len(value):,} values: at most {MAX_LIST:,}")
        return compare(operand, [_value(key, one) for one in value])
    if isinstance(value, list | tuple):
        raise _wrong(f"{key[:100]!r} cannot be compared with a list: to have one of several values, write '$in'")
    return compare(operand, _value(key, value))


def _value(key: str, value: object) -> object:
    if key not in _TIMES or not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise InvalidInput("is no time as in ISO 8601, such as '2026-01-31T12:00:00Z'", field=key) from None


def _wrong(message: str) -> InvalidInput:
    return InvalidInput(message, field="where")


def _written(where: Filter) -> dict[str, Json]:
    if isinstance(where, Every):
        return {"$and": [_written(part) for part in where.parts]}
    if isinstance(where, Some):
        return {"$or": [_written(part) for part in where.parts]}
    if isinstance(where, Not):
        return {"$not": _written(where.part)}
    assert isinstance(where, Condition)
    compared: dict[str, Json] = {_NAMES[where.operator]: _json(where.value)}
    if where.path and any("." in key or not key for key in where.path):
        return {_METADATA: {_PATH: list(where.path), **compared}}
    return {".".join((where.field, *where.path)): compared}


def _json(value: Any) -> Json:
    if isinstance(value, tuple):
        return [_json(one) for one in value]
    return value.isoformat() if isinstance(value, datetime) else value
