"""Feedback: a user's thumb on a message, and the record of every change."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ragstore.conversations import statements
from ragstore.conversations.reading import no_message
from ragstore.conversations.records import Feedback, Message
from ragstore.core.backend import Backend
from ragstore.core.ids import new_id
from ragstore.core.query import Steps

NOBODY = ""
"""No user in particular; a unique key cannot hold NULL."""


def has(message: Message, user: str, value: int) -> bool:
    """Say whether the user's thumb on the message is this one."""
    return any((thumb.user_id or NOBODY) == user and thumb.value == value for thumb in message.feedback)


def give(
    backend: Backend, tenant: str, message_id: UUID, user: str, value: int, comment: str | None
) -> Steps[Feedback]:
    """Store a user's thumb, or raise `NotFound`; the change is noted under its row lock, so in the order given."""
    given: list[Feedback] = yield statements.put_feedback(backend, tenant, message_id, user, value, comment)
    if not given:
        raise no_message(message_id)
    yield statements.note_thumb(tenant, message_id)
    yield statements.insert_feedback_change(_change(tenant, message_id, user, value, comment))
    return given[0]


def take_back(tenant: str, message_id: UUID, user: str) -> Steps[bool]:
    """Delete a user's thumb; the change is noted."""
    deleted: int = yield statements.delete_feedback(tenant, message_id, user)
    if deleted:
        yield statements.insert_feedback_change(_change(tenant, message_id, user, None, None))
    return deleted > 0


def _change(tenant: str, message_id: UUID, user: str, value: int | None, comment: str | None) -> dict[str, Any]:
    return {
        "tenant_id": tenant,
        "id": new_id(),
        "message_id": message_id,
        "user_id": user,
        "value": value,
        "comment": comment,
    }
