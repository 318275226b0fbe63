"""Search: several collections as one, several searches at once, and what is asked for beside the best chunks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text as sql

from ragstore import AsyncStore, F, NewChunk, SearchHit, Settings
from ragstore.core.query_text import LexicalQuery, Phrase
from ragstore.corpus.backend import SearchRequest, Target
from ragstore.corpus.records import SearchQuery
from ragstore.corpus.search.fusion import Ranked, fuse, rank_texts, rank_vectors
from ragstore.testing.factories import DIMENSIONS, MODEL, chunk, document, vector, word

pytestmark = pytest.mark.anyio

QUERY = vector("q")
MODES: dict[str, dict[str, Any]] = {
    "vector": {"embedding": QUERY},
    "text": {"text": "wing flap"},
    "hybrid": {"text": "wing flap", "embedding": QUERY},
}
each_mode = pytest.mark.parametrize("asked", MODES.values(), ids=MODES)


@pytest.fixture
async def docs(async_store: AsyncStore) -> str:
    """Make a collection for vectors of the factories' dimensions."""
    return (await async_store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)).name


def passage(number: int) -> NewChunk:
    """Make a chunk with some of the words asked for, and many that are its own."""
    words = ["wing"] * (number % 4) + ["flap"] * (number % 3) + [word(number + i) for i in range(number % 7 + 1)]
    return chunk(" ".join(words), metadata={"n": number})


def contents(hits: Any) -> list[str]:
    return [hit.content for hit in hits]


def ids(hits: Any) -> list[Any]:
    return [hit.chunk_id for hit in hits]


# ---------------------------------------------------------------------------------------- several collections


@pytest.fixture
async def three(async_store: AsyncStore) -> tuple[str, ...]:
    """Make three collections of unlike sizes and words, so that their statistics differ."""
    for place, name in enumerate(("red", "green", "blue")):
        await async_store.collections.ensure(name, model=MODEL, dimensions=DIMENSIONS)
        pieces = [passage(100 * place + number) for number in range(20 + 30 * place)]
        await async_store.documents.load(name, [(document(d), pieces[d::5]) for d in range(5)])
        await async_store.collections.analyze(name)
    return ("red", "green", "blue")


@pytest.mark.parametrize("mode", ["vector", "text"])
@pytest.mark.parametrize("where", [None, F.metadata["n"] >= 110], ids=["all", "filtered"])
async def test_several_collections_are_ranked_as_one(
    async_store: AsyncStore, three: tuple[str, ...], mode: str, where: Any
) -> None:
    """K-8: the hits of all, by distance or by BM25 with each one's own statistics; each names its collection."""
    alone = [await async_store.chunks.search(name, limit=1000, where=where, **MODES[mode]) for name in three]
    merged = [hit for hits in alone for hit in hits]
    if mode == "vector":
        merged.sort(key=lambda hit: (hit.distance, hit.chunk_id))
    else:
        merged.sort(key=lambda hit: (-(hit.bm25 or 0), hit.chunk_id))
    rank = "vector_rank" if mode == "vector" else "text_rank"
    expected = [hit.model_copy(update={rank: place}) for place, hit in enumerate(merged, 1)]
    together = await async_store.chunks.search(three, limit=1000, where=where, **MODES[mode])
    assert list(together) == expected
    assert {hit.collection for hit in together} == {hit.collection for hit in merged}
    page = await async_store.chunks.search(three, limit=7, offset=5, where=where, **MODES[mode])
    assert list(page) == expected[5:12]


async def test_several_collections_are_fused_as_one(async_store: AsyncStore, three: tuple[str, ...]) -> None:
    """K-8: hybrid search fuses the merged legs, not each collection's fusion."""
    by_vector = await async_store.chunks.search(three, limit=100, **MODES["vector"])
    by_text = await async_store.chunks.search(three, limit=100, **MODES["text"])
    fused = fuse([_ranked(hit) for hit in by_vector], [_ranked(hit) for hit in by_text], (2.0, 1.0))
    hits = await async_store.chunks.search(three, limit=30, weights=(2.0, 1.0), **MODES["hybrid"])
    assert ids(hits) == [ranked.chunk_id for ranked in fused[:30]]
    assert [hit.score for hit in hits] == pytest.approx([ranked.score for ranked in fused[:30]])
    assert [hit.vector_rank for hit in hits] == [ranked.vector_rank for ranked in fused[:30]]
    assert [hit.text_rank for hit in hits] == [ranked.text_rank for ranked in fused[:30]]


