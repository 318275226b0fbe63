"""The Python side."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from ragstore.operations.doctor import drivers
from tests.operations.doctor.conftest import of, one


def test_ranges_are_the_packages() -> None:
    """What is called tested is what the package asks for."""
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {}
    for line in project["dependencies"]:
        name, least, below = re.fullmatch(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)(?:,<([\d.]+))?", line).groups()  # type: ignore[union-attr]
        asked[name] = (drivers.number(least), drivers.number(below) if below else None)
    assert {name: asked[name] for name in drivers.TESTED} == drivers.TESTED


@pytest.mark.parametrize(
    ("version", "remedy"), [("1.0", "install SQLAlchemy 2.0.37 or later"), ("9.0", "update ragstore")]
)
def test_untested_version(upgraded_file: str, monkeypatch: pytest.MonkeyPatch, version: str, remedy: str) -> None:
    real = metadata.version
    monkeypatch.setattr(drivers.metadata, "version", lambda name: version if name == "SQLAlchemy" else real(name))
    found = one("installed-versions", upgraded_file)
    assert (found.level, found.subject) == ("warning", "SQLAlchemy")
    assert found.remedy.startswith(remedy)


def test_pure_python(upgraded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psycopg.pq, "__impl__", "python")
    assert one("driver-build", upgraded).level == "hint"


def test_engine_in_autocommit(database_url: str, make_engine: Callable[..., Engine]) -> None:
    make_engine(database_url).connect().close()  # SQLite's file
    assert one("engine-autocommit", make_engine(database_url, isolation_level="AUTOCOMMIT")).level == "warning"
    assert of("engine-autocommit", make_engine(database_url)) == []
