"""The JSON file that the figures are kept in: a section for each command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Figures = dict[str, Any]


def read(path: Path) -> Figures:
    """Read the file; nothing yet is an empty one."""
    figures: Figures = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return figures


def keep(path: Path | None, section: str, rows: list[dict[str, Any]], about: dict[str, Any]) -> None:
    """Put a section's figures into the file; None: nowhere.

    They take the place of those of the same database, size and peer; others stay.
    """
    if path is None:
        return
    figures = read(path)
    before = figures.get(section, {"about": {}, "rows": []})
    covered = set(map(_covers, rows))
    kept = [row for row in before["rows"] if _covers(row) not in covered]
    figures[section] = {"about": before["about"] | about, "rows": [*kept, *rows]}
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _covers(row: dict[str, Any]) -> tuple[Any, ...]:
    return row.get("database"), row.get("size"), row.get("peer")
