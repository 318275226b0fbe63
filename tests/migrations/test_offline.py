"""`sql`: the text of a migration, run by the databases' own shells."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from ragstore import NewMessage, Store
from ragstore.backends import read_url
from ragstore.errors import InvalidInput, UpgradeLockTimeout
from ragstore.migrations import State, chain, check, on_postgresql, sides, sql, status, upgrade

SQL = Callable[..., list[Any]]
PLACES = range(len(chain.CHAIN) + 1)


def name_of(place: int) -> str:
    return chain.at(place) or "base"


def database_of(url: str) -> Any:
    return make_url(url).get_backend_name()


def run_script(url: str, script: str, *, shell: bool = True, halt: bool = True) -> str:
    """Run a script as an administrator would; give what was said to be wrong."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        assert address.database
        return _on_sqlite(address.database, script, shell=shell, halt=halt)
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    return _on_postgresql(plain, script, shell=shell, halt=halt)


def _on_sqlite(path: str, script: str, *, shell: bool, halt: bool) -> str:
    if shell and shutil.which("sqlite3"):
        return shell_says(["sqlite3", *(["-bail"] if halt else []), path], script)
    with closing(sqlite3.connect(path)) as connection:
        try:
            connection.executescript(script)
        except sqlite3.Error as error:
            return str(error)
    return ""


def _on_postgresql(url: str, script: str, *, shell: bool, halt: bool) -> str:
    if shell and shutil.which("psql"):
        return shell_says(["psql", "-Xq", "-v", f"ON_ERROR_STOP={int(halt)}", url], script)
    with psycopg.connect(url, autocommit=True) as connection:
        try:
            connection.execute(script.encode())
        except psycopg.Error as error:
            return str(error)
    return ""


def shell_says(command: list[str], script: str) -> str:
    return subprocess.run(command, input=script, text=True, capture_output=True, timeout=60, check=False).stderr


def what_is_there(url: str, run_sql: SQL) -> Any:
    """Give the version row, the row about the code, and the catalogue."""
    engine = create_engine(read_url(url), poolclass=NullPool)
    prefix = "ragstore." if engine.dialect.name == "postgresql" else ""
    found = status(url)
    rows = []
    if found.revision:
        rows = [
            run_sql(url, f"SELECT version_num FROM {prefix}rag_version"),
            run_sql(url, f"SELECT id, schema_number, min_code, writer FROM {prefix}rag_meta"),
        ]
    with engine.connect() as connection:
        catalogue = dict(sides.of(engine.dialect).catalogues(connection, "ragstore", owned=True)[1])
    engine.dispose()
    return found, rows, catalogue, run_sql(url, VERSION_TABLE[engine.dialect.name])


VERSION_TABLE = {
    "postgresql": """
        SELECT c.conname::text, pg_get_constraintdef(c.oid), a.attname::text, format_type(atttypid, atttypmod),
          attnotnull
        FROM pg_constraint AS c JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum > 0
        WHERE c.conrelid = to_regclass('ragstore.rag_version') ORDER BY 1
    """,
    "sqlite": """
        SELECT name, type, "notnull", pk FROM pragma_table_info('rag_version')
        UNION ALL SELECT name, sql LIKE '%rag_version_pkc%', 0, 0 FROM sqlite_master WHERE name = 'rag_version'
    """,
}


@pytest.mark.parametrize("shell", [True, False], ids=["shell", "driver"])
def test_every_pair_equals_the_online_upgrade(database_url: str, run_sql: SQL, shell: bool) -> None:
    """M52: from each revision to each other, up and down: the same catalogue and the same records."""
    database = database_of(database_url)
    if database == "postgresql":
        run_sql(database_url, "CREATE EXTENSION vector")
    there = {0: what_is_there(database_url, run_sql)}
    for place in PLACES[:-1]:
        for other in PLACES[place + 1 :]:
            up = sql(database, name_of(other), start=name_of(place))
            assert run_script(database_url, up, shell=shell) == ""
            after = what_is_there(database_url, run_sql)
            assert after[0].revision == chain.at(other)
            assert after == there.setdefault(other, after)
            down = sql(database, name_of(place), start=name_of(other))
            assert run_script(database_url, down, shell=shell) == ""
            assert what_is_there(database_url, run_sql) == there[place]
        assert upgrade(database_url, "+1").applied == (chain.CHAIN[place],)
        assert what_is_there(database_url, run_sql) == there[place + 1], name_of(place + 1)


