"""The statements of conversations: each function returns one, with the maker of its records; none is run here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Executable,
    MetaData,
    Table,
    bindparam,
    cast,
    delete,
    insert,
    literal,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.types import TypeEngine

from ragstore.conversations.records import Citation, Conversation, Feedback, FeedbackChange, Message
from ragstore.conversations.tables import CitationRow, ConversationRow, FeedbackChangeRow, FeedbackRow, MessageRow
from ragstore.core.backend import Backend, UpsertInsert
from ragstore.core.base import SCHEMA, TENANT_LENGTH, table_of
from ragstore.core.clock import utc_now
from ragstore.core.query import Query, Selected, Write
from ragstore.core.records import UNSET, Unset
from ragstore.core.types import Id, Key, UtcDateTime

CITATIONS = table_of(CitationRow)
CONVERSATIONS = table_of(ConversationRow)
FEEDBACK = table_of(FeedbackRow)
FEEDBACK_CHANGES = table_of(FeedbackChangeRow)
MESSAGES = table_of(MessageRow)
# The corpus's table as this aggregate sees it; a `table()` would not follow the schema that goes with an execution.
_CHUNKS = Table("rag_chunk", MetaData(), Column("tenant_id", Key(TENANT_LENGTH)), Column("id", Id()), schema=SCHEMA)

Upsert = Callable[[Table], UpsertInsert]
"""A backend's; statements that need it are made once for each."""

_TENANT: Any = bindparam("tenant")
_THREAD: Any = bindparam("thread")
_CONVERSATION_ID: Any = bindparam("conversation_id", type_=Id())
_MESSAGE_ID: Any = bindparam("message_id", type_=Id())
_ROWS: Any = bindparam("rows")

# --------------------------------------------------------------------------------------------- conversations

_CONVERSATION_COLUMNS = (
    CONVERSATIONS.c.id,
    CONVERSATIONS.c.thread_id,
    CONVERSATIONS.c.user_id,
    CONVERSATIONS.c.organisation_id,
    CONVERSATIONS.c.collection,
    CONVERSATIONS.c.title,
    CONVERSATIONS.c.pinned,
    CONVERSATIONS.c.meta,
    CONVERSATIONS.c.head,
    CONVERSATIONS.c.leaf_id,
    CONVERSATIONS.c.created_at,
    CONVERSATIONS.c.last_activity,
)
_IS_THE_THREAD = (CONVERSATIONS.c.tenant_id == _TENANT, CONVERSATIONS.c.thread_id == _THREAD)
_CONVERSATION = select(*_CONVERSATION_COLUMNS).where(*_IS_THE_THREAD)
_LOCKED_CONVERSATION = _CONVERSATION.with_for_update(key_share=True)


def _to_conversation(row: Sequence[Any]) -> Conversation:
    return Conversation(
        id=row[0],
        thread_id=row[1],
        user_id=row[2],
        organisation_id=row[3],
        collection=row[4],
        title=row[5],
        pinned=row[6],
        metadata=row[7],
        head=row[8],
        leaf_id=row[9],
        created_at=row[10],
        last_activity=row[11],
    )


def conversation(tenant: str, thread: str) -> Query[Conversation]:
    """Select a conversation."""
    return Query(_CONVERSATION, _to_conversation, {"tenant": tenant, "thread": thread})


def lock_conversation(tenant: str, thread: str) -> Query[Conversation]:
    """Select a conversation and make its other writers wait."""
    return Query(_LOCKED_CONVERSATION, _to_conversation, {"tenant": tenant, "thread": thread})


@cache
def _insert_conversation(upsert: Upsert) -> Executable:
    return upsert(CONVERSATIONS).on_conflict_do_nothing().returning(*_CONVERSATION_COLUMNS)


def insert_conversation(backend: Backend, values: dict[str, Any]) -> Query[Conversation]:
    """Insert a conversation, and give it; nothing if its thread is there, for which it waits while that is inserted."""
    return Query(_insert_conversation(backend.upsert), _to_conversation, values)


def update_conversation(tenant: str, thread: str, values: dict[str, Any]) -> Query[Conversation]:
    """Patch a conversation, and give it as it is then."""
    patch = update(CONVERSATIONS).where(*_IS_THE_THREAD).values(**values).returning(*_CONVERSATION_COLUMNS)
    return Query(patch, _to_conversation, {"tenant": tenant, "thread": thread})


