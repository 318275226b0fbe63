"""Rate limits on SQLite: read, decide and write under the write lock, on the driver's connection."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, suppress
from typing import Any

from ragstore.errors import LockTimeout
from ragstore.rate_limits import algorithms
from ragstore.rate_limits.algorithms import FRESH, State
from ragstore.rate_limits.backend import Answers, Ask, Batch, Talk, Verdict

_READ = """
    SELECT mark, used, previous FROM rag_rate_limit WHERE tenant_id = ? AND policy = ? AND rule = ? AND "key" = ?
"""
_FORGET = 'DELETE FROM rag_rate_limit WHERE tenant_id = ? AND policy = ? AND rule = ? AND "key" = ?'
_WRITE = """
    INSERT INTO rag_rate_limit (mark, used, previous, expires_at, tenant_id, policy, rule, "key")
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (tenant_id, policy, rule, "key")
    DO UPDATE SET mark = excluded.mark, used = excluded.used, previous = excluded.previous,
        expires_at = excluded.expires_at
"""


def talk(driver: Any, batch: Batch, schema: str, seconds: float) -> Talk:
    """Decide a batch in a transaction of its own. SQLite waits by itself, so nothing is yielded.

    Raises:
        LockTimeout: Somebody else wrote to the file for so long.
    """
    yield from ()
    with closing(driver.cursor()) as cursor:  # its end would wait for whoever is given the connection next
        cursor.execute(f"PRAGMA busy_timeout = {max(round(seconds * 1000), 1)}")
        cursor.execute(f"PRAGMA synchronous = {'FULL' if batch.durable else 'NORMAL'}")
        _begin(cursor, "BEGIN" if batch.action == "look" else "BEGIN IMMEDIATE")
        answers = decide(cursor, batch)
        cursor.execute("COMMIT")
    return answers


def _begin(cursor: Any, statement: str) -> None:
    try:
        cursor.execute(statement)
    except Exception as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            raise LockTimeout("somebody else wrote to the file for longer than the policy's max_wait") from error
        raise


def decide(cursor: Any, batch: Batch) -> Answers:
    """Decide a batch inside a transaction.

    Args:
        cursor: By the interface of PEP 249.
        batch: What to decide.
    """
    found = [_read(cursor, ask) for ask in batch.asks]
    now = time.time_ns() // 1000 if batch.now is None else batch.now  # read where the rows are locked
    states = [algorithms.at(ask.rule, state, now) for ask, state in zip(batch.asks, found, strict=True)]
    fitting = [algorithms.fits(ask.rule, state, ask.cost, now) for ask, state in zip(batch.asks, states, strict=True)]
    changes = batch.action in ("take", "give") or (batch.action == "ask" and all(fitting))
    verdicts = []
    for ask, before, state, fits in zip(batch.asks, found, states, fitting, strict=True):
        after = _change(batch, ask, state, now) if changes else state
        if batch.action == "forget":
            cursor.execute(_FORGET, _key(ask))
        # a refusal writes only what a clock that has stepped back makes of the state, or it would refuse until the
        # clock is back where it was
        elif changes or (batch.action == "ask" and state.mark < before.mark):
            cursor.execute(_WRITE, (*after, algorithms.expiry(ask.rule, after), *_key(ask)))
        verdicts.append(Verdict(fits, after))
    return Answers(now, verdicts)


def is_idle(driver: Any) -> bool:
    """Say whether a connection can be used again."""
    return not driver.in_transaction


def hang_up(driver: Any) -> None:
    """Close a connection, and give up its lock, which it would keep as long as anybody holds a cursor of it."""
    with suppress(sqlite3.Error):
        driver.rollback()
    driver.close()


def _read(cursor: Any, ask: Ask) -> State:
    cursor.execute(_READ, _key(ask))
    row = cursor.fetchone()
    return FRESH if row is None else State(*row)


def _key(ask: Ask) -> tuple[str, str, str, bytes]:
    return ask.tenant, ask.policy, ask.rule.name, ask.key


def _change(batch: Batch, ask: Ask, state: State, now: int) -> State:
    if batch.action == "give":
        return algorithms.give_back(ask.rule, state, ask.cost, batch.taken_at, now)
    return algorithms.take(ask.rule, state, ask.cost, now)
