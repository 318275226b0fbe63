"""How good an approximate index is: efforts to try, and what the answers come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, sqrt
from statistics import median

from ragstore.corpus.backend import IndexSpec
from ragstore.corpus.records import EmbeddingSpace, RecallPoint, RecallReport
from ragstore.corpus.spaces.indexes import MAX_EFFORT

_EFFORTS = {"hnsw": (10, 20, 40, 80, 120, 200, 400, 700, 1000), "ivfflat": (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)}
_LEAST_EFFORT = 40
_SAME = 1e-6
"""Distances so near to each other count as one: float16 and another order of summing move them that much."""


def present_effort(space: EmbeddingSpace, spec: IndexSpec, limit: int) -> int:
    """Give the effort of a search of this limit that names none."""
    if space.search_effort is not None:
        return space.search_effort
    if spec.method == "ivfflat":
        return ceil(sqrt(spec.options.get("lists", 1))) * 2
    spare = 10 if spec.quantization == "binary" else 1
    return min(max(2 * limit * spare, _LEAST_EFFORT), MAX_EFFORT)


def efforts(spec: IndexSpec, present: int) -> Iterator[int]:
    """Give efforts to try, least first, the present one among them."""
    most = min(spec.options.get("lists", MAX_EFFORT), MAX_EFFORT) if spec.method == "ivfflat" else MAX_EFFORT
    ladder = {effort for effort in _EFFORTS[spec.method] if effort < most}
    yield from sorted({*ladder, most, present})


def share_found(exact: Sequence[float], approximate: Sequence[float]) -> float:
    """Give the share of the exact nearest that were found; of equally near ones, any will do."""
    if not exact:
        return 1.0
    bound = exact[-1] + _SAME * max(1.0, abs(exact[-1]))
    return min(sum(distance <= bound for distance in approximate), len(exact)) / len(exact)


def point(effort: int, shares: Sequence[float], seconds: Sequence[float]) -> RecallPoint:
    """Sum up what one effort gave."""
    return RecallPoint(effort=effort, recall=sum(shares) / len(shares), p50_ms=median(seconds) * 1000)


def exact_report(space: EmbeddingSpace, sample: int, limit: int) -> RecallReport:
    """Report for a space without an index: every search is exact."""
    return RecallReport(
        space_id=space.id, sample=sample, limit=limit, effort=None, recall=1.0, wanted_effort=None, measured=()
    )


def report(
    space: EmbeddingSpace, measured: Sequence[RecallPoint], *, sample: int, limit: int, present: int, wanted: float
) -> RecallReport:
    """Report what was measured."""
    reaching = (point.effort for point in measured if point.recall >= wanted)
    return RecallReport(
        space_id=space.id,
        sample=sample,
        limit=limit,
        effort=present,
        recall=next(point.recall for point in measured if point.effort == present),
        wanted_effort=next(reaching, None),
        measured=tuple(measured),
    )
