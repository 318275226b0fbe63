"""How the demonstration shows what it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ragstore import LoadReport, SearchHit
from ragstore.demo.answers import Answer
from ragstore.demo.stdlib import Library
from ragstore.demo.stored import Stored

UNREADABLE_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the demonstration and how long it took."""

    name: str
    seconds: float
    note: str


@dataclass(slots=True)
class Clock:
    """The steps so far."""

    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """Time a step; notes put into the list are shown beside it."""
        notes: list[str] = []
        start = time.perf_counter()
        yield notes
        self.steps.append(Step(name, time.perf_counter() - start, ", ".join(notes)))


@contextmanager
def progress_bar(console: Console, what: str, unit: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar; tell it the number done and the total."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def show_unreadable(console: Console, library: Library) -> None:
    """Name the files that could not be read."""
    for path, reason in library.unreadable[:UNREADABLE_SHOWN]:
        console.print(Text(f"not read: {path}: {reason}", style="yellow"))
    if rest := len(library.unreadable[UNREADABLE_SHOWN:]):
        console.print(Text(f"not read: {rest} more files", style="yellow"))


def show_load(console: Console, report: LoadReport, embedded: int) -> None:
    """Say what the load changed."""
    total = report.added + report.updated + report.moved + report.unchanged
    if report.unchanged == total and not report.deleted and not report.errors:
        line = f"Nothing has changed: {report.unchanged:,} of {total:,} chunks unchanged, {embedded:,} texts embedded."
    else:
        counts = {name: getattr(report, name) for name in ("added", "updated", "moved", "unchanged", "deleted")}
        parts = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
        line = f"{report.documents:,} documents: {parts or 'no'} chunks, {embedded:,} texts embedded."
    console.print(Text(line, style="bold green"))
    for error in report.errors:
        console.print(Text(f"not stored: {error.source}: {error.error}", style="yellow"))


def show_answer(console: Console, answer: Answer) -> None:
    """Show a question, its answer and where that came from."""
    parts: list[Text | Table] = [Text(answer.text)]
    if answer.hits:
        parts += [Text(), _sources(answer.hits)]
    title = Text(answer.question, style="bold")
    footer = f"{answer.hits.mode} search, {answer.seconds * 1000:.0f} ms"
    console.print(Panel(Group(*parts), title=title, title_align="left", subtitle=footer, subtitle_align="right"))


def _sources(hits: Sequence[SearchHit]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("", "score", "vector", "text"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("found in", overflow="fold")
    for place, hit in enumerate(hits, start=1):
        ranks = (_rank(hit.vector_rank), _rank(hit.text_rank))
        table.add_row(str(place), f"{hit.score:.4f}", *ranks, _where(hit))
    return table


def _where(hit: SearchHit) -> Text:
    kind, line = hit.metadata.get("doc_type"), hit.metadata.get("line")
    name = Text(hit.heading or hit.title, style="bold cyan")
    return name + Text(f"  {kind}, module {hit.title}\n{hit.source}, line {line}", style="not bold default")


def _rank(rank: int | None) -> str:
    return "-" if rank is None else f"#{rank}"


def show_stored(console: Console, stored: Stored) -> None:
    """Say what the database holds."""
    table = Table("stored", header_style="dim")
    table.add_column("", justify="right")
    for name, count in stored.rows.items():
        table.add_row(name, f"{count:,}")
    table.add_row("size", f"{stored.size / 1_000_000:.1f} MB")
    console.print(table)


def show_times(console: Console, clock: Clock) -> None:
    """Say how long each step took."""
    table = Table(header_style="dim", show_footer=True)
    table.add_column("step", "all")
    table.add_column("seconds", f"{sum(step.seconds for step in clock.steps):.2f}", justify="right")
    table.add_column("")
    for step in clock.steps:
        table.add_row(step.name, f"{step.seconds:.2f}", step.note)
    console.print(table)
