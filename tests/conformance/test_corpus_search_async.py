"""Search: modes, scores, ties, filters' widths, queries of any kind, vectors of any kind."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from ragstore import AsyncStore, F, NewChunk, SearchHits
from ragstore.errors import DimensionMismatch, InvalidInput, NotFound, UsageError
from ragstore.testing.factories import DIMENSIONS, MODEL, chunk, document, vector, word
from tests.conformance.support import Database, watching

pytestmark = pytest.mark.anyio

K1, B = 1.2, 0.75


@pytest.fixture
async def docs(async_store: AsyncStore) -> str:
    """Make a collection for vectors of the factories' dimensions."""
    return (await async_store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)).name


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
async def test_vector_scores(
    async_store: AsyncStore, metric: Any, distances: tuple[float, ...], scores: tuple[float, ...]
) -> None:
    """K-8: the distance is pgvector's, a higher score is better, ranks count from 1."""
    await async_store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS, metric=metric)
    given = [NewChunk(content=f"at {angle}", embedding=unit_vector(angle)) for angle in (90, 0, 60)]
    await async_store.documents.put("docs", document(title="T", doc_type="manual", metadata={"d": 1}), given)
    hits = await async_store.chunks.search("docs", embedding=unit_vector(0))
    assert (hits.mode, hits.path, hits.underfilled) == ("vector", "exact", False)
    assert texts(hits) == ["at 0", "at 60", "at 90"]
    assert [hit.distance for hit in hits] == pytest.approx(distances, abs=1e-6)
    assert [hit.score for hit in hits] == pytest.approx(scores, abs=1e-6)
    assert [hit.vector_rank for hit in hits] == [1, 2, 3]
    assert [(hit.bm25, hit.text_rank) for hit in hits] == [(None, None)] * 3
    first = hits[0]
    assert (first.collection, first.source, first.title, first.doc_type) == ("docs", "doc-1.txt", "T", "manual")
    assert first.document_metadata == {"d": 1}
    assert await async_store.chunks.get(first.chunk_id) is not None


async def test_text_scores_are_bm25(async_store: AsyncStore, docs: str) -> None:
    """K-8, K-13: the score is the formula's, over the collection's own statistics."""
    given = ["wing wing flap", "wing rudder tail nose", "flap", "nose gear door hinge bolt"]
    await async_store.documents.put(docs, document(), given)
    await async_store.collections.analyze(docs)
    hits = await async_store.chunks.search(docs, text="wing flap")
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


async def test_hybrid_fuses_by_reciprocal_rank(async_store: AsyncStore, docs: str) -> None:
    """K-8: the sum of weight / (60 + rank) over the legs, each hit with its place in each."""
    given = [
        NewChunk(content="wing wing wing", embedding=unit_vector(80)),
        NewChunk(content="wing and much else beside it", embedding=unit_vector(0)),
        NewChunk(content="nothing of the kind", embedding=unit_vector(10)),
        NewChunk(content="a wing without a vector"),
    ]
    await async_store.documents.put(docs, document(), given)
    for weights in ((1.0, 1.0), (2.0, 0.5), (0.0, 1.0), (1.0, 0.0)):
        hits = await async_store.chunks.search(docs, text="wing", embedding=unit_vector(0), weights=weights)
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
async def test_ties_fall_by_id(async_store: AsyncStore, docs: str, mode: str) -> None:
    """K-8: equal scores come in the order of the ids, at every limit and offset."""
    for number in range(12):
        same = NewChunk(content="the same words", embedding=unit_vector(30), metadata={"n": number})
        await async_store.documents.put(docs, document(number), [same])
    asked: dict[str, Any] = {
        "vector": {"embedding": unit_vector(0)},
        "text": {"text": "words"},
        "hybrid": {"text": "words", "embedding": unit_vector(0)},
    }[mode]
    hits = await async_store.chunks.search(docs, limit=12, **asked)
    ids = [hit.chunk_id for hit in hits]
    assert ids == sorted(ids)
    for limit, offset in ((1, 0), (5, 0), (5, 5), (5, 10), (5, 12), (1, 10_000)):
        page = await async_store.chunks.search(docs, limit=limit, offset=offset, **asked)
        assert [hit.chunk_id for hit in page] == ids[offset : offset + limit]


