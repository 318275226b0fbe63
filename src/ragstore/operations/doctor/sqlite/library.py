"""The SQLite library that this Python was built with."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from ragstore.backends.sqlite import ddl
from ragstore.operations.doctor.looking import Advice, Check, Look

_Version = tuple[int, ...]

# From 3.7.0 on, two connections that write and checkpoint at the same moment can damage a file in WAL mode.
WAL_RESET_FIXED: tuple[tuple[_Version, _Version], ...] = (
    ((3, 44, 6), (3, 45, 0)),
    ((3, 50, 7), (3, 51, 0)),
    ((3, 51, 3), (99,)),
)
"""Ranges of versions, from and up to but without, in which that is fixed."""


def library_version(look: Look) -> Iterator[Advice]:
    """The library is new enough, and has no known bug that damages a file."""
    mode = look.value("PRAGMA journal_mode")
    yield from judge(sqlite3.sqlite_version_info, wal=mode == "wal")


def judge(version: _Version, *, wal: bool) -> Iterator[Advice]:
    """Hold a version against our floor and the known bugs."""
    subject = f"SQLite {'.'.join(map(str, version))}"
    if version < ddl.SQLITE_MINIMUM:
        needed = ".".join(map(str, ddl.SQLITE_MINIMUM))
        remedy = f"use a Python that was built with SQLite {needed} or later"
        yield Advice("error", subject, f"ragstore needs {needed} or later", remedy)
    elif wal and not any(least <= version < below for least, below in WAL_RESET_FIXED):
        what = (
            "in WAL mode, two connections that write and checkpoint at the same moment can damage the file. It is "
            "rare, and needs several connections; a distribution may have fixed it under the same number"
        )
        yield Advice(
            "hint", subject, what, "use a Python with SQLite 3.51.3 or later; keep backups, and check with --deep"
        )


def compile_options(look: Look) -> Iterator[Advice]:
    """The library was built with what ragstore uses."""
    built = {row[0] for row in look.rows("PRAGMA compile_options")}
    if "THREADSAFE=0" in built:
        what = "the library was built without threads: two threads damage each other's work"
        yield Advice("error", "SQLite", what, "use a Python with a library that was built with THREADSAFE=1")
    if "OMIT_JSON" in built:
        what = "the library was built without JSON functions: searches and writes fail"
        yield Advice("error", "SQLite", what, "use a Python with another SQLite library")


CHECKS: tuple[Check, ...] = (library_version, compile_options)
