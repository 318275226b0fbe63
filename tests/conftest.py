"""What all tests share: ragstore's own pytest plugin, and asyncio for the async ones."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

# An installed ragstore registers its plugin by an entry point; a bare checkout does not.
pytest_plugins = [] if "ragstore" in entry_points(group="pytest11").names else ["ragstore.testing.plugin"]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run async tests on asyncio, the one loop that the drivers know."""
    return "asyncio"
