"""SQLite's catalogue of our tables, in a form that is equal if and only if the objects are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Connection, StaticPool, create_engine, inspect, text
from sqlalchemy.engine import Inspector
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from ragstore.backends.sqlite import ddl
from ragstore.core.base import SCHEMA
from ragstore.migrations.sides import Catalogue
from ragstore.schema import tables_for

_SPACES = re.compile(r"\s+")
_OPTIONS = re.compile(r"WITHOUT ROWID\s+STRICT")
_PREDICATE = re.compile(r"\bWHERE\b(.*)", re.IGNORECASE | re.DOTALL)
_Item = tuple[tuple[str, str, str], str]


def declared_and_found(connection: Connection, schema: str, *, owned: bool) -> tuple[Catalogue, Catalogue]:
    """Make what is declared in memory, and read both catalogues."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        with engine.connect() as twin:
            _make_twins(twin)
            names = {table.name for table in tables_for("sqlite")}
            return _read(twin, names), _read(connection, names)
    finally:
        engine.dispose()


def _make_twins(connection: Connection) -> None:
    for table in tables_for("sqlite"):
        elements: list[ExecutableDDLElement] = [CreateTable(table), *map(CreateIndex, table.indexes)]
        for element in elements:
            statement = str(element.compile(dialect=connection.dialect)).replace(f"{SCHEMA}.", "")
            # SQLAlchemy 2.0.37 leaves out the comma
            connection.exec_driver_sql(_OPTIONS.sub("WITHOUT ROWID, STRICT", statement))
    for statement in ddl.STORAGE:
        connection.exec_driver_sql(statement)


def _read(connection: Connection, names: set[str]) -> Catalogue:
    """Read the tables of these names: the file is the host's, and other tables in it are too."""
    inspector = inspect(connection)
    tables = "SELECT name, wr, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
    found: Catalogue = {}
    for table, without_rowid, strict in connection.execute(text(tables)).all():
        if table in names:
            found["table", table, table] = " ".join(
                word for word, there in (("table", True), ("WITHOUT ROWID", without_rowid), ("STRICT", strict)) if there
            )
            for reader in (_columns, _indexes, _triggers):
                found.update(reader(connection, table))
            found.update(_constraints(inspector, table))
    return found


def _columns(connection: Connection, table: str) -> Iterator[_Item]:
    query = 'SELECT name, type, "notnull", dflt_value, hidden FROM pragma_table_xinfo(:table)'
    for name, kind, not_null, default, hidden in connection.execute(text(query), {"table": table}):
        words = [kind, "NOT NULL" if not_null else "", f"DEFAULT {_bare(default)}" if default is not None else ""]
        yield ("column", table, name), " ".join(filter(None, [*words, "GENERATED" if hidden else ""]))


def _indexes(connection: Connection, table: str) -> Iterator[_Item]:
    """Read what was made by CREATE INDEX; the indexes of constraints are seen as constraints."""
    query = """
        SELECT i.name, i."unique", m.sql FROM pragma_index_list(:table) AS i
        JOIN main.sqlite_master AS m ON m.type = 'index' AND m.name = i.name WHERE i.origin = 'c'
    """
    parts = 'SELECT name, "desc", coll FROM pragma_index_xinfo(:index) WHERE key ORDER BY seqno'
    for name, unique, sql in connection.execute(text(query), {"table": table}).all():
        keys = [
            f"{column or 'expression'}{' DESC' if descending else ''} COLLATE {collation}"
            for column, descending, collation in connection.execute(text(parts), {"index": name})
        ]
        predicate = _PREDICATE.search(sql)
        yield (
            ("index", table, name),
            f"{'UNIQUE ' if unique else ''}({', '.join(keys)}){' WHERE ' + _plain(predicate[1]) if predicate else ''}",
        )


def _triggers(connection: Connection, table: str) -> Iterator[_Item]:
    query = "SELECT name, sql FROM main.sqlite_master WHERE type = 'trigger' AND tbl_name = :table"
    for name, sql in connection.execute(text(query), {"table": table}):
        yield ("trigger", table, name), _plain(sql)


def _constraints(inspector: Inspector, table: str) -> Iterator[_Item]:
    key = inspector.get_pk_constraint(table)
    yield ("constraint", table, str(key["name"])), f"PRIMARY KEY ({', '.join(key['constrained_columns'])})"
    for unique in inspector.get_unique_constraints(table):
        yield ("constraint", table, str(unique["name"])), f"UNIQUE ({', '.join(unique['column_names'])})"
    for check in inspector.get_check_constraints(table):
        yield ("constraint", table, str(check["name"])), f"CHECK ({_plain(check['sqltext'])})"
    for link in inspector.get_foreign_keys(table):
        here, there = ", ".join(link["constrained_columns"]), ", ".join(link["referred_columns"])
        options = " ".join(f"{name} {value}" for name, value in sorted(link.get("options", {}).items()))
        yield (
            ("constraint", table, str(link["name"])),
            f"FOREIGN KEY ({here}) {link['referred_table']} ({there}) {options}",
        )


def _bare(default: str) -> str:
    """Take off parentheses around the whole: SQLAlchemy 2.0 and 2.1 write a different number of them."""
    text_, depth = _plain(default), 0
    for place, sign in enumerate(text_):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return _bare(text_[1:-1]) if sign == ")" and text_[0] == "(" and place == len(text_) - 1 else text_
    return text_


def _plain(sql: str) -> str:
    return _SPACES.sub(" ", sql).strip()
