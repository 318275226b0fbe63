"""What is measured on: made-up documents, or those of a folder with real ones; always the same for the same seed.

Words are as unevenly common as real ones, and vectors lie in clusters: independent normal vectors have no
neighbourhoods, and no approximate index finds anything in them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ragstore import F, Filter, NewChunk, NewDocument

DIMENSIONS = 384
CHUNKS_A_DOCUMENT = 10
WORDS_A_CHUNK = 120
WORDS_A_QUERY = 7
VOCABULARY = 20_000
QUERIES = 100
COLLECTION = "bench"
CENTRES = 300
SPREAD = 12
JITTER = 0.25

Floats = npt.NDArray[np.float32]
Document = tuple[NewDocument, list[NewChunk]]


@dataclass(frozen=True)
class Width:
    """A filter that leaves a share of the chunks.

    Attributes:
        name: How the tables call it.
        where: The filter, as ragstore takes it.
        sql: The same over `rag_document d`, for the floors.
        documents: True for each document that it leaves.
    """

    name: str
    where: Filter
    sql: str
    documents: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Data:
    """Documents of ten chunks each, and queries.

    Attributes:
        documents: With the fields that `widths` filters by.
        embeddings: The chunks' vectors, of length 1, in reading order.
        vectors: Query vectors.
        texts: Query texts of seven words.
        kinds: Each document's doc_type.
    """

    documents: list[Document]
    embeddings: Floats
    vectors: Floats
    texts: list[str]
    kinds: npt.NDArray[np.str_]
    _nearest: dict[str, list[set[int]]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Count the chunks."""
        return len(self.embeddings)

    @cached_property
    def widths(self) -> list[Width]:
        """Give the filters: by typed fields, and one by a key of the metadata."""
        everything = np.ones(len(self.documents), dtype=bool)
        narrow = [
            Width(name, F.doc_type == kind, f"d.doc_type = '{kind}'", self.kinds == kind)
            for name, kind in (("10 %", "tenth"), ("1 %", "hundredth"), ("0.1 %", "thousandth"), ("ten rows", "one"))
        ]
        by_key = F.metadata["kind"] == "hundredth"
        return [
            Width("100 %", F.version == "1", "d.version = '1'", everything),
            *narrow,
            Width("1 % by metadata", by_key, "d.metadata ->> 'kind' = 'hundredth'", self.kinds == "hundredth"),
        ]

    def nearest(self, width: Width | None = None) -> list[set[int]]:
        """Give the ten chunks nearest to each query vector, fewer if the filter leaves fewer, by exact comparison."""
        name = "" if width is None else width.name
        if name not in self._nearest:
            left = np.arange(self.size)
            if width is not None:
                left = left[np.repeat(width.documents, CHUNKS_A_DOCUMENT)[: self.size]]
            similar = self.vectors @ self.embeddings[left].T
            self._nearest[name] = [set(left[np.argsort(-row)[:10]].tolist()) for row in similar]
        return self._nearest[name]

    def recall(self, found: list[list[tuple[str, int]]], width: Width | None = None) -> float:
        """Give the share of the ten nearest that was found; each hit is a source and a place in it."""
        numbers = {document.source: i * CHUNKS_A_DOCUMENT for i, (document, _) in enumerate(self.documents)}
        hits = [{numbers[source] + place for source, place in of_one} for of_one in found]
        true = self.nearest(width)
        return sum(len(a & b) for a, b in zip(hits, true, strict=False)) / sum(len(b) for b in true[: len(hits)])


def make(chunks: int, seed: int = 7) -> Data:
    """Make up so many chunks."""
    draw, numbers = random.Random(seed), np.random.default_rng(seed)
    words = [f"{'bcdfghjklm'[i % 10]}{'aeiou'[i % 5]}{i:x}" for i in range(VOCABULARY)]
    cumulative = np.cumsum(1.0 / np.arange(50, VOCABULARY + 50)).tolist()  # stop words, the commonest, are dropped

    def text(count: int) -> str:
        return " ".join(draw.choices(words, cum_weights=cumulative, k=count))

    clusters = _Clusters(numbers)
    embeddings = clusters.draw(chunks)
    texts = (text(WORDS_A_CHUNK) for _ in range(chunks))
    queries = [text(WORDS_A_QUERY) for _ in range(QUERIES)]
    return _grouped(zip(texts, embeddings, strict=True), embeddings, clusters.draw(QUERIES), queries, draw)


