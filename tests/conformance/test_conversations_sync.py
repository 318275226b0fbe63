# Generated from test_conversations_async.py by tools/unasync.py: edit that file and run the tool again.
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
from ragstore.conversations._sync import Conversations
from ragstore.conversations.parts import Part, TextPart, to_json
from ragstore.conversations.records import Message, NewCitation, NewMessage
from ragstore.core._face_sync import sleep
from ragstore.core.ids import new_id
from ragstore.corpus.records import NewDocument
from ragstore.errors import Conflict, InvalidInput, NotFound, StaleHead
from ragstore.store._sync import Store
from ragstore.testing import strategies as ragstore_st

on_one_database = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
NUL, LONE = "a\0b", "a\ud800b"


@pytest.fixture
def chats(store: Store) -> Conversations:
    return store.conversations


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


def check_chain(chats: Conversations, thread: str, expected: list[str]) -> None:
    """See that a thread holds these texts, numbered without a gap, each the child of the one before it."""
    messages = chats.history(thread, limit=1000)
    assert contents(messages) == expected
    assert [message.seq for message in messages] == list(range(1, len(expected) + 1))
    assert [message.parent_id for message in messages] == [None, *(message.id for message in messages)][:-1]
    conversation = chats.get(thread)
    assert (conversation.head, conversation.leaf_id) == (len(expected), messages[-1].id)


# ---------------------------------------------------------------------------------------------- conversations


def test_start_makes_a_conversation_once(chats: Conversations) -> None:
    made = chats.start("t", user_id="ann", collection="docs", title="Files", metadata={"a": [1, None]})
    assert (made.thread_id, made.user_id, made.organisation_id, made.collection) == ("t", "ann", None, "docs")
    assert (made.title, made.metadata, made.pinned, made.head, made.leaf_id) == (
        "Files",
        {"a": [1, None]},
        False,
        0,
        None,
    )
    assert made.created_at.tzinfo is UTC
    assert chats.start("t", title="another", metadata={}) == made
    assert chats.get("t") == chats.find("t") == made


def test_start_names_the_owner_of_a_thread_that_has_none(chats: Conversations) -> None:
    chats.append("t", said("hello"))
    claimed = chats.start("t", user_id="ann", organisation_id="uni")
    assert (claimed.user_id, claimed.organisation_id, claimed.head) == ("ann", "uni", 1)
    for other in ({"user_id": "bob"}, {"organisation_id": "school"}):
        with pytest.raises(Conflict, match=next(iter(other))):
            chats.start("t", **other)
    assert chats.start("t", user_id="ann", collection="docs").collection == "docs"
    assert chats.get("t").user_id == "ann"


def test_what_is_not_there(chats: Conversations) -> None:
    assert chats.find("t") is None
    assert chats.history("t") == []
    assert chats.page("t").items == chats.page("t", backwards=True).items == ()
    assert chats.delete("t") is False
    assert chats.delete_feedback(new_id()) is False
    assert chats.feedback_changes(new_id()) == []
    with pytest.raises(NotFound):
        chats.get("t")
    with pytest.raises(NotFound):
        chats.update("t", title="x")
    with pytest.raises(NotFound):
        chats.update("t")
    with pytest.raises(NotFound):
        chats.get_message(new_id())
    with pytest.raises(NotFound):
        chats.give_feedback(new_id(), 1)


def test_update_leaves_what_is_not_given(chats: Conversations) -> None:
    made = chats.start("t", title="Files", metadata={"a": 1})
    assert chats.update("t") == made
    pinned = chats.update("t", pinned=True)
    assert pinned == made.model_copy(update={"pinned": True})
    assert chats.update("t", title=None).title is None
    last = chats.update("t", metadata={"b": "2"}, title="New")
    assert (last.title, last.metadata, last.pinned, last.last_activity) == ("New", {"b": "2"}, True, made.last_activity)
    assert chats.get("t") == last


def test_delete_takes_everything_along(chats: Conversations) -> None:
    exchange = chats.record_exchange(
        thread_id="t", query="q", response="r", sources=[NewCitation(source="s")], feedback=1
    )
    chats.append("other", said("stays"))
    assert chats.delete("t") is True
    assert chats.delete("t") is False
    assert chats.find("t") is None
    assert chats.history("t") == []
    assert chats.feedback_changes(exchange.answer.id) == []
    with pytest.raises(NotFound):
        chats.get_message(exchange.answer.id)
    assert contents(chats.history("other")) == ["stays"]
    assert [message.seq for message in chats.append("t", said("anew"))] == [1]


