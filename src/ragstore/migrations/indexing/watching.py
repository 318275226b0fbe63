"""A build that is under way, seen from a second connection."""

from __future__ import annotations

import logging
import time
from uuid import uuid4

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from ragstore.core.engines import side_pool
from ragstore.errors import RagstoreError
from ragstore.migrations import targets
from ragstore.migrations.indexing.hands import Ended
from ragstore.migrations.indexing.sessions import narrow
from ragstore.migrations.indexing.work import Work

logger = logging.getLogger("ragstore.migrations")

PERIOD = 0.25
# Through a pooler nobody knows which process serves whom, so the statement itself is marked. Of a session that waits,
# the first that it waits for is told; current_locker_pid alone would say nothing of DROP INDEX.
_LOOK = text("""
SELECT a.pid, p.phase, coalesce(CASE WHEN p.tuples_total > 0 THEN p.tuples_done ELSE p.blocks_done END, 0),
    coalesce(CASE WHEN p.tuples_total > 0 THEN p.tuples_total ELSE p.blocks_total END, 0),
    b.pid, b.application_name, p.pid IS NULL AND a.wait_event = 'relation'
FROM pg_catalog.pg_stat_activity AS a LEFT JOIN pg_catalog.pg_stat_progress_create_index AS p ON p.pid = a.pid
LEFT JOIN pg_catalog.pg_stat_activity AS b ON b.pid = coalesce(nullif(p.current_locker_pid, 0),
    CASE WHEN a.wait_event_type = 'Lock' THEN (pg_catalog.pg_blocking_pids(a.pid))[1] END)
WHERE pg_catalog.starts_with(a.query, :mark) AND a.state = 'active'
""")
_CANCEL = text("SELECT pg_catalog.pg_cancel_backend(:pid)")


class Watch:
    """One statement that builds or drops an index, while it runs.

    Attributes:
        mark: What the statement begins with.
        blocker: The process number and the application of whom it waited for when it was last looked at.
        queued: It was cancelled because it waited for another session's build on the same table.
        error: What the caller's `progress` raised.
    """

    def __init__(self, engine: Engine, connection: Connection, work: Work, index: str, *, direct: bool) -> None:
        self.mark = f"/* ragstore {uuid4().hex} */"
        self.blocker: tuple[int, str] | None = None
        self.queued = False
        self.error: Exception | None = None
        self._engine = engine
        self._connection = connection
        self._work = work
        self._index = index
        self._direct = direct

    def look(self, ended: Ended) -> None:
        """Look on, over a second connection, until the statement ends. Without one nothing is seen."""
        side = side_pool(self._engine)
        try:
            with targets.borrowed(side) as connection:
                if self._direct:
                    narrow(connection)
                while not ended(PERIOD):
                    self._look(connection)
        except (RagstoreError, SQLAlchemyError, psycopg.Error) as error:
            logger.info("%s is made unwatched: there is no second connection (%s)", self._index, error)
        finally:
            side.dispose()

    def _look(self, connection: Connection) -> None:
        seen = connection.execute(_LOOK, {"mark": self.mark}).first()
        if seen is None:
            return
        pid, phase, done, total, blocker, application, queued = seen
        self.blocker = None if blocker is None else (blocker, application or "no application_name")
        if queued:
            # A queued CREATE INDEX holds a snapshot, and the build that it waits for would wait for that: after a
            # second the server would end one of the two, and perhaps the one that is nearly done.
            self.queued = bool(connection.execute(_CANCEL, {"pid": pid}).scalar())
        self._tell(phase or "waiting", done, total, blocker)

    def _tell(self, phase: str, done: int, total: int, blocker: int | None) -> None:
        if self.error is None:
            try:
                self._work.tell(self._index, phase, done, total, blocker)
            except Exception as error:  # noqa: BLE001 - raised again by the call's own thread
                self.error = error

    def keep_time(self, ended: Ended, deadline: float) -> None:
        """Cancel the statement when the time is over, or when the caller waits no longer."""
        while not ended(PERIOD):
            if time.monotonic() > deadline or self._is_given_up():
                try:
                    self._work.hands.cancel(self._connection)
                except psycopg.Error as error:
                    logger.info("the build of %s could not be cancelled yet (%s)", self._index, error)

    def _is_given_up(self) -> bool:
        try:
            self._work.hands.pause(0)
        except Exception:  # noqa: BLE001 - raised again by the call's own thread
            return True
        return False
