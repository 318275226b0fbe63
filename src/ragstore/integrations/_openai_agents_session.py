"""The session of the OpenAI Agents SDK's kind."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, cast

from agents.memory import SessionSettings

from ragstore.conversations._async import take_last
from ragstore.errors import ConcurrencyError, UsageError
from ragstore.integrations import _histories
from ragstore.integrations._openai_agents_items import items_of, to_items, to_new
from ragstore.store._async import AsyncStore

if TYPE_CHECKING:
    from agents import TResponseInputItem


class RagstoreSession:
    """A thread of the store as a session; its items are those of the current branch.

    It holds no connection and nothing that was read: make one for each run, or keep it.

    Attributes:
        session_id: The thread's id.
        session_settings: The SDK's settings; their `limit` is that of `get_items`.
    """

    def __init__(
        self,
        store: AsyncStore,
        session_id: str,
        *,
        user_id: str | None = None,
        session_settings: SessionSettings | None = None,
    ) -> None:
        """Use a store that is open.

        Args:
            store: An `AsyncStore`.
            session_id: The host's own id of the thread, 1 to 255 bytes; a new one begins with its first item.
            user_id: Whose it is, to 255 bytes. A new thread becomes theirs; every call on somebody else's raises
                `Conflict`. None: nobody is asked for.
            session_settings: The SDK's settings; None: its own defaults.

        Raises:
            InvalidInput: A value is unfit.
            UsageError: It is no `AsyncStore`.
        """
        if not isinstance(store, AsyncStore):
            raise UsageError(f"a session is asynchronous: pass an AsyncStore, not {type(store).__name__}")
        self._store = store
        self._thread = _histories.thread(session_id, user_id)
        self.session_id = session_id
        self.session_settings: SessionSettings | None = session_settings or SessionSettings()

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Give the items in order. A read for each thousand, and one more where a user was named.

        Args:
            limit: So many of the newest; None: what the settings say, and all if they say nothing.

        Raises:
            Conflict: The thread is another user's.
            CorruptRow: A message is damaged.
            InvalidInput: The limit is below 0.
        """
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        rows = _histories.limit_of(limit)
        items = to_items(await self._thread.anewest(self._store.conversations, rows))
        return cast("list[TResponseInputItem]", items if rows is None else items[max(0, len(items) - rows) :])

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append items after the newest, in one transaction; no other writer's come between them.

        Args:
            items: At most 10,000, each a dict of JSON values.

        Raises:
            Conflict: The thread is another user's. Nothing is stored.
            InvalidInput: A value cannot be stored; `index` is the item's place. Nothing is stored.
        """
        if items:
            await self._thread.aadd(self._store, [to_new(item, index) for index, item in enumerate(items)])

    async def pop_item(self) -> TResponseInputItem | None:
        """Take the newest item away and give it; None: there is none. Two calls at once never get the same.

        A message that the host has written by other ways is taken away whole, and its last item is given; messages
        after it that have no item go with it. What is left is the current branch without them: no other branch takes
        its place. A message that another branch goes through leaves the current one, and stays for the other.

        Raises:
            Conflict: The thread is another user's.
            CorruptRow: The message is damaged. Nothing is taken away.
        """
        conversations = self._store.conversations
        await self._thread.acheck(conversations)
        while True:
            with suppress(ConcurrencyError):  # somebody was quicker
                last = await take_last(conversations, self.session_id, lambda message: bool(items_of(message)))
                return None if last is None else cast("TResponseInputItem", items_of(last)[-1])

    async def clear_session(self) -> None:
        """Delete the thread with all its branches, its title and its metadata. The next item begins it anew.

        Raises:
            Conflict: The thread is another user's.
        """
        await self._thread.acheck(self._store.conversations)
        await self._store.conversations.delete(self.session_id)
