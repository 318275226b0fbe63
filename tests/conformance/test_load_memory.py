"""K-4: a load's memory does not grow with the number of documents."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

from ragstore import NewChunk, NewDocument, Store

pytestmark = pytest.mark.slow

MEGABYTE = 2**20
DIMENSIONS = 384


def stream(chunks: int) -> Iterator[tuple[NewDocument, list[NewChunk | str]]]:
    """Make documents of ten chunks as they are asked for."""
    draw, numbers = Random(chunks), np.random.default_rng(chunks)
    for i in range(chunks // 10):
        vectors = numbers.standard_normal((10, DIMENSIONS)).astype(np.float32)
        texts = (" ".join(f"w{draw.randrange(20_000):x}" for _ in range(15)) for _ in range(10))
        pieces: list[NewChunk | str] = [
            NewChunk(content=text, embedding=vector) for text, vector in zip(texts, vectors, strict=True)
        ]
        yield NewDocument(source=f"{chunks}/{i}"), pieces


def growth(store: Store, chunks: int) -> float:
    """Load so many chunks, and give by how many MB Python's memory grew at most."""
    tracemalloc.start()
    try:
        store.documents.load("docs", stream(chunks))
        return tracemalloc.get_traced_memory()[1] / MEGABYTE
    finally:
        tracemalloc.stop()


def test_peak_memory_is_that_of_a_batch(store: Store) -> None:
    store.collections.ensure("docs", model="test", dimensions=DIMENSIONS)
    growth(store, 1_000)  # fills what is cached once: words, statements
    short, long = growth(store, 4_000), growth(store, 16_000)
    print(f"\n4,000 chunks: {short:.1f} MB; 16,000 chunks: {long:.1f} MB")
    assert long < 100
    assert long < short * 1.5 + 5


def test_large_texts_are_written_early(store: Store) -> None:
    store.collections.ensure("docs")
    texts = ((NewDocument(source=f"{i}"), [f"{i} " + "a long text " * 83_000]) for i in range(80))
    tracemalloc.start()
    store.documents.load("docs", texts, commit_every=10_000)
    peak = tracemalloc.get_traced_memory()[1] / MEGABYTE
    tracemalloc.stop()
    print(f"\n80 texts of a megabyte: {peak:.1f} MB")
    assert peak < 100
