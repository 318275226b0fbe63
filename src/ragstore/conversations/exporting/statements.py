"""Statements that read out conversations. JSON comes as text, so that a damaged value harms no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Table, Text, bindparam, cast, func, select, type_coerce

from ragstore.conversations.statements.base import CITATIONS, CONVERSATIONS, FEEDBACK, FEEDBACK_CHANGES, MESSAGES
from ragstore.core.query import Query, Selected
from ragstore.core.records import UNSET, Unset
from ragstore.core.types import Id, Json

Row = dict[str, Any]
"""A row by the names of its columns."""

_TENANT: Any = bindparam("tenant")
_ROWS: Any = bindparam("rows")
_IDS = bindparam("ids", expanding=True, type_=Id())


class _Exported:
    """Some columns of a table, and what makes a row of them."""

    def __init__(self, table: Table, *names: str) -> None:
        self.columns = [_as_stored(table.c[name]) for name in names]
        self._names = [table.c[name].name for name in names]

    def make(self, row: Sequence[Any]) -> Row:
        return dict(zip(self._names, row, strict=True))


def _as_stored(column: Column[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, Json):
        return type_coerce(cast(column, Text), Text())
    if column.name == "user_id" and not column.nullable:  # nobody in particular is the empty text
        return func.nullif(column, "", type_=column.type)
    return column


_CONVERSATION = _Exported(
    CONVERSATIONS,
    "id",
    "thread_id",
    "user_id",
    "organisation_id",
    "collection",
    "title",
    "pinned",
    "meta",
    "head",
    "leaf_id",
    "branched",
    "created_at",
    "last_activity",
)
_MESSAGE = _Exported(
    MESSAGES,
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
)
_CITATION = _Exported(CITATIONS, *(column.key for column in CITATIONS.c if column.key != "tenant_id"))
_FEEDBACK = _Exported(FEEDBACK, "message_id", "user_id", "value", "comment", "updated_at")
_CHANGE = _Exported(FEEDBACK_CHANGES, "message_id", "id", "user_id", "value", "comment", "created_at")


@cache
def _conversations(whose: str, of_thread: bool) -> Selected:
    after = CONVERSATIONS.c.id > bindparam("after", type_=Id())
    statement = select(*_CONVERSATION.columns).where(CONVERSATIONS.c.tenant_id == _TENANT, after)
    if whose == "someone":
        statement = statement.where(CONVERSATIONS.c.user_id == bindparam("user"))
    elif whose == "nobody":
        statement = statement.where(CONVERSATIONS.c.user_id.is_(None))
    if of_thread:
        statement = statement.where(CONVERSATIONS.c.thread_id == bindparam("thread"))
    return statement.order_by(CONVERSATIONS.c.id).limit(_ROWS)


def conversations(tenant: str, user: str | Unset | None, thread: str | None, after: UUID, rows: int) -> Query[Row]:
    """Select conversations by id, from after one."""
    whose = "anyone" if user is UNSET else "nobody" if user is None else "someone"
    values: Row = {"tenant": tenant, "after": after, "rows": rows}
    if whose == "someone":
        values["user"] = user
    if thread is not None:
        values["thread"] = thread
    return Query(_conversations(whose, thread is not None), _CONVERSATION.make, values)


_ALL_MESSAGES = (
    select(*_MESSAGE.columns)
    .where(MESSAGES.c.tenant_id == _TENANT, MESSAGES.c.conversation_id.in_(_IDS))
    .order_by(MESSAGES.c.conversation_id, MESSAGES.c.seq)
)
_NEXT_MESSAGES = (
    select(*_MESSAGE.columns)
    .where(
        MESSAGES.c.tenant_id == _TENANT,
        MESSAGES.c.conversation_id == bindparam("conversation_id", type_=Id()),
        MESSAGES.c.seq > bindparam("after"),
    )
    .order_by(MESSAGES.c.seq)
    .limit(_ROWS)
)


def all_messages(tenant: str, conversation_ids: Sequence[UUID]) -> Query[Row]:
    """Select all messages of some conversations."""
    return Query(_ALL_MESSAGES, _MESSAGE.make, {"tenant": tenant, "ids": list(conversation_ids)})


def next_messages(tenant: str, conversation_id: UUID, after: int, rows: int) -> Query[Row]:
    """Select a conversation's messages by `seq`, from after one."""
    place = {"conversation_id": conversation_id, "after": after, "rows": rows}
    return Query(_NEXT_MESSAGES, _MESSAGE.make, {"tenant": tenant, **place})


def _hanging(table: Table, exported: _Exported, *order: str) -> Callable[[str, Sequence[UUID]], Query[Row]]:
    found = select(*exported.columns).where(table.c.tenant_id == _TENANT, table.c.message_id.in_(_IDS))
    statement = found.order_by(table.c.message_id, *(table.c[name] for name in order))
    return lambda tenant, ids: Query(statement, exported.make, {"tenant": tenant, "ids": list(ids)})


HANGING = {
    "citations": _hanging(CITATIONS, _CITATION, "rank"),
    "feedback": _hanging(FEEDBACK, _FEEDBACK, "user_id"),
    "feedback_changes": _hanging(FEEDBACK_CHANGES, _CHANGE, "id"),
}
"""What hangs on messages, by the name it has in their lines: each selects it for the messages of some ids."""
