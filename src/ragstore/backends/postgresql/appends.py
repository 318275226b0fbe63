"""Appending messages on PostgreSQL: a function in the schema does it, in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, bindparam, text

from ragstore.conversations.backend import Append, Place
from ragstore.conversations.preparing import Prepared
from ragstore.core import json
from ragstore.core.ids import new_id
from ragstore.core.money import to_billionths
from ragstore.core.query import Query
from ragstore.core.sql import for_text, quoted
from ragstore.core.types import Id

AT_ONCE = 100
"""Larger batches are written as rows: the function reads a batch as one JSON value."""

LONGEST = 8_000_000
"""Longer JSON, in characters, is no batch for the function either: PostgreSQL holds a JSON array to 256 MB."""


def append_at_once(asked: Append) -> Query[Place] | None:
    """Append a batch after the current leaf, as its protocol says."""
    if asked.placed or not 0 < len(asked.batch) <= AT_ONCE or _names_twice(asked):
        return None
    messages, cited = json.dumps(_messages(asked.batch)), _cited(asked.batch)
    if len(messages) + len(cited or "") > LONGEST:
        return None
    owner = asked.owner
    parameters = {
        "tenant": asked.tenant,
        "thread": asked.thread,
        "new_id": new_id(),
        "expected": asked.expected,
        "owner": owner.user_id,
        "organisation": owner.organisation_id,
        "about": owner.collection,
        "language": asked.language,
        "names": asked.client_ids() or None,
        "messages": messages,
        "cited": cited,
        "searchable": sum(new.terms.length > 0 for new in asked.batch),
        "words": sum(new.terms.length for new in asked.batch),
    }
    return Query(_statement(asked.schema), _to_place, parameters)


def _names_twice(asked: Append) -> bool:
    names = asked.client_ids()
    return len(set(names)) < len(names)


@lru_cache(64)
def _statement(schema: str) -> Executable:
    call = f"""
        SELECT conversation, head, leaf, stored_at FROM {for_text(quoted(schema))}.rag_message_append(
            :tenant, :thread, :new_id, :expected, :owner, :organisation, :about, :language, :names, :messages, :cited,
            :searchable, :words
        )
    """  # noqa: S608 - of constants and a quoted name
    return text(call).bindparams(bindparam("new_id", type_=Id()))


def _to_place(row: Sequence[Any]) -> Place:
    return Place(row[0], row[1], row[2], row[3])


def _messages(batch: Sequence[Prepared]) -> list[dict[str, Any]]:
    written = []
    parent = None
    for place, new in enumerate(batch, 1):
        row = {name: value for name, value in new.fields.items() if value is not None}
        row |= {"id": row["id"].hex, "place": place, "parent_id": parent}
        if "cost" in row:
            row["cost"] = to_billionths(row["cost"])
        if new.terms.length:
            row |= new.terms.columns()
        written.append(row)
        parent = row["id"]
    return written


def _cited(batch: Sequence[Prepared]) -> str | None:
    rows = [
        {"message_id": new.fields["id"].hex, **{name: _plain(value) for name, value in one.items()}}
        for new in batch
        for one in new.citations
    ]
    return json.dumps(rows) if rows else None


def _plain(value: Any) -> Any:
    return value.hex if isinstance(value, UUID) else value
