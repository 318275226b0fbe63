"""LangChain's messages as ours, and back: whatever goes in comes out equal to it.

A text is the message's `content`, and further texts are text parts; calls of tools and their results are parts of
those kinds. All else is kept in one part of the type "langchain": `{"kind": …, "data": the fields that remain}`. It is
left out where the message can be made without it, so that plain messages are as the host would write them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    InvalidToolCall,
    SystemMessage,
    ToolMessage,
    messages_from_dict,
)
from langchain_core.messages import ToolCall as LangChainCall
from pydantic_core import PydanticSerializationError

from ragstore.conversations.parts import Attachment, Part, TextPart, ToolCall, ToolResult
from ragstore.conversations.records import Message, NewMessage, Role
from ragstore.core import border
from ragstore.errors import InvalidInput
from ragstore.integrations._histories import ROLES, as_text, give_back, put_texts, take_texts

KIND = "langchain"

Content: TypeAlias = str | list[str | dict[Any, Any]]

_TEXT = frozenset({"text"})
_CALL = frozenset({"name", "args", "id", "type"})


# ------------------------------------------------------------------------------------------------- to ours


def to_new(message: BaseMessage, index: int) -> NewMessage:
    """Make a message of LangChain's one of ours.

    Raises:
        InvalidInput: It is none, holds what JSON has no form for, or is of a class that LangChain does not read back.
    """
    if not isinstance(message, BaseMessage):
        raise InvalidInput(f"must be a BaseMessage, not {type(message).__name__}", field="messages", index=index)
    data = _dump(message, index)
    parts: list[Part] = []
    content = ""
    if isinstance(message, ToolMessage):
        parts.append(_result(data))
    else:
        content, parts = _texts(data)
    parts += _calls(data)
    role = _role(message)
    if _made_of_ours(role, content, parts) != [message]:
        kept: dict[str, Any] = {"type": KIND, "kind": message.type, "data": data}
        _check_comes_back(kept, content, parts, type(message).__name__, index)
        parts.append(kept)
    return NewMessage(role=role, content=content, parts=parts or None, **_usage(message))


def _check_comes_back(kept: dict[str, Any], content: str, parts: Sequence[Part], name: str, index: int) -> None:
    try:
        _restored(kept, content, parts)
    except Exception as error:
        advice = "add one of LangChain's own classes, such as HumanMessage or AIMessage"
        what = f"LangChain does not read a {name} of the type {kept['kind']!r} back: {advice} ({error})"
        raise InvalidInput(what, field="messages", index=index) from error


def _dump(message: BaseMessage, index: int) -> dict[str, Any]:
    """Give a message's fields as JSON, without those that are as a new message has them."""
    try:
        dumped = message.model_dump(mode="json")
    except (PydanticSerializationError, ValueError) as error:
        what = f"JSON has no form for a value of this {type(message).__name__}: {error}"
        raise InvalidInput(what, field="messages", index=index) from None
    usual = {name: field.get_default(call_default_factory=True) for name, field in type(message).model_fields.items()}
    return {name: value for name, value in dumped.items() if name not in usual or value != usual[name]}


def _role(message: BaseMessage) -> Role:
    match message:
        case HumanMessage():
            return "user"
        case SystemMessage():
            return "system"
        case ToolMessage() | FunctionMessage():
            return "tool"
        case ChatMessage():
            return ROLES.get(message.role.lower(), "user")
        case _:
            return "assistant"


def _texts(data: dict[str, Any]) -> tuple[str, list[Part]]:
    """Take the texts out of the fields."""
    content = data.pop("content", "")
    if isinstance(content, str):
        return content, []
    text, parts, data["content"] = take_texts(content, _TEXT)
    return text, parts


def _result(data: dict[str, Any]) -> ToolResult:
    """Take a tool's result out of the fields."""
    call_id, content = data.pop("tool_call_id"), data.pop("content", "")
    if data.get("status") == "error":
        return ToolResult(call_id=call_id, content=content, is_error=True)
    return ToolResult(call_id=call_id, content=content)


def _calls(data: dict[str, Any]) -> list[ToolCall]:
    """Give the calls of tools that have an id, and take all out of the fields if they can be put back from these."""
    calls: list[dict[str, Any]] = data.get("tool_calls", [])
    known = [call for call in calls if isinstance(call.get("id"), str)]
    if len(known) == len(calls) and all(call.keys() == _CALL for call in calls):
        data.pop("tool_calls", None)
    return [ToolCall(id=call["id"], name=call["name"], arguments=call["args"]) for call in known]


