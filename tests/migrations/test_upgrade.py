"""One process, one database, each kind of target."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import URL, Engine, StaticPool, create_engine, event, inspect, make_url, text
from sqlalchemy.orm import Session

from ragstore.backends import read_url
from ragstore.backends.postgresql import ddl
from ragstore.errors import (
    ExtensionMissing,
    InvalidInput,
    MigrationError,
    PermissionDenied,
    ReadOnlyError,
    UsageError,
)
from ragstore.migrations import State, chain, check, current, downgrade, on_postgresql, runner, status, upgrade
from ragstore.schema import tables_for

FRESH = (None, chain.HEAD, chain.CHAIN)
SQL = Callable[..., list[Any]]


def outcome(result: Any) -> tuple[Any, ...]:
    return result.from_revision, result.to_revision, result.applied


def test_makes_every_declared_table(database_url: str, run_sql: SQL) -> None:
    """M51: all tables, one version row, one row that says which code may run."""
    result = upgrade(database_url)
    assert (outcome(result), result.committed) == (FRESH, True)
    engine = create_engine(read_url(database_url))
    schema = "ragstore" if engine.dialect.name == "postgresql" else None
    made = set(inspect(engine).get_table_names(schema=schema))
    engine.dispose()
    assert made == {table.name for table in tables_for(engine.dialect.name)} | {"rag_version"}
    prefix = "ragstore." if schema else ""
    assert run_sql(database_url, f"SELECT version_num FROM {prefix}rag_version") == [(chain.HEAD,)]
    assert run_sql(database_url, f"SELECT id, schema_number, min_code FROM {prefix}rag_meta") == [
        (1, chain.SCHEMA_NUMBER, runner.module(chain.HEAD).min_code)
    ]


def test_at_head_is_one_query(database_url: str, statements: list[str]) -> None:
    """M56: at head nothing is locked and one query of ours runs."""
    upgrade(database_url)
    statements.clear()
    result = upgrade(database_url)
    assert (result.applied, result.from_revision, result.committed) == ((), chain.HEAD, True)
    assert len(statements) == 1
    assert "rag_version" in statements[0]


def test_at_head_closes_its_connections(database_url: str, run_sql: SQL, statements: list[str]) -> None:
    """M56: fifty calls at head are fifty queries of ours, none of which locks, and leave no connection behind."""
    upgrade(database_url)
    gc.collect()
    process = psutil.Process()
    before = process.num_fds()
    statements.clear()
    for _ in range(50):
        upgrade(database_url)
    assert len(statements) == 50
    assert not [statement for statement in statements if "lock" in statement.lower() or "BEGIN" in statement]
    assert process.num_fds() <= before
    if make_url(database_url).get_backend_name() == "postgresql":
        now = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        deadline = time.monotonic() + 60  # a backend ends a moment after its client has gone
        while run_sql(database_url, now) != [(0,)]:
            assert time.monotonic() < deadline


@pytest.mark.parametrize("at_head", [False, True])
def test_engine_is_borrowed_and_left_as_it_was(engine: Engine, at_head: bool) -> None:
    """M32: an engine serves, commits, and gets its connection back with its own settings."""
    if at_head:
        upgrade(engine)
    with engine.connect() as connection:
        before = settings(connection)
    result = upgrade(engine)
    assert result.committed
    assert result.applied == (() if at_head else chain.CHAIN)
    with engine.connect() as connection:
        assert settings(connection) == before
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def settings(connection: Any) -> list[Any]:
    if connection.dialect.name == "sqlite":
        driver = connection.connection.driver_connection
        pragmas = ("foreign_keys", "busy_timeout", "journal_mode")
        return [driver.isolation_level, *(connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas)]
    names = ("lock_timeout", "statement_timeout", "search_path", "application_name", "transaction_isolation",
             "client_connection_check_interval")  # fmt: skip
    return [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names]


def test_engine_in_autocommit_and_engine_in_serializable_are_borrowed(postgres_database: str) -> None:
    """M30: an engine's isolation level is its host's affair; the migration has its own transaction."""
    for level in ("AUTOCOMMIT", "SERIALIZABLE"):
        engine = create_engine(read_url(postgres_database), isolation_level=level)
        assert upgrade(engine).committed
        assert current(engine) == chain.HEAD
        downgrade(engine, "base", allow_data_loss=True)
        engine.dispose()


def attaching(url: str, other: Path) -> Engine:
    """Give an engine that has another file open too."""
    engine = create_engine(read_url(url))
    event.listen(engine, "connect", lambda driver, _: driver.execute("ATTACH DATABASE ? AS aux", [str(other)]))
    return engine


@pytest.mark.parametrize("borrowed", [True, False], ids=["engine", "connection"])
def test_an_attached_database_is_not_the_hosts(sqlite_url: str, tmp_path: Path, borrowed: bool) -> None:
    """M26: what another file holds says nothing of this one."""
    upgrade(f"sqlite:///{tmp_path}/aux.db")
    engine = attaching(sqlite_url, tmp_path / "aux.db")
    assert status(engine).state is State.EMPTY
    with engine.begin() as connection:
        assert outcome(upgrade(engine if borrowed else connection)) == FRESH
    assert status(engine).state is State.CURRENT
    engine.dispose()
    assert status(sqlite_url).state is State.CURRENT


@pytest.mark.parametrize("factory", [bytes, bytearray])
def test_sqlite_text_that_comes_as_bytes(sqlite_url: str, factory: Any) -> None:
    """M39: refused, as PostgreSQL's is; the engine's connection and the caller's."""
    upgrade(sqlite_url)
    engine = create_engine(read_url(sqlite_url))
    event.listen(engine, "connect", lambda driver, _: setattr(driver, "text_factory", factory))
    for call in (status, upgrade, check):
        with pytest.raises(UsageError, match="text_factory"):
            call(engine)
        with engine.connect() as connection, pytest.raises(UsageError, match="text_factory"):
            call(connection)
    engine.dispose()


