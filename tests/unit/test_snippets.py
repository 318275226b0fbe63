"""Snippets: which passage is shown, and which words are marked."""

from __future__ import annotations

import html
import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ragstore.core.query_text import parse
from ragstore.core.snippets import Snippet, make_snippet
from ragstore.core.text import analyze
from ragstore.testing.strategies import any_texts

WORDY = st.lists(
    st.sampled_from(
        ["wing", "wings", "The ", " ", ". ", "\n\n", "l'aile", "東京都", "。", "flap ", "x" * 30, "ﬁ", "\u0301"]
    )
).map("".join)
FILLER = "Nothing is said here of what was asked. " * 20


def snippet(content: str, query: str, size: int = 100, languages: tuple[str, ...] = ("en",)) -> Snippet:
    return make_snippet(content, parse(query, languages, "any").frequencies, languages, size)


def marked(found: Snippet) -> list[str]:
    return [found.text[start:end] for start, end in found.marks]


@given(any_texts(400) | WORDY, any_texts(30) | WORDY, st.integers(20, 200), st.sampled_from(["en", "fr", "tr", "und"]))
@example("x" * 300, "x" * 300, 20, "und")
@example(" " * 300 + "wing", "wing", 20, "en")
@example("中" * 300, "中中", 20, "und")
def test_any_text_has_a_snippet(content: str, query: str, size: int, language: str) -> None:
    """K-11: it stands in the content, is no longer than asked for, and marks words of the query alone."""
    lexemes = parse(query, [language, "en"], "any").frequencies
    found = make_snippet(content, lexemes, (language, "en"), size)
    assert content[found.start :].startswith(found.text)
    assert len(found.text) <= size
    assert found.text == found.text.strip()
    assert all(0 <= start < end <= len(found.text) for start, end in found.marks)
    assert all(one[1] < other[0] for one, other in pairwise(found.marks))
    everywhere = {lexeme for one in (language, "en") for lexeme in analyze(content, one).frequencies}
    assert bool(found.marks) == bool(everywhere & lexemes.keys())
    assert bool(found.text) == bool(content.strip())
    assert found.marked("", "") == found.text


@given(st.integers(0, 19), st.integers(0, 19), st.integers(50, 300))
def test_the_passage_has_the_most_different_words(first: int, second: int, size: int) -> None:
    """K-11, against all windows, one by one."""
    pieces = ["Lorem ipsum"] * 20
    pieces[first], pieces[second] = "One wing", "Two flaps"
    content = " and so on ".join(pieces)
    found = snippet(content, "wing flap", size)
    different = [len({w for w in ("wing", "flaps") if w in content[i : i + size]}) for i in range(len(content))]
    assert len({w for w in ("wing", "flaps") if w in found.text}) == max(different)


def test_different_words_weigh_more_than_one_repeated() -> None:
    content = f"wing wing wing wing. {FILLER} A flap and a wing. {FILLER} wing wing"
    assert marked(snippet(content, "wings flaps")) == ["flap", "wing"]


def test_of_as_many_different_words_the_passage_with_more_of_them_then_the_first() -> None:
    content = f"A wing. {FILLER} A wing, a wing. {FILLER} The wing, the wing."
    assert snippet(content, "wing").text.startswith("A wing, a wing.")


def test_words_are_found_as_the_index_finds_them() -> None:
    """Folded and stemmed, and shown as they stand there."""
    found = snippet("FLYING co\u00adop x² cats\u2019 of ﬂies", "fly coop X2 cat", languages=("en",))
    assert marked(found) == ["FLYING", "co\u00adop", "x²", "cats", "ﬂies"]
    assert marked(snippet("Die Häuser; houses", "Haus house", languages=("en", "de"))) == ["Häuser", "houses"]
    assert marked(snippet("İzmir'de", "izmir", languages=("tr",))) == ["İzmir'de"]


def test_function_words_are_not_marked() -> None:
    assert marked(snippet("the wing of the bird", "the wing")) == ["wing"]


