"""What a response tells of rate limits: header fields, and the body of a refusal.

The fields are those of the IETF's draft-ietf-httpapi-ratelimit-headers-11 (May 2026), which are structured fields
(RFC 9651), and the older forms. They belong in a response's header, never in its trailer.
"""

from __future__ import annotations

import hmac
import random
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, Literal

from ragstore.core.json import Json
from ragstore.core.times import EPOCH
from ragstore.errors import InvalidInput, UsageError
from ragstore.rate_limits.keys import key_digest
from ragstore.rate_limits.records import Decision, Key, LimitState

Form = Literal["ietf", "separate", "x"]
Unit = Literal["requests", "content-bytes", "concurrent-requests"]
Fields = list[tuple[str, str]]

FORMS: Final = ("ietf", "separate", "x")
UNITS: Final = ("requests", "content-bytes", "concurrent-requests")
MIN_SECRET: Final = 16
PARTITION_KEY_BYTES: Final = 12
MAX_JITTER: Final = 60
PROBLEM_TYPES: Final = "https://iana.org/assignments/http-problem-types#"
_SECOND: Final = timedelta(seconds=1)


def rate_limit_headers(
    decision: Decision,
    *,
    form: Form | Sequence[Form] = "ietf",
    unit: Unit | None = None,
    partition_key: Key | None = None,
    secret: bytes | None = None,
    jitter: Callable[[], float] = random.random,
) -> list[tuple[str, str]]:
    """Give the header fields that tell a client how it stands.

    A refusal that waiting can mend has Retry-After: whole seconds, rounded up, and at random up to a tenth more (at
    least one second, at most 60), so that clients refused together do not come back together. A degraded decision has
    nothing else to tell.

    With "ietf" each limit is an item, named like its policy; where a policy has several limits, by policy and period
    ("api/60s"). Where Retry-After is sent, only the limits that refused have `t`, so it is never earlier than a `t`.

    Args:
        decision: What was decided.
        form: "ietf" is RateLimit-Policy and RateLimit, with the seconds until there is more (`t`). "separate" is
            RateLimit-Limit, -Remaining and -Reset of the binding limit, with the seconds until it is full again. "x"
            is X-RateLimit-Limit, -Remaining and -Reset, where that is a Unix time. Or several of them.
        unit: What the limits count, if not requests. The older forms cannot say it.
        partition_key: The key that was asked about, shown with "ietf" as 12 bytes of an HMAC-SHA-256: from them nobody
            can tell or guess the key without the secret. Leave it out where policies were asked with different keys.
        secret: For `partition_key`, at least 16 bytes, the same on every server.
        jitter: Gives a number from 0 to 1, another one for each call.

    Returns:
        Names and values, in the order to send them.

    Raises:
        InvalidInput: A value is not as said here; `field` says which.
    """
    forms = (form,) if isinstance(form, str) else tuple(form)
    if not set(forms) <= set(FORMS):
        raise InvalidInput(f"must be one or several of {', '.join(FORMS)}", field="form")
    parameters = _unit(unit), _partition(partition_key, secret)
    fields: Fields = []
    if "ietf" in forms:
        fields += _ietf(decision, *parameters)
    if "separate" in forms:
        fields += _three("RateLimit", decision, None)
    if "x" in forms:
        fields += _three("X-RateLimit", decision, decision.decided_at - EPOCH)
    return fields + _retry_after(decision, jitter)


def problem(decision: Decision) -> dict[str, Json]:
    """Give the body of a refusal: problem details (RFC 9457), to be sent as application/problem+json.

    Args:
        decision: A refusal.

    Returns:
        The problem "quota-exceeded" with the status to send, 429, and the limits that refused, named as in the header
        fields. A degraded refusal is the server's fault: "temporary-reduced-capacity", 503.

    Raises:
        UsageError: It was not refused.
    """
    if decision.allowed:
        raise UsageError("the decision allows the request: only a refusal has a problem to tell of")
    refusing = [name for name, state in _items(decision).items() if _refused(state)]
    kind, title, status = (
        ("temporary-reduced-capacity", "Temporary Reduced Capacity", 503)
        if decision.degraded
        else ("quota-exceeded", "Quota Exceeded", 429)
    )
    return {
        "type": PROBLEM_TYPES + kind,
        "title": title,
        "status": status,
        "violated-policies": refusing or [decision.policy],
    }


