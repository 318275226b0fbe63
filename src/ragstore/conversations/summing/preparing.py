"""The border of sums."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ragstore.conversations.preparing import optional_name
from ragstore.core.records import Unset
from ragstore.core.types import to_utc
from ragstore.errors import InvalidInput


def keys(by: object, known: Sequence[str]) -> tuple[str, ...]:
    """Check what to group by."""
    if isinstance(by, str) or not isinstance(by, Sequence):
        raise InvalidInput(f"must be a tuple or list of {_some(known)}", field="by")
    found = tuple(one_key(key, known) for key in by)
    if len(set(found)) < len(found):
        raise InvalidInput("must name each key once", field="by")
    return found


def one_key(key: object, known: Sequence[str]) -> str:
    """Check a key."""
    if not isinstance(key, str) or key not in known:
        raise InvalidInput(f"{key!r} is not one of {_some(known)}", field="by")
    return key


def _some(known: Sequence[str]) -> str:
    return ", ".join(f'"{key}"' for key in known)


def moment(value: object, field: str) -> datetime | None:
    """Check an end of a range of time; None: it is open."""
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise InvalidInput(f"must be a datetime, not {type(value).__name__}", field=field)
    return to_utc(value, field=field)


def user(user_id: str | Unset | None) -> str | Unset | None:
    """Check whose conversations are meant."""
    return user_id if isinstance(user_id, Unset) else optional_name(user_id, "user_id")