def test_pairs_are_marked_together() -> None:
    """A run of pairs is one mark; what is not of the query parts it."""
    found = snippet("私は東京都大阪府に行く", "東京都 行く", languages=("ja",))
    assert found.marked("[", "]") == "私は[東京都]大阪府に[行く]"


def test_a_passage_begins_with_a_sentence_if_one_is_in_reach() -> None:
    content = f"{FILLER}The bird has a wing. {FILLER}"
    found = snippet(content, "wing")
    assert found.text.startswith("The bird has a wing. Nothing is said")
    assert content[found.start - 1] == " "
    assert snippet(f"{FILLER}\n\nWings, again\n{FILLER}", "wing").text.startswith("Wings, again")
    assert snippet("何もない。" * 30 + "東京都に行く。" + "何もない。" * 30, "東京都", 30).text.startswith(
        "東京都に行く。"
    )


def test_else_a_passage_begins_and_ends_with_a_word() -> None:
    content = "lorem ipsum " * 50 + "wing " + "lorem ipsum " * 50
    found = snippet(content, "wing", 60)
    words = found.text.split()
    assert 50 <= len(found.text) <= 60
    assert {*words} == {"lorem", "ipsum", "wing"}
    assert 10 < found.marks[0][0] < 50  # something stands before it, and after it


def test_the_end_of_a_text_fills_the_passage() -> None:
    content = "lorem ipsum " * 50 + "wing"
    found = snippet(content, "wing", 60)
    assert found.text.endswith("wing")
    assert len(found.text) > 40


def test_a_short_text_is_shown_whole() -> None:
    assert snippet("  A wing. And a flap.\n", "flap") == Snippet(text="A wing. And a flap.", start=2, marks=((14, 18),))


@pytest.mark.parametrize("query", ["", "absent", "the"])
def test_without_any_word_the_beginning_is_shown(query: str) -> None:
    """A hit that was found by its vector alone."""
    found = snippet(f"\n  {FILLER}", query, 60)
    assert found == Snippet(text="Nothing is said here of what was asked. Nothing is said here", start=3, marks=())
    assert snippet("x" * 100, query, 20).text == "x" * 20
    assert snippet("", query) == Snippet(text="", start=0, marks=())


def test_a_word_longer_than_the_passage_is_cut() -> None:
    assert snippet("a " * 30 + "x" * 100 + " b", "x" * 100, 20) == Snippet(text="x" * 20, start=60, marks=((0, 20),))


def test_a_word_that_would_be_cut_is_left_out() -> None:
    assert snippet("wing wing wing wing wing wing", "wing", 22).text == "wing wing wing wing"


def test_marks_are_put_around_words_and_markup_of_the_text_is_escaped() -> None:
    found = snippet("<script>wing</script> & flap's", "wing flap")
    assert found.marked() == "<script><b>wing</b></script> & <b>flap's</b>"
    assert found.marked("<mark>", "</mark>", html.escape) == (
        "&lt;script&gt;<mark>wing</mark>&lt;/script&gt; &amp; <mark>flap&#x27;s</mark>"
    )
    assert Snippet(text="a < b", start=0, marks=()).marked(escape=html.escape) == "a &lt; b"


@pytest.mark.parametrize(
    "piece",
    [
        "wing ",
        "wing. ",
        "wing flap.\n",
        "東京",
        ". ",
        "\n",
        "\n ",
        ".)",
        "x",
        "\u3099",
        "か\u3099",
        "'",
        "wing'",
        "\u1112\u1161",
        " ",
    ],
)
def test_the_longest_text_takes_linear_time(piece: str) -> None:
    """A chunk has up to a million characters: seconds would be hours otherwise."""
    content = (piece * 1_000_000)[:100_000]
    began = time.perf_counter()
    for size in (20, 10_000):
        snippet(content, "wing flap 東京 x が", size, ("und",))
    assert time.perf_counter() - began < 10
