"""Collections: ensured, read, listed, deleted; their names, spaces and tenants."""

from __future__ import annotations

import pytest

from ragstore import AsyncStore, Settings
from ragstore.errors import Conflict, InvalidInput, NotFound, TenantRequired
from ragstore.testing.factories import DIMENSIONS, MODEL, chunk, chunks, document, vector
from tests.conformance.support import Database, async_together, run_calls

pytestmark = pytest.mark.anyio


async def test_ensure_makes_a_collection_once(async_store: AsyncStore, db: Database) -> None:
    """K-15: a collection with its space is data; a second call changes nothing."""
    made = await async_store.collections.ensure("docs", model=MODEL, dimensions=8, language="de", metadata={"a": 1})
    assert (made.name, made.language, made.metadata) == ("docs", "de", {"a": 1})
    assert made.space is not None
    assert (made.space.model, made.space.dimensions, made.space.metric) == (MODEL, 8, "cosine")
    assert (made.space.storage, made.space.state) == ("vector", "active")
    before = db.versions()
    assert await async_store.collections.ensure("docs", model=MODEL, dimensions=8) == made
    assert await async_store.collections.ensure("docs") == made
    assert await async_store.collections.ensure("docs", metadata={"other": 2}) == made
    assert db.versions() == before


async def test_two_that_ensure_at_once_get_the_same(async_store: AsyncStore, db: Database) -> None:
    """X01: one collection and one space, whoever came first."""

    async def ensure() -> object:
        return await async_store.collections.ensure("docs", model=MODEL, dimensions=8)

    made = run_calls(await async_together(*[ensure] * 4))
    assert made == made[:1] * 4
    assert db.counts() == {"rag_collection": 1, "rag_embedding_space": 1}


async def test_a_space_can_be_added_to_a_collection_without_one(async_store: AsyncStore) -> None:
    """K-15: adding a model is a row."""
    bare = await async_store.collections.ensure("docs")
    assert bare.space is None
    spaced = await async_store.collections.ensure("docs", model=MODEL, dimensions=8, metric="l2")
    assert spaced.id == bare.id
    assert spaced.space is not None
    assert spaced.space.metric == "l2"
    assert await async_store.collections.get("docs") == spaced


@pytest.mark.parametrize(
    "other",
    [
        {"model": "another", "dimensions": 8},
        {"model": MODEL, "dimensions": 9},
        {"model": MODEL, "dimensions": 8, "metric": "l2"},
        {"language": "fr"},
    ],
)
async def test_ensure_refuses_what_is_there_otherwise(
    async_store: AsyncStore, db: Database, other: dict[str, object]
) -> None:
    """K-15, V16: vectors of another model are never mixed in."""
    await async_store.collections.ensure("docs", model=MODEL, dimensions=8, language="en")
    before = db.versions()
    with pytest.raises(Conflict):
        await async_store.collections.ensure("docs", **other)
    assert db.versions() == before


@pytest.mark.parametrize(
    ("space", "field"),
    [
        ({"model": MODEL}, "model"),
        ({"dimensions": 8}, "model"),
        ({"model": MODEL, "dimensions": 0}, "dimensions"),
        ({"model": MODEL, "dimensions": True}, "dimensions"),
        ({"model": MODEL, "dimensions": 8.0}, "dimensions"),
        ({"model": MODEL, "dimensions": 4001}, "dimensions"),
        ({"model": MODEL, "dimensions": 8, "metric": "manhattan"}, "metric"),
        ({"model": "", "dimensions": 8}, "model"),
        ({"model": "m" * 256, "dimensions": 8}, "model"),
        ({"language": "english; DROP"}, "language"),
        ({"metadata": {"a": float("nan")}}, "metadata.a"),
    ],
)
async def test_an_unfit_space_is_refused(
    async_store: AsyncStore, db: Database, space: dict[str, object], field: str
) -> None:
    """V04, K-15: more than 4,000 dimensions and what is no number of dimensions; nothing is stored."""
    with pytest.raises(InvalidInput) as refused:
        await async_store.collections.ensure("docs", **space)
    assert refused.value.field == field
    assert db.counts() == {}


