"""The jobs: each compares ragstore with its floor, in turn, on the same data in the same tables."""

from __future__ import annotations

import asyncio
import gc
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.data import COLLECTION, DIMENSIONS, Data, Document, Floats, Width
from benchmarks.floors import Floor, Plan, floor_of
from benchmarks.measure import Result, Timing, at_once, in_turn, timed, timing
from benchmarks.round_trips import count_round_trips
from ragstore import AsyncStore, NewMessage, Settings, Store

FLOOR_COLLECTION = "floor"
DOCUMENTS_A_COMMIT = 100
THREADS = 4
GOOD_RECALL = 0.95


@dataclass
class Bench:
    """One database with one size of data.

    Attributes:
        index: How vectors are searched now: "exact" or "hnsw".
    """

    url: str
    database: str
    store: Store
    floor: Floor
    data: Data
    rounds: int
    index: str = "exact"

    def result(self, job: str, ours: Timing, floor: Timing, **more: Any) -> Result:
        """Make a comparison's line."""
        return Result(self.database, job, self.data.size, ours, floor, **more)


def compare(url: str, data: Data, rounds: int) -> Iterator[Result]:
    """Compare all jobs on one database."""
    database = url.split(":", maxsplit=1)[0]
    gc.collect()
    gc.freeze()  # a host does not hold the whole corpus in memory, so collections shall not walk through it
    with Store.open(url, Settings(index_above=None)) as store:
        floor = floor_of(url)
        bench = Bench(url, database, store, floor, data, rounds)
        try:
            yield from _jobs(bench)
        finally:
            floor.close()


def _jobs(bench: Bench) -> Iterator[Result]:
    yield load(bench)
    yield put_again(bench)
    if bench.floor.index is None:
        yield from searches(bench)
    else:
        print("no exact search measured: the space has an approximate index already")
    yield text_search(bench)
    yield from messages(bench)
    if bench.database == "postgresql" and (bench.floor.index is not None or build_index(bench)):
        bench.index = "hnsw"
        yield from searches(bench)


# ------------------------------------------------------------------------------------------------------ writing


def load(bench: Bench) -> Result:
    """Load everything, batch by batch in turn; the floor writes the same into another collection of the same tables."""
    store, floor, data = bench.store, bench.floor, bench.data
    first, rest = data.documents[:10], data.documents[10:]
    for name in (COLLECTION, FLOOR_COLLECTION):
        store.collections.ensure(name, model="bench", dimensions=DIMENSIONS)
        store.documents.load(name, first)  # gives an average length to weigh by
    floor.find(FLOOR_COLLECTION)
    apart: list[float] = []

    def in_turns() -> Iterator[Document]:
        for batch in _batches(rest):
            apart.append(timed(lambda batch=batch: floor.load(batch)))
            yield from batch

    took = timed(lambda: store.documents.load(COLLECTION, in_turns(), commit_every=DOCUMENTS_A_COMMIT))
    store.collections.analyze(COLLECTION)
    store.collections.delete(FLOOR_COLLECTION)
    floor.settle()
    floor.find(COLLECTION)
    chunks, theirs = _count(rest), sum(apart)
    return bench.result("load, a chunk", Timing((took - theirs) / chunks), Timing(theirs / chunks))


def put_again(bench: Bench) -> Result:
    """Put the same again, and compare with reading and comparing the hashes."""
    sample = bench.data.documents[:1000]
    chunks = _count(sample)
    ours, theirs = in_turn(
        lambda: bench.store.documents.load(COLLECTION, sample, commit_every=DOCUMENTS_A_COMMIT),
        lambda: [bench.floor.compare(batch) for batch in _batches(sample)],
        rounds=5,
        warm_up=1,
    )
    return bench.result("put again unchanged, a chunk", Timing(ours.p50 / chunks), Timing(theirs.p50 / chunks))


def _batches(documents: Sequence[Document]) -> Iterator[Sequence[Document]]:
    for start in range(0, len(documents), DOCUMENTS_A_COMMIT):
        yield documents[start : start + DOCUMENTS_A_COMMIT]


def _count(documents: Sequence[Document]) -> int:
    return sum(len(chunks) for _, chunks in documents)


def build_index(bench: Bench) -> bool:
    """Build the approximate index with its defaults: there is no floor to that, both wait for the database."""
    create = getattr(getattr(bench.store, "spaces", None), "create_index", None)
    if create is None:
        print("no approximate index measured: this ragstore has no store.spaces.create_index")
        return False
    took = timed(lambda: create(COLLECTION, method="hnsw"))
    bench.floor.settle()
    bench.floor.find(COLLECTION)
    print(f"built an HNSW index over {bench.data.size:,} vectors in {took:.1f} s")
    if bench.floor.index is None:
        print("no approximate search measured: the index that was made is not found on rag_embedding")
    return bench.floor.index is not None


# ---------------------------------------------------------------------------------------------------- searching


def searches(bench: Bench) -> Iterator[Result]:
    """Search by vector, in all ways."""
    plain = vector_search(bench)
    yield plain
    for width in bench.data.widths:
        yield vector_search(bench, width)
    yield hybrid_search(bench)
    yield four_threads(bench, plain)
    yield awaited(bench)


def vector_search(bench: Bench, width: Width | None = None) -> Result:
    """Find the ten nearest with text and document; the floor takes its best plan."""
    store, vectors = bench.store, bench.data.vectors
    where = None if width is None else width.where
    search = lambda vector: store.chunks.search(COLLECTION, embedding=vector, where=where)
    name, plan, floor_recall = best_plan(bench, width)
    recall = _recall(bench, lambda vector: [(hit.source, hit.chunk_index) for hit in search(vector)], width)
    mine, its = itertools.cycle(vectors), itertools.cycle(vectors)
    ours, theirs = in_turn(lambda: search(next(mine)), lambda: plan(next(its)), rounds=bench.rounds)
    job = "vector search" if width is None else f"vector search, filter {width.name}"
    trips = count_round_trips(store, lambda: search(next(mine)))
    more = {"recall": recall, "floor_recall": floor_recall, "round_trips": trips}
    return bench.result(job, ours, theirs, index=bench.index, plan=name, **more)


