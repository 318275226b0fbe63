"""Sessions: authenticate, note a use and create, beside bare statements and Flask-Session over SQLAlchemy."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import Any

from benchmarks.databases import by_hand
from benchmarks.together import Do, Way, has, in_turn
from ragstore import SessionRules, Settings, Store

CLIENTS = (1, 8)
JOBS = ("authenticate", "authenticate and note the use", "create")
ROUNDS, SECONDS = 4, 0.7
SESSIONS = 1_000
DATA = {"cart": [1, 2, 3], "locale": "en"}

_CREATE = """
    CREATE TABLE floor_session (tenant text, id text, hash {binary}, data text, seen {time}, PRIMARY KEY (tenant, id))
"""
_SELECT = "SELECT hash, data, seen FROM floor_session WHERE tenant = 'default' AND id = {mark}"
_TOUCH = "UPDATE floor_session SET seen = {now} WHERE tenant = 'default' AND id = {mark}"
_INSERT = "INSERT INTO floor_session VALUES ('default', {mark}, {mark}, '{{}}', {now})"


class Ours:
    """A store's `sessions`; for the second job every use is noted."""

    name = "ragstore"

    def __init__(self, store: Store, job: str, count: int) -> None:
        self._sessions, self._job = store.sessions, job
        kind = "noted" if job == JOBS[1] else "usual"
        self._sessions.define(
            SessionRules("noted", touch_interval=timedelta(microseconds=1)), SessionRules("usual", touch_interval=600)
        )
        self._kind = kind
        self._tokens = [self._sessions.create(f"user {number}", kind=kind).token for number in range(count)]

    def client(self, number: int) -> Do:
        if self._job == JOBS[2]:
            return lambda turn: self._sessions.create(f"user {turn}", kind=self._kind, data=DATA)
        return self._authenticate

    def _authenticate(self, turn: int) -> None:
        if self._sessions.authenticate(self._tokens[turn % len(self._tokens)]) is None:
            raise RuntimeError("not found")


class Floor:
    """Bare statements over one narrow table, a connection a client: a secret's hash, and the time of the last use."""

    name = "bare statements"

    def __init__(self, connect: Callable[[], Any], job: str, count: int, *, mark: str, now: str) -> None:
        self._connect, self._job = connect, job
        self._select, self._touch, self._insert = (
            text.format(mark=mark, now=now) for text in (_SELECT, _TOUCH, _INSERT)
        )
        connection = connect()
        self._known = [(uuid.uuid4().hex, secrets.token_bytes(32)) for _ in range(count)]
        for name, secret in self._known:
            connection.execute(self._insert, (name, hashlib.sha256(secret).digest()))

    def client(self, number: int) -> Do:
        connection = self._connect()
        if self._job == JOBS[2]:
            return lambda _: connection.execute(self._insert, (uuid.uuid4().hex, secrets.token_bytes(32)))
        return lambda turn: self._look(connection, *self._known[turn % len(self._known)])

    def _look(self, connection: Any, name: str, secret: bytes) -> None:
        found = connection.execute(self._select, (name,)).fetchone()
        if not hmac.compare_digest(bytes(found[0]), hashlib.sha256(secret).digest()):
            raise RuntimeError("wrong")
        if self._job == JOBS[1]:
            connection.execute(self._touch, (name,))


class FlaskSession:
    """Flask-Session's SQLAlchemy interface, called as Flask calls it; it writes its row whenever the data is changed."""

    name = "Flask-Session"

    def __init__(self, url: str, job: str, count: int) -> None:
        from flask import Flask
        from flask_session import Session
        from flask_sqlalchemy import SQLAlchemy

        self._app = Flask("peer")
        self._app.config |= {
            "SQLALCHEMY_DATABASE_URI": url.replace("postgresql://", "postgresql+psycopg://"),
            "SESSION_TYPE": "sqlalchemy",
        }
        database = SQLAlchemy(self._app)
        self._app.config["SESSION_SQLALCHEMY"] = database
        with self._app.app_context():
            Session(self._app)
            database.create_all()
        self._job = job
        self._cookies = [self._new() for _ in range(count)]

    def client(self, number: int) -> Do:
        return (lambda _: self._new()) if self._job == JOBS[2] else self._look

    def _new(self) -> str:
        with self._app.test_request_context("/"):
            session: Any = self._app.session_interface.open_session(self._app, _request())
            session.update(DATA)
            self._app.session_interface.save_session(self._app, session, self._app.response_class())
            return str(session.sid)

    def _look(self, turn: int) -> None:
        cookie = self._cookies[turn % len(self._cookies)]
        with self._app.test_request_context("/", headers={"Cookie": f"session={cookie}"}):
            session: Any = self._app.session_interface.open_session(self._app, _request())
            if "cart" not in session:
                raise RuntimeError("not found")
            if self._job == JOBS[1]:
                session["seen"] = turn
                self._app.session_interface.save_session(self._app, session, self._app.response_class())


def _request() -> Any:
    from flask import request

    return request


def measure(
    url: str, clients: tuple[int, ...] = CLIENTS, seconds: float = SECONDS, sessions: int = SESSIONS
) -> Iterator[dict[str, Any]]:
    """Compare on a migrated database; give a row for each way, job and number of clients."""
    database = "sqlite" if url.startswith("sqlite") else "postgresql"
    with Store.open(url, Settings(side_pool_size=max(clients))) as store, ExitStack() as stack:
        mark, now = _make_floor(url, stack)
        connect = partial(by_hand, url, stack)
        for job in JOBS:
            count = sessions if job != JOBS[2] else 1
            floor, ours = Floor(connect, job, count, mark=mark, now=now), Ours(store, job, count)
            ways: list[Way] = [floor, ours, *_peers(url, job, count)]
            for together in clients:
                for name, row in in_turn(ways, together, rounds=ROUNDS, seconds=seconds):
                    yield {"database": database, "peer": name, "job": job, "clients": together, **row}


def _make_floor(url: str, stack: ExitStack) -> tuple[str, str]:
    """Make the floor's table; give how a parameter is marked and what the time is."""
    on_sqlite = url.startswith("sqlite")
    types = {"binary": "blob", "time": "real"} if on_sqlite else {"binary": "bytea", "time": "timestamptz"}
    by_hand(url, stack).execute(_CREATE.format(**types))
    return ("?", "julianday('now')") if on_sqlite else ("%s", "now()")


def _peers(url: str, job: str, count: int) -> list[Way]:
    return [FlaskSession(url, job, count)] if has("flask_session") and has("flask_sqlalchemy") else []
