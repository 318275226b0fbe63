"""What conversations work out without a database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstore.backends.postgresql.appends import append_at_once
from ragstore.backends.sqlite import BACKEND as SQLITE
from ragstore.conversations import appending, preparing, reading, starting
from ragstore.conversations.backend import Append, Place
from ragstore.conversations.preparing import Border, Owner, Prepared
from ragstore.conversations.records import Conversation, Message, NewCitation, NewMessage
from ragstore.core.border import TextPolicy
from ragstore.core.ids import new_id
from ragstore.core.paging import encode_cursor
from ragstore.core.query import Query, Write
from ragstore.core.records import UNSET
from ragstore.errors import Conflict, InvalidInput, NotFound, StaleHead

POLICY = TextPolicy()
LET_IN = Border(POLICY, "en")
NOW = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)


def prepared(content: str = "x", client_id: str | None = None, **fields: Any) -> Prepared:
    return preparing.message(NewMessage(role="user", content=content, client_id=client_id, **fields), LET_IN)


def conversation(**fields: Any) -> Conversation:
    values: dict[str, Any] = {
        "id": new_id(),
        "thread_id": "t",
        "user_id": None,
        "organisation_id": None,
        "collection": None,
        "title": None,
        "pinned": False,
        "metadata": {},
        "head": 0,
        "leaf_id": None,
        "branched": False,
        "language": "en",
        "created_at": NOW,
        "last_activity": NOW,
    }
    return Conversation(**{**values, **fields})


@dataclass(frozen=True)
class Hit:
    chunk_id: UUID
    document_id: UUID
    collection: str = "docs"
    source: str = "a.txt"
    title: str = "A"
    content: str = "text"
    score: float = 0.5
    start_offset: int | None = None
    end_offset: int | None = None
    page: int | None = 3
    heading: str | None = None


# ------------------------------------------------------------------------------------------------ preparing


def test_a_hit_becomes_a_snapshot() -> None:
    hit = Hit(new_id(), new_id(), content="x" * 2001)
    quoted = NewCitation(source="b.txt", snippet="y" * 2001, chunk_id=new_id())
    first, second = preparing.citations([hit, quoted], POLICY)
    assert (first["rank"], first["chunk_id"], first["document_id"], first["page"]) == (
        1,
        hit.chunk_id,
        hit.document_id,
        3,
    )
    assert first["snippet"] == "x" * 2000
    assert (second["rank"], second["snippet"], second["score"]) == (2, "y" * 2001, None)


@pytest.mark.parametrize(
    "change", [{"content": None}, {"score": "high"}, {"page": -1}, {"chunk_id": "no id"}, {"score": 10**400}]
)
def test_a_strange_hit_is_refused(change: dict[str, Any]) -> None:
    values = {**Hit(new_id(), new_id()).__dict__, **change}
    with pytest.raises(InvalidInput, match=r"sources\[0\]"):
        preparing.citations([SimpleNamespace(**values)], POLICY)
    values.pop(next(iter(change)))
    with pytest.raises(InvalidInput, match=next(iter(change))):
        preparing.citations([SimpleNamespace(**values)], POLICY)


def test_too_many_are_refused() -> None:
    one = NewMessage(role="user")
    with pytest.raises(InvalidInput, match="10,000"):
        preparing.batch([one] * 10_001, LET_IN)
    with pytest.raises(InvalidInput, match="1,000"):
        preparing.citations([NewCitation(source="s")] * 1_001, POLICY)


@given(st.decimals(0, 9 * 10**9, allow_nan=False, places=9))
def test_costs_keep_nine_places(cost: Decimal) -> None:
    assert prepared(cost=cost).fields["cost"] == cost


def test_costs_are_rounded_as_they_are_stored() -> None:
    assert prepared(cost=Decimal("0.00000000049")).fields["cost"] == 0


def test_minus_zero_is_zero() -> None:
    assert str(prepared(response_time=-0.0).fields["response_time"]) == "0.0"


@pytest.mark.parametrize(
    "fields", [{"role": "bot"}, {"content": b"x"}, {"input_tokens": True}, {"unknown": 1}, {"cost": 0.1}]
)
def test_a_new_message_is_strict(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as raised:
        NewMessage(**{"role": "user", **fields})
    assert raised.value.field == next(iter(fields))


# ------------------------------------------------------------------------------------------------- appending


def append_of(*batch: Prepared, **more: Any) -> Append:
    return Append("tenant", "t", batch, "ragstore", "en", **more)


def stored_at_the_beginning(*fresh: Prepared) -> list[Message]:
    return appending.placed(fresh, Place(new_id(), 0, None, NOW))


def test_what_goes_in_one_statement() -> None:
    """Not an empty batch, a large one, one with a name twice, or one with a place of its own."""
    free, keyed, other = prepared(), prepared(client_id="k"), prepared(client_id="l")
    for fitting in ([free], [keyed], [free, keyed, other], [free] * 100):
        assert append_at_once(append_of(*fitting)) is not None
    for unfitting in ([], [keyed, free, keyed], [free] * 101):
        assert append_at_once(append_of(*unfitting)) is None
    assert append_at_once(append_of(free, placed=True)) is None


def test_a_long_batch_does_not_go_in_one_statement() -> None:
    """However few its messages are: a JSON value on PostgreSQL is bounded, in bytes."""
    long = prepared("\N{SLIGHTLY SMILING FACE}" * 1_000_000)
    assert append_at_once(append_of(*[long] * 7)) is not None
    assert append_at_once(append_of(*[long] * 8)) is None


def test_each_client_id_is_kept_once() -> None:
    first, again, free = prepared("a", "1"), prepared("a", "1"), prepared("a")
    assert appending.sort_out([first, free, again, free], {}) == [first, free]
    stored = stored_at_the_beginning(first)[0]
    assert appending.sort_out([again, free], {"1": stored}) == [free]
    for other in (prepared("b", "1"), prepared("a", "1", metadata={"a": None}), prepared("a", "1", input_tokens=0)):
        with pytest.raises(Conflict):
            appending.sort_out([first, other], {})
        with pytest.raises(Conflict):
            appending.sort_out([other], {"1": stored})


def test_a_chunk_that_is_gone_makes_no_other_message() -> None:
    with_chunk = prepared("a", "1", sources=[NewCitation(source="s", chunk_id=new_id())])
    stored = stored_at_the_beginning(prepared("a", "1", sources=[NewCitation(source="s")]))[0]
    assert appending.sort_out([with_chunk], {"1": stored}) == []
    with pytest.raises(Conflict, match="citations"):
        appending.sort_out([prepared("a", "1", sources=[NewCitation(source="other")])], {"1": stored})


@given(head=st.integers(0, 100), count=st.integers(1, 20))
def test_places_follow_the_head_and_the_leaf(head: int, count: int) -> None:
    leaf = new_id() if head else None
    fresh = [prepared(f"{number}") for number in range(count)]
    messages = appending.placed(fresh, Place(new_id(), head, leaf, NOW))
    assert [message.seq for message in messages] == list(range(head + 1, head + count + 1))
    assert [message.parent_id for message in messages] == [leaf, *(message.id for message in messages)][:-1]
    assert [message.content for message in messages] == [new.fields["content"] for new in fresh]


def test_nothing_is_asked_for_an_empty_batch() -> None:
    with pytest.raises(StopIteration) as stop:
        next(appending.append(SQLITE, append_of()))
    assert stop.value.value == []


def test_a_refused_batch_has_only_read() -> None:
    """Drive the steps by hand: whatever is refused, no write was asked for, so that a unit may go on."""
    stale = append_of(prepared(), prepared(), expected=4)
    with pytest.raises(StaleHead):
        assert drive(stale, [conversation(head=5)]) is None
    other = append_of(prepared(), prepared(), owner=Owner(user_id="bob"))
    with pytest.raises(Conflict):
        assert drive(other, [conversation(user_id="ann")]) is None


def drive(asked: Append, found: list[Conversation]) -> None:
    steps = appending.append(SQLITE, asked)
    step: Query[Any] | Write = next(steps)
    while True:
        assert isinstance(step, Query)
        step = steps.send(found)


# ---------------------------------------------------------------------------------------- starting and paging


def test_who_owns_a_conversation() -> None:
    owned = conversation(user_id="ann")
    assert starting.unclaimed(owned, Owner()) == {}
    assert starting.unclaimed(owned, Owner(user_id="ann", collection="docs")) == {"collection": "docs"}
    with pytest.raises(Conflict) as raised:
        starting.unclaimed(owned, Owner(user_id="bob"))
    assert "ann" not in str(raised.value)


def test_an_unknown_thread_says_what_to_do() -> None:
    steps = starting.find("tenant", "t")
    next(steps)
    with pytest.raises(NotFound, match="start"):
        steps.send([])


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)), st.uuids())  # noqa: DTZ001
def test_a_threads_place_survives_its_cursor(at: datetime, conversation_id: UUID) -> None:
    key = reading.thread_key(conversation(id=conversation_id, last_activity=at))
    assert reading.thread_place(encode_cursor(reading.THREADS, key)) == (at, conversation_id)


@pytest.mark.parametrize("key", [(10**30, "0" * 32), (0, "no id"), (0, ""), ("0", "0" * 32), (0,)])
def test_a_forged_cursor_is_refused(key: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidInput):
        reading.thread_place(encode_cursor(reading.THREADS, key))


def test_unset_is_told_from_none() -> None:
    assert UNSET is not None
    assert repr(UNSET)
