"""Branches: siblings, the current leaf, and deleting a message with what follows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from ragstore.conversations import appending, reading, starting, statements
from ragstore.conversations.backend import Append, ConversationsBackend
from ragstore.conversations.records import Conversation, Message
from ragstore.conversations.statements import Line
from ragstore.core.query import Steps
from ragstore.core.slices import slices
from ragstore.errors import ConcurrencyError

DELETED_AT_ONCE = 500


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
    tip = (yield from _from(tenant, message))[-1]
    if tip != conversation.leaf_id:
        yield statements.patched(tenant, conversation.id, {"leaf_id": tip, "branched": True})
    return (yield from starting.find(tenant, conversation.thread_id))


def delete(tenant: str, message_id: UUID) -> Steps[int]:
    """Delete a message with all that follow it, on every branch; the ancestors stay, and so does another's branch."""
    conversation, message = yield from locked(tenant, message_id)
    gone = yield from _from(tenant, message)
    for some in slices(gone, DELETED_AT_ONCE):
        yield statements.delete_messages(tenant, some)
    leaf = conversation.leaf_id
    if leaf in gone:
        leaf = yield from _tip(tenant, conversation, message.parent_id)
    yield statements.recount(tenant, conversation.id, leaf)
    return len(gone)


def _from(tenant: str, message: Message) -> Steps[list[UUID]]:
    """Give a message and all that follow it, on every branch, the newest last."""
    later: list[tuple[UUID, UUID | None]] = yield statements.messages_from(tenant, message.conversation_id, message.seq)
    found = {message.id: None}  # a dictionary keeps its order
    for one, parent in later:
        if parent in found:
            found[one] = None
    return list(found)


def _tip(tenant: str, conversation: Conversation, parent_id: UUID | None) -> Steps[UUID | None]:
    """Give the newest message that goes through one; of None, the conversation's newest, if there is any."""
    if parent_id is not None:
        return (yield from _from(tenant, (yield from reading.bare(tenant, parent_id))))[-1]
    newest: list[UUID] = yield statements.newest(tenant, conversation.id)
    return newest[0] if newest else None


def take_last(tenant: str, thread: str, wanted: Callable[[Message], bool]) -> Steps[Message | None]:
    """Take the current branch's messages away from its end, up to the first that is wanted, and give that one.

    Where none is wanted, nothing is taken away. What is left stays the current branch: no other takes its place.
    """
    found: list[Conversation] = yield statements.lock_conversation(tenant, thread)
    leaf = found[0].leaf_id if found else None
    taken: list[Message] = []
    while leaf is not None:
        message = yield from reading.message(tenant, leaf)
        taken.append(message)
        if wanted(message):
            for each in taken:
                yield from _take(tenant, each)
            return message
        leaf = message.parent_id
    return None


def _take(tenant: str, leaf: Message) -> Steps[None]:
    """End the current branch above its leaf, which is deleted unless another branch goes through it."""
    if (yield from _from(tenant, leaf))[-1] != leaf.id:
        yield statements.patched(tenant, leaf.conversation_id, {"leaf_id": leaf.parent_id})
        return
    yield statements.delete_messages(tenant, [leaf.id])
    yield statements.recount(tenant, leaf.conversation_id, leaf.parent_id)


def patch(tenant: str, message_id: UUID, values: dict[str, Any]) -> Steps[Message]:
    """Change what may change of a message."""
    patched: list[Line] = yield statements.patch_message(tenant, message_id, values)
    if not patched:
        raise reading.no_message(message_id)
    return (yield from reading.annotated(tenant, patched))[0]
