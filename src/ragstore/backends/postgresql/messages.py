"""Ranking messages on PostgreSQL: one statement over all that the messages of a scope are found by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Float,
    Integer,
    and_,
    bindparam,
    cast,
    func,
    not_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import Subquery

from ragstore.backends.postgresql.legs import FENCE, materialized
from ragstore.conversations.searching.asking import MessageSearch, RankedMessage
from ragstore.conversations.searching.statements import is_wanted
from ragstore.conversations.statements.base import CONVERSATIONS, MESSAGES, ROWS, TENANT
from ragstore.conversations.statements.scopes import Scope, is_in_scope, scope_of, scope_values
from ragstore.core.bm25 import K1, B
from ragstore.core.query import Query, Selected, Steps

FEW = 10
"""So many terms are looked up in each message's array; of more, it is quicker to unfold the arrays and join."""
_NANO = 10**9
_CARRIED = ("id", "conversation_id", "words")


def _integers(name: str) -> Any:
    return cast(bindparam(name, type_=_ARRAY), _ARRAY)


_ARRAY = ARRAY(Integer)
_ASKED = _integers("asked")
_HELD = type_coerce(MESSAGES.c.terms, _ARRAY)
_COUNTS = type_coerce(MESSAGES.c.counts, _ARRAY)


def rank_messages(search: MessageSearch, rows: int) -> Steps[list[RankedMessage]]:
    """Give so many of the messages that hold any of a search's terms, the best first, ties by id."""
    values: dict[str, Any] = scope_values(search.tenant, search.scope)
    values |= {"asked": list(search.terms), "times": list(search.terms.values())}
    values |= {"roles": list(search.roles), "rows": rows, **_given(search)}
    statement = _rank(scope_of(search.scope), frozenset(_given(search)), len(search.terms) <= FEW)
    found: list[RankedMessage] = yield Query(statement, _to_ranked, values)
    return found


def _given(search: MessageSearch) -> dict[str, Any]:
    """Give what a search need not have, and has."""
    conditions: Mapping[str, Any] = {
        "required": list(search.required),
        "excluded": list(search.excluded),
        "since": search.since,
        "until": search.until,
    }
    return {name: value for name, value in conditions.items() if value}


def _to_ranked(row: Sequence[Any]) -> RankedMessage:
    return RankedMessage(row[0], row[1], row[2], row[3] / _NANO)


@lru_cache(maxsize=256)
def _rank(scope: Scope, given: frozenset[str], few: bool) -> Selected:
    columns = (CONVERSATIONS.c[name] for name in ("id", "thread_id", "language", "searchable", "words"))
    chosen = _named("scope", select(*columns).where(*is_in_scope(scope)))
    pairs = _looked_up(chosen, given) if few else _unfolded(chosen, given)
    scored = _scored(chosen, pairs)
    place = (scored.c.score.desc(), scored.c.id)
    best = select(scored).order_by(*place).limit(ROWS).subquery("best")
    return (
        select(best.c.id, chosen.c.thread_id, chosen.c.language, best.c.score)
        .join_from(best, chosen, chosen.c.id == best.c.conversation_id)
        .order_by(best.c.score.desc(), best.c.id)
    )


def _named(name: str, statement: Selected) -> CTE:
    return materialized(statement.cte(name))


def _asked() -> Any:
    return func.unnest(_ASKED, _integers("times")).table_valued("term", "times", name="asked").render_derived()


def _fits(given: frozenset[str]) -> ColumnElement[bool]:
    """Say whether a message may be a hit; it counts for the statistics anyway."""
    conditions: list[ColumnElement[bool]] = [is_wanted(given)]
    if "required" in given:
        conditions.append(MESSAGES.c.terms.op("@>", is_comparison=True)(_integers("required")))
    if "excluded" in given:
        conditions.append(not_(MESSAGES.c.terms.op("&&", is_comparison=True)(_integers("excluded"))))
    return and_(*conditions).label("fits")


def _looked_up(chosen: CTE, given: frozenset[str]) -> CTE:
    """Give each message of the scope with each term of the query that it holds, by looking for each in its array."""
    asked = _named("asked", select(_asked()))
    count = _COUNTS[func.array_position(_HELD, asked.c.term)].label("count")
    # OFFSET 0, so that no place is looked for twice
    each = select(asked.c.term, asked.c.times, count).select_from(asked).offset(FENCE).lateral("each")
    held = _of_scope(chosen, _fits(given), *each.c).join(each, each.c.count.is_not(None))
    return _named("pairs", held.where(MESSAGES.c.terms.op("&&", is_comparison=True)(_ASKED)))


def _unfolded(chosen: CTE, given: frozenset[str]) -> CTE:
    """Give the same by unfolding the arrays."""
    held = func.unnest(_HELD, _COUNTS).table_valued("term", "count", name="held").render_derived()
    asked = _asked()
    unfolded = _of_scope(chosen, _fits(given), asked.c.term, asked.c.times, held.c.count)
    return _named("pairs", unfolded.join(held, true()).join(asked, asked.c.term == held.c.term))


def _of_scope(chosen: CTE, *columns: Any) -> Selected:
    is_of = and_(MESSAGES.c.tenant_id == TENANT, MESSAGES.c.conversation_id == chosen.c.id)
    carried = (MESSAGES.c[name] for name in _CARRIED)
    return select(*carried, *columns).select_from(chosen).join(MESSAGES, is_of)


def _scored(chosen: CTE, pairs: CTE) -> Subquery:
    """Score each message by BM25, in billionths."""
    number = cast(func.greatest(func.sum(chosen.c.searchable), 1), Float)
    totals = _named(
        "totals",
        select(
            number.label("number"), (cast(func.greatest(func.sum(chosen.c.words), 1), Float) / number).label("mean")
        ),
    )
    times, df = cast(pairs.c.times, Float), cast(func.count(), Float)
    counted = select(pairs.c.term, times.label("times"), df.label("df")).group_by(pairs.c.term, pairs.c.times)
    each = counted.subquery("counted")
    idf = func.ln(1 + (func.greatest(totals.c.number, each.c.df) - each.c.df + 0.5) / (each.c.df + 0.5))
    weighed = _named("weighed", select(each.c.term, (each.c.times * idf).label("weight")).join(totals, true()))
    tf = cast(pairs.c.count, Float)
    norm = K1 * (1 - B + B * (cast(pairs.c.words, Float) / totals.c.mean))
    score = func.sum(weighed.c.weight * (tf * (K1 + 1) / (tf + norm)))
    return (
        select(pairs.c.id, pairs.c.conversation_id, func.round(score * _NANO, type_=Float()).label("score"))
        .join_from(pairs, weighed, weighed.c.term == pairs.c.term)
        .join(totals, true())
        .where(pairs.c.fits)
        .group_by(pairs.c.id, pairs.c.conversation_id)
        .subquery("scored")
    )
