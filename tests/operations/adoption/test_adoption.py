"""What becomes of an old application's rows, from and to each kind of database."""

from __future__ import annotations

import json
import struct
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import StaticPool, create_engine, event

import ragstore
from ragstore import F, NewChunk, NewDocument, NewMessage, Store
from ragstore.corpus.documents.preparing import hash_content
from ragstore.operations.adoption import AdoptionProgress, AdoptionReport, Mapping, adopt
from tests.operations.adoption.conftest import START, OldApp, exchange, piece, stored

DEFAULT = "adopted"


def messages(store: Store, thread: str) -> list[Any]:
    return store.conversations.history(thread, limit=1000)


def chunks(store: Store, collection: str = DEFAULT) -> dict[Any, Any]:
    return {chunk.metadata["adopted"]["id"]: chunk for chunk in store.chunks.export(collection)}


def test_all_of_a_conversation_is_kept(store: Store, old: OldApp) -> None:
    old.fill(exchanges=40, pieces=0)
    report = adopt(store, old.url)
    assert (report.threads, report.messages) == (7, 80)
    assert report.conversation is not None
    assert (report.conversation.rows, report.conversation.added, report.conversation.refused) == (40, 40, 0)
    assert report.conversation.unmapped == ("ip_address",)
    for number in range(1, 41):
        row = exchange(number)
        question, answer = [
            m for m in messages(store, row["thread_id"]) if m.client_id.startswith(f"adopted/{number}/")
        ]
        assert (question.role, question.content) == ("user", row["user_query"])
        assert (answer.role, answer.content, answer.model) == ("assistant", row["response"], row["model"])
        assert answer.response_time == row["response_time"]
        assert question.created_at == answer.created_at == START + timedelta(seconds=number)
        assert [thumb.value for thumb in answer.feedback] == ([row["feedback"]] if row["feedback"] else [])
        if row["feedback"]:
            thumb = answer.feedback[0]
            assert (thumb.comment, thumb.updated_at) == (row["feedback_text"], answer.created_at)
            assert [change.created_at for change in store.conversations.feedback_changes(answer.id)] == [
                thumb.updated_at
            ]


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (7, [("a.html", "", "", None), ("b.html", "", "", None)]),
        (8, [("a.html", "", "", None), ("b.html", "", "", None)]),
        (9, [("https://example.org/a", "A", "An a.", 0.5)]),
        (10, []),
        (11, []),
        (12, [("a.html", "", "", None)]),
        (13, []),
    ],
)
def test_sources_become_citations(sqlite_store: Store, sqlite_old: OldApp, number: int, wanted: list[Any]) -> None:
    sqlite_old.create().add("conversation", exchange(number, "t"))
    adopt(sqlite_store, sqlite_old.url)
    cited = messages(sqlite_store, "t")[1].citations
    assert [(c.source, c.title, c.snippet, c.score) for c in cited] == wanted


def test_a_thread_is_in_the_order_of_time_and_then_of_ids(store: Store, old: OldApp) -> None:
    times = {5: 10, 4: 30, 3: 10, 2: 20, 1: 30}
    rows = [exchange(number, "t", timestamp=f"2023-01-01 00:00:{second:02}") for number, second in times.items()]
    old.create().add("conversation", *rows)
    adopt(store, old.url, batch=2)
    questions = messages(store, "t")[::2]
    assert [message.client_id.split("/")[1] for message in questions] == ["3", "5", "2", "1", "4"]
    assert [message.seq for message in questions] == [1, 3, 5, 7, 9]
    thread = store.conversations.get("t")
    assert thread.created_at == datetime(2023, 1, 1, 0, 0, 10, tzinfo=UTC)
    assert thread.last_activity == datetime(2023, 1, 1, 0, 0, 30, tzinfo=UTC)


