"""K-14: stopping early changes nothing: the ten best by words are those of looking at every chunk."""

from __future__ import annotations

import random
from typing import Any

import pytest

from ragstore import F, NewChunk, NewDocument, Store
from ragstore.backends.postgresql import lexical, search
from ragstore.backends.postgresql.keeping import Kept

WORDS = [f"word{number}" for number in range(400)]
WEIGHTS = [1 / (number + 3) for number in range(400)]


@pytest.fixture
def pg_store(postgres_url: str) -> Any:
    """Give a store with 1,500 chunks whose words are as unevenly common as real ones."""
    draw = random.Random(11)
    with Store.open(postgres_url) as store:
        store.collections.ensure("docs")
        for number in range(20):
            pieces = [
                NewChunk(content=" ".join([*draw.choices(WORDS, WEIGHTS, k=draw.randint(5, 60)), f"own{number}x{i}"]))
                for i in range(50)
            ]
            store.documents.put("docs", NewDocument(source=str(number), doc_type="ab"[number % 2]), pieces)
        store.collections.analyze("docs")
        yield store


def found(store: Store, **asked: Any) -> list[tuple[Any, float]]:
    return [(hit.chunk_id, hit.bm25 or 0.0) for hit in store.chunks.search("docs", **asked)]


def test_stopping_early_changes_nothing(pg_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """K-14: with few rare words, with many words, filtered, bounded by document, with words left out."""
    draw = random.Random(5)
    texts = [" ".join(draw.choices(WORDS, WEIGHTS, k=count)) for count in (2, 4, 7, 9, 20)]
    texts += ["word0 word1 word2", "own3x4 word0", "nothing at all"]
    shapes: list[dict[str, Any]] = [
        {},
        {"limit": 100},
        {"where": F.doc_type == "a"},
        {"per_document": 1},
        {"match": "web"},
    ]
    asked = [{"text": text + (" -word5" if "match" in shape else ""), **shape} for text in texts for shape in shapes]

    def answers(rare: int, combined: int) -> list[Any]:
        monkeypatch.setattr(lexical, "RARE", rare)
        monkeypatch.setattr(lexical, "COMBINED", combined)
        monkeypatch.setattr(search, "_kept", Kept())
        monkeypatch.setattr(search, "NARROW", 5)
        return [found(pg_store, **question) for question in asked]

    every_chunk = answers(10**6, 7)
    assert any(len(answer) == 100 for answer in every_chunk)
    for rare, combined in ((1, 7), (40, 2), (40, 1)):
        assert answers(rare, combined) == every_chunk, (rare, combined)
