"""What the role that the application connects as may do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ragstore.core.sql import quoted
from ragstore.migrations.states import META_TABLE, VERSION_TABLE
from ragstore.operations.doctor.looking import Advice, Check, Look
from ragstore.operations.doctor.postgresql.catalogue import OURS

_READ_ONLY = (META_TABLE, VERSION_TABLE)
_WANTED = ("SELECT", "INSERT", "UPDATE", "DELETE")

_TABLES = f"""
SELECT c.relname::text, has_table_privilege(c.oid, 'SELECT'), has_table_privilege(c.oid, 'INSERT'),
  has_table_privilege(c.oid, 'UPDATE'), has_table_privilege(c.oid, 'DELETE'), pg_has_role(c.relowner, 'USAGE'),
  pg_get_userbyid(c.relowner)::text
{OURS} ORDER BY 1
"""
_SCHEMA = "SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = :schema"
_FUNCTIONS = """
SELECT p.oid::regprocedure::text FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = :schema AND starts_with(p.proname, 'rag_') AND NOT has_function_privilege(p.oid, 'EXECUTE')
"""
_TEMPORARY = "SELECT has_database_privilege(current_database(), 'TEMPORARY')"


def _role(look: Look) -> str:
    return quoted(look.facts["role"])


def schema_rights(look: Look) -> Iterator[Advice]:
    """The role may look into the schema."""
    if look.value(_SCHEMA, schema=look.schema) is False:
        grant = f"GRANT USAGE ON SCHEMA {quoted(look.schema)} TO {_role(look)};"
        yield Advice(
            "error", f"schema {look.schema}", f"the role {_role(look)} may not use it: every call fails", grant
        )


def table_rights(look: Look) -> Iterator[Advice]:
    """The role may read and write every table."""
    lacking: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, *may, _owns, _owner in look.rows(_TABLES, schema=look.schema):
        wanted = _WANTED[:1] if name in _READ_ONLY else _WANTED
        missing = tuple(right for right, has in zip(_WANTED, may, strict=True) if right in wanted and not has)
        if missing:
            lacking[missing].append(name)
    for rights, names in lacking.items():
        listed = ", ".join(rights)
        tables = ", ".join(f"{quoted(look.schema)}.{quoted(name)}" for name in names)
        what = f"the role {_role(look)} lacks {listed}: calls that need it fail with PermissionDenied"
        yield Advice("error", ", ".join(names), what, f"GRANT {listed} ON {tables} TO {_role(look)};")


def function_rights(look: Look) -> Iterator[Advice]:
    """The role may call our functions."""
    for (name,) in look.rows(_FUNCTIONS, schema=look.schema):
        what = f"the role {_role(look)} may not call it: what uses it fails with PermissionDenied"
        yield Advice("error", name, what, f"GRANT EXECUTE ON FUNCTION {name} TO {_role(look)};")


def ownership(look: Look) -> Iterator[Advice]:
    """The role owns the tables, which an upgrade and an index build need."""
    others = {row[6] for row in look.rows(_TABLES, schema=look.schema) if not row[5]}
    if others:
        owners = ", ".join(sorted(others))
        what = f"they belong to {owners}: the role {_role(look)} can neither upgrade nor build indexes"
        yield Advice("hint", "the tables", what, f"connect as {owners} for  ragstore db upgrade  and for index builds")


def temporary_rights(look: Look) -> Iterator[Advice]:
    """The role may make the temporary tables of `migrations.check`."""
    if not look.value(_TEMPORARY):
        name = quoted(look.facts["name"])
        what = f"the role {_role(look)} may make no temporary tables: `ragstore db check` fails"
        grant = f"GRANT TEMPORARY ON DATABASE {name} TO {_role(look)};  or check as another role"
        yield Advice("hint", f"database {look.facts['name']}", what, grant)


CHECKS: tuple[Check, ...] = (schema_rights, table_rights, function_rights, ownership, temporary_rights)
