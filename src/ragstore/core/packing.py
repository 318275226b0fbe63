"""Vectors in pgvector's binary form, by its own Python package. Imported at first use: it may bring NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ragstore.core.text import TERM_SPACE

try:
    from pgvector import HalfVector, SparseVector, Vector
except ImportError:  # pgvector-python 0.3
    from pgvector.utils import HalfVector, SparseVector, Vector  # type: ignore[import-not-found,no-redef]

if TYPE_CHECKING:
    from ragstore.core.vectors import Floats

SPARSE_DIMENSIONS = TERM_SPACE


def pack_dense(vector: Floats) -> bytes:
    """Pack for a `vector` column."""
    return bytes(Vector(vector).to_binary())


def pack_half(vector: Floats) -> bytes:
    """Pack for a `halfvec` column."""
    return bytes(HalfVector(vector).to_binary())


def pack_sparse(entries: Mapping[int, float]) -> bytes:
    """Pack entries {index from 1: value} for a `sparsevec` of 10^9 dimensions."""
    from_zero = {index - 1: value for index, value in entries.items()}
    return bytes(SparseVector(from_zero, SPARSE_DIMENSIONS).to_binary())