def best_plan(bench: Bench, width: Width | None) -> tuple[str, Plan, float]:
    """Choose the fastest of the floor's plans that find enough; else the one that finds most."""
    floor, plans = bench.floor, bench.floor.plans(width)
    places = {
        name: lambda vector, plan=plan: [floor.place(row) for row in plan(vector)] for name, plan in plans.items()
    }
    recalls = {name: _recall(bench, of_plan, width) for name, of_plan in places.items()}
    good = [name for name in plans if recalls[name] >= GOOD_RECALL] or [max(plans, key=recalls.__getitem__)]
    turns = [itertools.cycle(bench.data.vectors) for _ in good]
    jobs = [lambda name=name, turn=turn: plans[name](next(turn)) for name, turn in zip(good, turns, strict=True)]
    times = in_turn(*jobs, rounds=min(bench.rounds, 20))
    best = min(zip(times, good, strict=True), key=lambda pair: pair[0].p50)[1]
    return best, plans[best], recalls[best]


def _recall(bench: Bench, search: Callable[[Floats], list[tuple[str, int]]], width: Width | None) -> float:
    vectors = bench.data.vectors if bench.index == "hnsw" else bench.data.vectors[:20]  # exact is slow, and sure
    return bench.data.recall([search(vector) for vector in vectors], width)


def text_search(bench: Bench) -> Result:
    """Find the ten best for seven words."""
    mine, its = itertools.cycle(bench.data.texts), itertools.cycle(bench.data.texts)
    search = lambda: bench.store.chunks.search(COLLECTION, text=next(mine))
    ours, theirs = in_turn(search, lambda: bench.floor.text_search(next(its)), rounds=bench.rounds)
    trips = count_round_trips(bench.store, search)
    return bench.result("text search, seven words", ours, theirs, round_trips=trips)


def hybrid_search(bench: Bench) -> Result:
    """Find the ten best by words and vector."""
    asked = list(zip(bench.data.texts, bench.data.vectors, strict=True))
    mine, its = itertools.cycle(asked), itertools.cycle(asked)

    def search() -> object:
        text, vector = next(mine)
        return bench.store.chunks.search(COLLECTION, text=text, embedding=vector)

    ours, theirs = in_turn(search, lambda: bench.floor.hybrid(*next(its)), rounds=bench.rounds)
    trips = count_round_trips(bench.store, search)
    return bench.result("hybrid search", ours, theirs, index=bench.index, round_trips=trips)


def four_threads(bench: Bench, plain: Result) -> Result:
    """Search from four threads, over one store and over four connections; time a query is 1 / rate."""
    data, plan = bench.data, plain.plan
    times = max(2, min(bench.rounds, int(0.5 / plain.ours.p50)))  # of each thread, in bursts of about a second
    floors = [bench.floor.another() for _ in range(THREADS)]
    plans = [floor.plans() for floor in floors]
    turns = [itertools.cycle(data.vectors[start::THREADS]) for start in range(THREADS)]
    kept = plan if plan in plans[0] else next(iter(plans[0]))
    ours = [lambda turn=turn: bench.store.chunks.search(COLLECTION, embedding=next(turn)) for turn in turns]
    theirs = [lambda turn=turn, of=of: of[kept](next(turn)) for turn, of in zip(turns, plans, strict=True)]
    at_once(ours, 3), at_once(theirs, 3)
    pairs = [(at_once(ours, times), at_once(theirs, times)) for _ in range(10)]
    for floor in floors:
        floor.close()
    mine, its = timing([a for a, _ in pairs]), timing([b for _, b in pairs])
    return bench.result("vector search, four threads", mine, its, index=bench.index, plan=kept)


def awaited(bench: Bench) -> Result:
    """Search by the async store; its floor is the sync one."""
    ours, theirs = asyncio.run(_awaited(bench))
    return bench.result("vector search, async", ours, theirs, index=bench.index, plan="ours, sync")


async def _awaited(bench: Bench) -> tuple[Timing, Timing]:
    ours: list[float] = []
    theirs: list[float] = []
    async with AsyncStore.open(bench.url) as store:
        for number, vector in zip(range(-3, bench.rounds), itertools.cycle(bench.data.vectors), strict=False):
            began = time.perf_counter()
            await store.chunks.search(COLLECTION, embedding=vector)
            took = time.perf_counter() - began
            sync = timed(lambda vector=vector: bench.store.chunks.search(COLLECTION, embedding=vector))
            if number >= 0:
                ours.append(took)
                theirs.append(sync)
    return timing(ours), timing(theirs)


# --------------------------------------------------------------------------------------------------- conversing


def messages(bench: Bench) -> Iterator[Result]:
    """Append one message, durably; read the newest 20."""
    store, floor, rounds = bench.store, bench.floor, max(bench.rounds, 100)
    theirs = floor.start("floor")
    append = lambda: store.conversations.append("ours", NewMessage(role="user", content="How do I open a file?"))
    pair = in_turn(append, lambda: floor.append(theirs, "How do I open a file?"), rounds=rounds)
    yield bench.result("append a message", *pair, round_trips=count_round_trips(store, append))
    latest = lambda: store.conversations.history("ours", limit=20)
    pair = in_turn(latest, lambda: floor.latest(theirs), rounds=rounds)
    yield bench.result("latest 20 messages", *pair, round_trips=count_round_trips(store, latest))
