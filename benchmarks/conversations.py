"""Conversations: append, the latest 20, pages backwards; beside statements by hand and the histories of two libraries.

All ways hold the same texts: many threads of about a hundred messages and a long one. The bare statements read and write
our own tables; those with search also write a row by which a message is found, which ours does in any case. The two
libraries' own classes stand beside our adapters for them. Neither has pages, so a page is all that they must read for it.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import random
import sqlite3
import time
import uuid
from collections import namedtuple
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import psycopg
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.databases import path_of
from benchmarks.floors import floor_of
from benchmarks.floors.postgresql import MESSAGE
from benchmarks.measure import Job, in_turn
from benchmarks.round_trips import count_round_trips
from benchmarks.together import has
from ragstore import AsyncStore, NewMessage, Store
from ragstore.conversations.statements import rows
from ragstore.core.ids import new_id

MESSAGES, CONVERSATIONS = 200_000, 2_000
LONG = 11_000
DEPTHS = (0, 1_000, 10_000)
LATEST, PAGE = 20, 50
ROUNDS, FEW_ROUNDS = 300, 40
APPENDED_TO = 50
BATCH = 100


@dataclass(frozen=True)
class Made:
    """What all ways hold.

    Attributes:
        threads: Texts by thread, the long one first.
        fresh: Threads that are appended to.
        texts: Some texts.
    """

    threads: dict[str, list[str]]
    fresh: list[str]
    texts: list[str]

    @property
    def long(self) -> str:
        """Give the long thread."""
        return next(iter(self.threads))

    @property
    def usual(self) -> list[str]:
        """Give the others."""
        return list(self.threads)[1:]


def make(messages: int, conversations: int, seed: int = 7) -> Made:
    """Make threads, always the same for the same seed."""
    draw = random.Random(seed)
    words = ["".join(draw.choices("abcdefghiklmnoprstuvw", k=draw.randint(2, 9))) for _ in range(20_000)]
    weights = list(itertools.accumulate(1 / rank for rank in range(1, len(words) + 1)))
    texts = [" ".join(draw.choices(words, cum_weights=weights, k=draw.randint(5, 60))) for _ in range(3_000)]
    name = lambda: str(uuid.UUID(int=draw.getrandbits(128), version=4))
    long = min(LONG, messages // 2)
    each = max(1, (messages - long) // max(1, conversations - 1))
    sizes = [long, *[each] * (conversations - 1)]
    threads = {name(): draw.choices(texts, k=size) for size in sizes}
    return Made(threads, [name() for _ in range(APPENDED_TO)], texts)


class Way(Protocol):
    """One way to keep conversations."""

    name: str

    def fill(self, made: Made) -> None:
        """Store all texts, and begin the fresh threads."""
        ...

    def append(self, thread: str, text: str) -> object:
        """Append a message, durably."""
        ...

    def latest(self, thread: str) -> object:
        """Read the newest 20."""
        ...

    def page(self, depth: int) -> object:
        """Read 50 messages of the long thread, of which so many are newer."""
        ...


# ------------------------------------------------------------------------------------------- ours and the floors


class Ours:
    """A store's `conversations`."""

    name = "ragstore"

    def __init__(self, store: Store) -> None:
        self._conversations = store.conversations

    def fill(self, made: Made) -> None:
        for thread, texts in made.threads.items():
            for start in range(0, len(texts), BATCH):
                self._conversations.append(thread, _new(texts[start : start + BATCH]))
        for thread in made.fresh:
            self.append(thread, "begin")
        self._long, self._cursors = made.long, {0: None} | self._walk(made.long)

    def _walk(self, thread: str) -> dict[int, str | None]:
        cursors, cursor = {}, None
        for depth in range(PAGE, max(DEPTHS) + 1, PAGE):
            cursor = self._read(thread, cursor).next_cursor
            if cursor is None:
                break
            cursors[depth] = cursor
        return cursors

    def _read(self, thread: str, cursor: str | None) -> Any:
        return self._conversations.page(thread, limit=PAGE, cursor=cursor, backwards=True)

    def append(self, thread: str, text: str) -> object:
        return self._conversations.append(thread, NewMessage(role="user", content=text))

    def latest(self, thread: str) -> object:
        return self._conversations.history(thread, LATEST)

    def page(self, depth: int) -> object:
        return _full(self._read(self._long, self._cursors[depth]).items)


