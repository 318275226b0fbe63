"""Which tables and columns are which."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import BigInteger, Column, Double, Float, Integer, MetaData, Table, Text, Uuid, insert
from sqlalchemy.dialects.postgresql import ARRAY

from ragstore import Store
from ragstore.errors import InvalidInput, StorageError
from ragstore.operations.adoption import Mapping, adopt
from tests.operations.adoption.conftest import OldApp, stored


def make(old: OldApp, name: str, columns: dict[str, Any], *rows: tuple[Any, ...], key: str = "id") -> None:
    """Make a table with rows."""
    table = Table(name, MetaData(), *(Column(c, t, primary_key=c == key) for c, t in columns.items()))
    table.create(old.engine)
    with old.engine.begin() as connection:
        for row in rows:
            connection.execute(insert(table), dict(zip(columns, row, strict=True)))


@pytest.mark.parametrize(
    ("thread", "question", "answer", "time", "table"),
    [
        ("thread_id", "user_query", "response", "timestamp", "conversation"),
        ("session_id", "query", "answer", "created_at", "conversations"),
        ("SESSION_ID", "Question", "ANSWER", "Timestamp", "Conversation"),
    ],
)
def test_common_names_are_recognised(
    store: Store, old: OldApp, thread: str, question: str, answer: str, time: str, table: str
) -> None:
    columns = {"id": Integer, thread: Text, question: Text, answer: Text, time: Text, "rating": Text}
    make(old, table, columns, (1, "t", "How?", "So.", "2023-01-01", "positive"))
    report = adopt(store, old.url)
    assert report.conversation is not None
    assert report.conversation.name == table
    question_there, answer_there = store.conversations.history("t")
    assert (question_there.content, answer_there.content) == ("How?", "So.")
    assert answer_there.feedback[0].value == 1


def test_the_most_likely_of_several_names_is_taken_and_the_other_listed(
    sqlite_store: Store, sqlite_old: OldApp
) -> None:
    columns = {"id": Integer, "session_id": Text, "thread_id": Text, "query": Text, "response": Text, "timestamp": Text}
    make(sqlite_old, "conversation", columns, (1, "s", "t", "How?", "So.", "2023-01-01"))
    report = adopt(sqlite_store, sqlite_old.url, dry_run=True)
    assert report.conversation is not None
    assert report.conversation.unmapped == ("session_id",)
    adopt(sqlite_store, sqlite_old.url, mapping=Mapping(conversation={"thread": "session_id"}))
    assert sqlite_store.conversations.find("s") is not None
    assert sqlite_store.conversations.find("t") is None


HOSTILE = ['id"; DROP TABLE rag_message; --', "a.b %s :y %", "select", "ünï cödé '", "[x]`y`"]


def test_hostile_names_are_only_names(store: Store, old: OldApp) -> None:
    key, thread, question, answer, time = HOSTILE
    table = 'chat"; DELETE FROM x; -- %s :z'
    columns = {key: Integer, thread: Text, question: Text, answer: Text, time: Text}
    make(old, table, columns, *((n, "t", f"{n}?", "So.", "2023-01-01") for n in range(5)), key=key)
    mapping = Mapping(
        tables={"conversation": table},
        conversation={"thread": thread, "question": question, "answer": answer, "created_at": time},
    )
    assert adopt(store, old.url, mapping=mapping, batch=2).messages == 10
    assert [m.content for m in store.conversations.history("t")[::2]] == ["0?", "1?", "2?", "3?", "4?"]


def test_keys_may_be_uuids_texts_and_numbers(store: Store, postgres_old: OldApp) -> None:
    columns = {
        "id": Uuid,
        "thread_id": Text,
        "query": Text,
        "response": Text,
        "timestamp": Float,
        "sources": ARRAY(Text),
    }
    rows = [(UUID(int=n * 7919 % 10), "t", f"{n}?", "So.", 1.7e9 + n, ["a", "b"]) for n in range(10)]
    make(postgres_old, "conversation", columns, *rows)
    assert adopt(store, postgres_old.url, batch=3).messages == 20
    assert [m.content for m in store.conversations.history("t", 100)[::2]] == [f"{n}?" for n in range(10)]
    assert [c.source for c in store.conversations.history("t")[1].citations] == ["a", "b"]
    before = stored(store)
    adopt(store, postgres_old.url)
    assert stored(store) == before


def test_keys_of_mixed_types_are_read_once_each(sqlite_store: Store, sqlite_old: OldApp) -> None:
    sqlite_old.run("CREATE TABLE conversation (id PRIMARY KEY, thread_id, query, response, timestamp)")
    for key in ("1", "'1'", "2.5", "x'31'", "-3", "'ü'"):
        sqlite_old.run(f"INSERT INTO conversation VALUES ({key}, 't', 'Q', 'A', 1700000000)")
    for _ in range(2):
        assert adopt(sqlite_store, sqlite_old.url, batch=2).messages == 12
        assert len(sqlite_store.conversations.history("t", 100)) == 12


def test_a_view_may_mend_what_a_table_has(store: Store, old: OldApp) -> None:
    old.fill(5, 0).run(
        "UPDATE conversation SET feedback = id",
        "CREATE VIEW thumbs AS SELECT c.*, CASE WHEN feedback > 3 THEN 1 WHEN feedback < 3 THEN -1 END AS thumb"
        " FROM conversation c",
    )
    mapping = Mapping(tables={"conversation": "thumbs"}, conversation={"id": "id", "feedback": "thumb"})
    adopt(store, old.url, mapping=mapping)
    given = [[one.value for one in store.conversations.history(f"thread-{n}")[1].feedback] for n in range(1, 6)]
    assert given == [[-1], [-1], [], [1], [1]]


def test_long_ids_stored_as_floats_stay_apart(store: Store, old: OldApp) -> None:
    """Rounded, two users would become one, and so would their threads, and two documents."""
    columns = {"id": Double, "thread_id": Double, "user_id": Double, "query": Text, "response": Text, "timestamp": Text}
    ids = (1234567.0, 1234568.0)
    make(old, "conversation", columns, *((one, one, one, "Q", "A", "2023-01-01") for one in ids))
    make(old, "document_chunk", {"id": Double, "source": Double, "text": Text}, *((one, one, "T") for one in ids))
    report = adopt(store, old.url)
    assert (report.threads, report.documents) == (2, 2)
    owners = {thread.thread_id: thread.user_id for thread in store.conversations.page_threads().items}
    assert owners == {"1234567": "1234567", "1234568": "1234568"}
    assert {chunk.source for chunk in store.chunks.export("adopted")} == set(owners)


def test_chunks_are_in_the_order_of_their_indexes_however_great(store: Store, old: OldApp) -> None:
    """A float would make these indexes equal, and the ids would have the word."""
    columns = {"id": Integer, "source": Text, "text": Text, "chunk_index": BigInteger}
    great = (2**63 - 1, 2**53 + 1, 2**53)
    make(old, "document_chunk", columns, *((id_, "s", f"{place}", place) for id_, place in enumerate(great)))
    adopt(store, old.url)
    found = {chunk.chunk_index: chunk.content for chunk in store.chunks.export("adopted")}
    assert found == {index: str(place) for index, place in enumerate(sorted(great))}


def test_a_schema_of_postgresql_may_be_named(store: Store, postgres_old: OldApp) -> None:
    postgres_old.run("CREATE SCHEMA old")
    with postgres_old.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE old.conversation"
            " (id int PRIMARY KEY, thread_id text, query text, response text, timestamp text)"
        )
        connection.exec_driver_sql("INSERT INTO old.conversation VALUES (1, 't', 'Q', 'A', '2023-01-01')")
    with pytest.raises(InvalidInput, match="neither table is there"):
        adopt(store, postgres_old.url)
    assert adopt(store, postgres_old.url, mapping=Mapping(source_schema="old")).messages == 2


# ---------------------------------------------------------------------------------------------- refused


def refused(store: Store, old: OldApp, mapping: Mapping | None = None) -> str:
    before = stored(store)
    with pytest.raises(InvalidInput) as caught:
        adopt(store, old.url, mapping=mapping)
    assert stored(store) == before
    return str(caught.value)


def test_columns_that_cannot_be_told_are_refused_with_what_is_there(store: Store, old: OldApp) -> None:
    make(old, "conversation", {"id": Integer, "who": Text, "said": Text, "response": Text, "timestamp": Text})
    message = refused(store, old)
    assert "no column of 'conversation' is known for 'thread', 'question'" in message
    assert 'pass Mapping(conversation={"thread": "its column"})' in message
    assert "columns of 'conversation': 'id', 'who', 'said', 'response', 'timestamp'" in message
    assert "tables there: 'conversation'" in message


def test_no_table_at_all_is_refused_with_what_is_there(store: Store, old: OldApp) -> None:
    make(old, "chat_log", {"id": Integer})
    message = refused(store, old)
    assert "neither table is there" in message
    assert "'chat_log'" in message


def test_a_wrong_mapping_is_refused_as_a_whole(sqlite_store: Store, sqlite_old: OldApp) -> None:
    sqlite_old.create()
    wrong = Mapping(
        conversation={"quetsion": "user_query", "answer": "reply"},
        tables={"documents": "x", "document_chunk": "nowhere"},
    )
    message = refused(sqlite_store, sqlite_old, wrong)
    assert "there is no field 'quetsion'" in message
    assert "the table 'conversation' has no column 'reply'" in message
    assert "there is no kind 'documents'" in message
    assert "tables.document_chunk: there is no table 'nowhere'" in message


def test_two_tables_for_one_kind_are_refused_until_one_is_named(sqlite_store: Store, sqlite_old: OldApp) -> None:
    sqlite_old.fill(1, 0).run("CREATE TABLE conversations (id INTEGER PRIMARY KEY)")
    assert "'conversation', 'conversations' are all there" in refused(sqlite_store, sqlite_old)
    assert adopt(sqlite_store, sqlite_old.url, mapping=Mapping(tables={"conversation": "conversation"})).messages == 2


def test_a_recognised_field_may_be_left_out(sqlite_store: Store, sqlite_old: OldApp) -> None:
    sqlite_old.fill(5, 0)
    report = adopt(sqlite_store, sqlite_old.url, mapping=Mapping(conversation={"sources": None}))
    assert report.conversation is not None
    assert report.conversation.unmapped == ("sources", "ip_address")
    assert all(not message.citations for message in sqlite_store.conversations.history("thread-1"))


def test_an_id_that_is_no_key_is_refused(store: Store, old: OldApp) -> None:
    """A table without a key of one column needs to be told one, and its values must differ and be there."""
    columns = {"a": Integer, "b": Integer, "thread_id": Text, "query": Text, "response": Text, "timestamp": Text}
    rows = [(1, n if n < 4 else None, "t", "Q", "A", "2023-01-01") for n in range(5)]
    make(old, "conversation", columns, *rows, key="none")
    assert "is known for 'id'" in refused(store, old)
    for key in ("a", "b"):
        assert refused(store, old, Mapping(conversation={"id": key})).startswith("id: ")


@pytest.mark.parametrize("form", ["{}", "file:{}?uri=true", "file:{}?mode=rwc&uri=true"])
def test_a_file_that_is_not_there_is_not_made(sqlite_store: Store, tmp_path: Path, form: str) -> None:
    with pytest.raises(InvalidInput, match="there is no file"):
        adopt(sqlite_store, f"sqlite:///{form.format(tmp_path / 'nowhere.db')}")
    assert not (tmp_path / "nowhere.db").exists()


def test_a_file_named_by_a_uri_is_read(sqlite_store: Store, sqlite_old: OldApp) -> None:
    sqlite_old.fill(2, 0)
    url = f"sqlite:///file:{sqlite_old.engine.url.database}?mode=ro&uri=true"
    assert adopt(sqlite_store, url).messages == 4


def test_a_file_that_cannot_be_reached_is_refused(sqlite_store: Store, tmp_path: Path) -> None:
    """A name that is too long is an error of ours, which names the file."""
    with pytest.raises((StorageError, InvalidInput), match="x" * 300):
        adopt(sqlite_store, f"sqlite:///{tmp_path}/{'x' * 300}")
