"""What SQLAlchemy does not say of engines: another one beside it, and how it begins transactions."""

from __future__ import annotations

from sqlalchemy import Connection, Engine


def side_pool(engine: Engine) -> Engine:
    """Make an engine beside this one: its own pool, of the same kind and size, that connects in the same way.

    A host's `creator`, `connect_args` and pool events are carried over, events on the engine itself are not.
    """
    return Engine(engine.pool.recreate(), engine.dialect, engine.url, hide_parameters=engine.hide_parameters)


def is_autocommit(bind: Engine | Connection) -> bool:
    """Say whether each statement commits by itself, unless a transaction is told otherwise."""
    engine_wide = getattr(bind.dialect, "_on_connect_isolation_level", None)
    return bind.get_execution_options().get("isolation_level", engine_wide) == "AUTOCOMMIT"