def _ranked(hit: SearchHit) -> Ranked:
    return Ranked(hit.chunk_id, hit.score, hit.distance, hit.bm25, hit.vector_rank, hit.text_rank)


async def test_no_other_collection_is_searched(async_store: AsyncStore, three: tuple[str, ...]) -> None:
    """K-8: only those that were named, and only the tenant's own."""
    other = async_store.for_tenant("other")
    await other.collections.ensure("red", model=MODEL, dimensions=DIMENSIONS)
    await other.documents.put("red", document(), [chunk("wing flap of another tenant")])
    for asked in MODES.values():
        hits = await async_store.chunks.search(["red", "green"], limit=1000, **asked)
        assert {hit.collection for hit in hits} == {"red", "green"}
        assert "wing flap of another tenant" not in contents(hits)


async def test_a_collection_that_has_gone_is_noticed_among_several(
    async_store: AsyncStore, three: tuple[str, ...]
) -> None:
    """K-16: each of the collections is checked, not the first alone."""
    await async_store.chunks.search(three, text="wing", embedding=QUERY)
    await async_store.for_tenant("default").collections.delete("blue")
    await async_store.collections.ensure("blue", model=MODEL, dimensions=DIMENSIONS)
    await async_store.documents.put("blue", document(), [chunk("wing blue")])
    hits = await async_store.chunks.search(three, limit=1000, text="wing", embedding=QUERY)
    assert [hit.content for hit in hits if hit.collection == "blue"] == ["wing blue"]


async def test_a_language_that_was_added_is_noticed(async_store: AsyncStore, docs: str, database_url: str) -> None:
    """K-13: a store that remembers the collection's languages analyses the query in those it has now."""
    await async_store.documents.put(docs, document(1), ["the houses of the town"])
    assert contents(await async_store.chunks.search(docs, text="Haus")) == []
    async with AsyncStore.open(database_url) as other:
        await other.documents.put(docs, document(2, language="de"), ["die Häuser der Stadt"])
        if not (await other.collections.get(docs)).languages:  # as a put of another language is to do
            async with other.engine.begin() as connection:
                schema = "ragstore." if connection.dialect.name == "postgresql" else ""
                await connection.execute(sql(f"UPDATE {schema}rag_collection SET languages = '[\"de\"]'"))
    assert contents(await async_store.chunks.search(docs, text="Haus")) == ["die Häuser der Stadt"]


# ------------------------------------------------------------------------------------------------ search_many


async def test_many_searches_answer_as_each_alone(async_store: AsyncStore, three: tuple[str, ...]) -> None:
    """K-11: each with its own collections, mode, filter and page, in the order that they were asked."""
    queries = [
        SearchQuery(collection="red", text="wing"),
        SearchQuery(collection=("green", "blue"), embedding=QUERY, limit=3, offset=2),
        SearchQuery(collection=three, text="flap", embedding=QUERY, where=F.metadata["n"] < 120, per_document=1),
        SearchQuery(collection="blue", text="nothing has this"),
        SearchQuery(collection="red", text="wing"),
    ]
    answers = await async_store.chunks.search_many(queries)
    assert len(answers) == len(queries)
    for query, answer in zip(queries, answers, strict=True):
        alone = await async_store.chunks.search(
            query.collection,
            text=query.text,
            embedding=query.embedding,
            limit=query.limit,
            offset=query.offset,
            where=query.where,
            per_document=query.per_document,
        )
        assert answer == alone
    assert [len(answer) > 0 for answer in answers] == [True, True, True, False, True]


# ----------------------------------------------------------------------------------------------- per document


