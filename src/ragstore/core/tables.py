"""The one row that says which code may run on this schema."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Integer
from sqlalchemy.orm import Mapped, mapped_column

from ragstore.core.base import STRICT, Base
from ragstore.core.types import Key


class MetaRow(Base):
    """The schema's number, and the least code that may run on it."""

    __tablename__ = "rag_meta"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"), STRICT)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    schema_number: Mapped[int] = mapped_column(Integer)
    min_code: Mapped[int] = mapped_column(Integer)
    writer: Mapped[str] = mapped_column(Key(64))
