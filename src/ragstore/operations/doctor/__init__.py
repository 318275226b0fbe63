"""Look for what can go wrong with a database and around it. Nothing is changed; each finding comes with its remedy."""

from __future__ import annotations

import asyncio

from sqlalchemy import Engine
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from ragstore.config import check_schema
from ragstore.core.base import SCHEMA
from ragstore.operations.doctor.looking import opened
from ragstore.operations.doctor.results import Diagnosis, Finding, Level
from ragstore.operations.doctor.rounds import examine

__all__ = ["Diagnosis", "Finding", "Level", "adiagnose", "diagnose"]


def diagnose(target: str | URL | Engine, *, schema: str = SCHEMA, deep: bool = False) -> Diagnosis:
    """Look at a database and what is around it, and say what is wrong or could go wrong, and what to do.

    Each check has short transactions of its own: on PostgreSQL READ ONLY ones whose statements end after ten seconds
    and wait for no lock longer than one. `migrations.check` alone makes temporary tables, and rolls them back. A
    check that cannot be made, for want of a right for example, is a finding of level "hint", and the others go on. A
    database that cannot be reached is a finding too, and a missing SQLite file is not created.

    Args:
        target: A URL, or the application's own engine: then its pool, its driver's options and the settings of its
            idle connections are looked at as well. Up to five idle connections are borrowed for a moment.
        schema: PostgreSQL schema of our tables. SQLite has none and ignores it.
        deep: On SQLite hold every index against its table, and read files of more than 2 GB as well.

    Returns:
        The findings, errors first, and what was learned of the database.

    Raises:
        InvalidInput: The target is no database URL, or the schema no name.
        UsageError: Another database than PostgreSQL or SQLite, or SQLite in memory by URL.

    Example:
        >>> import ragstore
        >>> from ragstore.operations.doctor import diagnose
        >>> _ = ragstore.upgrade("sqlite:///app.db")
        >>> found = diagnose("sqlite:///app.db")
        >>> found.healthy, found.at("warning"), found.revision == ragstore.migrations.history()[-1].id
        (True, (), True)
    """
    check_schema(schema)
    with opened(target, schema, deep=deep) as look:
        return examine(look)


async def adiagnose(target: str | URL | Engine | AsyncEngine, *, schema: str = SCHEMA, deep: bool = False) -> Diagnosis:
    """Look at a database as `diagnose` does: in a thread, or on the event loop for an `AsyncEngine`."""
    if isinstance(target, AsyncEngine):
        return await greenlet_spawn(diagnose, target.sync_engine, schema=schema, deep=deep)
    return await asyncio.to_thread(diagnose, target, schema=schema, deep=deep)
