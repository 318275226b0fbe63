"""What holds of every table that is declared."""

import pytest
from sqlalchemy import ForeignKeyConstraint, String, Table, UniqueConstraint, inspect

from ragstore.core.base import Base
from ragstore.core.types import Key
from ragstore.schema import metadata, tables_for

SHARED = {"rag_meta"}  # one row for all tenants
INTEGER_KEYED = {"rag_chunk_key", "rag_posting"}  # SQLite's postings, which hang on a chunk of one tenant
TABLES = [table for table in metadata.sorted_tables if table.name not in SHARED | INTEGER_KEYED]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_tenant_leads_every_key(table: Table) -> None:
    assert next(iter(table.primary_key.columns)).name == "tenant_id"
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint | ForeignKeyConstraint):
            assert next(iter(constraint.columns)).name == "tenant_id", constraint.name


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_foreign_key_has_an_index_that_begins_with_it(table: Table) -> None:
    indexed = [[c.name for c in index.columns] for index in table.indexes]
    indexed += [[c.name for c in con.columns] for con in table.constraints if isinstance(con, UniqueConstraint)]
    indexed.append([c.name for c in table.primary_key.columns])
    for constraint in table.foreign_key_constraints:
        names = [c.name for c in constraint.columns]
        assert any(columns[: len(names)] == names for columns in indexed), f"{table.name}: {names}"


@pytest.mark.parametrize("mapper", Base.registry.mappers, ids=lambda mapper: mapper.class_.__name__)
def test_attribute_and_key_are_the_same(mapper: object) -> None:
    """`insert(table)` takes values by key: under another name they would be dropped silently."""
    for attribute in inspect(mapper).column_attrs:  # type: ignore[union-attr]
        assert attribute.columns[0].key == attribute.key


def test_all_constraints_have_names_that_fit() -> None:
    for table in metadata.sorted_tables:
        for item in [*table.constraints, *table.indexes]:
            assert item.name is not None, table.name
            assert len(str(item.name)) <= 63, item.name


def test_compared_text_is_ordered_by_code_point() -> None:
    from sqlalchemy.dialects import postgresql

    assert 'COLLATE "C"' in Key(10).compile(dialect=postgresql.dialect())
    for table in tables_for("postgresql"):
        for column in [*table.primary_key.columns, *(c for i in table.indexes for c in i.columns)]:
            if isinstance(column.type, String):
                written = column.type.compile(dialect=postgresql.dialect())
                assert 'COLLATE "C"' in written, (table.name, column.name)
