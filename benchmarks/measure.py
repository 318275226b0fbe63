"""Timing ours and the floor in turn, so that a drifting machine touches both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Job = Callable[[], object]


@dataclass(frozen=True)
class Result:
    """A comparison.

    Attributes:
        ours: Our median, in seconds an operation.
        floor: The floor's median.
        round_trips: How often ours waited for the server in one operation; None where there is none.
    """

    name: str
    size: int
    ours: float
    floor: float
    round_trips: float | None = None

    @property
    def ratio(self) -> float:
        """Ours over the floor: 1.0 is as fast as by hand."""
        return self.ours / self.floor

    def line(self) -> str:
        """Write the table's row."""
        trips = "" if self.round_trips is None else f"{self.round_trips:.1f}"
        return (
            f"{self.name:<28} {self.size:>9,} {self.ours * 1e6:>12,.0f} {self.floor * 1e6:>12,.0f} "
            f"{self.ratio:>7.2f} {trips:>11}"
        )


HEADER = f"{'':<28} {'chunks':>9} {'ours µs':>12} {'floor µs':>12} {'ratio':>7} {'round trips':>11}"


def timed(job: Job) -> float:
    """Time one run."""
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def in_turn(ours: Job, floor: Job, rounds: int, *, warm_up: int = 3) -> tuple[float, float]:
    """Run both in turn, and give the medians in seconds."""
    for _ in range(warm_up):
        ours(), floor()
    pairs = [(timed(ours), timed(floor)) for _ in range(rounds)]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)
