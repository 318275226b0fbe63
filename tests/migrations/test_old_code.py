"""M50: each schema serves the code of the releases before it: their own tests pass on it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ragstore.migrations import chain, upgrade
from ragstore.testing.servers import Server
from tests.migrations.own_servers import own_server
from tests.migrations.releases import Release, extract, older

pytestmark = pytest.mark.slow

ON_THE_NEW_SCHEMA = '''
"""Loaded by the old release's pytest: each database that it makes has the newer schema already."""

import os
import shutil
from pathlib import Path

from sqlalchemy import make_url

import ragstore
import ragstore.migrations

HEAD, FILE = os.environ["NEWER_HEAD"], os.environ["NEWER_FILE"]
old_upgrade = ragstore.migrations.upgrade
found = []


def upgrade(target, *args, **kwargs):
    if not isinstance(target, str) or kwargs:
        return old_upgrade(target, *args, **kwargs)  # in memory, or another schema
    if target.startswith("sqlite"):
        place = Path(make_url(target).database)
        if not place.exists():
            shutil.copy(FILE, place)
    result = old_upgrade(target, *args)
    assert (result.from_revision, result.applied) == (HEAD, ())
    found.append(target.partition(":")[0])
    return result


ragstore.upgrade = ragstore.migrations.upgrade = upgrade


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"NEWER {ragstore.__file__} {sorted(set(found))}")
'''


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server on which every new database has the newest schema."""
    with own_server() as server:
        upgrade(server.url_of("template1"))
        yield server


@pytest.mark.parametrize("release", [known for known in older() if known.suite], ids=lambda known: known.revision)
def test_the_old_suite(server: Server, release: Release, tmp_path: Path) -> None:
    """M50: all of the subset passes, on both databases, without a warning, on the schema of today."""
    code = extract(release, tmp_path / "code")
    upgrade(f"sqlite:///{tmp_path}/newer.db")
    (tmp_path / "newer_schema.py").write_text(ON_THE_NEW_SCHEMA, encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (code / "src", code, tmp_path))),
        "RAGSTORE_TEST_URL": server.url,
        "NEWER_HEAD": chain.HEAD,
        "NEWER_FILE": str(tmp_path / "newer.db"),
    }
    files = [f"tests/conformance/test_{name}.py" for name in release.suite]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "newer_schema", "-p", "no:cacheprovider", *files]
    run = subprocess.run(command, cwd=code, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    passed = re.search(r"(\d+) passed", run.stdout)
    assert passed is not None
    assert int(passed[1]) > 200
    assert f"NEWER {code}/src/ragstore/__init__.py ['postgresql', 'sqlite']" in run.stdout.replace("+psycopg", "")
