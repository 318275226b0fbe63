"""Managed indexes: built beside the work of others, repaired, replaced without a gap."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import AsyncAdaptedQueuePool, Connection, Engine, NullPool, create_engine, event, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from ragstore.backends import read_url
from ragstore.errors import (
    ConnectionLost,
    InvalidInput,
    LockTimeout,
    MigrationError,
    PermissionDenied,
    QueryTimeout,
    ReadOnlyError,
    SchemaBehind,
    SchemaTooNew,
    UsageError,
)
from ragstore.migrations import (
    IndexProgress,
    IndexReport,
    check,
    ensure_indexes,
    upgrade,
)
from ragstore.migrations.indexing import calls, managed
from tests.migrations.conftest import finish, start_child

SQL = Callable[..., list[Any]]

KEPT = "ix_rag_message_kept"
CITED = "ix_rag_citation_tenant_id_chunk_id"
BUILDERS = "pg_stat_progress_create_index WHERE datname = current_database()"
WRONG_CLASS = f"CREATE INDEX {CITED} ON ragstore.rag_citation (tenant_id varchar_pattern_ops, chunk_id)"


@pytest.fixture
def database(postgres_database: str) -> str:
    """A PostgreSQL database at head."""
    upgrade(postgres_database)
    return postgres_database


@contextmanager
def long_transaction(url: str, name: str = "a report") -> Iterator[int]:
    """Keep a REPEATABLE READ transaction open that has read; give its process number."""
    with psycopg.connect(url, application_name=name) as holder:
        holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT count(*) FROM ragstore.rag_message")
        yield holder.info.backend_pid
        if not holder.closed:
            with suppress(psycopg.OperationalError):  # it was ended
                holder.rollback()


def leave_invalid(url: str, run_sql: SQL, name: str = KEPT) -> None:
    """Leave an index as a build does that was ended in the middle."""
    (definition,) = run_sql(url, f"SELECT pg_get_indexdef('ragstore.{name}'::regclass)")[0]
    run_sql(url, f"DROP INDEX ragstore.{name}")
    with long_transaction(url), psycopg.connect(url, autocommit=True) as builder, ThreadPoolExecutor(1) as pool:
        built = pool.submit(builder.execute, definition.replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY"))
        eventually(lambda: run_sql(url, f"SELECT 1 FROM {BUILDERS} AND phase = 'waiting for old snapshots'"))
        run_sql(url, f"SELECT pg_cancel_backend({builder.info.backend_pid})")
        with pytest.raises(psycopg.errors.QueryCanceled):
            built.result()
    assert invalid(check(url)).name == name


def invalid(differences: tuple[Any, ...]) -> Any:
    (difference,) = [item for item in differences if item.found and item.found.endswith("INVALID")]
    return difference


def room_for(url: str) -> float:
    """Give a time-out in which a build gets to where it has to wait: many times what a look takes on this machine."""
    began = time.monotonic()
    check(url)
    return max(1.5, round(20 * (time.monotonic() - began), 1))


def eventually(question: Callable[[], Any], seconds: float = 120) -> Any:
    """Ask until the answer is true."""
    deadline = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert answer
    return answer


def building(url: str, run_sql: SQL) -> list[int]:
    """Processes that build an index in this database."""
    return [row[0] for row in run_sql(url, f"SELECT pid FROM {BUILDERS}")]


def report(name: str, action: str) -> IndexReport:
    table = name.removeprefix("ix_").removeprefix("rag_")
    found = "rag_message" if table.startswith("message") else "rag_citation"
    return IndexReport(index=name, table=found, action=action)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------- both databases


def prefix(url: str) -> str:
    return "" if url.startswith("sqlite") else "ragstore."


def test_nothing_to_do(database_url: str) -> None:
    """M16: after an upgrade every index is right, and nothing is done."""
    upgrade(database_url)
    told: list[IndexProgress] = []
    assert ensure_indexes(database_url, progress=told.append) == ()
    assert told == []


def spoil(url: str, run_sql: SQL) -> None:
    """Have a database at head with an index missing, and one that is another."""
    upgrade(url)
    p = prefix(url)
    run_sql(
        url,
        f"DROP INDEX {p}{KEPT}",
        f"DROP INDEX {p}{CITED}",
        f"CREATE INDEX {CITED} ON {p}rag_citation (tenant_id, chunk_id) WHERE chunk_id IS NOT NULL",
    )


def test_missing_and_different(database_url: str, run_sql: SQL) -> None:
    """M20: what is missing is built, what has another definition replaced; `check` then finds nothing."""
    spoil(database_url, run_sql)
    assert len(check(database_url)) == 2
    told: list[IndexProgress] = []
    assert ensure_indexes(database_url, progress=told.append) == (report(CITED, "replaced"), report(KEPT, "built"))
    assert check(database_url) == ()
    assert ensure_indexes(database_url) == ()


def test_an_engine(engine: Engine) -> None:
    """M16: an engine is borrowed, keeps its settings, and gets its connections back."""
    upgrade(engine)
    p = prefix(str(engine.url))
    with engine.begin() as connection:
        connection.execute(text(f"DROP INDEX {p}{KEPT}"))
    assert ensure_indexes(engine) == (report(KEPT, "built"),)
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert check(engine) == ()


def test_a_connection_is_refused(engine: Engine) -> None:
    """M30: CONCURRENTLY cannot be part of a transaction."""
    upgrade(engine)
    with engine.connect() as connection, pytest.raises(UsageError, match="CONCURRENTLY"):
        ensure_indexes(connection)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="int is no database"):
        ensure_indexes(3)  # type: ignore[arg-type]
    url = read_url(engine.url, asynchronous=True)
    with pytest.raises(UsageError, match="aensure_indexes"):
        ensure_indexes(create_async_engine(url, poolclass=AsyncAdaptedQueuePool))  # type: ignore[arg-type]


@pytest.mark.parametrize("timeout", [float("inf"), float("nan"), -1.0])
def test_the_timeout_is_finite(sqlite_url: str, timeout: float) -> None:
    """M19: there always is a deadline."""
    with pytest.raises(InvalidInput, match="timeout"):
        ensure_indexes(sqlite_url, timeout=timeout)


def test_other_schemas_are_refused(database_url: str, run_sql: SQL, longer_chain: Callable[[str], None]) -> None:
    """M21: the indexes of another revision are not this code's to judge."""
    with pytest.raises(SchemaBehind, match=r"ragstore\.upgrade"):
        ensure_indexes(database_url)
    upgrade(database_url, "rs_0003")
    with pytest.raises(SchemaBehind, match="rs_0003"):
        ensure_indexes(database_url)
    upgrade(database_url)
    p = prefix(database_url)
    run_sql(
        database_url,
        f"UPDATE {p}rag_version SET version_num = 'rs_9999'",
        f"UPDATE {p}rag_meta SET schema_number = 99, writer = '9.9'",
    )
    with pytest.raises(SchemaTooNew, match=r"ragstore 9\.9"):
        ensure_indexes(database_url)


