"""M60: a rolling deploy. Old code goes on writing while new code upgrades the database under it, and after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from ragstore import Limit, Policy, Store
from ragstore.migrations import State, chain, check, status, upgrade
from tests.migrations.conftest import finish, start_child
from tests.migrations.releases import Release, extract, older

WORKERS = 3
WRITES = {
    "conversations": """
        store.conversations.append(f"own-{name}", NewMessage(role="user", content=f"{name} {done} Größe"))
        asked = dict(thread_id="shared", query="q", response="a", sources=[NewCitation(source="s")], feedback=1)
        store.conversations.record_exchange(**asked)
        assert store.conversations.history(f"own-{name}", limit=1)[-1].seq == done + 1
    """,
    "documents": """
        chunk = NewChunk(content=f"An owl of {name} {done}", embedding=[1.0, 0.5, float(done)])
        store.documents.put("manual", NewDocument(source=f"{name} {done}"), [chunk])
        assert store.chunks.search("manual", text="owls", embedding=[1.0, 0.5, 0.0])
    """,
    "rate_limits": """
        limit = r.Limit(10**6, timedelta(days=366))
        assert store.rate_limits.hit(r.Policy("api", limit, max_wait=60.0), "shared").allowed
    """,
    "sessions": """
        token = store.sessions.create(f"user {name}", data={"n": done}).token
        assert store.sessions.authenticate(token) is not None
    """,
}
WORKER = """
import json, sys, threading
from datetime import timedelta
import ragstore as r
from ragstore import NewChunk, NewCitation, NewDocument, NewMessage, Store
url, name, kinds = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
stop = threading.Event()
done, goal = 0, 2
def listen():
    global goal
    for _ in sys.stdin:
        goal = done + 3
    stop.set()
threading.Thread(target=listen, daemon=True).start()
with Store.open(url) as store:
    while not stop.is_set():
        for kind in kinds:
            exec(kind)
        done += 1
        if done >= goal:
            goal = float("inf")
            print("writing", flush=True)
print(json.dumps(done))
"""


def start_worker(code: Path, url: str, name: str, kinds: list[str]) -> Any:
    given = json.dumps([dedent(kind) for kind in kinds])
    return start_child(WORKER, url, name, given, stdin=-1, env={"PYTHONPATH": str(code / "src")})


def each_older() -> Iterator[Any]:
    """Give the newest of them to every run, and all to a slow one."""
    *others, newest = older()
    for release in others:
        yield pytest.param(release, id=release.revision, marks=pytest.mark.slow)
    yield pytest.param(newest, id=newest.revision)


@pytest.mark.parametrize("release", list(each_older()))
def test_old_code_writes_on(database_url: str, release: Release, tmp_path: Path) -> None:
    """M60: no error in any worker, before, during and after the upgrade, and every row is there."""
    code = extract(release, tmp_path / "code")
    upgrade(database_url, release.revision)
    with Store.open(database_url) as store:
        store.collections.ensure("manual", model="m", dimensions=3)
    kinds = [WRITES[kind] for kind in release.writes]
    workers = [start_worker(code, database_url, str(number), kinds) for number in range(WORKERS)]
    with ExitStack() as stack:
        for worker in workers:
            stack.enter_context(worker)
            stack.callback(worker.kill)
        all_write(workers)
        assert upgrade(database_url, timeout=300).applied == chain.CHAIN[chain.position(release.revision) :]
        for worker in workers:
            worker.stdin.write("again\n")
            worker.stdin.flush()
        all_write(workers)  # the old code on the new schema
        counts = [json.loads(finish(worker)) for worker in workers]
    assert status(database_url).state is State.CURRENT
    assert check(database_url) == ()
    with Store.open(database_url) as store:
        expect(store, counts, release)


def all_write(workers: list[Any]) -> None:
    """Wait until each of them says so."""
    for worker in workers:
        assert worker.stdout.readline() == "writing\n", worker.stderr.read()


def expect(store: Store, counts: list[int], release: Release) -> None:
    """See that what the workers wrote is there, all of it, and can be used by the new code."""
    assert min(counts) > 4
    for number, count in enumerate(counts):
        said = [message.content for message in store.conversations.page(f"own-{number}", limit=1000)]
        assert said == [f"{number} {place} Größe" for place in range(count)]
        found = store.documents.page("manual", limit=1000)
        sources = {document.source for document in found if document.source.startswith(f"{number} ")}
        assert sources == {f"{number} {place}" for place in range(count)}
    while store.maintenance().index_messages():
        pass
    found = store.conversations.search("Größe", thread_id="own-0", limit=1000)
    assert len(found) == counts[0]  # the old code did not know that messages can be searched
    shared = store.conversations.page("shared", limit=1000)
    assert [message.seq for message in shared] == list(range(1, 2 * sum(counts) + 1))
    if "rate_limits" in release.writes:
        left = store.rate_limits.peek(Policy("api", Limit(10**6, timedelta(days=366)), max_wait=60.0), "shared")
        assert left.remaining is not None
        assert sum(counts) - 10 <= 10**6 - left.remaining <= sum(counts)  # one comes back in half a minute
    if "sessions" in release.writes:
        for number, count in enumerate(counts):
            assert len(list(store.sessions.list_user(f"user {number}"))) == count
