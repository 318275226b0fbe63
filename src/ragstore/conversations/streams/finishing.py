"""Messages whose text comes in pieces: open until they are finished, and never changed after that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from ragstore.conversations import branching, preparing, reading, statements
from ragstore.conversations.indexing import NO_TERMS, MessageTerms, terms_of
from ragstore.conversations.parts import Parts, as_stored
from ragstore.conversations.preparing import MAX_CONTENT
from ragstore.conversations.records import Conversation, Message, Sources, Usage
from ragstore.conversations.statements import Line, OpenMessage
from ragstore.core.border import TextPolicy
from ragstore.core.query import Steps
from ragstore.core.records import UNSET, JsonObject, Unchecked, Unset
from ragstore.errors import ConcurrencyError, Conflict, LimitExceeded, NotFound, RagstoreError

Ending = Literal["complete", "error", "cancelled"]
OPEN = ("pending", "streaming")


class Told(Usage):
    """What is known of a message when it is done, but its status and its text."""

    parts: Annotated[Parts | Unset | None, Unchecked] = UNSET
    metadata: Annotated[JsonObject | Unset, Unchecked] = UNSET
    sources: Sources = ()


@dataclass(frozen=True, slots=True)
class Rest:
    """What is stored with a finished message, every value fit to be.

    Attributes:
        values: Column values.
        cited: Column values of what it cites, by rank.
    """

    values: dict[str, Any]
    cited: tuple[dict[str, Any], ...]


def rest(told: Told, policy: TextPolicy, status: Ending = "complete", content: str | Unset = UNSET) -> Rest:
    """Check what is known of a message when it is done."""
    values = preparing.ending(status, content, told.parts, told.metadata, policy)
    values |= {name: value for name, value in preparing.usage(told).items() if value is not None}
    cited = preparing.citations(told.sources, policy)
    return Rest({**values, "annotated": True} if cited else values, cited)


def grow(tenant: str, message_id: UUID, added: str, at: int | None) -> Steps[int]:
    """Add to an open message's text, and give its length then."""
    grown: list[int] = yield statements.grow_message(tenant, message_id, added, at, MAX_CONTENT - len(added))
    if grown:
        return grown[0]
    stored = yield from reading.bare(tenant, message_id)
    _check_open(stored)
    if at not in (None, len(stored.content)):
        raise Conflict(f"the message has {len(stored.content)} characters, not {at}: go on from there")
    raise too_long()


def too_long() -> LimitExceeded:
    """Say that a text would become too long."""
    return LimitExceeded(f"a message has at most {MAX_CONTENT:,} characters: finish it, and go on in another")


@contextmanager
def noting_failure(error: BaseException, message_id: UUID) -> Iterator[None]:
    """Note on an error, which is the one to be told, that its message could not be ended."""
    try:
        yield
    except RagstoreError as failed:
        error.add_note(f"and its message {message_id} could not be ended with all that had come: {failed}")


def _check_open(message: Message) -> None:
    if message.status not in OPEN:
        raise Conflict(f"the message is {message.status}, and a finished one never changes: append another")


def finish(tenant: str, message_id: UUID, done: Rest) -> Steps[Message]:
    """Finish an open message: store the rest of it, and from now on it is found by search."""
    conversation, message = yield from branching.locked(tenant, message_id)
    _check_open(message)
    terms = _terms(conversation, message, done.values)
    seen, values = len(message.content), {**done.values, **terms.columns()}
    finished: list[Line] = yield statements.finish_message(tenant, message_id, seen, values)
    if not finished:
        raise ConcurrencyError("the message grew in the same moment: run the whole unit again")
    if done.cited:
        yield statements.delete_citations(tenant, message_id)
        yield statements.insert_citations(
            [{"tenant_id": tenant, "message_id": message_id, **one} for one in done.cited]
        )
    yield statements.note_finished(tenant, conversation.id, terms.length, active=True)
    return (yield from reading.annotated(tenant, finished))[0]


def end_stale(stale: OpenMessage) -> Steps[int]:
    """End a message whose writer has died, unless it is ended or has grown meanwhile; give how many were ended."""
    try:
        conversation, message = yield from branching.locked(stale.tenant, stale.id)
    except NotFound:
        return 0
    if message.status not in OPEN or message.updated_at != stale.updated_at:
        return 0
    terms = _terms(conversation, message, {})
    values = {"status": "error", **terms.columns()}
    seen = len(message.content)
    ended = yield statements.finish_message(stale.tenant, stale.id, seen, values, lenient=True)
    if ended:
        yield statements.note_finished(stale.tenant, conversation.id, terms.length, active=False)
    return len(ended)


def _terms(conversation: Conversation, message: Message, values: dict[str, Any]) -> MessageTerms:
    if conversation.language is None:
        return NO_TERMS
    parts = values["parts"] if "parts" in values else as_stored(message.parts)
    return terms_of(values.get("content", message.content), parts, conversation.language)
