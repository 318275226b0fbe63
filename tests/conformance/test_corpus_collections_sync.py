# Generated from test_corpus_collections_async.py by tools/unasync.py: edit that file and run the tool again.
"""Collections: ensured, read, listed, deleted; their names, spaces and tenants."""

from __future__ import annotations

import pytest

from ragstore import Settings, Store
from ragstore.errors import Conflict, InvalidInput, NotFound, TenantRequired
from ragstore.testing.factories import DIMENSIONS, MODEL, chunk, chunks, document, vector
from tests.conformance.support import Database, run_calls, together


def test_ensure_makes_a_collection_once(store: Store, db: Database) -> None:
    """K-15: a collection with its space is data; a second call changes nothing."""
    made = store.collections.ensure("docs", model=MODEL, dimensions=8, language="de", metadata={"a": 1})
    assert (made.name, made.language, made.metadata) == ("docs", "de", {"a": 1})
    assert made.space is not None
    assert (made.space.model, made.space.dimensions, made.space.metric) == (MODEL, 8, "cosine")
    assert (made.space.storage, made.space.state) == ("vector", "active")
    before = db.versions()
    assert store.collections.ensure("docs", model=MODEL, dimensions=8) == made
    assert store.collections.ensure("docs") == made
    assert store.collections.ensure("docs", metadata={"other": 2}) == made
    assert db.versions() == before


def test_two_that_ensure_at_once_get_the_same(store: Store, db: Database) -> None:
    """X01: one collection and one space, whoever came first."""

    def ensure() -> object:
        return store.collections.ensure("docs", model=MODEL, dimensions=8)

    made = run_calls(together(*[ensure] * 4))
    assert made == made[:1] * 4
    assert db.counts() == {"rag_collection": 1, "rag_embedding_space": 1}


def test_a_space_can_be_added_to_a_collection_without_one(store: Store) -> None:
    """K-15: adding a model is a row."""
    bare = store.collections.ensure("docs")
    assert bare.space is None
    spaced = store.collections.ensure("docs", model=MODEL, dimensions=8, metric="l2")
    assert spaced.id == bare.id
    assert spaced.space is not None
    assert spaced.space.metric == "l2"
    assert store.collections.get("docs") == spaced


@pytest.mark.parametrize(
    "other",
    [
        {"model": "another", "dimensions": 8},
        {"model": MODEL, "dimensions": 9},
        {"model": MODEL, "dimensions": 8, "metric": "l2"},
        {"language": "fr"},
    ],
)
def test_ensure_refuses_what_is_there_otherwise(store: Store, db: Database, other: dict[str, object]) -> None:
    """K-15, V16: vectors of another model are never mixed in."""
    store.collections.ensure("docs", model=MODEL, dimensions=8, language="en")
    before = db.versions()
    with pytest.raises(Conflict):
        store.collections.ensure("docs", **other)
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
def test_an_unfit_space_is_refused(store: Store, db: Database, space: dict[str, object], field: str) -> None:
    """V04, K-15: more than 4,000 dimensions and what is no number of dimensions; nothing is stored."""
    with pytest.raises(InvalidInput) as refused:
        store.collections.ensure("docs", **space)
    assert refused.value.field == field
    assert db.counts() == {}


@pytest.mark.parametrize(("dimensions", "storage"), [(2000, "vector"), (2001, "halfvec"), (4000, "halfvec")])
def test_the_library_chooses_how_vectors_are_stored(store: Store, dimensions: int, storage: str) -> None:
    """K-15: vector to 2,000 dimensions, halfvec to 4,000; each fits its row, also beside the longest tenant."""
    tenant = store.for_tenant("t" * 64)
    made = tenant.collections.ensure("docs", model=MODEL, dimensions=dimensions)
    assert made.space is not None
    assert made.space.storage == storage
    near, far = (chunk(name, dimensions=dimensions) for name in ("near", "far"))
    report = tenant.documents.put("docs", document(), [near, far])
    assert report.embedded == 2
    hits = tenant.chunks.search("docs", embedding=vector("near", dimensions=dimensions), limit=1)
    assert [hit.content for hit in hits] == ["near"]
    assert hits[0].distance == pytest.approx(0.0, abs=1e-6 if storage == "vector" else 1e-3)


def test_get_and_find(store: Store) -> None:
    """`get` raises NotFound, `find` gives None."""
    assert store.collections.find("docs") is None
    with pytest.raises(NotFound, match="'docs'"):
        store.collections.get("docs")
    made = store.collections.ensure("docs")
    assert store.collections.get("docs") == store.collections.find("docs") == made


def test_pages_list_all_by_name(store: Store) -> None:
    """Names come in the order of their code points, each once, in pages of any size."""
    names = ["b", "a", "Z", "ä", "a-", "aa", "z"]
    for name in names:
        store.collections.ensure(name)
    found: list[str] = []
    cursor = None
    while True:
        page = store.collections.page(limit=3, cursor=cursor)
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
def test_any_name_is_only_a_name(store: Store, name: str) -> None:
    """I15: quotes, semicolons, reserved words and Unicode are stored as they are."""
    made = store.collections.ensure(name, model=MODEL, dimensions=DIMENSIONS)
    assert made.name == name
    store.documents.put(name, document(source=name * 2), [chunk("some words")])
    assert [hit.collection for hit in store.chunks.search(name, text="words")] == [name]
    assert store.documents.find(name, name * 2) is not None
    assert store.collections.delete(name)


