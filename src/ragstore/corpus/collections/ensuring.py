"""Getting or making a collection."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from ragstore.core import border, json
from ragstore.core.border import TextPolicy
from ragstore.core.clock import utc_now
from ragstore.core.ids import new_id
from ragstore.core.query import Steps
from ragstore.core.records import JsonObject
from ragstore.core.text import normalize_language
from ragstore.core.vectors import Metric
from ragstore.corpus import statements
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.naming import space_fields
from ragstore.corpus.reading import find_collection
from ragstore.corpus.records import Collection
from ragstore.corpus.tables import NAME_BYTES
from ragstore.errors import Conflict, InvalidInput

SALTS = 2**24


@dataclass(frozen=True, slots=True)
class Wanted:
    """A collection as `ensure` was asked for it, checked; None: not asked for."""

    name: str
    language: str | None
    metadata: dict[str, Any]
    space: dict[str, Any] | None


def wanted(
    name: str,
    *,
    model: str | None,
    dimensions: int | None,
    metric: Metric,
    language: str | None,
    metadata: JsonObject | None,
    policy: TextPolicy,
) -> Wanted:
    """Check what `ensure` was asked for.

    Raises:
        InvalidInput: A value is unfit, or only one of `model` and `dimensions` is given.
    """
    if (model is None) != (dimensions is None):
        raise InvalidInput("model and dimensions go together", field="model")
    space = None
    if model is not None and dimensions is not None:
        space = space_fields(model, dimensions, metric)
    return Wanted(
        border.name(name, field="collection", max_bytes=NAME_BYTES),
        None if language is None else normalize_language(language),
        json.clean(metadata or {}, policy, field="metadata"),
        space,
    )


def is_there(found: Collection, asked: Wanted) -> bool:
    """Say whether a collection is already as asked for.

    Raises:
        Conflict: It is there with another language or another space.
    """
    if asked.language not in (None, found.language):
        raise Conflict(f"the collection {found.name!r} is in {found.language!r}, not {asked.language!r}")
    if asked.space is None:
        return True
    if found.space is None:
        return False
    for key in ("model", "dimensions", "metric"):
        has, wants = getattr(found.space, key), asked.space[key]
        if has != wants:
            raise Conflict(f"the collection {found.name!r} has {key} {has!r}, not {wants!r}: {_advice(found, asked)}")
    return True


def _advice(found: Collection, asked: Wanted) -> str:
    if found.building is not None and asked.space is not None and found.building.model == asked.space["model"]:
        return "that space is still being filled, so finish with spaces.backfill and spaces.activate"
    return "search and put with that, or go over to another model with spaces.begin"


def ensure(backend: CorpusBackend, tenant: str, asked: Wanted) -> Steps[Collection]:
    """Make the collection, and its space, unless they are there; two that do so at once both get the same."""
    row = {
        "tenant_id": tenant,
        "id": new_id(),
        "name": asked.name,
        "language": asked.language or "en",
        "meta": asked.metadata,
        "salt": secrets.randbelow(SALTS),
    }
    yield statements.insert_collection(backend, row)
    found = yield from find_collection(tenant, asked.name)
    if is_there(found, asked) or asked.space is None:
        return found
    space = {
        "tenant_id": tenant,
        "id": new_id(),
        "collection_id": found.id,
        "state": "active",
        "activated_at": utc_now(),
        **asked.space,
    }
    yield statements.insert_space(backend, space)
    found = yield from find_collection(tenant, asked.name)
    is_there(found, asked)
    return found
