"""Counting round trips: libpq's own trace of the protocol, one `ReadyForQuery` for each time we waited."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from ragstore import Store


def count_round_trips(store: Store, job: Callable[[], object], times: int = 5) -> float | None:
    """Count an operation's round trips on PostgreSQL, on average; None where there is no server."""
    if store.engine.dialect.name != "postgresql":
        return None
    with tempfile.TemporaryFile("w+") as trace:
        traced: list[Any] = []

        def begin(driver: Any, *_: object) -> None:
            driver.pgconn.trace(trace.fileno())
            traced.append(driver)

        event.listen(store.engine, "checkout", begin)
        try:
            for _ in range(times):
                job()
        finally:
            event.remove(store.engine, "checkout", begin)
            for driver in traced:
                driver.pgconn.untrace()
        trace.seek(0)
        return sum("ReadyForQuery" in line for line in trace) / times
