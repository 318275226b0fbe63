"""Reading what a browser or an API client is told."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import Morsel, SimpleCookie
from typing import Any

import http_sf

QUIET = 10.0
"""Seconds that a policy may wait in tests, where a machine may be busy."""


def cookie_of(header: str) -> Morsel[str]:
    """Give the one cookie of a Set-Cookie header."""
    jar: SimpleCookie = SimpleCookie(header)
    (morsel,) = jar.values()
    return morsel


def told(headers: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Give what RateLimit-Policy and RateLimit say of each limit, read as structured fields."""
    said: dict[str, dict[str, Any]] = {}
    for field in ("RateLimit-Policy", "RateLimit"):
        for name, parameters in http_sf.parse(headers[field].encode(), tltype="list"):
            said.setdefault(name, {}).update(parameters)
    return said


def check_refusal(status: int, headers: Mapping[str, str], body: Any, policy: str) -> None:
    """See that a refusal is one, with problem details and a time to come back."""
    assert status == 429
    assert headers["Content-Type"] == "application/problem+json"
    assert body["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert (body["status"], body["violated-policies"]) == (429, [policy])
    assert told(headers)[policy]["r"] == 0
    assert int(headers["Retry-After"]) >= told(headers)[policy]["t"] > 0
