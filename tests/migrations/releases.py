"""The code of older schemas, out of this repository's history."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).parent / "kept"


@dataclass(frozen=True)
class Release:
    """A schema and the last code that was written for it.

    Attributes:
        revision: The schema.
        commit: The code.
        writes: What it can write on that schema.
        suite: The test files, of its own, that must hold on every newer schema.
    """

    revision: str
    commit: str
    writes: tuple[str, ...]
    suite: tuple[str, ...]


def released() -> tuple[Release, ...]:
    """List the schemas, oldest first."""
    noted = tomllib.loads((KEPT / "releases.toml").read_text(encoding="utf-8"))
    return tuple(
        Release(revision, found["commit"], tuple(found["writes"]), tuple(found["suite"]))
        for revision, found in noted.items()
    )


def older() -> tuple[Release, ...]:
    """List those whose code is not the code beside this file."""
    return tuple(release for release in released() if release.commit)


def extract(release: Release, folder: Path) -> Path:
    """Put a release's code into a folder; skip the test where the history is not at hand."""
    parts = ["src", "tests", "pyproject.toml"]
    command = ["git", "-C", str(ROOT), "archive", release.commit, *parts]
    try:
        packed = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"the history has no {release.commit[:7]}: fetch all of it to test the code of {release.revision}")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder
