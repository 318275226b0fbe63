"""PostgreSQL's own account of a search's statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ragstore.core import json
from ragstore.core.explained import explained
from ragstore.core.query import Query, Steps
from ragstore.corpus.backend import Plan

_PARTS = {
    "narrow": "chunks that the filter leaves",
    "near": "candidates of the vector index",
    "found": "of these, what passes",
    "first": "best of the rare words",
    "by_distance": "vector leg",
    "by_bm25": "lexical leg",
}
"""What the statement's common table expressions hold; their names end in the places of request and target."""


def explain(query: Query[Any]) -> Steps[Plan]:
    """Ask for a statement's plan, with what it really did."""
    statement: Any = query.statement
    [answer] = yield Query(explained("EXPLAIN (ANALYZE, FORMAT JSON)", statement), lambda row: row[0], query.parameters)
    found = json.loads(answer) if isinstance(answer, str) else answer
    nodes = [node for node in _walk(found[0]["Plan"]) if node.get("Actual Loops", 0) > 0]
    indexes = dict.fromkeys(node["Index Name"] for node in nodes if "Index Name" in node)
    return Plan(_written(found[0]["Plan"]), tuple(indexes), dict(_candidates(nodes)))


def _candidates(nodes: Sequence[dict[str, Any]]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        name = node.get("Subplan Name", "").removeprefix("CTE ").rstrip("_0123456789")
        if name in _PARTS:
            yield _PARTS[name], round(node["Actual Rows"] * node["Actual Loops"])


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(reversed(current.get("Plans", [])))


def _written(node: dict[str, Any]) -> str:
    lines = []
    pending = [(node, 0)]
    while pending:
        current, depth = pending.pop()
        of = current.get("Index Name") or current.get("Relation Name") or current.get("CTE Name") or ""
        named = f"{current['Subplan Name']}: " if "Subplan Name" in current else ""
        did = f"{round(current['Actual Rows'])} rows" if current.get("Actual Loops") else "not run"
        lines.append(f"{'  ' * depth}{named}{current['Node Type']} {of}".rstrip() + f" ({did})")
        pending.extend((part, depth + 1) for part in reversed(current.get("Plans", [])))
    return "\n".join(lines)
