"""PostgreSQL with pgvector."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from ragstore.backends.postgresql import (
    appends,
    conditions,
    connect,
    copying,
    explaining,
    forks,
    indexes,
    lexemes,
    limits,
    messages,
    search,
    traces,
    violations,
    writes,
)
from ragstore.core.backend import Abilities
from ragstore.core.query import Steps
from ragstore.core.translate import translating
from ragstore.corpus.backend import Answer, SearchRequest, VectorIndexes
from ragstore.rate_limits.backend import LimitsBackend


class PostgresBackend:
    """What is PostgreSQL's own; each function stands in the module of its kind."""

    name = "postgresql"
    supports = Abilities(
        schemas=True,
        concurrent_writers=True,
        row_locks=True,
        concurrent_index=True,
        free_transactions=False,
        in_process=False,
    )
    stores_weights = True
    indexes: VectorIndexes | None = indexes
    limits: LimitsBackend = limits

    read_url = staticmethod(connect.read_url)
    engine_options = staticmethod(connect.engine_options)
    set_up = staticmethod(connect.set_up)
    prepare = staticmethod(connect.prepare)
    is_aborted = staticmethod(connect.is_aborted)
    refuse_autocommit = staticmethod(connect.refuse_autocommit)
    begin = staticmethod(connect.begin)
    overwrite_deleted = staticmethod(traces.overwrite_deleted)
    clear_traces = staticmethod(traces.clear_traces)
    execution_options = staticmethod(connect.execution_options)
    leave_to_parent = staticmethod(forks.leave_to_parent)

    upsert = staticmethod(writes.upsert)
    copy = staticmethod(copying.copy)
    append_at_once = staticmethod(appends.append_at_once)
    rank_messages = staticmethod(messages.rank_messages)

    metadata_condition = staticmethod(conditions.metadata_condition)
    add_terms = staticmethod(lexemes.add_terms)
    remove_terms = staticmethod(lexemes.remove_terms)
    has_stale_terms = staticmethod(lexemes.has_stale_terms)
    weigh_anew = staticmethod(lexemes.weigh_anew)
    count_terms = staticmethod(lexemes.count_terms)
    measure_length = staticmethod(lexemes.measure_length)

    explain = staticmethod(explaining.explain)

    def search(self, requests: Sequence[SearchRequest]) -> Steps[list[Answer] | None]:
        """Find the best chunks for each request; None: a collection or its space is no longer what a request says."""
        return search.search(requests, self)

    def translating(self) -> AbstractContextManager[None]:
        """Turn the driver's errors into ours."""
        return translating(violations.classify)


BACKEND = PostgresBackend()
