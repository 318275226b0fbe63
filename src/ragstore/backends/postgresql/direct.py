"""One statement on libpq's own level: a third less time than a cursor's, and a wait that the caller bounds.

libpq's time-outs are whole seconds. Here whoever runs the generator waits for the socket, for as long as it likes; a
connection that it gives up in between must be closed.

A statement that comes often is prepared, which halves the server's work. Behind a pooler that is
not safe: another server process may run the next statement. A pooler makes up the process id that it tells its clients,
so where the server tells the same id as libpq has, there is none.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from ragstore.errors import ConnectionLost
from ragstore.rate_limits.backend import Wait

Rows = list[list[bytes | None]]

_FAREWELLS = ("FATAL", "PANIC")
"""What an idle connection finds when the server has ended it: for an administrator, at a restart, by a time-out."""


class _Line:
    """What is known of a connection: whether it was used before, and what is prepared on it; None: nothing may be."""

    def __init__(self) -> None:
        self.is_known = False
        self.prepared: dict[bytes, bytes] | None = {}


_lines: WeakKeyDictionary[Any, _Line] = WeakKeyDictionary()


def run(
    driver: Any, statement: bytes, parameters: list[bytes | None], *, often: bool = False
) -> Generator[Wait, None, Rows]:
    """Run one statement outside any transaction and give its rows, as text.

    Args:
        driver: A connection of psycopg's, which are all non-blocking.
        statement: With `$1`, `$2`, ….
        parameters: As text.
        often: It comes again and again: the second time on a connection it is prepared, for two round trips more.

    Raises:
        ConnectionLost: The connection broke.
        psycopg.Error: The server refused it.
    """
    pgconn: PGconn = driver.pgconn
    line = _lines.setdefault(driver, _Line())
    try:
        if pgconn.transaction_status != TransactionStatus.IDLE:  # a host's connect event has left one open
            yield from _plain(pgconn, b"ROLLBACK", [])
        name = (yield from _prepared(pgconn, line, statement)) if often else b""
        if not name:
            return (yield from _plain(pgconn, statement, parameters))
        pgconn.send_query_prepared(name, parameters)
        return (yield from _exchange(pgconn))
    except (psycopg.errors.FeatureNotSupported, psycopg.errors.InvalidSqlStatementName):
        if not line.prepared:
            raise
        line.prepared = None  # the function was replaced, or somebody has deallocated all
        return (yield from _plain(pgconn, statement, parameters))
    except psycopg.Error as error:
        if error.sqlstate is None or error.diag.severity_nonlocalized in _FAREWELLS:
            raise ConnectionLost("the connection broke while a rate limit was decided") from error
        raise


def _prepared(pgconn: PGconn, line: _Line, statement: bytes) -> Generator[Wait, None, bytes]:
    """Give the name of a statement that is prepared on this connection; none: it is not to be."""
    if not line.is_known:
        line.is_known = True
        return b""
    if line.prepared == {}:
        [[process]] = yield from _plain(pgconn, b"SELECT pg_catalog.pg_backend_pid()", [])
        if int(process or 0) != _process_id(pgconn):
            line.prepared = None
    if line.prepared is None:
        return b""
    if statement not in line.prepared:
        name = b"ragstore_%d" % len(line.prepared)
        pgconn.send_prepare(name, statement)
        yield from _exchange(pgconn)
        line.prepared[statement] = name
    return line.prepared[statement]


def _process_id(pgconn: PGconn) -> int:
    return pgconn.backend_pid


def _plain(pgconn: PGconn, statement: bytes, parameters: list[bytes | None]) -> Generator[Wait, None, Rows]:
    pgconn.send_query_params(statement, parameters)
    return (yield from _exchange(pgconn))


def _exchange(pgconn: PGconn) -> Generator[Wait, None, Rows]:
    """Send what is to be sent, and give the rows that come for it."""
    while pgconn.flush():
        yield Wait(pgconn.socket, write=True)
    rows: Rows = []
    failure: psycopg.Error | None = None
    while True:
        while pgconn.is_busy():
            yield Wait(pgconn.socket, write=False)
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            break
        if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            failure = failure or error_from_result(result)
        rows.extend(_rows(result))
    if failure is not None:
        raise failure
    return rows


def _rows(result: PGresult) -> Rows:
    return [[result.get_value(row, column) for column in range(result.nfields)] for row in range(result.ntuples)]
