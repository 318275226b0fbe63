"""Our tables, on either database: their state, and the catalogue against what is declared."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import text

from ragstore import migrations
from ragstore.migrations import Difference, State, chain, states, targets
from ragstore.migrations.indexing import managed
from ragstore.operations.doctor.looking import Advice, Check, Look
from ragstore.operations.doctor.results import Level

INVALID = "INVALID"
"""How the catalogue marks an index that no query may use; `invalid_indexes` reports them with all others."""

_UPGRADE = "call ragstore.upgrade, or run  ragstore db upgrade"
_STATES: dict[State, tuple[Level, str, str]] = {
    State.EMPTY: (
        "error",
        "there are no tables of ragstore's here",
        f"{_UPGRADE}; is it the right database and schema?",
    ),
    State.BEHIND: ("error", "the schema is older than this code: calls that need what is new fail", _UPGRADE),
    State.AHEAD_COMPATIBLE: ("hint", "the schema is newer than this code, which may run on it", "update ragstore soon"),
    State.AHEAD_INCOMPATIBLE: ("error", "", "install the newer ragstore"),
    State.FOREIGN: ("error", "", "choose another schema or database; ragstore changes nothing here"),
    State.DAMAGED: (
        "error",
        "",
        "restore the version record from a backup, or write it anew by  ragstore db stamp;  see  ragstore db check",
    ),
}


def state(look: Look) -> Iterator[Advice]:
    """The schema is the one that this code was written for."""
    with look.reading() as connection:
        look.status = found = states.read(connection, look.schema)
    if found.state is State.CURRENT:
        return
    level, what, remedy = _STATES[found.state]
    steps = f" (pending: {', '.join(found.pending)})" if found.state is State.BEHIND else ""
    yield Advice(level, _place(look), (found.problem or what) + steps, remedy)


def _place(look: Look) -> str:
    return f"schema {look.schema}" if look.engine.dialect.name == "postgresql" else "the file"


def drift(look: Look) -> Iterator[Advice]:
    """The catalogue holds what this code declares, and nothing else on our tables."""
    status = look.status
    if status is None or status.revision != chain.HEAD:
        return
    for difference in _differences(look):
        if not (difference.kind == "index" and (difference.found or "").endswith(INVALID)):
            yield _advice(difference, look)


def _differences(look: Look) -> tuple[Difference, ...]:
    if look.engine.dialect.name != "postgresql":
        return migrations.check(look.engine)
    with targets.borrowed(look.engine) as connection:
        connection.execution_options(isolation_level="READ COMMITTED")
        limits = "SELECT set_config('statement_timeout', '20s', true), set_config('lock_timeout', '1s', true)"
        connection.execute(text(limits))
        try:
            return migrations.check(connection, schema=look.schema)
        finally:
            connection.rollback()


_ENSURE = "run  ragstore db ensure-indexes"
_RESTORE = "restore it from a backup: an upgrade does not make it again"
_MISSING: dict[str, tuple[Level, str]] = {
    "index": ("error", "make it again as a fresh database has it, after a look for rows that are there twice"),
    "table": ("error", _RESTORE),
    "column": ("error", _RESTORE),
    "function": ("error", _RESTORE),
}
_ADDED: dict[str, tuple[Level, str]] = {
    "index": ("hint", "keep it if a query of yours needs it: each write pays for it"),
    "table": ("hint", "move it to a schema of your own: names that begin with rag_ are ours"),
    "column": ("hint", "keep such data in a table of your own: an upgrade may rebuild ours"),
    "trigger": ("warning", "make sure that it neither changes nor refuses our rows; it runs inside our transactions"),
    "policy": ("warning", "make sure that the application's role sees and writes every row"),
}


def _advice(difference: Difference, look: Look) -> Advice:
    level, remedy = _index_advice(difference, look) or _other_advice(difference)
    return Advice(level, difference.table or difference.name, str(difference), remedy)


def _index_advice(difference: Difference, look: Look) -> tuple[Level, str] | None:
    """Say what to do about an index that `ensure_indexes` looks after; None for all else."""
    database = look.engine.dialect.name
    looked_after = {index.name for _, index in managed.managed(database)}
    if difference.kind != "index" or not (difference.name in looked_after or managed.is_left(difference.name)):
        return None
    return "warning", _ENSURE


def _other_advice(difference: Difference) -> tuple[Level, str]:
    if difference.found is None:
        return _MISSING.get(difference.kind, ("warning", "put it back as a fresh database has it"))
    if difference.expected is None:
        return _ADDED.get(difference.kind, ("warning", "drop it, unless you know what it is for"))
    return "warning", "change it back: ragstore is tested with what it declares"


CHECKS: tuple[Check, ...] = (state, drift)
