"""The code in README.md, docs/ and the package's docstrings runs as it stands there.

One test a page or module: its examples run in order, in one namespace and in an empty directory. A page that names
`postgres_url` gets one. An example after a comment `<!--- skip: next -->` (`.. skip: next` in a docstring) is not run.
Docstrings have a `store` on a fresh SQLite file; those of an async module may use `await` outside functions.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sybil import Document, Example
from sybil.document import PythonDocStringDocument
from sybil.parsers import myst, rest

import ragstore

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("README.md"), *ROOT.glob("docs/**/*.md")])
MODULES = sorted(
    path
    for path in (ROOT / "src").rglob("*.py")
    if re.search(r"^\s*(>>> |\.\. code-block:: python$)", path.read_text(encoding="utf-8"), re.MULTILINE)
)


class Awaiting:
    """Run a block in which `await` may stand outside functions."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self.runner = runner

    def __call__(self, example: Example) -> None:
        source = "\n" * (example.line + example.parsed.line_offset) + example.parsed
        code = compile(source, example.path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        if code.co_flags & inspect.CO_COROUTINE:
            self.runner.run(eval(code, example.namespace))
        else:
            exec(code, example.namespace)


LIBRARIES = {"langchain.md": "langchain_core", "openai-agents.md": "agents"}
"""What pages need that the oldest versions of our dependencies rule out."""


def run(document: Document, **names: Any) -> None:
    """Run a document's examples in order."""
    document.namespace.update(names)
    for example in document.examples():
        example.evaluate()


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have policies that do not say how long they wait, wait longer than a busy machine takes."""
    monkeypatch.setitem(ragstore.Policy.__init__.__kwdefaults__, "max_wait", 20.0)  # type: ignore[arg-type]


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_page(path: Path, request: pytest.FixtureRequest) -> None:
    if path.name in LIBRARIES:
        pytest.importorskip(LIBRARIES[path.name])
    document = Document.parse(str(path), myst.PythonCodeBlockParser(), myst.SkipParser())
    names = {"postgres_url": request.getfixturevalue("postgres_url")} if "postgres_url" in document.text else {}
    run(document, **names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_docstrings(path: Path, runner: asyncio.Runner) -> None:
    blocks = rest.CodeBlockParser("python", Awaiting(runner))
    document = PythonDocStringDocument.parse(str(path), blocks, rest.DocTestParser(), rest.SkipParser())
    ragstore.upgrade("sqlite:///example.db")
    if path.name.endswith("_async.py"):
        store = ragstore.AsyncStore.open("sqlite:///example.db")
        run(document, store=store)
        runner.run(store.aclose())
    else:
        with ragstore.Store.open("sqlite:///example.db") as store:
            run(document, store=store)
