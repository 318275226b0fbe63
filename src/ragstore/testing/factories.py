"""Small builders of documents and chunks, and a model that needs no weights: the same input, the same vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random
from typing import Any

from ragstore.corpus.records import NewChunk, NewDocument

DIMENSIONS = 8
MODEL = "test-model"


def vector(seed: object, *, dimensions: int = DIMENSIONS) -> list[float]:
    """Make a vector of length 1 that follows from the seed alone."""
    digest = hashlib.sha256(repr(seed).encode("utf-8", "surrogatepass")).digest()
    numbers = Random(digest)  # noqa: S311 - no secret
    components = [numbers.gauss(0.0, 1.0) for _ in range(dimensions)]
    length = sum(component * component for component in components) ** 0.5
    return [component / length for component in components]


def document(number: int = 1, **fields: Any) -> NewDocument:
    """Make a document; its source and title follow from the number."""
    return NewDocument(**{"source": f"doc-{number}.txt", "title": f"Document {number}", **fields})


def chunk(content: str = "a text about tests", *, dimensions: int | None = DIMENSIONS, **fields: Any) -> NewChunk:
    """Make a chunk with the vector that `Embedder` would give its text.

    Args:
        content: Its text.
        dimensions: Of its vector; None: without one.
        fields: Any others of `NewChunk`.
    """
    if dimensions is not None:
        fields.setdefault("embedding", vector(content, dimensions=dimensions))
    return NewChunk(content=content, **fields)


def chunks(count: int, *, of: int = 1, dimensions: int | None = DIMENSIONS, **fields: Any) -> list[NewChunk]:
    """Make so many different chunks for the document of this number."""
    return [
        chunk(f"text {place} of document {of}: {word(place)}", dimensions=dimensions, **fields)
        for place in range(count)
    ]


def word(number: int) -> str:
    """Make a word of letters that no stop list has, another one for each number."""
    return "w" + "".join(chr(ord("a") + int(digit)) for digit in str(number)) + "q"


class Embedder:
    """A model for `embed=`: gives each text the vector of `chunk`, and remembers what it was asked.

    Attributes:
        batches: The texts of each call.
    """

    def __init__(self, dimensions: int = DIMENSIONS) -> None:
        """Make a model of so many dimensions."""
        self.dimensions = dimensions
        self.batches: list[list[str]] = []

    @property
    def texts(self) -> list[str]:
        """Give all texts that were asked for, in order."""
        return [text for batch in self.batches for text in batch]

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """Give one vector for each text."""
        self.batches.append(list(texts))
        return [vector(text, dimensions=self.dimensions) for text in texts]
