# Generated from test_context_windows_async.py by tools/unasync.py: edit that file and run the tool again.
"""Context windows, on both databases and both faces; how they are chosen is tested without a database."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from ragstore.conversations._sync import Conversations
from ragstore.conversations.parts import ToolCall, ToolResult
from ragstore.conversations.records import Message, NewCitation, NewMessage
from ragstore.conversations.windows import reading
from ragstore.conversations.windows.choosing import choose
from ragstore.conversations.windows.preparing import limits
from ragstore.core.ids import new_id
from ragstore.errors import InvalidInput, NotFound
from ragstore.store._sync import Store
from tests.conformance.support import Database, noted


@pytest.fixture
def chats(store: Store) -> Conversations:
    return store.conversations


def user(content: str, **fields: Any) -> NewMessage:
    return NewMessage(role="user", content=content, **fields)


def answer(content: str, **fields: Any) -> NewMessage:
    return NewMessage(role="assistant", content=content, **fields)


def one_each(_: Message) -> int:
    return 1


def contents(messages: Sequence[Message]) -> str:
    return " ".join(message.content for message in messages)


TALK = [
    NewMessage(role="system", content="s"),
    user("q1"),
    answer("a1", pinned=True),
    user("q2"),
    answer("call", parts=[ToolCall(id="1", name="look")]),
    NewMessage(role="tool", content="result", parts=[ToolResult(call_id="1", content="found")]),
    answer("a2"),
    user("q3"),
]


def test_a_window_by_turns_and_tokens(chats: Conversations) -> None:
    """C-5, from the stored parts: oldest dropped first, pinned and system kept, calls with their results."""
    chats.append("t", TALK)
    assert contents(chats.context("t", turns=1)) == "s a1 q3"
    assert contents(chats.context("t", turns=2)) == "s a1 q2 call result a2 q3"
    assert contents(chats.context("t", turns=9)) == contents(chats.history("t"))
    by_tokens = {
        1: "s a1",
        3: "s a1 q3",
        5: "s a1 a2 q3",
        6: "s a1 call result a2 q3",
        8: "s q1 a1 q2 call result a2 q3",
    }
    for tokens, expected in by_tokens.items():
        assert contents(chats.context("t", tokens=tokens, count_tokens=one_each)) == expected
    assert contents(chats.context("t", turns=2, tokens=5, count_tokens=one_each)) == "s a1 a2 q3"


def test_a_window_of_nothing(chats: Conversations, store: Store) -> None:
    """C-5: a limit of 0 gives nothing on every database, not even what is kept; and runs nothing."""
    chats.append("t", TALK)
    with noted(store) as statements:
        assert chats.context("t", turns=0) == chats.context("t", tokens=0) == []
        assert chats.context("t", turns=5, tokens=0) == chats.context("t", turns=0, tokens=5) == []
    assert statements == []
    assert chats.context("nobody wrote here", turns=3) == []
    chats.start("empty")
    assert chats.context("empty", tokens=3) == []


def test_the_estimate_counts_where_nobody_does(chats: Conversations) -> None:
    chats.append("t", [user("x" * 40), answer("y" * 41), user("中文")])
    assert [len(chats.context("t", tokens=tokens)) for tokens in (1, 2, 12, 13, 22, 23)] == [0, 1, 1, 2, 2, 3]


def test_a_window_is_made_of_whole_messages(chats: Conversations) -> None:
    chats.append("t", [user("q"), answer("a", sources=[NewCitation(source="s")])])
    (stored,) = chats.history("t", limit=1)
    chats.give_feedback(stored.id, 1)
    assert chats.context("t", turns=1) == chats.history("t")


@pytest.mark.parametrize("status", ["pending", "streaming"])
def test_open_messages_are_left_out(chats: Conversations, status: Any) -> None:
    chats.append("t", [user("q"), answer("part of", status=status, pinned=True)])
    assert contents(chats.context("t", turns=5)) == "q"


def test_the_branch_is_the_current_one_or_that_of_a_leaf(chats: Conversations) -> None:
    """C-6: a window has nothing of another branch, and what is pinned there is not kept here."""
    chats.append("t", [NewMessage(role="system", content="s"), user("q")])
    (old,) = chats.append("t", answer("old", pinned=True))
    (old_tip,) = chats.append("t", user("and"))
    (new,) = chats.add_sibling(old.id, answer("new"))
    assert contents(chats.context("t", turns=1)) == "s q new"
    assert contents(chats.context("t", turns=1, leaf_id=new.id)) == "s q new"
    assert contents(chats.context("t", turns=1, leaf_id=str(old_tip.id))) == "s old and"
    assert contents(chats.context("t", turns=1, leaf_id=old.id)) == "s q old"
    chats.choose_branch(old.id)
    assert contents(chats.context("t", tokens=3, count_tokens=one_each)) == "s old and"


def test_a_leaf_that_is_not_there(chats: Conversations) -> None:
    chats.append("t", user("q"))
    (other,) = chats.append("other", user("q"))
    for leaf_id in (new_id(), other.id):
        with pytest.raises(NotFound, match=str(leaf_id)):
            chats.context("t", turns=1, leaf_id=leaf_id)


def test_input_that_is_refused(chats: Conversations) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "turns"),
        ({"turns": -1}, "turns"),
        ({"tokens": 0.5}, "tokens"),
        ({"turns": 1, "count_tokens": 4}, "count_tokens"),
        ({"turns": 1, "leaf_id": "no id"}, "leaf_id"),
        ({"thread_id": "", "turns": 1}, "thread_id"),
        ({"tokens": 1, "count_tokens": lambda _: -1}, "count_tokens"),
    ]
    chats.append("t", user("q"))
    for arguments, field in wrong:
        with pytest.raises(InvalidInput) as raised:
            chats.context(**({"thread_id": "t"} | arguments))
        assert raised.value.field == field


def test_an_error_of_the_tokenizer_is_the_hosts(chats: Conversations) -> None:
    def count(_: Message) -> int:
        raise KeyError("no such token")

    chats.append("t", user("q"))
    with pytest.raises(KeyError, match="no such token"):
        chats.context("t", tokens=1, count_tokens=count)
    assert contents(chats.context("t", turns=1)) == "q"


def test_windows_keep_to_the_tenant(store: Store) -> None:
    (stored,) = store.for_tenant("one").conversations.append("t", user("q", pinned=True))
    other = store.for_tenant("other").conversations
    assert other.context("t", turns=1) == []
    other.append("t", user("mine"))
    with pytest.raises(NotFound):
        other.context("t", turns=1, leaf_id=stored.id)


# ------------------------------------------------------------------------------------ paths read in portions


def any_message(draw: random.Random, number: int) -> NewMessage:
    role: Any = draw.choices(["user", "assistant", "tool", "system"], [6, 6, 2, 1])[0]
    parts: list[Any] = []
    if role in ("assistant", "tool"):
        call_id = draw.choice("12")
        parts = draw.choice([[], [ToolCall(id=call_id)], [ToolResult(call_id=call_id)]])
    return NewMessage(role=role, content=f"{number}", parts=parts, pinned=draw.random() < 0.05)


def path_of(chats: Conversations, thread: str, leaf: UUID) -> list[Message]:
    """Follow the parents by hand, from the leaf upwards."""
    by_id = {message.id: message for message in chats.page(thread, limit=1000)}
    found, above = [], by_id.get(leaf)
    while above is not None:
        found.append(above)
        above = None if above.parent_id is None else by_id[above.parent_id]
    return found


@pytest.mark.parametrize("seed", range(6))
def test_portions_give_what_the_whole_path_gives(
    chats: Conversations, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """The window of every leaf, by many limits, with and without branches, as chosen from its whole path."""
    draw = random.Random(seed)
    monkeypatch.setattr(reading, "AT_FIRST", 2)
    stored = chats.append("t", [any_message(draw, number) for number in range(25)])
    if seed % 2:
        for number in range(4):
            beside = draw.choice(stored[1:])
            stored += chats.add_sibling(beside.id, any_message(draw, 100 * number))
            stored += chats.append("t", [any_message(draw, 100 * number + more) for more in range(1, 8)])
    current = chats.get("t").leaf_id
    for leaf in (None, *(message.id for message in draw.sample(stored, 8))):
        path = path_of(chats, "t", leaf or current)  # type: ignore[arg-type]
        for turns, tokens in ((1, None), (3, None), (None, 4), (None, 12), (4, 9), (99, None)):
            found = chats.context("t", turns=turns, tokens=tokens, count_tokens=one_each, leaf_id=leaf)
            assert found == choose(path, [], limits(turns, tokens, one_each), complete=True), (leaf, turns, tokens)


def note_rows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many messages were read whenever a window is chosen."""
    rows: list[int] = []

    def noting(path: Sequence[Message], above: Sequence[Message], *rest: Any, **named: Any) -> Any:
        rows.append(len(path) + len(above))
        return choose(path, above, *rest, **named)

    monkeypatch.setattr(reading, "choose", noting)
    return rows


