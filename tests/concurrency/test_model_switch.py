"""Changing the model while others read, write and are killed: each search answers from one space."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest

from ragstore import NewDocument, Settings, Store
from ragstore.errors import Conflict
from ragstore.testing.factories import Embedder
from tests.conformance.support import Database

PATIENT = Settings(busy_timeout=60.0, pool_size=12, pool_timeout=60.0)
QUERY = [1.0, 0.0, 0.0]
READERS = 3
CHUNKS = 200

# Whatever a space's model is asked, its vectors have one distance from the query: 0 in "old", 1 in "new". So a search
# that mixed two spaces would show both.


def old(texts: Sequence[str]) -> list[list[float]]:
    return [[1.0, 0.0, 0.0] for _ in texts]


def new(texts: Sequence[str]) -> list[list[float]]:
    return [[0.0, 1.0, 0.0] for _ in texts]


def slowly(embed: Callable[[Sequence[str]], Any]) -> Callable[[Sequence[str]], Any]:
    def call(texts: Sequence[str]) -> Any:
        time.sleep(0.01)
        return embed(texts)

    return call


def fill(store: Store) -> None:
    store.collections.ensure("docs", model="old", dimensions=3)
    items = [
        (NewDocument(source=f"{number}"), [f"text {number} {place}" for place in range(20)])
        for number in range(CHUNKS // 20)
    ]
    store.documents.load("docs", items, embed=old)


def read(store: Store, until: Event) -> list[float]:
    """Search until told to stop; gives the distance that each search's hits had in common."""
    seen: list[float] = []
    while not until.is_set() or not seen:
        hits = store.chunks.search("docs", embedding=QUERY, limit=10)
        assert len(hits) == 10
        distances = {round(hit.distance, 6) for hit in hits if hit.distance is not None}
        assert len(distances) == 1, distances
        seen.append(distances.pop())
    return seen


def write(store: Store, models: Any, until: Event) -> int:
    """Put new and changed documents until told to stop."""
    number = 0
    while not until.is_set() or number < 2:
        number += 1
        store.documents.put(
            "docs",
            NewDocument(source=f"more {number % 7}"),
            [f"more {number} {place}" for place in range(3)],
            embed=models,
        )
        time.sleep(0.01)
    return number


@contextmanager
def under_load(url: str, store: Store, *models: Any) -> Iterator[list[Future[Any]]]:
    """Have readers on this store and on another one, as in another process, and two writers if there are models."""
    writers = 2 * len(models)
    until = Event()
    with Store.open(url, PATIENT) as other, ThreadPoolExecutor(READERS + writers) as pool:
        reading = [pool.submit(read, (store, other)[number % 2], until) for number in range(READERS)]
        writing = [pool.submit(write, (store, other)[number % 2], models[0], until) for number in range(writers)]
        try:
            yield reading
        finally:
            until.set()
            for future in [*reading, *writing]:
                future.result()


def activate(store: Store) -> None:
    """Fill up and switch; a chunk that was stored without a vector in between means doing it again."""
    for _ in range(20):
        try:
            store.spaces.activate("docs")
        except Conflict:
            store.spaces.backfill("docs", new)
        else:
            return
    raise AssertionError("the backfill never catches up")


def test_searches_answer_from_one_space_throughout(database_url: str) -> None:
    """K-16: begin, backfill, activate, rollback, reclaim under readers and writers: no mixture, no failure."""
    with Store.open(database_url, PATIENT) as store:
        fill(store)
        with under_load(database_url, store, {"old": old}) as reading:
            store.spaces.begin("docs", "new", 3)
        assert {distance for future in reading for distance in future.result()} == {0.0}
        with under_load(database_url, store, {"old": old, "new": new}) as reading:
            report = store.spaces.backfill("docs", slowly(new), batch_size=16)
            assert report.embedded >= CHUNKS
            activate(store)
            time.sleep(0.2)
            store.spaces.rollback("docs", allow_missing=True)
            time.sleep(0.2)
            store.spaces.rollback("docs", allow_missing=True)
            time.sleep(0.1)
        assert all(set(future.result()) == {0.0, 1.0} for future in reading)
        with under_load(database_url, store, {"new": new}) as reading:
            assert store.spaces.reclaim("docs", older_than=0) == 1
        assert {distance for future in reading for distance in future.result()} == {1.0}
        (space,) = store.spaces.list("docs")
        assert (space.model, space.state) == ("new", "active")


def happened() -> Event:
    """Give an event that has happened."""
    event = Event()
    event.set()
    return event


def test_no_chunk_is_left_behind(database_url: str) -> None:
    """K-16: with both models given to every put, the coverage is complete at the switch and after it."""
    with Store.open(database_url, PATIENT) as store:
        fill(store)
        store.spaces.begin("docs", "new", 3)
        with under_load(database_url, store, {"old": old, "new": new}):
            store.spaces.backfill("docs", slowly(new))
            activate(store)
            assert store.spaces.coverage("docs").missing == 0
            time.sleep(0.2)
        assert store.spaces.coverage("docs").missing == 0


