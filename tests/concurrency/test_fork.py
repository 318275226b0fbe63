"""A process that forks: the child makes connections of its own, the parent's stay as they were."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from sqlalchemy import text

from ragstore import NewDocument, Store, upgrade
from ragstore.core.ids import new_id

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]


def _backend(store: Store) -> object:
    with store.engine.connect() as connection:
        postgresql = store.engine.dialect.name == "postgresql"
        return connection.execute(text("SELECT pg_backend_pid()" if postgresql else "SELECT 1")).scalar()


def _work(store: Store, number: int, answers: "multiprocessing.Queue[object]") -> None:
    store.documents.put("docs", NewDocument(source=f"from child {number}"), [f"child {number}"])
    answers.put((number, _backend(store)))
    answers.close()
    answers.join_thread()
    sys.stdout.flush()
    os._exit(0)  # no clean-up of pytest's in here


def test_four_children_share_no_connection(database_url: str) -> None:
    """CX23, CX24, L14: the engine was used before the fork."""
    upgrade(database_url)
    with Store.open(database_url) as store:
        store.collections.ensure("docs")
        parents = _backend(store)
        forking = multiprocessing.get_context("fork")
        answers: multiprocessing.Queue[object] = forking.Queue()
        children = [forking.Process(target=_work, args=(store, number, answers)) for number in range(4)]
        for child in children:
            child.start()
        found = [answers.get(timeout=60) for _ in children]
        for child in children:
            child.join(60)
        assert [child.exitcode for child in children] == [0] * 4
        assert _backend(store) == parents
        assert store.chunks.count("docs") == 4
        if store.engine.dialect.name == "postgresql":
            assert len({backend for _, backend in found} | {parents}) == 5  # type: ignore[misc]


def test_children_make_ids_of_their_own() -> None:
    """Ids made in the same millisecond by children of one process differ, also in what is random in them."""
    first = new_id().hex
    made = [hexadecimal for answer in [_ids_of_a_child() for _ in range(6)] for hexadecimal in answer()]
    assert len(made) == 6 * IDS
    assert len({hexadecimal[FIXED:] for hexadecimal in [first, *made]}) == len(made) + 1


IDS = 200
FIXED = 12  # hex digits of the time


def _ids_of_a_child() -> Callable[[], list[str]]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, "".join(new_id().hex for _ in range(IDS)).encode())
        os._exit(0)
    os.close(writing)

    def read() -> list[str]:
        with os.fdopen(reading, encoding="ascii") as answer:
            ids = answer.read()
        os.waitpid(child, 0)
        return [ids[start : start + 32] for start in range(0, len(ids), 32)]

    return read


# What a script runs, with `store`, `url` and a `fork` that gives the child's process id or 0.
PARENT = """
import os, sys, threading, time
from contextlib import suppress
from datetime import timedelta
from sqlalchemy import text
from ragstore import NewDocument, NewMessage, Store
from ragstore.errors import UsageError
from ragstore.rate_limits import Limit, Policy
url = sys.argv[1]
store = Store.open(url)
store.collections.ensure("docs")
policy = Policy("p", Limit(1000, timedelta(days=1)), max_wait=20)
def put(source):
    store.documents.put("docs", NewDocument(source=source), ["text"])
