"""Without a library, its integration says how to install it."""

from __future__ import annotations

import importlib
import sys

import pytest

from ragstore.errors import MissingExtra

LIBRARIES = {
    "flask": "flask",
    "fastapi": "fastapi",
    "starlette": "starlette",
    "langchain": "langchain_core",
    "openai_agents": "agents",
}


@pytest.mark.parametrize(("integration", "library"), LIBRARIES.items(), ids=LIBRARIES)
def test_a_library_that_is_not_installed(integration: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"ragstore.integrations.{integration}", raising=False)
    extra = integration.replace("_", "-")
    with pytest.raises(MissingExtra, match=rf"pip install 'ragstore\[{extra}\]'"):
        importlib.import_module(f"ragstore.integrations.{integration}")
