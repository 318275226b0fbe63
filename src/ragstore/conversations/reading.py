"""Reading messages with what hangs on them, in two statements whatever their number; and the cursors of pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from ragstore.conversations import statements
from ragstore.conversations.preparing import MAX_INT
from ragstore.conversations.records import Citation, Conversation, Message
from ragstore.conversations.statements import Line
from ragstore.core.ids import parse_id
from ragstore.core.paging import decode_cursor
from ragstore.core.query import Query, Steps
from ragstore.core.times import from_microseconds, to_microseconds
from ragstore.errors import InvalidInput, NotFound

THREADS = "threads"
FORWARDS = "messages"
BACKWARDS = "messages, newest first"


def messages(tenant: str, query: Query[Line]) -> Steps[list[Message]]:
    """Read messages with their feedback and citations."""
    lines: list[Line] = yield query
    return (yield from assemble(tenant, lines))


def message(tenant: str, message_id: UUID) -> Steps[Message]:
    """Read a message, or raise `NotFound`."""
    found = yield from messages(tenant, statements.message_by_id(tenant, message_id))
    if not found:
        raise NotFound(f"there is no message {message_id}")
    return found[0]


def assemble(tenant: str, lines: Sequence[Line]) -> Steps[list[Message]]:
    """Read what the messages cite, and put each together."""
    found = {line.message.id: line.message for line in lines}
    if not found:
        return []
    hanging: dict[UUID, dict[str, list[Any]]] = {}
    for line in lines:
        if line.feedback is not None:
            hanging.setdefault(line.message.id, {}).setdefault("feedback", []).append(line.feedback)
    cited: list[tuple[UUID, Citation]] = yield statements.citations_of(tenant, list(found))
    for message_id, citation in cited:
        hanging.setdefault(message_id, {}).setdefault("citations", []).append(citation)
    return [_with(message, hanging.get(message.id)) for message in found.values()]


def _with(message: Message, hanging: dict[str, list[Any]] | None) -> Message:
    if hanging is None:
        return message
    return message.model_copy(update={name: tuple(records) for name, records in hanging.items()})


# ---------------------------------------------------------------------------------------------------- pages


def page(tenant: str, thread: str, cursor: str | None, rows: int, *, backwards: bool) -> Steps[list[Message]]:
    """Read messages from a cursor on, in the direction of reading or against it."""
    place = _place(cursor, backwards=backwards)
    select = statements.messages_before if backwards else statements.messages_after
    found = yield from messages(tenant, select(tenant, thread, place, rows))
    return found[::-1] if backwards else found


def _place(cursor: str | None, *, backwards: bool) -> int:
    if cursor is None:
        return MAX_INT if backwards else 0
    (place,) = decode_cursor(BACKWARDS if backwards else FORWARDS, cursor, int)
    return max(0, min(int(place), MAX_INT))


def message_key(message: Message) -> tuple[int]:
    """Give a message's place in its conversation."""
    return (message.seq,)


def thread_key(conversation: Conversation) -> tuple[int, str]:
    """Give a conversation's place in the order of activity."""
    return to_microseconds(conversation.last_activity), conversation.id.hex


def thread_place(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Read a cursor of conversations."""
    if cursor is None:
        return None
    microseconds, conversation_id = decode_cursor(THREADS, cursor, int, str)
    try:
        return from_microseconds(microseconds), parse_id(conversation_id, field="cursor")
    except OverflowError:
        raise InvalidInput("this is not a cursor that this call gave out", field="cursor") from None
