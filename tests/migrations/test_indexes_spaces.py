"""The approximate indexes of embedding spaces, over all tenants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from ragstore import Store
from ragstore.migrations import check, ensure_indexes, upgrade

SQL = Callable[..., list[Any]]


def made(url: str, tenant: str, **options: Any) -> str:
    """Make a collection with an index; give the index's name."""
    with Store.open(url) as store:
        mine = store.for_tenant(tenant)
        mine.collections.ensure("c", model="m", dimensions=3)
        status = mine.spaces.create_index("c", **options)
        assert status is not None
        assert status.name is not None
        return status.name


def leave_invalid(url: str, run_sql: SQL, name: str) -> None:
    """Mark an index as a build leaves it that was ended; the row says so too."""
    run_sql(
        url,
        f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ragstore.{name}'::regclass",
        f"UPDATE ragstore.rag_embedding_space SET index_state = 'invalid' WHERE id = '{name[4:]}'",
    )


def definition(url: str, run_sql: SQL, name: str) -> Any:
    return run_sql(
        url,
        "SELECT pg_get_indexdef(c.oid), i.indisvalid, s.index_state FROM pg_class AS c"
        " JOIN pg_index AS i ON i.indexrelid = c.oid"
        " JOIN ragstore.rag_embedding_space AS s ON s.id = CAST(substr(c.relname, 5) AS uuid) WHERE relname = :name",
        name=name,
    )


@pytest.mark.parametrize(
    "options",
    [{}, {"m": 8, "ef_construction": 32}, {"method": "ivfflat", "lists": 5}, {"quantization": "binary"}],
    ids=["hnsw", "options", "ivfflat", "binary"],
)
def test_invalid_ones_are_built_again(postgres_database: str, run_sql: SQL, options: dict[str, Any]) -> None:
    """M16: whichever tenant's, exactly as before, and recorded as ready."""
    upgrade(postgres_database)
    names = [made(postgres_database, tenant, **options) for tenant in ("a", "b")]
    before = [definition(postgres_database, run_sql, name) for name in names]
    for name in names:
        leave_invalid(postgres_database, run_sql, name)
    reports = ensure_indexes(postgres_database)
    assert sorted((report.index, report.table, report.action) for report in reports) == sorted(
        (name, "rag_embedding", "rebuilt") for name in names
    )
    assert [definition(postgres_database, run_sql, name) for name in names] == before
    assert check(postgres_database) == ()
    assert ensure_indexes(postgres_database) == ()


def test_the_extension_in_another_schema(postgres_database: str, run_sql: SQL) -> None:
    """M37: types, functions and operator classes are named in full; one that is only recorded is built."""
    run_sql(postgres_database, "CREATE SCHEMA ext", "CREATE EXTENSION vector SCHEMA ext")
    upgrade(postgres_database)
    name = make_url(postgres_database).database
    run_sql(postgres_database, f"ALTER DATABASE {name} SET search_path = public, ext")
    index = made(postgres_database, "a", quantization="binary")
    run_sql(postgres_database, f"ALTER DATABASE {name} RESET search_path", f"DROP INDEX ragstore.{index}")
    (report,) = ensure_indexes(postgres_database)
    assert (report.index, report.action) == (index, "built")
    assert "ext.binary_quantize" in definition(postgres_database, run_sql, index)[0][0]


def test_indexes_of_deleted_spaces_are_dropped(postgres_database: str, run_sql: SQL) -> None:
    """M16: also one that is invalid, and one that its space does not want any more."""
    upgrade(postgres_database)
    kept = made(postgres_database, "a")
    unwanted = made(postgres_database, "b")
    leave_invalid(postgres_database, run_sql, unwanted)
    run_sql(postgres_database, f"UPDATE ragstore.rag_embedding_space SET index_method = 'none', index_state = 'none'"
            f" WHERE id = '{unwanted[4:]}'")  # fmt: skip
    gone = f"ann_{uuid4().hex}"
    run_sql(postgres_database, f"CREATE INDEX {gone} ON ragstore.rag_embedding (tenant_id)")
    reports = ensure_indexes(postgres_database)
    assert sorted((report.index, report.action) for report in reports) == sorted(
        [(unwanted, "dropped"), (gone, "dropped")]
    )
    left = run_sql(postgres_database, "SELECT relname FROM pg_class WHERE starts_with(relname, 'ann_')")
    assert left == [(kept,)]


def test_one_that_is_right_is_recorded(postgres_database: str, run_sql: SQL) -> None:
    """M16: a run that was killed between the build and the record of it is made up for."""
    upgrade(postgres_database)
    name = made(postgres_database, "a")
    run_sql(postgres_database, "UPDATE ragstore.rag_embedding_space SET index_state = 'invalid'")
    assert ensure_indexes(postgres_database) == ()
    assert definition(postgres_database, run_sql, name)[0][1:] == (True, "ready")


def test_one_that_is_only_begun_is_left_alone(postgres_database: str, run_sql: SQL) -> None:
    """M18: the store's own builder writes "building" first; it is not interfered with."""
    upgrade(postgres_database)
    index = made(postgres_database, "a")
    run_sql(
        postgres_database,
        f"DROP INDEX ragstore.{index}",
        "UPDATE ragstore.rag_embedding_space SET index_state = 'building'",
    )
    assert ensure_indexes(postgres_database) == ()
