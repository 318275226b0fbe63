"""Approximate indexes: built, watched, repaired, dropped, and how good they are."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ragstore import AsyncStore, Settings
from ragstore.core._face_async import sleep
from ragstore.corpus.spaces.building import _async as building
from ragstore.corpus.spaces.indexing._async import autoindex
from ragstore.errors import InvalidInput, LimitExceeded, NotFound, PermissionDenied, UsageError
from ragstore.testing.factories import MODEL, Embedder, chunks, document, vector
from tests.conformance.support import Database, async_together, run_calls, watching

pytestmark = pytest.mark.anyio

FEW = Settings(max_indexes=2, index_above=20)


@pytest.fixture
async def indexing(postgres_url: str) -> AsyncIterator[AsyncStore]:
    """Open a store that may have two indexes, and builds one by itself above 20 vectors."""
    async with AsyncStore.open(postgres_url, FEW) as store:
        yield store


@pytest.fixture
def inside(postgres_url: str) -> Any:
    """Look at the database from outside."""
    database = Database(postgres_url)
    yield database
    database.close()


async def filled(store: AsyncStore, name: str = "docs", *, each: int = 60, **space: Any) -> None:
    """Make a collection with vectors."""
    fields = {"model": MODEL, "dimensions": 8, **space}
    await store.collections.ensure(name, **fields)
    await store.documents.put(name, document(), chunks(each, dimensions=fields["dimensions"]))


def indexes(db: Database) -> list[str]:
    """Give the definitions of the approximate indexes."""
    found = db.execute("SELECT indexdef FROM pg_indexes WHERE indexname LIKE 'ann_%' ORDER BY indexname")
    return [row[0] for row in found]


# ---------------------------------------------------------------------------------------- K-17, building


@pytest.mark.parametrize(
    ("space", "asked", "expression"),
    [
        ({}, {}, "USING hnsw (((dense)::vector(8)) vector_cosine_ops) WITH (m='16', ef_construction='64')"),
        (
            {"metric": "l2"},
            {"m": 8, "ef_construction": 16},
            "vector(8)) vector_l2_ops) WITH (m='8', ef_construction='16')",
        ),
        ({"metric": "inner_product"}, {}, "(((dense)::vector(8)) vector_ip_ops)"),
        (
            {},
            {"method": "ivfflat", "lists": 3},
            "USING ivfflat (((dense)::vector(8)) vector_cosine_ops) WITH (lists='3')",
        ),
        ({}, {"method": "ivfflat"}, "WITH (lists='10')"),
        ({}, {"quantization": "binary"}, "(((binary_quantize((dense)::vector(8)))::bit(8)) bit_hamming_ops)"),
        ({}, {"quantization": "binary", "method": "ivfflat"}, "USING ivfflat (((binary_quantize("),
        ({"dimensions": 2001}, {}, "(((half)::halfvec(2001)) halfvec_cosine_ops)"),
        ({"dimensions": 2001}, {"quantization": "binary"}, "(((binary_quantize((half)::halfvec(2001)))::bit(2001))"),
    ],
)
async def test_an_index_is_built(
    indexing: AsyncStore, inside: Database, space: Any, asked: Any, expression: str
) -> None:
    """K-17: the expression and the condition are those that a search repeats."""
    await filled(indexing, each=12, **space)
    status = await indexing.spaces.create_index("docs", **asked)
    (definition,) = indexes(inside)
    assert expression in definition
    assert definition.endswith(f"WHERE (space_id = '{status.space_id}'::uuid)")
    assert (status.state, status.valid, status.rows) == ("ready", True, 12)
    assert status.method == asked.get("method", "hnsw")
    assert status.quantization == asked.get("quantization", "none")
    assert status.name == f"ann_{status.space_id.hex}"
    assert status.size_bytes > 0
    stored = (await indexing.collections.get("docs")).space
    assert stored is not None
    assert (stored.index_state, stored.index_method, stored.quantization) == (
        "ready",
        status.method,
        status.quantization,
    )
    assert await indexing.spaces.index_status("docs") == status


async def test_the_planner_uses_the_index(indexing: AsyncStore, inside: Database) -> None:
    """K-17: checked with the planner's own EXPLAIN."""
    await filled(indexing)
    status = await indexing.spaces.create_index("docs")
    inside.execute("SET enable_seqscan = off")
    inside.execute("SET enable_sort = off")
    plan = inside.execute(
        f"EXPLAIN SELECT chunk_id FROM rag_embedding WHERE space_id = '{status.space_id}'"
        f" ORDER BY CAST(dense AS vector(8)) <=> CAST('{vector('x')}' AS vector) LIMIT 5"
    )
    assert f"Index Scan using {status.name}" in str(plan)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"method": "btree"}, "method"),
        ({"quantization": "scalar"}, "quantization"),
        ({"m": 1}, "m"),
        ({"m": 101}, "m"),
        ({"ef_construction": 3}, "ef_construction"),
        ({"ef_construction": 1001}, "ef_construction"),
        ({"m": 40, "ef_construction": 79}, "ef_construction"),
        ({"method": "ivfflat", "lists": 0}, "lists"),
        ({"method": "ivfflat", "lists": 32_769}, "lists"),
    ],
)
async def test_values_that_pgvector_refuses(indexing: AsyncStore, asked: Any, field: str) -> None:
    """K-17: before any SQL."""
    with watching(indexing) as seen, pytest.raises(InvalidInput) as raised:
        await indexing.spaces.create_index("docs", **asked)
    assert raised.value.field == field
    assert seen == []


