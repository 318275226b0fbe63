# Generated from _async.py by tools/unasync.py: edit that file and run the tool again.
"""What spans all that is stored of a user or a tenant: export and erasure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

from ragstore.conversations._sync import Conversations
from ragstore.core import border
from ragstore.core._sync import Access, Repository, Work
from ragstore.corpus.spaces._sync import Spaces
from ragstore.errors import InvalidInput
from ragstore.privacy import erasing, exporting
from ragstore.privacy.records import ErasureReport
from ragstore.privacy.statements import Scope
from ragstore.sessions._sync import Sessions
from ragstore.sessions.book import SessionBook
from ragstore.sessions.tables import HOST_ID_BYTES

if TYPE_CHECKING:
    from ragstore.backends import AnyBackend


class Privacy(Repository["AnyBackend"]):
    """Export and erasure; the store's methods of these names say more."""

    def __init__(self, access: Access[AnyBackend], book: SessionBook) -> None:
        """Read and write through `access`, and tell the listeners of `book` of sessions that end."""
        super().__init__(access)
        self._book = book

    def export_user(self, user_id: str) -> Iterator[str]:
        """Read out a user's data."""
        return self._export(self._tenant, _user(user_id))

    def _export(self, tenant: str, user: str) -> Iterator[str]:
        for text in Conversations(self._access).export(user_id=user):
            yield text
        for kind in exporting.KINDS:
            after = UUID(int=0)
            while found := self._fetch(kind.next(tenant, user, after)):
                for _, text in found:
                    yield text
                after = found[-1][0]

    def erase_user(self, user_id: str, *, dry_run: bool) -> ErasureReport:
        """Delete a user's data."""
        user = _user(user_id)
        scope = Scope(self._tenant, user)
        if dry_run:
            return self._count(scope)
        Sessions(self._access, self._book).revoke_user(user)  # whose listeners are told
        return self._erase(scope)

    def erase_tenant(self, *, confirm: str, dry_run: bool) -> ErasureReport:
        """Delete a tenant's data."""
        if confirm != self._tenant:
            raise InvalidInput(f"must be {self._tenant!r}, the name of the tenant to be erased", field="confirm")
        scope = Scope(self._tenant)
        if dry_run:
            return self._count(scope)
        report = self._erase(scope)
        self._access.catalog.clear()
        Spaces(self._access).drop_unused_indexes()
        return report

    def _count(self, scope: Scope) -> ErasureReport:
        counted = self._access.read(lambda: erasing.count(self._backend.name, scope))
        return _report(counted, dry_run=True, traces=False)

    def _erase(self, scope: Scope) -> ErasureReport:
        erased: Counter[str] = Counter()
        for batch in erasing.batches(self._backend.name, scope):
            while some := self._erase_batch(batch, scope):
                erased += some
        with self._access.autocommitting() as work:
            clean = self._clear_traces(work)
        return _report(erased, dry_run=False, traces=not clean)

    def _erase_batch(self, batch: erasing.Batch, scope: Scope) -> Counter[str]:
        with self._overwriting() as work:
            return work.steps(erasing.erase(batch, scope))

    @contextmanager
    def _overwriting(self) -> Iterator[Work]:
        """Give a transaction in which the bytes of what is deleted are overwritten, where the database can do so."""
        with self._access.writing() as work:
            usual = self._overwrite_deleted(work, None)
            try:
                yield work
            finally:
                self._overwrite_deleted(work, usual)

    def _overwrite_deleted(self, work: Work, mode: int | None) -> int | None:
        with self._backend.translating():
            return self._backend.overwrite_deleted(work.connection, mode)

    def _clear_traces(self, work: Work) -> bool:
        with self._backend.translating():
            return self._backend.clear_traces(work.connection)


def _report(rows: Counter[str], *, dry_run: bool, traces: bool) -> ErasureReport:
    found = {name: count for name, count in sorted(rows.items()) if count}
    return ErasureReport(rows=found, dry_run=dry_run, traces=traces)


def _user(user_id: str) -> str:
    return border.name(user_id, field="user_id", max_bytes=HOST_ID_BYTES)