def test_a_fresh_database_is_whole(database_url: str, run_sql: SQL) -> None:
    """M52: schema and extension are made too; functions come through, and the library works."""
    assert run_script(database_url, sql(database_of(database_url))) == ""
    assert status(database_url).state is State.CURRENT
    assert check(database_url) == ()
    assert upgrade(database_url).applied == ()
    with Store.open(database_url) as store:
        store.conversations.append("t", NewMessage(role="user", content="Hello"))
        assert [message.content for message in store.conversations.history("t")] == ["Hello"]


@pytest.mark.parametrize("halt", [True, False], ids=["stops", "goes on"])
@pytest.mark.parametrize("revision", [None, *chain.CHAIN])
def test_a_database_at_another_revision(database_url: str, run_sql: SQL, revision: str | None, halt: bool) -> None:
    """M52: it is refused before anything is changed, also by a shell that goes on after an error."""
    if revision:
        upgrade(database_url, revision)
    before = what_is_there(database_url, run_sql) if revision else None
    for place in PLACES:
        if place != chain.position(revision):
            end = "base" if place else "head"
            script = sql(database_of(database_url), end, start=name_of(place))
            assert "error" in run_script(database_url, script, halt=halt).lower()
            assert status(database_url).revision == revision
    if before:
        assert what_is_there(database_url, run_sql) == before


def test_the_refusal_says_why(database_url: str) -> None:
    """M52: both revisions are named."""
    upgrade(database_url, "rs_0002")
    said = run_script(database_url, sql(database_of(database_url), start="rs_0003"))
    assert "this script begins at rs_0003" in said
    assert "nothing was changed" in said


def test_two_version_rows(database_url: str, run_sql: SQL) -> None:
    """M24: a script cannot know which is right."""
    upgrade(database_url, "rs_0002")
    prefix = "ragstore." if database_of(database_url) == "postgresql" else ""
    run_sql(database_url, f"INSERT INTO {prefix}rag_version VALUES ('rs_0001')")
    assert "begins at rs_0002" in run_script(database_url, sql(database_of(database_url), start="rs_0002"))


@pytest.mark.parametrize("halt", [True, False], ids=["stops", "goes on"])
def test_a_hosts_foreign_key(database_url: str, run_sql: SQL, halt: bool) -> None:
    """M52: a table that the host's rows refer to is not dropped."""
    upgrade(database_url)
    prefix, key = ("ragstore.", "UUID") if database_of(database_url) == "postgresql" else ("", "TEXT")
    run_sql(
        database_url,
        f"""CREATE TABLE note (t VARCHAR(64), d {key}, CONSTRAINT note_document
        FOREIGN KEY (t, d) REFERENCES {prefix}rag_document (tenant_id, id) ON DELETE CASCADE)""",
    )
    script = sql(database_of(database_url), "base", start="head")
    said = run_script(database_url, script, halt=halt)
    assert "note_document" in said or "foreign keys of other tables" in said
    assert status(database_url).state is State.CURRENT
    assert check(database_url) == ()


def test_sqlite_rows_that_refer_to_nothing(sqlite_url: str, run_sql: SQL) -> None:
    """M47: the script looks for them before the commit, as the upgrade does."""
    upgrade(sqlite_url, "rs_0002")
    orphan = "INSERT INTO rag_vector_change (tenant_id, space_id, added, removed) VALUES ('t', 'nobody', 1, 0)"
    run_sql(sqlite_url, orphan)
    assert "rows would refer to nothing" in run_script(sqlite_url, sql("sqlite", start="rs_0002"))
    assert status(sqlite_url).revision == "rs_0002"


def test_sqlite_keys_of_the_host_that_cannot_be_checked(sqlite_url: str, run_sql: SQL) -> None:
    """M47: only our tables are looked at; a host's key may refer to a column that is not unique."""
    run_sql(sqlite_url, "CREATE TABLE p (a, b)", "CREATE TABLE ch (x REFERENCES p (b))")
    assert run_script(sqlite_url, sql("sqlite")) == ""
    assert run_script(sqlite_url, sql("sqlite", "base", start="head")) == ""


def test_weird_names(postgres_database: str, run_sql: SQL) -> None:
    """M52: any schema's name is only a name, and pgvector may be anywhere."""
    run_sql(postgres_database, 'CREATE SCHEMA "some where"', 'CREATE EXTENSION vector SCHEMA "some where"')
    for schema in ('we"ird; DROP SCHEMA public; --', "100% :x {vector} 'q'", "Select", "a.b\\:c"):
        assert run_script(postgres_database, sql("postgresql", schema=schema, vector_schema="some where")) == ""
        assert check(postgres_database, schema=schema) == ()
        down = sql("postgresql", "base", start="head", schema=schema)
        assert run_script(postgres_database, down) == ""
        assert status(postgres_database, schema=schema).state is State.EMPTY