def test_an_adopted_thread_goes_on_and_is_found(store: Store, sqlite_old: OldApp) -> None:
    """Head, leaf, and the sums that search depends on are those of a thread that was appended here."""
    rows = [exchange(number, "t", user_query=f"Where is the lighthouse {number}?") for number in range(1, 6)]
    sqlite_old.create().add("conversation", *rows)
    adopt(store, sqlite_old.url, batch=2)
    for row in rows:
        turns = [NewMessage(role="user", content=row["user_query"])]
        turns.append(NewMessage(role="assistant", content=row["response"]))
        store.conversations.append("like-it", turns)

    adopted, here = store.conversations.get("t"), store.conversations.get("like-it")
    assert (adopted.head, adopted.branched, adopted.language) == (here.head, here.branched, here.language)
    assert adopted.leaf_id == messages(store, "t")[-1].id
    hits = store.conversations.search("lighthouse", limit=100)
    scores = {thread: sorted(hit.score for hit in hits if hit.thread_id == thread) for thread in ("t", "like-it")}
    assert len(scores["t"]) == 5
    assert scores["t"] == scores["like-it"]
    (new,) = store.conversations.append("t", NewMessage(role="user", content="And now?"))
    assert (new.seq, new.parent_id) == (11, adopted.leaf_id)
    assert store.conversations.get("t").last_activity == new.created_at > START + timedelta(days=1)
    assert [thread.thread_id for thread in store.conversations.page_threads().items] == ["t", "like-it"]


def test_a_thread_that_is_there_already_keeps_its_times_and_gets_the_old_at_its_end(
    store: Store, sqlite_old: OldApp
) -> None:
    (mine,) = store.conversations.append("t", NewMessage(role="user", content="Mine."))
    sqlite_old.create().add("conversation", exchange(1, "t"))
    adopt(store, sqlite_old.url)
    assert [message.seq for message in messages(store, "t")] == [1, 2, 3]
    assert messages(store, "t")[0] == mine
    thread = store.conversations.get("t")
    assert (thread.created_at, thread.last_activity) == (START + timedelta(seconds=1), mine.created_at)


def test_chunks_become_documents(store: Store, old: OldApp) -> None:
    old.fill(exchanges=0, pieces=30)
    report = adopt(store, old.url, collection="manuals", batch=7)
    assert (report.documents, report.chunks, report.duplicates) == (8, 30, 0)
    found = chunks(store, "manuals")
    for number in range(30):
        row, chunk = piece(number), found[f"chunk-{number:05}"]
        assert (chunk.content, chunk.chunk_index) == (row["content"], row["chunk_index"])
        assert (chunk.source, chunk.embedding_id) == (row["source"], row["embedding_id"])
        assert chunk.content_hash == hash_content(row["content"])
        note = {"id": row["id"], "content_hash": row["content_hash"]}
        assert chunk.metadata == {"section": number % 3, "adopted": note}
    document = store.documents.find("manuals", "https://example.org/1")
    assert document is not None
    assert (document.title, document.doc_type, document.version) == ("Page 1", "guide", "2.1")
    assert document.created_at == START + timedelta(minutes=4)
    assert document.updated_at == START + timedelta(minutes=7)
    hits = store.chunks.search("manuals", text="piece 17", where=F.version == "2.1", limit=1)
    assert hits[0].content == piece(17)["content"]


def test_a_hash_like_ours_is_not_noted(sqlite_store: Store, sqlite_old: OldApp) -> None:
    row = piece(1)
    sqlite_old.create().add("document_chunk", {**row, "content_hash": hash_content(row["content"]).hex()})
    adopt(sqlite_store, sqlite_old.url)
    assert chunks(sqlite_store)[row["id"]].metadata["adopted"] == {"id": row["id"]}


def test_a_text_that_stands_in_its_document_again_is_noted_on_the_first(store: Store, old: OldApp) -> None:
    rows = [piece(n, "s", content=c, content_hash=None) for n, c in enumerate(["one", "two", " one ", "one"])]
    old.create().add("document_chunk", *rows, piece(9, "other", content="one"))
    report = adopt(store, old.url)
    assert (report.documents, report.chunks, report.duplicates) == (2, 3, 2)
    note = chunks(store)["chunk-00000"].metadata["adopted"]
    assert note["again"] == [
        {"id": "chunk-00002", "embedding_id": "vector-2"},
        {"id": "chunk-00003", "embedding_id": "vector-3"},
    ]


