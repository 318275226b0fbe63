"""The benchmarks by several clients run: each way gives finite figures."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.plot import write

from benchmarks import databases, figures, limits, sessions, upgrades

MEASURES = {"limits": limits.measure, "sessions": sessions.measure}


@pytest.mark.parametrize("section", MEASURES)
def test_each_way_is_measured(section: str, tmp_path: Path) -> None:
    """Ours and the bare statements are there, and the page is written from the rows."""
    few = {"sessions": 5} if section == "sessions" else {}
    with databases.database("sqlite") as url:
        rows = list(MEASURES[section](url, clients=(2,), seconds=0.02, **few))
    assert {"ragstore"} < {row["peer"] for row in rows}
    assert all(row["p50"] > 0 and row["rate"] > 0 for row in rows)
    page, source = tmp_path / "page.md", tmp_path / "figures.json"
    page.write_text(f"<!-- measured: {section} -->\n<!-- end measured -->\n", encoding="utf-8")
    figures.keep(source, section, rows, {"date": "2026-01-01", "cores": 2, "python": "3.11"})
    write(source, page)
    assert "| ragstore |" in page.read_text(encoding="utf-8")


@pytest.fixture
def loggers_as_before() -> Iterator[None]:
    """What `alembic init` makes configures logging each time: it disables all loggers and takes the root's handlers."""
    root, loggers = logging.getLogger(), [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    before = [(logger, logger.disabled, logger.level, logger.handlers[:]) for logger in [root, *loggers]]
    yield
    for logger, logger.disabled, level, logger.handlers[:] in before:
        logger.setLevel(level)


@pytest.mark.usefixtures("loggers_as_before")
def test_an_upgrade_at_head_is_measured(tmp_path: Path) -> None:
    """M56: beside Alembic's command and bare queries."""
    with databases.database("sqlite") as url:
        rows = list(upgrades.measure(url, rounds=2))
    assert {"upgrade(url)", "upgrade(engine)", "alembic command.upgrade"} < {row["peer"] for row in rows}
    assert all(row["p50"] > 0 for row in rows)
    page, source = tmp_path / "page.md", tmp_path / "figures.json"
    page.write_text("<!-- measured: upgrades -->\n<!-- end measured -->\n", encoding="utf-8")
    figures.keep(source, "upgrades", rows, {"date": "2026-01-01", "cores": 2, "python": "3.11"})
    write(source, page)
    assert "| upgrade(engine) |" in page.read_text(encoding="utf-8")
