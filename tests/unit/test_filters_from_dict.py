"""Filters read from plain dicts: the same as expressions, and refused with advice."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragstore import F, Filter
from ragstore.corpus.filters import MAX_CONDITIONS, MAX_DEPTH, MAX_LIST, Every, Some, check
from ragstore.errors import InvalidInput
from ragstore.testing.strategies import filters

EXAMPLES = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def nested(levels: int, key: str = "$not") -> dict[str, Any]:
    """Make a dict of so many levels, the innermost a comparison."""
    value: dict[str, Any] = {"page": 1}
    for _ in range(levels - 1):
        value = {key: value if key == "$not" else [value]}
    return value


@EXAMPLES
@given(filters())
def test_a_filter_survives_the_way_through_json(where: Filter) -> None:
    """K-10. By repr too: 1 equals True and 1.0 in Python, but not in a filter."""
    read = Filter.from_dict(json.loads(json.dumps(where.to_dict())))
    assert read == where
    assert repr(read) == repr(where)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"doc_type": "manual"}, F.doc_type == "manual"),
        ({"doc_type": None}, F.doc_type == None),  # noqa: E711
        ({"page": {"$eq": 3}}, F.page == 3),
        ({"page": {"$ne": 3}}, F.page != 3),
        ({"page": {"$lt": 3}}, F.page < 3),
        ({"page": {"$lte": 3}}, F.page <= 3),
        ({"page": {"$gt": 3}}, F.page > 3),
        ({"page": {"$gte": 3, "$lt": 9}}, (F.page >= 3) & (F.page < 9)),
        ({"page": {"$in": [1, 2]}}, F.page.in_([1, 2])),
        ({"page": {"$in": (1, 2)}}, F.page.in_([1, 2])),
        ({"page": {"$in": []}}, F.page.in_([])),
        ({"page": {"$nin": [1, None]}}, ~F.page.in_([1, None])),
        ({"page": {"$exists": True}}, F.page.exists()),
        ({"page": {"$exists": False}}, ~F.page.exists()),
        ({"source": {"$starts_with": "draft/"}}, F.source.starts_with("draft/")),
        ({"metadata.tags": {"$contains": "a"}}, F.metadata["tags"].contains("a")),
        ({"metadata.a.b": True}, F.metadata["a"]["b"] == True),  # noqa: E712
        ({"metadata.$": 1}, F.metadata["$"] == 1),
        ({"metadata": {"$path": ["a.b", ""], "$eq": 1}}, F.metadata["a.b"][""] == 1),
        ({"metadata": {"$lt": 2, "$path": ["a"], "$gt": 0}}, (F.metadata["a"] < 2) & (F.metadata["a"] > 0)),
        ({"metadata.created_at": "2026"}, F.metadata["created_at"] == "2026"),
        ({"doc_type": "a", "page": 1}, (F.doc_type == "a") & (F.page == 1)),
        ({"$and": [{"page": 1}, {"title": "t"}]}, (F.page == 1) & (F.title == "t")),
        ({"$or": [{"page": 1}, {"title": "t", "version": "v"}]}, (F.page == 1) | (F.title == "t") & (F.version == "v")),
        ({"$or": [{"page": 1}], "title": "t"}, (F.page == 1) & (F.title == "t")),
        ({"$not": {"page": 1, "title": "t"}}, ~((F.page == 1) & (F.title == "t"))),
        ({"created_at": {"$lt": "2026-01-31T12:00:00Z"}}, F.created_at < NOON),
        ({"updated_at": "2026-01-31T13:00:00+01:00"}, F.updated_at == NOON),
        ({"updated_at": {"$in": ["2026-01-31T12:00:00+00:00", NOON, None]}}, F.updated_at.in_([NOON, NOON, None])),
        ({"updated_at": {"$gte": NOON}}, F.updated_at >= NOON),
    ],
)
def test_a_dict_means_what_the_expression_does(value: dict[str, Any], expected: Filter) -> None:
    """K-10."""
    assert repr(Filter.from_dict(value)) == repr(expected)
    assert repr(check(value)) == repr(expected)
    assert repr(Filter.from_dict(json.loads(json.dumps(expected.to_dict())))) == repr(expected)


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ({}, "an empty filter"),
        ({"$not": {}}, "an empty filter"),
        ({"$and": [{}]}, "an empty filter"),
        ({"page": {}}, "an empty filter"),
        ([{"page": 1}], "is a dict such as"),
        ({"$and": ["page"]}, "is a dict such as"),
        ({"$not": [{"page": 1}]}, "is a dict such as"),
        ({1: 1}, "keys are text"),
        ({"page": {1: 1}}, "keys are text"),
        ({"$and": []}, "a list of one or more"),
        ({"$or": {"page": 1}}, "a list of one or more"),
        ({"year": 2024}, "no field 'year': use one of chunk_index"),
        ({"year": 2024}, "metadata.year"),
        ({"$nor": [{"page": 1}]}, r"no operator '\$nor' here"),
        ({"$eq": 1}, r"no operator '\$eq' here"),
        ({"page": {"gte": 1}}, r"cannot be asked for 'gte': use one of \$eq"),
        ({"page": {"$regex": "a"}}, r"cannot be asked for '\$regex': use one of \$eq"),
        ({"page": {"$not": {"$eq": 1}}}, r"write {'\$not': {field"),
        ({"page": {"$path": ["a"], "$eq": 1}}, r"'\$path'"),
        ({"metadata": {"year": 2024}}, "metadata.year"),
        ({"metadata": 1}, "metadata.year"),
        ({"metadata": {"$path": [], "$eq": 1}}, "metadata.year"),
        ({"metadata": {"$path": "a", "$eq": 1}}, "metadata.year"),
        ({"metadata": {"$path": ["a"]}}, "compared with nothing"),
        ({"metadata": {"$path": [1], "$eq": 1}}, "key must be text"),
        ({"metadata": {"$path": ["a"] * 9, "$eq": 1}}, "at most 8 keys"),
        ({"metadata.": 1}, "has an empty key"),
        ({"metadata.a..b": 1}, "has an empty key"),
        ({"metadata.\ud800": 1}, "surrogate"),
        ({"page": [1, 2]}, r"write '\$in'"),
        ({"page": {"$eq": [1]}}, r"write '\$in'"),
        ({"page": {"$in": 1}}, "takes a list of values"),
        ({"page": {"$nin": "ab"}}, "takes a list of values"),
        ({"page": {"$in": [[1]]}}, "cannot be compared with list"),
        ({"page": {"$eq": {"a": 1}}}, "cannot be compared with dict"),
        ({"page": {"$in": list(range(MAX_LIST + 1))}}, "at most 1,000"),
        ({"page": {"$exists": 1}}, "takes true or false"),
        ({"page": {"$gt": None}}, "have an order"),
        ({"page": {"$gt": True}}, "have an order"),
        ({"page": float("nan")}, "cannot be compared with"),
        ({"page": 2**63}, "64 bits"),
        ({"title": "\0"}, "NUL"),
        ({"title": {"$starts_with": 1}}, "prefix must be text"),
        ({"created_at": "yesterday"}, "ISO 8601"),
        ({"created_at": {"$gt": "2026-01-31"}}, "time zone"),
        ({"updated_at": {"$in": ["2026-01-31T12:00:00"]}}, "time zone"),
    ],
)
def test_what_is_no_filter_is_refused_with_advice(value: Any, advice: str) -> None:
    """K-10."""
    with pytest.raises(InvalidInput, match=advice):
        Filter.from_dict(value)


def test_check_takes_dicts_and_refuses_other_things() -> None:
    assert check(None) is None
    with pytest.raises(InvalidInput, match="an empty filter"):
        check({})
    with pytest.raises(InvalidInput, match="must be a filter"):
        check([{"page": 1}])


@pytest.mark.parametrize("key", ["$not", "$and", "$or"])
def test_depth_is_bounded_without_recursion(key: str) -> None:
    """K-10: however deep a dict is nested."""
    Filter.from_dict(nested(MAX_DEPTH, key))
    for levels in (MAX_DEPTH + 1, 10_000):
        with pytest.raises(InvalidInput, match="too large: at most 256 conditions, nested at most 32 deep"):
            Filter.from_dict(nested(levels, key))


def test_a_dict_within_itself_is_refused() -> None:
    endless: dict[str, Any] = {}
    endless["$not"] = endless
    wide: dict[str, Any] = {"page": 1}
    for _ in range(20):
        wide = {"$or": [wide] * 10, "$and": [wide] * 10}
    for value in (endless, wide):
        with pytest.raises(InvalidInput, match="too large"):
            Filter.from_dict(value)


def test_as_many_conditions_as_an_expression_may_have() -> None:
    one = {"page": 1}
    assert isinstance(Filter.from_dict({"$or": [one] * MAX_CONDITIONS}), Some)
    with pytest.raises(InvalidInput, match="too large"):
        Filter.from_dict({"$or": [one] * (MAX_CONDITIONS + 1)})


def test_chains_are_one_list_however_they_were_put_together() -> None:
    a, b, c, d = (F.page == page for page in range(4))
    assert (a & b) & (c & d) == a & (b & (c & d)) == Every((a, b, c, d))
    assert (a | b) | (c | d) == a | (b | (c | d)) == Some((a, b, c, d))
    assert (a & b) | (c & d) == Some((Every((a, b)), Every((c, d))))


def test_a_long_chain_stays_flat() -> None:
    where = F.page == 0
    for page in range(1, MAX_CONDITIONS):
        where = (F.page == page) & where
    assert len(where.to_dict()["$and"]) == MAX_CONDITIONS  # type: ignore[arg-type]
    assert Filter.from_dict(where.to_dict()) == where
    with pytest.raises(InvalidInput, match="too large"):
        (where & (F.page == 0)).to_dict()


@EXAMPLES
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["$and", "$or", "$not", "$in", "$eq", "$path", "page", "metadata", "metadata.a", "x"]),
                inner,
                max_size=3,
            )
        ),
    )
)
def test_any_json_is_read_or_refused(value: Any) -> None:
    try:
        where = Filter.from_dict(value)
    except InvalidInput:
        return
    assert Filter.from_dict(where.to_dict()) == where
