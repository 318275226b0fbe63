"""What the async face waits with loses no cancellation, also one that comes at the moment of the answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import closing
from typing import Any

import pytest

from ragstore.core._face_async import Slots, socket_ready, within

pytestmark = pytest.mark.anyio

Begun = tuple[Coroutine[Any, Any, object], Callable[[], object]]
"""A wait, and what makes it end."""
TURNS = range(12)
"""Of the event loop, between an answer and a cancellation."""


async def cancelled(begun: Begun, turns: int) -> None:
    """Cancel a wait so many turns of the loop after its answer; if it had not ended by then, it is cancelled."""
    wait, answer = begun
    task = asyncio.ensure_future(wait)
    for _ in range(5):
        await asyncio.sleep(0)
    answer()
    for _ in range(turns):
        await asyncio.sleep(0)
    if task.cancel():
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_socket() -> None:
    for turns in TURNS:
        ours, theirs = socket.socketpair()
        with closing(ours), closing(theirs):
            begun = socket_ready(ours.fileno(), write=False, seconds=60), lambda: theirs.send(b"x")  # noqa: B023
            await cancelled(begun, turns)


async def test_a_call_that_goes_on() -> None:
    """Nor is what it gives lost."""
    for turns in TURNS:
        answer = asyncio.get_running_loop().create_future()
        late: list[object] = []
        given = within(60, lambda: answer, late.append)  # noqa: B023
        task = asyncio.ensure_future(cancelled((given, lambda: answer.set_result("made")), turns))  # noqa: B023
        await task
        await asyncio.sleep(0)


async def test_a_slot() -> None:
    """Nor is the slot."""
    for turns in TURNS:
        slots = Slots(1)
        assert await slots.acquire(1)
        taken: list[bool] = []

        async def take(slots: Slots = slots, taken: list[bool] = taken) -> None:
            taken.append(await slots.acquire(60))

        await cancelled((take(), slots.release), turns)
        if taken:
            slots.release()
        assert await slots.acquire(1)
