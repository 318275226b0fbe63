# Generated from test_message_streams_async.py by tools/unasync.py: edit that file and run the tool again.
"""Messages whose text comes in pieces: open, growing, finished once, and found if their writer died."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import PoolProxiedConnection

from ragstore.conversations._sync import Conversations
from ragstore.conversations.parts import TextPart
from ragstore.conversations.records import NewCitation, NewMessage
from ragstore.core._face_sync import CANCELLATIONS
from ragstore.core.ids import new_id
from ragstore.errors import Conflict, CorruptRow, InvalidInput, LimitExceeded, NotFound, UsageError
from ragstore.store._sync import Store
from tests.conformance.support import Database, plain_engine

OPEN = NewMessage(role="assistant", status="streaming")


@pytest.fixture
def chats(store: Store) -> Conversations:
    return store.conversations


def test_a_stream_grows_and_ends(chats: Conversations) -> None:
    """C-7: it is there from the start, grows in the sight of others, and is complete at the block's end."""
    with chats.stream("t", OPEN, flush_every=0) as stream:
        (begun,) = chats.history("t")
        assert (begun.status, begun.content, begun.id) == ("streaming", "", stream.message.id)
        stream.write("It is ")
        (grown,) = chats.history("t")
        assert (grown.status, grown.content) == ("streaming", "It is ")
        stream.write("so \N{SNOWMAN}\U0001f600.")
        stream.tell(model="m", output_tokens=4, cost=Decimal("0.1"), sources=[NewCitation(source="s")])
    (ended,) = chats.history("t")
    assert (ended.status, ended.content) == ("complete", "It is so \N{SNOWMAN}\U0001f600.")
    assert (ended.model, ended.output_tokens, ended.cost) == ("m", 4, Decimal("0.1"))
    assert [citation.source for citation in ended.citations] == ["s"]
    assert ended.updated_at is not None
    assert ended.updated_at >= ended.created_at


def test_pieces_are_gathered(chats: Conversations) -> None:
    """What comes is stored now and then, not piece by piece."""
    with chats.stream("t", OPEN, flush_every=3600) as stream:
        for _ in range(100):
            stream.write("x")
        assert (chats.history("t"))[0].content == ""
        stream.flush()
        assert (chats.history("t"))[0].content == "x" * 100
        stream.flush()
    assert (chats.history("t"))[0].content == "x" * 100


def test_an_error_ends_a_stream(chats: Conversations) -> None:
    """C-7: what has come stays."""
    with pytest.raises(ZeroDivisionError):
        with chats.stream("t", OPEN) as stream:
            stream.write("half")
            raise ZeroDivisionError
    (ended,) = chats.history("t")
    assert (ended.status, ended.content) == ("error", "half")


@pytest.mark.parametrize(("committed", "left"), [(False, []), (True, ["cancelled"])])
def test_a_beginning_that_is_broken_off_leaves_nothing_open(
    store: Store, monkeypatch: pytest.MonkeyPatch, committed: bool, left: list[str]
) -> None:
    """C-7: by Ctrl-C in its commit, or by the end of its loop: what it has stored is ended; else nothing is left."""
    dialect, interruption = plain_engine(store.engine).dialect, CANCELLATIONS[0]
    commit = dialect.do_commit

    def interrupted(connection: PoolProxiedConnection) -> None:
        monkeypatch.undo()
        if committed:
            commit(connection)
        raise interruption

    monkeypatch.setattr(dialect, "do_commit", interrupted)
    with pytest.raises(interruption) as raised:
        with store.conversations.stream("t", OPEN):
            pytest.fail("the block began")
    assert not hasattr(raised.value, "__notes__")
    assert [message.status for message in store.conversations.page("t").items] == left


