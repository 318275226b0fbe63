"""Files that cannot be opened, and what calls leave behind in the process and in the package."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from collections.abc import Callable
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


def test_installed_package_from_elsewhere(tmp_path: Path) -> None:
    """M53: from a copy with `%` and spaces in its path, another cwd, `-O`; nothing is written into the package.

    And a database at head needs no Alembic.
    """
    place = tmp_path / "site 100% (x)"
    shutil.copytree(PACKAGE, place / "ragstore", ignore=shutil.ignore_patterns("__pycache__"))
    before = sorted(place.rglob("*"))
    url = f"sqlite:///{tmp_path}/app.db"
    options: dict[str, Any] = {"flags": ["-O", "-B"], "cwd": "/"}
    first, second = (
        finish(start_child(ELSEWHERE, url, str(place), env={"PYTHONPATH": str(place)}, **options)) for _ in range(2)
    )
    assert first == f"False True {chain.CHAIN} True []"
    assert second == "False False () True []"
    assert sorted(place.rglob("*")) == before


def test_nothing_grows(database_url: str) -> None:
    """M55: neither at-exit callbacks nor file descriptors nor memory."""
    upgrade(database_url)
    process = psutil.Process()
    for _ in range(20):
        status(database_url)
    before = process.num_fds(), atexit._ncallbacks(), process.memory_info().rss  # type: ignore[attr-defined]
    for _ in range(100):
        status(database_url)
    after = process.num_fds(), atexit._ncallbacks(), process.memory_info().rss  # type: ignore[attr-defined]
    assert after[:2] == before[:2]
    assert after[2] - before[2] < 8 << 20
