"""Messages whose text comes in pieces: open, growing, finished once, and found if their writer died."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import anyio
import pytest
from sqlalchemy import PoolProxiedConnection, event

from ragstore.conversations._async import AsyncConversations
from ragstore.conversations.parts import TextPart
from ragstore.conversations.records import NewCitation, NewMessage
from ragstore.core._face_async import CANCELLATIONS
from ragstore.core.ids import new_id
from ragstore.errors import Conflict, CorruptRow, InvalidInput, LimitExceeded, NotFound, UsageError
from ragstore.store._async import AsyncStore
from tests.conformance.support import Database, plain_engine

pytestmark = pytest.mark.anyio

OPEN = NewMessage(role="assistant", status="streaming")


@pytest.fixture
def chats(async_store: AsyncStore) -> AsyncConversations:
    return async_store.conversations


async def test_a_stream_grows_and_ends(chats: AsyncConversations) -> None:
    """C-7: it is there from the start, grows in the sight of others, and is complete at the block's end."""
    async with chats.stream("t", OPEN, flush_every=0) as stream:
        (begun,) = await chats.history("t")
        assert (begun.status, begun.content, begun.id) == ("streaming", "", stream.message.id)
        await stream.write("It is ")
        (grown,) = await chats.history("t")
        assert (grown.status, grown.content) == ("streaming", "It is ")
        await stream.write("so \N{SNOWMAN}\U0001f600.")
        stream.tell(model="m", output_tokens=4, cost=Decimal("0.1"), sources=[NewCitation(source="s")])
    (ended,) = await chats.history("t")
    assert (ended.status, ended.content) == ("complete", "It is so \N{SNOWMAN}\U0001f600.")
    assert (ended.model, ended.output_tokens, ended.cost) == ("m", 4, Decimal("0.1"))
    assert [citation.source for citation in ended.citations] == ["s"]
    assert ended.updated_at is not None
    assert ended.updated_at >= ended.created_at


async def test_pieces_are_gathered(chats: AsyncConversations) -> None:
    """What comes is stored now and then, not piece by piece."""
    async with chats.stream("t", OPEN, flush_every=3600) as stream:
        for _ in range(100):
            await stream.write("x")
        assert (await chats.history("t"))[0].content == ""
        await stream.flush()
        assert (await chats.history("t"))[0].content == "x" * 100
        await stream.flush()
    assert (await chats.history("t"))[0].content == "x" * 100


async def test_an_error_ends_a_stream(chats: AsyncConversations) -> None:
    """C-7: what has come stays."""
    with pytest.raises(ZeroDivisionError):
        async with chats.stream("t", OPEN) as stream:
            await stream.write("half")
            raise ZeroDivisionError
    (ended,) = await chats.history("t")
    assert (ended.status, ended.content) == ("error", "half")


# async only
async def test_cancelling_ends_a_stream(chats: AsyncConversations) -> None:
    """C-7: also when the task that writes is cancelled in the middle."""
    began = anyio.Event()

    async def write() -> None:
        async with chats.stream("t", OPEN) as stream:
            await stream.write("half")
            began.set()
            await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        group.start_soon(write)
        await began.wait()
        group.cancel_scope.cancel()
    (ended,) = await chats.history("t")
    assert (ended.status, ended.content) == ("cancelled", "half")


async def test_cancelling_at_the_end_loses_nothing(async_store: AsyncStore, db: Database) -> None:
    """C-7: a task that is cancelled while it waits to finish its message finishes it, and is cancelled then."""
    written = asyncio.Event()

    async def write() -> None:
        async with async_store.conversations.stream("t", OPEN, flush_every=3600) as stream:
            db.execute("BEGIN IMMEDIATE" if db.kind == "sqlite" else "BEGIN")
            db.execute("UPDATE rag_message SET pinned = pinned")
            await stream.write("precious text")
            written.set()

    task = asyncio.create_task(write())
    await written.wait()
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.sleep(0.1)
    db.execute("ROLLBACK")
    with pytest.raises(asyncio.CancelledError):
        await task
    (ended,) = await async_store.conversations.history("t")
    assert (ended.status, ended.content) == ("complete", "precious text")


