"""What is done for all tenants at once, from time to time."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from ragstore.conversations.indexing import language_of
from ragstore.conversations.preparing import moment
from ragstore.conversations.retention.purging import purge_all, wanted
from ragstore.conversations.searching.renewing import index_messages
from ragstore.conversations.statements import stale_messages
from ragstore.conversations.streams.finishing import end_stale
from ragstore.core._async import AsyncAccess
from ragstore.core.border import limit, span
from ragstore.core.query import only
from ragstore.core.times import MICROSECOND
from ragstore.errors import CorruptRow
from ragstore.rate_limits.statements import purge as purge_rate_limits
from ragstore.sessions.book import SessionBook
from ragstore.sessions.purging import purge as purge_sessions

if TYPE_CHECKING:
    from ragstore.backends import AnyBackend


class AsyncMaintenance:
    """What is done for all tenants at once; made by `store.maintenance()`.

    Each call is one short transaction of its own: call it again until it has nothing left to do.
    """

    def __init__(self, access: AsyncAccess[AnyBackend], book: SessionBook) -> None:
        """Use `AsyncStore.maintenance`."""
        self._access = access
        self._book = book

    async def purge_rate_limits(self, *, max_rows: int = 1000, now: datetime | None = None) -> int:
        """Delete counts that say nothing any more, in one transaction. No decision depends on it.

        Several may do so at once: on PostgreSQL each takes rows that the others do not, and none waits for a hit.

        Args:
            max_rows: How many at most, 1 to 10,000.
            now: Stands in for the database's clock.

        Returns:
            How many were deleted; fewer than `max_rows`: none are left.
        """
        purge = purge_rate_limits(_rows(max_rows), moment(now, "now"))
        async with self._access.writing() as work:
            return await work.execute(purge.statement, purge.parameters)

    async def purge_sessions(self, *, max_rows: int = 1000, now: datetime | None = None) -> int:
        """Delete sessions that are over, those that have been for longest first, in one transaction.

        Several may do so at once: on PostgreSQL each takes rows that the others do not. Listeners are told "expired" of
        each whose time was up.

        Args:
            max_rows: How many at most, 1 to 10,000.
            now: Stands in for the database's clock.

        Returns:
            How many were deleted; fewer than `max_rows`: none are left.

        Example:
            .. code-block:: python

                while await store.maintenance().purge_sessions(max_rows=1000) == 1000:
                    pass
        """
        rows, at = _rows(max_rows), moment(now, "now")
        async with self._access.writing() as work:
            purged, events = await work.steps(purge_sessions(rows, at))
            work.afterwards.append(partial(self._book.tell, events))
        return purged

    async def purge_conversations(
        self,
        *,
        older_than: timedelta | float,
        max_rows: int = 1000,
        dry_run: bool = False,
        now: datetime | None = None,
    ) -> int:
        """Do for all tenants what `conversations.purge` does for one, in one transaction.

        Args:
            older_than: As there; the same for all.
            max_rows: How many conversations at most, of all tenants together, 1 to 10,000.
            dry_run: Delete nothing, and give the number that would go.
            now: Stands in for the database's clock.

        Returns:
            How many were deleted; fewer than `max_rows`: none are left that nobody else is working on.

        Raises:
            InvalidInput: A value is unfit.
        """
        asked = wanted(older_than, max_rows, now, dry_run=dry_run)
        if dry_run:
            return await self._access.read(lambda: purge_all(asked))
        async with self._access.writing() as work:
            return await work.steps(purge_all(asked))

    async def close_streams(
        self, *, silent_for: timedelta | float, max_rows: int = 100, now: datetime | None = None
    ) -> int:
        """End messages that are still open and have not grown for a while: their writer has died.

        Each ends as "error", with the text that has come, in a transaction of its own; search finds it then. Several
        may do so at once. Choose a time that no living writer is silent for.

        Args:
            silent_for: For how long, as a timedelta or in seconds, to 36,600 days.
            max_rows: How many messages at most, 1 to 10,000.
            now: Stands in for the database's clock.

        Returns:
            How many were ended; fewer than `max_rows`: none are left.

        Raises:
            InvalidInput: A value is unfit.
            CorruptRow: One is so damaged that it cannot be ended, or its conversation is; all others were ended.
        """
        silence, rows = span(silent_for, field="silent_for"), _rows(max_rows)
        at = moment(now, "now")
        stale = await self._access.read(lambda: only(stale_messages(silence // MICROSECOND, rows, at)))
        ended, damaged = 0, []
        for message in stale:
            try:
                async with self._access.writing() as work:
                    ended += await work.steps(end_stale(message))
            except CorruptRow as error:  # one must not keep those after it, of other tenants too, from being ended
                damaged.append(error)
        if damaged:
            raise damaged[0]
        return ended

    async def index_messages(self, *, max_rows: int = 1000) -> int:
        """Analyse messages for `conversations.search` that are not analysed in the settings' `message_language`.

        Those are the messages of before there was a search, and all others once that language is another. It takes one
        conversation after another, of all tenants, in one transaction, and may be cut off and called again; several may
        do so at once, and on PostgreSQL each takes conversations that nobody else is working on. A conversation is done
        whole, also where it has more than `max_rows` messages; who appends to it waits meanwhile. Until it is done, a
        search does not find what is not analysed, and finds by the former language what was.

        Args:
            max_rows: After how many messages it ends, 1 to 10,000.

        Returns:
            How many messages were analysed; 0: none are left that nobody else is working on.

        Example:
            .. code-block:: python

                while await store.maintenance().index_messages():
                    pass
        """
        rows, language = _rows(max_rows), language_of(self._access.settings)
        async with self._access.writing() as work:
            return await work.steps(index_messages(language, rows))


def _rows(value: int) -> int:
    return limit(value, field="max_rows", maximum=10_000)