def read(folder: Path, chunks: int, seed: int = 7) -> Data:
    """Take so many chunks of a folder: `chunks.jsonl` (each with "text") and `emb.npy` (row i for line i).

    Beyond what the folder has, its chunks come again, with vectors moved at random.
    """
    draw, numbers = random.Random(seed), np.random.default_rng(seed)
    with (folder / "chunks.jsonl").open(encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in islice(lines, chunks)]
    real = np.load(folder / "emb.npy", mmap_mode="r")
    embeddings = np.empty((chunks, DIMENSIONS), np.float32)
    for start in range(0, chunks, len(texts)):
        part = np.asarray(real[: min(len(texts), chunks - start)], np.float32)
        embeddings[start : start + len(part)] = _length_one(part if start == 0 else moved(part, numbers))
    copies = (f"{texts[i % len(texts)]}\ncopy{i // len(texts)}" for i in range(chunks))
    asked = draw.sample(range(len(texts)), min(QUERIES, len(texts)))
    vectors = _length_one(moved(np.asarray(real[asked], np.float32), numbers))
    queries = [seven_words(texts[i], draw) for i in asked]
    return _grouped(zip(copies, embeddings, strict=True), embeddings, vectors, queries, draw)


class _Clusters:
    """Vectors around a few hundred centres, spread in few directions: as embeddings of texts lie."""

    def __init__(self, numbers: np.random.Generator) -> None:
        self._numbers = numbers
        self._centres = numbers.standard_normal((CENTRES, SPREAD)).astype(np.float32)
        self._far = numbers.standard_normal((SPREAD, DIMENSIONS)).astype(np.float32)
        self._near = numbers.standard_normal((SPREAD, DIMENSIONS)).astype(np.float32)

    def draw(self, count: int) -> Floats:
        """Draw vectors of length 1."""
        centres = self._centres[self._numbers.integers(CENTRES, size=count)]
        inside = self._numbers.standard_normal((count, SPREAD)).astype(np.float32)
        noise = self._numbers.standard_normal((count, DIMENSIONS)).astype(np.float32)
        return _length_one(centres @ self._far + 0.7 * inside @ self._near + 0.5 * noise)


def moved(vectors: Floats, numbers: np.random.Generator) -> Floats:
    """Move vectors at random, by a quarter of their length."""
    noise = numbers.standard_normal(vectors.shape).astype(np.float32) / np.float32(DIMENSIONS**0.5)
    elsewhere: Floats = vectors + np.float32(JITTER) * noise
    return elsewhere


def _length_one(vectors: Floats) -> Floats:
    of_length_one: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return of_length_one


def seven_words(text: str, draw: random.Random) -> str:
    """Take seven words of a text that stand together."""
    words = text.split()
    start = draw.randrange(max(1, len(words) - WORDS_A_QUERY))
    return " ".join(words[start : start + WORDS_A_QUERY])


def _grouped(
    chunks: Iterator[tuple[str, Floats]], embeddings: Floats, vectors: Floats, texts: list[str], draw: random.Random
) -> Data:
    count = -(-len(embeddings) // CHUNKS_A_DOCUMENT)
    kinds = np.array(_kinds(count, draw))
    documents = []
    for i in range(count):
        described = {"title": f"Document {i}", "doc_type": str(kinds[i]), "version": "1"}
        document = NewDocument(source=f"document/{i:07}", metadata={"kind": str(kinds[i])}, **described)
        of_document = islice(chunks, CHUNKS_A_DOCUMENT)
        documents.append((document, [NewChunk(content=text, embedding=vector) for text, vector in of_document]))
    return Data(documents, embeddings, vectors, texts, kinds)


def _kinds(documents: int, draw: random.Random) -> list[str]:
    """Deal the kinds out at random; each has a document at least."""
    shares = {"one": 1, "thousandth": documents // 1000, "hundredth": documents // 100, "tenth": documents // 10}
    dealt = [kind for kind, count in shares.items() for _ in range(max(1, count))]
    dealt += ["rest"] * (documents - len(dealt))
    draw.shuffle(dealt)
    return dealt[:documents]
