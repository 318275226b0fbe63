"""The binary forms that PostgreSQL and pgvector send and receive.

Vectors go by pgvector's own Python package, imported at first use: it may bring NumPy. Terms are packed here, because
that is done for every chunk: a sparse vector is the numbers of dimensions, of entries and 0, then the indices counted
from 0, then the values; a tsvector is the number of lexemes, then each as a C string with its number of positions and
those. All big-endian.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from struct import Struct, pack
from typing import TYPE_CHECKING

from ragstore.core.text import TERM_SPACE

try:
    from pgvector import HalfVector, Vector
except ImportError:  # pgvector-python 0.3
    from pgvector.utils import HalfVector, Vector  # type: ignore[import-not-found,no-redef]

if TYPE_CHECKING:
    from ragstore.core.vectors import Floats

SPARSE_DIMENSIONS = TERM_SPACE

_ONE_POSITION = Struct(">HH").pack


def pack_dense(vector: Floats) -> bytes:
    """Pack for a `vector` column."""
    return bytes(Vector(vector).to_binary())


def pack_half(vector: Floats) -> bytes:
    """Pack for a `halfvec` column."""
    return bytes(HalfVector(vector).to_binary())


def pack_sparse(entries: Mapping[int, float]) -> bytes:
    """Pack entries {index from 1: value, other than 0} for a `sparsevec` of 10^9 dimensions."""
    indices = sorted(entries)
    count = len(indices)
    from_zero = [index - 1 for index in indices]
    values = [entries[index] for index in indices]
    return pack(f">3i{count}i{count}f", SPARSE_DIMENSIONS, count, 0, *from_zero, *values)


def pack_lexemes(lexemes: Mapping[str, Sequence[int]], encoding: str = "utf-8") -> bytes:
    """Pack lexemes with their positions, each ascending, for a `tsvector`; the server brings them into its order."""
    parts = [len(lexemes).to_bytes(4, "big")]
    for lexeme, positions in lexemes.items():
        parts.append(f"{lexeme}\0".encode(encoding))
        count = len(positions)
        parts.append(_ONE_POSITION(1, positions[0]) if count == 1 else pack(f">{count + 1}H", count, *positions))
    return b"".join(parts)
