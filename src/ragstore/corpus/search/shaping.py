"""What is made of the hits after the database has ranked them."""

from __future__ import annotations

from collections.abc import Sequence

from ragstore.corpus.backend import LexicalQuery
from ragstore.corpus.records import SearchHit, SearchQuery


def candidates(query: SearchQuery, limit: int, offset: int) -> int | None:
    """Say how many candidates the database is to give, where hits are ranked anew afterwards; None: they are not."""
    return None


def shape(
    query: SearchQuery, hits: Sequence[SearchHit], texts: Sequence[LexicalQuery], languages: Sequence[tuple[str, ...]]
) -> list[SearchHit]:
    """Rank anew, cut and adorn the hits as the query asks for."""
    return list(hits)
