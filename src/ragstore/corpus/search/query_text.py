"""A query's text, analysed."""

from __future__ import annotations

from collections.abc import Sequence

from ragstore.core.text import analyze
from ragstore.corpus.backend import LexicalQuery
from ragstore.corpus.records import Match

MAX_QUERY = 100_000
MAX_TERMS = 1000


def parse(text: str, languages: Sequence[str], match: Match) -> LexicalQuery:
    """Analyse a query in each of the languages."""
    frequencies: dict[str, int] = {}
    for language in languages:
        for lexeme, count in analyze(text, language).frequencies.items():
            frequencies[lexeme] = max(count, frequencies.get(lexeme, 0))
    return LexicalQuery(frequencies=dict(list(frequencies.items())[:MAX_TERMS]))
