"""Stored vectors as numbers, read in the database's binary form: as text they take five times as long."""

from __future__ import annotations

from typing import Any

from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import UserDefinedType

from ragstore.core import extension
from ragstore.core.vectors import Storage

_HEADER = 4  # pgvector sends the number of dimensions before the numbers
_NUMBERS = {"vector": "f4", "halfvec": "f2"}


class Components(UserDefinedType[tuple[float, ...]]):
    """A vector's packed bytes, given as a tuple of its numbers."""

    cache_ok = True

    def __init__(self, storage: Storage) -> None:
        """Read what this storage holds."""
        self.storage = storage

    def get_col_spec(self, **_: object) -> str:
        """Name the packed form's type."""
        return LargeBinary.__visit_name__

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Unpack."""
        import numpy as np

        order, skipped = (">", _HEADER) if dialect.name == "postgresql" else ("<", 0)
        numbers = order + _NUMBERS[self.storage]

        def unpack(value: Any) -> tuple[float, ...] | None:
            return None if value is None else tuple(np.frombuffer(value, dtype=numbers, offset=skipped).tolist())

        return unpack


class components(FunctionElement[tuple[float, ...]]):  # noqa: N801 - reads as a function in statements
    """A vector column's numbers."""

    inherit_cache = True

    def __init__(self, column: Any, storage: Storage) -> None:
        """Read this column, of this storage."""
        super().__init__(column)
        self.type = Components(storage)


@compiles(components, "postgresql")
def _on_postgresql(element: components, compiler: Any, **options: Any) -> str:
    name = "halfvec_send" if element.type.storage == "halfvec" else "vector_send"  # type: ignore[attr-defined]
    return f"{extension.prefix(compiler.dialect)}{name}({compiler.process(element.clauses, **options)})"


@compiles(components, "sqlite")
def _on_sqlite(element: components, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))
