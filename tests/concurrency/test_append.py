"""Eight writers append to one thread at once: threads, tasks and processes, on PostgreSQL and on one SQLite file."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID

import pytest

from ragstore.config import Settings
from ragstore.conversations import preparing
from ragstore.conversations.records import Conversation, NewMessage
from ragstore.errors import StaleHead
from ragstore.store._async import AsyncStore
from ragstore.store._sync import Store

WRITERS = 8
APPENDS = 50
PATIENT = Settings(busy_timeout=60.0, pool_size=WRITERS, pool_timeout=60.0)


def said(writer: int, number: int) -> NewMessage:
    return NewMessage(role="user", content=f"{writer}/{number}")


def write(store: Store, writer: int, *, size: int = 1) -> None:
    """Append a writer's messages in batches of a size."""
    for number in range(0, APPENDS, size):
        store.conversations.append("t", [said(writer, number + more) for more in range(size)])


def write_in_process(url: str, writer: int) -> None:
    with Store.open(url, PATIENT) as store:
        write(store, writer)


def check(store: Store, *, size: int = 1) -> None:
    """See that all are there, numbered without a gap, each writer's in its order and no batch parted."""
    messages = list(store.conversations.page("t", limit=1000))
    assert [message.seq for message in messages] == list(range(1, WRITERS * APPENDS + 1))
    assert [message.parent_id for message in messages] == [None, *(message.id for message in messages)][:-1]
    places = [tuple(int(part) for part in message.content.split("/")) for message in messages]
    for writer in range(WRITERS):
        assert [number for whose, number in places if whose == writer] == list(range(APPENDS))
    for start in range(0, len(places), size):
        assert len({whose for whose, _ in places[start : start + size]}) == 1
    conversation = store.conversations.get("t")
    assert (conversation.head, conversation.leaf_id) == (len(messages), messages[-1].id)


def together(work: Callable[[int], None]) -> None:
    barrier = Barrier(WRITERS)

    def run(writer: int) -> None:
        barrier.wait()
        work(writer)

    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(run, writer) for writer in range(WRITERS)]:
            done.result()


@pytest.mark.parametrize("size", [1, 2, 5])
def test_threads(database_url: str, size: int) -> None:
    with Store.open(database_url, PATIENT) as store:
        together(lambda writer: write(store, writer, size=size))
        check(store, size=size)


def test_processes(database_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WRITERS, mp_context=context) as pool:
        for done in [pool.submit(write_in_process, database_url, writer) for writer in range(WRITERS)]:
            done.result()
    with Store.open(database_url) as store:
        check(store)


def test_tasks(database_url: str) -> None:
    async def write_all(store: AsyncStore, writer: int) -> None:
        for number in range(APPENDS):
            await store.conversations.append("t", said(writer, number))

    async def main() -> None:
        async with AsyncStore.open(database_url, PATIENT) as store:
            await asyncio.gather(*(write_all(store, writer) for writer in range(WRITERS)))

    asyncio.run(main())
    with Store.open(database_url) as store:
        check(store)


def test_starting_at_once_gives_one_conversation(database_url: str) -> None:
    found: list[Conversation] = []
    with Store.open(database_url, PATIENT) as store:
        together(lambda writer: found.append(store.conversations.start("t", user_id="ann", title=f"{writer}")))
        assert len(found) == WRITERS
        assert all(conversation == store.conversations.get("t") for conversation in found)


def test_a_client_id_stored_at_once_is_stored_once(database_url: str) -> None:
    """Half the writers send it alone, half in a batch: the two ways an append goes."""
    message = NewMessage(role="user", content="x", client_id="x")
    with Store.open(database_url, PATIENT) as store:
        for thread in ("s", "t"):
            together(lambda writer, thread=thread: store.conversations.append(thread, [message] * (1 + writer % 2)))  # type: ignore[misc]
            assert [stored.seq for stored in store.conversations.history(thread)] == [1]


def test_one_of_the_writers_that_expect_a_head_wins(database_url: str) -> None:
    won: list[int] = []
    heads: list[int] = []

    def attempt(store: Store, writer: int) -> None:
        try:
            store.conversations.append("t", [said(writer, number) for number in range(1 + writer % 3)], expected_head=1)
        except StaleHead as error:
            heads.append(error.head)
        else:
            won.append(writer)

    with Store.open(database_url, PATIENT) as store:
        store.conversations.append("t", NewMessage(role="system", content="0/0"))
        together(lambda writer: attempt(store, writer))
        assert len(won) == 1
        assert {*heads, store.conversations.get("t").head} == {2 + won[0] % 3}


def test_clocks_do_not_order(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's clock jumps back an hour between two appends: ids then go back, the order does not."""
    with Store.open(database_url, PATIENT) as store:
        store.conversations.append("t", [said(0, number) for number in range(3)])
        earlier = (datetime.now(UTC).timestamp() - 3600) * 1000
        ids = iter(range(10))
        early = lambda: UUID(int=(int(earlier) << 80) | (7 << 76) | (1 << 63) | next(ids))  # noqa: E731
        monkeypatch.setattr(preparing, "new_id", early)
        store.conversations.append("t", [said(0, number) for number in range(3, 6)])
        messages = store.conversations.history("t")
    assert [message.content for message in messages] == [f"0/{number}" for number in range(6)]
    assert messages[3].id < messages[0].id