def _usage(message: BaseMessage) -> dict[str, Any]:
    model = _model(message.response_metadata)
    usage = message.usage_metadata if isinstance(message, AIMessage) else None
    if usage is None:
        return {"resolved_model": model}
    return {
        "resolved_model": model,
        "input_tokens": usage["input_tokens"],
        "output_tokens": usage["output_tokens"],
        "cached_tokens": usage.get("input_token_details", {}).get("cache_read"),
        "reasoning_tokens": usage.get("output_token_details", {}).get("reasoning"),
    }


def _model(about: Mapping[Any, Any]) -> str | None:
    """Give the model that the provider names, if it is a name as ours are."""
    try:
        return border.name(about.get("model_name"), field="model", max_bytes=255)
    except InvalidInput:
        return None


# --------------------------------------------------------------------------------------------- to LangChain's


def to_langchain(messages: Sequence[Message]) -> list[BaseMessage]:
    """Make messages of ours LangChain's."""
    return [made for message in messages for made in _made(message)]


def _made(message: Message) -> list[BaseMessage]:
    return give_back(message, KIND, {"kind": str, "data": Mapping}, restored=_restored, made=_made_of_ours)


def _restored(kept: Mapping[str, Any], content: str, parts: Sequence[Part]) -> list[BaseMessage]:
    data = dict(kept["data"])
    results = [part for part in parts if isinstance(part, ToolResult)]
    if results:
        data |= {"tool_call_id": results[0].call_id, "content": results[0].content}
    elif "content" in data:
        data["content"] = put_texts(content, parts, data["content"])
    else:
        data["content"] = content
    if "tool_calls" not in data:
        calls = [_call(part, part.arguments) for part in parts if isinstance(part, ToolCall)]
        data |= {"tool_calls": calls} if calls else {}
    return messages_from_dict([{"type": kept["kind"], "data": data}])


def _call(part: ToolCall, arguments: Any) -> LangChainCall:
    return LangChainCall(name=part.name, args=arguments, id=part.id, type="tool_call")


# ---------------------------------------------------------------------------- messages that the host has written


def _made_of_ours(role: Role, content: str, parts: Sequence[Part]) -> list[BaseMessage]:
    results: list[BaseMessage] = [_tool_message(part) for part in parts if isinstance(part, ToolResult)]
    blocks = _content(content, parts)
    if results and not blocks:
        return results
    match role:
        case "assistant":
            return [_answer(blocks, parts), *results]
        case "system":
            return [SystemMessage(content=blocks), *results]
        case "tool":
            return [ChatMessage(content=blocks, role="tool"), *results]
        case _:
            return [HumanMessage(content=blocks), *results]


def _content(content: str, parts: Sequence[Part]) -> Content:
    blocks: list[str | dict[Any, Any]] = []
    for part in parts:
        if isinstance(part, TextPart):
            blocks.append({"type": "text", "text": part.text})
        elif isinstance(part, Attachment):
            blocks.append(_block(part))
    if not blocks:
        return content
    return [{"type": "text", "text": content}, *blocks] if content else blocks


def _block(part: Attachment) -> dict[Any, Any]:
    kind = (part.media_type or "").partition("/")[0]
    block = {"type": kind if kind in ("image", "audio", "video") else "file", "url": part.uri}
    return block if part.media_type is None else {**block, "mime_type": part.media_type}


def _answer(content: Content, parts: Sequence[Part]) -> AIMessage:
    called = [(part, _object(part.arguments)) for part in parts if isinstance(part, ToolCall)]
    return AIMessage(
        content=content,
        tool_calls=[_call(part, arguments) for part, arguments in called if arguments is not None],
        invalid_tool_calls=[_invalid(part) for part, arguments in called if arguments is None],
    )


def _object(arguments: Any) -> dict[str, Any] | None:
    """Give a call's arguments as LangChain has them; None: they are no object."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except ValueError:
            return None
    return dict(arguments or {}) if arguments is None or isinstance(arguments, Mapping) else None


def _invalid(part: ToolCall) -> InvalidToolCall:
    error = "the arguments are no JSON object"
    return InvalidToolCall(
        name=part.name, args=as_text(part.arguments), id=part.id, error=error, type="invalid_tool_call"
    )


def _tool_message(part: ToolResult) -> ToolMessage:
    status: Literal["success", "error"] = "error" if part.is_error else "success"
    return ToolMessage(content=as_text(part.content), tool_call_id=part.call_id, status=status)
