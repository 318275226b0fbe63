"""Vectors at the border, packed, and compared."""

import math
import struct
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ragstore.core import packing, vectors
from ragstore.errors import DimensionMismatch, InvalidInput

FLOATS = arrays(np.float32, 5, elements=st.floats(-100, 100, width=32, allow_subnormal=False))


def prepare(value: object, **kwargs: object) -> np.ndarray:
    return vectors.prepare(value, **({"dimensions": 3, "metric": "l2"} | kwargs))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [
        [1, 2, 3],
        (1.0, 2.0, 3.0),
        [Decimal(1), Decimal(2), Decimal(3)],
        np.array([1, 2, 3]),
        np.array([1, 2, 3], dtype=np.float16),
        np.array([[1, 9], [2, 9], [3, 9]])[:, 0],
        iter([1, 2, 3]),
    ],
)
def test_anything_that_gives_numbers_will_do(value: object) -> None:
    """V20."""
    assert prepare(value).tolist() == [1, 2, 3]


@pytest.mark.parametrize("bad", ["abc", b"abc", {1: 2}, [[1, 2, 3]], ["a", "b", "c"], 5, None, [1, 2, object()]])
def test_anything_else_is_refused(bad: object) -> None:
    """V20."""
    with pytest.raises(InvalidInput):
        prepare(bad)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e39])
def test_every_component_is_a_storable_number(bad: float) -> None:
    """V01."""
    with pytest.raises(InvalidInput, match="component 1") as caught:
        vectors.prepare([0, bad, 0], dimensions=3, metric="l2", index=7)
    assert caught.value.index == 7


def test_halfvec_holds_less() -> None:
    with pytest.raises(InvalidInput):
        prepare([1, 70000, 1], storage="halfvec")
    assert prepare([1, 60000, 1], storage="halfvec") is not None


def test_another_length_names_both() -> None:
    """V03."""
    with pytest.raises(DimensionMismatch) as caught:
        prepare([1, 2])
    assert (caught.value.expected, caught.value.got) == (3, 2)


@pytest.mark.parametrize("storage", ["vector", "halfvec"])
def test_a_zero_vector_has_no_cosine(storage: str) -> None:
    """V05, V06."""
    with pytest.raises(InvalidInput, match="no direction"):
        prepare([0, 0, 0], metric="cosine", storage=storage)
    assert prepare([0, 0, 0], metric="inner_product", storage=storage).tolist() == [0, 0, 0]


def test_what_float16_rounds_to_zero_is_zero_there() -> None:
    with pytest.raises(InvalidInput, match="no direction"):
        prepare([1e-9, 0, 0], metric="cosine", storage="halfvec")


@pytest.mark.parametrize(
    ("dimensions", "storage"), [(1, "vector"), (2000, "vector"), (2001, "halfvec"), (4000, "halfvec")]
)
def test_storage_follows_dimensions(dimensions: int, storage: str) -> None:
    """K-15."""
    assert vectors.storage_for(dimensions) == storage


@pytest.mark.parametrize("dimensions", [0, -1, 4001, True, 3.0, "3"])
def test_unfit_dimensions(dimensions: object) -> None:
    """V04."""
    with pytest.raises(InvalidInput) as caught:
        vectors.storage_for(dimensions)
    assert caught.value.field == "dimensions"


@given(FLOATS)
def test_dense_is_packed_as_pgvector_sends_it(vector: np.ndarray) -> None:
    packed = packing.pack_dense(vector)
    assert struct.unpack(">HH5f", packed) == (5, 0, *vector.tolist())


@given(st.dictionaries(st.integers(1, packing.SPARSE_DIMENSIONS), st.floats(0.125, 10, width=32), max_size=20))
def test_sparse_is_packed_in_index_order_from_zero(entries: dict[int, float]) -> None:
    packed = packing.pack_sparse(entries)
    dimensions, count, unused = struct.unpack_from(">iii", packed)
    indices = struct.unpack_from(f">{count}i", packed, 12)
    values = struct.unpack_from(f">{count}f", packed, 12 + 4 * count)
    assert (dimensions, unused) == (packing.SPARSE_DIMENSIONS, 0)
    assert dict(zip(indices, values, strict=True)) == {i - 1: v for i, v in entries.items()}
    assert list(indices) == sorted(indices)


@given(arrays(np.float32, (7, 5), elements=st.floats(-10, 10, width=32)), FLOATS)
def test_distances_follow_their_definitions(matrix: np.ndarray, query: np.ndarray) -> None:
    """V17, the formulas."""
    l2 = vectors.distances(matrix, query, "l2")
    product = vectors.distances(matrix, query, "inner_product")
    for row, far, minus in zip(matrix.tolist(), l2, product, strict=True):
        assert far == pytest.approx(math.dist(row, query.tolist()), abs=1e-6)
        assert minus == pytest.approx(-sum(a * b for a, b in zip(row, query.tolist(), strict=True)), abs=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "l2", "inner_product"])
def test_equal_vectors_have_equal_distances_wherever_they_stand(metric: vectors.Metric) -> None:
    """K-8: to the last bit, also where the sum is only what rounding leaves of it."""
    numbers = np.random.default_rng(3)
    query = numbers.standard_normal(37).astype(np.float32)
    across = numbers.standard_normal(37)
    across -= query * (across @ query) / (query @ query)
    for same in (query, across.astype(np.float32), numbers.standard_normal(37).astype(np.float32)):
        rows = numbers.standard_normal((9000, 37)).astype(np.float32)
        places = [0, 1, 2, 3, 17, 4095, 4096, 8999]
        rows[places] = same
        found = {float(vectors.distances(rows, query, metric)[place]) for place in places}
        alone = float(vectors.distances(same[None], query, metric)[0])
        assert found == {alone}


@pytest.mark.parametrize(("storage", "kind"), [("vector", "<f4"), ("halfvec", "<f2")])
def test_stored_vectors_are_read_as_float32(storage: vectors.Storage, kind: str) -> None:
    rows = np.array([[1.5, -2.0, 0.25], [0.0, 3.0, 1e-3]], dtype=kind)
    matrix = vectors.unpacked([row.tobytes() for row in rows], storage)
    assert matrix.dtype == np.float32
    assert np.array_equal(matrix, rows.astype(np.float32))
