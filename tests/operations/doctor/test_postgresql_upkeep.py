"""Statistics, vacuum, memory and indexes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, make_url

from ragstore import NewChunk, NewDocument, Settings, Store
from ragstore.operations.doctor import diagnose
from ragstore.operations.doctor.postgresql import indexes, upkeep
from tests.operations.doctor.conftest import of, one

SQL = Callable[..., list[Any]]


def fill(url: str, chunks: int = 300, dimensions: int = 8) -> None:
    """Store chunks with vectors in the collection "c"."""
    with Store.open(url, Settings(index_above=None)) as store:
        store.collections.ensure("c", model="m", dimensions=dimensions)
        document = NewDocument(source="a", title="A")
        new = [
            NewChunk(content=f"number {n}", embedding=[float(n + 1), *(float(n % k) for k in range(2, dimensions + 1))])
            for n in range(chunks)
        ]
        store.documents.put("c", document, new)


def no_autovacuum(url: str, run_sql: SQL) -> None:
    """Keep the server from cleaning up what a test plants."""
    run_sql(url, *(f"ALTER TABLE ragstore.{t} SET (autovacuum_enabled = off)" for t in ("rag_chunk", "rag_embedding")))


def test_never_analyzed(upgraded: str, run_sql: SQL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "WORTH_ANALYZING", 8192)
    no_autovacuum(upgraded, run_sql)
    fill(upgraded)
    found = {finding.subject: finding for finding in of("statistics", upgraded)}
    assert found["rag_chunk"].remedy.startswith('ANALYZE "ragstore"."rag_chunk";')
    run_sql(upgraded, "ANALYZE")
    assert of("statistics", upgraded) == []


def test_dead_rows(upgraded: str, run_sql: SQL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "MANY_DEAD", 200)
    no_autovacuum(upgraded, run_sql)
    fill(upgraded)
    assert of("dead-rows", upgraded) == []
    run_sql(upgraded, "DELETE FROM ragstore.rag_embedding", "SELECT pg_stat_force_next_flush()")
    assert one("dead-rows", upgraded).subject == "rag_embedding"
    run_sql(upgraded, "VACUUM ragstore.rag_embedding", "SELECT pg_stat_force_next_flush()")
    assert of("dead-rows", upgraded) == []


def test_autovacuum_off_for_a_table(upgraded: str, run_sql: SQL) -> None:
    run_sql(upgraded, "ALTER TABLE ragstore.rag_term SET (autovacuum_enabled = false)")
    found = one("autovacuum", upgraded)
    run_sql(upgraded, found.remedy)
    assert of("autovacuum", upgraded) == []


def test_row_security(upgraded: str, role: str, run_sql: SQL) -> None:
    """For a role that policies bind; the owner is not bound."""
    run_sql(
        upgraded,
        "ALTER TABLE ragstore.rag_document ENABLE ROW LEVEL SECURITY",
        f"GRANT USAGE ON SCHEMA ragstore TO {role}",
    )
    url = make_url(upgraded).set(username=role, password="secret").render_as_string(hide_password=False)
    assert one("row-security", url).subject == "rag_document"
    assert of("row-security", upgraded) == []


def test_memory(upgraded: str, run_sql: SQL, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(upgraded, 600, 16)
    with Store.open(upgraded) as store:
        store.spaces.create_index("c")
    assert of("memory", upgraded) == []
    run_sql(upgraded, f"ALTER DATABASE \"{make_url(upgraded).database}\" SET maintenance_work_mem = '64kB'")
    assert one("memory", upgraded).subject == "maintenance_work_mem"
    monkeypatch.setattr(upkeep, "LARGE", 1)
    assert {finding.subject for finding in of("memory", upgraded)} == {"maintenance_work_mem", "shared_buffers"}


def test_invalid_index(upgraded: str, run_sql: SQL) -> None:
    """Reported once: not as drift too."""
    run_sql(
        upgraded, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ragstore.ix_rag_message_open'::regclass"
    )
    found = diagnose(upgraded)
    assert [(f.check, f.subject) for f in found.at("warning")] == [("invalid-indexes", "ix_rag_message_open")]
    assert "ensure-indexes" in found.at("warning")[0].remedy


def test_running_build_is_no_leftover(
    upgraded: str, role: str, make_engine: Callable[..., Engine], run_sql: SQL
) -> None:
    """An index that is being built is not valid yet; a role that cannot see the build reports nothing either."""
    with make_engine(upgraded).connect() as blocker:
        blocker.exec_driver_sql("INSERT INTO ragstore.rag_collection SELECT * FROM ragstore.rag_collection")
        build = "CREATE INDEX CONCURRENTLY slow ON ragstore.rag_collection (name)"
        thread = threading.Thread(target=run_sql, args=(upgraded, build))
        thread.start()
        seen = "SELECT 1 FROM pg_stat_progress_create_index WHERE datname = current_database()"
        while not run_sql(upgraded, seen + " AND index_relid <> 0"):
            time.sleep(0.01)
        weak = make_url(upgraded).set(username=role, password="secret").render_as_string(hide_password=False)
        try:
            assert of("invalid-indexes", upgraded) == []
            assert of("invalid-indexes", weak) == []
        finally:
            blocker.rollback()
            thread.join()
    run_sql(upgraded, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ragstore.slow'::regclass")
    assert one("invalid-indexes", weak).subject == "slow"


def test_duplicate_index(upgraded: str, run_sql: SQL) -> None:
    """The primary key is never the one to drop; another order or condition is no duplicate."""
    run_sql(
        upgraded,
        "CREATE INDEX again ON ragstore.rag_document (tenant_id, id)",
        "CREATE INDEX other_order ON ragstore.rag_document (tenant_id, id DESC)",
        "CREATE INDEX partial ON ragstore.rag_document (tenant_id, id) WHERE title = ''",
    )
    found = one("duplicate-indexes", upgraded)
    assert (found.subject, found.level) == ("again", "hint")


def test_unused_index(upgraded: str, run_sql: SQL, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large one, and only when the statistics are old enough to say so."""
    monkeypatch.setattr(indexes, "UNUSED_BYTES", 1)
    fill(upgraded)
    run_sql(upgraded, "CREATE INDEX unused ON ragstore.rag_chunk (content)")
    assert of("unused-indexes", upgraded) == []
    monkeypatch.setattr(indexes, "UNUSED_DAYS", 0)
    assert "unused" in {finding.subject for finding in of("unused-indexes", upgraded)}


