"""What the database holds of rate limits."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from ragstore.core.base import STRICT, Base, TenantRow
from ragstore.core.types import Digest, Key, UtcDateTime, Whole


class RateLimitRow(TenantRow, Base):
    """How one limit stands for one key; what the numbers mean is told in `algorithms`.

    `expires_at` is rounded up to an hour or the period, so that most hits leave it as it is: a hit that changes no
    indexed column needs no new index entry on PostgreSQL.
    """

    __tablename__ = "rag_rate_limit"
    __table_args__ = (Index(None, "expires_at"), {"sqlite_with_rowid": False, **STRICT})

    policy: Mapped[str] = mapped_column(Key(63), primary_key=True)
    rule: Mapped[str] = mapped_column(Key(32), primary_key=True)
    key: Mapped[bytes] = mapped_column(Digest(), primary_key=True)
    mark: Mapped[int] = mapped_column(Whole)
    used: Mapped[int] = mapped_column(Whole)
    previous: Mapped[int] = mapped_column(Whole)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
