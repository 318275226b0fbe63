"""Lines of JSON: the same bytes on every database for the same content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID


def line(kind: str, fields: Mapping[str, object]) -> str:
    """Write one line, which ends with a line feed: keys sorted, and the kind under `type`.

    Ids and amounts become text, times text in UTC with six digits after the second.
    """
    values = {**fields, "type": kind}
    separators = (",", ":")
    text = json.dumps(
        values, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=separators, default=_plain
    )
    return text + "\n"


def _plain(value: object) -> str:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat(timespec="microseconds")
        case Decimal():
            return format(value, "f")  # str() would write 1E-9
    raise TypeError(f"{type(value).__name__} has no form in JSON")
