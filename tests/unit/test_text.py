"""Text analysis: what becomes of words in many languages, and the bounds that hold for any text."""

# ruff: noqa: RUF001  (letters of many alphabets are meant)

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier
from unicodedata import normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ragstore.core.text import (
    MAX_LEXEME_BYTES,
    MAX_LEXEMES,
    MAX_POSITION,
    MAX_POSITIONS,
    STEMMED_LANGUAGES,
    TERM_SPACE,
    analyze,
    locate,
    normalize_language,
    term_id,
)
from ragstore.errors import InvalidInput

LANGUAGES = st.sampled_from([*STEMMED_LANGUAGES, "az", "be", "ja", "th", "uk", "und", "zh"])
ANY_TEXT = st.text(st.characters())  # lone surrogates too
WORDY_TEXT = st.text(st.sampled_from("aAbzßİIıéς.'’\u0301\u0323\u200d 1_中がカーｶﾞ한ㅎ\u1112\u1161ไทยक्षم"))
PAIRED_TEXT = st.text(st.sampled_from("東京都大阪府検索をしますカタログー한국어검색々〇𠮷"), min_size=1)


def lexemes(text: str, language: str = "und") -> list[str]:
    """Give the lexemes in the order of their places."""
    terms = analyze(text, language)
    return [lexeme for _, lexeme in sorted((place, lex) for lex, places in terms.positions.items() for place in places)]


@given(ANY_TEXT | WORDY_TEXT, LANGUAGES)
@example("\ud800", "en")
@example("a" + "\u0301" * 1_000, "en")
@example("'", "fr")
@example("\u0301", "und")
@example("\u3099", "ja")
@example("\ufdfa", "ar")
def test_any_text_gives_terms_within_the_bounds(text: str, language: str) -> None:
    terms = analyze(text, language)
    assert terms.positions.keys() == terms.frequencies.keys()
    assert len(terms.positions) <= MAX_LEXEMES
    assert terms.length == sum(terms.frequencies.values())
    for lexeme, places in terms.positions.items():
        assert 1 <= len(lexeme.encode()) <= MAX_LEXEME_BYTES
        assert "\0" not in lexeme
        assert not any(map(str.isspace, lexeme))
        assert places[0] >= 1
        assert places[-1] <= MAX_POSITION
        assert all(one < next_one for one, next_one in pairwise(places))
        assert len(places) == terms.frequencies[lexeme]


@given(ANY_TEXT | WORDY_TEXT | PAIRED_TEXT, LANGUAGES)
@example("\u1112\u1161\u11ab\u3099\u1100\u1161", "und")
@example("か\u3099\u3099ｶﾞ\u309a\u3099", "ja")
@example("I\u0307I\u0307stanbul", "tr")
@example("㍿㍿㌖", "ja")
@example("co\u00adop ﷺ", "en")
def test_located_words_are_those_of_the_analysis(text: str, language: str) -> None:
    """K-11: what is marked is what was indexed."""
    words = list(locate(text, language))
    positions: dict[str, list[int]] = {}
    for place, lexeme in enumerate((lexeme for _, _, lexemes in words for lexeme in lexemes), 1):
        positions.setdefault(lexeme, []).append(place)
    positions.pop("", None)
    assert positions == analyze(text, language).positions
    assert all(0 <= start < end <= len(text) for start, end, _ in words)
    assert all(one[0] <= other[0] and one[1] <= other[1] for one, other in pairwise(words))


