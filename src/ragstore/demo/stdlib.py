"""The documentation of the standard library, taken from its sources, which are parsed and never imported."""

from __future__ import annotations

import ast
import platform
import sys
import sysconfig
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ragstore.corpus.records import NewChunk, NewDocument

Kind = Literal["module", "class", "function"]

SIZE = 1000
"""Characters that a passage has at most."""

SKIPPED = frozenset(
    {
        *("__phello__", "antigravity", "this", "turtledemo", "idlelib", "pydoc_data"),
        *("distutils", "ensurepip", "lib2to3", "test", "tests"),
    }
)
"""What holds no documentation of use: jokes, programs, data, tests, and packages that are no longer maintained."""

TWINS = frozenset({"_pydatetime", "_pydecimal", "_pyio"})
"""Private modules that hold the documentation of public ones, whose own source is C."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A docstring, or a part of a long one.

    Attributes:
        name: The qualified name of what it documents.
        kind: What that is.
        line: The line where that begins in its file, counted from 1.
        text: The text without its indentation.
    """

    name: str
    kind: Kind
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Module:
    """A documented module.

    Attributes:
        name: Its name for `import`.
        path: Its file below the library's folder, with slashes.
        passages: Its documentation in the order of the source.
    """

    name: str
    path: str
    passages: tuple[Passage, ...]


@dataclass(slots=True)
class Library:
    """What was found.

    Attributes:
        modules: By name.
        unreadable: Files that could not be read or parsed, each with the reason.
    """

    modules: list[Module] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)


def library_folder() -> Path:
    """Give the folder of the running Python's library."""
    return Path(sysconfig.get_path("stdlib"))


def source_files(root: Path) -> list[Path]:
    """List the sources of public modules below the library's folder, by name."""
    found: list[Path] = []
    for name in sorted(sys.stdlib_module_names, key=lambda name: (name.lstrip("_"), name)):
        single = root / f"{name}.py"
        found += [single] if single.is_file() else sorted((root / name).rglob("*.py"))
    return [path for path in found if all(_is_wanted(part) for part in _parts(path.relative_to(root)))]


def _is_wanted(part: str) -> bool:
    is_private = part.startswith("_") and part != "__main__"
    return part not in SKIPPED and (part in TWINS or not is_private)


def _parts(path: Path) -> tuple[str, ...]:
    parts = path.with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def read_library(
    root: Path, *, limit: int | None = None, progress: Callable[[int, int], None] | None = None
) -> Library:
    """Read the documentation of the modules below a folder.

    Args:
        root: The library's folder.
        limit: Stop after so many documented modules.
        progress: Told the files done and their number.
    """
    library = Library()
    files = source_files(root)
    for done, path in enumerate(files, start=1):
        try:
            module = read_module(root, path)
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            library.unreadable.append((path.relative_to(root).as_posix(), f"{type(error).__name__}: {error}"))
        else:
            library.modules += [module] if module.passages else []
        enough = len(library.modules) == limit
        if progress is not None:
            progress(done, done if enough else len(files))
        if enough:
            break
    return library


def read_module(root: Path, path: Path) -> Module:
    """Read one module's documentation.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not text.
        SyntaxError: It is not Python.
    """
    relative = path.relative_to(root)
    name = ".".join(_parts(relative))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about old spellings in the sources
        tree = ast.parse(path.read_bytes(), filename=str(path))
    passages = [
        Passage(qualified, kind, line, piece)
        for qualified, kind, line, text in _docstrings(tree, name)
        for piece in split(text)
    ]
    return Module(name, relative.as_posix(), tuple(passages))


def _docstrings(tree: ast.Module, name: str) -> Iterator[tuple[str, Kind, int, str]]:
    if text := ast.get_docstring(tree):
        yield name, "module", 1, text
    yield from _below(tree, name)


def _below(node: ast.AST, prefix: str) -> Iterator[tuple[str, Kind, int, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if child.name.startswith("_") and not child.name.endswith("__"):
                continue
            qualified = f"{prefix}.{child.name}"
            is_class = isinstance(child, ast.ClassDef)
            if text := ast.get_docstring(child):
                yield qualified, "class" if is_class else "function", child.lineno, text
            if is_class:
                yield from _below(child, qualified)
        elif isinstance(child, ast.stmt | ast.excepthandler):  # what stands under `if` or `try` belongs to the outside
            yield from _below(child, prefix)


def split(text: str, size: int = SIZE, separators: tuple[str, ...] = ("\n\n", "\n", " ")) -> list[str]:
    """Cut a text into pieces of at most `size` characters: between paragraphs, else lines, else words."""
    if len(text) <= size:
        return [text] if text.strip() else []
    if not separators:
        return [text[start : start + size] for start in range(0, len(text), size)]
    separator, pieces = separators[0], [""]
    for part in text.split(separator):
        joined = f"{pieces[-1]}{separator}{part}" if pieces[-1] else part
        if len(joined) <= size:
            pieces[-1] = joined
        else:
            pieces += split(part, size, separators[1:]) or [""]
    return [piece for piece in pieces if piece.strip()]


def to_item(module: Module) -> tuple[NewDocument, list[NewChunk]]:
    """Make a document and its chunks of a module.

    A chunk begins with the name of what it documents, so that a search for the name finds it. It has no offsets: the
    text is not what stands in the file, whose quotes, escapes and indentation are gone.
    """
    document = NewDocument(source=module.path, title=module.name, doc_type="module", version=platform.python_version())
    chunks = [
        NewChunk(
            content=f"{passage.name}\n\n{passage.text}",
            heading=passage.name,
            metadata={"doc_type": passage.kind, "line": passage.line},
        )
        for passage in module.passages
    ]
    return document, chunks