def test_sqlite_waits_for_a_writer(sqlite_url: str, run_sql: SQL) -> None:
    """M48: another writer is waited for, until the deadline."""
    upgrade(sqlite_url)
    run_sql(sqlite_url, f"DROP INDEX {KEPT}")
    engine = create_engine(read_url(sqlite_url))
    with engine.connect() as writer:
        writer.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(LockTimeout):
            ensure_indexes(sqlite_url, timeout=0.3)
        writer.rollback()
    engine.dispose()
    assert ensure_indexes(sqlite_url) == (report(KEPT, "built"),)


@pytest.mark.parametrize("first_look", [True, False])
def test_sqlite_waits_for_an_exclusive_writer(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, first_look: bool
) -> None:
    """M48: one that keeps readers out too, at either look, is waited for until the deadline, however short the
    driver's own time-out is; then the error is LockTimeout.
    """
    upgrade(sqlite_url)
    engine = create_engine(read_url(sqlite_url), connect_args={"timeout": 0.1})
    other = create_engine(read_url(sqlite_url), connect_args={"check_same_thread": False})
    with engine.begin() as connection:
        connection.execute(text(f"DROP INDEX {KEPT}"))
    with other.connect() as writer:
        refuse = calls._refuse_other_schemas

        def lock_after(*arguments: Any) -> None:
            refuse(*arguments)
            writer.exec_driver_sql("BEGIN EXCLUSIVE")

        if first_look:
            writer.exec_driver_sql("BEGIN EXCLUSIVE")
        else:
            monkeypatch.setattr(calls, "_refuse_other_schemas", lock_after)
        began = time.monotonic()
        with pytest.raises(LockTimeout, match=r"0\.7 s were over"):
            ensure_indexes(engine, timeout=0.7)
        assert 0.7 <= time.monotonic() - began < 25
        monkeypatch.undo()
        timer = threading.Timer(0.7, writer.rollback)
        timer.start()
        assert ensure_indexes(engine, timeout=60) == (report(KEPT, "built"),)
        timer.join()
    engine.dispose()
    other.dispose()


