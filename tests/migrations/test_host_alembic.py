"""A host with its own Alembic chain, run as hosts run it: `alembic.command`, an env.py and version files."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import alembic
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Column, ForeignKeyConstraint, Integer, MetaData, String, Table, Uuid, create_engine, inspect
from sqlalchemy.exc import IntegrityError

import ragstore.schema
from ragstore import NewChunk, NewDocument, Store, upgrade
from ragstore.alembic import include_name, include_object, reference
from ragstore.backends import read_url
from ragstore.errors import InvalidInput, UsageError
from ragstore.migrations import State, apply, chain, check, status
from tests.migrations.test_offline import run_script

SQL = Callable[..., list[Any]]

ENV = """
from alembic import context
from sqlalchemy import create_engine, pool

config = context.config
url, target_metadata = config.attributes["url"], config.attributes["metadata"]
if context.is_offline_mode():
    context.configure(url=url, target_metadata=target_metadata, literal_binds=True,
                      dialect_opts={"paramstyle": "named"}, **config.attributes["options"])
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata, **config.attributes["options"])
        with context.begin_transaction():
            context.run_migrations()
"""
HEAD = """
from alembic import context, op
import sqlalchemy as sa
from ragstore import migrations

revision = "{revision}"
down_revision = {previous}
"""
FIRST = """
def upgrade():
    op.create_table("customer", sa.Column("id", sa.Integer, primary_key=True))

def downgrade():
    op.drop_table("customer")
"""
OURS = """
def upgrade():
    result = migrations.apply(op.get_bind(), to="{to}")
    assert result.committed is False

def downgrade():
    migrations.downgrade(op.get_bind(), "{back}", allow_data_loss=True)
"""
BOTH_WAYS = """
def upgrade():
    if context.is_offline_mode():
        op.execute(migrations.sql(op.get_context().dialect.name, "{to}", start="{back}", transaction=False))
    else:
        migrations.apply(op.get_bind(), to="{to}")

def downgrade():
    if context.is_offline_mode():
        op.execute(migrations.sql(op.get_context().dialect.name, "{back}", start="{to}", transaction=False))
    else:
        migrations.downgrade(op.get_bind(), "{back}", allow_data_loss=True)
"""
FAILS = """
def upgrade():
    migrations.apply(op.get_bind(), to="rs_0003")
    raise RuntimeError("the host's own mistake")

def downgrade():
    pass
"""


class Host:
    """An application that migrates with Alembic."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, read_url(url)
        self.postgres = self.url.get_backend_name() == "postgresql"
        self.schema = "ragstore" if self.postgres else None
        self.metadata: Any = MetaData()
        self.options: dict[str, Any] = {}
        self.revisions: list[str] = []
        (folder / "versions").mkdir(parents=True)
        (folder / "env.py").write_text(ENV)
        shutil.copy(Path(alembic.__file__).parent / "templates/generic/script.py.mako", folder)

    def add(self, body: str, **names: str) -> str:
        """Write a revision by hand."""
        revision = f"h{len(self.revisions) + 1}"
        previous = repr(self.revisions[-1]) if self.revisions else "None"
        text = HEAD.format(revision=revision, previous=previous) + body.format(**names)
        (self.folder / f"versions/{revision}.py").write_text(text)
        self.revisions.append(revision)
        return revision

    def config(self, written: io.StringIO | None = None) -> Config:
        config = Config(stdout=io.StringIO(), output_buffer=written)
        config.set_main_option("script_location", str(self.folder))
        config.attributes |= {"url": self.url, "metadata": self.metadata, "options": self.options}
        return config

    def run(self, what: str, *arguments: str, **options: Any) -> str:
        written = io.StringIO()
        getattr(command, what)(self.config(written), *arguments, **options)
        return written.getvalue()

    def autogenerate(self) -> str:
        """Let Alembic write a revision; give what is in it."""
        seen = {*(self.folder / "versions").glob("*.py")}
        revision = f"h{len(self.revisions) + 1}"
        command.revision(self.config(), "generated", autogenerate=True, rev_id=revision)
        (made,) = {*(self.folder / "versions").glob("*.py")} - seen
        self.revisions.append(revision)
        return made.read_text()

    def declare(self) -> None:
        """Declare tables of the host's, one of them with a foreign key to ours."""
        document = reference("rag_document", schema=self.schema)
        Table("customer", self.metadata, Column("id", Integer, primary_key=True))
        Table(
            "review",
            self.metadata,
            Column("id", Integer, primary_key=True),
            Column("tenant_id", String(64), nullable=False),
            Column("document_id", Uuid, nullable=False),
            ForeignKeyConstraint(
                ["tenant_id", "document_id"],
                [document.c.tenant_id, document.c.id],
                name="review_document",
                ondelete="CASCADE",
            ),
        )


