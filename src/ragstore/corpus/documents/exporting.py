"""Counting and reading out a collection's documents."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from ragstore.core.query import Query, Selected, Steps
from ragstore.corpus import statements
from ragstore.corpus.reading import find_collection
from ragstore.corpus.records import Collection, Document


def count(tenant: str, collection_name: str, condition: ColumnElement[bool] | None) -> Steps[int]:
    """Count a collection's documents, or those that match."""
    within = yield from find_collection(tenant, collection_name)
    counted: list[int] = yield statements.count_documents(tenant, within.id, condition)
    return counted[0]


def batch(tenant: str, collection: Collection, statement: Selected, after: str, rows: int) -> Query[Document]:
    """Select the next documents of an export."""
    place = {"tenant": tenant, "collection_id": collection.id, "after": after, "rows": rows}
    return Query(statement, statements.to_document, place)
