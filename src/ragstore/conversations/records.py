"""What people hold of conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Protocol
from uuid import UUID

from ragstore.conversations.parts import Part, Parts
from ragstore.core.records import Input, JsonObject, Record, Unchecked
from ragstore.core.snippets import Snippet

Role = Literal["system", "user", "assistant", "tool"]
Status = Literal["pending", "streaming", "complete", "error", "cancelled"]
"""Where a message stands: still to come, growing, or finished in one of three ways. A finished one never changes."""
Thumb = Literal[-1, 1]


class CitedChunk(Protocol):
    """What a search hit has and a citation keeps; a `SearchHit` is one."""

    @property
    def chunk_id(self) -> UUID:
        """Give the chunk's id."""
        ...

    @property
    def document_id(self) -> UUID:
        """Give the document's id."""
        ...

    @property
    def collection(self) -> str:
        """Give the collection's name."""
        ...

    @property
    def source(self) -> str:
        """Give what identifies the document in its collection."""
        ...

    @property
    def title(self) -> str:
        """Give the document's title."""
        ...

    @property
    def content(self) -> str:
        """Give the chunk's text; a citation keeps its beginning."""
        ...

    @property
    def score(self) -> float:
        """Give how well it matched; higher is better."""
        ...

    @property
    def start_offset(self) -> int | None:
        """Say where the text begins in the document, in characters."""
        ...

    @property
    def end_offset(self) -> int | None:
        """Say where it ends."""
        ...

    @property
    def page(self) -> int | None:
        """Give the page, counted from 1."""
        ...

    @property
    def heading(self) -> str | None:
        """Give the heading above the text."""
        ...


class NewCitation(Input):
    """What an answer cites, where it is no search hit.

    Attributes:
        source: What identifies the document: a URL, a path, an id.
        title: What people call it.
        snippet: The quoted text, kept whole.
        chunk_id: The chunk, if it is one of ours.
        document_id: Its document.
        collection: The collection's name.
        score: How well it matched; higher is better.
        start_offset: Where the quoted text begins in the document, in characters.
        end_offset: Where it ends.
        page: The page it stands on, counted from 1.
        heading: The heading it stands under.
    """

    source: str
    title: str = ""
    snippet: str = ""
    chunk_id: UUID | None = None
    document_id: UUID | None = None
    collection: str | None = None
    score: float | None = None
    start_offset: int | None = None
    end_offset: int | None = None
    page: int | None = None
    heading: str | None = None


Sources = Annotated[Sequence[CitedChunk | NewCitation], Unchecked]


class Usage(Input):
    """How a message was made.

    Attributes:
        response_time: How long it took to make, in seconds.
        model: The model that was asked for.
        resolved_model: The model that answered.
        input_tokens: Tokens the model read; None: not known, which is not 0.
        output_tokens: Tokens the model wrote.
        cached_tokens: Of the tokens read, those from a cache.
        reasoning_tokens: Of the tokens written, those of reasoning.
        cost: What it cost, in the host's currency, to nine decimal places.
    """

    response_time: float | None = None
    model: str | None = None
    resolved_model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: Decimal | None = None


class NewMessage(Usage):
    """A message to be appended; `Usage` has what is known of how it was made.

    Attributes:
        role: Who speaks: "system", "user", "assistant" or "tool".
        content: The text, at most 1,000,000 characters; may be empty, for a message of parts alone.
        parts: Anything richer than text, in order: `TextPart`, `ReasoningPart`, `ToolCall`, `ToolResult`, `Attachment`,
            `CitationPart`, or any other JSON value, which is stored and given back as it is.
        metadata: For display and for the host's own use.
        client_id: The host's own id of the message, at most 255 bytes, unique in its conversation. Appending it again
            gives the stored message.
        sources: What it cites, best first: search hits or `NewCitation` records.
        pinned: Kept in every context window.
        status: "complete"; "pending" or "streaming" for one whose text is still to come.
    """

    role: Role
    content: str = ""
    parts: Parts | None = None
    metadata: JsonObject = {}
    client_id: str | None = None
    sources: Sources = ()
    pinned: bool = False
    status: Literal["pending", "streaming", "complete"] = "complete"


