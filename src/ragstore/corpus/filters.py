"""Filters: expressions over a chunk's and its document's fields and metadata.

    where = (F.doc_type == "manual") & (F.metadata["year"] >= 2024) & ~F.source.starts_with("draft/")

A comparison is true or false, never unknown, so `~` is exact negation:

- values compare within their JSON type: 1 equals 1.0, but neither "1" nor true;
- a missing key equals nothing, not even null, so `!=` is true for it; `== None` finds null (for a field: no value);
- `<`, `<=`, `>`, `>=` hold between numbers and between texts (by code point), and are false for anything else;
- `F.metadata` is the chunk's metadata laid over its document's: the chunk's key wins.

`Filter.from_dict` reads the same from a plain dict, such as a JSON request brings.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NoReturn

from ragstore.core.border import STRICT_TEXT
from ragstore.core.json import INT64, Json
from ragstore.core.types import to_utc
from ragstore.errors import InvalidInput, UsageError

Scalar = str | int | float | bool | datetime | None
Operator = Literal["==", "!=", "<", "<=", ">", ">=", "in", "contains", "exists", "starts_with"]

MAX_DEPTH = 32
MAX_CONDITIONS = 256
MAX_LIST = 1000
MAX_PATH = 8


class Filter:
    """A condition; combine with `&`, `|` and `~`.

    >>> where = (F.doc_type == "manual") & ~F.source.starts_with("draft/")
    """

    @staticmethod
    def from_dict(value: Mapping[str, object]) -> Filter:
        """Read a filter from a plain dict, such as a JSON request brings; `where=` takes one as well.

        - `{"doc_type": "manual"}` is `F.doc_type == "manual"`;
        - `{"page": {"$gte": 3, "$lt": 9}}` is `(F.page >= 3) & (F.page < 9)`;
        - `{"metadata.a.b": {"$in": [1, 2]}}` is `F.metadata["a"]["b"].in_([1, 2])`;
        - `{"metadata": {"$path": ["a.b"], "$eq": 1}}` is `F.metadata["a.b"] == 1`, for keys with dots;
        - of a dict with several keys all hold, so do all of `{"$and": [...]}`, and one of `{"$or": [...]}`;
        - `{"$not": {...}}` does not hold.

        Operators: `$eq`, `$ne`, `$lt`, `$lte`, `$gt`, `$gte`, `$in`, `$nin` (in none of these), `$contains`,
        `$starts_with`, `$exists` (true or false). A value without an operator stands for `$eq`. `created_at` and
        `updated_at` take a `datetime` or ISO 8601 text, with a time zone.

        Args:
            value: The dict; nested at most 32 deep, of at most 256 conditions, with lists of at most 1,000 values.

        Raises:
            InvalidInput: It is no such dict: empty, of an unknown field or operator, too large.

        Example:
            >>> where = Filter.from_dict({"doc_type": "manual", "metadata.year": {"$gte": 2024}})
            >>> where == Filter.from_dict((F.doc_type == "manual").to_dict()) & (F.metadata["year"] >= 2024)
            True
        """
        from ragstore.corpus.filter_dicts import read  # it is made of this module

        return read(value)

    def to_dict(self) -> dict[str, Json]:
        """Give the filter as a dict of JSON values from which `from_dict` makes an equal one.

        Raises:
            InvalidInput: It is nested too deeply or has too many conditions.
        """
        from ragstore.corpus.filter_dicts import write

        return write(self)

    def __and__(self, other: Filter) -> Filter:
        """Both hold."""
        return every((self, _checked(other)))

    def __or__(self, other: Filter) -> Filter:
        """At least one holds."""
        return some((self, _checked(other)))

    def __invert__(self) -> Filter:
        """It does not hold."""
        return Not(self)

    def __bool__(self) -> NoReturn:
        """Refuse `and`, `or`, `not` and chained comparisons, which Python would evaluate at once."""
        raise UsageError("combine filters with & | ~ and parentheses, not with and, or, not")


def _checked(value: object) -> Filter:
    if not isinstance(value, Filter):
        raise InvalidInput(
            f"must be a filter such as F.doc_type == 'manual', not {type(value).__name__}", field="where"
        )
    return value


@dataclass(frozen=True, slots=True)
class Every(Filter):
    """All of these hold."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Some(Filter):
    """At least one of these holds."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not(Filter):
    """This does not hold."""

    part: Filter


@dataclass(frozen=True, slots=True)
class Condition(Filter):
    """One comparison.

    Attributes:
        field: A field's name, or "metadata".
        path: The keys below `metadata`; empty for a field.
        operator: What to compare by.
        value: What to compare with; a tuple for "in", True for "exists".
    """

    field: str
    path: tuple[str, ...]
    operator: Operator
    value: Any


def every(parts: Iterable[Filter]) -> Filter:
    """Ask that all of these hold; `a & b & c` is one list, however it was put together."""
    flat = tuple(one for part in parts for one in (part.parts if isinstance(part, Every) else (part,)))
    return flat[0] if len(flat) == 1 else Every(flat)


def some(parts: Iterable[Filter]) -> Filter:
    """Ask that one of these holds; `a | b | c` is one list, however it was put together."""
    flat = tuple(one for part in parts for one in (part.parts if isinstance(part, Some) else (part,)))
    return flat[0] if len(flat) == 1 else Some(flat)


class Operand:
    """A field or a metadata path, to be compared."""

    __hash__ = None  # type: ignore[assignment]  # `==` makes a filter

    def __init__(self, field: str, path: tuple[str, ...] = ()) -> None:
        """Use `F`."""
        self._field = field
        self._path = path

    def _compare(self, operator: Operator, value: object) -> Filter:
        return Condition(self._field, self._path, operator, value)

    def __eq__(self, value: object) -> Filter:  # type: ignore[override]
        """It has this value."""
        return self._compare("==", _scalar(value, self._name))

    def __ne__(self, value: object) -> Filter:  # type: ignore[override]
        """It has another value, or none."""
        return self._compare("!=", _scalar(value, self._name))

    def __lt__(self, value: object) -> Filter:
        """It is a number or a text below this one."""
        return self._compare("<", _ordered(value, self._name))

    def __le__(self, value: object) -> Filter:
        """It is at most this."""
        return self._compare("<=", _ordered(value, self._name))

    def __gt__(self, value: object) -> Filter:
        """It is above this."""
        return self._compare(">", _ordered(value, self._name))

    def __ge__(self, value: object) -> Filter:
        """It is at least this."""
        return self._compare(">=", _ordered(value, self._name))

    def in_(self, values: Iterable[Scalar]) -> Filter:
        """It has one of these values; an empty list holds nothing."""
        listed = tuple(_scalar(value, self._name) for value in values)
        if len(listed) > MAX_LIST:
            raise InvalidInput(f"has {len(listed)} values: at most {MAX_LIST}", field=self._name)
        return self._compare("in", listed)

    def contains(self, value: Scalar) -> Filter:
        """It is a list that has this value (metadata only)."""
        return self._compare("contains", _scalar(value, self._name))

    def exists(self) -> Filter:
        """It has a value, null included (for a field: it is not None)."""
        return self._compare("exists", True)

    def starts_with(self, prefix: str) -> Filter:
        """It is a text that begins so, letter for letter."""
        if not isinstance(prefix, str):
            raise InvalidInput("a prefix must be text", field=self._name)
        return self._compare("starts_with", STRICT_TEXT.text(prefix, field=self._name))

    @property
    def _name(self) -> str:
        return ".".join((self._field, *self._path))


class MetadataOperand(Operand):
    """`F.metadata`: name a key with `[...]`, a nested one with another."""

    def __getitem__(self, key: str) -> MetadataOperand:
        """Go down to a key."""
        if not isinstance(key, str):
            raise InvalidInput("a metadata key must be text", field=self._name)
        if len(self._path) >= MAX_PATH:
            raise InvalidInput(f"a path has at most {MAX_PATH} keys", field=self._name)
        return MetadataOperand(self._field, (*self._path, STRICT_TEXT.text(key, field=f"{self._name} (key)")))


class _Fields:
    """What can be filtered by. Times are timezone-aware."""

    source = Operand("source")
    title = Operand("title")
    doc_type = Operand("doc_type")
    version = Operand("version")
    language = Operand("language")
    heading = Operand("heading")
    page = Operand("page")
    chunk_index = Operand("chunk_index")
    embedding_id = Operand("embedding_id")
    created_at = Operand("created_at")
    updated_at = Operand("updated_at")
    metadata = MetadataOperand("metadata")


F = _Fields()
"""The fields to filter by: `F.doc_type == "manual"`, `F.metadata["year"] >= 2024`."""


def _scalar(value: object, field: str) -> Scalar:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, datetime):
        return to_utc(value, field=field)
    if isinstance(value, str):
        return STRICT_TEXT.text(value, field=field)
    if isinstance(value, int):
        if value not in INT64:
            raise InvalidInput("the integer does not fit 64 bits", field=field)
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidInput(f"{value} cannot be compared with", field=field)
        return value
    raise InvalidInput(f"cannot be compared with {type(value).__name__}: give text, a number or a truth", field=field)


def _ordered(value: object, field: str) -> Scalar:
    if value is None or isinstance(value, bool):
        raise InvalidInput("only numbers, texts and times have an order", field=field)
    return _scalar(value, field)


def check(where: object) -> Filter | None:
    """Check a filter's kind and size before it is compiled; read it, if it is a dict.

    Raises:
        InvalidInput: It is no filter, is nested too deeply, or has too many conditions.
    """
    if where is None:
        return None
    checked = _checked(Filter.from_dict(where) if isinstance(where, Mapping) else where)
    conditions = 0
    for node, depth in _walk(checked):
        conditions += isinstance(node, Condition)
        if depth > MAX_DEPTH or conditions > MAX_CONDITIONS:
            raise too_large()
    return checked


def too_large() -> InvalidInput:
    """Say how large a filter may be."""
    limits = f"at most {MAX_CONDITIONS} conditions, nested at most {MAX_DEPTH} deep"
    return InvalidInput(f"the filter is too large: {limits}", field="where")


def _walk(root: Filter) -> Iterator[tuple[Filter, int]]:
    pending = [(root, 1)]
    while pending:
        node, depth = pending.pop()
        yield node, depth
        if isinstance(node, Not):
            pending.append((node.part, depth + 1))
        elif isinstance(node, Every | Some):
            pending.extend((part, depth + 1) for part in node.parts)
