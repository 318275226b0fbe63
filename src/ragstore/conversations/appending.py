"""Appending messages: `seq` is assigned under the conversation's row lock, and nothing is written before all checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ragstore.conversations import reading, statements, thumbs
from ragstore.conversations.backend import Append, ConversationsBackend, Place
from ragstore.conversations.indexing import NO_TERMS, MessageTerms, terms_of
from ragstore.conversations.parts import as_stored, read_parts
from ragstore.conversations.preparing import Prepared
from ragstore.conversations.records import Citation, Conversation, Exchange, Message
from ragstore.conversations.starting import claim, make, unclaimed
from ragstore.conversations.statements import FIELDS
from ragstore.core.backend import Backend
from ragstore.core.query import Steps
from ragstore.errors import Conflict, NotFound, StaleHead


def append_at_once(backend: ConversationsBackend, asked: Append) -> Steps[list[Message]]:
    """Append a batch in one statement; nothing is given where it takes more, and nothing was stored then."""
    query = backend.append_at_once(asked)
    places: list[Place] = [] if query is None else (yield query)
    return [] if not places else placed(asked.batch, places[0])


def append(backend: ConversationsBackend, asked: Append) -> Steps[list[Message]]:
    """Append a batch after the leaf, as a whole or not at all; what the host's ids say is there already is given."""
    stored = yield from append_at_once(backend, asked)
    return stored or (yield from append_locked(backend, asked))


def append_locked(backend: Backend, asked: Append) -> Steps[list[Message]]:
    """Lock the conversation, look at what is there, and append what is not."""
    sort_out(asked.batch, {})  # a batch at odds with itself is refused before its thread is made
    if not asked.batch:
        return []
    conversation = yield from _locked(backend, asked)
    known = yield from _known(asked, conversation)
    fresh = sort_out(asked.batch, known)
    if fresh:
        _check_head(asked, conversation.head)
        yield from claim(asked.tenant, conversation, asked.owner)
    else:
        unclaimed(conversation, asked.owner)  # what is there already is another owner's as much
    stored = {**known, **(yield from _insert(asked, conversation, fresh))}
    return [stored[_name_of(new)] for new in asked.batch]


def _locked(backend: Backend, asked: Append) -> Steps[Conversation]:
    found: list[Conversation] = yield statements.lock_conversation(asked.tenant, asked.thread)
    if found:
        return found[0]
    _check_head(asked, 0)
    if asked.placed and asked.parent_id is not None:
        raise _no_parent(asked)
    return (yield from make(backend, asked.tenant, asked.thread, asked.owner, asked.language))


def _check_head(asked: Append, head: int) -> None:
    if asked.expected not in (None, head):
        assert asked.expected is not None
        raise StaleHead(asked.expected, head)


def _known(asked: Append, conversation: Conversation) -> Steps[dict[str | UUID, Message]]:
    client_ids = asked.client_ids()
    if not client_ids or conversation.head == 0:
        return {}
    query = statements.messages_by_client_id(asked.tenant, conversation.id, client_ids)
    messages = yield from reading.messages(asked.tenant, query)
    return {message.client_id: message for message in messages if message.client_id is not None}


def _insert(asked: Append, conversation: Conversation, fresh: Sequence[Prepared]) -> Steps[dict[str | UUID, Message]]:
    if not fresh:
        return {}
    tenant, parent = asked.tenant, (yield from _parent(asked, conversation))
    terms = in_language(fresh, conversation.language, asked.language)
    advanced = {
        "new_head": conversation.head + len(fresh),
        "new_leaf": fresh[-1].fields["id"],
        "now_branched": conversation.branched or parent != conversation.leaf_id,
        "new_searchable": sum(found.length > 0 for found in terms),
        "new_words": sum(found.length for found in terms),
    }
    told: list[datetime] = yield statements.advance(tenant, conversation.id, advanced)
    place = Place(conversation.id, conversation.head, parent, told[0])
    yield statements.insert_messages(message_rows(tenant, fresh, terms, place))
    yield statements.insert_citations(citation_rows(tenant, fresh))
    messages = placed(fresh, place)
    return {_name_of(new): message for new, message in zip(fresh, messages, strict=True)}


def _parent(asked: Append, conversation: Conversation) -> Steps[UUID | None]:
    if not asked.placed:
        return conversation.leaf_id
    if asked.parent_id is not None and asked.parent_id != conversation.leaf_id:
        found = yield statements.parent(asked.tenant, conversation.id, asked.parent_id)
        if not found:
            raise _no_parent(asked)
    return asked.parent_id


def _no_parent(asked: Append) -> NotFound:
    return NotFound(f"the conversation {asked.thread!r} has no message {asked.parent_id}")


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


