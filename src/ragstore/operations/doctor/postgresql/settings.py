"""Settings that change what our statements do, whoever set them: the server, the database, the role or a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from ragstore.operations.doctor.looking import Advice, Check, Look
from ragstore.operations.doctor.postgresql.apart import apart
from ragstore.operations.doctor.results import Level

SHORT_STATEMENT = 30_000
UPGRADE_LIMIT = 600_000


class Rule(NamedTuple):
    """When a setting's value (in its unit) hurts, how much, and how."""

    hurts: Callable[[str], bool]
    level: Level
    what: str


def _below(limit: int) -> Callable[[str], bool]:
    return lambda value: 0 < int(value) < limit


def _is(*values: str) -> Callable[[str], bool]:
    return lambda value: value.lower() in values


_PLANNER = Rule(
    _is("off"), "warning", "it forbids the planner a kind of plan, and some searches take many times as long"
)

RULES: dict[str, Rule] = {
    "default_transaction_read_only": Rule(_is("on"), "error", "it is on: every write fails with ReadOnlyError"),
    "session_replication_role": Rule(
        _is("replica"), "error", "it is replica: foreign keys are not enforced, and rows that refer to nothing are left"
    ),
    "DateStyle": Rule(
        lambda value: not value.startswith("ISO"),
        "error",
        "it is not ISO: psycopg cannot read times, so most calls fail",
    ),
    "client_encoding": Rule(
        lambda value: value.upper() not in ("UTF8", "UNICODE"),
        "error",
        "it is not UTF8: other characters cannot be sent",
    ),
    "default_transaction_isolation": Rule(
        lambda value: value != "read committed",
        "warning",
        "it is not read committed: calls that meet others' writes fail with ConcurrencyError and must be run again",
    ),
    "transaction_timeout": Rule(
        _below(UPGRADE_LIMIT), "warning", "it ends long transactions: an upgrade is one, and is rolled back"
    ),
    "statement_timeout": Rule(
        _below(SHORT_STATEMENT),
        "hint",
        "it is short for loading, erasing and index builds; an upgrade sets its own",
    ),
    "synchronous_commit": Rule(
        _is("off"), "hint", "it is off: a crash may lose the last commits, though it damages nothing"
    ),
    "enable_indexscan": _PLANNER,
    "enable_bitmapscan": _PLANNER,
    "enable_hashjoin": _PLANNER,
    "enable_nestloop": _PLANNER,
    "enable_sort": _PLANNER,
    "enable_seqscan": _PLANNER,
}

# The two that say who the session is are not in pg_settings.
_READ = """
SELECT name, setting, source FROM pg_settings WHERE name = ANY (%s) OR source = 'session' AND name IN (
  'search_path', 'lock_timeout', 'idle_in_transaction_session_timeout', 'TimeZone')
UNION ALL
SELECT name, current_setting(name), 'session' FROM (VALUES ('role'), ('session_authorization')) AS v (name)
ORDER BY 1
"""
_WHERE = {
    "database": "ALTER DATABASE ... RESET {name};",
    "user": "ALTER ROLE ... RESET {name};",
    "database user": "ALTER ROLE ... IN DATABASE ... RESET {name};",
    "client": "take it out of the connection's options (URL, PGOPTIONS or connect_args)",
    "session": "take it out of what the engine runs on each new connection",
    "environment variable": "change it where the server is started",
}
_ELSEWHERE = "ALTER SYSTEM RESET {name};  then  SELECT pg_reload_conf();  or change it in the configuration file"


def values(connection: Connection) -> dict[str, tuple[str, str]]:
    """Give the settings that matter on a connection, and where each comes from."""
    rows = connection.exec_driver_sql(_READ, (list(RULES),)).all()
    connection.rollback()
    return {name: (value, source) for name, value, source in rows}


def session_settings(look: Look) -> Iterator[Advice]:
    """No setting of a new session makes our statements fail or crawl."""
    with apart(look.engine) as connection:
        found = values(connection)
    for name, (value, source) in found.items():
        rule = RULES.get(name)
        if rule is not None and rule.hurts(value):
            yield Advice(rule.level, name, rule.what, _WHERE.get(source, _ELSEWHERE).format(name=name))


CHECKS: tuple[Check, ...] = (session_settings,)
