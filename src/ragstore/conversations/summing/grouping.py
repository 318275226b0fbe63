"""Sums by keys that the caller picks: usage and thumbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select, text

from ragstore.conversations.statements.base import CONVERSATIONS, FEEDBACK, IS_ITS_CONVERSATION, MESSAGES, TENANT
from ragstore.conversations.summing.expressions import microseconds, safe_sum, utc_day, whole
from ragstore.conversations.summing.records import FeedbackSum, UsageSum
from ragstore.conversations.tables import HAS_USAGE
from ragstore.core.money import from_billionths
from ragstore.core.query import Query, Selected
from ragstore.core.records import UNSET, Unset
from ragstore.core.times import EPOCH
from ragstore.core.types import UtcDateTime

USAGE_KEYS = ("user", "organisation", "collection", "thread", "model", "resolved_model", "day")
FEEDBACK_KEYS = ("rater", "user", "organisation", "collection", "model", "day")


@dataclass(frozen=True, slots=True)
class Scope:
    """What is summed.

    Attributes:
        since: From this moment on.
        until: Before this one.
        user_id: The conversations' owner; None: those of nobody, UNSET: everybody's.
        model: The messages' model.
    """

    tenant: str
    since: datetime | None = None
    until: datetime | None = None
    user_id: str | Unset | None = UNSET
    organisation_id: str | None = None
    collection: str | None = None
    model: str | None = None

    def parameters(self) -> dict[str, Any]:
        """Give the values by the names of the conditions they belong to."""
        named = {
            "since": self.since,
            "until": self.until,
            "user": None if self.user_id is UNSET else self.user_id,
            "organisation": self.organisation_id,
            "collection": self.collection,
            "model": self.model,
        }
        return {name: value for name, value in named.items() if value is not None}

    def conditions(self) -> frozenset[str]:
        """Give the names of the conditions that hold."""
        return frozenset(self.parameters()) | ({"nobody"} if self.user_id is None else set())


_OWNERS = {
    "user": CONVERSATIONS.c.user_id,
    "organisation": CONVERSATIONS.c.organisation_id,
    "collection": CONVERSATIONS.c.collection,
    "thread": CONVERSATIONS.c.thread_id,
}
_OF_OWNERS: Mapping[str, ColumnElement[bool]] = {
    "user": CONVERSATIONS.c.user_id == bindparam("user"),
    "nobody": CONVERSATIONS.c.user_id.is_(None),
    "organisation": CONVERSATIONS.c.organisation_id == bindparam("organisation"),
    "collection": CONVERSATIONS.c.collection == bindparam("collection"),
}
_NEED_OWNERS = frozenset(_OWNERS) | frozenset(_OF_OWNERS)
_IS_MODEL = MESSAGES.c.model == bindparam("model")


def within(time: ColumnElement[Any]) -> dict[str, ColumnElement[bool]]:
    """Give the conditions of a range of time."""
    since, until = (bindparam(name, type_=UtcDateTime()) for name in ("since", "until"))
    return {"since": time >= since, "until": time < until}


def _by_keys(rows: Selected, keys: Sequence[ColumnElement[Any]], conditions: Sequence[ColumnElement[bool]]) -> Selected:
    in_order = (key.asc().nulls_first() for key in keys)
    return rows.where(*conditions).group_by(*keys).order_by(*in_order)


def _day(days: int | None) -> Any:
    return None if days is None else (EPOCH + timedelta(days=days)).date()


def _named(fields: Mapping[str, str], by: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    values = zip(by, row, strict=False)
    return {fields[key]: _day(value) if key == "day" else value for key, value in values}


# ----------------------------------------------------------------------------------------------------- usage

_USAGE_FIELDS = {
    "user": "user_id",
    "organisation": "organisation_id",
    "collection": "collection",
    "thread": "thread_id",
    "model": "model",
    "resolved_model": "resolved_model",
    "day": "day",
}
_USAGE_BY: Mapping[str, ColumnElement[Any]] = _OWNERS | {
    "model": MESSAGES.c.model,
    "resolved_model": MESSAGES.c.resolved_model,
    "day": utc_day(MESSAGES.c.created_at),
}
_USAGE_OF = {**_OF_OWNERS, **within(MESSAGES.c.created_at), "model": _IS_MODEL}
_USED = (
    func.count(),
    func.sum(MESSAGES.c.input_tokens),
    func.sum(MESSAGES.c.output_tokens),
    func.sum(MESSAGES.c.cached_tokens),
    func.sum(MESSAGES.c.reasoning_tokens),
    *safe_sum(MESSAGES.c.cost),
    func.count(MESSAGES.c.response_time),
    *safe_sum(microseconds(MESSAGES.c.response_time)),
)


@lru_cache(maxsize=256)
def _usage(by: tuple[str, ...], of: frozenset[str]) -> Selected:
    keys = [_USAGE_BY[key] for key in by]
    rows = select(*keys, *_USED).select_from(MESSAGES)
    if _NEED_OWNERS & (of | set(by)):
        rows = rows.join(CONVERSATIONS, IS_ITS_CONVERSATION)
    has_usage: Any = text(f"({HAS_USAGE})")
    conditions = [MESSAGES.c.tenant_id == TENANT, has_usage, *(_USAGE_OF[name] for name in sorted(of))]
    return _by_keys(rows, keys, conditions)


def _to_usage(by: tuple[str, ...]) -> Callable[[Sequence[Any]], UsageSum]:
    def make(row: Sequence[Any]) -> UsageSum:
        messages, read, written, cached, reasoning, *halves = row[len(by) :]
        cost, timed, taken = whole(*halves[:2]), halves[2], whole(*halves[3:])
        return UsageSum(
            **_named(_USAGE_FIELDS, by, row),
            messages=messages,
            input_tokens=read,
            output_tokens=written,
            cached_tokens=cached,
            reasoning_tokens=reasoning,
            cost=None if cost is None else from_billionths(cost),
            response_time=None if taken is None else taken / 10**6,
            mean_response_time=None if taken is None else taken / (timed * 10**6),
        )

    return make


def usage(scope: Scope, by: tuple[str, ...]) -> Query[UsageSum]:
    """Sum what messages used, by keys, in the keys' order."""
    return Query(_usage(by, scope.conditions()), _to_usage(by), {"tenant": scope.tenant} | scope.parameters())


