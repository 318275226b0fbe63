# Generated from test_corpus_input_async.py by tools/unasync.py: edit that file and run the tool again.
"""Bad input: the same rule on both databases, an InvalidInput that says where, and nothing stored."""

from __future__ import annotations

import enum
import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from ragstore import F, NewChunk, NewDocument, Settings, Store
from ragstore.errors import InvalidInput
from ragstore.testing.factories import chunks, document
from tests.conformance.support import Database

NUL, SURROGATE = "a\0b", "a\ud800b"


@pytest.fixture
def docs(store: Store) -> str:
    """Make a collection without vectors, with one document in it."""
    store.collections.ensure("docs")
    store.documents.put("docs", document(), chunks(2, dimensions=None))
    return "docs"


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


UNFIT: list[tuple[dict[str, Any], dict[str, Any], str, int | None]] = [
    # of the document, of its second chunk, the field and the index of the error
    *[({"title": bad}, {}, "title", None) for bad in (NUL, SURROGATE)],
    *[({"source": bad}, {}, "source", None) for bad in (NUL, SURROGATE, "", " x", "x\n", "s" * 2049, "ä" * 1025)],
    *[({"doc_type": bad}, {}, "doc_type", None) for bad in (NUL, SURROGATE, "x" * 256, "ä" * 128)],
    *[({"version": bad}, {}, "version", None) for bad in (NUL, "x" * 256)],
    ({"language": "no such language"}, {}, "language", None),
    *[({}, {"content": bad}, "content", 1) for bad in (NUL, SURROGATE, "", " \t\n")],
    *[({}, {"heading": bad}, "heading", 1) for bad in (NUL, SURROGATE)],
    *[({}, {"embedding_id": bad}, "embedding_id", 1) for bad in (NUL, "x" * 256)],
    *[({}, {"page": bad}, "page", 1) for bad in (-1, 2**31)],
    *[({}, {"start_offset": bad}, "start_offset", 1) for bad in (-1, 2**63)],
    *[({}, {"end_offset": bad}, "end_offset", 1) for bad in (-1, 2**31)],
]
UNFIT_JSON: list[tuple[Any, str]] = [
    ({"a": NUL}, ".a"),
    ({"a": [1, {"b": SURROGATE}]}, ".a[1].b"),
    ({NUL: 1}, " (key)"),
    ({"a": {SURROGATE: 1}}, ".a (key)"),
    ({"a": math.nan}, ".a"),
    ({"a": [math.inf]}, ".a[0]"),
    ({"a": -math.inf}, ".a"),
    ({"a": 10**40}, ".a"),
    ({"a": 2**63}, ".a"),
    ({"a": -(2**63) - 1}, ".a"),
    ({1: 1}, ""),
    ({"a": {None: 1}}, ".a"),
    ({"a": b"bytes"}, ".a"),
    ({"a": {1, 2}}, ".a"),
    ({"a": Decimal(1)}, ".a"),
    ({"a": uuid4()}, ".a"),
    ({"a": datetime(2024, 1, 1, tzinfo=UTC)}, ".a"),
    ({"a": np.float32(1)}, ".a"),
    ({"a": np.int64(1)}, ".a"),
    ({"a": object()}, ".a"),
    ({"a": "x" * 1_000_001}, ""),
    (["no", "object"], ""),
    ("text", ""),
    (7, ""),
    (None, ""),
]


@pytest.mark.parametrize(("of_document", "of_chunk", "field", "index"), UNFIT)
def test_an_unfit_value_is_refused(
    store: Store,
    docs: str,
    db: Database,
    of_document: dict[str, Any],
    of_chunk: dict[str, Any],
    field: str,
    index: int | None,
) -> None:
    """I01, I04, I13, I16: NUL and lone surrogates, texts too long for a key, numbers out of range."""
    before = db.versions()
    given = [NewChunk(content="fine"), NewChunk(**{"content": "also fine", **of_chunk})]
    with pytest.raises(InvalidInput) as refused:
        store.documents.put(docs, document(**of_document), given)
    assert (refused.value.field, refused.value.index) == (field, index)
    with pytest.raises(InvalidInput):
        with store.begin() as unit:
            unit.documents.put(docs, document(**of_document), given)
    if db.kind == "postgresql":  # an empty unit of SQLite may count as a write
        assert db.versions() == before
    assert store.chunks.count(docs) == 2