def test_names_differ_by_case_and_by_normal_form(store: Store) -> None:
    """I15, I18: names are compared code point by code point."""
    names = ["Docs", "docs", "DOCS", "\u00e4", "a\u0308", "x" * 62 + "y", "x" * 62 + "z"]
    ids = {store.collections.ensure(name).id for name in names}
    assert len(ids) == len(names)


@pytest.mark.parametrize(
    "name", ["", " ", " docs", "docs ", "\tdocs", "a\nb", "nul\0", "x" * 64, "ä" * 32, "\ud800", None, 7, b"docs"]
)
def test_an_unfit_name_is_refused_everywhere(store: Store, db: Database, name: object) -> None:
    """I14, I15, I27: too long in bytes (a truncated name could be another's), outer space, control characters."""
    calls = [
        lambda: store.collections.ensure(name),
        lambda: store.collections.get(name),
        lambda: store.collections.find(name),
        lambda: store.collections.delete(name),
        lambda: store.collections.analyze(name),
        lambda: store.documents.put(name, document(), ["text"]),
        lambda: store.documents.find(name, "source"),
        lambda: store.documents.page(name),
        lambda: store.documents.delete(name, "source"),
        lambda: store.documents.load(name, [(document(), ["text"])]),
        lambda: store.chunks.count(name),
        lambda: store.chunks.find_by_hash(name, "text"),
        lambda: store.chunks.search(name, text="text"),
    ]
    for call in calls:
        with pytest.raises(InvalidInput) as refused:
            call()
        assert refused.value.field == "collection"
    assert db.counts() == {}


def test_delete_takes_all_that_hangs_on_it(store: Store, db: Database) -> None:
    """K-7: no row stays in any table, and the neighbour keeps its own."""
    for name in ("docs", "other"):
        store.collections.ensure(name, model=MODEL, dimensions=DIMENSIONS)
        store.documents.put(name, document(), chunks(3))
        store.collections.analyze(name)
    both = db.counts()
    assert store.collections.delete("docs") is True
    assert db.counts() == {table: count // 2 for table, count in both.items()}
    assert store.collections.delete("docs") is False
    assert len(store.chunks.search("other", text="text")) == 3
    assert store.collections.delete("other") is True
    assert db.counts() == {}


def test_analyze_counts_what_is_there(store: Store) -> None:
    """K-8: the lexical statistics are those of the collection's chunks."""
    store.collections.ensure("docs")
    store.documents.put("docs", document(), ["wing flap rudder", "wing"])
    analyzed = store.collections.analyze("docs")
    assert analyzed.analyzed_chunks == 2
    assert analyzed.average_length == pytest.approx(2.0)
    with pytest.raises(NotFound):
        store.collections.analyze("nowhere")


def test_tenants_never_see_each_other(store: Store, db: Database) -> None:
    """Tenancy, T12: the same names and sources in two tenants; each reads, lists, searches and deletes its own."""
    one, two = store.for_tenant("one"), store.for_tenant("two")
    reports = {}
    for handle, word in ((one, "first"), (two, "second")):
        handle.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS, metadata={"of": word})
        reports[word] = handle.documents.put("docs", document(), [chunk(f"a shared text, {word}")])
    for handle, mine, other in ((one, "first", "second"), (two, "second", "first")):
        hits = handle.chunks.search("docs", text="shared", embedding=vector("x"), limit=10)
        assert [hit.content for hit in hits] == [f"a shared text, {mine}"]
        assert handle.collections.get("docs").metadata == {"of": mine}
        assert handle.chunks.count("docs") == 1
        assert len(handle.collections.page()) == 1
        assert len(handle.documents.page("docs")) == 1
        assert handle.chunks.find_by_hash("docs", f"a shared text, {other}") == []
        foreign = reports[other].document_id
        with pytest.raises(NotFound):
            handle.documents.get(foreign)
        assert len(handle.chunks.page(foreign)) == 0
    foreign_chunk = (two.chunks.search("docs", text="shared"))[0].chunk_id
    before = db.versions()
    assert one.chunks.find(foreign_chunk) is None
    assert one.chunks.delete(foreign_chunk) is False
    with pytest.raises(NotFound):
        one.chunks.get(foreign_chunk)
    with pytest.raises(NotFound):
        store.chunks.search("docs", text="shared")  # the default tenant has none
    assert db.versions() == before
    assert one.collections.delete("docs") is True
    assert len(two.chunks.search("docs", text="shared")) == 1


def test_the_same_ids_may_exist_in_two_tenants(store: Store, db: Database) -> None:
    """T12: no tenant learns from a refused id that another has it."""
    store.for_tenant("one").collections.ensure("docs")
    columns = "id, name, language, metadata, salt"
    db.execute(f"INSERT INTO rag_collection (tenant_id, {columns}) SELECT 'two', {columns} FROM rag_collection")
    assert store.for_tenant("two").collections.get("docs").id == (store.for_tenant("one").collections.get("docs")).id


def test_without_a_tenant_nothing_can_be_done(database_url: str, db: Database) -> None:
    """T06: with `tenant=None` a repository without a tenant raises, and never means all."""
    with Store.open(database_url, Settings(tenant=None)) as opened:
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
                call()
        with opened.begin() as unit:
            with pytest.raises(TenantRequired):
                unit.collections.page()
        assert opened.for_tenant("one").collections.ensure("docs").name == "docs"
        for unfit in ("", " ", "t" * 65, "nul\0"):
            with pytest.raises(InvalidInput):
                opened.for_tenant(unfit)
    assert db.counts() == {"rag_collection": 1}
