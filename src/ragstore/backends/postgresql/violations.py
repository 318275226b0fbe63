"""PostgreSQL's errors, by SQLSTATE and psycopg's classes."""

from __future__ import annotations

import psycopg

from ragstore.errors import (
    ConcurrencyError,
    Conflict,
    ConnectError,
    ConnectionLost,
    DatabaseError,
    InvalidInput,
    LimitExceeded,
    LockTimeout,
    NotFound,
    PermissionDenied,
    QueryTimeout,
    RagstoreError,
    ReadOnlyError,
    SchemaBehind,
    StorageError,
    UsageError,
)

_BY_STATE: dict[str, tuple[type[RagstoreError], str]] = {
    "40001": (ConcurrencyError, "another transaction got in between: run the whole unit again"),
    "40P01": (ConcurrencyError, "two transactions waited for each other: run the whole unit again"),
    "55P03": (LockTimeout, "another transaction held a lock for too long: try again later"),
    "57014": (QueryTimeout, "the statement ran for too long or was cancelled"),
    "57P01": (ConnectionLost, "the server ended the connection"),
    "57P02": (ConnectionLost, "the server crashed and is recovering"),
    "57P03": (ConnectError, "the server is starting up or shutting down: try again shortly"),
    "53300": (ConnectError, "the server has no free connection: lower pool_size or use a pooler"),
    "25P03": (ConnectionLost, "the server ended a transaction that idled for too long: keep units short"),
    "25006": (ReadOnlyError, "this is a standby or a read-only transaction: write to the primary"),
    "25P02": (UsageError, "the transaction was aborted by an earlier error: leave it and begin a new one"),
    "21000": (InvalidInput, "the same key is given twice in one batch"),
    "23502": (InvalidInput, "a required value is missing"),
    "23514": (InvalidInput, "a value is outside what is allowed"),
    "42501": (PermissionDenied, "the database role lacks a right: ask for the GRANT"),
    "42P01": (SchemaBehind, "a table is missing: run ragstore.upgrade(url) first"),
    "3F000": (SchemaBehind, "the schema is missing: run ragstore.upgrade(url) first"),
    "53100": (StorageError, "the server's disk is full"),
    "53400": (LimitExceeded, "a limit of the server's configuration was reached"),
}
_BY_CLASS: dict[str, tuple[type[RagstoreError], str]] = {
    "22": (InvalidInput, "the database refused a value"),
    "54": (LimitExceeded, "a limit of the database was reached"),
    "53": (StorageError, "the server lacks a resource"),
    "58": (StorageError, "the server met an input or output error"),
    "08": (ConnectionLost, "the connection broke"),
}


def classify(error: BaseException, invalidated: bool) -> RagstoreError | None:
    """Give our error for psycopg's; None if it is not psycopg's."""
    if not isinstance(error, psycopg.Error):
        return None
    state = error.sqlstate
    if state is None:
        return _without_state(error, invalidated)
    if state in ("23505", "23503"):
        return _integrity(error, state)
    kind, advice = _BY_STATE.get(state) or _BY_CLASS.get(state[:2]) or (DatabaseError, "the database refused it")
    message = f"{advice} ({_primary(error)})"
    return DatabaseError(message, sqlstate=state) if kind is DatabaseError else kind(message)


def _primary(error: psycopg.Error) -> str:
    # the detail and context lines may echo stored text
    return error.diag.message_primary or type(error).__name__


def _without_state(error: psycopg.Error, invalidated: bool) -> RagstoreError:
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return ConnectError("no answer within connect_timeout")
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return InvalidInput(f"the driver refused a value ({type(error).__name__})")
    if invalidated or getattr(error, "pgconn", None) is None:
        lost = ConnectionLost("the connection broke: what was not committed is not stored")
        return lost if invalidated else ConnectError("no connection could be made: check address, port and rights")
    return ConnectError("no connection could be made: check host, port, database, user and password")


def _integrity(error: psycopg.Error, state: str) -> RagstoreError:
    constraint = error.diag.constraint_name
    if state == "23505":
        return Conflict(f"this already exists ({constraint})", constraint=constraint)
    if constraint and not constraint.startswith("fk_rag_"):  # a host's table refers to ours
        return Conflict(f"this is still referred to ({constraint})", constraint=constraint)
    return NotFound(f"what this belongs to does not exist ({constraint})")
