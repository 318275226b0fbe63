"""C-17: everything that conversations do works behind a pooler that gives each transaction another connection."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from ragstore.config import Settings
from ragstore.conversations.records import NewCitation, NewMessage
from ragstore.store._async import AsyncStore
from ragstore.store._sync import Store
from tests.poolers import PROGRAM, pooled

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")

WRITERS = 6
APPENDS = 30


@pytest.fixture
def pooled_url(postgres_url: str, tmp_path: Path) -> Iterator[str]:
    with pooled(postgres_url, tmp_path) as url:
        yield url


def test_writers_behind_a_pooler(pooled_url: str) -> None:
    """C-1: numbers without a gap, each writer's in its order, on two connections for six writers."""
    with Store.open(pooled_url, Settings(pool_size=WRITERS)) as store:

        def write(writer: int) -> None:
            for number in range(APPENDS):
                said = NewMessage(role="user", content=f"{writer} {number}")
                store.conversations.append("t", said)

        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(write, range(WRITERS)))
        messages = list(store.conversations.page("t", limit=1000))
        assert [message.seq for message in messages] == list(range(1, WRITERS * APPENDS + 1))
        for writer in range(WRITERS):
            own = [message.content for message in messages if message.content.startswith(f"{writer} ")]
            assert own == [f"{writer} {number}" for number in range(APPENDS)]


def test_nothing_stays_on_a_connection(pooled_url: str) -> None:
    """No prepared statement and no setting is left for the next client of a server's connection."""
    with Store.open(pooled_url, Settings(statement_timeout=30.0, lock_timeout=5.0)) as store:
        chats = store.conversations
        for number in range(20):
            exchange = chats.record_exchange(
                thread_id="t",
                query=f"question {number}",
                response="answer",
                sources=[NewCitation(source="s")],
                feedback=1,
                user_id="ann",
            )
        chats.add_sibling(exchange.answer.id, NewMessage(role="assistant", content="another answer"))
        with chats.stream("t", NewMessage(role="assistant")) as stream:
            stream.write("in pieces")
        assert [hit.message.content for hit in chats.search("pieces", user_id="ann")] == ["in pieces"]
        assert len(chats.history("t", limit=100)) == 41
        assert chats.delete_message(exchange.answer.id) == 1
        for _ in range(4):
            with store.engine.connect() as connection:
                assert connection.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar() == 0
                assert connection.execute(text("SHOW statement_timeout")).scalar() == "0"
                assert connection.execute(text("SHOW lock_timeout")).scalar() == "0"


@pytest.mark.anyio
async def test_the_async_face_behind_a_pooler(pooled_url: str) -> None:
    assert make_url(pooled_url).host == "127.0.0.1"
    async with AsyncStore.open(pooled_url) as store:
        for number in range(10):
            await store.conversations.append("t", NewMessage(role="user", content=str(number)))
        async with store.begin() as unit:
            await unit.conversations.append("t", NewMessage(role="user", content="in a unit"))
        assert len(await store.conversations.history("t", limit=100)) == 11
