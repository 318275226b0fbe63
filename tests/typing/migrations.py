"""The migrations' public calls and the types they give, plain and awaited; checked by mypy and pyright, never run."""

from __future__ import annotations

from functools import partial
from typing import assert_type

from alembic.runtime.environment import EnvironmentContext
from sqlalchemy import Connection, Engine, Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

import ragstore
from ragstore import migrations
from ragstore.alembic import include_name, include_object, reference
from ragstore.migrations import Difference, Revision, State, Status, UpgradeResult


def plain(engine: Engine, connection: Connection) -> None:
    assert_type(ragstore.upgrade("sqlite:///app.db", timeout=5), UpgradeResult)
    assert_type(ragstore.upgrade(engine, schema="rag", create_schema=False), UpgradeResult)
    assert_type(migrations.upgrade(connection, "head").applied, tuple[str, ...])
    assert_type(migrations.downgrade(engine, "base", allow_data_loss=True), UpgradeResult)
    assert_type(migrations.status(engine), Status)
    assert_type(migrations.status(engine).state, State)
    assert_type(migrations.current(engine), str | None)
    assert_type(migrations.check(engine), tuple[Difference, ...])
    assert_type(migrations.history(), tuple[Revision, ...])
    assert_type(migrations.stamp(engine, "head"), UpgradeResult)
    assert_type(migrations.apply(connection, to="rs_0003"), UpgradeResult)
    assert_type(migrations.sql("sqlite", "head", start="rs_0001"), str)
    assert_type(ragstore.configure_engine(engine, ragstore.Settings()), None)


async def awaited(engine: AsyncEngine, connection: AsyncConnection) -> None:
    assert_type(await ragstore.aupgrade("sqlite:///app.db", timeout=5), UpgradeResult)
    assert_type(await migrations.aupgrade(connection), UpgradeResult)
    assert_type(await migrations.adowngrade(engine, "base", allow_data_loss=True), UpgradeResult)
    assert_type(await migrations.astatus(engine), Status)
    assert_type(await migrations.acurrent(engine), str | None)
    assert_type(await migrations.astamp(engine, "head"), UpgradeResult)
    assert_type(await migrations.acheck(engine), tuple[Difference, ...])
    assert_type(ragstore.configure_engine(engine.sync_engine), None)


def hosted(context: EnvironmentContext) -> None:
    context.configure(include_name=include_name, include_object=include_object)
    context.configure(
        include_name=partial(include_name, schema="x"), include_object=partial(include_object, schema="x")
    )
    assert_type(reference("rag_document", schema=None), Table)
