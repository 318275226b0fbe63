"""What of a conversation a model is given: a plain function of messages, which reads nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ragstore.conversations.records import Message
from ragstore.conversations.windows.linking import Group, has_links, link

_OPEN = ("pending", "streaming")


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a window may be; at least one of the two is given.

    Attributes:
        turns: So many turns; None: any number.
        tokens: So many tokens, together; None: any number.
        count: Counts a message's tokens.
    """

    turns: int | None
    tokens: int | None
    count: Callable[[Message], int]

    @property
    def nothing(self) -> bool:
        """Say whether not even what is always kept is wanted."""
        return 0 in (self.turns, self.tokens)

    def cost(self, messages: Sequence[Message]) -> int:
        """Count messages' tokens, if anybody wants to know."""
        return 0 if self.tokens is None else sum(map(self.count, messages))

    def allow(self, tokens: int) -> bool:
        """Say whether so many tokens may be spent."""
        return self.tokens is None or tokens <= self.tokens


def is_kept(message: Message) -> bool:
    """Say whether a message is in every window."""
    return message.pinned or message.role == "system"


def choose(
    newest_first: Sequence[Message], above: Sequence[Message], limits: Limits, *, complete: bool
) -> list[Message] | None:
    """Choose a window from the end of a path.

    It holds the kept messages of the path, and from its end as many others as the limits allow: going up, the first
    that does not fit ends it. Messages that hang together by calls of tools count where the uppermost of them stands;
    if one of them is missing on the path, or open, all of them are left out.

    Args:
        newest_first: The path's messages from its end upwards, without a gap.
        above: The kept ones of the messages above these, in any order.
        limits: How large it may be.
        complete: There are no messages above.

    Returns:
        The messages in reading order; None: more of the path must be known.
    """
    if limits.nothing:
        return []
    path = [message for message in reversed(newest_first) if message.status not in _OPEN]
    above = [message for message in above if message.status not in _OPEN]
    groups = link(path)
    kept = [groups[place] for place, message in enumerate(path) if is_kept(message)]
    if not complete and (any(map(has_links, above)) or any(group.waiting for group in kept)):
        return None
    always = {place for group in kept if _is_whole(group) for place in group.places}
    spent = limits.cost([*above, *(path[place] for place in always)])
    recent, ended = _walk(path, groups, limits, always, spent)
    if not ended and not complete:
        return None
    return [*sorted(above, key=_seq), *(path[place] for place in sorted(always | recent))]


def _walk(
    path: Sequence[Message], groups: Sequence[Group], limits: Limits, always: set[int], spent: int
) -> tuple[set[int], bool]:
    """Go up from the end; gives what the limits allow beside what is always in, and whether they ended it."""
    chosen: set[int] = set()
    turns = 0
    for place in reversed(range(len(path))):
        group = groups[place]
        if _is_whole(group) and place == group.places[0] and place not in always:
            spent += limits.cost([path[other] for other in group.places])
            if not limits.allow(spent):
                return chosen, True
            chosen.update(group.places)
        turns += path[place].role == "user"
        if turns == limits.turns:
            return chosen, True
    return chosen, False


def _is_whole(group: Group) -> bool:
    return not (group.broken or group.waiting)


def _seq(message: Message) -> int:
    return message.seq
