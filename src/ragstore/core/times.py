"""Times as whole microseconds since 1970 UTC, which is how they are stored and counted where no type of theirs is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_microseconds(time: datetime) -> int:
    """Count the microseconds until an aware time."""
    return (time - EPOCH) // MICROSECOND


def from_microseconds(count: int) -> datetime:
    """Give the time, in UTC.

    Raises:
        OverflowError: It lies outside the calendar.
    """
    return EPOCH + timedelta(microseconds=count)
