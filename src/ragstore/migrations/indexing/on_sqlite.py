"""Managed indexes on SQLite: each is made in a write transaction of its own, which others wait for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Literal

from sqlalchemy import Connection, Engine, Index
from sqlalchemy.schema import CreateIndex

from ragstore.core.base import SCHEMA
from ragstore.core.sql import quoted
from ragstore.migrations import catalogue_sqlite
from ragstore.migrations.indexing import managed
from ragstore.migrations.indexing.work import Work, logger
from ragstore.migrations.results import IndexReport


def ensure(_engine: Engine, connection: Connection, work: Work) -> tuple[IndexReport, ...]:
    """Make every managed index right."""
    return tuple(_reports(connection, work))


def _reports(connection: Connection, work: Work) -> Iterator[IndexReport]:
    for table, index in work.look(connection, partial(_wrong, connection)):
        work.tell(str(index.name), "building index")
        report = work.alone(connection, partial(_make, connection, table, index))
        if report is not None:
            logger.info("%s %s", report.action, report.index)
            yield report
        work.hands.pause(0)  # raises if the caller waits no longer


def _wrong(connection: Connection) -> dict[tuple[str, Index], Literal["built", "replaced"]]:
    """Find the indexes that are not as declared, and what is to be done with them."""
    declared, found = catalogue_sqlite.declared_and_found(connection, "", owned=True)
    return {
        (table, index): "replaced" if key in found else "built"
        for table, index in managed.managed("sqlite")
        for key in [("index", table, str(index.name))]
        if found.get(key) != declared[key]
    }


def _make(connection: Connection, table: str, index: Index) -> IndexReport | None:
    action = _wrong(connection).get((table, index))
    if action is None:
        return None  # another process was faster
    if action == "replaced":
        connection.exec_driver_sql(f"DROP INDEX {quoted(str(index.name))}")
    statement = str(CreateIndex(index).compile(dialect=connection.dialect)).replace(f"{SCHEMA}.", "")
    connection.exec_driver_sql(statement)
    return IndexReport(index=str(index.name), table=table, action=action)
