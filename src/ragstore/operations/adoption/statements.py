"""The few statements that no repository has: when something happened long ago, and which of many things are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update

from ragstore.conversations.statements.base import (
    CONVERSATIONS,
    FEEDBACK,
    FEEDBACK_CHANGES,
    IS_ITS_CONVERSATION,
    MESSAGES,
)
from ragstore.core.query import Query
from ragstore.core.types import Id, UtcDateTime
from ragstore.corpus.records import Document
from ragstore.corpus.statements.documents import DOCUMENT_COLUMNS, to_document
from ragstore.corpus.tables import DOCUMENTS

_TENANT: Any = bindparam("tenant")
_ID: Any = bindparam("of", type_=Id())
_AT: Any = bindparam("at", type_=UtcDateTime())
_LAST: Any = bindparam("last", type_=UtcDateTime())

# Each is run for a list of `tenant`, `of` and `at`, the two that have a `last` with that too.
DATE_MESSAGE = update(MESSAGES).where(MESSAGES.c.tenant_id == _TENANT, MESSAGES.c.id == _ID).values(created_at=_AT)
DATE_THUMB = (
    update(FEEDBACK).where(FEEDBACK.c.tenant_id == _TENANT, FEEDBACK.c.message_id == _ID).values(updated_at=_AT)
)
DATE_CHANGE = (
    update(FEEDBACK_CHANGES)
    .where(FEEDBACK_CHANGES.c.tenant_id == _TENANT, FEEDBACK_CHANGES.c.message_id == _ID)
    .values(created_at=_AT)
)
DATE_CONVERSATION = (
    update(CONVERSATIONS)
    .where(CONVERSATIONS.c.tenant_id == _TENANT, CONVERSATIONS.c.id == _ID)
    .values(created_at=_AT, last_activity=_LAST)
)
DATE_DOCUMENT = (
    update(DOCUMENTS)
    .where(DOCUMENTS.c.tenant_id == _TENANT, DOCUMENTS.c.id == _ID)
    .values(created_at=_AT, updated_at=_LAST)
)

_OWNERS = select(CONVERSATIONS.c.thread_id, CONVERSATIONS.c.user_id).where(
    CONVERSATIONS.c.tenant_id == _TENANT, CONVERSATIONS.c.thread_id.in_(bindparam("threads", expanding=True))
)
_NAMES = (
    select(CONVERSATIONS.c.thread_id, MESSAGES.c.client_id)
    .join(MESSAGES, IS_ITS_CONVERSATION)
    .where(
        CONVERSATIONS.c.tenant_id == _TENANT,
        CONVERSATIONS.c.thread_id.in_(bindparam("threads", expanding=True)),
        MESSAGES.c.client_id.in_(bindparam("names", expanding=True)),
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