async def test_a_page_continues_the_one_before(async_store: AsyncStore, docs: str) -> None:
    """K-11: offsets cut one ranking; the ranks go on counting."""
    await async_store.documents.put(docs, document(), [chunk(f"wing {word(i)} " * (i + 1)) for i in range(30)])
    for asked in ({"text": "wing"}, {"embedding": vector("q")}, {"text": "wing", "embedding": vector("q")}):
        whole = await async_store.chunks.search(docs, limit=30, **asked)
        pages = [await async_store.chunks.search(docs, limit=7, offset=at, **asked) for at in range(0, 35, 7)]
        assert [hit.chunk_id for page in pages for hit in page] == [hit.chunk_id for hit in whole]
        assert [hit.score for page in pages for hit in page] == pytest.approx([hit.score for hit in whole])
        assert len({hit.chunk_id for hit in whole}) == 30


async def test_a_warm_search_is_one_round_trip(async_store: AsyncStore, docs: str, db: Database) -> None:
    """K-8: on PostgreSQL one statement, outside any transaction, whatever is searched by."""
    await async_store.documents.put(docs, document(doc_type="a"), [chunk("wing"), chunk("flap")])
    await async_store.chunks.search(docs, text="wing")
    for asked in ({"text": "wing"}, {"embedding": vector("q")}, {"text": "wing flap", "embedding": vector("q")}):
        for where in (None, F.doc_type == "a"):
            with watching(async_store) as seen:
                assert len(await async_store.chunks.search(docs, where=where, **asked)) > 0
            if db.kind == "postgresql":
                assert [autocommit for _, autocommit in seen] == [True]


async def test_search_sees_its_own_unit(async_store: AsyncStore, docs: str) -> None:
    """K-3: inside a unit, what the unit has written is found, in each mode."""
    async with async_store.begin() as unit:
        await unit.documents.put(docs, document(), [chunk("wing")])
        assert texts(await unit.chunks.search(docs, text="wing")) == ["wing"]
        assert texts(await unit.chunks.search(docs, embedding=vector("q"))) == ["wing"]
        assert texts(await unit.chunks.search(docs, text="wing", embedding=vector("q"))) == ["wing"]


# ------------------------------------------------------------------------------------------------ never short


async def test_a_filter_never_leaves_a_search_short(async_store: AsyncStore, docs: str) -> None:
    """K-9, V08, V09: `limit` rows if so many match, else all that match, in every mode; a limit to 1,000."""
    given = [
        NewChunk(content=f"wing {word(i)}", embedding=vector(i), page=i, metadata={"tenth": i % 10, "n": i})
        for i in range(1000)
    ]
    await async_store.documents.load(docs, [(document(i), given[i * 250 : i * 250 + 250]) for i in range(4)])
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
            hits = await async_store.chunks.search(docs, where=where, limit=limit, **asked)
            assert len(hits) == len({hit.chunk_id for hit in hits}) == min(limit, matching)
            assert hits.underfilled is False


async def test_filters_reach_both_legs(async_store: AsyncStore, docs: str) -> None:
    """K-9: a hybrid search's candidates are all within the filter."""
    given = [NewChunk(content="wing", embedding=unit_vector(i / 10), page=i) for i in range(1)]
    given += [NewChunk(content=f"wing {word(i)}", embedding=unit_vector(i / 10), page=i) for i in range(1, 300)]
    await async_store.documents.put(docs, document(), given)
    hits = await async_store.chunks.search(docs, text="wing", embedding=unit_vector(0), where=F.page >= 290, limit=20)
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


