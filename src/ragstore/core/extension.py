"""Where pgvector is: statements name its schema with each type, function and operator, so no search path matters.

A dialect stands for its engine: it compiles the engine's statements, and is shared by engines made from that one.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Float, TextClause
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

MARK = "__ragstore_extension__."
"""What a `VectorText` has where the schema's name and its point belong."""

_prefixes: WeakKeyDictionary[Dialect, str] = WeakKeyDictionary()


def remember(dialect: Dialect, schema: str) -> None:
    """Remember the extension's schema in an engine's database."""
    _prefixes[dialect] = f"{dialect.identifier_preparer.quote_identifier(schema)}."


def is_known(dialect: Dialect) -> bool:
    """Say whether the extension's schema is remembered."""
    return dialect in _prefixes


def prefix(dialect: Dialect) -> str:
    """Give what comes before a name of the extension's; nothing while its schema is not known."""
    return _prefixes.get(dialect, "")


class VectorText(TextClause):
    """A statement as text, with `MARK` before each name of the extension's."""

    inherit_cache = True


@compiles(VectorText)
def _text(element: VectorText, compiler: Any, **options: Any) -> str:
    written: str = compiler.visit_textclause(element, **options)
    return written.replace(MARK, prefix(compiler.dialect))


class VectorOperator(FunctionElement[float]):
    """An operator of the extension's between two operands, which are columns, parameters, casts or calls."""

    type = Float()
    inherit_cache = True
    operator: str


class Cosine(VectorOperator):
    """1 - cos."""

    inherit_cache = True
    operator = "<=>"


class Euclidean(VectorOperator):
    """The Euclidean distance."""

    inherit_cache = True
    operator = "<->"


class NegativeProduct(VectorOperator):
    """The negative inner product."""

    inherit_cache = True
    operator = "<#>"


class Hamming(VectorOperator):
    """How many bits differ."""

    inherit_cache = True
    operator = "<~>"


@compiles(VectorOperator)
def _operator(element: VectorOperator, compiler: Any, **options: Any) -> str:
    left, right = (compiler.process(operand, **options) for operand in element.clauses)
    return f"({left} OPERATOR({prefix(compiler.dialect)}{element.operator}) {right})"


class binary_quantize(FunctionElement[Any]):  # noqa: N801 - reads as a function in statements
    """One bit for each component of a vector."""

    inherit_cache = True


@compiles(binary_quantize)
def _binary_quantize(element: binary_quantize, compiler: Any, **options: Any) -> str:
    return f"{prefix(compiler.dialect)}binary_quantize({compiler.process(element.clauses, **options)})"
