"""Names as hosts give them, checked."""

from __future__ import annotations

from typing import Any

from ragstore.core import border
from ragstore.core.vectors import Metric, storage_for
from ragstore.corpus.tables import LABEL_BYTES, NAME_BYTES, SOURCE_BYTES
from ragstore.errors import InvalidInput


def collection_name(name: str) -> str:
    """Check a collection's name."""
    return border.name(name, field="collection", max_bytes=NAME_BYTES)


def source_name(source: str) -> str:
    """Check a document's source."""
    return border.name(source, field="source", max_bytes=SOURCE_BYTES)


def space_fields(model: str, dimensions: int, metric: Metric) -> dict[str, Any]:
    """Check what makes an embedding space, and choose how its vectors are stored.

    Raises:
        InvalidInput: A value is unfit, or there are too many dimensions.
    """
    if metric not in ("cosine", "l2", "inner_product"):
        raise InvalidInput("must be cosine, l2 or inner_product", field="metric")
    return {
        "model": border.name(model, field="model", max_bytes=LABEL_BYTES),
        "dimensions": dimensions,
        "metric": metric,
        "storage": storage_for(dimensions),
    }
