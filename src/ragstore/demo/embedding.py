"""From texts to vectors: the demonstration's own embedder, and any other by its name."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from ragstore.core.vectors import VectorLike
from ragstore.errors import InvalidInput

Vector: TypeAlias = NDArray[np.float32]
EmbedTexts: TypeAlias = Callable[[list[str]], Sequence[VectorLike]]

DIMENSIONS = 256
PROBE = "how many dimensions does a vector have?"
_WORD = re.compile(r"[^\W_]+")


class HashingEmbedder:
    """Embed texts by hashing their words and character trigrams: for demonstration only.

    It knows spelling and nothing of meaning; a real application brings a model. Each word and each trigram of a word
    falls on one of 256 dimensions with a sign; a text is the weighted sum of its words, at length 1. The same text
    gives the same vector in every process and on every machine.

    Example:
        >>> from ragstore.demo.embedding import HashingEmbedder
        >>> vector, = HashingEmbedder()(["open a file"])
        >>> vector.shape
        (256,)
    """

    name = "hashing-256 (for demonstration only)"

    def __call__(self, texts: Sequence[str]) -> list[Vector]:
        """Give one vector for each text, in their order."""
        return [_embed(text) for text in texts]


def _embed(text: str) -> Vector:
    counts = Counter(_WORD.findall(text.lower())) or Counter([text])
    words = np.stack([_word_vector(word) for word in counts])
    # A word that comes often says little more than one that comes twice, and a long word more than a short one.
    weights = np.array([min(len(word), 8) * (1 + np.log(count)) for word, count in counts.items()], dtype=np.float32)
    total = weights @ words
    length = float(np.linalg.norm(total))
    if length == 0.0:  # no text at all, or features that cancel out
        total[0] = length = 1.0
    return np.asarray(total / length, dtype=np.float32)


@lru_cache(maxsize=16_384)
def _word_vector(word: str) -> Vector:
    padded = f"<{word}>"
    vector = np.zeros(DIMENSIONS, dtype=np.float32)
    trigrams = [padded[start : start + 3] for start in range(len(padded) - 2)]
    for feature, weight in ((word, 1.0), *((trigram, 0.5) for trigram in trigrams)):
        place, sign = _slot(feature)
        vector[place] += sign * weight
    return vector / np.float32(np.sqrt(1 + 0.25 * len(trigrams)))


@lru_cache(maxsize=65_536)
def _slot(feature: str) -> tuple[int, float]:
    # not hash(): that differs from process to process
    digest = hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    number = int.from_bytes(digest, "big")
    return number % DIMENSIONS, 1.0 if number >> 63 else -1.0


@dataclass(slots=True)
class Embedder:
    """An embedder in use.

    Attributes:
        name: What a collection's embedding space is called.
        function: Turns texts into vectors.
        built_in: It is the demonstration's own.
        dimensions: Components of its vectors.
        texts: How many texts it was given.
        seconds: How long it took for them.
    """

    name: str
    function: EmbedTexts
    built_in: bool
    dimensions: int = field(default=0, init=False)
    texts: int = field(default=0, init=False)
    seconds: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        """Find out the dimensions."""
        answer = list(self.function([PROBE]))
        if len(answer) != 1:
            raise InvalidInput(f"{self.name} gave {len(answer)} vectors for one text", field="embedder")
        self.dimensions = len(list(answer[0]))

    def __call__(self, texts: Sequence[str]) -> Sequence[VectorLike]:
        """Give one vector for each text."""
        start = time.perf_counter()
        vectors = self.function(list(texts))
        self.seconds += time.perf_counter() - start
        self.texts += len(texts)
        return vectors


def load_embedder(name: str | None) -> Embedder:
    """Import an embedder and find out its dimensions by embedding one text.

    Args:
        name: `module:callable`, importable from the current directory too; a class is called once to make the
            embedder. None: the demonstration's own.

    Raises:
        InvalidInput: There is no such callable, or it does not give one vector for one text.
    """
    if name is None:
        return Embedder(HashingEmbedder.name, HashingEmbedder(), built_in=True)
    found = _import(name)
    made = found() if isinstance(found, type) else found
    if not callable(made):
        raise InvalidInput(f"{name} is of type {type(made).__name__}, which cannot be called", field="embedder")
    return Embedder(name, cast(EmbedTexts, made), built_in=False)


def _import(name: str) -> Any:
    module, separator, attribute = name.partition(":")
    if not (module and separator and attribute):
        raise InvalidInput(f"{name!r} is not of the form module:callable", field="embedder")
    if os.getcwd() not in sys.path:  # noqa: PTH109 - sys.path holds texts
        sys.path.insert(0, os.getcwd())  # noqa: PTH109
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise InvalidInput(f"cannot import {name}: {error}", field="embedder") from error
    return found
