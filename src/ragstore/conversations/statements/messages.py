"""The statements that read messages, and what is noted on them: citations and thumbs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Text,
    bindparam,
    cast,
    func,
    null,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.types import NullType, TypeEngine

from ragstore.conversations.records import Citation, Feedback, Message
from ragstore.conversations.statements import rows
from ragstore.conversations.statements.base import (
    CHUNKS,
    CITATIONS,
    CONVERSATION_ID,
    CONVERSATIONS,
    FEEDBACK,
    IS_THE_THREAD,
    MESSAGE_ID,
    MESSAGES,
    ROWS,
    TENANT,
)
from ragstore.conversations.statements.feedback import to_feedback
from ragstore.core.query import Query, Selected
from ragstore.core.types import Id, UtcDateTime


class Line(NamedTuple):
    """A message as its own row has it.

    Attributes:
        annotated: It may have citations or thumbs.
    """

    message: Message
    annotated: bool


def _plain(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """Give a column as the driver does: what a page costs is mostly the making of its values, so it is done once."""
    return type_coerce(column, NullType()).label(name)


def _as_text(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """Give a JSON column as text: a damaged one can then be told by its message, and one that is `{}` is not parsed."""
    return type_coerce(cast(type_coerce(column, Text), Text), NullType()).label(name)


_JSON = ("parts", "meta")


def columns_of(messages: FromClause) -> tuple[ColumnElement[Any], ...]:
    """Give what `to_line` makes a message of."""
    return tuple((_as_text if name in _JSON else _plain)(messages.c[name], name) for name in rows.COLUMNS)


MESSAGE_COLUMNS = columns_of(MESSAGES)
_M = MESSAGES.alias("m")
"""The table where it is read: SQLAlchemy puts the schema in at each execution, here once and not at each column."""

MakeLine = Callable[[Sequence[Any]], Line]


def to_line(row: Sequence[Any]) -> Line:
    """Make a message of a row.

    Raises:
        CorruptRow: It does not hold what a message is made of.
    """
    return Line(rows.to_message(row), bool(row[21]))


def to_line_leniently(row: Sequence[Any]) -> Line:
    """Make a message of a row; what cannot be read is left out, and named in `damage`."""
    return Line(rows.to_message_leniently(row), bool(row[21]))


def line_maker(lenient: bool) -> MakeLine:
    """Give what makes a message of a row."""
    return to_line_leniently if lenient else to_line


_OF_TENANT = select(*columns_of(_M)).where(_M.c.tenant_id == TENANT)
# A scalar subquery, not a join: the plan then cannot depend on how long the conversation is.
_THREADS_ID = select(CONVERSATIONS.c.id).where(*IS_THE_THREAD)
_OF_THREAD = _OF_TENANT.where(_M.c.conversation_id == _THREADS_ID.scalar_subquery())
_UNBRANCHED = _THREADS_ID.where(CONVERSATIONS.c.branched.is_(False)).scalar_subquery()
_BACKWARDS = _M.c.seq.desc()
_BEFORE = _OF_THREAD.where(_M.c.seq < bindparam("place")).order_by(_BACKWARDS).limit(ROWS)
_AFTER = _OF_THREAD.where(_M.c.seq > bindparam("place")).order_by(_M.c.seq).limit(ROWS)
_NEWEST = _OF_TENANT.where(_M.c.conversation_id == _UNBRANCHED).order_by(_BACKWARDS).limit(ROWS)
_BY_ID = _OF_TENANT.where(_M.c.id == MESSAGE_ID)
_BY_IDS = _OF_TENANT.where(_M.c.id.in_(bindparam("message_ids", expanding=True, type_=Id())))
_BY_CLIENT_ID = _OF_TENANT.where(
    _M.c.conversation_id == CONVERSATION_ID,
    _M.c.client_id.in_(bindparam("client_ids", expanding=True)),
)


def messages_before(tenant: str, thread: str, seq: int, rows_: int, *, lenient: bool = False) -> Query[Line]:
    """Select the last messages before a place, the newest first."""
    parameters = {"tenant": tenant, "thread": thread, "place": seq, "rows": rows_}
    return Query(_BEFORE, line_maker(lenient), parameters)


def messages_after(tenant: str, thread: str, seq: int, rows_: int, *, lenient: bool = False) -> Query[Line]:
    """Select the first messages after a place, in reading order."""
    parameters = {"tenant": tenant, "thread": thread, "place": seq, "rows": rows_}
    return Query(_AFTER, line_maker(lenient), parameters)


def newest_unbranched(tenant: str, thread: str, rows_: int, *, lenient: bool = False) -> Query[Line]:
    """Select the newest messages, the newest first; none where the conversation has branches."""
    return Query(_NEWEST, line_maker(lenient), {"tenant": tenant, "thread": thread, "rows": rows_})


def message_by_id(tenant: str, message_id: UUID, *, lenient: bool = False) -> Query[Line]:
    """Select a message."""
    return Query(_BY_ID, line_maker(lenient), {"tenant": tenant, "message_id": message_id})


def messages_by_ids(tenant: str, message_ids: Sequence[UUID], *, lenient: bool = False) -> Query[Line]:
    """Select messages, in no order."""
    return Query(_BY_IDS, line_maker(lenient), {"tenant": tenant, "message_ids": list(message_ids)})


def messages_by_client_id(tenant: str, conversation_id: UUID, client_ids: Sequence[str]) -> Query[Line]:
    """Select the messages that the host knows by these ids."""
    parameters = {"tenant": tenant, "conversation_id": conversation_id, "client_ids": list(client_ids)}
    return Query(_BY_CLIENT_ID, to_line, parameters)


# -------------------------------------------------------------------------------------------------- branches


def _path() -> Selected:
    leaf = select(CONVERSATIONS.c.leaf_id).where(*IS_THE_THREAD).scalar_subquery()
    start = func.coalesce(cast(bindparam("start", type_=Id()), Id()), leaf)
    first = select(_M.c.id, _M.c.parent_id, cast(1, Integer).label("steps")).where(
        _M.c.tenant_id == TENANT,
        _M.c.id == start,
        _M.c.conversation_id == _THREADS_ID.scalar_subquery(),
    )
    walk = first.cte("path", recursive=True)
    up = select(_M.c.id, _M.c.parent_id, walk.c.steps + 1).where(
        _M.c.tenant_id == TENANT, _M.c.id == walk.c.parent_id, walk.c.steps < ROWS
    )
    walk = walk.union_all(up)
    is_on_it = (_M.c.tenant_id == TENANT) & (_M.c.id == walk.c.id)
    return select(*columns_of(_M)).join_from(walk, _M, is_on_it).order_by(_BACKWARDS)


_PATH = _path()
# Two statements, as no index serves IS NOT DISTINCT FROM; and sorted by no column, or a planner might read the whole
# conversation in its order rather than look the few siblings up.
_OF_CONVERSATION = _OF_TENANT.where(_M.c.conversation_id == CONVERSATION_ID).order_by(_M.c.seq + 0)
_SIBLINGS = _OF_CONVERSATION.where(_M.c.parent_id == bindparam("parent_id", type_=Id()))
_ROOTS = _OF_CONVERSATION.where(_M.c.parent_id.is_(None))


def path(tenant: str, thread: str, start: UUID | None, rows_: int, *, lenient: bool = False) -> Query[Line]:
    """Select a message of a thread and those above it, up to so many; of None, the current leaf and those above."""
    parameters = {"tenant": tenant, "thread": thread, "start": start, "rows": rows_}
    return Query(_PATH, line_maker(lenient), parameters)


def siblings(tenant: str, conversation_id: UUID, parent_id: UUID | None, *, lenient: bool = False) -> Query[Line]:
    """Select the messages that follow the same one, in the order in which they were stored."""
    parameters = {"tenant": tenant, "conversation_id": conversation_id}
    if parent_id is None:
        return Query(_ROOTS, line_maker(lenient), parameters)
    return Query(_SIBLINGS, line_maker(lenient), {**parameters, "parent_id": parent_id})


# ----------------------------------------------------------------------------------------------------- notes


@dataclass(frozen=True, slots=True)
class Note:
    """What is noted on a message: a citation or a thumb."""

    message_id: UUID
    citation: Citation | None = None
    feedback: Feedback | None = None


_IDS: Any = bindparam("message_ids", expanding=True, type_=Id())


def _none(type_: TypeEngine[Any]) -> ColumnElement[Any]:
    return cast(null(), type_)


_CITATIONS_OF = (
    select(
        CITATIONS.c.message_id,
        CITATIONS.c.rank,
        CHUNKS.c.id,
        CITATIONS.c.document_id,
        CITATIONS.c.collection,
        CITATIONS.c.source,
        CITATIONS.c.title,
        CITATIONS.c.snippet,
        CITATIONS.c.score,
        CITATIONS.c.start_offset,
        CITATIONS.c.end_offset,
        CITATIONS.c.page,
        CITATIONS.c.heading,
        _none(UtcDateTime()),
    )
    .outerjoin_from(
        CITATIONS, CHUNKS, (CHUNKS.c.tenant_id == CITATIONS.c.tenant_id) & (CHUNKS.c.id == CITATIONS.c.chunk_id)
    )
    .where(CITATIONS.c.tenant_id == TENANT, CITATIONS.c.message_id.in_(_IDS))
)
_COLUMNS = list(_CITATIONS_OF.selected_columns)
_THUMBS_ON = select(
    FEEDBACK.c.message_id,
    FEEDBACK.c.value,
    *(_none(column.type) for column in _COLUMNS[2:5]),
    FEEDBACK.c.user_id,
    _none(Text()),
    FEEDBACK.c.comment,
    *(_none(column.type) for column in _COLUMNS[8:13]),
    FEEDBACK.c.updated_at,
).where(FEEDBACK.c.tenant_id == TENANT, FEEDBACK.c.message_id.in_(_IDS))
_NOTES = union_all(_CITATIONS_OF, _THUMBS_ON)


def _to_note(row: Sequence[Any]) -> Note:
    if row[13] is not None:
        return Note(row[0], feedback=to_feedback((row[0], row[5], row[1], row[7], row[13])))
    citation = Citation(
        rank=row[1],
        chunk_id=row[2],
        document_id=row[3],
        collection=row[4],
        source=row[5],
        title=row[6],
        snippet=row[7],
        score=row[8],
        start_offset=row[9],
        end_offset=row[10],
        page=row[11],
        heading=row[12],
    )
    return Note(row[0], citation=citation)


def notes_on(tenant: str, message_ids: Sequence[UUID]) -> Query[Note]:
    """Select what messages cite, and their thumbs, in no order; a chunk that is gone reads as None."""
    return Query(_NOTES, _to_note, {"tenant": tenant, "message_ids": list(message_ids)})
