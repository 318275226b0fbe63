"""Between the application and the server: the engine's own pool, and a pooler that shares server connections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine
from sqlalchemy.pool import QueuePool

from ragstore.operations.doctor.looking import Advice, Check, Look
from ragstore.operations.doctor.postgresql.apart import apart
from ragstore.operations.doctor.postgresql.settings import RULES, values
from ragstore.operations.doctor.results import Level

BORROWED = 5
"""Idle connections of the application's pool that are looked at."""

_ROUNDS = 4
_POOLER_PORTS = (6432, 6543)  # PgBouncer's, and that of hosted poolers in transaction mode
_LIMIT = """
SELECT least(current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
  (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),
  (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user))
"""
_LOCKS = """
SELECT count(*) FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid()
"""


def pooler(look: Look) -> Iterator[Advice]:
    """Prepared statements are off where a pooler hands each transaction to another server connection."""
    kind, prepares = _kind_of_pooler(look.engine)
    look.facts |= {"pooler": kind, "prepared_statements": "on" if prepares else "off"}
    if not prepares or kind == "none seen":
        return
    remedy = 'make the engine with connect_args={"prepare_threshold": None}'
    if kind == "transaction":
        what = (
            "transactions of one connection run on changing server connections, and prepared statements are on: a "
            "statement may silently be answered with another client's rows. (PgBouncer 1.21 and later is safe if "
            "its max_prepared_statements is not 0; that cannot be seen from here.)"
        )
        yield Advice("error", "the pooler", what, remedy)
    else:
        what = (
            "there seems to be a pooler, and prepared statements are on. Whether it hands each transaction to "
            "another server connection could not be seen; if it does, answers may be another client's"
        )
        yield Advice("warning", "the pooler", what, f"{remedy}, unless it is in session mode")


def _kind_of_pooler(engine: Engine) -> tuple[str, bool]:
    """Say what was seen: without a pooler no two open connections share a server process, and none changes it."""
    with ExitStack() as stack:
        first, second = (stack.enter_context(apart(engine)) for _ in range(2))
        seen = [(_process(first), _process(second)) for _ in range(_ROUNDS)]
        driver: Any = first.connection.driver_connection
        if any(here == there for here, there in seen) or len(set(seen)) > 1:
            kind = "transaction"
        elif driver.pgconn.backend_pid != seen[0][0] or driver.info.port in _POOLER_PORTS:
            kind = "unknown"
        else:
            kind = "none seen"
        return kind, driver.prepare_threshold is not None


def _process(connection: Connection) -> int:
    number: int = connection.exec_driver_sql("SELECT pg_catalog.pg_backend_pid()").scalar_one()
    connection.rollback()
    return number


def open_transactions(look: Look) -> Iterator[Advice]:
    """Find idle connections of the application's pool that are in a transaction, which any other look would disturb."""
    if not look.hosts:
        return
    with ExitStack() as stack:
        for connection in _idle_ones(look.engine, stack):
            driver: Any = connection.connection.driver_connection
            if driver.info.transaction_status != TransactionStatus.IDLE:
                subject = f"connection {driver.pgconn.backend_pid}"
                what = "it came out of the pool in an open transaction: what was done there is neither kept nor undone"
                yield Advice("error", subject, what, "leave the engine's pool_reset_on_return at its default")


def left_on_connections(look: Look) -> Iterator[Advice]:
    """Idle connections of the application's pool carry nothing of their former use."""
    if not look.hosts:
        return
    with ExitStack() as stack:
        fresh = values(stack.enter_context(apart(look.engine)))
        for connection in _idle_ones(look.engine, stack):
            connection.execution_options(isolation_level="READ COMMITTED", postgresql_readonly=True)
            yield from _left_on(connection, fresh)
            connection.rollback()


def _idle_ones(engine: Engine, stack: ExitStack) -> list[Connection]:
    """Borrow idle connections, and no more than can be had without a wait."""
    pool = engine.pool
    idle = min(BORROWED, pool.checkedin()) if isinstance(pool, QueuePool) else 0
    return [stack.enter_context(engine.connect()) for _ in range(idle)]


def _left_on(connection: Connection, fresh: Mapping[str, tuple[str, str]]) -> Iterator[Advice]:
    driver: Any = connection.connection.driver_connection
    subject = f"connection {driver.pgconn.backend_pid}"
    for name, (value, source) in values(connection).items():
        rule = RULES.get(name)
        if source != "session" or fresh.get(name) == (value, source) or (rule is not None and not rule.hurts(value)):
            continue
        what = f"an earlier use has left {name} = {value} on it" + (f"; {rule.what}" if rule else "")
        level: Level = "error" if rule is not None and rule.level == "error" else "warning"
        yield Advice(level, subject, what, f"use SET LOCAL, or RESET {name} before the connection goes back")
    if connection.exec_driver_sql(_LOCKS).scalar_one():
        what = "an earlier use has left a session's advisory lock on it: whoever else wants it waits until it is closed"
        remedy = "use pg_advisory_xact_lock, or pg_advisory_unlock_all() before the connection goes back"
        yield Advice("warning", subject, what, remedy)


def connection_limit(look: Look) -> Iterator[Advice]:
    """The server takes as many connections as this pool may open."""
    pool = look.engine.pool
    if not look.hosts or not isinstance(pool, QueuePool):
        return
    most, allowed = pool.size() + pool._max_overflow, look.value(_LIMIT)
    if pool._max_overflow < 0:
        what = f"it opens connections without an end, and the server allows {allowed}"
        yield Advice("hint", "the pool", what, "set max_overflow on the engine")
    elif most > allowed:
        what = f"it may open {most} connections in each process, and the server allows {allowed} in all"
        yield Advice("hint", "the pool", what, "lower pool_size or max_overflow, or raise the limit of server or role")


CHECKS: tuple[Check, ...] = (pooler, left_on_connections, connection_limit)