async def test_an_index_that_is_there_stays(indexing: AsyncStore, inside: Database) -> None:
    """K-17: built once, until something else is asked for."""
    await filled(indexing)
    await indexing.spaces.create_index("docs")
    oid = inside.scalar("SELECT oid FROM pg_class WHERE relname LIKE 'ann_%'")
    await indexing.spaces.create_index("docs")
    assert inside.scalar("SELECT oid FROM pg_class WHERE relname LIKE 'ann_%'") == oid
    status = await indexing.spaces.create_index("docs", m=8)
    assert status.options == {"m": 8, "ef_construction": 64}
    assert len(indexes(inside)) == 1
    assert await indexing.spaces.drop_index("docs")
    assert not await indexing.spaces.drop_index("docs")
    status = await indexing.spaces.index_status("docs")
    assert (status.name, status.method, status.state, status.valid) == (None, "none", "none", False)
    assert indexes(inside) == []


async def test_two_that_build_at_once_build_once(indexing: AsyncStore) -> None:
    """K-17: the second waits for the first one's index."""
    await filled(indexing)

    async def build() -> Any:
        return await indexing.spaces.create_index("docs")

    with watching(indexing) as seen:
        statuses = run_calls(await async_together(*[build] * 3))
    assert [status.state for status in statuses] == ["ready"] * 3
    assert sum(statement.startswith("CREATE INDEX") for statement, _ in seen) == 1


