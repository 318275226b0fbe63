"""Finding messages: the database ranks, phrases are looked for in the texts of the best, and the hits are read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from ragstore.conversations import reading, statements
from ragstore.conversations.backend import ConversationsBackend
from ragstore.conversations.records import Message, MessageHit
from ragstore.conversations.searching.asking import Asked, RankedMessage
from ragstore.conversations.searching.texts import text_of
from ragstore.conversations.statements import Line
from ragstore.core.phrases import fulfils, has_phrases
from ragstore.core.query import Steps
from ragstore.core.slices import slices
from ragstore.core.snippets import make_snippet

CANDIDATES = 200
"""So many of the best are ranked to look for phrases in, and then, while they do not suffice, four times as many."""
TEXTS_AT_ONCE = 100


def find(backend: ConversationsBackend, asked: Asked) -> Steps[list[MessageHit]]:
    """Find the messages that fit best, best first, ties by id."""
    if not asked.search.terms:
        return []
    if has_phrases(asked.query):
        found = yield from _fulfilling(backend, asked)
    else:
        found = yield from backend.rank_messages(asked.search, asked.depth)
    return (yield from _read(asked, found[asked.offset : asked.depth]))


def _fulfilling(backend: ConversationsBackend, asked: Asked) -> Steps[list[RankedMessage]]:
    """Give the best of those that hold the phrases that are required and none that is excluded."""
    passing: list[RankedMessage] = []
    looked_at: set[object] = set()
    first = max(CANDIDATES, 4 * asked.depth)
    for rows in (first * 4**power for power in count()):
        found = yield from backend.rank_messages(asked.search, rows)
        fresh = [candidate for candidate in found if candidate.id not in looked_at]
        for some in slices(fresh, TEXTS_AT_ONCE):
            passing += yield from _holding(asked, some)
            if len(passing) >= asked.depth:
                return passing
        if len(found) < rows:
            break
        looked_at.update(candidate.id for candidate in fresh)
    return passing


def _holding(asked: Asked, candidates: Sequence[RankedMessage]) -> Steps[list[RankedMessage]]:
    ids = [candidate.id for candidate in candidates]
    lines: list[Line] = yield statements.messages_by_ids(asked.search.tenant, ids, lenient=asked.search.lenient)
    texts = {line.message.id: text_of(line.message) for line in lines}
    return [one for one in candidates if one.id in texts and fulfils(asked.query, texts[one.id], one.language)]


def _read(asked: Asked, page: Sequence[RankedMessage]) -> Steps[list[MessageHit]]:
    """Read the hits with what is noted on them; one that was deleted meanwhile is left out."""
    if not page:
        return []
    tenant, ids = asked.search.tenant, [ranked.id for ranked in page]
    query = statements.messages_by_ids(tenant, ids, lenient=asked.search.lenient)
    messages = yield from reading.messages(tenant, query)
    known = {message.id: message for message in messages}
    return [_hit(asked, ranked, known[ranked.id]) for ranked in page if ranked.id in known]


def _hit(asked: Asked, ranked: RankedMessage, message: Message) -> MessageHit:
    snippet = None
    if asked.snippet is not None:
        snippet = make_snippet(text_of(message), asked.query.frequencies, (ranked.language,), asked.snippet)
    return MessageHit(message=message, thread_id=ranked.thread_id, score=ranked.score, snippet=snippet)
