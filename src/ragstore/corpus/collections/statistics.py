"""A collection's lexical statistics: in how many chunks each term stands, how long chunks are, in which languages.

Weights hold the average length, so each is of a generation of it. When the average has drifted, the collection goes on
to the next generation; what is of an older one is weighed anew, in batches, each a transaction of its own. Meanwhile
searches see weights of both, which differ by little. What is left to do is known by the rows alone, so that anyone may
go on with it at any time.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from ragstore.core import bm25
from ragstore.core.query import Steps
from ragstore.corpus import statements
from ragstore.corpus.backend import ChunkTerms, CorpusBackend
from ragstore.corpus.reading import find_collection
from ragstore.corpus.records import Collection

REFRESH_SHARE = 0.25
"""Statistics are taken anew after about this share of a collection has changed."""
SEED_CHUNKS = 500
"""So many chunks give the first average length, if there are as many."""
WEIGHED_AT_ONCE = 500
"""Chunks that are weighed anew in one transaction."""
STALE = -1
"""The generation of weights that are due to be made anew, whatever the collection's generation is."""


def seed_average(tenant: str, collection: Collection, terms: Sequence[ChunkTerms]) -> Steps[Collection]:
    """Take the first chunks' average length, which weights need before there are statistics.

    Nobody waits for the collection's row here, as documents are locked by now: where another writer is at it, its
    average is not known, and these weights are stale from the start.
    """
    average = sum(chunk.terms.length for chunk in terms) / len(terms) or 1.0
    generation = STALE
    if (yield statements.lock_collection(tenant, collection.id, wait=False)) and (
        yield statements.seed_collection(tenant, collection.id, average)
    ):
        generation = collection.generation
    return collection.model_copy(update={"average_length": average, "generation": generation})


def note_languages(tenant: str, collection: Collection, languages: AbstractSet[str]) -> Steps[None]:
    """Add languages that documents have brought to the collection's, so that queries are analysed in them too."""
    if languages <= {collection.language, *collection.languages}:
        return
    yield statements.lock_collection(tenant, collection.id, wait=True)
    current = yield from find_collection(tenant, collection.name)
    new = languages - {current.language, *current.languages}
    if new:
        known = [*current.languages, *sorted(new)]
        yield statements.update_collection(tenant, collection.id, {"languages": known})


def refresh_due(collection: Collection, changed: int) -> bool:
    """Say whether statistics should be taken anew after so many chunks have come or gone.

    Without a counter that every writer would wait for: a change refreshes with the probability of its share, so that
    the cost of all refreshes stays in proportion to the growth.
    """
    span = collection.analyzed_chunks * REFRESH_SHARE
    return changed > 0 and (changed >= span or random.random() < changed / span)  # noqa: S311 - no secret


def refresh(backend: CorpusBackend, tenant: str, collection: Collection, changed: int) -> Steps[None]:
    """Count the terms anew if that is due and nobody else is doing it, in a transaction that has more to do.

    Args:
        backend: The database.
        tenant: Whose collection it is.
        collection: The collection as it was before the change.
        changed: How many chunks have come or gone.
    """
    if refresh_due(collection, changed) and (yield statements.lock_collection(tenant, collection.id, wait=False)):
        yield from _take_statistics(backend, tenant, collection.name, begin_generation=not backend.stores_weights)


def refresh_after(backend: CorpusBackend, tenant: str, name: str, changed: int, *, in_unit: bool) -> Steps[None]:
    """Take the statistics anew if that is due after so many changes and nobody else is doing it."""
    collection = yield from find_collection(tenant, name)
    if in_unit:
        yield from refresh(backend, tenant, collection, changed)
    elif refresh_due(collection, changed) and (yield statements.lock_collection(tenant, collection.id, wait=False)):
        yield from _take_statistics(backend, tenant, name, begin_generation=True)


def analyze_collection(backend: CorpusBackend, tenant: str, collection_name: str) -> Steps[Collection]:
    """Take a collection's lexical statistics anew, waiting for whoever is at it; the weights are left as they are."""
    collection = yield from find_collection(tenant, collection_name)
    yield statements.lock_collection(tenant, collection.id, wait=True)
    yield from _take_statistics(backend, tenant, collection_name, begin_generation=True)
    return (yield from find_collection(tenant, collection_name))


def weigh_batch(backend: CorpusBackend, tenant: str, collection_name: str) -> Steps[int]:
    """Weigh some chunks anew whose weights are of an older generation; 0: none is left that nobody else works on."""
    if not backend.stores_weights:
        return 0
    collection = yield from find_collection(tenant, collection_name)
    return (yield from backend.weigh_anew(tenant, collection, WEIGHED_AT_ONCE))


def _take_statistics(
    backend: CorpusBackend, tenant: str, collection_name: str, *, begin_generation: bool
) -> Steps[None]:
    """Measure the chunks and count their terms. The collection is locked."""
    collection = yield from find_collection(tenant, collection_name)
    _, average = yield from backend.measure_length(tenant, collection)
    if begin_generation and bm25.drifted(collection.average_length, average):
        values = {"average_length": average, "generation": collection.generation + 1}
        yield statements.update_collection(tenant, collection.id, values)
    yield from backend.count_terms(tenant, collection)
