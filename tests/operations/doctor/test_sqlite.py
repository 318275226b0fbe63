"""Files, libraries and engines of SQLite."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, make_url

import ragstore
from ragstore import Store
from ragstore.operations.doctor import diagnose
from ragstore.operations.doctor.sqlite import content, file, library
from tests.migrations.conftest import finish, start_child
from tests.operations.doctor.conftest import of, one

SQL = Callable[..., list[Any]]
Engines = Callable[..., Engine]


def path_of(url: str) -> Path:
    return Path(str(make_url(url).database))


@pytest.fixture
def wal_file(upgraded_file: str) -> str:
    """URL of a file as a store leaves it."""
    with Store.open(upgraded_file) as store:
        store.collections.ensure("c", model="m", dimensions=3)
    return upgraded_file


@pytest.mark.parametrize(
    ("version", "wal", "level"),
    [
        ((3, 37, 2), False, "error"),
        ((3, 38, 0), False, None),
        ((3, 40, 1), True, "hint"),
        ((3, 44, 5), True, "hint"),
        ((3, 44, 6), True, None),
        ((3, 45, 0), True, "hint"),
        ((3, 50, 7), True, None),
        ((3, 51, 2), True, "hint"),
        ((3, 51, 3), True, None),
        ((3, 53, 0), True, None),
    ],
)
def test_library_version(version: tuple[int, ...], wal: bool, level: str | None) -> None:
    assert [advice.level for advice in library.judge(version, wal=wal)] == ([level] if level else [])


def test_library_in_use(wal_file: str) -> None:
    """The bug is named where the file is in WAL mode."""
    affected = bool(list(library.judge(sqlite3.sqlite_version_info, wal=True)))
    assert bool(of("library-version", wal_file)) == affected


def test_compile_options(upgraded_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build without threads and without JSON; such a library cannot be had here, so its answer is planted."""
    look_at = library.Look.rows

    def rows(self: Any, statement: str, **values: object) -> Any:
        if "compile_options" in statement:
            return [("THREADSAFE=0",), ("OMIT_JSON",)]
        return look_at(self, statement, **values)

    assert of("compile-options", upgraded_file) == []
    monkeypatch.setattr(library.Look, "rows", rows)
    assert [finding.level for finding in of("compile-options", upgraded_file)] == ["error", "error"]


@pytest.mark.parametrize(("mode", "levels"), [("DELETE", ["hint"]), ("WAL", [])])
def test_journal_mode(upgraded_file: str, run_sql: SQL, mode: str, levels: list[str]) -> None:
    run_sql(upgraded_file, f"PRAGMA journal_mode = {mode}")
    assert [finding.level for finding in of("journal-mode", upgraded_file)] == levels


@pytest.mark.parametrize("mode", ["OFF", "MEMORY"])
def test_no_journal(upgraded_file: str, make_engine: Engines, mode: str) -> None:
    """A host's connections without a journal on disk."""
    engine = make_engine(upgraded_file)
    event.listen(engine, "connect", lambda driver, _: driver.execute(f"PRAGMA journal_mode = {mode}").close())
    assert one("journal-mode", engine).level == "error"


