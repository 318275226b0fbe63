"""Ids: UUIDv7, made where the row is made, so that rows can be created offline and keys stay in time order."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7

from ragstore.errors import InvalidInput


def new_id() -> UUID:
    """Make a new id (RFC 9562, version 7)."""
    return uuid7()


def parse_id(value: object, *, field: str = "id") -> UUID:
    """Give a UUID from a UUID or its text form.

    Raises:
        InvalidInput: It is neither.
    """
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value)  # type: ignore[arg-type]
    except (ValueError, AttributeError, TypeError):
        raise InvalidInput("must be a UUID or its text form", field=field) from None