_DELETE_CONVERSATION = delete(CONVERSATIONS).where(*_IS_THE_THREAD)


def delete_conversation(tenant: str, thread: str) -> Write:
    """Delete a conversation with all that hangs on it."""
    return Write(_DELETE_CONVERSATION, {"tenant": tenant, "thread": thread})


@cache
def _threads(of_user: str, of_collection: bool, after: bool) -> Selected:
    statement = select(*_CONVERSATION_COLUMNS).where(CONVERSATIONS.c.tenant_id == _TENANT)
    if of_user == "someone":
        statement = statement.where(CONVERSATIONS.c.user_id == bindparam("user"))
    elif of_user == "nobody":
        statement = statement.where(CONVERSATIONS.c.user_id.is_(None))
    if of_collection:
        statement = statement.where(CONVERSATIONS.c.collection == bindparam("collection"))
    place = tuple_(CONVERSATIONS.c.last_activity, CONVERSATIONS.c.id)
    if after:
        last = tuple_(bindparam("last_activity", type_=UtcDateTime()), bindparam("last_id", type_=Id()))
        statement = statement.where(place < last)
    return statement.order_by(CONVERSATIONS.c.last_activity.desc(), CONVERSATIONS.c.id.desc()).limit(_ROWS)


def thread_page(
    tenant: str, user: str | Unset | None, collection: str | None, after: tuple[datetime, UUID] | None, rows: int
) -> Query[Conversation]:
    """Select conversations, the last active ones first, from after a place in that order."""
    whose = "anyone" if user is UNSET else "nobody" if user is None else "someone"
    values: dict[str, Any] = {"tenant": tenant, "user": user, "collection": collection, "rows": rows}
    if after is not None:
        values |= {"last_activity": after[0], "last_id": after[1]}
    used = {name: value for name, value in values.items() if value is not None and value is not UNSET}
    return Query(_threads(whose, collection is not None, after is not None), _to_conversation, used)


