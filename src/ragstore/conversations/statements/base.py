"""What the statements of conversations share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, ColumnElement, MetaData, Table, bindparam, cast
from sqlalchemy.types import TypeEngine

from ragstore.conversations.tables import (
    CitationRow,
    ConversationRow,
    FeedbackChangeRow,
    FeedbackRow,
    MessageRow,
)
from ragstore.core.backend import UpsertInsert
from ragstore.core.base import SCHEMA, TENANT_LENGTH, table_of
from ragstore.core.types import Id, Key

CITATIONS = table_of(CitationRow)
CONVERSATIONS = table_of(ConversationRow)
FEEDBACK = table_of(FeedbackRow)
FEEDBACK_CHANGES = table_of(FeedbackChangeRow)
MESSAGES = table_of(MessageRow)
# The corpus's table as this aggregate sees it; a `table()` would not follow the schema that goes with an execution.
CHUNKS = Table("rag_chunk", MetaData(), Column("tenant_id", Key(TENANT_LENGTH)), Column("id", Id()), schema=SCHEMA)

Upsert = Callable[[Table], UpsertInsert]
"""A backend's; statements that need it are made once for each."""

TENANT: Any = bindparam("tenant")
THREAD: Any = bindparam("thread")
CONVERSATION_ID: Any = bindparam("conversation_id", type_=Id())
MESSAGE_ID: Any = bindparam("message_id", type_=Id())
ROWS: Any = bindparam("rows")

IS_ITS_CONVERSATION = (CONVERSATIONS.c.tenant_id == MESSAGES.c.tenant_id) & (
    CONVERSATIONS.c.id == MESSAGES.c.conversation_id
)
"""Joins a message to its conversation."""

IS_THE_THREAD = (CONVERSATIONS.c.tenant_id == TENANT, CONVERSATIONS.c.thread_id == THREAD)


def bound(name: str, type_: TypeEngine[Any]) -> ColumnElement[Any]:
    """Give a parameter of a type that the database is told: where it cannot know, it would take it for text."""
    return cast(bindparam(name, type_=type_), type_)
