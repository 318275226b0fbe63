"""The few statements that no repository has: when something happened long ago, and which of many things are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update

from ragstore.conversations.tables import ConversationRow, FeedbackChangeRow, FeedbackRow, MessageRow
from ragstore.core.base import table_of
from ragstore.core.query import Query
from ragstore.core.types import Id, UtcDateTime
from ragstore.corpus.records import Document
from ragstore.corpus.statements.documents import DOCUMENT_COLUMNS, to_document
from ragstore.corpus.tables import DOCUMENTS

_CONVERSATIONS, _MESSAGES = table_of(ConversationRow), table_of(MessageRow)
_FEEDBACK, _CHANGES = table_of(FeedbackRow), table_of(FeedbackChangeRow)
_TENANT: Any = bindparam("tenant")
_ID: Any = bindparam("of", type_=Id())
_AT: Any = bindparam("at", type_=UtcDateTime())
_LAST: Any = bindparam("last", type_=UtcDateTime())

# Each is run for a list of `tenant`, `of` and `at`, the two that have a `last` with that too.
DATE_MESSAGE = update(_MESSAGES).where(_MESSAGES.c.tenant_id == _TENANT, _MESSAGES.c.id == _ID).values(created_at=_AT)
DATE_THUMB = (
    update(_FEEDBACK).where(_FEEDBACK.c.tenant_id == _TENANT, _FEEDBACK.c.message_id == _ID).values(updated_at=_AT)
)
DATE_CHANGE = (
    update(_CHANGES).where(_CHANGES.c.tenant_id == _TENANT, _CHANGES.c.message_id == _ID).values(created_at=_AT)
)
DATE_CONVERSATION = (
    update(_CONVERSATIONS)
    .where(_CONVERSATIONS.c.tenant_id == _TENANT, _CONVERSATIONS.c.id == _ID)
    .values(created_at=_AT, last_activity=_LAST)
)
DATE_DOCUMENT = (
    update(DOCUMENTS)
    .where(DOCUMENTS.c.tenant_id == _TENANT, DOCUMENTS.c.id == _ID)
    .values(created_at=_AT, updated_at=_LAST)
)

_OWNERS = select(_CONVERSATIONS.c.thread_id, _CONVERSATIONS.c.user_id).where(
    _CONVERSATIONS.c.tenant_id == _TENANT, _CONVERSATIONS.c.thread_id.in_(bindparam("threads", expanding=True))
)
_NAMES = (
    select(_CONVERSATIONS.c.thread_id, _MESSAGES.c.client_id)
    .join(
        _MESSAGES,
        (_MESSAGES.c.tenant_id == _CONVERSATIONS.c.tenant_id) & (_MESSAGES.c.conversation_id == _CONVERSATIONS.c.id),
    )
    .where(
        _CONVERSATIONS.c.tenant_id == _TENANT,
        _CONVERSATIONS.c.thread_id.in_(bindparam("threads", expanding=True)),
        _MESSAGES.c.client_id.in_(bindparam("names", expanding=True)),
    )
)
_DOCUMENTS = select(*DOCUMENT_COLUMNS).where(
    DOCUMENTS.c.tenant_id == _TENANT,
    DOCUMENTS.c.collection_id == bindparam("collection_id", type_=Id()),
    DOCUMENTS.c.source.in_(bindparam("sources", expanding=True)),
)


def owners(tenant: str, threads: Sequence[str]) -> Query[tuple[str, str | None]]:
    """Select whose the threads are that are there."""
    return Query(_OWNERS, lambda row: (row[0], row[1]), {"tenant": tenant, "threads": threads})


def names(tenant: str, threads: Sequence[str], client_ids: Sequence[str]) -> Query[tuple[str, str]]:
    """Select the thread and the host's id of the messages that are there."""
    parameters = {"tenant": tenant, "threads": threads, "names": client_ids}
    return Query(_NAMES, lambda row: (row[0], row[1]), parameters)


def documents(tenant: str, collection_id: UUID, sources: Sequence[str]) -> Query[Document]:
    """Select the documents that are there."""
    return Query(_DOCUMENTS, to_document, {"tenant": tenant, "collection_id": collection_id, "sources": sources})
