"""Several ways to do one thing, in turn, by several clients at once: how often a second, and how long each takes."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Protocol

Do = Callable[[int], object]
"""Does it once; given which client this is and how often it has done it, as one number that grows."""


class Way(Protocol):
    """One way to do it."""

    name: str

    def client(self, number: int) -> Do:
        """Give what one client calls, on a connection of its own if the way has such."""
        ...


@dataclass
class Seen:
    """What was seen of one way.

    Attributes:
        seconds: What each call took.
        rates: Calls a second, a round each.
    """

    seconds: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """Write the figures: seconds, and calls a second."""
        ordered = sorted(self.seconds)
        return {
            "p50": statistics.median(ordered),
            "p95": ordered[int(0.95 * (len(ordered) - 1))],
            "rate": statistics.median(self.rates),
        }


def in_turn(ways: Sequence[Way], clients: int, *, rounds: int, seconds: float) -> Iterable[tuple[str, dict[str, Any]]]:
    """Let so many clients do it for so long, each way in turn, and the whole of it so many times."""
    seen = {way.name: Seen() for way in ways}
    made = {way.name: [way.client(number) for number in range(clients)] for way in ways}
    for _ in range(rounds):
        for way in ways:
            _run(made[way.name], seen[way.name], seconds)
    return [(name, one.row()) for name, one in seen.items()]


def _run(calls: Sequence[Do], seen: Seen, seconds: float) -> None:
    took: list[list[float]] = [[] for _ in calls]
    ready = threading.Barrier(len(calls) + 1)
    threads = [
        threading.Thread(target=_client, args=(call, number, took[number], ready, seconds))
        for number, call in enumerate(calls)
    ]
    for thread in threads:
        thread.start()
    ready.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seen.rates.append(sum(map(len, took)) / (time.perf_counter() - began))
    seen.seconds.extend(second for one in took for second in one)


def _client(call: Do, number: int, took: list[float], ready: threading.Barrier, seconds: float) -> None:
    turn = number * 1_000_003
    call(turn)
    ready.wait()
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        turn += 1
        call(turn)
        took.append(time.perf_counter() - began)


def has(package: str) -> bool:
    """Say whether a package to compare with is installed."""
    return find_spec(package) is not None
