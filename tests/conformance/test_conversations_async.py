"""Conversations, on both databases and both faces."""

from __future__ import annotations

import math
import pickle
from collections.abc import Sequence
from datetime import UTC
from decimal import Context, Decimal, localcontext
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ragstore.config import Settings
from ragstore.conversations._async import AsyncConversations
from ragstore.conversations.parts import Part, TextPart, to_json
from ragstore.conversations.records import Message, NewCitation, NewMessage
from ragstore.core._face_async import sleep
from ragstore.core.ids import new_id
from ragstore.corpus.records import NewDocument
from ragstore.errors import Conflict, InvalidInput, NotFound, StaleHead
from ragstore.store._async import AsyncStore
from ragstore.testing import strategies as ragstore_st

pytestmark = pytest.mark.anyio

on_one_database = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
NUL, LONE = "a\0b", "a\ud800b"


@pytest.fixture
async def chats(async_store: AsyncStore) -> AsyncConversations:
    return async_store.conversations


def said(content: str, **fields: Any) -> NewMessage:
    return NewMessage(role="user", content=content, **fields)


def several(count: int, prefix: str = "m") -> list[NewMessage]:
    return [said(f"{prefix}{number}") for number in range(count)]


def contents(messages: Sequence[Message]) -> list[str]:
    return [message.content for message in messages]


