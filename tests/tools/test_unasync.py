"""The twin-writing script: what it makes of a module, and what `--check` finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools import unasync

HEADER = unasync.HEADER.format("_async.py")

SOURCE = '''\
"""An asynchronous repository.

    store = await AsyncStore.open("x").ready()
    asyncio.run(main())

Callers await the result.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Self

from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
)

from ragstore.core._async import AsyncAccess
from ragstore.core._face_async import sleep

KIND = "await async"  # how the async face calls itself
__all__ = ["AsyncThing"]


class AsyncThing(AsyncAccess):
    engine: AsyncEngine
    inner: AbstractAsyncContextManager[AsyncConnection]

    # async only
    async def gather(self) -> None:
        await asyncio.gather()

    # end async only
    @asynccontextmanager
    async def begin(self) -> AsyncIterator[_AsyncRoom]:
        """Give a room, in an async transaction."""
        async with AsyncExitStack() as stack, self.engine.connect() as connection:
            await stack.enter_async_context(connection)
            yield (await connection.execute(self.query)).one()
            total = (await self.one(connection)) + (await self.two())

    async def rows(self, connection: AsyncConnection, f: Callable[[int], Awaitable[int]]) -> AsyncGenerator[int, None]:
        await connection.run_sync(self.backend.begin, (1, 2), write=True)
        await self.work.connection.run_sync(lambda plain: plain.info)
        async for row in await connection.stream(self.query):
            yield row
        values = [x async for x in self.rows(connection, f) if await f(x)]
        await anext(aiter(values), f"{AsyncThing!r}")

    async def __aenter__(self) -> Self:
        return self

    async def aclose(self, session: AsyncSession, query: Executable) -> None:
        await sleep(1)
        raise StopAsyncIteration
'''

TWIN = '''\
"""A synchronous repository.

    store = Store.open("x").ready()
    main()

Callers await the result.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Self

from sqlalchemy import Connection, Engine, Executable
from sqlalchemy.orm import Session

from ragstore.core._face_sync import sleep
from ragstore.core._sync import Access

KIND = "await async"  # how the sync face calls itself
__all__ = ["Thing"]


class Thing(Access):
    engine: Engine
    inner: AbstractContextManager[Connection]

    @contextmanager
    def begin(self) -> Iterator[_Room]:
        """Give a room, in a sync transaction."""
        with ExitStack() as stack, self.engine.connect() as connection:
            stack.enter_context(connection)
            yield connection.execute(self.query).one()
            total = (self.one(connection)) + (self.two())

    def rows(self, connection: Connection, f: Callable[[int], int]) -> Generator[int, None]:
        self.backend.begin(connection, (1, 2), write=True)
        (lambda plain: plain.info)(self.work.connection)
        for row in connection.execute(self.query):
            yield row
        values = [x for x in self.rows(connection, f) if f(x)]
        next(iter(values), f"{Thing!r}")

    def __enter__(self) -> Self:
        return self

    def close(self, session: Session, query: Executable) -> None:
        sleep(1)
        raise StopIteration
'''


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one aggregate, whose twin is not yet written."""
    folder = tmp_path / "src/ragstore/things"
    folder.mkdir(parents=True)
    (folder / "_async.py").write_text(SOURCE)
    (tmp_path / "tests").mkdir()
    return tmp_path


def test_a_module_becomes_its_twin(checkout: Path) -> None:
    assert unasync.main(["--root", str(checkout)]) == 0

    twin = (checkout / "src/ragstore/things/_sync.py").read_text()
    compile(twin, "_sync.py", "exec")
    assert twin == HEADER + TWIN


def test_what_was_written_passes_the_check(checkout: Path) -> None:
    unasync.main(["--root", str(checkout)])

    assert unasync.main(["--check", "--root", str(checkout)]) == 0


@pytest.mark.parametrize(("before", "word"), [(None, "missing"), ("x = 1\n", "stale")])
def test_check_names_a_wrong_twin_and_leaves_it(
    checkout: Path, before: str | None, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    twin = checkout / "src/ragstore/things/_sync.py"
    if before is not None:
        twin.write_text(before)

    assert unasync.main(["--check", "--root", str(checkout)]) == 1

    assert f"src/ragstore/things/_sync.py: {word}" in capsys.readouterr().out
    assert (twin.read_text() if twin.exists() else None) == before


def test_a_twin_without_a_source_is_found_and_removed(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unasync.main(["--root", str(checkout)])
    (checkout / "src/ragstore/things/_async.py").unlink()
    twin = checkout / "src/ragstore/things/_sync.py"

    assert unasync.main(["--check", "--root", str(checkout)]) == 1
    assert "_sync.py: its source is gone" in capsys.readouterr().out
    assert twin.exists()
    unasync.main(["--root", str(checkout)])
    assert not twin.exists()


def test_tests_lose_their_marks_and_hand_written_pairs_are_left_alone(checkout: Path) -> None:
    (checkout / "src/ragstore/things/_face_async.py").write_text("x = 1\n")
    (checkout / "tests/test_things_async.py").write_text(
        "import pytest\n\npytestmark = pytest.mark.anyio\n\n\n"
        "@pytest.mark.anyio\n@pytest.mark.slow\nasync def test_close_async(async_store):\n"
        "    await async_store.aclose()\n"
    )

    unasync.main(["--root", str(checkout)])

    assert (checkout / "tests/test_things_sync.py").read_text() == unasync.HEADER.format("test_things_async.py") + (
        "import pytest\n\n\n@pytest.mark.slow\ndef test_close_sync(store):\n    store.close()\n"
    )
    assert not (checkout / "src/ragstore/things/_face_sync.py").exists()


@pytest.mark.parametrize("marker", ["# async only", "# end async only"])
def test_a_marker_without_its_partner_is_refused(marker: str) -> None:
    with pytest.raises(SystemExit, match="without its partner"):
        unasync.convert(f"x = 1\n{marker}\n")


def test_the_twins_of_this_checkout_are_fresh() -> None:
    run = [sys.executable, "tools/unasync.py", "--check"]
    done = subprocess.run(run, cwd=unasync.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
