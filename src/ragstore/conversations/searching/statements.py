"""The statements that searching and analysing anew share, or that are the same on every database."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, or_, select, update

from ragstore.conversations.indexing import MessageTerms
from ragstore.conversations.preparing import ENDINGS
from ragstore.conversations.statements.base import CONVERSATION_ID, CONVERSATIONS, MESSAGES, ROWS, TENANT
from ragstore.conversations.statements.messages import MESSAGE_COLUMNS, Line, to_line_leniently
from ragstore.core.query import Query, Write
from ragstore.core.types import Id, UtcDateTime

# ---------------------------------------------------------------------------------------------------- searching


def is_wanted(given: Container[str]) -> ColumnElement[bool]:
    """Say whether a message is of one of the roles and of the time, as far as one is given."""
    conditions: list[ColumnElement[bool]] = [MESSAGES.c.role.in_(bindparam("roles", expanding=True))]
    if "since" in given:
        conditions.append(MESSAGES.c.created_at >= bindparam("since", type_=UtcDateTime()))
    if "until" in given:
        conditions.append(MESSAGES.c.created_at < bindparam("until", type_=UtcDateTime()))
    return and_(*conditions)


# -------------------------------------------------------------------------------------------- analysing anew


@dataclass(frozen=True, slots=True)
class Stale:
    """A conversation whose messages are to be analysed."""

    tenant: str
    id: UUID


_LANGUAGE: Any = bindparam("wanted")
_STALE = (
    select(CONVERSATIONS.c.tenant_id, CONVERSATIONS.c.id)
    .where(CONVERSATIONS.c.head > 0, or_(CONVERSATIONS.c.language.is_(None), CONVERSATIONS.c.language != _LANGUAGE))
    .limit(ROWS)
    .with_for_update(key_share=True, skip_locked=True)
)
_FINAL = (
    select(*MESSAGE_COLUMNS)
    .where(
        MESSAGES.c.tenant_id == TENANT,
        MESSAGES.c.conversation_id == CONVERSATION_ID,
        MESSAGES.c.seq > bindparam("place"),
        MESSAGES.c.status.in_(ENDINGS),
    )
    .order_by(MESSAGES.c.seq)
    .limit(ROWS)
)
_STORE = (
    update(MESSAGES)
    .where(MESSAGES.c.tenant_id == TENANT, MESSAGES.c.id == bindparam("of", type_=Id()))
    .values(words=bindparam("new_words"), terms=bindparam("new_terms"), counts=bindparam("new_counts"))
)
_NOTE = (
    update(CONVERSATIONS)
    .where(CONVERSATIONS.c.tenant_id == TENANT, CONVERSATIONS.c.id == CONVERSATION_ID)
    .values(language=bindparam("new_language"), searchable=bindparam("new_searchable"), words=bindparam("new_words"))
)


def stale_conversations(language: str, rows: int) -> Query[Stale]:
    """Lock some conversations, of all tenants, whose messages are not analysed in a language; nobody is waited for."""
    return Query(_STALE, lambda row: Stale(row[0], row[1]), {"wanted": language, "rows": rows})


def final_messages(tenant: str, conversation_id: UUID, after: int, rows: int) -> Query[Line]:
    """Select a conversation's finished messages from after a `seq`; what is damaged of one is left out."""
    parameters = {"tenant": tenant, "conversation_id": conversation_id, "place": after, "rows": rows}
    return Query(_FINAL, to_line_leniently, parameters)


def store_terms(tenant: str, found: Sequence[tuple[UUID, MessageTerms]]) -> Write:
    """Store what messages are found by, in the place of what they were found by."""
    rows = ({f"new_{name}": value for name, value in terms.columns().items()} for _, terms in found)
    return Write(_STORE, [{"tenant": tenant, "of": one, **row} for (one, _), row in zip(found, rows, strict=True)])


def note_indexed(tenant: str, conversation_id: UUID, language: str, searchable: int, words: int) -> Write:
    """Note that all finished messages of a conversation are analysed."""
    noted = {"new_language": language, "new_searchable": searchable, "new_words": words}
    return Write(_NOTE, {"tenant": tenant, "conversation_id": conversation_id, **noted})