# ------------------------------------------------------------------------------------------------- appending


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a message was stored."""

    id: UUID
    conversation_id: UUID
    seq: int
    parent_id: UUID | None
    created_at: datetime


FIELDS = (
    "id",
    "client_id",
    "role",
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
)
_KEY_OF_CLIENT = ("tenant_id", "conversation_id", "client_id")


def _bound(name: str, type_: TypeEngine[Any]) -> ColumnElement[Any]:
    # inside a UNION an uncast parameter would become text
    return cast(bindparam(name, type_=type_), type_)


@lru_cache(maxsize=256)
def _append_at_once(upsert: Upsert, rows: int, columns: tuple[str, ...], guards: frozenset[str]) -> Executable:
    guarded = (CONVERSATIONS.c[name] == bindparam(f"guard_{name}") for name in sorted(guards))
    place = (CONVERSATIONS.c.id, CONVERSATIONS.c.head, CONVERSATIONS.c.leaf_id)
    locked = select(*place).where(*_IS_THE_THREAD, *guarded).with_for_update(key_share=True)
    source = _row_after(locked, place, 0, columns)
    if rows > 1:  # a UNION cannot lock; one row without the detour takes the server 0.1 ms less
        at = locked.cte("at")
        source = union_all(*(_row_after(select(at), tuple(at.c), number, columns) for number in range(rows)))
    into = ["tenant_id", "conversation_id", "seq", "parent_id", *columns]
    appended: Any = upsert(MESSAGES).from_select(into, source, include_defaults=False)
    if "client_id" in columns:
        appended = appended.on_conflict_do_nothing(index_elements=_KEY_OF_CLIENT)
    kept = (MESSAGES.c.id, MESSAGES.c.conversation_id, MESSAGES.c.seq, MESSAGES.c.parent_id, MESSAGES.c.created_at)
    returning: Executable = appended.returning(*kept)
    return returning


def _row_after(at: Selected, place: Sequence[Any], number: int, columns: Sequence[str]) -> Selected:
    conversation_id, head, leaf_id = place
    return at.with_only_columns(
        _bound("tenant", MESSAGES.c.tenant_id.type),
        conversation_id,
        head + literal(number + 1),
        leaf_id if number == 0 else _bound(f"id_{number - 1}", Id()),
        *(_bound(f"{name}_{number}", MESSAGES.c[name].type) for name in columns),
    )


def append_at_once(
    backend: Backend, tenant: str, thread: str, messages: Sequence[dict[str, Any]], guards: dict[str, Any]
) -> Query[Placed]:
    """Lock the conversation and insert after its head, in one statement.

    It inserts nothing if there is no such conversation, if a guard does not hold, or if the (one) message's client id
    is taken.

    Args:
        backend: The database.
        tenant: Whose conversation it is.
        thread: Its thread.
        messages: Column values; of several, none may have a client id.
        guards: What the conversation's columns must be: its head, its owner.
    """
    columns = tuple(name for name in FIELDS if any(message[name] is not None for message in messages))
    assert len(messages) == 1 or "client_id" not in columns
    values = {"tenant": tenant, "thread": thread} | {f"guard_{name}": value for name, value in guards.items()}
    for number, message in enumerate(messages):
        values |= {f"{name}_{number}": message[name] for name in columns}
    statement = _append_at_once(backend.upsert, len(messages), columns, frozenset(guards))
    return Query(statement, lambda row: Placed(row[0], row[1], row[2], row[3], row[4]), values)


_ADVANCE = (
    update(CONVERSATIONS)
    .where(CONVERSATIONS.c.tenant_id == _TENANT, CONVERSATIONS.c.id == _CONVERSATION_ID)
    .values(head=bindparam("new_head"), leaf_id=bindparam("new_leaf", type_=Id()), last_activity=utc_now())
)
_ADVANCE_AND_TELL = _ADVANCE.returning(CONVERSATIONS.c.last_activity)


def _advanced(tenant: str, conversation_id: UUID, head: int, leaf_id: UUID) -> dict[str, Any]:
    return {"tenant": tenant, "conversation_id": conversation_id, "new_head": head, "new_leaf": leaf_id}


def advance(tenant: str, conversation_id: UUID, head: int, leaf_id: UUID) -> Write:
    """Note a locked conversation's new head and leaf."""
    return Write(_ADVANCE, _advanced(tenant, conversation_id, head, leaf_id))


def advance_and_tell(tenant: str, conversation_id: UUID, head: int, leaf_id: UUID) -> Query[datetime]:
    """Note a locked conversation's new head and leaf, and give the time."""
    return Query(_ADVANCE_AND_TELL, lambda row: row[0], _advanced(tenant, conversation_id, head, leaf_id))


_INSERT_MESSAGES = insert(MESSAGES)
_INSERT_CITATIONS = insert(CITATIONS)


def insert_messages(rows: Sequence[dict[str, Any]]) -> Write:
    """Insert messages."""
    return Write(_INSERT_MESSAGES, rows)


def insert_citations(rows: Sequence[dict[str, Any]]) -> Write:
    """Insert citations."""
    return Write(_INSERT_CITATIONS, rows)


# -------------------------------------------------------------------------------------------------- messages


@dataclass(frozen=True, slots=True)
class Line:
    """A message beside one of its thumbs; a message with several has several lines."""

    message: Message
    feedback: Feedback | None


_MESSAGE_COLUMNS = (
    MESSAGES.c.id,
    MESSAGES.c.conversation_id,
    MESSAGES.c.seq,
    MESSAGES.c.parent_id,
    MESSAGES.c.client_id,
    MESSAGES.c.role,
    MESSAGES.c.status,
    MESSAGES.c.content,
    MESSAGES.c.parts,
    MESSAGES.c.meta,
    MESSAGES.c.response_time,
    MESSAGES.c.model,
    MESSAGES.c.resolved_model,
    MESSAGES.c.input_tokens,
    MESSAGES.c.output_tokens,
    MESSAGES.c.cached_tokens,
    MESSAGES.c.reasoning_tokens,
    MESSAGES.c.cost,
    MESSAGES.c.created_at,
)


