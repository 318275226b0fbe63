"""A JSON array as rows, as an SQL expression: many values in one parameter."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class json_texts(FunctionElement[str]):  # noqa: N801 - reads as a function in statements
    """The texts of a JSON array, one a row, in the column `value`."""

    name = "json_texts"
    inherit_cache = True


@compiles(json_texts, "postgresql")
def _on_postgresql(element: json_texts, compiler: Any, **options: Any) -> str:
    return f"json_array_elements_text(CAST({compiler.process(element.clauses, **options)} AS json))"


@compiles(json_texts, "sqlite")
def _on_sqlite(element: json_texts, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"
