# Generated from test_corpus_search_async.py by tools/unasync.py: edit that file and run the tool again.
"""Search: modes, scores, ties, filters' widths, queries of any kind, vectors of any kind."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from ragstore import F, NewChunk, SearchHits, Store
from ragstore.errors import DimensionMismatch, InvalidInput, NotFound, UsageError
from ragstore.testing.factories import DIMENSIONS, MODEL, chunk, document, vector, word
from tests.conformance.support import Database, watching

K1, B = 1.2, 0.75


@pytest.fixture
def docs(store: Store) -> str:
    """Make a collection for vectors of the factories' dimensions."""
    return store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS).name


def texts(hits: SearchHits) -> list[str]:
    return [hit.content for hit in hits]


def unit_vector(angle: float, dimensions: int = DIMENSIONS) -> list[float]:
    """Make a vector at an angle to the first axis, in degrees."""
    return [math.cos(math.radians(angle)), math.sin(math.radians(angle)), *[0.0] * (dimensions - 2)]


# ------------------------------------------------------------------------------------------------------ modes


@pytest.mark.parametrize(
    ("metric", "distances", "scores"),
    [
        ("cosine", (0.0, 0.5, 1.0), (1.0, 0.5, 0.0)),
        ("l2", (0.0, 1.0, math.sqrt(2)), (0.0, -1.0, -math.sqrt(2))),
        ("inner_product", (-1.0, -0.5, 0.0), (1.0, 0.5, 0.0)),
    ],
)
def test_vector_scores(store: Store, metric: Any, distances: tuple[float, ...], scores: tuple[float, ...]) -> None:
    """K-8: the distance is pgvector's, a higher score is better, ranks count from 1."""
    store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS, metric=metric)
    given = [NewChunk(content=f"at {angle}", embedding=unit_vector(angle)) for angle in (90, 0, 60)]
    store.documents.put("docs", document(title="T", doc_type="manual", metadata={"d": 1}), given)
    hits = store.chunks.search("docs", embedding=unit_vector(0))
    assert (hits.mode, hits.path, hits.underfilled) == ("vector", "exact", False)
    assert texts(hits) == ["at 0", "at 60", "at 90"]
    assert [hit.distance for hit in hits] == pytest.approx(distances, abs=1e-6)
    assert [hit.score for hit in hits] == pytest.approx(scores, abs=1e-6)
    assert [hit.vector_rank for hit in hits] == [1, 2, 3]
    assert [(hit.bm25, hit.text_rank) for hit in hits] == [(None, None)] * 3
    first = hits[0]
    assert (first.collection, first.source, first.title, first.doc_type) == ("docs", "doc-1.txt", "T", "manual")
    assert first.document_metadata == {"d": 1}
    assert store.chunks.get(first.chunk_id) is not None


def test_text_scores_are_bm25(store: Store, docs: str) -> None:
    """K-8, K-13: the score is the formula's, over the collection's own statistics."""
    given = ["wing wing flap", "wing rudder tail nose", "flap", "nose gear door hinge bolt"]
    store.documents.put(docs, document(), given)
    store.collections.analyze(docs)
    hits = store.chunks.search(docs, text="wing flap")
    average = sum(len(text.split()) for text in given) / len(given)

    def bm25(text: str) -> float:
        score = 0.0
        words = text.split()
        for term in ("wing", "flap"):
            df = sum(term in other.split() for other in given)
            idf = math.log(1 + (len(given) - df + 0.5) / (df + 0.5))
            tf = words.count(term)
            score += idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * len(words) / average))
        return score

    expected = sorted(((bm25(text), text) for text in given if bm25(text) > 0), reverse=True)
    assert texts(hits) == [text for _, text in expected]
    assert [hit.bm25 for hit in hits] == pytest.approx([score for score, _ in expected], rel=1e-5)
    assert [hit.score for hit in hits] == [hit.bm25 for hit in hits]
    assert [hit.text_rank for hit in hits] == [1, 2, 3]
    assert [(hit.distance, hit.vector_rank) for hit in hits] == [(None, None)] * 3
    assert (hits.mode, hits.path) == ("text", "lexical")


