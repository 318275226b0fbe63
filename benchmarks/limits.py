"""Rate limits: a hit beside the bare upsert that counts, PyrateLimiter, and `limits` over Redis."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks.databases import by_hand, path_of
from benchmarks.together import Do, Way, has, in_turn
from ragstore import Settings, Store
from ragstore.rate_limits import Policy

CLIENTS = (1, 4, 8, 16)
KEYS = {"one hot key": 1, "10,000 keys": 10_000}
AMOUNT = 1_000_000_000
ROUNDS, SECONDS = 4, 0.7

_TABLE = "CREATE TABLE floor (tenant text, key text, used bigint NOT NULL, PRIMARY KEY (tenant, key))"
_UPSERT = """
    INSERT INTO floor (tenant, key, used) {source}
    ON CONFLICT (tenant, key) DO UPDATE SET used = floor.used + 1 RETURNING used
"""
_POSTGRES_UPSERT = "WITH s AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))" + _UPSERT.format(
    source="SELECT 'default', %s, 1 FROM s"
)
_SQLITE_UPSERT = _UPSERT.format(source="VALUES ('default', ?, 1)")


class Ours:
    """A store's `rate_limits.hit`."""

    def __init__(self, store: Store, keys: int, *, durable: bool = False) -> None:
        self.name = "ragstore, durable" if durable else "ragstore"
        policy = Policy("durable" if durable else "usual", f"{AMOUNT}/minute", max_wait=30.0, durable=durable)
        store.rate_limits.define(policy)
        self._hit, self._policy, self._keys = store.rate_limits.hit, policy.name, keys

    def client(self, number: int) -> Do:
        return lambda turn: self._checked(turn)

    def _checked(self, turn: int) -> None:
        decision = self._hit(self._policy, f"key {turn % self._keys}")
        if not decision.allowed:
            raise RuntimeError(f"refused: {decision}")


class Floor:
    """The upsert by the driver alone, a connection a client; nothing is limited, only counted."""

    name = "bare upsert"

    def __init__(self, url: str, keys: int, stack: ExitStack) -> None:
        self._url, self._keys, self._stack = url, keys, stack

    def client(self, number: int) -> Do:
        connection, statement = by_hand(self._url, self._stack), _POSTGRES_UPSERT
        if self._url.startswith("sqlite"):
            statement = _SQLITE_UPSERT
            connection.execute("PRAGMA synchronous = NORMAL")
        return lambda turn: connection.execute(statement, (f"key {turn % self._keys}",)).fetchone()


class Pyrate:
    """PyrateLimiter with its bucket for the database: one bucket is one key, and keeps a row for each hit."""

    name = "PyrateLimiter"

    def __init__(self, url: str, stack: ExitStack) -> None:
        from pyrate_limiter import Duration, Limiter, PostgresBucket, Rate, SQLiteBucket

        rates = [Rate(AMOUNT, Duration.MINUTE)]
        if url.startswith("sqlite"):
            bucket: Any = SQLiteBucket.init_from_file(rates, db_path=path_of(url) + ".pyrate")
        else:
            from psycopg_pool import ConnectionPool

            pool = stack.enter_context(ConnectionPool(url, min_size=1, max_size=16, open=True))
            bucket = PostgresBucket(pool, f"pyrate_{time.time_ns()}", rates)
        self._limiter = Limiter(bucket)
        stack.callback(self._limiter.close)

    def client(self, number: int) -> Do:
        return lambda _: self._limiter.try_acquire("key")


class Redis:
    """`limits` with its fixed window in a Redis of this machine: in memory, its log written once a second."""

    name = "limits on Redis"

    def __init__(self, port: int, keys: int) -> None:
        from limits import RateLimitItemPerMinute
        from limits.storage import RedisStorage
        from limits.strategies import FixedWindowRateLimiter

        self._limiter = FixedWindowRateLimiter(RedisStorage(f"redis://127.0.0.1:{port}"))
        self._item, self._keys = RateLimitItemPerMinute(AMOUNT), keys

    def client(self, number: int) -> Do:
        return lambda turn: self._limiter.hit(self._item, f"key {turn % self._keys}")


@contextmanager
def redis_server() -> Iterator[int | None]:
    """Run a Redis and give its port; None where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    with socket.socket() as probe, tempfile.TemporaryDirectory() as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        command = [program, "--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--appendonly", "yes"]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _await(port)
            yield port
        finally:
            server.terminate()
            server.wait()


def _await(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("Redis does not answer")


def measure(url: str, clients: tuple[int, ...] = CLIENTS, seconds: float = SECONDS) -> Iterator[dict[str, Any]]:
    """Compare on a migrated database; give a row for each way, number of keys and number of clients."""
    database = "sqlite" if url.startswith("sqlite") else "postgresql"
    with Store.open(url, Settings(side_pool_size=max(clients))) as store, redis_server() as redis:
        _make_floor(url)
        for what, keys in KEYS.items():
            for count in clients:
                with ExitStack() as stack:
                    ways = _ways(url, store, keys, redis, stack)
                    for name, row in in_turn(ways, count, rounds=ROUNDS, seconds=seconds):
                        yield {"database": database, "peer": name, "keys": what, "clients": count, **row}


def _make_floor(url: str) -> None:
    how = " WITHOUT ROWID" if url.startswith("sqlite") else " WITH (fillfactor = 50)"
    with ExitStack() as stack:
        by_hand(url, stack).execute(_TABLE + how)


def _ways(url: str, store: Store, keys: int, redis: int | None, stack: ExitStack) -> list[Way]:
    ways: list[Way] = [Floor(url, keys, stack), Ours(store, keys), Ours(store, keys, durable=True)]
    if keys == 1 and has("pyrate_limiter"):
        ways.append(Pyrate(url, stack))
    if redis is not None and has("limits"):
        ways.append(Redis(redis, keys))
    return ways
