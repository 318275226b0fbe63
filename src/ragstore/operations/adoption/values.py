"""Values as old applications have stored them become values of ours, or an error that says why not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from uuid import UUID

from ragstore.core.times import from_microseconds
from ragstore.core.types import to_utc
from ragstore.errors import InvalidInput

_UP = frozenset({"1", "+1", "up", "positive", "like", "liked", "good", "helpful", "thumbs_up", "thumbsup", "👍"})
_DOWN = frozenset(
    {"-1", "down", "negative", "dislike", "disliked", "bad", "unhelpful", "not_helpful", "thumbs_down", "thumbsdown"}
    | {"👎"}
)
_NEITHER = frozenset({"", "0", "none", "neutral", "null"})
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")
_UNITS = ((1e11, 1_000_000), (1e14, 1_000), (1e17, 1))
"""Below so much, a number is seconds, milliseconds or microseconds since 1970: each reaches beyond the year 5000."""


def is_missing(value: object) -> bool:
    """Say whether nothing stands there."""
    return value is None or value == ""


def text(value: object, field: str) -> str:
    """Give a text that must be there."""
    if value is None:
        raise InvalidInput("is NULL", field=field)
    if not isinstance(value, str):
        raise InvalidInput(f"is {type(value).__name__}, not text", field=field)
    return value


def name(value: object, field: str) -> str | None:
    """Give the text form of an id or a label; nothing, where nothing stands there."""
    if is_missing(value):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, int | UUID) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)  # rounded, two ids would become one
    raise InvalidInput(f"is {type(value).__name__}, not text", field=field)


def number(value: object, field: str) -> float | None:
    """Give a number, from text too; a span of time in seconds."""
    if is_missing(value):
        return None
    if isinstance(value, timedelta):
        return value.total_seconds()
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(f"{_shown(value)} is no number", field=field) from None


def whole(value: object, field: str) -> int | None:
    """Give a whole number of at most 64 bits, from text too."""
    if is_missing(value):
        return None
    try:
        found = Decimal(str(value))  # exact, where a float would round what is above 2**53
        is_whole = found == found.to_integral_value()
    except ArithmeticError:
        raise InvalidInput(f"{_shown(value)} is no number", field=field) from None
    if not is_whole:
        raise InvalidInput(f"{_shown(value)} is no whole number", field=field)
    if not -(2**63) <= found < 2**63:
        raise InvalidInput(f"{_shown(value)} is beyond 64 bits", field=field)
    return int(found)


def json_object(value: object, field: str) -> dict[str, Any]:
    """Give a JSON object, from its text too."""
    if is_missing(value):
        return {}
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        raise InvalidInput("is no JSON", field=field) from None
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise InvalidInput(f"is a JSON {type(found).__name__}, not an object", field=field)
    return dict(found)


# ------------------------------------------------------------------------------------------------- times


def moment(value: object, zone: tzinfo, now: datetime, field: str) -> datetime:
    """Give a time in UTC: ISO 8601, or a number since 1970.

    Args:
        value: What the row has.
        zone: Of times that do not say theirs.
        now: The present: what lies a day beyond it has never happened.
        field: What it is, for errors.
    """
    if is_missing(value):
        raise InvalidInput("has no time", field=field)
    try:
        found = _moment(value)
        utc = to_utc(found if found.tzinfo else found.replace(tzinfo=zone), field=field)
    except (ValueError, OverflowError, TypeError):
        raise InvalidInput(f"{_shown(value)} is no time", field=field) from None
    if utc > now + timedelta(days=1):
        raise InvalidInput(f"{_shown(value)} lies in the future", field=field)
    return utc


def _moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        stripped = value.strip()
        # a number of four or eight digits would be read as a date by the one and as seconds by the other
        if _NUMBER.fullmatch(stripped) and len(stripped.partition(".")[0]) >= 9:
            return _since_1970(float(stripped))
        return datetime.fromisoformat(stripped)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return _since_1970(float(value))


def _since_1970(count: float) -> datetime:
    for below, factor in _UNITS:
        if abs(count) < below:
            return from_microseconds(round(count * factor))
    raise ValueError(count)


# ---------------------------------------------------------------------------------------------- feedback


def thumb(value: object, field: str) -> int | None:
    """Give 1 or -1 for a thumb up or down, and nothing for neither."""
    if value is None:
        return None
    if isinstance(value, bool):
        return 1 if value else -1
    said = (f"{value:g}" if isinstance(value, float) else str(value)).strip().lower().replace(" ", "_")
    if said in _UP:
        return 1
    if said in _DOWN:
        return -1
    if said in _NEITHER:
        return None
    raise InvalidInput(f"{_shown(value)} is neither a thumb up nor down", field=field)


# ----------------------------------------------------------------------------------------------- vectors


def vector(value: object, field: str) -> Any:
    """Give a vector's numbers, from JSON text, from pgvector's text, or from float32 bytes; nothing for NULL."""
    if value is None or (isinstance(value, str) and not value):  # a NumPy array has no plain `==`
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise InvalidInput("is no JSON list of numbers", field=field) from None
        if not isinstance(value, list):
            raise InvalidInput("is no JSON list of numbers", field=field)
    if isinstance(value, bytes | bytearray | memoryview):
        return _floats(bytes(value), field)
    return value


def _floats(packed: bytes, field: str) -> Any:
    import numpy

    if len(packed) % 4:
        raise InvalidInput(f"has {len(packed)} bytes, which are no float32 numbers", field=field)
    return numpy.frombuffer(packed, "<f4")


def _shown(value: object) -> str:
    shown = ascii(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
