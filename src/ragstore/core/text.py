"""Text analysis: from any text to the lexemes that the lexical leg stores and searches.

Documents and queries take the same path on every database, so what is stored and what is asked for agree:

1. Characters are folded (NFKC, full case folding; Turkish has its own i). Letters, digits and combining marks make
   words, all else parts them; format characters, variation selectors and the Arabic tatweel vanish.
2. Runs of Han, Hiragana, Katakana and Hangul become overlapping pairs of characters, in any language, so that every
   substring of two characters or more is a phrase of pairs. Hangul too: Korean compounds are written without a space,
   and particles stick to the word. A run of one character is that character.
3. At an apostrophe a word is parted, and single letters beside it are dropped ("l'avion"). English loses its
   contractions ("it's", "don't"); in Ukrainian and Belarusian the apostrophe is a letter.
4. Words with a grammatical function alone are dropped, the others stemmed by Snowball (Porter 2001, "Snowball: a
   language for stemming algorithms").

Scripts without spaces between words (Thai, Lao, Khmer, Burmese) give one word a run. Accents count where the
language's stemmer does not remove them.

Every word is folded and stemmed once and then remembered. Nothing here is done before the first call.
"""

from __future__ import annotations

import hashlib
import re
import threading
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from itertools import chain, cycle
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol
from unicodedata import category, combining, normalize

from ragstore.core.stop_words import STOP_WORDS
from ragstore.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MAX_LEXEME_BYTES: Final = 64
"""A longer lexeme is cut at the last whole character within so many bytes of UTF-8."""
MAX_LEXEMES: Final = 10_000
"""So many different lexemes of a text are kept: the most frequent ones, of equals those that come first."""
MAX_POSITION: Final = 16_383
"""PostgreSQL's last position in a tsvector; what comes later stands there too."""
MAX_POSITIONS: Final = 255
"""So many positions of a lexeme are kept, the first ones; PostgreSQL takes no more."""
TERM_SPACE: Final = 10**9
"""The dimensions of a sparse vector of terms, pgvector's most; term ids are below it."""

STEMMED_LANGUAGES: Final[Mapping[str, str]] = MappingProxyType({
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish",
    "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian",
    "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "st": "sesotho", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
})  # fmt: skip
"""The languages with a stemmer, and the name of its algorithm in Snowball. All others get plain words."""

_THREE_LETTERS: Final[Mapping[str, str]] = MappingProxyType({
    "ara": "ar", "cat": "ca", "ces": "cs", "cze": "cs", "dan": "da", "deu": "de", "ger": "de", "ell": "el", "gre": "el",
    "eng": "en", "epo": "eo", "spa": "es", "est": "et", "eus": "eu", "baq": "eu", "fas": "fa", "per": "fa", "fin": "fi",
    "fra": "fr", "fre": "fr", "gle": "ga", "hin": "hi", "hun": "hu", "hye": "hy", "arm": "hy", "ind": "id", "ita": "it",
    "lit": "lt", "nob": "nb", "nep": "ne", "nld": "nl", "dut": "nl", "nno": "nn", "nor": "no", "pol": "pl", "por": "pt",
    "ron": "ro", "rum": "ro", "rus": "ru", "srp": "sr", "sot": "st", "swe": "sv", "tam": "ta", "tur": "tr", "yid": "yi",
    "aze": "az", "bel": "be", "ukr": "uk",
})  # fmt: skip

_TAG = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]{1,8})*", re.ASCII | re.IGNORECASE)
_MAX_TAG: Final = 64

_PAIRED: Final = (
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    "\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\U0001aff0-\U0001b16f"
    "\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff"
)
"""Han; Hiragana and Katakana; Hangul: as a character class, after folding."""

_APOSTROPHES: Final = frozenset("'\u2018\u2019\u02bc")
_APOSTROPHE_IS_A_LETTER: Final = frozenset({"be", "uk"})
_TURKIC: Final = frozenset({"az", "tr"})
_ENGLISH_ENDING = re.compile(r"'(?:s|d|m|re|ve|ll)$")

_WORD_CATEGORIES: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd", "Nl", "No"})
_SILENT_CATEGORIES: Final = frozenset({"Cf", "Me"})
_WORD: Final = re.compile(r"\S+").finditer
_ZERO_WIDTH_SPACE: Final = "\u200b"
_SILENT = re.compile("[\u0640\u034f\u180b-\u180f\ufe00-\ufe0f\U000e0000-\U000e0fff]")

