"""How much memory a piece of work takes: it runs in a process of its own, as a high-water mark never goes down."""

from __future__ import annotations

import gc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def grown(job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, float | None]:
    """Run a module's function in a fresh process.

    Returns:
        What it gave, and by how many MB its memory grew at most beyond what importing it took; None where the
        system does not tell.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        before = pool.submit(_peak, forget=True).result()
        pool.submit(gc.collect).result()
        given = pool.submit(job, *args, **kwargs).result()
        after = pool.submit(_peak).result()
    return given, None if before is None or after is None else after - before


def _peak(*, forget: bool = False) -> float | None:
    """Give the largest resident size in MB, by Linux's account."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    if forget:
        import benchmarks.corpus  # noqa: F401 - what the job imports is no memory of the job's

        Path("/proc/self/clear_refs").write_text("5")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