CHILD = """
    import os, sys
    from ragstore.operations.doctor import diagnose
    diagnose(sys.argv[2])  # imports what another user may not read
    if os.getuid() == 0:
        os.setuid(65534)
    for finding in diagnose(sys.argv[1]).findings:
        print(finding.check, finding.level, finding.subject)
"""


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
@pytest.mark.parametrize(("modes", "expected"), [((0o444, 0o777), "app.db"), ((0o666, 0o555), "folder")])
def test_read_only(upgraded_file: str, modes: tuple[int, int], expected: str) -> None:
    """The child is another user if we are root."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "folder" / "app.db"
        path.parent.mkdir()
        Path(name).chmod(0o755)
        ragstore.upgrade(f"sqlite:///{path}")
        path.chmod(modes[0])
        path.parent.chmod(modes[1])
        try:
            printed = finish(start_child(CHILD, f"sqlite:///{path}", upgraded_file))
        finally:
            path.parent.chmod(0o755)
    assert [line for line in printed.splitlines() if line.startswith("writable error") and line.endswith(expected)]


MOUNTS = """22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
30 22 0:40 / {place} rw - {kind} server:/share rw
"""


@pytest.mark.parametrize(
    ("kind", "mode", "level"),
    [("nfs4", "WAL", "error"), ("nfs4", "DELETE", "warning"), ("9p", "WAL", "error"), ("xfs", "WAL", None)],
)
def test_network_file_system(
    upgraded_file: str, run_sql: SQL, monkeypatch: pytest.MonkeyPatch, kind: str, mode: str, level: str | None
) -> None:
    """As the kernel would list such a mount."""
    run_sql(upgraded_file, f"PRAGMA journal_mode = {mode}")
    folder = path_of(upgraded_file).resolve().parent
    mounts = folder / "mountinfo"
    mounts.write_text(MOUNTS.format(place=folder, kind=kind))
    monkeypatch.setattr(file, "MOUNTS", mounts)
    found = diagnose(upgraded_file)
    assert found.facts["file_system"] == kind
    assert [f.level for f in found.findings if f.check == "file-system"] == ([level] if level else [])


def test_unknown_file_system(upgraded_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "MOUNTS", Path("/not/there"))
    assert one("file-system", upgraded_file).level == "hint"


def test_deepest_mount_counts() -> None:
    """Spaces are written as \\040; a name that only begins alike is another place; the last mount on a place wins."""
    mounts = MOUNTS.format(place="/data\\040é", kind="nfs") + "31 30 0:41 / /data\\040é/fast rw - ext4 /dev/b rw\n"
    assert file.kind_of(Path("/data é/app.db"), mounts) == "nfs"
    assert file.kind_of(Path("/data é/fast/app.db"), mounts) == "ext4"
    assert file.kind_of(Path("/data éx/app.db"), mounts) == "ext4"
    again = mounts + "32 30 0:42 / /data\\040é rw - tmpfs none rw\n"
    assert file.kind_of(Path("/data é/app.db"), again) == "tmpfs"


def test_synced_folder(tmp_path: Path, upgraded_file: str) -> None:
    folder = tmp_path / "Dropbox (work)"
    folder.mkdir()
    shutil.copy(path_of(upgraded_file), folder / "app.db")
    assert one("synced-folder", f"sqlite:///{folder}/app.db").level == "warning"
    assert of("synced-folder", upgraded_file) == []


def test_wal_that_grows(wal_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that does not end keeps the log from being written back."""
    monkeypatch.setattr(file, "LARGE_WAL", 2**20)
    path = path_of(wal_file)
    reader, writer = sqlite3.connect(path), sqlite3.connect(path)
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM rag_document").fetchall()
        assert of("wal-size", wal_file) == []
        writer.execute("CREATE TABLE host (x)")
        writer.executemany("INSERT INTO host VALUES (?)", [(b"x" * 4000,)] * 500)
        writer.commit()
        assert "reader" in one("wal-size", wal_file).what
    finally:
        reader.close()
        writer.close()
    assert of("wal-size", wal_file) == []


def test_free_space(upgraded_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is nearly full; the figure is planted."""
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(file.shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    assert one("free-space", upgraded_file).level == "warning"
    monkeypatch.setattr(file, "LITTLE_SPACE", 100)
    assert one("free-space", upgraded_file).level == "hint"


def damage(path: Path, table: str) -> None:
    """Overwrite a table's first page."""
    with sqlite3.connect(path) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.close()
    with path.open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(os.urandom(size))


def test_damaged_page(upgraded_file: str) -> None:
    damage(path_of(upgraded_file), "rag_document")
    found = of("integrity", upgraded_file)
    assert found
    assert {finding.level for finding in found} == {"error"}


def test_deep(upgraded_file: str) -> None:
    """An index that lacks a row is seen by a deep look alone."""
    path = path_of(upgraded_file)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE host (x)")
        connection.executemany("INSERT INTO host VALUES (?)", [(n,) for n in range(10)])
        connection.execute("CREATE INDEX of_host ON host (x)")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = 'CREATE INDEX of_host ON host (x) WHERE x > 5' WHERE name = 'of_host'"
        )
        connection.commit()
        connection.execute("PRAGMA writable_schema = RESET")
    connection.close()
    assert of("integrity", upgraded_file) == []
    assert one("integrity", upgraded_file, deep=True).level == "error"


