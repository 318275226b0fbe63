"""The vector leg on PostgreSQL: exact, or by an approximate index that is checked to have brought enough.

An index knows nothing of filters, nor of required words: of the candidates that it brings, too few may pass. So the
leg looks first whether the filter leaves few chunks, and ranks these exactly. Else it takes the index's candidates,
lets pass what passes, and if these are fewer than the leg needs, ranks all that may pass. All of that is one statement,
whose branches are gated by counts of what came before: a branch that is not needed does not run.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from sqlalchemy import CTE, ColumnElement, Text, and_, cast, func, literal_column, not_, select, true, union_all
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.types import UserDefinedType

from ragstore.backends.postgresql import phrases
from ragstore.backends.postgresql.legs import TENANT, Scope, best, is_narrow, materialized, passing
from ragstore.core import extension
from ragstore.core.extension import Cosine, Euclidean, Hamming, NegativeProduct, VectorOperator, binary_quantize
from ragstore.core.query import Selected
from ragstore.core.types import Dense, Half, Id
from ragstore.core.vectors import Metric
from ragstore.corpus.backend import SearchRequest, Target
from ragstore.corpus.records import EmbeddingSpace
from ragstore.corpus.tables import EmbeddingRow

DISTANCE: dict[Metric, type[VectorOperator]] = {"cosine": Cosine, "l2": Euclidean, "inner_product": NegativeProduct}
LEAST_EFFORT = 100
"""Candidates that an index looks at, at least: with pgvector's own 40, one query in thirty missed most of its ten."""
MOST_EFFORT = 1000
"""pgvector's largest `hnsw.ef_search`."""
FILTERED_SPARE = 20
"""Candidates for each hit that is asked for, where a filter, words or a document's bound may keep some out."""
QUANTIZED_SPARE = 10
LEAST_QUANTIZED = 200
"""And where one bit a component chooses them, before their whole vectors do."""


def vector_leg(scope: Scope, left: CTE | None) -> Selected:
    """Give (chunk_id, distance, approximate) of the nearest, in order, as many as the leg needs.

    Args:
        scope: What is searched.
        left: What `narrow` gave: the chunks that the filter leaves, if there is one.
    """
    narrowed = None if left is None else is_narrow(scope, left)
    gates = [] if narrowed is None else [not_(narrowed)]
    branches: list[Selected] = []
    if uses_index(scope.request, scope.target):
        found = _best_near(scope, gates)
        if not scope.shapes:
            return _columns_of(found)
        lacking = select(func.count() < scope.shared("depth")).select_from(found).scalar_subquery()
        branches.append(_columns_of(found).where(not_(lacking)))
        gates.append(lacking)
    branches.append(_exact(scope, gates))
    if left is not None and narrowed is not None:
        branches.append(_exact_of(scope, left, narrowed))
    return branches[0] if len(branches) == 1 else nearest(scope, branches)


def nearest(scope: Scope, legs: Sequence[Selected]) -> Selected:
    """Give the nearest of several legs, in order."""
    found = union_all(*(_columns_of(leg.subquery()) for leg in legs)).subquery()
    return _columns_of(found).order_by(found.c.distance, found.c.chunk_id).limit(scope.shared("depth"))


def uses_index(request: SearchRequest, target: Target) -> bool:
    """Say whether the target's space has an index, and the leg is not deeper than an index goes.

    Candidates that one bit a component has chosen may lack near ones, and nothing would tell: so they are taken only
    while there can be many for each hit.
    """
    space = target.collection.space
    if space is None or space.index_state != "ready":
        return False
    spare = 1 if space.quantization == "none" else QUANTIZED_SPARE * (2 if request.shapes or target.strict else 1)
    return request.depth * spare <= MOST_EFFORT


def parameters(scope: Scope) -> dict[str, Any]:
    """Give the values of this leg's own parameters."""
    space = _space(scope)
    values: dict[str, Any] = {scope.own_name("space_id"): space.id}
    if uses_index(scope.request, scope.target):
        wanted = _candidates(scope)
        values[scope.own_name("space")] = space.id
        values[scope.own_name("near")] = wanted
        values[scope.own_name("effort")] = str(_effort(scope, space, wanted))
    return values


def _candidates(scope: Scope) -> int:
    wanted = scope.request.depth * (FILTERED_SPARE if scope.shapes else 1)
    if _space(scope).quantization == "binary":
        wanted = max(wanted * QUANTIZED_SPARE, LEAST_QUANTIZED)
    return max(scope.request.depth, min(wanted, MOST_EFFORT))


def _effort(scope: Scope, space: EmbeddingSpace, wanted: int) -> int:
    asked = scope.request.effort or space.search_effort
    if space.index_method == "ivfflat":
        return asked or ceil(_lists(scope) ** 0.5) * 2
    # twice the candidates keeps recall above 0.95 also where many are asked for
    return min(max(asked or 2 * wanted, wanted, LEAST_EFFORT), MOST_EFFORT)


