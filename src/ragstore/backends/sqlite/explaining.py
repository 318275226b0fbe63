"""SQLite's own account of a search's statements."""

from __future__ import annotations

import re
from typing import Any

from ragstore.core.explained import explained
from ragstore.core.query import Query, Steps
from ragstore.corpus.backend import Plan

_INDEX = re.compile(r"USING (?:COVERING )?INDEX (\w+)")


def explain(query: Query[Any]) -> Steps[Plan]:
    """Ask for a statement's plan; SQLite says how it goes, not how far it went."""
    statement: Any = query.statement
    lines = yield Query(explained("EXPLAIN QUERY PLAN", statement), lambda row: str(row[3]), query.parameters)
    indexes = dict.fromkeys(name for line in lines for name in _INDEX.findall(line))
    return Plan("\n".join(lines), tuple(indexes), {})
