# Generated from test_space_indexes_async.py by tools/unasync.py: edit that file and run the tool again.
"""Approximate indexes: built, watched, repaired, dropped, and how good they are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from ragstore import Settings, Store
from ragstore.core._face_sync import sleep
from ragstore.corpus.spaces.building import _sync as building
from ragstore.corpus.spaces.indexing._sync import autoindex
from ragstore.errors import InvalidInput, LimitExceeded, NotFound, PermissionDenied, UsageError
from ragstore.testing.factories import MODEL, Embedder, chunks, document, vector
from tests.conformance.support import Database, run_calls, together, watching

FEW = Settings(max_indexes=2, index_above=20)


@pytest.fixture
def indexing(postgres_url: str) -> Iterator[Store]:
    """Open a store that may have two indexes, and builds one by itself above 20 vectors."""
    with Store.open(postgres_url, FEW) as store:
        yield store


@pytest.fixture
def inside(postgres_url: str) -> Any:
    """Look at the database from outside."""
    database = Database(postgres_url)
    yield database
    database.close()


def filled(store: Store, name: str = "docs", *, each: int = 60, **space: Any) -> None:
    """Make a collection with vectors."""
    fields = {"model": MODEL, "dimensions": 8, **space}
    store.collections.ensure(name, **fields)
    store.documents.put(name, document(), chunks(each, dimensions=fields["dimensions"]))


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
def test_an_index_is_built(indexing: Store, inside: Database, space: Any, asked: Any, expression: str) -> None:
    """K-17: the expression and the condition are those that a search repeats."""
    filled(indexing, each=12, **space)
    status = indexing.spaces.create_index("docs", **asked)
    (definition,) = indexes(inside)
    assert expression in definition
    assert definition.endswith(f"WHERE (space_id = '{status.space_id}'::uuid)")
    assert (status.state, status.valid, status.rows) == ("ready", True, 12)
    assert status.method == asked.get("method", "hnsw")
    assert status.quantization == asked.get("quantization", "none")
    assert status.name == f"ann_{status.space_id.hex}"
    assert status.size_bytes > 0
    stored = indexing.collections.get("docs").space
    assert stored is not None
    assert (stored.index_state, stored.index_method, stored.quantization) == (
        "ready",
        status.method,
        status.quantization,
    )
    assert indexing.spaces.index_status("docs") == status


def test_the_planner_uses_the_index(indexing: Store, inside: Database) -> None:
    """K-17: checked with the planner's own EXPLAIN."""
    filled(indexing)
    status = indexing.spaces.create_index("docs")
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
def test_values_that_pgvector_refuses(indexing: Store, asked: Any, field: str) -> None:
    """K-17: before any SQL."""
    with watching(indexing) as seen, pytest.raises(InvalidInput) as raised:
        indexing.spaces.create_index("docs", **asked)
    assert raised.value.field == field
    assert seen == []


def test_an_index_that_is_there_stays(indexing: Store, inside: Database) -> None:
    """K-17: built once, until something else is asked for."""
    filled(indexing)
    indexing.spaces.create_index("docs")
    oid = inside.scalar("SELECT oid FROM pg_class WHERE relname LIKE 'ann_%'")
    indexing.spaces.create_index("docs")
    assert inside.scalar("SELECT oid FROM pg_class WHERE relname LIKE 'ann_%'") == oid
    status = indexing.spaces.create_index("docs", m=8)
    assert status.options == {"m": 8, "ef_construction": 64}
    assert len(indexes(inside)) == 1
    assert indexing.spaces.drop_index("docs")
    assert not indexing.spaces.drop_index("docs")
    status = indexing.spaces.index_status("docs")
    assert (status.name, status.method, status.state, status.valid) == (None, "none", "none", False)
    assert indexes(inside) == []


def test_two_that_build_at_once_build_once(indexing: Store) -> None:
    """K-17: the second waits for the first one's index."""
    filled(indexing)

    def build() -> Any:
        return indexing.spaces.create_index("docs")

    with watching(indexing) as seen:
        statuses = run_calls(together(*[build] * 3))
    assert [status.state for status in statuses] == ["ready"] * 3
    assert sum(statement.startswith("CREATE INDEX") for statement, _ in seen) == 1