def test_sqlite_text_that_a_host_decodes(sqlite_url: str) -> None:
    """M39: any factory that makes str will do."""
    engine = create_engine(read_url(sqlite_url))
    event.listen(engine, "connect", lambda driver, _: setattr(driver, "text_factory", lambda raw: raw.decode()))
    assert outcome(upgrade(engine)) == FRESH
    engine.dispose()


def collated(driver: Any, _: object) -> None:
    driver.create_collation("theirs", lambda a, b: (a > b) - (a < b))


def test_sqlite_keys_of_the_host_that_cannot_be_checked(sqlite_url: str, run_sql: SQL) -> None:
    """M47: only our tables are looked at: a key to a column that is not unique, and a collation that is not there."""
    engine = create_engine(read_url(sqlite_url))
    event.listen(engine, "connect", collated)
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE p (a, b)",
            "CREATE TABLE ch (x REFERENCES p (b))",
            "CREATE TABLE q (a TEXT COLLATE theirs PRIMARY KEY)",
            "CREATE TABLE r (x TEXT COLLATE theirs REFERENCES q (a))",
            "INSERT INTO q VALUES ('a'), ('b')",
            "INSERT INTO r VALUES ('b')",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    assert outcome(upgrade(sqlite_url)) == FRESH
    assert downgrade(sqlite_url, "base", allow_data_loss=True).to_revision is None


def test_sqlite_engine_whose_events_begin_transactions(sqlite_url: str) -> None:
    """M32: the host's own BEGIN is no obstacle, and foreign keys are on again after it."""
    engine = create_engine(sqlite_url)

    @event.listens_for(engine, "connect")
    def _connect(driver: Any, _entry: object) -> None:
        driver.isolation_level = None
        driver.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    assert upgrade(engine).applied == chain.CHAIN
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


def test_caller_rolls_back(engine: Engine) -> None:
    """M28: what ran in the caller's transaction goes with it, and the result said so."""
    with engine.connect() as connection, connection.begin() as transaction:
        result = upgrade(connection)
        assert (outcome(result), result.committed) == (FRESH, False)
        assert current(connection) == chain.HEAD
        transaction.rollback()
    assert status(engine).state is State.EMPTY


