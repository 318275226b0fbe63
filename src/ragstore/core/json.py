"""JSON values: what is let in, and how it is written and read.

One policy on every database:

- keys are text; values are dict, list, tuple, str, int, float, bool or None, nothing else;
- NaN and the infinities are refused (PostgreSQL cannot store them, SQLite would);
- integers lie within 64 bits; `-0.0` becomes `0.0` (PostgreSQL drops the sign), and a whole float of 2^53 or more an
  integer of the same value;
- depth, number of values and size in bytes are bounded;
- NUL and lone surrogates follow the text policy, in keys as in values.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import TypeAliasType

from ragstore.core.border import TextPolicy
from ragstore.errors import InvalidInput

Json = TypeAliasType("Json", "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None")
"""A JSON value."""

MAX_DEPTH = 64
MAX_BYTES = 1_000_000
INT64 = range(-(2**63), 2**63)
EXACT = 2**53


def dumps(value: object) -> str:
    """Write compact JSON text of a value the border has let in."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _integer(digits: str) -> int | float:
    # jsonb writes 1e300 as 301 digits: beyond 64 bits it was a float when it was let in
    number = int(digits)
    return number if number in INT64 else float(number)


_decode = json.JSONDecoder(parse_int=_integer).decode


def loads(text: str) -> Any:
    """Read JSON text."""
    return _decode(text)


def clean(value: object, policy: TextPolicy, *, field: str, index: int | None = None) -> Any:
    """Give a plain copy of a JSON value, or say what is wrong with it.

    Raises:
        InvalidInput: The value is not JSON as this module's docstring has it; `field` is the path to it.
    """
    copy = _Cleaner(policy, index).value(value, field, 0)
    if len(dumps(copy).encode()) > MAX_BYTES:
        raise InvalidInput(f"the JSON is larger than {MAX_BYTES:,} bytes", field=field, index=index)
    return copy


class _Cleaner:
    def __init__(self, policy: TextPolicy, index: int | None) -> None:
        self.policy = policy
        self.index = index

    def value(self, value: object, field: str, depth: int) -> object:
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return self.policy.text(value, field=field, index=self.index)
        if isinstance(value, int):
            return self.integer(value, field)
        if isinstance(value, float):
            return self.number(value, field)
        if depth >= MAX_DEPTH:
            raise self.refuse(f"nested more than {MAX_DEPTH} levels deep", field)
        return self.container(value, field, depth + 1)

    def container(self, value: object, field: str, depth: int) -> object:
        if isinstance(value, Mapping):
            return self.mapping(value, field, depth)
        if isinstance(value, list | tuple):
            return [self.value(item, f"{field}[{i}]", depth) for i, item in enumerate(value)]
        raise self.refuse(f"{type(value).__name__} is not a JSON type: convert it first", field)

    def mapping(self, value: Mapping[object, object], field: str, depth: int) -> dict[str, object]:
        cleaned: dict[str, object] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise self.refuse(f"a key is {type(key).__name__}, not text", field)
            name = self.policy.text(key, field=f"{field} (key)", index=self.index)
            if name in cleaned:
                raise self.refuse("two keys became the same when characters were replaced", field)
            cleaned[name] = self.value(item, f"{field}.{name[:40]}", depth)
        return cleaned

    def integer(self, value: int, field: str) -> int:
        if value not in INT64:
            raise self.refuse("the integer does not fit 64 bits: store it as text", field)
        return int(value)

    def number(self, value: float, field: str) -> float | int:
        if not math.isfinite(value):
            raise self.refuse(f"{value} is not JSON: use null", field)
        if value.is_integer() and abs(value) >= EXACT and int(value) in INT64:
            return int(value)  # equal, where jsonb would round the digits of 5.880173582457242e16 to another number
        return float(value) + 0.0  # -0.0 + 0.0 is 0.0

    def refuse(self, message: str, field: str) -> InvalidInput:
        return InvalidInput(message, field=field, index=self.index)
