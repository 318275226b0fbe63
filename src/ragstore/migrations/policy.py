"""What `upgrade` may do here: an operator says it by an environment variable, without a change of code."""

from __future__ import annotations

import os
from enum import StrEnum

from ragstore.errors import UsageError

VARIABLE = "RAGSTORE_UPGRADE"


class Policy(StrEnum):
    """What `upgrade` does when an application calls it."""

    AUTO = "auto"
    """Upgrade; also if the variable is unset or empty."""
    CHECK = "check"
    """Change nothing, and raise `SchemaBehind` if something is pending."""
    OFF = "off"
    """Do nothing and ask nothing."""


def current() -> Policy:
    """Read the variable.

    Raises:
        UsageError: It has another value.
    """
    value = os.environ.get(VARIABLE) or Policy.AUTO
    try:
        return Policy(value)
    except ValueError:
        raise UsageError(f"{VARIABLE} is {value!r}: it must be one of {', '.join(Policy)}, or unset") from None
