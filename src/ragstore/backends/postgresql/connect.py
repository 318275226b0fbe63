"""Engines and connections on PostgreSQL, by psycopg 3."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import psycopg.adapt
from psycopg.pq import Format, TransactionStatus
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from ragstore.backends.postgresql import ddl
from ragstore.config import Settings
from ragstore.core import extension
from ragstore.core.backend import PREPARED
from ragstore.core.base import SCHEMA
from ragstore.core.vectors import Packed
from ragstore.errors import UsageError

_EXTENSION = text(ddl.EXTENSION_SCHEMA)
_IDLE_SINCE = "ragstore_idle_since"
_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
# A NAT forgets idle connections after minutes: noticed within 30 + 3 * 10 seconds.
_KEEPALIVES = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 5}


class _PackedDumper(psycopg.adapt.Dumper):
    """Send packed bytes as they are; with no oid, the server takes the type of the cast around the parameter."""

    format = Format.BINARY
    oid = 0

    def dump(self, obj: Packed) -> bytes:
        return obj


def read_url(url: URL, *, asynchronous: bool) -> URL:
    """Set the driver; psycopg serves both faces."""
    return url.set(drivername="postgresql+psycopg")


def engine_options(url: URL, settings: Settings) -> dict[str, Any]:
    """Give the arguments of `create_engine` and `create_async_engine`. What the URL says goes first."""
    defaults: dict[str, Any] = {
        "connect_timeout": max(2, round(settings.connect_timeout)),  # libpq's own floor is 2 whole seconds
        "fallback_application_name": "ragstore",
        **_KEEPALIVES,
    }
    arguments = {name: value for name, value in defaults.items() if name not in url.query}
    arguments["prepare_threshold"] = 5 if settings.prepared_statements else None
    return {
        "connect_args": arguments,
        "pool_size": settings.pool_size,
        "max_overflow": settings.max_overflow,
        "pool_timeout": settings.pool_timeout,
        "pool_recycle": settings.pool_recycle,
        "pool_use_lifo": True,
        "use_native_hstore": False,  # looking for the hstore type costs a query on every new connection
        "hide_parameters": True,
    }


def set_up(engine: Engine, settings: Settings) -> None:
    """Ping a connection at check-out only if it has idled."""

    @event.listens_for(engine, "checkin")
    def _idle(_driver: object, entry: ConnectionPoolEntry) -> None:
        entry.info[_IDLE_SINCE] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ping(driver: Any, entry: ConnectionPoolEntry, _proxy: object) -> None:
        idle_since = entry.info.pop(_IDLE_SINCE, None)
        if idle_since is None or time.monotonic() - idle_since < settings.ping_after:
            return
        try:
            alive = engine.dialect.do_ping(driver)
        except Exception as error:
            raise DisconnectionError("the idle connection is gone") from error
        if not alive:
            raise DisconnectionError("the idle connection is gone")


def prepare(connection: Connection) -> None:
    """Teach the connection in use our vector parameter, and learn where pgvector is.

    A global registration would miss a host's engine.
    """
    driver: Any = connection.connection.driver_connection
    driver.adapters.register_dumper(Packed, _PackedDumper)
    if extension.is_known(connection.dialect) or _find_extension(connection):
        connection.info[PREPARED] = True


def _find_extension(connection: Connection) -> bool:
    """Learn the extension's schema, once for an engine: all its connections are taken to lead to one database."""
    schema = connection.scalar(_EXTENSION)
    if schema is None:  # the database is yet to be upgraded: the next call looks again
        return False
    extension.remember(connection.dialect, schema)
    return True


def is_aborted(connection: Connection) -> bool:
    """Say whether a statement has failed that no one told us of: a host's own, caught inside the unit."""
    driver: Any = connection.connection.driver_connection
    return driver.info.transaction_status == TransactionStatus.INERROR  # type: ignore[no-any-return]


def refuse_autocommit(connection: Connection) -> None:
    """Raise `UsageError` if each statement on this connection commits by itself."""
    driver: Any = connection.connection.driver_connection
    if driver.autocommit:
        raise UsageError("this connection is in AUTOCOMMIT, so a call could be stored in part: begin a transaction")


def execution_options(schema: str) -> Mapping[str, Any]:
    """Give the map that goes with each execution; none at all for the usual schema, as it costs 10 µs."""
    return _NO_OPTIONS if schema == SCHEMA else {"schema_translate_map": {SCHEMA: schema}}


def begin(connection: Connection, settings: Settings, *, write: bool) -> None:
    """Set the time-outs for this transaction alone, if the settings have any."""
    timeouts = {"statement_timeout": settings.statement_timeout, "lock_timeout": settings.lock_timeout}
    for name, seconds in timeouts.items():
        if seconds is not None:
            value = f"{round(seconds * 1000)}ms"
            connection.exec_driver_sql("SELECT set_config(%(name)s, %(value)s, true)", {"name": name, "value": value})
