"""Migrations on PostgreSQL: one transaction, an advisory lock in it, settings that end with it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError

from ragstore.backends.postgresql import connect, ddl
from ragstore.backends.postgresql.violations import classify as _classify
from ragstore.config import Settings
from ragstore.core.sql import quoted
from ragstore.errors import (
    ExtensionMissing,
    MigrationError,
    PermissionDenied,
    RagstoreError,
    ReadOnlyError,
    UpgradeLockTimeout,
    UsageError,
)
from ragstore.migrations.job import Job
from ragstore.migrations.sides import Busy, Catalogue

logger = logging.getLogger("ragstore.migrations")

SERVER_MINIMUM = 150000
_NO_ANSWER = ("42P01", "3F000", "42703", "55P03", "42501")  # no such table, schema, column; locked; not allowed
# set_config(…, true) ends with the transaction; a plain SET would stay on a pooled connection.
SETTINGS = {
    # A waiting ALTER makes every SELECT behind it wait. Shorter than deadlock_timeout (1 s): where a migration and a
    # writer wait for each other's tables, it is the migration that gives up and tries again, not the writer.
    "lock_timeout": "500ms",
    "statement_timeout": "600s",  # the role's own may be made for web requests
    "search_path": "pg_catalog, pg_temp",  # every name of ours is qualified; nothing planted is found
}
_FACTS = """
SELECT pg_catalog.pg_is_in_recovery() AS recovery,
  pg_catalog.current_setting('transaction_read_only') = 'on' AS read_only,
  pg_catalog.current_setting('transaction_isolation') AS isolation,
  pg_catalog.current_setting('application_name') AS application,
  pg_catalog.current_setting('synchronous_commit') = 'off' AS forgets,
  pg_catalog.current_setting('server_version_num')::int AS version,
  pg_catalog.version() ~ 'linux|darwin|bsd' AS notices_lost_clients,
  pg_catalog.current_database()::text AS database, CURRENT_USER::text AS role,
  pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS may_create_schema,
  n.oid IS NOT NULL AS has_schema, pg_catalog.has_schema_privilege(n.oid, 'CREATE')
    AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS may_create_table
FROM (SELECT) AS one LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = :schema
"""
_EXTENSION = """
SELECT e.extversion, n.nspname FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'vector'
"""
_REFERENCES = """
SELECT k.conrelid::pg_catalog.regclass::text, k.conname::text, c.relname::text
FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_class AS c ON c.oid = k.confrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class AS t ON t.oid = k.conrelid
WHERE k.contype = 'f' AND k.conparentid = 0 AND n.nspname = :schema AND c.relname = ANY (:tables)
  AND NOT (t.relnamespace = c.relnamespace AND t.relname = ANY (:tables))
