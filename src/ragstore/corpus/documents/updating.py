"""Changing what describes a document, and none of its chunks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ragstore.core import json
from ragstore.core.border import TextPolicy
from ragstore.core.query import Steps
from ragstore.core.records import Unset
from ragstore.corpus import statements
from ragstore.corpus.documents.preparing import prepare
from ragstore.corpus.reading import find_document
from ragstore.corpus.records import Document, NewDocument
from ragstore.errors import NotFound

_COLUMNS = {"metadata": "meta"}
Patch = dict[str, Any]


def patch(source: str, policy: TextPolicy, fields: Mapping[str, object]) -> Patch:
    """Check the fields that are given, as a put would.

    Raises:
        InvalidInput: A value cannot be stored.
    """
    given = {name: value for name, value in fields.items() if not isinstance(value, Unset)}
    values = prepare(NewDocument(source=source, **given), [], policy).fields  # type: ignore[arg-type]  # checked there
    return {name: values[_COLUMNS.get(name, name)] for name in given}


def update(tenant: str, collection_name: str, source: str, values: Patch) -> Steps[Document]:
    """Change a document's fields under its lock; write nothing if they are what they shall be."""
    found = yield from find_document(tenant, collection_name, source)
    if found is None:
        raise NotFound(f"there is no document {source!r} in {collection_name!r}")
    locked: list[Document] = yield statements.lock_document(tenant, found.id)
    if not locked:
        raise NotFound(f"there is no document {source!r} in {collection_name!r}")
    changed = {_COLUMNS.get(name, name): value for name, value in values.items() if _differs(locked[0], name, value)}
    if not changed:
        return locked[0]
    yield statements.patch_document(tenant, found.id, changed)
    written: list[Document] = yield statements.document_by_id(tenant, found.id)
    return written[0]


def _differs(document: Document, name: str, value: object) -> bool:
    return json.dumps(getattr(document, name)) != json.dumps(value)  # as JSON: 1 is not true