async def test_cancelling_at_a_commit_stores_a_piece_once(async_store: AsyncStore) -> None:
    """C-7: a task that is cancelled while a piece is committed is cancelled, and its message is ended."""

    async def write() -> None:
        async with async_store.conversations.stream("t", OPEN, flush_every=3600) as stream:
            await stream.write("precious text")
            engine = plain_engine(async_store.engine)
            event.listen(engine, "commit", lambda _connection: task.cancel(), once=True)
            await stream.flush()

    task = asyncio.create_task(write())
    with pytest.raises(asyncio.CancelledError) as raised:
        await task
    assert not hasattr(raised.value, "__notes__")
    (ended,) = await async_store.conversations.history("t")
    assert (ended.status, ended.content) == ("cancelled", "precious text")


@pytest.mark.parametrize("retried", [False, True])
@pytest.mark.parametrize("moment", ["before_cursor_execute", "commit", "reset"])
async def test_cancelling_a_stream_that_begins_ends_it(async_store: AsyncStore, moment: str, retried: bool) -> None:
    """C-7, C-3: a task that is cancelled while its message is appended waits for that, and leaves it cancelled."""
    new = NewMessage(role="assistant", content="So", status="streaming", client_id="k")
    if retried:
        await async_store.conversations.append("t", new)
    entered = False

    async def write() -> None:
        nonlocal entered
        async with async_store.conversations.stream("t", new):
            entered = True

    event.listen(plain_engine(async_store.engine), moment, lambda *_: task.cancel(), once=True)
    task = asyncio.create_task(write())
    with pytest.raises(asyncio.CancelledError) as raised:
        await task
    assert not entered
    assert not hasattr(raised.value, "__notes__")
    (ended,) = await async_store.conversations.history("t")
    assert (ended.status, ended.content) == ("cancelled", "So")


# end async only
@pytest.mark.parametrize(("committed", "left"), [(False, []), (True, ["cancelled"])])
async def test_a_beginning_that_is_broken_off_leaves_nothing_open(
    async_store: AsyncStore, monkeypatch: pytest.MonkeyPatch, committed: bool, left: list[str]
) -> None:
    """C-7: by Ctrl-C in its commit, or by the end of its loop: what it has stored is ended; else nothing is left."""
    dialect, interruption = plain_engine(async_store.engine).dialect, CANCELLATIONS[0]
    commit = dialect.do_commit

    def interrupted(connection: PoolProxiedConnection) -> None:
        monkeypatch.undo()
        if committed:
            commit(connection)
        raise interruption

    monkeypatch.setattr(dialect, "do_commit", interrupted)
    with pytest.raises(interruption) as raised:
        async with async_store.conversations.stream("t", OPEN):
            pytest.fail("the block began")
    assert not hasattr(raised.value, "__notes__")
    assert [message.status for message in (await async_store.conversations.page("t")).items] == left


@pytest.mark.parametrize(
    ("piece", "refusal"),
    [("\0", InvalidInput), ("\ud800", InvalidInput), (None, InvalidInput), ("x" * 999_996, LimitExceeded)],
)
async def test_an_unfit_piece_leaves_the_rest(
    chats: AsyncConversations, piece: object, refusal: type[Exception]
) -> None:
    """C-7: it is refused as it comes; what came before it, and what comes after, is stored."""
    with pytest.raises(refusal):
        async with chats.stream("t", OPEN, flush_every=3600) as stream:
            await stream.write("good ")
            await stream.write(piece)
    async with chats.stream("t", OPEN, flush_every=3600) as stream:
        await stream.write("good ")
        with pytest.raises(refusal):
            await stream.write(piece)
        await stream.write("text")
    error, complete = await chats.history("t")
    assert (error.status, error.content) == ("error", "good ")
    assert (complete.status, complete.content) == ("complete", "good text")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"output_tokens": -1}, "output_tokens"),
        ({"outputtokens": 1}, "outputtokens"),
        ({"status": "complete"}, "status"),
        ({"content": "all"}, "content"),
        ({"metadata": {"a": "\0"}}, "metadata.a"),
    ],
)
async def test_what_is_told_is_checked_at_once(
    chats: AsyncConversations, fields: dict[str, object], field: str
) -> None:
    """C-7: what is unfit is refused where it is told, and the message ends with all else."""
    with pytest.raises(InvalidInput) as raised:
        async with chats.stream("t", OPEN) as stream:
            await stream.write("half")
            stream.tell(model="m")
            stream.tell(input_tokens=1, **fields)
    assert raised.value.field == field
    (ended,) = await chats.history("t")
    assert (ended.status, ended.content, ended.model, ended.input_tokens) == ("error", "half", "m", None)


