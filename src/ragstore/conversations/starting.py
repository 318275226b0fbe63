"""Getting or making a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ragstore.conversations import statements
from ragstore.conversations.preparing import Owner
from ragstore.conversations.records import Conversation
from ragstore.core.backend import Backend
from ragstore.core.ids import new_id
from ragstore.core.query import Steps
from ragstore.errors import ConcurrencyError, Conflict, NotFound


def find(tenant: str, thread: str) -> Steps[Conversation]:
    """Read a conversation, or raise `NotFound`."""
    found: list[Conversation] = yield statements.conversation(tenant, thread)
    return _there(found, thread)


def update(tenant: str, thread: str, values: dict[str, Any]) -> Steps[Conversation]:
    """Patch a conversation, or raise `NotFound`."""
    patched: list[Conversation] = yield statements.update_conversation(tenant, thread, values)
    return _there(patched, thread)


def _there(found: list[Conversation], thread: str) -> Conversation:
    if not found:
        raise NotFound(f"there is no conversation {thread!r}: it begins with its first message, or with start")
    return found[0]


def unclaimed(conversation: Conversation, owner: Owner) -> dict[str, str]:
    """Give what the conversation's columns lack of what is said about its owner.

    Raises:
        Conflict: It has another owner, organisation or collection.
    """
    said = owner.said()
    for column, value in said.items():
        if getattr(conversation, column) not in (None, value):
            raise Conflict(
                f"the conversation {conversation.thread_id!r} has another {column}: choose another thread_id"
            )
    return {column: value for column, value in said.items() if getattr(conversation, column) is None}


def claim(tenant: str, conversation: Conversation, owner: Owner) -> Steps[Conversation]:
    """Note on a locked conversation what is said about its owner, where nothing was said before."""
    lacking = unclaimed(conversation, owner)
    if not lacking:
        return conversation
    return (yield from update(tenant, conversation.thread_id, lacking))


def make(
    backend: Backend,
    tenant: str,
    thread: str,
    owner: Owner,
    language: str,
    described: Mapping[str, Any] | None = None,
) -> Steps[Conversation]:
    """Make a conversation unless it is there, and lock it; two that do so at once both get the same.

    Args:
        backend: The database.
        tenant: Whose it is to be.
        thread: The host's id of it.
        owner: Whose it is to be within the tenant.
        language: The language in which its messages are to be analysed.
        described: Column values that a new one gets besides.
    """
    named = {"tenant_id": tenant, "id": new_id(), "thread_id": thread}
    owned = {"user_id": owner.user_id, "organisation_id": owner.organisation_id, "collection": owner.collection}
    values = {**named, **owned, "language": language, "title": None, "meta": {}, **(described or {})}
    found: list[Conversation] = yield statements.insert_conversation(backend, values)
    if not found:
        found = yield statements.lock_conversation(tenant, thread)
    if not found:
        raise ConcurrencyError(f"the conversation {thread!r} was deleted in the same moment: run the whole unit again")
    return found[0]


def start(
    backend: Backend, tenant: str, thread: str, owner: Owner, language: str, described: Mapping[str, Any]
) -> Steps[Conversation]:
    """Make a conversation unless it is there, and note whose it is."""
    conversation = yield from make(backend, tenant, thread, owner, language, described)
    return (yield from claim(tenant, conversation, owner))
