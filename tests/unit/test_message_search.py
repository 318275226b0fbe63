"""What a search over messages asks of a database, and what of a message is searched."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ragstore.conversations.indexing import searched_text, terms_of
from ragstore.conversations.searching.asking import Asked, Wish, check
from ragstore.core.records import UNSET
from ragstore.core.text import analyze, term_id


def asked(text: str, **wishes: Any) -> Asked:
    wish = {
        "user_id": UNSET,
        "organisation_id": None,
        "thread_id": None,
        "collection": None,
        "roles": ("user",),
        "since": None,
        "until": None,
        "limit": 10,
        "offset": 0,
        "match": "any",
        "snippet": None,
        **wishes,
    }
    return check("tenant", Wish(text=text, **wish), "en-GB")


def test_the_scope_is_what_was_said() -> None:
    """Left out and None are two things of a user, and one of all else."""
    assert asked("a").search.scope == {}
    assert asked("a", user_id=None).search.scope == {"user_id": None}
    everything = {"user_id": "u", "organisation_id": "o", "thread_id": "t", "collection": "c"}
    assert asked("a", **everything).search.scope == everything


def test_terms_are_in_order_whatever_the_order_of_the_words() -> None:
    """So the sums are the same, too."""
    one, other = asked("red kites and kites flying"), asked("flying kites, kites red")
    assert list(one.search.terms.items()) == list(other.search.terms.items())
    assert list(one.search.terms) == sorted(one.search.terms)
    assert one.search.terms[term_id("kite")] == 2


def test_words_that_must_and_must_not_be_there() -> None:
    """The words of a phrase are required each; an excluded phrase's are not excluded each."""
    search = asked('red "two kites" -green -"blue sky"', match="web").search
    assert set(search.required) == {term_id("two"), term_id("kite")}
    assert search.excluded == (term_id("green"),)


@given(st.text(), st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": st.text()})))
def test_a_message_has_the_terms_of_its_text(content: str, parts: list[dict[str, str]]) -> None:
    """C-9: those that a chunk of that text would have, ascending, with their counts."""
    found = terms_of(content, parts, "en")
    terms = analyze(searched_text(content, parts), "en")
    assert found.length == terms.length
    assert list(found.terms) == sorted({term_id(lexeme) for lexeme in terms.frequencies})
    assert sum(found.counts) == sum(terms.frequencies.values())


def test_what_is_no_text_is_not_searched() -> None:
    parts = [{"type": "reasoning", "text": "a"}, {"type": "text", "text": 7}, "b", {"type": "text", "text": "c"}]
    assert searched_text("d", parts) == "d\nc"
