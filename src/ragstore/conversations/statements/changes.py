"""The statements that change or delete messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, and_, bindparam, cast, delete, func, select, text, update

from ragstore.conversations.statements.base import (
    CONVERSATION_ID,
    CONVERSATIONS,
    MESSAGE_ID,
    MESSAGES,
    ROWS,
    TENANT,
)
from ragstore.conversations.statements.messages import MESSAGE_COLUMNS, Line, line_maker, to_line
from ragstore.conversations.tables import IS_OPEN
from ragstore.core.clock import later, time_or_now, utc_now
from ragstore.core.query import Query, Write
from ragstore.core.types import Id, Whole

_IS_IT = and_(MESSAGES.c.tenant_id == TENANT, MESSAGES.c.id == MESSAGE_ID)
_OPEN = text(IS_OPEN)

# ----------------------------------------------------------------------------------------------------- streams

_LENGTH = func.length(MESSAGES.c.content)
_AT = cast(bindparam("at"), Integer)
_GROW = (
    update(MESSAGES)
    .where(_IS_IT, _OPEN, bindparam("most") >= _LENGTH, (_AT.is_(None)) | (_LENGTH == _AT))
    .values(content=MESSAGES.c.content.concat(bindparam("added")), status="streaming", updated_at=utc_now())
    .returning(_LENGTH)
)
_STALE = (
    select(MESSAGES.c.tenant_id, MESSAGES.c.id, MESSAGES.c.updated_at)
    .where(_OPEN, MESSAGES.c.updated_at < later(time_or_now("now"), -cast(bindparam("silence"), Whole)))
    .order_by(MESSAGES.c.updated_at)
    .limit(ROWS)
)


@dataclass(frozen=True, slots=True)
class OpenMessage:
    """A message whose text is still to come."""

    tenant: str
    id: UUID
    updated_at: datetime


def grow_message(tenant: str, message_id: UUID, added: str, at: int | None, most: int) -> Query[int]:
    """Add to an open message's text, and give its length then; nothing if it is not open, or of another length."""
    parameters = {"tenant": tenant, "message_id": message_id, "added": added, "at": at, "most": most}
    return Query(_GROW, lambda row: row[0], parameters)


def finish_message(
    tenant: str, message_id: UUID, seen: int, values: dict[str, Any], *, lenient: bool = False
) -> Query[Line]:
    """Finish an open message of so many characters, and give it as it is then; nothing if it is none."""
    finish = update(MESSAGES).where(_IS_IT, _OPEN, bindparam("seen") == _LENGTH).values(**values, updated_at=utc_now())
    parameters = {"tenant": tenant, "message_id": message_id, "seen": seen}
    return Query(finish.returning(*MESSAGE_COLUMNS), line_maker(lenient), parameters)


def stale_messages(silence: int, rows: int, now: datetime | None) -> Query[OpenMessage]:
    """Select open messages of all tenants that have not grown for so many microseconds."""
    return Query(
        _STALE, lambda row: OpenMessage(row[0], row[1], row[2]), {"silence": silence, "rows": rows, "now": now}
    )


def patch_message(tenant: str, message_id: UUID, values: dict[str, Any]) -> Query[Line]:
    """Change what may change of a message, and give it as it is then."""
    patch = update(MESSAGES).where(_IS_IT).values(**values).returning(*MESSAGE_COLUMNS)
    return Query(patch, to_line, {"tenant": tenant, "message_id": message_id})


# ---------------------------------------------------------------------------------------------------- branches


_OF_IT = and_(MESSAGES.c.tenant_id == TENANT, MESSAGES.c.conversation_id == CONVERSATION_ID)
_NEWEST = select(MESSAGES.c.id).where(_OF_IT).order_by(MESSAGES.c.seq.desc()).limit(1)
_FROM = select(MESSAGES.c.id, MESSAGES.c.parent_id).where(_OF_IT, MESSAGES.c.seq >= bindparam("place"))
_FROM_IN_ORDER = _FROM.order_by(MESSAGES.c.seq)
_DELETE = delete(MESSAGES).where(
    MESSAGES.c.tenant_id == TENANT, MESSAGES.c.id.in_(bindparam("message_ids", expanding=True, type_=Id()))
)
_RECOUNT = (
    update(CONVERSATIONS)
    .where(CONVERSATIONS.c.tenant_id == TENANT, CONVERSATIONS.c.id == CONVERSATION_ID)
    .values(
        leaf_id=bindparam("new_leaf", type_=Id()),
        searchable=select(func.count(MESSAGES.c.words)).where(_OF_IT).scalar_subquery(),
        words=select(func.coalesce(func.sum(MESSAGES.c.words), 0)).where(_OF_IT).scalar_subquery(),
    )
)


def newest(tenant: str, conversation_id: UUID) -> Query[UUID]:
    """Select the newest message of a conversation."""
    return Query(_NEWEST, lambda row: row[0], {"tenant": tenant, "conversation_id": conversation_id})


def messages_from(tenant: str, conversation_id: UUID, seq: int) -> Query[tuple[UUID, UUID | None]]:
    """Select each message from a place on with its parent, in order: what follows the first is among them.

    Which those are is for the reader to tell. A recursive query would need an index for each step, and a planner that
    takes the conversation for short reads all of it instead, each time.
    """
    of = {"tenant": tenant, "conversation_id": conversation_id, "place": seq}
    return Query(_FROM_IN_ORDER, tuple, of)


def delete_messages(tenant: str, message_ids: Sequence[UUID]) -> Write:
    """Delete messages with what is noted on them."""
    return Write(_DELETE, {"tenant": tenant, "message_ids": message_ids})


def recount(tenant: str, conversation_id: UUID, leaf_id: UUID | None) -> Write:
    """Note a locked conversation's leaf, and count anew what can be found in it."""
    return Write(_RECOUNT, {"tenant": tenant, "conversation_id": conversation_id, "new_leaf": leaf_id})


def patched(tenant: str, conversation_id: UUID, values: dict[str, Any]) -> Write:
    """Change columns of a locked conversation."""
    patch = update(CONVERSATIONS).where(CONVERSATIONS.c.tenant_id == TENANT, CONVERSATIONS.c.id == CONVERSATION_ID)
    return Write(patch.values(**values), {"tenant": tenant, "conversation_id": conversation_id})


def note_finished(tenant: str, conversation_id: UUID, words: int, *, active: bool) -> Write:
    """Note that a message of a locked conversation can be found, if it has words, and whether that was an activity."""
    values = {
        "searchable": CONVERSATIONS.c.searchable + (1 if words else 0),
        "words": CONVERSATIONS.c.words + words,
        **({"last_activity": utc_now()} if active else {}),
    }
    return patched(tenant, conversation_id, values)