def has_big_float(value: Any) -> bool:
    """Say whether a float of 2**53 or more is in it: jsonb gives some of those back as another number."""
    if isinstance(value, dict | list):
        return any(map(has_big_float, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float) and abs(value) >= 2**53


async def check_chain(chats: AsyncConversations, thread: str, expected: list[str]) -> None:
    """See that a thread holds these texts, numbered without a gap, each the child of the one before it."""
    messages = await chats.history(thread, limit=1000)
    assert contents(messages) == expected
    assert [message.seq for message in messages] == list(range(1, len(expected) + 1))
    assert [message.parent_id for message in messages] == [None, *(message.id for message in messages)][:-1]
    conversation = await chats.get(thread)
    assert (conversation.head, conversation.leaf_id) == (len(expected), messages[-1].id)


# ---------------------------------------------------------------------------------------------- conversations


async def test_start_makes_a_conversation_once(chats: AsyncConversations) -> None:
    made = await chats.start("t", user_id="ann", collection="docs", title="Files", metadata={"a": [1, None]})
    assert (made.thread_id, made.user_id, made.organisation_id, made.collection) == ("t", "ann", None, "docs")
    assert (made.title, made.metadata, made.pinned, made.head, made.leaf_id) == (
        "Files",
        {"a": [1, None]},
        False,
        0,
        None,
    )
    assert made.created_at.tzinfo is UTC
    assert await chats.start("t", title="another", metadata={}) == made
    assert await chats.get("t") == await chats.find("t") == made


async def test_start_names_the_owner_of_a_thread_that_has_none(chats: AsyncConversations) -> None:
    await chats.append("t", said("hello"))
    claimed = await chats.start("t", user_id="ann", organisation_id="uni")
    assert (claimed.user_id, claimed.organisation_id, claimed.head) == ("ann", "uni", 1)
    for other in ({"user_id": "bob"}, {"organisation_id": "school"}):
        with pytest.raises(Conflict, match=next(iter(other))):
            await chats.start("t", **other)
    assert (await chats.start("t", user_id="ann", collection="docs")).collection == "docs"
    assert (await chats.get("t")).user_id == "ann"


async def test_what_is_not_there(chats: AsyncConversations) -> None:
    assert await chats.find("t") is None
    assert await chats.history("t") == []
    assert (await chats.page("t")).items == (await chats.page("t", backwards=True)).items == ()
    assert await chats.delete("t") is False
    assert await chats.delete_feedback(new_id()) is False
    assert await chats.feedback_changes(new_id()) == []
    with pytest.raises(NotFound):
        await chats.get("t")
    with pytest.raises(NotFound):
        await chats.update("t", title="x")
    with pytest.raises(NotFound):
        await chats.update("t")
    with pytest.raises(NotFound):
        await chats.get_message(new_id())
    with pytest.raises(NotFound):
        await chats.give_feedback(new_id(), 1)


async def test_update_leaves_what_is_not_given(chats: AsyncConversations) -> None:
    made = await chats.start("t", title="Files", metadata={"a": 1})
    assert await chats.update("t") == made
    pinned = await chats.update("t", pinned=True)
    assert pinned == made.model_copy(update={"pinned": True})
    assert (await chats.update("t", title=None)).title is None
    last = await chats.update("t", metadata={"b": "2"}, title="New")
    assert (last.title, last.metadata, last.pinned, last.last_activity) == ("New", {"b": "2"}, True, made.last_activity)
    assert await chats.get("t") == last


async def test_delete_takes_everything_along(chats: AsyncConversations) -> None:
    exchange = await chats.record_exchange(
        thread_id="t", query="q", response="r", sources=[NewCitation(source="s")], feedback=1
    )
    await chats.append("other", said("stays"))
    assert await chats.delete("t") is True
    assert await chats.delete("t") is False
    assert await chats.find("t") is None
    assert await chats.history("t") == []
    assert await chats.feedback_changes(exchange.answer.id) == []
    with pytest.raises(NotFound):
        await chats.get_message(exchange.answer.id)
    assert contents(await chats.history("other")) == ["stays"]
    assert [message.seq for message in await chats.append("t", said("anew"))] == [1]


async def test_tenants_do_not_meet(async_store: AsyncStore) -> None:
    ours, theirs = async_store.conversations, async_store.for_tenant("theirs").conversations
    exchange = await ours.record_exchange(thread_id="t", query="q", response="r", user_id="ann", feedback=1)
    assert await theirs.history("t") == []
    assert await theirs.find("t") is None
    assert len(await theirs.page_threads()) == 0
    assert await theirs.feedback_changes(exchange.answer.id) == []
    with pytest.raises(NotFound):
        await theirs.get_message(exchange.answer.id)
    with pytest.raises(NotFound):
        await theirs.give_feedback(exchange.answer.id, -1)
    assert await theirs.delete("t") is False
    assert await theirs.delete_feedback(exchange.answer.id, user_id="ann") is False
    assert [message.seq for message in await theirs.append("t", said("mine"))] == [1]
    assert contents(await ours.history("t")) == ["q", "r"]


# -------------------------------------------------------------------------------------------------- appending


async def test_the_first_append_makes_the_thread(chats: AsyncConversations) -> None:
    (first,) = await chats.append("t", said("one"))
    conversation = await chats.get("t")
    assert (conversation.head, conversation.leaf_id, conversation.user_id) == (1, first.id, None)
    assert conversation.last_activity >= first.created_at
    (second,) = await chats.append("t", [said("two")])
    assert (second.seq, second.parent_id) == (2, first.id)
    assert (await chats.get("t")).last_activity >= conversation.last_activity
    await check_chain(chats, "t", ["one", "two"])


async def test_batches_are_contiguous(chats: AsyncConversations) -> None:
    appended: list[Message] = []
    for size in (3, 1, 2, 12, 2, 0, 1):
        appended += await chats.append("t", several(size))
    assert [message.seq for message in appended] == list(range(1, 22))
    assert await chats.history("t", limit=100) == appended
    await check_chain(chats, "t", contents(appended))


async def test_an_empty_batch_changes_nothing(chats: AsyncConversations) -> None:
    assert await chats.append("t", []) == []
    assert await chats.find("t") is None


def as_given(parts: Sequence[Part] | None) -> list[object] | None:
    return None if parts is None else [to_json(part) for part in parts]


async def test_every_field_comes_back(chats: AsyncConversations) -> None:
    message = NewMessage(
        role="assistant",
        content="",
        parts=[{"type": "tool_call", "id": "c1", "new_field": {"deep": [1, 2.5, None, True, "ä"]}}, "text", []],
        metadata={"k": {"n": [0.1, -3]}},
        client_id="Ä 1",
        sources=[NewCitation(source="a.txt", score=0.1 + 0.2, page=3, heading="H"), NewCitation(source="b.txt")],
        response_time=0.1,
        model="m",
        resolved_model="m-1",
        input_tokens=0,
        output_tokens=7,
        cached_tokens=2**31 - 1,
        reasoning_tokens=None,
        cost=Decimal("0.000000001"),
    )
    for batch in (message, [message.model_copy(update={"client_id": f"{n}"}) for n in range(3)]):
        for stored in await chats.append("t", batch):
            assert await chats.get_message(stored.id) == stored
            assert as_given(stored.parts) == message.parts
            assert (stored.metadata, stored.status) == (message.metadata, "complete")
            assert (stored.input_tokens, stored.reasoning_tokens, stored.cost) == (0, None, Decimal("0.000000001"))
            assert [(c.rank, c.source, c.score) for c in stored.citations] == [
                (1, "a.txt", 0.1 + 0.2),
                (2, "b.txt", None),
            ]


async def test_a_stale_writer_is_told_the_head(chats: AsyncConversations) -> None:
    await chats.append("t", several(2), expected_head=0)
    await chats.append("t", said("third"), expected_head=2)
    for batch in (said("late"), several(2), several(5)):
        with pytest.raises(StaleHead) as raised:
            await chats.append("t", batch, expected_head=2)
        assert raised.value.head == 3
        assert isinstance(raised.value, Conflict)
    await check_chain(chats, "t", ["m0", "m1", "third"])


@pytest.mark.parametrize("size", [1, 2, 4])
async def test_a_stale_writer_makes_no_thread(chats: AsyncConversations, size: int) -> None:
    with pytest.raises(StaleHead) as raised:
        await chats.append("t", several(size), expected_head=1)
    assert raised.value.head == 0
    assert await chats.find("t") is None


async def test_a_unit_lives_on_after_a_refusal(async_store: AsyncStore) -> None:
    async with async_store.begin() as uow:
        chats = uow.conversations
        (first,) = await chats.append("t", said("one", client_id="1"))
        with pytest.raises(StaleHead):
            await chats.append("t", said("late"), expected_head=0)
        for batch in (said("other", client_id="1"), [said("new"), said("other", client_id="1")]):
            with pytest.raises(Conflict):
                await chats.append("t", batch)
        with pytest.raises(StaleHead):
            await chats.append("nowhere", several(3), expected_head=9)
        with pytest.raises(NotFound):
            await chats.give_feedback(new_id(), 1)
        await chats.start("t", user_id="ann")
        with pytest.raises(Conflict):
            await chats.record_exchange(thread_id="t", query="q", response="r", user_id="bob")
        assert await chats.append("t", said("one", client_id="1"), expected_head=5) == [first]
        await chats.append("t", said("two"), expected_head=1)
    await check_chain(async_store.conversations, "t", ["one", "two"])
    assert await async_store.conversations.find("nowhere") is None


async def test_a_client_id_is_stored_once(chats: AsyncConversations) -> None:
    keyed = [said(f"k{n}", client_id=f"{n}", metadata={"n": n}, sources=[NewCitation(source="s")]) for n in range(3)]
    (first,) = await chats.append("t", keyed[0])
    assert await chats.append("t", keyed[0]) == [first]
    assert await chats.append("t", [keyed[0], said("free"), keyed[1], keyed[0], keyed[1]]) == [
        first,
        *(await chats.history("t", limit=2)),
        first,
        (await chats.history("t", limit=1))[0],
    ]
    await chats.append("t", keyed, expected_head=3)
    await check_chain(chats, "t", ["k0", "free", "k1", "k2"])
    assert len(await chats.append("elsewhere", keyed)) == 3
    assert await chats.append("t", keyed, expected_head=0) == [
        message for message in await chats.history("t") if message.client_id is not None
    ]


@pytest.mark.parametrize(
    "change",
    [{"content": "x"}, {"role": "tool"}, {"metadata": {"a": 1}}, {"parts": []}, {"sources": [NewCitation(source="s")]}],
)
async def test_a_client_id_with_another_message_is_refused(chats: AsyncConversations, change: dict[str, Any]) -> None:
    first = said("one", client_id="1")
    other = first.model_copy(update=change)
    with pytest.raises(Conflict):
        await chats.append("t", [first, other])
    assert await chats.find("t") is None
    await chats.append("t", first)
    for batch in (other, [said("new"), other]):
        with pytest.raises(Conflict, match=next(iter(change)) if change.keys() != {"sources"} else "citations"):
            await chats.append("t", batch)
    await check_chain(chats, "t", ["one"])


async def test_a_batch_is_all_or_nothing(chats: AsyncConversations) -> None:
    batch = several(100)
    batch[57] = said(NUL)
    with pytest.raises(InvalidInput) as raised:
        await chats.append("t", batch)
    assert (raised.value.field, raised.value.index) == ("content", 57)
    assert await chats.find("t") is None


async def test_units_and_the_hosts_own_transaction(async_store: AsyncStore) -> None:
    with pytest.raises(InvalidInput):
        async with async_store.begin() as uow:
            await uow.conversations.append("t", several(3))
            await uow.conversations.append("t", said(NUL))
    assert await async_store.conversations.find("t") is None
    async with async_store.engine.connect() as connection:
        within = async_store.using(connection).conversations
        await within.record_exchange(thread_id="t", query="q", response="r")
        assert contents(await within.history("t")) == ["q", "r"]
        await connection.rollback()
        await async_store.using(connection).conversations.append("t", said("kept"))
        await connection.commit()
    await check_chain(async_store.conversations, "t", ["kept"])


@on_one_database
@given(
    plan=st.lists(
        st.tuples(st.sampled_from("ab"), st.lists(st.integers(0, 9), max_size=4), st.none() | st.integers(0, 6)),
        max_size=8,
    )
)
async def test_appends_do_what_a_list_does(
    async_store: AsyncStore, plan: list[tuple[str, list[int], int | None]]
) -> None:
    """Numbers below 5 are client ids, the others new messages; the model is a list of texts for each thread."""
    chats = async_store.for_tenant(new_id().hex).conversations
    model: dict[str, list[str]] = {"a": [], "b": []}
    for thread, numbers, expected in plan:
        batch = [said(f"{n}", client_id=f"{n}" if n < 5 else None) for n in numbers]
        texts = model[thread]
        fresh: list[str] = []
        for n in numbers:
            if n >= 5 or f"{n}" not in (*texts, *fresh):
                fresh.append(f"{n}")
        if fresh and expected not in (None, len(texts)):
            with pytest.raises(StaleHead) as raised:
                await chats.append(thread, batch, expected_head=expected)
            assert raised.value.head == len(texts)
            continue
        stored = await chats.append(thread, batch, expected_head=expected)
        assert contents(stored) == [f"{n}" for n in numbers]
        texts += fresh
    for thread, texts in model.items():
        if texts:
            await check_chain(chats, thread, texts)


# -------------------------------------------------------------------------------------------------- exchanges


async def test_an_exchange_is_two_messages(chats: AsyncConversations) -> None:
    exchange = await chats.record_exchange(
        thread_id="t",
        query="how?",
        response="so.",
        sources=[NewCitation(source="a", title="A", snippet="quoted", start_offset=0, end_offset=6)],
        response_time=0.8,
        feedback=-1,
        user_id="ann",
        organisation_id="uni",
        collection="docs",
        model="m",
        input_tokens=10,
        output_tokens=0,
        cost=Decimal("0.25"),
        metadata={"trace": "x"},
    )
    question, answer = await chats.history("t")
    assert (exchange.thread_id, exchange.question, exchange.answer) == ("t", question, answer)
    assert (question.role, question.content, question.response_time, question.metadata) == ("user", "how?", None, {})
    assert (answer.role, answer.content, answer.response_time, answer.parent_id) == (
        "assistant",
        "so.",
        0.8,
        question.id,
    )
    assert (answer.input_tokens, answer.output_tokens, answer.cached_tokens) == (10, 0, None)
    assert [(thumb.user_id, thumb.value) for thumb in answer.feedback] == [("ann", -1)]
    assert [(c.rank, c.title, c.snippet, c.chunk_id) for c in answer.citations] == [(1, "A", "quoted", None)]
    conversation = await chats.get("t")
    assert (conversation.user_id, conversation.organisation_id, conversation.collection) == ("ann", "uni", "docs")
    assert conversation.head == 2


async def test_an_exchange_with_a_client_id_is_stored_once(chats: AsyncConversations) -> None:
    async def record(response: str = "r") -> Any:
        sources = [NewCitation(source="s", score=0.3)]
        return await chats.record_exchange(
            thread_id="t", query="q", response=response, sources=sources, feedback=1, client_id="e", user_id="ann"
        )

    first = await record()
    assert await record() == first
    with pytest.raises(Conflict):
        await record("other")
    assert len(await chats.feedback_changes(first.answer.id)) == 1
    await check_chain(chats, "t", ["q", "r"])


async def test_an_exchange_has_its_thumbs_by_user(chats: AsyncConversations) -> None:
    """What is given is what would be read, whoever gave the last thumb."""
    asked = {"thread_id": "t", "query": "q", "response": "r", "client_id": "e"}
    answer = (await chats.record_exchange(**asked)).answer
    for user in ("cleo", "bob", None):
        await chats.give_feedback(answer.id, 1, user_id=user)
    exchange = await chats.record_exchange(**asked, feedback=-1, user_id="ann")
    assert [thumb.user_id for thumb in exchange.answer.feedback] == [None, "ann", "bob", "cleo"]
    assert exchange.answer == (await chats.history("t"))[1]


async def test_an_exchange_in_anothers_thread_is_refused(chats: AsyncConversations) -> None:
    await chats.start("t", user_id="ann", collection="docs")
    for other in ({"user_id": "bob"}, {"collection": "else"}, {"user_id": "bob", "client_id": "e"}):
        with pytest.raises(Conflict):
            await chats.record_exchange(thread_id="t", query="q", response="r", **other)
    assert (await chats.get("t")).head == 0
    await chats.record_exchange(thread_id="t", query="q", response="r", user_id="ann", organisation_id="uni")
    await chats.record_exchange(thread_id="t", query="q", response="r")
    conversation = await chats.get("t")
    assert (conversation.head, conversation.organisation_id) == (4, "uni")


async def test_citations_outlive_their_chunks(async_store: AsyncStore) -> None:
    await async_store.collections.ensure("docs")
    document = NewDocument(source="files.txt", title="Files")
    texts = ["open a file with open " + "x" * 3000, "close a file"]
    await async_store.documents.put("docs", document, texts)
    hits = await async_store.chunks.search("docs", text="file open close")
    assert len(hits) == 2
    chats = async_store.conversations
    exchange = await chats.record_exchange(thread_id="t", query="q", response="r", sources=hits)
    (_, answer) = await chats.history("t")
    assert answer == exchange.answer
    assert [cited.chunk_id for cited in answer.citations] == [hit.chunk_id for hit in hits]
    await async_store.documents.put("docs", document, texts[1:])  # one of the two is gone
    (_, changed) = await chats.history("t")
    kept = {cited.snippet: cited.chunk_id is not None for cited in changed.citations}
    assert kept == {texts[0][:2000]: False, texts[1]: True}
    await async_store.documents.delete("docs", "files.txt")
    (_, bare) = await chats.history("t")
    assert bare.citations == tuple(cited.model_copy(update={"chunk_id": None}) for cited in answer.citations)
    assert {(c.title, c.source, c.collection, c.document_id) for c in bare.citations} == {
        ("Files", "files.txt", "docs", hits[0].document_id)
    }
    assert [cited.score for cited in bare.citations] == [hit.score for hit in hits]


# --------------------------------------------------------------------------------------------------- feedback


async def test_feedback_is_one_thumb_a_user(chats: AsyncConversations) -> None:
    (message,) = await chats.append("t", said("one"))
    given = await chats.give_feedback(message.id, 1, user_id="ann", comment="good")
    assert (given.message_id, given.user_id, given.value, given.comment) == (message.id, "ann", 1, "good")
    await chats.give_feedback(str(message.id), -1)
    changed = await chats.give_feedback(message.id, -1, user_id="ann")
    assert (changed.value, changed.comment) == (-1, None)
    assert changed.updated_at >= given.updated_at
    thumbs = (await chats.get_message(message.id)).feedback
    assert [(thumb.user_id, thumb.value) for thumb in thumbs] == [(None, -1), ("ann", -1)]
    assert (await chats.history("t"))[0].feedback == thumbs
    assert await chats.delete_feedback(message.id, user_id="ann") is True
    assert await chats.delete_feedback(message.id, user_id="ann") is False
    changes = await chats.feedback_changes(message.id)
    assert [(c.user_id, c.value, c.comment) for c in changes] == [
        ("ann", 1, "good"),
        (None, -1, None),
        ("ann", -1, None),
        ("ann", None, None),
    ]
    assert [(thumb.user_id, thumb.value) for thumb in (await chats.history("t"))[0].feedback] == [(None, -1)]


@pytest.mark.parametrize("value", [0, 2, -2, True, 1.0, "1", None])
async def test_feedback_is_up_or_down(chats: AsyncConversations, value: Any) -> None:
    (message,) = await chats.append("t", said("one"))
    with pytest.raises(InvalidInput):
        await chats.give_feedback(message.id, value)
    assert await chats.feedback_changes(message.id) == []
    if value is not None:
        with pytest.raises(InvalidInput):
            await chats.record_exchange(thread_id="new", query="q", response="r", feedback=value)
        assert await chats.find("new") is None


# ---------------------------------------------------------------------------------------------------- reading


async def test_history_is_the_newest_in_reading_order(chats: AsyncConversations) -> None:
    await chats.append("t", several(12))
    assert contents(await chats.history("t")) == [f"m{n}" for n in range(2, 12)]
    assert contents(await chats.history("t", 3)) == ["m9", "m10", "m11"]
    assert await chats.history("t", limit=0) == []
    assert len(await chats.history("t", limit=1000)) == 12


@pytest.mark.parametrize("limit", [-1, 1001, 2**63, True, 1.0, "5", None])
async def test_limits_are_checked(chats: AsyncConversations, limit: Any) -> None:
    for call in (chats.history, chats.page):
        with pytest.raises(InvalidInput) as raised:
            await call("t", limit=limit)
        assert raised.value.field == "limit"
    with pytest.raises(InvalidInput):
        await chats.page_threads(limit=limit)


@pytest.mark.parametrize("backwards", [False, True])
async def test_pages_meet_every_message_once(chats: AsyncConversations, backwards: bool) -> None:
    await chats.append("t", several(7))
    await chats.append("other", several(7, "o"))
    walked: list[str] = []
    cursor = None
    for step in range(10):
        page = await chats.page("t", limit=3, cursor=cursor, backwards=backwards)
        walked += contents(page.items)
        await chats.append("t", said(f"new{step}")) if step < 2 else None
        cursor = page.next_cursor
        if cursor is None:
            break
    old = [f"m{n}" for n in range(7)]
    assert walked == (old[::-1] if backwards else [*old, "new0", "new1"])


@on_one_database
@given(count=st.integers(0, 9), limit=st.integers(1, 10), backwards=st.booleans())
async def test_pages_are_the_whole_in_slices(async_store: AsyncStore, count: int, limit: int, backwards: bool) -> None:
    chats = async_store.for_tenant(new_id().hex).conversations
    whole = contents(await chats.append("t", several(count)))[:: -1 if backwards else 1]
    cursor = None
    for start in range(0, max(count, 1), limit):
        page = await chats.page("t", limit=limit, cursor=cursor, backwards=backwards)
        assert contents(page.items) == whole[start : start + limit]
        cursor = page.next_cursor
    assert cursor is None


async def test_a_cursor_of_another_call_is_refused(chats: AsyncConversations) -> None:
    await chats.append("t", several(3))
    await chats.append("u", said("x"))
    forwards = (await chats.page("t", limit=1)).next_cursor
    backwards = (await chats.page("t", limit=1, backwards=True)).next_cursor
    threads = (await chats.page_threads(limit=1)).next_cursor
    assert forwards
    assert backwards
    assert threads
    for cursor in ("", "x", forwards[:-2], threads, backwards):
        with pytest.raises(InvalidInput):
            await chats.page("t", cursor=cursor)
    for cursor in ("", forwards, backwards, threads[1:]):
        with pytest.raises(InvalidInput):
            await chats.page_threads(cursor=cursor)
    with pytest.raises(InvalidInput):
        await chats.page("t", cursor=forwards, backwards=True)


async def test_threads_are_listed_by_activity_and_owner(chats: AsyncConversations) -> None:
    for number in range(6):
        await chats.start(
            f"t{number}", user_id="ann" if number % 2 else None, collection="docs" if number > 2 else None
        )
    await sleep(0.003)  # SQLite counts milliseconds
    await chats.append("t1", said("x"))

    async def walk(**scope: Any) -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            page = await chats.page_threads(limit=2, cursor=cursor, **scope)
            found += [conversation.thread_id for conversation in page]
            cursor = page.next_cursor
            if cursor is None:
                return found

    assert await walk() == ["t1", "t5", "t4", "t3", "t2", "t0"]
    assert await walk(user_id="ann") == ["t1", "t5", "t3"]
    assert await walk(user_id=None) == ["t4", "t2", "t0"]
    assert await walk(collection="docs") == ["t5", "t4", "t3"]
    assert await walk(user_id="ann", collection="docs") == ["t5", "t3"]
    assert await walk(user_id="nobody we know") == []


# ----------------------------------------------------------------------------------------------------- border

BAD_MESSAGES: list[tuple[dict[str, Any], str]] = [
    ({"content": NUL}, "content"),
    ({"content": LONE}, "content"),
    ({"content": "x" * 1_000_001}, "content"),
    ({"client_id": NUL}, "client_id"),
    ({"client_id": ""}, "client_id"),
    ({"client_id": "x" * 256}, "client_id"),
    ({"model": "m" * 256}, "model"),
    ({"metadata": {"k": NUL}}, "metadata.k"),
    ({"metadata": {NUL: 1}}, "metadata (key)"),
    ({"metadata": {"k": LONE}}, "metadata.k"),
    ({"metadata": {"k": math.nan}}, "metadata.k"),
    ({"metadata": {"k": math.inf}}, "metadata.k"),
    ({"metadata": {"k": 10**40}}, "metadata.k"),
    ({"metadata": [1]}, "metadata"),
    ({"parts": [{"k": NUL}]}, "parts[0].k"),
    ({"parts": {"k": 1}}, "parts"),
    ({"parts": "text"}, "parts"),
    ({"response_time": -0.1}, "response_time"),
    ({"response_time": math.nan}, "response_time"),
    ({"input_tokens": -1}, "input_tokens"),
    ({"output_tokens": 2**31}, "output_tokens"),
    ({"cost": Decimal(-1)}, "cost"),
    ({"cost": Decimal(10**10)}, "cost"),
    ({"sources": [NewCitation(source=NUL)]}, "sources[0].source"),
    ({"sources": [NewCitation(source="s"), NewCitation(source="s", score=math.inf)]}, "sources[1].score"),
    ({"sources": ["text"]}, "sources[0]"),
    ({"sources": "text"}, "sources"),
    ({"sources": None}, "sources"),
    ({"sources": (source for source in ())}, "sources"),
]


@pytest.mark.parametrize(("fields", "field"), BAD_MESSAGES, ids=lambda value: value if isinstance(value, str) else "")
async def test_what_cannot_be_stored_is_refused(chats: AsyncConversations, fields: dict[str, Any], field: str) -> None:
    bad = NewMessage(role="assistant", **fields)
    for batch, index in ((bad, None), ([said("good"), bad], 1)):
        with pytest.raises(InvalidInput) as raised:
            await chats.append("t", batch)
        assert (raised.value.field, raised.value.index) == (field, index)
    assert await chats.find("t") is None


async def test_nesting_is_bounded(chats: AsyncConversations) -> None:
    deep: Any = 1
    for _ in range(20_000):
        deep = [deep]
    with pytest.raises(InvalidInput):
        await chats.append("t", said("x", metadata={"k": deep}))
    with pytest.raises(InvalidInput):
        await chats.append("t", said("x", parts=["x" * 1_000_000]))


@pytest.mark.parametrize(
    "name", ["", " ", " t", "t\n", NUL, LONE, "t" * 256, "ä" * 128, "x" * 8192, 5, None, b"t"], ids=repr
)
async def test_names_are_checked(chats: AsyncConversations, name: Any) -> None:
    for call in (chats.start, chats.get, chats.find, chats.history, chats.page, chats.delete):
        with pytest.raises(InvalidInput) as raised:
            await call(name)
        assert raised.value.field == "thread_id"
    with pytest.raises(InvalidInput):
        await chats.append(name, said("x"))
    if name is not None:
        with pytest.raises(InvalidInput):
            await chats.start("t", user_id=name)
        with pytest.raises(InvalidInput):
            await chats.record_exchange(thread_id="t", query="q", response="r", user_id=name)
        with pytest.raises(InvalidInput):
            await chats.page_threads(user_id=name)
    assert await chats.find("t") is None


@pytest.mark.parametrize(
    "name", ["'; DROP TABLE rag_message; --", 'a"b', "SELECT", "ﬀ", "e\u0301", "é", "T", "t", "%_\\"]
)
async def test_odd_names_are_names(chats: AsyncConversations, name: str) -> None:
    await chats.start(name, user_id=name)
    await chats.append(name, said("x", client_id=name))
    await chats.start("another", user_id="another")
    assert [conversation.thread_id for conversation in await chats.page_threads(user_id=name)] == [name]
    assert [message.client_id for message in await chats.history(name)] == [name]


async def test_exchanges_name_the_hosts_own_fields(chats: AsyncConversations) -> None:
    for fields in (
        {"query": NUL},
        {"response": LONE},
        {"response_time": -1.0},
        {"response_time": math.inf},
        {"client_id": "x" * 241},
        {"collection": "x" * 64},
        {"organisation_id": ""},
        {"sources": None},
        {"query": 5},
    ):
        with pytest.raises(InvalidInput) as raised:
            await chats.record_exchange(**{"thread_id": "t", "query": "q", "response": "r", **fields})
        assert raised.value.index is None
        if fields != {"query": 5}:
            assert raised.value.field == next(iter(fields))
    assert await chats.find("t") is None


async def test_other_values_are_checked(chats: AsyncConversations) -> None:
    (message,) = await chats.append("t", said("x"))
    before = await chats.get("t")
    for fields in ({"title": NUL}, {"title": "x" * 2001}, {"metadata": None}, {"pinned": 1}, {"title": 5}):
        with pytest.raises(InvalidInput):
            await chats.update("t", **fields)
    for head in (-1, True, 1.0, "1", 2**63):
        with pytest.raises(InvalidInput):
            await chats.append("t", said("y"), expected_head=head)
    for wrong in ("text", 5, {"role": "user"}, ["text"]):
        with pytest.raises(InvalidInput):
            await chats.append("t", wrong)
    with pytest.raises(InvalidInput):
        await chats.give_feedback(message.id, 1, comment=LONE)
    with pytest.raises(InvalidInput):
        await chats.get_message("no id")
    assert await chats.get("t") == before


async def test_what_cannot_be_stored_is_replaced_if_asked(async_store: AsyncStore) -> None:
    lenient = AsyncStore.open(async_store.engine, Settings(invalid_text="replace")).conversations
    sources = [NewCitation(source=NUL, snippet=LONE)]
    message = NewMessage(role="assistant", content=LONE, metadata={NUL: LONE}, parts=[NUL], sources=sources)
    (stored,) = await lenient.append("t", message)
    assert (stored.content, stored.metadata, stored.parts) == ("a\ufffdb", {"a\ufffdb": "a\ufffdb"}, ("a\ufffdb",))
    assert (stored.citations[0].source, stored.citations[0].snippet) == ("a\ufffdb", "a\ufffdb")
    assert await lenient.get_message(stored.id) == stored
    with pytest.raises(InvalidInput):
        await lenient.append(NUL, message)


@on_one_database
@given(
    content=ragstore_st.any_texts(),
    metadata=ragstore_st.metadata(),
    parts=st.none() | st.lists(ragstore_st.metadata(), max_size=3),
)
async def test_texts_and_json_come_back(
    async_store: AsyncStore, content: str, metadata: dict[str, Any], parts: list[Any] | None
) -> None:
    assume(not has_big_float([metadata, parts]))
    chats = async_store.conversations
    for batch in (1, 3):
        new = NewMessage(role="tool", content=content, metadata=metadata, parts=parts)
        for stored in await chats.append(new_id().hex, [new] * batch):
            read = await chats.get_message(stored.id)
            assert read == stored
            assert (read.content, read.metadata, as_given(read.parts)) == (content, metadata, parts)


async def test_ids_are_in_time_order(chats: AsyncConversations) -> None:
    ids: list[UUID] = [message.id for message in await chats.append("t", several(5))]
    assert sorted(ids) == ids


async def test_a_repeated_exchange_is_still_its_owners(chats: AsyncConversations) -> None:
    """C-3: recorded again by somebody else it is refused, and their thumb is not stored."""
    asked = {"thread_id": "t", "query": "q", "response": "r", "client_id": "x"}
    await chats.record_exchange(**asked, user_id="ann", feedback=1)
    for thumb in (None, -1):
        with pytest.raises(Conflict, match="another user_id"):
            await chats.record_exchange(**asked, user_id="mallory", feedback=thumb)
    _, answer = await chats.history("t")
    assert [(one.user_id, one.value) for one in answer.feedback] == [("ann", 1)]


async def test_costs_do_not_depend_on_the_hosts_decimals(chats: AsyncConversations) -> None:
    """C-10: exact to nine places, also where the host counts with six digits."""
    with localcontext(Context(prec=6)):
        for cost in ("123.456789123", "1"):
            await chats.append("t", NewMessage(role="assistant", content="a", cost=Decimal(cost)))
        assert [message.cost for message in await chats.history("t")] == [Decimal("123.456789123"), Decimal(1)]
        [used] = await chats.usage()
        assert used.cost == Decimal("124.456789123")


async def test_what_is_read_passes_the_checks_of_what_is_made(chats: AsyncConversations) -> None:
    """Records are made of rows without being checked again, and are as if they had been, also pickled and as JSON."""
    told = {"parts": [TextPart(text="more")], "metadata": {"a": [1]}, "client_id": "own", "pinned": True}
    counted = {f"{kind}_tokens": 3 for kind in ("input", "output", "cached", "reasoning")}
    measured = {"response_time": 2.0, "model": "m", "resolved_model": "m-1", "cost": Decimal(2)}
    full = said("full", **told, **counted, **measured)
    await chats.append("t", [full, said("bare"), said("open", status="streaming")])
    source = NewCitation(source="book", snippet="said so", score=0.5)
    await chats.record_exchange(thread_id="t", query="question", response="answer", sources=[source], feedback=1)
    messages = await chats.history("t")
    assert len(messages) == 5
    for message in messages:
        assert set(message.__dict__) == message.model_fields_set == set(Message.model_fields)
        assert Message.model_validate(dict(message), strict=True) == message
        assert pickle.loads(pickle.dumps(message)) == message
        assert message.model_copy() == message
        assert message.model_dump(mode="json") == Message(**dict(message)).model_dump(mode="json")
        with pytest.raises(ValidationError, match="frozen"):
            message.content = "other"


@pytest.mark.parametrize("cost", ["0.002935920", "-0", "1E+2", "0.0000000004"])
async def test_a_cost_is_given_as_it_is_read(chats: AsyncConversations, cost: str) -> None:
    """C-10: to the letter, not only in value."""
    [given_back] = await chats.append("t", said("a", cost=Decimal(cost)))
    [read] = await chats.history("t")
    assert str(given_back.cost) == str(read.cost)


async def test_a_changed_message_is_given_as_it_is_read(chats: AsyncConversations) -> None:
    """A response time is a float also where SQLite gives a whole number."""
    [message] = await chats.append("t", said("a", response_time=2.0))
    changed = await chats.update_message(message.id, pinned=True)
    assert type(changed.response_time) is float
