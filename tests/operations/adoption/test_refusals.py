"""Rows that cannot be taken over: nothing is written, or they are left out and listed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ragstore import NewMessage, Settings, Store
from ragstore.errors import Conflict, InvalidInput, UsageError
from ragstore.operations.adoption import AdoptionProgress, AdoptionReport, RowsRefused, adopt
from tests.operations.adoption.conftest import OldApp, exchange, piece, stored

BAD_EXCHANGES = {
    "question: is NULL": {"user_query": None},
    "answer: is NULL": {"response": None},
    "thread: is NULL": {"thread_id": None},
    "thread_id: must not begin or end": {"thread_id": " t"},
    "created_at: has no time": {"timestamp": None},
    "00:00:00' lies in the future": {"timestamp": "2099-01-01 00:00:00"},
    "sources: begins as JSON": {"sources": '["a.html", "b.ht'},
    "sources[1]: is int": {"sources": '["a", 1]'},
    "sources[0]: has no source": {"sources": '[{"page": 3}]'},
    "sources[0].score: 'much'": {"sources": '[{"source": "a", "score": "much"}]'},
    "feedback: 5 is neither": {"feedback": 5},
    "response_time: must be at least 0": {"response_time": -1},
    "question: has 1,000,001 characters": {"user_query": "x" * 1_000_001},
    "sources: at most 1,000": {"sources": json.dumps(["a"] * 1_001)},
}
BAD_EXCHANGES_ON_SQLITE: dict[str, dict[str, Any]] = {
    "question: NUL at position 1": {"user_query": "a\0b"},
    "question: is bytes": {"user_query": b"abc"},
    "created_at: 'yesterday' is no time": {"timestamp": "yesterday"},
    "created_at: '2023-02-30 10:00:00'": {"timestamp": "2023-02-30 10:00:00"},
    "created_at: 1e+300 is no time": {"timestamp": 1e300},
    "feedback: 'perhaps' is neither": {"feedback": "perhaps"},
}
BAD_CHUNKS = {
    "source: is NULL": {"source": None},
    "source: must not be empty": {"source": " "},
    "content: is NULL": {"content": None},
    "content: must not be empty": {"content": " \n"},
    "metadata: is a JSON list": {"metadata": "[1]"},
    "metadata: has a key 'adopted'": {"metadata": '{"adopted": 1}'},
    "embedding_id: must be at most 255": {"embedding_id": "x" * 256},
}
BAD_CHUNKS_ON_SQLITE = {
    "metadata: is no JSON": {"metadata": "{'a': 1}"},
    "chunk_index: 'last' is no number": {"chunk_index": "last"},
    "chunk_index: 1e+20 is beyond 64 bits": {"chunk_index": 1e20},
    "created_at: 'soon' is no time": {"created_at": "soon"},
}


def refused_by(old: OldApp, store: Store) -> AdoptionReport:
    before = stored(store)
    with pytest.raises(RowsRefused) as caught:
        adopt(store, old.url, batch=4)
    assert stored(store) == before
    assert caught.value.report.refused == adopt(store, old.url, dry_run=True).refused
    return caught.value.report


def reasons(report: AdoptionReport, table: str) -> dict[str, str]:
    return {row.id: row.reason for row in report.refused if row.table == table}


def is_each(found: dict[str, str], wanted: list[str]) -> None:
    assert len(found) == len(wanted), found
    for reason, start in zip(found.values(), wanted, strict=True):
        assert start in reason


def test_every_bad_exchange_is_named_and_nothing_is_written(store: Store, old: OldApp) -> None:
    bad = BAD_EXCHANGES | (BAD_EXCHANGES_ON_SQLITE if old.engine.dialect.name == "sqlite" else {})
    rows = [exchange(number, "t") | changes for number, changes in enumerate(bad.values(), 1)]
    old.fill(exchanges=0, pieces=3).add("conversation", *rows, exchange(100), exchange(101))
    found = reasons(refused_by(old, store), "conversation")
    assert list(found) == [str(number) for number in range(1, len(bad) + 1)]
    is_each(found, list(bad))
    report = adopt(store, old.url, on_bad="skip")
    assert report.conversation is not None
    assert (report.conversation.rows, report.conversation.added) == (len(bad) + 2, 2)
    assert report.conversation.refused == len(report.refused) == len(bad)
    assert (report.messages, report.chunks) == (4, 3)


def test_every_bad_chunk_is_named_and_nothing_is_written(store: Store, old: OldApp) -> None:
    bad = BAD_CHUNKS | (BAD_CHUNKS_ON_SQLITE if old.engine.dialect.name == "sqlite" else {})
    rows = [piece(number) | changes for number, changes in enumerate(bad.values())]
    old.fill(exchanges=3, pieces=0).add("document_chunk", *rows, piece(100))
    is_each(reasons(refused_by(old, store), "document_chunk"), list(bad))
    report = adopt(store, old.url, on_bad="skip")
    assert (report.messages, report.documents, report.chunks, len(report.refused)) == (6, 1, 1, len(bad))


def test_times_that_python_does_not_have_are_refused_and_do_not_stop_the_reading(
    store: Store, postgres_old: OldApp
) -> None:
    times = ["infinity", "-infinity", "0044-03-15 12:00:00 BC", "10000-01-01 00:00:00"]
    postgres_old.create().add("conversation", *(exchange(n, timestamp=time) for n, time in enumerate(times)))
    found = reasons(refused_by(postgres_old, store), "conversation")
    assert len(found) == 4
    assert all(reason.startswith("created_at: ") for reason in found.values())


def test_text_that_is_no_text_is_refused_and_does_not_stop_the_reading(sqlite_store: Store, sqlite_old: OldApp) -> None:
    sqlite_old.fill(exchanges=3, pieces=0)
    sqlite_old.run("UPDATE conversation SET response = CAST(x'61ff62' AS TEXT) WHERE id = 2")
    found = reasons(refused_by(sqlite_old, sqlite_store), "conversation")
    assert list(found) == ["2"]
    assert "lone surrogate" in found["2"]


def test_an_id_that_is_no_text_is_refused_and_does_not_stop_the_reading(
    sqlite_store: Store, sqlite_old: OldApp
) -> None:
    """Also where a batch ends with it: the next one begins after it."""
    ids = ["7", "x'31ff'", "x'61ff62'", "'c'", "x'eda080'"]  # the last is how a lone surrogate would be encoded
    columns = "id PRIMARY KEY, thread_id, query, response, timestamp"
    sqlite_old.run(
        f"CREATE TABLE conversation ({columns})", "CREATE TABLE document_chunk (id PRIMARY KEY, source, text)"
    )
    for one in ids:
        key = f"CAST({one} AS TEXT)" if one.startswith("x") else one
        sqlite_old.run(f"INSERT INTO conversation VALUES ({key}, 't', 'Q', 'A', '2023-01-01')")
        sqlite_old.run(f"INSERT INTO document_chunk VALUES ({key}, 's', 'Text ' || hex({key}))")
    with pytest.raises(RowsRefused) as caught:
        adopt(sqlite_store, sqlite_old.url, batch=1)
    for table in ("conversation", "document_chunk"):
        found = reasons(caught.value.report, table)
        assert list(found) == [r"1\udcff", r"a\udcffb", r"\udced\udca0\udc80"]
        assert set(found.values()) == {"id: is not UTF-8"}
    for batch in (1, 2, 500):
        report = adopt(sqlite_store, sqlite_old.url, on_bad="skip", batch=batch)
        assert (report.messages, report.chunks, len(report.refused)) == (4, 2, 6)


@pytest.mark.parametrize("wrong", [[1.0], [1.0, float("nan")], "half", "{}", b"123"])
def test_a_vector_that_does_not_fit_is_refused(sqlite_store: Store, sqlite_old: OldApp, wrong: Any) -> None:
    vector = json.dumps(wrong) if isinstance(wrong, list) else wrong
    sqlite_old.create().add("document_chunk", piece(0, embedding=vector), piece(1, embedding="[1, 2]"))
    with pytest.raises(RowsRefused, match="embedding: "):
        adopt(sqlite_store, sqlite_old.url, model="ada", dimensions=2)
    assert sqlite_store.collections.find("adopted") is None
    assert adopt(sqlite_store, sqlite_old.url, model="ada", dimensions=2, on_bad="skip").chunks == 1


def test_the_error_shows_twenty_rows_and_says_how_many_more(sqlite_store: Store, sqlite_old: OldApp) -> None:
    sqlite_old.create().add("conversation", *(exchange(number, response=None) for number in range(1, 31)))
    with pytest.raises(RowsRefused) as caught:
        adopt(sqlite_store, sqlite_old.url)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("30 rows cannot be taken over")
    assert lines[1:21] == [f"conversation {number}: answer: is NULL" for number in range(1, 21)]
    assert lines[21:] == ["and 10 more"]
    assert len(caught.value.report.refused) == 30


def test_another_users_rows_in_a_thread_are_refused(store: Store, old: OldApp) -> None:
    rows = [exchange(1, "t", user_id="ann"), exchange(2, "t", user_id="bob"), exchange(3, "t")]
    old.create().add("conversation", *rows)
    assert reasons(refused_by(old, store), "conversation") == {"2": "user_id: its thread belongs to another user, ann"}
    assert adopt(store, old.url, on_bad="skip").messages == 4


def test_a_thread_that_the_store_has_of_another_user_is_refused(store: Store, sqlite_old: OldApp) -> None:
    store.conversations.start("t", user_id="eve")
    sqlite_old.create().add("conversation", exchange(1, "t", user_id="ann"), exchange(2, "u", user_id="ann"))
    assert list(reasons(refused_by(sqlite_old, store), "conversation")) == ["1"]
    assert adopt(store, sqlite_old.url, on_bad="skip").threads == 1
    assert store.conversations.history("t") == []


@pytest.mark.parametrize("ragstore_settings", [Settings(invalid_text="replace")])
def test_a_store_that_replaces_characters_does_so_here(store: Store, sqlite_old: OldApp) -> None:
    sqlite_old.create().add("conversation", exchange(1, "t", user_query="a\0b"))
    assert adopt(store, sqlite_old.url).messages == adopt(store, sqlite_old.url).messages == 2
    assert store.conversations.history("t")[0].content == "a\ufffdb"


# --------------------------------------------------------------------------------------- others meanwhile


def at(stage: str, do: Callable[[], object]) -> Callable[[AdoptionProgress], None]:
    """Do something once, at the end of a stage's first table."""
    done = []

    def progress(now: AdoptionProgress) -> None:
        if now.stage == stage and now.done == now.total and not done:
            done.append(do())

    return progress


