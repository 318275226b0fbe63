"""The chain makes what is declared, and `check` sees what is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from ragstore.backends import read_url
from ragstore.backends.postgresql import ddl
from ragstore.errors import ExtensionMissing
from ragstore.migrations import check, downgrade, upgrade

SQL = Callable[..., list[Any]]


def test_migrated_is_declared(database_url: str) -> None:
    """M51: after all revisions the catalogue is what the code declares, and looking changes nothing."""
    upgrade(database_url)
    assert [str(difference) for difference in check(database_url)] == []
    assert check(database_url) == ()


def test_on_a_callers_connection(engine: Engine) -> None:
    """M51: inside a caller's transaction, which goes on after it."""
    with engine.connect() as connection:
        upgrade(connection)
        path = engine.dialect.name == "postgresql" and connection.execute(text("SHOW search_path")).scalar()
        assert check(connection) == ()
        assert not path or connection.execute(text("SHOW search_path")).scalar() == path
        connection.commit()
    assert check(engine) == ()


def test_nothing_is_left_behind(postgres_database: str, run_sql: SQL) -> None:
    """M51: the temporary tables are gone, on an engine in AUTOCOMMIT too."""
    upgrade(postgres_database)
    engine = create_engine(read_url(postgres_database), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    assert check(engine) == ()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM pg_class WHERE relpersistence = 't'")).scalar() == 0
    engine.dispose()


def test_a_restored_dump(postgres_database: str, run_sql: SQL) -> None:
    """M51: PostgreSQL prints an expression otherwise once it has read its own text again, and means the same."""
    upgrade(postgres_database)
    printed = (
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'ragstore'::regnamespace"
    )
    checks = """
        SELECT format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %2$I %s', conrelid::regclass, conname,
            pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace = 'ragstore'::regnamespace AND contype = 'c'
    """
    indexes = """
        SELECT format('DROP INDEX %s; %s', indexrelid::regclass, pg_get_indexdef(indexrelid)) FROM pg_index
        JOIN pg_class ON pg_class.oid = indexrelid
        WHERE relnamespace = 'ragstore'::regnamespace AND indpred IS NOT NULL
    """
    before = run_sql(postgres_database, printed)
    remade = [*run_sql(postgres_database, checks), *run_sql(postgres_database, indexes)]
    run_sql(postgres_database, *(part for (statement,) in remade for part in statement.split("; ")))
    assert run_sql(postgres_database, printed) != before
    assert [str(difference) for difference in check(postgres_database)] == []


def test_without_the_extension(postgres_database: str) -> None:
    """M36: nothing can be compared before the first upgrade."""
    with pytest.raises(ExtensionMissing):
        check(postgres_database)


POSTGRESQL = [
    ("table rag_feedback is missing", "DROP TABLE r.rag_feedback"),
    ("table rag_more is not declared", "CREATE TABLE r.rag_more (id INTEGER)"),
    ("table rag_term is r unlogged", "ALTER TABLE r.rag_term SET UNLOGGED"),
    ("table rag_chunk_terms is", "ALTER TABLE r.rag_chunk_terms RESET (toast_tuple_target)"),
    ("table rag_term is r {fillfactor=50}", "ALTER TABLE r.rag_term SET (fillfactor = 50)"),
    ("table rag_rate_limit is r, declared r {fillfactor=50}", "ALTER TABLE r.rag_rate_limit RESET (fillfactor)"),
    ("column rag_chunk.heading is missing", "ALTER TABLE r.rag_chunk DROP COLUMN heading"),
    ("column rag_chunk.more is not declared", "ALTER TABLE r.rag_chunk ADD COLUMN more TEXT"),
    ("column rag_chunk.page is bigint", "ALTER TABLE r.rag_chunk ALTER page TYPE BIGINT"),
    ("column rag_chunk.language is", 'ALTER TABLE r.rag_chunk ALTER language TYPE VARCHAR(36) COLLATE "C"'),
    ("column rag_chunk.language is", 'ALTER TABLE r.rag_chunk ALTER language TYPE VARCHAR(35) COLLATE "default"'),
    ("column rag_chunk.content is text STORAGE", "ALTER TABLE r.rag_chunk ALTER content DROP NOT NULL"),
    ("column rag_conversation.pinned is", "ALTER TABLE r.rag_conversation ALTER pinned SET DEFAULT true"),
    ("column rag_conversation.head is", "ALTER TABLE r.rag_conversation ALTER head DROP DEFAULT"),
    ("column rag_embedding.dense is", "ALTER TABLE r.rag_embedding ALTER dense SET STORAGE EXTENDED"),
    ("index rag_embedding.ix_rag_embedding_tenant_id_chunk_id is missing",
     "DROP INDEX r.ix_rag_embedding_tenant_id_chunk_id"),
    ("index rag_chunk.mine is not declared", "CREATE INDEX mine ON r.rag_chunk (page)"),
    ("index rag_chunk_terms.ix_rag_chunk_terms_lexemes is gist",
     ("DROP INDEX r.ix_rag_chunk_terms_lexemes;"
     "CREATE INDEX ix_rag_chunk_terms_lexemes ON r.rag_chunk_terms USING gist (lexemes)")),
    ("index rag_embedding.ix_rag_embedding_tenant_id_chunk_id is",
     ("DROP INDEX r.ix_rag_embedding_tenant_id_chunk_id;"
     "CREATE INDEX ix_rag_embedding_tenant_id_chunk_id ON r.rag_embedding (tenant_id DESC, chunk_id)")),
    ("index rag_embedding.ix_rag_embedding_tenant_id_chunk_id is",
     ("DROP INDEX r.ix_rag_embedding_tenant_id_chunk_id;"
     "CREATE INDEX ix_rag_embedding_tenant_id_chunk_id ON r.rag_embedding (tenant_id text_pattern_ops, chunk_id)")),
    ("index rag_embedding_space.uq_rag_embedding_space_active is",
     ("DROP INDEX r.uq_rag_embedding_space_active;"
     "CREATE UNIQUE INDEX uq_rag_embedding_space_active ON r.rag_embedding_space (tenant_id, collection_id)")),
    ("INVALID", ("UPDATE pg_index SET indisvalid = false"
     " WHERE indexrelid = 'r.ix_rag_embedding_tenant_id_chunk_id'::regclass")),
    ("constraint rag_feedback.ck_rag_feedback_value is missing",
     "ALTER TABLE r.rag_feedback DROP CONSTRAINT ck_rag_feedback_value"),
    ("constraint rag_feedback.ck_rag_feedback_value is CHECK ((value = 1))",
     ("ALTER TABLE r.rag_feedback DROP CONSTRAINT ck_rag_feedback_value;"
     "ALTER TABLE r.rag_feedback ADD CONSTRAINT ck_rag_feedback_value CHECK (value = 1)")),
    ("NOT VALID", ("ALTER TABLE r.rag_feedback DROP CONSTRAINT ck_rag_feedback_value;"
     "ALTER TABLE r.rag_feedback ADD CONSTRAINT ck_rag_feedback_value CHECK (value IN (-1, 1)) NOT VALID")),
    ("constraint rag_term.fk_rag_term_rag_collection is",
     ("ALTER TABLE r.rag_term DROP CONSTRAINT fk_rag_term_rag_collection;"
     "ALTER TABLE r.rag_term ADD CONSTRAINT fk_rag_term_rag_collection FOREIGN KEY (tenant_id, collection_id)"
     " REFERENCES r.rag_collection (tenant_id, id)")),
    ("constraint rag_collection.uq_rag_collection_tenant_id_name is missing",
     "ALTER TABLE r.rag_collection DROP CONSTRAINT uq_rag_collection_tenant_id_name"),
    ("trigger rag_term.theirs is not declared",
     ("CREATE TRIGGER theirs BEFORE UPDATE ON r.rag_term"
     " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()")),
    ("policy rag_term.theirs is not declared", "CREATE POLICY theirs ON r.rag_term USING (true)"),
    ("function rag_rate_limit_charge(text[], text[],", "DROP FUNCTION r.rag_rate_limit_charge"),
    ("SECURITY DEFINER", "ALTER FUNCTION r.rag_rate_limit_charge SECURITY DEFINER"),
    ("function rag_rate_limit_charge(text[], text[],", "ALTER FUNCTION r.rag_rate_limit_charge RESET search_path"),
    ("function rag_rate_limit_charge(text[], text[],", "ALTER FUNCTION r.rag_rate_limit_charge STABLE"),
    ("function rag_rate_limit_charge() is not declared",
     "CREATE FUNCTION r.rag_rate_limit_charge() RETURNS INTEGER LANGUAGE sql AS 'SELECT 1'"),
]  # fmt: skip


@pytest.fixture(scope="module")
def migrated(server_url: str) -> Any:
    """One migrated database for all plants: each is rolled back."""
    from uuid import uuid4

    from sqlalchemy import make_url

    name = f"m_{uuid4().hex}"
    admin = create_engine(read_url(server_url), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine = create_engine(read_url(make_url(server_url).set(database=name)))
    upgrade(engine)
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


@pytest.mark.parametrize(("expected", "drift"), POSTGRESQL)
def test_planted_drift_on_postgresql(migrated: Engine, expected: str, drift: str) -> None:
    """M51, M20: each kind of drift is found, and it alone is."""
    with migrated.connect() as connection:
        for statement in drift.split(";"):
            connection.exec_driver_sql(statement.replace("r.", "ragstore."))
        found = [str(difference) for difference in check(connection)]
        connection.rollback()
    assert any(expected in difference for difference in found), found
    assert len(found) <= 2


@pytest.mark.parametrize("function", ddl.FUNCTIONS)
def test_a_function_with_another_body(migrated: Engine, function: str) -> None:
    """M51: one more statement is enough, in whatever schema the function stands."""
    upgrade(migrated, schema='another "%s"')
    for schema in ("ragstore", 'another "%s"'):
        with migrated.connect() as connection:
            find = (
                "SELECT pg_get_functiondef(p.oid) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace"
                " WHERE p.proname = :function AND n.nspname = :schema"
            )
            text_ = connection.execute(text(find), {"function": function, "schema": schema}).scalar_one()
            assert check(connection, schema=schema) == ()
            changed = text_.replace("BEGIN\n", "BEGIN\n    NULL;\n", 1)
            connection.exec_driver_sql(changed.replace("%", "%%"))
            (found,) = check(connection, schema=schema)
            connection.rollback()
        assert (found.kind, found.table) == ("function", "")
        assert found.name.startswith(function)
        assert found.expected
        assert found.found
        assert found.expected != found.found
    downgrade(migrated, "base", schema='another "%s"', allow_data_loss=True)


def test_managed_indexes_are_no_drift(migrated: Engine) -> None:
    """M16: indexes that the library builds with the data come and go."""
    with migrated.connect() as connection:
        connection.exec_driver_sql("CREATE INDEX ann_rag_1 ON ragstore.rag_embedding (space_id)")
        assert check(connection) == ()
        connection.rollback()


def rewritten(table: str, old: str, new: str) -> list[str]:
    return [
        "PRAGMA writable_schema = ON",
        f"UPDATE sqlite_master SET sql = replace(sql, '{old}', '{new}') WHERE name = '{table}'",
        "PRAGMA writable_schema = RESET",
    ]


SQLITE = [
    ("table rag_feedback is missing", ["DROP TABLE rag_feedback"]),
    ("table rag_term is table, declared table STRICT", rewritten("rag_term", " STRICT", "")),
    ("column rag_chunk.heading is missing", ["ALTER TABLE rag_chunk DROP COLUMN heading"]),
    ("column rag_chunk.more is not declared", ["ALTER TABLE rag_chunk ADD COLUMN more TEXT"]),
    ("column rag_chunk.page is TEXT", rewritten("rag_chunk", "page INTEGER", "page TEXT")),
    ("column rag_chunk.content is TEXT,", rewritten("rag_chunk", "content TEXT NOT NULL", "content TEXT")),
    ("column rag_conversation.pinned is",
     rewritten("rag_conversation", "pinned INTEGER DEFAULT false", "pinned INTEGER DEFAULT true")),
    ("index rag_embedding.ix_rag_embedding_tenant_id_chunk_id is missing",
     ["DROP INDEX ix_rag_embedding_tenant_id_chunk_id"]),
    ("index rag_chunk.mine is not declared", ["CREATE INDEX mine ON rag_chunk (page)"]),
    ("index rag_embedding_space.uq_rag_embedding_space_active is",
     ["DROP INDEX uq_rag_embedding_space_active",
      "CREATE UNIQUE INDEX uq_rag_embedding_space_active ON rag_embedding_space (tenant_id, collection_id)"]),
    ("constraint rag_feedback.ck_rag_feedback_value is", rewritten("rag_feedback", "(-1, 1)", "(0, 1)")),
    ("constraint rag_term.fk_rag_term_rag_collection is", rewritten("rag_term", "ON DELETE CASCADE", "")),
    ("trigger rag_term.theirs is not declared",
     ["CREATE TRIGGER theirs AFTER DELETE ON rag_term BEGIN SELECT 1\\; END"]),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "drift"), SQLITE)
def test_planted_drift_on_sqlite(sqlite_url: str, run_sql: SQL, expected: str, drift: list[str]) -> None:
    """M51: each kind of drift is found, and it alone is."""
    upgrade(sqlite_url)
    run_sql(sqlite_url, *(statement.replace("\\;", ";") for statement in drift))
    found = [str(difference) for difference in check(sqlite_url)]
    assert any(expected in difference for difference in found), found
    assert len(found) == 1


def test_a_hosts_tables_are_not_compared(sqlite_url: str, run_sql: SQL) -> None:
    """M27: the file is the host's."""
    upgrade(sqlite_url)
    run_sql(sqlite_url, "CREATE TABLE rag_time (x)", "CREATE TABLE other (x)", "CREATE INDEX mine ON other (x)")
    assert check(sqlite_url) == ()
