"""What a message is found by: the terms of its text, by the same analysis as a chunk's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ragstore.config import Settings
from ragstore.core.text import analyze, count_terms, normalize_language


@dataclass(frozen=True, slots=True)
class MessageTerms:
    """A text's terms.

    Attributes:
        length: Its words, as BM25 counts them.
        terms: The ids of its lexemes, ascending.
        counts: How often each stands in the text.
    """

    length: int
    terms: Sequence[int]
    counts: Sequence[int]

    def columns(self) -> dict[str, Any]:
        """Give the columns of the message's row."""
        if not self.length:
            return {"words": None, "terms": None, "counts": None}
        return {"words": self.length, "terms": self.terms, "counts": self.counts}


NO_TERMS = MessageTerms(0, (), ())


def language_of(settings: Settings) -> str:
    """Give the code of the language in which a store analyses messages."""
    return normalize_language(settings.message_language)


def terms_of(content: str, parts: Sequence[Any] | None, language: str) -> MessageTerms:
    """Analyse what of a message is searched."""
    text = searched_text(content, parts)
    if not text:
        return NO_TERMS
    found = analyze(text, language)
    counted = count_terms(found.frequencies)
    return MessageTerms(found.length if counted else 0, list(counted), list(counted.values()))


def searched_text(content: str, parts: Sequence[Any] | None) -> str:
    """Give what of a message is searched: its text, and in lines of their own the texts among its parts as stored."""
    return "\n".join((content, *_texts(parts))) if parts else content


def _texts(parts: Sequence[Any]) -> list[str]:
    return [part["text"] for part in parts if isinstance(part, Mapping) and _is_text(part)]


def _is_text(part: Mapping[str, Any]) -> bool:
    return part.get("type") == "text" and isinstance(part.get("text"), str)