def test_index_of_a_space_that_is_gone(upgraded: str, run_sql: SQL) -> None:
    fill(upgraded)
    with Store.open(upgraded) as store:
        store.spaces.create_index("c")
        assert of("space-indexes", upgraded) == []
        run_sql(upgraded, "DELETE FROM ragstore.rag_embedding_space")
        assert one("space-indexes", upgraded).remedy == "call store.spaces.drop_unused_indexes()"
        store.spaces.drop_unused_indexes()
    assert of("space-indexes", upgraded) == []


def test_space_whose_index_is_gone(upgraded: str, run_sql: SQL) -> None:
    fill(upgraded)
    with Store.open(upgraded) as store:
        status = store.spaces.create_index("c")
        (name,) = run_sql(upgraded, "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'ann\\_%'")[0]
        assert status
        run_sql(upgraded, f"DROP INDEX ragstore.{name}")
        found = one("space-indexes", upgraded)
        assert (found.level, '"default"' in found.remedy) == ("warning", True)
        store.spaces.repair_indexes()
    assert of("space-indexes", upgraded) == []


def test_build_that_was_cut_off(upgraded: str, run_sql: SQL) -> None:
    """The record says building, and nobody builds."""
    fill(upgraded)
    with Store.open(upgraded) as store:
        store.spaces.create_index("c")
    run_sql(upgraded, "UPDATE ragstore.rag_embedding_space SET index_state = 'building'")
    assert "(building)" in one("space-indexes", upgraded).what


def test_large_space_without_index(upgraded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(upgraded)
    assert of("spaces-without-index", upgraded) == []
    monkeypatch.setattr(indexes, "Settings", lambda: Settings(index_above=299))
    assert "299 vectors" in one("spaces-without-index", upgraded).what
    monkeypatch.setattr(indexes, "Settings", lambda: Settings(index_above=300))
    assert of("spaces-without-index", upgraded) == []


def test_another_schema(postgres_database: str) -> None:
    """A name that needs quotes, and that SQLAlchemy would take for parameters."""
    import ragstore

    ragstore.upgrade(postgres_database, schema='o:d"d')
    found = diagnose(postgres_database, schema='o:d"d')
    assert found.at("error") == found.at("warning") == ()
    assert not [f for f in found.findings if "could not be looked at" in f.what], found.findings