@pytest.mark.parametrize(("told", "stored"), [(["b", "c"], ["b", "c"]), ([], ["a"])])
async def test_sources_that_are_told_take_the_place_of_the_first(
    chats: AsyncConversations, told: list[str], stored: list[str]
) -> None:
    begun = NewMessage(role="assistant", sources=[NewCitation(source="a")])
    async with chats.stream("t", begun) as stream:
        stream.tell(sources=[NewCitation(source=source) for source in told])
    (ended,) = await chats.history("t")
    assert [(citation.rank, citation.source) for citation in ended.citations] == list(enumerate(stored, 1))


async def test_what_is_told_stays_as_it_was_told(chats: AsyncConversations) -> None:
    """C-7: a value that the host changes afterwards cannot keep the message open."""
    metadata = {"a": "b"}
    async with chats.stream("t", OPEN) as stream:
        stream.tell(metadata=metadata, model="former")
        stream.tell(model="m")
        metadata["a"] = "\0"
    (ended,) = await chats.history("t")
    assert (ended.status, ended.metadata, ended.model) == ("complete", {"a": "b"}, "m")


async def test_a_stream_that_cannot_store_its_rest_ends(chats: AsyncConversations) -> None:
    """C-7: somebody else added to the message: it ends as an error with what is stored, and is not left open."""
    with pytest.raises(Conflict, match="3 characters, not 0"):
        async with chats.stream("t", OPEN, flush_every=3600) as stream:
            await stream.write("mine")
            await chats.grow(stream.message.id, "his")
    (ended,) = await chats.history("t")
    assert (ended.status, ended.content) == ("error", "his")


async def test_the_blocks_own_error_is_told(chats: AsyncConversations) -> None:
    """C-7: the host's error comes through, with a note if its message could not be ended."""
    with pytest.raises(ZeroDivisionError) as raised:
        async with chats.stream("t", OPEN) as stream:
            await stream.write("half")
            await chats.finish(stream.message.id, status="cancelled")
            raise ZeroDivisionError
    (note,) = raised.value.__notes__
    assert str(stream.message.id) in note
    assert "cancelled" in note


async def test_pending_then_streaming_then_finished(chats: AsyncConversations) -> None:
    """C-7: pending, streaming, and one of three ends; nothing changes after that."""
    for ending in ("complete", "error", "cancelled"):
        (message,) = await chats.append("t", NewMessage(role="assistant", content="a", status="pending"))
        assert message.status == "pending"
        assert await chats.grow(message.id, "b") == 2
        assert (await chats.get_message(message.id)).status == "streaming"
        finished = await chats.finish(message.id, status=ending)
        assert (finished.status, finished.content) == (ending, "ab")
        assert await chats.get_message(message.id) == finished
        with pytest.raises(Conflict, match=ending):
            await chats.grow(message.id, "c")
        with pytest.raises(Conflict, match=ending):
            await chats.finish(message.id)
        assert await chats.get_message(message.id) == finished


async def test_only_an_open_message_grows(chats: AsyncConversations) -> None:
    (complete,) = await chats.append("t", NewMessage(role="user", content="x"))
    with pytest.raises(Conflict, match="complete"):
        await chats.grow(complete.id, "y")
    with pytest.raises(NotFound):
        await chats.grow(new_id(), "y")
    with pytest.raises(NotFound):
        await chats.finish(new_id())
    with pytest.raises(InvalidInput):
        NewMessage(role="user", status="error")


async def test_a_repeated_piece_is_added_once(chats: AsyncConversations) -> None:
    (message,) = await chats.append("t", OPEN)
    assert await chats.grow(message.id, "one \U0001f600 ", at=0) == 6
    with pytest.raises(Conflict, match="6"):
        await chats.grow(message.id, "one \U0001f600 ", at=0)
    assert await chats.grow(message.id, "two", at=6) == 9


