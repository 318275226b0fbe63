"""Reading out what is stored of a user beside conversations: thumbs on what others have, and login sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, or_, select

from ragstore.conversations.statements.base import (
    CONVERSATIONS,
    FEEDBACK,
    FEEDBACK_CHANGES,
    IS_ITS_CONVERSATION,
    MESSAGES,
    ROWS,
    TENANT,
)
from ragstore.core.json_lines import line
from ragstore.core.query import Query
from ragstore.core.types import Id
from ragstore.sessions.records import SessionInfo
from ragstore.sessions.statements import SESSIONS

AT_ONCE = 500

_USER: Any = bindparam("user")
_AFTER: Any = bindparam("after", type_=Id())

Read = tuple[UUID, str]
"""A row's id, from which to go on, and its line."""

_OF_OTHERS = (
    select(MESSAGES.c.id)
    .join(CONVERSATIONS, IS_ITS_CONVERSATION)
    .where(MESSAGES.c.tenant_id == TENANT, or_(CONVERSATIONS.c.user_id.is_(None), CONVERSATIONS.c.user_id != _USER))
)


def _of_others(table: Any, key: Any, *columns: Any) -> Any:
    is_others = _OF_OTHERS.where(MESSAGES.c.id == table.c.message_id).correlate(table).exists()
    mine = (table.c.tenant_id == TENANT, table.c.user_id == _USER, key > _AFTER, is_others)
    return select(key, *columns).where(*mine).order_by(key).limit(ROWS)


_FEEDBACK = _of_others(FEEDBACK, FEEDBACK.c.message_id, FEEDBACK.c.value, FEEDBACK.c.comment, FEEDBACK.c.updated_at)
_CHANGES = _of_others(
    FEEDBACK_CHANGES,
    FEEDBACK_CHANGES.c.id,
    FEEDBACK_CHANGES.c.message_id,
    FEEDBACK_CHANGES.c.value,
    FEEDBACK_CHANGES.c.comment,
    FEEDBACK_CHANGES.c.created_at,
)
_SHOWN = tuple(name for name in SessionInfo.model_fields if name != "is_current")
_SESSIONS = (
    select(*(SESSIONS.c[name] for name in _SHOWN))
    .where(SESSIONS.c.tenant_id == TENANT, SESSIONS.c.user_id == _USER, SESSIONS.c.id > _AFTER)
    .order_by(SESSIONS.c.id)
    .limit(ROWS)
)


class _Kind:
    """One kind of line: the statement that selects its rows, and their names."""

    def __init__(self, kind: str, statement: Any, *names: str) -> None:
        self.kind = kind
        self.statement = statement
        self.names = names

    def make(self, row: Sequence[Any]) -> Read:
        """Make a row's line."""
        return row[0], line(self.kind, dict(zip(self.names, row, strict=True)))

    def next(self, tenant: str, user: str, after: UUID) -> Query[Read]:
        """Select rows from after one."""
        return Query(self.statement, self.make, {"tenant": tenant, "user": user, "after": after, "rows": AT_ONCE})


KINDS = (
    _Kind("feedback", _FEEDBACK, "message_id", "value", "comment", "updated_at"),
    _Kind("feedback_change", _CHANGES, "id", "message_id", "value", "comment", "created_at"),
    _Kind("session", _SESSIONS, *_SHOWN),
)
"""In the order of the export."""