@pytest.mark.parametrize(("metadata", "path"), UNFIT_JSON)
def test_what_is_no_json_is_refused(store: Store, docs: str, db: Database, metadata: Any, path: str) -> None:
    """I02, I04, I06, I08, I10, I27: in a document's metadata and in a chunk's, by the path to it."""
    before = db.versions()
    with pytest.raises(InvalidInput) as refused:
        store.documents.put(docs, document(metadata=metadata), ["text"])
    assert (refused.value.field, refused.value.index) == (f"metadata{path}", None)
    with pytest.raises(InvalidInput) as refused:
        store.documents.put(docs, document(), ["text", NewChunk(content="b", metadata=metadata)])
    assert (refused.value.field, refused.value.index) == (f"metadata{path}", 1)
    if isinstance(metadata, dict):
        with pytest.raises(InvalidInput):
            store.collections.ensure("another", metadata=metadata)
    assert db.versions() == before


def test_json_that_nests_deeply(store: Store, docs: str, db: Database) -> None:
    """I09: 20,000 levels are refused without a RecursionError; 60 are stored."""
    before = db.versions()
    for levels in (65, 1000, 20_000):
        with pytest.raises(InvalidInput):
            store.documents.put(docs, document(metadata={"a": deep(levels)}), ["text"])
    assert db.versions() == before
    report = store.documents.put(docs, document(metadata={"a": deep(60)}), ["text"])
    assert store.documents.get(report.document_id).metadata == {"a": deep(60)}


def test_json_comes_back_as_it_was(store: Store, docs: str) -> None:
    """I07, I08: numbers keep their type and value; the sign of -0.0 is lost on both databases alike."""
    metadata = {
        "ints": [0, -1, 2**63 - 1, -(2**63), 2**53 + 1],
        "floats": [0.1, 1.5, -2.25, 1e300, 5e-324, 1e16, 123456789.125],
        "others": [True, False, None, "", "ä\u0301 👩‍👩‍👧 \ufffe\uffff \x01\x1f\x7f\r\n\t", {}, [], [[]]],
        "": "empty key",
        "a.b": 1,
        "quote'\"\\": 2,
        "Ä": 3,
    }
    given = NewChunk(content="text", metadata=metadata)
    report = store.documents.put(docs, document(metadata={**metadata, "minus": -0.0}), [given])
    stored = store.documents.get(report.document_id)
    assert stored.metadata == {**metadata, "minus": 0.0}
    assert math.copysign(1.0, stored.metadata["minus"]) == 1.0  # type: ignore[arg-type]
    assert [type(n) for n in stored.metadata["ints"]] == [int] * 5  # type: ignore[union-attr]
    (kept,) = store.chunks.page(report.document_id)
    assert kept.metadata == metadata
    again = store.documents.put(docs, document(metadata={**metadata, "minus": 0}), [given])
    assert again.unchanged == 1


def test_unstorable_characters_may_be_replaced(database_url: str, db: Database) -> None:
    """I01, I02, I04: with `invalid_text="replace"` each becomes U+FFFD and is counted; names never change."""
    with Store.open(database_url, Settings(invalid_text="replace")) as opened:
        opened.collections.ensure("docs")
        given = NewChunk(content=f"{NUL} {SURROGATE} wing", heading=NUL, metadata={NUL: SURROGATE})
        report = opened.documents.put("docs", document(title=SURROGATE, metadata={"t": [NUL]}), [given])
        assert report.replaced_characters == 7
        stored = opened.documents.get(report.document_id)
        assert (stored.title, stored.metadata) == ("a\ufffdb", {"t": ["a\ufffdb"]})
        (kept,) = opened.chunks.page(report.document_id)
        assert (kept.content, kept.heading) == ("a\ufffdb a\ufffdb wing", "a\ufffdb")
        assert kept.metadata == {"a\ufffdb": "a\ufffdb"}
        assert opened.documents.put("docs", document(title=SURROGATE, metadata={"t": [NUL]}), [given]).unchanged
        before = db.versions()
        for fields in ({"source": NUL}, {"doc_type": SURROGATE}, {"version": NUL}):
            with pytest.raises(InvalidInput):
                opened.documents.put("docs", document(**fields), ["text"])
        with pytest.raises(InvalidInput, match="same"):
            opened.documents.put("docs", document(metadata={"a\0": 1, "a\ufffd": 2}), ["text"])
        with pytest.raises(InvalidInput):
            opened.chunks.search("docs", text="wing", where=F.title == NUL)
        assert db.versions() == before


