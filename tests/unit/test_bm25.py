"""BM25's weights: the formula, its bounds and its edges."""

from __future__ import annotations

from itertools import pairwise
from math import log

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ragstore.core import bm25
from ragstore.core.bm25 import K1, B, drifted, idf, weight, weights
from ragstore.core.text import Terms, analyze, term_id

COUNTS = st.integers(0, 10**9)
FREQUENCIES = st.integers(1, 10**6)
LENGTHS = st.integers(1, 10**7)
AVERAGES = st.just(0.0) | st.floats(0.001, 10**7)


def test_figures_worked_out_by_hand() -> None:
    assert idf(1, 10) == pytest.approx(log(1 + 9.5 / 1.5))
    assert weight(1, 10, 10.0) == pytest.approx(1.0)
    assert weight(2, 10, 10.0) == pytest.approx(2 * 2.2 / 3.2)
    assert weight(1, 20, 10.0) == pytest.approx(2.2 / (1 + 1.2 * (0.25 + 0.75 * 2)))


@given(COUNTS, COUNTS)
def test_idf_is_positive_and_falls_as_a_term_becomes_common(df: int, count: int) -> None:
    assert idf(df, count) > 0
    assume(df < count)
    assert idf(df, count) >= idf(df + 1, count)


@given(FREQUENCIES, LENGTHS, AVERAGES)
def test_a_weight_stays_below_its_bound(tf: int, length: int, average: float) -> None:
    assume(tf <= length)
    assert 0 < weight(tf, length, average) < K1 + 1


@given(FREQUENCIES, LENGTHS, AVERAGES)
def test_a_weight_grows_with_the_frequency_and_falls_with_the_length(tf: int, length: int, average: float) -> None:
    assert weight(tf, length, average) <= weight(tf + 1, length, average)
    assert weight(tf, length, average) >= weight(tf, length + 1, average)


def test_without_an_average_length_a_document_counts_as_average() -> None:
    assert weight(3, 500, 0.0) == weight(3, 500, 500.0)
    assert weight(0, 0, 0.0) == 0


@given(st.text(st.sampled_from("abc de的中 ")), AVERAGES)
def test_the_vector_holds_each_terms_weight_in_the_order_of_the_ids(text: str, average: float) -> None:
    terms = analyze(text, "und")
    vector = weights(terms, average)
    assert all(one < other for one, other in pairwise(vector))
    assert vector == {
        term_id(lexeme): pytest.approx(weight(tf, terms.length, average)) for lexeme, tf in terms.frequencies.items()
    }


def test_weights_of_terms_with_one_id_are_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bm25, "term_id", len)
    terms = Terms({"ab": [1], "cd": [2, 3], "e": [4]}, {"ab": 1, "cd": 2, "e": 1}, 4)
    assert weights(terms, 4.0) == {1: weight(1, 4, 4.0), 2: pytest.approx(weight(1, 4, 4.0) + weight(2, 4, 4.0))}
    assert list(weights(terms, 4.0)) == [1, 2]


def test_nothing_has_no_weights() -> None:
    assert weights(analyze("", "en"), 0.0) == {}


@pytest.mark.parametrize(
    ("old", "new", "due"),
    [
        (100, 105, False),
        (100, 105.1, True),
        (100, 95, False),
        (100, 94.9, True),
        (0, 0, False),
        (0, 1, True),
        (5, 0, True),
    ],
)
def test_a_new_average_is_due_past_a_twentieth(old: float, new: float, due: bool) -> None:
    assert drifted(old, new) is due


def test_the_parameters_are_the_usual_ones() -> None:
    assert (K1, B, bm25.DRIFT) == (1.2, 0.75, 0.05)