async def test_any_text_is_a_valid_query(async_store: AsyncStore, docs: str) -> None:
    """K-13: quotes, operators, wildcards, control characters, nothing at all, and very much."""
    await async_store.documents.put(docs, document(), [chunk("a wing and a flap"), chunk("other")])
    for text in AWKWARD:
        found = texts(await async_store.chunks.search(docs, text=text))
        assert found == (["a wing and a flap"] if "wing" in text else []), text
        hits = await async_store.chunks.search(docs, text=text, embedding=vector("q"))
        assert len(hits) == 2, text


async def test_any_text_can_be_stored_and_found(async_store: AsyncStore, docs: str, db: Database) -> None:
    """I31, I32, K-13: every storable text comes back byte for byte, and does not break the words' index."""
    kept = [text for text in AWKWARD if text.strip()]
    report = await async_store.documents.put(
        docs, document(), [f"{text}wing mark{word(i)}" for i, text in enumerate(kept)]
    )
    stored = await async_store.chunks.page(report.document_id, limit=1000)
    assert [piece.content for piece in stored] == [f"{text}wing mark{word(i)}" for i, text in enumerate(kept)]
    for i, text in enumerate(kept):
        assert texts(await async_store.chunks.search(docs, text=f"mark{word(i)}")) == [f"{text}wing mark{word(i)}"]


@pytest.mark.parametrize(
    ("language", "text", "queries"),
    [
        ("zh", "数据库系统概念是一本教科书", ["数据", "库系", "系统概念", "教科书", "是一"]),
        ("ja", "東京タワーは電波塔です", ["東京", "タワー", "電波塔", "は電"]),
        ("ko", "데이터베이스를 공부한다", ["데이터", "베이스", "공부"]),
        ("en", "mixed 数据库 text", ["数据库", "据库", "mixed", "texts"]),
    ],
)
async def test_substrings_of_cjk_are_found(
    async_store: AsyncStore, language: str, text: str, queries: list[str]
) -> None:
    """K-13: Chinese, Japanese and Korean substrings of two characters and more."""
    await async_store.collections.ensure("docs", language=language)
    await async_store.documents.put("docs", document(), [text, "something else 其他内容 別の 다른"])
    for query in queries:
        found = await async_store.chunks.search("docs", text=query)
        assert texts(found)[:1] == [text], query


async def test_a_query_may_speak_another_language(async_store: AsyncStore, docs: str) -> None:
    """K-13: the query is analysed in its own language."""
    await async_store.documents.put(docs, document(1, language="de"), ["die Häuser der Stadt"])
    await async_store.documents.put(docs, document(2), ["the houses of the town"])
    assert texts(await async_store.chunks.search(docs, text="Haus", language="de")) == ["die Häuser der Stadt"]
    assert texts(await async_store.chunks.search(docs, text="house")) == ["the houses of the town"]
    with pytest.raises(InvalidInput):
        await async_store.chunks.search(docs, text="house", language="not a language")


async def test_other_collections_never_move_a_score(async_store: AsyncStore, docs: str) -> None:
    """K-13: one collection's rows, of this tenant or another, count in no other's statistics."""
    await async_store.documents.put(docs, document(), ["wing flap", "wing", "flap rudder tail"])
    await async_store.collections.analyze(docs)
    before = await async_store.chunks.search(docs, text="wing tail")
    for handle in (async_store, async_store.for_tenant("other")):
        await handle.collections.ensure("noise")
        noise = [f"wing tail {word(i)}" for i in range(50)]
        await handle.documents.put("noise", document(), noise)
        await handle.collections.analyze("noise")
    after = await async_store.chunks.search(docs, text="wing tail")
    assert after == before


