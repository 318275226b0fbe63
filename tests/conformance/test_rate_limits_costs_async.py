"""What a decision costs on PostgreSQL, and what it leaves behind on its connection: nothing."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.pq import Trace
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from ragstore import AsyncStore
from ragstore.backends.postgresql import direct
from ragstore.core._face_async import sleep
from ragstore.errors import RagstoreError
from ragstore.rate_limits import Charge, Policy
from tests.conformance.support import Database

pytestmark = pytest.mark.anyio

CHANGED = ("synchronous_commit", "lock_timeout", "search_path", "statement_timeout", "transaction_isolation")


def patient(name: str, rule: str, **more: Any) -> Policy:
    """Give a policy that a busy machine does not outlast."""
    return Policy(name, rule, max_wait=30.0, **more)


class Wire:
    """A host's way to make connections, which keeps them for us to look at.

    The connections are the drivers' own, so what is traced is what goes over the wire.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self.made: list[Any] = []

    async def connect(self) -> Any:
        self.made.append(await psycopg.AsyncConnection.connect(self.url))
        return self.made[-1]

    @property
    def open(self) -> list[Any]:
        return [connection for connection in self.made if not connection.closed]

    @contextmanager
    def traced(self, path: Path) -> Iterator[list[str]]:
        """Note the messages in the block, each as the sender's letter (F for us, B for the server) and its name."""
        messages: list[str] = []
        with path.open("wb") as file:
            for connection in self.open:
                connection.pgconn.trace(file.fileno())
                connection.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
            yield messages
            for connection in self.open:
                connection.pgconn.untrace()
        found = re.findall(r"^([FB])\t\d+\t(\w+)", path.read_text("utf-8"), re.MULTILINE)
        messages += [f"{sender} {name}" for sender, name in found]

    async def settings(self) -> dict[str, str]:
        """Read on the connection that decided what holds there now."""
        (connection,) = self.open
        await connection.set_autocommit(True)
        found = {}
        for name in CHANGED:
            (found[name],) = await (await connection.execute(f"SHOW {name}")).fetchone()
        return found

    async def execute(self, statement: str) -> None:
        """Run a statement on the connection that decided."""
        (connection,) = self.open
        await connection.set_autocommit(True)
        await connection.execute(statement)


def round_trips(messages: list[str]) -> int:
    """Count how often the server answers after we have said something."""
    senders = [message[0] for message in messages]
    return sum(pair == ("F", "B") for pair in itertools.pairwise(senders))


@pytest.fixture
async def wire(postgres_url: str) -> Wire:
    return Wire(postgres_url)


@pytest.fixture
async def limited(wire: Wire) -> AsyncIterator[AsyncStore]:
    """Open a store on a host's engine, with a connection that has decided before."""
    engine = create_async_engine("postgresql+psycopg://", **creating(wire))
    async with AsyncStore.open(engine) as store:
        store.rate_limits.define(
            patient("two", "10/minute; 100/hour"),
            patient("fixed", "10/minute", algorithm="fixed"),
            patient("sliding", "10/minute", algorithm="sliding"),
            patient("durable", "10/minute", durable=True),
        )
        for _ in range(2):  # the second one prepares the statement
            await store.rate_limits.hit("two", "warm")
        yield store
    await engine.dispose()


def creating(wire: Wire) -> dict[str, Any]:
    # async only
    if AsyncStore.__name__.startswith("Async"):
        return {"async_creator": wire.connect}
    # end async only
    return {"creator": wire.connect}


THREE = [Charge("two", "new"), Charge("fixed", "new"), Charge("sliding", "new", 3)]


async def test_one_round_trip_and_one_statement(limited: AsyncStore, wire: Wire, tmp_path: Path) -> None:
    """RL-20, RL-4: also where several policies' rows do not exist yet; no BEGIN, no SET, no COMMIT beside it."""
    limits = limited.rate_limits
    calls: dict[str, Any] = {
        "the first hit": lambda: limits.hit("two", "k"),
        "a hit": lambda: limits.hit("two", "k"),
        "a refusal": lambda: limits.hit("two", "k", cost=10),
        "a durable hit": lambda: limits.hit("durable", "k"),
        "three policies, no row": lambda: limits.hit_all(THREE),
        "three policies": lambda: limits.hit_all(THREE),
        "a look": lambda: limits.peek("two", "k"),
        "a refund": lambda: limits.refund("two", "k"),
        "a reset": lambda: limits.reset("two", "k"),
    }
    for name, call in calls.items():
        with wire.traced(tmp_path / "trace") as messages:
            await call()
        assert round_trips(messages) == 1, (name, messages)
        assert [messages.count(f"F {kind}") for kind in ("Execute", "Sync", "Query")] == [1, 1, 0], (name, messages)


