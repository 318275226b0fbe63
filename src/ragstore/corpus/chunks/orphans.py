"""Deleting chunks whose vectors another store no longer has.

The ids come as a stream that may be long and slow. It is read before the transaction opens, onto a disk where it does
not fit a little memory, and goes from there into a table of the connection's own.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Self

from ragstore.core import json
from ragstore.core.border import STRICT_TEXT
from ragstore.core.query import Steps
from ragstore.corpus import statements
from ragstore.corpus.backend import CorpusBackend
from ragstore.corpus.chunks.deleting import delete_matching
from ragstore.corpus.reading import find_collection
from ragstore.corpus.records import Collection, OrphanReport
from ragstore.corpus.statements import IS_EXTERNAL, IS_ORPHAN, Matching
from ragstore.corpus.tables import LABEL_BYTES
from ragstore.errors import InvalidInput

_IN_MEMORY = 1024 * 1024
_AT_ONCE = 1000


class ActiveIds:
    """Ids on their way from a stream to the database."""

    def __init__(self) -> None:
        """Hold none yet."""
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by __exit__
        self._batch: list[str] = []
        self.count = 0

    def __enter__(self) -> Self:
        """Give the ids themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Forget the ids."""
        self._file.close()

    def take(self, value: object) -> None:
        """Add an id.

        Raises:
            InvalidInput: It is none that a chunk can have.
        """
        if not isinstance(value, str):
            raise InvalidInput(f"must be text, not {type(value).__name__}", field="active_ids", index=self.count)
        text = STRICT_TEXT.text(value, field="active_ids", index=self.count)
        if len(text.encode()) > LABEL_BYTES:
            raise InvalidInput(f"must be at most {LABEL_BYTES} bytes in UTF-8", field="active_ids", index=self.count)
        self._batch.append(text)
        self.count += 1
        if len(self._batch) == _AT_ONCE:
            self._write()

    def _write(self) -> None:
        self._file.write(json.dumps(self._batch).encode() + b"\n")
        self._batch = []

    def check(self, *, allow_empty: bool) -> None:
        """Refuse to go on without any id.

        Raises:
            InvalidInput: None came, and that is not allowed.
        """
        if not self.count and not allow_empty:
            hint = "every chunk that has an embedding_id would be deleted; if that is meant, set allow_empty=True"
            raise InvalidInput(f"no id came: {hint}", field="active_ids")

    def batches(self) -> Iterator[str]:
        """Give the ids, some at a time, as JSON arrays."""
        if self._batch:
            self._write()
        self._file.seek(0)
        yield from (line.decode() for line in self._file)


def check_stream(active_ids: object) -> None:
    """Refuse what is no stream of ids but can be iterated over: its parts would be taken for ids.

    Raises:
        InvalidInput: It is none.
    """
    if isinstance(active_ids, str | bytes | Mapping) or not isinstance(active_ids, Iterable | AsyncIterable):
        raise InvalidInput(f"must be ids, a list or a stream, not {type(active_ids).__name__}", field="active_ids")


def begin(tenant: str, collection_name: str, as_of: datetime | None) -> Steps[tuple[Collection, datetime]]:
    """Read the collection and the time from which on changes are left alone: never later than now."""
    collection = yield from find_collection(tenant, collection_name)
    times: list[datetime] = yield statements.now()
    return collection, times[0] if as_of is None else min(as_of, times[0])


def delete_orphans(
    backend: CorpusBackend,
    tenant: str,
    collection: Collection,
    ids: ActiveIds,
    as_of: datetime,
    *,
    dry_run: bool,
    rows: int,
) -> Steps[OrphanReport]:
    """Find the chunks that are not among the ids, and delete them unless it is a dry run."""
    values = {"as_of": as_of}
    yield statements.create_active_ids()
    yield statements.empty_active_ids()
    for batch in ids.batches():
        yield statements.insert_active_ids(backend, batch)
    checked: list[int] = yield statements.count_chunks(tenant, collection.id, IS_EXTERNAL, values)
    if dry_run:
        counted: list[int] = yield statements.count_chunks(tenant, collection.id, IS_ORPHAN, values)
        found, deleted = counted[0], 0
    else:
        gone = yield from delete_matching(backend, tenant, collection, Matching(IS_ORPHAN, values), rows)
        found, deleted = gone.found, gone.deleted
    yield statements.drop_active_ids()
    return OrphanReport(checked=checked[0], orphans=found, deleted=deleted)
