"""Hypothesis strategies: texts, JSON metadata, and filters over it. Importing this imports Hypothesis."""

from __future__ import annotations

from typing import Any

from ragstore.corpus.filters import F, Filter, MetadataOperand
from ragstore.errors import MissingExtra

try:
    from hypothesis import strategies as st
except ImportError as error:  # pragma: no cover
    raise MissingExtra("test", "ragstore.testing.strategies") from error

KEYS = ("a", "b", "list", "nested", "with space", "$", "0", "quote'\"\\", "ä")
"""Keys that metadata and filters draw from, few enough to meet, some of them awkward in JSON paths."""


def texts(max_size: int = 20) -> st.SearchStrategy[str]:
    """Make texts that every database can store: no NUL, no lone surrogate."""
    return st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=max_size)


def any_texts(max_size: int = 200) -> st.SearchStrategy[str]:
    """Make texts of all characters but those that no database can store, more often with words and operators."""
    pieces = st.sampled_from(["wing", "the", " ", "'", '"', "\\", "|", "&", "!", ":*", "(", ")", "-", "%", "_", "中文"])
    return st.one_of(texts(max_size), st.lists(pieces | texts(3), max_size=20).map("".join))


def scalars() -> st.SearchStrategy[Any]:
    """Make JSON values that are no containers; few, so that comparisons often hold."""
    close = st.sampled_from(
        [None, True, False, 0, 1, 1.0, -1, 0.5, 2, "", "1", "true", "null", "a", "b", "ab", "ä", "Z"]
    )
    wide = st.one_of(
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False, width=32),
        texts(4),
    )
    return st.one_of(close, close, wide)


def metadata() -> st.SearchStrategy[dict[str, Any]]:
    """Make a chunk's or a document's metadata."""
    values = st.recursive(
        scalars(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
        max_leaves=6,
    )
    return st.dictionaries(st.sampled_from(KEYS), values, max_size=5)


@st.composite
def _conditions(draw: st.DrawFn) -> Filter:
    operand: MetadataOperand = F.metadata
    for key in draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=2)):
        operand = operand[key]
    condition: Filter = draw(
        st.one_of(
            scalars().map(operand.__eq__),
            scalars().map(operand.__ne__),
            _bounds().map(operand.__lt__),
            _bounds().map(operand.__le__),
            _bounds().map(operand.__gt__),
            _bounds().map(operand.__ge__),
            st.lists(scalars(), max_size=4).map(operand.in_),
            scalars().map(operand.contains),
            st.sampled_from(["", "a", "A", "ä", "%", "_"]).map(operand.starts_with),
            st.builds(operand.exists),
        )
    )
    return condition


def _bounds() -> st.SearchStrategy[Any]:
    return scalars().filter(lambda value: value is not None and not isinstance(value, bool))


def filters() -> st.SearchStrategy[Filter]:
    """Make filters over metadata."""
    return st.recursive(
        _conditions(),
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda pair: pair[0] & pair[1]),
            st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
            inner.map(lambda one: ~one),
        ),
        max_leaves=5,
    )