_MAX_CACHED: Final = 1 << 16
_MAX_CACHED_WORD: Final = 64
_MAX_RAW_WORD: Final = 4 * MAX_LEXEME_BYTES


@dataclass(frozen=True, slots=True)
class Terms:
    """What a text consists of, for an index.

    Attributes:
        positions: Where each lexeme stands, ascending from 1. Dropped words count, so that phrases keep their gaps.
            At most 10,000 lexemes of at most 64 bytes, 255 positions each, none above 16,383.
        frequencies: How often each of these lexemes occurs, whether or not all its positions were kept.
        length: How many words were kept, with repetitions: BM25's document length. Lexemes beyond the limit count.
    """

    positions: dict[str, list[int]]
    frequencies: dict[str, int]
    length: int


Located = tuple[int, int, tuple[str, ...]]
"""A word's first character, the one after its last, and its lexemes."""


def analyze(text: str, language: str) -> Terms:
    """Turn a text into lexemes with their positions and frequencies.

    No database, no I/O but the import of the stemmer at first use; safe to call from several threads. The same text
    and language give the same terms everywhere, given the same major version of Snowball.

    Args:
        text: Any text whatever, a document's or a query's.
        language: A language tag such as "en", "de-AT" or "und" (no stemming, no stop words).

    Returns:
        The terms; empty where the text has no word but function words. They fit a tsvector: the lexemes take at most
        640 kB, and their positions, at most 26,383 in all, 53 kB.

    Raises:
        InvalidInput: `language` is no language tag.

    Example:
        >>> analyze("The cat sat on the mats", "en").positions
        {'cat': [2], 'sat': [3], 'mat': [6]}
    """
    lexemes = _lexicon(language).lexemes(text)
    found = _places(lexemes)
    frequencies = {lexeme: len(places) for lexeme, places in found.items()}
    length = sum(frequencies.values())
    if len(frequencies) > MAX_LEXEMES:
        frequencies = _most_frequent(frequencies)
        found = {lexeme: found[lexeme] for lexeme in frequencies}
    if len(lexemes) > MAX_POSITION or max(frequencies.values(), default=0) > MAX_POSITIONS:
        found = {lexeme: _bounded(places) for lexeme, places in found.items()}
    return Terms(found, frequencies, length)


def locate(text: str, language: str) -> Iterator[Located]:
    """Find the words of a text, each with the lexemes that `analyze` makes of it.

    The lexemes of all the words in turn are those of the text, one a position: "" where a word, or a part of it, is
    dropped. A text has the same words in every language, in number and place; only their lexemes differ.

    Args:
        text: Any text whatever.
        language: As for `analyze`.

    Yields:
        (start, end, lexemes): the characters of `text` from start to before end, and what they become. A word that is
        parted at an apostrophe has several lexemes. Each pair of a run of Chinese, Japanese or Korean is a word of its
        own, so that these overlap.

    Raises:
        InvalidInput: `language` is no language tag.

    Example:
        >>> list(locate("The cats, 東京都", "en"))
        [(0, 3, ('',)), (4, 8, ('cat',)), (10, 12, ('東京',)), (11, 13, ('京都',))]
    """
    return _lexicon(language).located(text)


def normalize_language(tag: str) -> str:
    """Reduce a language tag to the code by which texts are analysed.

    Args:
        tag: A BCP 47 tag ("en", "en-US", "zh_Hant_TW") or "und"; at most 64 characters, in any case.

    Returns:
        The lower-case language: two letters where the language has a stemmer, else as given ("jpn", "und").

    Raises:
        InvalidInput: It is no such tag: a name ("english"), an empty string, a private one ("x-ours").

    Example:
        >>> normalize_language("en-US")
        'en'
    """
    match = _TAG.fullmatch(tag) if len(tag) <= _MAX_TAG else None
    if match is None:
        raise InvalidInput(f"{tag[:_MAX_TAG]!r} is no language tag: give one such as 'en', or 'und'", field="language")
    code = match[1].lower()
    return _THREE_LETTERS.get(code, code)


