"""The bytes of what was deleted, in the file and in its write-ahead log."""

from __future__ import annotations

from sqlalchemy import Connection

_ALWAYS = 1


def overwrite_deleted(connection: Connection, mode: int | None) -> int | None:
    """Have what this connection deletes overwritten with zeros, and give the mode until then, which sets it back."""
    usual = connection.exec_driver_sql("PRAGMA secure_delete").scalar_one()
    wanted = _ALWAYS if mode is None else mode
    if wanted != usual:
        connection.exec_driver_sql(f"PRAGMA secure_delete = {'FAST' if wanted == 2 else wanted}").close()
    return int(usual)


def clear_traces(connection: Connection) -> bool:
    """Empty the write-ahead log, which holds pages as they were.

    False: somebody is reading from it; or this connection does not usually overwrite what it deletes, so that copies of
    rows that SQLite has moved from page to page may be left since.
    """
    usual = connection.exec_driver_sql("PRAGMA secure_delete").scalar_one()
    busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return bool(usual) and not busy
