"""A collection's lexical statistics: in how many chunks each term stands, and how long chunks are."""

from __future__ import annotations

import random
from collections.abc import Sequence
from uuid import UUID

from ragstore.core import bm25
from ragstore.core.query import Steps
from ragstore.core.text import analyze
from ragstore.corpus import statements
from ragstore.corpus.backend import ChunkTerms, CorpusBackend
from ragstore.corpus.reading import find_collection
from ragstore.corpus.records import Collection

REFRESH_SHARE = 0.25
"""Statistics are taken anew after about this share of a collection has changed."""
REINDEX_ROWS = 500


def seed_average(tenant: str, collection: Collection, terms: Sequence[ChunkTerms]) -> Steps[Collection]:
    """Take the first chunks' average length, which weights need before there are statistics."""
    if collection.average_length > 0:
        return collection
    average = sum(chunk.terms.length for chunk in terms) / len(terms) or 1.0
    yield statements.update_collection(tenant, collection.id, {"average_length": average})
    return collection.model_copy(update={"average_length": average})


def refresh_due(collection: Collection, changed: int) -> bool:
    """Say whether statistics should be taken anew after so many chunks have come or gone.

    Without a counter that every writer would wait for: a change refreshes with the probability of its share, so that
    the cost of all refreshes stays in proportion to the growth.
    """
    span = collection.analyzed_chunks * REFRESH_SHARE
    return changed > 0 and (changed >= span or random.random() < changed / span)  # noqa: S311 - no secret


def refresh(backend: CorpusBackend, tenant: str, collection: Collection, changed: int) -> Steps[None]:
    """Take the collection's lexical statistics anew if that is due and nobody else is doing it.

    Args:
        backend: The database.
        tenant: Whose collection it is.
        collection: The collection as it was before the change.
        changed: How many chunks have come or gone.
    """
    if refresh_due(collection, changed) and (yield statements.lock_collection(tenant, collection.id, wait=False)):
        yield from take_statistics(backend, tenant, collection.name)


def refresh_after_load(backend: CorpusBackend, tenant: str, collection_name: str, changed: int) -> Steps[None]:
    """Take the statistics anew, once, after a load."""
    collection = yield from find_collection(tenant, collection_name)
    yield from refresh(backend, tenant, collection, changed)


def analyze_collection(backend: CorpusBackend, tenant: str, collection_name: str) -> Steps[Collection]:
    """Take a collection's lexical statistics anew, waiting for whoever is at it."""
    collection = yield from find_collection(tenant, collection_name)
    yield statements.lock_collection(tenant, collection.id, wait=True)
    yield from take_statistics(backend, tenant, collection_name)
    return (yield from find_collection(tenant, collection_name))


def take_statistics(backend: CorpusBackend, tenant: str, collection_name: str) -> Steps[None]:
    """Count the terms; if the average length has drifted, weigh every chunk anew. The collection is locked."""
    collection = yield from find_collection(tenant, collection_name)
    _, average = yield from backend.measure_length(tenant, collection)
    if bm25.drifted(collection.average_length, average):
        yield statements.update_collection(tenant, collection.id, {"average_length": average})
        collection = collection.model_copy(update={"average_length": average})
        if backend.stores_weights:
            yield from _weigh_anew(backend, tenant, collection)
    yield from backend.count_terms(tenant, collection)


def _weigh_anew(backend: CorpusBackend, tenant: str, collection: Collection) -> Steps[None]:
    after = UUID(int=0)
    while rows := (yield statements.contents(tenant, collection.id, after, REINDEX_ROWS)):
        chunk_ids = [chunk_id for chunk_id, _, _ in rows]
        yield from backend.remove_terms(tenant, chunk_ids)
        terms = [ChunkTerms(chunk_id, analyze(content, language)) for chunk_id, content, language in rows]
        yield from backend.add_terms(tenant, collection, terms)
        after = chunk_ids[-1]
