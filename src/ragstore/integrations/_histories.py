"""What the adapters for histories of other libraries share: whose a thread is, its current branch, and its texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ragstore.conversations import preparing, starting
from ragstore.conversations._async import AsyncConversations
from ragstore.conversations._sync import Conversations
from ragstore.conversations.parts import Part, TextPart, to_json
from ragstore.conversations.records import Message, NewMessage, Role
from ragstore.errors import CorruptRow, InvalidInput
from ragstore.store._async import AsyncStore
from ragstore.store._sync import Store

T = TypeVar("T")

ROLES: Mapping[str, Role] = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
}
"""The roles that libraries and providers know, and ours."""

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread and whose it is.

    Attributes:
        id: The host's own id of it.
        user_id: Whose it is to be; None: not said, and not looked at.
    """

    id: str
    user_id: str | None = None

    def add(self, store: Store, messages: Sequence[NewMessage]) -> None:
        """Append in one transaction; a new thread, or one that is nobody's yet, becomes its user's."""
        if self.user_id is None:
            store.conversations.append(self.id, messages)
            return
        with store.begin() as unit:
            unit.conversations.start(self.id, user_id=self.user_id)
            unit.conversations.append(self.id, messages)

    async def aadd(self, store: AsyncStore, messages: Sequence[NewMessage]) -> None:
        """Append in one transaction; a new thread, or one that is nobody's yet, becomes its user's."""
        if self.user_id is None:
            await store.conversations.append(self.id, messages)
            return
        async with store.begin() as unit:
            await unit.conversations.start(self.id, user_id=self.user_id)
            await unit.conversations.append(self.id, messages)

    def check(self, conversations: Conversations) -> None:
        """Raise `Conflict` where the thread is another user's."""
        if self.user_id is not None and (found := conversations.find(self.id)) is not None:
            starting.unclaimed(found, preparing.Owner(self.user_id))

    async def acheck(self, conversations: AsyncConversations) -> None:
        """Raise `Conflict` where the thread is another user's."""
        if self.user_id is not None and (found := await conversations.find(self.id)) is not None:
            starting.unclaimed(found, preparing.Owner(self.user_id))

    def newest(self, conversations: Conversations, limit: int | None) -> list[Message]:
        """Read the newest messages of the current branch in reading order; None: all."""
        self.check(conversations)
        found: list[Message] = []
        cursor: str | None = None
        while rows := _rows(limit, len(found)):
            page = conversations.page_branch(self.id, limit=rows, cursor=cursor)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        return found[::-1]

    async def anewest(self, conversations: AsyncConversations, limit: int | None) -> list[Message]:
        """Read the newest messages of the current branch in reading order; None: all."""
        await self.acheck(conversations)
        found: list[Message] = []
        cursor: str | None = None
        while rows := _rows(limit, len(found)):
            page = await conversations.page_branch(self.id, limit=rows, cursor=cursor)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        return found[::-1]


def thread(thread_id: str, user_id: str | None) -> Thread:
    """Check a thread's id and its user's."""
    return Thread(preparing.thread(thread_id), preparing.optional_name(user_id, "user_id"))


def limit_of(value: object) -> int | None:
    """Check a number of messages; None: all."""
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidInput("must be a whole number of at least 0, or None for all", field="limit")
    return value


def _rows(limit: int | None, had: int) -> int:
    return _PAGE if limit is None else min(_PAGE, limit - had)


# ---------------------------------------------------------------------------------------------------- texts


def take_texts(content: Sequence[Any], kinds: frozenset[str]) -> tuple[str, list[Part], list[Any]]:
    """Take the texts out of a list of blocks, so that they are stored where ours are and found by search.

    Args:
        content: Texts and objects.
        kinds: The types of objects whose `text` is one.

    Returns:
        The first text, the others as parts, and what remains: for each block `{"text": the rest of it, or null}` or
        `{"block": itself}`.
    """
    texts: list[str] = []
    remains: list[Any] = []
    for block in content:
        if isinstance(block, str):
            texts.append(block)
            remains.append({"text": None})
        elif isinstance(block, Mapping) and block.get("type") in kinds and isinstance(block.get("text"), str):
            texts.append(block["text"])
            remains.append({"text": {name: value for name, value in block.items() if name != "text"}})
        else:
            remains.append({"block": block})
    first, *others = texts or [""]
    return first, [TextPart(text=text) for text in others], remains


def put_texts(content: str, parts: Sequence[Part], remains: Sequence[Any]) -> list[Any]:
    """Put the texts back."""
    left = iter(texts_of(content, parts))
    blocks: list[Any] = []
    for remaining in remains:
        if "block" in remaining:
            blocks.append(remaining["block"])
        elif remaining["text"] is None:
            blocks.append(next(left))
        else:
            blocks.append({**remaining["text"], "text": next(left)})
    return blocks


def texts_of(content: str, parts: Sequence[Part]) -> list[str]:
    """Give a message's texts in order: its content, and those among its parts."""
    return [content, *(part.text for part in parts if isinstance(part, TextPart))]


def as_text(value: Any) -> str:
    """Give a text as it is, and any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# ------------------------------------------------------------------------------------------- a library's own


def give_back(
    message: Message,
    kind: str,
    fields: Mapping[str, type],
    *,
    restored: Callable[[Mapping[str, Any], str, Sequence[Part]], list[T]],
    made: Callable[[Role, str, Sequence[Part]], list[T]],
) -> list[T]:
    """Give a message as its library has it: restored with what an adapter kept of it, or made of the host's own.

    Args:
        message: A message of ours.
        kind: The type of the part in which the adapter keeps what has no other place.
        fields: That part's fields, and of what type each is.
        restored: Puts together what was kept, the content and the parts.
        made: Makes of a role, a content and parts what the host would have added.

    Raises:
        CorruptRow: They cannot be put together.
    """
    parts = message.parts or ()
    if (kept := _kept(parts, kind, fields)) is None:
        return made(message.role, message.content, parts)
    try:
        return restored(kept, message.content, parts)
    except Exception as error:
        what = f"its part of the type {kind!r} cannot be read back ({error!r})"
        raise CorruptRow("rag_message", message.id, what) from error


def _kept(parts: Sequence[Part], kind: str, fields: Mapping[str, type]) -> Mapping[str, Any] | None:
    """Find what was kept; a host's own part that is only named alike is none."""
    for part in parts:
        plain = to_json(part)
        if isinstance(plain, Mapping) and plain.get("type") == kind:
            return plain if all(isinstance(plain.get(name), fit) for name, fit in fields.items()) else None
    return None
