# Generated from test_conversation_sums_async.py by tools/unasync.py: edit that file and run the tool again.
"""Sums of usage, thumbs and citations, on both databases and both faces."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragstore.conversations._sync import Conversations
from ragstore.conversations.records import NewCitation, NewMessage
from ragstore.conversations.summing.records import CitedSum, FeedbackSum, UsageSum
from ragstore.core.ids import new_id
from ragstore.core.times import to_microseconds
from ragstore.corpus.records import NewChunk, NewDocument
from ragstore.errors import InvalidInput
from ragstore.store._sync import Store
from tests.conformance.support import Database, noted, watching

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HUGE = 9 * 10**9
few_examples = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def chats(store: Store) -> Conversations:
    return store.conversations


def answer(**fields: Any) -> NewMessage:
    return NewMessage(role="assistant", content="a", **fields)


def store_messages(chats: Conversations, thread: str, *messages: NewMessage, **owner: Any) -> list[UUID]:
    chats.start(thread, **owner)
    return [message.id for message in chats.append(thread, messages)]


def date_back(db: Database, table: str, column: str, row: UUID, time: datetime) -> None:
    """Give a row another time, as if it had been stored then."""
    key = "message_id" if table == "rag_feedback" else "id"
    value: Any = time if db.kind == "postgresql" else to_microseconds(time)
    identity: Any = row if db.kind == "postgresql" else row.hex
    db.execute(f"UPDATE {table} SET {column} = :value WHERE {key} = :id", value=value, id=identity)


def used(messages: int, **fields: Any) -> UsageSum:
    """Give a sum of which nothing is known but this."""
    nothing: dict[str, Any] = dict.fromkeys(
        (
            "input_tokens",
            "output_tokens",
            "cached_tokens",
            "reasoning_tokens",
            "cost",
            "response_time",
            "mean_response_time",
        )
    )
    return UsageSum(messages=messages, **(nothing | fields))


# ----------------------------------------------------------------------------------------------------- usage


def test_usage_by_user(chats: Conversations) -> None:
    """C-10: nullable is not 0: what no message of a group knows is None, and what one knows counts."""
    store_messages(chats, "a", answer(input_tokens=0), answer(output_tokens=7, cost=Decimal("0.1")), user_id="ann")
    store_messages(chats, "b", answer(model="m"), NewMessage(role="user", content="q"), user_id="bob")
    store_messages(chats, "b2", answer(response_time=0.5), answer(response_time=0.25), user_id="bob")
    store_messages(chats, "n", answer(input_tokens=5, cached_tokens=2, reasoning_tokens=0, cost=Decimal("0.2")))
    assert chats.usage() == [
        used(1, input_tokens=5, cached_tokens=2, reasoning_tokens=0, cost=Decimal("0.2")),
        used(2, user_id="ann", input_tokens=0, output_tokens=7, cost=Decimal("0.1")),
        used(3, user_id="bob", response_time=0.75, mean_response_time=0.375),
    ]


def test_usage_by_each_key_and_by_several(chats: Conversations, db: Database) -> None:
    first, second = store_messages(
        chats,
        "t",
        answer(model="big", resolved_model="big-1", input_tokens=1),
        answer(model="big", resolved_model="big-2", input_tokens=2),
        user_id="ann",
        organisation_id="uni",
        collection="docs",
    )
    (third,) = store_messages(chats, "s", answer(input_tokens=4))
    for row, day in ((first, 0), (second, 1), (third, 1)):
        date_back(db, "rag_message", "created_at", row, NOON + timedelta(days=day))
    march = date(2026, 3, 1), date(2026, 3, 2)
    expected: dict[str, list[tuple[Any, int]]] = {
        "user": [(None, 4), ("ann", 3)],
        "organisation": [(None, 4), ("uni", 3)],
        "collection": [(None, 4), ("docs", 3)],
        "thread": [("s", 4), ("t", 3)],
        "model": [(None, 4), ("big", 3)],
        "resolved_model": [(None, 4), ("big-1", 1), ("big-2", 2)],
        "day": [(march[0], 1), (march[1], 6)],
    }
    fields = {"user": "user_id", "organisation": "organisation_id", "thread": "thread_id"}
    for key, sums in expected.items():
        found = chats.usage(by=[key])  # type: ignore[list-item]
        assert [(getattr(one, fields.get(key, key)), one.input_tokens) for one in found] == sums, key
    assert chats.usage(by=()) == [used(3, input_tokens=7)]
    assert chats.usage(by=("day", "user", "model")) == [
        used(1, day=march[0], user_id="ann", model="big", input_tokens=1),
        used(1, day=march[1], input_tokens=4),
        used(1, day=march[1], user_id="ann", model="big", input_tokens=2),
    ]
    everything = chats.usage(by=["thread", "user", "organisation", "collection", "model", "resolved_model", "day"])
    assert [(one.thread_id, one.resolved_model) for one in everything] == [
        ("s", None),
        ("t", "big-1"),
        ("t", "big-2"),
    ]


def test_usage_of_a_part(chats: Conversations) -> None:
    store_messages(
        chats, "a", answer(model="x", input_tokens=1), user_id="ann", organisation_id="uni", collection="docs"
    )
    store_messages(chats, "b", answer(model="y", input_tokens=2), user_id="bob", organisation_id="uni")
    store_messages(chats, "n", answer(model="x", input_tokens=4))

    def total(**of: Any) -> int | None:
        (one,) = chats.usage(by=(), **of)
        return one.input_tokens

    assert total() == 7
    assert total(user_id="ann") == 1
    assert total(user_id=None) == 4
    assert total(user_id="nobody") is None
    assert total(organisation_id="uni") == 3
    assert total(collection="docs") == 1
    assert total(model="x") == 5
    assert total(model="x", organisation_id="uni") == 1
    assert chats.usage(user_id="nobody") == []
    assert chats.usage(by=(), user_id="nobody") == [used(0)]


def test_usage_of_a_range_of_time(chats: Conversations, db: Database) -> None:
    """From `since` on and before `until`, whatever zone they are given in; days are those of UTC."""
    rows = store_messages(chats, "t", *(answer(input_tokens=2**n) for n in range(4)))
    times = [
        datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 1, tzinfo=UTC),
        datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 2, tzinfo=UTC),
    ]
    for row, time in zip(rows, times, strict=True):
        date_back(db, "rag_message", "created_at", row, time)
    days = chats.usage(by=("day",))
    assert [(one.day, one.input_tokens) for one in days] == [
        (date(2026, 2, 28), 1),
        (date(2026, 3, 1), 6),
        (date(2026, 3, 2), 8),
    ]
    east = timezone(timedelta(hours=9))
    assert chats.usage(by=("day",), since=times[1].astimezone(east), until=times[3]) == [days[1]]
    assert chats.usage(by=(), since=times[3]) == [used(1, input_tokens=8)]
    assert chats.usage(by=(), until=times[1]) == [used(1, input_tokens=1)]
    assert chats.usage(by=(), since=times[3], until=times[0]) == [used(0)]


def test_names_are_ordered_by_code_point(chats: Conversations) -> None:
    names = ["B", "a", "Ä", "ä", "é", "z", "中", "\U0001f600", "_", "-x"]
    for name in names:
        store_messages(chats, name, answer(model="m"), user_id=name)
    assert [one.user_id for one in chats.usage()] == sorted(names)


def test_sums_beyond_64_bits_are_exact(chats: Conversations) -> None:
    many = [answer(cost=Decimal(HUGE), response_time=1e12, input_tokens=2**31 - 1)] * 3
    store_messages(chats, "t", *many, answer(cost=Decimal("0.000000001"), response_time=1e300))
    (one,) = chats.usage(by=())
    assert one.cost == 3 * Decimal(HUGE) + Decimal("0.000000001")
    assert one.input_tokens == 3 * (2**31 - 1)
    assert (one.response_time, one.mean_response_time) == (4e12, 1e12)  # longer ones count as 10**12 seconds


@few_examples
@given(
    st.lists(
        st.tuples(
            st.none() | st.sampled_from(["m", "n"]),
            st.none() | st.integers(0, 2**31 - 1),
            st.none() | st.integers(0, HUGE * 10**9).map(lambda n: Decimal(n).scaleb(-9)),
            st.none() | st.integers(0, 10**15).map(lambda n: n / 10**6),
        ),
        max_size=8,
    )
)
def test_usage_is_what_python_sums(store: Store, rows: Sequence[tuple[Any, Any, Any, Any]]) -> None:
    """C-10: the same on every database, to the last digit."""
    chats = store.for_tenant(new_id().hex).conversations
    if rows:
        given_ = [answer(model=m, output_tokens=t, cost=c, response_time=s) for m, t, c, s in rows]
        store_messages(chats, "t", *given_)
    told = [row for row in rows if any(value is not None for value in row)]
    expected = []
    for model in sorted({row[0] for row in told}, key=lambda name: name or ""):
        mine = [row for row in told if row[0] == model]
        tokens, costs, times = ([row[n] for row in mine if row[n] is not None] for n in (1, 2, 3))
        micros = sum(round(seconds * 10**6) for seconds in times)
        expected.append(
            used(
                len(mine),
                model=model,
                output_tokens=sum(tokens) if tokens else None,
                cost=sum(costs) if costs else None,
                response_time=micros / 10**6 if times else None,
                mean_response_time=micros / (len(times) * 10**6) if times else None,
            )
        )
    assert chats.usage(by=("model",)) == expected


def test_sums_keep_to_the_tenant(store: Store) -> None:
    other = store.for_tenant("other").conversations
    (row,) = store_messages(other, "t", answer(input_tokens=1, sources=[NewCitation(source="s")]))
    other.give_feedback(row, 1)
    mine = store.for_tenant("mine").conversations
    assert mine.usage() == []
    assert mine.feedback_sums() == []
    assert mine.cited(by="source") == []
    assert mine.usage(by=()) == [used(0)]
    assert mine.feedback_sums(by=()) == [FeedbackSum(up=0, down=0, commented=0)]
    assert len(other.usage()) == len(other.feedback_sums()) == len(other.cited(by="source")) == 1


def test_each_sum_is_one_statement(store: Store) -> None:
    chats = store.conversations
    chats.usage()
    for call in (
        lambda: chats.usage(by=("user", "model", "day"), since=NOON, user_id=None, model="m"),
        lambda: chats.feedback_sums(by=("rater", "model", "day"), until=NOON, collection="c"),
        lambda: chats.cited(by="chunk", since=NOON, collection="c"),
        lambda: chats.cited(by="source"),
    ):
        with watching(store) as seen:
            call()
        assert len([text for text, _ in seen if "rag_" in text]) == 1, seen


def test_a_range_of_days_is_read_by_the_index(store: Store, db: Database) -> None:
    """The plan of the statement as it is run; of 4,000 messages a few have any usage."""
    chats = store.conversations
    for thread in range(20):
        rows = [answer(model="m") if n % 50 == 0 else NewMessage(role="user", content="q") for n in range(200)]
        store_messages(chats, f"t{thread}", *rows, user_id="ann")
    db.execute("ANALYZE")
    day = NOON + timedelta(days=1)
    for keys in ((), ("day",), ("user", "model")):
        with noted(store) as statements:
            chats.usage(by=keys, since=NOON, until=day)
        plan = [db.plan(*one) for one in statements if "rag_message" in one[0]]
        assert len(plan) == 1
        assert "ix_rag_message_usage" in plan[0]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"by": "user"}, "by"),
        ({"by": ["users"]}, "by"),
        ({"by": [None]}, "by"),
        ({"by": ["user", "user"]}, "by"),
        ({"by": 1}, "by"),
        ({"since": datetime(2026, 1, 1)}, "since"),  # noqa: DTZ001
        ({"until": "2026-01-01"}, "until"),
        ({"user_id": ""}, "user_id"),
        ({"organisation_id": 1}, "organisation_id"),
        ({"collection": "a\0"}, "collection"),
    ],
)
def test_input_that_is_refused(chats: Conversations, arguments: dict[str, Any], field: str) -> None:
    for call in (chats.usage, chats.feedback_sums):
        with pytest.raises(InvalidInput) as raised:
            call(**arguments)
        assert raised.value.field == field
    if field in ("since", "until", "collection"):
        with pytest.raises(InvalidInput) as raised:
            chats.cited(**arguments)
        assert raised.value.field == field


def test_input_that_one_call_refuses(chats: Conversations) -> None:
    wrong: list[tuple[Any, dict[str, Any], str]] = [
        (chats.usage, {"by": ["rater"]}, "by"),
        (chats.usage, {"model": ""}, "model"),
        (chats.feedback_sums, {"by": ["thread"]}, "by"),
        (chats.cited, {"by": "thread"}, "by"),
        (chats.cited, {"by": ["chunk"]}, "by"),
        (chats.cited, {"limit": 0}, "limit"),
        (chats.cited, {"limit": 1001}, "limit"),
    ]
    for call, arguments, field in wrong:
        with pytest.raises(InvalidInput) as raised:
            call(**arguments)
        assert raised.value.field == field


# ---------------------------------------------------------------------------------------------------- thumbs


def test_feedback_sums(chats: Conversations, db: Database) -> None:
    """C-11: each thumb as it is now, once; of nobody in particular is a rater too."""
    a1, a2 = store_messages(
        chats, "a", answer(model="big"), answer(), user_id="ann", organisation_id="uni", collection="docs"
    )
    (b1,) = store_messages(chats, "b", answer(model="big"))
    chats.give_feedback(a1, -1, user_id="ann", comment="wrong")
    chats.give_feedback(a1, 1, user_id="ann")
    chats.give_feedback(a1, -1)
    chats.give_feedback(a2, -1, user_id="bob", comment="no")
    chats.give_feedback(b1, 1, user_id="bob", comment="")
    chats.give_feedback(b1, 1, user_id="eve")
    chats.delete_feedback(b1, user_id="eve")

    def rated(up: int, down: int, commented: int, **key: Any) -> FeedbackSum:
        return FeedbackSum(up=up, down=down, commented=commented, **key)

    assert chats.feedback_sums(by=()) == [rated(2, 2, 2)]
    assert chats.feedback_sums() == [rated(0, 1, 1), rated(2, 1, 1, model="big")]
    assert chats.feedback_sums(by=["rater"]) == [
        rated(0, 1, 0),
        rated(1, 0, 0, rater_id="ann"),
        rated(1, 1, 2, rater_id="bob"),
    ]
    owners: list[tuple[str, dict[str, Any]]] = [
        ("user", {"user_id": "ann"}),
        ("organisation", {"organisation_id": "uni"}),
    ]
    for key, of in owners:
        found = chats.feedback_sums(by=[key])  # type: ignore[list-item]
        assert found == [rated(1, 0, 1), rated(1, 2, 1, **of)]
        assert chats.feedback_sums(by=(), **of) == [rated(1, 2, 1)]
    assert chats.feedback_sums(by=["collection"], collection="docs") == [rated(1, 2, 1, collection="docs")]
    assert chats.feedback_sums(by=(), user_id=None) == [rated(1, 0, 1)]
    for row, day in ((a1, 0), (a2, 1), (b1, 1)):
        date_back(db, "rag_feedback", "updated_at", row, NOON + timedelta(days=day))
    march = date(2026, 3, 1), date(2026, 3, 2)
    assert chats.feedback_sums(by=["day"]) == [rated(1, 1, 0, day=march[0]), rated(1, 1, 2, day=march[1])]
    assert chats.feedback_sums(by=["day"], until=NOON + timedelta(hours=1)) == [rated(1, 1, 0, day=march[0])]
    assert chats.feedback_sums(by=["day", "rater"], since=NOON + timedelta(days=1)) == [
        rated(1, 1, 2, day=march[1], rater_id="bob")
    ]


# ------------------------------------------------------------------------------------------------- citations


def citing(*sources: NewCitation) -> NewMessage:
    return answer(sources=sources)


def short(found: Sequence[CitedSum]) -> list[tuple[Any, ...]]:
    return [(one.source, one.citations, one.messages, one.mean_rank, one.up, one.down) for one in found]


def test_cited_sources(chats: Conversations, db: Database) -> None:
    """A thumb counts once for a message, however often the message cites the source."""
    s, t, u = (NewCitation(source=name, title=name.upper(), collection="docs") for name in "stu")
    other = NewCitation(source="s")
    first, second, third = store_messages(chats, "t", citing(s, t, s), citing(t, s, u), citing(other))
    for row, day in ((first, 0), (second, 2), (third, 1)):
        date_back(db, "rag_message", "created_at", row, NOON + timedelta(days=day))
    chats.give_feedback(first, 1, user_id="ann")
    chats.give_feedback(first, 1, user_id="bob")
    chats.give_feedback(second, -1)
    found = chats.cited(by="source")
    assert short(found) == [
        ("s", 3, 2, 2.0, 2, 1),
        ("t", 2, 2, 1.5, 2, 1),
        ("s", 1, 1, 1.0, 0, 0),
        ("u", 1, 1, 3.0, 0, 1),
    ]
    assert [one.collection for one in found] == ["docs", "docs", None, "docs"]
    assert [one.title for one in found] == ["S", "T", "", "U"]
    assert [(one.last_cited_at - NOON).days for one in found] == [2, 2, 1, 2]
    assert {(one.chunk_id, one.document_id, one.gone) for one in found} == {(None, None, None)}
    assert chats.cited(by="source", limit=2) == found[:2]
    assert short(chats.cited(by="source", until=NOON + timedelta(days=1))) == [
        ("s", 2, 1, 2.0, 2, 0),
        ("t", 1, 1, 2.0, 2, 0),
    ]
    assert chats.cited(by="source", since=NOON + timedelta(days=1), until=NOON + timedelta(days=2)) == [found[2]]
    assert chats.cited(by="source", collection="docs") == [found[0], found[1], found[3]]
    assert chats.cited() == chats.cited(by="document") == []


def test_sources_are_ordered_by_code_point(chats: Conversations) -> None:
    names = ["B", "a", "Ä", "ä", "z", "中", "\U0001f600", "_", "-x"]
    store_messages(chats, "t", citing(*(NewCitation(source=name) for name in names)))
    assert [one.source for one in chats.cited(by="source")] == sorted(names)
    assert [one.source for one in chats.cited(by="source", limit=3)] == sorted(names)[:3]


def test_cited_chunks_and_documents_that_are_there_and_gone(store: Store) -> None:
    store.collections.ensure("docs", model="m", dimensions=2)
    hits = {}
    for source in ("kept", "gone"):
        chunks = [NewChunk(content=f"{source} apple {n}", embedding=[1.0, n]) for n in range(2)]
        store.documents.put("docs", NewDocument(source=source, title=source.upper()), chunks)
    for hit in store.chunks.search("docs", text="apple", limit=10):
        hits[hit.content] = hit
    chats = store.conversations
    kept, also_kept, gone = (hits[text] for text in ("kept apple 0", "kept apple 1", "gone apple 0"))
    first, second = store_messages(chats, "t", answer(sources=[kept, gone, also_kept]), answer(sources=[gone]))
    chats.give_feedback(first, -1)
    chats.give_feedback(second, 1)
    store.documents.delete("docs", "gone")
    tie = sorted((kept, also_kept), key=lambda hit: hit.chunk_id)
    found = chats.cited()
    assert [one.chunk_id for one in found] == [gone.chunk_id, *(hit.chunk_id for hit in tie)]
    assert [one.document_id for one in found] == [gone.document_id, kept.document_id, kept.document_id]
    assert [one.gone for one in found] == [True, False, False]
    assert short(found)[0] == ("gone", 2, 2, 1.5, 1, 1)
    documents = chats.cited(by="document", collection="docs")
    in_order = sorted((kept.document_id, gone.document_id))
    assert [one.document_id for one in documents] == in_order
    by_id = {one.document_id: one for one in documents}
    assert short([by_id[kept.document_id]]) == [("kept", 2, 1, 2.0, 0, 1)]
    assert [by_id[hit.document_id].gone for hit in (kept, gone)] == [False, True]
    assert {one.chunk_id for one in documents} == {None}
    assert {one.title for one in documents} == {"KEPT", "GONE"}