# ------------------------------------------------------------------------------------------- PostgreSQL


def test_an_invalid_leftover(database: str, run_sql: SQL) -> None:
    """M16: an INVALID leftover of the same name is dropped and built again; nothing else is left."""
    leave_invalid(database, run_sql)
    assert ensure_indexes(database) == (report(KEPT, "rebuilt"),)
    assert check(database) == ()
    valid = f"SELECT indisvalid FROM pg_index WHERE indexrelid = 'ragstore.{KEPT}'::regclass"
    assert run_sql(database, valid) == [(True,)]


def test_its_own_time_is_over(database: str, run_sql: SQL) -> None:
    """M17, M19: the deadline is kept; the message names the index, what is left, and who was waited for."""
    run_sql(database, f"DROP INDEX ragstore.{KEPT}")
    room = room_for(database)
    with long_transaction(database) as holder, pytest.raises(QueryTimeout) as raised:
        ensure_indexes(database, timeout=room)
    for part in (KEPT, f"{room:g} s", "INVALID", "next call", f"process {holder} (a report)"):
        assert part in str(raised.value)
    assert invalid(check(database)).name == KEPT
    assert ensure_indexes(database) == (report(KEPT, "rebuilt"),)
    assert check(database) == ()


def test_somebody_ends_the_build(database: str, run_sql: SQL) -> None:
    """M17: a build that an administrator ends leaves an INVALID index; the second call makes it valid."""
    run_sql(database, f"DROP INDEX ragstore.{KEPT}")

    def end(now: IndexProgress) -> None:
        if now.blocker:
            run_sql(database, f"SELECT pg_cancel_backend(pid) FROM {BUILDERS}")

    with long_transaction(database), pytest.raises(QueryTimeout, match="an administrator, ended the work"):
        ensure_indexes(database, progress=end)
    assert invalid(check(database)).name == KEPT
    assert ensure_indexes(database) == (report(KEPT, "rebuilt"),)


def test_the_roles_time_outs_do_not_count(database: str, run_sql: SQL) -> None:
    """M17: a role's time-outs are made for its requests; what they were is set back on the engine's connection.

    What only the role, the database or the server had set is no setting of the session's afterwards.
    """
    name = make_url(database).database
    run_sql(database, f"DROP INDEX ragstore.{KEPT}", f"ALTER DATABASE {name} SET lock_timeout = '1s'")
    run_sql(database, f"ALTER DATABASE {name} SET statement_timeout = '2s'")
    engine = create_engine(read_url(database), pool_size=1)
    with engine.connect() as connection:
        connection.execute(text("SELECT set_config('search_path', 'pg_temp', false)"))
        connection.commit()
    before = settings_of(engine)
    with long_transaction(database):
        thread = threading.Timer(3.0, lambda: run_sql(database, end_of("a report")))
        thread.start()
        assert ensure_indexes(engine) == (report(KEPT, "built"),)
        thread.join()
    assert settings_of(engine) == before
    engine.dispose()


def end_of(name: str) -> str:
    where = f"datname = current_database() AND application_name = '{name}'"
    return f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {where}"


