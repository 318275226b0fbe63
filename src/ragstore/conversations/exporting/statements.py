"""Statements that read out conversations. JSON comes as text, so that a damaged value harms no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Table, Text, bindparam, cast, func, select, type_coerce

from ragstore.conversations.statements.base import (
    CITATIONS,
    CONVERSATIONS,
    FEEDBACK,
    FEEDBACK_CHANGES,
    MESSAGES,
    ROWS,
    TENANT,
)
from ragstore.conversations.statements.rows import COLUMNS
from ragstore.conversations.statements.scopes import Scope, chosen, is_in_scope, scope_of, scope_values
from ragstore.core.query import Query, Selected
from ragstore.core.records import Unset
from ragstore.core.types import Id, Json

Row = dict[str, Any]
"""A row by the names of its columns."""

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
_MESSAGE = _Exported(MESSAGES, *(name for name in COLUMNS if name != "annotated"))
_CITATION = _Exported(CITATIONS, *(column.key for column in CITATIONS.c if column.key != "tenant_id"))
_FEEDBACK = _Exported(FEEDBACK, "message_id", "user_id", "value", "comment", "updated_at")
_CHANGE = _Exported(FEEDBACK_CHANGES, "message_id", "id", "user_id", "value", "comment", "created_at")


@cache
def _conversations(scope: Scope) -> Selected:
    after = CONVERSATIONS.c.id > bindparam("after", type_=Id())
    return select(*_CONVERSATION.columns).where(*is_in_scope(scope), after).order_by(CONVERSATIONS.c.id).limit(ROWS)


def conversations(tenant: str, user: str | Unset | None, thread: str | None, after: UUID, rows: int) -> Query[Row]:
    """Select conversations by id, from after one."""
    asked = chosen(user, thread_id=thread)
    values = {**scope_values(tenant, asked), "after": after, "rows": rows}
    return Query(_conversations(scope_of(asked)), _CONVERSATION.make, values)


_ALL_MESSAGES = (
    select(*_MESSAGE.columns)
    .where(MESSAGES.c.tenant_id == TENANT, MESSAGES.c.conversation_id.in_(_IDS))
    .order_by(MESSAGES.c.conversation_id, MESSAGES.c.seq)
)
_NEXT_MESSAGES = (
    select(*_MESSAGE.columns)
    .where(
        MESSAGES.c.tenant_id == TENANT,
        MESSAGES.c.conversation_id == bindparam("conversation_id", type_=Id()),
        MESSAGES.c.seq > bindparam("after"),
    )
    .order_by(MESSAGES.c.seq)
    .limit(ROWS)
)


def all_messages(tenant: str, conversation_ids: Sequence[UUID]) -> Query[Row]:
    """Select all messages of some conversations."""
    return Query(_ALL_MESSAGES, _MESSAGE.make, {"tenant": tenant, "ids": list(conversation_ids)})


def next_messages(tenant: str, conversation_id: UUID, after: int, rows: int) -> Query[Row]:
    """Select a conversation's messages by `seq`, from after one."""
    place = {"conversation_id": conversation_id, "after": after, "rows": rows}
    return Query(_NEXT_MESSAGES, _MESSAGE.make, {"tenant": tenant, **place})


def _hanging(table: Table, exported: _Exported, *order: str) -> Callable[[str, Sequence[UUID]], Query[Row]]:
    found = select(*exported.columns).where(table.c.tenant_id == TENANT, table.c.message_id.in_(_IDS))
    statement = found.order_by(table.c.message_id, *(table.c[name] for name in order))
    return lambda tenant, ids: Query(statement, exported.make, {"tenant": tenant, "ids": list(ids)})


HANGING = {
    "citations": _hanging(CITATIONS, _CITATION, "rank"),
    "feedback": _hanging(FEEDBACK, _FEEDBACK, "user_id"),
    "feedback_changes": _hanging(FEEDBACK_CHANGES, _CHANGE, "id"),
}
"""What hangs on messages, by the name it has in their lines: each selects it for the messages of some ids."""
