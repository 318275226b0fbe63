"""What the two legs of a search on PostgreSQL share: names of parameters, filters, the page of the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE, ColumnElement, and_, bindparam, func, literal_column, select
from sqlalchemy.sql.selectable import Subquery

from ragstore.core.query import Selected
from ragstore.core.types import Id
from ragstore.corpus.backend import SearchRequest, Target
from ragstore.corpus.search import hits
from ragstore.corpus.tables import ChunkRow, DocumentRow

FENCE: Any = literal_column("0")
"""`OFFSET 0` keeps the planner from pulling a subquery apart."""
TENANT: Any = bindparam("tenant")
NARROW = 1000
WIDEST_NARROW = 5000
"""A filter that leaves at most so many chunks is answered from these, without looking at an index first."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One target of one request in a statement that may hold several of both.

    Attributes:
        place: The request's place, and the target's place in it: what parameters' names end in.
        where: The request's filter as a condition, made once for the statement.
    """

    request: SearchRequest
    target: Target
    place: tuple[int, int]
    where: ColumnElement[bool] | None

    def shared(self, name: str, type_: Any = None) -> Any:
        """Give a parameter that all targets of the request share."""
        return bindparam(f"{name}_{self.place[0]}", type_=type_)

    def own(self, name: str, type_: Any = None, *, literal: bool = False) -> Any:
        """Give a parameter of this target; `literal` writes its value into the statement each time it runs."""
        return bindparam(self.own_name(name), type_=type_, literal_execute=literal)

    def own_name(self, name: str) -> str:
        """Give the name of a parameter of this target."""
        return f"{name}_{self.place[0]}_{self.place[1]}"

    @property
    def shapes(self) -> bool:
        """Say whether the best candidates are not simply the hits, because some of them do not pass."""
        return self.request.shapes or self.target.strict


def narrow(scope: Scope) -> CTE | None:
    """Give (chunk_id, document_id) of the chunks that the filter leaves, to one more than the bound.

    None: there is no filter.
    """
    if scope.where is None:
        return None
    statement = (
        select(ChunkRow.id.label("chunk_id"), ChunkRow.document_id.label("document_id"))
        .join(DocumentRow, hits.IS_ITS_DOCUMENT)
        .where(ChunkRow.tenant_id == TENANT, ChunkRow.collection_id == scope.own("collection_id", Id()), scope.where)
        .limit(scope.own("bound") + 1)
    )
    return materialized(statement.cte(scope.own_name("narrow")))


def is_narrow(scope: Scope, left: CTE) -> ColumnElement[bool]:
    """Say whether these are all chunks that the filter leaves. Known before the rest runs, so it can gate it."""
    return select(func.count() <= scope.own("bound")).select_from(left).scalar_subquery()


def materialized(cte: CTE) -> CTE:
    """Have a CTE worked out once, as it stands."""
    return cte.prefix_with("MATERIALIZED", dialect="postgresql")


def passing(scope: Scope, rows: Selected, chunk_id: Any) -> Selected:
    """Let only those candidates pass that the filter leaves, and bring their document where hits are counted by it."""
    if not scope.request.shapes:
        return rows
    joined = rows.join(ChunkRow, and_(ChunkRow.tenant_id == TENANT, ChunkRow.id == chunk_id))
    if scope.request.per_document is not None:
        joined = joined.add_columns(ChunkRow.document_id)
    return joined if scope.where is None else joined.join(DocumentRow, hits.IS_ITS_DOCUMENT).where(scope.where)


def best(scope: Scope, rows: Selected, value: str, *others: str, descending: bool = False) -> Selected:
    """Give (chunk_id, value, others) of the best rows, in order, as many as the leg needs.

    Of a document only so many are given as the request allows; the rows then have a `document_id`, and what is given.
    """
    found = rows.subquery()
    if scope.request.per_document is not None:
        others = (*others, "document_id")
        place = func.row_number().over(
            partition_by=found.c.document_id, order_by=_order(found, value, descending=descending)
        )
        found = select(*found.c, place.label("place")).subquery()
    statement: Selected = select(found.c.chunk_id, *(found.c[name] for name in (value, *others)))
    if scope.request.per_document is not None:
        statement = statement.where(found.c.place <= scope.shared("per_document"))
    return statement.order_by(*_order(found, value, descending=descending)).limit(scope.shared("depth"))


def _order(source: Subquery, value: str, *, descending: bool) -> tuple[ColumnElement[Any], ...]:
    by = source.c[value]
    return (by.desc() if descending else by), source.c.chunk_id
