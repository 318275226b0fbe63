"""A folder of real texts: how long it takes to load, index and search them, and what that takes of disk and memory.

The folder holds `chunks.jsonl`, a chunk a line ("path", "title", "heading", "chunk_index", "doc_type", "text", in
reading order), and `emb.npy`, row i for line i. Without the latter, words alone are measured.
"""

from __future__ import annotations

import itertools
import json
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from benchmarks.data import DIMENSIONS, Floats, moved, seven_words
from benchmarks.databases import path_of
from benchmarks.measure import in_turn, timed
from benchmarks.memory import grown
from ragstore import NewChunk, NewDocument, Settings, Store

COLLECTION = "corpus"
QUERIES = 60


def measure(url: str, folder: Path, limit: int | None, rounds: int) -> Iterator[dict[str, Any]]:
    """Measure all of it on one database."""
    database = url.split(":", maxsplit=1)[0]
    fact = lambda what, value, unit: {"database": database, "fact": what, "value": value, "unit": unit}
    if not (folder / "emb.npy").exists():
        print(f"no vectors are measured: there is no {folder / 'emb.npy'}")
    (chunks, seconds), memory = grown(load, url, folder, limit)
    yield fact("chunks", chunks, "")
    yield fact("load", chunks / seconds, "chunks/s")
    yield fact("memory that loading took at most", memory, "MB")
    with Store.open(url, Settings(index_above=None)) as store:
        took = timed(lambda: store.documents.load(COLLECTION, documents(folder, limit)))
        yield fact("put again unchanged", chunks / took, "chunks/s")
        yield fact("taking statistics", timed(lambda: store.collections.analyze(COLLECTION)), "s")
        for table, size in sizes(url).items():
            yield fact(f"size of {table}", size, "MB")
        yield from _compare_texts(database, url, store, folder, chunks, rounds)
        if (folder / "emb.npy").exists():
            yield from _time_vectors(fact, store, folder, chunks, rounds)
            yield from _time_index(fact, url, store, folder, chunks, rounds)
    yield fact("memory that 60 searches took at most", grown(search_all, url, folder, chunks)[1], "MB")


def documents(folder: Path, limit: int | None) -> Iterator[tuple[NewDocument, list[NewChunk]]]:
    """Read the documents one by one."""
    emb = folder / "emb.npy"
    with (folder / "chunks.jsonl").open(encoding="utf-8") as lines:
        numbered = enumerate(json.loads(line) for line in itertools.islice(lines, limit))
        for path, group in itertools.groupby(numbered, lambda pair: (pair[1]["package"], pair[1]["path"])):
            rows = list(group)
            first, found = rows[0][0], rows[0][1]
            # mapped anew for each document: what stays mapped counts as memory
            vectors = (
                np.load(emb, mmap_mode="r")[first : first + len(rows)].astype(np.float32) if emb.exists() else None
            )
            document = NewDocument(source="/".join(path), title=found["title"], doc_type=found["doc_type"])
            yield (
                document,
                [
                    NewChunk(
                        content=row["text"], heading=row["heading"], embedding=None if vectors is None else vectors[i]
                    )
                    for i, (_, row) in enumerate(rows)
                ],
            )


def load(url: str, folder: Path, limit: int | None) -> tuple[int, float]:
    """Load the folder; give the number of chunks and the seconds."""
    with Store.open(url, Settings(index_above=None)) as store:
        store.collections.ensure(COLLECTION, model="all-MiniLM-L6-v2", dimensions=DIMENSIONS)
        began = time.perf_counter()
        store.documents.load(COLLECTION, documents(folder, limit))
        return store.chunks.count(COLLECTION), time.perf_counter() - began


def queries(folder: Path, chunks: int) -> tuple[list[str], Floats | None]:
    """Take seven words that stand together in each of 60 chunks, and those chunks' vectors, moved a little."""
    draw = random.Random(7)
    asked = sorted(draw.sample(range(chunks), min(QUERIES, chunks)))
    texts, chosen = [], set(asked)
    with (folder / "chunks.jsonl").open(encoding="utf-8") as lines:
        for i, line in enumerate(itertools.islice(lines, chunks)):
            if i in chosen:
                texts.append(seven_words(json.loads(line)["text"], draw))
    if not (folder / "emb.npy").exists():
        return texts, None
    vectors = np.load(folder / "emb.npy", mmap_mode="r")[asked].astype(np.float32)
    return texts, moved(vectors, np.random.default_rng(7))


def search_all(url: str, folder: Path, chunks: int) -> None:
    """Search in each mode 20 times."""
    texts, vectors = queries(folder, chunks)
    with Store.open(url, Settings(index_above=None)) as store:
        for i, text in enumerate(texts[:20]):
            store.chunks.search(COLLECTION, text=text)
            if vectors is not None:
                store.chunks.search(COLLECTION, embedding=vectors[i])
                store.chunks.search(COLLECTION, text=text, embedding=vectors[i])


# ---------------------------------------------------------------------------------- the database's own text search


