"""The declarative base: one metadata, one naming convention, one schema name."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import ForeignKeyConstraint, MetaData, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ragstore.core.types import Key

SCHEMA = "ragstore"
"""The schema's name in the metadata. Another one, or none on SQLite, goes with each execution."""

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Constraint names are the same on every database, so that errors and migrations can name them."""

TENANT_LENGTH = 64
DEFAULT_TENANT = "default"


class Base(DeclarativeBase):
    """Base of every table class."""

    metadata = MetaData(schema=SCHEMA, naming_convention=NAMING)


def table_of(row: type[Base]) -> Table:
    """Give a table class's table, for writing statements."""
    return cast(Table, row.__table__)


class TenantRow:
    """Mixin: `tenant_id` leads the primary key, and with it every key that refers to it."""

    tenant_id: Mapped[str] = mapped_column(
        Key(TENANT_LENGTH), primary_key=True, server_default=DEFAULT_TENANT, sort_order=-100
    )


def child_of(local: str, table: str) -> ForeignKeyConstraint:
    """Make a foreign key to a row of the same tenant, with which this row goes."""
    columns = ["tenant_id", local], [f"{SCHEMA}.{table}.tenant_id", f"{SCHEMA}.{table}.id"]
    return ForeignKeyConstraint(*columns, ondelete="CASCADE")


STRICT: dict[str, Any] = {"sqlite_strict": True}
"""SQLite then checks the types that PostgreSQL checks."""

POSTGRESQL_ONLY: dict[str, Any] = {"info": {"only": "postgresql"}}
SQLITE_ONLY: dict[str, Any] = {"info": {"only": "sqlite"}, "sqlite_strict": True}
