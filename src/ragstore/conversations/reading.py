"""Reading messages with what is noted on them, in two statements at most whatever their number; and pages' cursors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from ragstore.conversations import statements
from ragstore.conversations.preparing import MAX_INT
from ragstore.conversations.records import Citation, Conversation, Feedback, Message
from ragstore.conversations.statements import Line, Note
from ragstore.core.ids import parse_id
from ragstore.core.paging import decode_cursor
from ragstore.core.query import Query, Steps
from ragstore.core.times import from_microseconds, to_microseconds
from ragstore.errors import InvalidInput, NotFound

THREADS = "threads"
FORWARDS = "messages"
BACKWARDS = "messages, newest first"
UPWARDS = "messages of a branch"


def messages(tenant: str, query: Query[Line]) -> Steps[list[Message]]:
    """Read messages with their feedback and citations, in the order of the query."""
    lines: list[Line] = yield query
    return (yield from annotated(tenant, lines))


def message(tenant: str, message_id: UUID, *, lenient: bool = False) -> Steps[Message]:
    """Read a message, or raise `NotFound`."""
    found = yield from messages(tenant, statements.message_by_id(tenant, message_id, lenient=lenient))
    if not found:
        raise no_message(message_id)
    return found[0]


def bare(tenant: str, message_id: UUID) -> Steps[Message]:
    """Read a message, damaged or not, without what is noted on it, or raise `NotFound`."""
    lines: list[Line] = yield statements.message_by_id(tenant, message_id, lenient=True)
    if not lines:
        raise no_message(message_id)
    return lines[0].message


def no_message(message_id: UUID) -> NotFound:
    """Say that there is no such message."""
    return NotFound(f"there is no message {message_id}")


def annotated(tenant: str, lines: Sequence[Line]) -> Steps[list[Message]]:
    """Read what is noted on messages, where there can be anything, and put each together."""
    ids = [line.message.id for line in lines if line.annotated]
    if not ids:
        return [line.message for line in lines]
    found: list[Note] = yield statements.notes_on(tenant, ids)
    notes: dict[UUID, list[Note]] = {}
    for note in found:
        notes.setdefault(note.message_id, []).append(note)
    return [_with(line.message, notes.get(line.message.id)) for line in lines]


def _with(message: Message, notes: Sequence[Note] | None) -> Message:
    if notes is None:
        return message
    citations = sorted((note.citation for note in notes if note.citation is not None), key=_rank)
    thumbs = sorted((note.feedback for note in notes if note.feedback is not None), key=rater)
    return message.model_copy(update={"citations": tuple(citations), "feedback": tuple(thumbs)})


def _rank(citation: Citation) -> int:
    return citation.rank


def rater(thumb: Feedback) -> str:
    """Give what thumbs on a message are in order of."""
    return thumb.user_id or ""


# ------------------------------------------------------------------------------------------------- branches


def path_from(
    tenant: str, thread: str, start: UUID | None, rows: int, *, lenient: bool = False
) -> Steps[list[Message]]:
    """Read a message and those above it, that one first; of None, the current leaf and those above it.

    Without branches the way to the root is all messages by `seq`, which takes no walk.
    """
    if start is None:
        newest = yield from messages(tenant, statements.newest_unbranched(tenant, thread, rows, lenient=lenient))
        if newest:
            return newest
    return (yield from messages(tenant, statements.path(tenant, thread, start, rows, lenient=lenient)))


def siblings(tenant: str, message_id: UUID, *, lenient: bool) -> Steps[list[Message]]:
    """Read a message with its siblings, in the order in which they were stored."""
    one = yield from bare(tenant, message_id)
    query = statements.siblings(tenant, one.conversation_id, one.parent_id, lenient=lenient)
    return (yield from messages(tenant, query))


# ---------------------------------------------------------------------------------------------------- pages


def page(
    tenant: str, thread: str, cursor: str | None, rows: int, *, backwards: bool, lenient: bool
) -> Steps[list[Message]]:
    """Read messages from a cursor on, in the direction of reading or against it."""
    place = _place(cursor, backwards=backwards)
    select = statements.messages_before if backwards else statements.messages_after
    return (yield from messages(tenant, select(tenant, thread, place, rows, lenient=lenient)))


def _place(cursor: str | None, *, backwards: bool) -> int:
    if cursor is None:
        return MAX_INT if backwards else 0
    (place,) = decode_cursor(BACKWARDS if backwards else FORWARDS, cursor, int)
    return max(0, min(int(place), MAX_INT))


def message_key(message: Message) -> tuple[int]:
    """Give a message's place in its conversation."""
    return (message.seq,)


def parent_key(message: Message) -> tuple[str]:
    """Give the message that the next page of a branch begins with."""
    return ("" if message.parent_id is None else message.parent_id.hex,)


def branch_place(cursor: str | None) -> UUID | None:
    """Read a cursor of a branch."""
    if cursor is None:
        return None
    return parse_id(decode_cursor(UPWARDS, cursor, str)[0], field="cursor")


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