def _to_line(row: Sequence[Any]) -> Line:
    message = Message(
        id=row[0],
        conversation_id=row[1],
        seq=row[2],
        parent_id=row[3],
        client_id=row[4],
        role=row[5],
        status=row[6],
        content=row[7],
        parts=row[8],
        metadata=row[9],
        response_time=row[10],
        model=row[11],
        resolved_model=row[12],
        input_tokens=row[13],
        output_tokens=row[14],
        cached_tokens=row[15],
        reasoning_tokens=row[16],
        cost=row[17],
        created_at=row[18],
    )
    if row[19] is None:
        return Line(message, None)
    return Line(message, _to_feedback((row[0], row[19], row[20], row[21], row[22])))


def _to_feedback(row: Sequence[Any]) -> Feedback:
    return Feedback(message_id=row[0], user_id=row[1] or None, value=row[2], comment=row[3], updated_at=row[4])


def _lines(messages: Selected) -> Selected:
    m = messages.subquery("m")
    thumbs = (FEEDBACK.c.user_id, FEEDBACK.c.value, FEEDBACK.c.comment, FEEDBACK.c.updated_at)
    columns = (m.c[column.key] for column in _MESSAGE_COLUMNS)
    return (
        select(*columns, *thumbs)
        .outerjoin_from(m, FEEDBACK, (FEEDBACK.c.tenant_id == _TENANT) & (FEEDBACK.c.message_id == m.c.id))
        .order_by(m.c.seq, FEEDBACK.c.user_id)
    )


_OF_TENANT = select(*_MESSAGE_COLUMNS).where(MESSAGES.c.tenant_id == _TENANT)
# A scalar subquery, not a join: the plan then cannot depend on how long the conversation is.
_OF_THREAD = _OF_TENANT.where(
    MESSAGES.c.conversation_id == select(CONVERSATIONS.c.id).where(*_IS_THE_THREAD).scalar_subquery()
)
_BEFORE = _lines(_OF_THREAD.where(MESSAGES.c.seq < bindparam("place")).order_by(MESSAGES.c.seq.desc()).limit(_ROWS))
_AFTER = _lines(_OF_THREAD.where(MESSAGES.c.seq > bindparam("place")).order_by(MESSAGES.c.seq).limit(_ROWS))
_BY_ID = _lines(_OF_TENANT.where(MESSAGES.c.id == _MESSAGE_ID))
_BY_CLIENT_ID = _lines(
    _OF_TENANT.where(
        MESSAGES.c.conversation_id == _CONVERSATION_ID,
        MESSAGES.c.client_id.in_(bindparam("client_ids", expanding=True)),
    )
)


def messages_before(tenant: str, thread: str, seq: int, rows: int) -> Query[Line]:
    """Select the last messages before a place, in reading order."""
    return Query(_BEFORE, _to_line, {"tenant": tenant, "thread": thread, "place": seq, "rows": rows})


def messages_after(tenant: str, thread: str, seq: int, rows: int) -> Query[Line]:
    """Select the first messages after a place, in reading order."""
    return Query(_AFTER, _to_line, {"tenant": tenant, "thread": thread, "place": seq, "rows": rows})


def message_by_id(tenant: str, message_id: UUID) -> Query[Line]:
    """Select a message."""
    return Query(_BY_ID, _to_line, {"tenant": tenant, "message_id": message_id})


def messages_by_client_id(tenant: str, conversation_id: UUID, client_ids: Sequence[str]) -> Query[Line]:
    """Select the messages that the host knows by these ids."""
    parameters = {"tenant": tenant, "conversation_id": conversation_id, "client_ids": list(client_ids)}
    return Query(_BY_CLIENT_ID, _to_line, parameters)


_CITATIONS_OF = (
    select(
        CITATIONS.c.message_id,
        CITATIONS.c.rank,
        _CHUNKS.c.id,
        CITATIONS.c.document_id,
        CITATIONS.c.collection,
        CITATIONS.c.source,
        CITATIONS.c.title,
        CITATIONS.c.snippet,
        CITATIONS.c.score,
        CITATIONS.c.start_offset,
        CITATIONS.c.end_offset,
        CITATIONS.c.page,
        CITATIONS.c.heading,
    )
    .outerjoin_from(
        CITATIONS, _CHUNKS, (_CHUNKS.c.tenant_id == CITATIONS.c.tenant_id) & (_CHUNKS.c.id == CITATIONS.c.chunk_id)
    )
    .where(
        CITATIONS.c.tenant_id == _TENANT,
        CITATIONS.c.message_id.in_(bindparam("message_ids", expanding=True, type_=Id())),
    )
    .order_by(CITATIONS.c.message_id, CITATIONS.c.rank)
)


