"""The border of conversations: what hosts hand in becomes values that may be stored, or an error that says why not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ragstore.config import Settings
from ragstore.conversations.indexing import NO_TERMS, MessageTerms, language_of, terms_of
from ragstore.conversations.parts import check_kind, to_json
from ragstore.conversations.records import NewCitation, NewMessage
from ragstore.conversations.tables import HOST_ID_BYTES
from ragstore.core import border, json, money
from ragstore.core.border import TextPolicy
from ragstore.core.ids import new_id, parse_id
from ragstore.core.records import UNSET, Unset
from ragstore.core.types import to_utc
from ragstore.errors import InvalidInput

MAX_BATCH = 10_000
MAX_CITATIONS = 1_000
MAX_CONTENT = 1_000_000
MAX_INT = 2**31 - 1
MAX_TITLE = 2_000
SNIPPET = 2_000
"""So many characters of a search hit are kept: enough to show what was quoted, whatever the size of chunks."""
COLLECTION_BYTES = 63
ENDINGS = ("complete", "error", "cancelled")

_MAX_COST = 9 * 10**9
TOKENS = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message whose every value may be stored.

    Attributes:
        fields: Column values, its new id among them.
        citations: Column values of what it cites, by rank.
        terms: What it is found by; none while its text is still to come.
    """

    fields: dict[str, Any]
    citations: tuple[dict[str, Any], ...] = ()
    terms: MessageTerms = NO_TERMS


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a conversation is to be; None: not said."""

    user_id: str | None = None
    organisation_id: str | None = None
    collection: str | None = None

    def said(self) -> dict[str, str]:
        """Give what was said, by column."""
        values = {"user_id": self.user_id, "organisation_id": self.organisation_id, "collection": self.collection}
        return {column: value for column, value in values.items() if value is not None}


NOBODYS = Owner()


def thread(value: object) -> str:
    """Check a thread's id."""
    return border.name(value, field="thread_id", max_bytes=HOST_ID_BYTES)


def optional_name(value: object, field: str, max_bytes: int = HOST_ID_BYTES) -> str | None:
    """Check a name that may be left out."""
    return None if value is None else border.name(value, field=field, max_bytes=max_bytes)


def whose(user_id: str | Unset | None) -> str | Unset | None:
    """Check whose conversations are meant: left out, everybody's; None, nobody's."""
    return user_id if isinstance(user_id, Unset) else optional_name(user_id, "user_id")


def moment(value: object, field: str) -> datetime | None:
    """Check an end of a range of time; None: it is open."""
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise InvalidInput(f"must be a datetime, not {type(value).__name__}", field=field)
    return to_utc(value, field=field)


def owner(user_id: str | None, organisation_id: str | None, collection: str | None) -> Owner:
    """Check whose a conversation is to be."""
    return Owner(
        optional_name(user_id, "user_id"),
        optional_name(organisation_id, "organisation_id"),
        optional_name(collection, "collection", COLLECTION_BYTES),
    )


def title(value: object, policy: TextPolicy) -> str | None:
    """Check a title."""
    return None if value is None else text(value, policy, "title", maximum=MAX_TITLE)


def metadata(value: object, policy: TextPolicy, index: int | None = None) -> dict[str, Any]:
    """Check metadata."""
    if not isinstance(value, Mapping):
        raise InvalidInput(f"must be a dict, not {type(value).__name__}", field="metadata", index=index)
    cleaned: dict[str, Any] = json.clean(value, policy, field="metadata", index=index)
    return cleaned


def comment(value: object, policy: TextPolicy) -> str | None:
    """Check a comment on a thumb."""
    return None if value is None else text(value, policy, "comment")


def thumb(value: object, field: str) -> int:
    """Check a thumb: 1 or -1."""
    if not isinstance(value, int) or isinstance(value, bool) or value not in (-1, 1):
        raise InvalidInput("must be 1 (up) or -1 (down)", field=field)
    return int(value)


