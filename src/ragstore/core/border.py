"""The border for text: what every string from outside passes before it is bound.

NUL cannot be stored in PostgreSQL's text, and a lone surrogate cannot be encoded at all. `TextPolicy("reject")`
refuses both; `TextPolicy("replace")` puts U+FFFD in their place and counts. Names and filters are always refused:
a changed name would be another name.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal

from ragstore.core.times import MICROSECOND
from ragstore.errors import InvalidInput

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_LONGEST = timedelta(days=36_600)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

InvalidTextRule = Literal["reject", "replace"]


class TextPolicy:
    """What happens to characters that no database can hold.

    Attributes:
        replaced: How many characters were replaced so far.
    """

    def __init__(self, rule: InvalidTextRule = "reject") -> None:
        self.rule = rule
        self.replaced = 0

    def text(self, value: str, *, field: str, index: int | None = None) -> str:
        """Give the text as it will be stored.

        Raises:
            InvalidInput: It holds NUL or a lone surrogate, and the rule is "reject".
        """
        found = _UNSTORABLE.search(value)
        if found is None:
            return str.__str__(value)  # a subclass's own __str__ gives another text, as an Enum's does
        if self.rule == "reject":
            raise unstorable(found, field=field, index=index)
        cleaned, count = _UNSTORABLE.subn("\ufffd", value)
        self.replaced += count
        return cleaned


def unstorable(found: re.Match[str], *, field: str, index: int | None) -> InvalidInput:
    """Name the character that cannot be stored."""
    what = "NUL" if found.group() == "\0" else f"the lone surrogate U+{ord(found.group()):04X}"
    hint = "remove it, or open the store with invalid_text='replace'"
    return InvalidInput(f"{what} at position {found.start()} cannot be stored: {hint}", field=field, index=index)


STRICT_TEXT = TextPolicy("reject")
"""For filters and names: never changed, only refused."""


def name(value: object, *, field: str, max_bytes: int) -> str:
    """Check a name a host chooses: a collection, a thread, a user, a tenant, a source.

    Names are compared code point by code point and never normalised: `Ä` written in two ways is two names.

    Raises:
        InvalidInput: It is not text, is empty, has outer white space or control characters, or is too long in UTF-8.
    """
    if not isinstance(value, str):
        raise InvalidInput(f"must be text, not {type(value).__name__}", field=field)
    text = STRICT_TEXT.text(value, field=field)
    if not text.strip():
        raise InvalidInput("must not be empty", field=field)
    if text != text.strip():
        raise InvalidInput("must not begin or end with white space", field=field)
    if _CONTROL.search(text):
        raise InvalidInput("must not contain control characters", field=field)
    if len(text.encode()) > max_bytes:
        raise InvalidInput(f"must be at most {max_bytes} bytes in UTF-8", field=field)
    return text


def limit(value: object, *, field: str = "limit", minimum: int = 1, maximum: int = 1000) -> int:
    """Check a number of rows: an `int` within its bounds, and never a `bool`.

    Raises:
        InvalidInput: It is not, and says which values are allowed.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidInput(f"must be a whole number, not {type(value).__name__}", field=field)
    if not minimum <= value <= maximum:
        raise InvalidInput(f"must be from {minimum} to {maximum}", field=field)
    return value


def span(value: object, *, field: str, minimum: timedelta = MICROSECOND) -> timedelta:
    """Check a span of time, given as a timedelta or in seconds.

    Raises:
        InvalidInput: It is neither, shorter than the minimum, or longer than 36,600 days.
    """
    if isinstance(value, bool) or not isinstance(value, timedelta | int | float):
        raise InvalidInput(f"must be a timedelta or seconds, not {type(value).__name__}", field=field)
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if not minimum.total_seconds() <= seconds <= _LONGEST.total_seconds():
        raise InvalidInput(f"must be from {minimum.total_seconds():g} seconds to {_LONGEST.days:,} days", field=field)
    return value if isinstance(value, timedelta) else timedelta(seconds=value)
