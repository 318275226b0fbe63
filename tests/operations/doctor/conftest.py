"""Fresh databases, as the tests of migrations have them, and a look for one check's findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

import ragstore
from ragstore.backends import read_url
from ragstore.operations.doctor import Finding, diagnose
from tests.migrations.conftest import (
    database_url,
    new_database,
    postgres_database,
    role,
    run_sql,
    server_url,
    sqlite_url,
)

__all__ = [
    "database_url",
    "new_database",
    "postgres_database",
    "role",
    "run_sql",
    "server_url",
    "sqlite_url",
]  # fixtures


def of(check: str, target: Any, **options: Any) -> list[Finding]:
    """Diagnose, and keep what one check found."""
    diagnosis = diagnose(target, **options)
    assert check in diagnosis.checks
    return [finding for finding in diagnosis.findings if finding.check == check]


def one(check: str, target: Any, **options: Any) -> Finding:
    """Diagnose, and give the one finding of a check."""
    found = of(check, target, **options)
    assert len(found) == 1, found
    return found[0]


@pytest.fixture
def upgraded(postgres_database: str) -> str:
    """URL of a PostgreSQL database at head."""
    ragstore.upgrade(postgres_database)
    return postgres_database


@pytest.fixture
def upgraded_file(sqlite_url: str) -> str:
    """URL of an SQLite file at head."""
    ragstore.upgrade(sqlite_url)
    return sqlite_url


@pytest.fixture
def make_engine() -> Iterator[Callable[..., Engine]]:
    """Make engines as hosts do; they are disposed of at the end."""
    made: list[Engine] = []

    def make(url: str, **options: Any) -> Engine:
        made.append(create_engine(read_url(url), **options))
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()
