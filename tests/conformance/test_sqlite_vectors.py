"""Vector search on SQLite: what is kept in memory is always what the file holds."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from ragstore import AsyncStore, F, Settings, Store, configure_engine, upgrade
from ragstore.core import nearest
from ragstore.core.memory import VectorMemory
from ragstore.testing.factories import DIMENSIONS, MODEL, chunk, document, vector, word
from tests.conformance.support import watching

QUERY = vector("q")


@pytest.fixture
def file(sqlite_database: str) -> Iterator[Store]:
    """Open a store on a file that has a collection for vectors."""
    with Store.open(sqlite_database) as store:
        store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
        yield store


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few vectors make several blocks."""
    monkeypatch.setattr(nearest, "BLOCK_BYTES", 64)


def memory_of(store: Any) -> VectorMemory:
    memory: VectorMemory = store._access.memory
    return memory


def found(handle: Any, collection: str = "docs", **asked: Any) -> list[tuple[str, float]]:
    hits = handle.chunks.search(collection, embedding=asked.pop("embedding", QUERY), limit=1000, **asked)
    return [(hit.content, hit.distance) for hit in hits]


def texts(handle: Any, collection: str = "docs", **asked: Any) -> set[str]:
    return {content for content, _ in found(handle, collection, **asked)}


def fill(store: Store, count: int, *, of: int = 1, collection: str = "docs") -> None:
    store.documents.put(collection, document(of), [chunk(f"{word(i)} of {of}", page=i) for i in range(count)])


def path_of(store: Store) -> str:
    path = store.engine.url.database
    assert path is not None
    return path


# ---------------------------------------------------------------------------------------------- in the same process


def test_a_warm_search_reads_no_vectors(file: Store) -> None:
    """K-21: the second search takes them from memory."""
    fill(file, 300)
    first = found(file)
    with watching(file) as seen:
        assert found(file) == first
    assert len(first) == 300
    assert not any("dense" in statement for statement, _ in seen)


def test_what_was_added_is_read_alone(file: Store) -> None:
    """K-21: a put is followed by reading its vectors, not all of them again."""
    fill(file, 150)
    found(file)
    for number in range(2, 40):
        fill(file, 1 + number % 3, of=number)
        with watching(file) as seen:
            assert f"{word(0)} of {number}" in texts(file)
        reading = [statement for statement, _ in seen if "dense" in statement]
        assert len(reading) == 1
        assert "rowid) >" in reading[0]
    with Store.open(file.engine.url, Settings(vector_cache=0)) as uncached:
        assert found(file) == found(uncached)


def test_what_changes_is_noticed(file: Store) -> None:
    """K-21: chunks that go, come, and get other vectors; collections that go."""
    fill(file, 100)
    assert len(found(file)) == 100
    fill(file, 60)
    assert len(found(file)) == 60
    before = found(file)
    sqlite = sqlite3.connect(path_of(file))
    half = "(SELECT chunk_id FROM rag_embedding LIMIT 30)"
    last = "(SELECT dense FROM rag_embedding ORDER BY chunk_id DESC LIMIT 1)"
    with sqlite:
        sqlite.execute(f"UPDATE rag_embedding SET dense = {last} WHERE chunk_id IN {half}")
    after = found(file)
    assert after != before
    assert after == fresh(file)
    with sqlite:
        sqlite.execute(f"DELETE FROM rag_embedding WHERE chunk_id IN {half}")
    assert len(found(file)) == 30
    sqlite.execute("VACUUM")
    sqlite.close()
    fill(file, 5, of=2)
    assert found(file) == fresh(file)
    assert len(found(file)) == 35
    file.collections.delete("docs")
    file.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
    assert found(file) == []


def fresh(store: Store) -> list[tuple[str, float]]:
    with Store.open(store.engine.url) as another:
        return found(another)


@pytest.mark.parametrize("dimensions", [3, 2100])
@pytest.mark.parametrize("metric", ["cosine", "l2", "inner_product"])
def test_memory_and_file_give_the_same(sqlite_database: str, metric: Any, dimensions: int) -> None:
    """K-8, K-21: with and without a filter, whole and half precision, also after vectors were added and removed."""
    uncached = Settings(vector_cache=0)
    with Store.open(sqlite_database) as store, Store.open(sqlite_database, uncached) as plain:
        store.collections.ensure("docs", model=MODEL, dimensions=dimensions, metric=metric)
        query = vector("q", dimensions=dimensions)
        for step in range(4):
            pieces = [chunk(f"{word(i)} of {step}", page=i % 40, dimensions=dimensions) for i in range(70)]
            store.documents.put("docs", document(step), pieces)
            if step == 2:
                store.documents.delete("docs", document(0).source)
            for where in (None, F.page < 3, F.page == 7, F.page < 39, F.page == 99):
                shapes: tuple[dict[str, Any], ...] = ({}, {"per_document": 2}, {"offset": 11})
                for asked in shapes:
                    expected = found(plain, where=where, embedding=query, **asked)
                    assert found(store, where=where, embedding=query, **asked) == expected
                    assert len(expected) > 0 or where is not None or "per_document" in asked
        assert memory_of(store).size > 0
        assert memory_of(plain).size == 0


