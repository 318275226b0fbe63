"""The border of context windows."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from ragstore.conversations.preparing import MAX_INT
from ragstore.conversations.records import Message
from ragstore.conversations.windows.choosing import Limits
from ragstore.conversations.windows.estimating import estimate_tokens
from ragstore.core import border
from ragstore.errors import InvalidInput


class Counter:
    """Counts each message's tokens once."""

    def __init__(self, count: Callable[[Message], object]) -> None:
        """Ask `count`."""
        self._count = count
        self._known: dict[UUID, int] = {}

    def __call__(self, message: Message) -> int:
        """Give a message's tokens.

        Raises:
            InvalidInput: What counts gave something else than a number of tokens.
        """
        known = self._known.get(message.id)
        if known is None:
            known = self._known[message.id] = self._checked(message)
        return known

    def _checked(self, message: Message) -> int:
        tokens = self._count(message)
        if not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 0:
            raise InvalidInput(f"gave {tokens!r}: it must give a whole number of at least 0", field="count_tokens")
        return tokens


def limits(turns: object, tokens: object, count_tokens: object) -> Limits:
    """Check how large a window may be."""
    if turns is None and tokens is None:
        raise InvalidInput("give turns, tokens or both: a window needs a limit", field="turns")
    if count_tokens is None:
        count_tokens = estimate_tokens
    if not callable(count_tokens):
        raise InvalidInput(f"must be callable, not {type(count_tokens).__name__}", field="count_tokens")
    return Limits(_whole(turns, "turns"), _whole(tokens, "tokens"), Counter(count_tokens))


def _whole(value: object, field: str) -> int | None:
    return None if value is None else border.limit(value, field=field, minimum=0, maximum=MAX_INT)
