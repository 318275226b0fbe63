"""A query's text: what ranks, what is required, what is excluded."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstore.core.query_text import MAX_PHRASE, MAX_QUERY, MAX_REQUIRED, MAX_TERMS, LexicalQuery, Match, Phrase, parse
from ragstore.core.text import MAX_LEXEME_BYTES, analyze
from ragstore.testing.strategies import any_texts

LANGUAGES = st.lists(st.sampled_from(["en", "de", "fr", "tr", "uk", "ja", "und"]), min_size=1, max_size=3, unique=True)
SYNTAX = st.lists(
    st.sampled_from(
        ["wing", "the", "die", " ", " -", "-", '"', "“", "”", "»", " AND ", "AND", "5", "東京都", "l'a", "\n"]
    )
).map("".join)
MATCHES: list[Match] = ["any", "all", "web"]


def word(lexeme: str) -> tuple[Phrase, ...]:
    """Require one word that is the same in every language."""
    return (((lexeme, 0),),)


def web(text: str, *languages: str) -> LexicalQuery:
    return parse(text, languages or ("en",), "web")


@given(any_texts() | SYNTAX, LANGUAGES, st.sampled_from(MATCHES))
def test_any_text_is_a_query(text: str, languages: list[str], match: Match) -> None:
    """K-13: no exception, and whatever comes out is well formed."""
    query = parse(text, languages, match)
    known = {lexeme for language in languages for lexeme in analyze(text, language).frequencies}
    assert query.frequencies.keys() <= known
    assert all(count >= 1 for count in query.frequencies.values())
    assert len(set(query.required)) == len(query.required) <= MAX_REQUIRED
    assert len(set(query.excluded)) == len(query.excluded) <= MAX_REQUIRED
    for alternatives in query.required:
        assert 1 <= len(set(alternatives)) == len(alternatives) <= len(languages)
    for phrase in (*query.excluded, *(phrase for alternatives in query.required for phrase in alternatives)):
        assert phrase[0][1] == 0
        assert all(one[1] < other[1] for one, other in pairwise(phrase))
        assert all(0 < len(lexeme.encode()) <= MAX_LEXEME_BYTES for lexeme, _ in phrase)
        assert {lexeme for lexeme, _ in phrase} <= known
    for alternatives in query.required:
        assert all(lexeme in query.frequencies for phrase in alternatives for lexeme, _ in phrase)


@given(any_texts() | SYNTAX, LANGUAGES)
def test_any_and_all_rank_by_every_word(text: str, languages: list[str]) -> None:
    optional, required = parse(text, languages, "any"), parse(text, languages, "all")
    terms = [analyze(text, language).frequencies for language in languages]
    assert optional.frequencies == {lexeme: max(one.get(lexeme, 0) for one in terms) for one in terms for lexeme in one}
    assert required.frequencies == optional.frequencies
    assert not optional.required
    assert not (*optional.excluded, *required.excluded)


@pytest.mark.parametrize(
    "text", ["lone \ud800 surrogate", '"\ud800', "\0", "", " ", '"', "-", '-"', '""', "AND", "AND AND AND"]
)
@pytest.mark.parametrize("match", MATCHES)
def test_odd_texts(text: str, match: Match) -> None:
    parse(text, ["en", "und"], match)


# ------------------------------------------------------------------------------------------------------- any, all


def test_frequencies_are_those_of_all_languages_in_the_order_of_the_text() -> None:
    query = parse("running cats, the running dogs", ["en", "de"], "any")
    assert list(query.frequencies.items()) == [("run", 2), ("running", 2), ("cat", 1), ("the", 1), ("dog", 1)]


def test_all_requires_each_word_in_one_of_the_languages() -> None:
    query = parse("Running cats, running", ["en", "de"], "all")
    assert query.required == (((("run", 0),), (("running", 0),)), word("cat"))


def test_a_function_word_of_one_language_is_not_required() -> None:
    """Texts of that language have no trace of it: "the" in English, "die" in German."""
    assert parse("the cat die", ["en", "de"], "all").required == (word("cat"),)
    assert parse("the cat", ["de"], "all").required == (word("the"), word("cat"))
    assert parse("to be or not", ["en"], "all").required == ()


def test_all_requires_each_pair_of_a_run() -> None:
    assert parse("東京都 cats", ["en", "ja"], "all").required == (
        word("東京"),
        word("京都"),
        ((("cat", 0),), (("cats", 0),)),
    )
    assert parse("中", ["zh"], "all").required == (word("中"),)


def test_a_word_of_several_parts_is_required_as_their_phrase() -> None:
    assert parse("rock'n'roll", ["en"], "all").required == (((("rock", 0), ("roll", 2)),),)
    assert parse("l'avion", ["fr"], "all").required == (word("avion"),)


def test_syntax_means_nothing_without_web() -> None:
    for match in ("any", "all"):
        query = parse('"flying cats" -dogs AND x', ["en"], match)
        assert list(query.frequencies) == ["fli", "cat", "dog", "x"]
        assert query.excluded == ()


# ------------------------------------------------------------------------------------------------------------ web


def test_words_are_optional() -> None:
    assert web("the flying cats") == parse("the flying cats", ["en"], "any")


@pytest.mark.parametrize(
    "quoted", ['"{}"', "“{}”", "„{}“", "»{}«", "«{}»", "”{}”", "\uff02{}\uff02", ' "{}" ', 'x"{}"', "(“{}”)"]
)
def test_a_quoted_phrase_must_stand_there(quoted: str) -> None:
    """K-13. Dropped words leave their gap."""
    query = web(quoted.format("State of the Unions"))
    assert query.required == (((("state", 0), ("union", 3)),),)
    assert {"state", "union"} <= query.frequencies.keys()


def test_a_phrase_is_another_in_each_language() -> None:
    assert web('"the running dogs"', "en", "de").required == (
        ((("run", 0), ("dog", 1)), (("the", 0), ("running", 1), ("dog", 2))),
    )


def test_a_phrase_of_a_run_is_its_pairs() -> None:
    assert web('"東京都"').required == (((("東京", 0), ("京都", 1)),),)


def test_a_phrase_of_function_words_is_not_required() -> None:
    assert web('"to be or not to be" cats') == LexicalQuery(frequencies={"cat": 1})
    assert web('"to be" cats', "en", "de").required == ()


@pytest.mark.parametrize(
    "text", ['"flying cats', 'flying "cats', 'flying cats"', "flying “ cats", 'flying 5" cats 3" 5']
)
def test_a_quotation_mark_alone_or_after_a_digit_means_nothing(text: str) -> None:
    query = web(text)
    assert {"fli", "cat"} <= query.frequencies.keys()
    assert not query.required
    assert not query.excluded


def test_a_phrase_may_end_in_a_digit() -> None:
    assert web('"windows 10" cats').required == (((("window", 0), ("10", 1)),),)


def test_a_hyphen_before_a_word_excludes_it() -> None:
    """K-13: its lexeme in each language; it does not rank."""
    query = web("cats -running -the", "en", "de")
    assert query.frequencies == {"cat": 1}
    assert query.excluded == ((("run", 0),), (("running", 0),), (("the", 0),))
    assert query.required == ()


@pytest.mark.parametrize("quoted", ['-"running dogs"', "-“running dogs”", "-running-dogs", "-running/dogs,"])
def test_a_hyphen_before_a_phrase_excludes_it(quoted: str) -> None:
    assert web(f"cats {quoted}") == LexicalQuery(frequencies={"cat": 1}, excluded=((("run", 0), ("dog", 1)),))


def test_what_is_excluded_here_may_rank_there() -> None:
    query = web('cats dogs -"dogs bark" -cats')
    assert query.frequencies == {"cat": 1, "dog": 1}
    assert query.excluded == ((("dog", 0), ("bark", 1)), (("cat", 0),))


@pytest.mark.parametrize(
    "text", ["e-mail dogs", "e - mail dogs", "e -- mail dogs", "--e mail- dogs", "(-e) mail,-dogs", "- e mail -"]
)
def test_other_hyphens_exclude_nothing(text: str) -> None:
    query = web(text)
    assert {"e", "mail"} <= query.frequencies.keys()
    assert not query.required
    assert not query.excluded


def test_a_negative_number_is_excluded_unless_it_is_quoted() -> None:
    assert web("degrees -5").excluded == ((("5", 0),),)
    assert web('degrees "-5"').required == (word("5"),)


def test_only_exclusions_rank_nothing() -> None:
    assert web('-cats -"running dogs"').frequencies == {}


def test_and_requires_both_its_neighbours() -> None:
    """K-13."""
    query = web("black cats AND flying dogs")
    assert list(query.frequencies) == ["black", "cat", "fli", "dog"]
    assert query.required == (word("cat"), word("fli"))
    assert web("a1 AND b1 AND c1 d1").required == (word("a1"), word("b1"), word("c1"))
    assert web("running AND dogs", "en", "de").required == (((("run", 0),), (("running", 0),)), word("dog"))


def test_and_beside_phrases_and_exclusions() -> None:
    query = web('cats AND "flying dogs" AND -birds mice')
    assert query.required == (word("cat"), ((("fli", 0), ("dog", 1)),))
    assert query.excluded == ((("bird", 0),),)
    assert web("cats AND -birds").required == (word("cat"),)
    assert web("e-mail AND 東京都").required == (word("e"), word("mail"), word("東京"), word("京都"))
    assert web("the AND cats").required == (word("cat"),)


@pytest.mark.parametrize("text", ["cats and dogs", "cats And dogs", "AND cats dogs", "cats dogs AND", "catsANDdogs"])
def test_other_ands_require_nothing(text: str) -> None:
    assert web(text).required == ()


def test_and_that_is_no_operator_is_a_word() -> None:
    assert "and" in web("AND x", "de").frequencies
    assert "and" not in web("y AND x", "de").frequencies


# ---------------------------------------------------------------------------------------------------------- bounds


def test_the_first_words_count() -> None:
    many = [f"w{n}" for n in range(3000)]
    query = parse(" ".join(many), ["en", "und"], "all")
    assert list(query.frequencies) == many[:MAX_TERMS]
    assert query.required == tuple(word(one) for one in many[:MAX_REQUIRED])
    phrases = web(" ".join(f'-x{n} "{one}"' for n, one in enumerate(many)))
    assert len(phrases.required) == len(phrases.excluded) == MAX_REQUIRED
    (((phrase,),), (excluded,)) = web(f'"{" ".join(many)}"').required, web(f'-"{" ".join(many)}"').excluded
    assert phrase == excluded == tuple((one, place) for place, one in enumerate(many[:MAX_PHRASE]))


def test_no_language_crowds_another_out() -> None:
    many = [f"{letter}{other}ings" for letter in "abcdefghijklmnopqrstuvwxyz" for other in "abcdefghijklmnopqrstuvwxyz"]
    kept = parse(" ".join(many), ["en", "und"], "any").frequencies
    assert len(kept) == MAX_TERMS
    assert sum(lexeme.endswith("ings") for lexeme in kept) == MAX_TERMS // 2


@pytest.mark.parametrize(
    "piece", ['"', "-", '-"', '"a ', " -", "a AND ", "東", "a'", '5"', "-a", '"a" ', "“ -", "\u3099"]
)
@pytest.mark.parametrize("match", MATCHES)
def test_the_longest_query_takes_linear_time(piece: str, match: Literal["any", "all", "web"]) -> None:
    """K-13: seconds would be minutes otherwise."""
    began = time.perf_counter()
    parse((piece * MAX_QUERY)[:MAX_QUERY], ["en", "und"], match)
    assert time.perf_counter() - began < 10