@pytest.fixture
def host(tmp_path: Path, database_url: str) -> Host:
    return Host(tmp_path / "host", database_url)


def bodies(generated: str) -> list[str]:
    """Give what the generated functions do."""
    lines = [line.strip() for line in generated.partition("def upgrade")[2].splitlines()[1:]]
    return [line for line in lines if line and not line.startswith(("#", '"""', "def "))]


FILTERS = {"include_name": include_name, "include_object": include_object}
WAYS = {
    "as it comes": {},
    "filtered": FILTERS,
    "all schemas": {**FILTERS, "include_schemas": True},
    "name filter alone": {"include_name": include_name, "include_schemas": True},
}


@pytest.mark.parametrize("way", WAYS)
def test_autogenerate_leaves_us_alone(host: Host, way: str, run_sql: SQL, database_url: str) -> None:
    """M27: nothing of ours is proposed, before and after the host has a foreign key to us; `alembic check` is clean."""
    if way == "as it comes" and not host.postgres:
        pytest.skip("on SQLite our tables are in the host's file, so the filter is needed")
    host.options = {**WAYS[way], "compare_server_default": True}
    upgrade(database_url)
    host.declare()
    generated = host.autogenerate()
    assert "rag_version" not in generated
    assert sorted(line for line in bodies(generated) if line.startswith("op.")) == [
        "op.create_table('customer',",
        "op.create_table('review',",
        "op.drop_table('customer')",
        "op.drop_table('review')",
    ]
    host.run("upgrade", "head")
    host.run("check")
    assert set(bodies(host.autogenerate())) == {"pass"}
    host.run("upgrade", "head")
    assert check(database_url) == ()
    expect_a_row_to_hold(host, database_url, run_sql)


def expect_a_row_to_hold(host: Host, database_url: str, run_sql: SQL) -> None:
    """The key refuses a row that refers to nothing, and takes the row with the document."""
    with Store.open(database_url) as store:
        store.collections.ensure("manuals", model="m", dimensions=1)
        put = store.documents.put("manuals", NewDocument(source="a"), [NewChunk(content="An owl.", embedding=[1.0])])
    review = host.metadata.tables["review"]
    engine = create_engine(host.url)
    with engine.connect() as connection:
        if not host.postgres:
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            connection.commit()
        row = {"tenant_id": "default", "document_id": put.document_id}
        connection.execute(review.insert(), row)
        connection.commit()
        with pytest.raises(IntegrityError):
            connection.execute(review.insert(), row | {"document_id": uuid4()})
    engine.dispose()
    with Store.open(database_url) as store:
        assert store.documents.delete("manuals", "a")
    assert run_sql(database_url, "SELECT count(*) FROM review") == [(0,)]


def test_without_the_filter_sqlite_would_lose_our_tables(tmp_path: Path, sqlite_url: str) -> None:
    """M27: the test above can fail: this is what the filter is for."""
    host = Host(tmp_path / "host", sqlite_url)
    upgrade(sqlite_url)
    assert "op.drop_table('rag_document')" in host.autogenerate()


@pytest.mark.filterwarnings("ignore:Did not recognize type")
def test_without_the_filter_all_schemas_are_compared(tmp_path: Path, postgres_database: str) -> None:
    """M27: so on PostgreSQL, with `include_schemas`."""
    host = Host(tmp_path / "host", postgres_database)
    host.options = {"include_schemas": True}
    upgrade(postgres_database)
    assert "op.drop_table('rag_document', schema='ragstore')" in host.autogenerate()


def test_our_metadata_given_to_alembic(host: Host, database_url: str) -> None:
    """M27: a host that lists our MetaData beside its own gets nothing of ours to create either."""
    upgrade(database_url)
    host.metadata = [host.metadata, ragstore.schema.metadata]
    host.options = {**FILTERS, "include_schemas": True}
    assert set(bodies(host.autogenerate())) == {"pass"}


def test_another_schema_and_the_hosts_own_rules(tmp_path: Path, postgres_database: str, run_sql: SQL) -> None:
    """M27: the filters take the schema's name, and are composed with the host's by `and`."""
    host = Host(tmp_path / "host", postgres_database)
    upgrade(postgres_database, schema="x")
    run_sql(postgres_database, "CREATE TABLE rag_time (id INTEGER)", "CREATE TABLE legacy (id INTEGER)")
    ours = partial(include_name, schema="x")
    host.options = {
        "include_schemas": True,
        "include_name": lambda name, type_, parents: ours(name, type_, parents) and name != "legacy",
        "include_object": partial(include_object, schema="x"),
    }
    generated = host.autogenerate()
    assert [line for line in bodies(generated) if "drop" in line] == ["op.drop_table('rag_time')"]


