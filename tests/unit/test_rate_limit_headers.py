"""Header fields and problem bodies, read by another's parser of structured fields (RL-19)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from http_sf import parse
from hypothesis import given
from hypothesis import strategies as st

from ragstore.errors import InvalidInput, UsageError
from ragstore.rate_limits import Decision, Key, Limit, LimitState, problem, rate_limit_headers
from ragstore.rate_limits.headers import Form, Unit, _quoted

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECRET = b"0123456789abcdef"
MINUTE, HOUR = Limit(10, timedelta(minutes=1)), Limit(100, timedelta(hours=1))
ZERO = timedelta(0)


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


def state(
    policy: str = "api",
    limit: Limit = MINUTE,
    *,
    remaining: int = 7,
    more: float | None = 6,
    retry: float | None = None,
    permanent: bool = False,
) -> LimitState:
    return LimitState(
        policy=policy,
        limit=limit,
        remaining=remaining,
        reset_after=seconds(18),
        more_after=None if more is None else seconds(more),
        retry_after=None if retry is None else seconds(retry),
        permanent=permanent,
    )


def decision(*states: LimitState, allowed: bool = True, retry: float | None = None, degraded: bool = False) -> Decision:
    """Make a decision whose binding limit is the first one."""
    first = states[0] if states else None
    return Decision(
        allowed=allowed,
        policy=first.policy if first else "api",
        limit=first.limit.capacity if first else None,
        remaining=first.remaining if first else None,
        retry_after=None if retry is None else seconds(retry),
        reset_after=first.reset_after if first else None,
        permanent=any(one.permanent for one in states),
        degraded=degraded,
        decided_at=NOON,
        states=states,
    )


def items(fields: list[tuple[str, str]], name: str) -> dict[str, dict[str, Any]]:
    """Read one list field."""
    read: dict[str, dict[str, Any]] = {}
    members: Any = parse(dict(fields)[name].encode(), tltype="list")
    for item, parameters in members:
        assert type(item) is str
        assert item not in read
        read[item] = dict(parameters)
    return read


def test_the_two_fields_of_the_draft() -> None:
    """RL-19: a quoted name, q and w; r and t, the seconds until more."""
    fields = rate_limit_headers(decision(state()))
    assert fields == [("RateLimit-Policy", '"api";q=10;w=60'), ("RateLimit", '"api";r=7;t=6')]


def test_a_full_limit_has_no_time_until_more() -> None:
    """RL-19: t is optional, and nothing more comes to a limit that is full."""
    fields = rate_limit_headers(decision(state(remaining=10, more=None)))
    assert items(fields, "RateLimit") == {"api": {"r": 10}}


def test_each_limit_is_an_item_of_its_own() -> None:
    """RL-19: names are distinct, and the same in both fields and in the problem."""
    half = Limit(3, timedelta(seconds=1, milliseconds=500))
    states = [state(limit=MINUTE), state(limit=half), state(limit=Limit(3, seconds(2))), state("login", HOUR)]
    fields = rate_limit_headers(decision(*states))
    policies = items(fields, "RateLimit-Policy")
    assert list(policies) == ["api/60s", "api/1.5s", "api/2s", "login"] == list(items(fields, "RateLimit"))
    assert [one["w"] for one in policies.values()] == [60, 2, 2, 3600]
    refused = decision(states[0], state(limit=half, remaining=0, retry=1, more=1), allowed=False, retry=1)
    assert problem(refused)["violated-policies"] == ["api/1.5s"]


def test_a_policy_asked_with_two_keys_tells_of_the_tighter() -> None:
    """RL-19: one name, one item."""
    for states in ((state(remaining=3), state(remaining=7)), (state(remaining=7), state(remaining=3))):
        assert items(rate_limit_headers(decision(*states)), "RateLimit")["api"]["r"] == 3
    refusing = state(remaining=5, more=1, retry=9)
    for states in ((refusing, state(remaining=3)), (state(remaining=3), refusing)):
        fields = rate_limit_headers(decision(*states, allowed=False, retry=9), jitter=lambda: 0)
        assert items(fields, "RateLimit")["api"] == {"r": 5, "t": 1}


@pytest.mark.parametrize(
    ("retry", "share", "value"),
    [
        (0.000001, 0, "1"),
        (1, 0, "1"),
        (1.000001, 0, "2"),
        (59.2, 0, "60"),
        (1, 1, "2"),
        (60, 1, "66"),
        (60, 0.5, "63"),
        (3_600, 1, "3660"),
        (86_400, 1, "86460"),
        (86_400, 0, "86400"),
    ],
)
def test_retry_after_is_rounded_up_and_spread(retry: float, share: float, value: str) -> None:
    """RL-19, RL-6: never too early; up to a tenth later, one to sixty seconds at most."""
    refused = decision(state(remaining=0, more=retry, retry=retry), allowed=False, retry=retry)
    assert dict(rate_limit_headers(refused, jitter=lambda: share))["Retry-After"] == value


def test_retry_after_differs_from_client_to_client() -> None:
    refused = decision(state(remaining=0, more=300, retry=300), allowed=False, retry=300)
    waits = {int(dict(rate_limit_headers(refused))["Retry-After"]) for _ in range(200)}
    assert len(waits) > 10
    assert min(waits) >= 300
    assert max(waits) <= 330


TIMES = st.floats(0, 40_000_000)
STATES = st.builds(
    lambda policy, limit, remaining, more, retry: state(policy, limit, remaining=remaining, more=more, retry=retry),
    st.sampled_from(["api", "login", "a.b:c-d_e"]),
    st.builds(Limit, st.integers(1, 10**12), st.timedeltas(seconds(1), timedelta(days=366))),
    st.integers(0, 10**12),
    st.none() | TIMES,
    st.none() | TIMES,
)


@given(st.lists(STATES, min_size=1, max_size=8), st.none() | TIMES, st.booleans(), st.floats(0, 1))
def test_any_decision_is_well_formed(
    states: list[LimitState], retry: float | None, allowed: bool, share: float
) -> None:
    """RL-19: q and r are whole and not negative, w positive, and Retry-After is never earlier than a t."""
    made = decision(*states, allowed=allowed, retry=None if allowed else retry)
    fields = rate_limit_headers(made, form=["ietf", "separate", "x"], jitter=lambda: share)
    policies, limits = items(fields, "RateLimit-Policy"), items(fields, "RateLimit")
    assert policies.keys() == limits.keys()
    for parameters in policies.values():
        assert parameters.keys() == {"q", "w"}
        assert all(type(value) is int and value >= 1 for value in parameters.values())
    for parameters in limits.values():
        assert {"r"} <= parameters.keys() <= {"r", "t"}
        assert all(type(value) is int and value >= 0 for value in parameters.values())
    wait = dict(fields).get("Retry-After")
    assert (wait is None) == (allowed or retry is None)
    if wait is not None and made.retry_after is not None:
        assert seconds(int(wait)) >= made.retry_after
        assert all(int(wait) >= parameters.get("t", 0) for parameters in limits.values())


def test_in_a_refusal_only_the_refusing_limits_say_when() -> None:
    """RL-19: a limit that did not refuse has its next unit later than Retry-After, so its t is left out."""
    slow = state("day", Limit(3, timedelta(days=1)), remaining=2, more=20_000)
    refused = decision(state(remaining=0, more=6, retry=6), slow, allowed=False, retry=6)
    fields = rate_limit_headers(refused, jitter=lambda: 0)
    assert items(fields, "RateLimit") == {"api": {"r": 0, "t": 6}, "day": {"r": 2}}
    assert dict(fields)["Retry-After"] == "6"


def test_what_can_never_be_admitted_has_no_retry_after() -> None:
    """RL-5, RL-19."""
    refused = decision(state(permanent=True), allowed=False)
    fields = rate_limit_headers(refused)
    assert "Retry-After" not in dict(fields)
    assert items(fields, "RateLimit") == {"api": {"r": 7, "t": 6}}
    assert problem(refused)["violated-policies"] == ["api"]


@pytest.mark.parametrize("form", ["ietf", "separate", "x", ("ietf", "separate", "x")])
def test_a_degraded_decision_has_retry_after_alone(form: Form) -> None:
    """RL-15, RL-19: nothing is known of the limits."""
    refused = decision(allowed=False, retry=0.25, degraded=True)
    assert rate_limit_headers(refused, form=form, jitter=lambda: 0) == [("Retry-After", "1")]
    assert rate_limit_headers(decision(degraded=True), form=form) == []


def test_the_older_forms() -> None:
    """RL-19: the binding limit's three numbers; the X form has a Unix time."""
    made = decision(state(limit=Limit(10, timedelta(minutes=1), burst=15)), state("other", HOUR))
    assert rate_limit_headers(made, form="separate") == [
        ("RateLimit-Limit", "15"),
        ("RateLimit-Remaining", "7"),
        ("RateLimit-Reset", "18"),
    ]
    assert rate_limit_headers(made, form="x") == [
        ("X-RateLimit-Limit", "15"),
        ("X-RateLimit-Remaining", "7"),
        ("X-RateLimit-Reset", str(int(NOON.timestamp()) + 18)),
    ]
    names = [name for name, _ in rate_limit_headers(made, form=("x", "ietf", "separate"))]
    assert len(names) == len(set(names)) == 8