def test_the_newest_chunk_names_a_document_and_the_others_keep_theirs(sqlite_store: Store, sqlite_old: OldApp) -> None:
    rows = [piece(0, "s", doc_version="1", title="Old"), piece(1, "s", doc_version="2", title="New", doc_type=None)]
    sqlite_old.create().add("document_chunk", *rows)
    adopt(sqlite_store, sqlite_old.url)
    document = sqlite_store.documents.find(DEFAULT, "s")
    assert document is not None
    assert (document.title, document.version, document.doc_type) == ("New", "2", None)
    note = chunks(sqlite_store)["chunk-00000"].metadata["adopted"]
    assert (note["version"], note["title"], note["doc_type"]) == ("1", "Old", "guide")
    assert "version" not in chunks(sqlite_store)["chunk-00001"].metadata["adopted"]


@pytest.mark.parametrize("stored_as", [json.dumps, lambda vector: struct.pack("<3f", *vector)], ids=["json", "bytes"])
def test_old_vectors_are_taken_over_where_their_model_is_named(
    store: Store, sqlite_old: OldApp, stored_as: Any
) -> None:
    vectors = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    rows = [piece(n, embedding=stored_as(vector)) for n, vector in enumerate(vectors)]
    sqlite_old.create().add("document_chunk", *rows, piece(3))
    report = adopt(store, sqlite_old.url, model="ada", dimensions=3)
    assert report.document_chunk is not None
    assert report.document_chunk.unmapped == ()
    hit = store.chunks.search(DEFAULT, embedding=[0.1, 0.9, 0.1], limit=1)[0]
    assert hit.content == rows[1]["content"]
    assert store.spaces.coverage(DEFAULT).embedded == 3
    before = stored(store)
    assert adopt(store, sqlite_old.url, model="ada", dimensions=3).chunks == 4
    assert stored(store) == before


def test_vectors_of_pgvector_are_taken_over(store: Store, postgres_old: OldApp) -> None:
    postgres_old.run("CREATE EXTENSION vector")
    postgres_old.create().run("ALTER TABLE document_chunk ALTER embedding TYPE vector(2) USING NULL")
    postgres_old.add("document_chunk", piece(0), piece(1))
    postgres_old.run("UPDATE document_chunk SET embedding = '[0.5,0.25]' WHERE id = 'chunk-00001'")
    adopt(store, postgres_old.url, model="ada", dimensions=2, metric="l2")
    hit = store.chunks.search(DEFAULT, embedding=[0.5, 0.25], limit=1, with_embeddings=True)[0]
    assert (hit.embedding, hit.content) == ((0.5, 0.25), piece(1)["content"])


def test_vectors_of_no_known_model_are_left(sqlite_store: Store, sqlite_old: OldApp) -> None:
    sqlite_old.create().add("document_chunk", piece(0, embedding="[1, 2]"))
    report = adopt(sqlite_store, sqlite_old.url)
    assert report.document_chunk is not None
    assert report.document_chunk.unmapped == ("embedding",)
    assert sqlite_store.collections.get(DEFAULT).space is None
    assert chunks(sqlite_store)["chunk-00000"].embedding_id == "vector-0"


def test_rate_limits_are_counted_and_left(store: Store, old: OldApp) -> None:
    before = stored(store)["rag_rate_limit"]
    assert adopt(store, old.fill(1, 1).url).rate_limits == 1
    assert stored(store)["rag_rate_limit"] == before


# ------------------------------------------------------------------------------------------ again and again


def test_the_old_tables_stay_as_they_are(store: Store, old: OldApp) -> None:
    before = old.fill().checksum()
    adopt(store, old.url, batch=7)
    assert old.checksum() == before


def test_a_second_run_changes_nothing(store: Store, old: OldApp) -> None:
    old.fill()
    first = adopt(store, old.url, batch=7)
    before = stored(store)
    second = adopt(store, old.url, batch=11)
    assert stored(store) == before
    assert second.conversation is not None
    assert second.document_chunk is not None
    assert (second.conversation.added, second.conversation.present) == (0, 40)
    assert (second.document_chunk.added, second.document_chunk.present) == (0, 30)
    counted = ("threads", "messages", "documents", "chunks", "duplicates", "rate_limits", "refused")
    assert all(getattr(first, name) == getattr(second, name) for name in counted)


