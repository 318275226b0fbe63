"""Keyset pages: a cursor holds the last row's key, so a page costs the same at any depth."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ragstore.errors import InvalidInput

R = TypeVar("R")
_CHECK = 4


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Some rows in order, and where to go on.

    Attributes:
        items: The rows.
        next_cursor: Pass it to the same call for the next page; None on the last page.
    """

    items: tuple[R, ...]
    next_cursor: str | None = None

    def __iter__(self) -> Iterator[R]:
        """Iterate over this page's items."""
        return iter(self.items)

    def __len__(self) -> int:
        """Count this page's items."""
        return len(self.items)


def encode_cursor(kind: str, key: Sequence[str | int]) -> str:
    """Write a key as an opaque cursor.

    Args:
        kind: What is paged; a cursor of another kind is refused.
        key: The last row's ordering values.
    """
    body = json.dumps([kind, *key], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:_CHECK] + body).decode().rstrip("=")


def decode_cursor(kind: str, cursor: str, *types: type) -> tuple[Any, ...]:
    """Read a cursor's key.

    The check bytes catch a damaged cursor. A forged one only names another place in the caller's own rows: every
    paging statement has its scope in the query itself.

    Raises:
        InvalidInput: It is damaged, or was given by another call.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        check, body = raw[:_CHECK], raw[_CHECK:]
        sound = check == hashlib.sha256(body).digest()[:_CHECK]
        found_kind, *key = json.loads(body) if sound else [None]
    except (ValueError, TypeError, RecursionError):  # the last by a forged one of ten thousand brackets
        found_kind, key = None, []
    if found_kind != kind or [type(value) for value in key] != list(types):
        raise InvalidInput("this is not a cursor that this call gave out: begin without one", field="cursor")
    return tuple(key)


def page_of(rows: Sequence[R], limit: int, kind: str, key: Any) -> Page[R]:
    """Cut `limit` rows off a list fetched with one row more, and give the cursor of the rest.

    Args:
        rows: At most `limit + 1` rows.
        limit: The page's size.
        kind: What is paged.
        key: Gives a row's ordering values.
    """
    if len(rows) <= limit:
        return Page(tuple(rows))
    kept = tuple(rows[:limit])
    return Page(kept, encode_cursor(kind, key(kept[-1])))