@pytest.mark.parametrize(("dimensions", "storage"), [(2000, "vector"), (2001, "halfvec"), (4000, "halfvec")])
async def test_the_library_chooses_how_vectors_are_stored(
    async_store: AsyncStore, dimensions: int, storage: str
) -> None:
    """K-15: vector to 2,000 dimensions, halfvec to 4,000; each fits its row, also beside the longest tenant."""
    tenant = async_store.for_tenant("t" * 64)
    made = await tenant.collections.ensure("docs", model=MODEL, dimensions=dimensions)
    assert made.space is not None
    assert made.space.storage == storage
    near, far = (chunk(name, dimensions=dimensions) for name in ("near", "far"))
    report = await tenant.documents.put("docs", document(), [near, far])
    assert report.embedded == 2
    hits = await tenant.chunks.search("docs", embedding=vector("near", dimensions=dimensions), limit=1)
    assert [hit.content for hit in hits] == ["near"]
    assert hits[0].distance == pytest.approx(0.0, abs=1e-6 if storage == "vector" else 1e-3)


async def test_get_and_find(async_store: AsyncStore) -> None:
    """`get` raises NotFound, `find` gives None."""
    assert await async_store.collections.find("docs") is None
    with pytest.raises(NotFound, match="'docs'"):
        await async_store.collections.get("docs")
    made = await async_store.collections.ensure("docs")
    assert await async_store.collections.get("docs") == await async_store.collections.find("docs") == made


async def test_pages_list_all_by_name(async_store: AsyncStore) -> None:
    """Names come in the order of their code points, each once, in pages of any size."""
    names = ["b", "a", "Z", "ä", "a-", "aa", "z"]
    for name in names:
        await async_store.collections.ensure(name)
    found: list[str] = []
    cursor = None
    while True:
        page = await async_store.collections.page(limit=3, cursor=cursor)
        assert len(page) <= 3
        found += [collection.name for collection in page]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == sorted(names)


@pytest.mark.parametrize(
    "name",
    [
        "quote's",
        'double"quote',
        "semi;colon -- DROP TABLE rag_chunk",
        "select",
        "Robert'); DROP TABLE rag_collection;--",
        "percent%s and :colon %(name)s",
        "back\\slash",
        "数据库",
        "emoji 👩‍👩‍👧",
        "x" * 63,
    ],
)
async def test_any_name_is_only_a_name(async_store: AsyncStore, name: str) -> None:
    """I15: quotes, semicolons, reserved words and Unicode are stored as they are."""
    made = await async_store.collections.ensure(name, model=MODEL, dimensions=DIMENSIONS)
    assert made.name == name
    await async_store.documents.put(name, document(source=name * 2), [chunk("some words")])
    assert [hit.collection for hit in await async_store.chunks.search(name, text="words")] == [name]
    assert await async_store.documents.find(name, name * 2) is not None
    assert await async_store.collections.delete(name)


async def test_names_differ_by_case_and_by_normal_form(async_store: AsyncStore) -> None:
    """I15, I18: names are compared code point by code point."""
    names = ["Docs", "docs", "DOCS", "\u00e4", "a\u0308", "x" * 62 + "y", "x" * 62 + "z"]
    ids = {(await async_store.collections.ensure(name)).id for name in names}
    assert len(ids) == len(names)


@pytest.mark.parametrize(
    "name", ["", " ", " docs", "docs ", "\tdocs", "a\nb", "nul\0", "x" * 64, "ä" * 32, "\ud800", None, 7, b"docs"]
)
async def test_an_unfit_name_is_refused_everywhere(async_store: AsyncStore, db: Database, name: object) -> None:
    """I14, I15, I27: too long in bytes (a truncated name could be another's), outer space, control characters."""
    calls = [
        lambda: async_store.collections.ensure(name),
        lambda: async_store.collections.get(name),
        lambda: async_store.collections.find(name),
        lambda: async_store.collections.delete(name),
        lambda: async_store.collections.analyze(name),
        lambda: async_store.documents.put(name, document(), ["text"]),
        lambda: async_store.documents.find(name, "source"),
        lambda: async_store.documents.page(name),
        lambda: async_store.documents.delete(name, "source"),
        lambda: async_store.documents.load(name, [(document(), ["text"])]),
        lambda: async_store.chunks.count(name),
        lambda: async_store.chunks.find_by_hash(name, "text"),
        lambda: async_store.chunks.search(name, text="text"),
    ]
    for call in calls:
        with pytest.raises(InvalidInput) as refused:
            await call()
        assert refused.value.field == "collection"
    assert db.counts() == {}