def test_tenants_do_not_meet(store: Store) -> None:
    ours, theirs = store.conversations, store.for_tenant("theirs").conversations
    exchange = ours.record_exchange(thread_id="t", query="q", response="r", user_id="ann", feedback=1)
    assert theirs.history("t") == []
    assert theirs.find("t") is None
    assert len(theirs.page_threads()) == 0
    assert theirs.feedback_changes(exchange.answer.id) == []
    with pytest.raises(NotFound):
        theirs.get_message(exchange.answer.id)
    with pytest.raises(NotFound):
        theirs.give_feedback(exchange.answer.id, -1)
    assert theirs.delete("t") is False
    assert theirs.delete_feedback(exchange.answer.id, user_id="ann") is False
    assert [message.seq for message in theirs.append("t", said("mine"))] == [1]
    assert contents(ours.history("t")) == ["q", "r"]


# -------------------------------------------------------------------------------------------------- appending


def test_the_first_append_makes_the_thread(chats: Conversations) -> None:
    (first,) = chats.append("t", said("one"))
    conversation = chats.get("t")
    assert (conversation.head, conversation.leaf_id, conversation.user_id) == (1, first.id, None)
    assert conversation.last_activity >= first.created_at
    (second,) = chats.append("t", [said("two")])
    assert (second.seq, second.parent_id) == (2, first.id)
    assert chats.get("t").last_activity >= conversation.last_activity
    check_chain(chats, "t", ["one", "two"])


def test_batches_are_contiguous(chats: Conversations) -> None:
    appended: list[Message] = []
    for size in (3, 1, 2, 12, 2, 0, 1):
        appended += chats.append("t", several(size))
    assert [message.seq for message in appended] == list(range(1, 22))
    assert chats.history("t", limit=100) == appended
    check_chain(chats, "t", contents(appended))


def test_an_empty_batch_changes_nothing(chats: Conversations) -> None:
    assert chats.append("t", []) == []
    assert chats.find("t") is None


def as_given(parts: Sequence[Part] | None) -> list[object] | None:
    return None if parts is None else [to_json(part) for part in parts]


def test_every_field_comes_back(chats: Conversations) -> None:
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
        for stored in chats.append("t", batch):
            assert chats.get_message(stored.id) == stored
            assert as_given(stored.parts) == message.parts
            assert (stored.metadata, stored.status) == (message.metadata, "complete")
            assert (stored.input_tokens, stored.reasoning_tokens, stored.cost) == (0, None, Decimal("0.000000001"))
            assert [(c.rank, c.source, c.score) for c in stored.citations] == [
                (1, "a.txt", 0.1 + 0.2),
                (2, "b.txt", None),
            ]


def test_a_stale_writer_is_told_the_head(chats: Conversations) -> None:
    chats.append("t", several(2), expected_head=0)
    chats.append("t", said("third"), expected_head=2)
    for batch in (said("late"), several(2), several(5)):
        with pytest.raises(StaleHead) as raised:
            chats.append("t", batch, expected_head=2)
        assert raised.value.head == 3
        assert isinstance(raised.value, Conflict)
    check_chain(chats, "t", ["m0", "m1", "third"])


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_stale_writer_makes_no_thread(chats: Conversations, size: int) -> None:
    with pytest.raises(StaleHead) as raised:
        chats.append("t", several(size), expected_head=1)
    assert raised.value.head == 0
    assert chats.find("t") is None


