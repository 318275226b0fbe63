"""The adoption: read and plan all of it, compare with the store, write what is missing, and count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import URL

from ragstore.core import border
from ragstore.core.slices import slices
from ragstore.core.vectors import Metric
from ragstore.corpus.naming import collection_name, space_fields
from ragstore.corpus.records import NewChunk, NewDocument
from ragstore.errors import Conflict, InvalidInput, TenantRequired, UsageError
from ragstore.operations.adoption import rows
from ragstore.operations.adoption.old import OldDatabase, OldRow, key_of, opened, usable_key_of
from ragstore.operations.adoption.plan import Plan, Planned, Turn, new_plan
from ragstore.operations.adoption.recognising import Layout, OldTable
from ragstore.operations.adoption.records import (
    AdoptedTable,
    AdoptionProgress,
    AdoptionReport,
    Kind,
    Mapping,
    OnBad,
    RowsRefused,
    Stage,
)
from ragstore.operations.adoption.rows import OldChunk, OldExchange, Rules
from ragstore.operations.adoption.target import Target
from ragstore.store._sync import Store

T = TypeVar("T")

Progress = Callable[[AdoptionProgress], None]
DEFAULT_COLLECTION = "adopted"
MAX_BATCH = 5_000
"""Each exchange is two messages, and 10,000 are appended at most."""
_WRITTEN = ("missing", "changed")


def adopt(  # noqa: PLR0913 - each says one thing, by its name
    store: Store,
    source: str | URL | Engine,
    *,
    collection: str = DEFAULT_COLLECTION,
    mapping: Mapping | None = None,
    tenant: str | None = None,
    timezone: tzinfo = UTC,
    model: str | None = None,
    dimensions: int | None = None,
    metric: Metric = "cosine",
    language: str | None = None,
    batch: int = 500,
    dry_run: bool = False,
    on_bad: OnBad = "refuse",
    progress: Progress | None = None,
) -> AdoptionReport:
    """Take over the conversations and the document chunks of an application that kept its own tables.

    The old tables are only read, in batches by their primary key. First all of it is read and checked; then what the
    store does not have is written, each batch in a transaction of its own; then it is counted. A call that was cut off
    is made again, and goes on; one more writes nothing. In memory it holds a batch, and at most one document.

    Rate limits are not taken over: counts are short-lived, and a new window begins empty.

    Args:
        store: Where it goes; its database must be upgraded. It may be the old one.
        source: The old database, SQLite or PostgreSQL: a URL, or the host's engine, which stays open.
        collection: Where the chunks go; made if it is missing.
        mapping: Which tables and columns are which, where their names do not say so.
        tenant: Whose it all is to be; None: the store's.
        timezone: Of times that do not say theirs.
        model: The model that made the old vectors; with `dimensions`, vectors are taken over. None: they are left, and
            chunks keep their `embedding_id`.
        dimensions: Components of these vectors.
        metric: As for `collections.ensure`.
        language: As for `collections.ensure`.
        batch: Rows read at a time, exchanges written in a transaction and documents put in one, 1 to 5,000.
        dry_run: Write nothing, and tell what would be done, with every row that cannot be taken over.
        on_bad: What happens if there are such rows. "refuse": nothing is written. "skip": they are left out.
        progress: Told after each batch.

    Raises:
        RowsRefused: Rows cannot be taken over, and `on_bad` is "refuse". Its `report` lists them.
        InvalidInput: The old tables or columns cannot be told, or an argument is unfit. Nothing is written.
        StorageError: The old file's place cannot be reached.
        Conflict: The collection is there with another model, or the numbers do not agree in the end: somebody else
            changed the old tables or the new ones meanwhile. Call it again.

    Example:
        .. code-block:: python

            from ragstore.operations.adoption import Mapping, adopt

            import sqlite3

            with sqlite3.connect("old.db") as old:
                old.execute("CREATE TABLE conversation (id INTEGER PRIMARY KEY, thread_id, q, response, timestamp)")
                old.execute("INSERT INTO conversation VALUES (1, 't-1', 'How?', 'So.', '2023-04-05 06:07:08')")
            report = adopt(store, "sqlite:///old.db", mapping=Mapping(conversation={"question": "q"}))
            assert (report.threads, report.messages) == (1, 2)
    """
    target = _target(store, tenant)
    if on_bad not in ("refuse", "skip"):
        raise InvalidInput("must be 'refuse' or 'skip'", field="on_bad")
    size = border.limit(batch, field="batch", maximum=MAX_BATCH)
    rules = Rules(target.store.settings, timezone, datetime.now(UTC), _space(model, dimensions, metric))
    name, wanted = collection_name(collection), _mapping(mapping)
    with opened(source) as old, new_plan() as plan:
        run = _Run(target, old, plan, old.layout(wanted), rules, name, size, progress)
        run.read()
        before = run.compare()
        if dry_run or (on_bad == "refuse" and plan.count_refused()):
            report = run.report(before, dry_run=True)
            if dry_run:
                return report
            raise RowsRefused(report)
        if run.layout.document_chunk is not None:
            target.store.collections.ensure(name, model=model, dimensions=dimensions, metric=metric, language=language)
        run.write()
        run.check(before)
        return run.report(before, dry_run=False)


def _target(store: Store, tenant: str | None) -> Target:
    if not isinstance(store, Store):
        raise UsageError("adopt needs a Store: in asyncio, open one and run adopt by asyncio.to_thread")
    chosen = store if tenant is None else store.for_tenant(tenant)
    if chosen.tenant is None:
        raise TenantRequired("no tenant is set: say whose it is to be, tenant=...")
    return Target(chosen, chosen.tenant)


def _mapping(given: object) -> Mapping:
    if given is None:
        return Mapping()
    if not isinstance(given, Mapping):
        advice = 'e.g. Mapping(tables={"conversation": "chat_log"})'
        raise InvalidInput(f"must be a Mapping, not {type(given).__name__}: {advice}", field="mapping")
    return given


def _space(model: str | None, dimensions: int | None, metric: Metric) -> tuple[int, Metric] | None:
    if (model is None) != (dimensions is None):
        raise InvalidInput("model and dimensions go together", field="model" if model is None else "dimensions")
    if model is None or dimensions is None:
        return None
    space_fields(model, dimensions, metric)
    return dimensions, metric


@dataclass(frozen=True, slots=True)
class _Found:
    """What the store has of the plan.

    Attributes:
        turns: Exchanges.
        messages: Their messages.
        documents: Documents as planned.
        rows: Their rows.
        chunks: Their chunks, counted there.
    """

    turns: int
    messages: int
    documents: int
    rows: int
    chunks: int


@dataclass(frozen=True, slots=True)
class _Run:
    target: Target
    old: OldDatabase
    plan: Plan
    layout: Layout
    rules: Rules
    collection: str
    batch: int
    progress: Progress | None

    # ------------------------------------------------------------------------------------------- reading

    def read(self) -> None:
        """Read and check all that is old."""
        if self.layout.conversation is not None:
            for exchanges in self._read("conversation", self.layout.conversation, rows.exchange):
                self.plan.add_exchanges(exchanges)
        if self.layout.document_chunk is not None:
            for chunks in self._read("document_chunk", self.layout.document_chunk, rows.chunk):
                self.plan.add_chunks(chunks)
        self.plan.arrange()

    def _read(
        self, kind: Kind, table: OldTable, convert: Callable[[OldRow, Rules], T]
    ) -> Iterator[list[tuple[Any, T]]]:
        total, done = self.old.count(table.table), 0
        for found in self.old.batches(table, self.batch):
            yield [pair for row in found if (pair := self._converted(kind, row, convert)) is not None]
            done += len(found)
            self._tell("reading", table, done, total)
        if done < total:
            what = f"the table {table.name!r} has {total:,} rows, and {done:,} were found by {table.columns['id']!r}"
            raise InvalidInput(f"{what}: name a column that no two rows have alike and none has NULL", field="id")

    def _converted(self, kind: Kind, row: OldRow, convert: Callable[[OldRow, Rules], T]) -> tuple[Any, T] | None:
        try:
            return usable_key_of(row), convert(row, self.rules)
        except InvalidInput as error:
            self.plan.refuse(kind, key_of(row), str(error))
            return None

    # ------------------------------------------------------------------------------------ comparing, checking

    def compare(self, stage: Stage = "comparing") -> _Found:
        """Find out what the store has of it."""
        messages = chunks = 0
        if self.layout.conversation is not None:
            tell = self._teller(stage, self.layout.conversation, self.plan.count_turns())
            messages = self.target.compare_turns(self.plan, self.batch, tell)
        if self.layout.document_chunk is not None:
            tell = self._teller(stage, self.layout.document_chunk, self.plan.count_documents())
            dating = stage == "checking"
            chunks = self.target.compare_documents(self.plan, self.collection, self.batch, tell, dating=dating)
        documents, found, _ = self.plan.sums("present")
        return _Found(self.plan.count_there(), messages, documents, found, chunks)

    def check(self, before: _Found) -> None:
        """Count again, and compare with what there was to do."""
        planned = self.plan.count_turns()
        documents, _, chunks = self.plan.sums(*_WRITTEN)
        kept_before = self.plan.sums("kept")[0]
        after = self.compare("checking")
        expected = {
            "exchanges": (planned, after.turns),
            "messages": (before.messages + 2 * (planned - before.turns), after.messages),
            "documents": (before.documents + documents, after.documents),
            "chunks": (before.chunks + chunks, after.chunks),
            "documents of others": (kept_before, self.plan.sums("kept")[0]),
        }
        wrong = [f"{found:,} {what} instead of {want:,}" for what, (want, found) in expected.items() if want != found]
        if wrong:
            raise Conflict(f"the store has {', '.join(wrong)}: others write there; stop them, and adopt again")

    # ------------------------------------------------------------------------------------------- writing

    def write(self) -> None:
        """Write what is missing."""
        if self.layout.conversation is not None:
            self._write_turns(self.layout.conversation)
        if self.layout.document_chunk is not None:
            self._write_documents(self.layout.document_chunk)

    def _write_turns(self, table: OldTable) -> None:
        tell = self._teller("writing", table, self.plan.count_turns() - self.plan.count_there())
        done = 0
        for turns in self.plan.turns(self.batch, missing=True):
            found = self.old.rows(table, [turn.key for turn in turns])
            self.target.write_turns([(turn, self._again(turn, found.get(turn.key))) for turn in turns])
            tell(done := done + len(turns))

    def _again(self, turn: Turn, row: OldRow | None) -> OldExchange:
        old = None if row is None else self._same(turn.key, row, rows.exchange)
        if old is None or (old.name, old.thread) != (turn.name, turn.thread):
            raise _changed(turn.key)
        return old

    def _write_documents(self, table: OldTable) -> None:
        tell = self._teller("writing", table, self.plan.sums(*_WRITTEN)[0])
        items = self._documents(table)
        self.target.store.documents.load(
            self.collection, items, commit_every=self.batch, progress=lambda load: tell(load.documents)
        )

    def _documents(self, table: OldTable) -> Iterator[tuple[NewDocument, list[NewChunk]]]:
        for planned in self.plan.documents(self.batch, *_WRITTEN):
            for document in planned:
                yield rows.document(self._chunks(table, document), document.digest)

    def _chunks(self, table: OldTable, document: Planned) -> list[OldChunk]:
        chunks = []
        for keys in slices(self.plan.keys(document.source), self.batch):
            found = self.old.rows(table, keys)
            if len(found) < len(keys):
                raise _changed(document.source)
            chunks += [self._same(key, found[key], rows.chunk) for key in keys]
        if rows.digest_of(chunks) != document.digest:
            raise _changed(document.source)
        return chunks

    def _same(self, key: object, row: OldRow, convert: Callable[[OldRow, Rules], T]) -> T:
        try:
            return convert(row, self.rules)
        except InvalidInput as error:
            raise _changed(key) from error

    # ------------------------------------------------------------------------------------------- telling

    def report(self, before: _Found, *, dry_run: bool) -> AdoptionReport:
        """Say what was found and done."""
        turns, (documents, pieces, chunks) = self.plan.count_turns(), self.plan.sums("missing", "changed", "present")
        kept = self.plan.sums("kept")[1]
        layout = self.layout
        names = {"conversation": layout.conversation, "document_chunk": layout.document_chunk}
        return AdoptionReport(
            dry_run=dry_run,
            conversation=self._table("conversation", layout.conversation, turns, before.turns, 0),
            document_chunk=self._table("document_chunk", layout.document_chunk, pieces, before.rows, kept),
            threads=self.plan.count_threads(),
            messages=before.messages + 2 * (turns - before.turns),
            documents=documents,
            chunks=chunks,
            duplicates=pieces - chunks,
            rate_limits=None if layout.rate_limit is None else self.old.count(layout.rate_limit),
            refused=self.plan.refusals({kind: table.name for kind, table in names.items() if table is not None}),
        )

    def _table(self, kind: Kind, table: OldTable | None, wanted: int, present: int, kept: int) -> AdoptedTable | None:
        if table is None:
            return None
        refused, unread = self.plan.count_refused(kind), table.unmapped
        if self.rules.space is None and "embedding" in table.columns:
            unread = (*unread, table.columns["embedding"])
        return AdoptedTable(
            name=table.name,
            rows=wanted + kept + refused,
            added=wanted - present,
            present=present,
            kept=kept,
            refused=refused,
            unmapped=unread,
        )

    def _teller(self, stage: Stage, table: OldTable, total: int) -> Callable[[int], None]:
        return lambda done: self._tell(stage, table, done, total)

    def _tell(self, stage: Stage, table: OldTable, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(AdoptionProgress(stage=stage, table=table.name, done=done, total=total))


def _changed(what: object) -> Conflict:
    return Conflict(f"{what!r} has changed in the old table since it was read: stop who writes there, and adopt again")
