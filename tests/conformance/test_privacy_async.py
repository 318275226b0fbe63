"""Erasing a user and a tenant: nothing of them is left, and everything of the others is (C-13)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, make_url

from ragstore.config import Settings
from ragstore.conversations.records import NewCitation, NewMessage
from ragstore.corpus.records import NewDocument
from ragstore.errors import InvalidInput, TenantRequired, UsageError
from ragstore.privacy import erasing
from ragstore.rate_limits.records import Policy
from ragstore.sessions.records import SessionEvent
from ragstore.store._async import AsyncStore
from ragstore.testing import factories
from tests.conformance.support import Database, plain_engine

pytestmark = pytest.mark.anyio

CANARY = "Zanzibird"
LIMITED = Policy("asks", "100/day", max_wait=10.0)


class Canaries:
    """Strings that are found again wherever they are, each with a number of its own."""

    def __init__(self) -> None:
        self.planted: list[str] = []

    def __call__(self, where: str) -> str:
        self.planted.append(f"{CANARY}{len(self.planted)}x{where}")
        return self.planted[-1]


def rows(db: Database) -> dict[str, list[str]]:
    """Give every column of every row of every table as text, bytes in hexadecimal digits."""
    if db.kind == "postgresql":
        return {
            table: sorted(str(row[0]) for row in db.execute(f"SELECT t::text FROM {table} t")) for table in db.tables
        }
    return {table: sorted(map(_written, db.execute(f"SELECT * FROM {table}"))) for table in db.tables}


def _written(row: tuple[Any, ...]) -> str:
    return "|".join(value.hex() if isinstance(value, bytes) else str(value) for value in row)


def found_in(db: Database) -> list[str]:
    """Give the rows that hold a canary, as text or in bytes."""
    hexed = CANARY.encode().hex()
    return [f"{table}: {row}" for table, found in rows(db).items() for row in found if CANARY in row or hexed in row]


def bytes_in(path: Path, wanted: bytes) -> list[str]:
    """Name those of a database's files that hold some bytes."""
    files = [file for file in path.parent.iterdir() if file.name.startswith(path.name)]
    assert files
    return [file.name for file in files if wanted in file.read_bytes()]