@pytest.mark.parametrize(
    "make",
    [
        lambda: F.title == NUL,
        lambda: F.title != SURROGATE,
        lambda: F.metadata["a"] == NUL,
        lambda: F.metadata[NUL] == 1,
        lambda: F.metadata["a"][SURROGATE].exists(),
        lambda: F.metadata["a"].in_(["fine", SURROGATE]),
        lambda: F.metadata["a"].contains(NUL),
        lambda: F.source.starts_with(NUL),
        lambda: F.metadata["a"].contains(math.nan),
        lambda: F.metadata["a"] < math.inf,
        lambda: F.metadata["a"] == 2**63,
        lambda: F.metadata["a"] == Decimal(1),
        lambda: F.metadata["a"] == b"bytes",
        lambda: F.metadata["a"] == [1],
        lambda: F.metadata["a"] < None,
        lambda: F.metadata["a"] < True,
        lambda: F.metadata["a"].in_(range(1001)),
        lambda: F.metadata["a"] == datetime(2024, 1, 1, tzinfo=UTC),
        lambda: F.metadata == 1,
        lambda: F.metadata[0] == 1,
        lambda: F.metadata.exists(),
        lambda: F.created_at > datetime(2024, 1, 1),  # noqa: DTZ001
        lambda: F.updated_at.in_([datetime(2024, 1, 1)]),  # noqa: DTZ001
        lambda: F.created_at == "2024-01-01",
        lambda: F.created_at.starts_with("2024"),
        lambda: F.page == "1",
        lambda: F.page == True,  # noqa: E712
        lambda: F.page.starts_with("1"),
        lambda: F.page > 2**63,
        lambda: F.title == 1,
        lambda: F.title.contains("a"),
        lambda: F.title.starts_with(1),
        lambda: F.doc_type < 1,
    ],
)
def test_an_unfit_filter_is_refused(store: Store, docs: str, make: Any) -> None:
    """I03, I04, I19, I25, T02: a filter's value or key, of a wrong type for its field, or a naive time."""

    def search() -> object:
        return store.chunks.search(docs, text="text", where=make())

    with pytest.raises(InvalidInput):
        search()


def test_filters_have_a_size(store: Store, docs: str) -> None:
    """T22, K-10: limits on depth, conditions and list length; up to them it works."""
    one = F.metadata["a"] == 1
    wide, deep_filter = one, one
    for _ in range(255):
        wide |= one
    for _ in range(1000):
        deep_filter = ~deep_filter
    assert len(store.chunks.search(docs, text="text", where=~wide)) == 2
    for values in (range(1000), [*map(str, range(998)), None, True]):
        assert len(store.chunks.search(docs, text="text", where=~F.metadata["a"].in_(values))) == 2
    for values in (list(map(str, range(1000))), [*map(str, range(999)), None]):
        assert len(store.chunks.search(docs, text="text", where=~F.title.in_(values))) == 2
    for where in (wide | one, deep_filter):
        with pytest.raises(InvalidInput) as refused:
            store.chunks.search(docs, text="text", where=where)
        assert refused.value.field == "where"
    key = F.metadata
    for _ in range(8):
        key = key["a"]
    assert len(store.chunks.search(docs, text="text", where=~key.exists())) == 2
    with pytest.raises(InvalidInput):
        key["a"]


def test_equality_is_by_json_type(store: Store, docs: str) -> None:
    """I12: 1, "1", true, 1.0, null and a missing key under one name are six things, two of them equal."""
    values: dict[str, Any] = {"int": 1, "text": "1", "true": True, "float": 1.0, "null": None, "list": [1], "map": {}}
    given = [NewChunk(content=f"typed {name}", metadata={"k": value}) for name, value in values.items()]
    store.documents.put(docs, document(), [*given, "typed missing"])

    def found(where: Any) -> set[str]:
        hits = store.chunks.search(docs, text="typed", where=where, limit=100)
        return {hit.content.removeprefix("typed ") for hit in hits}

    everything = {*values, "missing"}
    key = F.metadata["k"]
    assert found(key == 1) == found(key == 1.0) == {"int", "float"}
    assert found(key == "1") == {"text"}
    assert found(key == True) == {"true"}  # noqa: E712
    assert found(key == False) == set()  # noqa: E712
    assert found(key == None) == {"null"}  # noqa: E711
    assert found(key != 1) == everything - {"int", "float"}
    assert found(key != "1") == everything - {"text"}
    assert found(key != None) == everything - {"null"}  # noqa: E711
    assert found(key.exists()) == everything - {"missing"}
    assert found(key >= 1) == {"int", "float"}
    assert found(key >= "1") == {"text"}
    assert found(key.in_([1, None])) == {"int", "float", "null"}
    assert found(key.in_([])) == set()
    assert found(key.contains(1)) == {"list"}
    assert found(key.starts_with("")) == {"text"}
    assert found(~(key == 1)) == everything - {"int", "float"}


