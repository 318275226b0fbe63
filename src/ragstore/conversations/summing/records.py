"""What people hold of sums."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from ragstore.core.records import Record

UsageKey = Literal["user", "organisation", "collection", "thread", "model", "resolved_model", "day"]
"""What usage is summed by; "user", "organisation", "collection" and "thread" are those of the conversation."""
FeedbackKey = Literal["rater", "user", "organisation", "collection", "model", "day"]
"""What thumbs are summed by; "rater" is whose thumb it is, "user" whose conversation, "day" that of the thumb."""
CitedKey = Literal["chunk", "document", "source"]
"""What citations are counted by."""


class UsageSum(Record):
    """What a group of messages used. A number is None where no message of the group knows it, which is not 0.

    Attributes:
        user_id: Whose the conversations are. This and the other keys are None where the group has none, and where the
            call does not group by it.
        organisation_id: Whose organisation's they are.
        collection: What they are about.
        thread_id: Which conversation.
        model: The model that was asked for.
        resolved_model: The model that answered.
        day: The day, in UTC, on which the messages were stored.
        messages: How many messages of the group say anything of their usage.
        input_tokens: Tokens read, together.
        output_tokens: Tokens written.
        cached_tokens: Of the tokens read, those from a cache.
        reasoning_tokens: Of the tokens written, those of reasoning.
        cost: What they cost, exactly.
        response_time: How long they took together, in seconds; each counts to the microsecond.
        mean_response_time: The same for each message that knows it.
    """

    user_id: str | None = None
    organisation_id: str | None = None
    collection: str | None = None
    thread_id: str | None = None
    model: str | None = None
    resolved_model: str | None = None
    day: date | None = None
    messages: int
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    cost: Decimal | None
    response_time: float | None
    mean_response_time: float | None


class FeedbackSum(Record):
    """How a group of messages is rated now; a thumb that was changed or taken back counts as it is now.

    Attributes:
        rater_id: Whose thumbs these are; None: of nobody in particular, or the call does not group by it. So for the
            other keys.
        user_id: Whose the conversations are.
        organisation_id: Whose organisation's they are.
        collection: What they are about.
        model: The model that was asked for the messages.
        day: The day, in UTC, on which the thumbs were last given.
        up: Thumbs up.
        down: Thumbs down.
        commented: Thumbs, up or down, with a comment.
    """

    rater_id: str | None = None
    user_id: str | None = None
    organisation_id: str | None = None
    collection: str | None = None
    model: str | None = None
    day: date | None = None
    up: int
    down: int
    commented: int


class CitedSum(Record):
    """How often a chunk, a document or a source is cited.

    Attributes:
        chunk_id: The chunk, where chunks are counted; also one that is gone.
        document_id: Its document as it was cited, where chunks or documents are counted; it may be gone.
        collection: The name of the collection; None: none was named.
        source: What identifies the document. This and the next one are the last in the order of code points, should
            the citations have several.
        title: What people call it.
        gone: What is counted is no longer there; None where sources are counted, which need not be ours.
        citations: How often it is cited.
        messages: In how many messages.
        mean_rank: Its place among a message's citations, on average over the citations; 1 is the first.
        last_cited_at: When the last of the messages was stored.
        up: Thumbs up on the messages that cite it; each counts once, however often the message cites it.
        down: Thumbs down on them.
    """

    chunk_id: UUID | None
    document_id: UUID | None
    collection: str | None
    source: str
    title: str
    gone: bool | None
    citations: int
    messages: int
    mean_rank: float
    last_cited_at: datetime
    up: int
    down: int