@each_mode
@pytest.mark.parametrize("most", [1, 2, 5])
async def test_the_best_chunks_of_each_document(
    async_store: AsyncStore, docs: str, asked: dict[str, Any], most: int
) -> None:
    """K-11: the ranking with all but the best n of each document left out."""
    pieces = [passage(number) for number in range(120)]
    await async_store.documents.load(docs, [(document(d), pieces[d * 10 : d * 10 + 10]) for d in range(12)])
    kept: Counter[Any] = Counter()
    expected = []
    for hit in await async_store.chunks.search(docs, limit=1000, **asked):
        kept[hit.document_id] += 1
        if kept[hit.document_id] <= most:
            expected.append(hit.chunk_id)
    if "text" not in asked or "embedding" not in asked:  # ranks in the legs decide a fused order, and they move
        assert ids(await async_store.chunks.search(docs, limit=1000, per_document=most, **asked)) == expected
        page = await async_store.chunks.search(docs, limit=4, offset=3, per_document=most, **asked)
        assert ids(page) == expected[3:7]
    hits = await async_store.chunks.search(docs, limit=1000, per_document=most, **asked)
    assert max(Counter(hit.document_id for hit in hits).values()) == most
    assert {hit.document_id for hit in hits} == set(kept)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@each_mode
async def test_a_document_of_many_good_chunks_leaves_none_out(
    async_store: AsyncStore, docs: str, asked: dict[str, Any]
) -> None:
    """K-9, K-11: the best 300 chunks are one document's, and still each of the others brings its best."""
    near = [NewChunk(content=f"wing wing flap flap {word(i)}", embedding=QUERY) for i in range(300)]
    far = [-component for component in QUERY]
    await async_store.documents.put(docs, document(0), near)
    items = [(document(d), [NewChunk(content=f"wing {word(d)} " * 9, embedding=far)] * 1) for d in range(1, 20)]
    await async_store.documents.load(docs, items)
    hits = await async_store.chunks.search(docs, limit=20, per_document=1, **asked)
    assert len({hit.document_id for hit in hits}) == len(hits) == 20
    hits = await async_store.chunks.search(docs, limit=20, per_document=1, where=F.source != "doc-3.txt", **asked)
    assert len({hit.document_id for hit in hits}) == len(hits) == 19


# -------------------------------------------------------------------------------------- neighbours, embeddings


@each_mode
async def test_neighbors_come_with_each_hit(async_store: AsyncStore, docs: str, asked: dict[str, Any]) -> None:
    """K-11: the chunks within n places in the same document, in reading order, without the hit itself."""
    for number in range(3):
        pieces = [chunk(f"{'wing ' if i in (0, 4, 9) else ''}text {word(i)} of {word(number)}") for i in range(10)]
        await async_store.documents.put(docs, document(number), pieces)
    plain = await async_store.chunks.search(docs, limit=50, **asked)
    assert all(hit.neighbors == () for hit in plain)
    hits = await async_store.chunks.search(docs, limit=50, neighbors=2, **asked)
    assert ids(hits) == ids(plain)
    for hit in hits:
        around = [i for i in range(max(0, hit.chunk_index - 2), min(10, hit.chunk_index + 3)) if i != hit.chunk_index]
        assert [neighbor.chunk_index for neighbor in hit.neighbors] == around
        for neighbor in hit.neighbors:
            stored = await async_store.chunks.get(neighbor.chunk_id)
            assert (stored.document_id, stored.chunk_index) == (hit.document_id, neighbor.chunk_index)
            assert stored.content == neighbor.content


@each_mode
async def test_embeddings_come_on_request(async_store: AsyncStore, docs: str, asked: dict[str, Any]) -> None:
    """K-11: the stored vector, as float32 holds it; None for a chunk without one."""
    given = [chunk("wing one"), chunk("flap two"), NewChunk(content="wing three")]
    await async_store.documents.put(docs, document(), given)
    hits = await async_store.chunks.search(docs, with_embeddings=True, **asked)
    assert len(hits) >= 2
    for hit in hits:
        if hit.content == "wing three":
            assert hit.embedding is None
        else:
            assert hit.embedding == pytest.approx(vector(hit.content), abs=1e-6)
    plain = await async_store.chunks.search(docs, **asked)
    assert [hit.embedding for hit in plain] == [None] * len(plain)
    assert [hit.model_copy(update={"embedding": None}) for hit in hits] == list(plain)


