"""The demonstration from the first step to the last."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

import ragstore
from ragstore import Store
from ragstore.demo import report
from ragstore.demo.answers import COLLECTION, THREAD, ask
from ragstore.demo.embedding import Embedder, load_embedder
from ragstore.demo.stdlib import library_folder, read_library, to_item
from ragstore.demo.stored import measure
from ragstore.demo.target import Target
from ragstore.errors import UsageError

SAMPLES = (
    "How can I run a command and capture its output?",
    "How do I create a temporary directory?",
    "How do I compress data with gzip?",
)
HISTORY = 10
COMMIT_EVERY = 25
BATCH = 256


@dataclass(frozen=True, slots=True)
class Options:
    """What to do.

    Attributes:
        questions: What to answer; none: ask at the terminal, or answer three samples.
        target: Where to store.
        limit: Passages for each question.
        modules: Index only the first so many modules; None: all.
        embedder: `module:callable`; None: the demonstration's own.
    """

    questions: tuple[str, ...]
    target: Target
    limit: int = 5
    modules: int | None = None
    embedder: str | None = None


def run(options: Options, console: Console | None = None) -> None:
    """Upgrade the database, index the documentation, answer the questions, and say what is stored."""
    console = console or Console()
    clock = report.Clock()
    embedder = load_embedder(options.embedder)
    _introduce(console, options.target, embedder)
    with clock.step("upgrade the schema") as notes:
        result = ragstore.upgrade(options.target.url)
        notes.append(f"applied {', '.join(result.applied)}" if result.applied else f"at {result.to_revision} already")
    with Store.open(options.target.url) as store:
        collection = collection_for(embedder)
        index(store, collection, embedder, console, clock, modules=options.modules)
        _answer(store, collection, embedder, options, console, clock)
        _show_history(store, console)
        report.show_stored(console, measure(store))
    report.show_times(console, clock)


def _introduce(console: Console, target: Target, embedder: Embedder) -> None:
    console.print(Text(f"Python {platform.python_version()}, documentation from {library_folder()}"))
    console.print(Text(f"Database: {target.label}"))
    console.print(Text(f"Embedder: {embedder.name}, {embedder.dimensions} dimensions"))


def collection_for(embedder: Embedder) -> str:
    """Name the collection: each embedder has its own, so that vectors of two models never meet."""
    return COLLECTION if embedder.built_in else f"{COLLECTION} {embedder.name}"[:63]


def index(
    store: Store, collection: str, embedder: Embedder, console: Console, clock: report.Clock, *, modules: int | None
) -> None:
    """Read the documentation and load it; what is there already is neither embedded nor written again."""
    with clock.step("read the sources") as notes, report.progress_bar(console, "Reading ", "files") as bar:
        library = read_library(library_folder(), limit=modules, progress=bar)
        items = [to_item(module) for module in library.modules]
        notes.append(f"{len(items):,} documented modules, {sum(len(chunks) for _, chunks in items):,} chunks")
    report.show_unreadable(console, library)
    if not items:
        raise UsageError(f"there are no sources in {library_folder()}: run this with a Python that has its library")
    store.collections.ensure(collection, model=embedder.name, dimensions=embedder.dimensions, language="en")
    before = embedder.texts, embedder.seconds
    with clock.step("load") as notes, report.progress_bar(console, "Indexing", "modules") as bar:
        loaded = store.documents.load(
            collection,
            items,
            embed=embedder,
            batch_size=BATCH,
            commit_every=COMMIT_EVERY,
            partial=True,
            progress=lambda progress: bar(progress.documents, progress.total),
        )
        embedded = embedder.texts - before[0]
        notes.append(f"of it {embedder.seconds - before[1]:.2f} for embedding {embedded:,} texts")
    report.show_load(console, loaded, embedded)


def _answer(
    store: Store, collection: str, embedder: Embedder, options: Options, console: Console, clock: report.Clock
) -> None:
    for number, question in enumerate(_questions(options.questions, console), start=1):
        with clock.step(f"answer question {number}") as notes:
            answer = ask(store, collection, embedder, question, limit=options.limit)
            notes.append(f"of it {answer.seconds:.2f} for the search")
        report.show_answer(console, answer)


def _questions(given: tuple[str, ...], console: Console) -> Iterator[str]:
    if given or not sys.stdin.isatty():
        yield from given or SAMPLES
        return
    while True:
        try:
            question = console.input("[bold]Question[/] (an empty line ends): ").strip()
        except EOFError:
            return
        if not question:
            return
        yield question


def _show_history(store: Store, console: Console) -> None:
    messages = store.conversations.history(THREAD, limit=HISTORY)
    cited = sum(len(message.citations) for message in messages)
    head = messages[-1].seq if messages else 0
    read = f"the last {len(messages)}, read back, cite {cited} passages"
    console.print(Text(f"Conversation {THREAD!r}: {head:,} messages; {read}."))
