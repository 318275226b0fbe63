"""What the database holds of conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ragstore.core.base import STRICT, Base, TenantRow, child_of
from ragstore.core.clock import utc_now
from ragstore.core.types import Flag, Id, Integers, Json, Key, Money, Real, UtcDateTime, Whole

HOST_ID_BYTES = 255
LANGUAGE_BYTES = 35

IS_OPEN = "status IN ('pending', 'streaming')"
IS_KEPT = "pinned OR role = 'system'"
HAS_USAGE = (
    "response_time IS NOT NULL OR model IS NOT NULL OR resolved_model IS NOT NULL OR input_tokens IS NOT NULL"
    " OR output_tokens IS NOT NULL OR cached_tokens IS NOT NULL OR reasoning_tokens IS NOT NULL OR cost IS NOT NULL"
)
"""The conditions of partial indexes; a statement that is to use one repeats it to the letter."""


def _where(condition: str) -> dict[str, Any]:
    return {"postgresql_where": text(condition), "sqlite_where": text(condition)}


class ConversationRow(TenantRow, Base):
    """A thread of messages. `head` is its newest `seq`; appending locks this row."""

    __tablename__ = "rag_conversation"
    __table_args__ = (
        UniqueConstraint("tenant_id", "thread_id"),
        Index(None, "tenant_id", "user_id", "last_activity", "id"),
        Index(None, "tenant_id", "last_activity", "id"),
        STRICT,
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    thread_id: Mapped[str] = mapped_column(Key(HOST_ID_BYTES))
    user_id: Mapped[str | None] = mapped_column(Key(HOST_ID_BYTES))
    organisation_id: Mapped[str | None] = mapped_column(Key(HOST_ID_BYTES))
    collection: Mapped[str | None] = mapped_column(Key(63))
    title: Mapped[str | None] = mapped_column(Text)
    pinned: Mapped[bool] = mapped_column(Flag, server_default=text("false"))
    meta: Mapped[dict[str, Any]] = mapped_column("metadata", Json, key="meta")
    head: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    leaf_id: Mapped[UUID | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=utc_now())
    last_activity: Mapped[datetime] = mapped_column(UtcDateTime, server_default=utc_now())
    # Some message has siblings: the way from the leaf to the root is then not all messages by `seq`.
    branched: Mapped[bool] = mapped_column(Flag, server_default=text("false"))
    # The language its messages were analysed in for search, and how many they are with how many words; NULL: not yet.
    language: Mapped[str | None] = mapped_column(Key(LANGUAGE_BYTES))
    searchable: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    words: Mapped[int] = mapped_column(Whole, server_default=text("0"))


class MessageRow(TenantRow, Base):
    """One turn. `seq` alone orders a conversation; `parent_id` makes branches."""

    __tablename__ = "rag_message"
    __table_args__ = (
        child_of("conversation_id", "rag_conversation"),
        UniqueConstraint("tenant_id", "conversation_id", "seq"),
        UniqueConstraint("tenant_id", "conversation_id", "client_id"),
        Index(None, "tenant_id", "conversation_id", "parent_id"),
        Index("ix_rag_message_open", "updated_at", **_where(IS_OPEN)),
        Index("ix_rag_message_kept", "tenant_id", "conversation_id", "seq", **_where(IS_KEPT)),
        Index("ix_rag_message_usage", "tenant_id", "created_at", **_where(HAS_USAGE)),
        CheckConstraint("role IN ('system', 'user', 'assistant', 'tool')", name="role"),
        CheckConstraint("status IN ('pending', 'streaming', 'complete', 'error', 'cancelled')", name="status"),
        CheckConstraint("response_time >= 0", name="response_time"),
        STRICT,
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    conversation_id: Mapped[UUID] = mapped_column(Id)
    seq: Mapped[int] = mapped_column(Integer)
    parent_id: Mapped[UUID | None] = mapped_column(Id)
    client_id: Mapped[str | None] = mapped_column(Key(HOST_ID_BYTES))
    role: Mapped[str] = mapped_column(Key(16))
    status: Mapped[str] = mapped_column(Key(16), server_default="complete")
    content: Mapped[str] = mapped_column(Text)
    parts: Mapped[list[Any] | None] = mapped_column(Json)
    meta: Mapped[dict[str, Any]] = mapped_column("metadata", Json, key="meta")
    response_time: Mapped[float | None] = mapped_column(Real)
    model: Mapped[str | None] = mapped_column(Key(HOST_ID_BYTES))
    resolved_model: Mapped[str | None] = mapped_column(Key(HOST_ID_BYTES))
    input_tokens: Mapped[int | None] = mapped_column(Integer)
    output_tokens: Mapped[int | None] = mapped_column(Integer)
    cached_tokens: Mapped[int | None] = mapped_column(Integer)
    reasoning_tokens: Mapped[int | None] = mapped_column(Integer)
    cost: Mapped[Decimal | None] = mapped_column(Money)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=utc_now())
    pinned: Mapped[bool] = mapped_column(Flag, server_default=text("false"))
    # When its text last grew or was finished; NULL: it was complete from the start.
    updated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # False: it cites nothing and nobody has rated it, so that readers need not look.
    annotated: Mapped[bool] = mapped_column(Flag, server_default=text("true"))
    # What a finished message is found by: its length in words, and its terms, ascending, with how often each stands
    # there. In its own row, as a table of their own made an append twice as slow. NULL: it has no words, or not yet.
    words: Mapped[int | None] = mapped_column(Integer)
    terms: Mapped[Sequence[int] | None] = mapped_column(Integers)
    counts: Mapped[Sequence[int] | None] = mapped_column(Integers)


class CitationRow(TenantRow, Base):
    """What an answer cited, as it was then; the chunk is a plain id and may be gone."""

    __tablename__ = "rag_citation"
    __table_args__ = (
        child_of("message_id", "rag_message"),
        Index(None, "tenant_id", "chunk_id"),
        STRICT,
    )

    message_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    rank: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    chunk_id: Mapped[UUID | None] = mapped_column(Id)
    document_id: Mapped[UUID | None] = mapped_column(Id)
    collection: Mapped[str | None] = mapped_column(Key(63))
    source: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    snippet: Mapped[str] = mapped_column(Text)
    score: Mapped[float | None] = mapped_column(Real)
    start_offset: Mapped[int | None] = mapped_column(Integer)
    end_offset: Mapped[int | None] = mapped_column(Integer)
    page: Mapped[int | None] = mapped_column(Integer)
    heading: Mapped[str | None] = mapped_column(Text)


class FeedbackRow(TenantRow, Base):
    """One user's thumb on a message; no user is the empty text, which a unique key can hold."""

    __tablename__ = "rag_feedback"
    __table_args__ = (
        child_of("message_id", "rag_message"),
        CheckConstraint("value IN (-1, 1)", name="value"),
        STRICT,
    )

    message_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    user_id: Mapped[str] = mapped_column(Key(HOST_ID_BYTES), primary_key=True, server_default="")
    value: Mapped[int] = mapped_column(Integer)
    comment: Mapped[str | None] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=utc_now())


class FeedbackChangeRow(TenantRow, Base):
    """Every thumb ever given, in the order of its id."""

    __tablename__ = "rag_feedback_change"
    __table_args__ = (
        child_of("message_id", "rag_message"),
        Index(None, "tenant_id", "message_id", "user_id"),
        STRICT,
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    message_id: Mapped[UUID] = mapped_column(Id)
    user_id: Mapped[str] = mapped_column(Key(HOST_ID_BYTES), server_default="")
    value: Mapped[int | None] = mapped_column(Integer)
    comment: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=utc_now())
