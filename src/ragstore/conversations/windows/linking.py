"""Which messages hang together: one with a tool's call, and those with its result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ragstore.conversations.parts import ToolCall, ToolResult
from ragstore.conversations.records import Message


@dataclass(slots=True)
class Group:
    """Messages that are in a window together, or out of it together.

    Attributes:
        places: Where they stand in the path, ascending.
        broken: A call has no result.
        waiting: A result's call is not among the messages given: it is above them, or nowhere.
    """

    places: list[int] = field(default_factory=list)
    broken: bool = False
    waiting: bool = False

    def take_in(self, other: Group) -> None:
        """Become one with another group."""
        self.places = sorted(self.places + other.places)
        self.broken |= other.broken
        self.waiting |= other.waiting


def has_links(message: Message) -> bool:
    """Say whether a message has a call or a result."""
    return any(isinstance(part, ToolCall | ToolResult) for part in message.parts or ())


def link(path: Sequence[Message]) -> list[Group]:
    """Give each message's group.

    A result belongs to the last call before it that has its id: some providers count calls anew in each turn. Behind a
    message whose parts could not be read it belongs to none that has its result already: the call may have been there.

    Args:
        path: Messages in reading order.
    """
    groups = [Group([place]) for place in range(len(path))]
    calls: dict[str, int] = {}
    unanswered: dict[str, int] = {}
    for place, message in enumerate(path):
        if message.damage is not None and message.parts is None:
            calls = unanswered.copy()
        for is_call, call_id in _links(message):
            if is_call:
                if call_id in unanswered:
                    groups[unanswered[call_id]].broken = True
                calls[call_id] = unanswered[call_id] = place
            elif call_id in calls:
                unanswered.pop(call_id, None)
                _join(groups, calls[call_id], place)
            else:
                groups[place].waiting = True
    for place in unanswered.values():
        groups[place].broken = True
    return groups


def _links(message: Message) -> Iterator[tuple[bool, str]]:
    for part in message.parts or ():
        if isinstance(part, ToolCall):
            yield True, part.id
        elif isinstance(part, ToolResult):
            yield False, part.call_id


def _join(groups: list[Group], one: int, other: int) -> None:
    kept, gone = groups[one], groups[other]
    if kept is not gone:
        kept.take_in(gone)
        for place in gone.places:
            groups[place] = kept
