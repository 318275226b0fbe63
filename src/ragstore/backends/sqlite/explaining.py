"""SQLite's own account of a search's statements."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, Executable

from ragstore.core.query import Query, Steps
from ragstore.corpus.backend import Plan

_INDEX = re.compile(r"USING (?:COVERING )?INDEX (\w+)")


class _Explain(Executable, ClauseElement):
    inherit_cache = False

    def __init__(self, statement: ClauseElement) -> None:
        self.statement = statement


@compiles(_Explain)
def _compile(element: _Explain, compiler: Any, **options: Any) -> str:
    explained: str = "EXPLAIN QUERY PLAN " + compiler.process(element.statement, **options)
    compiler._result_columns = []  # the rows are the plan's, and no type of the statement's columns reads them
    return explained


def explain(query: Query[Any]) -> Steps[Plan]:
    """Ask for a statement's plan; SQLite says how it goes, not how far it went."""
    statement: Any = query.statement
    lines = yield Query(_Explain(statement), lambda row: str(row[3]), query.parameters)
    indexes = dict.fromkeys(name for line in lines for name in _INDEX.findall(line))
    return Plan("\n".join(lines), tuple(indexes), {})
