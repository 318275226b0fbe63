"""Making one index what it should be on PostgreSQL, step by step, however many processes do the same."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, Engine, text

from ragstore.backends.postgresql.violations import classify
from ragstore.core.base import SCHEMA
from ragstore.core.sql import quoted
from ragstore.core.translate import translating
from ragstore.corpus import statements
from ragstore.errors import (
    ConcurrencyError,
    Conflict,
    DatabaseError,
    LockTimeout,
    MigrationError,
    PermissionDenied,
    QueryTimeout,
    RagstoreError,
)
from ragstore.migrations import catalogue_postgresql as catalogue
from ragstore.migrations.indexing.plan import Action, Step, Wish, is_invalid, next_step, of_table
from ragstore.migrations.indexing.sessions import put, transaction
from ragstore.migrations.indexing.watching import PERIOD, Watch
from ragstore.migrations.indexing.work import Work, logger
from ragstore.migrations.results import IndexReport

_LONGEST = 2**31 - 1  # milliseconds that a setting can hold: some 24 days
_GONE_OR_THERE = ("42P07", "42704")  # such an index exists, does not exist: another process was faster
# Those whose locks a build waits for, and the other way round.
_HOLDER = text("""
SELECT l.pid, a.application_name FROM pg_catalog.pg_locks AS l
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.relation = pg_catalog.to_regclass(:table) AND l.granted AND l.pid <> pg_catalog.pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
                 'AccessExclusiveLock')
ORDER BY a.backend_type = 'autovacuum worker' LIMIT 1
""")
# CREATE INDEX CONCURRENTLY and its kin let the table's lock go an instant before they commit.
_COMMITTING = text("""
SELECT EXISTS (SELECT FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_locks AS l ON l.locktype = 'transactionid' AND l.transactionid = i.xmax
    WHERE i.indrelid = pg_catalog.to_regclass(:table) AND l.pid <> pg_catalog.pg_backend_pid())
""")
# What has one of these names in the table's schema and is no index of the table; if it is an index, the table's name.
_TAKEN = text("""
SELECT pg_catalog.pg_describe_object('pg_catalog.pg_class'::regclass, c.oid, 0), i.indrelid::regclass::text
FROM pg_catalog.pg_class AS c LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
WHERE c.relnamespace = (SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(:table))
  AND c.relname = ANY (:names) AND i.indrelid IS DISTINCT FROM pg_catalog.to_regclass(:table)
