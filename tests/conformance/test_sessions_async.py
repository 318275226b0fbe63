"""Login sessions, on both databases and both faces."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import StaticPool, event
from sqlalchemy import text as sql
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from ragstore import AsyncStore, Settings, aupgrade, configure_engine
from ragstore.core.ids import new_id
from ragstore.errors import (
    Conflict,
    InvalidInput,
    LimitExceeded,
    NotFound,
    ReadOnlyError,
    SessionEnded,
    TenantRequired,
    UsageError,
)
from ragstore.sessions import judging
from ragstore.sessions._async import AsyncSessions
from ragstore.sessions.records import NewSession, Session, SessionEvent, SessionRules
from ragstore.sessions.tokens import Token, read_token
from tests.conformance.support import Database, async_together, plain_engine, run_calls

pytestmark = pytest.mark.anyio

ASYNCHRONOUS = AsyncStore.__name__.startswith("Async")
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
STUDENT = SessionRules("student", idle=30 * MINUTE, absolute=8 * HOUR)
EXACT = SessionRules("exact", idle=30 * MINUTE, absolute=8 * HOUR, touch_interval=0)


@pytest.fixture
async def sessions(async_store: AsyncStore) -> AsyncSessions:
    async_store.sessions.define(STUDENT, EXACT)
    return async_store.sessions


@contextmanager
def noted(store: AsyncStore) -> Iterator[list[str]]:
    """Collect the statements on the connections beside the pool, with BEGIN and COMMIT."""
    seen: list[str] = []
    aside: Any = store.sessions
    engine = plain_engine(aside._access._room.engine)

    def explicit(connection: Any) -> bool:
        return connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT"

    listeners = {
        "before_cursor_execute": lambda _connection, _cursor, statement, *_: seen.append(statement),
        "begin": lambda connection: seen.append("begin") if explicit(connection) else None,
        "commit": lambda connection: seen.append("commit") if explicit(connection) else None,
    }
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield seen
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


def writes(seen: list[str]) -> list[str]:
    words = ("INSERT", "UPDATE", "DELETE", "WITH")
    return [statement for statement in seen if statement.startswith(words)]


def token_of(text: str) -> Token:
    token = read_token(text)
    assert token is not None
    return token


def forged(text: str, **parts: Any) -> str:
    """Give another token of the same form."""
    token = token_of(text)
    fields = {"tenant": token.tenant, "session_id": token.session_id, "generation": token.generation}
    return str(Token(**{**fields, "secret": b"x" * 32, **parts}))


def forms(value: object) -> Iterator[str]:
    """Give the ways in which a stored value may be read."""
    yield str(value)
    if isinstance(value, bytes | memoryview):
        raw = bytes(value)
        yield from (raw.hex(), raw.decode("latin-1"), base64.b64encode(raw).decode())
        yield base64.urlsafe_b64encode(raw).decode()


def pieces(text: str, length: int = 12) -> set[str]:
    return {text[start : start + length] for start in range(len(text) - length + 1)}


def content_of(db: Database) -> str:
    """Give all bytes of an SQLite file."""
    return Path(make_url(db.url).database or "").read_bytes().decode("latin-1")


# ------------------------------------------------------------------------------------------------- S-1: at rest


async def test_no_piece_of_a_secret_is_stored(async_store: AsyncStore, sessions: AsyncSessions, db: Database) -> None:
    """S-1: not in any column of any table, as text, hex, base64 or bytes, nor in the file's bytes."""
    first = await sessions.create("ann", data={"a": 1}, ip="203.0.113.9", agent="A", label="L")
    second = await sessions.rotate(first.token)
    assert second is not None
    third = await sessions.create("ann", replaces=second.token)
    await sessions.save_data(third.token, {"b": 2}, version=0)
    await sessions.authenticate(third.token, now=third.session.created_at + 2 * MINUTE)
    await sessions.revoke(third.token)
    secrets = [token_of(new.token).secret for new in (first, second, third)]
    wanted = set[str]()
    for raw in secrets:
        wanted |= pieces(base64.urlsafe_b64encode(raw).decode()) | pieces(raw.hex()) | pieces(raw.decode("latin-1"))
        wanted |= pieces(base64.b64encode(raw).decode())
    if db.kind == "sqlite":
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        content = content_of(db)
        assert not [piece for piece in wanted if piece in content]
        assert len(content) > 10_000
    looked = 0
    for table in [*db.tables, "rag_meta", "rag_version"]:
        for row in db.execute(f"SELECT * FROM {table}"):
            for form in (form for value in row for form in forms(value)):
                looked += 1
                assert not pieces(form) & wanted, table
    assert looked > 50


