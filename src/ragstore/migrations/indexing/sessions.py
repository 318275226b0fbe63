"""The session in which indexes are built: its settings, and its short transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from ragstore.backends.postgresql.violations import classify
from ragstore.core.translate import translating
from ragstore.migrations import catalogue_postgresql as catalogue

# A build waits for transactions of others, for as long as they take; its own deadline is set for each statement.
_PATH = "pg_catalog, pg_temp"
_WANTED = {
    "search_path": _PATH,
    "statement_timeout": "0",
    "lock_timeout": "0",
    "transaction_timeout": "0",
}
_READ = text("""
SELECT source, pg_catalog.current_setting(name) FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) :name
""")
_SET = text("SELECT pg_catalog.set_config(:name, :value, :local)")
_PROCESS = text("SELECT pg_catalog.pg_backend_pid()")
# A build may wait for a transaction of ours that had a snapshot when it looked: shorter than deadlock_timeout, so that
# ours gives way and not the build.
_LOCK_WAIT = "200ms"


@contextmanager
def settings(connection: Connection) -> Iterator[bool]:
    """Set what holds for the builds, and set it back. False: nothing is set, as a pooler stands between.

    A build cannot be part of a transaction, so what is set for it is set for the session. Through a pooler in
    transaction mode that would be another client's, and our next statement may run in another session. There the
    role's own time-outs hold, and the client keeps the time. The statements are the same: they name all in full.
    """
    direct = _is_direct(connection)
    before = _change(connection, _WANTED) if direct else {}
    try:
        yield direct
    finally:
        if not connection.invalidated and not connection.closed:
            for name, value in before.items():
                _set_back(connection, name, value)


def _is_direct(connection: Connection) -> bool:
    """Say whether the process that serves us is the one that said hello: a pooler makes up a number of its own."""
    driver: Any = connection.connection.driver_connection
    return bool(driver.info.backend_pid == connection.execute(_PROCESS).scalar())


def _change(connection: Connection, wanted: dict[str, str]) -> dict[str, str | None]:
    """Set, and give what the session had set before; None: nothing, so that the role's or the server's value held."""
    before: dict[str, str | None] = {}
    for name, value in wanted.items():
        found = connection.execute(_READ, {"name": name}).first()
        if found is not None:  # older servers do not have all of them
            source, setting = found
            before[name] = setting if source == "session" else None
            put(connection, name, value, local=False)
    return before


def _set_back(connection: Connection, name: str, value: str | None) -> None:
    """Leave no setting of the session's where there was none: it would look like a host's mistake."""
    if value is None:
        connection.exec_driver_sql(f"RESET {name}")
    else:
        put(connection, name, value, local=False)


def narrow(connection: Connection) -> None:
    """Find names in the catalogue alone, for the rest of a session that is ours."""
    put(connection, "search_path", _PATH, local=False)


def put(connection: Connection, name: str, value: str, *, local: bool) -> None:
    """Set one setting."""
    connection.execute(_SET, {"name": name, "value": value, "local": local})


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Begin a transaction on a connection in AUTOCOMMIT, with settings that end with it; commit, or roll back.

    It is in READ COMMITTED: between its statements it has no snapshot, and no build has to wait for it.
    """
    try:
        with translating(classify):
            connection.rollback()
            connection.execution_options(isolation_level="READ COMMITTED")
            put(connection, "lock_timeout", _LOCK_WAIT, local=True)
            catalogue.narrow_path(connection)
            yield
            connection.commit()
    finally:
        if not connection.invalidated and not connection.closed:
            connection.rollback()
            connection.execution_options(isolation_level="AUTOCOMMIT")
