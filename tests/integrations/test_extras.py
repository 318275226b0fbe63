"""Without a framework, its integration says how to install it."""

from __future__ import annotations

import importlib
import sys

import pytest

from ragstore.errors import MissingExtra


@pytest.mark.parametrize("framework", ["flask", "fastapi", "starlette"])
def test_a_framework_that_is_not_installed(framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == framework]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, framework, None)
    monkeypatch.delitem(sys.modules, f"ragstore.integrations.{framework}", raising=False)
    with pytest.raises(MissingExtra, match=rf"pip install 'ragstore\[{framework}\]'"):
        importlib.import_module(f"ragstore.integrations.{framework}")