ORDER BY 1, 2
"""
_HOLDER = """
SELECT l.pid, a.application_name FROM pg_catalog.pg_locks AS l
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid <> pg_catalog.pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND (l.classid::bigint << 32) | l.objid::bigint = :key
"""


class PostgresSide:
    """PostgreSQL as migrations see it."""

    classify = staticmethod(_classify)

    def prefix(self, schema: str) -> str:
        """Give the quoted schema and a dot."""
        return quoted(schema) + "."

    look_prefix = prefix

    def declared(self) -> Sequence[str]:
        """Name the tables and functions that this code declares."""
        from ragstore.schema import tables_for

        return [*(table.name for table in tables_for("postgresql")), *ddl.FUNCTIONS]

    def ours(self, connection: Connection, schema: str) -> set[str]:
        """Name the tables and functions that exist and have a name of ours."""
        statement = """
            SELECT c.relname::text FROM pg_catalog.pg_class AS c
            JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            UNION ALL
            SELECT f.proname::text FROM pg_catalog.pg_proc AS f
            JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace WHERE n.nspname = :schema
        """
        names = set(connection.execute(text(statement), {"schema": schema}).scalars())
        return names & {*self.declared(), "rag_version"}

    def has_columns(self, connection: Connection, schema: str, table: str, columns: Sequence[str]) -> bool:
        """Ask `to_regclass`: a missing table would abort the caller's transaction."""
        statement = """
            SELECT count(*) FROM pg_catalog.pg_attribute
            WHERE attrelid = pg_catalog.to_regclass(:name) AND attname = ANY (:columns) AND NOT attisdropped
        """
        values = {"name": self.prefix(schema) + table, "columns": list(columns)}
        return bool(connection.execute(text(statement), values).scalar_one() == len(columns))

    def cannot_tell(self, error: DBAPIError) -> bool:
        """Say whether a table, a column or the schema is missing, locked, or not this role's to read."""
        return isinstance(error.orig, psycopg.Error) and error.orig.sqlstate in _NO_ANSWER

    def new_engine_options(self, url: URL) -> dict[str, object]:
        """Give a private engine the settings of a store's, without a pool."""
        options = connect.engine_options(url, Settings())
        return {
            name: value for name, value in options.items() if not name.startswith("pool_") and name != "max_overflow"
        }

    def watch(self, engine: Engine) -> None:
        """Refuse another encoding before SQLAlchemy trips over it: it expects text and gets bytes."""

        @event.listens_for(engine, "connect", insert=True)
        def _look(driver: Any, _entry: object) -> None:
            try:
                _check_encoding(driver)
            except MigrationError:
                driver.close()  # the pool does not know it yet
                raise

    def exists(self, url: URL) -> bool:
        """Leave it to the server."""
        return True

    def refuse_autocommit(self, connection: Connection) -> None:
        """Refuse a connection on which each statement would commit."""
        driver: Any = connection.connection.driver_connection
        _check_encoding(driver)
        if driver.autocommit or connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            raise UsageError(
                "this connection is in AUTOCOMMIT, so a failed upgrade could not be rolled back: "
                "pass one in a transaction, or the engine"
            )

    def quiet(self, connection: Connection) -> None:
        """Look in one round trip, without begin and commit."""
        _check_encoding(connection.connection.driver_connection)
        connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def alone(self, connection: Connection, job: Job, *, owned: bool) -> Iterator[None]:
        """Begin, check the server, take the lock; at the end commit, if owned, or roll back."""
        if owned:
            connection.rollback()
            connection.execution_options(isolation_level="READ COMMITTED")
        try:
            facts = _check(connection, job)
            if not connection.execute(
                text("SELECT pg_catalog.pg_try_advisory_xact_lock(:key)"), {"key": key_of(job.schema)}
            ).scalar_one():
                raise Busy
            with _settings(connection, facts, owned=owned):
                yield
            if owned:
                connection.commit()
        finally:
            if owned:
                connection.rollback()

    def gave_up(self, connection: Connection, job: Job) -> RagstoreError:
        """Name the process that holds the lock."""
        found = connection.execute(text(_HOLDER), {"key": key_of(job.schema)}).first()
        holder = f"process {found[0]} ({found[1] or 'no application_name'})" if found else "a process that is gone now"
        advice = "wait for it, or look at pg_stat_activity before ending it; nothing was changed"
        return UpgradeLockTimeout(f"{holder} held the migration lock for more than {job.timeout:g} s: {advice}")

    def make_ready(self, connection: Connection, job: Job, *, owned: bool, rebuilds: bool) -> dict[str, str]:
        """Make the schema and the extension, if they are missing and this role may."""
        schema = quoted(job.schema)
        if not connection.execute(
            text("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = :schema"), {"schema": job.schema}
        ).scalar():
            connection.exec_driver_sql(f"CREATE SCHEMA {schema}".replace("%", "%%"))
        return {"schema": schema, "vector": quoted(_extension(connection, job))}

    def references(self, connection: Connection, schema: str, tables: Sequence[str]) -> list[tuple[str, str, str]]:
        """List the foreign keys of other tables to these."""
        found = connection.execute(text(_REFERENCES), {"schema": schema, "tables": list(tables)})
        return [(row[0], row[1], row[2]) for row in found]

    def verify(self, connection: Connection) -> None:
        """Nothing to do: constraints were held all along."""

    def catalogues(self, connection: Connection, schema: str, *, owned: bool) -> tuple[Catalogue, Catalogue]:
        """Give what is declared and what the database holds."""
        from ragstore.migrations import catalogue_postgresql

        return catalogue_postgresql.declared_and_found(connection, schema, owned=owned)


