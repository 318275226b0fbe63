"""The frame of a script for PostgreSQL: it checks, locks and sets what the migration does when it is connected."""

from __future__ import annotations

from ragstore.backends.postgresql import ddl
from ragstore.core.sql import literal, quoted
from ragstore.migrations import on_postgresql, states
from ragstore.migrations.offline import Plan

_HEAD = """-- ragstore, from {start} to {end}, for PostgreSQL. Run it by  psql --set ON_ERROR_STOP=1 --file
-- All of it is one transaction: if a statement fails, nothing is changed.
"""
_BEGIN = "\nBEGIN ISOLATION LEVEL READ COMMITTED;\n"
_SET = "SELECT pg_catalog.set_config('{name}', {value}, true);\n"
_COPY = "SELECT pg_catalog.set_config('{new}', pg_catalog.current_setting('{old}'), true);\n"
_LOCK = "SELECT pg_catalog.pg_advisory_xact_lock({key}); -- nobody else migrates meanwhile\n"

_GUARD = """
-- Refuse a database that is at another revision.
DO $guard$
DECLARE
    found text;
BEGIN
    IF pg_catalog.to_regclass({table_name}) IS NOT NULL THEN
        SELECT pg_catalog.string_agg(version_num, ', ' ORDER BY version_num) INTO found FROM {table};
    END IF;
    IF found IS DISTINCT FROM {start} THEN
        RAISE EXCEPTION 'the database is at %, and this script begins at %: nothing was changed',
            coalesce(found, 'no revision'), coalesce({start}, 'no revision');
    END IF;
END
$guard$;
"""
_SERVER = """
DO $server$
BEGIN
    IF pg_catalog.current_setting('server_version_num')::int < {server} THEN
        RAISE EXCEPTION 'PostgreSQL {server_name} or later is needed: nothing was changed';
    END IF;
    IF pg_catalog.getdatabaseencoding() <> 'UTF8' THEN
        RAISE EXCEPTION 'a database in UTF8 is needed: nothing was changed';
    END IF;
END
$server$;
"""
_SCHEMA = """
-- The schema, if it is missing. Leave this block out if an administrator makes it.
DO $schema$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = {name}) THEN
        CREATE SCHEMA {schema};
    END IF;
END
$schema$;
"""
_EXTENSION = """
-- The extension, if it is missing. Leave this block out if an administrator makes it.
DO $extension$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'vector') THEN
        CREATE EXTENSION vector SCHEMA {vector};
    END IF;
END
$extension$;

DO $vector$
DECLARE
    e record;
BEGIN
    SELECT x.extversion AS version, n.nspname AS schema INTO e
    FROM pg_catalog.pg_extension AS x JOIN pg_catalog.pg_namespace AS n ON n.oid = x.extnamespace
    WHERE x.extname = 'vector';
    IF e.schema IS DISTINCT FROM {vector_name} THEN
        RAISE EXCEPTION 'pgvector is in schema %, and this script was written for %: nothing was changed',
            coalesce(e.schema, '(none)'), {vector_name};
    END IF;
    IF pg_catalog.string_to_array(e.version, '.')::int[] < ARRAY[{minimum}] THEN
        RAISE EXCEPTION 'pgvector is %, and {minimum_name} or later is needed: nothing was changed', e.version;
    END IF;
END
$vector$;
"""


def script(plan: Plan, changes: str, *, transaction: bool) -> str:
    """Write the script."""
    before, after = _settings(transaction)
    head = _HEAD.format(start=plan.start or "base", end=plan.end or "base")
    lock = _LOCK.format(key=on_postgresql.key_of(plan.job.schema))
    ready = "" if plan.down else _ready(plan)
    return f"{head}{_BEGIN if transaction else ''}{before}{lock}{_guard(plan)}{ready}\n{changes}{after}"


def _settings(transaction: bool) -> tuple[str, str]:
    """Write what sets the time-outs and the search path, and what ends them."""
    wanted = "".join(_SET.format(name=name, value=literal(value)) for name, value in on_postgresql.SETTINGS.items())
    if transaction:
        return wanted, "\nCOMMIT;\n"
    kept, put_back = (
        "".join(_COPY.format(new=to.format(name), old=of.format(name)) for name in on_postgresql.SETTINGS)
        for to, of in (("ragstore.{}", "{}"), ("{}", "ragstore.{}"))
    )
    return f"\n{kept}{wanted}", f"\n{put_back}"


def _guard(plan: Plan) -> str:
    table = f"{plan.prefix}{states.VERSION_TABLE}"
    start = "NULL" if plan.start is None else literal(plan.start)
    return _GUARD.format(table=table, table_name=literal(table), start=f"{start}::text")


def _ready(plan: Plan) -> str:
    name, vector = plan.job.schema, plan.vector_schema
    minimum = ", ".join(map(str, ddl.VECTOR_MINIMUM))
    server = on_postgresql.SERVER_MINIMUM
    parts = [_SERVER.format(server=server, server_name=server // 10000)] if plan.start is None else []
    parts.append(_SCHEMA.format(name=literal(name), schema=quoted(name)) if plan.start is None else "")
    parts.append(
        _EXTENSION.format(
            vector=quoted(vector),
            vector_name=literal(vector),
            minimum=minimum,
            minimum_name=minimum.replace(", ", "."),
        )
    )
    return "".join(parts)
