"""The chain of revisions, as plain names: knowing that a database is at head must not cost loading Alembic.

A revision only adds: code of the schema before it works on it too, so that processes can be replaced one by one, and
`min_code` stays as it is. What takes something away comes a minor release after the last code that used it, raises
`min_code`, and must not run just because somebody upgrades to "head". There is no such revision yet, and a test refuses
one: the first is to bring with it that "head" stops before it.
"""

from __future__ import annotations

import re

from ragstore.errors import InvalidInput, UsageError

CHAIN = ("rs_0001", "rs_0002", "rs_0003", "rs_0004")
"""Every revision, oldest first; a test compares it with the scripts in `versions/`."""

HEAD = CHAIN[-1]

_STEPS = re.compile("[+-][0-9]{1,4}")

SCHEMA_NUMBER = 4
"""The number of the schema at head. It is also this code's own number, to be held against a schema's `min_code`."""


def position(revision: str | None) -> int:
    """Count the revisions that a database at this one has behind it; None has 0."""
    return 0 if revision is None else CHAIN.index(revision) + 1


def at(place: int) -> str | None:
    """Give the revision after so many steps; None for 0."""
    return CHAIN[place - 1] if place else None


def resolve(wanted: str, current: str | None) -> int:
    """Give the position that a caller means.

    Args:
        wanted: A revision, "head", "base", or a number of steps from the current one: "+1", "-1".
        current: The database's revision.

    Raises:
        InvalidInput: There is no such revision.
    """
    check(wanted)
    if wanted in ("head", "base"):
        return len(CHAIN) if wanted == "head" else 0
    if wanted in CHAIN:
        return position(wanted)
    there = position(current) + int(wanted)
    if not 0 <= there <= len(CHAIN):
        raise _no_such(wanted)
    return there


def check(wanted: object) -> None:
    """Refuse what cannot be a revision, whatever the database has.

    Raises:
        InvalidInput: It is none.
    """
    if not isinstance(wanted, str) or not (wanted in ("head", "base", *CHAIN) or _STEPS.fullmatch(wanted)):
        raise _no_such(wanted)


def check_end(to: object) -> None:
    """Refuse what does not say by itself where a host's own revision ends.

    Raises:
        InvalidInput: It is neither a revision nor "head".
    """
    if to not in (*CHAIN, "head"):
        raise InvalidInput(f"a host's revision says where it ends: {', '.join(CHAIN)}, or head", field="to")


def _no_such(wanted: object) -> InvalidInput:
    shown = wanted[:40] if isinstance(wanted, str) else wanted
    return InvalidInput(f"{shown!r} is none of {', '.join(CHAIN)}, head, base, +n, -n", field="revision")


def steps(wanted: str, current: str | None, *, down: bool) -> tuple[str, ...]:
    """Give the revisions to run, or to take back, in order.

    Raises:
        InvalidInput: There is no such revision.
        UsageError: It is on the other side of the current one.
    """
    here, there = position(current), resolve(wanted, current)
    if here != there and down != (there < here):
        advice = "use downgrade" if there < here else "use upgrade"
        raise UsageError(f"the database is at {current}, and {wanted} is on its other side: {advice}")
    return CHAIN[there:here][::-1] if down else CHAIN[here:there]
