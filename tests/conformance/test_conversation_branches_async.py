"""Branches: siblings under one parent, a current leaf, one way to the root, and nothing copied."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ragstore.conversations._async import AsyncConversations, take_last
from ragstore.conversations.records import Message, NewCitation, NewMessage
from ragstore.core.ids import new_id
from ragstore.errors import Conflict, InvalidInput, NotFound, StaleHead
from ragstore.store._async import AsyncStore

pytestmark = pytest.mark.anyio


@pytest.fixture
def chats(async_store: AsyncStore) -> AsyncConversations:
    return async_store.conversations


def asks(content: str, **more: object) -> NewMessage:
    return NewMessage(role="user", content=content, **more)


def answers(content: str, **more: object) -> NewMessage:
    return NewMessage(role="assistant", content=content, **more)


def texts(messages: Sequence[Message]) -> list[str]:
    return [message.content for message in messages]


async def a_talk(chats: AsyncConversations, *contents: str) -> list[Message]:
    return await chats.append("t", [asks(content) for content in contents])


async def current(chats: AsyncConversations) -> str:
    return " ".join(texts(await chats.history("t", limit=100)))


async def test_an_answer_made_again_is_a_sibling(chats: AsyncConversations) -> None:
    """C-6: both stand under the same parent, the new one is the current branch, and `seq` goes on."""
    question, first, _ = await a_talk(chats, "q", "a1", "thanks")
    (second,) = await chats.add_sibling(first.id, answers("a2"))
    assert (second.seq, second.parent_id) == (4, question.id)
    assert await current(chats) == "q a2"
    assert texts(await chats.siblings(first.id)) == texts(await chats.siblings(second.id)) == ["a1", "a2"]
    thread = await chats.get("t")
    assert (thread.head, thread.leaf_id, thread.branched) == (4, second.id, True)
    await chats.append("t", asks("more"))
    assert await current(chats) == "q a2 more"


async def test_an_edited_question_begins_a_branch(chats: AsyncConversations) -> None:
    """C-6: also at the root, where there is no parent."""
    first, *_ = await a_talk(chats, "q1", "a1")
    edited, answer = await chats.add_sibling(first.id, [asks("q2"), answers("a2")])
    assert edited.parent_id is None
    assert answer.parent_id == edited.id
    assert await current(chats) == "q2 a2"
    assert texts(await chats.siblings(edited.id)) == ["q1", "q2"]


async def test_a_branch_is_chosen(chats: AsyncConversations) -> None:
    """C-6: the newest branch through a message becomes the current one; this is no activity."""
    _, first, second, *_ = await a_talk(chats, "1", "2", "3", "4")
    await chats.add_sibling(second.id, [asks("3b"), asks("4b")])
    before = await chats.get("t")
    chosen = await chats.choose_branch(second.id)
    assert await current(chats) == "1 2 3 4"
    assert chosen.last_activity == before.last_activity
    await chats.choose_branch(first.id)
    assert await current(chats) == "1 2 3b 4b"
    assert (await chats.choose_branch(first.id)).branched


async def test_choosing_without_branches_changes_nothing(chats: AsyncConversations) -> None:
    first, *_ = await a_talk(chats, "1", "2")
    before = await chats.get("t")
    assert await chats.choose_branch(first.id) == before
    assert not before.branched


async def test_a_place_for_an_append(chats: AsyncConversations) -> None:
    """C-6: any message of the thread can be followed; the current leaf makes no branch."""
    first, second = await a_talk(chats, "1", "2")
    await chats.append("t", asks("3"), parent_id=second.id)
    assert not (await chats.get("t")).branched
    await chats.append("t", [asks("2b"), asks("3b")], parent_id=str(first.id))
    assert await current(chats) == "1 2b 3b"
    await chats.append("t", asks("new root"), parent_id=None)
    assert await current(chats) == "new root"
    assert texts((await chats.page("t")).items) == ["1", "2", "3", "2b", "3b", "new root"]


async def test_a_place_that_is_not_there(chats: AsyncConversations) -> None:
    (other,) = await chats.append("other", asks("1"))
    await a_talk(chats, "1")
    for parent in (other.id, new_id()):
        with pytest.raises(NotFound):
            await chats.append("t", asks("2"), parent_id=parent)
    with pytest.raises(NotFound):
        await chats.append("new", asks("1"), parent_id=other.id)
    assert await chats.find("new") is None
    with pytest.raises(InvalidInput):
        await chats.append("t", asks("2"), parent_id="no id")
    assert await current(chats) == "1"


async def test_a_stale_writer_makes_no_branch(chats: AsyncConversations) -> None:
    """C-2: the head is that of the conversation, whatever the branch."""
    first, _ = await a_talk(chats, "1", "2")
    with pytest.raises(StaleHead) as raised:
        await chats.add_sibling(first.id, asks("1b"), expected_head=1)
    assert raised.value.head == 2
    assert texts(await chats.siblings(first.id)) == ["1"]
    assert (await chats.add_sibling(first.id, asks("1b"), expected_head=2))[0].seq == 3


async def test_a_sibling_is_stored_once(chats: AsyncConversations) -> None:
    """C-3: a client id says that it is the same one."""
    first, _ = await a_talk(chats, "1", "2")
    stored = await chats.add_sibling(first.id, asks("1b", client_id="k"))
    assert await chats.add_sibling(first.id, asks("1b", client_id="k")) == stored
    with pytest.raises(Conflict):
        await chats.add_sibling(first.id, asks("1c", client_id="k"))
    assert len(await chats.siblings(first.id)) == 2


async def test_pages_of_a_branch(chats: AsyncConversations) -> None:
    """C-6: from any leaf to the root, in pages, with and without branches."""
    stored = await a_talk(chats, *(str(number) for number in range(10)))
    assert await walk(chats, limit=3) == [str(number) for number in range(9, -1, -1)]
    await chats.add_sibling(stored[4].id, [asks("4b"), asks("5b")])
    for limit in (1, 2, 3, 100):
        assert await walk(chats, limit=limit) == ["5b", "4b", "3", "2", "1", "0"]
        assert await walk(chats, limit=limit, leaf_id=stored[6].id) == ["6", "5", "4", "3", "2", "1", "0"]
    assert await walk(chats, limit=5, leaf_id=new_id()) == []
    (other,) = await chats.append("other", asks("x"))
    assert (await chats.page_branch("t", leaf_id=other.id)).items == ()


async def walk(chats: AsyncConversations, limit: int, **more: object) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = await chats.page_branch("t", limit=limit, cursor=cursor, **more)
        found += texts(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return found


async def test_history_follows_the_branch(chats: AsyncConversations) -> None:
    stored = await a_talk(chats, *(str(number) for number in range(6)))
    await chats.add_sibling(stored[1].id, [asks("1b"), asks("2b"), asks("3b")])
    assert texts(await chats.history("t", limit=2)) == ["2b", "3b"]
    assert texts(await chats.history("t")) == ["0", "1b", "2b", "3b"]


async def test_deleting_a_branch_keeps_its_ancestors(chats: AsyncConversations) -> None:
    """C-6: what follows goes too, siblings and ancestors stay, and the newest branch that is left is current."""
    stored = await a_talk(chats, "1", "2", "3", "4")
    beside = await chats.add_sibling(stored[2].id, [asks("3b"), asks("4b")])
    assert await chats.delete_message(beside[0].id) == 2
    assert await current(chats) == "1 2 3 4"
    assert texts((await chats.page("t")).items) == ["1", "2", "3", "4"]
    assert await chats.delete_message(stored[1].id) == 3
    assert await current(chats) == "1"
    assert await chats.delete_message(stored[0].id) == 1
    assert (await current(chats), (await chats.get("t")).leaf_id) == ("", None)
    (again,) = await chats.append("t", asks("after"))
    assert (again.seq, again.parent_id) == (7, None)


async def test_deleting_what_is_not_current(chats: AsyncConversations) -> None:
    stored = await a_talk(chats, "1", "2", "3")
    await chats.add_sibling(stored[1].id, asks("2b"))
    assert await chats.delete_message(stored[2].id) == 1
    assert await current(chats) == "1 2b"
    assert await chats.delete_message(stored[1].id) == 1
    assert await current(chats) == "1 2b"


async def test_deleting_a_root_leaves_the_others(chats: AsyncConversations) -> None:
    (first,) = await a_talk(chats, "1")
    (second,) = await chats.add_sibling(first.id, asks("1b"))
    await chats.delete_message(second.id)
    assert await current(chats) == "1"


async def test_deleting_without_branches_makes_none(chats: AsyncConversations) -> None:
    stored = await a_talk(chats, "1", "2", "3")
    await chats.delete_message(stored[2].id)
    thread = await chats.get("t")
    assert (thread.branched, thread.leaf_id, thread.head) == (False, stored[1].id, 3)
    assert await current(chats) == "1 2"


async def test_the_end_of_a_branch_is_taken_away(chats: AsyncConversations) -> None:
    """C-6: up to the first message that is wanted, or none; other branches stay whole, and none becomes current."""
    assert await take_last(chats, "t", lambda _: True) is None
    *_, fourth = await a_talk(chats, "1", "2", "3", "4")
    assert await take_last(chats, "t", lambda _: False) is None
    assert await current(chats) == "1 2 3 4"
    await chats.add_sibling(fourth.id, asks("4b"))
    for content, left in (("3", "1 2"), ("1", "")):
        taken = await take_last(chats, "t", lambda message, content=content: message.content == content)
        assert (taken and taken.content, await current(chats)) == (content, left)
    assert texts((await chats.page("t")).items) == ["1", "2", "3", "4"]
    assert (await chats.choose_branch(fourth.id)).leaf_id == fourth.id


async def test_what_hangs_on_a_message_goes_with_it(chats: AsyncConversations) -> None:
    """C-11: its citations, feedback and the record of that; a unit that is rolled back brings all back."""
    (answer,) = await chats.append("t", answers("a", sources=[NewCitation(source="s")]))
    await chats.give_feedback(answer.id, 1)
    await chats.delete_message(answer.id)
    assert await chats.feedback_changes(answer.id) == []
    for call in (chats.get_message, chats.siblings, chats.delete_message, chats.choose_branch):
        with pytest.raises(NotFound):
            await call(answer.id)
    with pytest.raises(NotFound):
        await chats.add_sibling(answer.id, asks("x"))


async def test_a_rolled_back_deletion(async_store: AsyncStore) -> None:
    (answer,) = await async_store.conversations.append("t", answers("words", sources=[NewCitation(source="s")]))
    with pytest.raises(ZeroDivisionError):
        async with async_store.begin() as unit:
            await unit.conversations.delete_message(answer.id)
            raise ZeroDivisionError
    assert await async_store.conversations.get_message(answer.id) == answer


async def test_tenants_do_not_meet(async_store: AsyncStore) -> None:
    (message,) = await async_store.conversations.append("t", asks("1"))
    other = async_store.for_tenant("other").conversations
    await other.append("t", asks("theirs"))
    for call in (other.siblings, other.delete_message, other.choose_branch):
        with pytest.raises(NotFound):
            await call(message.id)
    with pytest.raises(NotFound):
        await other.append("t", asks("x"), parent_id=message.id)
    assert (await other.page_branch("t", leaf_id=message.id)).items == ()


async def test_a_long_branch(chats: AsyncConversations) -> None:
    """C-6: a way of thousands of messages is one query, and a page of it as many rows as it has."""
    stored = await chats.append("t", [asks(str(number)) for number in range(3000)])
    await chats.add_sibling(stored[10].id, asks("10b"))
    await chats.choose_branch(stored[-1].id)
    page = await chats.page_branch("t", limit=1000)
    assert texts(page.items) == [str(number) for number in range(2999, 1999, -1)]
    assert await chats.delete_message(stored[11].id) == 2989


async def test_a_refused_parent_leaves_no_thread(async_store: AsyncStore) -> None:
    """C-6: in a unit that goes on after the refusal, too."""
    async with async_store.begin() as unit:
        with pytest.raises(NotFound):
            await unit.conversations.append("new", asks("1"), parent_id=new_id())
    assert await async_store.conversations.find("new") is None
