"""The statements of feedback."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, bindparam, delete, insert, select, update

from ragstore.conversations.records import Feedback, FeedbackChange
from ragstore.conversations.statements.base import (
    FEEDBACK,
    FEEDBACK_CHANGES,
    MESSAGE_ID,
    MESSAGES,
    TENANT,
    Upsert,
    bound,
)
from ragstore.core.backend import Backend
from ragstore.core.clock import utc_now
from ragstore.core.query import Query, Write


@cache
def _put_feedback(upsert: Upsert) -> Executable:
    columns = ["tenant_id", "message_id", "user_id", "value", "comment", "updated_at"]
    values = (
        bound("user", FEEDBACK.c.user_id.type),
        bound("value", FEEDBACK.c.value.type),
        bound("comment", FEEDBACK.c.comment.type),
        utc_now(),
    )
    message = select(MESSAGES.c.tenant_id, MESSAGES.c.id, *values).where(
        MESSAGES.c.tenant_id == TENANT, MESSAGES.c.id == MESSAGE_ID
    )
    given = upsert(FEEDBACK).from_select(columns, message, include_defaults=False)
    changed = {name: given.excluded[name] for name in ("value", "comment", "updated_at")}
    key = ["tenant_id", "message_id", "user_id"]
    kept = (FEEDBACK.c[name] for name in columns[1:])
    return given.on_conflict_do_update(index_elements=key, set_=changed).returning(*kept)


def to_feedback(row: Sequence[Any]) -> Feedback:
    """Make a thumb's record of message, user, value, comment and time."""
    return Feedback(message_id=row[0], user_id=row[1] or None, value=row[2], comment=row[3], updated_at=row[4])


def put_feedback(
    backend: Backend, tenant: str, message_id: UUID, user: str, value: int, comment: str | None
) -> Query[Feedback]:
    """Store a user's thumb, new or other than before; gives nothing if there is no such message."""
    parameters = {"tenant": tenant, "message_id": message_id, "user": user, "value": value, "comment": comment}
    return Query(_put_feedback(backend.upsert), to_feedback, parameters)


_NOTE_THUMB = (
    update(MESSAGES)
    .where(MESSAGES.c.tenant_id == TENANT, MESSAGES.c.id == MESSAGE_ID, MESSAGES.c.annotated.is_(False))
    .values(annotated=True)
)


def note_thumb(tenant: str, message_id: UUID) -> Write:
    """Note on a message that there is something noted on it."""
    return Write(_NOTE_THUMB, {"tenant": tenant, "message_id": message_id})


_DELETE_FEEDBACK = delete(FEEDBACK).where(
    FEEDBACK.c.tenant_id == TENANT, FEEDBACK.c.message_id == MESSAGE_ID, FEEDBACK.c.user_id == bindparam("user")
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
    .where(FEEDBACK_CHANGES.c.tenant_id == TENANT, FEEDBACK_CHANGES.c.message_id == MESSAGE_ID)
    .order_by(FEEDBACK_CHANGES.c.id)
)


def _to_change(row: Sequence[Any]) -> FeedbackChange:
    return FeedbackChange(
        id=row[0], message_id=row[1], user_id=row[2] or None, value=row[3], comment=row[4], created_at=row[5]
    )


def feedback_changes(tenant: str, message_id: UUID) -> Query[FeedbackChange]:
    """Select every thumb ever given on a message, oldest first."""
    return Query(_CHANGES, _to_change, {"tenant": tenant, "message_id": message_id})