@pytest.mark.parametrize("branched", [False, True])
def test_a_long_conversation_costs_no_more_than_its_window(
    store: Store, db: Database, monkeypatch: pytest.MonkeyPatch, branched: bool
) -> None:
    """Of 10,000 messages some tens are read, by indexes, in a few statements."""
    chats = store.conversations
    talk = [user(f"q{n}") if n % 2 else answer(f"a{n}") for n in range(9_995)]
    stored = chats.append("t", [NewMessage(role="system", content="s"), *talk])
    if branched:
        chats.add_sibling(stored[-2].id, [user("q"), answer("a"), user("q"), answer("a")])
    db.execute("ANALYZE")
    rows = note_rows(monkeypatch)
    with noted(store) as sent:
        by_turns = chats.context("t", turns=5)
        by_tokens = chats.context("t", tokens=200, count_tokens=lambda _: 10)
    assert [len(by_turns), len(by_tokens)] == [11, 20]
    assert by_turns[0].content == by_tokens[0].content == "s"
    assert max(rows) <= 33
    assert len(rows) == 2
    reads = [one for one in sent if "rag_message" in one[0]]
    assert len(reads) == (6 if branched else 4)
    for statement, parameters in reads:
        plan = db.plan(statement, parameters)
        assert "Seq Scan on rag_message" not in plan
        assert "SCAN rag_message" not in plan
    assert sum("ix_rag_message_kept" in db.plan(*one) for one in reads) == 2
    rows.clear()
    assert len(chats.context("t", turns=100)) > 190
    assert max(rows) <= 32 + 64 + 128 + 1