def test_hybrid_fuses_by_reciprocal_rank(store: Store, docs: str) -> None:
    """K-8: the sum of weight / (60 + rank) over the legs, each hit with its place in each."""
    given = [
        NewChunk(content="wing wing wing", embedding=unit_vector(80)),
        NewChunk(content="wing and much else beside it", embedding=unit_vector(0)),
        NewChunk(content="nothing of the kind", embedding=unit_vector(10)),
        NewChunk(content="a wing without a vector"),
    ]
    store.documents.put(docs, document(), given)
    for weights in ((1.0, 1.0), (2.0, 0.5), (0.0, 1.0), (1.0, 0.0)):
        hits = store.chunks.search(docs, text="wing", embedding=unit_vector(0), weights=weights)
        assert (hits.mode, hits.path) == ("hybrid", "exact+lexical")
        assert len(hits) == 4
        for hit in hits:
            parts = [w / (60 + rank) for w, rank in zip(weights, (hit.vector_rank, hit.text_rank), strict=True) if rank]
            assert hit.score == pytest.approx(sum(parts))
            assert (hit.distance is None) == (hit.vector_rank is None)
            assert (hit.bm25 is None) == (hit.text_rank is None)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    by_text = {hit.content: hit for hit in hits}
    assert by_text["a wing without a vector"].vector_rank is None
    assert by_text["nothing of the kind"].text_rank is None
    assert by_text["wing and much else beside it"].vector_rank == 1
    assert by_text["wing wing wing"].text_rank == 1


@pytest.mark.parametrize("mode", ["vector", "text", "hybrid"])
def test_ties_fall_by_id(store: Store, docs: str, mode: str) -> None:
    """K-8: equal scores come in the order of the ids, at every limit and offset."""
    for number in range(12):
        same = NewChunk(content="the same words", embedding=unit_vector(30), metadata={"n": number})
        store.documents.put(docs, document(number), [same])
    asked: dict[str, Any] = {
        "vector": {"embedding": unit_vector(0)},
        "text": {"text": "words"},
        "hybrid": {"text": "words", "embedding": unit_vector(0)},
    }[mode]
    hits = store.chunks.search(docs, limit=12, **asked)
    ids = [hit.chunk_id for hit in hits]
    assert ids == sorted(ids)
    for limit, offset in ((1, 0), (5, 0), (5, 5), (5, 10), (5, 12), (1, 10_000)):
        page = store.chunks.search(docs, limit=limit, offset=offset, **asked)
        assert [hit.chunk_id for hit in page] == ids[offset : offset + limit]


def test_a_page_continues_the_one_before(store: Store, docs: str) -> None:
    """K-11: offsets cut one ranking; the ranks go on counting."""
    store.documents.put(docs, document(), [chunk(f"wing {word(i)} " * (i + 1)) for i in range(30)])
    for asked in ({"text": "wing"}, {"embedding": vector("q")}, {"text": "wing", "embedding": vector("q")}):
        whole = store.chunks.search(docs, limit=30, **asked)
        pages = [store.chunks.search(docs, limit=7, offset=at, **asked) for at in range(0, 35, 7)]
        assert [hit.chunk_id for page in pages for hit in page] == [hit.chunk_id for hit in whole]
        assert [hit.score for page in pages for hit in page] == pytest.approx([hit.score for hit in whole])
        assert len({hit.chunk_id for hit in whole}) == 30


def test_a_warm_search_is_one_round_trip(store: Store, docs: str, db: Database) -> None:
    """K-8: on PostgreSQL one statement, outside any transaction, whatever is searched by."""
    store.documents.put(docs, document(doc_type="a"), [chunk("wing"), chunk("flap")])
    store.chunks.search(docs, text="wing")
    for asked in ({"text": "wing"}, {"embedding": vector("q")}, {"text": "wing flap", "embedding": vector("q")}):
        for where in (None, F.doc_type == "a"):
            with watching(store) as seen:
                assert len(store.chunks.search(docs, where=where, **asked)) > 0
            if db.kind == "postgresql":
                assert [autocommit for _, autocommit in seen] == [True]


