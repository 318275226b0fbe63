"""Beside a host's own Alembic: what its autogenerate must not see, and foreign keys to our tables.

In the host's `env.py`:

    from ragstore.alembic import include_name, include_object

    context.configure(..., include_name=include_name, include_object=include_object)

On PostgreSQL a host without `include_schemas=True` needs neither: our tables are in a schema of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, Table, Uuid
from sqlalchemy.schema import SchemaItem

from ragstore.core.base import SCHEMA
from ragstore.errors import InvalidInput
from ragstore.schema import metadata

if TYPE_CHECKING:
    from alembic.runtime.environment import NameFilterParentNames, NameFilterType

__all__ = ["include_name", "include_object", "reference"]

_OURS = frozenset({*(table.name for table in metadata.tables.values()), "rag_version"})
_REFERENCES = MetaData()


def include_name(
    name: str | None, type_: NameFilterType, parent_names: NameFilterParentNames, *, schema: str = SCHEMA
) -> bool:
    """Say whether a host's autogenerate may look at a name in the database: not at ours.

    Ours are the schema, and in the default schema (on SQLite there is no other) the tables that ragstore declares and
    its version table; with them go their columns, indexes and constraints. Other names that begin with `rag_` are the
    host's.

    Args:
        name: As Alembic calls it.
        type_: As Alembic calls it.
        parent_names: As Alembic calls it.
        schema: PostgreSQL schema of our tables.

    Returns:
        False for what is ours.

    Example:
        Another schema, and a rule of the host's:

        >>> from functools import partial
        >>> from ragstore.alembic import include_name
        >>> not_ragstore = partial(include_name, schema="rag")
        >>> def theirs(name, type_, parent_names):
        ...     return not_ragstore(name, type_, parent_names) and name != "spatial_ref_sys"
        >>> [theirs(name, "schema", {}) for name in (None, "billing", "rag")]
        [True, True, False]
    """
    if type_ == "schema":
        return name != schema
    table = name if type_ == "table" else parent_names.get("table_name")
    return not _is_ours(parent_names.get("schema_name"), table, schema)


def include_object(
    object: SchemaItem,  # noqa: A002 - as Alembic calls it
    name: str | None,
    type_: str,
    reflected: bool,
    compare_to: SchemaItem | None,
    *,
    schema: str = SCHEMA,
) -> bool:
    """Say whether a host's autogenerate may compare an object: not a table of ours, nor what belongs to one.

    As `include_name`, for what that does not see: our tables in a MetaData that the host gives to Alembic.

    Args:
        object: As Alembic calls it.
        name: As Alembic calls it.
        type_: As Alembic calls it.
        reflected: As Alembic calls it.
        compare_to: As Alembic calls it.
        schema: PostgreSQL schema of our tables.

    Returns:
        False for what is ours. A foreign key of the host's to one of our tables is the host's.
    """
    table = object if isinstance(object, Table) else getattr(object, "table", None)
    return table is None or not _is_ours(table.schema, table.name, schema)


def _is_ours(found: str | None, table: str | None, schema: str) -> bool:
    return found == schema or (found is None and table in _OURS)


def reference(table: str, *, schema: str | None = SCHEMA) -> Table:
    """Give a table of ours for a foreign key of the host's: its primary key, outside the host's MetaData.

    So `create_all`, `drop_all` and autogenerate of the host's MetaData do not know it, and leave it alone.

    Args:
        table: Its name: "rag_document", "rag_chunk", "rag_conversation", "rag_message", ...
        schema: PostgreSQL schema of our tables; None on SQLite.

    Returns:
        A table with the columns of the primary key.

    Raises:
        InvalidInput: There is no such table.

    Example:
        >>> from sqlalchemy import Column, ForeignKeyConstraint, Integer, MetaData, String, Table, Uuid
        >>> from ragstore.alembic import reference
        >>> document = reference("rag_document")
        >>> review = Table(
        ...     "review",
        ...     MetaData(),
        ...     Column("id", Integer, primary_key=True),
        ...     Column("tenant_id", String(64)),
        ...     Column("document_id", Uuid),
        ...     ForeignKeyConstraint(["tenant_id", "document_id"], [document.c.tenant_id, document.c.id]),
        ... )
        >>> sorted(key.target_fullname for key in review.foreign_keys)
        ['ragstore.rag_document.id', 'ragstore.rag_document.tenant_id']
    """
    declared = metadata.tables.get(f"{SCHEMA}.{table}")
    if declared is None:
        raise InvalidInput(f"{table!r} is none of {', '.join(sorted(_OURS - {'rag_version'}))}", field="table")
    # sqlalchemy's own type, so that what the host generates from it needs nothing of ours
    keys = [
        Column(key.name, Uuid() if isinstance(key.type, Uuid) else key.type, primary_key=True)
        for key in declared.primary_key
    ]
    return Table(table, _REFERENCES, *keys, schema=schema, keep_existing=True)
