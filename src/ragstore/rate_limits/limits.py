"""One limit: so much in so long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ragstore.core import border
from ragstore.errors import InvalidInput

MAX_AMOUNT = 10**12
MAX_PERIOD = timedelta(days=366)
MAX_REST = timedelta(days=3660)


def units(value: object, *, field: str) -> int:
    """Check a number of units: 1 to 10**12."""
    return border.limit(value, field=field, maximum=MAX_AMOUNT)


@dataclass(frozen=True, slots=True)
class Limit:
    """So much in so long.

    Attributes:
        amount: Units admitted in one period, 1 to 10**12: requests, tokens, thousandths of a cent.
        period: One second to 366 days, in whole microseconds.
        burst: With "gcra", units admitted at once after a rest; None: `amount`. The other algorithms refuse it.

    Raises:
        InvalidInput: A value is outside these bounds, or the limit would take over ten years to fill up.
    """

    amount: int
    period: timedelta
    burst: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be counted."""
        units(self.amount, field="amount")
        units(self.capacity, field="burst")
        if not _is_period(self.period):
            raise InvalidInput("must be a timedelta from one second to 366 days", field="period")
        if self.capacity / self.amount * self.period.total_seconds() > MAX_REST.total_seconds():
            raise InvalidInput("is so large that it would take over ten years to fill up: lower it", field="burst")

    @property
    def capacity(self) -> int:
        """Give what may be taken at once, at most."""
        return self.amount if self.burst is None else self.burst


def _is_period(value: object) -> bool:
    return isinstance(value, timedelta) and timedelta(seconds=1) <= value <= MAX_PERIOD
