"""PostgreSQL's catalogue of our tables, in a form that is equal if and only if the objects are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text
from sqlalchemy.schema import CreateIndex, CreateTable

from ragstore.backends.postgresql import ddl
from ragstore.core.base import SCHEMA
from ragstore.core.sql import quoted
from ragstore.errors import ExtensionMissing
from ragstore.migrations.sides import Catalogue
from ragstore.migrations.versions import rs_0002, rs_0004
from ragstore.schema import tables_for

_FUNCTIONS = (rs_0002.CHARGE, rs_0004.APPEND)
"""Each function as the last revision that wrote it has it: there is no other declaration of it."""

_OURS = """
SELECT c.oid, c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.oid = :namespace AND c.relkind IN ('r', 'p') AND c.relname LIKE 'rag\\_%' AND c.relname <> 'rag_version'
"""
_QUERIES = {
    "table": """
        SELECT c.relname::text, c.relname::text, concat_ws(' ', c.relkind,
          CASE WHEN c.relpersistence = 'u' THEN 'unlogged' END, c.reloptions::text)
        FROM pg_class AS c WHERE c.oid = ANY (:tables)
    """,
    "column": """
        SELECT c.relname::text, a.attname::text, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
          CASE WHEN a.attcollation <> t.typcollation THEN 'COLLATE ' || o.collname END,
          CASE WHEN a.attnotnull THEN 'NOT NULL' END, 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid),
          CASE WHEN a.attidentity <> '' THEN 'IDENTITY' END, CASE WHEN a.attgenerated <> '' THEN 'GENERATED' END,
          'STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN'
                                          ELSE 'EXTENDED' END)
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_type AS t ON t.oid = a.atttypid
        LEFT JOIN pg_collation AS o ON o.oid = a.attcollation
        LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = ANY (:tables) AND a.attnum > 0 AND NOT a.attisdropped
    """,
    "index": """
        SELECT c.relname::text, x.relname::text, concat_ws(' ', CASE WHEN i.indisunique THEN 'UNIQUE' END,
          CASE WHEN i.indnullsnotdistinct THEN 'NULLS NOT DISTINCT' END, m.amname, '(' || (
            SELECT string_agg(concat_ws(' ', pg_get_indexdef(i.indexrelid, k.n::int, true), p.opcname,
              (SELECT attoptions::text FROM pg_attribute WHERE attrelid = i.indexrelid AND attnum = k.n),
              CASE WHEN k.n <= i.indnkeyatts THEN i.indoption[k.n - 1]::text ELSE 'INCLUDED' END,
              CASE WHEN k.n <= i.indnkeyatts THEN (SELECT 'COLLATE ' || collname FROM pg_collation
                                                   WHERE oid = i.indcollation[k.n - 1]) END), ', ' ORDER BY k.n)
            FROM generate_series(1, i.indnatts) AS k (n)
            LEFT JOIN pg_opclass AS p ON p.oid = CASE WHEN k.n <= i.indnkeyatts THEN i.indclass[k.n - 1] END) || ')',
          x.reloptions::text, 'WHERE ' || pg_get_expr(i.indpred, i.indrelid),
          CASE WHEN NOT (i.indisvalid AND i.indisready AND i.indislive) THEN 'INVALID' END)
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid JOIN pg_class AS x ON x.oid = i.indexrelid
        JOIN pg_am AS m ON m.oid = x.relam WHERE i.indrelid = ANY (:tables)
    """,
    "constraint": """
        SELECT c.relname::text, k.conname::text, concat_ws(' ',
          CASE WHEN k.contype = 'f' THEN 'FOREIGN KEY (' || (
            SELECT string_agg(format('%I -> %I', a.attname, b.attname), ', ' ORDER BY u.n)
            FROM unnest(k.conkey, k.confkey) WITH ORDINALITY AS u (here, there, n)
            JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.here
            JOIN pg_attribute AS b ON b.attrelid = k.confrelid AND b.attnum = u.there)
            || format(') %I', f.relname) || format(' ON DELETE %s ON UPDATE %s MATCH %s', k.confdeltype, k.confupdtype,
              k.confmatchtype)
          ELSE pg_get_constraintdef(k.oid) END,
          CASE WHEN NOT k.convalidated THEN 'NOT VALID' END, CASE WHEN k.condeferrable THEN 'DEFERRABLE' END)
        FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid LEFT JOIN pg_class AS f ON f.oid = k.confrelid
        WHERE k.conrelid = ANY (:tables) AND k.contype IN ('c', 'f', 'p', 'u', 'x')
    """,
    "trigger": """
        SELECT c.relname::text, t.tgname::text, pg_get_triggerdef(t.oid, true) || ' ' || t.tgenabled::text
        FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE t.tgrelid = ANY (:tables) AND NOT t.tgisinternal
    """,
    "policy": """
        SELECT c.relname::text, p.polname::text, concat_ws(' ', p.polcmd, p.polpermissive::text,
          pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
        FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid WHERE p.polrelid = ANY (:tables)
    """,
    # the definition from the name on, without the schema; as a hash, since it fills pages
    "function": """
        SELECT '', format('%s(%s)', p.proname, oidvectortypes(p.proargtypes)), concat_ws(' ', l.lanname,
          CASE WHEN p.prosecdef THEN 'SECURITY DEFINER' END, p.proconfig::text,
          'SHA-256 ' || left(encode(sha256(convert_to(substr(d, strpos(d, p.proname || '(')), 'UTF8')), 'hex'), 16))
        FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
        CROSS JOIN LATERAL pg_get_functiondef(CASE WHEN p.prokind <> 'a' THEN p.oid END) AS d
        WHERE p.pronamespace = :namespace AND p.proname LIKE 'rag\\_%'
    """,
}
_LITERAL = r"'(?:[^']|'')*'"
_TEXT_CAST = re.compile(rf"(?P<literal>{_LITERAL})|::(?:character varying|text)(?:\(\d+\))?(?:\[\])?")
_IN_BRACKETS = re.compile(rf"\(({_LITERAL})\)")
_LIST = re.compile(rf"\(\((ARRAY\[{_LITERAL}(?:, {_LITERAL})*\])\)\)")
_DEFINITIONS = """
SELECT c.relname::text, x.relname::text, pg_get_indexdef(i.indexrelid)
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid JOIN pg_class AS x ON x.oid = i.indexrelid
WHERE c.relnamespace = pg_my_temp_schema()
"""


def declared_and_found(connection: Connection, schema: str, *, owned: bool) -> tuple[Catalogue, Catalogue]:
    """Make what is declared as temporary tables, read both catalogues, and roll back."""
    with twins(connection, schema, owned=owned):
        return read_twins(connection), read(connection, schema)


@contextmanager
def twins(connection: Connection, schema: str, *, owned: bool) -> Iterator[None]:
    """Make what is declared as temporary tables, which are rolled back at the end of the block."""
    with _rolled_back(connection, owned=owned):
        narrow_path(connection)
        _make_twins(connection, schema)
        yield


def narrow_path(connection: Connection) -> None:
    """Find names where they belong, until the transaction ends; the catalogue's texts depend on it."""
    extension = connection.execute(text(ddl.EXTENSION_SCHEMA)).scalar()
    if extension is None:
        raise ExtensionMissing("pgvector is not in this database, so nothing can be compared: run ragstore.upgrade")
    path = f"pg_catalog, {quoted(extension)}, pg_temp"
    connection.execute(text("SELECT set_config('search_path', :path, true)"), {"path": path})


def read(connection: Connection, schema: str, kinds: Collection[str] = frozenset(_QUERIES)) -> Catalogue:
    """Read the catalogue of our tables."""
    oid = connection.execute(text("SELECT oid FROM pg_namespace WHERE nspname = :schema"), {"schema": schema}).scalar()
    return _read(connection, oid, kinds)


def read_twins(connection: Connection, kinds: Collection[str] = frozenset(_QUERIES)) -> Catalogue:
    """Read the catalogue of the temporary tables."""
    return _read(connection, connection.execute(text("SELECT pg_my_temp_schema()")).scalar(), kinds)


def define_twins(connection: Connection) -> dict[str, str]:
    """Give what follows CREATE INDEX and the table's name for each of the twins' indexes, whatever the search path."""
    connection.execute(text("SELECT set_config('search_path', 'pg_catalog, pg_temp', true)"))
    rows = connection.execute(text(_DEFINITIONS))
    return {name: "USING " + definition.partition(f".{table} USING ")[2] for table, name, definition in rows}


@contextmanager
def _rolled_back(connection: Connection, *, owned: bool) -> Iterator[None]:
    if owned:
        connection.rollback()
        connection.execution_options(isolation_level="READ COMMITTED")
        try:
            yield
        finally:
            connection.rollback()
        return
    nested = connection.begin_nested()
    try:
        yield
    finally:
        nested.rollback()


def _make_twins(connection: Connection, schema: str) -> None:
    options = {"schema_translate_map": {SCHEMA: "pg_temp"}}
    for table in tables_for("postgresql"):
        connection.execute(CreateTable(table), execution_options=options)
        for index in table.indexes:
            connection.execute(CreateIndex(index), execution_options=options)
    for statement in ddl.STORAGE:
        connection.exec_driver_sql(statement.format(schema="pg_temp"))
    for function in _FUNCTIONS:
        # its text names our tables, which are not looked for until it is called
        twin = function.replace("{schema}", "pg_temp", 1).replace("{schema}", quoted(schema))
        connection.exec_driver_sql(twin.replace("%", "%%"))


def _read(connection: Connection, oid: object, kinds: Collection[str]) -> Catalogue:
    tables = [row[0] for row in connection.execute(text(_OURS), {"namespace": oid})]
    values = {"tables": tables, "namespace": oid}
    return {
        (kind, table, name): _plain(description)
        for kind, query in _QUERIES.items()
        if kind in kinds
        for table, name, description in connection.execute(text(query), values)
    }


def _plain(description: str) -> str:
    """Leave out what PostgreSQL adds to an expression when it reads its own text again, as a restored dump does.

    `varchar IN ('a', 'b')` is printed with a cast of the whole list, and after a restore with one of each item.
    """
    without = _TEXT_CAST.sub(lambda found: found["literal"] or "", description)
    return _LIST.sub(r"(\1)", _IN_BRACKETS.sub(r"\1", without))
