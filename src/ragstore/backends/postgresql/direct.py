"""One statement on libpq's own level: a third less time than a cursor's, and a wait that the caller bounds.

libpq's time-outs are whole seconds. Here whoever runs the generator waits for the socket, for as long as it likes; a
connection that it gives up in between must be closed.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from ragstore.errors import ConnectionLost
from ragstore.rate_limits.backend import Wait

Rows = list[list[bytes | None]]

_FAREWELLS = ("FATAL", "PANIC")
"""What an idle connection finds when the server has ended it: for an administrator, at a restart, by a time-out."""


def run(pgconn: PGconn, statement: bytes, parameters: Sequence[bytes | None]) -> Generator[Wait, None, Rows]:
    """Run one statement outside any transaction and give its rows, as text.

    Args:
        pgconn: A connection of psycopg's, which are all non-blocking.
        statement: With `$1`, `$2`, ….
        parameters: As text.

    Raises:
        ConnectionLost: The connection broke.
        psycopg.Error: The server refused it.
    """
    try:
        if pgconn.transaction_status != TransactionStatus.IDLE:  # a host's connect event has left one open
            yield from _exchange(pgconn, b"ROLLBACK", ())
        return (yield from _exchange(pgconn, statement, parameters))
    except psycopg.Error as error:
        if error.sqlstate is None or error.diag.severity_nonlocalized in _FAREWELLS:
            raise ConnectionLost("the connection broke while a rate limit was decided") from error
        raise


def _exchange(pgconn: PGconn, statement: bytes, parameters: Sequence[bytes | None]) -> Generator[Wait, None, Rows]:
    pgconn.send_query_params(statement, parameters)
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
