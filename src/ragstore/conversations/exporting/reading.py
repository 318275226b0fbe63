"""Reading conversations for their lines, in bounded portions, and writing the lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from ragstore.conversations.exporting import statements
from ragstore.conversations.exporting.statements import HANGING, Row
from ragstore.conversations.statements.rows import read_json
from ragstore.core.json_lines import line
from ragstore.core.query import Steps
from ragstore.errors import CorruptRow

CONVERSATIONS_AT_ONCE = 200
MESSAGES_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Lines:
    """Writes lines.

    Attributes:
        lenient: A value that cannot be read is left out, and named under `damage`; else it is a `CorruptRow`.
    """

    lenient: bool

    def conversation(self, row: Row) -> str:
        """Write a conversation's line."""
        return line("conversation", self._readable(row, "rag_conversation", {"metadata": dict}))

    def message(self, row: Row, hanging: Row) -> str:
        """Write a message's line."""
        readable = self._readable(row, "rag_message", {"parts": list, "metadata": dict})
        return line("message", {**readable, **hanging})

    def _readable(self, row: Row, table: str, kinds: dict[str, type]) -> Row:
        values, damage = dict(row), []
        for name, kind in kinds.items():
            try:
                values[name] = read_json(row[name], name, kind)
            except ValueError as error:
                if not self.lenient:
                    raise CorruptRow(table, row["id"], str(error)) from error
                values[name] = None
                damage.append(str(error))
        return {**values, "damage": "; ".join(damage)} if damage else values


@dataclass(frozen=True, slots=True)
class Portion:
    """Some lines of a long conversation, and the `seq` to go on from; None: they were the last."""

    lines: tuple[str, ...] = ()
    after: int | None = None


def groups(conversations: Sequence[Row]) -> Iterator[list[Row]]:
    """Put neighbours together whose messages fit one read; a longer conversation stands alone."""
    group: list[Row] = []
    messages = 0
    for one in conversations:
        if group and messages + one["head"] > MESSAGES_AT_ONCE:
            yield group
            group, messages = [], 0
        group.append(one)
        messages += one["head"]
    if group:
        yield group


def of_group(tenant: str, group: Sequence[Row], lines: Lines) -> Steps[list[str]]:
    """Write conversations, each with all of its messages."""
    messages: list[Row] = yield statements.all_messages(tenant, [one["id"] for one in group])
    hanging = yield from _hanging(tenant, messages)
    written: dict[UUID, list[str]] = {one["id"]: [lines.conversation(one)] for one in group}
    for row in messages:
        written[row["conversation_id"]].append(lines.message(row, hanging[row["id"]]))
    return [text for texts in written.values() for text in texts]


def of_long(tenant: str, conversation_id: UUID, after: int, lines: Lines) -> Steps[Portion]:
    """Write a long conversation's next messages."""
    messages: list[Row] = yield statements.next_messages(tenant, conversation_id, after, MESSAGES_AT_ONCE)
    hanging = yield from _hanging(tenant, messages)
    written = tuple(lines.message(row, hanging[row["id"]]) for row in messages)
    return Portion(written, messages[-1]["seq"] if len(messages) == MESSAGES_AT_ONCE else None)


def _hanging(tenant: str, messages: Sequence[Row]) -> Steps[dict[UUID, Row]]:
    """Read what hangs on messages, by the id of each."""
    ids = [row["id"] for row in messages]
    found: dict[UUID, Row] = {message_id: {name: [] for name in HANGING} for message_id in ids}
    if ids:
        for name, select in HANGING.items():
            rows: list[Row] = yield select(tenant, ids)
            for row in rows:
                found[row.pop("message_id")][name].append(row)
    return found
