"""A process that forks: the child makes connections of its own, the parent's stay as they were."""

import multiprocessing
import os
import sys

import pytest
from sqlalchemy import text

from ragstore import NewDocument, Store, upgrade

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
