"""M37: pgvector lives in a schema that no search path has, and every call does what it does elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from ragstore import AsyncStore, F, NewChunk, Settings, aupgrade
from ragstore.backends import read_url
from ragstore.core._face_async import ASYNCHRONOUS
from ragstore.core.vectors import Metric
from ragstore.corpus.records import SearchQuery
from ragstore.testing.factories import DIMENSIONS, MODEL, Embedder, chunk, chunks, document, vector, word
from tests.conformance.support import Database, async_together, plain_engine, run_calls, watching
from tests.poolers import PROGRAM, pooled

pytestmark = pytest.mark.anyio

PLAIN = ("extensions", "ragstore")
ODD = ('the "100%": ext', 'Our "50%": tables')
LARGE = 2001  # dimensions that are stored as halfvec


@pytest.fixture
def outside(postgres_database: str) -> Iterator[Database]:
    """Look at the test's database from outside."""
    database = Database(postgres_database)
    yield database
    database.close()


async def prepared(url: str, db: Database, extension: str = "extensions", schema: str = "ragstore") -> Settings:
    """Make the extension in its own schema, upgrade, and give the settings of a store there."""
    quoted = '"' + extension.replace('"', '""').replace(":", "\\:") + '"'
    db.execute(f"CREATE SCHEMA {quoted}")
    db.execute(f"CREATE EXTENSION vector SCHEMA {quoted}")
    await aupgrade(url, schema=schema)
    return Settings(schema=schema)


@pytest.fixture
async def elsewhere(postgres_database: str, outside: Database) -> AsyncIterator[AsyncStore]:
    """Open a store where the extension is elsewhere."""
    settings = await prepared(postgres_database, outside)
    async with AsyncStore.open(postgres_database, settings) as store:
        yield store


@pytest.fixture
async def host_engine(postgres_database: str, elsewhere: AsyncStore) -> AsyncIterator[AsyncEngine]:
    """Make an engine of the host's."""
    engine = create_async_engine(read_url(postgres_database, asynchronous=ASYNCHRONOUS))
    yield engine
    await engine.dispose()


def passage(number: int, dimensions: int) -> NewChunk:
    """Make a chunk with some of the words asked for, and many that are its own."""
    words = ["wing"] * (number % 4) + ["flap"] * (number % 3) + [word(number + i) for i in range(number % 7 + 2)]
    return chunk(f"{word(1000 + number)} {' '.join(words)}", dimensions=dimensions, metadata={"n": number})


def told(hits: Any) -> list[Any]:
    """Give what does not differ from store to store."""
    return [(hit.content, None if hit.score is None else round(hit.score, 4)) for hit in hits]


async def asked(store: AsyncStore, dimensions: int) -> list[Any]:
    """Search in every way."""
    query = vector("q", dimensions=dimensions)
    search = store.chunks.search
    hits = [
        await search("docs", embedding=query),
        await search("docs", text="wing flap"),
        await search("docs", text='"wing flap" -nothing', match="web"),
        await search("docs", text="wing flap", embedding=query, per_document=2, neighbors=1),
        await search("docs", text="wing flap", embedding=query, where=F.metadata["n"] < 30),
        await search("docs", embedding=query, where=F.metadata["n"] >= 5, limit=40),
        await search(["docs", "more"], text="wing flap", embedding=query, mmr=0.5),
        *await store.chunks.search_many(
            [SearchQuery(collection=c, embedding=query, limit=3) for c in ("docs", "more")]
        ),
    ]
    with_vectors = await search("docs", embedding=query, with_embeddings=True, limit=3)
    exported = [one async for one in store.chunks.export("docs", with_embeddings=True, batch_size=50)]
    vectors = sorted((one.content, one.embedding) for one in [*with_vectors, *exported])
    return [*map(told, hits), vectors]


