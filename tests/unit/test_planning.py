"""What a put writes, worked out without a database."""

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from ragstore.core.border import TextPolicy
from ragstore.corpus.documents.planning import plan
from ragstore.corpus.documents.preparing import PreparedChunk, hash_content, prepare
from ragstore.corpus.records import NewChunk, NewDocument
from ragstore.corpus.statements import StoredChunk
from ragstore.corpus.statements.chunks import ATTRIBUTES

TEXTS = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


def wanted(texts: list[str], **fields: object) -> list[PreparedChunk]:
    chunks = [NewChunk(content=text, **fields) for text in texts]
    return prepare(NewDocument(source="s"), chunks, TextPolicy()).chunks


def stored(texts: list[str]) -> list[StoredChunk]:
    document = uuid4()
    return [
        StoredChunk(
            id=uuid4(),
            document_id=document,
            chunk_index=place,
            content_hash=hash_content(text),
            language="en",
            meta={},
            start_offset=None,
            end_offset=None,
            page=None,
            heading=None,
            embedding_id=None,
        )
        for place, text in enumerate(texts)
    ]


@given(TEXTS, TEXTS)
def test_every_chunk_is_counted_once(before: list[str], after: list[str]) -> None:
    """K-1."""
    old, new = stored(before), wanted(after)
    changes = plan(old, new, "en")
    assert len(changes.added) + changes.updated + changes.moved + changes.unchanged == len(after)
    assert len(changes.deleted) == len(set(before) - set(after))
    assert {chunk.content for chunk in changes.added} == set(after) - set(before)
    assert len(changes.rewritten) == changes.updated + changes.moved


@given(TEXTS, TEXTS)
def test_what_is_written_makes_the_stored_chunks_the_wanted_ones(before: list[str], after: list[str]) -> None:
    """K-1."""
    old, new = stored(before), wanted(after)
    changes = plan(old, new, "en")
    places = {chunk.id: (chunk.content_hash, chunk.chunk_index) for chunk in old if chunk.id not in changes.deleted}
    places |= {chunk_id: (chunk.content_hash, chunk.place) for chunk_id, chunk in changes.rewritten}
    result = {*places.values(), *((chunk.content_hash, chunk.place) for chunk in changes.added)}
    assert result == {(hash_content(text), place) for place, text in enumerate(after)}


@given(TEXTS)
def test_the_same_again_writes_nothing(texts: list[str]) -> None:
    """K-1."""
    changes = plan(stored(texts), wanted(texts), "en")
    assert (changes.unchanged, changes.added, changes.rewritten, changes.deleted) == (len(texts), [], [], [])


def test_other_metadata_is_an_update_and_keeps_the_chunk() -> None:
    changes = plan(stored(["a", "b"]), wanted(["a", "b"], heading="h"), "en")
    assert (changes.updated, changes.added, changes.deleted) == (2, [], [])


def test_another_language_is_analysed_anew() -> None:
    changes = plan(stored(["a"]), wanted(["a"]), "de")
    assert (changes.updated, len(changes.reanalyzed)) == (1, 1)


def test_a_kept_chunk_without_a_vector_lacks_one() -> None:
    """K-2: in each space for itself."""
    before, after = stored(["a", "c"]), wanted(["a", "b", "c"])
    changes, space = plan(before, after, "en"), uuid4()
    changes.lack(space, {before[0].content_hash: before[0].id}, after)
    assert [chunk.content for chunk in changes.lacking(space)] == ["b", "a"]
    assert [chunk.content for chunk in changes.lacking(uuid4())] == ["b"]


def test_what_is_present_elsewhere_is_not_added() -> None:
    """K-5."""
    changes = plan(stored(["a"]), wanted(["a", "b", "c"]), "en")
    changes.skip({hash_content("a"), hash_content("b")})
    assert [chunk.content for chunk in changes.added] == ["c"]
    assert [chunk.content for chunk in changes.skipped] == ["b"]
    assert (changes.unchanged, changes.deleted) == (1, [])


def test_attributes_stand_in_the_order_in_which_they_are_written() -> None:
    (chunk,) = wanted(["a"])
    assert tuple(chunk.attributes) == ATTRIBUTES


def test_a_text_given_twice_is_kept_once() -> None:
    """K-5."""
    document = prepare(NewDocument(source="s"), ["a", "b", "a"], TextPolicy())
    assert ([chunk.content for chunk in document.chunks], document.duplicates) == (["a", "b"], 1)


def test_the_hash_is_that_of_the_normalised_text() -> None:
    """K-5."""
    assert hash_content("e\u0301\r\nx ") == hash_content("\u00e9\nx")
    assert hash_content("a b") != hash_content("a  b")
    assert hash_content("a b") == hash_content("a b", {})


@given(st.dictionaries(st.text("ab", min_size=1), st.integers(0, 2), max_size=3))
def test_metadata_can_be_part_of_the_hash(metadata: dict[str, int]) -> None:
    """K-5: in any order of its keys."""
    turned = dict(reversed(metadata.items()))
    assert hash_content("a", metadata) == hash_content("a", turned)
    assert (hash_content("a", metadata) == hash_content("a")) == (not metadata)