def vacuum(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("VACUUM")
    connection.close()


async def plant_other(store: AsyncStore) -> Any:
    """Store another user's data, which has to stay; gives a message that others may rate."""
    chats = store.conversations
    asked: dict[str, Any] = {"user_id": "bob", "organisation_id": "org", "collection": "docs", "feedback": 1}
    kept = await chats.record_exchange(thread_id="bob's", query="Who is Bob?", response="I am.", **asked)
    await chats.give_feedback(kept.answer.id, -1, user_id="carol", comment="He is not.")
    await chats.record_exchange(
        thread_id="nobody's", query="Who?", response="Nobody.", sources=[NewCitation(source="s")]
    )
    await chats.start("empty")
    await store.sessions.create("bob", data={"cart": [1]}, ip="198.51.100.7", agent="Firefox", label="desk")
    await store.sessions.create(None, data={"cart": [2]})
    await store.sessions.change_stamp("bob")
    return kept.answer


async def plant_user(store: AsyncStore, user: str, planted: Canaries, others_message: Any) -> None:
    """Store a canary in every place that a user's data can get to."""
    chats = store.conversations
    for number in range(3):
        thread = planted("thread")
        await chats.start(
            thread,
            user_id=user,
            organisation_id=planted("organisation"),
            collection="docs",
            title=planted("title"),
            metadata={planted("key"): planted("value")},
        )
        cited = NewCitation(
            source=planted("source"), title=planted("t"), snippet=planted("snippet"), heading=planted("h")
        )
        answer = NewMessage(
            role="assistant",
            content=planted("content"),
            parts=[{"type": "text", "text": planted("part")}, {"type": "tool_call", "id": planted("id"), "name": "f"}],
            metadata={"m": planted("m")},
            client_id=planted("client_id"),
            sources=[cited],
            model=planted("model"),
            resolved_model=planted("resolved"),
        )
        _, stored = await chats.append(thread, [NewMessage(role="user", content=planted("question")), answer])
        await chats.give_feedback(stored.id, 1, user_id=user, comment=planted("comment"))
        await chats.give_feedback(stored.id, -1, user_id=user, comment=planted("second comment"))
        await chats.give_feedback(stored.id, 1, user_id=planted("rater"), comment=planted("of another"))
        await chats.add_sibling(stored.id, NewMessage(role="assistant", content=planted("sibling")))
        await chats.record_exchange(
            thread_id=planted("of an exchange"),
            query=planted("query"),
            response=planted("response"),
            user_id=user,
            feedback=-1,
            metadata={"number": number, "x": planted("x")},
        )
        await store.sessions.create(
            user,
            kind="login",
            organisation_id=planted("organisation"),
            data={planted("key"): planted("data")},
            ip="203.0.113.9",
            agent=planted("agent"),
            label=planted("label"),
        )
    await chats.update(thread, title=planted("another title"))
    await chats.give_feedback(others_message.id, 1, user_id=user, comment=planted("on another's"))
    await chats.give_feedback(others_message.id, -1, user_id=user, comment=planted("and again"))
    await chats.delete_feedback(others_message.id, user_id=user)
    await chats.give_feedback(others_message.id, 1, user_id=user, comment=planted("at last"))
    await store.sessions.change_stamp(user)


@pytest.fixture(params=[False, True], ids=["as the database is", "no secure_delete"])
async def careless_store(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[AsyncStore]:
    """Give a store on whose connections SQLite leaves the bytes of what is deleted, whatever its build says."""
    if request.param and not database_url.startswith("sqlite"):
        pytest.skip("SQLite's own")
    store = AsyncStore.open(database_url)
    if request.param:

        def leave_bytes(driver: Any, _entry: object) -> None:
            driver.execute("PRAGMA secure_delete = 0")

        for room in (store._room, store._room.side):
            event.listen(plain_engine(room.engine), "connect", leave_bytes)
    yield store
    await store.aclose()


async def test_nothing_of_an_erased_user_is_left(careless_store: AsyncStore, db: Database) -> None:
    """C-13: canaries in every place are gone from all tables and, on SQLite, from the files; all others' rows stay."""
    store, planted = careless_store, Canaries()
    user = planted("user")
    others = await plant_other(store)
    other_tenant = store.for_tenant("another")
    await plant_other(other_tenant)
    await other_tenant.conversations.record_exchange(thread_id="t", query="q", response="r", user_id="same name")
    before = rows(db)
    await plant_user(store, user, planted, others)
    holding = "\n".join(found_in(db))
    unseen = [canary for canary in planted.planted if canary not in holding and canary.encode().hex() not in holding]
    assert not [canary for canary in unseen if not canary.endswith("xtitle")], "the test does not see what it planted"

    counted = await store.erase_user(user, dry_run=True)
    assert len(found_in(db)) == len(holding.splitlines())
    report = await store.erase_user(user)

    assert found_in(db) == []
    assert rows(db) == before
    assert report.rows == counted.rows
    assert (counted.dry_run, report.dry_run, counted.traces) == (True, False, False)
    expected = {"rag_conversation": 6, "rag_message": 15, "rag_citation": 3, "rag_feedback": 10, "rag_session": 3}
    expected |= {"rag_feedback_change": 16, "rag_session_user": 1}
    assert report.rows == expected
    assert report.total == sum(report.rows.values())
    if db.kind == "sqlite":
        db.close()
        path = Path(db.engine.url.database or "")
        await store.aclose()
        if report.traces:
            vacuum(path)
        assert bytes_in(path, CANARY.encode()) == []


async def test_a_reader_leaves_traces_until_another_call(sqlite_database: str) -> None:
    """While somebody reads an old state of an SQLite file, its log holds what was deleted; the report says so."""
    path = Path(make_url(sqlite_database).database or "")
    planted = Canaries()
    async with AsyncStore.open(sqlite_database, Settings(busy_timeout=0.1)) as store:
        await plant_user(store, "ann", planted, await plant_other(store))
        reader = sqlite3.connect(path)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM rag_message").fetchall()
        assert (await store.erase_user("ann")).traces
        assert bytes_in(path, CANARY.encode())
        reader.close()
        usual = (await store.erase_user("ann")).traces
    assert usual or not bytes_in(path, CANARY.encode())


async def test_the_mode_of_deleting_is_put_back(sqlite_database: str) -> None:
    """What other calls delete is overwritten or not as the connection had it, after an error too."""
    async with AsyncStore.open(sqlite_database) as store:
        seen: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if "secure_delete" in statement:
                seen.append(statement)

        def leave_bytes(driver: Any, _entry: object) -> None:
            driver.execute("PRAGMA secure_delete = 0")

        side = plain_engine(store._room.side.engine)
        event.listen(side, "connect", leave_bytes)
        event.listen(side, "before_cursor_execute", note)
        await store.erase_user("ann")
        changes = [statement for statement in seen if "=" in statement]
        assert changes == ["PRAGMA secure_delete = 1", "PRAGMA secure_delete = 0"] * (len(changes) // 2)
        assert changes


async def test_small_batches_come_to_the_same(
    async_store: AsyncStore, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "AT_ONCE", 1)
    monkeypatch.setattr(erasing, "ALONE_AT_ONCE", 2)
    planted = Canaries()
    others = await plant_other(async_store)
    before = rows(db)
    await plant_user(async_store, "ann", planted, others)
    counted = await async_store.erase_user("ann", dry_run=True)
    assert (await async_store.erase_user("ann")).rows == counted.rows
    assert rows(db) == before


async def test_what_was_cut_off_is_finished_by_the_next_call(
    async_store: AsyncStore, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches that were committed stay committed, and a second call deletes the rest."""
    planted = Canaries()
    others = await plant_other(async_store)
    before = rows(db)
    await plant_user(async_store, "ann", planted, others)
    erase, calls = erasing.erase, []

    def failing(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 5:
            raise RuntimeError("cut off")
        return erase(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(erasing, "AT_ONCE", 2)
        patched.setattr(erasing, "erase", failing)
        with pytest.raises(RuntimeError):
            await async_store.erase_user("ann")
    assert await async_store.sessions.list_user("ann") == []
    left = db.scalar("SELECT count(*) FROM rag_conversation WHERE user_id = 'ann'")
    assert left == 6
    assert (await async_store.erase_user("ann")).rows["rag_conversation"] == left
    assert rows(db) == before


async def test_an_unknown_user_and_a_second_call_give_no_rows(async_store: AsyncStore, db: Database) -> None:
    await plant_other(async_store)
    before = rows(db)
    for dry_run in (True, False):
        assert (await async_store.erase_user("nobody knows", dry_run=dry_run)).rows == {}
    assert (await async_store.erase_user("bob")).rows["rag_conversation"] == 1
    assert (await async_store.erase_user("bob")).rows == {}
    assert rows(db) != before


async def test_the_thumb_of_nobody_in_particular_is_no_users(async_store: AsyncStore, db: Database) -> None:
    """Feedback without a user is stored under the empty name, which no user has."""
    chats = async_store.conversations
    given = await chats.record_exchange(thread_id="t", query="q", response="r", feedback=1)
    with pytest.raises(InvalidInput):
        await async_store.erase_user("")
    assert (await async_store.erase_user("None")).rows == {}
    assert db.scalar("SELECT count(*) FROM rag_feedback WHERE user_id = ''") == 1
    assert len((await chats.get_message(given.answer.id)).feedback) == 1


@pytest.mark.parametrize("user", ["", " ", " ann", "ann ", "a\0b", "a\ud800", "a\nb", "x" * 256, None, 7, b"ann"])
async def test_an_unfit_user_is_refused(async_store: AsyncStore, user: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        await async_store.erase_user(user)
    assert refused.value.field == "user_id"
    with pytest.raises(InvalidInput) as refused:
        async_store.export_user(user)
    assert refused.value.field == "user_id"


async def test_odd_names_are_taken_to_the_letter(async_store: AsyncStore) -> None:
    """Names that a pattern or another letter's case would match as well are other users."""
    names = ["%", "_", "a%", "ann", "Ann", "änn", "a\u0308nn", "'; DROP TABLE rag_message; --", "x" * 255, "\U0001f600"]
    for name in names:
        await async_store.conversations.record_exchange(
            thread_id=f"of {name}"[:200], query="q", response="r", user_id=name
        )
    for number, name in enumerate(names, start=1):
        assert (await async_store.erase_user(name)).rows["rag_conversation"] == 1
        assert len(await async_store.conversations.page_threads()) == len(names) - number


async def test_sessions_end_and_their_listeners_are_told(async_store: AsyncStore) -> None:
    told: list[SessionEvent] = []
    async_store.sessions.on_event(told.append)
    new = await async_store.sessions.create("ann")
    await async_store.erase_user("ann", dry_run=True)
    assert await async_store.sessions.authenticate(new.token) is not None
    await async_store.erase_user("ann")
    assert await async_store.sessions.authenticate(new.token) is None
    assert [(one.type, one.session_id) for one in told if one.type == "revoked"] == [("revoked", new.session.id)]


async def test_inside_a_unit_it_is_refused(async_store: AsyncStore, db: Database) -> None:
    await plant_other(async_store)
    before = rows(db)
    for read_only in (False, True):
        async with async_store.begin(read_only=read_only) as unit:
            assert not hasattr(unit, "erase_user")
            with pytest.raises(UsageError):
                await async_store.erase_user("bob")
            with pytest.raises(UsageError):
                await async_store.erase_tenant(confirm="default")
    assert rows(db) == before
    assert (await async_store.erase_user("bob")).total > 0


async def test_it_takes_a_tenant(database_url: str) -> None:
    async with AsyncStore.open(database_url, Settings(tenant=None)) as store:
        with pytest.raises(TenantRequired):
            await store.erase_user("ann")
        with pytest.raises(TenantRequired):
            await store.erase_tenant(confirm="default")
        with pytest.raises(TenantRequired):
            store.export_user("ann")


# ------------------------------------------------------------------------------------------------------ tenants


async def plant_tenant(store: AsyncStore, planted: Canaries) -> None:
    """Store a canary in every place that a tenant's data can get to."""
    others = await plant_other(store)
    await plant_user(store, "ann", planted, others)
    await store.collections.ensure(
        planted("c"), model="a model", dimensions=factories.DIMENSIONS, metadata={"m": planted("m")}
    )
    await store.collections.ensure("docs", model="a model", dimensions=factories.DIMENSIONS)
    for number in range(3):
        document = NewDocument(source=planted("source"), title=planted("title"), metadata={"m": planted("m")})
        chunks = [
            factories.chunk(f"{planted('chunk')} of {number}.{at}", heading=planted("heading")) for at in range(3)
        ]
        await store.documents.put("docs", document, chunks)
    await store.collections.analyze("docs")
    store.rate_limits.define(LIMITED)
    await store.rate_limits.hit("asks", planted("key"))


async def test_nothing_of_an_erased_tenant_is_left(async_store: AsyncStore, db: Database) -> None:
    """All rows of all tables go with it, the corpus, its words and its rate limits too; other tenants keep theirs."""
    store, planted = async_store.for_tenant("to be erased"), Canaries()
    await plant_tenant(async_store.for_tenant("kept"), Canaries())
    before = rows(db)
    await plant_tenant(store, planted)
    counted = await store.erase_tenant(confirm="to be erased", dry_run=True)
    report = await store.erase_tenant(confirm="to be erased")
    assert rows(db) == before
    assert report.rows == counted.rows
    assert {"rag_conversation", "rag_session", "rag_chunk", "rag_embedding", "rag_rate_limit"} <= set(report.rows)
    assert (await store.erase_tenant(confirm="to be erased")).rows == {}
    hits = await async_store.for_tenant("kept").chunks.search("docs", text="chunk", limit=3)
    assert hits is not None


async def test_an_erased_tenants_collection_can_be_made_again(async_store: AsyncStore) -> None:
    await plant_tenant(async_store, Canaries())
    assert await async_store.chunks.search("docs", text="tests") is not None
    await async_store.erase_tenant(confirm="default")
    assert not async_store._room.catalog  # nothing of the tenant's collections is remembered
    await async_store.collections.ensure("docs", model="another model", dimensions=3)
    await async_store.documents.put("docs", NewDocument(source="a"), [factories.chunk("tests", dimensions=3)])
    assert [hit.content for hit in await async_store.chunks.search("docs", text="tests")] == ["tests"]


@pytest.mark.parametrize("confirm", ["", "Default", "default ", "other", None, True])
async def test_a_tenant_is_not_erased_by_mistake(async_store: AsyncStore, db: Database, confirm: Any) -> None:
    await plant_other(async_store)
    before = rows(db)
    for dry_run in (True, False):
        with pytest.raises(InvalidInput) as refused:
            await async_store.erase_tenant(confirm=confirm, dry_run=dry_run)
        assert refused.value.field == "confirm"
    assert rows(db) == before


# ------------------------------------------------------------------------------------------------------- export


async def test_a_users_export_has_every_place_but_secrets(async_store: AsyncStore, db: Database) -> None:
    planted = Canaries()
    others = await plant_other(async_store)
    await plant_user(async_store, "ann", planted, others)
    lines = [line async for line in async_store.export_user("ann")]
    text = "".join(lines)
    overwritten = {canary for canary in planted.planted if canary not in "\n".join(found_in(db))}
    left_out = {canary for canary in planted.planted if canary not in text} - overwritten
    assert all(canary.endswith(("xkey", "xdata", "xorganisation")) for canary in left_out)
    kinds = [json.loads(line)["type"] for line in lines]
    assert kinds[:2] == ["conversation", "message"]
    assert [kinds.count(kind) for kind in ("feedback", "feedback_change", "session")] == [1, 4, 3]
    for name in ("secret_hash", "nonce"):
        (column,) = db.execute(f"SELECT {name} FROM rag_session LIMIT 1")
        assert bytes(column[0]).hex() not in text
        assert name not in text
    assert "Who is Bob" not in text
    assert "He is not" not in text


async def test_the_export_of_an_unknown_user_is_empty(async_store: AsyncStore) -> None:
    await plant_other(async_store)
    assert [line async for line in async_store.export_user("nobody knows")] == []
