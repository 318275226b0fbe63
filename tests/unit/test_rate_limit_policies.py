"""Policies, limits and charges: what can be defined, and what is refused at once."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta
from typing import Any

import pytest

from ragstore.errors import InvalidInput
from ragstore.rate_limits import Charge, Limit, Policy, parse_limits

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("amount", "period", "burst"),
    [
        (1, SECOND, None),
        (10**12, 366 * DAY, None),
        (5, SECOND + MICROSECOND, 1),
        (5, SECOND, 10**9),
        (1, 366 * DAY, 10),  # ten years to fill up
    ],
)
def test_a_limit_within_the_bounds(amount: int, period: timedelta, burst: int | None) -> None:
    limit = Limit(amount, period, burst)
    assert limit.capacity == (amount if burst is None else burst)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("amount", (0, SECOND)),
        ("amount", (-1, SECOND)),
        ("amount", (10**12 + 1, SECOND)),
        ("amount", (1.0, SECOND)),
        ("amount", (True, SECOND)),
        ("amount", ("1", SECOND)),
        ("burst", (1, SECOND, 0)),
        ("burst", (1, SECOND, 10**12 + 1)),
        ("burst", (1, SECOND, 1.5)),
        ("burst", (1, 366 * DAY, 11)),
        ("burst", (1, SECOND, 10**9)),
        ("period", (1, SECOND - MICROSECOND)),
        ("period", (1, timedelta(0))),
        ("period", (1, -SECOND)),
        ("period", (1, 366 * DAY + MICROSECOND)),
        ("period", (1, 60)),
    ],
)
def test_a_limit_out_of_bounds_is_refused(field: str, values: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidInput) as refused:
        Limit(*values)
    assert refused.value.field == field


@pytest.mark.parametrize("name", ["a", "9", "login", "api:v1.search_all-x", "A" * 63])
def test_a_policy_has_a_name(name: str) -> None:
    assert Policy(name, "1/s").name == name


@pytest.mark.parametrize(
    "name", ["", "A" * 64, " a", "a ", "a b", "a/b", "-a", "_a", ".a", "é", "a\n", "\uff41", 5, None]
)
def test_a_policy_with_another_name_is_refused(name: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        Policy(name, "1/s")
    assert refused.value.field == "name"


@pytest.mark.parametrize("rule", ["5/min; 9/h", (Limit(5, 60 * SECOND), Limit(9, 3600 * SECOND))])
def test_a_rule_is_a_text_or_limits(rule: str | tuple[Limit, ...]) -> None:
    assert Policy("api", rule).limits == parse_limits("5/minute;9/hour")


def test_a_rule_may_be_one_limit() -> None:
    assert Policy("api", Limit(5, SECOND, burst=9)).limits == (Limit(5, SECOND, burst=9),)


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ((), "rule"),
        ([Limit(1, SECOND)], "rule"),  # could be changed later
        (tuple(Limit(1, n * SECOND) for n in range(1, 10)), "rule"),
        ((Limit(1, SECOND), Limit(2, SECOND)), "rule"),
        (("1/s",), "rule"),
        (None, "rule"),
        (5, "rule"),
        ("", "limits"),
        ("1/s;2/s", "limits"),
    ],
)
def test_a_rule_that_is_none_is_refused(rule: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Policy("api", rule)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("algorithm", "leaky"),
        ("algorithm", None),
        ("failure", "maybe"),
        ("scope", "user"),
        ("max_wait", 0),
        ("max_wait", 0.009),
        ("max_wait", 60.1),
        ("max_wait", float("nan")),
        ("max_wait", "1"),
        ("max_wait", None),
    ],
)
def test_a_choice_that_does_not_exist_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        Policy("api", "1/s", **{field: value})
    assert refused.value.field == field


@pytest.mark.parametrize("algorithm", ["fixed", "sliding"])
def test_only_gcra_has_a_burst(algorithm: Any) -> None:
    with pytest.raises(InvalidInput, match="gcra"):
        Policy("api", Limit(5, SECOND, burst=9), algorithm=algorithm)


def test_brute_force_is_refused_when_in_doubt() -> None:
    """RL-15: who says nothing gets the closed failure mode."""
    assert Policy("login", "5/minute").failure == "closed"


def test_a_policy_is_a_value() -> None:
    policy = Policy("api", "5/minute", failure="open")
    assert policy == Policy("api", "5/minute", failure="open")
    assert hash(policy) == hash(replace(policy))
    assert pickle.loads(pickle.dumps(policy)) == policy
    assert replace(policy, rule="6/minute").limits == parse_limits("6/minute")
    with pytest.raises(FrozenInstanceError):
        policy.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("cost", [0, -1, 10**12 + 1, 1.0, True, "1", None])
def test_a_charge_costs_something(cost: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        Charge("api", "key", cost)
    assert refused.value.field == "cost"
    assert Charge("api", "key").cost == 1


def test_the_import_is_light() -> None:
    """What needs no database loads no driver."""
    code = (
        "import ragstore.rate_limits, sys; print([m for m in ('psycopg', 'aiosqlite', 'sqlite3') if m in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
