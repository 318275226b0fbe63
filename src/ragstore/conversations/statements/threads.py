"""The statements of conversations as such."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, Text, bindparam, cast, delete, select, tuple_, type_coerce, update
from sqlalchemy.types import NullType

from ragstore.conversations.records import Conversation
from ragstore.conversations.statements.base import CONVERSATION_ID, CONVERSATIONS, IS_THE_THREAD, ROWS, TENANT, Upsert
from ragstore.conversations.statements.rows import read_json
from ragstore.conversations.statements.scopes import Scope, chosen, is_in_scope, scope_of, scope_values
from ragstore.core.backend import Backend
from ragstore.core.query import Query, Selected, Write
from ragstore.core.records import Unset
from ragstore.core.types import Id, UtcDateTime
from ragstore.errors import CorruptRow

# As text: damaged metadata can then be told by its conversation.
_METADATA = type_coerce(cast(type_coerce(CONVERSATIONS.c.meta, Text), Text), NullType())
CONVERSATION_COLUMNS = (
    CONVERSATIONS.c.id,
    CONVERSATIONS.c.thread_id,
    CONVERSATIONS.c.user_id,
    CONVERSATIONS.c.organisation_id,
    CONVERSATIONS.c.collection,
    CONVERSATIONS.c.title,
    CONVERSATIONS.c.pinned,
    _METADATA.label("meta"),
    CONVERSATIONS.c.head,
    CONVERSATIONS.c.leaf_id,
    CONVERSATIONS.c.branched,
    CONVERSATIONS.c.created_at,
    CONVERSATIONS.c.last_activity,
    CONVERSATIONS.c.language,
)
_CONVERSATION = select(*CONVERSATION_COLUMNS).where(*IS_THE_THREAD)
_LOCKED_CONVERSATION = _CONVERSATION.with_for_update(key_share=True)


def to_conversation(row: Sequence[Any]) -> Conversation:
    """Make the record of a row of `CONVERSATION_COLUMNS`.

    Raises:
        CorruptRow: Its metadata is no JSON object.
    """
    try:
        metadata: Any = read_json(row[7], "metadata", dict)
    except ValueError as error:
        advice = "conversations.update(thread_id, metadata=...) puts other metadata in its place"
        raise CorruptRow("rag_conversation", row[0], f"{error}: {advice}") from error
    return Conversation(
        id=row[0],
        thread_id=row[1],
        user_id=row[2],
        organisation_id=row[3],
        collection=row[4],
        title=row[5],
        pinned=row[6],
        metadata=metadata,
        head=row[8],
        leaf_id=row[9],
        branched=row[10],
        created_at=row[11],
        last_activity=row[12],
        language=row[13],
    )


def conversation(tenant: str, thread: str) -> Query[Conversation]:
    """Select a conversation."""
    return Query(_CONVERSATION, to_conversation, {"tenant": tenant, "thread": thread})


def lock_conversation(tenant: str, thread: str) -> Query[Conversation]:
    """Select a conversation and make its other writers wait."""
    return Query(_LOCKED_CONVERSATION, to_conversation, {"tenant": tenant, "thread": thread})


_BY_ID = select(*CONVERSATION_COLUMNS).where(CONVERSATIONS.c.tenant_id == TENANT, CONVERSATIONS.c.id == CONVERSATION_ID)
_LOCKED_BY_ID = _BY_ID.with_for_update(key_share=True)


def lock_conversation_by_id(tenant: str, conversation_id: UUID) -> Query[Conversation]:
    """Select a conversation by our own id of it, and make its other writers wait."""
    return Query(_LOCKED_BY_ID, to_conversation, {"tenant": tenant, "conversation_id": conversation_id})


@cache
def _insert_conversation(upsert: Upsert) -> Executable:
    return upsert(CONVERSATIONS).on_conflict_do_nothing().returning(*CONVERSATION_COLUMNS)


def insert_conversation(backend: Backend, values: dict[str, Any]) -> Query[Conversation]:
    """Insert a conversation, and give it; nothing if its thread is there, for which it waits while that is inserted."""
    return Query(_insert_conversation(backend.upsert), to_conversation, values)


def update_conversation(tenant: str, thread: str, values: dict[str, Any]) -> Query[Conversation]:
    """Patch a conversation, and give it as it is then."""
    patch = update(CONVERSATIONS).where(*IS_THE_THREAD).values(**values).returning(*CONVERSATION_COLUMNS)
    return Query(patch, to_conversation, {"tenant": tenant, "thread": thread})


_DELETE_CONVERSATION = delete(CONVERSATIONS).where(*IS_THE_THREAD)


def delete_conversation(tenant: str, thread: str) -> Write:
    """Delete a conversation with all that hangs on it."""
    return Write(_DELETE_CONVERSATION, {"tenant": tenant, "thread": thread})


@cache
def _threads(scope: Scope, after: bool) -> Selected:
    statement = select(*CONVERSATION_COLUMNS).where(*is_in_scope(scope))
    if after:
        last = tuple_(bindparam("last_activity", type_=UtcDateTime()), bindparam("last_id", type_=Id()))
        statement = statement.where(tuple_(CONVERSATIONS.c.last_activity, CONVERSATIONS.c.id) < last)
    return statement.order_by(CONVERSATIONS.c.last_activity.desc(), CONVERSATIONS.c.id.desc()).limit(ROWS)


def thread_page(
    tenant: str, user: str | Unset | None, collection: str | None, after: tuple[datetime, UUID] | None, rows: int
) -> Query[Conversation]:
    """Select conversations, the last active ones first, from after a place in that order."""
    asked = chosen(user, collection=collection)
    values = {**scope_values(tenant, asked), "rows": rows}
    if after is not None:
        values |= {"last_activity": after[0], "last_id": after[1]}
    return Query(_threads(scope_of(asked), after is not None), to_conversation, values)
