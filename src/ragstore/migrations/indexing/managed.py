"""Which indexes are managed, and what they are called while they are made: the one place that says so."""

from __future__ import annotations

import hashlib
import re

from sqlalchemy import Index

from ragstore.backends.postgresql.indexes import PREFIX as APPROXIMATE
from ragstore.schema import tables_for

_BUILDING = "rag_new_"
_RETIRED = "rag_old_"
_LEFT = re.compile(f"({_BUILDING}|{_RETIRED})[0-9a-f]{{16}}")


def managed(database: str) -> list[tuple[str, Index]]:
    """List, with their tables, the declared indexes that nothing but speed hangs on: all that are not unique.

    It does not matter which revision made them. An embedding space's approximate index is managed too: it is not
    declared, but follows from the space's row.
    """
    tables = tables_for(database)
    indexes = [(table.name, index) for table in tables for index in table.indexes if not index.unique]
    return sorted(indexes, key=lambda item: (item[0], str(item[1].name)))


def building(name: str) -> str:
    """Name an index that is to take this one's place. Always the same, so that what a killed run left is found."""
    return _BUILDING + _digest(name)


def retired(name: str) -> str:
    """Name an index that is to be dropped."""
    return _RETIRED + _digest(name)


def is_left(name: str) -> bool:
    """Say whether this is the name of one of the two."""
    return _LEFT.fullmatch(name) is not None


def is_retired(name: str) -> bool:
    """Say whether an index of this name is to be dropped, whatever it is."""
    return is_left(name) and name.startswith(_RETIRED)


def is_approximate(name: str) -> bool:
    """Say whether this is the name of an embedding space's index."""
    return re.fullmatch(f"{APPROXIMATE}[0-9a-f]{{32}}", name) is not None


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]
