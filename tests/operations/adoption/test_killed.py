"""An adoption that is killed leaves whole batches, and the next run completes it: nothing twice, nothing lost."""

from __future__ import annotations

import signal
import time

import pytest

from ragstore import Store
from ragstore.operations.adoption import adopt
from tests.migrations.conftest import start_child
from tests.operations.adoption.conftest import OldApp, exchange, stored

KILLED = """
    import os, signal, sys
    from ragstore import Store
    from ragstore.operations.adoption import adopt

    source, target, table, when = sys.argv[1:]

    def progress(now):
        print(now.stage, now.table, now.done, flush=True)
        if now.stage == "writing" and now.table == table and now.done >= int(when):
            os.kill(os.getpid(), signal.SIGKILL)

    adopt(Store.open(target), source, batch=10, progress=progress)
"""
FOREVER = "import sys; from ragstore import Store; from ragstore.operations.adoption import adopt\n"
FOREVER += "print('ready', flush=True); adopt(Store.open(sys.argv[2]), sys.argv[1], batch=1)"


def is_complete(store: Store, old: OldApp) -> None:
    report = adopt(store, old.url, batch=7)
    assert (report.threads, report.messages, report.documents, report.chunks) == (7, 120, 10, 40)
    for number in range(7):
        wanted = [row for n in range(1, 61) if (row := exchange(n))["thread_id"] == f"thread-{number}"]
        questions = store.conversations.history(f"thread-{number}", 1000)[::2]
        assert [question.content for question in questions] == [row["user_query"] for row in wanted]
        assert [question.seq for question in questions] == list(range(1, 2 * len(wanted), 2))
    assert store.chunks.count("adopted") == 40
    changes = stored(store)["rag_feedback_change"]
    assert len(changes) == sum(exchange(n)["feedback"] in (1, -1) for n in range(1, 61))


@pytest.mark.parametrize(("table", "when"), [("conversation", 40), ("document_chunk", 1)])
def test_a_run_killed_between_batches_is_completed_by_the_next(
    store: Store, database_url: str, old: OldApp, table: str, when: int
) -> None:
    old.fill(exchanges=60, pieces=40)
    child = start_child(KILLED, old.url, database_url, table, str(when))
    _, errors = child.communicate(timeout=300)
    assert child.returncode == -signal.SIGKILL, errors
    before = adopt(store, old.url, dry_run=True)
    assert before.conversation is not None
    assert before.conversation.present == (when if table == "conversation" else 60)
    is_complete(store, old)
    reference = stored(store)
    is_complete(store, old)
    assert stored(store) == reference


@pytest.mark.parametrize("milliseconds", [20, 120])
def test_a_run_killed_at_any_moment_is_completed_by_the_next(
    store: Store, database_url: str, sqlite_old: OldApp, milliseconds: int
) -> None:
    """Wherever it is: a transaction is there or is not."""
    sqlite_old.fill(exchanges=60, pieces=40)
    child = start_child(FOREVER, sqlite_old.url, database_url)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    time.sleep(milliseconds / 1000)
    child.kill()
    child.communicate(timeout=300)
    is_complete(store, sqlite_old)
