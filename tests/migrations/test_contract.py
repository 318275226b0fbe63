"""What migrations take from Alembic and SQLAlchemy, each by its name: a version that changes one fails here first.

The rest of the suite would fail too, but not say of what. Whether documented or not, all of it is here.
"""

from __future__ import annotations

import inspect
import io
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import DDL, Column, Connection, Engine, MetaData, String, Table, create_engine, text
from sqlalchemy import inspect as inspector_of
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.pool import NullPool, StaticPool

from ragstore.alembic import include_name, include_object, reference
from ragstore.migrations import chain, frozen, runner

SCRIPTS = """
from alembic import op
revision = "{revision}"
down_revision = {previous!r}
def upgrade(op): op.execute("SELECT 1")
def downgrade(op): pass
"""


@pytest.fixture
def directory(tmp_path: Path) -> ScriptDirectory:
    """Two scripts, in a folder whose name has what ConfigParser and URLs trip over."""
    versions = tmp_path / "100% of it" / "versions"
    versions.mkdir(parents=True)
    for revision, previous in (("a", None), ("b", "a")):
        (versions / f"{revision}.py").write_text(SCRIPTS.format(revision=revision, previous=previous))
    return ScriptDirectory(str(versions.parent))


@pytest.fixture
def connection() -> Any:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_script_directory_by_path(directory: ScriptDirectory) -> None:
    """M57: `ScriptDirectory(path)`, without a configuration."""
    assert directory.get_heads() == ["b"]
    script = directory.get_revision("a")
    assert script is not None
    assert callable(script.module.upgrade)
    assert [found.revision for found in directory.walk_revisions("base", "heads")] == ["b", "a"]


def test_script_directory_makes_nothing(directory: ScriptDirectory) -> None:
    """M57: reading scripts registers nothing that stays: it is done once a process, and the host may do it often."""
    import atexit

    before = atexit._ncallbacks()
    ScriptDirectory(directory.dir).get_heads()
    assert atexit._ncallbacks() == before


def context_of(connection: Connection, **options: Any) -> MigrationContext:
    return MigrationContext.configure(
        connection=connection, opts={"version_table": "rag_version", "version_table_schema": None, **options}
    )


def test_stamp(directory: ScriptDirectory, connection: Connection) -> None:
    """M57: `MigrationContext.stamp` makes the version table, and moves its one row up, down and away."""
    context = context_of(connection)
    seen = []
    for revision in ("a", "b", "a", "base"):
        context.stamp(directory, revision)
        seen.append(connection.execute(text("SELECT version_num FROM rag_version")).scalars().all())
    assert seen == [["a"], ["b"], ["a"], []]
    context.stamp(directory, "b")  # from no row: what `ragstore.migrations.stamp` does
    assert context.get_current_heads() == ("b",)


def test_version_table_is_what_the_offline_script_makes(directory: ScriptDirectory, connection: Connection) -> None:
    """M57, M52: its columns and its key's name."""
    context_of(connection).stamp(directory, "a")
    looked = inspector_of(connection)
    (column,) = looked.get_columns("rag_version")
    assert (column["name"], str(column["type"]), column["nullable"]) == ("version_num", "VARCHAR(32)", False)
    assert looked.get_pk_constraint("rag_version")["name"] == "rag_version_pkc"


def test_stamp_neither_begins_nor_commits(directory: ScriptDirectory, connection: Connection) -> None:
    """M57: the transaction is whoever's it was."""
    connection.exec_driver_sql("BEGIN")
    context_of(connection).stamp(directory, "a")
    connection.rollback()
    assert not inspector_of(connection).has_table("rag_version")


def test_options_pass_through(connection: Connection) -> None:
    """M57: `MigrationContext.opts` holds what was given, by any name; `dialect`, `as_sql` and `get_bind` are there."""
    context = context_of(connection, **{frozen.NAMES: {"schema": "x"}})
    op = Operations(context)
    assert op.get_context() is context
    assert context.opts[frozen.NAMES] == {"schema": "x"}
    assert (context.dialect.name, context.as_sql) == ("sqlite", False)
    assert op.get_bind() is connection