async def test_all_that_is_wrong_costs_the_same(
    async_store: AsyncStore, sessions: AsyncSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-1: unknown id, wrong secret, expired and revoked: the same statements, one digest, the same answer."""
    good, revoked = await sessions.create("ann"), await sessions.create("ann")
    await sessions.revoke(revoked.token)
    compare, compared = judging.hmac.compare_digest, list[bool]()

    def counting(a: bytes, b: bytes) -> bool:
        compared.append(True)
        return compare(a, b)

    monkeypatch.setattr(judging.hmac, "compare_digest", counting)
    later = good.session.created_at + 9 * HOUR
    calls: list[Callable[[], Any]] = [
        lambda: sessions.authenticate(forged(good.token, session_id=new_id())),
        lambda: sessions.authenticate(forged(good.token)),
        lambda: sessions.authenticate(good.token, now=later),
        lambda: sessions.authenticate(revoked.token),
        lambda: sessions.authenticate(good.token, kind="student"),
        lambda: sessions.rotate(forged(good.token)),
        lambda: sessions.rotate(revoked.token),
    ]
    costs = []
    for call in calls:
        compared.clear()
        with noted(async_store) as seen:
            assert await call() is None
        costs.append((tuple(seen), len(compared)))
    assert len(set(costs)) == 1
    assert costs[0][1] == 1
    assert len([statement for statement in costs[0][0] if statement.startswith("SELECT")]) == 1
    assert not writes(list(costs[0][0]))
    assert await sessions.authenticate(good.token) is not None


async def test_a_token_carries_its_tenant(database_url: str) -> None:
    """S-1: a store without a tenant authenticates for all; a handle with one gives no other tenant's session."""
    async with AsyncStore.open(database_url, Settings(tenant=None)) as store:
        ours = await store.for_tenant("ours").sessions.create("ann")
        theirs = await store.for_tenant("théirs").sessions.create("ann")
        for tenant, new in (("ours", ours), ("théirs", theirs)):
            session = await store.sessions.authenticate(new.token)
            assert session is not None
            assert (session.tenant, session.user_id) == (tenant, "ann")
            handle = store.for_tenant(tenant).sessions
            assert await handle.authenticate(new.token) == session
            assert [info.id for info in await handle.list_user("ann")] == [session.id]
        other = store.for_tenant("ours").sessions
        assert await other.authenticate(theirs.token) is None
        assert (
            await other.authenticate(forged(theirs.token, tenant="ours", secret=token_of(theirs.token).secret)) is None
        )
        assert await other.rotate(theirs.token) is None
        assert await other.revoke(theirs.token) is False
        assert await other.revoke(theirs.session.id) is False
        for call in (
            lambda: other.get(theirs.session.id),
            lambda: other.save_data(theirs.token, {}, version=0),
            lambda: other.save_data(theirs.session, {}, version=0),
            lambda: other.revoke_others(theirs.token),
            lambda: other.revoke_user("ann", keep=theirs.token),
        ):
            with pytest.raises(SessionEnded):
                await call()
        await other.create("ann", replaces=theirs.token)
        assert await store.sessions.authenticate(theirs.token) is not None
        assert await store.sessions.rotate(theirs.token) is not None
        assert await store.sessions.revoke(ours.token) is True
        with pytest.raises(TenantRequired):
            await store.sessions.create("ann")
        with pytest.raises(TenantRequired):
            await store.sessions.list_user("ann")


# --------------------------------------------------------------------------------------------------- S-2: strict


async def test_a_bad_token_makes_and_revives_nothing(sessions: AsyncSessions, db: Database) -> None:
    """S-2, S-11: what is presented changes nothing; the caller gets None and creates anew."""
    over, revoked = await sessions.create("ann"), await sessions.create("ann")
    await sessions.revoke(revoked.token)
    later = over.session.expires_at
    before = db.versions()
    for text in (None, "", "rs1", "a" * 10_000, "\0", "\ud800", forged(over.token), forged(over.token, generation=9)):
        assert await sessions.authenticate(text) is None
        assert await sessions.rotate(text) is None
        assert await sessions.revoke(text or "") is False
    for text in (over.token, revoked.token):
        assert await sessions.authenticate(text, now=later) is None
        assert await sessions.rotate(text, now=later) is None
        assert await sessions.revoke(text, now=later) is False
    assert db.versions() == before
    anew = await sessions.create("ann", replaces=revoked.token)
    assert anew.session.id != revoked.session.id
    assert await sessions.authenticate(revoked.token) is None


async def test_no_row_without_a_session(sessions: AsyncSessions, db: Database) -> None:
    """S-11: visitors who are only looked at leave nothing behind; neither does a login without a bound."""
    assert await sessions.authenticate(None) is None
    assert await sessions.list_user("ann") == []
    assert await sessions.revoke_user("ann") == 0
    assert db.counts() == {}
    visitor = await sessions.create(data={"theme": "dark"})
    await sessions.create("ann")
    assert visitor.session.user_id is None
    assert await sessions.authenticate(visitor.token) == visitor.session
    assert db.counts() == {"rag_session": 2}


async def test_a_login_replaces_the_visitors_session(sessions: AsyncSessions) -> None:
    """Nobody can prepare a session for somebody else to log in to: the one he came with ends."""
    visitor = await sessions.create(data={"theme": "dark"})
    session = await sessions.authenticate(visitor.token)
    assert session is not None
    login = await sessions.create("ann", data=session.data, replaces=visitor.token)
    assert await sessions.authenticate(visitor.token) is None
    assert login.session.data == {"theme": "dark"}
    rotated = await sessions.rotate(login.token)
    assert rotated is not None
    await sessions.create("ann", replaces=login.token)  # an old token of it names it just as well
    assert await sessions.authenticate(rotated.token) is None
    assert await sessions.create("ann", replaces=forged(login.token)) is not None


# ------------------------------------------------------------------------------------------------- S-3: rotation


async def test_rotation_keeps_the_session(sessions: AsyncSessions, db: Database) -> None:
    """S-3: another token, the same session and data; the absolute end stays."""
    first = await sessions.create("ann", kind="student", data={"a": 1}, label="phone")
    at = first.session.created_at + 10 * MINUTE
    second = await sessions.rotate(first.token, now=at)
    assert second is not None
    assert second.token != first.token
    assert (second.session.id, second.session.data) == (first.session.id, {"a": 1})
    assert second.session.expires_at == first.session.expires_at
    assert second.session.last_seen_at == at
    assert second.session.ends_at == at + 31 * MINUTE
    third = await sessions.rotate(second.token, now=at + HOUR / 2)
    assert third is not None
    assert await sessions.authenticate(third.token, now=at + HOUR / 2) == third.session
    assert db.counts() == {"rag_session": 1}


async def test_twenty_rotate_at_once(sessions: AsyncSessions, db: Database) -> None:
    """S-3: one secret is minted, all are given it, nothing is revoked."""
    heard: list[SessionEvent] = []
    first = await sessions.create("ann")
    sessions.on_event(heard.append)
    given = run_calls(await async_together(*[lambda: sessions.rotate(first.token)] * 20))
    assert len({new.token for new in given}) == 1
    assert {new.session.id for new in given} == {first.session.id}
    assert db.execute("SELECT generation, revoked_at FROM rag_session") == [(1, None)]
    assert [one.type for one in heard] == ["rotated"]
    assert await sessions.authenticate(given[0].token) is not None


async def test_an_outdated_token_in_the_window(sessions: AsyncSessions, db: Database) -> None:
    """S-3: requests under way go on; the session says that there is another token, and `rotate` gives it."""
    first = await sessions.create("ann")
    at = first.session.created_at
    second = await sessions.rotate(first.token, now=at)
    assert second is not None
    inside = at + 60 * SECOND - MICROSECOND
    before = db.versions()
    session = await sessions.authenticate(first.token, now=inside)
    assert session is not None
    assert session.outdated
    again = await sessions.rotate(first.token, now=inside)
    assert again is not None
    assert again.token == second.token
    assert db.versions() == before
    current = await sessions.authenticate(second.token, now=inside)
    assert current is not None
    assert not current.outdated


@pytest.mark.parametrize("call", ["authenticate", "rotate"])
async def test_a_replay_after_the_window_ends_the_session(sessions: AsyncSessions, call: str, db: Database) -> None:
    """S-3, S-14: whoever has the old token or the new one, both are out; events tell of it."""
    heard: list[SessionEvent] = []
    first, other = await sessions.create("ann"), await sessions.create("ann")
    second = await sessions.rotate(first.token)
    assert second is not None
    sessions.on_event(heard.append)
    after = second.session.last_seen_at + 60 * SECOND
    assert await getattr(sessions, call)(first.token, now=after) is None
    assert await getattr(sessions, call)(first.token, now=after) is None
    assert await sessions.authenticate(second.token, now=after) is None
    assert await sessions.authenticate(other.token, now=after) is not None
    assert [(one.type, one.session_id, one.at) for one in heard] == [
        ("replayed", first.session.id, after),
        ("revoked", first.session.id, after),
    ]
    assert db.execute("SELECT revoked_because FROM rag_session WHERE revoked_at IS NOT NULL") == [("replayed",)]


async def test_a_token_two_rotations_old_is_a_replay(sessions: AsyncSessions) -> None:
    """S-3: even within the window."""
    first = await sessions.create("ann")
    second = await sessions.rotate(first.token)
    assert second is not None
    third = await sessions.rotate(second.token)
    assert third is not None
    assert await sessions.authenticate(first.token) is None
    assert await sessions.authenticate(third.token) is None


async def test_without_a_window_an_old_token_is_a_replay(sessions: AsyncSessions) -> None:
    sessions.define(SessionRules("strict", replay_window=0))
    first = await sessions.create("ann", kind="strict")
    second = await sessions.rotate(first.token)
    assert second is not None
    assert await sessions.authenticate(first.token) is None
    assert await sessions.authenticate(second.token) is None


# --------------------------------------------------------------------------------------------- S-4, S-5: clocks


@pytest.mark.parametrize("rules", [STUDENT, EXACT], ids=lambda rules: rules.kind)
async def test_the_absolute_end(sessions: AsyncSessions, rules: SessionRules) -> None:
    """S-4: used every ten minutes, it ends eight hours after it was made, to the microsecond."""
    new = await sessions.create("ann", kind=rules.kind)
    start = new.session.created_at
    assert new.session.expires_at == start + 8 * HOUR
    for minutes in range(10, 8 * 60, 10):
        session = await sessions.authenticate(new.token, now=start + minutes * MINUTE)
        assert session is not None
        assert session.expires_at == start + 8 * HOUR
        assert session.ends_at <= session.expires_at
    assert await sessions.authenticate(new.token, now=start + 8 * HOUR - MICROSECOND) is not None
    assert await sessions.authenticate(new.token, now=start + 8 * HOUR) is None
    assert await sessions.rotate(new.token, now=start + 8 * HOUR) is None


@pytest.mark.parametrize(("rules", "grace"), [(EXACT, timedelta(0)), (STUDENT, MINUTE)], ids=["exact", "throttled"])
async def test_the_end_of_silence(sessions: AsyncSessions, rules: SessionRules, grace: timedelta) -> None:
    """S-4, S-5: idle time after the last use, and the touch interval, in which uses may not have been noted."""
    new = await sessions.create("ann", kind=rules.kind)
    seen = new.session.created_at + 10 * MINUTE
    session = await sessions.authenticate(new.token, now=seen)
    assert session is not None
    assert session.last_seen_at == seen
    end = seen + 30 * MINUTE + grace
    assert session.ends_at == end
    assert [info.ends_at for info in await sessions.list_user("ann", now=end - MICROSECOND)] == [end]
    assert await sessions.list_user("ann", now=end) == []
    assert await sessions.authenticate(new.token, now=end) is None
    assert await sessions.authenticate(new.token, now=end - MICROSECOND) is not None


async def test_a_session_never_ends_early(sessions: AsyncSessions) -> None:
    """S-5: whenever the last use was, noted or not, it lives for all of its idle time after that."""
    new = await sessions.create("ann", kind="student")
    for seconds in (0, 1, 30, 59.999999):
        used = new.session.last_seen_at + timedelta(seconds=seconds)
        assert await sessions.authenticate(new.token, now=used) is not None
        (info,) = await sessions.list_user("ann", now=used)
        assert used - info.last_seen_at < MINUTE
        assert used + 30 * MINUTE <= info.ends_at <= used + 31 * MINUTE


async def test_no_idle_time(sessions: AsyncSessions) -> None:
    sessions.define(SessionRules("device", idle=None, absolute=timedelta(days=365)))
    new = await sessions.create("ann", kind="device")
    end = new.session.created_at + timedelta(days=365)
    assert new.session.ends_at == new.session.expires_at == end
    session = await sessions.authenticate(new.token, now=end - HOUR)
    assert session is not None
    assert (session.last_seen_at, session.ends_at) == (end - HOUR, end)
    assert await sessions.authenticate(new.token, now=end) is None


async def test_a_thousand_checks_write_once(async_store: AsyncStore, sessions: AsyncSessions) -> None:
    """S-5: one UPDATE at most within the touch interval; a check without one is one SELECT outside transactions."""
    new = await sessions.create("ann")
    start = new.session.created_at + 5 * MINUTE
    with noted(async_store) as seen:
        for number in range(1000):
            assert await sessions.authenticate(new.token, now=start + number * timedelta(milliseconds=59.9)) is not None
    assert len(writes(seen)) == 1
    assert len([statement for statement in seen if statement.startswith("SELECT")]) == 1000
    if async_store.engine.dialect.name == "postgresql":
        assert (seen.count("begin"), seen.count("commit")) == (1, 1)
        assert len(seen) == 1003


async def test_of_checks_at_once_one_writes(sessions: AsyncSessions) -> None:
    """S-5: the write is conditional, so that those who come together do not write one after the other."""
    new = await sessions.create("ann")
    at = new.session.created_at + 5 * MINUTE
    calls = [
        lambda number=number: sessions.authenticate(new.token, now=at + number * MICROSECOND) for number in range(9)
    ]
    seen = {session.last_seen_at for session in run_calls(await async_together(*calls))}
    (info,) = await sessions.list_user("ann", now=at)
    assert at <= info.last_seen_at < at + 9 * MICROSECOND
    assert seen - {new.session.last_seen_at} == {info.last_seen_at}


async def test_times_are_the_databases(sessions: AsyncSessions, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """S-13: aware, in UTC, from the database's clock; a host whose clock is a year off sees the same."""
    import time

    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 365 * 86400)
    monkeypatch.setattr(time, "time_ns", lambda: int((now() + 365 * 86400) * 1e9))
    before = db.scalar("SELECT now()" if db.kind == "postgresql" else "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')")
    if isinstance(before, str):
        before = datetime.fromisoformat(before).replace(tzinfo=UTC)
    new = await sessions.create("ann")
    session = new.session
    for value in (session.created_at, session.last_seen_at, session.ends_at, session.expires_at):
        assert value.utcoffset() == timedelta(0)
    assert timedelta(0) <= session.created_at - before < MINUTE
    assert await sessions.authenticate(new.token) == session
    with pytest.raises(InvalidInput, match="time zone"):
        await sessions.authenticate(new.token, now=datetime(2026, 1, 1))  # noqa: DTZ001


# --------------------------------------------------------------------------------------------------- S-6: ending


async def test_revoking_one(sessions: AsyncSessions, database_url: str) -> None:
    """S-6: by its token or its id; the next check on any connection sees it."""
    new, other, third = [await sessions.create("ann") for _ in range(3)]
    async with AsyncStore.open(database_url) as elsewhere:
        assert await elsewhere.sessions.authenticate(new.token) is not None
        assert await sessions.revoke(new.token) is True
        assert await elsewhere.sessions.authenticate(new.token) is None
        assert await elsewhere.sessions.revoke(other.session.id) is True
        assert await sessions.authenticate(other.token) is None
        assert await sessions.authenticate(third.token) is not None
    assert await sessions.revoke(new.token) is False
    assert await sessions.revoke(new.session.id) is False
    assert await sessions.revoke(new_id()) is False
    with pytest.raises(SessionEnded):
        await sessions.get(new.session.id)


async def test_an_id_as_text_revokes_nothing(sessions: AsyncSessions) -> None:
    """S-6: public ids are known to others, and a cookie is text: only a token ends a session from outside."""
    new = await sessions.create("ann")
    for text in (str(new.session.id), new.session.id.hex, forged(new.token)):
        assert await sessions.revoke(text) is False
    assert await sessions.authenticate(new.token) is not None
    with pytest.raises(InvalidInput):
        await sessions.revoke(7)  # type: ignore[arg-type]


async def test_revoking_many(sessions: AsyncSessions) -> None:
    """S-6: all but the current, all of a user, all of an organisation, with their number."""
    current = await sessions.create("ann", organisation_id="acme")
    others = [await sessions.create("ann") for _ in range(3)]
    student = await sessions.create("ann", kind="student", organisation_id="acme")
    bob = await sessions.create("bob", organisation_id="acme")
    visitor = await sessions.create()

    async def live() -> list[NewSession]:
        every = [current, *others, student, bob, visitor]
        return [new for new in every if await sessions.authenticate(new.token) is not None]

    assert await sessions.revoke_others(current.token) == 3
    assert await live() == [current, student, bob, visitor]
    assert await sessions.revoke_others(current.token) == 0
    assert await sessions.revoke_others(visitor.token) == 0
    assert await sessions.revoke_user("ann", kind="professor") == 0
    assert await sessions.revoke_user("ann", keep=student.token) == 1
    assert await live() == [student, bob, visitor]
    assert await sessions.revoke_organisation("acme") == 2
    assert await live() == [visitor]
    more = [await sessions.create("ann", kind=kind) for kind in ("login", "student", "login")]
    assert await sessions.revoke_user("ann", kind="login") == 2
    assert await sessions.authenticate(more[1].token) is not None
    assert await sessions.revoke_user("ann") == 1
    assert await sessions.revoke_organisation("nobody") == 0


async def test_what_keeps_must_be_good(sessions: AsyncSessions) -> None:
    """S-6: a forged token can neither keep a session nor end the others."""
    new, other = await sessions.create("ann"), await sessions.create("ann")
    for text in (forged(new.token), "garbage", ""):
        with pytest.raises(SessionEnded):
            await sessions.revoke_others(text)
        with pytest.raises(SessionEnded):
            await sessions.revoke_user("ann", keep=text)
    for text in (new.token, other.token):
        assert await sessions.authenticate(text) is not None


async def test_another_stamp_ends_what_was_made_before(sessions: AsyncSessions, db: Database) -> None:
    """S-6: one row is written; the sessions' rows are as they were, and none of them is good for anything."""
    old, bob = (
        [await sessions.create("ann"), await sessions.create("ann", kind="student")],
        await sessions.create("bob"),
    )
    before = db.versions()["rag_session"]
    assert await sessions.change_stamp("ann") == 1
    assert db.versions()["rag_session"] == before
    assert db.counts() == {"rag_session": 3, "rag_session_user": 1}
    new = await sessions.create("ann")
    for one in old:
        assert await sessions.authenticate(one.token) is None
        assert await sessions.rotate(one.token) is None
        assert await sessions.revoke(one.token) is False
        with pytest.raises(SessionEnded):
            await sessions.save_data(one.session, {}, version=0)
    assert [info.id for info in await sessions.list_user("ann")] == [new.session.id]
    assert await sessions.authenticate(new.token) is not None
    assert await sessions.authenticate(bob.token) is not None
    assert await sessions.revoke_user("ann") == 1
    assert await sessions.change_stamp("ann") == 2
    assert await sessions.change_stamp("bob") == 1
    assert await sessions.authenticate(bob.token) is None


# ------------------------------------------------------------------------------------------- S-7: lists and caps


async def test_listing_a_users_sessions(sessions: AsyncSessions) -> None:
    """S-7: the last used first, the current one marked, without data and secrets; the address is a network."""
    first = await sessions.create("ann", ip="203.0.113.77", agent="x" * 600, label="Ann's phone", data={"a": 1})
    second = await sessions.create("ann", kind="student", ip="2001:db8:1:2:3::4")
    await sessions.create("bob")
    ended = await sessions.create("ann")
    await sessions.revoke(ended.token)
    at = first.session.created_at + 5 * MINUTE
    await sessions.authenticate(first.token, now=at)
    found = await sessions.list_user("ann", current=second.token)
    assert [(info.id, info.is_current) for info in found] == [(first.session.id, False), (second.session.id, True)]
    assert (found[0].ip, found[0].agent, found[0].label) == ("203.0.113.0/24", "x" * 512, "Ann's phone")
    assert (found[0].kind, found[0].created_at, found[0].last_seen_at) == ("login", first.session.created_at, at)
    assert (found[1].ip, found[1].agent, found[1].label) == ("2001:db8:1::/48", None, None)
    assert not {"data", "token", "secret_hash", "nonce"} & set(type(found[0]).model_fields)
    assert [info.id for info in await sessions.list_user("ann", kind="student")] == [second.session.id]
    assert [info.id for info in await sessions.list_user("ann", limit=1)] == [first.session.id]
    assert not any(info.is_current for info in await sessions.list_user("ann", current="garbage"))
    assert await sessions.get(second.session.id) == second.session
    assert await sessions.get(str(second.session.id)) == second.session


async def test_the_oldest_goes(sessions: AsyncSessions, db: Database) -> None:
    """S-7: at one more than the bound; other kinds and users do not count, nor do visitors."""
    sessions.define(SessionRules("login", max_sessions=2))
    await sessions.create("ann", kind="student")
    await sessions.create("bob")
    made = [await sessions.create("ann") for _ in range(4)]
    live = [new.session.id for new in made if await sessions.authenticate(new.token) is not None]
    assert live == [new.session.id for new in made[2:]]
    assert db.scalar("SELECT count(*) FROM rag_session WHERE revoked_because = 'evicted'") == 2
    for _ in range(3):
        await sessions.create()
    assert len(await sessions.list_user("ann")) == 3
    sessions.define(SessionRules("login", max_sessions=1))
    new = await sessions.create("ann")
    assert [info.id for info in await sessions.list_user("ann", kind="login")] == [new.session.id]


async def test_one_more_is_refused(sessions: AsyncSessions, db: Database) -> None:
    """S-7: with "reject" nothing is stored, unless one is replaced or has ended."""
    sessions.define(SessionRules("login", max_sessions=2, on_limit="reject"))
    first, second = await sessions.create("ann"), await sessions.create("ann")
    stranger = await sessions.create("bob")
    with pytest.raises(LimitExceeded, match="2 sessions"):
        await sessions.create("ann")
    with pytest.raises(LimitExceeded):
        await sessions.create("ann", replaces=stranger.token)
    assert await sessions.authenticate(stranger.token) is not None
    assert db.counts() == {"rag_session": 3, "rag_session_user": 2}
    third = await sessions.create("ann", replaces=first.token)
    assert await sessions.authenticate(first.token) is None
    with pytest.raises(LimitExceeded):
        await sessions.create("ann")
    await sessions.change_stamp("ann")
    for _ in range(2):
        await sessions.create("ann")
    for one in (second, third):
        assert await sessions.authenticate(one.token) is None


# --------------------------------------------------------------------------------------------------- S-8: data


async def test_saving_data(sessions: AsyncSessions) -> None:
    """S-8, S-12: the version guards it; what was saved is what is read."""
    new = await sessions.create("ann", data={"step": 1}, schema_version=3)
    assert (new.session.data_version, new.session.schema_version) == (0, 3)
    second = await sessions.save_data(new.token, {"step": 2, "deep": [{"ä": None}]}, version=0)
    assert (second.data, second.data_version, second.schema_version) == ({"step": 2, "deep": [{"ä": None}]}, 1, 3)
    assert await sessions.authenticate(new.token) == second
    third = await sessions.save_data(second, {}, version=1, schema_version=4)
    assert (third.data, third.data_version, third.schema_version) == ({}, 2, 4)
    for stale in (0, 1, 3):
        with pytest.raises(Conflict, match="version 2"):
            await sessions.save_data(new.token, {"step": 9}, version=stale)
    assert await sessions.authenticate(new.token) == third


async def test_what_is_over_is_not_brought_back(sessions: AsyncSessions, db: Database) -> None:
    """S-8: neither revoked nor expired sessions, whoever holds their record; with a stale version as well."""
    revoked, expired, purged = [await sessions.create("ann") for _ in range(3)]
    await sessions.revoke(revoked.token)
    later = expired.session.ends_at
    gone = purged.session.model_copy(update={"id": new_id()})
    before = db.versions()
    for session, now in ((revoked.session, None), (expired.session, later), (gone, None)):
        for version in (0, 5):
            with pytest.raises(SessionEnded):
                await sessions.save_data(session, {"a": 1}, version=version, now=now)
    for token, now in ((revoked.token, None), (expired.token, later), (forged(purged.token), None), ("", None)):
        with pytest.raises(NotFound):
            await sessions.save_data(token, {"a": 1}, version=0, now=now)
    assert db.versions() == before


async def test_one_of_several_savers_wins(sessions: AsyncSessions) -> None:
    """S-8: nothing is lost without a word."""
    new = await sessions.create("ann")
    calls = [lambda number=number: sessions.save_data(new.token, {"n": number}, version=0) for number in range(5)]
    answers = await async_together(*calls)
    (saved,) = [answer for answer in answers if isinstance(answer, Session)]
    assert sum(isinstance(answer, Conflict) for answer in answers) == 4
    assert await sessions.authenticate(new.token) == saved


async def test_data_has_a_size(sessions: AsyncSessions, db: Database) -> None:
    """S-12: counted as JSON in bytes; by the kind's rules."""
    sessions.define(SessionRules("small", max_data_bytes=20))
    new = await sessions.create("ann", kind="small", data={"a": "x" * 12})
    for wrong in ({"a": "x" * 13}, {"a": "ä" * 7}, [1], {"a": float("nan")}, {"a": b"x"}, {1: 2}):
        with pytest.raises(InvalidInput):
            await sessions.create("ann", kind="small", data=wrong)  # type: ignore[arg-type]
        for whose in (new.token, new.session):
            with pytest.raises(InvalidInput):
                await sessions.save_data(whose, wrong, version=0)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="65,536"):
        await sessions.create("ann", data={"a": "x" * 65_536})
    assert db.counts() == {"rag_session": 1}
    assert await sessions.authenticate(new.token) == new.session


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("user_id", {"user_id": ""}),
        ("user_id", {"user_id": "ä" * 128}),
        ("kind", {"kind": "k" * 64}),
        ("organisation_id", {"organisation_id": " "}),
        ("ip", {"ip": "unknown"}),
        ("label", {"label": "x" * 101}),
        ("agent", {"agent": "a\0"}),
        ("schema_version", {"schema_version": -1}),
    ],
)
async def test_values_that_are_unfit(sessions: AsyncSessions, db: Database, field: str, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        await sessions.create(**values)
    assert caught.value.field == field
    assert db.counts() == {}


# -------------------------------------------------------------------------------------------------- S-9: purges


async def test_purging_in_batches(async_store: AsyncStore, sessions: AsyncSessions, db: Database) -> None:
    """S-9: so many rows at most in one transaction, what is over first, and where it stopped it goes on."""
    new = await sessions.create("ann")
    await sessions.create("ann", kind="exact", now=new.session.created_at + timedelta(days=1))
    fill(db, 2500)
    maintenance = async_store.maintenance()
    at = new.session.created_at
    deleted: list[int] = []
    while not deleted or deleted[-1]:
        with noted(async_store) as seen:
            deleted.append(await maintenance.purge_sessions(max_rows=700, now=at))
        assert (seen.count("begin"), seen.count("commit"), len(writes(seen))) == (1, 1, 1)
    assert deleted == [700, 700, 700, 400, 0]
    assert db.counts() == {"rag_session": 2}
    assert await sessions.authenticate(new.token) is not None
    with pytest.raises(InvalidInput):
        await maintenance.purge_sessions(max_rows=10_001)


async def test_a_purge_reads_what_it_deletes(async_store: AsyncStore, sessions: AsyncSessions, db: Database) -> None:
    """S-9: by the expiry index, on PostgreSQL as on SQLite."""
    fill(db, 3000)
    with noted(async_store) as seen:
        await async_store.maintenance().purge_sessions(max_rows=10)
    (statement,) = writes(seen)
    if db.kind == "sqlite":
        driver = sqlite3.connect(make_url(db.url).database or "")
        plan = driver.execute("EXPLAIN QUERY PLAN " + statement, (None, 10, 0)[: statement.count("?")]).fetchall()
        driver.close()
        assert any("ix_rag_session_ends_at" in line[-1] for line in plan), plan
        assert all("USING" in line[-1] for line in plan if "rag_session" in line[-1]), plan
    else:
        db.execute("ANALYZE rag_session")
        with db.engine.connect() as connection:
            lines = connection.exec_driver_sql("EXPLAIN " + statement, {"at": None, "rows": 10}).scalars().all()
        assert any("ix_rag_session_ends_at" in line for line in lines), lines


def fill(db: Database, count: int) -> None:
    """Store sessions of seven tenants that have been over for a month and longer."""
    second = "interval '1 second'" if db.kind == "postgresql" else "1000000"
    now = "now()" if db.kind == "postgresql" else "CAST(strftime('%s', 'now') AS INTEGER) * 1000000"
    ended = f"{now} - (30 * 86400 + :number) * {second}"
    blob = "''::bytea" if db.kind == "postgresql" else "x''"
    insert = f"""
        INSERT INTO rag_session (tenant_id, id, kind, secret_hash, nonce, stamp, touch_interval, data, schema_version,
            created_at, rotated_at, last_seen_at, expires_at, ends_at)
        VALUES (:tenant, :id, 'login', {blob}, {blob}, 0, 0, '{{}}', 1, {ended}, {ended}, {ended}, {ended}, {ended})
    """
    rows = [{"tenant": f"t{number % 7}", "id": UUID(int=number).hex, "number": number} for number in range(count)]
    db.execute("BEGIN")
    db.connection.execute(sql(insert), rows)
    db.execute("COMMIT")


# ------------------------------------------------------------------------------------------- S-10: transactions


class Stop(Exception):
    """What a host raises to have nothing stored."""


async def test_a_rollback_does_not_bring_a_session_back(
    async_store: AsyncStore, sessions: AsyncSessions, db: Database
) -> None:
    """S-10: what the store itself is asked has its own transaction; on SQLite the one writer must not wait for it."""
    first, second = await sessions.create("ann"), await sessions.create("ann")
    with pytest.raises(Stop):
        async with async_store.begin() as unit:
            await unit.collections.ensure("docs")
            if db.kind == "sqlite":
                for call in (
                    lambda: sessions.revoke(first.token),
                    lambda: sessions.create("bob"),
                    lambda: sessions.authenticate(first.token),
                    lambda: sessions.rotate(first.token),
                    lambda: sessions.change_stamp("ann"),
                ):
                    with pytest.raises(UsageError, match="before it"):
                        await call()
            else:
                assert await sessions.revoke(first.token) is True
                assert await sessions.authenticate(first.token) is None
            raise Stop
    assert db.counts() == {"rag_session": 2}
    assert (await sessions.authenticate(first.token) is None) is (db.kind == "postgresql")
    assert await sessions.authenticate(second.token) is not None


async def test_a_units_sessions_are_a_part_of_it(async_store: AsyncStore, sessions: AsyncSessions) -> None:
    """S-10: handed the transaction, they join it; events are told when it is committed, and not at all if it is not."""
    heard: list[str] = []
    first = await sessions.create("ann")
    sessions.on_event(lambda one: heard.append(one.type))
    with pytest.raises(Stop):
        async with async_store.begin() as unit:
            await unit.collections.ensure("docs")
            await unit.sessions.create("bob", replaces=first.token)
            assert await unit.sessions.authenticate(first.token) is None
            raise Stop
    assert await sessions.authenticate(first.token) is not None
    assert await sessions.list_user("bob") == []
    assert heard == []
    async with async_store.begin() as unit:
        await unit.collections.ensure("docs")
        new = await unit.sessions.create("bob", replaces=first.token)
        rotated = await unit.sessions.rotate(new.token)
        assert heard == []
    assert heard == ["revoked", "created", "rotated"]
    assert rotated is not None
    assert await sessions.authenticate(rotated.token) is not None


async def test_in_the_hosts_transaction(async_store: AsyncStore, sessions: AsyncSessions) -> None:
    """S-10: `using()` joins the host's; its commit is not seen, so events are told at once."""
    heard: list[str] = []
    sessions.on_event(lambda one: heard.append(one.type))
    async with async_store.engine.connect() as connection:
        mine = async_store.using(connection).sessions
        new = await mine.create("ann")
        assert heard == ["created"]
        at = new.session.created_at + 5 * MINUTE
        assert await mine.authenticate(new.token, now=at) is not None
        await connection.rollback()
    assert await sessions.authenticate(new.token) is None
    async with async_store.engine.begin() as connection:
        new = await async_store.using(connection).sessions.create("ann")
    assert await sessions.authenticate(new.token) == new.session


async def test_in_a_read_only_unit(async_store: AsyncStore, sessions: AsyncSessions, db: Database) -> None:
    """A check works where nothing can be written; the use is not noted. What has to write is refused."""
    new = await sessions.create("ann")
    at = new.session.created_at + 5 * MINUTE
    before = db.versions()
    async with async_store.begin(read_only=True) as unit:
        assert await unit.sessions.authenticate(new.token, now=at) == new.session
        assert await unit.sessions.authenticate(new.token) == new.session
    for name in ("rotate", "revoke"):
        with pytest.raises(ReadOnlyError):
            async with async_store.begin(read_only=True) as unit:
                await getattr(unit.sessions, name)(new.token)
    assert db.versions() == before


async def test_on_a_standby(postgres_url: str) -> None:
    """The database refuses all writes: who is logged in is known, and use is not noted."""
    async with AsyncStore.open(postgres_url) as store:
        new = await store.sessions.create("ann")
        second = await store.sessions.rotate(new.token)
        assert second is not None
    standby = make_url(postgres_url).update_query_dict({"options": "-c default_transaction_read_only=on"})
    async with AsyncStore.open(standby) as store:
        at = second.session.last_seen_at + 5 * MINUTE
        assert await store.sessions.authenticate(second.token, now=at) == second.session
        for call in (
            lambda: store.sessions.create("ann"),
            lambda: store.sessions.rotate(second.token),
            lambda: store.sessions.authenticate(new.token, now=at),  # a replay that nobody can answer is no secret
        ):
            with pytest.raises(ReadOnlyError):
                await call()


async def test_many_at_once_with_a_unit_each(database_url: str) -> None:
    """S-10: callers that each hold a pooled connection get one more for their session, and none waits for ever."""
    settings = Settings(pool_size=4, max_overflow=0, pool_timeout=20, side_pool_size=2)
    async with AsyncStore.open(database_url, settings) as store:
        new = await store.sessions.create("ann")

        async def work() -> object:
            async with store.begin(read_only=True) as unit:
                await unit.collections.find("docs")
                return await store.sessions.authenticate(new.token)

        assert run_calls(await async_together(*[work] * 8)) == [new.session] * 8


async def test_round_trips(postgres_url: str) -> None:
    """What each call costs on PostgreSQL, with BEGIN and COMMIT."""
    async with AsyncStore.open(postgres_url) as store:
        sessions = store.sessions
        sessions.define(SessionRules("bounded", max_sessions=1))
        new, old = await sessions.create("ann"), await sessions.create("ann")
        late = new.session.created_at + 5 * MINUTE
        rotated = await sessions.rotate(old.token)
        assert rotated is not None
        calls: list[tuple[int, Callable[[], Any]]] = [
            (0, lambda: sessions.authenticate("garbage")),
            (1, lambda: sessions.authenticate(new.token)),
            (4, lambda: sessions.authenticate(new.token, now=late)),
            (1, lambda: sessions.authenticate(new.token, now=late)),
            (1, lambda: sessions.rotate(old.token)),
            (4, lambda: sessions.rotate(rotated.token)),
            (3, lambda: sessions.create("bob")),
            (5, lambda: sessions.create("bob", replaces=new.token)),
            (5, lambda: sessions.create("bob", kind="bounded")),
            (6, lambda: sessions.create("bob", kind="bounded")),
            (1, lambda: sessions.list_user("bob")),
            (1, lambda: sessions.get(old.session.id)),
            (3, lambda: sessions.save_data(rotated.session, {}, version=0)),
            (4, lambda: sessions.revoke(rotated.token)),
            (3, lambda: sessions.revoke_user("bob")),
            (3, lambda: sessions.change_stamp("bob")),
            (3, lambda: store.maintenance().purge_sessions()),
        ]
        for place, (expected, call) in enumerate(calls):
            with noted(store) as seen:
                await call()
            assert len(seen) == expected, (place, seen)


# ------------------------------------------------------------------------------------------------ S-14: events


async def test_events(async_store: AsyncStore, sessions: AsyncSessions) -> None:
    """S-14: each carries the public id, and nothing of a token; handles share the listeners."""
    heard: list[SessionEvent] = []
    async_store.for_tenant("acme").sessions.on_event(heard.append)
    sessions.define(SessionRules("one", max_sessions=1))
    first = await sessions.create("ann", kind="one")
    await sessions.rotate(first.token)
    second = await sessions.create("ann", kind="one")
    third = await async_store.for_tenant("acme").sessions.create("ann", kind="one")
    await sessions.revoke(second.token)
    end = third.session.ends_at
    assert await async_store.maintenance().purge_sessions(now=end) == 3
    ids = {first.session.id: "first", second.session.id: "second", third.session.id: "third"}
    assert [(one.type, ids[one.session_id], one.tenant) for one in heard] == [
        ("created", "first", "default"),
        ("rotated", "first", "default"),
        ("revoked", "first", "default"),
        ("created", "second", "default"),
        ("created", "third", "acme"),
        ("revoked", "second", "default"),
        ("expired", "third", "acme"),
    ]
    assert set(SessionEvent.model_fields) == {"type", "tenant", "session_id", "at"}
    assert heard[-1].at == end
    assert all(one.at.utcoffset() == timedelta(0) for one in heard)


async def test_a_listeners_error_breaks_no_login(sessions: AsyncSessions, caplog: pytest.LogCaptureFixture) -> None:
    """S-14: it is logged, and the login is done."""

    def fail(_event: SessionEvent) -> None:
        raise ValueError("no")

    sessions.on_event(fail)
    new = await sessions.create("ann")
    assert await sessions.authenticate(new.token) == new.session
    assert "ValueError: no" in caplog.text


async def test_on_one_connection() -> None:
    """A database in memory has no connections beside the pool: the store's sessions wait for no unit, they refuse."""
    scheme = "sqlite+aiosqlite" if ASYNCHRONOUS else "sqlite+pysqlite"
    engine = create_async_engine(f"{scheme}:///:memory:", poolclass=StaticPool)
    configure_engine(plain_engine(engine))
    await aupgrade(engine)
    async with AsyncStore.open(engine) as store:
        new = await store.sessions.create("ann")
        assert await store.sessions.authenticate(new.token) == new.session
        async with store.begin() as unit:
            assert await unit.sessions.authenticate(new.token) == new.session
            with pytest.raises(UsageError):
                await store.sessions.revoke(new.token)
    await engine.dispose()
