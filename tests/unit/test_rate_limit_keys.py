"""Keys: what is the same and what is not (RL-11)."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ragstore.errors import InvalidInput
from ragstore.rate_limits import Key, KeyPart, folded
from ragstore.rate_limits.keys import key_digest

ANY_TEXT = st.text(st.characters(), min_size=1)  # lone surrogates too
PARTS = ANY_TEXT | st.text(st.sampled_from("a/b\0s1"), min_size=1) | st.integers() | st.uuids() | st.binary(min_size=1)
KEYS = st.lists(PARTS, min_size=1, max_size=4).map(tuple)


def typed(key: tuple[KeyPart, ...]) -> list[tuple[type, KeyPart]]:
    """Give what makes a key another one."""
    return [(type(part), part) for part in key]


@given(KEYS, KEYS)
@example(("a/b", "c"), ("a", "b/c"))
@example(("ab",), ("a", "b"))
@example(("1",), (1,))
@example(("a",), (b"a",))
@example((UUID(int=1),), (UUID(int=1).bytes,))
@example((-1,), (255,))
@example((0,), (b"\0",))
@example(("é",), ("e\u0301",))
@example(("a",), ("A",))
@example(("\ud800",), ("?",))
@example(("\ud800",), ("\ud801",))
def test_keys_have_one_digest_only_if_they_are_one(one: tuple[KeyPart, ...], other: tuple[KeyPart, ...]) -> None:
    """RL-11: borders and types of components count; text is not folded."""
    assert (key_digest(one) == key_digest(other)) == (typed(one) == typed(other))


@given(st.binary(min_size=2, max_size=40), st.data())
def test_moving_a_border_gives_another_key(content: bytes, data: st.DataObject) -> None:
    """RL-11: no component can be written so that it looks like two."""
    cut = data.draw(st.integers(1, len(content) - 1))
    assert key_digest((content[:cut], content[cut:])) != key_digest(content)


@given(KEYS)
@example(("\ud800", "\0"))
@example(("x" * 1_000_000,))
@example((10**10_000, -(10**10_000)))
def test_any_key_has_sixteen_bytes(key: tuple[KeyPart, ...]) -> None:
    """RL-11: any Unicode and any length; the stored size is bounded."""
    assert len(key_digest(key)) == 16
    assert key_digest(key) == key_digest(key)


@pytest.mark.parametrize("part", ["a", 7, UUID(int=7), b"a"])
def test_a_component_alone_is_a_tuple_of_it(part: KeyPart) -> None:
    assert key_digest(part) == key_digest((part,))


def test_a_digest_never_changes() -> None:
    """Rows stored by an older version are found again."""
    key: Key = ("tenant", 42, UUID(int=1), b"\xff")
    assert key_digest(key).hex() == "94fa04acec045149f5505f20ba83befd"


@pytest.mark.parametrize(
    ("key", "index"),
    [("", 0), (b"", 0), (("a", ""), 1), (True, 0), (None, 0), (1.5, 0), (("a", ("b",)), 1), (["a"], 0)],
)
def test_a_component_that_is_none_is_refused(key: Key, index: int) -> None:
    """RL-11: an empty component raises, and so does another type."""
    with pytest.raises(InvalidInput) as refused:
        key_digest(key)
    assert (refused.value.field, refused.value.index) == ("key", index)


def test_a_key_of_no_component_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        key_digest(())
    assert refused.value.field == "key"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Example.org", "ada@example.ORG"),
        (" ada\n", "ada"),
        ("\u00a0ada\u3000", "ada"),
        ("ａｄａ", "ada"),  # noqa: RUF001
        ("é", "e\u0301"),
        ("STRASSE", "straße"),
        ("ﬁ", "FI"),
        ("\u212b", "å"),
        ("\u0399\u0308\u0301", "\u0390"),
    ],
)
def test_spellings_of_one_name_fold_to_one(one: str, other: str) -> None:
    """RL-11: what normalisation does is stated."""
    assert folded(one) == folded(other)


def test_names_that_only_look_alike_stay_different() -> None:
    assert folded("ada") != folded("\u0430da")
    assert folded("ada") != folded("áda")
    assert folded("a.b@c") != folded("ab@c")


@given(st.text(st.characters(), min_size=1, max_size=50))
@example("\u0345\u0301\u03b1")
@example("\u1e9e")
@example("\u0130")
@example("\ufdfa")
def test_folding_twice_changes_nothing(text: str) -> None:
    assume(not text.isspace())
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u3000", "\u00a0"])
def test_a_name_of_space_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        folded(text)
    assert refused.value.field == "text"


def test_a_name_too_long_is_refused() -> None:
    assert folded("a" * 1_000)
    with pytest.raises(InvalidInput, match="1,000 characters"):
        folded("a\u0301\u0323" * 100_000)
