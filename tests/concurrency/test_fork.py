"""A process that forks: the child makes connections of its own, the parent's stay as they were."""

import multiprocessing
import os
import sys
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
