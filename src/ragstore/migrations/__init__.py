"""Bring a host's database to the schema this code was written for, beside whatever else the host keeps in it.

Importing this module does not import Alembic: an upgrade of a database at head does not need it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from ragstore.core.base import SCHEMA
from ragstore.errors import InvalidInput
from ragstore.migrations import chain, faces
from ragstore.migrations.job import Job
from ragstore.migrations.results import Difference, IndexProgress, IndexReport, Revision, State, Status, UpgradeResult
from ragstore.migrations.targets import AsyncTarget, Target

__all__ = [
    "AsyncTarget",
    "Difference",
    "IndexProgress",
    "IndexReport",
    "Revision",
    "State",
    "Status",
    "Target",
    "UpgradeResult",
    "acheck",
    "acurrent",
    "adowngrade",
    "aensure_indexes",
    "apply",
    "astamp",
    "astatus",
    "aupgrade",
    "check",
    "current",
    "downgrade",
    "ensure_indexes",
    "history",
    "sql",
    "stamp",
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

    The environment variable RAGSTORE_UPGRADE has the last word: "off", and nothing is done or asked (`skipped` is then
    True); "check", and nothing is changed, and what is pending is an error; "auto", as if it were not set.

    Args:
        target: A URL, an engine (one connection is borrowed), or a connection that is not in AUTOCOMMIT.
        revision: Where to: a revision, "head", or "+1".
        schema: PostgreSQL schema of our tables. SQLite has none and ignores it.
        create_schema: Create the schema if it is missing. False: an administrator does.
        timeout: Seconds to go on trying while another process migrates or holds locks. The first look is not counted:
            on SQLite it may wait for the driver's busy time-out, on PostgreSQL for whoever locked the version table.

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
        SchemaBehind: RAGSTORE_UPGRADE is "check", and revisions are pending; the message lists them.
        UsageError: The connection is in AUTOCOMMIT, the target is none of the above, or RAGSTORE_UPGRADE is none.

    Example:
        >>> import ragstore
        >>> result = ragstore.upgrade("sqlite:///app.db")
        >>> (result.from_revision, result.to_revision == result.applied[-1], result.committed)
        (None, True, True)
    """
    job = Job(revision=revision, schema=schema, create_schema=create_schema, timeout=timeout)
    return faces.upgrade(target, job)


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
    return await faces.aupgrade(target, job)


def apply(
    connection: Connection | None,
    to: str = "head",
    *,
    schema: str = SCHEMA,
    create_schema: bool = True,
    timeout: float = 60.0,
) -> UpgradeResult:
    """Bring the schema at least to a revision, from a host's own Alembic revision.

    Everything runs in the transaction of Alembic's connection, which Alembic commits. A database that is at or past
    the revision is left alone, and nothing is ever taken back. RAGSTORE_UPGRADE does not matter: whoever runs the
    host's revision wants it.

    Args:
        connection: What `op.get_bind()` gives.
        to: A revision. "head" is whatever the installed ragstore knows, so a host's revision does better to name one.
        schema: PostgreSQL schema of our tables.
        create_schema: Create the schema if it is missing.
        timeout: Seconds to go on trying while another process migrates.

    Returns:
        The revisions before and after, and those that this call ran; `committed` is False.

    Raises:
        UsageError: There is no connection, since Alembic is writing SQL (`--sql`); the message says what to call then.
        InvalidInput: `to` is neither a revision nor "head".
        MigrationError: And all others that `upgrade` raises.

    Example:
        >>> from sqlalchemy import create_engine
        >>> from ragstore import migrations
        >>> engine = create_engine("sqlite:///host.db")
        >>> with engine.begin() as connection:  # in a revision: op.get_bind()
        ...     migrations.apply(connection, to="rs_0002").applied
        ('rs_0001', 'rs_0002')
        >>> engine.dispose()
    """
    chain.check_end(to)
    job = Job(revision=to, schema=schema, create_schema=create_schema, timeout=timeout, at_least=True)
    return faces.apply(connection, job)


