"""The chat message history of LangChain's kind."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage

from ragstore.conversations.records import NewMessage
from ragstore.errors import UsageError
from ragstore.integrations import _histories
from ragstore.integrations._langchain_messages import to_langchain, to_new
from ragstore.store._async import AsyncStore
from ragstore.store._sync import Store


class RagstoreChatMessageHistory(BaseChatMessageHistory):
    """A thread of the store as a chat message history; its messages are those of the current branch.

    It holds no connection and nothing that was read: make one for each call, or keep it.
    """

    def __init__(
        self, store: Store | AsyncStore, thread_id: str, *, user_id: str | None = None, limit: int | None = None
    ) -> None:
        """Use a store that is open.

        Args:
            store: A `Store` for `messages`, `add_messages` and `clear`; their async forms then run in a thread, as
                LangChain's own do. An `AsyncStore` for `aget_messages`, `aadd_messages` and `aclear` alone.
            thread_id: The host's own id of the thread, 1 to 255 bytes; a new one begins with its first message.
            user_id: Whose it is, to 255 bytes. A new thread becomes theirs; every call on somebody else's raises
                `Conflict`. None: nobody is asked for.
            limit: So many of the newest messages are given; None: all. A result of a tool may then come without its
                call: `trim_messages` of LangChain's sees to that.

        Raises:
            InvalidInput: A value is unfit.
            UsageError: It is no store.
        """
        if not isinstance(store, Store | AsyncStore):
            raise UsageError(f"pass a Store or an AsyncStore, not {type(store).__name__}")
        self._store = store
        self._thread = _histories.thread(thread_id, user_id)
        self._limit = _histories.limit_of(limit)

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]
        """The messages in order. A read for each thousand, and one more where a user was named.

        Raises:
            Conflict: The thread is another user's.
            CorruptRow: LangChain cannot read a message.
            UsageError: The store is an `AsyncStore`.
        """
        store = self._sync("messages", "aget_messages()")
        return to_langchain(self._thread.newest(store.conversations, self._limit))

    async def aget_messages(self) -> list[BaseMessage]:
        """Give the messages in order, as `messages` does."""
        if isinstance(self._store, Store):
            return await super().aget_messages()
        return to_langchain(await self._thread.anewest(self._store.conversations, self._limit))

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Append messages after the newest, in one transaction; no other writer's come between them.

        A message is given back equal to what was added, if its values are JSON. Others are stored as pydantic writes
        them: a datetime comes back as text, an infinity as None, a document among a tool's artifacts as a dict. One of
        a class of your own comes back as LangChain's class of its `type`; where there is none, it is refused.

        Args:
            messages: At most 10,000.

        Raises:
            Conflict: The thread is another user's. Nothing is stored.
            InvalidInput: A value cannot be stored, or not be read back; `index` is the message's place. Nothing is
                stored.
            UsageError: The store is an `AsyncStore`.
        """
        store = self._sync("add_messages", "aadd_messages")
        self._thread.add(store, _new(messages))

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Append messages, as `add_messages` does."""
        if isinstance(self._store, Store):
            await super().aadd_messages(messages)
        else:
            await self._thread.aadd(self._store, _new(messages))

    def clear(self) -> None:
        """Delete the thread with all its branches, its title and its metadata. The next message begins it anew.

        Raises:
            Conflict: The thread is another user's.
            UsageError: The store is an `AsyncStore`.
        """
        store = self._sync("clear", "aclear")
        self._thread.check(store.conversations)
        store.conversations.delete(self._thread.id)

    async def aclear(self) -> None:
        """Delete the thread, as `clear` does."""
        if isinstance(self._store, Store):
            await super().aclear()
            return
        await self._thread.acheck(self._store.conversations)
        await self._store.conversations.delete(self._thread.id)

    def _sync(self, used: str, instead: str) -> Store:
        if isinstance(self._store, Store):
            return self._store
        raise UsageError(f"{used} needs a Store, and this history has an AsyncStore: pass a Store, or use {instead}")


def _new(messages: Sequence[BaseMessage]) -> list[NewMessage]:
    return [to_new(message, index) for index, message in enumerate(messages)]