async def test_embeddings_of_half_precision_and_of_no_space(async_store: AsyncStore) -> None:
    """K-11, K-15: vectors of more than 2,000 dimensions come as float16 holds them; without a space there are none."""
    await async_store.collections.ensure("wide", model=MODEL, dimensions=2001)
    await async_store.collections.ensure("bare")
    wide = vector("wing", dimensions=2001)
    await async_store.documents.put("wide", document(), [NewChunk(content="wing", embedding=wide)])
    await async_store.documents.put("bare", document(), ["wing"])
    found = await async_store.chunks.search("wide", embedding=wide, with_embeddings=True)
    assert found[0].embedding == pytest.approx(wide, abs=1e-3)
    both = await async_store.chunks.search(["wide", "bare"], text="wing", with_embeddings=True)
    assert {hit.collection: hit.embedding is None for hit in both} == {"wide": False, "bare": True}


# ------------------------------------------------------------------------------------- required, and excluded


def one(lexeme: str) -> Phrase:
    return ((lexeme, 0),)


async def ask(
    store: AsyncStore, collection: str, text: LexicalQuery, *, vector: Any = None, **fields: Any
) -> list[str]:
    """Search by an analysed query, and give the texts that were found, in order."""
    of = await store.collections.get(collection)
    request = SearchRequest(
        tenant="default",
        targets=(Target(of, text),),
        vector=vector,
        where=None,
        limit=10,
        offset=0,
        weights=(1.0, 1.0),
    )
    request = replace(request, **fields)
    access = store._access  # queries with requirements, apart from the syntax they are written in
    answers = await access.read(lambda: access.backend.search([request]))
    assert answers is not None
    return contents(answers[0].hits)


TEXTS = ("wing flap rudder", "flap wing", "wing the flap", "rudder wing nose flap", "wing", "nose flap wing flap")
WING_FLAP: Phrase = (("wing", 0), ("flap", 1))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"required": ((one("wing"),), (one("flap"),))}, {0, 1, 2, 3, 5}),
        ({"required": ((one("rudder"), one("nose")),)}, {0, 3, 5}),
        ({"required": ((WING_FLAP,),)}, {0, 5}),
        ({"required": (((("wing", 0), ("flap", 2)),),)}, {2, 3}),
        ({"required": ((WING_FLAP, one("rudder")),)}, {0, 3, 5}),
        ({"required": ((WING_FLAP,), (one("rudder"),))}, {0}),
        ({"required": (((("flap", 0), ("wing", 1), ("flap", 2)),),)}, {5}),
        ({"required": ((one("absent"),),)}, set()),
        ({"excluded": (one("rudder"),)}, {1, 2, 4, 5}),
        ({"excluded": (WING_FLAP,)}, {1, 2, 3, 4}),
        ({"excluded": (one("rudder"), one("nose"), one("absent"))}, {1, 2, 4}),
        ({"required": ((one("rudder"),),), "excluded": (WING_FLAP,)}, {3}),
        ({"required": ((WING_FLAP,),), "excluded": (one("nose"),)}, {0}),
    ],
)
async def test_what_must_and_must_not_stand_there(
    async_store: AsyncStore, docs: str, query: dict[str, Any], expected: set[int]
) -> None:
    """K-13: words and phrases, as alternatives, required and excluded; the rest of the ranking stays as it was."""
    await async_store.documents.put(docs, document(), TEXTS)
    await async_store.collections.analyze(docs)
    asked = LexicalQuery(frequencies={"wing": 1, "flap": 1, "rudder": 1, "nose": 1, "absent": 1})
    ranking = await ask(async_store, docs, asked)
    assert set(ranking) == set(TEXTS)
    wanted = {TEXTS[i] for i in expected}
    assert await ask(async_store, docs, replace(asked, **query)) == [text for text in ranking if text in wanted]


async def test_a_required_word_that_all_chunks_have(async_store: AsyncStore, docs: str) -> None:
    """K-13: a word so common that it hardly weighs anything is still a match."""
    await async_store.documents.put(docs, document(), [f"wing {word(i)}" for i in range(9)])
    await async_store.collections.analyze(docs)
    found = await ask(async_store, docs, LexicalQuery(frequencies={"wing": 1}, required=((one("wing"),),)))
    assert len(found) == 9