def test_a_dry_run_tells_the_same_and_writes_nothing(store: Store, old: OldApp) -> None:
    old.fill()
    before = stored(store)
    planned = adopt(store, old.url, dry_run=True)
    assert stored(store) == before
    assert adopt(store, old.url).model_copy(update={"dry_run": True}) == planned
    again = adopt(store, old.url, dry_run=True)
    assert again.conversation is not None
    assert again.conversation.added == 0


def test_what_is_added_to_the_old_tables_comes_with_the_next_run(store: Store, old: OldApp) -> None:
    old.fill(exchanges=10, pieces=8)
    adopt(store, old.url)
    old.add("conversation", exchange(11, "thread-1"), exchange(12, "new"))
    old.add("document_chunk", piece(8), piece(30, "https://example.org/1"))
    report = adopt(store, old.url)
    assert report.conversation is not None
    assert report.document_chunk is not None
    assert (report.conversation.added, report.conversation.present) == (2, 10)
    assert (report.document_chunk.added, report.document_chunk.present) == (6, 4)  # a document is put as a whole
    assert (report.threads, report.messages, report.documents, report.chunks) == (8, 24, 3, 10)
    assert messages(store, "thread-1")[-2].content == exchange(11)["user_query"]


def test_what_users_and_hosts_did_since_stays(store: Store, sqlite_old: OldApp) -> None:
    sqlite_old.fill(exchanges=5, pieces=8)
    adopt(store, sqlite_old.url)
    rated = messages(store, "thread-1")[1]
    store.conversations.give_feedback(rated.id, -rated.feedback[0].value)
    store.documents.put(DEFAULT, NewDocument(source="https://example.org/0"), [NewChunk(content="Newer.")])
    store.documents.update(DEFAULT, "https://example.org/1", title="Better")
    before = stored(store)
    report = adopt(store, sqlite_old.url)
    assert stored(store) == before
    assert report.document_chunk is not None
    assert (report.document_chunk.kept, report.document_chunk.present, report.chunks) == (4, 4, 4)


def test_the_same_ids_of_two_old_databases_are_two(store: Store, sqlite_old: OldApp, postgres_old: OldApp) -> None:
    sqlite_old.create().add("conversation", exchange(1, "t"))
    postgres_old.create().add("conversation", exchange(1, "t", user_query="Quite another question?"))
    adopt(store, sqlite_old.url)
    adopt(store, postgres_old.url)
    assert len(messages(store, "t")) == 4


def test_the_store_may_be_in_the_old_database(store: Store, database_url: str) -> None:
    app = OldApp(database_url).fill()
    before = app.checksum()
    for source in (database_url, store.engine, app.engine):
        report = adopt(store, source, batch=7)
        assert (report.threads, report.messages, report.documents, report.chunks) == (7, 80, 8, 30)
    assert app.checksum() == before
    app.engine.dispose()


def test_the_store_and_the_old_tables_may_be_on_one_connection() -> None:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    ragstore.configure_engine(engine)
    ragstore.upgrade(engine)
    OldApp.on(engine).fill()
    with Store.open(engine) as store:
        for _ in range(2):
            assert adopt(store, engine, batch=7).messages == 80
    engine.dispose()


def test_two_runs_at_once_add_nothing_twice(database_url: str, old: OldApp) -> None:
    old.fill(exchanges=40, pieces=20)

    def run() -> AdoptionReport:
        with Store.open(database_url) as own:
            return adopt(own, old.url, batch=3)

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(run) for _ in range(2)]
    assert [(one.result().messages, one.result().chunks) for one in runs] == [(80, 20), (80, 20)]
    with Store.open(database_url) as store:
        assert len(stored(store)["rag_message"]) == 80
        assert len(stored(store)["rag_feedback_change"]) == 20
        assert {len(store.conversations.history(f"thread-{n}", 100)) % 2 for n in range(7)} == {0}