def test_search_sees_its_own_unit(store: Store, docs: str) -> None:
    """K-3: inside a unit, what the unit has written is found, in each mode."""
    with store.begin() as unit:
        unit.documents.put(docs, document(), [chunk("wing")])
        assert texts(unit.chunks.search(docs, text="wing")) == ["wing"]
        assert texts(unit.chunks.search(docs, embedding=vector("q"))) == ["wing"]
        assert texts(unit.chunks.search(docs, text="wing", embedding=vector("q"))) == ["wing"]


# ------------------------------------------------------------------------------------------------ never short


def test_a_filter_never_leaves_a_search_short(store: Store, docs: str) -> None:
    """K-9, V08, V09: `limit` rows if so many match, else all that match, in every mode; a limit to 1,000."""
    given = [
        NewChunk(content=f"wing {word(i)}", embedding=vector(i), page=i, metadata={"tenth": i % 10, "n": i})
        for i in range(1000)
    ]
    store.documents.load(docs, [(document(i), given[i * 250 : i * 250 + 250]) for i in range(4)])
    widths = [
        (1000, None, 1000),
        (50, F.metadata["tenth"] == 3, 100),
        (10, (F.metadata["tenth"] == 3) & (F.metadata["n"] < 100), 10),
        (7, F.page.in_([5, 50, 500, 501, 502, 503, 999]), 7),
        (10, F.page < 3, 3),
        (10, F.doc_type == "absent", 0),
    ]
    for asked in ({"text": "wing"}, {"embedding": vector("q")}, {"text": "wing", "embedding": vector("q")}):
        for limit, where, matching in widths:
            hits = store.chunks.search(docs, where=where, limit=limit, **asked)
            assert len(hits) == len({hit.chunk_id for hit in hits}) == min(limit, matching)
            assert hits.underfilled is False


def test_filters_reach_both_legs(store: Store, docs: str) -> None:
    """K-9: a hybrid search's candidates are all within the filter."""
    given = [NewChunk(content="wing", embedding=unit_vector(i / 10), page=i) for i in range(1)]
    given += [NewChunk(content=f"wing {word(i)}", embedding=unit_vector(i / 10), page=i) for i in range(1, 300)]
    store.documents.put(docs, document(), given)
    hits = store.chunks.search(docs, text="wing", embedding=unit_vector(0), where=F.page >= 290, limit=20)
    assert sorted(hit.page or 0 for hit in hits) == list(range(290, 300))


# ---------------------------------------------------------------------------------------------------- queries

AWKWARD = [
    "",
    " ",
    "the",
    "'",
    "''",
    '"',
    '"wing',
    "\\",
    "\\'",
    "wing \\",
    "a' OR 1=1 --",
    "'); DROP TABLE rag_chunk; --",
    "wing & | ! <-> :* ()",
    "!wing",
    "-wing",
    "wing:*",
    "wing:A",
    "%",
    "_",
    "%s %(x)s :x {}",
    "*",
    "?",
    "NEAR(wing flap)",
    "wing AND NOT",
    "col:wing",
    "^wing",
    "[wing]",
    "\n\t\r",
    "\x01\x1f\x7f",
    "\u200b\ufeff\u202e",
    "\ufffe\uffff",
    "a" * 5000,
    "wing " * 2000,
    " ".join(word(i) for i in range(3000)),
    "e\u0301" * 50,
    "中",
    "ـــ",
    "👩‍👩‍👧",
    "0x1F 1e308 ١٢٣",
]


def test_any_text_is_a_valid_query(store: Store, docs: str) -> None:
    """K-13: quotes, operators, wildcards, control characters, nothing at all, and very much."""
    store.documents.put(docs, document(), [chunk("a wing and a flap"), chunk("other")])
    for text in AWKWARD:
        found = texts(store.chunks.search(docs, text=text))
        assert found == (["a wing and a flap"] if "wing" in text else []), text
        hits = store.chunks.search(docs, text=text, embedding=vector("q"))
        assert len(hits) == 2, text


