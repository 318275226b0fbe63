"""What a downgrade says before it takes anything, and what it never takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, make_url

from ragstore import NewChunk, NewDocument, NewMessage, Store
from ragstore.errors import DatabaseError, MigrationError, UsageError
from ragstore.migrations import State, apply, chain, check, downgrade, status, upgrade

SQL = Callable[..., list[Any]]
LOSES = r"drops 0 tables and 10 columns with (.*): pass allow_data_loss"


def prefix(url: str) -> str:
    return "ragstore." if make_url(url).get_backend_name() == "postgresql" else ""


def filled(url: str) -> None:
    upgrade(url)
    with Store.open(url) as store:
        store.collections.ensure("manuals", model="m", dimensions=1)
        store.documents.put("manuals", NewDocument(source="a"), [NewChunk(content="An owl.", embedding=[1.0])])
        for number in range(3):
            store.conversations.append("t", NewMessage(role="user", content=f"Which owl, {number}?"))


def test_rows_of_columns_are_counted(database_url: str) -> None:
    """M49: rows whose new columns hold something would lose it; each column is named with its count."""
    filled(database_url)
    with pytest.raises(UsageError, match=LOSES) as caught:
        downgrade(database_url, "rs_0003")
    assert "rag_conversation.searchable (1 rows)" in str(caught.value)
    assert "rag_message.words (3 rows)" in str(caught.value)
    assert "pinned" not in str(caught.value)
    assert status(database_url).state is State.CURRENT
    assert check(database_url) == ()


@pytest.mark.parametrize(
    ("column", "value"), [("pinned", "true"), ("annotated", "false"), ("updated_at", None), ("language", "'de'")]
)
def test_each_default_is_known(database_url: str, run_sql: SQL, column: str, value: str | None) -> None:
    """M49: what is at its default is no loss; anything else is, whatever the default."""
    filled(database_url)
    table = "rag_conversation" if column == "language" else "rag_message"
    value = value or ("now()" if prefix(database_url) else "1")
    reset = {"rag_message": "annotated = true", "rag_conversation": "language = NULL"}[table]
    run_sql(database_url, f"UPDATE {prefix(database_url)}{table} SET {reset}")
    with pytest.raises(UsageError) as caught:
        downgrade(database_url, "-1")
    assert f"{table}.{column} (" not in str(caught.value)
    run_sql(database_url, f"UPDATE {prefix(database_url)}{table} SET {column} = {value}")
    with pytest.raises(UsageError, match=rf"{table}.{column} \([13] rows\)"):
        downgrade(database_url, "-1")


def test_without_a_loss_it_is_still_confirmed(database_url: str) -> None:
    """M08: nobody takes a schema back by accident."""
    upgrade(database_url)
    with pytest.raises(UsageError, match="with no rows"):
        downgrade(database_url, "-1")
    assert status(database_url).state is State.CURRENT


def test_columns_of_tables_that_go_are_not_counted_twice(database_url: str) -> None:
    """M08: the table's rows say it all."""
    filled(database_url)
    with pytest.raises(UsageError, match=r"rag_message \(3 rows\)") as caught:
        downgrade(database_url, "base")
    assert "and 0 columns" in str(caught.value)
    assert "rag_message." not in str(caught.value)


def refer(url: str, run_sql: SQL, table: str, name: str = "CONSTRAINT note_of_theirs") -> None:
    key = "UUID" if prefix(url) else "TEXT"
    columns = {"rag_document": "tenant_id, id", "rag_session": "tenant_id, id"}[table]
    run_sql(
        url,
        f"CREATE TABLE note (t VARCHAR(64), d {key}, {name} FOREIGN KEY (t, d) "
        f"REFERENCES {prefix(url)}{table} ({columns}) ON DELETE CASCADE)",
    )


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize("to", ["base", "rs_0002"])
def test_a_hosts_foreign_key(database_url: str, run_sql: SQL, to: str, confirmed: bool) -> None:
    """M46: a table to which the host's rows refer is not dropped from under them; the key is named."""
    filled(database_url)
    refer(database_url, run_sql, "rag_session")
    with pytest.raises(MigrationError, match=r"note_of_theirs of (public\.)?note to rag_session.*nothing was changed"):
        downgrade(database_url, to, allow_data_loss=confirmed)
    assert status(database_url).state is State.CURRENT
    assert check(database_url) == ()
    assert downgrade(database_url, "rs_0003", allow_data_loss=True).applied == chain.CHAIN[:2:-1]
    run_sql(database_url, "DROP TABLE note")
    assert downgrade(database_url, to, allow_data_loss=True).to_revision == (None if to == "base" else to)


def test_a_foreign_key_without_a_name(sqlite_url: str, run_sql: SQL) -> None:
    """M46: it is named by its columns."""
    filled(sqlite_url)
    refer(sqlite_url, run_sql, "rag_document", name="")
    with pytest.raises(MigrationError, match=r"\(t, d\) of note to rag_document"):
        downgrade(sqlite_url, "base", allow_data_loss=True)


def test_a_hosts_view(postgres_database: str, run_sql: SQL) -> None:
    """M46: the server refuses it; nothing was changed."""
    filled(postgres_database)
    run_sql(postgres_database, "CREATE VIEW pinned AS SELECT id FROM ragstore.rag_message WHERE pinned")
    with pytest.raises(DatabaseError, match="depend"):
        downgrade(postgres_database, "-1", allow_data_loss=True)
    assert status(postgres_database).state is State.CURRENT


@pytest.mark.parametrize("to", ["rs_0002", "base"])
def test_a_hosts_view_on_sqlite(sqlite_url: str, run_sql: SQL, to: str) -> None:
    """M46: SQLite would leave it broken, so it is refused; what was broken before is in nobody's way."""
    filled(sqlite_url)
    downgrade(sqlite_url, "rs_0003", allow_data_loss=True)
    run_sql(
        sqlite_url,
        "CREATE TABLE note (x)",
        'CREATE VIEW "their % view?" AS SELECT n.x FROM note AS n LEFT JOIN rag_session AS s ON s.id = n.x',
        'CREATE VIEW second AS SELECT * FROM "their % view?"',
        "CREATE VIEW broken AS SELECT x FROM gone",
        "CREATE VIEW other AS SELECT 'rag_session' AS x FROM note",
    )
    with pytest.raises(MigrationError, match=r"\(second, their % view\?\).*nothing was changed"):
        downgrade(sqlite_url, to, allow_data_loss=True)
    assert status(sqlite_url).revision == "rs_0003"
    run_sql(sqlite_url, "DROP VIEW second", 'DROP VIEW "their % view?"')
    assert downgrade(sqlite_url, to, allow_data_loss=True).applied


def test_inside_a_hosts_downgrade(engine: Engine) -> None:
    """M28: with the connection of the host's own revision; its rollback puts everything back."""
    with engine.begin() as connection:
        apply(connection, "rs_0003")
    with engine.connect() as connection:
        back = downgrade(connection, "rs_0002", allow_data_loss=True)
        assert (back.to_revision, back.committed) == ("rs_0002", False)
        connection.rollback()
    assert status(engine).revision == "rs_0003"
