"""Branches: siblings, the current leaf, and deleting a message with what follows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from ragstore.conversations import appending, reading, starting, statements
from ragstore.conversations.backend import Append, ConversationsBackend
from ragstore.conversations.records import Conversation, Message
from ragstore.conversations.statements import Line
from ragstore.core.query import Steps
from ragstore.errors import ConcurrencyError


def locked(tenant: str, message_id: UUID) -> Steps[tuple[Conversation, Message]]:
    """Lock a message's conversation, and read the message as it is then, damaged or not, without its notes."""
    seen = yield from reading.bare(tenant, message_id)
    found: list[Conversation] = yield statements.lock_conversation_by_id(tenant, seen.conversation_id)
    if not found:
        raise ConcurrencyError("the conversation was deleted in the same moment: run the whole unit again")
    return found[0], (yield from reading.bare(tenant, message_id))


def add_sibling(backend: ConversationsBackend, message_id: UUID, asked: Append) -> Steps[list[Message]]:
    """Append a batch beside a message: under the same parent."""
    conversation, message = yield from locked(asked.tenant, message_id)
    beside = replace(asked, thread=conversation.thread_id, placed=True, parent_id=message.parent_id)
    return (yield from appending.append(backend, beside))


def choose(tenant: str, message_id: UUID) -> Steps[Conversation]:
    """Make the newest branch that goes through a message the current one."""
    conversation, message = yield from locked(tenant, message_id)
    tips: list[UUID] = yield statements.tip_below(tenant, conversation.id, message.id)
    if tips[0] != conversation.leaf_id:
        yield statements.patched(tenant, conversation.id, {"leaf_id": tips[0], "branched": True})
    return (yield from starting.find(tenant, conversation.thread_id))


def delete(tenant: str, message_id: UUID) -> Steps[int]:
    """Delete a message with all that follow it, on every branch; the ancestors stay, and so does another's branch."""
    conversation, message = yield from locked(tenant, message_id)
    gone: list[UUID] = yield statements.delete_tree(tenant, conversation.id, message.id)
    leaf = conversation.leaf_id
    if leaf in gone:
        tips: list[UUID] = yield statements.tip_below(tenant, conversation.id, message.parent_id)
        leaf = tips[0] if tips else None
    yield statements.recount(tenant, conversation.id, leaf)
    return len(gone)


def patch(tenant: str, message_id: UUID, values: dict[str, Any]) -> Steps[Message]:
    """Change what may change of a message."""
    patched: list[Line] = yield statements.patch_message(tenant, message_id, values)
    if not patched:
        raise reading.no_message(message_id)
    return (yield from reading.annotated(tenant, patched))[0]