def test_large_file_is_read_on_request(upgraded_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "QUICK_UP_TO", 1000)
    assert one("integrity", upgraded_file).level == "hint"
    assert of("integrity", upgraded_file, deep=True) == []


def test_orphans(wal_file: str, run_sql: SQL) -> None:
    """Rows of ours are an error, a host's a warning."""
    run_sql(wal_file, "PRAGMA foreign_keys = OFF", "DELETE FROM rag_collection")
    run_sql(
        wal_file,
        "CREATE TABLE parent (id PRIMARY KEY)",
        "CREATE TABLE host (x REFERENCES parent)",
        "INSERT INTO host VALUES ('a')",
    )
    found = {finding.subject: finding for finding in of("foreign-keys-hold", wal_file)}
    assert found["rag_embedding_space"].level == "error"
    assert found["host"].level == "warning"
    run_sql(wal_file, "CREATE TABLE odd (x REFERENCES host (x))", "INSERT INTO odd VALUES ('a')")
    assert "mismatch" in one("foreign-keys-hold", wal_file).what  # what cannot be checked is said


def test_free_pages(upgraded_file: str, run_sql: SQL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "FREE_BYTES", 2**20)
    run_sql(upgraded_file, "CREATE TABLE host (x)", "INSERT INTO host VALUES (zeroblob(4000000))", "DROP TABLE host")
    assert "VACUUM" in one("free-pages", upgraded_file).remedy
    run_sql(upgraded_file, "VACUUM")
    assert of("free-pages", upgraded_file) == []


def test_layout(sqlite_url: str, run_sql: SQL) -> None:
    run_sql(sqlite_url, "PRAGMA page_size = 1024", "PRAGMA encoding = 'UTF-16le'", "CREATE TABLE host (x)")
    ragstore.upgrade(sqlite_url)
    assert {finding.subject for finding in of("layout", sqlite_url)} == {"page_size", "encoding"}


@pytest.mark.parametrize(
    ("pragma", "level"),
    [
        ("foreign_keys = OFF", "error"),
        ("synchronous = OFF", "error"),
        ("busy_timeout = 100", "warning"),
        ("locking_mode = EXCLUSIVE", "warning"),
    ],
)
def test_connection_options(upgraded_file: str, make_engine: Engines, pragma: str, level: str) -> None:
    """A host's engine; of a URL there is nothing to say, since nobody works on that connection."""
    engine = make_engine(upgraded_file)
    ragstore.configure_engine(engine)
    assert of("connection-options", engine) == []
    engine.dispose()
    event.listen(engine, "connect", lambda driver, _: driver.execute(f"PRAGMA {pragma}").close())
    found = one("connection-options", engine)
    assert (found.level, found.subject) == (level, pragma.partition(" ")[0])
    engine.dispose()
    assert of("connection-options", upgraded_file) == []


@pytest.mark.skipif("sys.version_info < (3, 12)", reason="sqlite3 has no autocommit before Python 3.12")
def test_driver_in_autocommit(upgraded_file: str, make_engine: Engines) -> None:
    engine = make_engine(upgraded_file, connect_args={"autocommit": True})
    assert "autocommit=True" in one("reach", engine).what


@pytest.mark.skipif(shutil.which("mount") is None or os.getuid() != 0, reason="needs the right to mount")
def test_real_mount_is_found(tmp_path: Path) -> None:
    """The kernel's own list has the mount of a folder of ours."""
    place = tmp_path / "my disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "ramfs", "none", str(place)], capture_output=True, check=False).returncode:
        pytest.skip("may not mount here")
    try:
        ragstore.upgrade(f"sqlite:///{place}/app.db")
        assert diagnose(f"sqlite:///{place}/app.db").facts["file_system"] == "ramfs"
    finally:
        subprocess.run(["umount", str(place)], check=True)
