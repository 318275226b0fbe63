"""Vectors: checked once at the border, and packed as the databases take them.

NumPy is imported at first use: it would double the time that `import ragstore` takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, SupportsFloat, TypeVar

from ragstore.errors import DimensionMismatch, InvalidInput

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Floats = NDArray[numpy.float32]

VectorLike = Iterable[SupportsFloat]
"""Anything one-dimensional that gives numbers: a list, a tuple, a NumPy array of any number type."""

V = TypeVar("V")
Metric = Literal["cosine", "l2", "inner_product"]
Storage = Literal["vector", "halfvec"]

MAX_DENSE = 2000
MAX_HALF = 4000
HALF_MAX = 65504.0
_BLOB = {"vector": "<f4", "halfvec": "<f2"}


class Packed(bytes):
    """A vector in pgvector's binary form; PostgreSQL's driver sends it as it is."""


def storage_for(dimensions: object) -> Storage:
    """Choose how a space of so many dimensions is stored: `vector` to 2,000, `halfvec` to 4,000.

    Raises:
        InvalidInput: Fewer than 1 or more than 4,000 dimensions.
    """
    if not isinstance(dimensions, int) or isinstance(dimensions, bool) or dimensions < 1:
        raise InvalidInput("must be a whole number of at least 1", field="dimensions")
    if dimensions > MAX_HALF:
        hint = f"at most {MAX_DENSE} as vector and {MAX_HALF} as halfvec; shorten the model's vectors"
        raise InvalidInput(f"{dimensions} dimensions cannot be indexed: {hint}", field="dimensions")
    return "vector" if dimensions <= MAX_DENSE else "halfvec"


def kept(value: V) -> V | list[Any]:
    """Give what can be read more than once: an iterator's numbers would be gone after the first look."""
    return list(value) if isinstance(value, Iterator) else value


def prepare(
    value: VectorLike,
    *,
    dimensions: int,
    metric: Metric,
    storage: Storage = "vector",
    field: str = "embedding",
    index: int | None = None,
) -> Floats:
    """Give a vector as float32, or say why it cannot be stored or searched with.

    Raises:
        DimensionMismatch: It has another number of components.
        InvalidInput: It is not one-dimensional, not finite, too large for its storage, or all zero under cosine.
    """
    import numpy as np

    vector = _as_array(value, field=field, index=index)
    if vector.ndim != 1:
        raise InvalidInput(f"must have one axis, has shape {vector.shape}", field=field, index=index)
    if vector.shape[0] != dimensions:
        raise DimensionMismatch(dimensions, vector.shape[0], field=field, index=index)
    largest = HALF_MAX if storage == "halfvec" else float(np.finfo(np.float32).max)
    bad = np.flatnonzero(~(np.abs(vector) <= largest))  # NaN compares false, so it is caught here too
    if bad.size:
        raise InvalidInput(f"component {bad[0]} is {vector[bad[0]]}: not storable", field=field, index=index)
    narrowed = np.ascontiguousarray(vector, dtype=np.float32)
    if metric == "cosine" and not narrowed.astype(np.float16 if storage == "halfvec" else np.float32).any():
        raise InvalidInput("a zero vector has no direction, so no cosine", field=field, index=index)
    return narrowed


def _as_array(value: VectorLike, *, field: str, index: int | None) -> NDArray[Any]:
    import numpy as np

    try:
        if isinstance(value, np.ndarray):
            return value.astype(np.float64, copy=False) if value.dtype != np.float32 else value
        if isinstance(value, str | bytes | Mapping):
            raise TypeError(type(value).__name__)
        return np.asarray(list(value), dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"is not a list of numbers ({error})", field=field, index=index) from None


def rounded(vector: Floats, storage: Storage) -> Floats:
    """Give the vector as its storage would hold it."""
    import numpy as np

    return vector if storage == "vector" else vector.astype(np.float16).astype(np.float32)


def unpacked(blobs: Sequence[bytes], storage: Storage) -> Floats:
    """Give stored blobs as a matrix of float32, a row each."""
    import numpy as np

    matrix = np.frombuffer(b"".join(blobs), dtype=_BLOB[storage]).reshape(len(blobs), -1)
    return matrix.astype(np.float32, copy=False)


def distances(matrix: NDArray[Any], query: Floats, metric: Metric) -> NDArray[numpy.float64]:
    """Give each row's distance to the query as pgvector defines it.

    Args:
        matrix: Shape (rows, dimensions).
        query: Shape (dimensions,).
        metric: cosine gives 1 - cos, l2 the Euclidean distance, inner_product the negative product.

    Returns:
        Shape (rows,), worked out in float64; lower is nearer.
    """
    import numpy as np

    rows, wanted = matrix.astype(np.float64), query.astype(np.float64)
    if metric == "l2":
        apart = rows - wanted
        return np.asarray(np.sqrt(np.einsum("ij,ij->i", apart, apart)))
    product = np.einsum("ij,j->i", rows, wanted)  # `@` gives equal rows unequal products, by where they stand
    if metric == "inner_product":
        return np.asarray(-product)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows)) * np.linalg.norm(wanted)
    return np.asarray(1.0 - np.clip(product / lengths, -1.0, 1.0))
