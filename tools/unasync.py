"""Write the sync twin of every async module: `python tools/unasync.py`, or `--check` to see that none is stale.

Every `_async.py` in src/ragstore gives the `_sync.py` beside it, every `*_async.py` in tests its `*_sync.py`. Words are
replaced, nothing is understood; ruff then sorts the imports and formats. Lines that have no sync form stand between the
comments `# async only` and `# end async only`. Pairs such as `_face_async.py` in the package are written by hand.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = "# Generated from {} by tools/unasync.py: edit that file and run the tool again.\n"

NAMES = {
    "AbstractAsyncContextManager": "AbstractContextManager",
    "AsyncAdaptedQueuePool": "QueuePool",
    "StopAsyncIteration": "StopIteration",
    "aclose": "close",
    "aclosing": "closing",
    "aiter": "iter",
    "anext": "next",
    "aupgrade": "upgrade",
    "asynccontextmanager": "contextmanager",
    "enter_async_context": "enter_context",
    "push_async_callback": "callback",
    "push_async_exit": "push",
    "stream_scalars": "scalars",
}
PROSE = {"asynchronously": "synchronously", "asynchronous": "synchronous", "async": "sync"}
OF_THE_ORM = {"Session", "sessionmaker", "scoped_session"}  # SQLAlchemy has their async forms beside AsyncEngine

TOKEN = re.compile(
    r"""
    (?P<string>[rbfuRBFU]{0,2}(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    | (?P<comment>\#[^\n]*) | (?P<name>[^\W\d]\w*) | (?P<space>\s+) | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
IMPORT = re.compile(r"^([ \t]*)from sqlalchemy\.ext\.asyncio import (\([^)]*\)|[^\n]*)", re.MULTILINE)
ASYNC_ONLY = re.compile(r"^[ \t]*# async only\n.*?^[ \t]*# end async only\n", re.MULTILINE | re.DOTALL)
MARK = r"pytest\.mark\.(?:anyio|asyncio)\b(?:\([^)\n]*\))?"
MARKS = re.compile(rf"^[ \t]*(?:@|pytestmark = ){MARK}\n|{MARK},?[ ]*", re.MULTILINE)


def sync_name(word: str) -> str:
    """Give the sync form of one identifier."""
    if word in NAMES:
        return NAMES[word]
    word = re.sub(r"^(_*)Async(?=[A-Z])", r"\1", word)
    word = re.sub(r"_async$", "_sync", word)
    return re.sub(r"(^|_)async_(?=[a-z])", r"\1", re.sub(r"^__a(enter|exit|iter|next)__$", r"__\1__", word))


def sync_text(text: str, *, prose: bool) -> str:
    """Convert what a string or a comment names; in prose (docstrings, comments) also its words and its examples."""
    if prose:
        text = re.sub(r"\basync (?=def\b|with\b|for\b)", "", text)
        text = re.sub(r"\bawait (?=[\w.]+[(.\[])", "", text)  # code; "callers await the result" stays
        text = re.sub(r"\basyncio\.run\((.*)\)$", r"\1", text, flags=re.MULTILINE)
        text = re.sub(r"^[ \t]*(?:>>> )?import asyncio\n", "", text, flags=re.MULTILINE)
        text = re.sub(r"\b([Aa])n (?=async)", r"\1 ", text)
        text = re.sub(r"\b(?:async|asynchronous(?:ly)?)\b", lambda match: PROSE[match[0]], text)
    return re.sub(r"[^\W\d]\w*", lambda match: sync_name(match[0]), text)


def sync_import(match: re.Match[str]) -> str:
    """Convert an import from SQLAlchemy's async extension, which may need two statements."""
    indent, names = match[1], [sync_name(name) for name in re.findall(r"\w+", match[2])]
    homes: dict[str, list[str]] = {"sqlalchemy": [], "sqlalchemy.orm": []}
    for name in names:
        homes["sqlalchemy.orm" if name in OF_THE_ORM else "sqlalchemy"].append(name)
    return "\n".join(f"{indent}from {home} import {', '.join(found)}" for home, found in homes.items() if found)


def tokens(source: str) -> Iterator[str]:
    """Split into tokens, each already converted as a word."""
    for match in TOKEN.finditer(source):
        kind, text = match.lastgroup, match[0]
        if kind == "name":
            yield sync_name(text)
        elif kind in ("string", "comment"):
            yield sync_text(text, prose=kind == "comment" or text.endswith(('"""', "'''")))
        else:
            yield text


def drop_keywords(parts: list[str]) -> list[str]:
    """Drop `async` and `await` with the space after them, and the parentheses of `(await thing).attribute`."""
    kept: list[str] = []
    skip_space = False
    for at, part in enumerate(parts):
        if part == "await" and kept[-1:] == ["("] and parts[closing(parts, at - 1) + 1 :][:1] == ["."]:
            inner = parts[at + 2 : closing(parts, at - 1)]
            if not re.search(r"[\s=<>+*/%|&^-]", re.sub(r"\(.*\)|\[.*\]", "", "".join(inner), flags=re.DOTALL)):
                kept.pop()
                parts[closing(parts, at - 1)] = ""
        if not (part in ("async", "await") or (skip_space and part.isspace())):
            kept.append(part)
        skip_space = part in ("async", "await")
    return kept


def closing(parts: list[str], at: int) -> int:
    """Find the bracket that closes the one at this place."""
    depth = 0
    for place in range(at, len(parts)):
        depth += (parts[place] in ("(", "[", "{")) - (parts[place] in (")", "]", "}"))
        if depth == 0:
            return place
    raise SystemExit("unasync: a bracket is not closed")


def unwrap_run_sync(parts: list[str]) -> None:
    """Turn `connection.run_sync(f, x)` into `f(connection, x)`, in place; the innermost is the last, and goes first."""
    for at in reversed([place for place, part in enumerate(parts) if part == "run_sync" and parts[place + 1] == "("]):
        start = at - 1  # the dot
        while start and (parts[start - 1] == "." or parts[start - 1].isidentifier()):
            start -= 1
        end = closing(parts, at + 1)
        comma = at + 2
        while comma < end and parts[comma] != ",":
            comma = closing(parts, comma) + 1 if parts[comma] in ("(", "[", "{") else comma + 1
        function, receiver = "".join(parts[at + 2 : comma]).strip(), "".join(parts[start : at - 1])
        rest = "".join(parts[comma + 1 : end]).strip()
        function = f"({function})" if function.startswith("lambda") else function
        parts[start : end + 1] = [f"{function}({receiver}{', ' if rest else ''}{rest})"]


def unwrap_awaitable(parts: list[str]) -> None:
    """Turn `Awaitable[T]` into `T`, in place."""
    for at in reversed([place for place, part in enumerate(parts) if part == "Awaitable" and parts[place + 1] == "["]):
        end = closing(parts, at + 1)
        parts[at : end + 1] = parts[at + 2 : end]


def convert(source: str) -> str:
    """Convert a module's text; ruff has yet to sort and format it."""
    source = MARKS.sub("", ASYNC_ONLY.sub("", source))
    if match := re.search(r"^[ \t]*# (?:end )?async only$", source, re.MULTILINE):
        raise SystemExit(f"unasync: {match[0].strip()!r} stands without its partner")
    source = IMPORT.sub(sync_import, source).replace("sqlalchemy.ext.asyncio", "sqlalchemy")
    parts = drop_keywords(list(tokens(source)))
    unwrap_run_sync(parts)
    unwrap_awaitable(parts)
    return re.sub(r"connection\.stream(?=\()", "connection.execute", "".join(parts))


def ruff(text: str, path: Path, *command: str) -> str:
    """Pass text through ruff, under the rules of the place where it will stand."""
    options = ["--quiet", "--no-cache", "--config", str(ROOT / "pyproject.toml"), "--stdin-filename", str(path)]
    run = [sys.executable, "-m", "ruff", *command, *options, "-"]
    return subprocess.run(run, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def twin_text(source: Path, twin: Path) -> str:
    """Give the whole text of a twin."""
    text = HEADER.format(source.name) + convert(source.read_text(encoding="utf-8"))
    text = ruff(text, twin, "check", "--fix", "--exit-zero", "--select", "I,F401,PYI016,UP034")
    return ruff(text, twin, "format")


def pairs(root: Path) -> dict[Path, Path]:
    """Map each twin to its source."""
    sources = [*root.glob("src/ragstore/**/_async.py"), *root.glob("tests/**/*_async.py")]
    return {path.with_name(path.name.removesuffix("_async.py") + "_sync.py"): path for path in sorted(sources)}


def orphans(root: Path, twins: dict[Path, Path]) -> list[Path]:
    """List generated files whose source is gone."""
    found = [*root.glob("src/ragstore/**/_sync.py"), *root.glob("tests/**/*_sync.py")]
    start = HEADER.split("{", maxsplit=1)[0]
    return [path for path in found if path not in twins and path.read_text(encoding="utf-8").startswith(start)]


def update(root: Path, *, check: bool) -> Iterator[str]:
    """Write what is not as it should be, or only check it; tell of each file."""
    twins = pairs(root)
    for path in orphans(root, twins):
        yield f"{path.relative_to(root)}: its source is gone"
        if not check:
            path.unlink()
    for twin, source in twins.items():
        text = twin_text(source, twin)
        before = twin.read_text(encoding="utf-8") if twin.exists() else None
        if before != text:
            yield f"{twin.relative_to(root)}: {'missing' if before is None else 'stale'}"
            if not check:
                twin.write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 1 if `--check` finds a twin that is not what it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, and exit 1 if a twin is stale or missing")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout")
    options = parser.parse_args(arguments)
    found = list(update(options.root, check=options.check))
    for line in found:
        print(line if options.check else f"{line} (mended)")
    return int(options.check and bool(found))


if __name__ == "__main__":
    sys.exit(main())
