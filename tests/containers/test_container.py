"""The smoke test of the conformance suite, on a PostgreSQL in a container."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import ragstore
from ragstore import NewMessage, Store
from ragstore.migrations import State, status
from ragstore.testing import servers
from ragstore.testing.factories import DIMENSIONS, MODEL, chunks, document, vector

pytestmark = pytest.mark.container


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """Start a container by testcontainers, whatever server the other tests run on."""
    if not servers.daemon_answers():
        pytest.skip("no Docker daemon answers: tools/container_host.sh starts one")
    folder: Path = tmp_path_factory.mktemp("container")
    yield servers.start_container(folder)
    servers.stop(folder)


def test_the_library_in_a_container(container: servers.Server) -> None:
    """DESIGN 7: upgrade, put, search, append."""
    url = container.create_database(f"{container.prefix}smoke")
    assert "127.0.0.1" in url
    assert ragstore.upgrade(url).committed
    assert ragstore.upgrade(url).applied == ()
    assert status(url).state is State.CURRENT
    with Store.open(url) as store:
        store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
        report = store.documents.put("docs", document(), chunks(5))
        assert (report.added, report.embedded) == (5, 5)
        assert store.documents.put("docs", document(), chunks(5)).unchanged == 5
        store.collections.analyze("docs")
        for asked in ({"text": "text 3"}, {"embedding": vector("q")}, {"text": "text", "embedding": vector("q")}):
            assert len(store.chunks.search("docs", **asked)) == 5
        store.conversations.append("thread", [NewMessage(role="user", content="a question")])
        assert [message.content for message in store.conversations.history("thread")] == ["a question"]
        assert store.documents.delete("docs", "doc-1.txt")
