"""The store as an adoption sees it: its repositories, and a way for the few statements that none of them has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from ragstore.backends import backend_for
from ragstore.conversations.statements import lock_conversation
from ragstore.core._sync import Work
from ragstore.corpus.records import Collection, Document
from ragstore.operations.adoption import statements
from ragstore.operations.adoption.plan import Plan, Planned, Turn
from ragstore.operations.adoption.rows import NOTE, OldExchange
from ragstore.store._sync import Store, UnitOfWork

Tell = Callable[[int], None]
"""Told how many are done."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where it goes.

    Attributes:
        store: The handle of its tenant.
        tenant: Its name.
    """

    store: Store
    tenant: str

    @contextmanager
    def unit(self, *, read_only: bool = False) -> Iterator[tuple[UnitOfWork, Work]]:
        """Begin a transaction, and give its repositories with what runs statements in it."""
        with self.store.begin(read_only=read_only) as unit:
            backend = backend_for(unit.connection.dialect)
            options = backend.execution_options(self.store.settings.schema)
            yield unit, Work(unit.connection, backend, options, read_only=read_only)

    # ------------------------------------------------------------------------------------------- exchanges

    def compare_turns(self, plan: Plan, batch: int, tell: Tell) -> int:
        """Note which exchanges are there, take off the plan those of others' threads, and count the messages there."""
        done = messages = 0
        for turns in plan.turns(batch):
            threads = sorted({turn.thread for turn in turns})
            names = [f"{turn.name}/{part}" for turn in turns for part in ("question", "answer")]
            with self.unit(read_only=True) as (_, work):
                owners = dict(work.fetch(statements.owners(self.tenant, threads)))
                there = work.fetch(statements.names(self.tenant, threads, names)) if owners else []
            known = {(thread, name.rpartition("/")[0]) for thread, name in there}
            messages += len(there)
            plan.note_there(turn for turn in turns if (turn.thread, turn.name) in known)
            anothers = [turn for turn in turns if _is_anothers(turn, owners.get(turn.thread))]
            plan.refuse_turns(anothers, "user_id: the store has this thread as another user's")
            tell(done := done + len(turns))
        return messages

    def write_turns(self, turns: Sequence[tuple[Turn, OldExchange]]) -> None:
        """Store exchanges, ordered by thread and time, in one transaction."""
        with self.unit() as (unit, work):
            dates = Dates(self.tenant)
            for thread, group in groupby(turns, key=lambda pair: pair[0].thread):
                pairs = list(group)
                self._append(unit, work, thread, pairs[0][0].owner, [old for _, old in pairs], dates)
            dates.write(work)

    def _append(
        self, unit: UnitOfWork, work: Work, thread: str, owner: str | None, exchanges: list[OldExchange], dates: Dates
    ) -> None:
        unit.conversations.start(thread, user_id=owner)
        (before,) = work.fetch(lock_conversation(self.tenant, thread))
        messages = [message for old in exchanges for message in (old.question, old.answer)]
        stored = unit.conversations.append(thread, messages)
        for old, question, answer in zip(exchanges, stored[::2], stored[1::2], strict=True):
            if question.created_at == old.at:
                continue  # another run was here first
            dates.messages.extend(dates.of(message.id, at=old.at) for message in (question, answer))
            if old.thumb is not None:
                unit.conversations.give_feedback(answer.id, old.thumb, user_id=old.user, comment=old.comment)
                dates.thumbs.append(dates.of(answer.id, at=old.at))
        first, last = exchanges[0].at, exchanges[-1].at
        # What is new is no activity of today; what was there keeps its own, if that was later.
        last = max(before.last_activity, last) if before.head else last
        dates.conversations.append(dates.of(before.id, at=min(before.created_at, first), last=last))

    # ------------------------------------------------------------------------------------------- documents

    def compare_documents(self, plan: Plan, collection: str, batch: int, tell: Tell, *, dating: bool = False) -> int:
        """Note how documents are there, and count the chunks of those that are as planned.

        Args:
            plan: The plan.
            collection: The collection's name.
            batch: So many at a time.
            tell: Told how many are done.
            dating: Set the times of those that were just put, which are times of today.
        """
        within = self.store.collections.find(collection)
        done = chunks = 0
        for planned in plan.documents(batch):
            there = {} if within is None else self._there(within, planned)
            plan.note_states((document, _state(document, there.get(document.source))) for document in planned)
            same = [(d, there[d.source]) for d in planned if _state(d, there.get(d.source)) == "present"]
            chunks += sum(stored.chunk_count for _, stored in same)
            if dating:
                self._date(same)
            tell(done := done + len(planned))
        return chunks

    def _there(self, within: Collection, planned: Sequence[Planned]) -> dict[str, Document]:
        query = statements.documents(self.tenant, within.id, [document.source for document in planned])
        with self.unit(read_only=True) as (_, work):
            return {document.source: document for document in work.fetch(query)}

    def _date(self, same: Sequence[tuple[Planned, Document]]) -> None:
        # One whose first time is right was dated before, and what has changed it since has said when.
        due = [
            {"tenant": self.tenant, "of": stored.id, "at": planned.first, "last": planned.last}
            for planned, stored in same
            if planned.first is not None and stored.created_at != planned.first
        ]
        if due:
            with self.unit() as (_, work):
                work.execute(statements.DATE_DOCUMENT, due)


@dataclass(frozen=True, slots=True)
class Dates:
    """When what was just stored happened long ago."""

    tenant: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    thumbs: list[dict[str, Any]] = field(default_factory=list)
    conversations: list[dict[str, Any]] = field(default_factory=list)

    def of(self, row: UUID, **times: datetime) -> dict[str, Any]:
        """Give the parameters for a row."""
        return {"tenant": self.tenant, "of": row, **times}

    def write(self, work: Work) -> None:
        """Set the times."""
        work.execute(statements.DATE_MESSAGE, self.messages)
        work.execute(statements.DATE_THUMB, self.thumbs)
        work.execute(statements.DATE_CHANGE, self.thumbs)
        work.execute(statements.DATE_CONVERSATION, self.conversations)


def _is_anothers(turn: Turn, owner: str | None) -> bool:
    return turn.owner is not None and owner is not None and turn.owner != owner


def _state(planned: Planned, stored: Document | None) -> str:
    if stored is None:
        return "missing"
    note = stored.metadata.get(NOTE)
    if not isinstance(note, AnyMapping):
        return "kept"
    return "present" if note.get("digest") == planned.digest.hex() else "changed"