@pytest.mark.parametrize(
    ("piece", "refusal"),
    [("\0", InvalidInput), ("\ud800", InvalidInput), (None, InvalidInput), ("x" * 999_996, LimitExceeded)],
)
def test_an_unfit_piece_leaves_the_rest(chats: Conversations, piece: object, refusal: type[Exception]) -> None:
    """C-7: it is refused as it comes; what came before it, and what comes after, is stored."""
    with pytest.raises(refusal):
        with chats.stream("t", OPEN, flush_every=3600) as stream:
            stream.write("good ")
            stream.write(piece)
    with chats.stream("t", OPEN, flush_every=3600) as stream:
        stream.write("good ")
        with pytest.raises(refusal):
            stream.write(piece)
        stream.write("text")
    error, complete = chats.history("t")
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
def test_what_is_told_is_checked_at_once(chats: Conversations, fields: dict[str, object], field: str) -> None:
    """C-7: what is unfit is refused where it is told, and the message ends with all else."""
    with pytest.raises(InvalidInput) as raised:
        with chats.stream("t", OPEN) as stream:
            stream.write("half")
            stream.tell(model="m")
            stream.tell(input_tokens=1, **fields)
    assert raised.value.field == field
    (ended,) = chats.history("t")
    assert (ended.status, ended.content, ended.model, ended.input_tokens) == ("error", "half", "m", None)


@pytest.mark.parametrize(("told", "stored"), [(["b", "c"], ["b", "c"]), ([], ["a"])])
def test_sources_that_are_told_take_the_place_of_the_first(
    chats: Conversations, told: list[str], stored: list[str]
) -> None:
    begun = NewMessage(role="assistant", sources=[NewCitation(source="a")])
    with chats.stream("t", begun) as stream:
        stream.tell(sources=[NewCitation(source=source) for source in told])
    (ended,) = chats.history("t")
    assert [(citation.rank, citation.source) for citation in ended.citations] == list(enumerate(stored, 1))


def test_what_is_told_stays_as_it_was_told(chats: Conversations) -> None:
    """C-7: a value that the host changes afterwards cannot keep the message open."""
    metadata = {"a": "b"}
    with chats.stream("t", OPEN) as stream:
        stream.tell(metadata=metadata, model="former")
        stream.tell(model="m")
        metadata["a"] = "\0"
    (ended,) = chats.history("t")
    assert (ended.status, ended.metadata, ended.model) == ("complete", {"a": "b"}, "m")


def test_a_stream_that_cannot_store_its_rest_ends(chats: Conversations) -> None:
    """C-7: somebody else added to the message: it ends as an error with what is stored, and is not left open."""
    with pytest.raises(Conflict, match="3 characters, not 0"):
        with chats.stream("t", OPEN, flush_every=3600) as stream:
            stream.write("mine")
            chats.grow(stream.message.id, "his")
    (ended,) = chats.history("t")
    assert (ended.status, ended.content) == ("error", "his")


def test_the_blocks_own_error_is_told(chats: Conversations) -> None:
    """C-7: the host's error comes through, with a note if its message could not be ended."""
    with pytest.raises(ZeroDivisionError) as raised:
        with chats.stream("t", OPEN) as stream:
            stream.write("half")
            chats.finish(stream.message.id, status="cancelled")
            raise ZeroDivisionError
    (note,) = raised.value.__notes__
    assert str(stream.message.id) in note
    assert "cancelled" in note


def test_pending_then_streaming_then_finished(chats: Conversations) -> None:
    """C-7: pending, streaming, and one of three ends; nothing changes after that."""
    for ending in ("complete", "error", "cancelled"):
        (message,) = chats.append("t", NewMessage(role="assistant", content="a", status="pending"))
        assert message.status == "pending"
        assert chats.grow(message.id, "b") == 2
        assert chats.get_message(message.id).status == "streaming"
        finished = chats.finish(message.id, status=ending)
        assert (finished.status, finished.content) == (ending, "ab")
        assert chats.get_message(message.id) == finished
        with pytest.raises(Conflict, match=ending):
            chats.grow(message.id, "c")
        with pytest.raises(Conflict, match=ending):
            chats.finish(message.id)
        assert chats.get_message(message.id) == finished