@given(ANY_TEXT | WORDY_TEXT | PAIRED_TEXT, LANGUAGES, LANGUAGES)
@example("\u0301 \u0301", "en", "de")
def test_a_text_has_its_words_in_the_same_places_in_every_language(text: str, one: str, other: str) -> None:
    assert [word[:2] for word in locate(text, one)] == [word[:2] for word in locate(text, other)]
    assert list(locate(f"{text} {text}", one))[: len(list(locate(text, one)))] == list(locate(text, one))


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "en",
            "The cats' 'mats' weren't",
            [("The", ("",)), ("cats", ("cat",)), ("mats", ("mat",)), ("weren't", ("",))],
        ),
        ("fr", "l'avion", [("l'avion", ("", "avion"))]),
        ("en", "co\u00adop\u200ber x²", [("co\u00adop", ("coop",)), ("er", ("er",)), ("x²", ("x2",))]),
        ("und", "Python入門書3", [("Python", ("python",)), ("入門", ("入門",)), ("門書", ("門書",)), ("3", ("3",))]),
        ("ja", "ｶﾞﾗｽ中", [("ｶﾞﾗ", ("ガラ",)), ("ﾗｽ", ("ラス",)), ("ｽ中", ("ス中",))]),
        ("ko", "\u1112\u1161\u11ab\u1100\u1173\u11af", [("\u1112\u1161\u11ab\u1100\u1173\u11af", ("한글",))]),
        ("ja", "㍿", [("㍿", ("株式",)), ("㍿", ("式会",)), ("㍿", ("会社",))]),
        ("ja", "中", [("中", ("中",))]),
        ("tr", "I\u0307zmir ILIK", [("I\u0307zmir", ("izmir",)), ("ILIK", ("ılık",))]),
        ("und", "' _ - '", []),
    ],
)
def test_words_are_located_in_the_text_as_it_was_given(
    language: str, text: str, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    assert [(text[start:end], lexemes) for start, end, lexemes in locate(text, language)] == expected


@given(ANY_TEXT | WORDY_TEXT, LANGUAGES)
def test_the_same_text_gives_the_same_terms_whatever_was_analysed_before(text: str, language: str) -> None:
    first = analyze(text, language)
    analyze(text.swapcase() + " x " + text, language)
    assert analyze(text, language) == first


@given(WORDY_TEXT, WORDY_TEXT, LANGUAGES)
def test_a_text_holds_the_terms_of_its_parts(one: str, other: str, language: str) -> None:
    whole, parts = analyze(f"{one} {other}", language), [analyze(part, language) for part in (one, other)]
    assert whole.length == sum(part.length for part in parts)
    for lexeme, count in whole.frequencies.items():
        assert count == sum(part.frequencies.get(lexeme, 0) for part in parts)


@given(PAIRED_TEXT, st.data(), LANGUAGES)
def test_every_substring_of_two_characters_or_more_is_found_as_a_phrase(
    text: str, data: st.DataObject, language: str
) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    part = text[start:end]
    if len(part) < 2:
        assert lexemes(part, language) == [part]
        return
    found = analyze(text, language).positions
    wanted = lexemes(part, language)
    assert wanted == [one + other for one, other in pairwise(part)]
    assert any(all(first + step in found[pair] for step, pair in enumerate(wanted)) for first in found[wanted[0]])


@given(st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzäöüßéñ"), min_size=1), LANGUAGES)
def test_case_and_composition_make_no_difference(word: str, language: str) -> None:
    assert analyze(normalize("NFD", word), language) == analyze(word, language)
    if language not in ("tr", "az"):  # where I is not the capital of i
        assert analyze(word.upper(), language) == analyze(word, language)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "The cats' mats weren't flying; it's running", ["cat", "mat", "fli", "run"]),
        ("en", "O'Reilly's dog’s bone, they'll we've I'd you're", ["reilli", "dog", "bone"]),
        ("en", "'quoted' b'abc' rock'n'roll", ["quot", "abc", "rock", "roll"]),
        (
            "en",
            "python3 open_file(x) C++ snake_case 3.14 IPv6",
            ["python3", "open", "file", "x", "c", "snake", "case", "3", "14", "ipv6"],
        ),
        ("en", "co\u00adop\u200ber\u2060ate x² ﬁle ①", ["coop", "erat", "x2", "file", "1"]),
        ("en", "İstanbul İSTANBUL istanbul", ["istanbul"] * 3),
        ("en", "to be or not to be", []),
        ("de", "Die Straßen der Häuser", ["strass", "haus"]),
        ("de", "STRASSE Straße strasse", ["strass"] * 3),
        ("fr", "L’avion d'Alembert aujourd'hui qu'il a", ["avion", "alembert", "aujourd", "hui"]),
        ("it", "l'università dell'acqua", ["univers", "acqua"]),
        ("es", "las búsquedas de los niños", ["busqued", "niñ"]),
        ("nl", "foto's van de huizen", ["foto", "huis"]),
        ("ru", "Книги о поиске и книга", ["книг", "поиск", "книг"]),
        ("el", "ΟΔΟΣ οδός ο δρόμος", ["οδ", "οδ", "δρομ"]),
        ("tr", "KAPI kapı Türkiye'de İL il", ["kap", "kap", "türki", "il", "il"]),
        ("uk", "об'єкт об’єкт обʼєкт", ["об'єкт"] * 3),
        ("hi", "किताबें और पुस्तक", ["किताब", "पुस्तक"]),
        ("ar", "الكِتَاب الكتــاب", ["كتاب", "كتاب"]),
        ("fa", "می‌شود کتاب‌ها", ["کتاب"]),
        ("th", "ภาษาไทย น้ำ", ["ภาษาไทย", "น้ํา"]),
        ("he", "שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
        ("zh", "全文检索，很快", ["全文", "文检", "检索", "很快"]),
        ("ja", "Python3で検索ｶﾞｲﾄﾞ", ["python3", "で検", "検索", "索ガ", "ガイ", "イド"]),
        ("ko", "검색은 빠르다 책", ["검색", "색은", "빠르", "르다", "책"]),
        ("en", "searching 東京都 in 京", ["search", "東京", "京都", "京"]),
        ("und", "Ｆｕｌｌ ＷＩＤＴＨ l'avion", ["full", "width", "avion"]),
        ("und", "葛\U000e0100飾 1\ufe0f\u20e3 👩‍💻 … ¿? \u0301 \0", ["葛飾", "1"]),
    ],
)
def test_words_become_lexemes(language: str, text: str, expected: list[str]) -> None:
    assert lexemes(text, language) == expected