class OursByBranch(Ours):
    """Pages of the current branch, of which each begins where the one before ended."""

    name = "ragstore, page_branch"

    def fill(self, made: Made) -> None:
        self._long, self._cursors = made.long, {0: None} | self._walk(made.long)

    def _read(self, thread: str, cursor: str | None) -> Any:
        return self._conversations.page_branch(thread, limit=PAGE, cursor=cursor)


def _new(texts: Sequence[str]) -> list[NewMessage]:
    return [NewMessage(role="assistant" if turn % 2 else "user", content=text) for turn, text in enumerate(texts)]


def _full(items: Sequence[Any]) -> Sequence[Any]:
    if len(items) != PAGE:
        raise RuntimeError(f"{len(items)} messages instead of {PAGE}")
    return items


class Floor:
    """Bare statements over our tables."""

    name = "bare statements"

    def __init__(self, url: str, stack: ExitStack) -> None:
        self._floor: Any = floor_of(url)
        self._connection = self._floor.connection
        self._mark = "?" if url.startswith("sqlite") else "%s"
        stack.callback(self._floor.close)

    def fill(self, made: Made) -> None:
        found = self._connection.execute("SELECT thread_id, id, head FROM rag_conversation").fetchall()
        self._ids = {thread: conversation for thread, conversation, _ in found}
        self._ids |= {thread: self._floor.start(f"{self.name} {thread}") for thread in made.fresh}
        self._long, self._head = self._ids[made.long], {thread: head for thread, _, head in found}[made.long]

    def append(self, thread: str, text: str) -> object:
        return self._floor.append(self._ids[thread], text)

    def latest(self, thread: str) -> object:
        return self._floor.latest(self._ids[thread])

    def page(self, depth: int) -> object:
        statement = (
            f"SELECT {MESSAGE} FROM rag_message WHERE tenant_id = 'default' AND conversation_id = {self._mark}"
            f" AND seq < {self._mark} ORDER BY seq DESC LIMIT {PAGE}"
        )
        return _full(self._connection.execute(statement, [self._long, self._head + 1 - depth]).fetchall())


COLUMNS = ", ".join("metadata" if column == "meta" else column for column in rows.COLUMNS)
Kept = namedtuple("Kept", rows.COLUMNS)  # noqa: PYI024 - its fields are those of the columns
EPOCH = datetime.fromtimestamp(0, UTC)


class FloorAsRecords(Floor):
    """The same by the thread's name, as records of all columns: ids, times and JSON are read, and nothing is checked."""

    name = "bare statements, as records"

    def fill(self, made: Made) -> None:
        super().fill(made)
        self._long = made.long

    def latest(self, thread: str) -> object:
        return self._read(thread, None, LATEST)

    def page(self, depth: int) -> object:
        return _full(self._read(self._long, self._head + 1 - depth, PAGE))

    def _read(self, thread: str, before: int | None, limit: int) -> list[Kept]:
        mark = self._mark
        statement = (
            f"SELECT {COLUMNS} FROM rag_message WHERE tenant_id = 'default' AND conversation_id ="
            f" (SELECT id FROM rag_conversation WHERE tenant_id = 'default' AND thread_id = {mark})"
            f" {'' if before is None else f'AND seq < {mark}'} ORDER BY seq DESC LIMIT {limit}"
        )
        values = [thread] if before is None else [thread, before]
        read = _of_sqlite if mark == "?" else Kept._make
        return [read(row) for row in self._connection.execute(statement, values).fetchall()]


def _of_sqlite(row: Sequence[Any]) -> Kept:
    (
        identifier,
        conversation,
        seq,
        parent,
        client,
        role,
        status,
        content,
        parts,
        metadata,
        *others,
        created,
        updated,
        noted,
    ) = row
    return Kept(
        uuid.UUID(identifier),
        uuid.UUID(conversation),
        seq,
        None if parent is None else uuid.UUID(parent),
        client,
        role,
        status,
        content,
        None if parts is None else json.loads(parts),
        json.loads(metadata),
        *others,
        EPOCH + timedelta(microseconds=created),
        None if updated is None else EPOCH + timedelta(microseconds=updated),
        bool(noted),
    )


