"""The statements that append."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, literal_column, select, update

from ragstore.conversations.statements.base import (
    CITATIONS,
    CONVERSATION_ID,
    CONVERSATIONS,
    MESSAGE_ID,
    MESSAGES,
    TENANT,
)
from ragstore.core.clock import utc_now
from ragstore.core.query import Query, Selected, Write
from ragstore.core.types import Id

FIELDS = (
    "id",
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
    "annotated",
)
"""The columns of a message that the host has a say in."""

_ADVANCE = (
    update(CONVERSATIONS)
    .where(CONVERSATIONS.c.tenant_id == TENANT, CONVERSATIONS.c.id == CONVERSATION_ID)
    .values(
        head=bindparam("new_head"),
        leaf_id=bindparam("new_leaf", type_=Id()),
        branched=bindparam("now_branched"),
        searchable=CONVERSATIONS.c.searchable + bindparam("new_searchable"),
        words=CONVERSATIONS.c.words + bindparam("new_words"),
        last_activity=utc_now(),
    )
    .returning(CONVERSATIONS.c.last_activity)
)
_INSERT_MESSAGES = insert(MESSAGES)
_INSERT_CITATIONS = insert(CITATIONS)
_DELETE_CITATIONS = delete(CITATIONS).where(CITATIONS.c.tenant_id == TENANT, CITATIONS.c.message_id == MESSAGE_ID)
_PARENT: Selected = select(literal_column("1")).where(
    MESSAGES.c.tenant_id == TENANT,
    MESSAGES.c.conversation_id == CONVERSATION_ID,
    MESSAGES.c.id == bindparam("parent", type_=Id()),
)


def advance(tenant: str, conversation_id: UUID, values: dict[str, Any]) -> Query[datetime]:
    """Note a locked conversation's new head, leaf and sums, and give the time."""
    return Query(_ADVANCE, lambda row: row[0], {"tenant": tenant, "conversation_id": conversation_id, **values})


def parent(tenant: str, conversation_id: UUID, parent_id: UUID) -> Query[int]:
    """Give a row if the message is one of the conversation's."""
    parameters = {"tenant": tenant, "conversation_id": conversation_id, "parent": parent_id}
    return Query(_PARENT, lambda row: row[0], parameters)


def insert_messages(rows: Sequence[dict[str, Any]]) -> Write:
    """Insert messages."""
    return Write(_INSERT_MESSAGES, rows)


def delete_citations(tenant: str, message_id: UUID) -> Write:
    """Delete what a message cites."""
    return Write(_DELETE_CITATIONS, {"tenant": tenant, "message_id": message_id})


def insert_citations(rows: Sequence[dict[str, Any]]) -> Write:
    """Insert citations."""
    return Write(_INSERT_CITATIONS, rows)