KILLED = """
    import os, signal, sys
    from sqlalchemy import Engine, event
    from ragstore import Store
    url, call, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    store = Store.open(url)
    left = number
    @event.listens_for(Engine, "after_cursor_execute")
    def count(*_):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    if call == "backfill":
        store.spaces.backfill("docs", lambda texts: [[0.0, 1.0, 0.0]] * len(texts), batch_size=10)
    elif call == "reclaim":
        store.spaces.reclaim("docs", older_than=0)
    else:
        getattr(store.spaces, call)("docs")
"""


def killed(url: str, call: str, number: int) -> bool:
    """Make a call in a process that is killed after its n-th statement; False: it was done before."""
    command = [sys.executable, "-c", textwrap.dedent(KILLED), url, call, str(number)]
    done = subprocess.run(command, env={**os.environ}, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


@pytest.mark.parametrize("numbers", [(12, 40), pytest.param(range(3, 200, 5), marks=pytest.mark.slow)])
def test_kill_in_mid_backfill(database_url: str, numbers: Any) -> None:
    """K-16: kill -9 at any statement; the next run goes on, and nothing is written twice."""
    with Store.open(database_url, PATIENT) as store:
        fill(store)
        store.spaces.begin("docs", "new", 3)
        written = [0]
        for number in numbers:
            interrupted = killed(database_url, "backfill", number)
            written.append(store.spaces.coverage("docs").embedded)
            if not interrupted:
                break
        assert written == sorted(written)
        assert written[-1] > 0
        assert all(count % 10 == 0 for count in written)
        report = store.spaces.backfill("docs", new)
        assert (report.embedded, report.remaining) == (CHUNKS - written[-1], 0)
        assert store.spaces.activate("docs").model == "new"


@pytest.mark.parametrize("numbers", [(4, 5, 6), pytest.param(range(1, 12), marks=pytest.mark.slow)])
def test_kill_in_mid_switch(database_url: str, numbers: Any) -> None:
    """K-16: kill -9 at any statement of `activate`; the old space or the new one answers, never both or none."""
    with Store.open(database_url, PATIENT) as store:
        fill(store)
        store.spaces.begin("docs", "new", 3)
        store.spaces.backfill("docs", new)
        for number in numbers:
            if not killed(database_url, "activate", number):
                break
            assert [space.state for space in store.spaces.list("docs")] == ["active", "building"]
            assert {round(distance, 6) for distance in read(store, happened())} == {0.0}
        else:
            store.spaces.activate("docs")
        assert [space.state for space in store.spaces.list("docs")] == ["retired", "active"]
        assert {round(distance, 6) for distance in read(store, happened())} == {1.0}


def test_kill_in_mid_reclaim(database_url: str) -> None:
    """K-16: what is half deleted is deleted by the next call."""
    with Store.open(database_url, PATIENT) as store:
        fill(store)
        store.spaces.begin("docs", "new", 3)
        store.spaces.backfill("docs", new)
        store.spaces.activate("docs")
        for number in (7, 9):
            if killed(database_url, "reclaim", number):
                assert [space.state for space in store.spaces.list("docs")] in (["retired", "active"], ["active"])
        store.spaces.reclaim("docs", older_than=0)
        assert [space.state for space in store.spaces.list("docs")] == ["active"]
        assert store.spaces.coverage("docs").embedded == CHUNKS


BUILDER = """
    import sys
    from ragstore import Store
    with Store.open(sys.argv[1]) as store:
        store.spaces.create_index("docs", ef_construction=400, m=48)
"""


def test_kill_in_mid_build(postgres_url: str) -> None:
    """K-17: a killed builder leaves a build that the server goes on with, or an invalid index: it is mended."""
    with Store.open(postgres_url, PATIENT) as store, contextlib.closing(Database(postgres_url)) as reader:
        store.collections.ensure("docs", model="old", dimensions=64)
        store.documents.put("docs", NewDocument(source="a"), [f"text {n}" for n in range(1000)], embed=Embedder(64))
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")  # the build cannot end before this does
        reader.execute("SELECT 1")
        builder = subprocess.Popen([sys.executable, "-c", textwrap.dedent(BUILDER), postgres_url], env={**os.environ})
        deadline = time.monotonic() + 120
        while (status := store.spaces.index_status("docs")).name is None and time.monotonic() < deadline:
            time.sleep(0.01)
        builder.kill()
        builder.wait()
        assert status.state == "building"
        assert len(store.chunks.search("docs", embedding=[1.0] * 64)) == 10
        assert [space.index_state for space in store.spaces.list("docs")] == ["building"]
        reader.execute("ROLLBACK")
        mended = store.spaces.create_index("docs", ef_construction=400, m=48)
        assert (mended.state, mended.valid) == ("ready", True)
