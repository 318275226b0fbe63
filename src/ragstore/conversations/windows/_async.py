"""The part of the conversations' repository that gives context windows."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from ragstore.conversations import preparing
from ragstore.conversations.backend import ConversationsBackend
from ragstore.conversations.records import Message
from ragstore.conversations.windows import reading
from ragstore.conversations.windows.preparing import limits
from ragstore.core._async import AsyncRepository
from ragstore.core.ids import parse_id


class AsyncWindows(AsyncRepository[ConversationsBackend]):
    """Context windows."""

    async def context(
        self,
        thread_id: str,
        *,
        turns: int | None = None,
        tokens: int | None = None,
        count_tokens: Callable[[Message], int] | None = None,
        leaf_id: UUID | str | None = None,
        lenient: bool = False,
    ) -> list[Message]:
        """Read what a model is to be given of a conversation: its newest messages, as many as are allowed.

        Going up from the end of the branch, the first message that does not fit ends the window. Pinned and system
        messages are always in it, wherever they stand, and are counted first, also where they alone are too many. A
        message with a call of a tool and those with its result are in it together or not at all; one whose partner is
        missing on the branch is left out. Messages whose text is still growing are left out. Read leniently, a damaged
        message is in the window as any other and counts as what could be read of it; a call or a result that could not
        be read is missing, so that what it belongs to is left out.

        It reads the branch upwards, at first 32 messages and then twice as many each time, until the window is full, so
        that a long conversation costs no more than its window; a pinned message with a call or a result makes it read
        up to there. A short conversation takes one statement, or two if it has citations or thumbs; a long one two or
        three more.

        Args:
            thread_id: The thread; one that nobody has written to has an empty window.
            turns: At most so many turns, a turn being a user's message and all up to the next one; 0 gives nothing.
            tokens: At most so many tokens, together; 0 gives nothing.
            count_tokens: Counts a message's tokens, by the model's own tokenizer; it is asked once for each message, in
                the thread or on the loop that calls. None: an estimate, four characters a token and each of Chinese,
                Japanese and Korean one, where parts count as the JSON they are.
            leaf_id: The message at which the branch ends; None: the current branch.
            lenient: As for `history`.

        Returns:
            The messages in reading order.

        Raises:
            NotFound: The thread has no message `leaf_id`.
            CorruptRow: A message is damaged, among those that were read.
            InvalidInput: Neither `turns` nor `tokens` is given, a value is unfit, or `count_tokens` gave something else
                than a whole number of at least 0.

        Example:
            .. code-block:: python

                await store.conversations.record_exchange(thread_id="t-3", query="How?", response="So.")
                await store.conversations.record_exchange(thread_id="t-3", query="Why?", response="Because.")
                window = await store.conversations.context("t-3", turns=1, tokens=1000)
                assert [message.content for message in window] == ["Why?", "Because."]
        """
        allowed, thread = limits(turns, tokens, count_tokens), preparing.thread(thread_id)
        leaf = None if leaf_id is None else parse_id(leaf_id, field="leaf_id")
        if allowed.nothing:
            return []
        return await self._access.read(lambda: reading.window(self._tenant, thread, leaf, allowed, lenient=lenient))