# ---------------------------------------------------------------------------------------------------- thumbs

_FEEDBACK_FIELDS = {**_USAGE_FIELDS, "rater": "rater_id"}
_FEEDBACK_BY: Mapping[str, ColumnElement[Any]] = _OWNERS | {
    "rater": FEEDBACK.c.user_id,
    "model": MESSAGES.c.model,
    "day": utc_day(FEEDBACK.c.updated_at),
}
_FEEDBACK_OF = {**_OF_OWNERS, **within(FEEDBACK.c.updated_at)}
_RATED = (
    func.count().filter(FEEDBACK.c.value == 1),
    func.count().filter(FEEDBACK.c.value == -1),
    func.count(FEEDBACK.c.comment),
)
_ITS_MESSAGE = (MESSAGES.c.tenant_id == FEEDBACK.c.tenant_id) & (MESSAGES.c.id == FEEDBACK.c.message_id)


@lru_cache(maxsize=256)
def _feedback(by: tuple[str, ...], of: frozenset[str]) -> Selected:
    keys = [_FEEDBACK_BY[key] for key in by]
    rows = select(*keys, *_RATED).select_from(FEEDBACK)
    named = of | set(by)
    if _NEED_OWNERS & named or "model" in named:
        rows = rows.join(MESSAGES, _ITS_MESSAGE)
    if _NEED_OWNERS & named:
        rows = rows.join(CONVERSATIONS, IS_ITS_CONVERSATION)
    return _by_keys(rows, keys, [FEEDBACK.c.tenant_id == TENANT, *(_FEEDBACK_OF[name] for name in sorted(of))])


def _to_feedback(by: tuple[str, ...]) -> Callable[[Sequence[Any]], FeedbackSum]:
    def make(row: Sequence[Any]) -> FeedbackSum:
        up, down, commented = row[len(by) :]
        named = _named(_FEEDBACK_FIELDS, by, row)
        if "rater_id" in named:
            named["rater_id"] = named["rater_id"] or None
        return FeedbackSum(**named, up=up, down=down, commented=commented)

    return make


def feedback(scope: Scope, by: tuple[str, ...]) -> Query[FeedbackSum]:
    """Count thumbs, by keys, in the keys' order."""
    return Query(_feedback(by, scope.conditions()), _to_feedback(by), {"tenant": scope.tenant} | scope.parameters())
