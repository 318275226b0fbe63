"""K-3: whatever a writer is killed at, the old document is there, whole, or the new one."""

from __future__ import annotations

from typing import Any

import pytest

from ragstore import AsyncStore
from ragstore.corpus.documents import putting
from ragstore.testing.factories import DIMENSIONS, MODEL, chunks, document
from tests.conformance.support import Database

pytestmark = pytest.mark.anyio


class Killed(BaseException):
    """As if the process had ended here."""


def killed_at(step: int, steps: Any) -> Any:
    """Run so many of the steps, and end at the next one."""
    try:
        asked = next(steps)
        for _ in range(step):
            asked = steps.send((yield asked))
    except StopIteration as stop:
        return stop.value
    raise Killed


@pytest.mark.parametrize("many", [3, 80])
async def test_a_put_killed_at_any_step(
    async_store: AsyncStore, db: Database, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    await async_store.collections.ensure("docs", model=MODEL, dimensions=DIMENSIONS)
    await async_store.documents.put("docs", document(1), chunks(many))
    old, put, step = db.versions(), putting.put_all, 0
    new = [*chunks(many, of=2), *chunks(2)[::-1]]
    while True:
        with monkeypatch.context() as patch:
            patch.setattr(putting, "put_all", lambda *given, step=step: killed_at(step, put(*given)))
            try:
                await async_store.documents.put("docs", document(1, title="New"), new)
                break
            except Killed:
                assert db.versions() == old
        step += 1
    assert step > 8
    found = await async_store.documents.find("docs", "doc-1.txt")
    assert found is not None
    stored = [chunk.content for chunk in await async_store.chunks.page(found.id, limit=200)]
    assert (found.title, stored) == ("New", [chunk.content for chunk in new])
    assert db.words() == len(new)
