"""What must and must not stand in a chunk: words by their postings, phrases by the stored text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ragstore.backends.sqlite.scoring import Postings, Scored
from ragstore.core.text import analyze, term_id
from ragstore.corpus.backend import LexicalQuery, Phrase

TEXTS_AT_ONCE = 100
"""Stored texts that a leg reads to look for phrases, before it looks whether it has enough."""


def terms_to_check(text: LexicalQuery) -> set[int]:
    """Give the terms whose postings `hold_words` needs."""
    required = (phrase for alternatives in text.required for phrase in alternatives)
    return {term_id(lexeme) for phrase in (*required, *text.excluded) for lexeme, _ in phrase}


def hold_words(text: LexicalQuery, scored: Scored, postings: Mapping[int, Postings]) -> Scored:
    """Keep the chunks that hold all words of some alternative of each requirement, and no excluded word."""
    import numpy as np

    keep = np.ones(len(scored.keys), dtype=bool)
    for alternatives in text.required:
        keep &= _any([_has_all(phrase, scored, postings) for phrase in alternatives])
    for phrase in text.excluded:
        if len(phrase) == 1:
            keep &= ~_has_all(phrase, scored, postings)
    return scored.only(keep)


def _has_all(phrase: Phrase, scored: Scored, postings: Mapping[int, Postings]) -> Any:
    import numpy as np

    masks = [np.isin(scored.keys, postings[term_id(lexeme)].keys, assume_unique=True) for lexeme, _ in phrase]
    return np.logical_and.reduce(masks)


def _any(masks: Iterable[Any]) -> Any:
    import numpy as np

    return np.logical_or.reduce(list(masks))


def has_phrases(text: LexicalQuery) -> bool:
    """Say whether words' places matter, which the postings do not hold."""
    required = (phrase for alternatives in text.required for phrase in alternatives)
    return any(len(phrase) > 1 for phrase in (*required, *text.excluded))


def fulfils(text: LexicalQuery, content: str, language: str) -> bool:
    """Say whether a chunk's text has what is required, and nothing that is excluded."""
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
