"""Lexical search on SQLite: leaving postings unread changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragstore import F, Store, upgrade
from ragstore.backends.sqlite import scoring
from ragstore.core.bm25 import idf, weight
from ragstore.testing.factories import document, word
from tests.conformance.support import watching

WORDS = [word(number) for number in range(60)]


class Corpus:
    """A store with chunks of words of very unlike frequencies, and what they hold."""

    def __init__(self, store: Store) -> None:
        self.store = store
        numbers = Random(7)
        texts = []
        for _ in range(600):
            length = numbers.choice([3, 8, 8, 20])
            texts.append(" ".join(WORDS[min(int(numbers.paretovariate(0.7)) - 1, 59)] for _ in range(length)))
        items = [(document(d), texts[d::30]) for d in range(30)]
        store.collections.ensure("docs")
        store.documents.load("docs", items)
        store.collections.analyze("docs")
        self.average = store.collections.get("docs").average_length
        self.chunks: dict[UUID, tuple[str, Counter[str]]] = {}
        for found in store.documents.page("docs", limit=100).items:
            for piece in store.chunks.page(found.id, limit=1000).items:
                self.chunks[piece.id] = (found.source, Counter(piece.content.split()))
        self.df = Counter(one for _, words in self.chunks.values() for one in words)

    def ranked(self, query: Counter[str], sources: set[str] | None = None) -> list[tuple[UUID, float]]:
        """Rank all chunks by the formula."""
        found = []
        for chunk_id, (source, words) in self.chunks.items():
            length = words.total()
            shares = [
                times * idf(self.df[one], len(self.chunks)) * weight(words[one], length, self.average)
                for one, times in query.items()
                if one in words
            ]
            if shares and (sources is None or source in sources):
                found.append((chunk_id, round(sum(shares), 9)))
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    url = f"sqlite:///{tmp_path_factory.mktemp('words') / 'words.db'}"
    upgrade(url)
    with Store.open(url) as store:
        yield Corpus(store)


@pytest.fixture(params=[1, 100, 10**9], ids=["nearly all", "some", "none"])
def unread(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let more or fewer postings be read before the bounds are looked at."""
    monkeypatch.setattr(scoring, "FIRST_POSTINGS", request.param)


QUERIES = st.lists(st.sampled_from([*WORDS, *WORDS[:5], "absent"]), min_size=1, max_size=9)


@pytest.mark.usefixtures("unread")
def test_the_best_are_those_of_the_formula(corpus: Corpus) -> None:
    """K-13, K-14: the same chunks, scores and order as if every posting had been read, at every page."""

    @settings(max_examples=40, deadline=None)
    @given(words=QUERIES, limit=st.integers(1, 40), offset=st.sampled_from([0, 0, 3, 50]))
    def check(words: list[str], limit: int, offset: int) -> None:
        expected = corpus.ranked(Counter(words))[offset : offset + limit]
        hits = corpus.store.chunks.search("docs", text=" ".join(words), limit=limit, offset=offset)
        assert [(hit.chunk_id, round(hit.score, 9)) for hit in hits] == expected

    check()


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize("most", [1, 3])
def test_filtered_and_thinned(corpus: Corpus, most: int) -> None:
    """K-9, K-11: the same with a filter, and with the best of each document only."""

    @settings(max_examples=40, deadline=None)
    @given(words=QUERIES, kept=st.sets(st.integers(0, 29), min_size=1, max_size=4), limit=st.integers(1, 40))
    def check(words: list[str], kept: set[int], limit: int) -> None:
        sources = {document(number).source for number in kept}
        asked: dict[str, Any] = {"text": " ".join(words), "limit": limit, "where": F.source.in_(sorted(sources))}
        expected = corpus.ranked(Counter(words), sources)
        assert [hit.chunk_id for hit in corpus.store.chunks.search("docs", **asked)] == [i for i, _ in expected][:limit]
        taken: Counter[str] = Counter()
        thinned = []
        for chunk_id, _ in expected:
            taken[corpus.chunks[chunk_id][0]] += 1
            if taken[corpus.chunks[chunk_id][0]] <= most:
                thinned.append(chunk_id)
        hits = corpus.store.chunks.search("docs", per_document=most, **asked)
        assert [hit.chunk_id for hit in hits] == thinned[:limit]

    check()


def test_common_words_are_not_read_whole(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    """K-14: beside rare words, a common one is only looked up for the chunks that can be among the best."""
    monkeypatch.setattr(scoring, "FIRST_POSTINGS", 60)
    rare = [one for one, count in corpus.df.items() if 5 <= count <= 15][:3]
    common = max(corpus.df, key=corpus.df.__getitem__)
    assert corpus.df[common] > 300
    with watching(corpus.store) as seen:
        hits = corpus.store.chunks.search("docs", text=" ".join([*rare * 3, common]), limit=3)
    assert len(hits) == 3
    reading = [statement for statement, _ in seen if "rag_posting" in statement]
    assert ["chunk_key IN" in statement for statement in reading] == [False, True]


def test_very_frequent_words_and_very_long_chunks(corpus: Corpus) -> None:
    """K-13: counts and lengths of a million characters are exact."""
    store = corpus.store
    store.collections.ensure("long")
    texts = ["wing " * 150_000, "wing " * 4096 + "flap", "wing flap", "flap " * 70_000 + "wing"]
    store.documents.put("long", document(), texts)
    store.collections.analyze("long")
    average = store.collections.get("long").average_length
    for term in ("wing", "flap"):
        df = sum(term in text for text in texts)
        expected = [
            idf(df, 4) * weight(text.split().count(term), len(text.split()), average) for text in texts if term in text
        ]
        hits = store.chunks.search("long", text=term)
        assert [hit.bm25 for hit in hits] == pytest.approx(sorted(expected, reverse=True), rel=1e-9)


def test_a_salt_of_two_collections(corpus: Corpus) -> None:
    """K-13: by chance two collections may share a salt: neither finds the other's chunks, nor misses its own."""
    store = corpus.store
    store.collections.ensure("twin a")
    store.collections.ensure("twin b")
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE rag_collection SET salt = 77 WHERE name LIKE 'twin %'")
    with Store.open(store.engine.url) as fresh:
        fresh.documents.put("twin a", document(), [f"wing {word(i)}" for i in range(30)])
        fresh.documents.put("twin b", document(), [f"wing flap {word(i)} and more of it" for i in range(3)])
        for name, count in (("twin a", 30), ("twin b", 3)):
            for text in ("wing", "wing flap"):
                hits = fresh.chunks.search(name, text=text, limit=50)
                assert len(hits) == count
                assert {hit.collection for hit in hits} == {name}
            assert len(fresh.chunks.search(name, text="wing", limit=2)) == 2