def test_wildcards_are_letters(store: Store, docs: str) -> None:
    """I29: `%`, `_` and `\\` match only themselves."""
    for source in ("100%", "100x", "a_b", "axb", "a\\b", "A_b"):
        store.documents.put(docs, document(source=source, metadata={"s": source}), ["wing"])
    for prefix, expected in (("100%", {"100%"}), ("a_", {"a_b"}), ("a\\", {"a\\b"}), ("_", set()), ("%", set())):
        for operand in (F.source, F.metadata["s"]):
            hits = store.chunks.search(docs, text="wing", where=operand.starts_with(prefix))
            assert {hit.source for hit in hits} == expected, prefix


def test_times_are_instants(store: Store, docs: str) -> None:
    """I19, I20: a time with any offset is compared as the instant it is."""
    stored = store.documents.find(docs, "doc-1.txt")
    assert stored is not None
    moment = stored.created_at
    for zone in (UTC, timezone(timedelta(hours=5, minutes=45)), timezone(timedelta(hours=-12))):
        local = moment.astimezone(zone)
        for where, count in (
            (F.created_at == local, 2),
            (F.created_at >= local, 2),
            (F.created_at > local, 0),
            (F.created_at < local + timedelta(milliseconds=2), 2),
            (F.updated_at < datetime(1, 1, 2, tzinfo=UTC), 0),
            (F.updated_at < datetime(9999, 12, 30, tzinfo=UTC), 2),
        ):
            assert len(store.chunks.search(docs, text="text", where=where)) == count


class Colour(enum.StrEnum):
    """A text that is also something else."""

    RED = "red"


def test_subclasses_of_text_are_stored_as_text(store: Store, docs: str) -> None:
    """I27: an Enum's text is its value, never its name or repr."""
    report = store.documents.put(docs, document(metadata={"c": Colour.RED, Colour.RED: 1}), ["text"])
    assert store.documents.get(report.document_id).metadata == {"c": "red", "red": 1}
    hits = store.chunks.search(docs, text="text", where=F.metadata["c"] == Colour.RED)
    assert len(hits) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: NewDocument(source=7),
        lambda: NewDocument(source=b"x"),
        lambda: NewDocument(source=None),
        lambda: NewDocument(),
        lambda: NewDocument(source="x", titel="typo"),
        lambda: NewDocument(source="x", title=None),
        lambda: NewChunk(),
        lambda: NewChunk(content=7),
        lambda: NewChunk(content=b"x"),
        lambda: NewChunk(content="x", page="1"),
        lambda: NewChunk(content="x", page=True),
        lambda: NewChunk(content="x", page=1.0),
        lambda: NewChunk(content="x", heading=7),
        lambda: NewChunk(content="x", vector=[1.0]),
    ],
)
def test_records_are_checked_when_made(make: Any) -> None:
    """I27, L12: no guessing between types; a misspelt field is an error of ours."""
    with pytest.raises(InvalidInput) as refused:
        make()
    assert refused.value.field


def test_one_bad_chunk_stores_nothing(store: Store, docs: str, db: Database) -> None:
    """I05: of a hundred chunks one is unfit: the error names its place, and the old document stays."""
    before = db.versions()
    given: list[Any] = [f"text {i}" for i in range(100)]
    for bad in ("", NUL, 7, None, b"bytes", NewDocument(source="x")):
        given[42] = bad
        with pytest.raises(InvalidInput) as refused:
            store.documents.put(docs, document(), given)
        assert refused.value.index == 42
    for unfit in (None, 7, "a text is no list of texts"):
        with pytest.raises(InvalidInput) as refused:
            store.documents.put(docs, document(), unfit)
        assert refused.value.field == "chunks"
    assert db.versions() == before
