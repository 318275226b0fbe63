"""The lexical leg on PostgreSQL: BM25 as an inner product of sparse vectors, the best found without a look at the rest.

The chunks that hold one of the rarest words, found by the GIN index, give the score that a hit must reach. What a chunk
can score by a word is at most its idf times k1 + 1. So the other words, common ones, make a hit only together: of all
sets of them that can reach the score, the least ones are asked for, and nothing else is looked at. It is MaxScore
(Turtle and Flood 1995, "Query evaluation: strategies and optimizations"), taken from single words to sets of them,
because an index answers `a & b` by few rows where `a | b` has many. The result is exact, and it is one statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Float,
    Integer,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.sql.selectable import FromClause

from ragstore.backends.postgresql import phrases
from ragstore.backends.postgresql.legs import FENCE, TENANT, Scope, best, is_narrow, materialized, passing
from ragstore.backends.postgresql.lexemes import quote, salted
from ragstore.core.base import table_of
from ragstore.core.bm25 import K1
from ragstore.core.extension import NegativeProduct
from ragstore.core.query import Selected
from ragstore.core.text import TERM_SPACE, term_id
from ragstore.core.types import Id, Sparse
from ragstore.corpus.tables import ChunkTermsRow, CollectionRow, TermRow

TERMS = table_of(ChunkTermsRow)

RARE = 1000
"""The rarest words are those that stand in so many chunks together."""
COMBINED = 7
"""Of the other words, so many are combined: there are 2^7 sets of them. The weakest beyond count as always there."""
MOST_OF_A_WEIGHT = K1 + 1
_TOLERANCE = 1 - 1e-5  # weights are float32


def lexical_leg(scope: Scope, left: CTE | None) -> Selected:
    """Give (chunk_id, bm25) of the best, in order, as many as the leg needs.

    Args:
        scope: What is searched.
        left: What `narrow` gave: the chunks that the filter leaves, if there is one.
    """
    asked = _asked(scope)
    query = _query_vector(scope, asked)
    narrowed = None if left is None else is_narrow(scope, left)
    gates = [] if narrowed is None else [not_(narrowed)]
    text = scope.target.text
    if text is not None and text.required:
        branches = [_holding(scope, query, phrases.strict(scope), gates)]
    else:
        branches = _by_rarity(scope, query, asked, gates)
    if left is not None and narrowed is not None:
        branches.append(_of_few(scope, query, left, narrowed))
    return branches[0] if len(branches) == 1 else highest(scope, branches)


def highest(scope: Scope, legs: Sequence[Selected]) -> Selected:
    """Give the best of several legs, in order; a chunk that several have found stands there once."""
    found = union(*(select(*leg.subquery().c) for leg in legs)).subquery()
    return best(scope, select(*found.c), "bm25", descending=True)


def parameters(scope: Scope) -> dict[str, Any]:
    """Give the values of this leg's own parameters."""
    text, salt = scope.target.text, scope.target.collection.salt
    assert text is not None  # only asked for where there is a lexical leg
    times: dict[int, int] = {}
    lexemes: dict[int, str] = {}
    for lexeme, count in text.frequencies.items():
        term = term_id(lexeme)
        times[term] = times.get(term, 0) + count
        written = quote(salted(salt, lexeme))
        lexemes[term] = f"({lexemes[term]}|{written})" if term in lexemes else written
    values = {"terms": list(times), "lexemes": [lexemes[term] for term in times], "times": list(times.values())}
    return {scope.own_name(name): value for name, value in (values | phrases.parameters(scope)).items()}


# ------------------------------------------------------------------------------------------------------ query


def _asked(scope: Scope) -> CTE:
    """Give (term, lexeme, weight, chunks) of each word: its idf times its count in the query, and how many hold it."""
    collection_id = scope.own("collection_id", Id())
    arrays = (
        cast(scope.own("terms"), ARRAY(Integer)),
        cast(scope.own("lexemes"), ARRAY(Text)),
        cast(scope.own("times"), ARRAY(Integer)),
    )
    asked = func.unnest(*arrays).table_valued("term", "lexeme", "times", name="asked").render_derived()
    known = (
        select(TermRow.idf, TermRow.frequency)
        .where(TermRow.tenant_id == TENANT, TermRow.collection_id == collection_id, TermRow.term == asked.c.term)
        .offset(FENCE)
        .lateral("known")
    )
    unknown_idf = (  # `core.bm25.idf` of a term that no analysed chunk holds
        select(func.ln(1 + (CollectionRow.analyzed_chunks + 0.5) / 0.5).cast(Float))
        .where(CollectionRow.tenant_id == TENANT, CollectionRow.id == collection_id)
        .scalar_subquery()
    )
    # The 0 is for a collection that is gone, which the statement is to say: an error would end the transaction.
    weight = (asked.c.times * func.coalesce(known.c.idf, unknown_idf, 0.0)).label("weight")
    chunks = func.coalesce(known.c.frequency, 0).label("chunks")
    statement = select(asked.c.term, asked.c.lexeme, weight, chunks).select_from(asked.outerjoin(known, true()))
    return materialized(statement.cte(scope.own_name("asked")))


def _query_vector(scope: Scope, asked: CTE) -> CTE:
    entries = func.string_agg(func.concat(asked.c.term, ":", asked.c.weight), ",")
    text = func.concat("{", entries, f"}}/{TERM_SPACE}")
    statement = select(cast(text, Sparse()).label("vector")).select_from(asked)
    return materialized(statement.cte(scope.own_name("query")))


# ----------------------------------------------------------------------------------------------------- chunks


