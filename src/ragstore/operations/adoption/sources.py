"""What an old answer cites: JSON text, a list, or texts with ` | ` between them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ragstore.conversations.records import NewCitation
from ragstore.errors import InvalidInput
from ragstore.operations.adoption import values

FIELD = "sources"
_SEPARATOR = " | "
_MEANT_AS_JSON = re.compile(r"""\[\s*(["'{\]]|$)|\{\s*["'}]""")
"""How a list or an object begins; a text that begins so and is no JSON was cut off, or never was any."""
_KEYS = {
    "source": ("source", "url", "link", "document_source", "path", "file"),
    "title": ("title", "name"),
    "snippet": ("snippet", "content", "text", "page_content", "excerpt"),
    "score": ("score", "similarity", "relevance"),
}
_INSIDE = "metadata"
"""Frameworks keep a passage's source one level down, under this key."""


@dataclass(frozen=True, slots=True)
class Cited:
    """What an answer cites.

    Attributes:
        citations: In the old order.
        raw: The old list, where it says more than citations hold.
    """

    citations: tuple[NewCitation, ...] = ()
    raw: Sequence[Any] | None = None


def read(value: object) -> Cited:
    """Read a column of sources.

    Raises:
        InvalidInput: It is damaged.
    """
    items = _items(value)
    found = [_citation(item, f"{FIELD}[{place}]") for place, item in enumerate(items)]
    whole = all(says_all for _, says_all in found)
    return Cited(tuple(citation for citation, _ in found), None if whole else items)


def _items(value: object) -> list[Any]:
    if values.is_missing(value):
        return []
    if isinstance(value, str):
        return _items_of_text(value.strip())
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, list | tuple):
        return list(value)
    raise InvalidInput(f"is {type(value).__name__}, not a list", field=FIELD)


def _items_of_text(text: str) -> list[Any]:
    if text == "null":
        return []
    if text.startswith(("[", "{")):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            if isinstance(error, RecursionError) or _MEANT_AS_JSON.match(text):
                raise InvalidInput("begins as JSON and is none", field=FIELD) from None
        else:
            return found if isinstance(found, list) else [found]
    return [part for part in map(str.strip, text.split(_SEPARATOR)) if part]


def _citation(item: object, field: str) -> tuple[NewCitation, bool]:
    """Give a citation, and whether it holds all that the item says."""
    if isinstance(item, str):
        return NewCitation(source=item), True
    if not isinstance(item, Mapping):
        raise InvalidInput(f"is {type(item).__name__}, neither a text nor an object", field=field)
    said, used = _said(item)
    if not (said["source"] or said["title"] or said["snippet"]):
        raise InvalidInput("has no source, title or snippet", field=field)
    source, title, snippet = (values.name(said[key], f"{field}.{key}") or "" for key in ("source", "title", "snippet"))
    score = values.number(said["score"], f"{field}.score")
    citation = NewCitation(source=source or title, title=title, snippet=snippet, score=score)
    return citation, used >= {key for key in item if not values.is_missing(item[key])}


def _said(item: Mapping[Any, Any]) -> tuple[dict[str, Any], set[Any]]:
    """Give what an object says of a citation, and the keys that said it."""
    inner = item.get(_INSIDE)
    said, used = {}, set()
    for what, keys in _KEYS.items():
        key = next((key for key in keys if not values.is_missing(item.get(key))), None)
        said[what] = None if key is None else item[key]
        used.add(key)
        if key is None and isinstance(inner, Mapping):
            said[what] = next((inner[key] for key in keys if not values.is_missing(inner.get(key))), None)
    return said, used
