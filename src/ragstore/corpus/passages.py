"""Chunks that stand together, put together."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

MIN_OVERLAP = 20
"""A shorter repetition, in characters, is not taken for one that a splitter made."""


@dataclass(slots=True)
class Run:
    """Chunks of one document.

    Attributes:
        of: Which hits brought them, as places among the hits; ascending.
        contents: Texts by chunk index.
    """

    of: list[int]
    contents: dict[int, str]

    @property
    def first(self) -> int:
        """Its first chunk's index."""
        return min(self.contents)

    @property
    def last(self) -> int:
        """Its last chunk's index."""
        return max(self.contents)

    @property
    def text(self) -> str:
        """Join the chunks' texts in reading order."""
        ordered = [self.contents[index] for index in sorted(self.contents)]
        return join_texts(ordered)


def merge(chunks: Sequence[tuple[Hashable, Mapping[int, str]]]) -> list[Run]:
    """Merge the runs of a document that overlap or touch.

    Args:
        chunks: For each hit, best first: its document, and the chunks that came with it by their index.

    Returns:
        Runs, each at the place of its best hit.
    """
    runs: list[Run] = []
    latest: dict[Hashable, Run] = {}
    for place in sorted(range(len(chunks)), key=lambda place: min(chunks[place][1])):
        document, contents = chunks[place]
        run = latest.get(document)
        if run is None or min(contents) > run.last + 1:
            run = latest[document] = Run([], {})
            runs.append(run)
        run.of.append(place)
        run.contents |= contents
    for run in runs:
        run.of.sort()
    return sorted(runs, key=lambda run: run.of[0])


def join_texts(texts: Sequence[str]) -> str:
    """Join chunks that follow each other, without repeating an overlap of 20 characters or more."""
    pieces = list(texts[:1])
    for before, text in pairwise(texts):
        repeated = overlap(before, text)
        pieces += [text[repeated:]] if repeated else ["\n\n", text]
    return "".join(pieces)


def overlap(before: str, after: str) -> int:
    """Count the characters at the end of one text that begin the next, in linear time; 0 if there are fewer than 20.

    By the failure function of Knuth, Morris and Pratt (1977).
    """
    longest = min(len(before), len(after))
    if longest < MIN_OVERLAP or after[:MIN_OVERLAP] not in before:
        return 0
    failures = [0] * longest
    for place in range(1, longest):
        failures[place] = _extended(after, failures, failures[place - 1], after[place])
    matched = 0
    for char in before[-longest:]:
        matched = _extended(after, failures, matched, char)
    return matched if matched >= MIN_OVERLAP else 0


def _extended(pattern: str, failures: Sequence[int], matched: int, char: str) -> int:
    while matched and pattern[matched] != char:
        matched = failures[matched - 1]
    return matched + (pattern[matched] == char)
