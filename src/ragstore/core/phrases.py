"""What must and must not stand in a text: looked for in the text itself, where an index does not hold places."""

from __future__ import annotations

from collections.abc import Mapping

from ragstore.core.query_text import LexicalQuery, Phrase
from ragstore.core.text import analyze


def has_phrases(text: LexicalQuery) -> bool:
    """Say whether words' places matter, which lists of terms do not hold."""
    required = (phrase for alternatives in text.required for phrase in alternatives)
    return any(len(phrase) > 1 for phrase in (*required, *text.excluded))


def fulfils(text: LexicalQuery, content: str, language: str) -> bool:
    """Say whether a text has what is required, and nothing that is excluded."""
    positions = analyze(content, language).positions
    if any(_stands_in(phrase, positions) for phrase in text.excluded):
        return False
    return all(any(_stands_in(phrase, positions) for phrase in group) for group in text.required)


def _stands_in(phrase: Phrase, positions: Mapping[str, list[int]]) -> bool:
    """Say whether the words stand at their distances; a text's last places are one, as on PostgreSQL."""
    starts: set[int] | None = None
    for lexeme, distance in phrase:
        found = {place - distance for place in positions.get(lexeme, ())}
        starts = found if starts is None else starts & found
        if not starts:
            return False
    return True
