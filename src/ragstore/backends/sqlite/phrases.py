"""What must and must not stand in a chunk: words by their postings, phrases by the stored text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ragstore.backends.sqlite.scoring import Postings, Scored
from ragstore.core.query_text import LexicalQuery, Phrase
from ragstore.core.text import term_id

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
