"""Managed indexes through PgBouncer in transaction mode."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from ragstore.errors import QueryTimeout
from ragstore.migrations import IndexProgress, check, ensure_indexes, upgrade
from tests.migrations.test_indexes import KEPT, invalid, long_transaction, room_for
from tests.migrations.test_pooler import left_on
from tests.poolers import PROGRAM, pooled

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")

SQL = Callable[..., list[Any]]


def test_no_setting_stays_behind(postgres_database: str, run_sql: SQL, tmp_path: Path) -> None:
    """M02, M19: told of the blocker, ended at the deadline, repaired, and no setting left on a pooled connection."""
    upgrade(postgres_database)
    run_sql(postgres_database, f"DROP INDEX ragstore.{KEPT}")
    told: list[IndexProgress] = []
    with pooled(postgres_database, tmp_path) as url:
        before = left_on(url)
        room = room_for(url)
        with long_transaction(postgres_database) as holder, pytest.raises(QueryTimeout, match=f"{room:g} s") as raised:
            ensure_indexes(url, timeout=room, progress=told.append)
        assert f"process {holder} (a report)" in str(raised.value)
        assert holder in [now.blocker for now in told]
        assert invalid(check(postgres_database)).name == KEPT
        assert left_on(url) == before
        assert [done.action for done in ensure_indexes(url)] == ["rebuilt"]
        assert left_on(url) == before
    assert check(postgres_database) == ()


def test_the_roles_time_out(postgres_database: str, run_sql: SQL, tmp_path: Path) -> None:
    """M17: behind a pooler the role's statement_timeout holds: QueryTimeout, an INVALID leftover, and then repaired."""
    upgrade(postgres_database)
    name = make_url(postgres_database).database
    run_sql(postgres_database, f"DROP INDEX ragstore.{KEPT}", f"ALTER DATABASE {name} SET statement_timeout = '3s'")
    with pooled(postgres_database, tmp_path) as url:
        with long_transaction(postgres_database), pytest.raises(QueryTimeout, match="a time-out of the role's"):
            ensure_indexes(url)
        assert invalid(check(postgres_database)).name == KEPT
        assert [done.action for done in ensure_indexes(url)] == ["rebuilt"]
    assert check(postgres_database) == ()


def test_one_connection(postgres_database: str, run_sql: SQL, tmp_path: Path) -> None:
    """M19: where the pooler has but one connection, the watcher waits for it, and the deadline is kept all the same."""
    upgrade(postgres_database)
    run_sql(postgres_database, f"DROP INDEX ragstore.{KEPT}")
    with pooled(postgres_database, tmp_path, connections=1) as url:
        room = room_for(url)
        with long_transaction(postgres_database), pytest.raises(QueryTimeout, match=f"{room:g} s"):
            ensure_indexes(url, timeout=room)
        assert [done.action for done in ensure_indexes(url)] == ["rebuilt"]
    assert check(postgres_database) == ()