async def everything(store: AsyncStore, metric: Metric, dimensions: int) -> list[Any]:
    """Write and read in every way, and give what was read."""
    await store.collections.ensure("docs", model=MODEL, dimensions=dimensions, metric=metric)
    await store.collections.ensure("more", model=MODEL, dimensions=dimensions, metric=metric)
    pieces = [passage(number, dimensions) for number in range(90)]
    await store.documents.put("docs", document(1), pieces[:8])  # few rows are inserted, many are copied
    await store.documents.load("docs", [(document(2 + part), pieces[8 + part : 80 : 4]) for part in range(4)])
    await store.documents.put("more", document(1), pieces[80:])
    found = [await asked(store, dimensions)]
    many_words = " ".join(f"{word(number)} wing" for number in range(1200))  # too many weights for a page
    await store.documents.put("docs", document(1), [*pieces[2:6], chunk(many_words, dimensions=dimensions)])
    await store.documents.delete("docs", document(2).source)
    await store.documents.update("docs", document(3).source, metadata={"n": 7})
    await store.collections.analyze("docs")
    return [*found, await asked(store, dimensions)]


@pytest.mark.parametrize(
    ("metric", "dimensions", "names"),
    [
        ("cosine", DIMENSIONS, PLAIN),
        ("l2", DIMENSIONS, ODD),
        ("inner_product", DIMENSIONS, PLAIN),
        ("cosine", LARGE, ODD),
        ("l2", LARGE, PLAIN),
        ("inner_product", LARGE, PLAIN),
    ],
)
async def test_all_is_as_where_the_extension_is_visible(
    postgres_url: str,
    postgres_database: str,
    outside: Database,
    metric: Metric,
    dimensions: int,
    names: tuple[str, str],
) -> None:
    """M37: whatever the schemas are called."""
    settings = await prepared(postgres_database, outside, *names)
    async with AsyncStore.open(postgres_database, settings) as store, AsyncStore.open(postgres_url) as usual:
        assert await everything(store, metric, dimensions) == await everything(usual, metric, dimensions)


async def test_a_second_space(elsewhere: AsyncStore) -> None:
    """M37: filled, made the active one, and left again."""
    await elsewhere.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
    await elsewhere.documents.put("docs", document(), chunks(60))
    await elsewhere.spaces.begin("docs", "large", LARGE)
    await elsewhere.spaces.backfill("docs", Embedder(LARGE))
    await elsewhere.spaces.activate("docs")
    query = chunks(1)[0].content
    [hit] = await elsewhere.chunks.search("docs", embedding=vector(query, dimensions=LARGE), limit=1)
    assert hit.content == query
    await elsewhere.spaces.rollback("docs")
    [hit] = await elsewhere.chunks.search("docs", embedding=vector(query), limit=1)
    assert hit.content == query
    assert await elsewhere.spaces.reclaim("docs", older_than=0) == 1


@pytest.mark.parametrize(
    ("metric", "dimensions", "index"),
    [
        ("cosine", DIMENSIONS, {"method": "hnsw"}),
        ("l2", DIMENSIONS, {"method": "ivfflat", "lists": 2}),
        ("inner_product", DIMENSIONS, {"method": "hnsw"}),
        ("cosine", DIMENSIONS, {"quantization": "binary"}),
        ("l2", LARGE, {"method": "hnsw"}),
        ("cosine", LARGE, {"method": "ivfflat", "quantization": "binary", "lists": 2}),
    ],
)
@pytest.mark.parametrize("names", [PLAIN, ODD])
async def test_indexes(
    postgres_database: str, outside: Database, metric: Any, dimensions: int, index: Any, names: tuple[str, str]
) -> None:
    """M37: built, used by searches, measured, and built anew."""
    settings = await prepared(postgres_database, outside, *names)
    for setting in ("enable_seqscan", "enable_sort"):  # on few rows the planner would rather sort them all
        outside.execute(f"ALTER DATABASE {outside.engine.url.database} SET {setting} = off")
    async with AsyncStore.open(postgres_database, settings) as store:
        await store.collections.ensure("docs", model=MODEL, dimensions=dimensions, metric=metric)
        await store.documents.put("docs", document(), chunks(200, dimensions=dimensions))
        status = await store.spaces.create_index("docs", **index)
        assert (status.state, status.valid) == ("ready", True)
        query = vector("q", dimensions=dimensions)
        plan = await store.chunks.explain(SearchQuery(collection="docs", embedding=query))
        assert (plan.path, plan.hits) == ("approximate", 10)
        assert status.name in plan.indexes
        report = await store.spaces.measure_recall("docs", sample=5)
        assert (report.sample, report.recall > 0.5) == (5, True)
        await store.spaces.drop_index("docs")
        assert (await store.spaces.create_index("docs", **index)).valid
        assert await store.spaces.repair_indexes() == ()


