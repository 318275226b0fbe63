"""Ranking messages on SQLite: all that the messages of a scope are found by is read, and scored by NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Integer, LargeBinary, Text, func, select, type_coerce

from ragstore.backends.sqlite.selecting import listed
from ragstore.conversations.searching.asking import MessageSearch, RankedMessage
from ragstore.conversations.searching.statements import is_wanted
from ragstore.conversations.statements.base import CONVERSATIONS, IS_ITS_CONVERSATION, MESSAGES, TENANT
from ragstore.conversations.statements.scopes import Scope, is_in_scope, scope_of, scope_values
from ragstore.core import json
from ragstore.core.bm25 import K1, B, idf
from ragstore.core.query import Query, Selected, Steps
from ragstore.errors import CorruptRow

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Integers = NDArray[numpy.integer[Any]]
    Scores = NDArray[numpy.float64]

_NANO = 10**9


def rank_messages(search: MessageSearch, rows: int) -> Steps[list[RankedMessage]]:
    """Give so many of the messages that hold any of a search's terms, the best first, ties by id."""
    scope, values = scope_of(search.scope), scope_values(search.tenant, search.scope)
    totals: list[tuple[int, int]] = yield Query(_totals(scope), lambda row: (row[0], row[1]), values)
    times = {"since": search.since, "until": search.until}
    given = {name: time for name, time in times.items() if time is not None}
    held = yield Query(_held(scope, frozenset(given)), tuple, {**values, **given, "roles": list(search.roles)})
    if search.lenient:
        held = [row for row in held if _is_whole(*row[2:4])]
    if not held:
        return []
    scored = _score(_Held.of(held), search, *totals[0], rows)
    places = yield Query(_PLACES, tuple, {"tenant": search.tenant, "ids": json.dumps([one for one, _ in scored])})
    told = {one: (thread_id, language) for one, thread_id, language in places}
    return [RankedMessage(UUID(one), *told[one], score) for one, score in scored]


@lru_cache(maxsize=64)
def _totals(scope: Scope) -> Selected:
    sums = (func.coalesce(func.sum(CONVERSATIONS.c[name]), 0) for name in ("searchable", "words"))
    return select(*sums).where(*is_in_scope(scope))


@lru_cache(maxsize=64)
def _held(scope: Scope, given: frozenset[str]) -> Selected:
    """Select the rows raw: ids as they are stored, and the arrays' bytes."""
    arrays = (type_coerce(MESSAGES.c[name], LargeBinary) for name in ("terms", "counts"))
    raw = (type_coerce(MESSAGES.c.id, Text), MESSAGES.c.words, *arrays, type_coerce(is_wanted(given), Integer))
    chosen = select(CONVERSATIONS.c.id).where(*is_in_scope(scope))
    is_of = (MESSAGES.c.tenant_id == TENANT, MESSAGES.c.conversation_id.in_(chosen))
    return select(*raw).where(*is_of, MESSAGES.c.words.is_not(None))


_PLACES = (
    select(type_coerce(MESSAGES.c.id, Text), CONVERSATIONS.c.thread_id, CONVERSATIONS.c.language)
    .join(CONVERSATIONS, IS_ITS_CONVERSATION)
    .where(MESSAGES.c.tenant_id == TENANT, type_coerce(MESSAGES.c.id, Text).in_(listed("ids")))
)

# ------------------------------------------------------------------------------------------------------ scoring


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """What messages hold.

    Attributes:
        ids: The messages', as they are stored: in the order of the UUIDs they stand for.
        lengths: Their words.
        ends: Where in `terms` each one's end.
        terms: Those of all messages.
        counts: How often each stands there.
        wanted: Which messages may be hits.
    """

    ids: Any
    lengths: Integers
    ends: Integers
    terms: Integers
    counts: Integers
    wanted: Any

    @classmethod
    def of(cls, rows: Sequence[tuple[str, int, bytes, bytes, int]]) -> _Held:
        import numpy as np

        ids, lengths, terms, counts, wanted = zip(*rows, strict=True)
        return cls(
            np.array(ids, dtype="S32"),
            np.array(lengths, dtype=np.int64),
            np.cumsum(_sizes(ids, terms, counts)) // 4,
            np.frombuffer(b"".join(terms), dtype="<i4"),
            np.frombuffer(b"".join(counts), dtype="<i4"),
            np.array(wanted, dtype=bool),
        )

    def places_of(self, terms: Sequence[int]) -> Integers:
        """Find where any of the terms stands."""
        import numpy as np

        places: Integers = np.flatnonzero(np.isin(self.terms, np.array(terms, dtype=np.int32)))
        return places

    def numbers(self, places: Integers) -> Integers:
        """Give the messages at these places, by their number in the order of the rows."""
        import numpy as np

        numbers: Integers = np.searchsorted(self.ends, places, side="right")
        return numbers

    def how_many(self, terms: Sequence[int]) -> Integers:
        """Count for each message how many of the terms it holds."""
        import numpy as np

        return np.bincount(self.numbers(self.places_of(terms)), minlength=len(self.ids))


def _is_whole(terms: bytes | None, counts: bytes | None) -> bool:
    size = len(terms or b"")
    return size > 0 and size % 4 == 0 and size == len(counts or b"")


def _sizes(ids: Sequence[str], terms: Sequence[bytes | None], counts: Sequence[bytes | None]) -> Integers:
    """Give the bytes of each message's terms.

    Raises:
        CorruptRow: A message has no whole number of terms, or not a count for each.
    """
    import numpy as np

    sizes, others = (np.array([len(array or b"") for array in arrays], dtype=np.int64) for arrays in (terms, counts))
    damaged = np.flatnonzero((sizes == 0) | (sizes % 4 > 0) | (sizes != others))
    if damaged.size:
        what = "the terms that it is found by are not whole, or not each has its count"
        raise CorruptRow("rag_message", UUID(ids[int(damaged[0])]), what)
    return sizes


def _score(held: _Held, search: MessageSearch, number: int, words: int, rows: int) -> list[tuple[str, float]]:
    """Give so many of the messages that hold any of the terms, the best first, ties by id."""
    import numpy as np

    asked = np.array(list(search.terms), dtype=np.int32)
    places = held.places_of(list(search.terms))
    which, message = np.searchsorted(asked, held.terms[places]), held.numbers(places)
    df = np.bincount(which, minlength=len(asked)).tolist()
    weights = np.array([times * idf(n, number) for times, n in zip(search.terms.values(), df, strict=True)])
    tf = held.counts[places].astype(np.float64)
    norm = K1 * (1 - B + B * (held.lengths[message] / (max(words, 1) / max(number, 1))))
    scores = np.bincount(message, weights[which] * (tf * (K1 + 1) / (tf + norm)), minlength=len(held.ids))
    passing = np.flatnonzero(_fitting(held, search) & (np.bincount(message, minlength=len(held.ids)) > 0))
    ids, rounded = held.ids[passing], np.rint(scores[passing] * _NANO)
    order = np.lexsort((ids, -rounded))[:rows]
    return list(zip(map(bytes.decode, ids[order].tolist()), (rounded[order] / _NANO).tolist(), strict=True))


def _fitting(held: _Held, search: MessageSearch) -> Any:
    fitting = held.wanted
    if search.required:
        fitting = fitting & (held.how_many(search.required) == len(search.required))
    if search.excluded:
        fitting = fitting & (held.how_many(search.excluded) == 0)
    return fitting
