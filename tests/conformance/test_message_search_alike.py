"""C-12: both databases find the same messages with the same scores, and those that plain BM25 gives."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from math import log
from typing import Any

import pytest

from ragstore import Message, NewMessage, Store
from ragstore.core.bm25 import K1, B
from ragstore.core.text import analyze

WORDS = [
    *(f"word{number}" for number in range(60)),
    *(
        "running",
        "runs",
        "Häuser",
        "Straße",
        "café",
        "naïve",
        "don't",
        "東京都",
        "データベース",
        "京都市",
        "데이터베이스를",
        "검색",
    ),
]
WEIGHTS = [1 / (number + 2) for number in range(len(WORDS))]
USERS = ["ann", "bob", None]
ROLES = ("system", "user", "assistant", "tool")


@pytest.fixture(scope="module")
def chosen() -> list[tuple[str, str | None, str | None, list[NewMessage]]]:
    """Choose 30 threads of 400 messages together."""
    draw = random.Random(7)
    return [
        (
            f"t{number}",
            USERS[number % 3],
            "docs" if number % 2 else None,
            [NewMessage(role=draw.choice(ROLES), content=a_text(draw, draw.randint(0, 40))) for _ in range(14)],
        )
        for number in range(30)
    ]


def a_text(draw: random.Random, length: int) -> str:
    return " ".join(draw.choices(WORDS, WEIGHTS, k=length))


@pytest.fixture
def stores(sqlite_database: str, postgres_url: str, chosen: Any) -> Iterator[list[Store]]:
    """Give a store on each database, with the same messages in the same order."""
    with Store.open(sqlite_database) as one, Store.open(postgres_url) as other:
        for store in (one, other):
            for thread, user, collection, messages in chosen:
                store.conversations.start(thread, user_id=user, collection=collection)
                store.conversations.append(thread, messages)
        yield [one, other]


def by_hand(store: Store, text: str, roles: tuple[str, ...], **scope: Any) -> list[tuple[str, int, float]]:
    """Score every message of a scope by the formula."""
    threads = [one.thread_id for one in store.conversations.page_threads(**scope, limit=100)]
    messages = [(thread, message) for thread in threads for message in store.conversations.history(thread, 1000)]
    terms = [(thread, message, analyze(message.content, "en")) for thread, message in messages]
    terms = [one for one in terms if one[2].length]
    mean = sum(found.length for *_, found in terms) / max(len(terms), 1)
    df = Counter(lexeme for *_, found in terms for lexeme in found.frequencies)
    scored: list[tuple[float, Any, str, Message]] = []
    for thread, message, found in terms:
        score = 0.0
        for lexeme, times in analyze(text, "en").frequencies.items():
            tf, n = found.frequencies.get(lexeme, 0), df[lexeme]
            norm = K1 * (1 - B + B * found.length / mean)
            score += times * log(1 + (len(terms) - n + 0.5) / (n + 0.5)) * tf * (K1 + 1) / (tf + norm)
        if score and message.role in roles:
            scored.append((-round(score, 9), message.id, thread, message))
    return [(thread, message.seq, -score) for score, _, thread, message in sorted(scored, key=lambda one: one[:2])]


def found(store: Store, text: str, **asked: Any) -> list[tuple[str, int, float]]:
    hits = store.conversations.search(text, limit=1000, **asked)
    return [(hit.thread_id, hit.message.seq, hit.score) for hit in hits]


def test_scores_are_bm25(stores: list[Store]) -> None:
    """By few words and by many, in every scope: the same messages in the same order, to nine decimal places."""
    draw = random.Random(3)
    scopes: list[dict[str, Any]] = [{}, {"user_id": "ann"}, {"user_id": None}, {"collection": "docs", "user_id": "bob"}]
    for count in (1, 2, 4, 10, 11, 30, 200):
        for scope in scopes:
            text, roles = a_text(draw, count), tuple(draw.sample(ROLES, draw.randint(1, 4)))
            one, other = (found(store, text, roles=roles, **scope) for store in stores)
            assert one == other
            expected = by_hand(stores[0], text, roles, **scope)
            assert [hit[2] for hit in one] == pytest.approx([hit[2] for hit in expected], abs=2e-9)
            assert [hit[:2] for hit in one] == [hit[:2] for hit in expected]


def test_matches_are_alike(stores: list[Store]) -> None:
    """With required words, phrases and exclusions, and by pages."""
    draw = random.Random(4)
    for _ in range(40):
        words = draw.choices(WORDS, WEIGHTS, k=4)
        text = draw.choice(["{} {}", '"{} {}" {}', "{} -{}", '{} -"{} {}"', "{} AND {} {}", "{2} {3} -{1}"]).format(
            *words
        )
        for match in ("any", "all", "web"):
            every, others = (found(store, text, match=match) for store in stores)
            assert every == others
            page, same = (
                [hit.score for hit in store.conversations.search(text, match=match, limit=5, offset=3)]
                for store in stores
            )
            assert page == same == [hit[2] for hit in every[3:8]]
