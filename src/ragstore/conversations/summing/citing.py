"""Counts of what is cited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, MetaData, Table, Text, bindparam, cast, exists, func, null, select

from ragstore.conversations.statements.base import CHUNKS, CITATIONS, FEEDBACK, MESSAGES, ROWS, TENANT
from ragstore.conversations.summing.expressions import by_code_point
from ragstore.conversations.summing.grouping import Scope, within
from ragstore.conversations.summing.records import CitedSum
from ragstore.core.base import SCHEMA, TENANT_LENGTH
from ragstore.core.query import Query, Selected
from ragstore.core.types import Id, Key

CITED_KEYS = ("chunk", "document", "source")

_DOCUMENTS = Table(
    "rag_document", MetaData(), Column("tenant_id", Key(TENANT_LENGTH)), Column("id", Id()), schema=SCHEMA
)
_LINKED = {"chunk": (CITATIONS.c.chunk_id, CHUNKS), "document": (CITATIONS.c.document_id, _DOCUMENTS)}
_WITHIN = within(MESSAGES.c.created_at)
_OF = {**_WITHIN, "collection": CITATIONS.c.collection == bindparam("collection")}
_CITING = (MESSAGES.c.tenant_id == CITATIONS.c.tenant_id) & (MESSAGES.c.id == CITATIONS.c.message_id)
_SOURCE: ColumnElement[Any] = by_code_point(CITATIONS.c.source)


def _keys(by: str) -> tuple[ColumnElement[Any], ...]:
    if by == "source":
        return CITATIONS.c.collection.label("key"), _SOURCE.label("key_source")
    return (_LINKED[by][0].label("key"),)


def _by_message(by: str, of: frozenset[str]) -> Any:
    """Count what each message cites: its thumbs are to count once, and not once a citation."""
    keys = _keys(by)
    counts = select(
        *keys,
        CITATIONS.c.message_id,
        func.count().label("citations"),
        func.sum(CITATIONS.c.rank).label("ranks"),
        func.max(MESSAGES.c.created_at, type_=MESSAGES.c.created_at.type).label("cited_at"),
        func.max(cast(CITATIONS.c.document_id, Text)).label("document"),  # not every PostgreSQL has max() of UUIDs
        func.max(CITATIONS.c.collection).label("collection"),
        func.max(_SOURCE).label("source"),
        func.max(by_code_point(CITATIONS.c.title)).label("title"),
    ).join_from(CITATIONS, MESSAGES, _CITING)
    conditions = [CITATIONS.c.tenant_id == TENANT, *(_OF[name] for name in sorted(of))]
    if by in _LINKED:
        conditions.append(_LINKED[by][0].is_not(None))
    # By the message first: SQLite sorts the rows for this, and so they come nearly sorted, in half the time.
    return counts.where(*conditions).group_by(CITATIONS.c.message_id, *(key.element for key in keys)).subquery("m")


_THUMBS = (
    select(
        FEEDBACK.c.message_id,
        func.count().filter(FEEDBACK.c.value == 1).label("up"),
        func.count().filter(FEEDBACK.c.value == -1).label("down"),
    )
    .where(FEEDBACK.c.tenant_id == TENANT)
    .group_by(FEEDBACK.c.message_id)
    .subquery("f")
)


@lru_cache(maxsize=64)
def _cited(by: str, of: frozenset[str]) -> Selected:
    m = _by_message(by, of)
    keys = [column for column in m.c if column.key in {"key", "key_source"}]
    citations = func.sum(m.c.citations).label("citations")
    most = (
        select(
            m.c.key,
            func.max(m.c.document).label("document"),
            func.max(m.c.collection).label("collection"),
            func.max(by_code_point(m.c.source)).label("source"),
            func.max(by_code_point(m.c.title)).label("title"),
            citations,
            func.count().label("messages"),
            func.sum(m.c.ranks).label("ranks"),
            func.max(m.c.cited_at, type_=MESSAGES.c.created_at.type).label("cited_at"),
            func.coalesce(func.sum(_THUMBS.c.up), 0).label("up"),
            func.coalesce(func.sum(_THUMBS.c.down), 0).label("down"),
        )
        .outerjoin_from(m, _THUMBS, _THUMBS.c.message_id == m.c.message_id)
        .group_by(*keys)
        .order_by(citations.desc(), *(key.asc().nulls_first() for key in keys))
        .limit(ROWS)
    ).subquery("most")
    in_order = (most.c.citations.desc(), most.c.key.asc().nulls_first(), by_code_point(most.c.source))
    return select(*most.c, _gone(by, most.c.key)).order_by(*in_order)


def _gone(by: str, key: ColumnElement[Any]) -> ColumnElement[Any]:
    if by not in _LINKED:
        return null()
    linked = _LINKED[by][1]
    return ~exists().where(linked.c.tenant_id == TENANT, linked.c.id == key)


def _to_cited(by: str) -> Callable[[Sequence[Any]], CitedSum]:
    def make(row: Sequence[Any]) -> CitedSum:
        return CitedSum(
            chunk_id=row[0] if by == "chunk" else None,
            document_id=None if by == "source" or row[1] is None else UUID(row[1]),
            collection=row[2],
            source=row[3],
            title=row[4],
            citations=int(row[5]),
            messages=row[6],
            mean_rank=int(row[7]) / int(row[5]),
            last_cited_at=row[8],
            up=int(row[9]),
            down=int(row[10]),
            gone=None if row[11] is None else bool(row[11]),
        )

    return make


def cited(scope: Scope, by: str, rows: int) -> Query[CitedSum]:
    """Count citations, what is cited most first; of those alike the one with the lower key."""
    parameters = {"tenant": scope.tenant, "rows": rows} | scope.parameters()
    return Query(_cited(by, scope.conditions()), _to_cited(by), parameters)