def settings_of(engine: Engine) -> list[Any]:
    names = ("search_path", "lock_timeout", "statement_timeout", "transaction_timeout", "default_transaction_isolation")
    wanted = "SELECT name, setting, source FROM pg_settings WHERE name = ANY (:names) ORDER BY name"
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(wanted), {"names": list(names)})]


@pytest.mark.parametrize("timeout", [3e6, 1e306])
def test_a_timeout_of_weeks(database: str, run_sql: SQL, timeout: float) -> None:
    """M19: one that is longer than a setting of the server's can hold is no error."""
    run_sql(database, f"DROP INDEX ragstore.{KEPT}")
    assert ensure_indexes(database, timeout=timeout) == (report(KEPT, "built"),)


@pytest.mark.parametrize("name", [CITED, managed.building(CITED), managed.retired(CITED)])
@pytest.mark.parametrize("taken", ["TABLE ragstore.{} (a int)", "INDEX {} ON ragstore.mine (a)"])
def test_the_name_is_taken(database: str, run_sql: SQL, name: str, taken: str) -> None:
    """M20: by another table's index, or by no index: an error says so at once, as nobody would give it way."""
    free = "" if name == CITED else WRONG_CLASS
    run_sql(database, f"DROP INDEX ragstore.{CITED}", "CREATE TABLE ragstore.mine (a int)", free or "SELECT 1")
    run_sql(database, "CREATE " + taken.format(name))
    expected = f"index ragstore.{name} of ragstore.mine" if "INDEX" in taken else f"table ragstore.{name}"
    with pytest.raises(MigrationError, match=f"{expected} has a name that an index of rag_citation needs: rename it"):
        ensure_indexes(database, timeout=10)
    kind = taken.partition(" ")[0]
    run_sql(database, f"ALTER {kind} ragstore.{name} RENAME TO host_name")
    assert ensure_indexes(database) == (report(CITED, "replaced" if free else "built"),)
    assert check(database) == ()


CHILD = """
    import sys, time
    from ragstore.migrations import ensure_indexes
    from ragstore.migrations.indexing import on_postgresql
    print("ready", flush=True)
    for line in sys.stdin:
        time.sleep(max(0, float(line) - time.time()))
        print(*(report.action for report in ensure_indexes(sys.argv[1])), flush=True)
"""


def test_two_at_once(database: str, run_sql: SQL) -> None:
    """M18: of processes that begin at the same moment one does the work, the others wait and find it done."""
    children = [start_child(CHILD, database, stdin=-1) for _ in range(2)]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    for _ in range(3):
        run_sql(database, f"DROP INDEX ragstore.{KEPT}", f"DROP INDEX ragstore.{CITED}", WRONG_CLASS)
        start = time.time() + 0.1
        for child in children:
            assert child.stdin is not None
            child.stdin.write(f"{start}\n")
            child.stdin.flush()
        done = " ".join(child.stdout.readline() for child in children if child.stdout).split()
        assert sorted(action for action in done if action != "dropped") == ["built", "replaced"]
        assert check(database) == ()
    for child in children:
        finish(child)


def test_a_build_that_is_about_to_commit(database: str, run_sql: SQL) -> None:
    """M18: a build lets the table's lock go before it commits that its index is valid; that index is left alone."""
    which = f"UPDATE pg_index SET indisvalid = %s WHERE indexrelid = 'ragstore.{KEPT}'::regclass"
    with psycopg.connect(database) as builder:
        builder.execute(which, [False])
        builder.commit()
        builder.execute(which, [True])
        threading.Timer(0.5, builder.commit).start()
        assert ensure_indexes(database) == ()
    assert check(database) == ()


def test_threads_at_once(database: str, run_sql: SQL) -> None:
    """M18: one builds while a long transaction holds it up, and the others wait, tell for whom, and do nothing."""
    run_sql(database, f"DROP INDEX ragstore.{KEPT}")
    told: list[IndexProgress] = []
    done: list[tuple[IndexReport, ...]] = []
    with long_transaction(database):
        first = threading.Thread(target=lambda: done.append(ensure_indexes(database)))
        first.start()
        (builder,) = eventually(lambda: building(database, run_sql))
        others = [
            threading.Thread(target=lambda: done.append(ensure_indexes(database, progress=told.append)))
            for _ in range(3)
        ]
        for thread in others:
            thread.start()
        eventually(lambda: any(now.blocker == builder for now in told))
        assert done == []
    for thread in (first, *others):
        thread.join(120)
    assert sorted(map(len, done)) == [0, 0, 0, 1]
    assert check(database) == ()