def test_only_an_open_message_grows(chats: Conversations) -> None:
    (complete,) = chats.append("t", NewMessage(role="user", content="x"))
    with pytest.raises(Conflict, match="complete"):
        chats.grow(complete.id, "y")
    with pytest.raises(NotFound):
        chats.grow(new_id(), "y")
    with pytest.raises(NotFound):
        chats.finish(new_id())
    with pytest.raises(InvalidInput):
        NewMessage(role="user", status="error")


def test_a_repeated_piece_is_added_once(chats: Conversations) -> None:
    (message,) = chats.append("t", OPEN)
    assert chats.grow(message.id, "one \U0001f600 ", at=0) == 6
    with pytest.raises(Conflict, match="6"):
        chats.grow(message.id, "one \U0001f600 ", at=0)
    assert chats.grow(message.id, "two", at=6) == 9


def test_the_end_says_the_rest(chats: Conversations) -> None:
    """What is left out stays; a text that is given takes the place of what was stored."""
    begun = NewMessage(role="assistant", status="pending", model="asked", metadata={"a": 1}, parts=[{"x": 1}])
    (first, second) = chats.append("t", [begun, begun])
    kept = chats.finish(first.id, input_tokens=7)
    assert (kept.model, kept.metadata, kept.parts, kept.input_tokens) == ("asked", {"a": 1}, ({"x": 1},), 7)
    changed = chats.finish(second.id, content="all", parts=[TextPart(text="all")], metadata={}, resolved_model="got")
    assert (changed.content, changed.parts, changed.metadata) == ("all", (TextPart(text="all"),), {})
    assert (changed.model, changed.resolved_model) == ("asked", "got")
    assert chats.get_message(second.id) == changed


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
def test_an_unfit_end_changes_nothing(chats: Conversations, fields: dict[str, object], field: str) -> None:
    (message,) = chats.append("t", OPEN)
    with pytest.raises(InvalidInput) as raised:
        chats.finish(message.id, **fields)
    assert raised.value.field == field
    assert chats.get_message(message.id).status == "streaming"


@pytest.mark.parametrize("text", ["\0", "\ud800", None, b"x"])
def test_an_unfit_piece_is_refused(chats: Conversations, text: object) -> None:
    (message,) = chats.append("t", OPEN)
    with pytest.raises(InvalidInput):
        chats.grow(message.id, text)
    assert chats.get_message(message.id).content == ""


def test_a_text_has_its_bounds(chats: Conversations) -> None:
    (message,) = chats.append("t", OPEN)
    assert chats.grow(message.id, "x" * 999_999) == 999_999
    with pytest.raises(LimitExceeded):
        chats.grow(message.id, "xy")
    assert chats.grow(message.id, "x") == 1_000_000


def test_a_client_id_finds_a_stream_again(chats: Conversations) -> None:
    """C-3: a retry after the text has grown is no other message."""
    new = NewMessage(role="assistant", status="streaming", client_id="k")
    (first,) = chats.append("t", new)
    chats.grow(first.id, "grown")
    (again,) = chats.append("t", new)
    assert (again.id, again.content) == (first.id, "grown")
    with pytest.raises(Conflict):
        chats.append("t", NewMessage(role="user", status="streaming", client_id="k"))


def test_a_stream_is_no_part_of_a_unit(store: Store) -> None:
    with store.begin() as unit:
        with pytest.raises(UsageError):
            with unit.conversations.stream("t", OPEN):
                pass
    with pytest.raises(InvalidInput):
        with store.conversations.stream("t", OPEN, flush_every=-1):
            pass
    with pytest.raises(InvalidInput):
        with store.conversations.stream("t", "text"):  # type: ignore[arg-type]
            pass


def test_streams_whose_writer_died_are_closed(store: Store) -> None:
    """C-7: found by age in all tenants, ended as errors with what has come, and found by search then."""
    mine, theirs = store.conversations, store.for_tenant("other").conversations
    (old,) = mine.append("t", NewMessage(role="assistant", content="halfway words", status="streaming"))
    (others,) = theirs.append("t", NewMessage(role="assistant", status="pending"))
    (done,) = mine.append("t", NewMessage(role="assistant", content="done"))
    keeper = store.maintenance()
    assert keeper.close_streams(silent_for=timedelta(hours=1)) == 0
    later = old.created_at + timedelta(hours=2)
    assert keeper.close_streams(silent_for=3600.0, max_rows=1, now=later) == 1
    assert keeper.close_streams(silent_for=3600.0, now=later) == 1
    assert keeper.close_streams(silent_for=3600.0, now=later) == 0
    ended = mine.get_message(old.id)
    assert (ended.status, ended.content) == ("error", "halfway words")
    assert theirs.get_message(others.id).status == "error"
    assert mine.get_message(done.id).status == "complete"