# --------------------------------------------------------------------------------------------------- who else writes

WRITER = """
import sys
from ragstore import Store
from ragstore.testing.factories import chunk, document
with Store.open(sys.argv[1]) as store:
    for line in sys.stdin:
        number, *contents = line.split()
        if contents:
            store.documents.put("docs", document(int(number)), [chunk(content) for content in contents])
        else:
            store.documents.delete("docs", document(int(number)).source)
        print("done", flush=True)
"""


def test_another_process_writes(file: Store) -> None:
    """K-21: what it adds, replaces and deletes is seen by the very next search."""
    url = f"sqlite:///{path_of(file)}"
    command = [sys.executable, "-c", WRITER, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        steps = [
            ("1 a b c", {"a", "b", "c"}),
            ("2 d", {"a", "b", "c", "d"}),
            ("1 a x", {"a", "x", "d"}),
            ("2", {"a", "x"}),
            ("2 d e", {"a", "x", "d", "e"}),
        ]
        for line, expected in steps:
            writer.stdin.write(line + "\n")
            writer.stdin.flush()
            assert writer.stdout.readline() == "done\n"
            assert texts(file) == expected
            assert memory_of(file).size > 0
            assert texts(file) == expected
        writer.stdin.close()
        assert writer.wait(30) == 0


class _Undo(Exception):
    pass


def test_what_a_unit_takes_back_was_never_there(file: Store) -> None:
    """K-21: the unit sees its own vectors; who comes after sees others, even if they count the same."""
    fill(file, 5)
    assert len(found(file)) == 5
    for warm in (True, False):
        with pytest.raises(_Undo), file.begin() as unit:
            unit.documents.put("docs", document(2), [chunk("taken back")])
            assert "taken back" in texts(unit)
            if warm:
                assert "taken back" not in texts(file)
            raise _Undo
        file.documents.put("docs", document(2), [chunk(f"kept {warm}")])
        assert texts(file) == {*(f"{word(i)} of 1" for i in range(5)), f"kept {warm}"}
        file.documents.delete("docs", document(2).source)
    with pytest.raises(_Undo), file.begin() as unit:
        unit.documents.delete("docs", document(1).source)
        assert found(unit) == []
        raise _Undo
    assert len(found(file)) == 5


def test_a_unit_uses_what_is_in_memory(file: Store) -> None:
    """K-21: as long as it has not written, nothing is read twice."""
    fill(file, 50)
    expected = found(file)
    for read_only in (False, True):
        with file.begin(read_only=read_only) as unit, watching(file) as seen:
            assert found(unit) == expected
            assert not any("dense" in statement for statement, _ in seen)


def test_an_old_snapshot_is_searched_as_it_was(file: Store) -> None:
    """K-3, K-21: a reader's snapshot is neither given newer vectors, nor are its old ones kept for others."""
    fill(file, 5)
    with file.begin(read_only=True) as unit:
        assert len(found(unit)) == 5
        fill(file, 3, of=2)
        assert len(found(file)) == 8
        assert len(found(unit)) == 5
        assert len(found(file)) == 8


def test_the_hosts_transaction(file: Store) -> None:
    """K-21: searched as it sees the file; nothing of it is kept."""
    fill(file, 5)
    assert len(found(file)) == 5
    configured = create_engine(file.engine.url)
    configure_engine(configured)
    for engine in (file.engine, configured):
        with Session(engine) as session:
            host = file.using(session)
            assert len(found(host)) == 5
            host.documents.put("docs", document(2), [chunk("the host's")])
            assert "the host's" in texts(host)
            assert "the host's" not in texts(file)
            session.rollback()
        file.documents.put("docs", document(2), [chunk("another")])
        assert "another" in texts(file)
        assert "the host's" not in texts(file)
        file.documents.delete("docs", document(2).source)
    configured.dispose()


def test_one_connection_for_all(tmp_path: Path) -> None:
    """K-21: in memory, a reader may see what is not committed: nothing is kept."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    configure_engine(engine)
    upgrade(engine)
    with Store.open(engine) as store:
        store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
        fill(store, 5)
        assert len(found(store)) == 5
        assert memory_of(store).size == 0
    engine.dispose()


# ------------------------------------------------------------------------------------------------- many, and how much


def test_two_files(file: Store, tmp_path: Path) -> None:
    """K-21: a copy of a file has the same spaces and counts, and other vectors."""
    fill(file, 3)
    found(file)
    with sqlite3.connect(path_of(file)) as checkpoint:
        checkpoint.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    checkpoint.close()
    copied = shutil.copy(path_of(file), tmp_path / "copy.db")
    with Store.open(f"sqlite:///{copied}") as other:
        for store, text in ((file, "one"), (other, "two")):
            store.documents.put("docs", document(2), [chunk(text)])
        for store, mine, foreign in ((file, "one", "two"), (other, "two", "one"), (file, "one", "two")):
            assert mine in texts(store)
            assert foreign not in texts(store)
        with Session(other.engine) as session:
            assert "two" in texts(file.using(session))
        assert "one" in texts(file)


def test_tenants_share_the_memory_and_nothing_in_it(file: Store) -> None:
    """K-21: each is searched for itself."""
    other = file.for_tenant("other")
    other.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
    fill(file, 2)
    fill(other, 4, of=2)
    for _ in range(2):
        assert len(found(file)) == 2
        assert len(found(other)) == 4
    assert memory_of(file) is memory_of(other)


def test_memory_is_bounded(sqlite_database: str) -> None:
    """K-21: spaces that were not searched for longest go; one that does not fit is read from the file each time."""
    size = 20 * nearest.row_bytes(DIMENSIONS)
    with Store.open(sqlite_database, Settings(vector_cache=2 * size + 10)) as store:
        for number in range(4):
            name = f"docs {number}"
            store.collections.ensure(name, model=MODEL, dimensions=DIMENSIONS)
            fill(store, 50 if number == 3 else 20, collection=name)
        for _ in range(2):
            for number in (0, 1, 2, 3, 1):
                assert len(found(store, f"docs {number}")) == (50 if number == 3 else 20)
                assert memory_of(store).size <= 2 * size + 10
        assert memory_of(store).size == 2 * size
        fill(store, 25, of=2, collection="docs 1")  # it was kept, and has outgrown the memory
        for _ in range(2):
            assert len(found(store, "docs 1")) == 45
            assert memory_of(store).size <= 2 * size + 10


def test_many_threads(file: Store) -> None:
    """K-3, K-21: while one writes, all others see one version of the document or another, whole."""

    def write(version: int) -> None:
        pieces = [chunk(f"{version} {word(i)}") for i in range(20 + version % 5)]
        file.documents.put("docs", document(1), pieces)
        file.documents.put("docs", document(1000 + version), [chunk(f"more {version}")])

    def read(_: int) -> None:
        contents = texts(file, where=F.source == document(1).source)
        versions = {content.split()[0] for content in contents}
        assert len(versions) == 1
        assert len(contents) == 20 + int(versions.pop()) % 5

    write(0)
    with ThreadPoolExecutor(5) as pool:
        writing = pool.submit(lambda: list(map(write, range(1, 25))))
        reading = [pool.submit(read, number) for number in range(150)]
        writing.result(60)
        for one in reading:
            one.result(60)
    assert found(file) == fresh(file)
    assert len(found(file)) == 24 + 25


def test_many_tasks(sqlite_database: str) -> None:
    """K-21: the async face, cold and warm, with a writer among the readers."""

    async def run() -> None:
        async with AsyncStore.open(sqlite_database) as store:
            await store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
            await store.documents.put("docs", document(1), [chunk(word(i)) for i in range(50)])

            async def read() -> int:
                return len(await store.chunks.search("docs", embedding=QUERY, limit=1000))

            for number in range(2, 6):
                put = store.documents.put("docs", document(number), [chunk(f"more {number}")])
                counts = await asyncio.gather(*(read() for _ in range(8)), put)
                assert all(count in (48 + number, 49 + number) for count in counts[:-1])
                assert await read() == 49 + number
            async with AsyncSession(store.engine) as session, session.begin():
                host = store.using(session)
                await host.documents.put("docs", document(9), [chunk("the host's")])
                assert len(await host.chunks.search("docs", embedding=QUERY, limit=1000)) == 55
                assert await read() == 54
            assert await read() == 55

    asyncio.run(run())
