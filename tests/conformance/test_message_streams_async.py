"""Messages whose text comes in pieces: open, growing, finished once, and found if their writer died."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import anyio
import pytest

from ragstore.conversations._async import AsyncConversations
from ragstore.conversations.parts import TextPart
from ragstore.conversations.records import NewCitation, NewMessage
from ragstore.core.ids import new_id
from ragstore.errors import Conflict, InvalidInput, LimitExceeded, NotFound, UsageError
from ragstore.store._async import AsyncStore

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


# end async only
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