@pytest.mark.parametrize("silent_for", [0, -1.0, float("nan"), "1h", True, None])
def test_a_silence_is_a_time(store: Store, silent_for: object) -> None:
    with pytest.raises(InvalidInput):
        store.maintenance().close_streams(silent_for=silent_for)


@pytest.mark.parametrize("now", ["x", 1, datetime(2030, 1, 1)])  # noqa: DTZ001 - a time without a zone is refused
def test_a_stand_in_for_the_clock_is_a_time(store: Store, now: object) -> None:
    maintenance = store.maintenance()
    for call in (
        lambda: maintenance.close_streams(silent_for=1, now=now),
        lambda: maintenance.purge_conversations(older_than=1, now=now),
        lambda: maintenance.purge_sessions(now=now),
        lambda: maintenance.purge_rate_limits(now=now),
    ):
        with pytest.raises(InvalidInput) as raised:
            call()
        assert raised.value.field == "now"


def damage(db: Database, table: str, column: str, value: str, known: UUID) -> None:
    """Put a value into a row that the library never stores there."""
    if db.kind == "sqlite":
        db.execute(f"UPDATE {table} SET {column} = :value WHERE id = :known", value=value, known=known.hex)
    else:
        statement = f"UPDATE {table} SET {column} = CAST(:value AS jsonb) WHERE id = :known"
        db.execute(statement, value=value, known=known)


@pytest.mark.parametrize(("column", "value"), [("metadata", "[1]"), ("parts", '{"no": "list"}')])
def test_a_damaged_stream_is_closed(store: Store, db: Database, column: str, value: str) -> None:
    """C-7, C-15: it is ended as it is, and keeps none after it open, of whatever tenant; its damage is not hidden."""
    mine, theirs = store.conversations, store.for_tenant("other").conversations
    (hurt,) = mine.append("t", NewMessage(role="assistant", content="old words", status="streaming"))
    (fine,) = theirs.append("t", OPEN)
    damage(db, "rag_message", column, value, hurt.id)
    later = fine.created_at + timedelta(hours=2)
    assert store.maintenance().close_streams(silent_for=3600, now=later) == 2
    assert theirs.get_message(fine.id).status == "error"
    assert mine.get_message(hurt.id, lenient=True).status == "error"
    with pytest.raises(CorruptRow, match=str(hurt.id)):
        mine.get_message(hurt.id)


def test_a_stream_that_cannot_be_closed_keeps_no_other_open(store: Store, db: Database) -> None:
    """C-15: where the conversation is damaged, the error names it once all other messages are ended."""
    mine, theirs = store.conversations, store.for_tenant("other").conversations
    (hurt,) = mine.append("t", OPEN)
    (fine,) = theirs.append("t", OPEN)
    damage(db, "rag_conversation", "metadata", "[1]", hurt.conversation_id)
    later = fine.created_at + timedelta(hours=2)
    with pytest.raises(CorruptRow, match=str(hurt.conversation_id)):
        store.maintenance().close_streams(silent_for=3600, now=later)
    assert theirs.get_message(fine.id).status == "error"
    assert mine.get_message(hurt.id).status == "streaming"


def test_a_damaged_message_can_be_deleted(store: Store, db: Database) -> None:
    chats = store.conversations
    (kept, hurt) = chats.append("t", [NewMessage(role="user", content="a"), NewMessage(role="user")])
    damage(db, "rag_message", "metadata", "[1]", hurt.id)
    assert chats.delete_message(hurt.id) == 1
    assert chats.history("t") == [kept]
