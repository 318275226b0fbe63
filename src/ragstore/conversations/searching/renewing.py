"""Analysing messages anew: those from before they were searched, or of another language than is set now."""

from __future__ import annotations

from ragstore.conversations.indexing import terms_of
from ragstore.conversations.searching.statements import (
    Stale,
    final_messages,
    note_indexed,
    stale_conversations,
    store_terms,
)
from ragstore.conversations.searching.texts import text_of
from ragstore.core.query import Steps

CONVERSATIONS_AT_ONCE = 50
"""So many are looked for, and locked, in one statement."""
TEXTS_AT_ONCE = 200


def index_messages(language: str, max_rows: int) -> Steps[int]:
    """Analyse the messages of conversations that are not analysed in this language, until so many are done.

    A conversation is done whole, and each is locked first, as by who appends to it. Conversations without a finished
    message are noted on the way, so that 0 says that nothing is left.
    """
    done = 0
    while done < max_rows:
        stale: list[Stale] = yield stale_conversations(language, CONVERSATIONS_AT_ONCE)
        for conversation in stale:
            done += yield from _index(conversation, language)
            if done >= max_rows:
                return done
        if len(stale) < CONVERSATIONS_AT_ONCE:
            break
    return done


def _index(conversation: Stale, language: str) -> Steps[int]:
    """Analyse a locked conversation's messages, and give their number."""
    tenant, conversation_id = conversation.tenant, conversation.id
    place = done = searchable = words = 0
    while lines := (yield final_messages(tenant, conversation_id, place, TEXTS_AT_ONCE)):
        found = [(line.message.id, terms_of(text_of(line.message), None, language)) for line in lines]
        yield store_terms(tenant, found)
        place, done = lines[-1].message.seq, done + len(lines)
        searchable += sum(terms.length > 0 for _, terms in found)
        words += sum(terms.length for _, terms in found)
    yield note_indexed(tenant, conversation_id, language, searchable, words)
    return done
