"""Reading as much of a path as its window needs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, or_, select, text

from ragstore.conversations import reading
from ragstore.conversations.records import Message
from ragstore.conversations.statements.base import CONVERSATION_ID, CONVERSATIONS, MESSAGES, TENANT
from ragstore.conversations.statements.messages import MESSAGE_COLUMNS, Line, line_maker
from ragstore.conversations.tables import IS_KEPT
from ragstore.conversations.windows.choosing import Limits, choose
from ragstore.core.query import Query, Selected, Steps
from ragstore.core.types import Id

AT_FIRST = 32
AT_MOST = 1_000
"""Messages read at once: twice as many each time, so that at most about twice the window is read."""


def window(
    tenant: str, thread: str, leaf: UUID | None, limits: Limits, *, lenient: bool = False
) -> Steps[list[Message]]:
    """Read a path upwards until its window is known, and give that.

    Args:
        tenant: Whose conversation it is.
        thread: Its thread.
        leaf: The path's end; None: the current leaf.
        limits: How large it may be.
        lenient: Damaged messages are read as far as they can be.
    """
    rows = AT_FIRST
    path = yield from reading.path_from(tenant, thread, leaf, rows, lenient=lenient)
    if not path and leaf is not None:
        raise reading.no_message(leaf)
    kept: list[Message] = []
    if path and path[-1].parent_id is not None:
        kept = yield from reading.messages(tenant, _kept_above(tenant, path[-1], lenient=lenient))
    complete = False
    while True:
        complete = complete or not path or path[-1].parent_id is None
        above = [message for message in kept if message.seq < path[-1].seq]
        chosen = choose(path, above, limits, complete=complete)
        if chosen is not None:
            return chosen
        rows = min(2 * rows, AT_MOST)
        more = yield from reading.path_from(tenant, thread, path[-1].parent_id, rows, lenient=lenient)
        complete = not more  # somebody has deleted the rest meanwhile
        path += more


def _kept() -> Selected:
    mine = (MESSAGES.c.tenant_id == TENANT, MESSAGES.c.conversation_id == CONVERSATION_ID)
    is_kept: Any = text(f"({IS_KEPT})")
    above = (*mine, MESSAGES.c.seq < bindparam("place"), is_kept)
    branched = (
        select(CONVERSATIONS.c.branched)
        .where(CONVERSATIONS.c.tenant_id == TENANT, CONVERSATIONS.c.id == CONVERSATION_ID)
        .scalar_subquery()
    )
    step = (MESSAGES.c.id, MESSAGES.c.parent_id, MESSAGES.c.seq)
    first = select(*step).where(*mine, MESSAGES.c.id == bindparam("start", type_=Id()), branched)
    path = first.cte("path", recursive=True)
    uppermost = select(func.min(MESSAGES.c.seq)).where(*above).scalar_subquery()
    up = select(*step).where(MESSAGES.c.tenant_id == TENANT, MESSAGES.c.id == path.c.parent_id, path.c.seq > uppermost)
    on_path = MESSAGES.c.id.in_(select(path.union_all(up).c.id))
    return select(*MESSAGE_COLUMNS).where(*above, or_(~branched, on_path))


_KEPT = _kept()


def _kept_above(tenant: str, message: Message, *, lenient: bool) -> Query[Line]:
    """Select the kept messages above one of a path; the path itself is walked only where there are branches."""
    parameters = {
        "tenant": tenant,
        "conversation_id": message.conversation_id,
        "start": message.parent_id,
        "place": message.seq,
    }
    return Query(_KEPT, line_maker(lenient), parameters)