class FloorWithSearch(Floor):
    """The same, and a row by which the message is found: a tsvector with its index, or FTS5."""

    name = "bare statements with search"

    def fill(self, made: Made) -> None:
        super().fill(made)
        execute = self._connection.execute
        if self._mark == "?":
            execute("CREATE VIRTUAL TABLE floor_search USING fts5(message_id UNINDEXED, content, tokenize = 'porter')")
            execute("INSERT INTO floor_search SELECT id, content FROM rag_message")
        else:
            execute("CREATE TABLE floor_search (message_id uuid PRIMARY KEY, words tsvector NOT NULL)")
            execute("INSERT INTO floor_search SELECT id, to_tsvector('english', content) FROM rag_message")
            execute("CREATE INDEX ON floor_search USING gin (words)")

    def append(self, thread: str, text: str) -> object:
        if self._mark == "?":
            return self._append_to_sqlite(self._ids[thread], text)
        connection, conversation, message = self._connection, self._ids[thread], new_id()
        with connection.transaction():
            (head,) = connection.execute(
                "UPDATE rag_conversation SET head = head + 1, last_activity = statement_timestamp()"
                " WHERE tenant_id = 'default' AND id = %s RETURNING head",
                [conversation],
            ).fetchone()
            connection.execute(
                "INSERT INTO rag_message (id, conversation_id, seq, role, content, metadata)"
                " VALUES (%s, %s, %s, 'user', %s, '{}')",
                [message, conversation, head, text],
            )
            return connection.execute(
                "INSERT INTO floor_search VALUES (%s, to_tsvector('english', %s))", [message, text]
            )

    def _append_to_sqlite(self, conversation: str, text: str) -> object:
        execute, message, now = self._connection.execute, new_id().hex, int(time.time() * 1e6)
        execute("BEGIN IMMEDIATE")
        (head,) = execute(
            "UPDATE rag_conversation SET head = head + 1, last_activity = ? WHERE tenant_id = 'default' AND id = ?"
            " RETURNING head",
            [now, conversation],
        ).fetchone()
        execute(
            "INSERT INTO rag_message (id, conversation_id, seq, role, content, metadata, created_at)"
            " VALUES (?, ?, ?, 'user', ?, '{}', ?)",
            [message, conversation, head, text, now],
        )
        execute("INSERT INTO floor_search VALUES (?, ?)", [message, text])
        return execute("COMMIT")


# ----------------------------------------------------------------------------------------------------- LangChain


class OurHistory:
    """Our adapter for LangChain, made for each call as a host does."""

    name = "RagstoreChatMessageHistory"

    def __init__(self, store: Store) -> None:
        from ragstore.integrations.langchain import RagstoreChatMessageHistory

        self._store, self._history = store, RagstoreChatMessageHistory

    def fill(self, made: Made) -> None:
        self._long = made.long

    def append(self, thread: str, text: str) -> object:
        from langchain_core.messages import HumanMessage

        return self._history(self._store, thread).add_messages([HumanMessage(text)])

    def latest(self, thread: str) -> object:
        return self._history(self._store, thread, limit=LATEST).messages

    def page(self, depth: int) -> object:
        return _full(self._history(self._store, self._long, limit=depth + PAGE).messages[:PAGE])


class LangChain:
    """langchain-postgres, which always reads a whole thread."""

    name = "langchain-postgres"
    table = "langchain_history"

    def __init__(self, url: str, stack: ExitStack) -> None:
        from langchain_postgres import PostgresChatMessageHistory

        self._connection = psycopg.connect(url, prepare_threshold=None)
        stack.callback(self._connection.close)
        PostgresChatMessageHistory.create_tables(self._connection, self.table)
        self._make = PostgresChatMessageHistory

    def fill(self, made: Made) -> None:
        from langchain_core.messages import AIMessage, HumanMessage, message_to_dict

        with self._connection.cursor().copy(f"COPY {self.table} (session_id, message) FROM STDIN") as copy:
            for thread, texts in made.threads.items():
                for turn, text in enumerate(texts):
                    message = AIMessage(text) if turn % 2 else HumanMessage(text)
                    copy.write_row((thread, json.dumps(message_to_dict(message))))
        self._connection.commit()
        self._long = made.long

    def _of(self, thread: str) -> Any:
        return self._make(self.table, thread, sync_connection=self._connection)

    def append(self, thread: str, text: str) -> object:
        from langchain_core.messages import HumanMessage

        return self._of(thread).add_messages([HumanMessage(text)])

    def latest(self, thread: str) -> object:
        return self._of(thread).messages[-LATEST:]

    def page(self, depth: int) -> object:
        return _full(self._of(self._long).messages[-depth - PAGE :][:PAGE])