def head(value: object) -> int | None:
    """Check where a conversation is expected to be."""
    return None if value is None else border.limit(value, field="expected_head", minimum=0, maximum=MAX_INT)


# ------------------------------------------------------------------------------------------------- messages


@dataclass(frozen=True, slots=True)
class Border:
    """How messages are let in.

    Attributes:
        policy: What happens to characters that cannot be stored.
        language: The language in which they are analysed.
    """

    policy: TextPolicy
    language: str

    @classmethod
    def of(cls, settings: Settings) -> Border:
        """Give the border that a store's settings make."""
        return cls(TextPolicy(settings.invalid_text), language_of(settings))


def batch(messages: object, border_: Border) -> list[Prepared]:
    """Check the messages of an append.

    Raises:
        InvalidInput: One cannot be stored; `field` says what is wrong, and `index` which, if a list was given.
    """
    if isinstance(messages, NewMessage):
        return [message(messages, border_)]
    if isinstance(messages, str) or not isinstance(messages, Sequence):
        raise InvalidInput(f"must be NewMessage or a list of them, not {type(messages).__name__}", field="messages")
    if len(messages) > MAX_BATCH:
        raise InvalidInput(f"at most {MAX_BATCH:,} at once: append them in several calls", field="messages")
    return [message(one, border_, index) for index, one in enumerate(messages)]


def message(new: object, border_: Border, index: int | None = None, *, content: str = "content") -> Prepared:
    """Check one message and give it an id.

    Args:
        new: The message.
        border_: How it is let in.
        index: Its place in its batch, for errors.
        content: What the host calls its content, for errors.
    """
    if not isinstance(new, NewMessage):
        raise InvalidInput(f"must be a NewMessage, not {type(new).__name__}", field="messages", index=index)
    policy = border_.policy
    cited = citations(new.sources, policy, index)
    fields = {
        "id": new_id(),
        "client_id": _name(new.client_id, "client_id", index),
        "role": new.role,
        "status": new.status,
        "content": text(new.content, policy, content, index),
        "parts": parts(new.parts, policy, index),
        "meta": metadata(new.metadata, policy, index),
        **usage(new, index),
        "pinned": new.pinned,
        "annotated": len(cited) > 0,
    }
    found = NO_TERMS
    if new.status == "complete":
        found = terms_of(fields["content"], fields["parts"], border_.language)
    return Prepared(fields, cited, found)


def usage(said: Any, index: int | None = None) -> dict[str, Any]:
    """Check what is said of how a message was made."""
    return {
        "response_time": _seconds(said.response_time, "response_time", index),
        "model": _name(said.model, "model", index),
        "resolved_model": _name(said.resolved_model, "resolved_model", index),
        **{name: _whole(getattr(said, name), name, index) for name in TOKENS},
        "cost": _cost(said.cost, index),
    }


def ending(status: object, content: object, said: object, meta: object, policy: TextPolicy) -> dict[str, Any]:
    """Check what a finished message is, and give the columns that change."""
    if status not in ENDINGS:
        raise InvalidInput(f"must be one of {', '.join(ENDINGS)}", field="status")
    values: dict[str, Any] = {"status": status}
    if content is not UNSET:
        values["content"] = text(content, policy, "content")
    if said is not UNSET:
        values["parts"] = parts(said, policy)
    if meta is not UNSET:
        values["meta"] = metadata(meta, policy)
    return values


def parts(value: object, policy: TextPolicy, index: int | None = None) -> list[Any] | None:
    """Check a message's parts, and give them as they are stored."""
    if value is None:
        return None
    if not isinstance(value, list | tuple):
        raise InvalidInput(f"must be a list, not {type(value).__name__}", field="parts", index=index)
    cleaned: list[Any] = json.clean([to_json(part) for part in value], policy, field="parts", index=index)
    for place, part in enumerate(cleaned):
        check_kind(part, f"parts[{place}]", index)
    return cleaned


def _name(value: object, field: str, index: int | None) -> str | None:
    try:
        return optional_name(value, field)
    except InvalidInput as error:
        raise InvalidInput(error.message, field=field, index=index) from None


