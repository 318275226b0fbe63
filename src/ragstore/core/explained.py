"""A statement whose plan is asked for, as an SQL expression."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, Executable


class explained(Executable, ClauseElement):  # noqa: N801 - reads as a function in statements
    """A statement behind the words by which a database gives its plan."""

    inherit_cache = False

    def __init__(self, words: str, statement: ClauseElement) -> None:
        """Ask with these words."""
        self.words = words
        self.statement = statement


@compiles(explained)
def _compile(element: explained, compiler: Any, **options: Any) -> str:
    text = f"{element.words} {compiler.process(element.statement, **options)}"
    compiler._result_columns = []  # the rows are the plan's, and no type of the statement's columns reads them
    return text