def test_waiting_for_a_lock_ends(database: str, run_sql: SQL) -> None:
    """M18: who waits for another session's lock past the deadline is told whose it is; nothing is left behind."""
    run_sql(database, f"DROP INDEX ragstore.{KEPT}")
    room = room_for(database)
    with psycopg.connect(database, application_name="a repair") as holder:
        holder.execute("LOCK TABLE ragstore.rag_message IN SHARE MODE")
        with pytest.raises(LockTimeout, match=f"process {holder.info.backend_pid} .a repair. held a lock") as raised:
            ensure_indexes(database, timeout=room)
    assert "nothing is left behind" in str(raised.value)
    assert ensure_indexes(database) == (report(KEPT, "built"),)


def test_a_queued_build_steps_back(database: str, run_sql: SQL, monkeypatch: pytest.MonkeyPatch) -> None:
    """M18: a build that waits for another one's lock gives way: else the server would end one of them as a deadlock."""
    from ragstore.migrations.indexing import building as module

    run_sql(database, f"DROP INDEX ragstore.{KEPT}")
    with psycopg.connect(database) as holder:
        cancelled = []
        interrupted = module.Builder._interrupted

        def note(self: Any, wish: Any, watch: Any) -> Exception:
            cancelled.append(watch.queued)
            holder.rollback()
            return interrupted(self, wish, watch)

        run = module.Builder._run

        def late(self: Any, wish: Any, statement: str) -> None:
            if not cancelled:  # the other one slips in between the look and the build
                holder.execute("LOCK TABLE ragstore.rag_message IN SHARE UPDATE EXCLUSIVE MODE")
            run(self, wish, statement)

        monkeypatch.setattr(module.Builder, "_run", late)
        monkeypatch.setattr(module.Builder, "_interrupted", note)
        assert ensure_indexes(database, timeout=30) == (report(KEPT, "built"),)
    assert cancelled == [True]


def test_a_long_transaction_is_waited_for(database: str, run_sql: SQL) -> None:
    """M19: a REPEATABLE READ transaction holds the build up; the caller is told its process number meanwhile."""
    run_sql(database, f"DROP INDEX ragstore.{KEPT}")
    told: list[IndexProgress] = []
    done: list[tuple[IndexReport, ...]] = []
    began = time.monotonic()
    with long_transaction(database) as holder:
        thread = threading.Thread(target=lambda: done.append(ensure_indexes(database, progress=told.append)))
        thread.start()
        (now,) = eventually(lambda: [now for now in told if now.blocker == holder][:1])
        assert (now.index, now.phase) == (KEPT, "waiting for old snapshots")
        eventually(lambda: len(told) >= 3)
        assert done == []
    thread.join(120)
    assert done == [(report(KEPT, "built"),)]
    assert time.monotonic() - began > (len(told) - 1) * 0.2  # a few times a second


def test_an_error_of_the_progress_function(database: str, run_sql: SQL) -> None:
    """M19: what `progress` raises comes out when the build has ended, and the index is there."""
    run_sql(database, f"DROP INDEX ragstore.{KEPT}")

    def fail(_now: IndexProgress) -> None:
        timer.start()
        raise ZeroDivisionError

    with long_transaction(database):
        timer = threading.Timer(0.5, lambda: run_sql(database, end_of("a report")))
        with pytest.raises(ZeroDivisionError):
            ensure_indexes(database, progress=fail)
        timer.join()
    assert check(database) == ()