def test_what_belongs_to_our_tables_is_ours() -> None:
    """M27: indexes, also those that come and go with the data, and constraints; a host's key to us is the host's."""
    for schema in ("ragstore", None):
        table = Table("rag_embedding", MetaData(), Column("id", Integer, primary_key=True), schema=schema)
        parents: Any = {"schema_name": schema, "table_name": "rag_embedding"}
        assert not include_name("ann_1_0", "index", parents)
        assert not include_object(table.primary_key, "pk", "unique_constraint", True, None)
        assert not include_object(table.c.id, "id", "column", True, None)
    assert not include_name("rag_version", "table", {"schema_name": None})
    assert include_name("rag_time", "table", {"schema_name": None})
    host = Host.__new__(Host)
    host.metadata, host.schema = MetaData(), "ragstore"
    host.declare()
    (key,) = host.metadata.tables["review"].foreign_key_constraints
    assert include_object(key, "review_document", "foreign_key_constraint", False, None)


def test_no_such_reference() -> None:
    """M27: the tables that there are, are named."""
    with pytest.raises(InvalidInput, match=r"'rag_doc' is none of.*rag_document"):
        reference("rag_doc")
    assert reference("rag_document") is reference("rag_document")


def test_create_all_and_drop_all_leave_us_alone(database_url: str, host: Host) -> None:
    """M27: a table that the host refers to is not in its MetaData, so neither made nor dropped with it."""
    upgrade(database_url)
    host.declare()
    engine = create_engine(host.url)
    host.metadata.create_all(engine)
    assert inspect(engine).get_foreign_keys("review")[0]["referred_table"] == "rag_document"
    host.metadata.drop_all(engine)
    engine.dispose()
    assert check(database_url) == ()


TRANSACTIONS = [{}, {"transaction_per_migration": True}, {"transactional_ddl": True}]


@pytest.mark.parametrize("options", TRANSACTIONS, ids=["default", "per migration", "transactional"])
def test_up_and_down_in_the_hosts_chain(host: Host, database_url: str, run_sql: SQL, options: dict[str, Any]) -> None:
    """M26, M28: the host's revisions bring ours along, each way; `alembic_version` is the host's alone."""
    host.options = options
    host.add(FIRST)
    host.add(OURS, to="rs_0003", back="base")
    host.add(OURS, to="rs_0004", back="rs_0003")
    host.run("upgrade", "h2")
    assert status(database_url).revision == "rs_0003"
    host.run("upgrade", "head")
    assert (status(database_url).state, check(database_url)) == (State.CURRENT, ())
    assert run_sql(database_url, "SELECT version_num FROM alembic_version") == [("h3",)]
    host.run("downgrade", "-1")
    assert status(database_url).revision == "rs_0003"
    host.run("upgrade", "head")
    host.run("downgrade", "base")
    assert status(database_url).state is State.EMPTY
    assert run_sql(database_url, "SELECT version_num FROM alembic_version") == []
    host.run("upgrade", "head")
    assert status(database_url).state is State.CURRENT


@pytest.mark.parametrize("options", TRANSACTIONS[:2], ids=["default", "per migration"])
def test_a_hosts_mistake(host: Host, database_url: str, run_sql: SQL, options: dict[str, Any]) -> None:
    """M28: what we did in the host's revision goes with it."""
    host.options = options
    host.add(FIRST)
    host.add(FAILS)
    with pytest.raises(RuntimeError, match="own mistake"):
        host.run("upgrade", "head")
    assert status(database_url).state is State.EMPTY
    path = host.folder / "versions/h2.py"
    path.write_text(path.read_text().replace("raise RuntimeError", "str"))
    path.touch()
    host.run("upgrade", "head")
    assert status(database_url).revision == "rs_0003"
    assert run_sql(database_url, "SELECT version_num FROM alembic_version") == [("h2",)]


def test_the_application_was_first(host: Host, database_url: str) -> None:
    """M26: newer code has upgraded already: the host's revision does nothing, and takes nothing back."""
    upgrade(database_url)
    host.add(OURS, to="rs_0003", back="rs_0002")
    host.run("upgrade", "head")
    assert (status(database_url).state, check(database_url)) == (State.CURRENT, ())