def test_a_unit_other_than_requests_is_said() -> None:
    """RL-19: qu."""
    fields = rate_limit_headers(decision(state()), unit="content-bytes")
    assert items(fields, "RateLimit-Policy") == {"api": {"q": 10, "qu": "content-bytes", "w": 60}}
    assert items(fields, "RateLimit") == {"api": {"r": 7, "t": 6}}


def test_a_partition_key_tells_nobody_who_it_is() -> None:
    """RL-19: pk is a byte sequence, the same for the same key, and says nothing without the secret."""
    keys: list[Key] = ["203.0.113.7", ("203.0.113.7", 1), "203.0.113.8"]
    secrets = [SECRET, b"another secret of ours"]
    seen = set()
    for key, secret in product(keys, secrets):
        fields = rate_limit_headers(decision(state()), partition_key=key, secret=secret)
        shown = items(fields, "RateLimit")["api"]["pk"]
        assert shown == items(fields, "RateLimit-Policy")["api"]["pk"]
        assert fields == rate_limit_headers(decision(state()), partition_key=key, secret=secret)
        assert isinstance(shown, bytes)
        assert len(shown) == 12
        text = "".join(value for _, value in fields)
        assert "203" not in text
        assert b64encode(b"203.0.113.7").decode() not in text
        seen.add(shown)
    assert len(seen) == len(keys) * len(secrets)


