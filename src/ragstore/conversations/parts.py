"""What a message is made of, where it is more than text.

Each kind is stored as a JSON object with a `type`. Fields that we do not know, which a provider has and others have
not, are kept beside those that we know. A value that is none of the kinds is kept as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict

from ragstore.core.json import Json
from ragstore.core.records import Input, Unchecked
from ragstore.errors import InvalidInput


class _Part(Input):
    """A part of a known kind; a field that it does not name is kept as it is."""

    model_config = ConfigDict(extra="allow")

    type: Any

    def to_json(self) -> dict[str, Any]:
        """Give the JSON object that is stored: what was given, and no field that was left out."""
        return {"type": self.type, **self.model_dump(exclude_unset=True)}


class TextPart(_Part):
    """Text for the reader; it is found by search, as the message's `content` is."""

    type: Literal["text"] = "text"
    text: str


class ReasoningPart(_Part):
    """What the model thought; not searched."""

    type: Literal["reasoning"] = "reasoning"
    text: str


class ToolCall(_Part):
    """A call of a tool.

    Attributes:
        id: Its result names it by this.
        name: The tool.
        arguments: As the provider gives them, an object or the text of one.
    """

    type: Literal["tool_call"] = "tool_call"
    id: str
    name: str = ""
    arguments: Annotated[Json, Unchecked] = None


class ToolResult(_Part):
    """What a tool gave.

    Attributes:
        call_id: The id of its call.
        content: Any JSON value.
        is_error: The tool failed, and `content` says how.
    """

    type: Literal["tool_result"] = "tool_result"
    call_id: str
    content: Annotated[Json, Unchecked] = None
    is_error: bool = False


class Attachment(_Part):
    """A reference to a file or an image; what it refers to is the host's.

    Attributes:
        uri: Where it is.
        media_type: What it is, e.g. "image/png".
        name: What people call it.
    """

    type: Literal["attachment"] = "attachment"
    uri: str
    media_type: str | None = None
    name: str | None = None


class CitationPart(_Part):
    """That something is cited at this place among the parts.

    Attributes:
        rank: Which of the message's citations, counted from 1.
    """

    type: Literal["citation"] = "citation"
    rank: int


TypedPart: TypeAlias = TextPart | ReasoningPart | ToolCall | ToolResult | Attachment | CitationPart
Part: TypeAlias = TypedPart | Json
Parts = Annotated[Sequence[Part], Unchecked]

_KINDS: Mapping[str, type[TypedPart]] = {
    "text": TextPart,
    "reasoning": ReasoningPart,
    "tool_call": ToolCall,
    "tool_result": ToolResult,
    "attachment": Attachment,
    "citation": CitationPart,
}


def to_json(part: object) -> object:
    """Give a part as it is stored; what is none of ours is given as it is."""
    return part.to_json() if isinstance(part, _Part) else part


def as_stored(parts: Sequence[Part] | None) -> list[Any] | None:
    """Give a message's parts as they are stored."""
    return None if parts is None else [to_json(part) for part in parts]


def check_kind(value: Json, field: str, index: int | None) -> None:
    """Refuse an object that says it is of a known kind and is not.

    Raises:
        InvalidInput: `field` is the path to what is wrong.
    """
    try:
        _typed(value)
    except InvalidInput as error:
        raise InvalidInput(error.message, field=f"{field}.{error.field}", index=index) from None


def read_parts(values: Sequence[Json]) -> tuple[Part, ...]:
    """Give stored parts, those of a known kind as such."""
    return tuple(map(_read, values))


def _read(value: Json) -> Part:
    try:
        return _typed(value)
    except InvalidInput:  # older code stored any object
        return value


def _typed(value: Json) -> Part:
    kind = value.get("type") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not isinstance(kind, str) or kind not in _KINDS:
        return value
    fields: dict[str, Any] = dict(value)
    return _KINDS[kind](**fields)