""")
_OWNER = text("""
SELECT pg_catalog.pg_get_userbyid(relowner)::text FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(:table)
""")


class _Again(Exception):
    """Another process has got in between: look anew."""


class Builder:
    """Builds, swaps and drops, one index at a time."""

    def __init__(self, engine: Engine, connection: Connection, work: Work, *, direct: bool) -> None:
        """Work on this connection, which is in AUTOCOMMIT; a second one from the engine is for watching."""
        self._engine = engine
        self._connection = connection
        self._work = work
        self._direct = direct
        self._schema = work.job.schema

    def make(self, wish: Wish) -> list[IndexReport]:
        """Go on until the index is as wished, by this process or by another one."""
        try:
            with translating(classify):
                return self._make(wish)
        except PermissionDenied as error:
            owner = self._connection.execute(_OWNER, {"table": self._name_of(wish.table)}).scalar()
            advice = f"run ensure_indexes as {owner}, who owns the table, or as a member of that role"
            raise PermissionDenied(f"this role may not change indexes of {wish.table} ({error}): {advice}") from error

    def _make(self, wish: Wish) -> list[IndexReport]:
        action: Action | None = None
        cleaned: str | None = None
        built: set[str] = set()
        while (step := self._step(wish)) is not None:
            if step.build in built:
                advice = "is its search_path, or an operator or operator class of this name, made by somebody else?"
                raise MigrationError(f"{wish.name} was built and is not what was declared: {advice}")
            try:
                self._finish(wish, step)
            except _Again:
                self._work.hands.pause(PERIOD)
                if not step.renames:
                    continue
            action = action or step.action
            cleaned = cleaned or (step.renames[0][0] if step.renames else step.drop)
            built |= {step.build} if step.build else set()
        done = wish.name if action else cleaned
        if done is None:
            return []
        logger.info("%s %s", action or "dropped", done)
        return [IndexReport(index=done, table=wish.table, action=action or "dropped")]

    def record_ready(self, space: tuple[str, UUID]) -> None:
        """Write down that a space's index is there, so that searches use it."""
        write = statements.update_space(*space, {"index_state": "ready"})
        with transaction(self._connection):
            self._connection.execute(
                write.statement, execution_options={"schema_translate_map": {SCHEMA: self._schema}}
            )

    # --------------------------------------------------------------------------------------- deciding

    def _step(self, wish: Wish) -> Step | None:
        """Decide while nobody else is building on the table, and rename."""
        while True:
            self._wait(wish)
            try:
                with transaction(self._connection):
                    return self._locked_step(wish)
            except LockTimeout:
                continue  # somebody was faster; no time left is noticed while waiting
            except _Again:
                self._work.hands.pause(0.02)
            except (DatabaseError, Conflict) as error:
                self._expect(error)

    def _locked_step(self, wish: Wish) -> Step | None:
        if not self._direct:  # the session's own time-out may be shorter than the wait for the lock
            put(self._connection, "statement_timeout", "0", local=True)
        # LOCK TABLE waits without a snapshot
        table = self._name_of(wish.table)
        self._execute(f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")
        if self._connection.execute(_COMMITTING, {"table": table}).scalar_one():
            raise _Again
        step = next_step(wish, self._found(wish.table))
        if step is not None:
            self._refuse_taken(wish, step)
            for old, new in step.renames:
                self._execute(f"ALTER INDEX {self._name_of(old)} RENAME TO {quoted(new)}")
        return step

    def _refuse_taken(self, wish: Wish, step: Step) -> None:
        """Refuse a name that another table's index has, or no index at all: waiting would not free it."""
        values = {"table": self._name_of(wish.table), "names": step.given}
        taken = self._connection.execute(_TAKEN, values).first()
        if taken is not None:
            what, table = taken
            owner = f" of {table}" if table else ""
            raise MigrationError(f"{what}{owner} has a name that an index of {wish.table} needs: rename it, or drop it")

    def _found(self, table: str) -> dict[str, str]:
        return of_table(catalogue.read(self._connection, self._schema, ("index",)), table)

    def _wait(self, wish: Wish) -> None:
        """Wait until nobody builds on the table, by looking: waiting in a statement would fail once a second."""
        table = self._name_of(wish.table)
        while True:
            holder = self._connection.execute(_HOLDER, {"table": table}).first()
            self._work.hands.pause(0)
            if self._work.left == 0:
                who = None if holder is None else f"process {holder[0]} ({holder[1] or 'no application_name'})"
                raise self._too_late(wish, who)
            if holder is None:
                return
            self._work.tell(wish.name, "waiting for a lock on the table", blocker=holder[0])
            self._work.hands.pause(min(PERIOD, self._work.left))

    def _too_late(self, wish: Wish, holder: str | None) -> RagstoreError:
        if holder is None:
            return QueryTimeout(f"no time was left for {wish.name}: {self._advice(wish)}")
        limit = f"{self._work.job.timeout:g} s were over"
        return LockTimeout(f"{limit} while {holder} held a lock on {wish.table}: {self._advice(wish)}")

    # --------------------------------------------------------------------------------------- doing

    def _finish(self, wish: Wish, step: Step) -> None:
        if step.build:
            table = self._name_of(wish.table)
            self._run(wish, f"CREATE INDEX CONCURRENTLY {quoted(step.build)} ON {table} {wish.definition}")
        if step.drop:
            self._run(wish, f"DROP INDEX CONCURRENTLY IF EXISTS {self._name_of(step.drop)}")

    def _run(self, wish: Wish, statement: str) -> None:
        """Run a statement outside any transaction, watched."""
        watch = Watch(self._engine, self._connection, self._work, wish.name, direct=self._direct)
        hands, deadline = self._work.hands, self._work.deadline
        if self._direct:  # the server keeps the time, also when this process has died
            milliseconds = max(1, round(min(self._work.left * 1000, _LONGEST)))
            put(self._connection, "statement_timeout", str(milliseconds), local=False)
            deadline = float("inf")
        try:
            with (
                hands.beside(watch.look),
                hands.beside(lambda ended: watch.keep_time(ended, deadline)),
                translating(classify),
            ):
                self._execute(f"{watch.mark} {statement}")
        except (QueryTimeout, LockTimeout) as error:
            raise self._interrupted(wish, watch) from error
        except (ConcurrencyError, DatabaseError, Conflict) as error:
            self._expect(error)
            raise _Again from error
        finally:
            self._end_of_time()
        if watch.error is not None:
            raise watch.error

    def _end_of_time(self) -> None:
        if self._direct and not self._connection.invalidated and not self._connection.closed:
            put(self._connection, "statement_timeout", "0", local=False)

    def _interrupted(self, wish: Wish, watch: Watch) -> Exception:
        """Find out who ended the statement."""
        if watch.queued:
            return _Again()
        self._work.hands.pause(0)  # raises if it was the caller
        waited = "" if watch.blocker is None else ", waiting for process {} ({})".format(*watch.blocker)
        if self._work.left == 0:
            limit = f"{self._work.job.timeout:g} s"
            return QueryTimeout(f"{wish.name} was not complete within {limit}{waited}: {self._advice(wish)}")
        cause = "a time-out of the role's, or an administrator"
        return QueryTimeout(f"{cause}, ended the work on {wish.name}{waited}: {self._advice(wish)}")

    def _advice(self, wish: Wish) -> str:
        with transaction(self._connection):
            left = [name for name, what in self._found(wish.table).items() if is_invalid(what)]
        if left:
            return f"{', '.join(sorted(left))} is left INVALID, and the next call of ensure_indexes replaces it"
        return "nothing is left behind; call ensure_indexes again"

    @staticmethod
    def _expect(error: RagstoreError) -> None:
        """Pass over what means that another process does the same."""
        if isinstance(error, DatabaseError) and error.sqlstate not in _GONE_OR_THERE:
            raise error

    def _execute(self, statement: str) -> None:
        self._connection.exec_driver_sql(statement.replace("%", "%%"))

    def _name_of(self, name: str) -> str:
        return f"{quoted(self._schema)}.{quoted(name)}"