async def test_a_very_long_chunk_is_found_by_all_its_words(async_store: AsyncStore, docs: str) -> None:
    """K-13, I16: more words than fit one row, and a million characters; the score counts them all."""
    many = " ".join(word(i) for i in range(3000))
    await async_store.documents.put(docs, document(1), [many])
    for number in (0, 1500, 2999):
        hits = await async_store.chunks.search(docs, text=f"{word(number)} {word(number)}")
        assert len(hits) == 1
        assert (hits[0].bm25 or 0) > 0
    whole = await async_store.chunks.search(docs, text=" ".join(word(i) for i in range(900)))
    half = await async_store.chunks.search(docs, text=" ".join(word(i) for i in range(450)))
    assert (whole[0].bm25 or 0) == pytest.approx(2 * (half[0].bm25 or 0), rel=1e-3)
    longest = "".join(chr(0x4E00 + i % 9000) for i in range(999_990)) + " plain end"
    assert len(longest) == 1_000_000
    await async_store.documents.put(docs, document(2), [longest])
    assert len(await async_store.chunks.search(docs, text="一丁")) == 1
    with pytest.raises(InvalidInput) as refused:
        await async_store.documents.put(docs, document(3), ["fine", longest + "!"])
    assert (refused.value.field, refused.value.index) == ("content", 1)


# ---------------------------------------------------------------------------------------------------- vectors


async def test_a_mismatched_query_is_refused_before_any_sql(async_store: AsyncStore, docs: str, db: Database) -> None:
    """V03, K-15: `DimensionMismatch(expected, got)`; at a put, too, with nothing stored."""
    before = db.versions()
    for got in (1, 7, 9):
        with pytest.raises(DimensionMismatch) as refused:
            await async_store.chunks.search(docs, embedding=vector("q", dimensions=got))
        assert (refused.value.expected, refused.value.got) == (DIMENSIONS, got)
        with pytest.raises(DimensionMismatch) as refused:
            await async_store.documents.put(docs, document(), [chunk("a"), chunk("b", dimensions=got)])
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
async def test_an_unfit_vector_is_refused(async_store: AsyncStore, docs: str, db: Database, bad: Any) -> None:
    """V01, V05, V06, V20: not finite, zero under cosine, of another shape or kind; at a put and at a search."""
    await async_store.documents.put(docs, document(), [chunk("there")])
    before = db.versions()
    with pytest.raises(InvalidInput) as refused:
        await async_store.documents.put(docs, document(2), [chunk("fine"), NewChunk(content="bad", embedding=bad)])
    assert (refused.value.field, refused.value.index) == ("embedding", 1)
    with pytest.raises(InvalidInput) as refused:
        await async_store.chunks.search(docs, embedding=bad)
    assert refused.value.field == "embedding"
    assert db.versions() == before


async def test_a_zero_vector_has_a_length(async_store: AsyncStore) -> None:
    """V05: only cosine needs a direction."""
    await async_store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS, metric="l2")
    await async_store.documents.put("docs", document(), [NewChunk(content="zero", embedding=[0.0] * DIMENSIONS)])
    hits = await async_store.chunks.search("docs", embedding=[0.0] * DIMENSIONS)
    assert [hit.distance for hit in hits] == [0.0]


async def test_vectors_of_every_kind_of_number(async_store: AsyncStore, docs: str) -> None:
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
        await async_store.documents.put(docs, document(number), [NewChunk(content="vector", embedding=kind)])
    hits = await async_store.chunks.search(docs, embedding=plain, limit=100)
    assert [hit.distance for hit in hits] == pytest.approx([0.0] * len(kinds), abs=1e-6)
    whole = [3, 0, 1, 0, 0, 0, 0, 0]
    distances = set()
    for kind in (whole, np.array(whole), np.array(whole, dtype=np.uint8), [*map(float, whole)]):
        distances.add((await async_store.chunks.search(docs, embedding=kind, limit=1))[0].distance)
    assert len(distances) == 1


# ----------------------------------------------------------------------------------- arguments, and what changes