def test_a_unit_lives_on_after_a_refusal(store: Store) -> None:
    with store.begin() as uow:
        chats = uow.conversations
        (first,) = chats.append("t", said("one", client_id="1"))
        with pytest.raises(StaleHead):
            chats.append("t", said("late"), expected_head=0)
        for batch in (said("other", client_id="1"), [said("new"), said("other", client_id="1")]):
            with pytest.raises(Conflict):
                chats.append("t", batch)
        with pytest.raises(StaleHead):
            chats.append("nowhere", several(3), expected_head=9)
        with pytest.raises(NotFound):
            chats.give_feedback(new_id(), 1)
        chats.start("t", user_id="ann")
        with pytest.raises(Conflict):
            chats.record_exchange(thread_id="t", query="q", response="r", user_id="bob")
        assert chats.append("t", said("one", client_id="1"), expected_head=5) == [first]
        chats.append("t", said("two"), expected_head=1)
    check_chain(store.conversations, "t", ["one", "two"])
    assert store.conversations.find("nowhere") is None


def test_a_client_id_is_stored_once(chats: Conversations) -> None:
    keyed = [said(f"k{n}", client_id=f"{n}", metadata={"n": n}, sources=[NewCitation(source="s")]) for n in range(3)]
    (first,) = chats.append("t", keyed[0])
    assert chats.append("t", keyed[0]) == [first]
    assert chats.append("t", [keyed[0], said("free"), keyed[1], keyed[0], keyed[1]]) == [
        first,
        *(chats.history("t", limit=2)),
        first,
        (chats.history("t", limit=1))[0],
    ]
    chats.append("t", keyed, expected_head=3)
    check_chain(chats, "t", ["k0", "free", "k1", "k2"])
    assert len(chats.append("elsewhere", keyed)) == 3
    assert chats.append("t", keyed, expected_head=0) == [
        message for message in chats.history("t") if message.client_id is not None
    ]


@pytest.mark.parametrize(
    "change",
    [{"content": "x"}, {"role": "tool"}, {"metadata": {"a": 1}}, {"parts": []}, {"sources": [NewCitation(source="s")]}],
)
def test_a_client_id_with_another_message_is_refused(chats: Conversations, change: dict[str, Any]) -> None:
    first = said("one", client_id="1")
    other = first.model_copy(update=change)
    with pytest.raises(Conflict):
        chats.append("t", [first, other])
    assert chats.find("t") is None
    chats.append("t", first)
    for batch in (other, [said("new"), other]):
        with pytest.raises(Conflict, match=next(iter(change)) if change.keys() != {"sources"} else "citations"):
            chats.append("t", batch)
    check_chain(chats, "t", ["one"])


def test_a_batch_is_all_or_nothing(chats: Conversations) -> None:
    batch = several(100)
    batch[57] = said(NUL)
    with pytest.raises(InvalidInput) as raised:
        chats.append("t", batch)
    assert (raised.value.field, raised.value.index) == ("content", 57)
    assert chats.find("t") is None


def test_units_and_the_hosts_own_transaction(store: Store) -> None:
    with pytest.raises(InvalidInput):
        with store.begin() as uow:
            uow.conversations.append("t", several(3))
            uow.conversations.append("t", said(NUL))
    assert store.conversations.find("t") is None
    with store.engine.connect() as connection:
        within = store.using(connection).conversations
        within.record_exchange(thread_id="t", query="q", response="r")
        assert contents(within.history("t")) == ["q", "r"]
        connection.rollback()
        store.using(connection).conversations.append("t", said("kept"))
        connection.commit()
    check_chain(store.conversations, "t", ["kept"])


@on_one_database
@given(
    plan=st.lists(
        st.tuples(st.sampled_from("ab"), st.lists(st.integers(0, 9), max_size=4), st.none() | st.integers(0, 6)),
        max_size=8,
    )
)
def test_appends_do_what_a_list_does(store: Store, plan: list[tuple[str, list[int], int | None]]) -> None:
    """Numbers below 5 are client ids, the others new messages; the model is a list of texts for each thread."""
    chats = store.for_tenant(new_id().hex).conversations
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
                chats.append(thread, batch, expected_head=expected)
            assert raised.value.head == len(texts)
            continue
        stored = chats.append(thread, batch, expected_head=expected)
        assert contents(stored) == [f"{n}" for n in numbers]
        texts += fresh
    for thread, texts in model.items():
        if texts:
            check_chain(chats, thread, texts)


# -------------------------------------------------------------------------------------------------- exchanges