@lru_cache(maxsize=_MAX_CACHED)
def term_id(lexeme: str) -> int:
    """Give the index of a lexeme in sparse vectors.

    The first eight bytes of the SHA-256 of its UTF-8, big-endian and unsigned, modulo 10^9 - 1, plus 1. The same on
    every machine and in every version. Two lexemes may share an id (about one pair among 40,000 lexemes).

    Returns:
        A number from 1 to 999,999,999.
    """
    digest = hashlib.sha256(lexeme.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % (TERM_SPACE - 1) + 1


def count_terms(frequencies: Mapping[str, int]) -> dict[int, int]:
    """Count terms by their ids, ascending; the counts of lexemes that share an id are summed."""
    counted: dict[int, int] = {}
    for lexeme, count in frequencies.items():
        term = term_id(lexeme)
        counted[term] = counted.get(term, 0) + count
    return dict(sorted(counted.items()))


def _places(lexemes: list[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, lexeme in enumerate(lexemes, 1):
        if lexeme in found:
            found[lexeme].append(place)
        else:
            found[lexeme] = [place]
    found.pop("", None)
    return found


def _most_frequent(frequencies: dict[str, int]) -> dict[str, int]:
    # Sorting is stable, reversed too: equals stay in the order of their first position.
    kept = set(sorted(frequencies, key=frequencies.__getitem__, reverse=True)[:MAX_LEXEMES])
    return {lexeme: count for lexeme, count in frequencies.items() if lexeme in kept}


def _bounded(places: list[int]) -> list[int]:
    kept = places[:MAX_POSITIONS]
    return kept if kept[-1] <= MAX_POSITION else list(dict.fromkeys(min(place, MAX_POSITION) for place in kept))


class _Folding(dict[int, str]):
    """For `str.translate`: what each character becomes, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        folded = normalize("NFKC", normalize("NFKC", chr(code)).casefold())
        becomes = "".join(map(_piece, folded)) if code != 0x130 else "i"  # not an i with a second dot over it
        if len(self) >= _MAX_CACHED:
            self.clear()
        self[code] = becomes
        return becomes


def _piece(char: str) -> str:
    if char in _APOSTROPHES:
        return "'"
    if char == _ZERO_WIDTH_SPACE:
        return " "
    kind = category(char)
    if kind in _SILENT_CATEGORIES or _SILENT.match(char):
        return ""
    return char if kind in _WORD_CATEGORIES else " "


_FOLDING: Final = _Folding()


class _Lexicon(dict[str, tuple[str, ...]]):
    """The words of one language that were met so far, as split from a folded text, each with its lexemes.

    A dropped word has the lexeme "". Threads share it: a word's lexemes are the same whoever works them out.
    """

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language
        self._stop_words = frozenset(normalize("NFC", STOP_WORDS.get(language, "").translate(_FOLDING)).split())
        self._runs = re.compile(f"([{_PAIRED}]+)").split  # takes milliseconds, so not at import
        self._stemmers = _Stemmers()

    def lexemes(self, text: str) -> list[str]:
        """Give the lexeme of each word in turn, "" for a dropped one."""
        # By word, so that normalising costs linear time: over a whole text, a run of marks takes quadratic time.
        return list(chain.from_iterable(map(self.__getitem__, self._own(text).translate(_FOLDING).split())))

    def located(self, text: str) -> Iterator[Located]:
        """Give each word in turn with its place in the text and its lexemes."""
        pieces = [_FOLDING[ord(char)] for char in self._own(text)]
        folded = "".join(pieces)
        # where each character of the folded text comes from
        origins: Sequence[int] = range(len(text))
        if len(folded) != len(text) or "" in pieces:
            origins = [place for place, piece in enumerate(pieces) for _ in piece]
        for match in _WORD(folded):
            word, (start, end) = match[0], match.span()
            if "'" not in word and (lexemes := self.get(word)):  # as most words are, met before and of one piece
                yield origins[start], origins[end - 1] + 1, lexemes
            else:
                yield from self._located_word(word, origins[start:end])

    def _located_word(self, word: str, origins: Sequence[int]) -> Iterator[Located]:
        end = 0
        for run, paired in zip(self._runs(word), cycle((False, True)), strict=False):
            start, end = end, end + len(run)
            if paired:
                yield from _located_pairs(run, origins[start:end])
            else:
                yield from _located_run(run, origins[start:end], self[run])

    def _own(self, text: str) -> str:
        if self._language not in _TURKIC:
            return text
        # of the same length, so that places stay: the second character is silent
        return text.replace("I\u0307", "i\u034f").replace("I", "\u0131")

    def __missing__(self, word: str) -> tuple[str, ...]:
        runs = self._runs(word)  # every second one is of paired characters
        lexemes = tuple(chain.from_iterable(map(self._of_run, runs, cycle((False, True)))))
        if len(runs) == 1 and len(word) <= _MAX_CACHED_WORD:
            if len(self) >= _MAX_CACHED:
                self.clear()
            self[word] = lexemes
        return lexemes

    def _of_run(self, run: str, paired: bool) -> Iterable[str]:
        if paired:
            return _pairs(normalize("NFC", run))
        word = normalize("NFC", run[:_MAX_RAW_WORD]).strip("'")
        return map(self._lexeme, self._parts(word)) if any(map(str.isalnum, word)) else ()

    def _parts(self, word: str) -> Iterable[str]:
        if "'" not in word or self._language in _APOSTROPHE_IS_A_LETTER:
            return (word,)
        if self._language == "en":
            word = "" if word.endswith("n't") else _ENGLISH_ENDING.sub("", word)
        parts = word.split("'")
        return parts if len(parts) == 1 else (part if len(part) > 1 else "" for part in parts)

    def _lexeme(self, word: str) -> str:
        if not word or word in self._stop_words:
            return ""
        return _cut(self._stemmers.stem(word, STEMMED_LANGUAGES.get(self._language)) or word)


def _pairs(run: str) -> list[str]:
    return [run[start : start + 2] for start in range(len(run) - 1)] or [run]


def _located_run(run: str, origins: Sequence[int], lexemes: tuple[str, ...]) -> Iterator[Located]:
    if lexemes:
        first, last = len(run) - len(run.lstrip("'")), len(run.rstrip("'")) - 1
        yield origins[first], origins[last] + 1, lexemes


def _located_pairs(run: str, origins: Sequence[int]) -> Iterator[Located]:
    composed = normalize("NFC", run)
    spans = [(place, place) for place in range(len(run))] if composed == run else _spans(run)
    for first, pair in enumerate(_pairs(composed)):
        last = first + len(pair) - 1
        yield origins[spans[first][0]], origins[spans[last][1]] + 1, (pair,)


def _spans(run: str) -> list[tuple[int, int]]:
    """Say of each character of the composed run which of the run's it comes from, first and last."""
    spans: list[tuple[int, int]] = []
    start = 0
    for end in range(1, len(run) + 1):
        # marks belong to what is before them; of others only Hangul's letters compose, at most three
        if end < len(run) and (combining(run[end]) or (end - start < 3 and _composes(run[start:end], run[end]))):
            continue
        spans += [(start, end - 1)] * len(normalize("NFC", run[start:end]))
        start = end
    return spans


def _composes(cluster: str, char: str) -> bool:
    return normalize("NFC", cluster + char) != normalize("NFC", cluster) + normalize("NFC", char)


def _cut(lexeme: str) -> str:
    if len(lexeme) * 4 <= MAX_LEXEME_BYTES:
        return lexeme
    return lexeme.encode()[:MAX_LEXEME_BYTES].decode(errors="ignore")


class _Stemmer(Protocol):
    def stemWord(self, word: str, /) -> str: ...  # noqa: N802  (PyStemmer's name)


class _Stemmers(threading.local):
    """One stemmer a thread, because PyStemmer's keep state; a lock could be held while another thread forks."""

    stemmer: _Stemmer | None = None

    def stem(self, word: str, algorithm: str | None) -> str:
        if algorithm is None:
            return word
        if self.stemmer is None:
            self.stemmer = _new_stemmer(algorithm)
        return self.stemmer.stemWord(word)


def _new_stemmer(algorithm: str) -> _Stemmer:
    stemmer: _Stemmer = import_module("Stemmer").Stemmer(algorithm, 0)  # 0: without a cache of its own
    return stemmer


@lru_cache(maxsize=256)
def _lexicon(tag: str) -> _Lexicon:
    code = normalize_language(tag)
    own = code in STEMMED_LANGUAGES or code in _APOSTROPHE_IS_A_LETTER or code in _TURKIC
    return _lexicon_of(code if own else "und")


@lru_cache(maxsize=None)  # noqa: UP033  (bounded by the languages named above)
def _lexicon_of(code: str) -> _Lexicon:
    return _Lexicon(code)
