"""Files that cannot be opened, and what calls leave behind in the process and in the package."""

from __future__ import annotations

import atexit
import gc
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from ragstore.errors import CorruptDatabase, StorageError
from ragstore.migrations import State, chain, status, upgrade
from tests.migrations.conftest import PACKAGE, finish, start_child

SQL = Callable[..., list[Any]]


def test_missing_folder(tmp_path: Path) -> None:
    """M44: the folder is named, and nothing is created."""
    with pytest.raises(StorageError, match=r"folder .*nowhere does not exist"):
        upgrade(f"sqlite:///{tmp_path}/nowhere/app.db")
    assert list(tmp_path.iterdir()) == []


def test_path_is_a_folder(tmp_path: Path) -> None:
    """M44: said so, and nothing is created."""
    with pytest.raises(StorageError, match="is a folder"):
        upgrade(f"sqlite:///{tmp_path}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", [upgrade, status])
def test_not_a_database(tmp_path: Path, call: Callable[[str], object]) -> None:
    """M44: said so, and the file is as it was."""
    (tmp_path / "text.db").write_text("no database " * 100)
    with pytest.raises(CorruptDatabase, match="not an SQLite database"):
        call(f"sqlite:///{tmp_path}/text.db")
    assert (tmp_path / "text.db").read_text() == "no database " * 100
    assert len(list(tmp_path.iterdir())) == 1


READ_ONLY = """
    import os, sys
    import ragstore.migrations as m
    from ragstore.errors import StorageError
    m.upgrade("sqlite:///" + sys.argv[2])  # all modules are loaded: the other user may not be able to read them
    if os.geteuid() == 0:
        os.setuid(65534)
    try:
        m.upgrade(sys.argv[1], timeout=1)
    except StorageError as error:
        print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        pytest.param((0o444, 0o755), "read-only", id="file"),
        pytest.param((0o666, 0o555), "cannot be opened|read-only", id="folder"),
        pytest.param((0o666, 0o000), "cannot be reached", id="closed folder"),
    ],
)
def test_read_only(run_sql: SQL, modes: tuple[int, int], expected: str) -> None:
    """M44: a read-only file or folder, and one that may not be looked into."""
    with tempfile.TemporaryDirectory() as name:  # the child is another user if we are root
        file = Path(name) / "app.db"
        run_sql(f"sqlite:///{file}", "CREATE TABLE host (x)")
        with tempfile.TemporaryDirectory() as other:
            file.chmod(modes[0])
            file.parent.chmod(modes[1])
            try:
                printed = finish(start_child(READ_ONLY, f"sqlite:///{file}", f"{other}/warm.db"))
            finally:
                file.parent.chmod(0o755)
        assert re.search(expected, printed), printed
        assert status(f"sqlite:///{file}").state is State.EMPTY


ELSEWHERE = """
    import logging, sys
    import ragstore.migrations as m
    def alembic():  # assert does nothing under -O
        return any(name.startswith("alembic") for name in sys.modules)
    before = alembic()
    first = m.upgrade(sys.argv[1]).applied
    print(before, alembic(), first, m.__file__.startswith(sys.argv[2]), logging.getLogger().handlers)
"""


@pytest.mark.parametrize(
    ("flags", "environment"),
    [
        pytest.param(["-O", "-B"], {}, id="-O -B"),
        pytest.param([], {"PYTHONDONTWRITEBYTECODE": "1"}, id="by the environment"),
    ],
)
def test_installed_package_from_elsewhere(
    tmp_path: Path, database_url: str, flags: list[str], environment: dict[str, str]
) -> None:
    """M53: from a copy with `%` and spaces in its path, another cwd; nothing is written into the package.

    And a database at head needs no Alembic.
    """
    place = tmp_path / "site 100% (x)"
    shutil.copytree(PACKAGE, place / "ragstore", ignore=shutil.ignore_patterns("__pycache__"))
    before = sorted(place.rglob("*"))
    options: dict[str, Any] = {"flags": flags, "cwd": "/"}
    first, second = (
        finish(
            start_child(ELSEWHERE, database_url, str(place), env={"PYTHONPATH": str(place), **environment}, **options)
        )
        for _ in range(2)
    )
    assert first == f"False True {chain.CHAIN} True []"
    assert second == "False False () True []"
    assert sorted(place.rglob("*")) == before


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Have a folder that nobody can write to; root can, whatever the modes say, so it gets a read-only mount."""
    if os.geteuid() == 0:
        mounts = [["mount", "--bind", folder, folder], ["mount", "-o", "remount,bind,ro", folder]]
        if any(subprocess.run(mount, capture_output=True, check=False).returncode for mount in mounts):
            pytest.skip("nothing can be mounted here")
        undo = partial(subprocess.run, ["umount", "-l", folder], check=True)
    else:
        folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
        for path in folders:
            path.chmod(0o555)
        undo = partial(list, (path.chmod(0o755) for path in folders))
    try:
        yield
    finally:
        undo()


@pytest.mark.skipif(os.name != "posix", reason="file modes and mounts are POSIX")
def test_read_only_site_packages(tmp_path: Path) -> None:
    """M53: from a folder that cannot be written to, without any flag."""
    place = tmp_path / "site-packages"
    shutil.copytree(PACKAGE, place / "ragstore", ignore=shutil.ignore_patterns("__pycache__"))
    url = f"sqlite:///{tmp_path}/app.db"
    with read_only(place):
        with pytest.raises(OSError, match=r"ead-only|denied"):
            (place / "ragstore/x").touch()
        child = start_child(ELSEWHERE, url, str(place), env={"PYTHONPATH": str(place)}, cwd="/")
        assert finish(child) == f"False True {chain.CHAIN} True []"
    assert not list(place.rglob("__pycache__"))


def footprint(process: psutil.Process) -> tuple[int, int, int, int]:
    gc.collect()
    callbacks: int = atexit._ncallbacks()  # type: ignore[attr-defined]
    return process.num_fds(), callbacks, len(process.net_connections("all")), len(process.threads())


@pytest.mark.parametrize("looks", [100, pytest.param(500, marks=pytest.mark.slow)])
def test_nothing_grows(database_url: str, looks: int) -> None:
    """M55: neither at-exit callbacks nor file descriptors, connections, threads or memory."""
    upgrade(database_url)
    process = psutil.Process()
    for _ in range(100):  # fills caches
        status(database_url)
    before, grown = footprint(process), []
    for _ in range(5):  # what leaks does so each time
        size = process.memory_info().rss
        for _ in range(looks):
            assert status(database_url).state is State.CURRENT
        grown.append(process.memory_info().rss - size)
        if grown[-1] < (1 << 20) + looks * 2048:
            break
    else:
        pytest.fail(f"it grew by {grown} bytes")
    assert all(now <= then for now, then in zip(footprint(process), before, strict=True))
