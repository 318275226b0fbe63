"""Ids on their way from a stream into the database."""

from __future__ import annotations

import json
import tracemalloc

from ragstore.corpus.chunks.orphans import ActiveIds


def test_ids_come_out_as_they_went_in() -> None:
    given = ["", "a\nb", "\r", '"', "\\", "ä\U0001f600", "\u2028", *map(str, range(2500))]
    with ActiveIds() as ids:
        for one in given:
            ids.take(one)
        assert ids.count == len(given)
        batches = [json.loads(batch) for batch in ids.batches()]
    assert [one for batch in batches for one in batch] == given
    assert max(map(len, batches)) <= 1000


def test_no_ids_are_no_batch() -> None:
    with ActiveIds() as ids:
        assert list(ids.batches()) == []


def test_a_stream_of_any_length_takes_little_memory() -> None:
    """K-6: bounded, both on the way in and on the way out."""
    tracemalloc.start()
    try:
        with ActiveIds() as ids:
            for number in range(100_000):
                ids.take(f"0198c5a1-0000-7000-8000-{number:012d}")
            assert sum(len(json.loads(batch)) for batch in ids.batches()) == 100_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * 2**20
