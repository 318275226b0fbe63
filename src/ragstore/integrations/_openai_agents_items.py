"""Items of the OpenAI Agents SDK as our messages, and back: whatever goes in comes out equal to it.

An item is a message of ours. A text is its `content`, and further texts are text parts; a call of a tool, its output
and a summary of reasoning are parts of those kinds. All else is kept in one part of the type "openai_agents":
`{"item": the fields that remain, "taken": the names of the others}`. It is left out where the item can be made without
it, so that plain items are as the host would write them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ragstore.conversations.parts import Attachment, Part, ReasoningPart, ToolCall, ToolResult
from ragstore.conversations.records import Message, NewMessage, Role
from ragstore.errors import InvalidInput
from ragstore.integrations._histories import ROLES, as_text, give_back, put_texts, take_texts, texts_of

KIND = "openai_agents"

_TEXT = frozenset({"input_text", "output_text", "text"})


# ------------------------------------------------------------------------------------------------- to ours


def to_new(item: object, index: int) -> NewMessage:
    """Make an item a message of ours.

    Raises:
        InvalidInput: It is no dict.
    """
    if not isinstance(item, Mapping):
        raise InvalidInput(f"must be a dict, not {type(item).__name__}", field="items", index=index)
    rest: dict[str, Any] = dict(item)
    content, parts = _taken(rest)
    role = _role(item)
    if _items_of_ours(role, content, parts) != [item]:
        parts.append({"type": KIND, "item": rest, "taken": sorted(item.keys() - rest.keys())})
    return NewMessage(role=role, content=content, parts=parts or None)


def _role(item: Mapping[str, Any]) -> Role:
    if _is_output(item):
        return "tool"
    role = item.get("role")
    return ROLES.get(role, "assistant") if isinstance(role, str) else "assistant"


def _is_output(item: Mapping[str, Any]) -> bool:
    return str(item.get("type")).endswith("_call_output")


def _taken(rest: dict[str, Any]) -> tuple[str, list[Part]]:
    """Take out of an item what has a place of its own: its text, and its parts of our kinds."""
    kind, call_id = str(rest.get("type")), rest.get("call_id")
    if "content" in rest and "role" in rest:
        return _texts(rest)
    if kind == "reasoning":
        return "", _thoughts(rest)
    if not isinstance(call_id, str):
        return "", []
    if kind == "function_call" and isinstance(rest.get("name"), str) and "arguments" in rest:
        return "", [ToolCall(id=rest.pop("call_id"), name=rest.pop("name"), arguments=rest.pop("arguments"))]
    if kind.endswith("_call"):
        return "", [ToolCall(id=call_id, name=_name(rest, kind))]
    if _is_output(rest) and "output" in rest:
        return "", [ToolResult(call_id=rest.pop("call_id"), content=rest.pop("output"))]
    return "", []


def _name(rest: Mapping[str, Any], kind: str) -> str:
    name = rest.get("name")
    return name if isinstance(name, str) else kind.removesuffix("_call")


def _texts(rest: dict[str, Any]) -> tuple[str, list[Part]]:
    content = rest["content"]
    if isinstance(content, str):
        return rest.pop("content"), []
    if not isinstance(content, list):
        return "", []
    text, parts, rest["content"] = take_texts(content, _TEXT)
    return text, parts


def _thoughts(rest: Mapping[str, Any]) -> list[Part]:
    """Give the summary's texts; the item keeps them."""
    summary = rest.get("summary")
    blocks = summary if isinstance(summary, list) else []
    texts = [block["text"] for block in blocks if isinstance(block, Mapping) and isinstance(block.get("text"), str)]
    return [ReasoningPart(text=text) for text in texts]


# ------------------------------------------------------------------------------------------------- to items


def to_items(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Make messages of ours items."""
    return [item for message in messages for item in items_of(message)]


def items_of(message: Message) -> list[dict[str, Any]]:
    """Make a message items: one, or of a message that the host has written, any number.

    Raises:
        CorruptRow: What was kept of an item cannot be put together.
    """
    return give_back(message, KIND, {"item": Mapping, "taken": list}, restored=_restored, made=_items_of_ours)


def _restored(kept: Mapping[str, Any], content: str, parts: Sequence[Part]) -> list[dict[str, Any]]:
    item, places = dict(kept["item"]), {"content": content, **_of_tool(parts)}
    item |= {name: places[name] for name in kept["taken"]}
    if "role" in item and isinstance(item.get("content"), list):
        item["content"] = put_texts(content, parts, item["content"])
    return [item]


def _of_tool(parts: Sequence[Part]) -> dict[str, Any]:
    for part in parts:
        if isinstance(part, ToolCall):
            return {"call_id": part.id, "name": part.name, "arguments": part.arguments}
        if isinstance(part, ToolResult):
            return {"call_id": part.call_id, "output": part.content}
    return {}


# ------------------------------------------------------------------------------ messages that the host has written


def _items_of_ours(role: Role, content: str, parts: Sequence[Part]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if said := _content(role, content, parts):
        items.append({"role": "assistant" if role == "tool" else role, "content": said})
    for part in parts:
        if isinstance(part, ToolCall):
            arguments = as_text(part.arguments)
            items.append({"type": "function_call", "call_id": part.id, "name": part.name, "arguments": arguments})
        elif isinstance(part, ToolResult):
            items.append({"type": "function_call_output", "call_id": part.call_id, "output": as_text(part.content)})
    return items


def _content(role: Role, content: str, parts: Sequence[Part]) -> str | list[dict[str, Any]]:
    texts = [text for text in texts_of(content, parts) if text]
    files = [_block(part) for part in parts if isinstance(part, Attachment)]
    if role == "user" and files:
        return [*({"type": "input_text", "text": text} for text in texts), *files]
    return "\n\n".join(texts)


def _block(part: Attachment) -> dict[str, Any]:
    if (part.media_type or "").startswith("image/"):
        return {"type": "input_image", "image_url": part.uri, "detail": "auto"}
    return {"type": "input_file", "file_url": part.uri}