def test_an_exchange_is_two_messages(chats: Conversations) -> None:
    exchange = chats.record_exchange(
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
    question, answer = chats.history("t")
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
    conversation = chats.get("t")
    assert (conversation.user_id, conversation.organisation_id, conversation.collection) == ("ann", "uni", "docs")
    assert conversation.head == 2


def test_an_exchange_with_a_client_id_is_stored_once(chats: Conversations) -> None:
    def record(response: str = "r") -> Any:
        sources = [NewCitation(source="s", score=0.3)]
        return chats.record_exchange(
            thread_id="t", query="q", response=response, sources=sources, feedback=1, client_id="e", user_id="ann"
        )

    first = record()
    assert record() == first
    with pytest.raises(Conflict):
        record("other")
    assert len(chats.feedback_changes(first.answer.id)) == 1
    check_chain(chats, "t", ["q", "r"])


def test_an_exchange_has_its_thumbs_by_user(chats: Conversations) -> None:
    """What is given is what would be read, whoever gave the last thumb."""
    asked = {"thread_id": "t", "query": "q", "response": "r", "client_id": "e"}
    answer = chats.record_exchange(**asked).answer
    for user in ("cleo", "bob", None):
        chats.give_feedback(answer.id, 1, user_id=user)
    exchange = chats.record_exchange(**asked, feedback=-1, user_id="ann")
    assert [thumb.user_id for thumb in exchange.answer.feedback] == [None, "ann", "bob", "cleo"]
    assert exchange.answer == (chats.history("t"))[1]


def test_an_exchange_in_anothers_thread_is_refused(chats: Conversations) -> None:
    chats.start("t", user_id="ann", collection="docs")
    for other in ({"user_id": "bob"}, {"collection": "else"}, {"user_id": "bob", "client_id": "e"}):
        with pytest.raises(Conflict):
            chats.record_exchange(thread_id="t", query="q", response="r", **other)
    assert chats.get("t").head == 0
    chats.record_exchange(thread_id="t", query="q", response="r", user_id="ann", organisation_id="uni")
    chats.record_exchange(thread_id="t", query="q", response="r")
    conversation = chats.get("t")
    assert (conversation.head, conversation.organisation_id) == (4, "uni")


def test_citations_outlive_their_chunks(store: Store) -> None:
    store.collections.ensure("docs")
    document = NewDocument(source="files.txt", title="Files")
    texts = ["open a file with open " + "x" * 3000, "close a file"]
    store.documents.put("docs", document, texts)
    hits = store.chunks.search("docs", text="file open close")
    assert len(hits) == 2
    chats = store.conversations
    exchange = chats.record_exchange(thread_id="t", query="q", response="r", sources=hits)
    (_, answer) = chats.history("t")
    assert answer == exchange.answer
    assert [cited.chunk_id for cited in answer.citations] == [hit.chunk_id for hit in hits]
    store.documents.put("docs", document, texts[1:])  # one of the two is gone
    (_, changed) = chats.history("t")
    kept = {cited.snippet: cited.chunk_id is not None for cited in changed.citations}
    assert kept == {texts[0][:2000]: False, texts[1]: True}
    store.documents.delete("docs", "files.txt")
    (_, bare) = chats.history("t")
    assert bare.citations == tuple(cited.model_copy(update={"chunk_id": None}) for cited in answer.citations)
    assert {(c.title, c.source, c.collection, c.document_id) for c in bare.citations} == {
        ("Files", "files.txt", "docs", hits[0].document_id)
    }
    assert [cited.score for cited in bare.citations] == [hit.score for hit in hits]


# --------------------------------------------------------------------------------------------------- feedback


def test_feedback_is_one_thumb_a_user(chats: Conversations) -> None:
    (message,) = chats.append("t", said("one"))
    given = chats.give_feedback(message.id, 1, user_id="ann", comment="good")
    assert (given.message_id, given.user_id, given.value, given.comment) == (message.id, "ann", 1, "good")
    chats.give_feedback(str(message.id), -1)
    changed = chats.give_feedback(message.id, -1, user_id="ann")
    assert (changed.value, changed.comment) == (-1, None)
    assert changed.updated_at >= given.updated_at
    thumbs = chats.get_message(message.id).feedback
    assert [(thumb.user_id, thumb.value) for thumb in thumbs] == [(None, -1), ("ann", -1)]
    assert (chats.history("t"))[0].feedback == thumbs
    assert chats.delete_feedback(message.id, user_id="ann") is True
    assert chats.delete_feedback(message.id, user_id="ann") is False
    changes = chats.feedback_changes(message.id)
    assert [(c.user_id, c.value, c.comment) for c in changes] == [
        ("ann", 1, "good"),
        (None, -1, None),
        ("ann", -1, None),
        ("ann", None, None),
    ]
    assert [(thumb.user_id, thumb.value) for thumb in (chats.history("t"))[0].feedback] == [(None, -1)]


@pytest.mark.parametrize("value", [0, 2, -2, True, 1.0, "1", None])
def test_feedback_is_up_or_down(chats: Conversations, value: Any) -> None:
    (message,) = chats.append("t", said("one"))
    with pytest.raises(InvalidInput):
        chats.give_feedback(message.id, value)
    assert chats.feedback_changes(message.id) == []
    if value is not None:
        with pytest.raises(InvalidInput):
            chats.record_exchange(thread_id="new", query="q", response="r", feedback=value)
        assert chats.find("new") is None


# ---------------------------------------------------------------------------------------------------- reading


def test_history_is_the_newest_in_reading_order(chats: Conversations) -> None:
    chats.append("t", several(12))
    assert contents(chats.history("t")) == [f"m{n}" for n in range(2, 12)]
    assert contents(chats.history("t", 3)) == ["m9", "m10", "m11"]
    assert chats.history("t", limit=0) == []
    assert len(chats.history("t", limit=1000)) == 12


@pytest.mark.parametrize("limit", [-1, 1001, 2**63, True, 1.0, "5", None])
def test_limits_are_checked(chats: Conversations, limit: Any) -> None:
    for call in (chats.history, chats.page):
        with pytest.raises(InvalidInput) as raised:
            call("t", limit=limit)
        assert raised.value.field == "limit"
    with pytest.raises(InvalidInput):
        chats.page_threads(limit=limit)


@pytest.mark.parametrize("backwards", [False, True])
def test_pages_meet_every_message_once(chats: Conversations, backwards: bool) -> None:
    chats.append("t", several(7))
    chats.append("other", several(7, "o"))
    walked: list[str] = []
    cursor = None
    for step in range(10):
        page = chats.page("t", limit=3, cursor=cursor, backwards=backwards)
        walked += contents(page.items)
        chats.append("t", said(f"new{step}")) if step < 2 else None
        cursor = page.next_cursor
        if cursor is None:
            break
    old = [f"m{n}" for n in range(7)]
    assert walked == (old[::-1] if backwards else [*old, "new0", "new1"])


@on_one_database
@given(count=st.integers(0, 9), limit=st.integers(1, 10), backwards=st.booleans())
def test_pages_are_the_whole_in_slices(store: Store, count: int, limit: int, backwards: bool) -> None:
    chats = store.for_tenant(new_id().hex).conversations
    whole = contents(chats.append("t", several(count)))[:: -1 if backwards else 1]
    cursor = None
    for start in range(0, max(count, 1), limit):
        page = chats.page("t", limit=limit, cursor=cursor, backwards=backwards)
        assert contents(page.items) == whole[start : start + limit]
        cursor = page.next_cursor
    assert cursor is None


def test_a_cursor_of_another_call_is_refused(chats: Conversations) -> None:
    chats.append("t", several(3))
    chats.append("u", said("x"))
    forwards = chats.page("t", limit=1).next_cursor
    backwards = chats.page("t", limit=1, backwards=True).next_cursor
    threads = chats.page_threads(limit=1).next_cursor
    assert forwards
    assert backwards
    assert threads
    for cursor in ("", "x", forwards[:-2], threads, backwards):
        with pytest.raises(InvalidInput):
            chats.page("t", cursor=cursor)
    for cursor in ("", forwards, backwards, threads[1:]):
        with pytest.raises(InvalidInput):
            chats.page_threads(cursor=cursor)
    with pytest.raises(InvalidInput):
        chats.page("t", cursor=forwards, backwards=True)


def test_threads_are_listed_by_activity_and_owner(chats: Conversations) -> None:
    for number in range(6):
        chats.start(f"t{number}", user_id="ann" if number % 2 else None, collection="docs" if number > 2 else None)
    sleep(0.003)  # SQLite counts milliseconds
    chats.append("t1", said("x"))

    def walk(**scope: Any) -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            page = chats.page_threads(limit=2, cursor=cursor, **scope)
            found += [conversation.thread_id for conversation in page]
            cursor = page.next_cursor
            if cursor is None:
                return found

    assert walk() == ["t1", "t5", "t4", "t3", "t2", "t0"]
    assert walk(user_id="ann") == ["t1", "t5", "t3"]
    assert walk(user_id=None) == ["t4", "t2", "t0"]
    assert walk(collection="docs") == ["t5", "t4", "t3"]
    assert walk(user_id="ann", collection="docs") == ["t5", "t3"]
    assert walk(user_id="nobody we know") == []


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
def test_what_cannot_be_stored_is_refused(chats: Conversations, fields: dict[str, Any], field: str) -> None:
    bad = NewMessage(role="assistant", **fields)
    for batch, index in ((bad, None), ([said("good"), bad], 1)):
        with pytest.raises(InvalidInput) as raised:
            chats.append("t", batch)
        assert (raised.value.field, raised.value.index) == (field, index)
    assert chats.find("t") is None


def test_nesting_is_bounded(chats: Conversations) -> None:
    deep: Any = 1
    for _ in range(20_000):
        deep = [deep]
    with pytest.raises(InvalidInput):
        chats.append("t", said("x", metadata={"k": deep}))
    with pytest.raises(InvalidInput):
        chats.append("t", said("x", parts=["x" * 1_000_000]))


@pytest.mark.parametrize(
    "name", ["", " ", " t", "t\n", NUL, LONE, "t" * 256, "ä" * 128, "x" * 8192, 5, None, b"t"], ids=repr
)
def test_names_are_checked(chats: Conversations, name: Any) -> None:
    for call in (chats.start, chats.get, chats.find, chats.history, chats.page, chats.delete):
        with pytest.raises(InvalidInput) as raised:
            call(name)
        assert raised.value.field == "thread_id"
    with pytest.raises(InvalidInput):
        chats.append(name, said("x"))
    if name is not None:
        with pytest.raises(InvalidInput):
            chats.start("t", user_id=name)
        with pytest.raises(InvalidInput):
            chats.record_exchange(thread_id="t", query="q", response="r", user_id=name)
        with pytest.raises(InvalidInput):
            chats.page_threads(user_id=name)
    assert chats.find("t") is None


@pytest.mark.parametrize(
    "name", ["'; DROP TABLE rag_message; --", 'a"b', "SELECT", "ﬀ", "e\u0301", "é", "T", "t", "%_\\"]
)
def test_odd_names_are_names(chats: Conversations, name: str) -> None:
    chats.start(name, user_id=name)
    chats.append(name, said("x", client_id=name))
    chats.start("another", user_id="another")
    assert [conversation.thread_id for conversation in chats.page_threads(user_id=name)] == [name]
    assert [message.client_id for message in chats.history(name)] == [name]


def test_exchanges_name_the_hosts_own_fields(chats: Conversations) -> None:
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
            chats.record_exchange(**{"thread_id": "t", "query": "q", "response": "r", **fields})
        assert raised.value.index is None
        if fields != {"query": 5}:
            assert raised.value.field == next(iter(fields))
    assert chats.find("t") is None


def test_other_values_are_checked(chats: Conversations) -> None:
    (message,) = chats.append("t", said("x"))
    before = chats.get("t")
    for fields in ({"title": NUL}, {"title": "x" * 2001}, {"metadata": None}, {"pinned": 1}, {"title": 5}):
        with pytest.raises(InvalidInput):
            chats.update("t", **fields)
    for head in (-1, True, 1.0, "1", 2**63):
        with pytest.raises(InvalidInput):
            chats.append("t", said("y"), expected_head=head)
    for wrong in ("text", 5, {"role": "user"}, ["text"]):
        with pytest.raises(InvalidInput):
            chats.append("t", wrong)
    with pytest.raises(InvalidInput):
        chats.give_feedback(message.id, 1, comment=LONE)
    with pytest.raises(InvalidInput):
        chats.get_message("no id")
    assert chats.get("t") == before


def test_what_cannot_be_stored_is_replaced_if_asked(store: Store) -> None:
    lenient = Store.open(store.engine, Settings(invalid_text="replace")).conversations
    sources = [NewCitation(source=NUL, snippet=LONE)]
    message = NewMessage(role="assistant", content=LONE, metadata={NUL: LONE}, parts=[NUL], sources=sources)
    (stored,) = lenient.append("t", message)
    assert (stored.content, stored.metadata, stored.parts) == ("a\ufffdb", {"a\ufffdb": "a\ufffdb"}, ("a\ufffdb",))
    assert (stored.citations[0].source, stored.citations[0].snippet) == ("a\ufffdb", "a\ufffdb")
    assert lenient.get_message(stored.id) == stored
    with pytest.raises(InvalidInput):
        lenient.append(NUL, message)


@on_one_database
@given(
    content=ragstore_st.any_texts(),
    metadata=ragstore_st.metadata(),
    parts=st.none() | st.lists(ragstore_st.metadata(), max_size=3),
)
def test_texts_and_json_come_back(
    store: Store, content: str, metadata: dict[str, Any], parts: list[Any] | None
) -> None:
    assume(not has_big_float([metadata, parts]))
    chats = store.conversations
    for batch in (1, 3):
        new = NewMessage(role="tool", content=content, metadata=metadata, parts=parts)
        for stored in chats.append(new_id().hex, [new] * batch):
            read = chats.get_message(stored.id)
            assert read == stored
            assert (read.content, read.metadata, as_given(read.parts)) == (content, metadata, parts)


def test_ids_are_in_time_order(chats: Conversations) -> None:
    ids: list[UUID] = [message.id for message in chats.append("t", several(5))]
    assert sorted(ids) == ids


def test_a_repeated_exchange_is_still_its_owners(chats: Conversations) -> None:
    """C-3: recorded again by somebody else it is refused, and their thumb is not stored."""
    asked = {"thread_id": "t", "query": "q", "response": "r", "client_id": "x"}
    chats.record_exchange(**asked, user_id="ann", feedback=1)
    for thumb in (None, -1):
        with pytest.raises(Conflict, match="another user_id"):
            chats.record_exchange(**asked, user_id="mallory", feedback=thumb)
    _, answer = chats.history("t")
    assert [(one.user_id, one.value) for one in answer.feedback] == [("ann", 1)]


def test_costs_do_not_depend_on_the_hosts_decimals(chats: Conversations) -> None:
    """C-10: exact to nine places, also where the host counts with six digits."""
    with localcontext(Context(prec=6)):
        for cost in ("123.456789123", "1"):
            chats.append("t", NewMessage(role="assistant", content="a", cost=Decimal(cost)))
        assert [message.cost for message in chats.history("t")] == [Decimal("123.456789123"), Decimal(1)]
        [used] = chats.usage()
        assert used.cost == Decimal("124.456789123")


def test_what_is_read_passes_the_checks_of_what_is_made(chats: Conversations) -> None:
    """Records are made of rows without being checked again, and are as if they had been, also pickled and as JSON."""
    told = {"parts": [TextPart(text="more")], "metadata": {"a": [1]}, "client_id": "own", "pinned": True}
    counted = {f"{kind}_tokens": 3 for kind in ("input", "output", "cached", "reasoning")}
    measured = {"response_time": 2.0, "model": "m", "resolved_model": "m-1", "cost": Decimal(2)}
    full = said("full", **told, **counted, **measured)
    chats.append("t", [full, said("bare"), said("open", status="streaming")])
    source = NewCitation(source="book", snippet="said so", score=0.5)
    chats.record_exchange(thread_id="t", query="question", response="answer", sources=[source], feedback=1)
    messages = chats.history("t")
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
def test_a_cost_is_given_as_it_is_read(chats: Conversations, cost: str) -> None:
    """C-10: to the letter, not only in value."""
    [given_back] = chats.append("t", said("a", cost=Decimal(cost)))
    [read] = chats.history("t")
    assert str(given_back.cost) == str(read.cost)


def test_a_changed_message_is_given_as_it_is_read(chats: Conversations) -> None:
    """A response time is a float also where SQLite gives a whole number."""
    [message] = chats.append("t", said("a", response_time=2.0))
    changed = chats.update_message(message.id, pinned=True)
    assert type(changed.response_time) is float