def ended(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""


def run(script: str, url: str) -> str:
    """Run a script in a process that has no thread but its own; give what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", PARENT + script, url],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def sources(url: str) -> list[str]:
    with Store.open(url) as store:
        return sorted(document.source for document in store.documents.page("docs").items)


USES = {
    "put": "put('parent')",
    "hit": "store.rate_limits.hit(policy, 'k')",
    "async": "loop.run_until_complete(other.collections.page())",
    "async hit": "loop.run_until_complete(other.rate_limits.hit(policy, 'k'))",
}


@pytest.mark.parametrize("use", USES)
def test_a_child_writes_on_when_its_parent_has_closed_the_store(database_url: str, use: str) -> None:
    """CX23: on SQLite a child whose parent's connections live on in it takes no lock, and loses what it writes."""
    upgrade(database_url)
    run(
        f"""
import asyncio
from ragstore import AsyncStore
loop, other = asyncio.new_event_loop(), AsyncStore.open(url)
{USES[use]}
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    put("child")
    store.rate_limits.hit(policy, "k")
    os.close(writing)
    os.read(reading, 1)
    put("child, later")
    store.rate_limits.hit(policy, "k")
    os._exit(0)
os.close(reading)
put("parent, later")
store.close()
loop.run_until_complete(other.aclose())
loop.close()
os.close(writing)
assert ended(child) == 0
with Store.open(url) as again:
    assert len(again.documents.page("docs").items) >= 3
""",
        database_url,
    )
    assert {"child", "child, later", "parent, later"} <= set(sources(database_url))


LEAVING = {"at its end": "pass", "by an error": "raise KeyError", "by the interpreter's end": "sys.exit(7)"}


@pytest.mark.parametrize("leaving", LEAVING)
def test_a_unit_in_which_a_process_forks_is_the_parents(database_url: str, leaving: str) -> None:
    """CX24: nothing that the child does with it, whole or broken off, is done to the parent's transaction."""
    upgrade(database_url)
    run(
        f"""
child, many = None, [f"{{number}} " + "some word " * 100 for number in range(4000 if "sqlite" in url else 4)]
put("begun")
try:
    with store.begin() as unit:
        unit.documents.put("docs", NewDocument(source="first"), many)
        child = os.fork()
        if child == 0:
            try:
                unit.documents.put("docs", NewDocument(source="child's"), ["text"])
            except UsageError:
                pass
            else:
                os._exit(3)
            {LEAVING[leaving]}
        else:
            ended(child)
            unit.documents.put("docs", NewDocument(source="second"), ["text"])
except (KeyError, UsageError):
    sys.exit(5)  # the child, by way of the interpreter's end
store.close()
""",
        database_url,
    )
    assert sources(database_url) == ["begun", "first", "second"]
    with Store.open(database_url) as store:
        store.documents.put("docs", NewDocument(source="third"), ["text"])
        if store.engine.dialect.name == "sqlite":
            with store.engine.connect() as connection:
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_a_file_in_use_cannot_be_opened_in_a_child(sqlite_url: str) -> None:
    """The child would take no locks: it is told so, at its first call and by each store on that file."""
    upgrade(sqlite_url)
    out = run(
        """
inside, go = threading.Event(), threading.Event()
def work():
    with store.begin() as unit:
        unit.documents.put("docs", NewDocument(source="parent"), ["text"])
        inside.set()
        go.wait(60)
thread = threading.Thread(target=work)
thread.start()
inside.wait(60)
child = os.fork()
if child == 0:
    for call in (lambda: put("child"), lambda: Store.open(url).collections.page()):
        try:
            call()
        except UsageError as error:
            assert "forked while the store was in use" in str(error)
        else:
            os._exit(3)
    os._exit(0)
assert ended(child) == 0
go.set()
thread.join()
put("parent, later")
store.close()
""",
        sqlite_url,
    )
    assert out == ""
    assert sources(sqlite_url) == ["parent", "parent, later"]


def test_a_childs_threads_are_not_its_parents(database_url: str) -> None:
    """A thread of the child has the name of one of the parent's that was in a unit, which is no unit of its own."""
    upgrade(database_url)
    run(
        """
store.close()
store = Store.open(url)
with store.begin(read_only=True):
    child = None if url.startswith("sqlite") else os.fork()
    if child == 0:
        store.erase_user("nobody")
        os._exit(0)
if child is None:
    store._room.inside.append(core._face_sync.worker())
    child = os.fork()
    if child == 0:
        store.erase_user("nobody")
        os._exit(0)
assert ended(child) == 0
""".replace("core._face_sync", "__import__('ragstore.core._face_sync', fromlist=['worker'])"),
        database_url,
    )


def test_a_session_does_not_outlive_its_parent_in_a_child(postgres_url: str) -> None:
    """The server notices the end of a parent that was killed, though a child has its sockets."""
    upgrade(postgres_url)
    child = run(
        """
with store.begin() as unit:
    unit.documents.put("docs", NewDocument(source="lost"), ["text"])
    if (child := os.fork()) == 0:
        os.close(1), os.close(2)
        time.sleep(60)
        os._exit(0)
    print(child, flush=True)
    os._exit(0)
""",
        postgres_url,
    )
    try:
        with Store.open(postgres_url) as store, store.engine.connect() as connection:
            idle = text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state = 'idle in transaction' AND pid <> pg_backend_pid()"
            )
            deadline = time.monotonic() + 30
            while (left := connection.execute(idle).scalar()) and time.monotonic() < deadline:
                connection.rollback()
                time.sleep(0.05)
            assert left == 0
    finally:
        os.kill(int(child), signal.SIGKILL)