def test_pgvector_elsewhere(postgres_database: str, run_sql: SQL) -> None:
    """M37: the script cannot look, so it checks what it was told."""
    run_sql(postgres_database, "CREATE SCHEMA elsewhere", "CREATE EXTENSION vector SCHEMA elsewhere")
    said = run_script(postgres_database, sql("postgresql"))
    assert "pgvector is in schema elsewhere, and this script was written for public" in said
    assert status(postgres_database).state is State.EMPTY


def test_a_role_without_rights_on_the_database(postgres_database: str, role: str, run_sql: SQL) -> None:
    """M35: what an administrator has made is not made again, which would take rights that the role lacks."""
    run_sql(postgres_database, f"CREATE SCHEMA ragstore AUTHORIZATION {role}", "CREATE EXTENSION vector")
    as_role = make_url(postgres_database).set(username=role, password="secret")
    assert run_script(as_role.render_as_string(hide_password=False), sql("postgresql")) == ""
    assert status(postgres_database).state is State.CURRENT


def test_inside_anothers_transaction(postgres_database: str) -> None:
    """M28: without its own transaction a script leaves the settings as they were, and a rollback takes it all."""
    plain = make_url(postgres_database).set(drivername="postgresql").render_as_string(hide_password=False)
    show = b"SELECT current_setting('search_path'), current_setting('lock_timeout')"
    with psycopg.connect(plain) as connection:
        connection.execute(b"SET lock_timeout = '7s'")
        before = connection.execute(show).fetchone()
        connection.execute(sql("postgresql", transaction=False).encode())
        assert connection.execute(show).fetchone() == before
        assert connection.execute(b"SELECT version_num FROM ragstore.rag_version").fetchone() == (chain.HEAD,)
        connection.rollback()
    assert status(postgres_database).state is State.EMPTY


def test_inside_anothers_transaction_on_sqlite(sqlite_url: str) -> None:
    """M28: the same on SQLite, where a refusal ends that transaction."""
    script = sql("sqlite", transaction=False)
    assert run_script(sqlite_url, f"BEGIN;{script}ROLLBACK;") == ""
    assert status(sqlite_url).state is State.EMPTY
    assert run_script(sqlite_url, f"BEGIN;{script}COMMIT;") == ""
    assert status(sqlite_url).state is State.CURRENT


def test_waits_for_an_online_upgrade(postgres_database: str, engine_on_postgresql: Engine) -> None:
    """M13: script and upgrade take the same lock; the script gives up after `lock_timeout`."""
    with engine_on_postgresql.connect() as holder:
        key = {"key": on_postgresql.key_of("ragstore")}
        holder.execute(text("SELECT pg_advisory_xact_lock(:key)"), key)
        with pytest.raises(UpgradeLockTimeout):
            upgrade(postgres_database, timeout=0.1)
        script = sql("postgresql").replace("'500ms'", "'100ms'")
        assert "lock timeout" in run_script(postgres_database, script)


@pytest.fixture
def engine_on_postgresql(postgres_database: str) -> Any:
    engine = create_engine(read_url(postgres_database), poolclass=NullPool)
    yield engine
    engine.dispose()


def test_no_database_is_asked(statements: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """M52: it is text, made anywhere."""
    monkeypatch.chdir(tmp_path)
    assert "CREATE TABLE rag_chunk" in sql("sqlite")
    assert 'CREATE TABLE "x".rag_chunk' in sql("postgresql", schema="x")
    assert statements == []
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_do() -> None:
    """M52: a script without statements."""
    assert sql("sqlite", start="head").startswith("-- nothing to do")
    assert sql("postgresql", "+0", start="rs_0002").startswith("-- nothing to do")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("mysql",), "database"),
        (("sqlite", "rs_x"), "revision"),
        (("sqlite", "-1"), "revision"),
        (("sqlite", "head", "rs_x"), "revision"),
        (("postgresql", "head", "base", " x"), "schema"),
        (("postgresql", "head", "base", "x", ""), "schema"),
    ],
)
def test_bad_questions(arguments: tuple[str, ...], field: str) -> None:
    """M52: refused with the field's name."""
    names = ("database", "revision", "start", "schema", "vector_schema")
    given: Any = dict(zip(names, arguments, strict=False))
    with pytest.raises(InvalidInput, match=field):
        sql(given.pop("database"), given.pop("revision", "head"), **given)
