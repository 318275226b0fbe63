# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""The part of the conversations' repository that sums."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ragstore.conversations import preparing
from ragstore.conversations.backend import ConversationsBackend
from ragstore.conversations.preparing import moment, whose
from ragstore.conversations.summing import citing, grouping
from ragstore.conversations.summing.grouping import Scope
from ragstore.conversations.summing.preparing import keys, one_key
from ragstore.conversations.summing.records import CitedKey, CitedSum, FeedbackKey, FeedbackSum, UsageKey, UsageSum
from ragstore.core import border
from ragstore.core._sync import Repository
from ragstore.core.records import UNSET, Unset


class Sums(Repository[ConversationsBackend]):
    """Sums of usage, of thumbs and of citations. Each is one statement, and counts the messages of every branch."""

    def usage(
        self,
        *,
        by: Sequence[UsageKey] = ("user",),
        since: datetime | None = None,
        until: datetime | None = None,
        user_id: str | Unset | None = UNSET,
        organisation_id: str | None = None,
        collection: str | None = None,
        model: str | None = None,
    ) -> list[UsageSum]:
        """Sum what messages used: tokens, cost and time.

        One statement, which reads the messages of the range of time that say anything of their usage, by an index. The
        sums are exact, and the same on every database. Messages that have been deleted are no longer counted.

        Args:
            by: What to group by: "user", "organisation", "collection", "thread", "model", "resolved_model", "day" (in
                UTC), each at most once; nothing: one sum of all, also if there are no messages.
            since: Messages stored from this moment on; None: from the first. It needs a time zone, as `until` does.
            until: Messages stored before this moment; None: to the last.
            user_id: Of this user's conversations. Left out: of everybody's; None: of those that belong to nobody.
            organisation_id: Of this organisation's conversations.
            collection: Of the conversations about this collection.
            model: Of the messages for which this model was asked.

        Returns:
            A sum for each group, in the order of the keys as named, those without a value first.

        Raises:
            InvalidInput: A key is unknown or named twice, a time has no time zone, or a name is unfit.

        Example:
            .. code-block:: python

                store.conversations.record_exchange(
                    thread_id="t-2", query="How?", response="So.", user_id="ann", model="small", output_tokens=5
                )
                [ann] = store.conversations.usage(by=["user", "model"], user_id="ann")
                assert (ann.user_id, ann.model, ann.output_tokens, ann.cost) == ("ann", "small", 5, None)
        """
        scope = self._scope(since, until, user_id, organisation_id, collection, model)
        return self._fetch(grouping.usage(scope, keys(by, grouping.USAGE_KEYS)))

    def feedback_sums(
        self,
        *,
        by: Sequence[FeedbackKey] = ("model",),
        since: datetime | None = None,
        until: datetime | None = None,
        user_id: str | Unset | None = UNSET,
        organisation_id: str | None = None,
        collection: str | None = None,
    ) -> list[FeedbackSum]:
        """Count thumbs up and down, as they are now.

        One statement, which reads the tenant's thumbs.

        Args:
            by: What to group by: "rater" (whose thumb), "user" (whose conversation), "organisation", "collection",
                "model" (of the message), "day" (of the thumb, in UTC), each at most once; nothing: one sum of all.
            since: Thumbs given from this moment on; None: from the first. It needs a time zone, as `until` does.
            until: Thumbs given before this moment; None: to the last.
            user_id: In this user's conversations. Left out: in everybody's; None: in those that belong to nobody.
            organisation_id: In this organisation's conversations.
            collection: In the conversations about this collection.

        Returns:
            A sum for each group, in the order of the keys as named, those without a value first.

        Raises:
            InvalidInput: A key is unknown or named twice, a time has no time zone, or a name is unfit.
        """
        scope = self._scope(since, until, user_id, organisation_id, collection)
        return self._fetch(grouping.feedback(scope, keys(by, grouping.FEEDBACK_KEYS)))

    def cited(
        self,
        *,
        by: CitedKey = "chunk",
        collection: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
    ) -> list[CitedSum]:
        """Count what messages cite, and how these messages are rated.

        One statement, which reads the tenant's citations. What was cited stays counted when it is gone.

        Args:
            by: "chunk" or "document", of those citations that name one, also one that is gone; "source": by collection
                and source, all citations.
            collection: Citations from this collection alone.
            since: In messages stored from this moment on; None: from the first. It needs a time zone, as `until` does.
            until: In messages stored before this moment; None: to the last.
            limit: How many at most, 1 to 1,000.

        Returns:
            What is cited most often first; of those alike in that the one with the lower id, or the source that comes
            first in the order of code points.

        Raises:
            InvalidInput: The key is unknown, a time has no time zone, or a value is unfit.
        """
        about = preparing.optional_name(collection, "collection", preparing.COLLECTION_BYTES)
        scope = Scope(self._tenant, moment(since, "since"), moment(until, "until"), collection=about)
        return self._fetch(citing.cited(scope, one_key(by, citing.CITED_KEYS), border.limit(limit)))

    def _scope(
        self,
        since: datetime | None,
        until: datetime | None,
        user_id: str | Unset | None,
        organisation_id: str | None,
        collection: str | None,
        model: str | None = None,
    ) -> Scope:
        return Scope(
            self._tenant,
            moment(since, "since"),
            moment(until, "until"),
            whose(user_id),
            preparing.optional_name(organisation_id, "organisation_id"),
            preparing.optional_name(collection, "collection", preparing.COLLECTION_BYTES),
            preparing.optional_name(model, "model"),
        )
