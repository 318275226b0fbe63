"""What the migration functions return."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class State(StrEnum):
    """How a database stands to this code."""

    EMPTY = "empty"
    """Nothing of ours is there."""
    BEHIND = "behind"
    """An older schema: `upgrade` brings it up to date."""
    CURRENT = "current"
    """The schema this code was written for."""
    AHEAD_COMPATIBLE = "ahead_compatible"
    """A newer schema that this code may run on."""
    AHEAD_INCOMPATIBLE = "ahead_incompatible"
    """A newer schema that this code may not run on: install a newer ragstore."""
    FOREIGN = "foreign"
    """Tables or functions with our names that ragstore did not make: use another schema."""
    DAMAGED = "damaged"
    """The version record and the tables disagree: restore one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A database's state and what it follows from.

    Attributes:
        state: How the database stands to this code.
        revision: The database's revision; None if it has none, or not exactly one.
        head: The newest revision this code knows.
        pending: Revisions that `upgrade` would run, in order.
        schema_number: The number of the database's schema, if it says.
        min_code: The least schema number of code that may run on it, if it says.
        writer: The version of ragstore that wrote the schema last, if it says.
        problem: What is wrong and what to do, for FOREIGN, DAMAGED and AHEAD_INCOMPATIBLE; else empty.
    """

    state: State
    revision: str | None
    head: str
    pending: tuple[str, ...] = ()
    schema_number: int | None = None
    min_code: int | None = None
    writer: str | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeResult:
    """What `upgrade` or `downgrade` did.

    Attributes:
        from_revision: The revision before; None if the database was empty.
        to_revision: The revision after; None if nothing of ours is left.
        applied: Revisions that this call ran (or took back), in the order in which it did.
        committed: Whether this call committed. False if a `Connection` was passed: its owner commits.
        skipped: The environment variable RAGSTORE_UPGRADE is "off": nothing was done, and nothing is known.
        deferred: Indexes that this call left to `ensure_indexes`, because their tables are large.
    """

    from_revision: str | None
    to_revision: str | None
    applied: tuple[str, ...]
    committed: bool
    skipped: bool = False
    deferred: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One step of the schema.

    Attributes:
        id: Its name in the version table.
        previous: The step before it; None for the first.
        summary: What it does, in one line.
    """

    id: str
    previous: str | None
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One point in which the catalogue is not what is declared.

    Attributes:
        kind: "table", "column", "index", "constraint", "trigger", "policy", "function" or "extension".
        table: The table; empty for what belongs to none.
        name: The object's name.
        expected: What is declared; None if nothing is.
        found: What the catalogue holds; None if nothing.
    """

    kind: str
    table: str
    name: str
    expected: str | None
    found: str | None

    def __str__(self) -> str:
        """Say it in one line."""
        where = f"{self.table}." if self.table and self.table != self.name else ""
        if self.found is None:
            return f"{self.kind} {where}{self.name} is missing"
        if self.expected is None:
            return f"{self.kind} {where}{self.name} is not declared: {self.found}"
        return f"{self.kind} {where}{self.name} is {self.found}, declared {self.expected}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexProgress:
    """How far `ensure_indexes` is.

    Attributes:
        index: The index that is being made or dropped.
        phase: What is being done, in the server's words.
        done: How much of the phase is done, in the server's unit; 0 if it has none.
        total: How much there is to do; 0 if that is not known.
        blocker: The process number of the session that is being waited for; None: of nobody.
    """

    index: str
    phase: str
    done: int
    total: int
    blocker: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """What `ensure_indexes` did to one index.

    Attributes:
        index: Its name.
        table: Its table.
        action: "built": it was missing. "rebuilt": a build that failed had left it invalid. "replaced": it had another
            definition. "dropped": it was what a build or an embedding space had left behind.
    """

    index: str
    table: str
    action: Literal["built", "rebuilt", "replaced", "dropped"]
