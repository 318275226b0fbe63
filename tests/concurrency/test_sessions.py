"""Sessions under many hands: rotations, logins against a bound, purges; threads and processes, on both databases."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TypeVar

from ragstore.config import Settings
from ragstore.errors import LimitExceeded
from ragstore.sessions.records import SessionEvent, SessionRules
from ragstore.store._sync import Store

T = TypeVar("T")

PATIENT = Settings(busy_timeout=60.0, pool_timeout=60.0)
PROCESSES = 4
BOUND = 3
EVICTING = SessionRules("login", max_sessions=BOUND)
REJECTING = SessionRules("login", max_sessions=BOUND, on_limit="reject")


def together(workers: int, work: Callable[[int], T]) -> list[T]:
    barrier = Barrier(workers)

    def run(worker: int) -> T:
        barrier.wait()
        return work(worker)

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, range(workers)))


def in_processes(work: Callable[..., T], *arguments: object) -> list[T]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        return [done.result() for done in [pool.submit(work, *arguments) for _ in range(PROCESSES)]]


def rotate_in_process(url: str, token: str) -> list[str]:
    with Store.open(url, PATIENT) as store:
        given = together(5, lambda _: store.sessions.rotate(token))
        return [new.token for new in given if new is not None]


def log_in(url: str, rules: SessionRules, times: int) -> tuple[list[str], int]:
    """Log one user in again and again; give the tokens, and how often it was refused."""
    tokens, refused = [], 0
    with Store.open(url, PATIENT) as store:
        store.sessions.define(rules)
        for _ in range(times):
            try:
                tokens.append(store.sessions.create("ann").token)
            except LimitExceeded:
                refused += 1
            assert len(store.sessions.list_user("ann")) <= BOUND
    return tokens, refused


def test_twenty_threads_rotate_one_token(database_url: str) -> None:
    """S-3: again and again one secret is minted, and all twenty are given it."""
    with Store.open(database_url, PATIENT) as store:
        heard: list[SessionEvent] = []
        token = store.sessions.create("ann").token
        store.sessions.on_event(heard.append)
        for _ in range(5):
            given = together(20, lambda _, token=token: store.sessions.rotate(token))  # type: ignore[misc]
            tokens = {None if new is None else new.token for new in given}
            assert len(tokens) == 1
            (token,) = tokens  # type: ignore[assignment]
            assert store.sessions.authenticate(token) is not None
        assert [event.type for event in heard] == ["rotated"] * 5


def test_processes_rotate_one_token(database_url: str) -> None:
    """S-3: twenty callers in four processes, which share nothing but the database."""
    with Store.open(database_url, PATIENT) as store:
        first = store.sessions.create("ann")
        tokens = [token for given in in_processes(rotate_in_process, database_url, first.token) for token in given]
        assert (len(tokens), len(set(tokens))) == (20, 1)
        session = store.sessions.authenticate(tokens[0])
        assert session is not None
        assert session.id == first.session.id


def test_logins_of_one_user_evict_exactly(database_url: str) -> None:
    """S-7: at no moment has the user more than the bound, nor has he less in the end."""
    done = in_processes(log_in, database_url, EVICTING, 15)
    tokens = [token for given, _ in done for token in given]
    with Store.open(database_url) as store:
        live = [session for token in tokens if (session := store.sessions.authenticate(token)) is not None]
        assert len(tokens) == 15 * PROCESSES
        assert len(live) == len(store.sessions.list_user("ann")) == BOUND


def test_logins_of_one_user_are_refused_exactly(database_url: str) -> None:
    """S-7: of all that try, as many as the bound get in."""
    done = in_processes(log_in, database_url, REJECTING, 5)
    assert sum(len(tokens) for tokens, _ in done) == BOUND
    assert sum(refused for _, refused in done) == 5 * PROCESSES - BOUND
    with Store.open(database_url) as store:
        assert all(store.sessions.authenticate(token) for tokens, _ in done for token in tokens)


def test_what_is_revoked_stays_so(database_url: str) -> None:
    """S-6, S-8: whatever else is done with a session in the same moment, once it is revoked it is over."""
    with Store.open(database_url, PATIENT) as store:
        for _ in range(10):
            new = store.sessions.create("ann")
            later = new.session.created_at + timedelta(minutes=5)
            works: list[Callable[[], object]] = [
                lambda new=new: store.sessions.revoke(new.token),  # type: ignore[misc]
                lambda new=new, later=later: store.sessions.authenticate(new.token, now=later),  # type: ignore[misc]
                lambda new=new: store.sessions.rotate(new.token),  # type: ignore[misc]
                lambda: store.sessions.revoke_user("ann"),
            ]
            answers = together(len(works), lambda worker, works=works: works[worker]())  # type: ignore[misc]
            ended = [answers[0] is True, answers[3] == 1].count(True)
            # after `rotate` the old token, used five minutes later, is a replay, which ends the session as well
            assert ended == 1 or (ended == 0 and answers[1] is None)
            assert store.sessions.authenticate(new.token) is None
            assert store.sessions.rotate(new.token) is None
            assert store.sessions.list_user("ann") == []


def test_two_ways_of_revoking_never_wait_for_each_other(postgres_url: str) -> None:
    """S-6: rows are locked in one order, so no deadlock costs one of them its call."""
    with Store.open(postgres_url, PATIENT) as store:
        for _ in range(10):
            for number in range(20):
                store.sessions.create("ann", organisation_id="acme", kind=f"k{number % 3}")
            ways: list[Callable[[], int]] = [
                lambda: store.sessions.revoke_user("ann"),
                lambda: store.sessions.revoke_organisation("acme"),
            ]
            ended = together(4, lambda worker, ways=ways: ways[worker % 2]())  # type: ignore[misc]
            assert sum(ended) == 20


def test_several_purge_at_once(database_url: str) -> None:
    """S-9: no row is deleted twice, none is left, and on PostgreSQL none is waited for."""
    with Store.open(database_url, PATIENT) as store:
        heard: list[SessionEvent] = []
        store.sessions.on_event(heard.append)
        made = [store.sessions.create("ann").session for _ in range(200)]
        heard.clear()
        end = max(session.ends_at for session in made)

        def purge(_worker: int) -> int:
            total = 0
            while deleted := store.maintenance().purge_sessions(max_rows=20, now=end):
                total += deleted
            return total

        assert sum(together(4, purge)) + purge(0) == 200
        assert sorted(event.session_id for event in heard) == sorted(session.id for session in made)
        assert {event.type for event in heard} == {"expired"}