def text(value: object, policy: TextPolicy, field: str, index: int | None = None, maximum: int = MAX_CONTENT) -> str:
    """Check a text."""
    if not isinstance(value, str):
        raise InvalidInput(f"must be text, not {type(value).__name__}", field=field, index=index)
    if len(value) > maximum:
        raise InvalidInput(f"has {len(value):,} characters, at most {maximum:,}", field=field, index=index)
    return policy.text(value, field=field, index=index)


def _number(value: object, field: str, index: int | None) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise InvalidInput(f"must be a number, not {type(value).__name__}", field=field, index=index)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidInput("must be finite", field=field, index=index)
    return number + 0.0  # -0.0 + 0.0 is 0.0


def _seconds(value: object, field: str, index: int | None) -> float | None:
    seconds = _number(value, field, index)
    if seconds is not None and seconds < 0:
        raise InvalidInput("must be at least 0 seconds", field=field, index=index)
    return seconds


def _whole(value: object, field: str, index: int | None) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_INT:
        raise InvalidInput(f"must be a whole number from 0 to {MAX_INT:,}", field=field, index=index)
    return int(value)


def _cost(value: Decimal | None, index: int | None) -> Decimal | None:
    if value is None:
        return None
    if not value.is_finite() or not 0 <= value <= _MAX_COST:
        raise InvalidInput(f"must be from 0 to {_MAX_COST:,}", field="cost", index=index)
    return money.rounded(value)


# ------------------------------------------------------------------------------------------------ citations


def citations(sources: object, policy: TextPolicy, index: int | None = None) -> tuple[dict[str, Any], ...]:
    """Check what a message cites; the first has rank 1."""
    if isinstance(sources, str) or not isinstance(sources, Sequence):
        raise InvalidInput(f"must be a list, not {type(sources).__name__}", field="sources", index=index)
    if len(sources) > MAX_CITATIONS:
        raise InvalidInput(f"at most {MAX_CITATIONS:,} sources a message", field="sources", index=index)
    return tuple(
        {"rank": rank, **_citation(source, policy, f"sources[{rank - 1}]", index)}
        for rank, source in enumerate(sources, 1)
    )


def _citation(source: object, policy: TextPolicy, field: str, index: int | None) -> dict[str, Any]:
    try:
        return _snapshot(source, policy, field, index)
    except AttributeError as error:
        message = f"must be a search hit or a NewCitation; {type(source).__name__} has no {error.name!r}"
        raise InvalidInput(message, field=field, index=index) from None


def _snapshot(source: Any, policy: TextPolicy, field: str, index: int | None) -> dict[str, Any]:
    def said(value: object, name: str) -> str:
        return text(value, policy, f"{field}.{name}", index)

    quoted = source.snippet if isinstance(source, NewCitation) else source.content
    if isinstance(quoted, str) and not isinstance(source, NewCitation):
        quoted = quoted[:SNIPPET]
    heading, collection = source.heading, source.collection
    return {
        "chunk_id": _id(source.chunk_id, f"{field}.chunk_id"),
        "document_id": _id(source.document_id, f"{field}.document_id"),
        "collection": None if collection is None else _collection(collection, f"{field}.collection", index),
        "source": said(source.source, "source"),
        "title": said(source.title, "title"),
        "snippet": said(quoted, "snippet"),
        "score": _number(source.score, f"{field}.score", index),
        "start_offset": _whole(source.start_offset, f"{field}.start_offset", index),
        "end_offset": _whole(source.end_offset, f"{field}.end_offset", index),
        "page": _whole(source.page, f"{field}.page", index),
        "heading": None if heading is None else said(heading, "heading"),
    }


def _id(value: object, field: str) -> Any:
    return None if value is None else parse_id(value, field=field)


def _collection(value: object, field: str, index: int | None) -> str:
    try:
        return border.name(value, field=field, max_bytes=COLLECTION_BYTES)
    except InvalidInput as error:
        raise InvalidInput(error.message, field=field, index=index) from None