def _to_citation(row: Sequence[Any]) -> tuple[UUID, Citation]:
    return row[0], Citation(
        rank=row[1],
        chunk_id=row[2],
        document_id=row[3],
        collection=row[4],
        source=row[5],
        title=row[6],
        snippet=row[7],
        score=row[8],
        start_offset=row[9],
        end_offset=row[10],
        page=row[11],
        heading=row[12],
    )


def citations_of(tenant: str, message_ids: Sequence[UUID]) -> Query[tuple[UUID, Citation]]:
    """Select what messages cite; a chunk that is gone reads as None."""
    return Query(_CITATIONS_OF, _to_citation, {"tenant": tenant, "message_ids": list(message_ids)})


# -------------------------------------------------------------------------------------------------- feedback


@cache
def _put_feedback(upsert: Upsert) -> Executable:
    columns = ["tenant_id", "message_id", "user_id", "value", "comment", "updated_at"]
    values = (
        _bound("user", FEEDBACK.c.user_id.type),
        _bound("value", FEEDBACK.c.value.type),
        _bound("comment", FEEDBACK.c.comment.type),
        utc_now(),
    )
    message = select(MESSAGES.c.tenant_id, MESSAGES.c.id, *values).where(
        MESSAGES.c.tenant_id == _TENANT, MESSAGES.c.id == _MESSAGE_ID
    )
    given = upsert(FEEDBACK).from_select(columns, message, include_defaults=False)
    changed = {name: given.excluded[name] for name in ("value", "comment", "updated_at")}
    key = ["tenant_id", "message_id", "user_id"]
    kept = (FEEDBACK.c[name] for name in columns[1:])
    return given.on_conflict_do_update(index_elements=key, set_=changed).returning(*kept)


def put_feedback(
    backend: Backend, tenant: str, message_id: UUID, user: str, value: int, comment: str | None
) -> Query[Feedback]:
    """Store a user's thumb, new or other than before; gives nothing if there is no such message."""
    parameters = {"tenant": tenant, "message_id": message_id, "user": user, "value": value, "comment": comment}
    return Query(_put_feedback(backend.upsert), _to_feedback, parameters)


_DELETE_FEEDBACK = delete(FEEDBACK).where(
    FEEDBACK.c.tenant_id == _TENANT, FEEDBACK.c.message_id == _MESSAGE_ID, FEEDBACK.c.user_id == bindparam("user")
)
_INSERT_CHANGE = insert(FEEDBACK_CHANGES)


def delete_feedback(tenant: str, message_id: UUID, user: str) -> Write:
    """Take a user's thumb back."""
    return Write(_DELETE_FEEDBACK, {"tenant": tenant, "message_id": message_id, "user": user})


def insert_feedback_change(values: dict[str, Any]) -> Write:
    """Note that a thumb was given or taken back."""
    return Write(_INSERT_CHANGE, values)


_CHANGES = (
    select(
        FEEDBACK_CHANGES.c.id,
        FEEDBACK_CHANGES.c.message_id,
        FEEDBACK_CHANGES.c.user_id,
        FEEDBACK_CHANGES.c.value,
        FEEDBACK_CHANGES.c.comment,
        FEEDBACK_CHANGES.c.created_at,
    )
    .where(FEEDBACK_CHANGES.c.tenant_id == _TENANT, FEEDBACK_CHANGES.c.message_id == _MESSAGE_ID)
    .order_by(FEEDBACK_CHANGES.c.id)
)


def _to_change(row: Sequence[Any]) -> FeedbackChange:
    return FeedbackChange(
        id=row[0], message_id=row[1], user_id=row[2] or None, value=row[3], comment=row[4], created_at=row[5]
    )


def feedback_changes(tenant: str, message_id: UUID) -> Query[FeedbackChange]:
    """Select every thumb ever given on a message, oldest first."""
    return Query(_CHANGES, _to_change, {"tenant": tenant, "message_id": message_id})
