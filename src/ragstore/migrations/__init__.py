"""Bring a host's database to the schema this code was written for, beside whatever else the host keeps in it.

Importing this module does not import Alembic: an upgrade of a database at head does not need it.
"""

from __future__ import annotations

from ragstore.core.base import SCHEMA
from ragstore.migrations import faces
from ragstore.migrations.job import Job
from ragstore.migrations.results import Difference, Revision, State, Status, UpgradeResult
from ragstore.migrations.targets import AsyncTarget, Target

__all__ = [
    "AsyncTarget",
    "Difference",
    "Revision",
    "State",
    "Status",
    "Target",
    "UpgradeResult",
    "acheck",
    "acurrent",
    "adowngrade",
    "astatus",
    "aupgrade",
    "check",
    "current",
    "downgrade",
    "history",
    "status",
    "upgrade",
]


def upgrade(
    target: Target, revision: str = "head", *, schema: str = SCHEMA, create_schema: bool = True, timeout: float = 60.0
) -> UpgradeResult:
    """Bring a database's schema up to date.

    At head this is one query without a lock. Else one process migrates while others wait, in one transaction: a
    failure or a kill at any point leaves the old schema exactly. A URL and an engine are committed. With a connection
    everything runs in its transaction, and nothing holds until its owner commits: `committed` is then False. On
    PostgreSQL the schema and the extension `vector` are created if they are missing and the role may. A newer schema
    that this code may run on is left alone, with one warning in the log.

    Args:
        target: A URL, an engine (one connection is borrowed), or a connection that is not in AUTOCOMMIT.
        revision: Where to: a revision, "head", or "+1".
        schema: PostgreSQL schema of our tables. SQLite has none and ignores it.
        create_schema: Create the schema if it is missing. False: an administrator does.
        timeout: Seconds to go on trying while another process migrates or holds locks.

    Returns:
        The revisions before and after, those that this call ran, and whether it committed.

    Raises:
        UpgradeLockTimeout: Another process was migrating past the deadline; the message names it.
        LockTimeout: Others held locks on our tables, or SQLite's write lock, past the deadline.
        SchemaTooNew: The schema is newer than this code may run on.
        SchemaDamaged: The version record and the tables disagree.
        ExtensionMissing: pgvector is not there, and this role may not create it.
        PermissionDenied: The role lacks a right; the message holds the GRANT.
        ReadOnlyError: The server is a standby, or the transaction is read-only.
        StorageError: SQLite's file cannot be opened or written.
        MigrationError: The server or the extension is too old, or the database is not in UTF8.
        UsageError: The connection is in AUTOCOMMIT, or the target is none of the above.

    Example:
        >>> import ragstore
        >>> result = ragstore.upgrade("sqlite:///app.db")
        >>> (result.from_revision, result.to_revision == result.applied[-1], result.committed)
        (None, True, True)
    """
    job = Job(revision=revision, schema=schema, create_schema=create_schema, timeout=timeout)
    return faces.migrate(target, job)


async def aupgrade(
    target: AsyncTarget,
    revision: str = "head",
    *,
    schema: str = SCHEMA,
    create_schema: bool = True,
    timeout: float = 60.0,  # noqa: ASYNC109 - how long to try; asyncio.timeout may stand around it
) -> UpgradeResult:
    """Bring a database's schema up to date without blocking the event loop.

    As `upgrade`. A URL or an engine is served in a thread, an async engine or connection on the loop. When the
    awaiting task is cancelled, a migration that has begun ends as old or new before the cancellation is passed on.

    Args:
        target: A URL, an `AsyncEngine`, an `AsyncConnection`, or an `Engine`.
        revision: Where to: a revision, "head", or "+1".
        schema: PostgreSQL schema of our tables.
        create_schema: Create the schema if it is missing.
        timeout: Seconds to go on trying while another process migrates or holds locks.

    Returns:
        As `upgrade`.

    Raises:
        MigrationError: And all others that `upgrade` raises.
    """
    job = Job(revision=revision, schema=schema, create_schema=create_schema, timeout=timeout)
    return await faces.amigrate(target, job)


