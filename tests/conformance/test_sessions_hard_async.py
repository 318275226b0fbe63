"""Sessions in awkward surroundings: a host's levels of isolation, and ends that cross."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from ragstore import AsyncStore, Settings
from ragstore.backends import read_url
from ragstore.core._face_async import sleep
from ragstore.errors import Conflict, ReadOnlyError
from ragstore.sessions.records import SessionRules
from tests.conformance.support import Database, async_together, run_calls

pytestmark = pytest.mark.anyio

ASYNCHRONOUS = AsyncStore.__name__.startswith("Async")
EACH = SessionRules("each", touch_interval=0)
CAPPED = SessionRules("capped", max_sessions=3)


@pytest.mark.parametrize("level", ["AUTOCOMMIT", "REPEATABLE READ", "SERIALIZABLE"])
async def test_on_a_hosts_engine_of_any_isolation(postgres_url: str, level: str) -> None:
    """S-3, S-5, S-7, S-8: what several do at once ends as it does on an engine of ours, and nobody gets an error."""
    engine = create_async_engine(read_url(postgres_url, asynchronous=ASYNCHRONOUS), isolation_level=level)
    async with AsyncStore.open(engine) as store:
        sessions = store.sessions
        sessions.define(EACH, CAPPED)
        old = await sessions.create("ann")
        rotated = run_calls(await async_together(*[lambda: sessions.rotate(old.token)] * 8))
        assert len({new.token for new in rotated}) == 1
        each = await sessions.create("ann", kind="each")
        for _ in range(3):
            seen = run_calls(await async_together(*[lambda: sessions.authenticate(each.token)] * 8))
            assert None not in seen
        run_calls(await async_together(*[lambda: sessions.create("ann", kind="capped")] * 8))
        assert len(await sessions.list_user("ann", kind="capped")) == 3
        saved = await async_together(*[lambda: sessions.save_data(each.session, {"a": 1}, version=0)] * 6)
        assert sum(isinstance(one, Conflict) for one in saved) == 5
    await engine.dispose()


async def test_a_login_and_a_revocation_that_cross(postgres_url: str) -> None:
    """A login that replaces one session and evicts another locks them in the order of all who revoke."""
    engine = create_engine(read_url(postgres_url))
    async with AsyncStore.open(postgres_url) as store:
        older = await store.sessions.create("ann", kind="capped")
        newer = await store.sessions.create("ann", kind="capped")
        store.sessions.define(SessionRules("capped", max_sessions=1))
        held: list[bool] = []

        async def until_waiting(wanted: int) -> None:
            """Wait until so many wait for locks."""
            here = "datname = current_database()"
            waiting = f"SELECT count(*) FROM pg_stat_activity WHERE {here} AND wait_event_type = 'Lock'"
            with contextlib.closing(Database(postgres_url)) as db:
                for _ in range(3000):
                    if db.scalar(waiting) >= wanted:
                        return
                    await sleep(0.02)
            raise AssertionError("nobody waits")

        async def hold() -> None:
            with engine.begin() as holder:
                statement = text("SELECT 1 FROM ragstore.rag_session WHERE id = :id FOR UPDATE")
                holder.execute(statement, {"id": older.session.id})
                held.append(True)
                await until_waiting(2)

        async def revoke() -> int:
            while not held:
                await sleep(0.01)
            return await store.sessions.revoke_user("ann")

        async def log_in() -> Any:
            await until_waiting(1)
            return await store.sessions.create("ann", kind="capped", replaces=newer.token)

        _, revoked, new = run_calls(await async_together(hold, revoke, log_in))
        assert revoked == 2
        assert [one.id for one in await store.sessions.list_user("ann")] == [new.session.id]
    engine.dispose()


async def test_why_sessions_ended(async_store: AsyncStore, db: Database) -> None:
    """What a login replaced is told from what it evicted."""
    sessions = async_store.sessions
    for _ in range(2):
        await sessions.create("ann", kind="capped")
    last = await sessions.create("ann", kind="capped")
    sessions.define(SessionRules("capped", max_sessions=1))
    await sessions.create("ann", kind="capped", replaces=last.token)
    reasons = db.execute("SELECT revoked_because, count(*) FROM rag_session GROUP BY 1 ORDER BY 1")
    assert sorted(reasons, key=repr) == sorted([(None, 1), ("evicted", 2), ("replaced", 1)], key=repr)


@pytest.mark.parametrize("how", ["engine", "options"])
async def test_a_unit_on_an_engine_in_autocommit(postgres_url: str, how: str) -> None:
    """A unit of work is one transaction, whatever the host's engine does by itself."""
    url, level = read_url(postgres_url, asynchronous=ASYNCHRONOUS), "AUTOCOMMIT"
    made = create_async_engine(url) if how == "options" else create_async_engine(url, isolation_level=level)
    engine = made.execution_options(isolation_level=level) if how == "options" else made
    async with AsyncStore.open(engine) as store:
        kept = await store.sessions.create("ann")
        with pytest.raises(KeyError):
            async with store.begin() as unit:
                await unit.collections.ensure("docs")
                await unit.sessions.revoke(kept.token)
                raise KeyError
        assert await store.collections.find("docs") is None
        assert await store.sessions.authenticate(kept.token) is not None
        with pytest.raises(ReadOnlyError):
            async with store.begin(read_only=True) as unit:
                await unit.collections.ensure("docs")
    await made.dispose()


async def test_a_good_session_is_good_while_somebody_writes(database_url: str) -> None:
    """What cannot be noted now is not noted: nobody is logged out by another one's long transaction."""
    async with AsyncStore.open(database_url, Settings(busy_timeout=0.05, lock_timeout=0.05)) as store:
        store.sessions.define(SessionRules("brief", touch_interval=0))
        new = await store.sessions.create("ann", kind="brief")
        async with AsyncStore.open(database_url) as other, other.begin() as unit:
            await unit.sessions.save_data(new.token, {"step": 2}, version=0)
            session = await store.sessions.authenticate(new.token)
        assert session is not None
        assert session.last_seen_at == new.session.last_seen_at
