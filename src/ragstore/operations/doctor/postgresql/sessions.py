"""What other sessions are doing."""

from __future__ import annotations

from collections.abc import Iterator

from ragstore.core.sql import quoted
from ragstore.migrations.on_postgresql import key_of
from ragstore.operations.doctor.looking import Advice, Check, Look

LONG_TRANSACTION = 300
"""Seconds after which a transaction is worth a word."""

_HIDDEN = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type IS NULL
"""
_MIGRATING = """
SELECT l.pid, coalesce(nullif(a.application_name, ''), 'no application_name') FROM pg_locks AS l
LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND (l.classid::bigint << 32) | l.objid::bigint = :key
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_LONG = """
SELECT pid, coalesce(nullif(application_name, ''), 'no application_name'), state,
  extract(epoch FROM clock_timestamp() - xact_start)::int
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
  AND xact_start < clock_timestamp() - make_interval(secs => :seconds)
ORDER BY xact_start LIMIT 5
"""


def long_transactions(look: Look) -> Iterator[Advice]:
    """No transaction has been open for minutes."""
    hidden = look.value(_HIDDEN)
    if hidden:
        what = f"{hidden} sessions of other roles cannot be looked at, so a long transaction of theirs is not seen"
        yield Advice("hint", "other sessions", what, f"GRANT pg_read_all_stats TO {quoted(look.facts['role'])};")
    for process, name, state, seconds in look.rows(_LONG, seconds=LONG_TRANSACTION):
        what = (
            f"{state} in a transaction of {seconds} s: vacuum cannot clean up what changed since, index builds wait "
            "for it, and an upgrade waits for what it has locked"
        )
        remedy = f"end it there, or  SELECT pg_terminate_backend({process});"
        yield Advice("warning", f"process {process} ({name})", what, remedy)


def migration_lock(look: Look) -> Iterator[Advice]:
    """Nobody is migrating."""
    for process, name in look.rows(_MIGRATING, key=key_of(look.schema)):
        what = f"process {process} ({name}) is migrating now, and other upgrades wait for it"
        remedy = "wait; if it lasts, see in pg_stat_activity what it waits for"
        yield Advice("warning", "the migration lock", what, remedy)


CHECKS: tuple[Check, ...] = (long_transactions, migration_lock)