def test_the_old_database_is_read_in_bounded_batches_after_the_last_key(store: Store, old: OldApp) -> None:
    """Not by OFFSET, which reads again what it passes over (SQLite is told 0); and nothing is done but reading."""
    old.fill(exchanges=40, pieces=30)
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.endswith("LIMIT ? OFFSET ?"):
            assert isinstance(parameters, tuple)
            assert parameters[-1] == 0
            statement = statement.removesuffix(" OFFSET ?")
        seen.append(" ".join(statement.split()))

    event.listen(old.engine, "before_cursor_execute", note)
    adopt(store, old.engine, batch=10)
    event.remove(old.engine, "before_cursor_execute", note)
    rows = [statement for statement in seen if " FROM conversation" in statement]
    paged = [statement for statement in rows if "LIMIT" in statement]
    assert len(paged) == 5
    assert all("conversation.id >" in statement for statement in paged[1:])
    assert len([statement for statement in rows if " IN (" in statement]) == 4
    assert len(rows) == 10  # with the count
    assert not [one for one in seen if "OFFSET" in one or not one.startswith(("SELECT", "PRAGMA", "BEGIN"))]


def test_it_is_a_tenants(store: Store, sqlite_old: OldApp) -> None:
    sqlite_old.fill()
    assert adopt(store, sqlite_old.url, tenant="acme").messages == 80
    assert store.conversations.find("thread-1") is None
    assert store.for_tenant("acme").conversations.find("thread-1") is not None
    assert store.for_tenant("acme").collections.find(DEFAULT) is not None


def test_a_thread_gets_the_user_who_wrote_in_it(store: Store, old: OldApp) -> None:
    old.create().add("conversation", exchange(1, "t"), exchange(2, "t", user_id="ann"), exchange(3, "t", user_id="ann"))
    adopt(store, old.url, batch=1)
    assert store.conversations.get("t").user_id == "ann"
    assert [thumb.user_id for m in messages(store, "t") for thumb in m.feedback] == [None, "ann"]


def test_times_without_a_zone_are_those_of_the_given_one(store: Store, old: OldApp) -> None:
    """Those that say theirs keep it, in whatever zone the database shows them."""
    old.create().add("conversation", exchange(1, "t", timestamp="2023-07-01 12:00:00"))
    old.add("document_chunk", piece(1, created_at="2023-07-01T12:00:00+05:00"))
    adopt(store, old.url, timezone=ZoneInfo("Europe/Berlin"))
    assert messages(store, "t")[0].created_at == datetime(2023, 7, 1, 10, tzinfo=UTC)
    document = store.documents.find(DEFAULT, piece(1)["source"])
    assert document is not None
    assert document.created_at == datetime(2023, 7, 1, 7, tzinfo=UTC)


def test_a_comment_without_a_thumb_and_what_sources_say_besides_are_noted(
    sqlite_store: Store, sqlite_old: OldApp
) -> None:
    cited = [{"source": "a", "chunk": 7}]
    row = exchange(4, "t", feedback_text="Hm.", sources=json.dumps(cited))
    sqlite_old.create().add("conversation", row)
    adopt(sqlite_store, sqlite_old.url)
    answer = messages(sqlite_store, "t")[1]
    assert answer.metadata == {"adopted": {"comment": "Hm.", "sources": cited}}
    assert [citation.source for citation in answer.citations] == ["a"]
    assert answer.feedback == ()


def test_progress_is_told_by_stage(sqlite_store: Store, sqlite_old: OldApp) -> None:
    seen: list[AdoptionProgress] = []
    adopt(sqlite_store, sqlite_old.fill().url, batch=15, progress=seen.append)
    told = {(one.stage, one.table): (one.done, one.total) for one in seen}
    assert told == {
        ("reading", "conversation"): (40, 40),
        ("reading", "document_chunk"): (30, 30),
        ("comparing", "conversation"): (40, 40),
        ("comparing", "document_chunk"): (8, 8),
        ("writing", "conversation"): (40, 40),
        ("writing", "document_chunk"): (8, 8),
        ("checking", "conversation"): (40, 40),
        ("checking", "document_chunk"): (8, 8),
    }


def test_one_table_alone_is_enough(sqlite_store: Store, sqlite_old: OldApp) -> None:
    sqlite_old.fill().run("DROP TABLE document_chunk")
    report = adopt(sqlite_store, sqlite_old.url, mapping=Mapping(tables={"rate_limit": None}))
    assert (report.messages, report.document_chunk, report.rate_limits) == (80, None, None)
    assert sqlite_store.collections.find(DEFAULT) is None