async def test_progress_is_told(indexing: AsyncStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """K-17: from the server's own figures, while the build runs."""
    monkeypatch.setattr(building, "LOOK_EVERY", 0.02)
    await filled(indexing, each=1500, dimensions=64)
    told: list[tuple[str, int, int]] = []
    await indexing.spaces.create_index(
        "docs", ef_construction=200, progress=lambda phase, done, total: told.append((phase, done, total))
    )
    assert any(phase.startswith("building index") and 0 < done <= total for phase, done, total in told)


async def test_others_write_while_an_index_is_built(indexing: AsyncStore, inside: Database) -> None:
    """K-17: a build holds nobody up."""
    await filled(indexing)
    running = "SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database()"
    inside.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")  # the build cannot end before this does
    inside.execute("SELECT 1")

    async def build() -> Any:
        return await indexing.spaces.create_index("docs")

    async def write() -> Any:
        try:
            with contextlib.closing(Database(inside.url)) as others:
                while not others.scalar(running):
                    await sleep(0.01)
                await indexing.documents.put("docs", document(2), chunks(5, of=2))
                return others.scalar(running)
        finally:
            inside.execute("ROLLBACK")

    status, still_building = run_calls(await async_together(build, write))
    assert still_building == 1
    assert status.state == "ready"


async def test_the_number_of_indexes_is_bounded(indexing: AsyncStore) -> None:
    """K-17: each is looked at by every query's planner; building one anew is none more."""
    for name in ("a", "b", "c"):
        await filled(indexing, name, each=3)
    await indexing.spaces.create_index("a")
    await indexing.spaces.create_index("b")
    with pytest.raises(LimitExceeded, match="max_indexes"):
        await indexing.spaces.create_index("c")
    await indexing.spaces.create_index("b", m=4)
    other = indexing.for_tenant("other")
    await filled(other, each=3)
    with pytest.raises(LimitExceeded):
        await other.spaces.create_index("docs")
    await indexing.spaces.drop_index("a")
    assert (await indexing.spaces.create_index("c")).state == "ready"


async def test_of_two_last_ones_at_once_one_is_refused(indexing: AsyncStore) -> None:
    """K-17: the bound holds for those that build at the same time."""
    for name in ("a", "b", "c"):
        await filled(indexing, name, each=3)
    await indexing.spaces.create_index("a")

    def build(name: str) -> Any:
        return lambda: indexing.spaces.create_index(name)

    results = await async_together(build("b"), build("c"))
    assert sorted(type(result).__name__ for result in results) == ["IndexStatus", "LimitExceeded"]


# ---------------------------------------------------------------------------------------- K-17, repairing


async def leave_invalid(store: AsyncStore, db: Database) -> None:
    """Leave behind what a failed build leaves: an index that the database does not take for complete."""
    await store.spaces.create_index("docs")
    db.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid::regclass::text LIKE '%ann_%'")
    db.execute("UPDATE rag_embedding_space SET index_state = 'invalid'")


async def test_an_invalid_index_is_built_anew(indexing: AsyncStore, inside: Database) -> None:
    """K-17: by the next call."""
    await filled(indexing)
    await leave_invalid(indexing, inside)
    status = await indexing.spaces.index_status("docs")
    assert (status.state, status.valid) == ("invalid", False)
    assert (await indexing.spaces.create_index("docs")).valid


async def test_repair_mends_everything(indexing: AsyncStore, inside: Database) -> None:
    """K-17: what is invalid or gone is built anew, what is complete is recorded, what nobody needs is dropped."""
    await filled(indexing)
    assert await indexing.spaces.repair_indexes() == ()
    await leave_invalid(indexing, inside)
    assert [status.state for status in await indexing.spaces.repair_indexes()] == ["ready"]
    assert await indexing.spaces.repair_indexes() == ()
    inside.execute("UPDATE rag_embedding_space SET index_state = 'building'")  # its builder was killed at the end
    assert [status.state for status in await indexing.spaces.repair_indexes()] == ["ready"]
    assert [space.index_state for space in await indexing.spaces.list("docs")] == ["ready"]
    status = await indexing.spaces.index_status("docs")
    inside.execute(f"DROP INDEX {status.name}")
    (repaired,) = await indexing.spaces.repair_indexes()
    assert (repaired.state, repaired.options) == ("ready", {"m": 16, "ef_construction": 64})


async def test_a_dead_builders_claim_is_taken_over(indexing: AsyncStore, inside: Database) -> None:
    """K-17: its process was killed before the build began."""
    await filled(indexing)
    inside.execute("UPDATE rag_embedding_space SET index_state = 'building', index_method = 'hnsw'")
    assert (await indexing.spaces.index_status("docs")).state == "building"
    assert (await indexing.spaces.create_index("docs")).state == "ready"


async def test_a_failed_build_is_recorded(indexing: AsyncStore, inside: Database) -> None:
    """K-17: the error comes through, searches go on, and the next call builds."""
    await filled(indexing)
    inside.execute("ALTER TABLE rag_embedding RENAME COLUMN dense TO hidden")
    with pytest.raises(Exception, match="dense"):
        await indexing.spaces.create_index("docs")
    inside.execute("ALTER TABLE rag_embedding RENAME COLUMN hidden TO dense")
    assert (await indexing.spaces.index_status("docs")).state == "none"
    assert len(await indexing.chunks.search("docs", embedding=vector("x"))) == 10
    assert (await indexing.spaces.create_index("docs")).state == "ready"


# ---------------------------------------------------------------------------------------- K-17, dropping


async def test_an_index_goes_with_its_space(indexing: AsyncStore, inside: Database) -> None:
    """K-17: by reclaim, by abandon, and with the collection."""
    await filled(indexing)
    await indexing.spaces.create_index("docs")
    space = await indexing.spaces.begin("docs", "new", 8)
    await indexing.spaces.create_index("docs", space=space.id)
    await indexing.spaces.abandon("docs")
    assert len(indexes(inside)) == 1
    await indexing.spaces.begin("docs", "new", 8)
    await indexing.spaces.backfill("docs", Embedder(8))
    await indexing.spaces.activate("docs")
    assert await indexing.spaces.reclaim("docs", older_than=0) == 1
    assert indexes(inside) == []
    await indexing.spaces.create_index("docs")
    await indexing.collections.delete("docs")
    assert indexes(inside) == []


async def test_a_collection_deleted_in_a_unit_leaves_its_index(indexing: AsyncStore, inside: Database) -> None:
    """K-17: an index cannot be dropped inside a transaction without locking everybody out."""
    await filled(indexing)
    await filled(indexing, "kept")
    await indexing.spaces.create_index("docs")
    await indexing.spaces.create_index("kept")
    async with indexing.begin() as unit:
        await unit.collections.delete("docs")
        with pytest.raises(UsageError):
            await unit.spaces.drop_unused_indexes()
    assert len(indexes(inside)) == 2
    assert await indexing.spaces.drop_unused_indexes() == 1
    assert await indexing.spaces.drop_unused_indexes() == 0
    assert (await indexing.spaces.index_status("kept")).state == "ready"


# ---------------------------------------------------------------------------------------- K-17, by itself


async def test_an_index_is_built_above_a_number_of_vectors(indexing: AsyncStore, inside: Database) -> None:
    """K-17: once, and not below it."""
    await filled(indexing, each=20)
    assert await indexing.spaces.ensure_index("docs") is None
    await indexing.documents.put("docs", document(2), chunks(1, of=2))
    status = await indexing.spaces.ensure_index("docs")
    assert status is not None
    assert (status.method, status.state) == ("hnsw", "ready")
    assert await indexing.spaces.ensure_index("docs") is None
    await filled(indexing, "bare", each=1)
    assert await indexing.spaces.ensure_index("absent") is None
    assert len(indexes(inside)) == 1


async def test_a_role_without_the_right_loads_all_the_same(
    indexing: AsyncStore, inside: Database, postgres_url: str
) -> None:
    """K-17: that it may not build an index is said, not raised."""
    await filled(indexing)
    role = f"writer_{inside.scalar('SELECT current_database()')}"
    inside.execute(f"CREATE ROLE {role} LOGIN")
    try:
        inside.execute(f"GRANT USAGE ON SCHEMA ragstore TO {role}")
        inside.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ragstore TO {role}")
        from sqlalchemy import make_url

        url = make_url(postgres_url).set(username=role)
        async with AsyncStore.open(url, FEW) as store:
            with pytest.raises(PermissionDenied):
                await store.spaces.create_index("docs")
            problem = await autoindex(store._access, "docs")
            assert isinstance(problem, PermissionDenied)
            assert (await store.spaces.index_status("docs")).state == "none"
            assert len(await store.chunks.search("docs", embedding=vector("x"))) == 10
        assert await autoindex(indexing._access, "docs") is None
        assert (await indexing.spaces.index_status("docs")).state == "ready"
    finally:
        inside.execute(f"DROP OWNED BY {role}")
        inside.execute(f"DROP ROLE {role}")


async def test_inside_a_unit(indexing: AsyncStore) -> None:
    """K-17: an index is built outside any transaction."""
    await filled(indexing)
    async with indexing.begin() as unit:
        with pytest.raises(UsageError, match="create_index"):
            await unit.spaces.create_index("docs")
        with pytest.raises(UsageError, match="drop_index"):
            await unit.spaces.drop_index("docs")
        with pytest.raises(UsageError):
            await unit.spaces.repair_indexes()
        assert (await unit.spaces.index_status("docs")).state == "none"
        assert await autoindex(unit._access, "docs") is None


async def test_without_such_indexes_every_search_is_exact(sqlite_database: str) -> None:
    """K-17, K-18: SQLite says so."""
    async with AsyncStore.open(sqlite_database, FEW) as store:
        await filled(store)
        for call in (store.spaces.create_index, store.spaces.drop_index):
            with pytest.raises(UsageError, match="exact"):
                await call("docs")
        with pytest.raises(UsageError, match="exact"):
            await store.spaces.repair_indexes()
        assert await store.spaces.ensure_index("docs") is None
        assert await store.spaces.drop_unused_indexes() == 0
        status = await store.spaces.index_status("docs")
        assert (status.name, status.state, status.rows) == (None, "none", 60)
        report = await store.spaces.measure_recall("docs")
        assert (report.recall, report.effort, report.measured) == (1.0, None, ())


# ---------------------------------------------------------------------------------------- K-18, recall


async def test_effort_is_set(async_store: AsyncStore) -> None:
    """K-18: for the active space; None is the library's choice again."""
    await filled(async_store)
    assert (await async_store.spaces.set_effort("docs", 200)).search_effort == 200
    stored = (await async_store.collections.get("docs")).space
    assert stored is not None
    assert stored.search_effort == 200
    assert (await async_store.spaces.set_effort("docs", None)).search_effort is None
    for wrong in (0, 1001):
        with pytest.raises(InvalidInput):
            await async_store.spaces.set_effort("docs", wrong)
    with pytest.raises(NotFound):
        await async_store.spaces.set_effort("absent", 10)


async def test_recall_without_an_index(async_store: AsyncStore) -> None:
    """K-18: every search is exact."""
    await filled(async_store)
    report = await async_store.spaces.measure_recall("docs")
    assert (report.recall, report.effort, report.wanted_effort, report.measured) == (1.0, None, None, ())


async def test_recall_grows_with_effort(indexing: AsyncStore) -> None:
    """K-18: the table shows it, and names the least effort that reaches what is wanted."""
    await filled(indexing, each=800, dimensions=32)
    await indexing.spaces.create_index("docs", method="ivfflat", lists=40)
    await indexing.spaces.set_effort("docs", 2)
    report = await indexing.spaces.measure_recall("docs", sample=30, wanted=0.99)
    assert (report.sample, report.limit, report.effort) == (30, 10, 2)
    recalls = {point.effort: point.recall for point in report.measured}
    assert list(recalls) == sorted(recalls)
    assert report.recall == recalls[2] < 0.9
    assert report.wanted_effort is not None
    assert recalls[report.wanted_effort] >= 0.99
    assert all(recall < 0.99 for effort, recall in recalls.items() if effort < report.wanted_effort)
    assert all(point.p50_ms > 0 for point in report.measured)
    await indexing.spaces.set_effort("docs", report.wanted_effort)
    assert (await indexing.spaces.measure_recall("docs", sample=30)).recall >= 0.95


async def test_all_lists_give_all(indexing: AsyncStore) -> None:
    """K-18: an index that looks at everything has recall 1, so the meter itself loses nothing."""
    await filled(indexing, each=300, dimensions=32)
    await indexing.spaces.create_index("docs", method="ivfflat", lists=5)
    await indexing.spaces.set_effort("docs", 5)
    assert (await indexing.spaces.measure_recall("docs", sample=50)).recall == 1.0


async def test_recall_of_one_bit_a_component(indexing: AsyncStore) -> None:
    """K-15, K-18: the candidates are ranked by their whole vectors."""
    await filled(indexing, each=400, dimensions=64)
    await indexing.spaces.create_index("docs", quantization="binary")
    report = await indexing.spaces.measure_recall("docs", sample=30)
    assert 0.5 < report.recall <= 1.0
    assert report.effort == 200


async def test_equal_vectors_count_as_found(indexing: AsyncStore) -> None:
    """K-18: of a hundred equal ones, any ten will do."""
    await indexing.collections.ensure("docs", model=MODEL, dimensions=3)
    texts = [f"text {number}" for number in range(100)]
    await indexing.documents.put("docs", document(), texts, embed=lambda some: [[1.0, 0.0, 0.0] for _ in some])
    await indexing.spaces.create_index("docs")
    assert (await indexing.spaces.measure_recall("docs", sample=10)).recall == 1.0


@pytest.mark.parametrize("values", [{"sample": 0}, {"sample": 1001}, {"limit": 0}, {"limit": 101}, {"wanted": 0.0}])
async def test_what_cannot_be_measured(async_store: AsyncStore, values: Any) -> None:
    await filled(async_store, each=1)
    with pytest.raises(InvalidInput):
        await async_store.spaces.measure_recall("docs", **values)
