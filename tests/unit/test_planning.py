"""What a put writes, worked out without a database."""

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from ragstore.core.border import TextPolicy
from ragstore.corpus.documents.planning import plan
from ragstore.corpus.documents.preparing import PreparedChunk, hash_content, prepare
from ragstore.corpus.records import NewChunk, NewDocument
from ragstore.corpus.statements import StoredChunk

TEXTS = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


def wanted(texts: list[str], **fields: object) -> list[PreparedChunk]:
    chunks = [NewChunk(content=text, **fields) for text in texts]
    return prepare(NewDocument(source="s"), chunks, TextPolicy()).chunks


def stored(texts: list[str], *, embedded: bool = True) -> list[tuple[StoredChunk, bool]]:
    document = uuid4()
    return [
        (
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
            ),
            embedded,
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
    places = {chunk.id: (chunk.content_hash, chunk.chunk_index) for chunk, _ in old if chunk.id not in changes.deleted}
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
    changes = plan(stored(["a"], embedded=False), wanted(["a", "b"]), "en")
    assert [chunk.content for chunk in changes.lacking()] == ["b", "a"]


def test_a_text_given_twice_is_kept_once() -> None:
    """K-5."""
    document = prepare(NewDocument(source="s"), ["a", "b", "a"], TextPolicy())
    assert ([chunk.content for chunk in document.chunks], document.duplicates) == (["a", "b"], 1)


def test_the_hash_is_that_of_the_normalised_text() -> None:
    """K-5."""
    assert hash_content("e\u0301\r\nx ") == hash_content("\u00e9\nx")
    assert hash_content("a b") != hash_content("a  b")
