# Generated from test_message_search_async.py by tools/unasync.py: edit that file and run the tool again.
"""C-12: finding messages by their words, on both databases and both faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text as sql

from ragstore.conversations._sync import Conversations
from ragstore.conversations.parts import ReasoningPart, TextPart
from ragstore.conversations.records import MessageHit, NewCitation, NewMessage
from ragstore.errors import CorruptRow, InvalidInput
from ragstore.store._sync import Store
from tests.conformance.support import Database, run_calls, together


@pytest.fixture
def chats(store: Store) -> Conversations:
    return store.conversations


def said(content: str, **fields: Any) -> NewMessage:
    return NewMessage(role=fields.pop("role", "user"), content=content, **fields)


def contents(hits: Sequence[MessageHit]) -> list[str]:
    return [hit.message.content for hit in hits]


# -------------------------------------------------------------------------------------------------- what is found


def test_a_hit_is_the_whole_message(chats: Conversations) -> None:
    """C-12, C-9: with its citations and thumbs, its thread and a passage."""
    exchange = chats.record_exchange(
        thread_id="t",
        query="Where do the turbines stand?",
        response="Off the coast. The turbines turn slowly there, and nobody hears them.",
        sources=[NewCitation(source="a.pdf", title="Wind")],
        feedback=1,
        user_id="ann",
    )
    question, answer = chats.search("turbine", user_id="ann", snippet=40)
    assert (question.message, answer.message) == (exchange.question, exchange.answer)
    assert answer.message.citations[0].title == "Wind"
    assert answer.message.feedback[0].value == 1
    assert (question.thread_id, answer.thread_id) == ("t", "t")
    assert question.score > answer.score > 0
    assert answer.snippet is not None
    assert answer.snippet.marked() == "The <b>turbines</b> turn slowly there, and"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("東京", ["ja"]),
        ("京都", ["ja", "zh"]),
        ("搜索引擎", ["zh"]),
        ("索引", ["zh"]),
        ("데이터", ["ko"]),
        ("이터", ["ko"]),
        ("Straße", ["de"]),
        ("STRASSE", ["de"]),
        ("café", ["fr"]),
        ("cafe\u0301", ["fr"]),
        ("cats", ["en"]),
    ],
)
def test_languages(chats: Conversations, text: str, found: list[str]) -> None:
    """C-12: substrings of two characters and more of Chinese, Japanese and Korean, German, accents in both forms."""
    texts = {
        "ja": "東京都庁へ行きました。",
        "zh": "京都没有搜索引擎",
        "ko": "데이터베이스를 검색합니다",
        "de": "Die Straße ist gesperrt",
        "fr": "Un café, s'il vous plaît",
        "en": "The cat sleeps",
    }
    for thread, content in texts.items():
        chats.append(thread, said(content))
    assert sorted({hit.thread_id for hit in chats.search(text, match="all")}) == found


def test_text_among_the_parts_is_found(chats: Conversations) -> None:
    """What the reader sees is searched, what the model thought is not."""
    parts = [TextPart(text="A harbour at dawn."), ReasoningPart(text="secretly")]
    chats.append("t", said("", parts=parts))
    (hit,) = chats.search("harbours", snippet=30)
    assert hit.snippet is not None
    assert hit.snippet.marked() == "A <b>harbour</b> at dawn."
    assert contents(chats.search('"harbour at dawn"', match="web")) == [""]
    assert chats.search("secretly") == []


def test_only_final_text_is_found(chats: Conversations) -> None:
    """C-7: nothing of a message whose text still grows; all of it once it is finished."""
    (begun,) = chats.append("t", said("", role="assistant", status="streaming"))
    chats.grow(begun.id, "a lantern ")
    assert chats.search("lantern") == []
    chats.grow(begun.id, "and a compass")
    chats.finish(begun.id)
    assert contents(chats.search("compass lantern", match="all")) == ["a lantern and a compass"]


def test_deletion_takes_it_out_at_once(store: Store) -> None:
    """C-12: in the same transaction, and a rollback brings it back."""
    store.conversations.append("t", [said("a kite"), said("two kites")])
    store.conversations.append("u", said("a kite of ours"))
    with pytest.raises(ZeroDivisionError):
        with store.begin() as unit:
            unit.conversations.delete("t")
            assert contents(unit.conversations.search("kite")) == ["a kite of ours"]
            raise ZeroDivisionError
    assert len(store.conversations.search("kite")) == 3
    store.conversations.delete("t")
    (left,) = store.conversations.search("kite")
    assert left.message.content == "a kite of ours"
    assert left.score == pytest.approx(0.287682072)  # as the only message of all


def test_a_unit_finds_what_it_has_stored(store: Store) -> None:
    """A message is found from its own transaction on."""
    with store.begin() as unit:
        unit.conversations.append("t", said("a kite"))
        assert contents(unit.conversations.search("kites")) == ["a kite"]
    assert contents(store.conversations.search("kites")) == ["a kite"]


# -------------------------------------------------------------------------------------------------------- scope


def test_others_are_never_found(store: Store) -> None:
    """C-12: not another user's, not another tenant's, and what belongs to nobody only when it is asked for."""
    chats = store.conversations
    chats.record_exchange(thread_id="a", query="ann's kite", response="", user_id="ann", collection="docs")
    chats.record_exchange(thread_id="b", query="bob's kite", response="", user_id="bob", organisation_id="acme")
    chats.append("c", said("nobody's kite"))
    store.for_tenant("other").conversations.append("a", said("the other's kite"))

    def found(**scope: Any) -> list[str]:
        return sorted(hit.thread_id for hit in chats.search("kite", **scope))

    assert found() == ["a", "b", "c"]
    assert found(user_id="ann") == ["a"]
    assert found(user_id="bob") == ["b"]
    assert found(user_id=None) == ["c"]
    assert found(user_id="eve") == []
    assert found(organisation_id="acme") == ["b"]
    assert found(collection="docs") == ["a"]
    assert found(thread_id="c") == ["c"]
    assert found(user_id="ann", thread_id="b") == []
    assert found(user_id="ann", organisation_id="acme") == []
    (hit,) = store.for_tenant("other").conversations.search("kite")
    assert hit.message.content == "the other's kite"


def test_a_ranking_depends_on_nobody_else(chats: Conversations) -> None:
    """C-12: the statistics are those of the scope."""
    chats.record_exchange(thread_id="a", query="red kite", response="a kite", user_id="ann")
    before = chats.search("red kite", user_id="ann")
    for number in range(5):
        chats.record_exchange(thread_id=f"b{number}", query="red red", response="red kite red", user_id="bob")
    assert chats.search("red kite", user_id="ann") == before


def test_roles_and_times(chats: Conversations) -> None:
    """They narrow the hits, and leave the scores as they are."""
    roles = ("system", "user", "assistant", "tool")
    messages = chats.append("t", [said(f"a kite {role}", role=role) for role in roles])
    now = messages[0].created_at
    assert contents(chats.search("kite")) == ["a kite user", "a kite assistant"]
    every = chats.search("kite", roles=roles)
    assert [hit.message.role for hit in every] == list(roles)
    (tool,) = chats.search("kite", roles=["tool"])
    assert tool == every[3]
    assert len(chats.search("kite", since=now, until=now + timedelta(seconds=1))) == 2
    assert chats.search("kite", until=now) == []
    assert chats.search("kite", since=now + timedelta(microseconds=1)) == []


def test_a_role_may_be_named_often(chats: Conversations) -> None:
    """C-12: in as many places as a list has, where a statement has room for few."""
    chats.append("t", [said("kite"), said("kite", role="assistant"), said("kite", role="system")])
    hits = chats.search("kite", roles=["user", "system"] * 35_000)
    assert sorted(hit.message.role for hit in hits) == ["system", "user"]


def test_pages(chats: Conversations) -> None:
    """Equals are in the order of their ids, and no hit is on two pages."""
    chats.append("t", [said("one kite") for _ in range(25)])
    every = chats.search("kite", limit=100)
    assert [hit.message.seq for hit in every] == list(range(1, 26))
    pages = [chats.search("kite", limit=10, offset=offset) for offset in (0, 10, 20, 30)]
    assert [hit for page in pages for hit in page] == every


# ------------------------------------------------------------------------------------------- words and phrases


def test_words_phrases_and_exclusions(chats: Conversations) -> None:
    """As in a search over chunks."""
    texts = ["a red kite", "a kite, red", "a red balloon", "the kite", "red red red"]
    chats.append("t", [said(text) for text in texts])

    def found(text: str, match: Any = "web") -> set[str]:
        return set(contents(chats.search(text, match=match)))

    assert found("red kite", "any") == set(texts)
    assert found("red kite", "all") == {"a red kite", "a kite, red"}
    assert found('"red kite"') == {"a red kite"}
    assert found("red -kite") == {"a red balloon", "red red red"}
    assert found('kite -"red kite"') == {"a kite, red", "the kite"}
    assert found("red AND kite") == {"a red kite", "a kite, red"}
    assert found("-kite") == set()
    assert found("the", "all") == set()
    assert found('"balloon red"') == set()


def test_a_phrase_among_many(chats: Conversations) -> None:
    """However many better ones have the words and not the phrase, the hits are those that have it, best first."""
    better = [said("kite red green kite red green") for _ in range(450)]
    holding = [said("long ago a green red kite" + " flew away" * number) for number in range(12)]
    chats.append("t", [*better[:225], *holding, *better[225:]])
    hits = chats.search('"green red kite"', match="web", limit=10)
    assert contents(hits) == [message.content for message in holding[:10]]
    later = chats.search('"green red kite"', match="web", limit=10, offset=10)
    assert contents(later) == [message.content for message in holding[10:]]


HOSTILE = [
    "",
    "   ",
    "'; DROP TABLE rag_message; --",
    "& | ! <-> ( ) :* 'a",
    '"unclosed kite',
    "%_\\",
    "{1,2}",
    "\u202e\ufeff\U0001f600",
    "kite " * 20_000,
    " ".join(f"w{number}" for number in range(15_000)) + " kite",
    '"' * 1001,
]


@pytest.mark.parametrize("match", ["any", "all", "web"])
def test_any_text_is_valid(chats: Conversations, match: Any) -> None:
    """C-12: none of them is a syntax of anything."""
    chats.append("t", said("a red kite; it's DROP TABLE rag_message"))
    for text in HOSTILE:
        hits = chats.search(text[:100_000], match=match)
        assert len(hits) <= 1
    assert len(chats.search("kite")) == 1


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("text", {"text": "a\0b"}),
        ("text", {"text": "a\ud800b"}),
        ("text", {"text": "a" * 100_001}),
        ("text", {"text": 7}),
        ("limit", {"limit": 0}),
        ("limit", {"limit": 1001}),
        ("limit", {"limit": True}),
        ("offset", {"offset": -1}),
        ("offset", {"offset": 10_001}),
        ("roles", {"roles": ()}),
        ("roles", {"roles": "user"}),
        ("roles", {"roles": ["host"]}),
        ("match", {"match": "some"}),
        ("since", {"since": datetime(2026, 1, 1)}),  # noqa: DTZ001 - that is what is refused
        ("until", {"until": datetime(1, 1, 1, tzinfo=UTC).replace(tzinfo=None)}),
        ("user_id", {"user_id": ""}),
        ("organisation_id", {"organisation_id": " a"}),
        ("thread_id", {"thread_id": ""}),
        ("collection", {"collection": "c" * 64}),
        ("snippet", {"snippet": 19}),
    ],
)
def test_unfit_values(chats: Conversations, field: str, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as raised:
        chats.search(**{"text": "kite", **asked})
    assert raised.value.field == field


@pytest.mark.parametrize(
    "damage", ["terms = NULL", "terms = X'0102'", "terms = X''", "counts = NULL", "counts = X'01'"]
)
def test_damaged_terms_are_named(sqlite_database: str, damage: str) -> None:
    """C-15: they are bytes on SQLite, so that anything may stand there; what is asked for elsewhere is found."""
    with Store.open(sqlite_database) as store:
        chats = store.conversations
        chats.append("fine", said("a red kite"))
        (_, hurt) = chats.append("hurt", [said("a red kite"), said("a kite")])
        with store.engine.begin() as connection:
            connection.execute(sql(f"UPDATE rag_message SET {damage} WHERE id = :id"), {"id": hurt.id.hex})
        with pytest.raises(CorruptRow, match=str(hurt.id)) as raised:
            chats.search("red")
        assert (raised.value.table, raised.value.id) == ("rag_message", hurt.id)
        assert contents(chats.search("red", thread_id="fine")) == ["a red kite"]
        assert contents(chats.search("kite", lenient=True)) == ["a red kite", "a red kite"]
        assert chats.search("kite", thread_id="none", lenient=True) == []


# --------------------------------------------------------------------------------------------- analysing anew


def make_unindexed(db: Database, thread: str) -> None:
    """Leave a conversation as one from before there was a search."""
    is_it = f"(SELECT id FROM rag_conversation WHERE thread_id = '{thread}')"
    db.execute(f"UPDATE rag_message SET words = NULL, terms = NULL, counts = NULL WHERE conversation_id = {is_it}")
    db.execute(f"UPDATE rag_conversation SET language = NULL, searchable = 0, words = 0 WHERE thread_id = '{thread}'")


def test_what_was_there_before_is_indexed(store: Store, db: Database) -> None:
    """C-16: in bounded steps, of all tenants, as it would be now; what is not done is not found."""
    chats, others = store.conversations, store.for_tenant("other").conversations
    for number in range(4):
        chats.append(f"t{number}", [said(f"kite number{number}"), said("..."), said("no words of it")])
    others.append("t", said("kite"))
    (still_open,) = chats.append("t0", said("kite", status="pending"))
    chats.start("empty")
    expected = [chats.search("kite words", limit=100), others.search("kite")]
    held = db.execute("SELECT id, words, terms, counts FROM rag_message ORDER BY id")
    for thread in ("t0", "t1", "t2", "t3", "t", "empty"):
        make_unindexed(db, thread)
    assert chats.search("kite") == []
    chats.append("t1", said("a new kite"))
    assert chats.search("kite") == []
    jobs = store.maintenance()
    done = []
    while count := jobs.index_messages(max_rows=4):
        done.append(count)
    assert sum(done) == 4 * 3 + 1 + 1
    assert all(4 <= count < 4 + 4 for count in done[:-1])
    chats.delete_message((chats.history("t1"))[-1].id)
    assert [chats.search("kite words", limit=100), others.search("kite")] == expected
    assert db.execute("SELECT id, words, terms, counts FROM rag_message ORDER BY id") == held
    chats.finish(still_open.id)
    assert len(chats.search("kite")) == 5


def test_another_language(store: Store, database_url: str) -> None:
    """A conversation stays in its language until it is indexed anew, and then is found by the new one's rules."""
    store.conversations.append("t", said("Die Häuser am Fluss"))
    german = replace(store.settings, message_language="de-AT")
    with Store.open(database_url, german) as store:
        assert store.conversations.search("Haus") == []
        store.conversations.append("t", said("Noch mehr Häuser"))
        store.conversations.append("u", said("Viele Häuser"))
        assert contents(store.conversations.search("Haus")) == ["Viele Häuser"]
        assert store.maintenance().index_messages() == 2
        assert store.maintenance().index_messages() == 0
        assert len(store.conversations.search("Haus")) == 3


def test_indexing_waits_for_nobody(postgres_url: str) -> None:
    """C-16: what somebody is writing to is left for later, and two jobs at once do each conversation once."""
    with Store.open(postgres_url) as store:
        for number in range(6):
            store.conversations.append(f"t{number}", said("Viele Häuser"))
        with Store.open(postgres_url, replace(store.settings, message_language="de")) as german:
            jobs = german.maintenance()
            with store.begin() as unit:
                unit.conversations.append("t0", said("Ein Haus"))
                done = run_calls(together(*[lambda: jobs.index_messages(max_rows=2)] * 2))
                while count := jobs.index_messages():
                    done.append(count)
            assert sum(done) == 5
            assert jobs.index_messages() == 2
            assert len(german.conversations.search("Haus")) == 7


@pytest.mark.parametrize("max_rows", [0, 10_001, True, "9"])
def test_bounds_of_indexing(store: Store, max_rows: Any) -> None:
    with pytest.raises(InvalidInput):
        store.maintenance().index_messages(max_rows=max_rows)
