"""What the statements of a search on SQLite share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Text, and_, bindparam, func, select
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from ragstore.core import json
from ragstore.core.query import Query
from ragstore.core.types import Id
from ragstore.corpus.parameters import TENANT
from ragstore.corpus.tables import ChunkRow

COLLECTION_ID = bindparam("collection_id", type_=Id())
SPACE_ID = bindparam("space_id", type_=Id())


def listed(name: str) -> Any:
    """Select the members of a list that is bound as JSON: any number of them, and one statement for all."""
    return select(func.json_each(bindparam(name, type_=Text())).table_valued("value").c.value)


def unindexed(column: Any) -> Any:
    """Keep the planner from starting at this column."""
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


IDS_LISTED = and_(ChunkRow.tenant_id == TENANT, ChunkRow.id.in_(listed("ids")))
_DOCUMENTS = select(ChunkRow.id, ChunkRow.document_id).where(IDS_LISTED)


def list_ids(ids: Iterable[UUID]) -> str:
    """Give ids as `listed` takes them."""
    return json.dumps([chunk_id.hex for chunk_id in ids])


def documents_of(tenant: str, ids: Iterable[UUID]) -> Query[Any]:
    """Select the document of each chunk."""
    return Query(_DOCUMENTS, tuple, {"tenant": tenant, "ids": list_ids(ids)})


class Quota:
    """How many chunks of each document may still be taken."""

    def __init__(self, most: int | None) -> None:
        """Let so many of each be taken, or any number."""
        self._most = most
        self._taken: dict[UUID, int] = {}

    def has(self, document_id: UUID) -> bool:
        """Say whether another may be taken."""
        return self._most is None or self._taken.get(document_id, 0) < self._most

    def take(self, document_id: UUID) -> bool:
        """Take one; False if none is left."""
        if not self.has(document_id):
            return False
        self._taken[document_id] = self._taken.get(document_id, 0) + 1
        return True


def growing(start: int, total: int) -> Iterator[int]:
    """Give ever larger numbers, the last of which is at least the total."""
    while start < total:
        yield start
        start *= 4
    yield start
