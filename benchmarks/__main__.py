"""Run one of:

python -m benchmarks run       ragstore against the same work by hand
python -m benchmarks corpus    load, index and search a folder of real texts
python -m benchmarks quality   how good the rankings are, on collections with judgements
python -m benchmarks peers     ragstore beside what people use instead
python -m benchmarks limits    a hit of a rate limit, by several clients at once, beside what people use
python -m benchmarks sessions  authenticate, note a use and create, beside what people use
python -m benchmarks conversations  append and read messages, beside what people use
python -m benchmarks upgrades  `upgrade` of a database at head, beside Alembic's own command
python -m benchmarks plot      the tables and the plot of docs/explanation/performance.md

`--json FILE` puts the figures into that file, beside what is there of other databases and sizes.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks import data as made
from benchmarks import databases
from benchmarks.figures import keep
from benchmarks.measure import HEADER


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run", help="ragstore against the same work by hand")
    run.set_defaults(command=run_jobs)
    run.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000])
    run.add_argument("--rounds", type=int, default=50)
    run.add_argument("--corpus", type=Path, help="folder with chunks.jsonl and emb.npy, instead of made-up data")
    corpus = commands.add_parser("corpus", help="load, index and search a folder of real texts")
    corpus.set_defaults(command=run_corpus)
    corpus.add_argument("folder", type=Path)
    corpus.add_argument("--limit", type=int, help="so many chunks at most")
    corpus.add_argument("--rounds", type=int, default=60)
    quality = commands.add_parser("quality", help="how good the rankings are")
    quality.set_defaults(command=run_quality)
    peers = commands.add_parser("peers", help="ragstore beside what people use instead")
    peers.set_defaults(command=run_peers)
    peers.add_argument("--sizes", type=int, nargs="+", default=[10_000])
    peers.add_argument("--rounds", type=int, default=50)
    peers.add_argument("--corpus", type=Path, help="as for run")
    peers.add_argument("--only", nargs="+", help="these alone, by name")
    limits = commands.add_parser("limits", help="a hit of a rate limit, by several clients at once")
    limits.set_defaults(command=run_limits)
    sessions = commands.add_parser("sessions", help="authenticate, note a use and create")
    sessions.set_defaults(command=run_sessions)
    conversations = commands.add_parser("conversations", help="append messages, and read them in pages")
    conversations.set_defaults(command=run_conversations)
    conversations.add_argument("--messages", type=int, default=200_000)
    conversations.add_argument("--conversations", type=int, default=2_000)
    upgrades = commands.add_parser("upgrades", help="`upgrade` of a database at head")
    upgrades.set_defaults(command=run_upgrades)
    plot = commands.add_parser("plot", help="the tables and the plot of the documentation")
    plot.set_defaults(command=run_plot)
    plot.add_argument("figures", type=Path, help="the JSON file of the other commands")
    plot.add_argument("page", type=Path, help="the Markdown page whose measured parts are written anew")
    for command in (run, corpus, quality, limits, sessions, conversations, upgrades):
        command.add_argument("--databases", nargs="+", choices=databases.NAMES, default=databases.NAMES)
    for command in (run, corpus, quality, peers, limits, sessions, conversations, upgrades):
        command.add_argument("--json", type=Path, help="put the figures into this file")
    options = parser.parse_args()
    options.busy = busy()
    options.command(options)


def run_jobs(options: argparse.Namespace) -> None:
    """Compare ragstore with its floors."""
    from benchmarks.jobs import compare

    rows: list[dict[str, Any]] = []
    for name in options.databases:
        print(f"\n{name}\n{HEADER}")
        for size in options.sizes:
            data = made.read(options.corpus, size) if options.corpus else made.make(size)
            began = time.perf_counter()
            with databases.database(name) as url:
                for result in compare(url, data, options.rounds):
                    print(result.line(), flush=True)
                    rows.append(result.row())
                about = machine(databases.versions(url), options.busy)
            print(f"{size:,} chunks on {name}: {time.perf_counter() - began:.0f} s")
            keep(options.json, "run", rows, about | {"data": "real" if options.corpus else "made-up"})


def run_corpus(options: argparse.Namespace) -> None:
    """Load, index and search real texts."""
    from benchmarks.corpus import measure

    rows: list[dict[str, Any]] = []
    for name in options.databases:
        with databases.database(name) as url:
            rows += _printed(measure(url, options.folder, options.limit, options.rounds))
            keep(options.json, "corpus", rows, machine(databases.versions(url), options.busy))


def run_quality(options: argparse.Namespace) -> None:
    """Measure the rankings."""
    from benchmarks.quality import measure

    rows: list[dict[str, Any]] = []
    for name in options.databases:
        with databases.database(name) as url:
            rows += _printed(measure(url))
            keep(options.json, "quality", rows, machine(databases.versions(url), options.busy))


def run_peers(options: argparse.Namespace) -> None:
    """Compare ragstore with its peers."""
    from benchmarks.beside import compare

    rows: list[dict[str, Any]] = []
    for size in options.sizes:
        data = made.read(options.corpus, size) if options.corpus else made.make(size)
        with databases.empty("postgresql") as url:
            rows += _printed(compare(url, data, options.rounds, options.only))
            about = machine(databases.versions(url), options.busy) | {"data": "real" if options.corpus else "made-up"}
            keep(options.json, "peers", rows, about)


def run_limits(options: argparse.Namespace) -> None:
    """Compare hits."""
    from benchmarks.limits import measure

    _run_together("limits", measure, options)


def run_sessions(options: argparse.Namespace) -> None:
    """Compare sessions."""
    from benchmarks.sessions import measure

    _run_together("sessions", measure, options)


def run_conversations(options: argparse.Namespace) -> None:
    """Compare conversations."""
    from benchmarks.conversations import measure

    _run_together("conversations", lambda url: measure(url, options.messages, options.conversations), options)


def run_upgrades(options: argparse.Namespace) -> None:
    """Compare upgrades at head."""
    from benchmarks.upgrades import measure

    _run_together("upgrades", measure, options)


def _run_together(
    section: str, measure: Callable[[str], Iterable[dict[str, Any]]], options: argparse.Namespace
) -> None:
    rows: list[dict[str, Any]] = []
    for name in options.databases:
        with databases.database(name) as url:
            rows += _printed(measure(url))
            keep(options.json, section, rows, machine(databases.versions(url), options.busy))


def run_plot(options: argparse.Namespace) -> None:
    """Write the documentation's tables and plot."""
    from benchmarks.plot import write

    write(options.figures, options.page)


def busy(seconds: float = 2.0) -> float | None:
    """Give the share of the processors that others use now; None where the system does not tell."""
    if not Path("/proc/stat").exists():
        return None
    before = _ticks()
    time.sleep(seconds)
    total, idle = (after - earlier for after, earlier in zip(_ticks(), before, strict=True))
    return round(1 - idle / total, 2)


def _ticks() -> tuple[int, int]:
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return sum(ticks), ticks[3] + ticks[4]


def machine(versions: dict[str, str], busy_before: float | None) -> dict[str, Any]:
    """Say on what was measured, and how busy it was before."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "busy": busy_before,
        "machine": platform.machine(),
        "python": platform.python_version(),
        **versions,
    }


def _printed(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = []
    for row in rows:
        kept.append(row)
        print("  ".join(f"{key}={_short(value)}" for key, value in row.items() if value is not None), flush=True)
    return kept


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
