"""Rate limits on PostgreSQL: a function in the schema decides, in one round trip."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from psycopg.pq import TransactionStatus

from ragstore.backends.postgresql import direct
from ragstore.core.sql import quoted
from ragstore.errors import UsageError
from ragstore.rate_limits import algorithms
from ragstore.rate_limits.algorithms import Rule, State
from ragstore.rate_limits.backend import Answers, Ask, Batch, Talk, Verdict

_KINDS = {"fixed": 0, "sliding": 1, "gcra": 2}
# So that a row held too long is told by the server, and the connection stays good. Who is not the first to wait for
# a row waits twice: to be the next one, and for the row.
_LOCK_SHARE = 0.45

# Nothing is looked up along the caller's search_path: functions, operators and types are named in full, or are words
# of the grammar, as are bigint and an unnest of several arrays. A call without casts finds the one function there is.
_CHARGE = """
    SELECT fits, mark, used, previous, decided_at
    FROM {schema}.rag_rate_limit_charge($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
_NOW = "(extract(epoch FROM pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint"
_ASKED = "unnest($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.text[], $4::pg_catalog.bytea[])"
_IS_ASKED = "(r.tenant_id, r.policy, r.rule, r.key) OPERATOR(pg_catalog.=) (a.tenant, a.policy, a.rule, a.key)"
_LOOK = f"""
    SELECT NULL, coalesce(r.mark, 0), coalesce(r.used, 0), coalesce(r.previous, 0), coalesce($5::bigint, {_NOW})
    FROM {_ASKED} WITH ORDINALITY AS a (tenant, policy, rule, key, place)
    LEFT JOIN {{schema}}.rag_rate_limit AS r ON {_IS_ASKED}
    ORDER BY place
"""  # noqa: S608 - of constants
# The rows are locked in their order first: a DELETE by itself takes them as its plan finds them. The sort for that
# order reads the setting, so it holds before the first row is waited for.
_FORGET = f"""
    WITH setting AS MATERIALIZED (
        SELECT pg_catalog.set_config('lock_timeout', $5, true)
    ), locked AS MATERIALIZED (
        SELECT r.tenant_id, r.policy, r.rule, r.key
        FROM setting CROSS JOIN {_ASKED} WITH ORDINALITY AS a (tenant, policy, rule, key, place)
        JOIN {{schema}}.rag_rate_limit AS r ON {_IS_ASKED} ORDER BY place FOR UPDATE OF r
    ), gone AS (
        DELETE FROM {{schema}}.rag_rate_limit AS r USING locked AS a (tenant, policy, rule, key) WHERE {_IS_ASKED}
    )
    SELECT NULL, 0, 0, 0, {_NOW} FROM pg_catalog.unnest($1::pg_catalog.text[])
"""  # noqa: S608 - of constants


def talk(driver: Any, batch: Batch, schema: str, seconds: float) -> Talk:
    """Decide a batch in one round trip."""
    tenants, policies, rules, *numbers = _constants(tuple(ask[:3] for ask in batch.asks))
    keys = _array(f'"\\\\x{ask.key.hex()}"' for ask in batch.asks)
    now = None if batch.now is None else b"%d" % batch.now
    parameters: list[bytes | None] = [tenants, policies, rules, keys]
    if batch.action == "forget":
        statement = _FORGET
        parameters += [_lock_wait(seconds)]
    elif batch.action == "look":
        statement = _LOOK
        parameters += [now]
    else:
        statement = _CHARGE
        parameters += [*numbers, *_charge(batch, now, seconds)]
    often = statement is _CHARGE
    rows = yield from direct.run(driver, _filled(statement, schema), parameters, often=often)
    return _answers(batch, rows)


def decide(cursor: Any, batch: Batch) -> Answers:
    """Refuse: a decision inside the transaction of an engine's only connection could be rolled back."""
    raise UsageError("rate limits need connections of their own, and this engine has a single one: give it a pool")


def is_idle(driver: Any) -> bool:
    """Say whether a connection can be used again."""
    return bool(driver.pgconn.transaction_status == TransactionStatus.IDLE)


def hang_up(driver: Any) -> None:
    """Close a connection without waiting for anything."""
    driver.pgconn.finish()


@lru_cache(64)
def _filled(statement: str, schema: str) -> bytes:
    return statement.replace("{schema}", quoted(schema)).encode()


@lru_cache(4096)
def _constants(asked: tuple[tuple[str, str, Rule], ...]) -> list[bytes]:
    """Write what is the same for every key: tenants, policies, and the rules in names and numbers."""
    rules = [rule for _, _, rule in asked]
    return [
        _array(_quoted(tenant) for tenant, _, _ in asked),
        _array(_quoted(policy) for _, policy, _ in asked),  # one may be called null
        _array(rule.name for rule in rules),
        _array(str(_KINDS[rule.algorithm]) for rule in rules),
        _array(str(rule.capacity) for rule in rules),
        _array(str(rule.period) for rule in rules),
        _array(str(rule.tolerance) for rule in rules),
    ]


def _charge(batch: Batch, now: bytes | None, seconds: float) -> tuple[bytes | None, ...]:
    steps = _array(str(ask.rule.step(ask.cost)) for ask in batch.asks)
    durable = b"t" if batch.durable else b"f"
    return steps, batch.action.encode(), b"%d" % batch.taken_at, now, durable, _lock_wait(seconds)


def _lock_wait(seconds: float) -> bytes:
    return b"%dms" % max(round(seconds * _LOCK_SHARE * 1000), 1)


def _array(items: Iterable[str]) -> bytes:
    return ("{" + ",".join(items) + "}").encode()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _answers(batch: Batch, rows: direct.Rows) -> Answers:
    pairs = zip(batch.asks, rows, strict=True)
    return Answers(int(rows[0][-1] or 0), [_verdict(ask, row) for ask, row in pairs])


def _verdict(ask: Ask, row: Sequence[bytes | None]) -> Verdict:
    mark, used, previous, now = (int(number or 0) for number in row[1:])
    if row[0] is not None:
        return Verdict(row[0] == b"t", State(mark, used, previous))
    state = algorithms.at(ask.rule, State(mark, used, previous), now)  # it was only looked at
    return Verdict(algorithms.fits(ask.rule, state, ask.cost, now), state)
