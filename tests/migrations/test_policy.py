"""The environment variable RAGSTORE_UPGRADE."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

import ragstore
from ragstore import migrations
from ragstore.errors import SchemaBehind, SchemaDamaged, UsageError
from ragstore.migrations import State, UpgradeResult, chain, downgrade, status
from tests.migrations.conftest import AFTER_HEAD

SQL = Callable[..., list[Any]]
VARIABLE = "RAGSTORE_UPGRADE"
Upgrade = Callable[..., UpgradeResult]


def awaited(*arguments: Any, **options: Any) -> UpgradeResult:
    return asyncio.run(ragstore.aupgrade(*arguments, **options))


@pytest.fixture(params=[ragstore.upgrade, awaited], ids=["upgrade", "aupgrade"])
def upgrade(request: pytest.FixtureRequest) -> Any:
    """Either face."""
    return request.param


def test_off(database_url: str, statements: list[str], upgrade: Upgrade, monkeypatch: pytest.MonkeyPatch) -> None:
    """M59: no query, not even a connection, and the result says so."""
    monkeypatch.setenv(VARIABLE, "off")
    result = upgrade(database_url)
    assert (result.from_revision, result.to_revision, result.applied) == (None, None, ())
    assert (result.committed, result.skipped) == (False, True)
    assert upgrade("postgresql://nobody@nowhere.invalid/none").skipped
    assert statements == []
    monkeypatch.delenv(VARIABLE)
    assert status(database_url).state is State.EMPTY


def test_check_before(
    database_url: str, statements: list[str], upgrade: Upgrade, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M59: `SchemaBehind` lists the pending steps; nothing is changed."""
    monkeypatch.setenv(VARIABLE, "check")
    with pytest.raises(SchemaBehind, match=rf"at no revision.*{', '.join(chain.CHAIN)};.*{VARIABLE}"):
        upgrade(database_url)
    monkeypatch.delenv(VARIABLE)
    ragstore.upgrade(database_url, "rs_0002")
    monkeypatch.setenv(VARIABLE, "check")
    statements.clear()
    with pytest.raises(SchemaBehind, match=rf"at rs_0002.*: {', '.join(chain.CHAIN[2:])};"):
        upgrade(database_url)
    with pytest.raises(SchemaBehind, match=r"pending: rs_0003;"):
        upgrade(database_url, "+1")
    assert all(statement.split()[0] in ("SELECT", "PRAGMA", "BEGIN", "WITH") for statement in statements)
    assert status(database_url).revision == "rs_0002"
    assert upgrade(database_url, "rs_0002").applied == ()
    with pytest.raises(UsageError, match="use downgrade"):
        upgrade(database_url, "rs_0001")


def test_check_at_head(
    database_url: str, statements: list[str], upgrade: Upgrade, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M59, M56: fine, by one query."""
    ragstore.upgrade(database_url)
    monkeypatch.setenv(VARIABLE, "check")
    statements.clear()
    result = upgrade(database_url)
    assert (result.to_revision, result.applied, result.skipped) == (chain.HEAD, (), False)
    assert len(statements) == 1


def test_check_makes_no_file(
    sqlite_url: str, tmp_path: Path, upgrade: Upgrade, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M44: a look at a file that does not exist does not make it."""
    monkeypatch.setenv(VARIABLE, "check")
    with pytest.raises(SchemaBehind):
        upgrade(sqlite_url)
    assert list(tmp_path.iterdir()) == []


def test_check_of_a_damaged_one(
    database_url: str, run_sql: SQL, upgrade: Upgrade, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M23: damage is damage, not a pending upgrade."""
    ragstore.upgrade(database_url)
    run_sql(database_url, f"DELETE FROM {'ragstore.' if 'postgresql' in database_url else ''}rag_version")
    monkeypatch.setenv(VARIABLE, "check")
    with pytest.raises(SchemaDamaged):
        upgrade(database_url)


@pytest.mark.parametrize("value", ["auto", ""])
def test_auto(database_url: str, upgrade: Upgrade, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """M59: as if it were not set."""
    monkeypatch.setenv(VARIABLE, value)
    assert upgrade(database_url).applied == chain.CHAIN


@pytest.mark.parametrize("value", ["no", "OFF ", "1"])
def test_another_value(sqlite_url: str, upgrade: Upgrade, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """M59: a typing error must not upgrade, nor silently not upgrade."""
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(UsageError, match=f"{VARIABLE} is '{value}': it must be one of auto, check, off"):
        upgrade(sqlite_url)


def test_what_is_explicit_is_not_governed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """M59: a host's revision, a stamp and a downgrade are asked for by somebody."""
    monkeypatch.setenv(VARIABLE, "off")
    with engine.begin() as connection:
        assert migrations.apply(connection).applied == chain.CHAIN
    assert migrations.stamp(engine, "head").to_revision == chain.HEAD
    assert downgrade(engine, "base", allow_data_loss=True).applied == chain.CHAIN[::-1]


def test_check_follows_the_chain(
    database_url: str, longer_chain: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """M59: newer code on an older schema."""
    ragstore.upgrade(database_url)
    longer_chain("def upgrade(op):\n    pass\ndef downgrade(op):\n    pass\n")
    monkeypatch.setenv(VARIABLE, "check")
    with pytest.raises(SchemaBehind, match=f"pending: {AFTER_HEAD};"):
        ragstore.upgrade(database_url)
