"""Indexes that `upgrade` leaves out because their tables are large."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Literal
from uuid import uuid4

import pytest

from ragstore import Store
from ragstore.migrations import State, check, downgrade, ensure_indexes, frozen, sql, status, upgrade
from tests.migrations.test_indexes import prefix

SQL = Callable[..., list[Any]]
LATER = ("ix_rag_message_kept", "ix_rag_message_open", "ix_rag_message_usage")


@pytest.fixture
def with_messages(database_url: str, run_sql: SQL, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database before the revision that adds indexes, with a table that is said to be large."""
    monkeypatch.setattr(frozen, "LARGE", 3)
    upgrade(database_url, "rs_0003")
    p, conversation = prefix(database_url), uuid4()
    columns = "(id, conversation_id, seq, role, content, metadata)"
    run_sql(
        database_url,
        f"INSERT INTO {p}rag_conversation (id, thread_id, metadata) VALUES ('{conversation}', 't', '{{}}')",
        *(
            f"INSERT INTO {p}rag_message {columns} VALUES ('{uuid4()}', '{conversation}', {seq}, 'user', 'x', '{{}}')"
            for seq in (1, 2, 3)
        ),
    )
    return database_url


def one_more(url: str, run_sql: SQL) -> None:
    """Make the table larger than it may be."""
    table, columns = f"{prefix(url)}rag_message", "conversation_id, role, content, metadata"
    run_sql(url, f"INSERT INTO {table} (id, seq, {columns}) SELECT '{uuid4()}', 4, {columns} FROM {table} LIMIT 1")


def test_a_small_table_has_them_at_once(with_messages: str) -> None:
    """M16: up to the limit they are part of the migration."""
    assert upgrade(with_messages).deferred == ()
    assert check(with_messages) == ()


def test_a_large_table_has_them_later(with_messages: str, run_sql: SQL, caplog: pytest.LogCaptureFixture) -> None:
    """M16: above it they are left out, with one warning that says how to build them; `check` reports them."""
    one_more(with_messages, run_sql)
    with caplog.at_level(logging.WARNING, "ragstore.migrations"):
        result = upgrade(with_messages)
    assert result.deferred == LATER
    (warning,) = [record.getMessage() for record in caplog.records if record.name == "ragstore.migrations"]
    assert all(part in warning for part in (*LATER, "ragstore db ensure-indexes", "migrations.ensure_indexes"))
    assert status(with_messages).state is State.CURRENT
    assert tuple(difference.name for difference in check(with_messages)) == LATER
    with Store.open(with_messages) as store:
        assert store.conversations.record_exchange(thread_id="u", query="without them", response="it works")
    assert [(report.index, report.action) for report in ensure_indexes(with_messages)] == [
        (name, "built") for name in LATER
    ]
    assert check(with_messages) == ()
    assert upgrade(with_messages).deferred == ()


@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
def test_the_text_for_an_administrator_has_them(database: Literal["postgresql", "sqlite"]) -> None:
    """M52: no rows can be counted there."""
    script = sql(database, start="rs_0003")
    assert all(f"CREATE INDEX {name} ON" in script for name in LATER)


def test_taken_back_without_them(with_messages: str, run_sql: SQL) -> None:
    """M16: a downgrade does not need what was left out."""
    one_more(with_messages, run_sql)
    assert upgrade(with_messages).deferred == LATER
    downgrade(with_messages, "rs_0003", allow_data_loss=True)
    assert status(with_messages).state is State.BEHIND
    assert upgrade(with_messages).deferred == LATER