def test_what_is_missing_in_the_end_is_an_error_that_names_the_numbers(store: Store, old: OldApp) -> None:
    old.fill(exchanges=14, pieces=4)
    loses = at("writing", lambda: store.conversations.delete("thread-1"))
    with pytest.raises(Conflict, match=r"12 exchanges instead of 14, 24 messages instead of 28: others write there"):
        adopt(store, old.url, progress=loses)
    assert adopt(store, old.url).messages == 28


def test_an_old_row_that_changes_while_it_is_adopted_is_an_error(store: Store, old: OldApp) -> None:
    old.fill(exchanges=4, pieces=4)
    for table, change in {
        "conversation": "UPDATE conversation SET user_query = 'Else?' WHERE id = 2",
        "document_chunk": "UPDATE document_chunk SET content = 'Else.' WHERE id = 'chunk-00002'",
        "gone": "DELETE FROM document_chunk WHERE id = 'chunk-00003'",
    }.items():
        with pytest.raises(Conflict, match="has changed in the old table"):
            adopt(store, old.url, progress=at("comparing", lambda change=change: old.run(change)))
        assert adopt(store, old.url, dry_run=True).refused == (), table
    assert adopt(store, old.url).messages == 8


def test_a_collection_of_another_model_is_refused_before_anything_is_written(store: Store, sqlite_old: OldApp) -> None:
    store.collections.ensure("adopted", model="new", dimensions=3)
    before = stored(store)
    sqlite_old.fill()
    with pytest.raises(Conflict):
        adopt(store, sqlite_old.url, model="ada", dimensions=2)
    assert stored(store) == before


