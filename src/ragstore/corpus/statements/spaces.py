"""Statements about embedding spaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ragstore.core.query import Write
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.records import EmbeddingSpace
from ragstore.corpus.tables import SPACES

SPACE_FIELDS = tuple(EmbeddingSpace.model_fields)
SPACE_WIDTH = len(SPACE_FIELDS)


def space_columns(row: Any) -> tuple[Any, ...]:
    """Give the columns that `to_space` takes, of `SpaceRow` or an alias of it."""
    return tuple(getattr(row, field) for field in SPACE_FIELDS)


def to_space(values: Sequence[Any]) -> EmbeddingSpace:
    """Make a record of `space_columns`."""
    return EmbeddingSpace(**dict(zip(SPACE_FIELDS, values, strict=True)))


def insert_space(backend: CorpusBackend, values: dict[str, Any]) -> Write:
    """Insert a space unless the collection has an active one."""
    return Write(backend.upsert(SPACES).on_conflict_do_nothing(), values)
