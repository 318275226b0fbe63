"""Statements kept for the next search of the same shape: building one costs more than running it.

A filter's values are not part of the shape. They are the bound parameters of its condition, which come in the same
order for filters of one shape, so a kept statement takes the values of the next filter in the place of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement
from sqlalchemy.sql import visitors

from ragstore.core.query import Selected
from ragstore.corpus.filters import Condition, Every, Filter, Not, Some

MOST = 256
"""Statements that are kept; when there are so many, all are made anew."""

Conditions = Sequence[ColumnElement[bool] | None]


class Kept:
    """Statements by shape, each with the parameters of its filters."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._statements: dict[Hashable, tuple[Selected, list[str]]] = {}

    def get(
        self, shape: Hashable, conditions: Conditions, make: Callable[[Conditions], Selected]
    ) -> tuple[Selected, dict[str, Any]]:
        """Give the statement of this shape, and the values of its filters' parameters.

        Args:
            shape: All that the statement depends on, but for its parameters' values.
            conditions: The filters of this search.
            make: Makes the statement, with these filters in it.
        """
        found = [bound for condition in conditions if condition is not None for bound in _parameters(condition)]
        if shape not in self._statements:
            if len(self._statements) >= MOST:
                self._statements.clear()
            self._statements[shape] = (make(conditions), [bound.key for bound in found])
        statement, keys = self._statements[shape]
        return statement, {key: bound.effective_value for key, bound in zip(keys, found, strict=True)}


def _parameters(condition: ColumnElement[bool]) -> Iterator[BindParameter[Any]]:
    return (element for element in visitors.iterate(condition) if isinstance(element, BindParameter))


def shape_of(where: Filter | None) -> Hashable:
    """Give all of a filter but its values."""
    if isinstance(where, Every | Some):
        return type(where), tuple(shape_of(part) for part in where.parts)
    if isinstance(where, Not):
        return Not, shape_of(where.part)
    if isinstance(where, Condition):
        values = where.value if where.operator == "in" else (where.value,)
        return where.field, where.path, where.operator, tuple(type(value) for value in values)
    return None
