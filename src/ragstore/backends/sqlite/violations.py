"""SQLite's errors, by its extended result codes."""

from __future__ import annotations

import sqlite3

from ragstore.errors import (
    ConcurrencyError,
    Conflict,
    CorruptDatabase,
    DatabaseError,
    InvalidInput,
    LimitExceeded,
    NotFound,
    QueryTimeout,
    RagstoreError,
    StorageError,
)

_PRIMARY = 0xFF  # an extended code's low byte is its primary code

_BY_CODE: dict[int, tuple[type[RagstoreError], str]] = {
    sqlite3.SQLITE_BUSY: (ConcurrencyError, "another writer held the database for too long: run the whole unit again"),
    sqlite3.SQLITE_LOCKED: (ConcurrencyError, "another statement holds the table: run the whole unit again"),
    sqlite3.SQLITE_INTERRUPT: (QueryTimeout, "the statement was interrupted"),
    sqlite3.SQLITE_FULL: (StorageError, "the disk or the database file is full"),
    sqlite3.SQLITE_IOERR: (StorageError, "the disk met an input or output error"),
    sqlite3.SQLITE_CANTOPEN: (StorageError, "the database file cannot be opened: check its folder and rights"),
    sqlite3.SQLITE_READONLY: (StorageError, "the database file or its folder is read-only"),
    sqlite3.SQLITE_NOTADB: (CorruptDatabase, "the file is not an SQLite database"),
    sqlite3.SQLITE_CORRUPT: (CorruptDatabase, "the database file is damaged: restore a backup"),
    sqlite3.SQLITE_TOOBIG: (LimitExceeded, "a value is larger than SQLite can hold"),
    sqlite3.SQLITE_MISMATCH: (InvalidInput, "a value is of another type than its column"),
    sqlite3.SQLITE_RANGE: (InvalidInput, "a parameter is out of range"),
}
_CONSTRAINT: dict[int, tuple[type[RagstoreError], str]] = {
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: (InvalidInput, "a required value is missing"),
    sqlite3.SQLITE_CONSTRAINT_CHECK: (InvalidInput, "a value is outside what is allowed"),
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: (Conflict, "this already exists"),
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: (Conflict, "this already exists"),
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: (NotFound, "what this belongs to does not exist"),
    3091: (InvalidInput, "a value is of another type than its column"),  # SQLITE_CONSTRAINT_DATATYPE, STRICT tables
}


def classify(error: BaseException, invalidated: bool) -> RagstoreError | None:
    """Give our error for sqlite3's; None if it is not sqlite3's."""
    if isinstance(error, OverflowError | UnicodeEncodeError):
        return InvalidInput(f"the driver refused a value ({error})")
    if not isinstance(error, sqlite3.Error):
        return None
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return DatabaseError(f"the driver refused it ({error})")
    known = _CONSTRAINT.get(code) or _BY_CODE.get(code & _PRIMARY)
    name = getattr(error, "sqlite_errorname", str(code))
    if known is None:
        advice = "SQLite refused it; if a table or column is missing, run ragstore.upgrade(url) first"
        return DatabaseError(f"{advice} ({name}: {error})", sqlstate=name)
    kind, advice = known
    return kind(f"{advice} ({name}: {error})")
