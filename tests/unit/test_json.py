"""What JSON is let in, and that it comes back as it went in."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstore.core import json
from ragstore.core.border import TextPolicy
from ragstore.errors import InvalidInput

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(SCALARS | TEXTS, lambda v: st.lists(v, max_size=4) | st.dictionaries(TEXTS, v, max_size=4))


def clean(value: object, rule: str = "reject") -> object:
    return json.clean(value, TextPolicy(rule), field="metadata")  # type: ignore[arg-type]


@given(VALUES)
def test_what_is_let_in_comes_back(value: object) -> None:
    assert json.loads(json.dumps(clean(value))) == value


@given(VALUES)
def test_cleaning_twice_changes_nothing_more(value: object) -> None:
    assert clean(clean(value)) == clean(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_that_is_not_json(value: float) -> None:
    """I06."""
    with pytest.raises(InvalidInput) as caught:
        clean({"a": [1, value]})
    assert caught.value.field == "metadata.a[1]"


def test_minus_zero_loses_its_sign_everywhere() -> None:
    """I07."""
    assert math.copysign(1, clean({"a": -0.0})["a"]) == 1  # type: ignore[index]


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**40])
def test_integers_fit_64_bits(value: int) -> None:
    """I08."""
    with pytest.raises(InvalidInput, match="64 bits"):
        clean({"a": value})


def test_depth_is_bounded_without_recursing() -> None:
    """I09."""
    deep: object = 1
    for _ in range(20_000):
        deep = [deep]
    with pytest.raises(InvalidInput, match="levels deep"):
        clean({"a": deep})


def test_size_is_bounded() -> None:
    """I10."""
    with pytest.raises(InvalidInput, match="larger than"):
        clean({"a": "x" * 50_000_000})


@pytest.mark.parametrize("value", [b"bytes", {1: 2}, {1, 2}, object(), 1 + 2j])
def test_other_types_are_refused(value: object) -> None:
    """I27."""
    with pytest.raises(InvalidInput):
        clean({"a": value})


@pytest.mark.parametrize("bad", ["a\0b", "a\ud800b"])
def test_keys_and_values_follow_the_text_policy(bad: str) -> None:
    """I02, I04."""
    for value in ({"k": bad}, {bad: 1}, {"k": [{bad: 1}]}):
        with pytest.raises(InvalidInput):
            clean(value)
    assert clean({bad: [bad]}, "replace") == {"a\ufffdb": ["a\ufffdb"]}


def test_replaced_keys_do_not_swallow_each_other() -> None:
    with pytest.raises(InvalidInput, match="became the same"):
        clean({"a\0": 1, "a\ufffd": 2}, "replace")


def test_a_large_float_that_a_database_writes_out_in_full_is_a_float_again() -> None:
    assert json.loads("1" + "0" * 300) == 1e300
