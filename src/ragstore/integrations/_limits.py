"""What the integrations share of rate limits: whom a limit counts, and what a response says; plain functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

from ragstore.rate_limits import Decision, Key, Policy, TrustedProxies, ip_key
from ragstore.rate_limits.records import NAME

_UNFIT: Final = re.compile(r"[^A-Za-z0-9_.:-]+")


class Place(NamedTuple):
    """Where a limit that has no name of its own is: it counts there alone.

    Attributes:
        name: What clients are told.
        text: What keeps its counts apart from those of other places; it is the same in every process.
    """

    name: str
    text: str


class Rule(NamedTuple):
    """A policy, and the place whose counts it has to itself."""

    policy: str | Policy
    place: str | None

    def key(self, key: Key) -> Key:
        """Give the key to count by: of a limit without a name, its place is a part."""
        if self.place is None:
            return key
        return (self.place, *(key if isinstance(key, tuple) else (key,)))


APP: Final = Place("app", "app")


def place_of(function: object) -> Place:
    """Give the place that a function is; functions of the same module and name are one."""
    while isinstance(function, partial):
        function = function.func
    known: Any = function if hasattr(function, "__qualname__") else type(function)
    name = _UNFIT.sub("-", known.__name__).lstrip("_.:-")[:63]
    # The name too: Flask's views of classes have one qualified name in common.
    return Place(name or "limit", f"{known.__module__}.{known.__qualname__}:{known.__name__}")


@lru_cache(1024)
def rule_for(limit: str | Policy, place: Place) -> Rule:
    """Read a limit: a policy, the name of one, or a text like "5/minute", which counts at its place alone.

    Raises:
        InvalidInput: The text is none of these.
    """
    if isinstance(limit, Policy) or NAME.fullmatch(limit):
        return Rule(limit, None)
    return Rule(Policy(place.name, limit), place.text)


def client_address(peer: str | None, forwarded_for: Sequence[str], proxies: TrustedProxies) -> str:
    """Give the client's address. A peer without one is on a Unix socket, and so on this machine."""
    return proxies.client_ip(peer or "127.0.0.1", forwarded_for)


def client_key(peer: str | None, forwarded_for: Sequence[str], proxies: TrustedProxies) -> str:
    """Give what an unknown client is counted by."""
    return ip_key(client_address(peer, forwarded_for, proxies))


def together(decisions: Sequence[Decision]) -> Decision:
    """Make one decision of those of a request, for its headers: what refused it, or has the least share left."""
    binding = min(decisions, key=lambda one: (one.allowed, _share(one)))
    return binding.model_copy(update={"states": tuple(state for one in decisions for state in one.states)})


def _share(decision: Decision) -> float:
    return 1 if decision.limit is None or decision.remaining is None else decision.remaining / decision.limit
