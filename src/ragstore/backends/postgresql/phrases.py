"""What must and must not stand in a chunk, as a tsquery, for both legs of a search."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, exists, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.sql.selectable import Subquery

from ragstore.backends.postgresql.legs import FENCE, TENANT, Scope
from ragstore.backends.postgresql.lexemes import quote, salted
from ragstore.core.query import Selected
from ragstore.core.query_text import Phrase
from ragstore.core.types import Id
from ragstore.corpus.tables import ChunkTermsRow


def parameters(scope: Scope) -> dict[str, Any]:
    """Give by name what must stand in a chunk, and what must not, as a tsquery's text form."""
    text, salt = scope.target.text, scope.target.collection.salt
    if text is None or not scope.target.strict:
        return {}
    required = [_any(salt, alternatives) for alternatives in text.required]
    values = {"strict": "&".join([*required, *(f"!{_phrase(salt, phrase)}" for phrase in text.excluded)])}
    if not required:
        values["unwanted"] = _any(salt, text.excluded)
    return values


def _any(salt: int, phrases: Iterable[Phrase]) -> str:
    return "(" + "|".join(_phrase(salt, phrase) for phrase in phrases) + ")"


def _phrase(salt: int, phrase: Phrase) -> str:
    written = ""
    last = 0
    for lexeme, offset in phrase:
        written += (f"<{offset - last}>" if written else "") + quote(salted(salt, lexeme))
        last = offset
    return f"({written})"


def strict(scope: Scope) -> ColumnElement[Any]:
    """Give the tsquery of what must stand in a chunk, and what must not."""
    return cast(scope.own("strict", Text()), TSQUERY)


def matches(wanted: ColumnElement[Any]) -> ColumnElement[bool]:
    """Say whether a chunk's lexemes fulfil a tsquery."""
    found: ColumnElement[bool] = ChunkTermsRow.lexemes.op("@@", is_comparison=True)(wanted)
    return found


def holding(wanted: ColumnElement[Any]) -> Subquery:
    """Find the chunks that fulfil a tsquery, by the GIN index; of which collection they are is to be asked outside.

    The salt in each lexeme keeps out nearly all other collections' rows, and OFFSET 0 keeps the rest of the condition
    out of here: with it, a planner without fresh statistics walks the whole collection by another index. The tsquery
    comes by a subquery, so that the planner assumes a few rows whatever the words: knowing a common word, it would read
    the whole table, not knowing that each row's lexemes lie out of line.
    """
    columns = (
        ChunkTermsRow.tenant_id,
        ChunkTermsRow.collection_id,
        ChunkTermsRow.chunk_id,
        ChunkTermsRow.weights,
        ChunkTermsRow.rest,
    )
    return select(*columns).where(matches(select(wanted).scalar_subquery())).offset(FENCE).subquery("holding")


def each_fulfils(scope: Scope, chunk_id: Any) -> list[ColumnElement[bool]]:
    """Have each of a few chunks looked at. OFFSET 0 keeps the planner from finding all others that fulfil it first."""
    if not scope.target.strict:
        return []
    is_it = (ChunkTermsRow.tenant_id == TENANT, ChunkTermsRow.chunk_id == chunk_id)
    return [exists(select(ChunkTermsRow.chunk_id).where(*is_it, matches(strict(scope))).offset(FENCE))]


def all_fulfil(scope: Scope, chunk_id: Any) -> list[ColumnElement[bool]]:
    """Find by the index those that fulfil it; or where nothing is required, those that do not, to leave them out."""
    text = scope.target.text
    if text is None or not scope.target.strict:
        return []
    if text.required:
        return [chunk_id.in_(_of_collection(scope, strict(scope)))]
    return [chunk_id.not_in(_of_collection(scope, cast(scope.own("unwanted", Text()), TSQUERY)))]


def _of_collection(scope: Scope, wanted: ColumnElement[Any]) -> Selected:
    found = holding(wanted)
    is_of = (found.c.tenant_id == TENANT, found.c.collection_id == scope.own("collection_id", Id()))
    return select(found.c.chunk_id).where(*is_of)