def test_without_a_second_connection(database: str, run_sql: SQL, role: str) -> None:
    """M19: where no second connection can be had, the index is built unwatched."""
    run_sql(
        database, f"DROP INDEX ragstore.{KEPT}", f"GRANT postgres TO {role}", f"ALTER ROLE {role} CONNECTION LIMIT 1"
    )
    run_sql(database, f"ALTER ROLE {role} SET role = postgres")
    limited = make_url(database).set(username=role, password="secret")
    told: list[IndexProgress] = []
    with long_transaction(database):
        timer = threading.Timer(1.0, lambda: run_sql(database, end_of("a report")))
        timer.start()
        assert ensure_indexes(limited, progress=told.append) == (report(KEPT, "built"),)
        timer.join()
    assert told == []


def test_another_operator_class_without_a_gap(database: str, run_sql: SQL) -> None:
    """M20: `check` reports it; it is replaced while others search, and every one of their plans has an index."""
    run_sql(database, *filler(20_000), f"DROP INDEX ragstore.{CITED}", WRONG_CLASS)
    (difference,) = check(database)
    assert (difference.name, "varchar_pattern_ops" in str(difference)) == (CITED, True)
    stop, plans = threading.Event(), []
    allowed = {CITED, managed.building(CITED), managed.retired(CITED)}

    def search() -> None:
        plan = "EXPLAIN SELECT FROM ragstore.rag_citation WHERE tenant_id = 'default' AND chunk_id = %s"
        names = f"SELECT indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname = '{CITED}'"
        with psycopg.connect(database, autocommit=True) as searcher:
            while not stop.is_set():
                lines = " ".join(row[0] for row in searcher.execute(plan, (uuid4(),)))
                plans.append(any(name in lines for name in allowed) and searcher.execute(names).fetchall() == [(True,)])

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(plans) > 20)
    assert ensure_indexes(database) == (report(CITED, "replaced"),)
    assert check(database) == ()
    before = len(plans)
    eventually(lambda: len(plans) > before + 20)
    stop.set()
    for thread in threads:
        thread.join()
    assert plans.count(False) == 0


def filler(rows: int) -> tuple[str, ...]:
    """Statements that make so many citations; what they belong to does not exist."""
    columns = "(message_id, rank, chunk_id, document_id, collection, source, title, snippet)"
    values = "gen_random_uuid(), 1, gen_random_uuid(), gen_random_uuid(), 'c', 's', 't', 't'"
    return (
        "SET session_replication_role = 'replica'",
        f"INSERT INTO ragstore.rag_citation {columns} SELECT {values} FROM generate_series(1, {rows})",
        "SET session_replication_role = 'origin'",
        "ANALYZE ragstore.rag_citation",
    )


def test_the_client_is_killed(database: str, run_sql: SQL) -> None:
    """M20: `kill -9` in the middle; the next call waits for what the server still does, and all is right."""
    run_sql(database, f"DROP INDEX ragstore.{CITED}", WRONG_CLASS)
    with long_transaction(database):
        child = start_child(CHILD, database, stdin=-1)
        assert child.stdin is not None
        child.stdin.write("0\n")
        child.stdin.flush()
        eventually(lambda: building(database, run_sql))
        child.kill()
        child.communicate()
    ensure_indexes(database)
    assert check(database) == ()


@pytest.mark.parametrize("wrong", [False, True])
def test_the_connection_is_ended(database: str, run_sql: SQL, wrong: bool) -> None:
    """M20: the builder's server process is ended; the leftover is found under its name, and all is made right."""
    run_sql(database, f"DROP INDEX ragstore.{CITED}", *([WRONG_CLASS] if wrong else []))
    with long_transaction(database):

        def end(now: IndexProgress) -> None:
            if now.blocker:
                run_sql(database, f"SELECT pg_terminate_backend(pid) FROM {BUILDERS}")

        with pytest.raises(ConnectionLost):
            ensure_indexes(database, progress=end)
    assert len(check(database)) == (2 if wrong else 1)
    assert ensure_indexes(database) == (report(CITED, "replaced" if wrong else "rebuilt"),)
    assert check(database) == ()


