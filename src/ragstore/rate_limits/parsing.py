"""Reading limits from a text such as "10/minute; 100 per 2 hours"."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final, NoReturn

from ragstore.errors import InvalidInput
from ragstore.rate_limits.limits import MAX_PERIOD, Limit

MAX_TEXT: Final = 1_000
MAX_LIMITS: Final = 8
# No "m" and no "mo": a month for some, a minute for others.
_SPELLINGS: Final = {
    timedelta(seconds=1): ("s", "second", "seconds"),
    timedelta(minutes=1): ("min", "minute", "minutes"),
    timedelta(hours=1): ("h", "hour", "hours"),
    timedelta(days=1): ("d", "day", "days"),
    timedelta(days=7): ("week", "weeks"),
    timedelta(days=30): ("month", "months"),
    timedelta(days=365): ("year", "years"),
}
_UNITS: Final = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings}
# Each part ends where the next can begin, so nothing is tried twice however long the text is.
_LIMIT: Final = re.compile(r"(?P<amount>[0-9]+)(?: ?/ ?| per )(?:(?P<count>[0-9]+) ?)?(?P<unit>[a-z]+)")


def parse_limit(text: str) -> Limit:
    """Read one limit; `parse_limits` says how it is written.

    Args:
        text: Such as "10/minute", at most 1,000 characters.

    Returns:
        The limit, without a burst of its own.

    Raises:
        InvalidInput: It is not a limit, or more than one; `field` is "limits".

    Example:
        >>> parse_limit("5 per 10 minutes").period
        datetime.timedelta(seconds=600)
    """
    limits = parse_limits(text)
    if len(limits) != 1:
        _refuse(f"has {len(limits)} limits where one is wanted: give one, or call parse_limits")
    return limits[0]


def parse_limits(text: str) -> tuple[Limit, ...]:
    """Read one to eight limits, parted by `;` or `,`.

    A limit is a whole number, `/` or ` per `, and a period: a unit, or a whole number of them. Units are second (s),
    minute (min), hour (h), day (d: 24 hours), week (7 days), month (30 days) and year (365 days), singular or plural,
    in small or capital letters. A space may stand beside `/` and before the unit, and any number beside `;` and `,`.

    Args:
        text: Such as "10/minute; 100/hour" or "5 per 10 minutes", at most 1,000 characters.

    Returns:
        The limits in the order written, none with a burst of its own.

    Raises:
        InvalidInput: It is anything else, or two limits have the same period; `field` is "limits".

    Example:
        >>> [limit.amount for limit in parse_limits("10/minute; 100/hour")]
        [10, 100]
    """
    if not isinstance(text, str):
        _refuse(f"must be a text, not {type(text).__name__}")
    if len(text) > MAX_TEXT:
        _refuse(f"is longer than {MAX_TEXT:,} characters")
    pieces = [piece.strip(" ") for piece in re.split("[;,]", text)]
    if len(pieces) > MAX_LIMITS:
        _refuse(f"has more than {MAX_LIMITS} limits")
    limits = tuple(_read(piece) for piece in pieces)
    if len({limit.period for limit in limits}) < len(limits):
        _refuse("has two limits with the same period: keep the lower one")
    return limits


def _read(piece: str) -> Limit:
    # Before lower(), which makes an ASCII letter of the Kelvin sign.
    match = _LIMIT.fullmatch(piece.lower()) if piece.isascii() else None
    if match is None:
        _refuse(f"{_shown(piece)} is no limit" if piece else "a limit is missing beside a separator")
    amount, count = int(match["amount"]), int(match["count"] or 1)
    unit = _UNITS.get(match["unit"])
    if unit is None:
        _refuse(f"{_shown(piece)} has no known unit: second, minute, hour, day, week, month and year are known")
    if amount < 1 or not 1 <= count <= MAX_PERIOD // unit:
        _refuse(f"{_shown(piece)} must have an amount from 1 and a period from one second to 366 days")
    return _limit(amount, count * unit, piece)


def _limit(amount: int, period: timedelta, piece: str) -> Limit:
    try:
        return Limit(amount, period)
    except InvalidInput as error:
        raise InvalidInput(f"{_shown(piece)}: {error}", field="limits") from None


def _shown(piece: str) -> str:
    return repr(piece if len(piece) <= 40 else f"{piece[:40]}...")


def _refuse(why: str) -> NoReturn:
    raise InvalidInput(f"{why}; write limits like '10/minute;100/hour' or '5 per 10 minutes'", field="limits")
