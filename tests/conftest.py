"""What all tests share: ragstore's own pytest plugin, and asyncio for the async ones."""

from __future__ import annotations

import os
import shutil
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", settings(), deadline=None)  # on a busy machine any example may take long
settings.load_profile("untimed")

# An installed ragstore registers its plugin by an entry point; a bare checkout does not.
pytest_plugins = [] if "ragstore" in entry_points(group="pytest11").names else ["ragstore.testing.plugin"]


MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))  # for SQLite's files: a disk takes twice the time


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run async tests on asyncio, the one loop that the drivers know."""
    return "asyncio"
