"""What the tests of all frameworks share: a look at the database, and databases that are away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ragstore import Policy, Settings
from tests.conformance.support import Database
from tests.integrations.support import QUIET


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have policies that do not say how long they wait, as those of texts, wait longer than a busy machine takes."""
    monkeypatch.setitem(Policy.__init__.__kwdefaults__, "max_wait", QUIET)  # type: ignore[arg-type]


@pytest.fixture
def ragstore_settings() -> Settings:
    return Settings(side_pool_size=8)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def absent_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a database that cannot be reached."""
    return f"sqlite:///{tmp_path}/nowhere/app.db" if request.param == "sqlite" else "postgresql://u:p@127.0.0.1:1/none"
