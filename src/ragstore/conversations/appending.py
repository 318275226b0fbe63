"""Appending messages: `seq` is assigned under the conversation's row lock, and nothing is written before all checks.

The usual append, of a message or of an exchange, is one statement that locks the conversation, reads its head and
inserts after it, and one that moves the head. If the first inserts nothing, or the batch is another one, the
conversation is locked by itself and looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from ragstore.conversations import reading, statements, thumbs
from ragstore.conversations.preparing import Owner, Prepared
from ragstore.conversations.records import Citation, Conversation, Exchange, Message
from ragstore.conversations.starting import claim, make
from ragstore.conversations.statements import FIELDS, Placed
from ragstore.core.backend import Backend
from ragstore.core.query import Steps
from ragstore.errors import Conflict, StaleHead

AT_ONCE = 2
"""Batches of so many messages go in one statement; each size is a statement of its own."""


@dataclass(frozen=True, slots=True)
class Append:
    """What is to be appended, checked.

    Attributes:
        expected: Where the conversation's head must be; None: anywhere.
        owner: Whose the conversation is to be.
    """

    tenant: str
    thread: str
    batch: Sequence[Prepared]
    expected: int | None = None
    owner: Owner = field(default_factory=Owner)

    def guards(self) -> dict[str, Any]:
        """Give what the conversation's columns must be."""
        return {**self.owner.said(), **({} if self.expected is None else {"head": self.expected})}

    def client_ids(self) -> list[str]:
        """Give the host's own ids among the messages."""
        return [new.fields["client_id"] for new in self.batch if new.fields["client_id"] is not None]


def append(backend: Backend, asked: Append) -> Steps[list[Message]]:
    """Append a batch after the head, as a whole or not at all; what the host's ids say is there already is given."""
    if fits_at_once(asked):
        stored = yield from _append_at_once(backend, asked)
        if stored:
            return stored
    return (yield from _append_locked(backend, asked)) if asked.batch else []


def fits_at_once(asked: Append) -> bool:
    """Say whether one statement can append the batch: of several messages with ids of the host's, some may be there."""
    return len(asked.batch) == 1 or (1 < len(asked.batch) <= AT_ONCE and not asked.client_ids())


def _append_at_once(backend: Backend, asked: Append) -> Steps[list[Message]]:
    fields = [new.fields for new in asked.batch]
    placed: list[Placed] = yield statements.append_at_once(backend, asked.tenant, asked.thread, fields, asked.guards())
    if not placed:
        return []
    places = {place.id: place for place in placed}
    messages = [to_message(new, places[new.fields["id"]]) for new in asked.batch]
    if cited := citation_rows(asked.tenant, asked.batch):
        yield statements.insert_citations(cited)
    yield statements.advance(asked.tenant, messages[-1].conversation_id, messages[-1].seq, messages[-1].id)
    return messages


def _append_locked(backend: Backend, asked: Append) -> Steps[list[Message]]:
    sort_out(asked.batch, {})  # a batch at odds with itself is refused before its thread is made
    found: list[Conversation] = yield statements.lock_conversation(asked.tenant, asked.thread)
    if not found:
        _check_head(asked, 0)
    conversation = found[0] if found else (yield from make(backend, asked.tenant, asked.thread, asked.owner))
    known = yield from _known(asked, conversation)
    fresh = sort_out(asked.batch, known)
    if fresh:
        _check_head(asked, conversation.head)
        yield from claim(asked.tenant, conversation, asked.owner)
    stored = {**known, **(yield from _insert(asked.tenant, conversation, fresh))}
    return [stored[_name_of(new)] for new in asked.batch]


def _check_head(asked: Append, head: int) -> None:
    if asked.expected not in (None, head):
        assert asked.expected is not None
        raise StaleHead(asked.expected, head)


def _known(asked: Append, conversation: Conversation) -> Steps[dict[str | UUID, Message]]:
    client_ids = asked.client_ids()
    if not client_ids or conversation.head == 0:
        return {}
    lines = yield statements.messages_by_client_id(asked.tenant, conversation.id, client_ids)
    messages = yield from reading.assemble(asked.tenant, lines)
    return {message.client_id: message for message in messages if message.client_id is not None}


