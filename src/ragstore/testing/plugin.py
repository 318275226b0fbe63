"""The pytest plugin: databases and stores for tests, on SQLite and on a real PostgreSQL.

pytest loads this in every run of a host's tests, so nothing heavy is imported before a fixture is used.

| fixture             | scope    | gives                                                                  |
|---------------------|----------|------------------------------------------------------------------------|
| `postgres_server`   | session  | the server, see `ragstore.testing.servers`; shared by xdist's workers  |
| `postgres_database` | function | URL of a fresh, empty database                                         |
| `postgres_url`      | function | URL of a fresh, migrated database                                      |
| `sqlite_url`        | function | URL of a file that does not exist yet                                  |
| `sqlite_database`   | function | URL of a fresh, migrated file                                          |
| `database_url`      | function | URL of a migrated database: the test runs on SQLite and on PostgreSQL  |
| `ragstore_settings` | function | the settings of the stores below; override it                          |
| `store`             | function | an open `Store` on `database_url`                                      |
| `async_store`       | function | an open `AsyncStore` on `database_url`; needs an async test's plugin   |
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ragstore.config import Settings
    from ragstore.store._async import AsyncStore
    from ragstore.store._sync import Store
    from ragstore.testing.servers import Server

_FOLDER = pytest.StashKey[Path]()
_WORKER_KEY = "ragstore_folder"
_numbers = itertools.count(1)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _shared_folder(config: pytest.Config) -> Path:
    """Give the folder that all processes of the run share; its path is short, as a Unix socket's must be."""
    if _is_worker(config):
        return Path(config.workerinput[_WORKER_KEY])  # type: ignore[attr-defined]
    if _FOLDER not in config.stash:
        config.stash[_FOLDER] = Path(tempfile.mkdtemp(prefix="ragstore-"))
        (config.stash[_FOLDER] / "owner").write_text(str(os.getpid()), encoding="utf-8")
    return config.stash[_FOLDER]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the run's folder is."""
    node.workerinput[_WORKER_KEY] = str(_shared_folder(node.config))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say which server the tests ran on."""
    folder = config.stash.get(_FOLDER, None)
    if folder is not None and (folder / "server.json").exists():
        from ragstore.testing import servers

        server = servers.known(folder)
        assert server is not None
        terminalreporter.write_line(f"ragstore: tested on {server.describe()}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server when the whole run is over."""
    folder = config.stash.get(_FOLDER, None)
    if folder is None:
        return
    if (folder / "server.json").exists():
        from ragstore.testing import servers

        servers.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Server:
    """Give the run's PostgreSQL server; the tests fail where none can be had."""
    from ragstore.testing import servers

    try:
        return servers.shared(_shared_folder(request.config))
    except servers.NoServer as error:
        pytest.fail(str(error), pytrace=False)


def _worker(request: pytest.FixtureRequest) -> str:
    worker: str = getattr(request.config, "workerinput", {}).get("workerid", "main")
    return worker


@pytest.fixture(scope="session")
def _postgres_template(request: pytest.FixtureRequest, postgres_server: Server) -> Iterator[str]:
    from ragstore.migrations import upgrade

    name = f"{postgres_server.prefix}{_worker(request)}_template"
    upgrade(postgres_server.create_database(name))
    yield name
    postgres_server.drop_database(name)


@pytest.fixture
def postgres_database(request: pytest.FixtureRequest, postgres_server: Server) -> Iterator[str]:
    """Give the URL of a fresh, empty database; dropped after the test."""
    name = f"{postgres_server.prefix}{_worker(request)}_{next(_numbers)}"
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest, postgres_server: Server, _postgres_template: str) -> Iterator[str]:
    """Give the URL of a fresh, migrated database; dropped after the test."""
    name = f"{postgres_server.prefix}{_worker(request)}_{next(_numbers)}"
    yield postgres_server.create_database(name, template=_postgres_template)
    postgres_server.drop_database(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Give the URL of a file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from ragstore.migrations import upgrade

    path = tmp_path_factory.mktemp("ragstore") / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_database(tmp_path: Path, _sqlite_template: Path) -> str:
    """Give the URL of a fresh, migrated file."""
    return f"sqlite:///{shutil.copy(_sqlite_template, tmp_path / 'ragstore.db')}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of a fresh, migrated database; the test runs on each kind."""
    url: str = request.getfixturevalue("sqlite_database" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def ragstore_settings() -> Settings:
    """Give the settings of `store` and `async_store`; override it for others."""
    from ragstore.config import Settings

    return Settings()


@pytest.fixture
def store(database_url: str, ragstore_settings: Settings) -> Iterator[Store]:
    """Give an open store on a fresh, migrated database."""
    from ragstore.store._sync import Store

    with Store.open(database_url, ragstore_settings) as opened:
        yield opened


@pytest.fixture
async def async_store(database_url: str, ragstore_settings: Settings) -> AsyncIterator[AsyncStore]:
    """Give an open async store on a fresh, migrated database."""
    from ragstore.store._async import AsyncStore

    async with AsyncStore.open(database_url, ragstore_settings) as opened:
        yield opened