def test_any_text_can_be_stored_and_found(store: Store, docs: str, db: Database) -> None:
    """I31, I32, K-13: every storable text comes back byte for byte, and does not break the words' index."""
    kept = [text for text in AWKWARD if text.strip()]
    report = store.documents.put(docs, document(), [f"{text}wing mark{word(i)}" for i, text in enumerate(kept)])
    stored = store.chunks.page(report.document_id, limit=1000)
    assert [piece.content for piece in stored] == [f"{text}wing mark{word(i)}" for i, text in enumerate(kept)]
    for i, text in enumerate(kept):
        assert texts(store.chunks.search(docs, text=f"mark{word(i)}")) == [f"{text}wing mark{word(i)}"]


@pytest.mark.parametrize(
    ("language", "text", "queries"),
    [
        ("zh", "数据库系统概念是一本教科书", ["数据", "库系", "系统概念", "教科书", "是一"]),
        ("ja", "東京タワーは電波塔です", ["東京", "タワー", "電波塔", "は電"]),
        ("ko", "데이터베이스를 공부한다", ["데이터", "베이스", "공부"]),
        ("en", "mixed 数据库 text", ["数据库", "据库", "mixed", "texts"]),
    ],
)
def test_substrings_of_cjk_are_found(store: Store, language: str, text: str, queries: list[str]) -> None:
    """K-13: Chinese, Japanese and Korean substrings of two characters and more."""
    store.collections.ensure("docs", language=language)
    store.documents.put("docs", document(), [text, "something else 其他内容 別の 다른"])
    for query in queries:
        found = store.chunks.search("docs", text=query)
        assert texts(found)[:1] == [text], query


def test_a_query_may_speak_another_language(store: Store, docs: str) -> None:
    """K-13: the query is analysed in its own language."""
    store.documents.put(docs, document(1, language="de"), ["die Häuser der Stadt"])
    store.documents.put(docs, document(2), ["the houses of the town"])
    assert texts(store.chunks.search(docs, text="Haus", language="de")) == ["die Häuser der Stadt"]
    assert texts(store.chunks.search(docs, text="house")) == ["the houses of the town"]
    with pytest.raises(InvalidInput):
        store.chunks.search(docs, text="house", language="not a language")


def test_other_collections_never_move_a_score(store: Store, docs: str) -> None:
    """K-13: one collection's rows, of this tenant or another, count in no other's statistics."""
    store.documents.put(docs, document(), ["wing flap", "wing", "flap rudder tail"])
    store.collections.analyze(docs)
    before = store.chunks.search(docs, text="wing tail")
    for handle in (store, store.for_tenant("other")):
        handle.collections.ensure("noise")
        noise = [f"wing tail {word(i)}" for i in range(50)]
        handle.documents.put("noise", document(), noise)
        handle.collections.analyze("noise")
    after = store.chunks.search(docs, text="wing tail")
    assert after == before


def test_a_very_long_chunk_is_found_by_all_its_words(store: Store, docs: str) -> None:
    """K-13, I16: more words than fit one row, and a million characters; the score counts them all."""
    many = " ".join(word(i) for i in range(3000))
    store.documents.put(docs, document(1), [many])
    for number in (0, 1500, 2999):
        hits = store.chunks.search(docs, text=f"{word(number)} {word(number)}")
        assert len(hits) == 1
        assert (hits[0].bm25 or 0) > 0
    whole = store.chunks.search(docs, text=" ".join(word(i) for i in range(900)))
    half = store.chunks.search(docs, text=" ".join(word(i) for i in range(450)))
    assert (whole[0].bm25 or 0) == pytest.approx(2 * (half[0].bm25 or 0), rel=1e-3)
    longest = "".join(chr(0x4E00 + i % 9000) for i in range(999_990)) + " plain end"
    assert len(longest) == 1_000_000
    store.documents.put(docs, document(2), [longest])
    assert len(store.chunks.search(docs, text="一丁")) == 1
    with pytest.raises(InvalidInput) as refused:
        store.documents.put(docs, document(3), ["fine", longest + "!"])
    assert (refused.value.field, refused.value.index) == ("content", 1)


# ---------------------------------------------------------------------------------------------------- vectors