def test_caller_commits(engine: Engine) -> None:
    """M29: after a plain SELECT the transaction is the caller's: nothing holds until the caller commits."""
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        before = settings(connection)
        assert upgrade(connection).committed is False
        assert settings(connection) == before
        assert upgrade(connection).committed is False
        connection.commit()
    assert status(engine).state is State.CURRENT
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        assert upgrade(connection).committed is False
        assert connection.in_transaction()


def test_caller_who_never_commits(engine: Engine) -> None:
    """M29: without the caller's commit nothing is left."""
    with engine.connect() as connection:
        upgrade(connection)
    assert status(engine).state is State.EMPTY


def test_autocommit_connection_is_refused(engine: Engine, statements: list[str]) -> None:
    """M30: refused before any statement."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        with pytest.raises(UsageError, match=r"AUTOCOMMIT|autocommit"):
            upgrade(connection)
        assert statements == []
    assert status(engine).state is State.EMPTY


def test_callers_serializable_transaction_is_refused(postgres_database: str) -> None:
    """M28: such a transaction could not see what another process has just migrated."""
    engine = create_engine(read_url(postgres_database), isolation_level="SERIALIZABLE")
    with engine.connect() as connection, pytest.raises(UsageError, match="READ COMMITTED"):
        upgrade(connection)
    engine.dispose()


def test_callers_schema_map_is_left_alone(postgres_database: str) -> None:
    """M28: a map of schema names on the host's connection moves neither our tables nor the host's."""
    engine = create_engine(read_url(postgres_database))
    theirs = {"ragstore": "elsewhere", None: "theirs"}
    with engine.connect().execution_options(schema_translate_map=theirs) as connection:
        upgrade(connection)
        assert connection.get_execution_options()["schema_translate_map"] == theirs
        connection.commit()
        names = connection.execute(text("SELECT DISTINCT schemaname FROM pg_tables WHERE tablename LIKE 'rag%'"))
        assert names.scalars().all() == ["ragstore"]
    engine.dispose()


@pytest.mark.parametrize("target", [None, 5, object(), Session()])
def test_other_targets_are_refused(target: Any) -> None:
    """M32: what is no database is named as such."""
    with pytest.raises(UsageError, match="pass a URL"):
        upgrade(target)


def test_unknown_revision(database_url: str) -> None:
    """M28: a revision that does not exist changes nothing."""
    upgrade(database_url)
    with pytest.raises(InvalidInput, match=", ".join(chain.CHAIN)):
        upgrade(database_url, "rs_7777")


def test_logging_is_the_hosts(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """M34: handlers, levels and `disabled` are those of before."""

    def state() -> dict[str, Any]:
        loggers = [logging.getLogger(), *map(logging.getLogger, ("alembic", "sqlalchemy", "host.app"))]
        return {log.name: (log.level, log.disabled, list(log.handlers), log.propagate) for log in loggers}

    logging.getLogger("host.app").setLevel(logging.DEBUG)
    before = state()
    upgrade(database_url)
    assert state() == before


def test_names_with_quotes_are_only_names(postgres_database: str, run_sql: SQL) -> None:
    """M26: any schema name is quoted, whatever stands in it; two schemas live side by side."""
    for schema in ('we"ird; DROP SCHEMA public; --', "100% :x {vector} 'q'", "Select", "a.b\\:c"):
        assert upgrade(postgres_database, schema=schema).applied == chain.CHAIN
        assert upgrade(postgres_database, schema=schema).applied == ()
        assert status(postgres_database, schema=schema).state is State.CURRENT
        assert check(postgres_database, schema=schema) == ()
        tables = "SELECT count(*) > 5 FROM pg_tables WHERE schemaname = :schema"
        assert run_sql(postgres_database, tables, schema=schema) == [(True,)]
        downgrade(postgres_database, "base", schema=schema, allow_data_loss=True)
    assert status(postgres_database).state is State.EMPTY


@pytest.mark.parametrize("schema", ["", " x", "x" * 64, "é" * 32, "a\0b"])
def test_impossible_schema_names(postgres_database: str, schema: str) -> None:
    """T03: refused before anything is asked."""
    with pytest.raises(InvalidInput, match="schema"):
        upgrade(postgres_database, schema=schema)


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf")])
def test_impossible_timeouts(sqlite_url: str, timeout: float) -> None:
    """M13: a deadline is a finite number of seconds."""
    with pytest.raises(InvalidInput, match="timeout"):
        upgrade(sqlite_url, timeout=timeout)


def test_a_hosts_alembic_is_not_touched(database_url: str, run_sql: SQL) -> None:
    """M26: the host's version table stays as it is."""
    run_sql(database_url, "CREATE TABLE alembic_version (version_num VARCHAR(32))")
    run_sql(database_url, "INSERT INTO alembic_version VALUES ('f00')")
    upgrade(database_url)
    assert run_sql(database_url, "SELECT version_num FROM alembic_version") == [("f00",)]


