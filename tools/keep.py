"""Fill an empty database as an application would, and print its rows: a kept database of a release.

    python tools/keep.py rs_0004 sqlite:///empty.db > tests/migrations/kept/rs_0004.sqlite.sql
    python tools/keep.py rs_0004 postgresql://... > tests/migrations/kept/rs_0004.postgresql.sql

Run it once for each released schema, with the release's own code on PYTHONPATH (`git archive <commit> src`; the commits
are in tests/migrations/kept/releases.toml), and never change what it printed: such databases exist. So this file uses
what every release has had, and asks for what a later one brought.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, inspect

import ragstore
from ragstore import NewChunk, NewCitation, NewDocument, NewMessage, Store
from ragstore.schema import tables_for

HEADER = "-- Rows that the code of this schema wrote. Never change them: there are such databases."
OPENING = "Call open() with a path to open a file for reading."
CLOSING = "Close the file; a with statement does."
PATHS = "A Path joins its parts with a slash."
UNICODE = "Größe 100 %; 'quoted' \"twice\" \\ שלום 東京 🦉\nand a second line"


def fill(store: Store, tables: set[str], unfinished: ExitStack) -> None:
    """Put rows into every table, for one tenant."""
    documents(store)
    conversations(store)
    branches(store, unfinished)
    if "rag_rate_limit" in tables:
        rate_limits(store)
    if "rag_session" in tables:
        sessions(store)


def documents(store: Store) -> None:
    """A collection with vectors and metadata, documents with and without a title, a chunk without a vector."""
    store.collections.ensure("manual", model="m", dimensions=3, language="en", metadata={"shelf": None})
    about: dict[str, Any] = {"year": 2024, "tags": ["a", "ü"], "none": None}
    files = NewDocument(source="files.html", title="Files", doc_type="guide", metadata=about)
    opening = NewChunk(content=OPENING, embedding=[1.0, 0.0, 0.0], page=1, heading="Files", start_offset=0)
    store.documents.put("manual", files, [opening, NewChunk(content=CLOSING, embedding=[0.0, 1.0, 0.0])])
    paths = NewDocument(source="paths.html", title="Päths; 'quoted' 100%", metadata={"year": 2025})
    store.documents.put("manual", paths, [NewChunk(content=PATHS, embedding=[0.0, 0.0, 1.0])])
    store.documents.put("manual", NewDocument(source="東京"), [NewChunk(content=UNICODE, metadata={"of": "ü"})])


def conversations(store: Store) -> None:
    """An answer with citations and a thumb that was changed; usage; parts; a thread that nobody owns."""
    hits = store.chunks.search("manual", text="opening files", limit=1)
    chats = store.conversations
    exchange = chats.record_exchange(
        thread_id="chat-1",
        query="How do I open a file?",
        response=OPENING,
        sources=[*hits, NewCitation(source="https://example.org/?q=1", title="Elsewhere: 100 %", score=0.5)],
        response_time=0.8,
        feedback=-1,
        user_id="ada",
        organisation_id="engines",
        collection="manual",
        model="small",
        resolved_model="small-2024",
        input_tokens=11,
        output_tokens=7,
        cost=Decimal("0.000000123"),
        metadata={"page": "/help"},
    )
    chats.give_feedback(exchange.answer.id, 1, user_id="ada", comment="Now I see: 'open' — 👍")
    said = NewMessage(role="system", content=UNICODE, client_id="one", metadata={"nothing": None})
    called = NewMessage(role="assistant", parts=[{"type": "tool-call", "name": "look", "args": {"at": "ü"}}])
    chats.append("nobody's", [said, called, NewMessage(role="tool", content="")])
    chats.update("nobody's", title="Pinned; 'quoted'", pinned=True, metadata={"deep": {"er": [1, None]}})


def branches(store: Store, unfinished: ExitStack) -> None:
    """A question asked again beside the first one, a pinned message, a thread about plants, a stream that is open."""
    chats = store.conversations
    if hasattr(chats, "add_sibling"):
        question, _ = chats.append(
            "branched", [NewMessage(role="user", content="Which?"), NewMessage(role="assistant", content="That.")]
        )
        chats.add_sibling(question.id, NewMessage(role="user", content="Which owl?"))
        chats.update_message(question.id, pinned=True)
    if hasattr(chats, "stream"):
        growing = NewMessage(role="assistant", metadata={"streamed": True})
        stream = unfinished.enter_context(chats.stream("streamed", growing))
        stream.write("The first half of ")
        stream.flush()


def rate_limits(store: Store) -> None:
    """Each algorithm, two limits, a global policy, a key that is hidden by its hash."""
    from ragstore import Policy

    store.rate_limits.hit(Policy("api", "10/minute; 100/day", max_wait=10.0), "ada", cost=3)
    store.rate_limits.hit(Policy("window", "5/hour", algorithm="fixed", max_wait=10.0), "ü@example.org")
    store.rate_limits.hit(Policy("gliding", "5/hour", algorithm="sliding", max_wait=10.0), "ada")
    store.rate_limits.hit(Policy("ip", "50/hour", scope="global", max_wait=10.0), "192.0.2.1")


def sessions(store: Store) -> None:
    """One with data, one rotated, one of nobody, and a user whose stamp was changed."""
    from ragstore import SessionRules

    store.sessions.define(SessionRules("login", max_sessions=5))
    made = store.sessions.create(
        "ada", organisation_id="engines", data={"name": "Ada ü"}, ip="192.0.2.1", agent="A browser/1.0", label="laptop"
    )
    store.sessions.rotate(made.token)
    store.sessions.create(None, kind="visit")
    store.sessions.create("bob")
    store.sessions.change_stamp("bob")


def inserts(connection: Connection, tables: list[Table]) -> Iterator[str]:
    """Give a statement for each table that has rows, parents first."""
    for table in tables:
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        rows = sorted(", ".join(row) for row in connection.exec_driver_sql(_literals(connection, table)))
        if rows:
            body = ",\n".join(f"    ({row})" for row in rows)
            yield f"INSERT INTO {_name(connection, table)} ({columns}) VALUES\n{body};\n"


def _name(connection: Connection, table: Table) -> str:
    return f"ragstore.{table.name}" if connection.dialect.name == "postgresql" else table.name


def _literals(connection: Connection, table: Table) -> str:
    """Make the query that gives every value as SQL would write it."""
    literal = 'quote_nullable("{}"::text)' if connection.dialect.name == "postgresql" else 'quote("{}")'
    values = ", ".join(literal.format(column.name) for column in table.columns)
    return f"SELECT {values} FROM {_name(connection, table)}"


def main(arguments: list[str]) -> None:
    """Upgrade, fill, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision")
    parser.add_argument("url", help="of a database with nothing in it")
    chosen = parser.parse_args(arguments)
    ragstore.upgrade(chosen.url, chosen.revision)
    with Store.open(chosen.url) as store, ExitStack() as unfinished:
        schema = "ragstore" if store.engine.dialect.name == "postgresql" else None
        there = set(inspect(store.engine).get_table_names(schema=schema)) - {"rag_meta"}
        for handle in (store, store.for_tenant("acme")):
            fill(handle, there, unfinished)
        with store.engine.connect() as connection:
            tables = [table for table in tables_for(connection.dialect.name) if table.name in there]
            sys.stdout.write("\n".join([f"{HEADER}\n", *inserts(connection, tables)]))


if __name__ == "__main__":
    main(sys.argv[1:])
