"""Fixtures of the conformance tests; the databases and stores are those of ragstore's own pytest plugin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.support import Database


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """Look at the test's database from outside."""
    database = Database(database_url)
    yield database
    database.close()
