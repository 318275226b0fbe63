"""Names, texts and numbers at the border."""

from enum import Enum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstore.core import border, json
from ragstore.core.border import TextPolicy
from ragstore.errors import InvalidInput


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_storable_text_is_not_touched(value: str) -> None:
    """I31, I32."""
    assert TextPolicy("replace").text(value, field="content") == value == TextPolicy().text(value, field="content")


@given(st.text())
def test_replacing_always_gives_something_storable_and_counts(value: str) -> None:
    policy = TextPolicy("replace")
    stored = policy.text(value, field="content")
    assert len(stored) == len(value)
    assert policy.replaced == sum(c == "\0" or "\ud800" <= c <= "\udfff" for c in value)
    assert stored.encode() is not None


class Mixed(str, Enum):  # noqa: UP042 - hosts have such
    ANN = "ann"


class Strict(StrEnum):
    ANN = "ann"

    def __str__(self) -> str:
        return "somebody"


class Shouting(str):
    __slots__ = ()

    def __str__(self) -> str:
        return self.upper()


@pytest.mark.parametrize("value", [Mixed.ANN, Strict.ANN, Shouting("ann")], ids=["Enum", "StrEnum", "subclass"])
def test_a_kind_of_text_is_the_text_that_it_is_equal_to(value: str) -> None:
    """I31: its own `__str__` would make another name of it."""
    for rule in ("reject", "replace"):
        stored = TextPolicy(rule).text(value, field="content")  # type: ignore[arg-type]
        assert (type(stored), stored) == (str, "ann")
    name = border.name(value, field="user_id", max_bytes=255)
    assert (type(name), name) == (str, "ann")
    cleaned = json.clean({value: [value]}, TextPolicy(), field="metadata")
    assert json.dumps(cleaned) == '{"ann":["ann"]}'


def test_the_refusal_names_field_and_item() -> None:
    """I01."""
    with pytest.raises(InvalidInput) as caught:
        TextPolicy().text("a\0", field="content", index=3)
    assert (caught.value.field, caught.value.index) == ("content", 3)


@pytest.mark.parametrize("bad", ["", "  ", " a", "a ", "a\n", "a\tb", "x" * 64, "é" * 32, "a\0", "a\ud800", 5, None])
def test_unfit_names(bad: object) -> None:
    """I13, I14, I15."""
    with pytest.raises(InvalidInput) as caught:
        border.name(bad, field="collection", max_bytes=63)
    assert caught.value.field == "collection"


@pytest.mark.parametrize("good", ["a", "x" * 63, "é" * 31, "select", 'a"; DROP TABLE x; --', "a'b", "日本", "a b"])
def test_fit_names(good: str) -> None:
    """I15."""
    assert border.name(good, field="collection", max_bytes=63) == good


@pytest.mark.parametrize("bad", [0, -1, 1001, 2**63, True, 1.0, "5", None])
def test_unfit_limits(bad: object) -> None:
    """I23."""
    with pytest.raises(InvalidInput):
        border.limit(bad)
