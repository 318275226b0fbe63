"""Limits written as text: what is read, and what is refused (RL-14)."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ragstore.errors import InvalidInput
from ragstore.rate_limits import Limit, Policy, parse_limit, parse_limits
from ragstore.rate_limits.limits import MAX_AMOUNT, MAX_PERIOD

UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
SHORT = {"second": "s", "minute": "min", "hour": "h", "day": "d"}
LIKE_LIMITS = st.text(st.sampled_from("0123456789/;,. permsinuthoday-+_\u0661\u212a\n\t"), max_size=40)


@st.composite
def written_limits(draw: st.DrawFn) -> tuple[str, Limit]:
    """Give a limit, and one of the ways to write it."""
    unit = draw(st.sampled_from(sorted(UNITS)))
    count = draw(st.integers(1, MAX_PERIOD // UNITS[unit]))
    amount = draw(st.integers(1, MAX_AMOUNT))
    word = draw(st.sampled_from([unit, f"{unit}s", SHORT.get(unit, unit)]))
    space = draw(st.sampled_from(["", " "]))
    period = f"{count}{space}{word}" if count > 1 or draw(st.booleans()) else word
    slash = draw(st.sampled_from(["/", " /", "/ ", " / ", " per "]))
    text = f"{amount}{slash}{period}"
    return draw(st.sampled_from([text, text.upper()])), Limit(amount, count * UNITS[unit])


@given(st.lists(written_limits(), min_size=1, max_size=8, unique_by=lambda one: one[1].period), st.data())
def test_a_limit_is_read_however_it_is_written(written: list[tuple[str, Limit]], data: st.DataObject) -> None:
    """RL-14: what was written is what is read, in the same order."""
    separators = st.sampled_from([";", ",", "; ", " , ", "   ;"])
    text = written[0][0] + "".join(data.draw(separators) + one for one, _ in written[1:])
    assert parse_limits(text) == tuple(limit for _, limit in written)


def read_or_refused(text: str) -> tuple[Limit, ...]:
    """Give the limits, or none where the text was refused as it should be."""
    try:
        return parse_limits(text)
    except InvalidInput as error:
        return () if error.field == "limits" else parse_limits(text)


@given(st.text(st.characters()) | LIKE_LIMITS)
@example("5/wee\u212a")
@example("\u0665/minute")
@example("1" * 999 + "/s")
@example("1/" + "9" * 900 + "years")
def test_any_text_is_limits_or_refused(text: str) -> None:
    """RL-14: nothing but InvalidInput comes out, and it names the field."""
    limits = read_or_refused(text)
    assert text.isascii() or not limits
    assert len(limits) <= 8


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ";",
        "10/minute;",
        ",10/minute",
        "10/minute;;5/hour",
        "10/minute; ,5/hour",
        "10/minutes:;5/hour",
        "10/minute 5/hour",
        "10 per 0 minutes",
        "10/0s",
        "0/minute",
        "-1/minute",
        "+1/minute",
        "1.5/minute",
        "10/1.5 minutes",
        "10/-1 minutes",
        "1e3/minute",
        "1_000/minute",
        "1,000/minute",
        "0x10/minute",
        "5/x",
        "5/m",
        "5/mo",
        "5/ms",
        "5/",
        "/minute",
        "minute",
        "5",
        "5 minute",
        "5perminute",
        "5 per",
        "5//minute",
        "5 per/minute",
        "5  per minute",
        "5/10  minutes",
        "5\t/minute",
        "5/minute\n",
        "5/367 days",
        "5/2 years",
        "1000000000001/s",
        "\u0665/minute",
        "5/wee\u212a",
        "\uff15/minute",
        ";".join(f"{n}/{n}s" for n in range(1, 10)),
        "1/s" + " " * 998,
    ],
)
def test_what_is_not_a_limit_is_refused(text: str) -> None:
    """RL-14: the error names the field and shows the right form."""
    with pytest.raises(InvalidInput) as refused:
        parse_limits(text)
    assert refused.value.field == "limits"
    assert "5 per 10 minutes" in str(refused.value) or "from 1 to 1000000000000" in str(refused.value)
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("10/minute;", "missing beside a separator"),
        ("5/x", "'5/x' has no known unit"),
        ("10 per 0 minutes", "'10 per 0 minutes' must have"),
        ("1.5/minute", "'1.5/minute' is no limit"),
        ("1000000000001/s", "'1000000000001/s': amount"),
        ("60/60 minutes; 5/hour", "same period"),
    ],
)
def test_the_error_says_which_piece_and_why(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        parse_limits(text)


@pytest.mark.parametrize("text", ["10/minute;20/minute", "1/60s, 2/min", "1/week;1/7 days", "1/year;2/365d"])
def test_two_limits_with_one_period_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="same period") as refused:
        parse_limits(text)
    assert refused.value.field == "limits"


def test_one_limit_is_not_several() -> None:
    """RL-14: a second limit is refused where one is wanted."""
    assert parse_limit("5 per 10 minutes") == Limit(5, timedelta(minutes=10))
    with pytest.raises(InvalidInput, match="2 limits where one is wanted"):
        parse_limit("5/minute;10/hour")


def test_a_limit_is_text() -> None:
    for value in (None, 5, b"5/minute", ["5/minute"]):
        with pytest.raises(InvalidInput, match="must be a text"):
            parse_limits(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("piece", ["1", " ", "a", "1 ", "1 p", "1/", "1;", "1 per 1 "])
def test_a_long_text_is_refused_at_once(piece: str) -> None:
    """No text makes the reader try again and again."""
    begun = time.perf_counter()
    for text in ((piece * 1_000)[:1_000], piece * 100_000):
        with pytest.raises(InvalidInput):
            parse_limits(text)
    assert time.perf_counter() - begun < 0.5


def test_a_policy_reads_its_rule() -> None:
    assert Policy("api", "10/minute; 100/hour").limits == parse_limits("10/minute,100/hour")
