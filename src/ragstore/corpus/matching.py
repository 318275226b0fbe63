"""What a call's `where=` names, as a condition over rows."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement

from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.filters import Every, Filter, Not, Some, check
from ragstore.corpus.search.conditions import condition
from ragstore.errors import InvalidInput

Where = Filter | Mapping[str, object] | None


def documents_where(where: Where, backend: CorpusBackend) -> ColumnElement[bool] | None:
    """Compile a filter over documents' own fields; None if there is none."""
    checked = check(where)
    return None if checked is None else condition(checked, backend, of_documents=True)


def chunks_where(where: Where, backend: CorpusBackend) -> ColumnElement[bool] | None:
    """Compile a filter over chunks and their documents; None if there is none."""
    checked = check(where)
    return None if checked is None else condition(checked, backend)


def required(where: Where) -> Filter | Mapping[str, object]:
    """Refuse a filter that is missing or has no condition: what it would delete is everything.

    Raises:
        InvalidInput: It is.
    """
    filtered = None if isinstance(where, Mapping) and not where else where
    if filtered is None or _is_empty(filtered):
        raise InvalidInput("a filter is needed; documents.delete_all deletes all there is", field="where")
    return filtered


def _is_empty(where: object) -> bool:
    if isinstance(where, Every | Some):
        return all(_is_empty(part) for part in where.parts)
    return isinstance(where, Not) and _is_empty(where.part)
