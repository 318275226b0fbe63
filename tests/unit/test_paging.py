"""Cursors: opaque, of one kind, and refused when damaged."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstore.core.paging import decode_cursor, encode_cursor, page_of
from ragstore.errors import InvalidInput

KEYS = st.lists(st.integers() | st.text(st.characters(exclude_categories=["Cs"])), max_size=4)


@pytest.mark.parametrize("check", [b"\0\0\0\0", None], ids=["damaged", "forged"])
def test_brackets_without_end_are_refused(check: bytes | None) -> None:
    """I24."""
    body = b"[" * 100_000
    check = hashlib.sha256(body).digest()[:4] if check is None else check
    with pytest.raises(InvalidInput) as caught:
        decode_cursor("rows", base64.urlsafe_b64encode(check + body).decode().rstrip("="), int)
    assert caught.value.field == "cursor"


@given(KEYS)
def test_a_cursor_gives_its_key_back(key: list[int | str]) -> None:
    assert list(decode_cursor("rows", encode_cursor("rows", key), *map(type, key))) == key


@given(st.text(max_size=60))
def test_any_other_text_is_refused(text: str) -> None:
    """I24."""
    with pytest.raises(InvalidInput) as caught:
        decode_cursor("rows", text, int)
    assert caught.value.field == "cursor"


@given(st.data())
def test_one_changed_character_is_noticed(data: st.DataObject) -> None:
    """I24."""
    cursor = encode_cursor("rows", [12345, "name"])
    place = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.sampled_from("ABCDEFGHIJabcdefghij0123456789-_"))
    changed = cursor[:place] + other + cursor[place + 1 :]
    try:
        assert decode_cursor("rows", changed, int, str) == (12345, "name")  # the last character has unused bits
    except InvalidInput:
        assert changed != cursor


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidInput):
        decode_cursor("documents", encode_cursor("chunks", [1]), int)


@given(st.lists(st.integers(), unique=True, max_size=30), st.integers(1, 10))
def test_pages_give_every_row_once(rows: list[int], limit: int) -> None:
    ordered, seen, start = sorted(rows), [], 0
    while True:
        page = page_of(ordered[start : start + limit + 1], limit, "rows", lambda row: (row,))
        seen += page.items
        if page.next_cursor is None:
            break
        (last,) = decode_cursor("rows", page.next_cursor, int)
        start = ordered.index(last) + 1
    assert seen == ordered