def test_a_mismatched_query_is_refused_before_any_sql(store: Store, docs: str, db: Database) -> None:
    """V03, K-15: `DimensionMismatch(expected, got)`; at a put, too, with nothing stored."""
    before = db.versions()
    for got in (1, 7, 9):
        with pytest.raises(DimensionMismatch) as refused:
            store.chunks.search(docs, embedding=vector("q", dimensions=got))
        assert (refused.value.expected, refused.value.got) == (DIMENSIONS, got)
        with pytest.raises(DimensionMismatch) as refused:
            store.documents.put(docs, document(), [chunk("a"), chunk("b", dimensions=got)])
        assert (refused.value.expected, refused.value.got, refused.value.index) == (DIMENSIONS, got, 1)
    assert db.versions() == before


@pytest.mark.parametrize(
    "bad",
    [
        [math.nan, *[1.0] * 7],
        [math.inf, *[1.0] * 7],
        [-math.inf, *[1.0] * 7],
        [1e39, *[1.0] * 7],  # beyond float32
        [0.0] * 8,
        [1e-60] * 8,  # zero once it is a float32
        [[1.0] * 8],
        [],
        "12345678",
        b"12345678",
        dict.fromkeys(range(8), 1.0),
        [None] * 8,
        ["1"] * 7 + ["x"],
        np.ones((1, 8)),
        np.zeros(8, dtype=np.float32),
        7,
    ],
    ids=repr,
)
def test_an_unfit_vector_is_refused(store: Store, docs: str, db: Database, bad: Any) -> None:
    """V01, V05, V06, V20: not finite, zero under cosine, of another shape or kind; at a put and at a search."""
    store.documents.put(docs, document(), [chunk("there")])
    before = db.versions()
    with pytest.raises(InvalidInput) as refused:
        store.documents.put(docs, document(2), [chunk("fine"), NewChunk(content="bad", embedding=bad)])
    assert (refused.value.field, refused.value.index) == ("embedding", 1)
    with pytest.raises(InvalidInput) as refused:
        store.chunks.search(docs, embedding=bad)
    assert refused.value.field == "embedding"
    assert db.versions() == before


def test_a_zero_vector_has_a_length(store: Store) -> None:
    """V05: only cosine needs a direction."""
    store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS, metric="l2")
    store.documents.put("docs", document(), [NewChunk(content="zero", embedding=[0.0] * DIMENSIONS)])
    hits = store.chunks.search("docs", embedding=[0.0] * DIMENSIONS)
    assert [hit.distance for hit in hits] == [0.0]


def test_vectors_of_every_kind_of_number(store: Store, docs: str) -> None:
    """V20: NumPy of any type and layout, ints, Decimals, tuples, iterators: the same vector."""
    plain = [1.0, -2.0, 3.0, 0.5, -0.25, 4.0, 0.0, 8.0]
    kinds: list[Any] = [
        plain,
        tuple(plain),
        iter(plain),
        np.array(plain),
        np.array(plain, dtype=np.float32),
        np.array(plain, dtype=np.float16),
        np.array(plain, dtype=">f8"),
        np.array([plain, plain]).T[:, 0],
        np.array([x for value in plain for x in (value, 9.0)])[::2],
        np.array(plain[::-1])[::-1],
        [Decimal(str(value)) for value in plain],
        [np.float32(value) for value in plain],
        np.array(plain, dtype=object),
    ]
    for number, kind in enumerate(kinds):
        store.documents.put(docs, document(number), [NewChunk(content="vector", embedding=kind)])
    hits = store.chunks.search(docs, embedding=plain, limit=100)
    assert [hit.distance for hit in hits] == pytest.approx([0.0] * len(kinds), abs=1e-6)
    whole = [3, 0, 1, 0, 0, 0, 0, 0]
    distances = set()
    for kind in (whole, np.array(whole), np.array(whole, dtype=np.uint8), [*map(float, whole)]):
        distances.add((store.chunks.search(docs, embedding=kind, limit=1))[0].distance)
    assert len(distances) == 1


# ----------------------------------------------------------------------------------- arguments, and what changes


