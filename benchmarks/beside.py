"""ragstore and its peers on the same data in the same run, in turn."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from benchmarks.data import Data
from benchmarks.measure import Job, in_turn, timed
from benchmarks.peers import PEERS, Peer
from benchmarks.proxy import CountingProxy

DOCUMENTS_A_BATCH = 200


def compare(url: str, data: Data, rounds: int, only: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Load, index and search with each of them, in turn; one row for each."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        peers = _created(url, Path(folder), only)
        rows = {peer.name: {"peer": peer.name, "size": data.size, **_described(peer)} for peer in peers}
        _load(peers, rows, data)
        _execute_all(url, "VACUUM (ANALYZE)", "CHECKPOINT")
        for peer in peers:
            peer.open(peer.url)
        _time(peers, rows, data, rounds)
        for peer in peers:
            peer.close()
        for peer in peers:
            if peer.on_server:
                rows[peer.name]["round_trips"] = _round_trips(peer, data)
        # what a user of pgvector 0.8 may set for a database, since none of the packages sets it
        database = make_url(url).database
        _execute_all(url, f"ALTER DATABASE {database} SET hnsw.iterative_scan = 'relaxed_order'")
        on_server = [peer for peer in peers if peer.on_server]
        for peer in on_server:
            peer.open(peer.url)
        _search(on_server, rows, data, rounds, "iterative", filtered=True)
        for peer in on_server:
            peer.close()
        yield from rows.values()


def _created(url: str, folder: Path, only: Sequence[str] | None) -> list[Peer]:
    peers = []
    _execute_all(url, "CREATE EXTENSION IF NOT EXISTS vector")
    for kind in PEERS:
        peer = kind(url, folder)
        if only and peer.package not in only and peer.name not in only:
            continue
        try:
            peer.create()
        except ImportError as missing:
            print(f"{peer.name} is not measured: {missing}")
            continue
        peers.append(peer)
    return peers


def _described(peer: Peer) -> dict[str, str]:
    return {"package": peer.package, "version": version(peer.package), "setup": peer.setup}


def _execute_all(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _load(peers: Sequence[Peer], rows: dict[str, dict[str, Any]], data: Data) -> None:
    took = dict.fromkeys(rows, 0.0)
    for start in range(0, len(data.documents), DOCUMENTS_A_BATCH):
        batch = data.documents[start : start + DOCUMENTS_A_BATCH]
        for peer in peers:
            took[peer.name] += timed(partial(peer.load, batch))
    for peer in peers:
        rows[peer.name] |= {"load": data.size / took[peer.name], "index": timed(peer.index)}


def _time(peers: Sequence[Peer], rows: dict[str, dict[str, Any]], data: Data, rounds: int) -> None:
    _search(peers, rows, data, rounds, "search")
    _search(peers, rows, data, rounds, "filter", filtered=True)
    able = [peer for peer in peers if peer.hybrid(data.texts[0], data.vectors[0]) is not None]
    asked = list(zip(data.texts, data.vectors, strict=True))
    jobs = [_in_order(asked, lambda pair, peer=peer: peer.hybrid(*pair)) for peer in able]
    for peer, timing in zip(able, in_turn(*jobs, rounds=rounds), strict=True):
        rows[peer.name] |= {"hybrid_p50": timing.p50, "hybrid_p95": timing.p95}


def _search(
    peers: Sequence[Peer],
    rows: dict[str, dict[str, Any]],
    data: Data,
    rounds: int,
    what: str,
    *,
    filtered: bool = False,
) -> None:
    width = next(width for width in data.widths if width.name == "1 %") if filtered else None
    for peer in peers:
        found = [peer.search(vector, filtered=filtered) for vector in data.vectors]
        returned = sum(map(len, found)) / len(found)
        rows[peer.name] |= {f"{what}_rows": returned, f"{what}_recall": data.recall(found, width)}
    jobs = [_in_order(data.vectors, partial(peer.search, filtered=filtered)) for peer in peers]
    for peer, timing in zip(peers, in_turn(*jobs, rounds=rounds), strict=True):
        rows[peer.name] |= {f"{what}_p50": timing.p50, f"{what}_p95": timing.p95}


def _in_order(queries: Iterable[Any], ask: Callable[[Any], object]) -> Job:
    turn = itertools.cycle(queries)
    return lambda: ask(next(turn))


def _round_trips(peer: Peer, data: Data, times: int = 5) -> float:
    with CountingProxy(peer.url) as proxy:
        peer.open(proxy.url)
        for vector in data.vectors[:3]:
            peer.search(vector)
        before = proxy.round_trips
        for vector in data.vectors[:times]:
            peer.search(vector)
        peer_trips = (proxy.round_trips - before) / times
        peer.close()
    return peer_trips
