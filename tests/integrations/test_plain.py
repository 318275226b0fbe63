"""What is plain: merging the changes of two requests, and naming places."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstore.integrations._browser import merge
from ragstore.integrations._limits import place_of

DATA = st.dictionaries(st.sampled_from("abcd"), st.sampled_from([0, 1, True, 1.0, [1], [True]]))


@pytest.mark.parametrize(
    ("original", "mine", "theirs", "merged"),
    [
        ({}, {"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {"a": 3}, {"a": 2}, {"a": 3}),
        ({"a": 1, "b": 1}, {"b": 1}, {"a": 2, "b": 2}, {"b": 2}),
        ({"a": 1}, {"a": True}, {"a": 1, "b": 1}, {"a": True, "b": 1}),
        ({"a": 1}, {"a": 1}, {}, {}),
    ],
)
def test_each_keeps_what_it_changed(
    original: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any], merged: dict[str, Any]
) -> None:
    assert merge(original, mine, theirs) == merged


@given(DATA, DATA)
def test_who_is_alone_gets_his_own(original: dict[str, Any], changed: dict[str, Any]) -> None:
    def exact(data: dict[str, Any]) -> list[str]:
        return sorted(f"{key}: {value!r}" for key, value in data.items())

    assert exact(merge(original, changed, original)) == exact(changed)
    assert exact(merge(original, original, changed)) == exact(changed)


def test_the_name_of_a_place_can_be_a_policys() -> None:
    class Endpoint:
        pass

    assert place_of(lambda: None).name == "lambda-"
    assert place_of(Endpoint()).name == "Endpoint"
    assert place_of(Endpoint).text == place_of(Endpoint()).text == place_of(partial(partial(Endpoint))).text