async def test_delete_takes_all_that_hangs_on_it(async_store: AsyncStore, db: Database) -> None:
    """K-7: no row stays in any table, and the neighbour keeps its own."""
    for name in ("docs", "other"):
        await async_store.collections.ensure(name, model=MODEL, dimensions=DIMENSIONS)
        await async_store.documents.put(name, document(), chunks(3))
        await async_store.collections.analyze(name)
    both = db.counts()
    assert await async_store.collections.delete("docs") is True
    assert db.counts() == {table: count // 2 for table, count in both.items()}
    assert await async_store.collections.delete("docs") is False
    assert len(await async_store.chunks.search("other", text="text")) == 3
    assert await async_store.collections.delete("other") is True
    assert db.counts() == {}


async def test_analyze_counts_what_is_there(async_store: AsyncStore) -> None:
    """K-8: the lexical statistics are those of the collection's chunks."""
    await async_store.collections.ensure("docs")
    await async_store.documents.put("docs", document(), ["wing flap rudder", "wing"])
    analyzed = await async_store.collections.analyze("docs")
    assert analyzed.analyzed_chunks == 2
    assert analyzed.average_length == pytest.approx(2.0)
    with pytest.raises(NotFound):
        await async_store.collections.analyze("nowhere")


async def test_tenants_never_see_each_other(async_store: AsyncStore, db: Database) -> None:
    """Tenancy, T12: the same names and sources in two tenants; each reads, lists, searches and deletes its own."""
    one, two = async_store.for_tenant("one"), async_store.for_tenant("two")
    reports = {}
    for handle, word in ((one, "first"), (two, "second")):
        await handle.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS, metadata={"of": word})
        reports[word] = await handle.documents.put("docs", document(), [chunk(f"a shared text, {word}")])
    for handle, mine, other in ((one, "first", "second"), (two, "second", "first")):
        hits = await handle.chunks.search("docs", text="shared", embedding=vector("x"), limit=10)
        assert [hit.content for hit in hits] == [f"a shared text, {mine}"]
        assert (await handle.collections.get("docs")).metadata == {"of": mine}
        assert await handle.chunks.count("docs") == 1
        assert len(await handle.collections.page()) == 1
        assert len(await handle.documents.page("docs")) == 1
        assert await handle.chunks.find_by_hash("docs", f"a shared text, {other}") == []
        foreign = reports[other].document_id
        with pytest.raises(NotFound):
            await handle.documents.get(foreign)
        assert len(await handle.chunks.page(foreign)) == 0
    foreign_chunk = (await two.chunks.search("docs", text="shared"))[0].chunk_id
    before = db.versions()
    assert await one.chunks.find(foreign_chunk) is None
    assert await one.chunks.delete(foreign_chunk) is False
    with pytest.raises(NotFound):
        await one.chunks.get(foreign_chunk)
    with pytest.raises(NotFound):
        await async_store.chunks.search("docs", text="shared")  # the default tenant has none
    assert db.versions() == before
    assert await one.collections.delete("docs") is True
    assert len(await two.chunks.search("docs", text="shared")) == 1


async def test_the_same_ids_may_exist_in_two_tenants(async_store: AsyncStore, db: Database) -> None:
    """T12: no tenant learns from a refused id that another has it."""
    await async_store.for_tenant("one").collections.ensure("docs")
    columns = "id, name, language, metadata, salt"
    db.execute(f"INSERT INTO rag_collection (tenant_id, {columns}) SELECT 'two', {columns} FROM rag_collection")
    assert (await async_store.for_tenant("two").collections.get("docs")).id == (
        await async_store.for_tenant("one").collections.get("docs")
    ).id


async def test_without_a_tenant_nothing_can_be_done(database_url: str, db: Database) -> None:
    """T06: with `tenant=None` a repository without a tenant raises, and never means all."""
    async with AsyncStore.open(database_url, Settings(tenant=None)) as opened:
        calls = [
            lambda: opened.collections.ensure("docs"),
            lambda: opened.collections.find("docs"),
            lambda: opened.collections.page(limit=1),
            lambda: opened.collections.delete("docs"),
            lambda: opened.documents.put("docs", document(), ["text"]),
            lambda: opened.documents.load("docs", [(document(), ["text"])]),
            lambda: opened.chunks.search("docs", text="text"),
            lambda: opened.chunks.count("docs"),
        ]
        for call in calls:
            with pytest.raises(TenantRequired):
                await call()
        async with opened.begin() as unit:
            with pytest.raises(TenantRequired):
                await unit.collections.page()
        assert (await opened.for_tenant("one").collections.ensure("docs")).name == "docs"
        for unfit in ("", " ", "t" * 65, "nul\0"):
            with pytest.raises(InvalidInput):
                opened.for_tenant(unfit)
    assert db.counts() == {"rag_collection": 1}
