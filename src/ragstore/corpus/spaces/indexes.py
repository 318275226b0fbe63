"""What an approximate index is to be like, and what is said of the one that is there."""

from __future__ import annotations

from math import ceil
from typing import Any
from uuid import UUID

from ragstore.core import border
from ragstore.core.query import Steps
from ragstore.corpus import statements
from ragstore.corpus.backend import FoundIndex, IndexSpec, VectorIndexes
from ragstore.corpus.records import EmbeddingSpace, IndexMethod, IndexState, IndexStatus, Quantization
from ragstore.errors import InvalidInput, LimitExceeded

MAX_LISTS = 32_768
MAX_EFFORT = 1_000
LEAST_LISTS = 10
ROWS_PER_LIST = 1_000
MANY_ROWS = 1_000_000


def check_spec(
    method: IndexMethod, m: int, ef_construction: int, lists: int | None, quantization: Quantization
) -> IndexSpec:
    """Check what an index is to be like; without `lists`, their number is still to be chosen.

    Raises:
        InvalidInput: A value is outside what pgvector takes.
    """
    if quantization not in ("none", "binary"):
        raise InvalidInput("must be none or binary", field="quantization")
    if method == "ivfflat":
        if lists is not None:
            border.limit(lists, field="lists", maximum=MAX_LISTS)
        return IndexSpec(method, quantization, {} if lists is None else {"lists": lists})
    if method != "hnsw":
        raise InvalidInput("must be hnsw or ivfflat", field="method")
    border.limit(m, field="m", minimum=2, maximum=100)
    border.limit(ef_construction, field="ef_construction", minimum=4, maximum=1000)
    if ef_construction < 2 * m:
        raise InvalidInput(f"must be at least 2 * m, which is {2 * m}", field="ef_construction")
    return IndexSpec(method, quantization, {"m": m, "ef_construction": ef_construction})


def completed(spec: IndexSpec, rows: int) -> IndexSpec:
    """Choose the number of lists, if that is left open: a thousandth of the rows, of very many their root."""
    if spec.options:
        return spec
    lists = ceil(rows**0.5) if rows > MANY_ROWS else rows // ROWS_PER_LIST
    return IndexSpec(spec.method, spec.quantization, {"lists": min(max(lists, LEAST_LISTS), MAX_LISTS)})


def is_as_asked(found: FoundIndex, spec: IndexSpec) -> bool:
    """Say whether an index is complete and what was asked for; any number of lists is, if none was."""
    same = (found.spec.method, found.spec.quantization) == (spec.method, spec.quantization)
    return found.valid and same and found.spec.options.items() >= spec.options.items()


def is_right(space: EmbeddingSpace, found: FoundIndex | None) -> bool:
    """Say whether what is written of a space's index is what there is, or is just being made so."""
    if found is None:
        return space.index_state == "none"
    return found.running is not None or (found.valid and space.index_state == "ready")


def look(
    indexes: VectorIndexes, schema: str, tenant: str, space_id: UUID
) -> Steps[tuple[EmbeddingSpace | None, FoundIndex | None]]:
    """Read what is written of a space's index, and what there is."""
    spaces: list[EmbeddingSpace] = yield statements.space_by_id(tenant, space_id)
    found: list[FoundIndex] = yield indexes.find(schema, space_id)
    return next(iter(spaces), None), next(iter(found), None)


def claim(
    indexes: VectorIndexes,
    schema: str,
    tenant: str,
    space: EmbeddingSpace,
    spec: IndexSpec,
    *,
    most: int,
    take_over: bool,
) -> Steps[bool]:
    """Note that the index is being built, unless somebody else builds it; refuse one too many."""
    yield indexes.guard()  # else two that build at once would both be the last one allowed
    own = indexes.name(space.id)
    there: list[str] = yield indexes.names(schema)
    begun: list[UUID] = yield statements.spaces_being_indexed()
    others = {*there, *map(indexes.name, begun)} - {own}
    if len(others) >= most:
        advice = "drop one with spaces.drop_index, or raise max_indexes in the settings"
        raise LimitExceeded(f"the database has {len(others)} approximate indexes, {most} are allowed: {advice}")
    claimed: int = yield statements.claim_index(tenant, space.id, spec, take_over=take_over)
    return claimed > 0


def settle(indexes: VectorIndexes, schema: str, tenant: str, space_id: UUID) -> Steps[IndexState]:
    """Write down what there is."""
    found: list[FoundIndex] = yield indexes.find(schema, space_id)
    values = recorded(found[0] if found else None)
    yield statements.update_space(tenant, space_id, values)
    state: IndexState = values["index_state"]
    return state


def recorded(found: FoundIndex | None) -> dict[str, Any]:
    """Give what a space's row says of such an index."""
    if found is None:
        return {"index_state": "none", "index_method": "none", "quantization": "none", "index_options": {}}
    return {
        "index_state": "building" if found.running else "ready" if found.valid else "invalid",
        "index_method": found.spec.method,
        "quantization": found.spec.quantization,
        "index_options": found.spec.options,
    }


def status(space: EmbeddingSpace, found: FoundIndex | None, rows: int) -> IndexStatus:
    """Say what there is."""
    values = recorded(found)
    return IndexStatus(
        space_id=space.id,
        name=None if found is None else found.name,
        method=values["index_method"],
        state="building" if found is None and space.index_state == "building" else values["index_state"],
        valid=found is not None and found.valid,
        quantization=values["quantization"],
        options=values["index_options"],
        size_bytes=0 if found is None else found.size_bytes,
        rows=rows,
        scans=0 if found is None else found.scans,
    )
