"""Names as hosts give them, checked."""

from __future__ import annotations

from ragstore.core import border
from ragstore.corpus.tables import NAME_BYTES, SOURCE_BYTES


def collection_name(name: str) -> str:
    """Check a collection's name."""
    return border.name(name, field="collection", max_bytes=NAME_BYTES)


def source_name(source: str) -> str:
    """Check a document's source."""
    return border.name(source, field="source", max_bytes=SOURCE_BYTES)
