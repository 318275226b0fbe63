"""Every check of the project. `nox -s tests` is the usual one; `nox -l` lists them; `-R` reuses environments."""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.error_on_missing_interpreters = False  # the matrix runs over what is there

ROOT = Path(__file__).parent
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
PARALLEL = ["-n", "auto", "--dist", "worksteal"]
LIBRARIES = "langchain,openai-agents"  # they want newer versions of ours than our floors, so `dev` is without them
# What is not repeated for each Python: what takes long and does not depend on its version, and the twins, which differ
# from their sources by `await` alone.
ONCE = [
    "*_sync.py",
    "tests/benchmarks",
    "tests/conformance/test_never_short.py",
    "tests/conformance/test_retrieval_quality.py",
    "tests/migrations/test_full.py",
    "tests/migrations/test_offline.py",
    "tests/migrations/test_pooler.py",
    "tests/migrations/test_rolling.py",
    "tests/migrations/test_servers.py",
    "tests/migrations/test_standby.py",
    "tests/operations",
    "tests/tools",
]


def in_clean_place(session: nox.Session) -> Path:
    """Give an empty directory outside the checkout's import path."""
    place = Path(session.create_tmp()).resolve()
    shutil.rmtree(place)
    place.mkdir()
    return place


@nox.session
def lint(session: nox.Session) -> None:
    """Check format, style, the twins' freshness and the direction of imports."""
    session.install("-e", ".[dev,lint]")
    session.run("ruff", "format", "--check")
    session.run("ruff", "check")
    session.run("python", "tools/unasync.py", "--check")
    session.run("lint-imports", "--no-cache")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, by mypy and by pyright."""
    session.install("-e", f".[dev,lint,{LIBRARIES}]")
    paths = [path for path in ("src", "tools", "examples", "tests/typing") if (ROOT / path).exists()]
    session.run("mypy", *paths)
    session.run("pyright")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the whole suite except the slow tests, on the running Python with the newest dependencies."""
    session.install("-e", f".[dev,{LIBRARIES}]")
    session.run("pytest", *PARALLEL, *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """Run the slow tests."""
    session.install("-e", ".[dev]")
    session.run("pytest", *PARALLEL, "-m", "slow", *session.posargs)


@nox.session
def containers(session: nox.Session) -> None:
    """Run the tests that need a Docker daemon; see tools/container_host.sh for machines without one."""
    session.install("-e", ".[dev]")
    session.run("pytest", "-m", "container", *session.posargs)


@nox.session(python=PYTHONS)
@nox.parametrize("dependencies", ["oldest", "newest"])
def tests_matrix(session: nox.Session, dependencies: str) -> None:
    """Run the suite with the oldest dependencies, and on each Python that is found with the newest."""
    oldest = dependencies == "oldest"
    session.install("-e", *([".[dev]", "-c", "constraints/oldest.txt"] if oldest else [f".[dev,{LIBRARIES}]"]))
    left_out = [] if oldest else [f"--ignore-glob={path}" for path in ONCE]
    session.run("pytest", *PARALLEL, *left_out, *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error."""
    session.install("-e", f".[cli,docs,fastapi,flask,{LIBRARIES},test]")
    target = session.posargs[0] if session.posargs else str(in_clean_place(session) / "html")
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-d", f"{target}.doctrees", "docs", target)
    session.log(f"built: {target}/index.html")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build sdist and wheel, install the wheel alone, and try it from elsewhere."""
    place = in_clean_place(session)
    session.install("build")
    session.run("python", "-m", "build", "--outdir", str(place / "dist"), silent=True)
    session.run("python", "-m", "venv", str(place / "venv"))
    python = str(place / "venv/bin/python")
    built = next((place / "dist").glob("*.whl"))
    session.run(python, "-m", "pip", "install", "--quiet", f"{built}[cli,embedded]", external=True)
    session.chdir(place)
    session.run(python, "-m", "ragstore", "demo", external=True)
    upgrade_twice = "import ragstore; [print(ragstore.upgrade('sqlite:///app.db')) for _ in range(2)]"
    session.run(python, "-W", "error", "-c", upgrade_twice, external=True)


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks; what follows `--` goes to them: `nox -s bench -- run --sizes 10000`."""
    session.install("-e", ".[dev]", "-r", "benchmarks/requirements.txt")
    session.run("python", "-m", "benchmarks", *(session.posargs or ["--help"]))


@nox.session
def bench_peers(session: nox.Session) -> None:
    """Compare with what people use instead; what follows `--` goes to `python -m benchmarks peers`."""
    session.install("-e", ".", "-r", "benchmarks/requirements-peers.txt")
    session.run("python", "-m", "benchmarks", "peers", *session.posargs)


@nox.session
def unasync(session: nox.Session) -> None:
    """Write the sync twin of every async module."""
    session.install("ruff>=0.17,<0.18")
    session.run("python", "tools/unasync.py")
