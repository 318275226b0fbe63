# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""The conversations' repository: export."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from uuid import UUID

from ragstore.conversations import preparing
from ragstore.conversations.backend import ConversationsBackend
from ragstore.conversations.exporting import reading, statements
from ragstore.conversations.exporting.reading import CONVERSATIONS_AT_ONCE, MESSAGES_AT_ONCE, Lines, Portion
from ragstore.conversations.exporting.statements import Row
from ragstore.core._sync import Repository
from ragstore.core.records import UNSET, Unset


class ConversationExports(Repository[ConversationsBackend]):
    """Conversations as lines of JSON."""

    def export(
        self, *, user_id: str | Unset | None = UNSET, thread_id: str | None = None, lenient: bool = False
    ) -> Iterator[str]:
        """Read out conversations as lines of JSON, each of which ends with a line feed.

        A line of the type "conversation" is followed by one of the type "message" for each of its messages, by `seq`
        and of all branches (`parent_id` says which follows which), with its `citations`, `feedback` and
        `feedback_changes`. Conversations come by id, the oldest first; keys are sorted; times are ISO 8601 in UTC with
        six digits after the second; a cost is text. The same content gives the same bytes on every database.

        Each portion is a read of its own, of some 100 messages, so that nothing is held open or locked while the host
        works. A conversation that is there all the time comes once. One moment's picture takes a transaction that
        keeps one: a unit of work on SQLite, a host's own with REPEATABLE READ on PostgreSQL, given to `using()`.

        Args:
            user_id: Whose. Left out: the whole tenant's; None: those that belong to nobody.
            thread_id: Only this thread; one that nobody has written to gives no line.
            lenient: Write null for a value that cannot be read, and say in the line's `damage` what is wrong with it.

        Raises:
            CorruptRow: A value cannot be read; raised when its line is asked for.
            InvalidInput: A value is unfit.

        Example:
            .. code-block:: python

                import json

                store.conversations.record_exchange(thread_id="t-1", query="How?", response="So.", user_id="ann")
                lines = [json.loads(line) for line in store.conversations.export(user_id="ann")]
                assert [line["type"] for line in lines] == ["conversation", "message", "message"]
        """
        user = preparing.whose(user_id)
        thread = None if thread_id is None else preparing.thread(thread_id)
        return self._export(self._tenant, user, thread, Lines(lenient))

    def _export(self, tenant: str, user: str | Unset | None, thread: str | None, lines: Lines) -> Iterator[str]:
        after = UUID(int=0)
        while found := self._fetch(statements.conversations(tenant, user, thread, after, CONVERSATIONS_AT_ONCE)):
            for group in reading.groups(found):
                for text in self._export_group(tenant, group, lines):
                    yield text
            after = found[-1]["id"]

    def _export_group(self, tenant: str, group: list[Row], lines: Lines) -> Iterator[str]:
        if len(group) > 1 or group[0]["head"] < MESSAGES_AT_ONCE:
            for text in self._access.read(partial(reading.of_group, tenant, group, lines)):
                yield text
            return
        yield lines.conversation(group[0])
        portion = Portion(after=0)
        while portion.after is not None:
            portion = self._access.read(partial(reading.of_long, tenant, group[0]["id"], portion.after, lines))
            for text in portion.lines:
                yield text