def as_role(url: str, role: str) -> URL:
    return make_url(url).set(username=role, password="secret")


def test_role_that_may_not_create_the_schema(postgres_database: str, role: str, run_sql: SQL) -> None:
    """M35: the message holds the GRANT; once it is given, the upgrade works."""
    run_sql(postgres_database, "CREATE EXTENSION vector")
    with pytest.raises(PermissionDenied, match="GRANT CREATE ON DATABASE") as caught:
        upgrade(as_role(postgres_database, role))
    assert status(postgres_database).state is State.EMPTY
    grant = str(caught.value).split("must run")[1].split(";")[0].strip()
    run_sql(postgres_database, grant)
    assert upgrade(as_role(postgres_database, role)).applied == chain.CHAIN


def test_schema_left_to_the_administrator(postgres_database: str, role: str, run_sql: SQL) -> None:
    """M35: with `create_schema=False` the schema must be there, and belong to the role."""
    run_sql(postgres_database, "CREATE EXTENSION vector")
    with pytest.raises(PermissionDenied, match="AUTHORIZATION") as caught:
        upgrade(as_role(postgres_database, role), create_schema=False)
    run_sql(postgres_database, str(caught.value).split("must run")[1].strip(" ;"))
    assert upgrade(as_role(postgres_database, role), create_schema=False).applied == chain.CHAIN


def test_schema_of_another_role(postgres_database: str, role: str, run_sql: SQL) -> None:
    """M35: a schema that the role may not make tables in."""
    run_sql(postgres_database, "CREATE SCHEMA ragstore", f"GRANT USAGE ON SCHEMA ragstore TO {role}")
    with pytest.raises(PermissionDenied, match="GRANT USAGE, CREATE ON SCHEMA"):
        upgrade(as_role(postgres_database, role))


def test_role_that_may_not_create_the_extension(postgres_database: str, role: str, run_sql: SQL) -> None:
    """M36: nothing is made, and the message holds the statement for the administrator."""
    run_sql(postgres_database, f'GRANT CREATE ON DATABASE "{make_url(postgres_database).database}" TO {role}')
    with pytest.raises(ExtensionMissing, match="CREATE EXTENSION vector") as caught:
        upgrade(as_role(postgres_database, role))
    assert run_sql(postgres_database, "SELECT 1 FROM pg_namespace WHERE nspname = 'ragstore'") == []
    run_sql(postgres_database, str(caught.value).split("must run")[1].split(";")[0])
    assert upgrade(as_role(postgres_database, role)).applied == chain.CHAIN


def test_extension_in_another_schema(postgres_database: str, run_sql: SQL) -> None:
    """M37: found wherever it is, without the search path."""
    run_sql(postgres_database, "CREATE SCHEMA ext", "CREATE EXTENSION vector SCHEMA ext")
    upgrade(postgres_database)
    assert check(postgres_database) == ()
    kind = "SELECT atttypid::regtype::text FROM pg_attribute WHERE attrelid = 'ragstore.rag_embedding'::regclass"
    assert run_sql(postgres_database, kind + " AND attname = 'half'") == [("ext.halfvec",)]


def test_planted_functions_are_not_run(postgres_database: str, run_sql: SQL) -> None:
    """T15: a function before pg_catalog in the role's search path is none of ours."""
    database = make_url(postgres_database).database
    run_sql(
        postgres_database,
        "CREATE SCHEMA evil",
        "CREATE FUNCTION evil.statement_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'",
        f'ALTER DATABASE "{database}" SET search_path = evil, pg_catalog, public',
    )
    upgrade(postgres_database)
    default = "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'ragstore.rag_chunk'::regclass"
    run_sql(postgres_database, f'ALTER DATABASE "{database}" RESET search_path')
    assert ("statement_timestamp()",) in run_sql(postgres_database, default)


