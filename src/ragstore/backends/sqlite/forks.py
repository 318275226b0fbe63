"""SQLite and forks: a child may use a file only after its parent's connections to it are closed in the child.

SQLite notes which locks its process holds on a file. A forked child has the note and not the locks: while an inherited
connection is open in it, its own take no lock, and what they write is lost (https://www.sqlite.org/howtocorrupt.html,
"Carrying an open database connection across a fork()"). To close an idle one takes nothing from the parent. One that
was in use can be neither used nor closed: it may be in mid-call, and would roll back in the file what is the parent's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from ragstore.backends.sqlite.files import file_of
from ragstore.core.forks import keep_for_ever
from ragstore.errors import UsageError

_spoiled: set[Path | None] = set()
"""Files that this process may not open."""


def leave_to_parent(url: URL, idle: Sequence[Any], used: Sequence[Any]) -> None:
    """Close what is idle in this process; where something was in use, let this process open the file no more."""
    if not used:
        for driver in idle:
            if (raw := _raw(driver)) is not None:
                raw.close()
        return
    _spoiled.add(_place(url))
    for driver in (*idle, *used):
        keep_for_ever(driver)
        keep_for_ever(_raw(driver))


def refuse_spoiled(url: URL) -> None:
    """Raise `UsageError` if this process was forked while its parent used the file."""
    if _spoiled and _place(url) in _spoiled:
        raise UsageError(
            "this process was forked while the store was in use, and on SQLite it cannot open the file then: fork when "
            "no call and no unit of work is under way, or start the process anew (multiprocessing's 'spawn')"
        )


def _place(url: URL) -> Path | None:
    file = file_of(url)
    return None if file is None else file.resolve()


def _raw(driver: Any) -> Any:
    """Give the `sqlite3` connection of either face's; None: aiosqlite has closed it."""
    inner = getattr(driver, "driver_connection", driver)
    return getattr(inner, "_connection", inner)