async def test_the_end_says_the_rest(chats: AsyncConversations) -> None:
    """What is left out stays; a text that is given takes the place of what was stored."""
    begun = NewMessage(role="assistant", status="pending", model="asked", metadata={"a": 1}, parts=[{"x": 1}])
    (first, second) = await chats.append("t", [begun, begun])
    kept = await chats.finish(first.id, input_tokens=7)
    assert (kept.model, kept.metadata, kept.parts, kept.input_tokens) == ("asked", {"a": 1}, ({"x": 1},), 7)
    changed = await chats.finish(
        second.id, content="all", parts=[TextPart(text="all")], metadata={}, resolved_model="got"
    )
    assert (changed.content, changed.parts, changed.metadata) == ("all", (TextPart(text="all"),), {})
    assert (changed.model, changed.resolved_model) == ("asked", "got")
    assert await chats.get_message(second.id) == changed


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"status": "pending"}, "status"),
        ({"content": "\0"}, "content"),
        ({"parts": "text"}, "parts"),
        ({"metadata": []}, "metadata"),
        ({"output_tokens": -1}, "output_tokens"),
        ({"sources": "s"}, "sources"),
    ],
)
async def test_an_unfit_end_changes_nothing(chats: AsyncConversations, fields: dict[str, object], field: str) -> None:
    (message,) = await chats.append("t", OPEN)
    with pytest.raises(InvalidInput) as raised:
        await chats.finish(message.id, **fields)
    assert raised.value.field == field
    assert (await chats.get_message(message.id)).status == "streaming"


@pytest.mark.parametrize("text", ["\0", "\ud800", None, b"x"])
async def test_an_unfit_piece_is_refused(chats: AsyncConversations, text: object) -> None:
    (message,) = await chats.append("t", OPEN)
    with pytest.raises(InvalidInput):
        await chats.grow(message.id, text)
    assert (await chats.get_message(message.id)).content == ""


async def test_a_text_has_its_bounds(chats: AsyncConversations) -> None:
    (message,) = await chats.append("t", OPEN)
    assert await chats.grow(message.id, "x" * 999_999) == 999_999
    with pytest.raises(LimitExceeded):
        await chats.grow(message.id, "xy")
    assert await chats.grow(message.id, "x") == 1_000_000


async def test_a_client_id_finds_a_stream_again(chats: AsyncConversations) -> None:
    """C-3: a retry after the text has grown is no other message."""
    new = NewMessage(role="assistant", status="streaming", client_id="k")
    (first,) = await chats.append("t", new)
    await chats.grow(first.id, "grown")
    (again,) = await chats.append("t", new)
    assert (again.id, again.content) == (first.id, "grown")
    with pytest.raises(Conflict):
        await chats.append("t", NewMessage(role="user", status="streaming", client_id="k"))


async def test_a_stream_is_no_part_of_a_unit(async_store: AsyncStore) -> None:
    async with async_store.begin() as unit:
        with pytest.raises(UsageError):
            async with unit.conversations.stream("t", OPEN):
                pass
    with pytest.raises(InvalidInput):
        async with async_store.conversations.stream("t", OPEN, flush_every=-1):
            pass
    with pytest.raises(InvalidInput):
        async with async_store.conversations.stream("t", "text"):  # type: ignore[arg-type]
            pass


async def test_streams_whose_writer_died_are_closed(async_store: AsyncStore) -> None:
    """C-7: found by age in all tenants, ended as errors with what has come, and found by search then."""
    mine, theirs = async_store.conversations, async_store.for_tenant("other").conversations
    (old,) = await mine.append("t", NewMessage(role="assistant", content="halfway words", status="streaming"))
    (others,) = await theirs.append("t", NewMessage(role="assistant", status="pending"))
    (done,) = await mine.append("t", NewMessage(role="assistant", content="done"))
    keeper = async_store.maintenance()
    assert await keeper.close_streams(silent_for=timedelta(hours=1)) == 0
    later = old.created_at + timedelta(hours=2)
    assert await keeper.close_streams(silent_for=3600.0, max_rows=1, now=later) == 1
    assert await keeper.close_streams(silent_for=3600.0, now=later) == 1
    assert await keeper.close_streams(silent_for=3600.0, now=later) == 0
    ended = await mine.get_message(old.id)
    assert (ended.status, ended.content) == ("error", "halfway words")
    assert (await theirs.get_message(others.id)).status == "error"
    assert (await mine.get_message(done.id)).status == "complete"