@pytest.mark.parametrize("limit", [0, -1, 2**63, 1001, True, 1.0, "10", None])
async def test_a_limit_is_a_number_of_rows(async_store: AsyncStore, docs: str, limit: Any) -> None:
    """I23: -1 means "all" on SQLite and is an error on PostgreSQL: it never gets there."""
    report = await async_store.documents.put(docs, document(), ["wing"])
    calls = [
        lambda: async_store.chunks.search(docs, text="wing", limit=limit),
        lambda: async_store.chunks.search(docs, embedding=vector("q"), limit=limit),
        lambda: async_store.chunks.page(report.document_id, limit=limit),
        lambda: async_store.documents.page(docs, limit=limit),
        lambda: async_store.collections.page(limit=limit),
    ]
    for call in calls:
        with pytest.raises(InvalidInput) as refused:
            await call()
        assert refused.value.field == "limit"


@pytest.mark.parametrize("offset", [-1, 2**63, 10_001, True, 1.0, "1", None])
async def test_an_offset_is_a_number_of_rows(async_store: AsyncStore, docs: str, offset: Any) -> None:
    """I23, I24: an offset beyond the end gives an empty page, an unfit one is refused."""
    await async_store.documents.put(docs, document(), ["wing"])
    assert len(await async_store.chunks.search(docs, text="wing", offset=10_000)) == 0
    with pytest.raises(InvalidInput) as refused:
        await async_store.chunks.search(docs, text="wing", offset=offset)
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
async def test_unfit_arguments_are_refused(
    async_store: AsyncStore, docs: str, asked: dict[str, Any], field: str
) -> None:
    """I27, T02: InvalidInput with the field, and never a driver's error."""
    with pytest.raises(InvalidInput) as refused:
        await async_store.chunks.search(docs, **asked)
    assert refused.value.field == field


@pytest.mark.parametrize(
    "cursor", ["", "x", "!!!", "A" * 500, "bnVsbA", "W10", "\0", "ä", "eyJhIjoxfQ", "0", 7, b"AAAA"]
)
async def test_a_forged_cursor_is_refused(async_store: AsyncStore, docs: str, cursor: Any) -> None:
    """I24: only what a call gave out goes on; another call's cursor is refused, too."""
    for number in range(3):
        report = await async_store.documents.put(docs, document(number), ["a", "b"])
        await async_store.collections.ensure(f"docs {number}")
    real = (await async_store.documents.page(docs, limit=1)).next_cursor
    assert real is not None
    pages = [
        (lambda c: async_store.chunks.page(report.document_id, cursor=c), True),
        (lambda c: async_store.collections.page(cursor=c), True),
        (lambda c: async_store.documents.page(docs, cursor=c), False),
    ]
    for page, foreign in pages:
        for forged in (cursor, *([real] if foreign else [real[:-1], real[1:], real + "A", real.swapcase()])):
            with pytest.raises(InvalidInput) as refused:
                await page(forged)
            assert refused.value.field == "cursor"


@pytest.mark.parametrize("unfit", ["", "x", "not-a-uuid", 7, None, b"0" * 16, "0" * 33])
async def test_an_unfit_id_is_refused(async_store: AsyncStore, unfit: Any) -> None:
    """I13, I27: an id is a UUID or its text form."""
    for call in (async_store.chunks.get, async_store.chunks.find, async_store.chunks.delete, async_store.documents.get):
        with pytest.raises(InvalidInput):
            await call(unfit)
    assert await async_store.chunks.find(UUID(int=0)) is None


async def test_a_collection_made_anew_is_searched_as_it_is(async_store: AsyncStore, docs: str) -> None:
    """V16, K-16: what a store remembers of a collection never outlives it."""
    handle = async_store.for_tenant("default")
    await async_store.documents.put(docs, document(), [chunk("wing")])
    assert len(await async_store.chunks.search(docs, text="wing", embedding=vector("q"))) == 1
    await handle.collections.delete(docs)
    for asked in ({"text": "wing"}, {"embedding": vector("q")}, {"text": "wing", "embedding": vector("q")}):
        with pytest.raises(NotFound):
            await async_store.chunks.search(docs, **asked)
    await handle.collections.ensure(docs, model="other", dimensions=3, metric="l2")
    await handle.documents.put(docs, document(), [chunk("wing", dimensions=3)])
    assert len(await async_store.chunks.search(docs, text="wing")) == 1
    assert len(await async_store.chunks.search(docs, embedding=vector("q", dimensions=3))) == 1
    with pytest.raises(DimensionMismatch):
        await async_store.chunks.search(docs, embedding=vector("q"))


