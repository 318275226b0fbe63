"""`upgrade` at head, as each worker calls it when it starts, beside Alembic's own command and one bare query."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

import ragstore
from benchmarks.databases import by_hand
from benchmarks.measure import Job, in_turn
from ragstore.backends import read_url
from ragstore.migrations import chain

ROUNDS = 200


def measure(url: str, rounds: int = ROUNDS) -> Iterator[dict[str, Any]]:
    """Time them in turn: those with a connection of their own, and those on an open one."""
    with ExitStack() as stack:
        jobs = _jobs(url, stack)
        times = dict(zip(jobs, in_turn(*jobs.values(), rounds=rounds), strict=True))
    for peer, time in times.items():
        yield {
            "database": "sqlite" if url.startswith("sqlite") else "postgresql",
            "peer": peer,
            "p50": time.p50,
            "p95": time.p95,
            "of_alembic": time.p50 / times["alembic command.upgrade"].p50,
        }


def _jobs(url: str, stack: ExitStack) -> dict[str, Job]:
    file = _alembic(url, stack)
    engine = create_engine(read_url(url))
    stack.callback(engine.dispose)
    connection, query = by_hand(url, stack), _query(url)
    return {
        "upgrade(url)": lambda: ragstore.upgrade(url),
        "upgrade(engine)": lambda: ragstore.upgrade(engine),
        "alembic command.upgrade": lambda: command.upgrade(_config(file), "head"),
        "connect and query by hand": lambda: _look(url),
        "query by hand": lambda: connection.execute(query).fetchall(),
    }


def _look(url: str) -> None:
    with ExitStack() as own:
        by_hand(url, own).execute(_query(url)).fetchall()


def _query(url: str) -> str:
    return f"SELECT version_num FROM {'' if url.startswith('sqlite') else 'ragstore.'}rag_version"


def _alembic(url: str, stack: ExitStack) -> str:
    """Make a host's chain as `alembic init` does, of as many revisions as ours, at its head; give its alembic.ini."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    file = folder / "alembic.ini"
    with redirect_stdout(io.StringIO()):
        command.init(_config(file), str(folder / "host"))
    address = read_url(url).render_as_string(hide_password=False).replace("%", "%%")
    text = file.read_text().replace("level = INFO", "level = WARNING")
    file.write_text(re.sub(r"(?m)^sqlalchemy.url = .*", lambda _: f"sqlalchemy.url = {address}", text))
    with redirect_stdout(io.StringIO()):
        for _ in chain.CHAIN:
            command.revision(_config(file))
    command.upgrade(_config(file), "head")
    return str(file)


def _config(file: Path | str) -> Config:
    return Config(str(file), stdout=io.StringIO())
