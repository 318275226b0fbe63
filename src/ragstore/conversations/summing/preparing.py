"""The border of sums."""

from __future__ import annotations

from collections.abc import Sequence

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