_CHANGING = ("id", "status", "pinned", "annotated")
"""What may differ between a message and the same one given again."""


def _check_same(stored: dict[str, Any], new: Prepared) -> None:
    given = payload(new)
    compared = ("role",) if new.fields["status"] != "complete" else given  # what was streamed since is no difference
    differing = sorted(name for name in compared if given[name] != stored[name])
    if differing:
        what = f"the message {new.fields['client_id']!r} is there with another {_attribute(differing[0])}"
        raise Conflict(f"{what}: give a new message an id of its own")


def payload(new: Prepared) -> dict[str, Any]:
    """Give what must be equal for two messages to be the same."""
    fields = {name: new.fields[name] for name in FIELDS if name not in _CHANGING}
    return {**fields, "citations": [{**cited, "chunk_id": None} for cited in new.citations]}


def payload_of(message: Message) -> dict[str, Any]:
    """Give a stored message's payload."""
    fields = {name: getattr(message, _attribute(name)) for name in FIELDS if name not in _CHANGING}
    cited = [{**cited.model_dump(), "chunk_id": None} for cited in message.citations]
    return {**fields, "parts": as_stored(message.parts), "citations": cited}


def _attribute(column: str) -> str:
    return "metadata" if column == "meta" else column


def _after(fresh: Sequence[Prepared], place: Place) -> list[UUID | None]:
    """Give what each message follows."""
    return [place.parent_id, *(new.fields["id"] for new in fresh[:-1])]


def placed(fresh: Sequence[Prepared], place: Place) -> list[Message]:
    """Make the records of messages that were stored at a place."""
    numbered = enumerate(zip(fresh, _after(fresh, place), strict=True), place.head + 1)
    return [_to_message(new, place, seq, parent) for seq, (new, parent) in numbered]


def _to_message(new: Prepared, place: Place, seq: int, parent: UUID | None) -> Message:
    values = {_attribute(name): value for name, value in new.fields.items() if name != "annotated"}
    if values["parts"] is not None:
        values["parts"] = read_parts(values["parts"])
    values |= {"conversation_id": place.conversation_id, "seq": seq, "parent_id": parent}
    cited = tuple(Citation(**citation) for citation in new.citations)
    return Message(**values, created_at=place.stored_at, updated_at=_grown_at(new, place), citations=cited)


def _grown_at(new: Prepared, place: Place) -> datetime | None:
    return None if new.fields["status"] == "complete" else place.stored_at


def message_rows(
    tenant: str, fresh: Sequence[Prepared], terms: Sequence[MessageTerms], place: Place
) -> list[dict[str, Any]]:
    """Give new messages' column values."""
    placing = {"tenant_id": tenant, "conversation_id": place.conversation_id, "created_at": place.stored_at}
    numbered = enumerate(zip(fresh, terms, _after(fresh, place), strict=True), place.head + 1)
    return [
        {
            **placing,
            **new.fields,
            **found.columns(),
            "seq": seq,
            "parent_id": parent,
            "updated_at": _grown_at(new, place),
        }
        for seq, (new, found, parent) in numbered
    ]


def citation_rows(tenant: str, messages: Sequence[Prepared]) -> list[dict[str, Any]]:
    """Give the column values of all that new messages cite."""
    return [
        {"tenant_id": tenant, "message_id": new.fields["id"], **citation}
        for new in messages
        for citation in new.citations
    ]


def in_language(fresh: Sequence[Prepared], wanted: str | None, analysed: str) -> list[MessageTerms]:
    """Give what messages are found by; nothing in a conversation that is still to be analysed as a whole."""
    if wanted == analysed:
        return [new.terms for new in fresh]
    if wanted is None:
        return [NO_TERMS for _ in fresh]
    return [
        terms_of(new.fields["content"], new.fields["parts"], wanted) if new.terms.length else NO_TERMS for new in fresh
    ]


# ------------------------------------------------------------------------------------------------- exchanges


@dataclass(frozen=True, slots=True)
class Thumb:
    """A thumb that comes with an exchange."""

    user: str
    value: int


def record_exchange(backend: ConversationsBackend, asked: Append, thumb: Thumb) -> Steps[Exchange]:
    """Append a question with its answer, and the thumb on it."""
    question, answer = yield from append(backend, asked)
    if not thumbs.has(answer, thumb.user, thumb.value):
        given = yield from thumbs.give(backend, asked.tenant, answer.id, thumb.user, thumb.value, None)
        others = (other for other in answer.feedback if other.user_id != given.user_id)
        answer = answer.model_copy(update={"feedback": tuple(sorted((*others, given), key=reading.rater))})
    return Exchange(thread_id=asked.thread, question=question, answer=answer)
