"""Make the checks one after another, so that none hides what the others find."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from ragstore.core.translate import translating
from ragstore.errors import CorruptDatabase, PermissionDenied, RagstoreError, Timeout
from ragstore.migrations import sides
from ragstore.operations.doctor import drivers, tables
from ragstore.operations.doctor.looking import RESTORE, Check, Look
from ragstore.operations.doctor.results import Diagnosis, Finding, Level

logger = logging.getLogger("ragstore.operations")

_ORDER = ("error", "warning", "hint")


def examine(look: Look) -> Diagnosis:
    """Make all checks; if the database cannot be reached, those that need none."""
    first, others = _checks(look.engine.dialect.name)
    found = list(_made(first, look))
    made = [first, *drivers.CHECKS]
    if all(finding.level != "error" for finding in found):
        made += [*tables.CHECKS, *others]
    found += [finding for check in made[1:] for finding in _made(check, look)]
    return _diagnosis(look, [_name(check) for check in made], found)


def _checks(database: str) -> tuple[Check, Sequence[Check]]:
    """Give the check that the database can be reached, and all others."""
    if database == "postgresql":
        from ragstore.operations.doctor import postgresql

        return postgresql.reach, postgresql.CHECKS
    from ragstore.operations.doctor import sqlite

    return sqlite.reach, sqlite.CHECKS


def _made(check: Check, look: Look) -> Iterator[Finding]:
    try:
        with translating(sides.of(look.engine.dialect).classify):
            for advice in check(look):
                yield Finding(check=_name(check), **advice._asdict())
    except Exception as error:  # whatever is wrong with one check, the others go on
        logger.debug("the check %s failed", _name(check), exc_info=True)
        yield _not_made(_name(check), error)


def _not_made(name: str, error: Exception) -> Finding:
    if isinstance(error, CorruptDatabase):
        return Finding(check=name, level="error", subject="the file", what=str(error), remedy=RESTORE)
    remedy = "run the doctor again; if it stays, report it with this message"
    if isinstance(error, PermissionDenied):
        remedy = "run the doctor as the tables' owner, or as a role with pg_monitor"
    elif isinstance(error, Timeout):
        remedy = "run the doctor again when the database is less busy"
    said = str(error) if isinstance(error, RagstoreError) else f"{type(error).__name__}: {error}"
    # without the state most other checks have nothing to say; a missing right has a finding of its own
    is_blind = name == _name(tables.state) and not isinstance(error, PermissionDenied)
    level: Level = "error" if is_blind else "hint"
    return Finding(check=name, level=level, subject=name, what=f"this could not be looked at: {said}", remedy=remedy)


def _name(check: Check) -> str:
    return check.__name__.replace("_", "-")


def _diagnosis(look: Look, made: list[str], found: list[Finding]) -> Diagnosis:
    status, facts = look.status, dict(look.facts)
    return Diagnosis(
        database=look.engine.dialect.name,
        version=facts.pop("version", None),
        extension=facts.pop("extension", None),
        revision=status.revision if status else None,
        state=status.state if status else None,
        facts=facts,
        checks=tuple(made),
        findings=tuple(sorted(found, key=lambda finding: _ORDER.index(finding.level))),
    )