def test_dropped_words_keep_their_places() -> None:
    assert analyze("The cat sat on the mats", "en").positions == {"cat": [2], "sat": [3], "mat": [6]}
    assert analyze("it's the cat", "en").positions == {"cat": [3]}
    assert analyze("l'avion", "fr").positions == {"avion": [2]}
    assert analyze("a 検索機 b", "und").positions == {"a": [1], "検索": [2], "索機": [3], "b": [4]}


@pytest.mark.parametrize("text", ["", " \n\t", "... --- !?", "\ud800\udfff", "🎉🎊", "\u0301", "'’'", "\0"])
def test_a_text_without_words_has_no_terms(text: str) -> None:
    terms = analyze(text, "en")
    assert (terms.positions, terms.frequencies, terms.length) == ({}, {}, 0)


def test_frequencies_stay_right_where_positions_are_capped() -> None:
    terms = analyze("x " * 300 + "y " * 20_000 + "z z", "und")
    assert terms.frequencies == {"x": 300, "y": 20_000, "z": 2}
    assert terms.length == 20_302
    assert terms.positions["x"] == list(range(1, MAX_POSITIONS + 1))
    assert len(terms.positions["y"]) == MAX_POSITIONS
    assert terms.positions["z"] == [MAX_POSITION]


def test_positions_are_clamped_behind_dropped_words_too() -> None:
    assert analyze("the " * 17_000 + "cat", "en").positions == {"cat": [MAX_POSITION]}


def test_of_too_many_lexemes_the_most_frequent_are_kept_and_then_the_first() -> None:
    words = [f"w{number}" for number in range(MAX_LEXEMES + 5)]
    terms = analyze(" ".join([*words, words[-1], words[-2]]), "und")
    assert list(terms.frequencies) == [*words[: MAX_LEXEMES - 2], *words[-2:]]
    assert terms.frequencies.keys() == terms.positions.keys()
    assert terms.length == MAX_LEXEMES + 7


def test_a_long_lexeme_is_cut_between_characters() -> None:
    assert lexemes("a" * 1_000) == ["a" * 64]
    assert lexemes("a" + "é" * 1_000) == ["a" + "é" * 31]
    assert lexemes("a" + "\u0327\u0301" * 500) != []


@pytest.mark.parametrize(
    "text",
    ["a" + "\u0301\u0323" * 200_000, "\u3099中\u0301" * 100_000, "x'" * 300_000, "中" * 300_000, "\ufdfa" * 20_000],
    ids=["marks", "pairs and marks", "apostrophes", "one run", "one character for many"],
)
def test_hostile_texts_take_linear_time(text: str) -> None:
    started = time.process_time()
    analyze(text, "en")
    assert time.process_time() - started < 5  # a quadratic step would take minutes


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en", "en"), ("EN-us", "en"), ("en_GB", "en"), ("zh-Hant-TW", "zh"), ("und", "und"), ("eng", "en"),
        ("ger", "de"), ("deu-AT", "de"), ("jpn", "jpn"), ("nb-NO", "nb"), ("sl-rozaj-biske-1994", "sl"),
    ],
)  # fmt: skip
def test_a_language_tag_is_reduced_to_its_code(tag: str, code: str) -> None:
    assert normalize_language(tag) == code


@pytest.mark.parametrize(
    "tag", ["", "e", "english", "en-", "-en", "en US", "en\n", "x-ours", "ën", "e1", "en" + "-a" * 40]
)
def test_what_is_no_language_tag_is_refused(tag: str) -> None:
    with pytest.raises(InvalidInput, match="no language tag") as caught:
        analyze("text", tag)
    assert caught.value.field == "language"


@given(st.from_regex(r"[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{1,8}){0,3}", fullmatch=True))
def test_normalising_a_language_twice_changes_nothing(tag: str) -> None:
    code = normalize_language(tag)
    assert normalize_language(code) == code
    assert code == code.lower()


@pytest.mark.parametrize("language", STEMMED_LANGUAGES)
def test_every_language_named_has_its_stemmer(language: str) -> None:
    assert analyze("xylophone", language).length == 1


@given(st.text(st.characters()))
def test_a_term_id_is_an_index_of_a_sparse_vector(lexeme: str) -> None:
    assert 1 <= term_id(lexeme) < TERM_SPACE
    assert term_id(lexeme) == term_id.__wrapped__(lexeme)


def test_term_ids_never_change() -> None:
    assert {word: term_id(word) for word in ("cat", "検索", "é")} == {
        "cat": 316407520,
        "検索": 853202712,
        "é": 350193688,
    }


def test_threads_share_the_analysis() -> None:
    texts = [f"running{number} flies quickly l'avion {number} 検索 ponies" for number in range(200)]
    expected = [analyze(text, "fi") for text in texts]
    start = Barrier(8)

    def analyse_all(_: int) -> list[object]:
        start.wait()
        return [analyze(text.replace("running", "Running"), "fi") for text in texts]

    with ThreadPoolExecutor(8) as pool:
        assert all(found == expected for found in pool.map(analyse_all, range(8)))


def test_importing_the_analysis_loads_no_stemmer() -> None:
    check = "import sys, ragstore.core.bm25; sys.exit('Stemmer' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