@pytest.mark.parametrize("silent_for", [0, -1.0, float("nan"), "1h", True, None])
async def test_a_silence_is_a_time(async_store: AsyncStore, silent_for: object) -> None:
    with pytest.raises(InvalidInput):
        await async_store.maintenance().close_streams(silent_for=silent_for)


@pytest.mark.parametrize("now", ["x", 1, datetime(2030, 1, 1)])  # noqa: DTZ001 - a time without a zone is refused
async def test_a_stand_in_for_the_clock_is_a_time(async_store: AsyncStore, now: object) -> None:
    maintenance = async_store.maintenance()
    for call in (
        lambda: maintenance.close_streams(silent_for=1, now=now),
        lambda: maintenance.purge_conversations(older_than=1, now=now),
        lambda: maintenance.purge_sessions(now=now),
        lambda: maintenance.purge_rate_limits(now=now),
    ):
        with pytest.raises(InvalidInput) as raised:
            await call()
        assert raised.value.field == "now"


def damage(db: Database, table: str, column: str, value: str, known: UUID) -> None:
    """Put a value into a row that the library never stores there."""
    if db.kind == "sqlite":
        db.execute(f"UPDATE {table} SET {column} = :value WHERE id = :known", value=value, known=known.hex)
    else:
        statement = f"UPDATE {table} SET {column} = CAST(:value AS jsonb) WHERE id = :known"
        db.execute(statement, value=value, known=known)


@pytest.mark.parametrize(("column", "value"), [("metadata", "[1]"), ("parts", '{"no": "list"}')])
async def test_a_damaged_stream_is_closed(async_store: AsyncStore, db: Database, column: str, value: str) -> None:
    """C-7, C-15: it is ended as it is, and keeps none after it open, of whatever tenant; its damage is not hidden."""
    mine, theirs = async_store.conversations, async_store.for_tenant("other").conversations
    (hurt,) = await mine.append("t", NewMessage(role="assistant", content="old words", status="streaming"))
    (fine,) = await theirs.append("t", OPEN)
    damage(db, "rag_message", column, value, hurt.id)
    later = fine.created_at + timedelta(hours=2)
    assert await async_store.maintenance().close_streams(silent_for=3600, now=later) == 2
    assert (await theirs.get_message(fine.id)).status == "error"
    assert (await mine.get_message(hurt.id, lenient=True)).status == "error"
    with pytest.raises(CorruptRow, match=str(hurt.id)):
        await mine.get_message(hurt.id)


async def test_a_stream_that_cannot_be_closed_keeps_no_other_open(async_store: AsyncStore, db: Database) -> None:
    """C-15: where the conversation is damaged, the error names it once all other messages are ended."""
    mine, theirs = async_store.conversations, async_store.for_tenant("other").conversations
    (hurt,) = await mine.append("t", OPEN)
    (fine,) = await theirs.append("t", OPEN)
    damage(db, "rag_conversation", "metadata", "[1]", hurt.conversation_id)
    later = fine.created_at + timedelta(hours=2)
    with pytest.raises(CorruptRow, match=str(hurt.conversation_id)):
        await async_store.maintenance().close_streams(silent_for=3600, now=later)
    assert (await theirs.get_message(fine.id)).status == "error"
    assert (await mine.get_message(hurt.id)).status == "streaming"


async def test_a_damaged_message_can_be_deleted(async_store: AsyncStore, db: Database) -> None:
    chats = async_store.conversations
    (kept, hurt) = await chats.append("t", [NewMessage(role="user", content="a"), NewMessage(role="user")])
    damage(db, "rag_message", "metadata", "[1]", hurt.id)
    assert await chats.delete_message(hurt.id) == 1
    assert await chats.history("t") == [kept]