# ------------------------------------------------------------------------------------------- OpenAI Agents SDK


Run = Callable[[Coroutine[Any, Any, Any]], Any]


def _item(turn: int, text: str) -> dict[str, Any]:
    return {"role": "assistant" if turn % 2 else "user", "content": text}


class Sessions:
    """Sessions of the SDK's kind, one kept for each thread, awaited on one loop."""

    name = ""

    def __init__(self, run: Run, session: Callable[[str], Any]) -> None:
        self._run, self._session = run, session

    def fill(self, made: Made) -> None:
        self._sessions = {thread: self._session(thread) for thread in (*made.threads, *made.fresh)}
        self._long = made.long

    def append(self, thread: str, text: str) -> object:
        return self._run(self._sessions[thread].add_items([_item(0, text)]))

    def latest(self, thread: str) -> object:
        return self._run(self._sessions[thread].get_items(LATEST))

    def page(self, depth: int) -> object:
        return _full(self._run(self._sessions[self._long].get_items(depth + PAGE))[:PAGE])


class OurSessions(Sessions):
    """Our adapter."""

    name = "RagstoreSession"

    def __init__(self, url: str, run: Run, stack: ExitStack) -> None:
        from ragstore.integrations.openai_agents import RagstoreSession

        store = AsyncStore.open(url)
        stack.callback(lambda: run(store.aclose()))
        super().__init__(run, lambda thread: RagstoreSession(store, thread))


class OverSqlAlchemy(Sessions):
    """The SDK's SQLAlchemySession."""

    name = "SQLAlchemySession"

    def __init__(self, url: str, run: Run, stack: ExitStack) -> None:
        from agents.extensions.memory import SQLAlchemySession

        self._on_sqlite = url.startswith("sqlite")
        self._url = f"{url}.agents" if self._on_sqlite else url
        driver = "sqlite+aiosqlite" if self._on_sqlite else "postgresql+asyncpg"
        engine = create_async_engine(make_url(self._url).set(drivername=driver))
        stack.callback(lambda: run(engine.dispose()))
        super().__init__(run, lambda thread: SQLAlchemySession(thread, engine=engine, create_tables=True))

    def fill(self, made: Made) -> None:
        super().fill(made)
        for thread in made.fresh:
            self.append(thread, "begin")
        if self._on_sqlite:
            _fill_sqlite(path_of(self._url), made)
            return
        with psycopg.connect(self._url) as connection, connection.cursor() as cursor:
            with cursor.copy("COPY agent_sessions (session_id) FROM STDIN") as copy:
                for thread in made.threads:
                    copy.write_row((thread,))
            with cursor.copy("COPY agent_messages (session_id, message_data) FROM STDIN") as copy:
                for row in _rows(made):
                    copy.write_row(row)


class OverSqlite(Sessions):
    """The SDK's SQLiteSession."""

    name = "SQLiteSession"

    def __init__(self, url: str, run: Run, stack: ExitStack) -> None:
        from agents import SQLiteSession

        self._path = path_of(url) + ".sessions"

        def session(thread: str) -> Any:
            made = SQLiteSession(thread, self._path)
            stack.callback(made.close)
            return made

        super().__init__(run, session)

    def fill(self, made: Made) -> None:
        self._session(made.fresh[0])
        _fill_sqlite(self._path, made)
        used = (made.long, *made.fresh, *made.usual[:APPENDED_TO])
        self._sessions = {thread: self._session(thread) for thread in used}  # each holds a file open
        self._long = made.long


def _rows(made: Made) -> Iterator[tuple[str, str]]:
    for thread, texts in made.threads.items():
        for turn, text in enumerate(texts):
            yield thread, json.dumps(_item(turn, text))


