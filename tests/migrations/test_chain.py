"""The chain's revisions one after the other, up and down, with rows and without."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import ProgrammingError

from ragstore import NewChunk, NewDocument, NewMessage, Store
from ragstore.errors import PermissionDenied
from ragstore.migrations import State, chain, check, downgrade, runner, status, upgrade
from ragstore.rate_limits import Policy
from tests.migrations.conftest import PACKAGE
from tests.migrations.releases import KEPT, ROOT, released

SQL = Callable[..., list[Any]]
ONCE_A_DAY = Policy("login", "1/day", max_wait=10.0)
RELEASED = sorted({path.name.partition(".")[0] for path in KEPT.glob("*.sql")})
OBJECTS = {
    "postgresql": """
        SELECT 'relation', relname::text, relkind::text FROM pg_class WHERE relnamespace = 'ragstore'::regnamespace
        UNION ALL SELECT 'function', oid::regprocedure::text, prosrc FROM pg_proc
        WHERE pronamespace = 'ragstore'::regnamespace
        UNION ALL SELECT 'type', typname::text, typtype::text FROM pg_type
        WHERE typnamespace = 'ragstore'::regnamespace
        UNION ALL SELECT 'trigger', tgname::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT 'constraint', conname::text, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'ragstore'::regnamespace
        ORDER BY 1, 2, 3
    """,
    "sqlite": "SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2",
}


def database_of(url: str) -> str:
    return make_url(url).get_backend_name()


def test_each_step_back_leaves_what_was_before_it(database_url: str, run_sql: SQL) -> None:
    """M08: up and down, step by step, twice; nothing is left over: no table, index, trigger, type or function."""
    if database_of(database_url) == "postgresql":
        run_sql(database_url, "CREATE SCHEMA ragstore", "CREATE EXTENSION vector")
    objects = OBJECTS[database_of(database_url)]
    seen = [run_sql(database_url, objects)]
    assert seen == [[]]
    for revision in chain.CHAIN:
        assert upgrade(database_url, "+1").applied == (revision,)
        seen.append(run_sql(database_url, objects))
    for place in range(len(chain.CHAIN) - 1, -1, -1):
        back = downgrade(database_url, "-1", allow_data_loss=True)
        assert (back.to_revision, back.applied) == (chain.at(place), (chain.CHAIN[place],))
        assert run_sql(database_url, objects) == seen[place], chain.CHAIN[place]
    assert upgrade(database_url).applied == chain.CHAIN
    assert run_sql(database_url, objects) == seen[-1]
    assert downgrade(database_url, "base", allow_data_loss=True).applied == chain.CHAIN[::-1]
    assert run_sql(database_url, objects) == []


@pytest.mark.parametrize("place", range(1, len(chain.CHAIN)))
def test_from_each_revision_to_head(database_url: str, place: int) -> None:
    """M49: wherever a database stands, what follows brings it to what is declared."""
    assert upgrade(database_url, chain.CHAIN[place - 1]).applied == chain.CHAIN[:place]
    found = status(database_url)
    assert (found.state, found.pending) == (State.BEHIND, chain.CHAIN[place:])
    assert upgrade(database_url).applied == chain.CHAIN[place:]
    assert status(database_url).state is State.CURRENT
    assert check(database_url) == ()


def tables_at(place: int, database: str) -> list[str]:
    return [table for revision in chain.CHAIN[:place] for table in runner.module(revision).CREATED[database]]


def load(connection: Connection, path: Path) -> None:
    for statement in path.read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement.replace("%", "%%") if path.match("*.postgresql.*") else statement)


def rows(connection: Connection, tables: list[str], *, columns: dict[str, str] | None = None) -> dict[str, Any]:
    """Give all rows of these tables, as text, and the columns that they were read by."""
    prefix = "ragstore." if connection.dialect.name == "postgresql" else ""
    found = {}
    for table in tables:
        wanted = (columns or {}).get(table, "*")
        result = connection.exec_driver_sql(f"SELECT {wanted} FROM {prefix}{table}")
        names = ", ".join(f'"{name}"' for name in result.keys())  # noqa: SIM118 - it is no dict
        found[table] = names, sorted(map(str, result))
    return found


@pytest.mark.parametrize("revision", RELEASED)
def test_a_kept_database(database_url: str, engine: Engine, revision: str) -> None:
    """M49: a database of an old release, with rows: each row is still there after the upgrade, and in use."""
    upgrade(engine, revision)
    tables = tables_at(chain.position(revision), engine.dialect.name)
    tables.remove("rag_meta")
    with engine.begin() as connection:
        load(connection, KEPT / f"{revision}.{engine.dialect.name}.sql")
        before = rows(connection, tables)
    assert all(found for _, found in before.values())
    assert upgrade(engine).applied == chain.CHAIN[chain.position(revision) :]
    with engine.connect() as connection:
        columns = {table: names for table, (names, _) in before.items()}
        assert rows(connection, tables, columns=columns) == before
    assert check(engine) == ()
    with Store.open(database_url) as store:
        for handle in (store, store.for_tenant("acme")):
            use(handle)
            if "branched" in {thread.thread_id for thread in handle.conversations.page_threads()}:
                use_branches(handle)
        while store.maintenance().index_messages():
            pass
        (hit,) = store.conversations.search("open", thread_id="chat-1", roles=["assistant"])
        assert hit.message.seq == 2
        closed = store.maintenance().close_streams(silent_for=1, now=datetime(2100, 1, 1, tzinfo=UTC))
        assert closed == (2 if revision >= "rs_0004" else 0)


def test_every_release_is_kept() -> None:
    """M49: there is a database of each schema, for both databases, and a note of the code that ran on it."""
    assert tuple(RELEASED) == chain.CHAIN == tuple(release.revision for release in released())
    databases = {"postgresql", "sqlite"}
    for revision in RELEASED:
        assert {path.name.split(".")[1] for path in KEPT.glob(f"{revision}.*.sql")} == databases


def heads(printed: str) -> list[str]:
    return re.findall(r"^INSERT INTO .*\) VALUES$", printed, re.MULTILINE)


def test_the_tool_that_keeps(database_url: str) -> None:
    """M49: it fills every table of the newest schema, all columns of it, as in the database kept for that."""
    command = [sys.executable, str(ROOT / "tools/keep.py"), chain.HEAD, database_url]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    database = database_of(database_url)
    assert heads(printed) == heads((KEPT / f"{chain.HEAD}.{database}.sql").read_text(encoding="utf-8"))
    tables = {head.split()[2].removeprefix("ragstore.") for head in heads(printed)}
    assert tables == {*tables_at(len(chain.CHAIN), database)} - {"rag_meta"}


def use(store: Store) -> None:
    opening = "Call open() with a path to open a file for reading."
    (by_words, *_) = store.chunks.search("manual", text="opened files")
    (by_vector, *_) = store.chunks.search("manual", embedding=[1.0, 0.1, 0.0])
    assert (by_words.content, by_vector.content) == (opening, opening)
    question, answer = store.conversations.history("chat-1")
    assert (question.content, answer.citations[0].snippet) == ("How do I open a file?", opening)
    assert [thumb.value for thumb in answer.feedback] == [1]
    paths = NewDocument(source="paths.html")
    report = store.documents.put("manual", paths, [NewChunk(content="A Path joins.", embedding=[0.0, 1.0, 1.0])])
    assert (report.added, report.deleted) == (1, 1)
    store.conversations.append("chat-1", NewMessage(role="user", content="And how do I close it?"))
    assert len(list(store.conversations.history("chat-1"))) == 3
    assert [store.rate_limits.hit(ONCE_A_DAY, "ada").allowed for _ in range(2)] == [True, False]
    for user in ("ada", "bob"):  # a session was kept for each, and bob's stamp was changed
        token = store.sessions.create(user).token
        found = store.sessions.authenticate(token)
        assert found is not None
        assert found.user_id == user


def use_branches(store: Store) -> None:
    chats = store.conversations
    (asked,) = chats.history("branched")
    first, second = chats.siblings(asked.id)
    assert (first.content, first.pinned, second.content, second.pinned) == ("Which?", True, "Which owl?", False)
    chats.choose_branch(first.id)
    assert [message.content for message in chats.history("branched")] == ["Which?", "That."]
    (hit,) = chats.search("owls", thread_id="branched")
    assert hit.message.id == second.id


GUIDE = Path(__file__).parents[2] / "docs/how-to/upgrade-at-start.md"


def granted(role: str) -> list[str]:
    """Read what the guide grants to a role that is to use the tables and no more."""
    blocks = re.findall(r"```sql\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    (block,) = (block for block in blocks if "ON ALL TABLES" in block)
    return [line.replace("TO web", f"TO {role}").strip() for line in block.split(";") if line.strip()]


@pytest.fixture
def grants(postgres_database: str, role: str, run_sql: SQL) -> list[str]:
    """What the guide grants to this role, on a migrated database where PUBLIC may call no function."""
    upgrade(postgres_database)
    run_sql(postgres_database, "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ragstore FROM PUBLIC")
    return granted(role)


def test_a_role_with_what_the_guide_grants(postgres_database: str, role: str, run_sql: SQL, grants: list[str]) -> None:
    """M35: it may use everything and make nothing."""
    run_sql(postgres_database, *grants)
    url = make_url(postgres_database).set(username=role, password="secret")
    with pytest.raises(ProgrammingError, match="permission denied for schema"):
        run_sql(url, "CREATE TABLE ragstore.more (id integer)")
    assert upgrade(url).applied == ()
    assert check(url) == ()
    with Store.open(url) as store:
        store.rate_limits.define(ONCE_A_DAY)
        assert [store.rate_limits.hit("login", "ada").allowed for _ in range(2)] == [True, False]
        store.collections.ensure("manual", model="m", dimensions=3)
        store.documents.put("manual", NewDocument(source="a"), [NewChunk(content="An owl.", embedding=[1.0, 0.0, 0.0])])
        assert len(store.chunks.search("manual", text="owls", embedding=[1.0, 0.0, 0.0])) == 1


def test_a_role_that_may_call_no_function(postgres_database: str, role: str, run_sql: SQL, grants: list[str]) -> None:
    """M35: without EXECUTE a hit is refused as what it is, and neither allowed nor counted."""
    run_sql(postgres_database, *(grant for grant in grants if "EXECUTE" not in grant))
    url = make_url(postgres_database).set(username=role, password="secret")
    with Store.open(url) as store, pytest.raises(PermissionDenied):
        store.rate_limits.hit(ONCE_A_DAY, "ada")
    assert run_sql(postgres_database, "SELECT count(*) FROM ragstore.rag_rate_limit") == [(0,)]
