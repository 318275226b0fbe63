"""The nearest of many vectors, exactly: ranked in float32, and the few that can be among the best anew in float64.

NumPy is imported at first use, as in `vectors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ragstore.core import vectors
from ragstore.core.vectors import Metric, Storage

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from ragstore.core.vectors import Floats

    Rows = NDArray[numpy.intp]

BLOCK_BYTES = 2**24
_EXACT_ROWS = 4096  # worked on at a time
_SAFE = (1e-12, 1e12)  # lengths whose squares and products neither overflow nor vanish in float32
_FEW = 8  # rows are picked out first if they are less than one in so many


def block_rows(dimensions: int) -> int:
    """Say how many vectors make a block."""
    return max(64, BLOCK_BYTES // row_bytes(dimensions))


def row_bytes(dimensions: int) -> int:
    """Say how many bytes a vector takes in a block, with its id and its length."""
    return 4 * dimensions + 16 + 4


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Vectors in the order of their ids; never changed, so that threads may share it.

    Attributes:
        ids: 16 bytes each.
        matrix: Shape (rows, dimensions), float32.
        lengths: Of the rows, float32.
    """

    ids: NDArray[Any]
    matrix: Floats
    lengths: Floats

    @classmethod
    def of(cls, ids: Sequence[str], blobs: Sequence[bytes], storage: Storage) -> Block:
        """Make a block of stored vectors, given in the order of their ids (as 32 hex digits)."""
        return cls.measured(packed_ids("".join(ids)), vectors.unpacked(blobs, storage))

    @classmethod
    def measured(cls, ids: NDArray[Any], matrix: Floats) -> Block:
        """Make a block of ids, in order, and their vectors."""
        import numpy as np

        with np.errstate(over="ignore"):
            return cls(ids, matrix, np.sqrt(np.einsum("ij,ij->i", matrix, matrix)))

    @property
    def rows(self) -> int:
        """Count the vectors."""
        return len(self.ids)

    def merged(self, other: Block) -> Block:
        """Make a block of this one's vectors and the other's."""
        import numpy as np

        ids = np.concatenate((self.ids, other.ids))
        order = np.argsort(ids, kind="stable")
        return Block.measured(ids[order], np.concatenate((self.matrix, other.matrix))[order])

    def rows_of(self, wanted: NDArray[Any]) -> Rows:
        """Find the rows of those ids that are here; they are given in order."""
        import numpy as np

        start, end = np.searchsorted(wanted, self.ids[:1])[0], np.searchsorted(wanted, self.ids[-1:], "right")[0]
        within = wanted[start:end]
        places = np.searchsorted(self.ids, within)  # none is beyond the end, as the last id is within
        rows: Rows = places[self.ids[places] == within]
        return rows


def packed_ids(digits: str) -> NDArray[Any]:
    """Turn ids, as hex digits one after the other, into an array of 16 bytes each."""
    import numpy as np

    return np.frombuffer(bytes.fromhex(digits), dtype="S16")


class Gathering:
    """Makes one block of vectors that come in parts, as one product over all is quicker than several."""

    def __init__(self, rows: int, dimensions: int) -> None:
        """Make room for so many."""
        import numpy as np

        self._ids = np.empty(rows, dtype="S16")
        self._matrix = np.empty((rows, dimensions), dtype=np.float32)
        self._filled = 0

    def add(self, part: Block) -> None:
        """Take the vectors that come next in the order of the ids."""
        end = self._filled + part.rows
        self._ids[self._filled : end] = part.ids
        self._matrix[self._filled : end] = part.matrix
        self._filled = end

    def block(self) -> Block:
        """Give them all."""
        return Block.measured(self._ids, self._matrix)