def _lists(scope: Scope) -> int:
    return max(10, scope.target.collection.analyzed_chunks // 1000)


def _space(scope: Scope) -> EmbeddingSpace:
    space = scope.target.collection.space
    assert space is not None  # the repository has refused a vector for a collection without a space
    return space


def _stored(space: EmbeddingSpace) -> Any:
    return EmbeddingRow.half if space.storage == "halfvec" else EmbeddingRow.dense


def _asked(scope: Scope) -> Any:
    return scope.own("vector", Half() if _space(scope).storage == "halfvec" else Dense())


def _distance(scope: Scope, stored: Any) -> ColumnElement[float]:
    return DISTANCE[_space(scope).metric](stored, _asked(scope))


def _columns_of(source: FromClause) -> Selected:
    return select(source.c.chunk_id, source.c.distance, source.c.approximate)


# ------------------------------------------------------------------------------------------------------ exact


def _exact(scope: Scope, gates: Sequence[ColumnElement[bool]]) -> Selected:
    """Rank every vector of the space that may be a hit's. The expression names no dimensions, so no index fits it."""
    rows = _rows(scope, EmbeddingRow.chunk_id).where(
        EmbeddingRow.tenant_id == TENANT,
        EmbeddingRow.space_id == scope.own("space_id", Id()),
        *gates,
        *phrases.all_fulfil(scope, EmbeddingRow.chunk_id),
    )
    return best(scope, passing(scope, rows, EmbeddingRow.chunk_id), "distance", "approximate")


def _exact_of(scope: Scope, left: CTE, gate: ColumnElement[bool]) -> Selected:
    """Rank the vectors of the few chunks that the filter leaves."""
    is_theirs = and_(
        EmbeddingRow.tenant_id == TENANT,
        EmbeddingRow.space_id == scope.own("space_id", Id()),
        EmbeddingRow.chunk_id == left.c.chunk_id,
    )
    rows = _rows(scope, left.c.chunk_id).select_from(left).join(EmbeddingRow, is_theirs)
    rows = rows.where(gate, *phrases.each_fulfils(scope, left.c.chunk_id))
    if scope.request.per_document is not None:
        rows = rows.add_columns(left.c.document_id)
    return best(scope, rows, "distance", "approximate")


def _rows(scope: Scope, chunk_id: Any) -> Selected:
    distance = _distance(scope, _stored(_space(scope)))
    return select(chunk_id.label("chunk_id"), distance.label("distance"), literal_column("false").label("approximate"))


# ------------------------------------------------------------------------------------------------ approximate


class _Sized(UserDefinedType[Any]):
    """A vector type with its dimensions, as an index's expression names it."""

    cache_ok = True

    def __init__(self, name: str, dimensions: int) -> None:
        self.name = name
        self.dimensions = dimensions


@compiles(_Sized)
def _name_sized(type_: _Sized, compiler: Any, **_: object) -> str:
    return f"{extension.prefix(compiler.dialect)}{type_.name}({type_.dimensions})"


def _best_near(scope: Scope, gates: Sequence[ColumnElement[bool]]) -> CTE:
    """Let pass what passes of the index's candidates."""
    near = materialized(_near(scope, gates).cte(scope.own_name("near")))
    mark: Any = literal_column("true").label("approximate")
    rows = select(near.c.chunk_id.label("chunk_id"), near.c.distance.label("distance"), mark).select_from(near)
    rows = rows.where(*phrases.each_fulfils(scope, near.c.chunk_id))
    found = best(scope, passing(scope, rows, near.c.chunk_id), "distance", "approximate")
    return materialized(found.cte(scope.own_name("found")))


def _near(scope: Scope, gates: Sequence[ColumnElement[bool]]) -> Selected:
    """Give (chunk_id, distance) of the index's candidates.

    The settings come from the CTE that the look-up waits for, so they cost no round trip and end with the transaction.
    The space's id is a literal, because the plan of a bound one does not fit the partial index; the tenant is not asked
    for here, as an id is of one tenant, and the planner would take the two conditions as independent.
    """
    settings = _settings(scope)
    space = _space(scope)
    stored: Any = cast(_stored(space), _Sized(space.storage, space.dimensions))
    found = (
        select(EmbeddingRow.chunk_id, stored.label("stored"))
        .where(EmbeddingRow.space_id == scope.own("space", Id(), literal=True), settings.c.ready)
        .order_by(_index_order(scope, stored))
        .limit(scope.own("near"))
        .correlate(settings)
        .lateral(scope.own_name("candidates"))
    )
    distance = _distance(scope, found.c.stored).label("distance")
    return select(found.c.chunk_id, distance).select_from(settings).join(found, true()).where(*gates)


def _index_order(scope: Scope, stored: Any) -> ColumnElement[Any]:
    space = _space(scope)
    if space.quantization == "none":
        return _distance(scope, stored)
    bits = BIT(space.dimensions)
    return Hamming(cast(binary_quantize(stored), bits), cast(binary_quantize(_asked(scope)), bits))


def _settings(scope: Scope) -> CTE:
    method = _space(scope).index_method
    settings = {
        f"{method}.iterative_scan": literal_column("'relaxed_order'"),
        ("ivfflat.probes" if method == "ivfflat" else "hnsw.ef_search"): scope.own("effort", Text()),
    }
    done = [
        func.set_config(literal_column(f"'{name}'"), value, true()).is_not(None) for name, value in settings.items()
    ]
    return materialized(select(and_(*done).label("ready")).cte(scope.own_name("settings")))
