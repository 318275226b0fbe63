# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""The conversations' repository: retention."""

from __future__ import annotations

from datetime import datetime, timedelta

from ragstore.conversations.backend import ConversationsBackend
from ragstore.conversations.retention import purging
from ragstore.core._sync import Repository


class Retention(Repository[ConversationsBackend]):
    """Conversations that nobody has written to for a while."""

    def purge(
        self,
        *,
        older_than: timedelta | float,
        max_rows: int = 1000,
        dry_run: bool = False,
        now: datetime | None = None,
    ) -> int:
        """Delete conversations whose last activity is long ago, with all that hangs on them, in one transaction.

        The longest silent go first; pinned ones stay. One that is written to or pinned meanwhile stays too. Several
        may do so at once: on PostgreSQL each takes conversations that the others do not, and passes over those that
        somebody is writing to.

        Args:
            older_than: How long ago, as a timedelta or in seconds, to 36,600 days. Activity is appending, not reading.
            max_rows: How many conversations at most, 1 to 10,000.
            dry_run: Delete nothing, and give the number that would go.
            now: Stands in for the database's clock.

        Returns:
            How many were deleted; fewer than `max_rows`: none are left that nobody else is working on.

        Raises:
            InvalidInput: A value is unfit.

        Example:
            .. code-block:: python

                from datetime import timedelta

                while store.conversations.purge(older_than=timedelta(days=90)) == 1000:
                    pass
        """
        asked = purging.wanted(older_than, max_rows, now, dry_run=dry_run)
        tenant = self._tenant
        if dry_run:
            return self._access.read(lambda: purging.purge(tenant, asked))
        with self._access.writing() as work:
            return work.steps(purging.purge(tenant, asked))
