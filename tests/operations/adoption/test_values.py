"""Single values of old rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstore.errors import InvalidInput
from ragstore.operations.adoption import sources, values

NOW = datetime(2024, 1, 1, tzinfo=UTC)
TIME = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)

texts = st.text()
plain = st.text(min_size=1).map(str.strip).filter(lambda text: text and " | " not in text)
objects = st.fixed_dictionaries(
    {"source": plain},
    optional={"title": texts, "snippet": texts, "score": st.floats(-1e6, 1e6), "url": texts},
)


@given(st.lists(texts))
def test_a_json_list_of_texts_gives_them_as_they_are(cited: list[str]) -> None:
    for form in (json.dumps(cited), json.dumps(cited, ensure_ascii=False), cited, f"  {json.dumps(cited, indent=1)}\n"):
        found = sources.read(form)
        assert [citation.source for citation in found.citations] == cited
        assert found.raw is None


@given(st.lists(plain, min_size=1))
def test_texts_between_bars_give_them_in_order(cited: list[str]) -> None:
    joined = " | ".join(cited)
    try:
        found = sources.read(joined)
    except InvalidInput:
        assert joined[0] in "[{"  # what begins as JSON is never guessed at
        return
    if joined != "null" and joined[0] not in "[{":
        assert [citation.source for citation in found.citations] == [
            text for text in joined.split(" | ") if text.strip()
        ]


@given(st.lists(objects))
def test_objects_give_their_fields(cited: list[dict[str, Any]]) -> None:
    found = sources.read(json.dumps(cited))
    assert [c.source for c in found.citations] == [item["source"] for item in cited]
    assert [c.title for c in found.citations] == [item.get("title", "") for item in cited]
    assert [c.snippet for c in found.citations] == [item.get("snippet", "") for item in cited]
    assert [c.score for c in found.citations] == [item.get("score") for item in cited]
    assert (found.raw is not None) == any(item.get("url") for item in cited)


@given(st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_any_text_gives_sources_or_is_refused(text: str) -> None:
    refusal = None
    try:
        sources.read(text)
    except InvalidInput as error:
        refusal = error
    assert refusal is None or str(refusal).startswith("sources")


@pytest.mark.parametrize("value", [None, "", "  ", "[]", "null", [], (), "{}"[:0]])
def test_nothing_is_no_sources(value: Any) -> None:
    assert sources.read(value).citations == ()


@pytest.mark.parametrize(
    "text", ['["a"', "['a', 'b']", "[{", '{"source": "a"', "[", "{}", "[null]", "[[1]]", '["a", 2]', "[" * 100_000]
)
def test_damaged_sources_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="sources"):
        sources.read(text)


def test_brackets_that_are_no_json_are_text() -> None:
    found = sources.read("[Manual] page 1 | {draft} | b")
    assert [citation.source for citation in found.citations] == ["[Manual] page 1", "{draft}", "b"]


def test_a_frameworks_document_gives_what_is_inside() -> None:
    document = {"page_content": "A text.", "metadata": {"source": "a.pdf", "title": "A"}}
    found = sources.read([document])
    (citation,) = found.citations
    assert (citation.source, citation.title, citation.snippet) == ("a.pdf", "A", "A text.")
    assert found.raw == [document]


@pytest.mark.parametrize(
    "value",
    [
        TIME,
        TIME.replace(tzinfo=None),
        "2023-11-14 22:13:20",
        "2023-11-14T22:13:20Z",
        " 2023-11-14T22:13:20.000000 ",
        "2023-11-15 03:43:20+05:30",
        "2023-11-14 22:13:20+00",
        1_700_000_000,
        1_700_000_000.0,
        1_700_000_000_000,
        1_700_000_000_000_000,
        "1700000000",
        "1700000000.0",
        TIME.astimezone(timezone(timedelta(hours=-8))),
    ],
)
def test_times_are_read_in_every_form(value: Any) -> None:
    assert values.moment(value, UTC, NOW, "at") == TIME


@pytest.mark.parametrize(
    "value",
    ["", None, "never", "2023-13-01", 1e18, float("nan"), float("inf"), True, b"2023", "25:00", NOW + timedelta(2)],
)
def test_impossible_times_are_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="at: "):
        values.moment(value, UTC, NOW, "at")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        *((up, 1) for up in (1, 1.0, True, "1", "up", "Positive", " like ", "thumbs up", "👍")),
        *((down, -1) for down in (-1, -1.0, False, "-1", "down", "NEGATIVE", "dislike", "thumbs_down", "👎")),
        *((neither, None) for neither in (None, 0, 0.0, "", "0", "neutral")),
    ],
)
def test_thumbs_are_read_in_every_form(value: Any, wanted: int | None) -> None:
    assert values.thumb(value, "feedback") == wanted


@pytest.mark.parametrize("value", [2, 5, -2, 0.5, "maybe", "5 stars", float("nan")])
def test_other_ratings_are_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="neither a thumb up nor down"):
        values.thumb(value, "feedback")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_an_id_that_is_a_number_keeps_all_its_digits(number: float) -> None:
    """Rounded, the threads of two users would become one."""
    found = values.name(number, "user_id")
    assert found is not None
    assert float(found) == number


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(1234567.0, "1234567"), (1234568.0, "1234568"), (2.1, "2.1"), (0.0, "0"), (2.0**53, str(2**53))],
)
def test_an_id_that_is_a_whole_float_has_no_fraction(value: float, wanted: str) -> None:
    assert values.name(value, "user_id") == wanted


@given(st.integers(-(2**63), 2**63 - 1))
def test_whole_numbers_keep_all_their_digits(number: int) -> None:
    """Above 2**53 a float would make two of them equal."""
    for form in (number, str(number), f" {number}.0 ", Decimal(number)):
        assert values.whole(form, "chunk_index") == number


@pytest.mark.parametrize(
    ("value", "wanted"), [(3.0, 3), ("3.0", 3), ("1e3", 1000), (-0.0, 0), ("", None), (None, None)]
)
def test_whole_numbers_are_read_in_every_form(value: Any, wanted: int | None) -> None:
    assert values.whole(value, "chunk_index") == wanted


@pytest.mark.parametrize(
    "value", [1.5, "1.5", "last", 1e20, "1e20", 2**63, -(2**63) - 1, "1e999999999", "nan", "sNaN", float("inf"), b"3"]
)
def test_what_is_no_whole_number_of_64_bits_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"is no number|is no whole number|is beyond 64 bits"):
        values.whole(value, "chunk_index")