def test_operations_execute_ddl(connection: Connection) -> None:
    """M57: `Operations(context).execute(DDL(...))` runs the statement as it stands, percent signs and colons too."""
    Operations(context_of(connection)).execute(DDL("CREATE TABLE t (x TEXT DEFAULT '5%% :x')"))  # type: ignore[no-untyped-call]
    connection.exec_driver_sql("INSERT INTO t DEFAULT VALUES")
    assert connection.exec_driver_sql("SELECT x FROM t").scalar() == "5% :x"


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_as_sql(dialect: str) -> None:
    """M57: without a connection statements are written down, each with its semicolon, percent signs not doubled."""
    buffer = io.StringIO()
    context = MigrationContext.configure(
        dialect_name=dialect, dialect_opts={"paramstyle": "named"}, opts={"as_sql": True, "output_buffer": buffer}
    )
    op = Operations(context)
    op.execute(DDL("SELECT '5%% :x', $body$;$body$"))  # type: ignore[no-untyped-call]
    assert buffer.getvalue() == "SELECT '5% :x', $body$;$body$;\n\n"
    assert context.as_sql
    assert op.get_bind() is None or isinstance(op.get_bind(), MockConnection)


def test_revisions_take_the_operations_as_an_argument() -> None:
    """M57: Alembic reads our scripts without calling them, whatever their functions' parameters."""
    for revision in chain.CHAIN:
        assert list(inspect.signature(runner.module(revision).upgrade).parameters) == ["op"]


def test_loggers(directory: ScriptDirectory, connection: Connection, caplog: pytest.LogCaptureFixture) -> None:
    """M57: Alembic says what it does to its own loggers, and sets none up."""
    context_of(connection).stamp(directory, "a")
    assert {record.name.partition(".")[0] for record in caplog.records} <= {"alembic"}


def test_filters_as_alembic_calls_them(connection: Connection) -> None:
    """M57: `include_name` and `include_object` get what ours expect, for each kind that Alembic knows."""
    connection.exec_driver_sql("CREATE TABLE theirs (id INTEGER PRIMARY KEY, x TEXT UNIQUE)")
    connection.exec_driver_sql("CREATE INDEX ix_theirs ON theirs (x)")
    connection.exec_driver_sql("CREATE TABLE rag_chunk (id INTEGER)")
    names, objects = set(), set()

    def name_filter(name: Any, type_: Any, parents: Any) -> bool:
        names.add((type_, *sorted(parents)))
        return include_name(name, type_, parents)

    def object_filter(item: Any, name: Any, type_: str, reflected: bool, compare_to: Any) -> bool:
        objects.add(type_)
        return include_object(item, name, type_, reflected, compare_to)

    metadata = MetaData()
    Table("theirs", metadata, Column("y", String), Column("x", String, index=True))
    options: Any = {"include_name": name_filter, "include_object": object_filter, "include_schemas": True}
    differences = compare_metadata(context_of(connection, **options), metadata)
    assert "rag_chunk" not in str(differences)
    assert {"schema", "table", "column", "index", "unique_constraint"} == {kind for kind, *_ in names}
    assert ("table", "schema_name", "schema_qualified_table_name") in names or ("table", "schema_name") in names
    assert all("table_name" in parents for kind, *parents in names if kind not in ("schema", "table"))
    assert objects >= {"table", "column", "index"}


def test_foreign_keys_to_another_metadata() -> None:
    """M57: SQLAlchemy orders, makes and drops a MetaData's tables whose keys refer to a table of another one."""
    from tests.migrations.test_host_alembic import Host

    host = Host.__new__(Host)
    host.metadata, host.schema = MetaData(), None
    host.declare()
    assert [table.name for table in host.metadata.sorted_tables] == ["customer", "review"]
    assert reference("rag_document", schema=None).metadata is not host.metadata
    engine = create_engine("sqlite://", poolclass=StaticPool)
    host.metadata.create_all(engine)
    host.metadata.drop_all(engine)
    engine.dispose()


def test_connections(tmp_path: Path) -> None:
    """M57: what targets rely on of SQLAlchemy's engines and connections."""
    engine = create_engine(f"sqlite:///{tmp_path}/x.db", poolclass=NullPool)
    with engine.connect() as connection:
        assert isinstance(connection.engine, Engine)
        assert not connection.in_transaction()
        connection.execution_options(schema_translate_map=None)
        assert connection.get_execution_options().get("schema_translate_map") is None
        assert connection.connection.driver_connection is not None
        assert (connection.invalidated, connection.closed) == (False, False)
    engine.dispose()