def _compare_texts(
    database: str, url: str, store: Store, folder: Path, chunks: int, rounds: int
) -> Iterator[dict[str, Any]]:
    """Find the ten best for seven words, by ours and by what the database brings, over the same rows."""
    texts, _ = queries(folder, chunks)
    name, theirs = _fts5(url) if database == "sqlite" else _ts_rank_cd(url)
    mine, its = itertools.cycle(texts), itertools.cycle(texts)
    timings = in_turn(
        lambda: store.chunks.search(COLLECTION, text=next(mine)), lambda: theirs(next(its)), rounds=rounds, warm_up=5
    )
    for who, timing in zip(("text search", f"text search by {name}"), timings, strict=True):
        yield {"database": database, "fact": who, "value": timing.p50 * 1e3, "unit": "ms", "p95": _ms(timing.p95)}
    ratio = timings[1].p50 / timings[0].p50
    yield {"database": database, "fact": f"{name} over ours, p50", "value": ratio, "unit": "times"}


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e3


def _ts_rank_cd(url: str) -> tuple[str, Callable[[str], object]]:
    connection = psycopg.connect(url, autocommit=True, prepare_threshold=0)
    connection.execute(
        "CREATE TABLE floor_text AS SELECT id, content, to_tsvector('english', content) AS words FROM ragstore.rag_chunk"
    )
    connection.execute("CREATE INDEX ON floor_text USING gin (words)")
    connection.execute("VACUUM (ANALYZE) floor_text")
    statement = (
        "SELECT id, content, ts_rank_cd(words, query) AS score FROM floor_text,"
        " (SELECT replace(plainto_tsquery('english', %s)::text, '&', '|')::tsquery AS query) q"
        " WHERE words @@ query ORDER BY score DESC, id LIMIT 10"
    )
    return "ts_rank_cd", lambda text: connection.execute(statement, [text]).fetchall()


def _fts5(url: str) -> tuple[str, Callable[[str], object]]:
    path = Path(path_of(url))
    connection = sqlite3.connect(path.with_name("fts5.db"), isolation_level=None)
    connection.execute("CREATE VIRTUAL TABLE texts USING fts5(content, tokenize = 'porter unicode61')")
    connection.execute("ATTACH ? AS host", [str(path)])
    connection.execute("INSERT INTO texts SELECT content FROM host.rag_chunk")
    connection.execute("INSERT INTO texts (texts) VALUES ('optimize')")
    connection.execute("DETACH host")

    def search(text: str) -> object:
        words = ["".join(filter(str.isalnum, word)) for word in text.split()]
        asked = " OR ".join(f'"{word}"' for word in words if word) or '""'
        statement = "SELECT rowid, content, bm25(texts) FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT 10"
        return connection.execute(statement, [asked]).fetchall()

    return "FTS5", search


# --------------------------------------------------------------------------------------------- vectors and indexes


def _time_vectors(
    fact: Callable[..., dict[str, Any]], store: Store, folder: Path, chunks: int, rounds: int, how: str = "exact"
) -> Iterator[dict[str, Any]]:
    texts, vectors = queries(folder, chunks)
    assert vectors is not None
    one, both = itertools.cycle(vectors), itertools.cycle(list(zip(texts, vectors, strict=True)))

    def hybrid() -> None:
        text, vector = next(both)
        store.chunks.search(COLLECTION, text=text, embedding=vector)

    timings = in_turn(lambda: store.chunks.search(COLLECTION, embedding=next(one)), hybrid, rounds=rounds)
    for name, timing in zip(("vector search", "hybrid search"), timings, strict=True):
        yield fact(f"{name} ({how})", timing.p50 * 1e3, "ms") | {"p95": _ms(timing.p95)}


def _time_index(
    fact: Callable[..., dict[str, Any]], url: str, store: Store, folder: Path, chunks: int, rounds: int
) -> Iterator[dict[str, Any]]:
    create = getattr(getattr(store, "spaces", None), "create_index", None)
    if url.startswith("sqlite"):
        return
    if create is None:
        print("no approximate index measured: this ragstore has no store.spaces.create_index")
        return
    before = sum(sizes(url).values())
    yield fact("building an HNSW index", timed(lambda: create(COLLECTION, method="hnsw")), "s")
    yield fact("size of the HNSW index", sum(sizes(url).values()) - before, "MB")
    yield from _time_vectors(fact, store, folder, chunks, rounds, how="hnsw")


def sizes(url: str) -> dict[str, float]:
    """Give the megabytes of each table with its indexes; SQLite tells only of the file."""
    if url.startswith("sqlite"):
        with sqlite3.connect(path_of(url)) as connection:
            pages, of = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        connection.close()
        return {"the file": pages * of / 2**20}
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT relname, pg_total_relation_size(oid) / 1048576.0 FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'ragstore'::regnamespace AND pg_total_relation_size(oid) > 1048576 ORDER BY 2 DESC"
        ).fetchall()
    return {name: float(size) for name, size in rows}
