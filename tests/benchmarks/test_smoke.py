"""The benchmarks run: a small comparison gives finite figures, and the page is written from them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from benchmarks.data import Data, make
from benchmarks.jobs import compare
from benchmarks.measure import Result
from benchmarks.plot import write

from benchmarks import conversations, databases, figures

SIZE = 200


@pytest.fixture(scope="module")
def data() -> Data:
    """Give made-up data."""
    return make(SIZE)


@pytest.fixture(scope="module")
def results(data: Data) -> list[Result]:
    """Compare all jobs once on SQLite."""
    with databases.database("sqlite") as url:
        return list(compare(url, data, rounds=2))


def test_each_job_is_compared_with_its_floor(results: list[Result]) -> None:
    """K-19 to K-21: load, put again, search in all ways, four threads, async; each line has a finite ratio."""
    jobs = {result.job for result in results}
    assert {"load, a chunk", "put again unchanged, a chunk", "text search, seven words", "hybrid search"} <= jobs
    assert {"vector search", "vector search, four threads", "vector search, async"} <= jobs
    assert sum(job.startswith("vector search, filter") for job in jobs) == 6
    for result in results:
        assert math.isfinite(result.ratio), result
        assert result.ratio > 0, result
        assert f"{SIZE}" in result.line()


def test_exact_search_finds_the_ten_nearest_behind_each_filter(results: list[Result]) -> None:
    """K-9: ours and the floor's best plan give what NumPy gives over the data that was loaded."""
    recalls = [result.recall for result in results if result.recall is not None]
    assert recalls == [1.0] * 7
    assert [result.floor_recall for result in results if result.recall is not None] == recalls


def test_widths_leave_the_shares_that_they_name(data: Data) -> None:
    """The narrowest filter leaves exactly ten rows, the widest all."""
    documents = {width.name: int(width.documents.sum()) for width in data.widths}
    assert documents["100 %"] == SIZE // 10
    assert documents["10 %"] == SIZE // 100
    assert documents["ten rows"] == 1


def test_the_page_is_written_from_the_figures(results: list[Result], tmp_path: Path) -> None:
    """The table stands between its marks, and the rest of the page stays as it was."""
    page, source = tmp_path / "performance.md", tmp_path / "figures.json"
    page.write_text("before\n<!-- measured: run -->\nold\n<!-- end measured -->\nafter\n", encoding="utf-8")
    about = {"date": "2026-01-01", "cores": 2, "python": "3.11", "data": "made-up"}
    figures.keep(source, "run", [result.row() for result in results], about)
    write(source, page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- measured: run -->\n")
    assert text.endswith("<!-- end measured -->\nafter\n")
    assert "| vector search (exact) | 200 |" in text
    assert "old" not in text


def test_conversations_are_compared_on_every_way(tmp_path: Path) -> None:
    """Ours and the bare statements append, read the latest and page back; the page is written from the rows."""
    with databases.database("sqlite") as url:
        rows = list(conversations.measure(url, messages=400, conversations=5, depths=(0, 100), rounds=2))
    jobs = {"append a message", "latest 20", "latest 20 of 200", "50 messages, 0 back", "50 messages, 100 back"}
    for peer in ("ragstore", "bare statements"):
        assert {row["job"] for row in rows if row["peer"] == peer} == jobs
    assert all(row["p50"] > 0 and row["ratio"] > 0 for row in rows)
    page, source = tmp_path / "page.md", tmp_path / "figures.json"
    page.write_text("<!-- measured: conversations -->\n<!-- end measured -->\n", encoding="utf-8")
    figures.keep(source, "conversations", rows, {"date": "2026-01-01", "cores": 2, "python": "3.11"})
    write(source, page)
    assert "| append a message | ragstore |" in page.read_text(encoding="utf-8")
