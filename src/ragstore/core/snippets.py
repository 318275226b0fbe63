"""The passage of a text that shows a query's words.

Words are found by the analysis that the index was made by, so that what was matched is what is marked.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from ragstore.core import border
from ragstore.core.records import Record
from ragstore.core.text import Located, locate

MIN_SIZE = 20
MAX_SIZE = 10_000

_SENTENCE = re.compile(r"""[.!?\u2026]["'\u201d\u2019)\]]*\s+|[\u3002\uff01\uff1f\uff61]\s*|\n[ \t\r]*\n\s*""")
_LONGEST_STOP = 10  # so far before a sentence its full stop is looked for
_START = itemgetter(0)

_Place = tuple[int, int]
"""A word's first character, and the one after its last."""


class Snippet(Record):
    """A passage of a hit's text.

    Attributes:
        text: The passage, as it stands there; no ellipses are put in.
        start: Where it begins in the text, in characters.
        marks: (start, end) of each of the query's words in `text`, in order, not overlapping.
    """

    text: str
    start: int
    marks: tuple[tuple[int, int], ...]

    def marked(self, before: str = "<b>", after: str = "</b>", escape: Callable[[str], str] | None = None) -> str:
        """Give the passage with the query's words marked.

        Args:
            before: What is put before each word.
            after: What is put after it.
            escape: Applied to the text, but not to the marks. Whoever shows the passage as HTML gives `html.escape`:
                the text may hold markup of its own.

        Example:
            >>> import html
            >>> Snippet(text="cats & dogs", start=0, marks=((0, 4),)).marked(escape=html.escape)
            '<b>cats</b> &amp; dogs'
        """
        escaped = escape or str
        pieces, done = [], 0
        for start, end in self.marks:
            pieces += [escaped(self.text[done:start]), before, escaped(self.text[start:end]), after]
            done = end
        return "".join((*pieces, escaped(self.text[done:])))


class _Found(NamedTuple):
    """A word of the query."""

    start: int
    end: int
    lexeme: str


def check_size(value: object) -> int | None:
    """Check how many characters a snippet is to have at most; None: none is asked for.

    Raises:
        InvalidInput: It is no whole number from 20 to 10,000.
    """
    return None if value is None else border.limit(value, field="snippet", minimum=MIN_SIZE, maximum=MAX_SIZE)


def make_snippet(content: str, lexemes: Container[str], languages: Sequence[str], size: int) -> Snippet:
    """Choose the passage with the most different words of a query, then with the most, then the first; in linear time.

    Args:
        content: A text.
        lexemes: The query's.
        languages: Those that the text may have been analysed in.
        size: How many characters, at most. The passage begins with a sentence if one begins in reach, else with a word,
            and ends between words; a word that is longer is cut.

    Returns:
        The passage, the beginning of the text if it has none of the words.
    """
    words: list[_Place] = []
    found: list[_Found] = []
    for places in zip(*(locate(content, language) for language in languages), strict=True):
        start, end, _ = places[0]  # the same in every language
        words.append((start, end))
        lexeme = _asked(places, lexemes)
        if lexeme is not None:
            found.append(_Found(start, end, lexeme))
    if not found:
        start = _beginning(content)
        return _cut(content, start, _end(content, words, start, start + size), [])
    first, last = _densest(found, size)
    start = _start(content, words, found[first].start, found[last].end, size)
    end = max(_end(content, words, start, start + size), min(found[last].end, start + size))
    return _cut(content, start, end, found)


def _asked(places: Iterable[Located], lexemes: Container[str]) -> str | None:
    for _, _, own in places:
        for lexeme in own:
            if lexeme in lexemes:
                return lexeme
    return None


def _densest(found: Sequence[_Found], size: int) -> tuple[int, int]:
    """Give the first and the last word of the best passage; one word is a passage, however long."""
    best, chosen = (0, 0), (0, 0)
    inside: Counter[str] = Counter()
    first = 0
    for last, word in enumerate(found):
        inside[word.lexeme] += 1
        while first < last and word.end - found[first].start > size:
            gone = found[first].lexeme
            inside[gone] -= 1
            if not inside[gone]:
                del inside[gone]
            first += 1
        value = (len(inside), last - first)
        if value > best:
            best, chosen = value, (first, last)
    return chosen


def _start(content: str, words: Sequence[_Place], first: int, last: int, size: int) -> int:
    """Say where a passage begins that shows all from `first` to `last`: as little as can be before a sentence."""
    latest = min(first, max(0, len(content) - size))
    earliest = min(max(0, last - size), latest)
    sentences = [
        found.end()
        for found in _SENTENCE.finditer(content, max(0, earliest - _LONGEST_STOP), latest)
        if found.end() >= earliest and not content[found.end()].isspace()
    ]
    if sentences:
        return sentences[-1]
    if earliest == 0:
        return min(_beginning(content), first)
    # half of what can be spared goes before; a word begins at `first` at the latest
    return words[bisect_left(words, (earliest + latest) // 2, key=_START)][0]


def _beginning(content: str) -> int:
    return len(content) - len(content.lstrip())


def _end(content: str, words: Sequence[_Place], start: int, end: int) -> int:
    """Move the end of a passage before the word that it would cut, unless that is all there is."""
    if end >= len(content):
        return len(content)
    place = bisect_left(words, end, key=_START)
    cut = words[place - 1] if place else None
    return cut[0] if cut and start < cut[0] and end < cut[1] else end


def _cut(content: str, start: int, end: int, found: Sequence[_Found]) -> Snippet:
    text = content[start:end].rstrip()
    marks: list[tuple[int, int]] = []
    for word in found[bisect_left(found, start, key=_START) : bisect_left(found, end, key=_START)]:
        if word.end > end and word.start > start:
            continue
        one = (word.start - start, min(word.end, end) - start)
        if marks and one[0] <= marks[-1][1]:  # pairs of a Chinese, Japanese or Korean run overlap
            one = (marks.pop()[0], one[1])
        marks.append(one)
    return Snippet(text=text, start=start, marks=tuple(marks))
