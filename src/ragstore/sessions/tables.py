"""What the database holds of sessions; nothing in it can be presented as a token."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ragstore.core.base import STRICT, Base, TenantRow
from ragstore.core.types import Digest, Id, Json, Key, UtcDateTime, Whole

HOST_ID_BYTES = 255
KIND_BYTES = 63


class SessionRow(TenantRow, Base):
    """A session. It is over from `ends_at` on: the end of silence or the absolute end, or when it was revoked.

    Of the secret there is the SHA-256 alone, and the `nonce` by which whoever presents an older secret can derive it.
    The durations are microseconds, as they were when it was made.
    """

    __tablename__ = "rag_session"
    __table_args__ = (
        Index(None, "tenant_id", "user_id", "kind", "created_at", "id"),
        Index(None, "tenant_id", "organisation_id"),
        Index(None, "ends_at"),
        CheckConstraint("revoked_because IN ('revoked', 'replaced', 'evicted', 'replayed')", name="because"),
        CheckConstraint("(revoked_at IS NULL) = (revoked_because IS NULL)", name="revoked"),
        STRICT,
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(Key(KIND_BYTES))
    user_id: Mapped[str | None] = mapped_column(Key(HOST_ID_BYTES))
    organisation_id: Mapped[str | None] = mapped_column(Key(HOST_ID_BYTES))
    secret_hash: Mapped[bytes] = mapped_column(Digest())
    nonce: Mapped[bytes] = mapped_column(Digest())
    generation: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    rotated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    stamp: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    idle_timeout: Mapped[int | None] = mapped_column(Whole)
    touch_interval: Mapped[int] = mapped_column(Whole)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_because: Mapped[str | None] = mapped_column(Key(16))
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    data_version: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    schema_version: Mapped[int] = mapped_column(Integer)
    ip: Mapped[str | None] = mapped_column(Text)
    agent: Mapped[str | None] = mapped_column(Text)
    label: Mapped[str | None] = mapped_column(Text)


class SessionUserRow(TenantRow, Base):
    """A user whose stamp was changed or whose sessions are counted; its lock makes his logins wait for each other.

    Sessions made with another stamp are over. A user without a row has the stamp 0.
    """

    __tablename__ = "rag_session_user"
    __table_args__ = (STRICT,)

    user_id: Mapped[str] = mapped_column(Key(HOST_ID_BYTES), primary_key=True)
    stamp: Mapped[int] = mapped_column(Integer, server_default=text("0"))
