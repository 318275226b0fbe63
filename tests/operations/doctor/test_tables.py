"""The state of the schema, and its drift, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import ragstore
from ragstore import migrations
from ragstore.migrations import chain
from ragstore.migrations.indexing import managed
from ragstore.operations.doctor import diagnose
from tests.operations.doctor.conftest import of, one

SQL = Callable[..., list[Any]]


def prefix(url: str) -> str:
    return "ragstore." if url.startswith("postgresql") else ""


def test_empty(database_url: str, run_sql: SQL) -> None:
    run_sql(database_url, "CREATE TABLE host (x integer)")
    found = one("state", database_url)
    assert (found.level, found.remedy.partition(";")[0]) == (
        "error",
        "call ragstore.upgrade, or run  ragstore db upgrade",
    )


def test_behind(database_url: str) -> None:
    migrations.upgrade(database_url, chain.CHAIN[0])
    found = one("state", database_url)
    assert found.level == "error"
    assert chain.HEAD in found.what
    assert of("drift", database_url) == []


@pytest.mark.parametrize(("min_code", "level"), [(1, "hint"), (999, "error")])
def test_ahead(database_url: str, run_sql: SQL, min_code: int, level: str) -> None:
    ragstore.upgrade(database_url)
    at = prefix(database_url)
    run_sql(
        database_url,
        f"UPDATE {at}rag_version SET version_num = 'rs_9999'",
        f"UPDATE {at}rag_meta SET schema_number = 999, min_code = {min_code}",
    )
    assert one("state", database_url).level == level


def test_damaged(database_url: str, run_sql: SQL) -> None:
    ragstore.upgrade(database_url)
    run_sql(database_url, f"DELETE FROM {prefix(database_url)}rag_version")
    assert "rag_version has no row" in one("state", database_url).what


def test_foreign(database_url: str, run_sql: SQL) -> None:
    at = prefix(database_url)
    if at:
        run_sql(database_url, "CREATE SCHEMA ragstore")
    run_sql(database_url, f"CREATE TABLE {at}rag_document (x integer)")
    assert "did not make" in one("state", database_url).what


def test_drift(database_url: str, run_sql: SQL) -> None:
    """Each kind has its level and its remedy."""
    ragstore.upgrade(database_url)
    at = prefix(database_url)
    run_sql(
        database_url,
        f"DROP INDEX {at}ix_rag_message_open",
        f"CREATE INDEX of_the_host ON {at}rag_document (title)",
        f"ALTER TABLE {at}rag_document ADD COLUMN of_the_host integer",
    )
    found = {finding.what.partition(" is ")[0]: finding for finding in of("drift", database_url)}
    missing = found["index rag_message.ix_rag_message_open"]
    assert (missing.level, missing.remedy) == ("warning", "run  ragstore db ensure-indexes")
    assert found["index rag_document.of_the_host"].level == "hint"
    assert found["column rag_document.of_the_host"].level == "hint"


def test_missing_unique_index(database_url: str, run_sql: SQL) -> None:
    """Nothing builds it by itself, and rows may be there twice by now."""
    ragstore.upgrade(database_url)
    run_sql(database_url, f"DROP INDEX {prefix(database_url)}uq_rag_embedding_space_active")
    found = one("drift", database_url)
    assert (found.level, "ensure-indexes" in found.remedy) == ("error", False)


def test_leftover_of_a_swap(database_url: str, run_sql: SQL) -> None:
    """A name of `ensure_indexes`' own is not taken for a host's index."""
    ragstore.upgrade(database_url)
    run_sql(database_url, f"CREATE INDEX {managed.building('x')} ON {prefix(database_url)}rag_document (title)")
    found = one("drift", database_url)
    assert (found.level, found.remedy) == ("warning", "run  ragstore db ensure-indexes")


def test_missing_column(database_url: str, run_sql: SQL) -> None:
    ragstore.upgrade(database_url)
    run_sql(database_url, f"ALTER TABLE {prefix(database_url)}rag_document DROP COLUMN title")
    assert "column rag_document.title is missing" in [f.what for f in diagnose(database_url).at("error")]


def test_changed_index(database_url: str, run_sql: SQL) -> None:
    """M20: another definition under our name."""
    ragstore.upgrade(database_url)
    at = prefix(database_url)
    run_sql(
        database_url, f"DROP INDEX {at}ix_rag_message_open", f"CREATE INDEX ix_rag_message_open ON {at}rag_message (id)"
    )
    found = one("drift", database_url)
    assert found.level == "warning"
    assert "ensure-indexes" in found.remedy


def test_hosts_trigger(database_url: str, run_sql: SQL) -> None:
    ragstore.upgrade(database_url)
    if database_url.startswith("sqlite"):
        run_sql(
            database_url, "CREATE TRIGGER theirs AFTER INSERT ON rag_document BEGIN SELECT 1\\; END".replace("\\", "")
        )
    else:
        run_sql(
            database_url,
            "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE TRIGGER theirs AFTER INSERT ON ragstore.rag_document EXECUTE FUNCTION noted()",
        )
    found = one("drift", database_url)
    assert (found.level, "theirs" in found.what) == ("warning", True)
