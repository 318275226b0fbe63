"""Filters against their meaning in plain Python, and both databases against each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragstore import F, Filter, NewChunk, NewDocument, Store
from ragstore.corpus.filters import Condition, Every, Not, Some
from ragstore.testing.factories import vector
from ragstore.testing.strategies import any_texts, filters, metadata

MISSING = object()
EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


# ------------------------------------------------------------------------------------- the meaning, in plain Python


def kind(value: object) -> str:
    """Name the JSON type: true is no number, 1 and 1.0 are of one type."""
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, str):
        return "text"
    return "number" if isinstance(value, int | float) else type(value).__name__


def equal(found: object, value: object) -> bool:
    return found is not MISSING and kind(found) == kind(value) and found == value


def ordered(found: Any, operator: str, value: Any) -> bool:
    if found is MISSING or kind(found) != kind(value):
        return False
    match operator:
        case "<":
            return bool(found < value)
        case "<=":
            return bool(found <= value)
        case ">":
            return bool(found > value)
    return bool(found >= value)


def compare(found: Any, operator: str, value: Any) -> bool:
    match operator:
        case "==":
            return equal(found, value)
        case "!=":
            return not equal(found, value)
        case "in":
            return any(equal(found, item) for item in value)
        case "exists":
            return found is not MISSING
        case "contains":
            return isinstance(found, list) and any(equal(item, value) for item in found)
        case "starts_with":
            return isinstance(found, str) and found.startswith(value)
    return ordered(found, operator, value)


def at_path(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return MISSING
        value = value[key]
    return value


def holds(where: Filter, effective: dict[str, Any]) -> bool:
    """Say whether a filter over metadata holds."""
    if isinstance(where, Every):
        return all(holds(part, effective) for part in where.parts)
    if isinstance(where, Some):
        return any(holds(part, effective) for part in where.parts)
    if isinstance(where, Not):
        return not holds(where.part, effective)
    assert isinstance(where, Condition)
    return compare(at_path(effective, where.path), where.operator, where.value)


# ---------------------------------------------------------------------------------------------------- the stores


@pytest.fixture
def stores(sqlite_database: str, postgres_url: str) -> Iterator[list[Store]]:
    """Open a store on each database, with an empty collection."""
    with Store.open(sqlite_database) as on_sqlite, Store.open(postgres_url) as on_postgresql:
        both = [on_sqlite, on_postgresql]
        for store in both:
            store.collections.ensure("docs", model="m", dimensions=8)
        yield both


def put(store: Store, of_document: dict[str, Any], of_chunks: list[dict[str, Any]]) -> None:
    pieces = [NewChunk(content=f"word {i}", embedding=vector(i), metadata=m) for i, m in enumerate(of_chunks)]
    store.documents.put("docs", NewDocument(source="only", metadata=of_document), pieces)


def found(store: Store, where: Filter | dict[str, Any]) -> list[set[int]]:
    """Give the places of the chunks for which a filter holds, by the lexical leg, by vector and by both."""
    asked: list[dict[str, Any]] = [{"text": "word"}, {"embedding": vector("q")}]
    asked.append({**asked[0], **asked[1]})
    return [{hit.chunk_index for hit in store.chunks.search("docs", where=where, limit=1000, **a)} for a in asked]


@EXAMPLES
@given(
    of_document=metadata(),
    of_chunks=st.lists(metadata(), min_size=1, max_size=8),
    wheres=st.lists(filters(), min_size=1, max_size=6),
)
def test_rows_equal_those_of_plain_python(
    stores: list[Store], of_document: dict[str, Any], of_chunks: list[dict[str, Any]], wheres: list[Filter]
) -> None:
    """K-10, V17: random metadata and filters; the chunk's keys win over its document's; on both databases.

    As an expression on one and as its dict on the other, in turns; the dict as JSON carries it.
    """
    for store in stores:
        put(store, of_document, of_chunks)
    for turn, where in enumerate(wheres):
        expected = {i for i, of_chunk in enumerate(of_chunks) if holds(where, {**of_document, **of_chunk})}
        forms: list[Filter | dict[str, Any]] = [where, json.loads(json.dumps(where.to_dict()))]
        for place, store in enumerate(stores):
            assert found(store, forms[(turn + place) % 2]) == [expected] * 3


FIELDS: list[dict[str, Any]] = [
    {"heading": "Alpha", "page": 1},
    {"heading": "alpha", "page": 2},
    {"heading": "", "page": 10},
    {"heading": None, "page": None},
    {"heading": "Älpha", "embedding_id": "e1"},
    {"heading": "Z", "page": 2, "embedding_id": "e2"},
]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (F.heading == "alpha", {1}),
        (F.heading != "alpha", {0, 2, 3, 4, 5}),
        (F.heading == None, {3}),  # noqa: E711
        (F.heading != None, {0, 1, 2, 4, 5}),  # noqa: E711
        (F.heading.exists(), {0, 1, 2, 4, 5}),
        (~F.heading.exists(), {3}),
        (F.heading < "a", {0, 2, 5}),
        (F.heading >= "a", {1, 4}),
        (~(F.heading < "a"), {1, 3, 4}),
        (F.heading.in_(["alpha", "Z", "absent"]), {1, 5}),
        (F.heading.in_(["alpha", None]), {1, 3}),
        (~F.heading.in_(["alpha", None]), {0, 2, 4, 5}),
        (F.heading.in_([None]), {3}),
        (F.heading.in_([]), set()),
        (~F.heading.in_([]), {0, 1, 2, 3, 4, 5}),
        (F.heading.starts_with("Al"), {0}),
        (F.heading.starts_with(""), {0, 1, 2, 4, 5}),
        (F.page == 2, {1, 5}),
        (F.page == 2.0, {1, 5}),
        (F.page == 2.5, set()),
        (F.page > 1.5, {1, 2, 5}),
        (F.page <= 2, {0, 1, 5}),
        (~(F.page <= 2), {2, 3, 4}),
        (F.page.in_([1, 10, 11]), {0, 2}),
        (F.page == 2**40, set()),
        (F.page < 2**40, {0, 1, 2, 5}),
        (F.page > -(2**63), {0, 1, 2, 5}),
        (F.chunk_index >= 4, {4, 5}),
        (F.embedding_id.starts_with("e"), {4, 5}),
        (F.source == "only", {0, 1, 2, 3, 4, 5}),
        (F.source != "only", set()),
        (F.title == "", {0, 1, 2, 3, 4, 5}),
        (F.doc_type.exists(), set()),
        (F.language == "en", {0, 1, 2, 3, 4, 5}),
        ((F.page == 2) & (F.heading == "Z"), {5}),
        ((F.page == 1) | (F.heading == None), {0, 3}),  # noqa: E711
        (~((F.page == 1) | (F.heading == None)), {1, 2, 4, 5}),  # noqa: E711
    ],
)
def test_fields(stores: list[Store], where: Filter, expected: set[int]) -> None:
    """K-10: typed fields compare as metadata does: true or false, never unknown, by code point."""
    for store in stores:
        pieces = [NewChunk(content=f"word {i}", embedding=vector(i), **fields) for i, fields in enumerate(FIELDS)]
        store.documents.put("docs", NewDocument(source="only"), pieces)
        assert found(store, where) == [expected] * 3
        assert found(store, where.to_dict()) == [expected] * 3


def test_documents_metadata_shows_through(stores: list[Store]) -> None:
    """K-10: a chunk's key wins, with whatever it holds; a nested key does not reach the document's."""
    for store in stores:
        put(store, {"a": 1, "n": {"x": 1, "y": 2}}, [{}, {"a": 2}, {"a": None}, {"n": {"x": 3}}, {"n": 7}])
        assert found(store, F.metadata["a"] == 1)[0] == {0, 3, 4}
        assert found(store, F.metadata["a"] == None)[0] == {2}  # noqa: E711
        assert found(store, F.metadata["n"]["y"] == 2)[0] == {0, 1, 2}
        assert found(store, F.metadata["n"]["y"].exists())[0] == {0, 1, 2}
        assert found(store, F.metadata["n"]["x"].in_([1, 3]))[0] == {0, 1, 2, 3}
        assert found(store, F.metadata["n"] != 7)[0] == {0, 1, 2, 3}


@EXAMPLES
@given(texts=st.lists(any_texts(), min_size=1, max_size=5), key=any_texts(10), value=any_texts(10))
def test_any_text_in_any_place(stores: list[Store], texts: list[str], key: str, value: str) -> None:
    """K-13, T01: any text is a valid query, content, key and value, and means only itself."""
    contents = [f"word {i} {text}" for i, text in enumerate(texts)]
    for store in stores:
        # texts that differ in outer white space alone are one text: the last example's would stay
        store.documents.put("docs", NewDocument(source="only"), ["another text"])
        pieces = [NewChunk(content=content, metadata={key: value}) for content in contents]
        store.documents.put("docs", NewDocument(source="only", title=value, metadata={value: key}), pieces)
        for text in texts:
            store.chunks.search("docs", text=text, embedding=vector("q"))
        for where in (F.metadata[key] == value, F.metadata[key].starts_with(value), F.title == value):
            hits = store.chunks.search("docs", text="word", where=where, limit=10)
            assert {hit.content for hit in hits} == set(contents)
        assert not store.chunks.search("docs", text="word", where=F.metadata[key] == value + "x")
        stored = store.documents.find("docs", "only")
        assert stored is not None
        assert [chunk.content for chunk in store.chunks.page(stored.id)] == contents


@pytest.mark.parametrize("metric", ["cosine", "l2", "inner_product"])
@pytest.mark.parametrize("dimensions", [3, 2100])
def test_both_databases_give_one_order(sqlite_database: str, postgres_url: str, metric: Any, dimensions: int) -> None:
    """V17, K-8: the same chunks in the same order, distances within 1e-6, relative or absolute; ties included."""
    rankings = []
    for url in (sqlite_database, postgres_url):
        with Store.open(url) as store:
            store.collections.ensure("docs", model="m", dimensions=dimensions, metric=metric)
            pieces = [
                NewChunk(
                    content=f"{'wing ' * (i % 4)}{'flap ' * (i % 3)}number {i}",
                    embedding=vector(i % 40, dimensions=dimensions),
                    page=i % 5,
                )
                for i in range(120)
            ]
            store.documents.load("docs", [(NewDocument(source=str(n)), pieces[n * 30 : n * 30 + 30]) for n in range(4)])
            store.collections.analyze("docs")
            query = vector("q", dimensions=dimensions)
            rankings.append(
                [
                    [(hit.content, hit.distance or 0.0, hit.bm25 or 0.0, hit.score) for hit in hits]
                    for hits in (
                        store.chunks.search("docs", embedding=query, limit=120),
                        store.chunks.search("docs", embedding=query, limit=10, offset=5, where=F.page == 3),
                        store.chunks.search("docs", text="wing flap", limit=120),
                        store.chunks.search("docs", text="wing flap", embedding=query, limit=120),
                    )
                ]
            )
    on_sqlite, on_postgresql = rankings
    for ours, theirs in zip(on_sqlite, on_postgresql, strict=True):
        assert [row[0] for row in ours] == [row[0] for row in theirs]
        for place in (1, 2, 3):
            values = [row[place] for row in theirs]
            assert [row[place] for row in ours] == pytest.approx(values, rel=1e-6 if place == 1 else 1e-5, abs=1e-6)