class Nearest:
    """Collects the nearest of all vectors that are shown to it, block by block.

    Distances are those of `vectors.distances`, rounded to float32 as pgvector gives them: equal vectors then have
    equal distances wherever they stand, and ties fall by id as they do on PostgreSQL.
    """

    def __init__(self, query: Floats, metric: Metric, depth: int) -> None:
        """Look for the `depth` nearest."""
        import numpy as np

        self._query = query
        self._metric: Metric = metric
        self._depth = depth
        self._length = float(np.linalg.norm(query.astype(np.float64)))
        self._safe = _SAFE[0] < self._length < _SAFE[1]
        self._direction = query
        if metric == "cosine" and self._safe:
            self._direction = (query.astype(np.float64) / self._length).astype(np.float32)
        self._distances = np.empty(0, dtype=np.float32)
        self._ids = np.empty(0, dtype="S16")

    def add(self, block: Block, rows: Rows | None = None) -> None:
        """Look at a block's vectors, or at those in some of its rows."""
        import numpy as np

        near = self._near(block, rows) if self._safe else np.arange(block.rows if rows is None else len(rows))
        for start in range(0, near.size, _EXACT_ROWS):
            some = near[start : start + _EXACT_ROWS]
            some = some if rows is None else rows[some]
            exact = vectors.distances(block.matrix[some], self._query, self._metric).astype(np.float32)
            self._keep(exact, block.ids[some])

    def best(self) -> list[tuple[UUID, float]]:
        """Give the nearest with their distances, ties by id."""
        ids = self._ids.tobytes()
        found = [UUID(bytes=ids[start : start + 16]) for start in range(0, len(ids), 16)]
        return list(zip(found, self._distances.tolist(), strict=True))

    def _keep(self, exact: Floats, ids: NDArray[Any]) -> None:
        import numpy as np

        exact = np.concatenate((self._distances, exact))
        ids = np.concatenate((self._ids, ids))
        order = np.lexsort((ids, exact))[: self._depth]
        self._distances, self._ids = exact[order], ids[order]

    def _near(self, block: Block, rows: Rows | None) -> Rows:
        """Find the places of those that can be among the best, as far as float32 can tell."""
        import numpy as np

        lengths = block.lengths if rows is None else block.lengths[rows]
        odd = np.flatnonzero(~((lengths > _SAFE[0]) & (lengths < _SAFE[1])))
        with np.errstate(all="ignore"):
            values = self._values(self._products(block, rows), lengths)
        values[odd] = np.inf
        safe = np.delete(lengths, odd) if odd.size else lengths
        error = self._error(block.matrix.shape[1], float(safe.max(initial=0.0)))
        bar = self._bar() + error
        if values.size > self._depth:
            bar = min(bar, float(np.partition(values, self._depth - 1)[self._depth - 1]) + 2.0 * error)
        values[odd] = -np.inf
        return np.flatnonzero(values <= bar)

    def _products(self, block: Block, rows: Rows | None) -> Floats:
        if rows is None:
            return block.matrix @ self._direction
        if rows.size * _FEW < len(block.matrix):
            return block.matrix[rows] @ self._direction
        return (block.matrix @ self._direction)[rows]

    def _values(self, products: Floats, lengths: Floats) -> Floats:
        """Give what orders the vectors as their distances do, and is quicker to work out."""
        if self._metric == "cosine":
            return -products / lengths
        return -products if self._metric == "inner_product" else lengths * lengths - products - products

    def _bar(self) -> float:
        """Give the value of the last of the best so far; who is above it cannot be among them any more."""
        if len(self._distances) < self._depth:
            return float("inf")
        last = float(self._distances[-1])
        if self._metric == "cosine":
            return last - 1.0
        return last if self._metric == "inner_product" else last**2 - self._length**2

    def _error(self, dimensions: int, longest: float) -> float:
        """Bound how far a value can be off.

        A sum of n products is off by at most n rounding errors of the product of the lengths (Higham 2002, "Accuracy
        and Stability of Numerical Algorithms", 3.1); twice that, and more, leaves room for the roundings around it.
        """
        relative = (dimensions + 32) * 2.0**-23
        if self._metric == "cosine":
            return relative
        both = longest * self._length if self._metric == "inner_product" else (longest + self._length) ** 2
        return relative * both