def test_progress_is_told(indexing: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """K-17: from the server's own figures, while the build runs."""
    monkeypatch.setattr(building, "LOOK_EVERY", 0.02)
    filled(indexing, each=1500, dimensions=64)
    told: list[tuple[str, int, int]] = []
    indexing.spaces.create_index(
        "docs", ef_construction=200, progress=lambda phase, done, total: told.append((phase, done, total))
    )
    assert any(phase.startswith("building index") and 0 < done <= total for phase, done, total in told)


def test_others_write_while_an_index_is_built(indexing: Store, inside: Database) -> None:
    """K-17: a build holds nobody up."""
    filled(indexing)
    running = "SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database()"
    inside.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")  # the build cannot end before this does
    inside.execute("SELECT 1")

    def build() -> Any:
        return indexing.spaces.create_index("docs")

    def write() -> Any:
        try:
            with contextlib.closing(Database(inside.url)) as others:
                while not others.scalar(running):
                    sleep(0.01)
                indexing.documents.put("docs", document(2), chunks(5, of=2))
                return others.scalar(running)
        finally:
            inside.execute("ROLLBACK")

    status, still_building = run_calls(together(build, write))
    assert still_building == 1
    assert status.state == "ready"


def test_the_number_of_indexes_is_bounded(indexing: Store) -> None:
    """K-17: each is looked at by every query's planner; building one anew is none more."""
    for name in ("a", "b", "c"):
        filled(indexing, name, each=3)
    indexing.spaces.create_index("a")
    indexing.spaces.create_index("b")
    with pytest.raises(LimitExceeded, match="max_indexes"):
        indexing.spaces.create_index("c")
    indexing.spaces.create_index("b", m=4)
    other = indexing.for_tenant("other")
    filled(other, each=3)
    with pytest.raises(LimitExceeded):
        other.spaces.create_index("docs")
    indexing.spaces.drop_index("a")
    assert indexing.spaces.create_index("c").state == "ready"


def test_of_two_last_ones_at_once_one_is_refused(indexing: Store) -> None:
    """K-17: the bound holds for those that build at the same time."""
    for name in ("a", "b", "c"):
        filled(indexing, name, each=3)
    indexing.spaces.create_index("a")

    def build(name: str) -> Any:
        return lambda: indexing.spaces.create_index(name)

    results = together(build("b"), build("c"))
    assert sorted(type(result).__name__ for result in results) == ["IndexStatus", "LimitExceeded"]


# ---------------------------------------------------------------------------------------- K-17, repairing


def leave_invalid(store: Store, db: Database) -> None:
    """Leave behind what a failed build leaves: an index that the database does not take for complete."""
    store.spaces.create_index("docs")
    db.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid::regclass::text LIKE '%ann_%'")
    db.execute("UPDATE rag_embedding_space SET index_state = 'invalid'")


def test_an_invalid_index_is_built_anew(indexing: Store, inside: Database) -> None:
    """K-17: by the next call."""
    filled(indexing)
    leave_invalid(indexing, inside)
    status = indexing.spaces.index_status("docs")
    assert (status.state, status.valid) == ("invalid", False)
    assert indexing.spaces.create_index("docs").valid


def test_repair_mends_everything(indexing: Store, inside: Database) -> None:
    """K-17: what is invalid or gone is built anew, what is complete is recorded, what nobody needs is dropped."""
    filled(indexing)
    assert indexing.spaces.repair_indexes() == ()
    leave_invalid(indexing, inside)
    assert [status.state for status in indexing.spaces.repair_indexes()] == ["ready"]
    assert indexing.spaces.repair_indexes() == ()
    inside.execute("UPDATE rag_embedding_space SET index_state = 'building'")  # its builder was killed at the end
    assert [status.state for status in indexing.spaces.repair_indexes()] == ["ready"]
    assert [space.index_state for space in indexing.spaces.list("docs")] == ["ready"]
    status = indexing.spaces.index_status("docs")
    inside.execute(f"DROP INDEX {status.name}")
    (repaired,) = indexing.spaces.repair_indexes()
    assert (repaired.state, repaired.options) == ("ready", {"m": 16, "ef_construction": 64})


def test_a_dead_builders_claim_is_taken_over(indexing: Store, inside: Database) -> None:
    """K-17: its process was killed before the build began."""
    filled(indexing)
    inside.execute("UPDATE rag_embedding_space SET index_state = 'building', index_method = 'hnsw'")
    assert indexing.spaces.index_status("docs").state == "building"
    assert indexing.spaces.create_index("docs").state == "ready"


def test_a_failed_build_is_recorded(indexing: Store, inside: Database) -> None:
    """K-17: the error comes through, searches go on, and the next call builds."""
    filled(indexing)
    inside.execute("ALTER TABLE rag_embedding RENAME COLUMN dense TO hidden")
    with pytest.raises(Exception, match="dense"):
        indexing.spaces.create_index("docs")
    inside.execute("ALTER TABLE rag_embedding RENAME COLUMN hidden TO dense")
    assert indexing.spaces.index_status("docs").state == "none"
    assert len(indexing.chunks.search("docs", embedding=vector("x"))) == 10
    assert indexing.spaces.create_index("docs").state == "ready"


# ---------------------------------------------------------------------------------------- K-17, dropping


def test_an_index_goes_with_its_space(indexing: Store, inside: Database) -> None:
    """K-17: by reclaim, by abandon, and with the collection."""
    filled(indexing)
    indexing.spaces.create_index("docs")
    space = indexing.spaces.begin("docs", "new", 8)
    indexing.spaces.create_index("docs", space=space.id)
    indexing.spaces.abandon("docs")
    assert len(indexes(inside)) == 1
    indexing.spaces.begin("docs", "new", 8)
    indexing.spaces.backfill("docs", Embedder(8))
    indexing.spaces.activate("docs")
    assert indexing.spaces.reclaim("docs", older_than=0) == 1
    assert indexes(inside) == []
    indexing.spaces.create_index("docs")
    indexing.collections.delete("docs")
    assert indexes(inside) == []


def test_a_collection_deleted_in_a_unit_leaves_its_index(indexing: Store, inside: Database) -> None:
    """K-17: an index cannot be dropped inside a transaction without locking everybody out."""
    filled(indexing)
    filled(indexing, "kept")
    indexing.spaces.create_index("docs")
    indexing.spaces.create_index("kept")
    with indexing.begin() as unit:
        unit.collections.delete("docs")
        with pytest.raises(UsageError):
            unit.spaces.drop_unused_indexes()
    assert len(indexes(inside)) == 2
    assert indexing.spaces.drop_unused_indexes() == 1
    assert indexing.spaces.drop_unused_indexes() == 0
    assert indexing.spaces.index_status("kept").state == "ready"


# ---------------------------------------------------------------------------------------- K-17, by itself


def test_an_index_is_built_above_a_number_of_vectors(indexing: Store, inside: Database) -> None:
    """K-17: once, and not below it."""
    filled(indexing, each=20)
    assert indexing.spaces.ensure_index("docs") is None
    indexing.documents.put("docs", document(2), chunks(1, of=2))
    status = indexing.spaces.ensure_index("docs")
    assert status is not None
    assert (status.method, status.state) == ("hnsw", "ready")
    assert indexing.spaces.ensure_index("docs") is None
    filled(indexing, "bare", each=1)
    assert indexing.spaces.ensure_index("absent") is None
    assert len(indexes(inside)) == 1


def test_a_role_without_the_right_loads_all_the_same(indexing: Store, inside: Database, postgres_url: str) -> None:
    """K-17: that it may not build an index is said, not raised."""
    filled(indexing)
    role = f"writer_{inside.scalar('SELECT current_database()')}"
    inside.execute(f"CREATE ROLE {role} LOGIN")
    try:
        inside.execute(f"GRANT USAGE ON SCHEMA ragstore TO {role}")
        inside.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ragstore TO {role}")
        from sqlalchemy import make_url

        url = make_url(postgres_url).set(username=role)
        with Store.open(url, FEW) as store:
            with pytest.raises(PermissionDenied):
                store.spaces.create_index("docs")
            problem = autoindex(store._access, "docs")
            assert isinstance(problem, PermissionDenied)
            assert store.spaces.index_status("docs").state == "none"
            assert len(store.chunks.search("docs", embedding=vector("x"))) == 10
        assert autoindex(indexing._access, "docs") is None
        assert indexing.spaces.index_status("docs").state == "ready"
    finally:
        inside.execute(f"DROP OWNED BY {role}")
        inside.execute(f"DROP ROLE {role}")


def test_inside_a_unit(indexing: Store) -> None:
    """K-17: an index is built outside any transaction."""
    filled(indexing)
    with indexing.begin() as unit:
        with pytest.raises(UsageError, match="create_index"):
            unit.spaces.create_index("docs")
        with pytest.raises(UsageError, match="drop_index"):
            unit.spaces.drop_index("docs")
        with pytest.raises(UsageError):
            unit.spaces.repair_indexes()
        assert unit.spaces.index_status("docs").state == "none"
        assert autoindex(unit._access, "docs") is None


def test_without_such_indexes_every_search_is_exact(sqlite_database: str) -> None:
    """K-17, K-18: SQLite says so."""
    with Store.open(sqlite_database, FEW) as store:
        filled(store)
        for call in (store.spaces.create_index, store.spaces.drop_index):
            with pytest.raises(UsageError, match="exact"):
                call("docs")
        with pytest.raises(UsageError, match="exact"):
            store.spaces.repair_indexes()
        assert store.spaces.ensure_index("docs") is None
        assert store.spaces.drop_unused_indexes() == 0
        status = store.spaces.index_status("docs")
        assert (status.name, status.state, status.rows) == (None, "none", 60)
        report = store.spaces.measure_recall("docs")
        assert (report.recall, report.effort, report.measured) == (1.0, None, ())


# ---------------------------------------------------------------------------------------- K-18, recall


def test_effort_is_set(store: Store) -> None:
    """K-18: for the active space; None is the library's choice again."""
    filled(store)
    assert store.spaces.set_effort("docs", 200).search_effort == 200
    stored = store.collections.get("docs").space
    assert stored is not None
    assert stored.search_effort == 200
    assert store.spaces.set_effort("docs", None).search_effort is None
    for wrong in (0, 1001):
        with pytest.raises(InvalidInput):
            store.spaces.set_effort("docs", wrong)
    with pytest.raises(NotFound):
        store.spaces.set_effort("absent", 10)


def test_recall_without_an_index(store: Store) -> None:
    """K-18: every search is exact."""
    filled(store)
    report = store.spaces.measure_recall("docs")
    assert (report.recall, report.effort, report.wanted_effort, report.measured) == (1.0, None, None, ())


def test_recall_grows_with_effort(indexing: Store) -> None:
    """K-18: the table shows it, and names the least effort that reaches what is wanted."""
    filled(indexing, each=800, dimensions=32)
    indexing.spaces.create_index("docs", method="ivfflat", lists=40)
    indexing.spaces.set_effort("docs", 2)
    report = indexing.spaces.measure_recall("docs", sample=30, wanted=0.99)
    assert (report.sample, report.limit, report.effort) == (30, 10, 2)
    recalls = {point.effort: point.recall for point in report.measured}
    assert list(recalls) == sorted(recalls)
    assert report.recall == recalls[2] < 0.9
    assert report.wanted_effort is not None
    assert recalls[report.wanted_effort] >= 0.99
    assert all(recall < 0.99 for effort, recall in recalls.items() if effort < report.wanted_effort)
    assert all(point.p50_ms > 0 for point in report.measured)
    indexing.spaces.set_effort("docs", report.wanted_effort)
    assert indexing.spaces.measure_recall("docs", sample=30).recall >= 0.95


def test_all_lists_give_all(indexing: Store) -> None:
    """K-18: an index that looks at everything has recall 1, so the meter itself loses nothing."""
    filled(indexing, each=300, dimensions=32)
    indexing.spaces.create_index("docs", method="ivfflat", lists=5)
    indexing.spaces.set_effort("docs", 5)
    assert indexing.spaces.measure_recall("docs", sample=50).recall == 1.0


def test_recall_of_one_bit_a_component(indexing: Store) -> None:
    """K-15, K-18: the candidates are ranked by their whole vectors."""
    filled(indexing, each=400, dimensions=64)
    indexing.spaces.create_index("docs", quantization="binary")
    report = indexing.spaces.measure_recall("docs", sample=30)
    assert 0.5 < report.recall <= 1.0
    assert report.effort == 200


def test_equal_vectors_count_as_found(indexing: Store) -> None:
    """K-18: of a hundred equal ones, any ten will do."""
    indexing.collections.ensure("docs", model=MODEL, dimensions=3)
    texts = [f"text {number}" for number in range(100)]
    indexing.documents.put("docs", document(), texts, embed=lambda some: [[1.0, 0.0, 0.0] for _ in some])
    indexing.spaces.create_index("docs")
    assert indexing.spaces.measure_recall("docs", sample=10).recall == 1.0


@pytest.mark.parametrize("values", [{"sample": 0}, {"sample": 1001}, {"limit": 0}, {"limit": 101}, {"wanted": 0.0}])
def test_what_cannot_be_measured(store: Store, values: Any) -> None:
    filled(store, each=1)
    with pytest.raises(InvalidInput):
        store.spaces.measure_recall("docs", **values)