def downgrade(
    target: Target, revision: str, *, schema: str = SCHEMA, timeout: float = 60.0, allow_data_loss: bool = False
) -> UpgradeResult:
    """Take revisions back, with the tables they made and all their rows. Nothing ever calls this by itself.

    Runs as `upgrade` does: one process, one transaction, the same targets. At "base" nothing of ours is left except
    the schema and the extension.

    Args:
        target: A URL, an engine, or a connection that is not in AUTOCOMMIT.
        revision: Where to: a revision, "-1", or "base".
        schema: PostgreSQL schema of our tables.
        timeout: Seconds to go on trying while others hold locks.
        allow_data_loss: Confirm that the rows may go.

    Returns:
        The revisions before and after, those taken back, and whether it committed.

    Raises:
        UsageError: `allow_data_loss` is False; the message says how many rows each table would lose.
        MigrationError: And all others that `upgrade` raises.
    """
    job = Job(revision=revision, down=True, schema=schema, timeout=timeout, allow_data_loss=allow_data_loss)
    return faces.migrate(target, job)


async def adowngrade(
    target: AsyncTarget,
    revision: str,
    *,
    schema: str = SCHEMA,
    timeout: float = 60.0,  # noqa: ASYNC109
    allow_data_loss: bool = False,
) -> UpgradeResult:
    """Take revisions back without blocking the event loop; as `downgrade`."""
    job = Job(revision=revision, down=True, schema=schema, timeout=timeout, allow_data_loss=allow_data_loss)
    return await faces.amigrate(target, job)


def status(target: Target, *, schema: str = SCHEMA) -> Status:
    """Say how a database stands to this code: four reading queries, no lock.

    Args:
        target: A URL, an engine, or a connection. A missing SQLite file is EMPTY and is not created.
        schema: PostgreSQL schema of our tables.

    Returns:
        The state and what it follows from; a damaged or foreign database is a state, not an error.

    Raises:
        Unavailable: The database cannot be reached.
        StorageError: SQLite's file cannot be read.
    """
    return faces.status(target, schema)


async def astatus(target: AsyncTarget, *, schema: str = SCHEMA) -> Status:
    """Say how a database stands to this code; as `status`."""
    return await faces.astatus(target, schema)


def current(target: Target, *, schema: str = SCHEMA) -> str | None:
    """Give a database's revision; None if it has none, or not exactly one. Reads as `status` does."""
    return status(target, schema=schema).revision


async def acurrent(target: AsyncTarget, *, schema: str = SCHEMA) -> str | None:
    """Give a database's revision; as `current`."""
    return (await astatus(target, schema=schema)).revision


def history() -> tuple[Revision, ...]:
    """List the revisions that this code knows, oldest first. No database is asked."""
    from ragstore.migrations import runner

    return runner.history()


def check(target: Target, *, schema: str = SCHEMA) -> tuple[Difference, ...]:
    """Compare a database's catalogue with what this code declares.

    Tables, columns, types, defaults, storage, indexes with their method and validity, constraints, triggers and, on
    PostgreSQL, functions are compared. There, what is declared is made as temporary tables, in a transaction that is
    rolled back; the role needs TEMPORARY on the database, and the server must not be a standby.

    Args:
        target: A URL, an engine, or a connection that is not in AUTOCOMMIT.
        schema: PostgreSQL schema of our tables.

    Returns:
        The differences, tables first; empty if there are none.

    Raises:
        ReadOnlyError: The server is a standby, or the transaction is read-only.
        PermissionDenied: The role may not make temporary tables.
        ExtensionMissing: pgvector is not in the database.
    """
    return faces.check(target, schema)


async def acheck(target: AsyncTarget, *, schema: str = SCHEMA) -> tuple[Difference, ...]:
    """Compare a database's catalogue with what this code declares; as `check`."""
    return await faces.acheck(target, schema)
