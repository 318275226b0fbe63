"""Timing ours and the floor in turn, so that a drifting machine touches both."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Job = Callable[[], object]
ENOUGH_ROUNDS, ENOUGH_SECONDS = 10, 30.0


@dataclass(frozen=True)
class Timing:
    """How long one operation takes, in seconds.

    Attributes:
        p50: The median; for a load, the mean.
        p95: The 95th percentile; None where there are too few rounds to tell.
    """

    p50: float
    p95: float | None = None


@dataclass(frozen=True)
class Result:
    """A comparison.

    Attributes:
        job: What was done.
        index: How vectors were searched: "exact" or "hnsw"; empty where there are none.
        size: The collection's chunks.
        ours: Our time an operation.
        floor: The floor's.
        plan: Which of the floor's plans was the fastest, where it has several.
        recall: Of ours, against exact search; None where nothing was approximate.
        floor_recall: The floor's.
        round_trips: How often ours waited for the server in one operation; None where there is none.
    """

    database: str
    job: str
    size: int
    ours: Timing
    floor: Timing
    index: str = ""
    plan: str = ""
    recall: float | None = None
    floor_recall: float | None = None
    round_trips: float | None = None

    @property
    def ratio(self) -> float:
        """Ours over the floor: 1.0 is as fast as by hand."""
        return self.ours.p50 / self.floor.p50

    @property
    def name(self) -> str:
        """The job with its index."""
        return f"{self.job} ({self.index})" if self.index else self.job

    def line(self) -> str:
        """Write the terminal's row."""
        recalls = [f"{r:.3f}" if r is not None else "" for r in (self.recall, self.floor_recall)]
        trips = "" if self.round_trips is None else f"{self.round_trips:.1f}"
        times = [f"{micro(t):>10}" for t in (self.ours.p50, self.ours.p95, self.floor.p50, self.floor.p95)]
        return (
            f"{self.name:<38} {self.size:>8,} {' '.join(times)} {self.ratio:>6.2f} {recalls[0]:>6} {recalls[1]:>6}"
            f" {trips:>5} {self.plan}"
        )

    def row(self) -> dict[str, Any]:
        """Give what the JSON file holds."""
        return asdict(self)


HEADER = (
    f"{'microseconds an operation':<38} {'chunks':>8} {'ours p50':>10} {'p95':>10} {'floor p50':>10} {'p95':>10}"
    f" {'ratio':>6} {'recall':>6} {'floor':>6} {'trips':>5} the floor's plan"
)


def micro(seconds: float | None) -> str:
    """Write seconds as microseconds."""
    return "" if seconds is None else f"{seconds * 1e6:,.0f}"


def timed(job: Job) -> float:
    """Time one run."""
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def timing(seconds: Sequence[float]) -> Timing:
    """Sum up the times of many runs."""
    p95 = statistics.quantiles(seconds, n=20)[-1] if len(seconds) >= 20 else None
    return Timing(statistics.median(seconds), p95)


def in_turn(*jobs: Job, rounds: int, warm_up: int = 3) -> list[Timing]:
    """Run the jobs in turn, each time in the other order: who comes second finds the caches warm.

    After half a minute, ten rounds are enough.
    """
    seconds: list[list[float]] = [[] for _ in jobs]
    began = time.perf_counter()
    for number in range(-warm_up, rounds):
        order = list(enumerate(jobs))
        for place, job in order if number % 2 else reversed(order):
            took = timed(job)
            if number >= 0:
                seconds[place].append(took)
        if number + 1 >= ENOUGH_ROUNDS and time.perf_counter() - began > ENOUGH_SECONDS:
            break
    return [timing(of_one) for of_one in seconds]


def at_once(jobs: Sequence[Job], times: int) -> float:
    """Run each job so many times, all jobs at once in threads of their own; give the seconds an operation."""
    failures: list[BaseException] = []

    def repeat(job: Job) -> None:
        try:
            for _ in range(times):
                job()
        except BaseException as failure:
            failures.append(failure)
            raise

    threads = [threading.Thread(target=repeat, args=[job]) for job in jobs]
    took = timed(lambda: ([thread.start() for thread in threads], [thread.join() for thread in threads]))
    if failures:
        raise failures[0]
    return took / (times * len(jobs))
