"""What a search over messages is asked for, checked and analysed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args
from uuid import UUID

from ragstore.conversations import preparing
from ragstore.conversations.records import Role
from ragstore.conversations.statements.scopes import chosen
from ragstore.core import border
from ragstore.core.border import STRICT_TEXT
from ragstore.core.query_text import MAX_QUERY, LexicalQuery, Match, Phrase, parse
from ragstore.core.records import Unset
from ragstore.core.snippets import check_size
from ragstore.core.text import count_terms, term_id
from ragstore.errors import InvalidInput

MAX_OFFSET = 10_000
ROLES: Final = get_args(Role)
MATCHES: Final = get_args(Match)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSearch:
    """What a database is to rank.

    Attributes:
        scope: What the columns of a conversation must hold for its messages to be searched; the statistics are theirs.
        terms: The ids of the terms that rank, ascending, each with its count in the query; at least one.
        required: The ids of terms that a hit has all of.
        excluded: The ids of terms that a hit has none of.
        roles: A hit's role is one of these.
        since: A hit was stored then or later.
        until: A hit was stored before.
        lenient: What is damaged of a message is left out.
    """

    tenant: str
    scope: Mapping[str, str | None]
    terms: Mapping[int, int]
    required: Sequence[int]
    excluded: Sequence[int]
    roles: Sequence[str]
    since: datetime | None
    until: datetime | None
    lenient: bool


@dataclass(frozen=True, slots=True)
class RankedMessage:
    """A message that a database found.

    Attributes:
        language: The language that its conversation was analysed in.
        score: The BM25 score, to nine decimal places.
    """

    id: UUID
    thread_id: str
    language: str
    score: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A search with what becomes of its hits.

    Attributes:
        snippet: How many characters of a passage to show; None: no passage.
    """

    search: MessageSearch
    query: LexicalQuery
    limit: int
    offset: int
    snippet: int | None

    @property
    def depth(self) -> int:
        """Say how many of the best are needed."""
        return self.offset + self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A search as the host asks for it."""

    text: str
    user_id: str | Unset | None
    organisation_id: str | None
    thread_id: str | None
    collection: str | None
    roles: Sequence[Role]
    since: datetime | None
    until: datetime | None
    limit: int
    offset: int
    match: Match
    snippet: int | None
    lenient: bool = False


def check(tenant: str, wish: Wish, language: str) -> Asked:
    """Check a search and analyse its text.

    Raises:
        InvalidInput: A value is unfit.
    """
    query = parse(_text(wish.text), (language,), _match(wish.match))
    required = (phrase for (phrase,) in query.required)  # of one language there is one alternative
    search = MessageSearch(
        tenant=tenant,
        scope=_scope(wish),
        terms=count_terms(query.frequencies),
        required=_ids(required),
        excluded=_ids(phrase for phrase in query.excluded if len(phrase) == 1),
        roles=_roles(wish.roles),
        since=preparing.moment(wish.since, "since"),
        until=preparing.moment(wish.until, "until"),
        lenient=wish.lenient,
    )
    limit = border.limit(wish.limit)
    offset = border.limit(wish.offset, field="offset", minimum=0, maximum=MAX_OFFSET)
    return Asked(search, query, limit, offset, check_size(wish.snippet))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"must be text, not {type(value).__name__}", field="text")
    if len(value) > MAX_QUERY:
        raise InvalidInput(f"has {len(value):,} characters, at most {MAX_QUERY:,}", field="text")
    return STRICT_TEXT.text(value, field="text")


def _match(value: Match) -> Match:
    if value not in MATCHES:
        raise InvalidInput(f"must be one of {MATCHES}", field="match")
    return value


def _roles(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidInput(f"must be a list of roles, not {type(value).__name__}", field="roles")
    roles = tuple(value)
    if not roles or any(role not in ROLES for role in roles):
        raise InvalidInput(f"must be one or more of {ROLES}", field="roles")
    return tuple(role for role in ROLES if role in roles)  # each once: a statement has room for 65,535 values


def _scope(wish: Wish) -> dict[str, str | None]:
    owner = preparing.owner(None, wish.organisation_id, wish.collection)
    thread = None if wish.thread_id is None else preparing.thread(wish.thread_id)
    return chosen(preparing.whose(wish.user_id), **owner.said(), thread_id=thread)


def _ids(phrases: Iterable[Phrase]) -> tuple[int, ...]:
    return tuple(sorted({term_id(lexeme) for phrase in phrases for lexeme, _ in phrase}))