def key_of(schema: str) -> int:
    """Make the lock's key from the schema's name; PostgreSQL keeps databases apart."""
    digest = hashlib.sha256(f"ragstore.migrations {schema}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _check_encoding(driver: Any) -> None:
    # the server reports it at connection start, so it costs no query
    encoding = driver.pgconn.parameter_status(b"server_encoding")
    if encoding is not None and encoding != b"UTF8":
        raise MigrationError(
            f"the database's encoding is {encoding.decode()}, and ragstore needs UTF8: "
            "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0, and move the data there"
        )


def _check(connection: Connection, job: Job) -> dict[str, Any]:
    """Refuse, by one query and before any lock, a server on which the migration cannot succeed."""
    facts = dict(connection.execute(text(_FACTS), {"schema": job.schema}).mappings().one())
    if facts["version"] < SERVER_MINIMUM:
        found = f"{facts['version'] // 10000}.{facts['version'] % 10000}"
        raise MigrationError(
            f"this server is PostgreSQL {found}, and ragstore needs {SERVER_MINIMUM // 10000} or later"
        )
    if facts["recovery"]:
        raise ReadOnlyError("this server is a hot standby: run the upgrade on the primary")
    if facts["read_only"]:
        raise ReadOnlyError(
            "the transaction is read-only (default_transaction_read_only?): upgrade as a role that may write"
        )
    if facts["isolation"] != "read committed":
        raise UsageError(
            f"this transaction is {facts['isolation'].upper()}, and would not see what another process migrates: "
            "pass one in READ COMMITTED, or the engine"
        )
    _check_rights(facts, job)
    return facts


def _check_rights(facts: dict[str, Any], job: Job) -> None:
    schema, role, database = quoted(job.schema), quoted(facts["role"]), quoted(facts["database"])
    if facts["has_schema"]:
        if not facts["may_create_table"]:
            grant = f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}"
            raise PermissionDenied(f"the role may not make tables in the schema: an administrator must run  {grant};")
    elif not job.create_schema:
        grant = f"CREATE SCHEMA {schema} AUTHORIZATION {role}"
        raise PermissionDenied(f"the schema is missing and create_schema is False: an administrator must run  {grant};")
    elif not facts["may_create_schema"]:
        grant = f"GRANT CREATE ON DATABASE {database} TO {role}"
        own = f"CREATE SCHEMA {schema} AUTHORIZATION {role}"
        raise PermissionDenied(f"the role may not create the schema: an administrator must run  {grant};  or  {own};")


@contextmanager
def _settings(connection: Connection, facts: dict[str, Any], *, owned: bool) -> Iterator[None]:
    """Set what holds for the migration; in a caller's transaction set it back, also where the call was refused."""
    before = _set(connection, facts)
    try:
        yield
    finally:
        driver: Any = None if connection.invalidated else connection.connection.driver_connection
        if not owned and driver is not None and driver.info.transaction_status == TransactionStatus.INTRANS:
            _set_back(connection, before)


def _set(connection: Connection, facts: dict[str, Any]) -> dict[str, str]:
    """Set what holds for the migration, and give what held before."""
    wanted = {**SETTINGS, "application_name": f"ragstore upgrade: {facts['application']}"[:63]}
    if facts["notices_lost_clients"]:  # else the server would refuse it
        wanted["client_connection_check_interval"] = "1s"
    if facts["forgets"]:
        wanted["synchronous_commit"] = "on"  # what is reported as committed must outlive a crash of the server
    names = ", ".join(f"pg_catalog.current_setting('{name}') AS {name}" for name in wanted)
    before = dict(connection.execute(text(f"SELECT {names}")).mappings().one())
    _set_back(connection, wanted)
    return before


def _set_back(connection: Connection, values: dict[str, str]) -> None:
    calls = ", ".join(f"pg_catalog.set_config('{name}', :{name}, true)" for name in values)
    connection.execute(text(f"SELECT {calls}"), values)


def _extension(connection: Connection, job: Job) -> str:
    """Give the schema in which pgvector lives; create the extension if it is missing and this role may.

    Raises:
        ExtensionMissing: It is missing, and this role may not create it, or the server does not have it.
        MigrationError: It is too old.
    """
    found = connection.execute(text(_EXTENSION)).first()
    if found is None:
        _create_extension(connection, job)
        found = connection.execute(text(_EXTENSION)).one()
    version, schema = str(found[0]), str(found[1])
    number = tuple(int(part) for part in version.split(".") if part.isdecimal())
    if number < ddl.VECTOR_MINIMUM:
        advice = "install it on the server, then run  ALTER EXTENSION vector UPDATE;"
        raise MigrationError(f"pgvector is {version}, and {_dotted(ddl.VECTOR_MINIMUM)} or later is needed: {advice}")
    if number < ddl.VECTOR_ADVISED:
        logger.warning("pgvector is %s; %s has fixes for its indexes", version, _dotted(ddl.VECTOR_ADVISED))
    return schema


def _create_extension(connection: Connection, job: Job) -> None:
    public = connection.execute(text("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'public'")).scalar()
    statement = f"CREATE EXTENSION vector SCHEMA {'public' if public else quoted(job.schema)}"
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(statement.replace("%", "%%"))
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in ("23505", "42710"):
            return  # somebody else has made it in the meantime
        if state not in ("42501", "0A000", "58P01"):
            raise
        available = "SELECT 1 FROM pg_catalog.pg_available_extensions WHERE name = 'vector'"
        if not connection.execute(text(available)).scalar():
            problem = "the server has no pgvector: install its package there, then"
        else:
            problem = "this role may not create pgvector:"
        raise ExtensionMissing(f"{problem} an administrator must run  {statement};  in this database") from error


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


SIDE = PostgresSide()
