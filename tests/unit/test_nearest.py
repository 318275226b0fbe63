"""The nearest vectors, found by float32 and ranked by float64."""

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragstore.core import vectors
from ragstore.core.nearest import Block, Gathering, Nearest, block_rows, packed_ids, row_bytes
from ragstore.core.vectors import Metric

METRICS: tuple[Metric, ...] = ("cosine", "l2", "inner_product")
# Ties, near ties, and what float32 cannot square: zeros, tiny and huge components.
COMPONENTS = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 0.5, 1.0000001, 1e-20, 1e-38, 1e-45, 1e18, 3e38, -3e38]),
    st.floats(-100, 100, width=32),
)
ROWS = st.lists(COMPONENTS, min_size=4, max_size=4)
MATRICES = st.lists(ROWS, min_size=1, max_size=40).map(lambda rows: np.array(rows, np.float32))
QUERIES = ROWS.map(lambda row: np.array(row, np.float32))


def blocks_of(matrix: np.ndarray, size: int) -> list[Block]:
    """Cut a matrix into blocks; the row's number is its id."""
    return [
        Block.of(
            [UUID(int=start + row).hex for row in range(len(matrix[start : start + size]))],
            [row.tobytes() for row in matrix[start : start + size]],
            "vector",
        )
        for start in range(0, len(matrix), size)
    ]


def expected(matrix: np.ndarray, query: np.ndarray, metric: Metric, depth: int) -> list[tuple[UUID, float]]:
    found = [float(vectors.distances(row[None], query, metric).astype(np.float32)[0]) for row in matrix]
    return sorted(((UUID(int=i), d) for i, d in enumerate(found)), key=lambda pair: (pair[1], pair[0]))[:depth]


@pytest.mark.parametrize("metric", METRICS)
@given(matrix=MATRICES, query=QUERIES, depth=st.integers(1, 50), size=st.integers(1, 50))
def test_the_nearest_are_those_of_a_full_scan(
    metric: Metric, matrix: np.ndarray, query: np.ndarray, depth: int, size: int
) -> None:
    """K-8: the same chunks, distances and order, whatever the blocks and however odd the vectors."""
    if metric == "cosine":
        matrix = matrix[matrix.any(axis=1)]
        if not query.any() or not len(matrix):
            return
    nearest = Nearest(query, metric, depth)
    with np.errstate(all="ignore"):
        for block in blocks_of(matrix, size):
            nearest.add(block)
        wanted = expected(matrix, query, metric, depth)
    assert [i for i, _ in nearest.best()] == [i for i, _ in wanted]
    assert [d for _, d in nearest.best()] == pytest.approx([d for _, d in wanted], rel=1e-6)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("scale", [1e-14, 1e-6, 1.0, 1e6, 1e14])
def test_many_vectors_of_a_kind(metric: Metric, scale: float) -> None:
    """K-8: near neighbours by the thousand, at any length, whole or by rows."""
    numbers = np.random.default_rng(1)
    matrix = ((numbers.normal(size=64) + 1e-3 * numbers.normal(size=(3000, 64))) * scale).astype(np.float32)
    query = (matrix[7] * 1.01).astype(np.float32)
    for rows in (None, np.arange(0, 1000, 3), np.arange(5)):
        nearest = Nearest(query, metric, 20)
        for block in blocks_of(matrix, 1000):
            nearest.add(block, rows)
        kept = np.arange(3000) if rows is None else np.concatenate([rows, rows + 1000, rows + 2000])
        wanted = [(UUID(int=int(kept[i.int])), d) for i, d in expected(matrix[kept], query, metric, 20)]
        assert nearest.best() == wanted


def test_only_few_are_worked_out_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """K-21: float64 is for those that may be among the best."""
    looked_at = []
    exact = vectors.distances

    def counted(matrix: np.ndarray, query: np.ndarray, metric: Metric) -> np.ndarray:
        looked_at.append(len(matrix))
        return exact(matrix, query, metric)

    monkeypatch.setattr(vectors, "distances", counted)
    for metric in METRICS:
        matrix = np.random.default_rng(2).normal(size=(20_000, 32)).astype(np.float32)
        nearest = Nearest(matrix[0], metric, 10)
        for block in blocks_of(matrix, 5000):
            nearest.add(block)
        assert sum(looked_at) < 100
        looked_at.clear()


def test_ids_keep_all_their_bytes() -> None:
    """An id that ends in zero bytes is still found, and given whole."""
    ids = sorted(UUID(int=number << 64).hex for number in (1, 2, 256, 2**63))
    block = Block.of(ids, [np.array([1.0, number], dtype="<f4").tobytes() for number in range(4)], "vector")
    nearest = Nearest(np.array([1.0, 0.0], dtype=np.float32), "l2", 4)
    nearest.add(block, block.rows_of(np.sort(packed_ids("".join(ids[1:3])))))
    assert [i.hex for i, _ in nearest.best()] == ids[1:3]


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60), min_size=1))
def test_rows_are_found_by_id(wanted: set[int], held: set[int]) -> None:
    ids = [UUID(int=number).hex for number in sorted(held)]
    block = Block.of(ids, [np.zeros(1, dtype="<f4").tobytes()] * len(ids), "vector")
    asked = np.sort(packed_ids("".join(UUID(int=number).hex for number in wanted)))
    assert [sorted(held)[row] for row in block.rows_of(asked)] == sorted(wanted & held)


def test_blocks_are_merged_in_the_order_of_their_ids() -> None:
    def block(numbers: list[int]) -> Block:
        blobs = [np.array([number], dtype="<f2").tobytes() for number in numbers]
        return Block.of([UUID(int=number).hex for number in numbers], blobs, "halfvec")

    merged = block([1, 5, 9]).merged(block([2, 7]))
    assert merged.matrix.ravel().tolist() == [1, 2, 5, 7, 9]
    assert merged.lengths.tolist() == [1, 2, 5, 7, 9]
    assert merged.ids.tobytes() == b"".join(UUID(int=number).bytes for number in (1, 2, 5, 7, 9))


def test_parts_are_gathered() -> None:
    matrix = np.arange(40, dtype=np.float32).reshape(10, 4)
    gathering = Gathering(10, 4)
    for part in blocks_of(matrix, 3):
        gathering.add(part)
    whole = gathering.block()
    assert np.array_equal(whole.matrix, matrix)
    assert whole.lengths == pytest.approx(np.linalg.norm(matrix, axis=1))
    assert whole.ids.tobytes() == b"".join(UUID(int=row).bytes for row in range(10))


def test_a_block_is_bounded() -> None:
    """K-21."""
    for dimensions in (1, 384, 1536, 4000):
        assert block_rows(dimensions) * row_bytes(dimensions) <= 2**24
