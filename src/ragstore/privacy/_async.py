"""What spans all that is stored of a user or a tenant: export and erasure."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

from ragstore.conversations._async import AsyncConversations
from ragstore.core import border
from ragstore.core._async import AsyncAccess, AsyncRepository, AsyncWork
from ragstore.corpus.spaces._async import AsyncSpaces
from ragstore.errors import InvalidInput
from ragstore.privacy import erasing, exporting
from ragstore.privacy.records import ErasureReport
from ragstore.privacy.statements import Scope
from ragstore.sessions._async import AsyncSessions
from ragstore.sessions.book import SessionBook
from ragstore.sessions.tables import HOST_ID_BYTES

if TYPE_CHECKING:
    from ragstore.backends import AnyBackend


class AsyncPrivacy(AsyncRepository["AnyBackend"]):
    """Export and erasure; the store's methods of these names say more."""

    def __init__(self, access: AsyncAccess[AnyBackend], book: SessionBook) -> None:
        """Read and write through `access`, and tell the listeners of `book` of sessions that end."""
        super().__init__(access)
        self._book = book

    def export_user(self, user_id: str) -> AsyncIterator[str]:
        """Read out a user's data."""
        return self._export(self._tenant, _user(user_id))

    async def _export(self, tenant: str, user: str) -> AsyncIterator[str]:
        async for text in AsyncConversations(self._access).export(user_id=user):
            yield text
        for kind in exporting.KINDS:
            after = UUID(int=0)
            while found := await self._fetch(kind.next(tenant, user, after)):
                for _, text in found:
                    yield text
                after = found[-1][0]

    async def erase_user(self, user_id: str, *, dry_run: bool) -> ErasureReport:
        """Delete a user's data."""
        user = _user(user_id)
        scope = Scope(self._tenant, user)
        if dry_run:
            return await self._count(scope)
        await AsyncSessions(self._access, self._book).revoke_user(user)  # whose listeners are told
        return await self._erase(scope)

    async def erase_tenant(self, *, confirm: str, dry_run: bool) -> ErasureReport:
        """Delete a tenant's data."""
        if confirm != self._tenant:
            raise InvalidInput(f"must be {self._tenant!r}, the name of the tenant to be erased", field="confirm")
        scope = Scope(self._tenant)
        if dry_run:
            return await self._count(scope)
        report = await self._erase(scope)
        self._access.catalog.clear()
        await AsyncSpaces(self._access).drop_unused_indexes()
        return report

    async def _count(self, scope: Scope) -> ErasureReport:
        counted = await self._access.read(lambda: erasing.count(self._backend.name, scope))
        return _report(counted, dry_run=True, traces=False)

    async def _erase(self, scope: Scope) -> ErasureReport:
        erased: Counter[str] = Counter()
        for batch in erasing.batches(self._backend.name, scope):
            while some := await self._erase_batch(batch, scope):
                erased += some
        async with self._access.autocommitting() as work:
            clean = await self._clear_traces(work)
        return _report(erased, dry_run=False, traces=not clean)

    async def _erase_batch(self, batch: erasing.Batch, scope: Scope) -> Counter[str]:
        async with self._overwriting() as work:
            return await work.steps(erasing.erase(batch, scope))

    @asynccontextmanager
    async def _overwriting(self) -> AsyncIterator[AsyncWork]:
        """Give a transaction in which the bytes of what is deleted are overwritten, where the database can do so."""
        async with self._access.writing() as work:
            usual = await self._overwrite_deleted(work, None)
            try:
                yield work
            finally:
                await self._overwrite_deleted(work, usual)

    async def _overwrite_deleted(self, work: AsyncWork, mode: int | None) -> int | None:
        with self._backend.translating():
            return await work.connection.run_sync(self._backend.overwrite_deleted, mode)

    async def _clear_traces(self, work: AsyncWork) -> bool:
        with self._backend.translating():
            return await work.connection.run_sync(self._backend.clear_traces)


def _report(rows: Counter[str], *, dry_run: bool, traces: bool) -> ErasureReport:
    found = {name: count for name, count in sorted(rows.items()) if count}
    return ErasureReport(rows=found, dry_run=dry_run, traces=traces)


def _user(user_id: str) -> str:
    return border.name(user_id, field="user_id", max_bytes=HOST_ID_BYTES)
