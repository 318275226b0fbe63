"""The border of sessions: what hosts hand in becomes values that may be stored, or an error that says why not."""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, TypeAlias

from ragstore.core import border, json
from ragstore.core.border import TextPolicy
from ragstore.core.types import to_utc
from ragstore.errors import InvalidInput
from ragstore.sessions.tables import HOST_ID_BYTES, KIND_BYTES

MAX_AGENT = 512
MAX_LABEL = 100
MAX_INT = 2**31 - 1

Time: TypeAlias = datetime | None
"""What stands in for the database's clock, if anything."""


def time(value: Time) -> Time:
    """Check what is to stand in for the clock."""
    return None if value is None else to_utc(value, field="now")


def kind(value: object) -> str:
    """Check a kind."""
    return border.name(value, field="kind", max_bytes=KIND_BYTES)


def user(value: object) -> str:
    """Check a user's id."""
    return border.name(value, field="user_id", max_bytes=HOST_ID_BYTES)


def organisation(value: object) -> str:
    """Check an organisation's id."""
    return border.name(value, field="organisation_id", max_bytes=HOST_ID_BYTES)


def data(value: object, policy: TextPolicy, max_bytes: int) -> dict[str, Any]:
    """Check a session's data: an object of JSON, and not too much of it."""
    cleaned = json.clean(value, policy, field="data")
    if not isinstance(cleaned, dict):
        raise InvalidInput(f"must be a JSON object, not {type(value).__name__}", field="data")
    size = len(json.dumps(cleaned).encode())
    if size > max_bytes:
        advice = "keep it elsewhere and its id here, or raise max_data_bytes in the kind's SessionRules"
        raise InvalidInput(f"has {size:,} bytes as JSON, at most {max_bytes:,}: {advice}", field="data")
    return cleaned


def number(value: object, field: str) -> int:
    """Check a version."""
    return border.limit(value, field=field, minimum=0, maximum=MAX_INT - 1)


def network(value: object) -> str | None:
    """Give the network of a client's address, which says where a device is and not whose it is."""
    if value is None:
        return None
    try:
        address = ip_address(value if isinstance(value, str) else "")
    except ValueError:
        raise InvalidInput("must be an IPv4 or IPv6 address without a port, or None", field="ip") from None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return str(IPv6Network((int(address), 48), strict=False))
        address = address.ipv4_mapped
    return str(IPv4Network((int(address), 24), strict=False))


def agent(value: object, policy: TextPolicy) -> str | None:
    """Cut what a browser calls itself."""
    return None if value is None else policy.text(_text(value, "agent")[:MAX_AGENT], field="agent")


def label(value: object, policy: TextPolicy) -> str | None:
    """Check what the host calls a device."""
    if value is None:
        return None
    if len(_text(value, "label")) > MAX_LABEL:
        raise InvalidInput(f"has more than {MAX_LABEL} characters", field="label")
    return policy.text(_text(value, "label"), field="label")


def _text(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"must be text, not {type(value).__name__}", field=field)
    return value
