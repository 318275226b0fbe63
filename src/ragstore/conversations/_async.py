"""The conversations' repository."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from ragstore.conversations import appending, branching, preparing, reading, starting, statements, thumbs
from ragstore.conversations.backend import Append
from ragstore.conversations.exporting._async import AsyncConversationExports
from ragstore.conversations.indexing import language_of
from ragstore.conversations.preparing import Border
from ragstore.conversations.records import (
    Conversation,
    Exchange,
    Feedback,
    FeedbackChange,
    Message,
    NewMessage,
    Sources,
)
from ragstore.conversations.retention._async import AsyncRetention
from ragstore.conversations.searching._async import AsyncMessageSearch
from ragstore.conversations.streams._async import AsyncStreams
from ragstore.conversations.summing._async import AsyncSums
from ragstore.conversations.windows._async import AsyncWindows
from ragstore.core import border
from ragstore.core.ids import parse_id
from ragstore.core.paging import Page, page_of
from ragstore.core.records import UNSET, JsonObject, Unset
from ragstore.errors import InvalidInput


class AsyncConversations(
    AsyncStreams, AsyncWindows, AsyncMessageSearch, AsyncSums, AsyncConversationExports, AsyncRetention
):
    """Threads of messages.

    A thread is known by the host's own id of it, and a thread that nobody has written to is an empty one: its history
    and its pages are empty, and its first message makes it.
    """

    # ----------------------------------------------------------------------------------------- conversations

    async def start(
        self,
        thread_id: str,
        *,
        user_id: str | None = None,
        organisation_id: str | None = None,
        collection: str | None = None,
        title: str | None = None,
        metadata: JsonObject | None = None,
    ) -> Conversation:
        """Get a conversation, or make it: what `ensure` is elsewhere. Messages may be appended without it.

        One read if it is there; else it is inserted in a transaction. A second call changes nothing, and two at once
        get the same conversation. One that has no owner, organisation or collection yet is given those named here.

        Args:
            thread_id: The host's own id of it, 1 to 255 bytes, unique in the tenant.
            user_id: Whose it is, to 255 bytes; None: not said.
            organisation_id: The organisation it belongs to, to 255 bytes.
            collection: The name of the collection it is about, to 63 bytes; it need not exist.
            title: At most 2,000 characters. Stored with a new conversation; one that is there keeps its own.
            metadata: As `title`.

        Raises:
            Conflict: It is there with another owner, organisation or collection.
            InvalidInput: A value is unfit.
        """
        policy, thread = self._policy(), preparing.thread(thread_id)
        owner = preparing.owner(user_id, organisation_id, collection)
        described = {
            "title": preparing.title(title, policy),
            "meta": preparing.metadata({} if metadata is None else metadata, policy),
        }
        found = await self._first(statements.conversation(self._tenant, thread))
        if found is not None and not starting.unclaimed(found, owner):
            return found
        language = language_of(self._access.settings)
        async with self._access.writing() as work:
            return await work.steps(starting.start(self._backend, self._tenant, thread, owner, language, described))

    async def get(self, thread_id: str) -> Conversation:
        """Read a conversation.

        Raises:
            NotFound: Nobody has started it or written to it.
        """
        thread = preparing.thread(thread_id)
        return await self._access.read(lambda: starting.find(self._tenant, thread))

    async def find(self, thread_id: str) -> Conversation | None:
        """Read a conversation, or give None."""
        return await self._first(statements.conversation(self._tenant, preparing.thread(thread_id)))

    async def page_threads(
        self,
        *,
        user_id: str | Unset | None = UNSET,
        collection: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Conversation]:
        """List conversations, the last active first. A page reads no more rows the deeper it lies.

        A conversation that becomes active while its list is walked moves to the front, where the walk has been: it is
        not given twice.

        Args:
            user_id: Whose. Left out: the whole tenant's; None: those that belong to nobody.
            collection: Only those about this collection.
            limit: How many at most, 1 to 1,000.
            cursor: A page's `next_cursor`; None: from the start.
        """
        rows, after = border.limit(limit), reading.thread_place(cursor)
        user = preparing.whose(user_id)
        about = preparing.optional_name(collection, "collection", preparing.COLLECTION_BYTES)
        found = await self._fetch(statements.thread_page(self._tenant, user, about, after, rows + 1))
        return page_of(found, rows, reading.THREADS, reading.thread_key)

    async def update(
        self,
        thread_id: str,
        *,
        title: str | Unset | None = UNSET,
        pinned: bool | Unset = UNSET,
        metadata: JsonObject | Unset = UNSET,
    ) -> Conversation:
        """Change what is given, and leave the rest. One statement; this is no activity.

        Args:
            thread_id: The thread.
            title: At most 2,000 characters; None takes it away.
            pinned: Whether retention keeps it.
            metadata: Takes the place of the stored metadata, whole.

        Raises:
            NotFound: There is no such conversation.
            InvalidInput: A value is unfit.
        """
        thread = preparing.thread(thread_id)
        values = self._patch(title, pinned, metadata)
        if not values:
            return await self.get(thread)
        async with self._access.writing() as work:
            return await work.steps(starting.update(self._tenant, thread, values))

    async def delete(self, thread_id: str) -> bool:
        """Delete a conversation with its messages, citations and feedback. False: there was none."""
        return await self._write(statements.delete_conversation(self._tenant, preparing.thread(thread_id))) > 0

    # ---------------------------------------------------------------------------------------------- messages

    async def append(
        self,
        thread_id: str,
        messages: NewMessage | Sequence[NewMessage],
        *,
        expected_head: int | None = None,
        parent_id: UUID | str | Unset | None = UNSET,
    ) -> list[Message]:
        """Append messages after the newest, all of them or none, and make the thread if it is new.

        The conversation's row is locked, and each message gets the next `seq`; other writers of the thread wait, so the
        numbers have no gaps and a batch is never parted. On PostgreSQL up to 100 messages are one statement, in one
        round trip.

        Args:
            thread_id: The thread.
            messages: One, or up to 10,000 in order; none at all changes nothing.
            expected_head: The `seq` that the newest message is expected to have, 0 for an empty thread; None: append
                in any case.
            parent_id: The message that the first one follows, None for the beginning; left out: the current leaf. With
                another one, a new branch begins, and becomes the current one.

        Returns:
            The messages as stored, in the order given. One whose `client_id` is there already is given as it is there,
            and not stored again; if all are, `expected_head` does not matter, so that a call may be repeated.

        Raises:
            StaleHead: Others have appended since; its `head` is the newest `seq`. Nothing is stored.
            Conflict: A `client_id` is there with another message. Nothing is stored.
            NotFound: The thread has no message `parent_id`. Nothing is stored.
            InvalidInput: A value cannot be stored; `index` is the message's place in the list. Nothing is stored.
        """
        asked = replace(self._asked(preparing.thread(thread_id), messages), expected=preparing.head(expected_head))
        if not isinstance(parent_id, Unset):
            parent = None if parent_id is None else parse_id(parent_id, field="parent_id")
            asked = replace(asked, placed=True, parent_id=parent)
        return await self._append(asked)

    async def _append(self, asked: Append) -> list[Message]:
        if not self._alone:
            async with self._access.writing() as work:
                return await work.steps(appending.append(self._backend, asked))
        async with self._access.autocommitting() as work:
            stored = await work.steps(appending.append_at_once(self._backend, asked))
        if stored:
            return stored
        async with self._access.writing() as work:
            return await work.steps(appending.append_locked(self._backend, asked))

    @property
    def _alone(self) -> bool:
        """Say whether one statement may be all: it needs no transaction, which would also hold the time-outs."""
        settings = self._access.settings
        timeless = settings.statement_timeout is None and settings.lock_timeout is None
        return self._access.one_shot and self._backend.supports.row_locks and timeless

    def _asked(self, thread: str, messages: NewMessage | Sequence[NewMessage]) -> Append:
        let_in = Border.of(self._access.settings)
        return Append.of(self._access, thread, preparing.batch(messages, let_in), let_in.language)

    async def add_sibling(
        self,
        message_id: UUID | str,
        messages: NewMessage | Sequence[NewMessage],
        *,
        expected_head: int | None = None,
    ) -> list[Message]:
        """Append messages beside one: an edited question, or an answer made again. One transaction.

        The first follows what that message follows, so that both are siblings. The new branch becomes the current one,
        and the old one stays as it is; nothing is copied.

        Args:
            message_id: The message.
            messages: As for `append`.
            expected_head: As for `append`.

        Raises:
            NotFound: There is no such message.
            StaleHead: As `append`.
            Conflict: As `append`.
            InvalidInput: As `append`.
        """
        known, expected = parse_id(message_id), preparing.head(expected_head)
        asked = replace(self._asked("", messages), expected=expected)
        async with self._access.writing() as work:
            return await work.steps(branching.add_sibling(self._backend, known, asked))

    async def siblings(self, message_id: UUID | str, *, lenient: bool = False) -> list[Message]:
        """Read a message and its siblings, which follow the same one, in the order in which they were stored.

        Args:
            message_id: The message.
            lenient: As for `history`.

        Raises:
            NotFound: There is no such message.
            CorruptRow: A message is damaged.
        """
        known = parse_id(message_id)
        return await self._access.read(lambda: reading.siblings(self._tenant, known, lenient=lenient))

    async def choose_branch(self, message_id: UUID | str) -> Conversation:
        """Make the newest branch that goes through a message the current one. This is no activity.

        Raises:
            NotFound: There is no such message.
        """
        known = parse_id(message_id)
        async with self._access.writing() as work:
            return await work.steps(branching.choose(self._tenant, known))

    async def record_exchange(  # noqa: PLR0913 - all that is known of an exchange, by keyword
        self,
        *,
        thread_id: str,
        query: str,
        response: str,
        sources: Sources = (),
        response_time: float | None = None,
        feedback: int | None = None,
        user_id: str | None = None,
        organisation_id: str | None = None,
        collection: str | None = None,
        model: str | None = None,
        resolved_model: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cached_tokens: int | None = None,
        reasoning_tokens: int | None = None,
        cost: Decimal | None = None,
        metadata: JsonObject | None = None,
        client_id: str | None = None,
    ) -> Exchange:
        """Store a question with its answer, what the answer cites, and the user's thumb, in one transaction.

        The two messages follow each other at the end of the thread, which is made if it is new, and whose lock is held
        meanwhile. A second call stores a second exchange, unless `client_id` says that it is the same one.

        Args:
            thread_id: The host's own id of the thread, 1 to 255 bytes.
            query: The user's question, at most 1,000,000 characters.
            response: The answer, at most 1,000,000 characters.
            sources: What the answer cites, best first: search hits or `NewCitation` records, at most 1,000. Of a hit
                the first 2,000 characters are kept, and stay when the chunk is gone.
            response_time: How long the answer took, in seconds.
            feedback: The user's thumb on the answer: 1 (up), -1 (down); None: none yet.
            user_id: Whose the thread and the thumb are, to 255 bytes; None: not said.
            organisation_id: As for `start`.
            collection: As for `start`.
            model: The model that was asked for.
            resolved_model: The model that answered.
            input_tokens: Tokens the model read; None: not known.
            output_tokens: Tokens the model wrote.
            cached_tokens: Of the tokens read, those from a cache.
            reasoning_tokens: Of the tokens written, those of reasoning.
            cost: What the answer cost, in the host's currency, to nine decimal places.
            metadata: Stored with the answer.
            client_id: The host's own id of the exchange, at most 240 bytes. Recording it again gives the stored one.

        Raises:
            Conflict: The thread belongs to another owner, organisation or collection, or `client_id` is there with
                another exchange. Nothing is stored.
            InvalidInput: A value cannot be stored. Nothing is stored.

        Example:
            .. code-block:: python

                await store.conversations.record_exchange(thread_id="t-1", query="How?", response="So.")
                assert [m.content for m in await store.conversations.history("t-1")] == ["How?", "So."]
        """
        let_in = Border.of(self._access.settings)
        question_id, answer_id = _client_ids(client_id)
        asking = NewMessage(role="user", content=query, client_id=question_id)
        answering = NewMessage(
            role="assistant",
            content=response,
            client_id=answer_id,
            sources=sources,
            response_time=response_time,
            model=model,
            resolved_model=resolved_model,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cached_tokens=cached_tokens,
            reasoning_tokens=reasoning_tokens,
            cost=cost,
            metadata={} if metadata is None else metadata,
        )
        batch = [
            preparing.message(asking, let_in, content="query"),
            preparing.message(answering, let_in, content="response"),
        ]
        owner = preparing.owner(user_id, organisation_id, collection)
        asked = Append.of(self._access, preparing.thread(thread_id), batch, let_in.language, owner=owner)
        if feedback is None:
            question, answer = await self._append(asked)
            return Exchange(thread_id=asked.thread, question=question, answer=answer)
        thumb = appending.Thumb(_user(user_id), preparing.thumb(feedback, "feedback"))
        async with self._access.writing() as work:
            return await work.steps(appending.record_exchange(self._backend, asked, thumb))

    async def history(self, thread_id: str, limit: int = 10, *, lenient: bool = False) -> list[Message]:
        """Read the newest messages of the current branch in reading order, with their citations and feedback.

        One statement; one more if there are citations or thumbs, and one more if the thread has branches.

        Args:
            thread_id: The thread.
            limit: How many at most, 0 to 1,000.
            lenient: Leave out what is damaged of a message, and say so in its `damage`, rather than to raise.

        Returns:
            The newest is the last; none for a thread that nobody has written to.

        Raises:
            CorruptRow: A message is damaged.
        """
        rows, thread = border.limit(limit, minimum=0), preparing.thread(thread_id)
        if rows == 0:
            return []
        newest = await self._access.read(lambda: reading.path_from(self._tenant, thread, None, rows, lenient=lenient))
        return newest[::-1]

    async def page(
        self,
        thread_id: str,
        *,
        limit: int = 50,
        cursor: str | None = None,
        backwards: bool = False,
        lenient: bool = False,
    ) -> Page[Message]:
        """List a thread's messages by `seq`, those of every branch. A page costs the same however long the thread is.

        Messages appended meanwhile are met going forwards, and change nothing going backwards.

        Args:
            thread_id: The thread; one that nobody has written to has an empty page.
            limit: How many at most, 1 to 1,000.
            cursor: The `next_cursor` of a page in the same direction; None: from the start, or from the end.
            backwards: From the newest to the oldest, and the page's items in this order too.
            lenient: As for `history`.

        Raises:
            CorruptRow: A message is damaged.
        """
        rows, thread = border.limit(limit), preparing.thread(thread_id)
        kind = reading.BACKWARDS if backwards else reading.FORWARDS
        found = await self._access.read(
            lambda: reading.page(self._tenant, thread, cursor, rows + 1, backwards=backwards, lenient=lenient)
        )
        return page_of(found, rows, kind, reading.message_key)

    async def page_branch(
        self,
        thread_id: str,
        *,
        leaf_id: UUID | str | None = None,
        limit: int = 50,
        cursor: str | None = None,
        lenient: bool = False,
    ) -> Page[Message]:
        """List a branch from its end to the root, the newest first. One statement a page, of as many rows as it has.

        Args:
            thread_id: The thread.
            leaf_id: The message to begin with; None: the current leaf.
            limit: How many at most, 1 to 1,000.
            cursor: The `next_cursor` of such a page; `leaf_id` does not matter then.
            lenient: As for `history`.

        Returns:
            An empty page if the thread has no such message.

        Raises:
            CorruptRow: A message is damaged.
        """
        rows, thread = border.limit(limit), preparing.thread(thread_id)
        leaf = None if leaf_id is None else parse_id(leaf_id, field="leaf_id")
        start = reading.branch_place(cursor) or leaf
        found = await self._access.read(
            lambda: reading.path_from(self._tenant, thread, start, rows + 1, lenient=lenient)
        )
        return page_of(found, rows, reading.UPWARDS, reading.parent_key)

    async def get_message(self, message_id: UUID | str, *, lenient: bool = False) -> Message:
        """Read a message with its citations and feedback.

        Args:
            message_id: The message.
            lenient: As for `history`.

        Raises:
            NotFound: There is none.
            CorruptRow: It is damaged.
        """
        known = parse_id(message_id)
        return await self._access.read(lambda: reading.message(self._tenant, known, lenient=lenient))

    async def update_message(
        self, message_id: UUID | str, *, pinned: bool | Unset = UNSET, metadata: JsonObject | Unset = UNSET
    ) -> Message:
        """Change what may change of a message. Its text never does: an edited one is a sibling.

        Args:
            message_id: The message.
            pinned: Whether every context window keeps it.
            metadata: Takes the place of the stored metadata, whole.

        Raises:
            NotFound: There is no such message.
            CorruptRow: What stays of it is damaged; nothing is changed. `metadata` puts other in the place of damaged.
            InvalidInput: A value is unfit.
        """
        known = parse_id(message_id)
        values: dict[str, Any] = {}
        if not isinstance(pinned, Unset):
            values["pinned"] = _flag(pinned)
        if not isinstance(metadata, Unset):
            values["meta"] = preparing.metadata(metadata, self._policy())
        if not values:
            return await self.get_message(known)
        async with self._access.writing() as work:
            return await work.steps(branching.patch(self._tenant, known, values))

    async def delete_message(self, message_id: UUID | str) -> int:
        """Delete a message with all that follow it, on every branch, in one transaction. This is no activity.

        What it follows stays, and so do its siblings. If the current leaf goes, the newest branch that is left becomes
        the current one. What search finds them by, their citations and their feedback go in the same transaction.

        Returns:
            How many messages were deleted.

        Raises:
            NotFound: There is no such message.
        """
        known = parse_id(message_id)
        async with self._access.writing() as work:
            return await work.steps(branching.delete(self._tenant, known))

    # ---------------------------------------------------------------------------------------------- feedback

    async def give_feedback(
        self, message_id: UUID | str, value: int, *, user_id: str | None = None, comment: str | None = None
    ) -> Feedback:
        """Put a user's thumb on a message, in the place of the one that is there; every thumb is kept in a record.

        Args:
            message_id: The message.
            value: 1 (up) or -1 (down).
            user_id: Whose thumb, to 255 bytes; each user has one. None: of nobody in particular, which is one more.
            comment: At most 1,000,000 characters; None takes the one that is there away.

        Raises:
            NotFound: There is no such message.
            InvalidInput: A value is unfit.
        """
        known, user, up_or_down = parse_id(message_id), _user(user_id), preparing.thumb(value, "value")
        said = preparing.comment(comment, self._policy())
        async with self._access.writing() as work:
            return await work.steps(thumbs.give(self._backend, self._tenant, known, user, up_or_down, said))

    async def delete_feedback(self, message_id: UUID | str, *, user_id: str | None = None) -> bool:
        """Take a user's thumb back; that too is kept in the record. False: there was none."""
        known, user = parse_id(message_id), _user(user_id)
        async with self._access.writing() as work:
            return await work.steps(thumbs.take_back(self._tenant, known, user))

    async def feedback_changes(self, message_id: UUID | str) -> list[FeedbackChange]:
        """Read every thumb that was given on a message or taken back, oldest first; none for an unknown message."""
        return await self._fetch(statements.feedback_changes(self._tenant, parse_id(message_id)))

    def _patch(self, title: str | Unset | None, pinned: bool | Unset, metadata: JsonObject | Unset) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if not isinstance(title, Unset):
            values["title"] = preparing.title(title, self._policy())
        if not isinstance(pinned, Unset):
            values["pinned"] = _flag(pinned)
        if not isinstance(metadata, Unset):
            values["meta"] = preparing.metadata(metadata, self._policy())
        return values


async def take_last(
    conversations: AsyncConversations, thread_id: str, wanted: Callable[[Message], bool]
) -> Message | None:
    """Take away what `branching.take_last` does, in one transaction. For adapters: a host deletes by a message's id."""
    async with conversations._access.writing() as work:
        return await work.steps(branching.take_last(conversations._tenant, thread_id, wanted))


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(f"must be True or False, not {type(value).__name__}", field="pinned")
    return value


def _user(user_id: str | None) -> str:
    return preparing.optional_name(user_id, "user_id") or thumbs.NOBODY


def _client_ids(client_id: str | None) -> tuple[str | None, str | None]:
    if client_id is None:
        return None, None
    name = border.name(client_id, field="client_id", max_bytes=240)
    return f"{name}/question", f"{name}/answer"
