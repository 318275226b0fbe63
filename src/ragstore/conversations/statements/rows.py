"""Making a message's record of its row, strictly or leniently."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from ragstore.conversations.parts import read_parts
from ragstore.conversations.records import Message
from ragstore.core import json
from ragstore.core.money import from_billionths
from ragstore.core.records import trusted
from ragstore.core.times import from_microseconds
from ragstore.errors import CorruptRow

T = TypeVar("T")

COLUMNS = (
    "id",
    "conversation_id",
    "seq",
    "parent_id",
    "client_id",
    "role",
    "status",
    "content",
    "parts",
    "meta",
    "response_time",
    "model",
    "resolved_model",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "cost",
    "pinned",
    "created_at",
    "updated_at",
    "annotated",
)
"""What a row holds, as the driver gives it, and JSON as text."""

_EMPTY = "{}"
_uuid = lru_cache(4096)(UUID)  # a conversation's id is that of all its messages, and a message's that of its children


def _id(value: Any) -> Any:
    return _uuid(value) if type(value) is str else value


def _time(value: Any) -> Any:
    if value is None:
        return None
    return from_microseconds(value) if type(value) is int else value.astimezone(UTC)


def to_message(row: Sequence[Any]) -> Message:
    """Make a message of a row of these columns.

    Raises:
        CorruptRow: It does not hold what a message is made of.
    """
    try:
        return _message(row, _parts(row[8]), {} if row[9] == _EMPTY else _metadata(row[9]), None)
    except ValueError as error:
        raise CorruptRow("rag_message", _id(row[0]), _said(error)) from error


def to_message_leniently(row: Sequence[Any]) -> Message:
    """Make a message of a row; what cannot be read is left out, and named in `damage`."""
    damage: list[str] = []
    parts = _tried(_parts, row[8], None, damage)
    metadata = _tried(_metadata, row[9], {}, damage)
    try:
        return _message(row, parts, metadata, "; ".join(damage) or None)
    except ValueError as error:  # a column's own value is none that it may have: there is nothing to leave out
        raise CorruptRow("rag_message", _id(row[0]), _said(error)) from error


def _tried(read: Callable[[Any], Any], value: Any, otherwise: Any, damage: list[str]) -> Any:
    try:
        return read(value)
    except ValueError as error:
        damage.append(_said(error))
        return otherwise


def _said(error: ValueError) -> str:
    return str(error).partition("\n")[0]


def read_json(text: str | None, name: str, kind: type[T]) -> T | None:
    """Read a column's JSON text.

    Raises:
        ValueError: It is no JSON, or of another kind.
    """
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:  # the latter: a hundred thousand brackets
        raise ValueError(f"its {name} is no JSON: {error}") from error
    if not isinstance(found, kind):
        raise ValueError(f"its {name} is no {'object' if kind is dict else 'list'}")
    return found


def _parts(text: str | None) -> Any:
    found = read_json(text, "parts", list)
    return None if found is None else read_parts(found)


def _metadata(text: str) -> Any:
    return read_json(text, "metadata", dict)


def _message(row: Sequence[Any], parts: Any, metadata: Any, damage: str | None) -> Message:
    return trusted(
        Message,
        {
            "id": _id(row[0]),
            "conversation_id": _id(row[1]),
            "seq": row[2],
            "parent_id": _id(row[3]),
            "client_id": row[4],
            "role": row[5],
            "status": row[6],
            "content": row[7],
            "parts": parts,
            "metadata": metadata,
            "response_time": None if row[10] is None else float(row[10]),  # RETURNING on SQLite gives 2 for 2.0
            "model": row[11],
            "resolved_model": row[12],
            "input_tokens": row[13],
            "output_tokens": row[14],
            "cached_tokens": row[15],
            "reasoning_tokens": row[16],
            "cost": None if row[17] is None else from_billionths(row[17]),
            "pinned": bool(row[18]),
            "created_at": _time(row[19]),
            "updated_at": _time(row[20]),
            "citations": (),
            "feedback": (),
            "damage": damage,
        },
    )
