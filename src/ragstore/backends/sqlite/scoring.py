"""BM25 on SQLite, over postings fetched a term at a time and summed by NumPy.

The commonest terms are not read as a whole where that cannot change who is best (MaxScore; Turtle and Flood 1995,
"Query evaluation: strategies and optimizations").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, bindparam, func, select

from ragstore.backends.sqlite.selecting import listed
from ragstore.core import json
from ragstore.core.bm25 import K1, B
from ragstore.core.query import Query, Selected, Steps
from ragstore.corpus.tables import PostingRow

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Keys = NDArray[numpy.int64]
    Scores = NDArray[numpy.float64]

FIRST_POSTINGS = 500
_LOOK_UP = 2  # reading so many postings in a row takes as long as finding one
_CAREFUL = 1 + 1e-9  # sums of floats differ by the order of their terms


@dataclass(frozen=True, slots=True)
class AskedTerm:
    """A term of the query.

    Attributes:
        importance: Its idf, times how often it was asked for.
        frequency: In about how many chunks it stands.
    """

    term: int
    importance: float
    frequency: int

    @property
    def bound(self) -> float:
        """Give what its share of any chunk's score stays below."""
        return self.importance * (K1 + 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """The chunks that hold a term, in the order of their keys."""

    keys: Keys
    frequencies: Scores
    lengths: Scores


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Chunks with their scores, in the order of their keys.

    Attributes:
        bar: Who is not among them has a lower score than this.
    """

    keys: Keys
    scores: Scores
    bar: float = 0.0

    def only(self, keep: Any) -> Scored:
        """Give those of a mask."""
        return Scored(self.keys[keep], self.scores[keep], self.bar)


# A term's postings travel as one long text of numbers: as rows they would take four times as long to fetch.
_LENGTH_BITS = 20  # a chunk has at most 1,000,000 characters
_COUNTED = PostingRow.frequency.op("<<")(_LENGTH_BITS).op("|")(PostingRow.length)
_ASKED = func.json_each(bindparam("terms", type_=Text())).table_valued("value", name="asked")
_LISTED = (
    select(func.group_concat(PostingRow.chunk_key, " ").concat("|").concat(func.group_concat(_COUNTED, " ")))
    .where(PostingRow.salt == bindparam("salt"), PostingRow.term == _ASKED.c.value)
    .correlate(_ASKED)
)
_POSTINGS: Selected = select(_ASKED.c.value, _LISTED.scalar_subquery())
_POSTINGS_OF_KEYS: Selected = select(
    _ASKED.c.value, _LISTED.where(PostingRow.chunk_key.in_(listed("keys"))).scalar_subquery()
)


def read_postings(salt: int, terms: Iterable[int], keys: Keys | None = None) -> Steps[dict[int, Postings]]:
    """Read each term's postings, of these chunks or of all."""
    parameters: dict[str, Any] = {"salt": salt, "terms": json.dumps(list(terms))}
    if keys is None:
        return dict((yield Query(_POSTINGS, _to_postings, parameters)))
    return dict((yield Query(_POSTINGS_OF_KEYS, _to_postings, {**parameters, "keys": json.dumps(keys.tolist())})))


def _to_postings(row: Sequence[Any]) -> tuple[int, Postings]:
    import numpy as np

    texts = (row[1] or "|").split("|")
    keys, counted = (np.fromstring(text, dtype=np.int64, sep=" ") for text in texts)
    frequencies = (counted >> _LENGTH_BITS).astype(np.float64)
    return row[0], Postings(keys, frequencies, (counted & (2**_LENGTH_BITS - 1)).astype(np.float64))


def score_all(salt: int, asked: Sequence[AskedTerm], average: float, known: Mapping[int, Postings]) -> Steps[Scored]:
    """Score every chunk that holds any of the terms; some may have been read already."""
    missing = yield from read_postings(salt, (term.term for term in asked if term.term not in known))
    return _sum(asked, {**known, **missing}, average)


def score_best(salt: int, asked: Sequence[AskedTerm], average: float, depth: int) -> Steps[Scored]:
    """Score the chunks that can be among the `depth` best."""
    rare_first = sorted(asked, key=lambda term: (term.frequency, term.term))
    split = _first_terms(rare_first)
    known = yield from read_postings(salt, (term.term for term in rare_first[:split]))
    some = _sum(rare_first[:split], known, average)
    needed = _needed(rare_first, split, _bar(some, depth))
    if needed > split:
        known |= yield from read_postings(salt, (term.term for term in rare_first[split:needed]))
        some = _sum(rare_first[:needed], known, average)
    return (yield from _with_common(salt, some, rare_first[needed:], average, _bar(some, depth)))


def _first_terms(rare_first: Sequence[AskedTerm]) -> int:
    """Count the rarest terms whose postings are few together; at least one."""
    total = 0
    for place, term in enumerate(rare_first):
        total += term.frequency
        if place and total > FIRST_POSTINGS:
            return place
    return len(rare_first)


def _needed(rare_first: Sequence[AskedTerm], split: int, bar: float) -> int:
    """Count the terms to read as a whole: chunks that hold only commoner ones stay below the bar."""
    while split < len(rare_first) and _bound(rare_first[split:]) >= bar:
        split += 1
    return split


def _bound(terms: Iterable[AskedTerm]) -> float:
    return sum(term.bound for term in terms) * _CAREFUL


def _bar(scored: Scored, depth: int) -> float:
    """Give a score that the `depth` best reach at least; 0 if there are fewer."""
    import numpy as np

    if len(scored.scores) < depth:
        return 0.0
    return float(np.partition(scored.scores, -depth)[-depth])


def _with_common(salt: int, some: Scored, common: Sequence[AskedTerm], average: float, bar: float) -> Steps[Scored]:
    """Add the commoner terms' shares, to the chunks that may still reach the bar."""
    if not common:
        return some
    able = some.only((some.scores + _bound(common)) * _CAREFUL >= bar)
    few = len(able.keys) * len(common) * _LOOK_UP < sum(term.frequency for term in common)
    found = yield from read_postings(salt, (term.term for term in common), able.keys if few else None)
    scores = able.scores
    for term in common:
        scores = _added(able.keys, scores, found[term.term], term, average)
    return Scored(able.keys, scores, bar)


def _added(keys: Keys, scores: Scores, postings: Postings, term: AskedTerm, average: float) -> Scores:
    import numpy as np

    places = np.searchsorted(keys, postings.keys)
    places[places == len(keys)] = 0
    here = keys[places] == postings.keys
    scores = scores.copy()
    scores[places[here]] += _shares(postings, term, average)[here]
    return scores


def _sum(asked: Sequence[AskedTerm], postings: Mapping[int, Postings], average: float) -> Scored:
    """Sum each chunk's shares, term by term in one order, so that a score is the same however it is reached."""
    import numpy as np

    keys = np.concatenate([postings[term.term].keys for term in asked])
    shares = np.concatenate([_shares(postings[term.term], term, average) for term in asked])
    order = np.argsort(keys, kind="stable")
    keys, shares = keys[order], shares[order]
    first = np.diff(keys, prepend=-1) != 0
    scores = np.bincount(np.cumsum(first) - 1, weights=shares)
    return Scored(keys[first], scores.astype(np.float64, copy=False))


def _shares(postings: Postings, term: AskedTerm, average: float) -> Scores:
    norms = K1 * (1.0 - B) + postings.lengths * (K1 * B / average)
    return term.importance * (K1 + 1.0) * postings.frequencies / (postings.frequencies + norms)
