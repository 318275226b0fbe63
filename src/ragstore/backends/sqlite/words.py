"""Which vectors may be a hit's, by the words that must and must not stand in its chunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, func, select, type_coerce

from ragstore.backends.sqlite.phrases import hold_words, terms_to_check
from ragstore.backends.sqlite.scoring import Postings, Scored, read_postings
from ragstore.backends.sqlite.selecting import COLLECTION_ID, listed, unindexed
from ragstore.core import json
from ragstore.core.nearest import Block, packed_ids
from ragstore.core.query import Query, Selected, Steps
from ragstore.core.query_text import LexicalQuery, Phrase
from ragstore.core.text import term_id
from ragstore.corpus.backend import Target
from ragstore.corpus.parameters import TENANT
from ragstore.corpus.tables import ChunkKeyRow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ragstore.backends.sqlite.scoring import Keys
    from ragstore.core.nearest import Rows


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Which chunks' vectors are looked at.

    Attributes:
        only: Ids in order; None: all.
        without: Ids in order that are left out.
    """

    only: NDArray[Any] | None = None
    without: NDArray[Any] | None = None

    def among(self, ids: NDArray[Any]) -> Choice:
        """Choose of these ids alone, given in order."""
        import numpy as np

        return Choice(ids if self.only is None else np.intersect1d(self.only, ids, assume_unique=True), self.without)

    def rows_of(self, block: Block) -> Rows | None:
        """Find the rows of a block that are chosen; None: all."""
        import numpy as np

        rows = None if self.only is None else block.rows_of(self.only)
        if self.without is None:
            return rows
        left_out = block.rows_of(self.without)
        if rows is None:
            return np.delete(np.arange(block.rows), left_out)
        return np.setdiff1d(rows, left_out, assume_unique=True)


ALL = Choice()


def choose(tenant: str, target: Target) -> Steps[Choice]:
    """Look up by the postings who has the words that are required, or else who has one that is excluded.

    Of phrases only the words are looked at, so some of the chosen may lack one, or hold one that they must not.
    """
    text, salt = target.text, target.collection.salt
    if text is None or not target.strict:
        return ALL
    postings = yield from read_postings(salt, terms_to_check(text))
    found = _with_required(text, postings) if text.required else _with_excluded(text, postings)
    ids = yield from _ids(tenant, target, found)
    return Choice(only=ids) if text.required else Choice(without=ids)


def _with_required(text: LexicalQuery, postings: Mapping[int, Postings]) -> Keys:
    """Give the chunks that hold all words that they must, and none that they must not."""
    import numpy as np

    some = min((_with_first_words(alternatives, postings) for alternatives in text.required), key=len)
    return hold_words(text, Scored(some, np.zeros(len(some))), postings).keys


def _with_excluded(text: LexicalQuery, postings: Mapping[int, Postings]) -> Keys:
    """Give the chunks that hold one of the words that they must not."""
    return _with_first_words([phrase for phrase in text.excluded if len(phrase) == 1], postings)


def _with_first_words(phrases: Sequence[Phrase], postings: Mapping[int, Postings]) -> Keys:
    import numpy as np

    none = np.empty(0, dtype=np.int64)
    return np.unique(np.concatenate([none, *(postings[term_id(phrase[0][0])].keys for phrase in phrases)]))


_IDS: Selected = select(func.group_concat(type_coerce(ChunkKeyRow.chunk_id, Text), "")).where(
    ChunkKeyRow.key.in_(listed("keys")),
    unindexed(ChunkKeyRow.tenant_id) == TENANT,
    unindexed(ChunkKeyRow.collection_id) == COLLECTION_ID,
)


def _ids(tenant: str, target: Target, keys: Keys) -> Steps[NDArray[Any]]:
    """Give the ids, in order, of those of these chunks that are the collection's: another may have the same salt."""
    import numpy as np

    parameters = {"tenant": tenant, "collection_id": target.collection.id, "keys": json.dumps(keys.tolist())}
    found = yield Query(_IDS, lambda row: packed_ids(row[0] or ""), parameters)
    return np.sort(found[0])
