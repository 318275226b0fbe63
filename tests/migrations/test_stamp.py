"""`stamp`: the way out where the version record was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from ragstore.backends import read_url
from ragstore.errors import InvalidInput, SchemaDamaged, UpgradeLockTimeout, UsageError
from ragstore.migrations import State, astamp, chain, check, current, stamp, status, upgrade

SQL = Callable[..., list[Any]]
DAMAGES = {
    "M23: version row deleted": "DELETE FROM rag_version",
    "M23: version table dropped": "DROP TABLE rag_version",
    "M24: two rows": "INSERT INTO rag_version VALUES ('rs_0000')",
    "M24: two rows that are ours": "INSERT INTO rag_version VALUES ('{other}')",
    "meta row deleted": "DELETE FROM rag_meta",
    "both deleted": "DELETE FROM rag_meta; DELETE FROM rag_version",
    "a revision nobody knows": "UPDATE rag_version SET version_num = 'rs_00xx'",
    "another one's": "UPDATE rag_version SET version_num = 'f00'; DELETE FROM rag_meta",
}
WRITES = ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE")


def planted(url: str, run_sql: SQL, statements: str) -> None:
    prefix = "ragstore." if make_url(url).get_backend_name() == "postgresql" else ""
    run_sql(url, *(part.replace("rag_", f"{prefix}rag_") for part in statements.split(";") if part.strip()))


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("revision", ["rs_0001", chain.HEAD])
def test_damaged_then_stamped(database_url: str, run_sql: SQL, damage: str, revision: str) -> None:
    """M23, M24: refused with a message that names `stamp`; after it, all is well."""
    upgrade(database_url, revision)
    healthy = status(database_url)
    other = "rs_0002" if revision != "rs_0002" else "rs_0001"
    planted(database_url, run_sql, damage.format(other=other))
    damaged = status(database_url)
    assert damaged.state in (State.DAMAGED, State.FOREIGN)
    if damaged.state is State.DAMAGED and "unknown" not in damaged.problem:
        assert "ragstore.migrations.stamp" in damaged.problem
        with pytest.raises(SchemaDamaged, match="ragstore db stamp"):
            upgrade(database_url)
    result = stamp(database_url, revision)
    assert (result.from_revision, result.to_revision) == (damaged.revision, revision)
    assert (result.applied, result.committed) == ((), True)
    assert status(database_url) == healthy
    assert upgrade(database_url).applied == chain.CHAIN[chain.position(revision) :]
    assert check(database_url) == ()


@pytest.mark.parametrize("there", [None, *chain.CHAIN])
def test_never_by_guess(database_url: str, run_sql: SQL, statements: list[str], there: str | None) -> None:
    """M23: another revision than the tables have is refused, and nothing is written."""
    if there:
        upgrade(database_url, there)
        planted(database_url, run_sql, "DELETE FROM rag_version")
    before = status(database_url)
    for revision in chain.CHAIN:
        if revision != there:
            statements.clear()
            expected = UsageError if there is None and "sqlite" in database_url else SchemaDamaged
            with pytest.raises(expected, match=r"missing|is there|no database"):
                stamp(database_url, revision)
            assert not [statement for statement in statements if statement.lstrip().startswith(WRITES)]
    assert status(database_url) == before


def test_it_names_what_is_wrong(database_url: str) -> None:
    """M23: the tables and the columns."""
    upgrade(database_url, "rs_0003")
    with pytest.raises(SchemaDamaged, match=r"not rs_0004: rag_conversation.branched is missing.*nothing was changed"):
        stamp(database_url, "head")
    with pytest.raises(SchemaDamaged, match=r"not rs_0001: rag_rate_limit is there, rag_session is there"):
        stamp(database_url, "rs_0001")


def test_anothers_version_table(database_url: str, run_sql: SQL) -> None:
    """M26: a table with our name that is not ours is left alone."""
    upgrade(database_url)
    planted(database_url, run_sql, "DROP TABLE rag_version; CREATE TABLE rag_version (number INTEGER)")
    with pytest.raises(SchemaDamaged, match="rag_version is not ragstore's"):
        stamp(database_url, "head")


def test_a_missing_function(postgres_database: str, run_sql: SQL) -> None:
    """M23: what has neither a table nor a column is looked for as well."""
    upgrade(postgres_database)
    planted(postgres_database, run_sql, "DELETE FROM rag_version; DROP FUNCTION rag_message_append")
    with pytest.raises(SchemaDamaged, match="rag_message_append is missing"):
        stamp(postgres_database, "head")
    assert current(postgres_database) is None


@pytest.mark.parametrize("damage", ["", "DELETE FROM rag_version"])
def test_a_newer_schema(database_url: str, run_sql: SQL, damage: str) -> None:
    """M22: this code does not know what it should hold."""
    upgrade(database_url)
    newer = "UPDATE rag_version SET version_num = 'rs_0999'; UPDATE rag_meta SET schema_number = 999;" + damage
    planted(database_url, run_sql, newer)
    before = status(database_url)
    with pytest.raises(UsageError, match="newer ragstore"):
        stamp(database_url, "head")
    assert status(database_url) == before


@pytest.mark.parametrize("revision", ["base", "+1", "rs_0999", ""])
def test_no_such_revision(database_url: str, revision: str) -> None:
    """M23: only what a database can be at."""
    with pytest.raises(InvalidInput, match="revision"):
        stamp(database_url, revision)


def test_in_the_callers_transaction(engine: Engine, run_sql: SQL, database_url: str) -> None:
    """M28: a rollback takes the record with it, and the result said so."""
    upgrade(engine)
    planted(database_url, run_sql, "DELETE FROM rag_version")
    with engine.connect() as connection, connection.begin() as transaction:
        assert stamp(connection, "head").committed is False
        assert current(connection) == chain.HEAD
        transaction.rollback()
    assert current(engine) is None
    assert stamp(engine, chain.HEAD).committed
    assert current(engine) == chain.HEAD


def test_awaited(database_url: str, run_sql: SQL) -> None:
    """M32: with a URL and with an async engine."""
    upgrade(database_url)

    async def both() -> None:
        planted(database_url, run_sql, "DELETE FROM rag_version")
        assert (await astamp(database_url, "head")).committed
        planted(database_url, run_sql, "DELETE FROM rag_version")
        driver = {"sqlite": "sqlite+aiosqlite"}.get(read_url(database_url).get_backend_name())
        url = read_url(database_url)
        engine = create_async_engine(url.set(drivername=driver) if driver else url)
        assert (await astamp(engine, "head")).to_revision == chain.HEAD
        async with engine.connect() as connection:
            assert (await astamp(connection, "head")).committed is False
        await engine.dispose()

    asyncio.run(both())
    assert current(database_url) == chain.HEAD


def test_waits_for_a_migration(postgres_database: str, engine_of: Callable[[str], Engine]) -> None:
    """M13: it takes the same lock as `upgrade`."""
    upgrade(postgres_database)
    with engine_of(postgres_database).connect() as holder:
        stamp(holder, "head")
        with pytest.raises(UpgradeLockTimeout):
            stamp(postgres_database, "head", timeout=0.1)


@pytest.fixture
def engine_of() -> Any:
    from sqlalchemy import create_engine

    made: list[Engine] = []

    def make(url: str) -> Engine:
        made.append(create_engine(read_url(url)))
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()