async def test_a_phrase_is_found_however_many_better_chunks_lack_it(async_store: AsyncStore, docs: str) -> None:
    """K-9, K-13: 600 shorter chunks hold both words, parted; the ten that hold the phrase are what is found."""
    without = [f"flap wing {word(i)}" for i in range(600)]
    phrases = [f"wing flap {' '.join(word(1000 + i + j) for j in range(20))}" for i in range(0, 300, 20)]
    await async_store.documents.load(docs, [(document(1), without), (document(2), phrases)])
    await async_store.collections.analyze(docs)
    asked = LexicalQuery(frequencies={"wing": 1, "flap": 1}, required=((WING_FLAP,),))
    found = await ask(async_store, docs, asked)
    assert len(found) == 10
    assert set(found) <= set(phrases)
    assert len(await ask(async_store, docs, asked, limit=1000)) == len(phrases)
    assert len(await ask(async_store, docs, asked, limit=10, offset=10)) == len(phrases) - 10
    assert await ask(async_store, docs, asked, per_document=1) == found[:1]


async def test_a_phrase_is_looked_for_in_the_chunks_language(async_store: AsyncStore, docs: str) -> None:
    """K-13: of a phrase's alternatives, one for each language, the chunk's own fits it."""
    await async_store.documents.put(docs, document(1, language="de"), ["alte Häuser stehen", "Häuser sind alte"])
    await async_store.documents.put(docs, document(2), ["alte houses", "houses alte"])
    german: Phrase = (("alt", 0), ("haus", 1))
    english: Phrase = (("alt", 0), ("hous", 1))
    asked = LexicalQuery(frequencies={"alt": 1, "haus": 1, "hous": 1}, required=((german, english),))
    assert set(await ask(async_store, docs, asked)) == {"alte Häuser stehen", "alte houses"}


# ----------------------------------------------------------------- what binds a hit, by whichever leg it comes

KINDS = ("wing flap rudder", "flap wing rudder", "nose wing flap", "nose flap wing", "wing", "nose", "...")
"""The words of chunks by their number: the first two kinds are nearest to the query's vector."""

Fulfils = Callable[[str], bool]
BINDING: dict[str, tuple[dict[str, Any], Fulfils]] = {
    "excluded": ({"text": "wing flap -rudder", "match": "web"}, lambda text: "rudder" not in text),
    "nothing but excluded": ({"text": "-rudder", "match": "web"}, lambda text: "rudder" not in text),
    "two excluded": (
        {"text": "wing -rudder -nose", "match": "web"},
        lambda text: "rudder" not in text and "nose" not in text,
    ),
    "phrase": ({"text": 'nose "wing flap"', "match": "web"}, lambda text: "wing flap" in text),
    "excluded phrase": ({"text": '-"wing flap"', "match": "web"}, lambda text: "wing flap" not in text),
    "phrase and excluded": (
        {"text": '"wing flap" -rudder', "match": "web"},
        lambda text: "wing flap" in text and "rudder" not in text,
    ),
    "both": ({"text": "rudder wing AND nose", "match": "web"}, lambda text: "wing" in text and "nose" in text),
    "all": ({"text": "nose flap", "match": "all"}, lambda text: "nose" in text and "flap" in text),
    "no chunk": ({"text": "nose AND rudder", "match": "web"}, lambda text: "nose" in text and "rudder" in text),
    "any": ({"text": "nose -rudder", "match": "any"}, lambda _: True),
    "no text": ({"text": "", "match": "web"}, lambda _: True),
}
each_binding = pytest.mark.parametrize(("asked", "fulfils"), BINDING.values(), ids=BINDING)


def piece(number: int, *, near: int) -> NewChunk:
    """Make a chunk; those below a number have a rudder, and are nearer to the query's vector than all others."""
    kind = number % 2 if number < near else 2 + number % 5
    away = vector(number)
    shift = 0.01 if number < near else 10
    return NewChunk(
        content=f"{KINDS[kind]} {word(number)}" if kind < 6 else KINDS[6] + "." * number,
        embedding=[a + shift * b for a, b in zip(QUERY, away, strict=True)],
        metadata={"n": number},
    )


