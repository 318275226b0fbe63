"""M40: a hot standby grants advisory locks and cannot be written to. The tests have a primary of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import create_engine, make_url

from ragstore import NewMessage, Store
from ragstore.errors import ReadOnlyError
from ragstore.migrations import State, astatus, aupgrade, chain, downgrade, status, upgrade
from ragstore.testing.servers import Server
from tests.migrations.own_servers import standby_of, wait_until


@pytest.fixture(scope="module")
def standby(server: Server) -> Iterator[Server]:
    """A hot standby."""
    with standby_of(server) as standby:
        yield standby


@pytest.fixture
def copy(server: Server, standby: Server, database: str) -> Callable[[], str]:
    """Give the database's URL on the standby, once it is as it is on the primary."""

    def url() -> str:
        with server.connect() as connection:
            (written,) = connection.execute("SELECT pg_current_wal_lsn()").fetchone() or ("",)
        with standby.connect() as connection:
            reached = "SELECT pg_last_wal_replay_lsn() >= %s"
            wait_until(lambda: connection.execute(reached, [written]).fetchone() == (True,))
        return standby.url_of(str(make_url(database).database))

    return url


def test_on_a_hot_standby(database: str, copy: Callable[[], str], statements: list[str]) -> None:
    """M40: `ReadOnlyError` at once, before any lock, on an empty, an old and a new database; a look is free."""
    url = copy()
    assert status(url).state is State.EMPTY
    refused_at_once(url, statements)
    upgrade(database, chain.CHAIN[0])
    url = copy()
    assert (status(url).state, status(url).pending) == (State.BEHIND, chain.CHAIN[1:])
    refused_at_once(url, statements)
    upgrade(database)
    url = copy()
    assert status(url).state is State.CURRENT
    result = upgrade(url)
    assert (result.applied, result.to_revision) == ((), chain.HEAD)
    with pytest.raises(ReadOnlyError, match="standby"):
        downgrade(url, "-1", allow_data_loss=True)


def refused_at_once(url: str, statements: list[str]) -> None:
    statements.clear()
    began = time.monotonic()
    with pytest.raises(ReadOnlyError, match="hot standby"):
        upgrade(url, timeout=60)
    assert time.monotonic() - began < 50
    assert not [statement for statement in statements if "advisory" in statement or "CREATE" in statement.split()[0]]
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").scalar() == 0
    engine.dispose()


def test_reading_on_a_hot_standby(database: str, copy: Callable[[], str]) -> None:
    """M40: at head the old calls at an application's start do no harm there, and it reads."""
    upgrade(database)
    with Store.open(database) as store:
        store.conversations.append("t", NewMessage(role="user", content="Hello"))
    url = copy()
    assert upgrade(url).applied == ()
    with Store.open(url) as store:
        assert [message.content for message in store.conversations.history("t")] == ["Hello"]
        with pytest.raises(ReadOnlyError):
            store.conversations.append("t", NewMessage(role="user", content="Hello again"))


@pytest.mark.anyio
async def test_awaited_on_a_hot_standby(copy: Callable[[], str]) -> None:
    """M40: as awaited."""
    url = copy()
    assert (await astatus(url)).state is State.EMPTY
    with pytest.raises(ReadOnlyError, match="hot standby"):
        await aupgrade(url)
