# Generated from test_conversation_branches_async.py by tools/unasync.py: edit that file and run the tool again.
"""Branches: siblings under one parent, a current leaf, one way to the root, and nothing copied."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ragstore.conversations._sync import Conversations, take_last
from ragstore.conversations.records import Message, NewCitation, NewMessage
from ragstore.core.ids import new_id
from ragstore.errors import Conflict, InvalidInput, NotFound, StaleHead
from ragstore.store._sync import Store


@pytest.fixture
def chats(store: Store) -> Conversations:
    return store.conversations


def asks(content: str, **more: object) -> NewMessage:
    return NewMessage(role="user", content=content, **more)


def answers(content: str, **more: object) -> NewMessage:
    return NewMessage(role="assistant", content=content, **more)


def texts(messages: Sequence[Message]) -> list[str]:
    return [message.content for message in messages]


def a_talk(chats: Conversations, *contents: str) -> list[Message]:
    return chats.append("t", [asks(content) for content in contents])


def current(chats: Conversations) -> str:
    return " ".join(texts(chats.history("t", limit=100)))


def test_an_answer_made_again_is_a_sibling(chats: Conversations) -> None:
    """C-6: both stand under the same parent, the new one is the current branch, and `seq` goes on."""
    question, first, _ = a_talk(chats, "q", "a1", "thanks")
    (second,) = chats.add_sibling(first.id, answers("a2"))
    assert (second.seq, second.parent_id) == (4, question.id)
    assert current(chats) == "q a2"
    assert texts(chats.siblings(first.id)) == texts(chats.siblings(second.id)) == ["a1", "a2"]
    thread = chats.get("t")
    assert (thread.head, thread.leaf_id, thread.branched) == (4, second.id, True)
    chats.append("t", asks("more"))
    assert current(chats) == "q a2 more"


def test_an_edited_question_begins_a_branch(chats: Conversations) -> None:
    """C-6: also at the root, where there is no parent."""
    first, *_ = a_talk(chats, "q1", "a1")
    edited, answer = chats.add_sibling(first.id, [asks("q2"), answers("a2")])
    assert edited.parent_id is None
    assert answer.parent_id == edited.id
    assert current(chats) == "q2 a2"
    assert texts(chats.siblings(edited.id)) == ["q1", "q2"]


def test_a_branch_is_chosen(chats: Conversations) -> None:
    """C-6: the newest branch through a message becomes the current one; this is no activity."""
    _, first, second, *_ = a_talk(chats, "1", "2", "3", "4")
    chats.add_sibling(second.id, [asks("3b"), asks("4b")])
    before = chats.get("t")
    chosen = chats.choose_branch(second.id)
    assert current(chats) == "1 2 3 4"
    assert chosen.last_activity == before.last_activity
    chats.choose_branch(first.id)
    assert current(chats) == "1 2 3b 4b"
    assert chats.choose_branch(first.id).branched


def test_choosing_without_branches_changes_nothing(chats: Conversations) -> None:
    first, *_ = a_talk(chats, "1", "2")
    before = chats.get("t")
    assert chats.choose_branch(first.id) == before
    assert not before.branched


def test_a_place_for_an_append(chats: Conversations) -> None:
    """C-6: any message of the thread can be followed; the current leaf makes no branch."""
    first, second = a_talk(chats, "1", "2")
    chats.append("t", asks("3"), parent_id=second.id)
    assert not chats.get("t").branched
    chats.append("t", [asks("2b"), asks("3b")], parent_id=str(first.id))
    assert current(chats) == "1 2b 3b"
    chats.append("t", asks("new root"), parent_id=None)
    assert current(chats) == "new root"
    assert texts(chats.page("t").items) == ["1", "2", "3", "2b", "3b", "new root"]


def test_a_place_that_is_not_there(chats: Conversations) -> None:
    (other,) = chats.append("other", asks("1"))
    a_talk(chats, "1")
    for parent in (other.id, new_id()):
        with pytest.raises(NotFound):
            chats.append("t", asks("2"), parent_id=parent)
    with pytest.raises(NotFound):
        chats.append("new", asks("1"), parent_id=other.id)
    assert chats.find("new") is None
    with pytest.raises(InvalidInput):
        chats.append("t", asks("2"), parent_id="no id")
    assert current(chats) == "1"


def test_a_stale_writer_makes_no_branch(chats: Conversations) -> None:
    """C-2: the head is that of the conversation, whatever the branch."""
    first, _ = a_talk(chats, "1", "2")
    with pytest.raises(StaleHead) as raised:
        chats.add_sibling(first.id, asks("1b"), expected_head=1)
    assert raised.value.head == 2
    assert texts(chats.siblings(first.id)) == ["1"]
    assert (chats.add_sibling(first.id, asks("1b"), expected_head=2))[0].seq == 3


def test_a_sibling_is_stored_once(chats: Conversations) -> None:
    """C-3: a client id says that it is the same one."""
    first, _ = a_talk(chats, "1", "2")
    stored = chats.add_sibling(first.id, asks("1b", client_id="k"))
    assert chats.add_sibling(first.id, asks("1b", client_id="k")) == stored
    with pytest.raises(Conflict):
        chats.add_sibling(first.id, asks("1c", client_id="k"))
    assert len(chats.siblings(first.id)) == 2


def test_pages_of_a_branch(chats: Conversations) -> None:
    """C-6: from any leaf to the root, in pages, with and without branches."""
    stored = a_talk(chats, *(str(number) for number in range(10)))
    assert walk(chats, limit=3) == [str(number) for number in range(9, -1, -1)]
    chats.add_sibling(stored[4].id, [asks("4b"), asks("5b")])
    for limit in (1, 2, 3, 100):
        assert walk(chats, limit=limit) == ["5b", "4b", "3", "2", "1", "0"]
        assert walk(chats, limit=limit, leaf_id=stored[6].id) == ["6", "5", "4", "3", "2", "1", "0"]
    assert walk(chats, limit=5, leaf_id=new_id()) == []
    (other,) = chats.append("other", asks("x"))
    assert chats.page_branch("t", leaf_id=other.id).items == ()


def walk(chats: Conversations, limit: int, **more: object) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = chats.page_branch("t", limit=limit, cursor=cursor, **more)
        found += texts(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return found


def test_history_follows_the_branch(chats: Conversations) -> None:
    stored = a_talk(chats, *(str(number) for number in range(6)))
    chats.add_sibling(stored[1].id, [asks("1b"), asks("2b"), asks("3b")])
    assert texts(chats.history("t", limit=2)) == ["2b", "3b"]
    assert texts(chats.history("t")) == ["0", "1b", "2b", "3b"]


def test_deleting_a_branch_keeps_its_ancestors(chats: Conversations) -> None:
    """C-6: what follows goes too, siblings and ancestors stay, and the newest branch that is left is current."""
    stored = a_talk(chats, "1", "2", "3", "4")
    beside = chats.add_sibling(stored[2].id, [asks("3b"), asks("4b")])
    assert chats.delete_message(beside[0].id) == 2
    assert current(chats) == "1 2 3 4"
    assert texts(chats.page("t").items) == ["1", "2", "3", "4"]
    assert chats.delete_message(stored[1].id) == 3
    assert current(chats) == "1"
    assert chats.delete_message(stored[0].id) == 1
    assert (current(chats), chats.get("t").leaf_id) == ("", None)
    (again,) = chats.append("t", asks("after"))
    assert (again.seq, again.parent_id) == (7, None)


def test_deleting_what_is_not_current(chats: Conversations) -> None:
    stored = a_talk(chats, "1", "2", "3")
    chats.add_sibling(stored[1].id, asks("2b"))
    assert chats.delete_message(stored[2].id) == 1
    assert current(chats) == "1 2b"
    assert chats.delete_message(stored[1].id) == 1
    assert current(chats) == "1 2b"


def test_deleting_a_root_leaves_the_others(chats: Conversations) -> None:
    (first,) = a_talk(chats, "1")
    (second,) = chats.add_sibling(first.id, asks("1b"))
    chats.delete_message(second.id)
    assert current(chats) == "1"


def test_deleting_without_branches_makes_none(chats: Conversations) -> None:
    stored = a_talk(chats, "1", "2", "3")
    chats.delete_message(stored[2].id)
    thread = chats.get("t")
    assert (thread.branched, thread.leaf_id, thread.head) == (False, stored[1].id, 3)
    assert current(chats) == "1 2"


def test_the_end_of_a_branch_is_taken_away(chats: Conversations) -> None:
    """C-6: up to the first message that is wanted, or none; other branches stay whole, and none becomes current."""
    assert take_last(chats, "t", lambda _: True) is None
    *_, fourth = a_talk(chats, "1", "2", "3", "4")
    assert take_last(chats, "t", lambda _: False) is None
    assert current(chats) == "1 2 3 4"
    chats.add_sibling(fourth.id, asks("4b"))
    for content, left in (("3", "1 2"), ("1", "")):
        taken = take_last(chats, "t", lambda message, content=content: message.content == content)
        assert (taken and taken.content, current(chats)) == (content, left)
    assert texts(chats.page("t").items) == ["1", "2", "3", "4"]
    assert chats.choose_branch(fourth.id).leaf_id == fourth.id


def test_what_hangs_on_a_message_goes_with_it(chats: Conversations) -> None:
    """C-11: its citations, feedback and the record of that; a unit that is rolled back brings all back."""
    (answer,) = chats.append("t", answers("a", sources=[NewCitation(source="s")]))
    chats.give_feedback(answer.id, 1)
    chats.delete_message(answer.id)
    assert chats.feedback_changes(answer.id) == []
    for call in (chats.get_message, chats.siblings, chats.delete_message, chats.choose_branch):
        with pytest.raises(NotFound):
            call(answer.id)
    with pytest.raises(NotFound):
        chats.add_sibling(answer.id, asks("x"))


def test_a_rolled_back_deletion(store: Store) -> None:
    (answer,) = store.conversations.append("t", answers("words", sources=[NewCitation(source="s")]))
    with pytest.raises(ZeroDivisionError):
        with store.begin() as unit:
            unit.conversations.delete_message(answer.id)
            raise ZeroDivisionError
    assert store.conversations.get_message(answer.id) == answer


def test_tenants_do_not_meet(store: Store) -> None:
    (message,) = store.conversations.append("t", asks("1"))
    other = store.for_tenant("other").conversations
    other.append("t", asks("theirs"))
    for call in (other.siblings, other.delete_message, other.choose_branch):
        with pytest.raises(NotFound):
            call(message.id)
    with pytest.raises(NotFound):
        other.append("t", asks("x"), parent_id=message.id)
    assert other.page_branch("t", leaf_id=message.id).items == ()


def test_a_long_branch(chats: Conversations) -> None:
    """C-6: a way of thousands of messages is one query, and a page of it as many rows as it has."""
    stored = chats.append("t", [asks(str(number)) for number in range(3000)])
    chats.add_sibling(stored[10].id, asks("10b"))
    chats.choose_branch(stored[-1].id)
    page = chats.page_branch("t", limit=1000)
    assert texts(page.items) == [str(number) for number in range(2999, 1999, -1)]
    assert chats.delete_message(stored[11].id) == 2989


def test_a_refused_parent_leaves_no_thread(store: Store) -> None:
    """C-6: in a unit that goes on after the refusal, too."""
    with store.begin() as unit:
        with pytest.raises(NotFound):
            unit.conversations.append("new", asks("1"), parent_id=new_id())
    assert store.conversations.find("new") is None