def _scored(source: FromClause, query: CTE) -> ColumnElement[float]:
    weights, rest = source.c.weights, source.c.rest
    inline = NegativeProduct(weights, query.c.vector)
    return -(inline + func.coalesce(NegativeProduct(rest, query.c.vector), 0.0))


def _holding(scope: Scope, query: CTE, wanted: ColumnElement[Any], gates: Sequence[ColumnElement[bool]]) -> Selected:
    """Rank the chunks that a tsquery finds."""
    holding = phrases.holding(wanted)
    rows = (
        select(holding.c.chunk_id.label("chunk_id"), _scored(holding, query).label("bm25"))
        .select_from(query)
        .join(holding, true())
        .where(
            holding.c.tenant_id == TENANT,
            holding.c.collection_id == scope.own("collection_id", Id()),
            *gates,
        )
    )
    return best(scope, passing(scope, rows, holding.c.chunk_id), "bm25", descending=True)


def _of_few(scope: Scope, query: CTE, left: CTE, gate: ColumnElement[bool]) -> Selected:
    """Rank the few chunks that the filter leaves; a score of 0 means that none of the words is there."""
    terms = TERMS
    score = _scored(terms, query)
    conditions = [score > 0, gate]
    if scope.target.strict:
        conditions.append(phrases.matches(phrases.strict(scope)))
    rows = (
        select(left.c.chunk_id.label("chunk_id"), score.label("bm25"), left.c.document_id.label("document_id"))
        .select_from(left)
        .join(terms, and_(terms.c.tenant_id == TENANT, terms.c.chunk_id == left.c.chunk_id))
        .join(query, true())
        .where(*conditions)
    )
    return best(scope, rows, "bm25", descending=True)


# -------------------------------------------------------------------------------------------------- MaxScore


def _by_rarity(scope: Scope, query: CTE, asked: CTE, gates: Sequence[ColumnElement[bool]]) -> list[Selected]:
    """Rank what holds a rare word, then what could still reach the last place by the other words together."""
    words = materialized(_ordered(asked).cte(scope.own_name("words")))
    rare = select(func.string_agg(words.c.lexeme, "|")).where(words.c.is_rare).scalar_subquery()
    first = materialized(_holding(scope, query, _allowed(scope, rare), gates).cte(scope.own_name("first")))
    sets = _sufficient_sets(scope, words, _score_to_reach(scope, first))
    second = _holding(scope, query, _allowed(scope, sets), gates)
    return [select(*first.c), second]


def _allowed(scope: Scope, wanted: ColumnElement[Any]) -> ColumnElement[Any]:
    """Make a tsquery of a text, without the chunks that hold what is excluded."""
    found = cast(wanted, TSQUERY)
    if scope.target.text is None or not scope.target.text.excluded:
        return found
    allowed: ColumnElement[Any] = found.op("&&", return_type=TSQUERY())(phrases.strict(scope))
    return allowed


def _ordered(asked: CTE) -> Selected:
    """Give (lexeme, bound, is_rare, place): the most that a chunk can score by it, and its place among the others."""
    before = func.sum(asked.c.chunks).over(order_by=(asked.c.chunks, asked.c.term)) - asked.c.chunks
    counted = select(asked, before.label("before")).subquery()
    is_rare = or_(counted.c.before == 0, counted.c.before + counted.c.chunks <= RARE)
    bound = counted.c.weight * MOST_OF_A_WEIGHT
    place = func.row_number().over(partition_by=is_rare, order_by=(bound.desc(), counted.c.term))
    return select(counted.c.lexeme, bound.label("bound"), is_rare.label("is_rare"), place.label("place"))


def _score_to_reach(scope: Scope, first: CTE) -> ColumnElement[float]:
    """Give the score of the last place; 0 while there are fewer than the leg needs."""
    last = case((func.count() >= scope.shared("depth"), func.min(first.c.bm25) * _TOLERANCE), else_=0.0)
    return select(last).select_from(first).scalar_subquery()


def _sufficient_sets(scope: Scope, words: CTE, score: ColumnElement[float]) -> ColumnElement[Any]:
    """Write the least sets of common words whose bounds reach the score, as a tsquery's text form."""
    common = select(words.c.lexeme, words.c.bound, words.c.place).where(not_(words.c.is_rare)).subquery("common")
    weak = select(func.coalesce(func.sum(common.c.bound), 0.0)).where(common.c.place > COMBINED).scalar_subquery()
    needed = materialized(select((score - weak).label("score")).cte(scope.own_name("needed")))
    count = select(func.least(func.count(), COMBINED)).select_from(common).scalar_subquery()
    masks = func.generate_series(1, literal_column("1").op("<<")(cast(count, Integer)) - 1)
    mask = masks.table_valued("mask", name="masks").render_derived()
    is_in = mask.c.mask.op(">>")(cast(common.c.place, Integer) - 1).op("&")(1) == 1
    reached = func.sum(common.c.bound)
    is_least = and_(reached >= needed.c.score, reached - func.min(common.c.bound) < needed.c.score)
    sets = (
        select(func.concat("(", func.string_agg(common.c.lexeme, "&"), ")").label("words"))
        .select_from(mask)
        .join(common, and_(common.c.place <= COMBINED, is_in))
        .join(needed, true())
        .group_by(mask.c.mask, needed.c.score)
        .having(is_least)
        .subquery("sets")
    )
    together = select(func.string_agg(sets.c.words, "|")).scalar_subquery()
    any_word = select(func.string_agg(common.c.lexeme, "|")).scalar_subquery()
    return select(case((needed.c.score > 0, together), else_=any_word)).select_from(needed).scalar_subquery()