@pytest.mark.parametrize("limit", [0, -1, 2**63, 1001, True, 1.0, "10", None])
def test_a_limit_is_a_number_of_rows(store: Store, docs: str, limit: Any) -> None:
    """I23: -1 means "all" on SQLite and is an error on PostgreSQL: it never gets there."""
    report = store.documents.put(docs, document(), ["wing"])
    calls = [
        lambda: store.chunks.search(docs, text="wing", limit=limit),
        lambda: store.chunks.search(docs, embedding=vector("q"), limit=limit),
        lambda: store.chunks.page(report.document_id, limit=limit),
        lambda: store.documents.page(docs, limit=limit),
        lambda: store.collections.page(limit=limit),
    ]
    for call in calls:
        with pytest.raises(InvalidInput) as refused:
            call()
        assert refused.value.field == "limit"


@pytest.mark.parametrize("offset", [-1, 2**63, 10_001, True, 1.0, "1", None])
def test_an_offset_is_a_number_of_rows(store: Store, docs: str, offset: Any) -> None:
    """I23, I24: an offset beyond the end gives an empty page, an unfit one is refused."""
    store.documents.put(docs, document(), ["wing"])
    assert len(store.chunks.search(docs, text="wing", offset=10_000)) == 0
    with pytest.raises(InvalidInput) as refused:
        store.chunks.search(docs, text="wing", offset=offset)
    assert refused.value.field == "offset"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "search"),
        ({"text": 7}, "text"),
        ({"text": b"wing"}, "text"),
        ({"text": "nul\0"}, "text"),
        ({"text": "\ud800"}, "text"),
        ({"text": "x" * 100_001}, "text"),
        ({"text": "wing", "where": "doc_type = 'a'"}, "where"),
        ({"text": "wing", "where": {"doctype": "a"}}, "where"),
        ({"text": "wing", "where": {}}, "where"),
        ({"text": "wing", "where": True}, "where"),
        ({"text": "wing", "weights": (1.0,)}, "weights.1"),
        ({"text": "wing", "weights": (0.0, 0.0)}, "weights"),
        ({"text": "wing", "weights": (-1.0, 2.0)}, "weights"),
        ({"text": "wing", "weights": (math.nan, 1.0)}, "weights"),
        ({"text": "wing", "weights": "ab"}, "weights"),
    ],
)
def test_unfit_arguments_are_refused(store: Store, docs: str, asked: dict[str, Any], field: str) -> None:
    """I27, T02: InvalidInput with the field, and never a driver's error."""
    with pytest.raises(InvalidInput) as refused:
        store.chunks.search(docs, **asked)
    assert refused.value.field == field


@pytest.mark.parametrize(
    "cursor", ["", "x", "!!!", "A" * 500, "bnVsbA", "W10", "\0", "ä", "eyJhIjoxfQ", "0", 7, b"AAAA"]
)
def test_a_forged_cursor_is_refused(store: Store, docs: str, cursor: Any) -> None:
    """I24: only what a call gave out goes on; another call's cursor is refused, too."""
    for number in range(3):
        report = store.documents.put(docs, document(number), ["a", "b"])
        store.collections.ensure(f"docs {number}")
    real = store.documents.page(docs, limit=1).next_cursor
    assert real is not None
    pages = [
        (lambda c: store.chunks.page(report.document_id, cursor=c), True),
        (lambda c: store.collections.page(cursor=c), True),
        (lambda c: store.documents.page(docs, cursor=c), False),
    ]
    for page, foreign in pages:
        for forged in (cursor, *([real] if foreign else [real[:-1], real[1:], real + "A", real.swapcase()])):
            with pytest.raises(InvalidInput) as refused:
                page(forged)
            assert refused.value.field == "cursor"


@pytest.mark.parametrize("unfit", ["", "x", "not-a-uuid", 7, None, b"0" * 16, "0" * 33])
def test_an_unfit_id_is_refused(store: Store, unfit: Any) -> None:
    """I13, I27: an id is a UUID or its text form."""
    for call in (store.chunks.get, store.chunks.find, store.chunks.delete, store.documents.get):
        with pytest.raises(InvalidInput):
            call(unfit)
    assert store.chunks.find(UUID(int=0)) is None