@pytest.mark.parametrize("secret", [None, b"", b"short"])
def test_a_partition_key_needs_a_secret(secret: bytes | None) -> None:
    """RL-19: an address behind a bare hash is found by trying all."""
    with pytest.raises(InvalidInput) as refused:
        rate_limit_headers(decision(state()), partition_key="203.0.113.7", secret=secret)
    assert refused.value.field == "secret"


def test_a_secret_alone_shows_nothing() -> None:
    assert "pk" not in items(rate_limit_headers(decision(state()), secret=SECRET), "RateLimit")["api"]


@pytest.mark.parametrize("form", ["IETF", "", ["ietf", "y"]])
def test_an_unknown_form_is_refused(form: Form | Sequence[Form]) -> None:
    with pytest.raises(InvalidInput) as refused:
        rate_limit_headers(decision(state()), form=form)
    assert refused.value.field == "form"


@pytest.mark.parametrize("unit", ["", "tokens", 'requests";q=1'])
def test_an_unknown_unit_is_refused(unit: Unit) -> None:
    with pytest.raises(InvalidInput) as refused:
        rate_limit_headers(decision(state()), unit=unit)
    assert refused.value.field == "unit"


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_jitter_out_of_bounds_is_refused(share: float) -> None:
    with pytest.raises(InvalidInput) as refused:
        rate_limit_headers(decision(state(retry=1), allowed=False, retry=1), jitter=lambda: share)
    assert refused.value.field == "jitter"


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_any_printable_name_is_escaped(text: str) -> None:
    """RL-19: a structured field's string."""
    assert parse(_quoted(text).encode(), tltype="item") == (text, {})


@pytest.mark.parametrize("name", ["a\r\nSet-Cookie: b", "\u00e9", "\0", "\x7f"])
def test_a_name_that_cannot_stand_in_a_header_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        rate_limit_headers(decision(state(name)))


def test_the_body_of_a_refusal() -> None:
    """RL-19: the draft's problem type, with the limits that refused."""
    refusing, other = state(limit=HOUR, remaining=0, more=9, retry=9), state("login")
    assert problem(decision(refusing, other, allowed=False, retry=9)) == {
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "title": "Quota Exceeded",
        "status": 429,
        "violated-policies": ["api"],
    }


def test_a_degraded_refusal_is_the_servers_fault() -> None:
    assert problem(decision(allowed=False, retry=1, degraded=True)) == {
        "type": "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
        "title": "Temporary Reduced Capacity",
        "status": 503,
        "violated-policies": ["api"],
    }


def test_what_is_allowed_is_no_problem() -> None:
    with pytest.raises(UsageError):
        problem(decision(state()))