# ------------------------------------------------------------------------------------- whose connection it is


async def test_a_hosts_engine(elsewhere: AsyncStore, host_engine: AsyncEngine) -> None:
    """M37: nothing is set on the host's connections; several that come first at once all learn it."""
    await elsewhere.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
    async with AsyncStore.open(host_engine) as store:

        def put(number: int) -> Any:
            return lambda: store.documents.put("docs", document(number), chunks(60, of=number))

        run_calls(await async_together(*map(put, range(4))))
        assert len(await store.chunks.search("docs", text="text", embedding=vector("q"))) == 10
        async with store.begin() as unit:
            await unit.documents.put("docs", document(9), chunks(3, of=9))
            assert len(await unit.chunks.search("docs", embedding=vector("q"), where=F.source == "doc-9.txt")) == 3
    async with host_engine.connect() as connection:
        assert (await connection.execute(text("SHOW search_path"))).scalar() == '"$user", public'


async def test_inside_the_hosts_transaction(elsewhere: AsyncStore, host_engine: AsyncEngine) -> None:
    """M37: also as the first call of all on the host's engine, and where its path has not even our tables."""
    await elsewhere.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
    async with host_engine.connect() as connection:
        await connection.execute(text("SET LOCAL search_path = pg_temp"))
        joined = elsewhere.using(connection)
        await joined.documents.put("docs", document(), chunks(60))
        assert len(await joined.chunks.search("docs", text="text", embedding=vector("q"))) == 10
        assert (await connection.execute(text("SHOW search_path"))).scalar() == "pg_temp"
        await connection.rollback()
    assert await elsewhere.documents.count("docs") == 0
    async with AsyncSession(host_engine) as session:
        await elsewhere.using(session).documents.put("docs", document(), chunks(3))
        await session.commit()
    assert len(await elsewhere.chunks.search("docs", embedding=vector("q"))) == 3


async def test_the_hosts_own_schemas_stay(elsewhere: AsyncStore, host_engine: AsyncEngine) -> None:
    """M37: a map of the host's for its own tables changes nothing."""
    await elsewhere.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
    engine = host_engine.execution_options(schema_translate_map={None: "theirs", "a": "b"})
    async with AsyncStore.open(engine) as store:
        await store.documents.put("docs", document(), chunks(60))
        assert len(await store.chunks.search("docs", text="text", embedding=vector("q"))) == 10


@pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")
async def test_behind_a_pooler(elsewhere: AsyncStore, postgres_database: str, tmp_path: Path) -> None:
    """M37: that gives each transaction another connection."""
    with pooled(postgres_database, tmp_path) as url:
        async with AsyncStore.open(url) as store:
            await store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
            await store.documents.put("docs", document(), chunks(60))
            await store.spaces.create_index("docs")

            async def search() -> Any:
                return await store.chunks.search("docs", text="text", embedding=vector("q"))

            for hits in run_calls(await async_together(*[search] * 8)):
                assert len(hits) == 10


# ------------------------------------------------------------------------------------------ how it is learnt


async def test_a_store_that_was_open_before_the_upgrade(postgres_database: str, outside: Database) -> None:
    """M37: it looks until it finds."""
    async with AsyncStore.open(postgres_database) as store:

        async def use() -> int:
            await store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
            await store.documents.put("docs", document(), chunks(3))
            return len(await store.chunks.search("docs", embedding=vector("q")))

        [error] = await async_together(use)
        assert isinstance(error, Exception)
        await prepared(postgres_database, outside)
        assert await use() == 3


async def test_it_is_asked_for_once(async_store: AsyncStore) -> None:
    """M37: by the first call on an engine, whatever the number of connections; SQLite is asked nothing."""
    kind = plain_engine(async_store.engine).dialect.name
    with watching(async_store) as seen:
        async with async_store.begin(read_only=True) as unit:
            await unit.collections.find("docs")
            await async_store.collections.find("docs")  # on a second connection
        await async_store.collections.find("docs")
    looks = [statement for statement, _ in seen if "pg_extension" in statement]
    assert len(looks) == (1 if kind == "postgresql" else 0)