def test_a_failure_at_any_statement(database: str, run_sql: SQL) -> None:
    """M20: whichever statement fails, an index of the name is there throughout, and the next call makes it right."""
    place = 1
    while fails_at(database, run_sql, place):
        valid = f"SELECT indisvalid FROM pg_index WHERE indexrelid = 'ragstore.{CITED}'::regclass"
        assert run_sql(database, valid) == [(True,)]
        ensure_indexes(database)
        assert check(database) == ()
        place += 1
    assert place > 6


def fails_at(url: str, run_sql: SQL, place: int) -> bool:
    """Run with an error at the n-th statement that changes something; False: there were not so many."""
    run_sql(url, f"DROP INDEX ragstore.{CITED}", WRONG_CLASS)
    engine = create_engine(read_url(url), poolclass=NullPool)
    seen: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def fail(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        changing = any(word in statement for word in ("LOCK TABLE", "ALTER INDEX", "CONCURRENTLY"))
        seen.extend([statement] if changing else [])
        if len(seen) == place:
            raise ZeroDivisionError

    with suppress(ZeroDivisionError):
        ensure_indexes(engine)
    return len(seen) >= place


def test_leftovers_of_nobody(database: str, run_sql: SQL) -> None:
    """M16: what killed runs have left behind of indexes that are right, or not known any more, is dropped."""
    names = (managed.retired(KEPT), managed.building(CITED), managed.building("gone"), managed.retired("gone"))
    run_sql(database, *(f"CREATE INDEX {name} ON ragstore.rag_message (tenant_id)" for name in names[:1]))
    run_sql(database, *(f"CREATE INDEX {name} ON ragstore.rag_citation (tenant_id)" for name in names[1:]))
    reports = ensure_indexes(database)
    assert {report.index for report in reports} == set(names)
    assert {report.action for report in reports} == {"dropped"}
    assert check(database) == ()


def test_an_index_of_the_hosts_stays(database: str, run_sql: SQL) -> None:
    """M16: what is not declared and has no name of ours is left alone; so are constraints."""
    run_sql(database, "CREATE INDEX mine ON ragstore.rag_message (model)")
    assert ensure_indexes(database) == ()
    assert [difference.name for difference in check(database)] == ["mine"]


def test_a_schema_with_quotes(postgres_database: str, run_sql: SQL) -> None:
    """M16: every name is quoted, and a planted search_path finds nothing of ours."""
    schema = 'we"ird :x %s'
    upgrade(postgres_database, schema=schema)
    quoted = schema.replace('"', '""').replace(":", "\\:")
    run_sql(
        postgres_database,
        "CREATE SCHEMA planted",
        "CREATE TABLE planted.rag_message (tenant_id text, conversation_id uuid, seq int, pinned bool, role text)",
        "CREATE FUNCTION planted.eq(text, text) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS"
        " 'BEGIN RAISE ''planted''; END'",
        "CREATE OPERATOR planted.= (FUNCTION = planted.eq, LEFTARG = text, RIGHTARG = text)",
        f"ALTER DATABASE {make_url(postgres_database).database} SET search_path = planted, pg_catalog",
    )
    run_sql(postgres_database, f'DROP INDEX "{quoted}".{KEPT}')
    (done,) = ensure_indexes(postgres_database, schema=schema)
    assert (done.index, done.action) == (KEPT, "built")
    assert check(postgres_database, schema=schema) == ()


def test_a_role_that_is_not_the_owner(database: str, role: str, run_sql: SQL) -> None:
    """M35: refused, with who may; while there is nothing to do, no right is needed."""
    run_sql(
        database,
        f"GRANT USAGE ON SCHEMA ragstore TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ragstore TO {role}",
    )
    limited = make_url(database).set(username=role, password="secret")
    assert ensure_indexes(limited) == ()
    run_sql(database, f"DROP INDEX ragstore.{KEPT}")
    with pytest.raises(PermissionDenied, match="run ensure_indexes as postgres, who owns the table"):
        ensure_indexes(limited)


def test_read_only(database: str, run_sql: SQL) -> None:
    """M41: refused at once."""
    run_sql(database, f"ALTER DATABASE {make_url(database).database} SET default_transaction_read_only = on")
    with pytest.raises(ReadOnlyError):
        ensure_indexes(database)
