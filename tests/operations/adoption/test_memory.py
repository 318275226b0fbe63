"""An adoption's memory does not grow with the old tables."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from ragstore import Store
from ragstore.operations.adoption import adopt
from tests.operations.adoption.conftest import OldApp, exchange, piece

MEGABYTE = 2**20
PADDING = "- " * 1_500


def peak(store: Store, folder: Path, rows: int) -> float:
    """Adopt so many rows of some 3 kB, and give by how many MB Python's memory grew at most."""
    app = OldApp(f"sqlite:///{folder}/{rows}.db").create()
    app.add("conversation", *(exchange(n, f"{rows}/{n // 4}", response=PADDING) for n in range(rows // 2)))
    app.add("document_chunk", *(piece(n, f"{rows}/{n // 4}", content=f"{n} {PADDING}.") for n in range(rows // 2)))
    app.engine.dispose()
    tracemalloc.start()
    try:
        adopt(store, app.url, batch=100)
        return tracemalloc.get_traced_memory()[1] / MEGABYTE
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_ten_thousand_rows_take_no_more_memory_than_a_thousand(sqlite_store: Store, tmp_path: Path) -> None:
    """Held at once, the larger database would take some 30 MB."""
    peak(sqlite_store, tmp_path, 200)  # fills what is cached once: words, statements
    small, large = peak(sqlite_store, tmp_path, 1_000), peak(sqlite_store, tmp_path, 10_000)
    print(f"\n1,000 rows: {small:.1f} MB; 10,000 rows: {large:.1f} MB")
    assert large < small + 5