async def test_the_statement_is_prepared_once(postgres_url: str, wire: Wire, tmp_path: Path) -> None:
    """The first decision on a connection is one round trip, the second three, all others one again."""
    engine = create_async_engine("postgresql+psycopg://", **creating(wire))
    async with AsyncStore.open(engine) as store:
        store.rate_limits.define(patient("two", "10/minute; 100/hour"))
        await store.rate_limits.hit("two", "k")
        for trips in (3, 1, 1):
            with wire.traced(tmp_path / "trace") as messages:
                assert (await store.rate_limits.hit("two", "k")).allowed
            assert round_trips(messages) == trips, messages
        await wire.execute("DEALLOCATE ALL")
        assert (await store.rate_limits.hit("two", "k")).remaining == 5
        with wire.traced(tmp_path / "trace") as messages:
            await store.rate_limits.hit("two", "k")
        assert (round_trips(messages), messages.count("F Parse")) == (1, 1)
    await engine.dispose()


async def test_behind_a_pooler_nothing_is_prepared(
    postgres_url: str, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pooler tells its clients a process id of its own."""
    monkeypatch.setattr(direct, "_process_id", lambda pgconn: pgconn.backend_pid + 1)
    engine = create_async_engine("postgresql+psycopg://", **creating(wire))
    async with AsyncStore.open(engine) as store:
        for _ in range(3):
            assert (await store.rate_limits.hit(patient("two", "10/minute"), "k")).allowed
        with wire.traced(tmp_path / "trace") as messages:
            await store.rate_limits.hit(patient("two", "10/minute"), "k")
        assert (round_trips(messages), messages.count("F Parse")) == (1, 1)
    await engine.dispose()


async def test_a_settled_reservation_is_two_round_trips(limited: AsyncStore, wire: Wire, tmp_path: Path) -> None:
    with wire.traced(tmp_path / "trace") as messages:
        await limited.rate_limits.settle(await limited.rate_limits.reserve("two", "k", 5), 2)
    assert round_trips(messages) == 2, messages


async def test_what_is_refused_by_itself_asks_nothing(limited: AsyncStore, wire: Wire, tmp_path: Path) -> None:
    with wire.traced(tmp_path / "trace") as messages:
        with pytest.raises(ValueError, match="key"):
            await limited.rate_limits.hit("two", "")
        with pytest.raises(LookupError):
            await limited.rate_limits.hit("unknown", "k")
    assert messages == []


COMMITTING = """
    CREATE FUNCTION public.note_setting() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
        INSERT INTO public.seen SELECT name, current_setting(name)
        FROM unnest(ARRAY['synchronous_commit', 'lock_timeout']) AS name;
        RETURN NULL;
    END
    $body$
"""
AT_COMMIT = """
    CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT OR UPDATE ON ragstore.rag_rate_limit
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.note_setting()
"""


def seen(db: Database) -> dict[str, set[str]]:
    """Give what was set when transactions that wrote counts were about to commit, and forget it."""
    rows = db.execute("DELETE FROM public.seen RETURNING setting, value")
    return {name: {value for setting, value in rows if setting == name} for name, _ in rows}


@pytest.fixture
def on_postgres(postgres_url: str) -> Iterator[Database]:
    db = Database(postgres_url)
    yield db
    db.close()


async def test_commits_are_not_waited_for(limited: AsyncStore, on_postgres: Database, wire: Wire) -> None:
    """RL-20: `synchronous_commit` is off for a decision's transaction alone, and stays as it is if it is durable."""
    before = await wire.settings()
    assert (before["synchronous_commit"], before["lock_timeout"]) == ("on", "0")
    on_postgres.execute("CREATE TABLE public.seen (setting text, value text)")
    on_postgres.execute(COMMITTING)
    on_postgres.execute(AT_COMMIT)
    limits = limited.rate_limits
    calls: list[tuple[str, Any]] = [
        ("off", lambda: limits.hit("two", "k")),
        ("off", lambda: limits.refund("two", "k")),
        ("on", lambda: limits.hit("durable", "k")),
        ("on", lambda: limits.refund("durable", "k")),
        ("on", lambda: limits.hit_all([Charge("two", "l"), Charge("durable", "l")])),
        ("off", lambda: limits.hit("two", "l")),
    ]
    for expected, call in calls:
        await call()
        found = seen(on_postgres)
        assert found["synchronous_commit"] == {expected}
        assert found["lock_timeout"] != {"0"}
        assert await wire.settings() == before


async def test_what_is_durable_is_waited_for_whatever_the_roles_setting(
    limited: AsyncStore, on_postgres: Database, wire: Wire
) -> None:
    """A host may have switched waiting off for everything else."""
    on_postgres.execute("CREATE TABLE public.seen (setting text, value text)")
    on_postgres.execute(COMMITTING)
    on_postgres.execute(AT_COMMIT)
    await wire.execute("SET synchronous_commit = off")
    await limited.rate_limits.hit("durable", "k")
    assert seen(on_postgres)["synchronous_commit"] == {"on"}
    assert (await wire.settings())["synchronous_commit"] == "off"


async def test_what_fails_leaves_nothing_set(limited: AsyncStore, on_postgres: Database, wire: Wire) -> None:
    before = await wire.settings()
    assert not (await limited.rate_limits.hit("two", "k", cost=10**6)).allowed
    assert await wire.settings() == before
    on_postgres.execute("ALTER TABLE rag_rate_limit RENAME TO elsewhere")
    with pytest.raises(RagstoreError, match="upgrade"):
        await limited.rate_limits.hit("two", "k")
    on_postgres.execute("ALTER TABLE elsewhere RENAME TO rag_rate_limit")
    assert (await limited.rate_limits.hit("two", "k")).remaining == 9
    assert await wire.settings() == before


async def test_a_crash_does_not_empty_the_table(on_postgres: Database) -> None:
    """RL-20: it is logged, and so are its indexes."""
    found = on_postgres.execute("SELECT relpersistence FROM pg_class WHERE relname ~ 'rag_rate_limit'")
    assert found == [("p",)] * 3


async def test_hits_write_no_index_entries(limited: AsyncStore, on_postgres: Database) -> None:
    """RL-20: a row is changed in place on its page, as `expires_at`, the only other column with an index, stays."""
    kinds: tuple[Any, ...] = ("gcra", "fixed", "sliding")
    for number in range(50):
        for kind in kinds:
            await limited.rate_limits.hit(patient(kind, "100000/minute", algorithm=kind), ("hot", number % 2))
    await limited.aclose()  # a backend tells its counts when it ends, at the latest
    updated = hot = 0
    deadline = time.monotonic() + 60
    while updated < 150 and time.monotonic() < deadline:
        await sleep(0.02)
        found = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_all_tables WHERE relname = 'rag_rate_limit'"
        ((updated, hot),) = on_postgres.execute(found)
    assert updated >= 150
    assert hot >= updated - 20  # each row's first, where its time of expiry is set, and a page that was full


EVIL_FUNCTIONS = (
    "clock_timestamp()",
    "to_timestamp(double precision)",
    "set_config(text, text, boolean)",
    "cardinality(text[])",
    "unnest(text[])",
    "unnest(bytea[])",
    "div(numeric, numeric)",
    "rag_rate_limit_charge(text[], text[], text[], bytea[])",
)
EVIL_OPERATORS = {
    "=": ("text, text", "varchar, text", "varchar, varchar", "bytea, bytea", "bigint, bigint"),
    "+": ("bigint, bigint", "timestamptz, interval"),
    "-": ("bigint, bigint",),
    "*": ("numeric, int", "bigint, bigint"),
    "<": ("bigint, bigint",),
    "<=": ("bigint, bigint",),
}


def be_evil(db: Database) -> None:
    """Make a schema whose functions, operators, types and table all answer to our names, and all do wrong."""
    db.execute("CREATE SCHEMA evil")
    body = "LANGUAGE plpgsql AS $$ BEGIN RAISE 'hijacked'; END $$"
    for function in EVIL_FUNCTIONS:
        db.execute(f"CREATE FUNCTION evil.{function} RETURNS text {body}")
    for operator, signatures in EVIL_OPERATORS.items():
        result = "boolean" if operator in ("=", "<", "<=") else "bigint"
        for number, signature in enumerate(signatures):
            left, right = signature.split(", ")
            name = f"evil.operator_{len(operator)}{ord(operator[0])}_{number}"
            db.execute(f"CREATE FUNCTION {name} ({signature}) RETURNS {result} {body}")
            db.execute(f"CREATE OPERATOR evil.{operator} (LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = {name})")
    db.execute("CREATE TABLE evil.rag_rate_limit (LIKE ragstore.rag_rate_limit INCLUDING ALL)")
    for name in ("text", "bytea"):
        db.execute(f"CREATE TYPE evil.{name} AS (hijacked int)")


@pytest.mark.parametrize("path", ["evil, public", "evil, pg_catalog, public", "evil"])
async def test_a_hostile_search_path_changes_nothing(postgres_url: str, on_postgres: Database, path: str) -> None:
    """RL-4, RL-20: whatever stands in front of PostgreSQL's own functions, operators and types is not used."""
    be_evil(on_postgres)
    on_postgres.execute(f'ALTER DATABASE "{make_url(postgres_url).database}" SET search_path TO {path}')
    now = datetime(2030, 5, 6, tzinfo=UTC)
    async with AsyncStore.open(postgres_url) as store:
        limits = store.rate_limits
        limits.define(*(patient(name, "10/minute", algorithm=name) for name in ("gcra", "fixed", "sliding")))
        charges = [Charge(name, "k", 4) for name in ("gcra", "fixed", "sliding")]
        taken = [await limits.hit_all(charges, now=now) for _ in range(3)]
        assert [[state.remaining for state in decision.states] for decision in taken] == [[6] * 3, [2] * 3, [2] * 3]
        for name in ("gcra", "fixed", "sliding"):
            assert (await limits.peek(name, "k", now=now)).remaining == 2
            await limits.refund(name, "k", now=now)
            assert (await limits.peek(name, "k", now=now)).remaining == 3
            await limits.reset(name, "k")
            assert (await limits.peek(name, "k", now=now)).remaining == 10
        assert not (await limits.hit("gcra", "k")).degraded
    assert on_postgres.execute("SELECT count(*) FROM evil.rag_rate_limit") == [(0,)]
