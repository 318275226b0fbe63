"""A query's text, analysed.

Any text is a valid query. With `match="web"` it is read as a search box reads it:

- words are optional, and rank;
- a phrase in double quotes, straight or typographic, must stand there. A quotation mark that is left open, or stands
  after a digit as for inches (5" disk), is no more than a space;
- a hyphen at the beginning of a word or a phrase excludes it, if white space or nothing is before it: -draft,
  -"first draft", and also -5 (a negative number is asked for in quotes). A hyphen inside a word (e-mail), a lone one
  and a double one (--verbose) exclude nothing. A word of several parts is excluded as the phrase they make;
- AND in capitals makes what stands before and after it required, unless one of the two is missing.

What is only excluded ranks nothing: a query without anything else has no `frequencies`, and finds nothing by text.

A word or phrase that has nothing but function words in one of the query's languages is not required: texts of that
language keep no trace of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple, TypeVar

from ragstore.core.text import MAX_POSITION, Located, analyze, locate

MAX_QUERY = 100_000
MAX_TERMS = 1000
"""So many different lexemes rank, those that come first."""
MAX_REQUIRED = 100
"""So many words and phrases are required, and so many phrases excluded, those that come first."""
MAX_PHRASE = 50
"""So many words of a phrase count, the first ones."""

Match = Literal["any", "all", "web"]
Phrase = tuple[tuple[str, int], ...]
"""Lexemes, each with its distance in words from the first, which has 0. One word is a phrase of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LexicalQuery:
    """What a query's text asks for, analysed.

    Attributes:
        frequencies: The lexemes that rank a text, with their counts in the query; any of them may match.
        required: Of each of these, at least one alternative must stand in a hit, by whichever leg it comes. A word has
            an alternative for each language that the query was analysed in.
        excluded: None of these may stand in a hit.
    """

    frequencies: dict[str, int]
    required: tuple[tuple[Phrase, ...], ...] = ()
    excluded: tuple[Phrase, ...] = ()


_QUOTES = '"\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02'
_TOKEN = re.compile(
    rf"(?P<minus>(?<!\S)-(?!-))?(?:(?<!\d)[{_QUOTES}](?P<phrase>[^{_QUOTES}]*)[{_QUOTES}]|(?P<word>[^\s{_QUOTES}]+))"
)

_Alternatives = tuple[Phrase, ...]
T = TypeVar("T")
_Kind = Literal["word", "phrase", "excluded", "and"]


class _Token(NamedTuple):
    kind: _Kind
    text: str


def parse(text: str, languages: Sequence[str], match: Match) -> LexicalQuery:
    """Analyse a query in each of the languages, in linear time.

    Args:
        text: Any text whatever.
        languages: The codes of one or more; a lexeme of several counts as often as in the one where it is most often.
        match: "any": no word is required. "all": each is. "web": see above.

    Returns:
        The query: at most 1,000 lexemes, 100 requirements and 100 excluded phrases, of 50 words each; what
        comes later in the text is left out. A requirement has an alternative for each language that makes its own of
        it. Each pair of a Chinese, Japanese or Korean run is a requirement.
    """
    if match == "web":
        return _parse_web(_tokens(text), languages)
    required = _each_word(text, languages) if match == "all" else ()
    return LexicalQuery(frequencies=_frequencies(text, languages), required=_first(_known(required), MAX_REQUIRED))


def _parse_web(tokens: Sequence[_Token], languages: Sequence[str]) -> LexicalQuery:
    ranking = " ".join(token.text for token in tokens if token.kind in ("word", "phrase"))
    excluded = (phrase for token in tokens if token.kind == "excluded" for phrase in _phrases(token.text, languages))
    return LexicalQuery(
        frequencies=_frequencies(ranking, languages),
        required=_first(_known(_required(tokens, languages)), MAX_REQUIRED),
        excluded=_first(filter(None, excluded), MAX_REQUIRED),
    )


def _required(tokens: Sequence[_Token], languages: Sequence[str]) -> Iterable[_Alternatives]:
    for place, token in enumerate(tokens):
        beside = (*tokens[max(place - 1, 0) : place], *tokens[place + 1 : place + 2])
        if token.kind == "phrase":
            yield _phrases(token.text, languages)
        elif token.kind == "word" and any(one.kind == "and" for one in beside):
            yield from _each_word(token.text, languages)


def _tokens(text: str) -> list[_Token]:
    tokens = [_token(found) for found in _TOKEN.finditer(text)]
    for end in (0, -1):
        if tokens and tokens[end].kind == "and":
            tokens[end] = _Token("word", tokens[end].text)
    return tokens


def _token(found: re.Match[str]) -> _Token:
    text = found["word"] if found["phrase"] is None else found["phrase"]
    if found["minus"]:
        return _Token("excluded", text)
    if found["phrase"] is not None:
        return _Token("phrase", text)
    return _Token("and" if text == "AND" else "word", text)


def _known(required: Iterable[_Alternatives]) -> Iterable[_Alternatives]:
    """Leave out what some language knows nothing of, and equal alternatives."""
    return (tuple(dict.fromkeys(alternatives)) for alternatives in required if all(alternatives))


def _first(items: Iterable[T], limit: int) -> tuple[T, ...]:
    """Give the first items, each once."""
    kept: dict[T, None] = {}
    for item in items:
        kept[item] = None
        if len(kept) == limit:
            break
    return tuple(kept)


def _frequencies(text: str, languages: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    places: dict[str, int] = {}
    for language in languages:
        terms = analyze(text, language)
        for lexeme, count in terms.frequencies.items():
            counts[lexeme] = max(count, counts.get(lexeme, 0))
            places[lexeme] = min(terms.positions[lexeme][0], places.get(lexeme, MAX_POSITION))
    return {lexeme: counts[lexeme] for lexeme in sorted(places, key=places.__getitem__)[:MAX_TERMS]}


def _each_word(text: str, languages: Sequence[str]) -> Iterable[_Alternatives]:
    """Give each word of a text in each language: a text has its words in the same places in all of them."""
    for words in zip(*(locate(text, language) for language in languages), strict=True):
        yield tuple(_phrase([word]) for word in words)


def _phrases(text: str, languages: Sequence[str]) -> _Alternatives:
    return tuple(_phrase(islice(locate(text, language), MAX_PHRASE)) for language in languages)


def _phrase(words: Iterable[Located]) -> Phrase:
    """Give the lexemes that words keep, with their distances; empty if they keep none."""
    lexemes = (lexeme for _, _, several in words for lexeme in several)
    kept = [(lexeme, place) for place, lexeme in enumerate(lexemes) if lexeme]
    return tuple((lexeme, place - kept[0][1]) for lexeme, place in kept)
