"""The Python side, which needs no connection: installed versions, how the driver was built, the engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata

from ragstore.core.engines import is_autocommit
from ragstore.operations.doctor.looking import Advice, Check, Look

TESTED = {
    "SQLAlchemy": ((2, 0, 37), (2, 2)),
    "alembic": ((1, 14), (2,)),
    "psycopg": ((3, 2, 2), (4,)),
    "pgvector": ((0, 3), (0, 6)),
    "aiosqlite": ((0, 20), None),
}
"""The versions that ragstore is tested with: from, and up to but without. A test holds them against pyproject.toml."""

_ONLY = {"psycopg": "postgresql", "pgvector": "postgresql", "aiosqlite": "sqlite"}


def number(version: str) -> tuple[int, ...]:
    """Read the leading numbers of a version: "3.2.2.post1" is (3, 2, 2), "16beta1" is (16,)."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def installed_versions(look: Look) -> Iterator[Advice]:
    """What ragstore stands on has a version that it is tested with."""
    database = look.engine.dialect.name
    for name, (least, below) in TESTED.items():
        if _ONLY.get(name, database) == database:
            found = metadata.version(name)
            look.facts[name] = found
            yield from judge(name, found, least, below)


def judge(name: str, found: str, least: tuple[int, ...], below: tuple[int, ...] | None) -> Iterator[Advice]:
    """Hold one version against its range."""
    if number(found) < least:
        what = f"version {found} is older than what ragstore is tested with"
        yield Advice("warning", name, what, f"install {name} {'.'.join(map(str, least))} or later")
    elif below is not None and number(found) >= below:
        what = f"version {found} is newer than what this ragstore is tested with"
        yield Advice("warning", name, what, f"update ragstore, or install {name} before {'.'.join(map(str, below))}")


def driver_build(look: Look) -> Iterator[Advice]:
    """Psycopg runs in C."""
    if look.engine.dialect.name != "postgresql":
        return
    import psycopg

    look.facts["psycopg_build"] = psycopg.pq.__impl__
    look.facts["libpq"] = str(psycopg.pq.version())
    if psycopg.pq.__impl__ == "python":
        what = "it runs in pure Python, and takes longer for each row"
        yield Advice("hint", "psycopg", what, 'install "psycopg[binary]", or "psycopg[c]" with a compiler')


def engine_autocommit(look: Look) -> Iterator[Advice]:
    """The application's engine begins transactions."""
    if look.hosts and is_autocommit(look.engine):
        what = "it is in AUTOCOMMIT: calls on the application's own connections are refused"
        yield Advice("warning", "the engine", what, 'make it without isolation_level="AUTOCOMMIT"')


CHECKS: tuple[Check, ...] = (installed_versions, driver_build, engine_autocommit)
