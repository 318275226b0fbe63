"""Made-up documents whose words are as unevenly common as real ones, and queries for them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ragstore import NewChunk, NewDocument

DIMENSIONS = 384
CHUNKS_A_DOCUMENT = 10
WORDS_A_CHUNK = 120
VOCABULARY = 20_000
COLLECTION = "bench"


@dataclass(frozen=True)
class Data:
    """Documents with their chunks, and queries.

    Attributes:
        documents: Each with ten chunks of 120 words and a vector of 384 dimensions.
        vectors: Query vectors.
        texts: Query texts of seven words.
    """

    documents: list[tuple[NewDocument, list[NewChunk]]]
    vectors: list[np.ndarray]
    texts: list[str]


def make(chunks: int, seed: int = 7) -> Data:
    """Make so many chunks, the same for the same seed."""
    draw = random.Random(seed)
    numbers = np.random.default_rng(seed)
    words = [f"{'bcdfghjklm'[i % 10]}{'aeiou'[i % 5]}{i:x}" for i in range(VOCABULARY)]
    cumulative = np.cumsum(1.0 / np.arange(50, VOCABULARY + 50)).tolist()  # stop words, the commonest, are dropped

    def text(count: int) -> str:
        return " ".join(draw.choices(words, cum_weights=cumulative, k=count))

    def vectors(count: int) -> Iterator[np.ndarray]:
        yield from numbers.standard_normal((count, DIMENSIONS)).astype(np.float32)

    documents = [
        (
            NewDocument(source=f"document/{i:07}", title=f"Document {i}", doc_type="bench"),
            [NewChunk(content=text(WORDS_A_CHUNK), embedding=vector) for vector in vectors(CHUNKS_A_DOCUMENT)],
        )
        for i in range(chunks // CHUNKS_A_DOCUMENT)
    ]
    return Data(documents, list(vectors(50)), [text(7) for _ in range(50)])