class Conversation(Record):
    """A thread of messages.

    Attributes:
        thread_id: The host's own id of it.
        user_id: Whose it is; None: nobody's yet.
        organisation_id: The organisation it belongs to.
        collection: The name of the collection it is about.
        pinned: Kept by retention, and shown first by hosts that do so.
        head: Its newest message's `seq`; 0 if it has none.
        leaf_id: The message that the next one will follow: the end of the current branch; None if it has none.
        branched: A message was given a sibling, so that there is more than one way through it.
        language: The language in which its messages are analysed for search; None: they are not yet.
        last_activity: When the last message was appended, or the conversation started.
    """

    id: UUID
    thread_id: str
    user_id: str | None
    organisation_id: str | None
    collection: str | None
    title: str | None
    pinned: bool
    metadata: JsonObject
    head: int
    leaf_id: UUID | None
    branched: bool
    created_at: datetime
    last_activity: datetime
    language: str | None


class Citation(Record):
    """What a message cites, as it was then.

    Attributes:
        rank: Its place among the message's citations, counted from 1.
        chunk_id: The chunk; None once it is gone, or if it never was one of ours.
        document_id: The document as it was then; it may be gone.
        snippet: The quoted text; of a search hit, the first 2,000 characters.
    """

    rank: int
    chunk_id: UUID | None
    document_id: UUID | None
    collection: str | None
    source: str
    title: str
    snippet: str
    score: float | None
    start_offset: int | None
    end_offset: int | None
    page: int | None
    heading: str | None


class Feedback(Record):
    """One user's thumb on a message.

    Attributes:
        user_id: Whose it is; None: of nobody in particular.
        value: 1 for up, -1 for down.
    """

    message_id: UUID
    user_id: str | None
    value: Thumb
    comment: str | None
    updated_at: datetime


class FeedbackChange(Record):
    """A thumb as it was given or taken back.

    Attributes:
        value: 1 for up, -1 for down, None for taken back.
    """

    id: UUID
    message_id: UUID
    user_id: str | None
    value: Thumb | None
    comment: str | None
    created_at: datetime


class Message(Record):
    """A stored message; the fields it shares with `NewMessage` mean the same.

    Attributes:
        seq: Its place in the conversation, counted from 1; this alone orders it.
        parent_id: The message it follows; None: it begins the conversation. Those of one parent are siblings.
        created_at: When it was stored, by the database's clock.
        updated_at: When its text last grew, or was finished; None: it was complete from the start.
        citations: What it cites, by rank.
        feedback: Its thumbs, by user.
        damage: What could not be read of it; None: nothing is wrong. Set by lenient reading alone, which leaves out
            what is damaged.
    """

    id: UUID
    conversation_id: UUID
    seq: int
    parent_id: UUID | None
    client_id: str | None
    role: Role
    status: Status
    content: str
    parts: Annotated[tuple[Part, ...] | None, Unchecked]
    metadata: JsonObject
    response_time: float | None
    model: str | None
    resolved_model: str | None
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    cost: Decimal | None
    pinned: bool
    created_at: datetime
    updated_at: datetime | None
    citations: tuple[Citation, ...] = ()
    feedback: tuple[Feedback, ...] = ()
    damage: str | None = None


class MessageHit(Record):
    """A message that a search found.

    Attributes:
        message: The message, with its citations and feedback.
        thread_id: The thread in which it stands.
        score: Its BM25 score among the messages that were searched, to nine decimal places; higher is better.
        snippet: The passage with the query's words, if it was asked for: of its content, and after that in lines of
            their own the texts among its parts.
    """

    message: Message
    thread_id: str
    score: float
    snippet: Snippet | None = None


class Exchange(Record):
    """A question with its answer.

    Attributes:
        question: The user's message.
        answer: The assistant's, with its citations and feedback.
    """

    thread_id: str
    question: Message
    answer: Message
