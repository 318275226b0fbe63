# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""The part of the conversations' repository that searches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ragstore.conversations.backend import ConversationsBackend
from ragstore.conversations.indexing import language_of
from ragstore.conversations.records import MessageHit, Role
from ragstore.conversations.searching.asking import Wish, check
from ragstore.conversations.searching.finding import find
from ragstore.core._sync import Repository
from ragstore.core.query_text import Match
from ragstore.core.records import UNSET, Unset


class MessageSearch(Repository[ConversationsBackend]):
    """Full-text search over messages."""

    def search(  # noqa: PLR0913 - all that narrows a search, by keyword
        self,
        text: str,
        *,
        user_id: str | Unset | None = UNSET,
        organisation_id: str | None = None,
        thread_id: str | None = None,
        collection: str | None = None,
        roles: Sequence[Role] = ("user", "assistant"),
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 10,
        offset: int = 0,
        match: Match = "any",
        snippet: int | None = None,
        lenient: bool = False,
    ) -> list[MessageHit]:
        """Find messages by their words, ranked by BM25.

        The conversations that `user_id`, `organisation_id`, `thread_id` and `collection` choose are the scope: nothing
        else is looked at, and how rare a word is, is counted among their messages alone. A message is found as soon as
        it is stored, or finished if its text grew, on every branch; its `content` is searched, and the text among its
        parts. Conversations of before their messages were indexed, or of before the settings' `message_language` was
        changed, are found by it only when `store.maintenance().index_messages()` has been there.

        One statement ranks, reading all that the scope's messages are found by: its time grows with their number. One
        or two more read the hits. Quoted phrases, and excluded ones, are looked for in the texts of the best, a hundred
        at a time.

        Args:
            text: Words to look for, at most 100,000 characters. Any text is valid; one without words finds nothing.
            user_id: Whose conversations. Left out: the whole tenant's; None: those that belong to nobody.
            organisation_id: Only conversations of this organisation.
            thread_id: Only this conversation.
            collection: Only conversations about this collection.
            roles: Only messages of these roles.
            since: Only messages stored then or later; with a time zone.
            until: Only messages stored before; with a time zone.
            limit: How many hits, 1 to 1,000.
            offset: How many better ones to pass over, to 10,000.
            match: "any" word, "all" words, or "web": "quoted phrases", -word and AND.
            snippet: Show the passage with the query's words, of about so many characters, 20 to 10,000.
            lenient: As for `history`. Phrases are looked for, and passages cut, in what can be read; a message whose
                stored words are damaged is not found.

        Returns:
            The hits, best first, ties by message id; `limit` of them if so many match.

        Raises:
            CorruptRow: A message is damaged, among those that were read.
            InvalidInput: A value is unfit.

        Example:
            .. code-block:: python

                store.conversations.record_exchange(
                    thread_id="trip", query="Where is the manual?", response="On the shelf.", user_id="ann"
                )
                [hit] = store.conversations.search("manuals", user_id="ann")
                assert (hit.thread_id, hit.message.role) == ("trip", "user")
                assert store.conversations.search("manuals", user_id="bob") == []
        """
        wish = Wish(
            text=text,
            user_id=user_id,
            organisation_id=organisation_id,
            thread_id=thread_id,
            collection=collection,
            roles=roles,
            since=since,
            until=until,
            limit=limit,
            offset=offset,
            match=match,
            snippet=snippet,
            lenient=lenient,
        )
        asked = check(self._tenant, wish, language_of(self._access.settings))
        return self._access.read(lambda: find(self._backend, asked))