async def test_a_store_notices_what_another_did(async_store: AsyncStore, docs: str, database_url: str) -> None:
    """K-16: the same through a second store, as from another process; also a space that was added."""
    async with AsyncStore.open(database_url) as other:
        assert len(await async_store.chunks.search(docs, text="wing")) == 0
        await async_store.collections.ensure("later")
        assert len(await async_store.chunks.search("later", text="wing")) == 0
        await other.collections.ensure("later", model=MODEL, dimensions=DIMENSIONS)
        await other.documents.put("later", document(), [chunk("wing")])
        assert len(await async_store.chunks.search("later", embedding=vector("q"))) == 1
        await other.collections.delete(docs)
        await other.collections.ensure(docs, model="other", dimensions=3)
        await other.documents.put(docs, document(), [chunk("wing", dimensions=3)])
        assert len(await async_store.chunks.search(docs, embedding=vector("q", dimensions=3))) == 1


async def test_a_unit_outlives_a_collection_that_was_made_anew(
    async_store: AsyncStore, docs: str, database_url: str
) -> None:
    """K-16: that what is remembered is out of date is no error of a statement, which would end the transaction."""
    assert len(await async_store.chunks.search(docs, text="wing")) == 0
    async with AsyncStore.open(database_url) as other:
        await other.collections.delete(docs)
        await other.collections.ensure(docs)
        await other.documents.put(docs, document(), ["wing"])
    async with async_store.begin() as unit:
        assert len(await unit.chunks.search(docs, text="wing unheard")) == 1
        await unit.collections.ensure("more")
    assert await async_store.collections.find("more") is not None


async def test_statistics_are_never_remembered(async_store: AsyncStore, docs: str, database_url: str) -> None:
    """K-13: a store that searched before the first load gives the scores of one that is opened after it."""
    assert texts(await async_store.chunks.search(docs, text="lamp")) == []
    items = [(document(n), [f"lamp {'filler ' * (n * 7)}number {n}"]) for n in range(12)]
    await async_store.documents.load(docs, items)
    warm = await async_store.chunks.search(docs, text="lamp unseen")
    async with AsyncStore.open(database_url) as another:
        fresh = await another.chunks.search(docs, text="lamp unseen")
    assert [(hit.chunk_id, hit.bm25) for hit in warm] == [(hit.chunk_id, hit.bm25) for hit in fresh]
    assert len(warm) == 10


async def test_search_needs_its_collection(async_store: AsyncStore) -> None:
    """A failure is never an empty list."""
    with pytest.raises(NotFound, match="'nowhere'"):
        await async_store.chunks.search("nowhere", text="wing")
    await async_store.collections.ensure("plain")
    with pytest.raises(InvalidInput) as refused:
        await async_store.chunks.search("plain", embedding=vector("q"))
    assert refused.value.field == "embedding"
    assert len(await async_store.chunks.search("plain", text="wing")) == 0


async def test_filters_are_combined_by_their_own_operators(async_store: AsyncStore, docs: str) -> None:
    """K-10: `and`, `or`, `not` and chains would silently drop a part."""
    with pytest.raises(UsageError):
        await async_store.chunks.search(docs, text="wing", where=(F.page == 1) and (F.page == 2))
    with pytest.raises(UsageError):
        await async_store.chunks.search(docs, text="wing", where=1 < F.page < 3)
    with pytest.raises(InvalidInput):
        await async_store.chunks.search(docs, text="wing", where=(F.page == 1) & True)