def _fill_sqlite(path: str, made: Made) -> None:
    connection = sqlite3.connect(path)
    connection.executemany("INSERT INTO agent_sessions (session_id) VALUES (?)", [(name,) for name in made.threads])
    connection.executemany("INSERT INTO agent_messages (session_id, message_data) VALUES (?, ?)", _rows(made))
    connection.commit()
    connection.close()


# ------------------------------------------------------------------------------------------------------ measuring


def measure(
    url: str,
    messages: int = MESSAGES,
    conversations: int = CONVERSATIONS,
    depths: Sequence[int] = DEPTHS,
    rounds: int = ROUNDS,
) -> Iterator[dict[str, Any]]:
    """Compare on a migrated database; give a row for each way and job."""
    made = make(messages, conversations)
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(url))
        ways = _ways(url, store, stack)
        for way in sorted(ways, key=lambda way: type(way) is not Ours):  # the bare statements read what ours has stored
            began = time.perf_counter()
            way.fill(made)
            print(f"{way.name}: filled in {time.perf_counter() - began:.1f} s", flush=True)
        _settle(url)
        gc.collect()
        gc.freeze()  # a host does not hold all texts in memory, so collections shall not walk through them
        about = {"database": "sqlite" if url.startswith("sqlite") else "postgresql", "messages": messages}
        for job, able, times in _jobs(ways, made, depths, rounds):
            calls = [call for _, call in able]
            timings = in_turn(*calls, rounds=times)
            for (way, call), timing in zip(able, timings, strict=True):
                counts = isinstance(way, Ours | OurHistory)
                trips = count_round_trips(store, call) if counts else None
                row = {"peer": way.name, "job": job, "p50": timing.p50, "p95": timing.p95}
                yield {**about, **row, "ratio": timing.p50 / timings[0].p50, "round_trips": trips}


def _jobs(
    ways: Sequence[Way], made: Made, depths: Sequence[int], rounds: int
) -> Iterator[tuple[str, list[tuple[Way, Job]], int]]:
    few = min(rounds, FEW_ROUNDS)
    once = [way for way in ways if not isinstance(way, OursByBranch)]
    writing = [way for way in once if not isinstance(way, FloorAsRecords)]
    yield "append a message", [(way, _appending(way, made)) for way in writing], rounds
    reading = [way for way in once if not isinstance(way, FloorWithSearch)]
    usual = itertools.cycle(made.usual[:APPENDED_TO])
    yield f"latest {LATEST}", [(way, lambda way=way: way.latest(next(usual))) for way in reading], rounds
    long = [(way, lambda way=way: way.latest(made.long)) for way in reading]
    yield f"latest {LATEST} of {len(made.threads[made.long]):,}", long, few
    paging = [way for way in ways if not isinstance(way, FloorWithSearch)]
    for depth in (depth for depth in depths if depth + PAGE <= len(made.threads[made.long])):
        pages = [(way, lambda way=way, depth=depth: way.page(depth)) for way in paging]
        yield f"{PAGE} messages, {depth:,} back", pages, few


def _appending(way: Way, made: Made) -> Job:
    threads, texts = itertools.cycle(made.fresh), itertools.cycle(made.texts)
    return lambda: way.append(next(threads), next(texts))


def _settle(url: str) -> None:
    """Let the database put its house in order, so that no job pays for the filling."""
    floor = floor_of(url)
    floor.settle()
    floor.close()


def _ways(url: str, store: Store, stack: ExitStack) -> list[Way]:
    """Give the ways that there are, the bare statements first."""
    ours = Ours(store)
    floors: list[Way] = [Floor(url, stack), FloorAsRecords(url, stack), FloorWithSearch(url, stack)]
    ways = [*floors, ours, OursByBranch(store)]
    on_server = not url.startswith("sqlite")
    if has("langchain_core"):
        ways.append(OurHistory(store))
    if on_server and has("langchain_postgres"):
        ways.append(LangChain(url, stack))
    if has("agents"):
        loop = asyncio.new_event_loop()
        stack.callback(loop.close)
        run = loop.run_until_complete
        ways.append(OurSessions(url, run, stack))
        if not on_server or has("asyncpg"):
            ways.append(OverSqlAlchemy(url, run, stack))
        if not on_server:
            ways.append(OverSqlite(url, run, stack))
    return ways