def test_two_runs_one_after_the_other_into_a_thread_in_use_keep_what_is_there(store: Store, sqlite_old: OldApp) -> None:
    sqlite_old.fill(exchanges=14, pieces=0)

    def go_on() -> None:
        store.conversations.append("thread-1", NewMessage(role="user", content="Meanwhile."))

    adopt(store, sqlite_old.url, progress=at("comparing", go_on))
    assert store.conversations.history("thread-1")[0].content == "Meanwhile."
    assert len(store.conversations.history("thread-1")) == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"batch": 0}, "batch"),
        ({"batch": 5_001}, "batch"),
        ({"on_bad": "ignore"}, "on_bad"),
        ({"collection": ""}, "collection"),
        ({"model": "ada"}, "model and dimensions go together"),
        ({"dimensions": 3}, "model and dimensions go together"),
        ({"model": "ada", "dimensions": 5_000}, "5000 dimensions"),
        ({"tenant": ""}, "tenant"),
        ({"mapping": {"conversation": {"question": "q"}}}, r"mapping: must be a Mapping, not dict: e\.g\. Mapping\("),
        ({"mapping": "chat_log"}, "mapping: must be a Mapping, not str"),
        ({"mapping": {}}, "mapping: must be a Mapping, not dict"),
    ],
)
def test_unfit_arguments_are_refused(
    sqlite_store: Store, sqlite_old: OldApp, arguments: dict[str, Any], said: str
) -> None:
    sqlite_old.fill()
    with pytest.raises(InvalidInput, match=said):
        adopt(sqlite_store, sqlite_old.url, **arguments)


def test_what_is_no_store_or_no_source_is_refused(sqlite_store: Store) -> None:
    with pytest.raises(UsageError, match=r"asyncio\.to_thread"):
        adopt(object(), "sqlite:///old.db")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="URL or an Engine, not int"):
        adopt(sqlite_store, 7)  # type: ignore[arg-type]