def downgrade(
    target: Target, revision: str, *, schema: str = SCHEMA, timeout: float = 60.0, allow_data_loss: bool = False
) -> UpgradeResult:
    """Take revisions back, with the tables they made and all their rows. Nothing ever calls this by itself.

    Runs as `upgrade` does: one process, one transaction, the same targets. At "base" nothing of ours is left except
    the schema and the extension. Where a foreign key of the host's refers to a table that would go, nothing is changed.

    Args:
        target: A URL, an engine, or a connection that is not in AUTOCOMMIT.
        revision: Where to: a revision, "-1", or "base".
        schema: PostgreSQL schema of our tables.
        timeout: Seconds to go on trying while others hold locks.
        allow_data_loss: Confirm that the rows may go.

    Returns:
        The revisions before and after, those taken back, and whether it committed.

    Raises:
        UsageError: `allow_data_loss` is False; the message says how many rows each table and each column would lose.
            Or there is no database at this address.
        SchemaTooNew: The schema is newer than this code, which cannot take back what it does not know.
        MigrationError: Foreign keys of other tables refer to tables that would go; the message names them.
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


def stamp(target: Target, revision: str, *, schema: str = SCHEMA, timeout: float = 60.0) -> UpgradeResult:
    """Write down which revision a database has, where that record was lost or doubled. No table is changed.

    Runs as `upgrade` does: one process, one transaction, the same targets. The version row and the row that says which
    code may run are written anew, if the tables and columns there are those of the revision, and none of a later one.

    Args:
        target: A URL, an engine, or a connection that is not in AUTOCOMMIT.
        revision: A revision, or "head".
        schema: PostgreSQL schema of our tables.
        timeout: Seconds to go on trying while others hold locks.

    Returns:
        The revision before, if there was exactly one, and after; and whether it committed.

    Raises:
        SchemaDamaged: The tables are not those of the revision; the message says which are missing or too many.
        InvalidInput: There is no such revision.
        UsageError: A newer ragstore wrote the schema, or there is no database.

    Example:
        >>> from ragstore import migrations
        >>> upgraded = migrations.upgrade("sqlite:///stamped.db")
        >>> migrations.stamp("sqlite:///stamped.db", "head").from_revision == upgraded.to_revision
        True
    """
    return faces.stamp(target, _stamping(revision, schema, timeout))


async def astamp(
    target: AsyncTarget,
    revision: str,
    *,
    schema: str = SCHEMA,
    timeout: float = 60.0,  # noqa: ASYNC109
) -> UpgradeResult:
    """Write down which revision a database has; as `stamp`."""
    return await faces.astamp(target, _stamping(revision, schema, timeout))


def _stamping(revision: str, schema: str, timeout: float) -> Job:
    named = chain.HEAD if revision == "head" else revision
    if named not in chain.CHAIN:
        raise InvalidInput(f"{revision!r} is none of {', '.join(chain.CHAIN)}, head", field="revision")
    return Job(revision=named, schema=schema, timeout=timeout)


def sql(
    database: Literal["postgresql", "sqlite"],
    revision: str = "head",
    *,
    start: str = "base",
    schema: str = SCHEMA,
    vector_schema: str = "public",
    transaction: bool = True,
) -> str:
    """Write the statements of an upgrade, or of a downgrade, for an administrator to run. No database is asked.

    The script does what the call would do, in one transaction, and refuses a database that is not at `start` before
    anything is changed. Run it by `psql --set ON_ERROR_STOP=1 --file` or by `sqlite3 -bail`. A downgrade drops what
    its revisions made, with all rows.

    Args:
        database: "postgresql" or "sqlite".
        revision: Where to: a revision, "head", "base", "+1" or "-1" from `start`. One before `start` is a downgrade.
        start: Where the database is: a revision, or "base" if it has nothing of ours.
        schema: PostgreSQL schema of our tables.
        vector_schema: PostgreSQL schema in which pgvector is, or is to be.
        transaction: Begin and commit. False: for a script that does so around it, such as `alembic upgrade --sql`; on
            SQLite it is then a savepoint.

    Returns:
        The text.

    Raises:
        InvalidInput: There is no such database or revision.

    Example:
        >>> from ragstore import migrations
        >>> print(migrations.sql("sqlite", "rs_0003", start="rs_0003"), end="")
        -- nothing to do: rs_0003 is where the database is
    """
    from ragstore.migrations import offline

    plan = offline.plan(database, revision, start=start, schema=schema, vector_schema=vector_schema)
    return offline.script(plan, transaction=transaction)


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
        UsageError: The SQLite file does not exist.
    """
    return faces.check(target, schema)