def test_versions_below_the_floor(postgres_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """M38, M39: found and needed versions are named; nothing is made."""
    with monkeypatch.context() as patched:
        patched.setattr(ddl, "VECTOR_MINIMUM", (99, 1))
        with pytest.raises(MigrationError, match=r"pgvector is 0\.\d.*99\.1 or later"):
            upgrade(postgres_database)
    with monkeypatch.context() as patched:
        patched.setattr(on_postgresql, "SERVER_MINIMUM", 990000)
        with pytest.raises(MigrationError, match=r"PostgreSQL \d\d\.\d+.*99 or later"):
            upgrade(postgres_database)
    assert status(postgres_database).state is State.EMPTY


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_other_encodings(new_database: Callable[..., str], encoding: str) -> None:
    """M39: refused at the start with the reason, whether we make the engine or the host does."""
    url = new_database(f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    with pytest.raises(MigrationError, match=f"{encoding}.*UTF8"):
        upgrade(url)
    engine = create_engine(read_url(url))
    with pytest.raises(MigrationError, match="UTF8"):
        upgrade(engine)
    engine.dispose()
    gc.collect()  # SQLAlchemy leaves the host's connection open when its first look at a server fails


def test_read_only_database(postgres_database: str, run_sql: SQL, statements: list[str]) -> None:
    """M41: ReadOnlyError at once; at head there is nothing to write and nothing to refuse."""
    database = make_url(postgres_database).database
    run_sql(postgres_database, f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
    with pytest.raises(ReadOnlyError):
        upgrade(postgres_database, timeout=0)
    assert not [statement for statement in statements if "advisory" in statement or statement.startswith("CREATE")]
    run_sql(postgres_database, "SET default_transaction_read_only = off", f'ALTER DATABASE "{database}" RESET ALL')
    upgrade(postgres_database)
    run_sql(postgres_database, f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
    assert upgrade(postgres_database).applied == ()
    assert status(postgres_database).state is State.CURRENT


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///?uri=true",
        "sqlite:///:memory:",
        "sqlite:///:memory:?uri=true",
        "sqlite:///file:x?mode=memory&uri=true",
        "sqlite:///file::memory:?uri=true",
        "sqlite:///file::memory:?cache=shared&uri=true",
        "sqlite:///file:?uri=true",
        "sqlite:///file:/x?vfs=memdb&uri=true",
        URL.create("sqlite", database="file:x?mode=memory", query={"uri": "true"}),
    ],
)
def test_memory_by_url_is_refused(url: str | URL) -> None:
    """M45: each connection would have a database of its own."""
    with pytest.raises(UsageError, match="StaticPool"):
        upgrade(url)


def test_a_url_of_a_file_is_none_of_memory(tmp_path: Path) -> None:
    """M45: a file whose name only looks so is a file."""
    for name in ("mode=memory.db", "file:x"):
        url = f"sqlite:///{tmp_path}/{name}"
        assert upgrade(url).committed
        assert status(url).state is State.CURRENT


@pytest.mark.parametrize("url", ["sqlite://host/x.db", "sqlite:///x.db?uri=perhaps"])
def test_urls_that_sqlalchemy_cannot_read(url: str) -> None:
    """M45: refused as any other URL that is none."""
    with pytest.raises(InvalidInput, match="is no URL of an SQLite file"):
        upgrade(url)


def test_memory_by_engine() -> None:
    """M45: an engine with one shared connection works, and sees its tables."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    assert upgrade(engine).applied == chain.CHAIN
    assert upgrade(engine).applied == ()
    assert check(engine) == ()
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        with pytest.raises(UsageError, match="in a transaction"):
            upgrade(engine)
    engine.dispose()


def test_memory_of_each_thread_is_refused() -> None:
    """M45: SQLAlchemy's default for `sqlite://` has a database for each thread."""
    from sqlalchemy import SingletonThreadPool

    engine = create_engine("sqlite://", poolclass=SingletonThreadPool)
    with pytest.raises(UsageError, match="StaticPool"):
        upgrade(engine)
    engine.dispose()
