"""Managed indexes on PostgreSQL: what there is to do, and doing it.

CREATE INDEX CONCURRENTLY cannot be part of a transaction, so nothing can be locked around it. Instead each decision is
made in a short transaction that holds the lock which a build holds to its end: whoever has it knows that nobody is
building, and that what is invalid is dead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Engine, select, text

from ragstore.backends.postgresql import indexes as approximate
from ragstore.core.base import SCHEMA
from ragstore.core.sql import quoted
from ragstore.corpus.backend import IndexSpec
from ragstore.corpus.records import EmbeddingSpace
from ragstore.corpus.statements.spaces import space_columns, to_space
from ragstore.corpus.tables import SpaceRow
from ragstore.migrations import catalogue_postgresql as catalogue
from ragstore.migrations.indexing import managed
from ragstore.migrations.indexing.building import Builder
from ragstore.migrations.indexing.plan import Wish, is_invalid, of_table, wrong
from ragstore.migrations.indexing.sessions import settings
from ragstore.migrations.indexing.work import Work
from ragstore.migrations.results import IndexReport
from ragstore.migrations.sides import Catalogue

_INDEX = ("index",)
_VECTORS = "rag_embedding"
_SPACES = select(SpaceRow.tenant_id, SpaceRow.index_options, *space_columns(SpaceRow)).where(
    SpaceRow.index_method != "none"
)
_HIDDEN = text("SELECT pg_catalog.row_security_active(:table)")


@dataclass(frozen=True, slots=True)
class _Space:
    """A space that is to have an approximate index."""

    tenant: str
    record: EmbeddingSpace
    spec: IndexSpec


def ensure(engine: Engine, connection: Connection, work: Work) -> tuple[IndexReport, ...]:
    """Make every managed index right."""
    wishes, spaces = _wishes(connection, work.job.schema)
    if not wishes and not spaces:
        return ()
    with settings(connection) as direct:
        builder = Builder(engine, connection, work, direct=direct)
        reports = [report for wish in wishes for report in builder.make(wish)]
        for space in spaces:
            builder.record_ready(space)
        return tuple(reports)


def _wishes(connection: Connection, schema: str) -> tuple[list[Wish], list[tuple[str, UUID]]]:
    """List what is not as it should be, and the spaces (tenant and id) whose indexes are to be recorded as ready."""
    with _comparing(connection, schema):
        found = catalogue.read(connection, schema, _INDEX)
        there = of_table(found, _VECTORS)
        wanted_spaces = _spaces(connection, schema)
        spaces = {name: space for name, space in (wanted_spaces or {}).items() if _is_wrong(space, there.get(name))}
        for space in spaces.values():
            statement = approximate.definition("pg_temp", space.record, space.spec)
            connection.execute(text(f"CREATE INDEX {statement}"))
        declared = catalogue.read_twins(connection, _INDEX)
        definitions = catalogue.define_twins(connection)
        gone = [] if wanted_spaces is None else _gone(connection, schema, there, wanted_spaces)
    wanted = [(table, str(index.name)) for table, index in managed.managed("postgresql")]
    wanted += [(_VECTORS, name) for name in spaces]
    wishes = [Wish(table, name, declared["index", table, name], definitions[name]) for table, name in wanted]
    wishes += [Wish(_VECTORS, name, None) for name in gone]
    wishes += _left(found, [wish.name for wish in wishes])
    wrong_ones = [wish for wish in wishes if wrong(wish, of_table(found, wish.table))]
    return wrong_ones, [(space.tenant, space.record.id) for space in spaces.values()]


@contextmanager
def _comparing(connection: Connection, schema: str) -> Iterator[None]:
    try:
        with catalogue.twins(connection, schema, owned=True):
            yield
    finally:
        if not connection.invalidated:
            connection.execution_options(isolation_level="AUTOCOMMIT")


def _spaces(connection: Connection, schema: str) -> dict[str, _Space] | None:
    """Read, by their indexes' names, the spaces that are to have one; None: row-level security hides some."""
    if _hides_tenants(connection, schema):
        return None
    spaces = {}
    for tenant, options, *values in connection.execute(
        _SPACES, execution_options={"schema_translate_map": {SCHEMA: schema}}
    ):
        record = to_space(values)
        spec = IndexSpec(record.index_method, record.quantization, options)
        spaces[approximate.name(record.id)] = _Space(tenant, record, spec)
    return spaces


def _is_wrong(space: _Space, what: str | None) -> bool:
    """Say whether a space's index is missing, invalid, or recorded as invalid; one that is just begun is left alone."""
    if what is None:
        return space.record.index_state != "building"
    return is_invalid(what) or space.record.index_state == "invalid"


def _gone(connection: Connection, schema: str, there: dict[str, str], spaces: dict[str, _Space]) -> list[str]:
    """Name the approximate indexes of deleted spaces, and the invalid ones that no space wants any more."""
    unused = approximate.unused(schema)
    names = {approximate.name(unused.make(row)) for row in connection.execute(unused.statement, unused.parameters)}
    unwanted = {
        name for name, what in there.items() if managed.is_approximate(name) and is_invalid(what) and name not in spaces
    }
    return sorted(names | unwanted)


def _hides_tenants(connection: Connection, schema: str) -> bool:
    """Say whether row-level security hides spaces from this role: they would look as if they were gone."""
    return bool(connection.execute(_HIDDEN, {"table": f"{quoted(schema)}.rag_embedding_space"}).scalar())


def _left(found: Catalogue, wanted: list[str]) -> list[Wish]:
    """List what killed runs have left behind of indexes that are not wanted any more."""
    known = {of(name) for name in wanted for of in (managed.building, managed.retired)}
    return [Wish(table, name, None) for _, table, name in sorted(found) if managed.is_left(name) and name not in known]
