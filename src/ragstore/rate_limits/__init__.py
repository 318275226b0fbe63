"""Rate limits: policies, keys, and what a client is told.

    from ragstore.rate_limits import Policy, TrustedProxies, ip_key, rate_limit_headers

What is here needs no database.
"""

from ragstore.rate_limits.headers import problem, rate_limit_headers
from ragstore.rate_limits.keys import folded
from ragstore.rate_limits.limits import Limit
from ragstore.rate_limits.network import TrustedProxies, client_ip, ip_key
from ragstore.rate_limits.parsing import parse_limit, parse_limits
from ragstore.rate_limits.records import Charge, Decision, Key, KeyPart, LimitState, Policy, Reservation

__all__ = [
    "Charge",
    "Decision",
    "Key",
    "KeyPart",
    "Limit",
    "LimitState",
    "Policy",
    "Reservation",
    "TrustedProxies",
    "client_ip",
    "folded",
    "ip_key",
    "parse_limit",
    "parse_limits",
    "problem",
    "rate_limit_headers",
]