async def acheck(target: AsyncTarget, *, schema: str = SCHEMA) -> tuple[Difference, ...]:
    """Compare a database's catalogue with what this code declares; as `check`."""
    return await faces.acheck(target, schema)


def ensure_indexes(
    target: str | URL | Engine,
    *,
    schema: str = SCHEMA,
    timeout: float = 3600.0,
    progress: Callable[[IndexProgress], None] | None = None,
) -> tuple[IndexReport, ...]:
    """Make every index what it should be, while others read and write.

    Indexes that `upgrade` left out because their tables are large, that somebody dropped, or that a build which failed
    left invalid are built; one with another definition is built anew under another name and then takes the old one's
    place. Approximate indexes of embedding spaces that are invalid are built again, those of deleted spaces dropped.
    Constraints and unique indexes are never touched.

    On PostgreSQL one index after another is built `CONCURRENTLY`, outside any transaction. That waits for transactions
    that are under way, and for another build on the same table: of two calls at once one builds and the other waits.
    A second connection, if one can be had, watches the build. On SQLite each index is made in a write transaction.

    Args:
        target: A URL, or an engine (two connections are used). Not a connection: it may be in a transaction.
        schema: PostgreSQL schema of our tables.
        timeout: Seconds that the whole call may take. On SQLite only waiting for other writers is cut short.
        progress: Called about four times a second while something is built or waited for, and from another thread
            during a build. What it raises is raised when the build has ended.

    Returns:
        What was done, in order; empty if every index was right.

    Raises:
        QueryTimeout: The time was over, or the server ended a build. What is left invalid the next call replaces.
        LockTimeout: The time was over while another session held a lock on the table (the message names it), or on
            SQLite the whole file.
        MigrationError: Something else has an index's name; the message says what.
        SchemaBehind: The schema is older than this code: run `upgrade` first.
        SchemaTooNew: The schema is newer, and a newer ragstore knows its indexes.
        SchemaDamaged: The version record and the tables disagree.
        PermissionDenied: The role does not own a table, or may not make temporary tables.
        ReadOnlyError: The server is a standby, or the transaction is read-only.
        UsageError: The target is a connection.

    Example:
        >>> from ragstore import migrations
        >>> migrations.ensure_indexes("sqlite:///app.db")
        ()
    """
    from ragstore.migrations.indexing import calls

    return calls.ensure(target, Job(schema=schema, timeout=timeout), progress)


async def aensure_indexes(
    target: str | URL | Engine | AsyncEngine,
    *,
    schema: str = SCHEMA,
    timeout: float = 3600.0,  # noqa: ASYNC109 - how long to try; asyncio.timeout may stand around it
    progress: Callable[[IndexProgress], None] | None = None,
) -> tuple[IndexReport, ...]:
    """Make every index what it should be without blocking the event loop.

    As `ensure_indexes`. A URL or an engine is served in a thread, an async engine on the loop. When the awaiting task
    is cancelled, the server is told to end the build, and its end is awaited before the cancellation is passed on; on
    SQLite the index that is being made is finished.

    Args:
        target: A URL, an `AsyncEngine`, or an `Engine`.
        schema: PostgreSQL schema of our tables.
        timeout: Seconds that the whole call may take.
        progress: As of `ensure_indexes`; with an async engine it is called on the loop, and must not block.

    Returns:
        As `ensure_indexes`.

    Raises:
        QueryTimeout: And all others that `ensure_indexes` raises.
    """
    from ragstore.migrations.indexing import calls

    return await calls.aensure(target, Job(schema=schema, timeout=timeout), progress)
