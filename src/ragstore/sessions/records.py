"""What people hold of sessions."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import Field

from ragstore.core import border
from ragstore.core.json import MAX_BYTES
from ragstore.core.records import JsonObject, Record
from ragstore.core.times import MICROSECOND
from ragstore.errors import InvalidInput

OnLimit = Literal["evict_oldest", "reject"]
EventType = Literal["created", "rotated", "replayed", "revoked", "expired"]

MAX_DURATION = timedelta(days=3660)
_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How sessions of one kind live. A kind without rules has these defaults.

    Durations are `timedelta` or seconds, at most ten years, and kept as `timedelta`. A session keeps the `idle`,
    `absolute` and `touch_interval` that it was made with; what the other rules say holds for all at once.

    Attributes:
        kind: The kind, 1 to 63 bytes.
        idle: A session ends after being unused for so long; None: it does not.
        absolute: A session ends so long after it was made, however much it is used.
        touch_interval: Use is noted at most once in so long, and a session that is not used lives so much longer than
            `idle`: it never ends early. 0 notes every use, with one write each, and makes the end exact. Shorter than
            `idle`.
        replay_window: After a rotation the token before it still works for so long, for requests that were under way.
            Later it is taken for stolen, and the session is revoked.
        max_sessions: So many live sessions of this kind a user may have, 1 to 1,000; None: any number.
        on_limit: What happens at one more: "evict_oldest" revokes the oldest, "reject" raises `LimitExceeded`.
        max_data_bytes: So long may a session's data be as JSON, 2 to 1,000,000.

    Raises:
        InvalidInput: A value is outside these bounds.

    Example:
        >>> SessionRules("login", idle=1800, absolute=timedelta(hours=8)).idle
        datetime.timedelta(seconds=1800)
    """

    kind: str
    _: KW_ONLY
    idle: timedelta | float | None = timedelta(minutes=30)
    absolute: timedelta | float = timedelta(hours=8)
    touch_interval: timedelta | float = timedelta(seconds=60)
    replay_window: timedelta | float = timedelta(seconds=60)
    max_sessions: int | None = None
    on_limit: OnLimit = "evict_oldest"
    max_data_bytes: int = 65_536

    def __post_init__(self) -> None:
        """Refuse rules that could only fail later."""
        border.name(self.kind, field="kind", max_bytes=63)
        for field in ("touch_interval", "replay_window"):
            object.__setattr__(self, field, _duration(getattr(self, field), field, at_least=_NOTHING))
        for field in ("idle", "absolute"):
            if field != "idle" or self.idle is not None:
                object.__setattr__(self, field, _duration(getattr(self, field), field, at_least=MICROSECOND))
        if self.idle is not None and microseconds(self.touch_interval) >= microseconds(self.idle):
            raise InvalidInput("must be shorter than idle", field="touch_interval")
        if self.max_sessions is not None:
            border.limit(self.max_sessions, field="max_sessions")
        if self.on_limit not in ("evict_oldest", "reject"):
            raise InvalidInput("must be 'evict_oldest' or 'reject'", field="on_limit")
        border.limit(self.max_data_bytes, field="max_data_bytes", minimum=2, maximum=MAX_BYTES)


def _duration(value: object, field: str, *, at_least: timedelta) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, timedelta | int | float):
        raise InvalidInput(f"must be a timedelta or seconds, not {type(value).__name__}", field=field)
    try:
        duration = value if isinstance(value, timedelta) else timedelta(seconds=value)
    except (OverflowError, ValueError):  # infinite, not a number
        duration = timedelta.max
    if not at_least <= duration <= MAX_DURATION:
        raise InvalidInput(f"must be {'0' if not at_least else 'more than 0'} to 3,660 days", field=field)
    return duration


def microseconds(duration: timedelta | float) -> int:
    """Give a duration as the database holds it."""
    return (duration if isinstance(duration, timedelta) else timedelta(seconds=duration)) // MICROSECOND


class SessionInfo(Record):
    """A live session, as a list of a user's devices shows it.

    Attributes:
        id: Its public id, which is in no way secret.
        created_at: When it was made.
        last_seen_at: When it was last used; uses within `touch_interval` after that are not noted.
        ends_at: When it ends if it is not used again; a use that is noted moves it.
        expires_at: When it ends in any case.
        ip: The network it was made from: the first 24 bits of an IPv4 address, 48 of an IPv6 one.
        agent: What the browser called itself.
        label: What the host calls the device.
        is_current: It is the one whose token was given as `current`.
    """

    id: UUID
    kind: str
    created_at: datetime
    last_seen_at: datetime
    ends_at: datetime
    expires_at: datetime
    ip: str | None
    agent: str | None
    label: str | None
    is_current: bool = False


class Session(Record):
    """A session; the fields that it shares with `SessionInfo` mean the same.

    Attributes:
        tenant: Whose it is: `store.for_tenant(session.tenant)` is the handle to go on with.
        user_id: The host's id of the user; None: a visitor who is not logged in.
        organisation_id: The organisation that the user acts for.
        data: The host's own.
        data_version: How often the data was saved; `save_data` wants to know it.
        schema_version: The host's number of the data's form.
        outdated: The token presented has a successor, which `rotate` gives.
    """

    tenant: str
    id: UUID
    kind: str
    user_id: str | None
    organisation_id: str | None
    data: JsonObject
    data_version: int
    schema_version: int
    created_at: datetime
    last_seen_at: datetime
    ends_at: datetime
    expires_at: datetime
    ip: str | None
    agent: str | None
    label: str | None
    outdated: bool = False


class NewSession(Record):
    """A session with its token, which is given this once and stored nowhere.

    Attributes:
        token: At most 167 characters of `A-Z a-z 0-9 - _ .`, for a cookie. Not shown by `repr` and `str`.
        session: The session.
    """

    token: str = Field(repr=False)
    session: Session


class SessionEvent(Record):
    """What happened to a session.

    Attributes:
        type: "created", "rotated", "replayed" (an old token was presented; "revoked" follows), "revoked", or "expired",
            which is told when the session is purged.
        tenant: Whose it was.
        session_id: Its public id.
        at: When it happened; for "expired", when it ended.
    """

    type: EventType
    tenant: str
    session_id: UUID
    at: datetime