@pytest.mark.parametrize("to", ["rs_0001", chain.HEAD, "head"])
def test_apply_goes_no_further(engine: Any, to: str, statements: list[str]) -> None:
    """M26: to the revision that is named, and from it nowhere."""
    end = chain.HEAD if to == "head" else to
    for applied in (chain.CHAIN[: chain.position(end)], ()):
        with engine.begin() as connection:
            result = apply(connection, to)
        assert (result.to_revision, result.applied, result.committed) == (end, applied, False)
    with engine.begin() as connection:
        apply(connection)
    statements.clear()
    with engine.begin() as connection:
        assert apply(connection, to).to_revision == chain.HEAD
    assert not [statement for statement in statements if "advisory" in statement or "IMMEDIATE" in statement]


@pytest.mark.parametrize("to", ["base", "-1", "+1", "rs_0999", ""])
def test_apply_wants_a_revision(engine: Any, to: str) -> None:
    """M26: a host's revision must mean the same whenever it runs."""
    with engine.begin() as connection, pytest.raises(InvalidInput, match="to"):
        apply(connection, to)


def test_apply_wants_a_connection(engine: Any) -> None:
    """M26: not an engine, whose work would be committed beside the host's."""
    with pytest.raises(UsageError, match=r"pass op\.get_bind\(\)"):
        apply(engine)


def test_offline_is_refused_with_the_way_out(host: Host) -> None:
    """M52: Alembic has no connection when it writes SQL."""
    host.add(OURS, to="rs_0003", back="base")
    with pytest.raises(UsageError, match=r"op\.execute\(ragstore\.migrations\.sql\("):
        host.run("upgrade", "head", sql=True)


@pytest.mark.parametrize("options", TRANSACTIONS, ids=["default", "per migration", "transactional"])
def test_offline_script_of_the_host(host: Host, database_url: str, run_sql: SQL, options: dict[str, Any]) -> None:
    """M52: the host's own script holds ours, in the host's transaction; it ends where the online run does."""
    host.options = options
    host.add(FIRST)
    host.add(BOTH_WAYS, to="rs_0003", back="base")
    host.add(FIRST.replace("customer", "supplier"))
    host.add(BOTH_WAYS, to="rs_0004", back="rs_0003")
    assert run_script(database_url, host.run("upgrade", "head", sql=True)) == ""
    assert (status(database_url).state, check(database_url)) == (State.CURRENT, ())
    assert run_sql(database_url, "SELECT version_num FROM alembic_version") == [("h4",)]
    assert run_sql(database_url, "SELECT count(*) FROM supplier") == [(0,)]
    assert run_script(database_url, host.run("downgrade", "h4:h1", sql=True)) == ""
    assert status(database_url).state is State.EMPTY
    host.run("upgrade", "head")
    assert (status(database_url).state, check(database_url)) == (State.CURRENT, ())


@pytest.mark.parametrize("options", TRANSACTIONS, ids=["default", "per migration", "transactional"])
def test_offline_script_that_fails_on_sqlite(
    tmp_path: Path, sqlite_url: str, run_sql: SQL, options: dict[str, Any]
) -> None:
    """M52: what we did is taken back whole, whether or not Alembic writes a BEGIN; the upgrade is not in the way."""
    host = Host(tmp_path / "host", sqlite_url)
    host.options = options
    host.add(BOTH_WAYS, to="rs_0004", back="rs_0003")
    upgrade(sqlite_url, "rs_0003")
    run_sql(sqlite_url, "CREATE TABLE theirs (x)", "CREATE INDEX ix_rag_message_usage ON theirs (x)")
    assert "already exists" in run_script(sqlite_url, host.run("upgrade", "head", sql=True))
    assert status(sqlite_url).revision == "rs_0003"
    run_sql(sqlite_url, "DROP TABLE theirs")
    upgrade(sqlite_url)
    assert (status(sqlite_url).state, check(sqlite_url)) == (State.CURRENT, ())


@pytest.mark.parametrize("halt", [True, False], ids=["stops", "goes on"])
def test_offline_script_at_another_revision_on_sqlite(tmp_path: Path, sqlite_url: str, halt: bool) -> None:
    """M52: what a script refuses it does not do, also in a shell that goes on."""
    host = Host(tmp_path / "host", sqlite_url)
    host.add(BOTH_WAYS, to="rs_0004", back="rs_0003")
    upgrade(sqlite_url, "rs_0002")
    said = run_script(sqlite_url, host.run("upgrade", "head", sql=True), halt=halt)
    assert "begins at rs_0003, where the database is not" in said
    assert (status(sqlite_url).state, status(sqlite_url).revision) == (State.BEHIND, "rs_0002")