async def fill(store: AsyncStore, name: str, count: int, *, near: int, start: int = 0) -> None:
    """Make a collection of such chunks, in documents of ten."""
    await store.collections.ensure(name, model=MODEL, dimensions=DIMENSIONS)
    pieces = [piece(number, near=near) for number in range(start, start + count)]
    await store.documents.load(name, [(document(i), pieces[i * 10 : i * 10 + 10]) for i in range(count // 10)])
    await store.collections.analyze(name)


async def fused(store: AsyncStore, names: Any, asked: dict[str, Any], fulfils: Fulfils, where: Any) -> Any:
    """Rank by each leg alone, leave out what does not fulfil the query, and fuse."""
    nearest = await store.chunks.search(names, embedding=QUERY, limit=1000, where=where)
    highest = await store.chunks.search(names, limit=100, where=where, **asked)
    assert all(fulfils(hit.content) for hit in highest)
    by_vector = [(hit.chunk_id, hit.distance or 0.0) for hit in nearest if fulfils(hit.content)][:100]
    by_text = [(hit.chunk_id, hit.bm25 or 0.0) for hit in highest]
    return fuse(rank_vectors(by_vector, "cosine"), rank_texts(by_text), (1.0, 1.0))


async def check_hybrid(store: AsyncStore, asked: dict[str, Any], fulfils: Fulfils) -> None:
    """Compare hybrid searches, of one collection and of two, with the fusion of what each leg may bring."""
    await fill(store, "red", 300, near=150)
    await fill(store, "blue", 250, near=60, start=5)
    for names in ("red", ["red", "blue"]):
        for where in (None, F.metadata["n"] < 200):
            expected = (await fused(store, names, asked, fulfils, where))[5:35]
            page = await store.chunks.search(names, embedding=QUERY, limit=30, offset=5, where=where, **asked)
            assert [(hit.chunk_id, hit.vector_rank, hit.text_rank) for hit in page] == [
                (ranked.chunk_id, ranked.vector_rank, ranked.text_rank) for ranked in expected
            ]


@each_binding
async def test_what_is_required_or_excluded_binds_both_legs(
    async_store: AsyncStore, asked: dict[str, Any], fulfils: Fulfils
) -> None:
    """K-9, K-13: a hybrid search is of the chunks that fulfil the query, however near the others are."""
    await check_hybrid(async_store, asked, fulfils)


@each_binding
async def test_it_binds_vectors_that_are_read_from_the_file(
    sqlite_database: Any, asked: dict[str, Any], fulfils: Fulfils
) -> None:
    """K-13: also where a space is too large for SQLite's memory of vectors."""
    async with AsyncStore.open(sqlite_database, Settings(vector_cache=0)) as store:
        await check_hybrid(store, asked, fulfils)


@each_binding
async def test_what_binds_a_hit_leaves_no_document_out(
    async_store: AsyncStore, docs: str, asked: dict[str, Any], fulfils: Fulfils
) -> None:
    """K-9, K-11: each document that has a chunk which fulfils the query brings its best."""
    await fill(async_store, docs, 400, near=205)
    everything = await async_store.chunks.search(docs, embedding=QUERY, limit=1000)
    hits = await async_store.chunks.search(docs, embedding=QUERY, limit=1000, per_document=1, **asked)
    assert all(fulfils(hit.content) for hit in hits)
    assert len(hits) == len({hit.document_id for hit in hits})
    assert {hit.document_id for hit in hits} == {hit.document_id for hit in everything if fulfils(hit.content)}


async def test_a_vector_index_is_no_way_around_what_is_required(postgres_url: str) -> None:
    """K-9, K-13: where too few of the index's candidates fulfil the query, all chunks that do are ranked."""
    async with AsyncStore.open(postgres_url) as store:
        await fill(store, "docs", 1250, near=1050)  # more are near than an index looks at
        await store.spaces.create_index("docs")
        for name, (asked, fulfils) in BINDING.items():
            found = [number for number in range(1250) if fulfils(piece(number, near=1050).content)]
            enough = sum(number < 1050 for number in found) >= 100
            for where in (None, F.metadata["n"] >= 10):
                hits = await store.chunks.search("docs", embedding=QUERY, limit=100, where=where, **asked)
                assert all(fulfils(hit.content) for hit in hits), name
                assert len(hits) == min(len(found), 100), name
                assert hits.path == ("approximate+lexical" if enough else "exact+lexical"), name