def test_a_collection_made_anew_is_searched_as_it_is(store: Store, docs: str) -> None:
    """V16, K-16: what a store remembers of a collection never outlives it."""
    handle = store.for_tenant("default")
    store.documents.put(docs, document(), [chunk("wing")])
    assert len(store.chunks.search(docs, text="wing", embedding=vector("q"))) == 1
    handle.collections.delete(docs)
    for asked in ({"text": "wing"}, {"embedding": vector("q")}, {"text": "wing", "embedding": vector("q")}):
        with pytest.raises(NotFound):
            store.chunks.search(docs, **asked)
    handle.collections.ensure(docs, model="other", dimensions=3, metric="l2")
    handle.documents.put(docs, document(), [chunk("wing", dimensions=3)])
    assert len(store.chunks.search(docs, text="wing")) == 1
    assert len(store.chunks.search(docs, embedding=vector("q", dimensions=3))) == 1
    with pytest.raises(DimensionMismatch):
        store.chunks.search(docs, embedding=vector("q"))


def test_a_store_notices_what_another_did(store: Store, docs: str, database_url: str) -> None:
    """K-16: the same through a second store, as from another process; also a space that was added."""
    with Store.open(database_url) as other:
        assert len(store.chunks.search(docs, text="wing")) == 0
        store.collections.ensure("later")
        assert len(store.chunks.search("later", text="wing")) == 0
        other.collections.ensure("later", model=MODEL, dimensions=DIMENSIONS)
        other.documents.put("later", document(), [chunk("wing")])
        assert len(store.chunks.search("later", embedding=vector("q"))) == 1
        other.collections.delete(docs)
        other.collections.ensure(docs, model="other", dimensions=3)
        other.documents.put(docs, document(), [chunk("wing", dimensions=3)])
        assert len(store.chunks.search(docs, embedding=vector("q", dimensions=3))) == 1


def test_a_unit_outlives_a_collection_that_was_made_anew(store: Store, docs: str, database_url: str) -> None:
    """K-16: that what is remembered is out of date is no error of a statement, which would end the transaction."""
    assert len(store.chunks.search(docs, text="wing")) == 0
    with Store.open(database_url) as other:
        other.collections.delete(docs)
        other.collections.ensure(docs)
        other.documents.put(docs, document(), ["wing"])
    with store.begin() as unit:
        assert len(unit.chunks.search(docs, text="wing unheard")) == 1
        unit.collections.ensure("more")
    assert store.collections.find("more") is not None


def test_statistics_are_never_remembered(store: Store, docs: str, database_url: str) -> None:
    """K-13: a store that searched before the first load gives the scores of one that is opened after it."""
    assert texts(store.chunks.search(docs, text="lamp")) == []
    items = [(document(n), [f"lamp {'filler ' * (n * 7)}number {n}"]) for n in range(12)]
    store.documents.load(docs, items)
    warm = store.chunks.search(docs, text="lamp unseen")
    with Store.open(database_url) as another:
        fresh = another.chunks.search(docs, text="lamp unseen")
    assert [(hit.chunk_id, hit.bm25) for hit in warm] == [(hit.chunk_id, hit.bm25) for hit in fresh]
    assert len(warm) == 10


def test_search_needs_its_collection(store: Store) -> None:
    """A failure is never an empty list."""
    with pytest.raises(NotFound, match="'nowhere'"):
        store.chunks.search("nowhere", text="wing")
    store.collections.ensure("plain")
    with pytest.raises(InvalidInput) as refused:
        store.chunks.search("plain", embedding=vector("q"))
    assert refused.value.field == "embedding"
    assert len(store.chunks.search("plain", text="wing")) == 0


def test_filters_are_combined_by_their_own_operators(store: Store, docs: str) -> None:
    """K-10: `and`, `or`, `not` and chains would silently drop a part."""
    with pytest.raises(UsageError):
        store.chunks.search(docs, text="wing", where=(F.page == 1) and (F.page == 2))
    with pytest.raises(UsageError):
        store.chunks.search(docs, text="wing", where=1 < F.page < 3)
    with pytest.raises(InvalidInput):
        store.chunks.search(docs, text="wing", where=(F.page == 1) & True)