def _ietf(decision: Decision, unit: str, partition: str) -> Fields:
    items = {_quoted(name): state for name, state in _items(decision).items()}
    if not items:  # neither field may be empty
        return []
    # A part of a second cannot be said: rounded up, the client waits a little longer than it must.
    policies = [f"{name};q={s.limit.amount}{unit};w={_seconds(s.limit.period)}{partition}" for name, s in items.items()]
    limits = [f"{name};r={s.remaining}{_until_more(s, decision)}{partition}" for name, s in items.items()]
    return [("RateLimit-Policy", ", ".join(policies)), ("RateLimit", ", ".join(limits))]


def _items(decision: Decision) -> dict[str, LimitState]:
    """Give each limit its name; where one was asked with several keys, that is the key with the least left."""
    limits = {(state.policy, state.limit.period) for state in decision.states}
    counts = Counter(policy for policy, _ in limits)
    items: dict[str, LimitState] = {}
    for state in decision.states:
        # No policy's name has a slash, so this is never another policy's name.
        name = state.policy if counts[state.policy] == 1 else f"{state.policy}/{_exact(state.limit.period)}"
        items[name] = min(items.get(name, state), state, key=lambda one: (not _refused(one), one.remaining))
    return items


def _exact(period: timedelta) -> str:
    whole, part = divmod(period, _SECOND)
    return f"{whole}{f'.{part.microseconds:06}'.rstrip('0') if part else ''}s"


def _three(prefix: str, decision: Decision, since: timedelta | None) -> Fields:
    if decision.limit is None or decision.remaining is None or decision.reset_after is None:
        return []
    reset = decision.reset_after if since is None else since + decision.reset_after
    values = {"Limit": decision.limit, "Remaining": decision.remaining, "Reset": _seconds(reset)}
    return [(f"{prefix}-{name}", str(value)) for name, value in values.items()]


def _retry_after(decision: Decision, jitter: Callable[[], float]) -> Fields:
    if decision.allowed or decision.retry_after is None:
        return []
    more = [s.more_after for s in decision.states if _refused(s) and s.more_after is not None]
    seconds = _seconds(max([decision.retry_after, *more]))
    share = jitter()
    if not 0 <= share <= 1:
        raise InvalidInput(f"must give a number from 0 to 1, not {share!r}", field="jitter")
    return [("Retry-After", str(seconds + round(share * min(max(seconds / 10, 1), MAX_JITTER))))]


def _until_more(state: LimitState, decision: Decision) -> str:
    awaited = decision.retry_after is None or _refused(state)
    return f";t={_seconds(state.more_after)}" if awaited and state.more_after is not None else ""


def _refused(state: LimitState) -> bool:
    return state.permanent or state.retry_after is not None


def _seconds(time: timedelta) -> int:
    """Give whole seconds, rounded up."""
    return -(-time // _SECOND)


def _unit(unit: Unit | None) -> str:
    if unit is None:
        return ""
    if unit not in UNITS:
        raise InvalidInput(f"must be one of {', '.join(UNITS)}", field="unit")
    return f";qu={_quoted(unit)}"


def _partition(key: Key | None, secret: bytes | None) -> str:
    if key is None:
        return ""
    if secret is None or len(secret) < MIN_SECRET:
        raise InvalidInput(f"must be at least {MIN_SECRET} bytes, or addresses could be guessed", field="secret")
    digest = hmac.digest(secret, key_digest(key), "sha256")[:PARTITION_KEY_BYTES]
    return f";pk=:{b64encode(digest).decode()}:"


def _quoted(text: str) -> str:
    """Write a structured field's string, which has printable ASCII only."""
    if not (text.isascii() and text.isprintable()):
        raise InvalidInput("must be printable ASCII to stand in a header", field="policy")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