def _insert(tenant: str, conversation: Conversation, fresh: Sequence[Prepared]) -> Steps[dict[str | UUID, Message]]:
    if not fresh:
        return {}
    head, leaf = conversation.head + len(fresh), fresh[-1].fields["id"]
    told: list[datetime] = yield statements.advance_and_tell(tenant, conversation.id, head, leaf)
    messages = place(fresh, conversation, told[0])
    yield statements.insert_messages([message_row(tenant, message) for message in messages])
    yield statements.insert_citations(citation_rows(tenant, fresh))
    return {_name_of(new): message for new, message in zip(fresh, messages, strict=True)}


# ------------------------------------------------------------------------------------------ without a database


def _name_of(new: Prepared) -> str | UUID:
    name: str | UUID = new.fields["client_id"] or new.fields["id"]
    return name


def sort_out(batch: Sequence[Prepared], known: Mapping[str | UUID, Message]) -> list[Prepared]:
    """Give the messages that are not there yet, each client id once.

    Raises:
        Conflict: A client id is there, or is given twice, with another message.
    """
    fresh: dict[str | UUID, Prepared] = {}
    for new in batch:
        name = _name_of(new)
        if name in known:
            _check_same(payload_of(known[name]), new)
        elif name in fresh:
            _check_same(payload(fresh[name]), new)
        else:
            fresh[name] = new
    return list(fresh.values())


def _check_same(stored: dict[str, Any], new: Prepared) -> None:
    given = payload(new)
    differing = sorted(name for name in given if given[name] != stored[name])
    if differing:
        what = f"the message {new.fields['client_id']!r} is there with another {_attribute(differing[0])}"
        raise Conflict(f"{what}: give a new message an id of its own")


def payload(new: Prepared) -> dict[str, Any]:
    """Give what must be equal for two messages to be the same: all but ids."""
    fields = {name: new.fields[name] for name in FIELDS if name != "id"}
    return {**fields, "citations": [{**cited, "chunk_id": None} for cited in new.citations]}


def payload_of(message: Message) -> dict[str, Any]:
    """Give a stored message's payload."""
    fields = {name: getattr(message, _attribute(name)) for name in FIELDS if name != "id"}
    return {**fields, "citations": [{**cited.model_dump(), "chunk_id": None} for cited in message.citations]}


def _attribute(column: str) -> str:
    return "metadata" if column == "meta" else column


def place(fresh: Sequence[Prepared], conversation: Conversation, now: datetime) -> list[Message]:
    """Give messages their places after a locked conversation's head."""
    parents = [conversation.leaf_id, *(new.fields["id"] for new in fresh)]
    return [
        to_message(new, Placed(new.fields["id"], conversation.id, conversation.head + number, parent, now))
        for number, (new, parent) in enumerate(zip(fresh, parents, strict=False), 1)
    ]


def to_message(new: Prepared, place: Placed) -> Message:
    """Make the record of a message that was stored at a place."""
    values = {_attribute(name): value for name, value in new.fields.items()}
    values |= {"conversation_id": place.conversation_id, "seq": place.seq, "parent_id": place.parent_id}
    cited = tuple(Citation(**citation) for citation in new.citations)
    return Message(**values, status="complete", created_at=place.created_at, citations=cited)


def message_row(tenant: str, message: Message) -> dict[str, Any]:
    """Give a new message's column values."""
    row = {name: getattr(message, _attribute(name)) for name in FIELDS}
    placed = ("conversation_id", "seq", "parent_id", "created_at")
    return {"tenant_id": tenant, **row, **{name: getattr(message, name) for name in placed}}


def citation_rows(tenant: str, messages: Sequence[Prepared]) -> list[dict[str, Any]]:
    """Give the column values of all that new messages cite."""
    return [
        {"tenant_id": tenant, "message_id": new.fields["id"], **citation}
        for new in messages
        for citation in new.citations
    ]


# ------------------------------------------------------------------------------------------------- exchanges


@dataclass(frozen=True, slots=True)
class Thumb:
    """A thumb that comes with an exchange."""

    user: str
    value: int


def record_exchange(backend: Backend, asked: Append, thumb: Thumb | None) -> Steps[Exchange]:
    """Append a question with its answer, and the thumb on it."""
    question, answer = yield from append(backend, asked)
    if thumb is not None and not thumbs.has(answer, thumb.user, thumb.value):
        given = yield from thumbs.give(backend, asked.tenant, answer.id, thumb.user, thumb.value, None)
        others = (other for other in answer.feedback if other.user_id != given.user_id)
        answer = answer.model_copy(update={"feedback": (*others, given)})
    return Exchange(thread_id=asked.thread, question=question, answer=answer)
