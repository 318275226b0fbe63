"""Making an engine from another one."""

from __future__ import annotations

from sqlalchemy import Engine


def side_pool(engine: Engine) -> Engine:
    """Make an engine beside this one: its own pool, of the same kind and size, that connects in the same way.

    A host's `creator`, `connect_args` and pool events are carried over, events on the engine itself are not.
    """
    return Engine(engine.pool.recreate(), engine.dialect, engine.url, hide_parameters=engine.hide_parameters)
