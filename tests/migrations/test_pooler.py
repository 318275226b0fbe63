"""M02: through PgBouncer in transaction mode, where each transaction may get another connection of the server's."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine

from ragstore.backends import read_url
from ragstore.migrations import State, astatus, aupgrade, chain, check, status, upgrade
from tests.migrations.test_concurrency import race
from tests.poolers import PROGRAM, pooled

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")

SQL = Callable[..., list[Any]]
SETTINGS = (
    "lock_timeout",
    "statement_timeout",
    "search_path",
    "client_connection_check_interval",
    "synchronous_commit",
    "default_transaction_isolation",
)


@pytest.fixture
def through() -> Iterator[Callable[[str], str]]:
    """Give the URL that leads to a database through a pooler of its own, with fewer connections than clients."""
    with ExitStack() as running:

        def make(url: str) -> str:
            folder = running.enter_context(tempfile.TemporaryDirectory())  # the pooler runs as another user than root
            return running.enter_context(pooled(url, Path(folder)))

        yield make


def left_on(url: str) -> list[Any]:
    """Read what clients could have left on the connections that the server's URL or the pooler's leads to."""
    engine = create_engine(read_url(url), poolclass=NullPool)
    asked = ", ".join(f"current_setting('{name}')" for name in SETTINGS)
    prepared = "SELECT count(*) FROM pg_prepared_statements"
    advisory = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    with engine.connect() as one, engine.connect() as other:  # both in transactions, so on both connections
        found = [one.exec_driver_sql(f"SELECT {asked}, ({prepared}), ({advisory})").one() for one in (one, other)]
    engine.dispose()
    return [tuple(row) for row in found]


@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_processes_behind_a_pooler(
    new_database: Callable[..., str], through: Callable[[str], str], run_sql: SQL, rounds: int
) -> None:
    """M02: eight at once with the default engine: all succeed, exactly one migrates, and nothing stays behind."""
    direct = [new_database() for _ in range(rounds)]
    urls = [through(url) for url in direct]
    for applied in race(urls, 8):
        assert sorted(applied) == [[]] * 7 + [[*chain.CHAIN]]  # who applies all came from None
    for url in urls:
        assert upgrade(url).from_revision == chain.HEAD
        assert run_sql(url, "SELECT version_num FROM ragstore.rag_version") == [(chain.HEAD,)]
    for pooled_url, url in zip(urls, direct, strict=True):
        assert left_on(pooled_url) == left_on(url)


@pytest.mark.anyio
async def test_every_call_behind_a_pooler(postgres_database: str, through: Callable[[str], str], run_sql: SQL) -> None:
    """M02: looks, steps and awaited calls too; the next client finds the connections as they were."""
    url = through(postgres_database)
    before = left_on(url)
    assert status(url).state is State.EMPTY
    assert upgrade(url, "+1").applied == chain.CHAIN[:1]
    assert (await astatus(url)).state is State.BEHIND
    assert (await aupgrade(url)).applied == chain.CHAIN[1:]
    assert check(url) == ()
    here = "datname = current_database()"  # other tests upgrade on this server
    names = f"SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'ragstore upgrade%' AND {here}"
    assert run_sql(postgres_database, names) == [(0,)]
    assert left_on(url) == before
