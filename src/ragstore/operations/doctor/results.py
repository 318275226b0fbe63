"""What `diagnose` returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ragstore.migrations import State

Level = Literal["error", "warning", "hint"]
"""error: calls fail, or data is lost or wrong; warning: they may be, or work is much slower; hint: good to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, could go wrong, or could not be looked at.

    Attributes:
        check: The check that found it.
        level: How bad it is.
        subject: What it is about: a table, a setting, a file.
        what: What is wrong and what follows from it.
        remedy: What to do, with the statement or the call where there is one.
    """

    check: str
    level: Level
    subject: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What was found and learned.

    Attributes:
        database: "postgresql" or "sqlite".
        version: The server's version, or that of the SQLite library; None if it could not be reached.
        extension: pgvector's version in the database; None if there is none.
        revision: The revision of our schema; None if there is none, or not exactly one.
        state: How the schema stands to this code; None if it could not be read.
        facts: What else was learned, by name: the role, the driver, the file system and so on.
        checks: The checks that were made, in order.
        findings: Errors first, then warnings, then hints.
    """

    database: str
    version: str | None
    extension: str | None
    revision: str | None
    state: State | None
    facts: Mapping[str, str]
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]

    def at(self, level: Level) -> tuple[Finding, ...]:
        """Give the findings of one level."""
        return tuple(finding for finding in self.findings if finding.level == level)

    @property
    def healthy(self) -> bool:
        """Whether nothing is an error."""
        return not self.at("error")
