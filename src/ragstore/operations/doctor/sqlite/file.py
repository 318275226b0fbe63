"""The file: where it lies, and how it is written."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ragstore.backends.sqlite.files import file_of, is_memory
from ragstore.core.translate import translating
from ragstore.errors import RagstoreError
from ragstore.migrations import sides
from ragstore.operations.doctor.looking import Advice, Check, Look

MOUNTS = Path("/proc/self/mountinfo")
LARGE_WAL = 64 * 2**20
LITTLE_SPACE = 256 * 2**20

_OCTAL = re.compile(r"\\([0-7]{3})")  # how a space in a mount's place is written
_OVER_NETWORK: tuple[str, ...] = (
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "vboxsf",
    "afs",
    "ceph",
    "lustre",
    "fuse.sshfs",
)
_OVER_NETWORK += ("fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "fuse.davfs", "fuse.vmhgfs-fuse", "prl_fs")
_SYNCED = ("Dropbox", "OneDrive", "Google Drive", "GoogleDrive", "Mobile Documents", "Nextcloud", "Syncthing")


def path_of(engine: Engine) -> Path | None:
    """Give the file of an engine; None for a database in memory."""
    path = None if is_memory(engine.url) else file_of(engine.url)
    return None if path is None else path.absolute()


def reach(look: Look) -> Iterator[Advice]:
    """There is a file, and it is a database."""
    path = path_of(look.engine)
    look.facts["version"] = sqlite3.sqlite_version
    try:
        if path is not None and not path.exists():
            what = "there is no such file" if path.parent.is_dir() else f"there is no folder {path.parent}"
            yield Advice("error", str(path), what, "check the path; ragstore.upgrade makes the file, not its folder")
            return
        with translating(sides.of(look.engine.dialect).classify):
            look.rows("SELECT count(*) FROM sqlite_master")
    except (RagstoreError, SQLAlchemyError, OSError) as error:
        remedy = "put right what the message names; nothing else was looked at"
        yield Advice("error", str(path or "the database in memory"), str(error), remedy)
        return
    look.facts["file"] = str(path or ":memory:")


def writable(look: Look) -> Iterator[Advice]:
    """This process may write the file, and make files beside it."""
    path = path_of(look.engine)
    if path is None:
        return
    if not os.access(path, os.W_OK):
        what = "this user may not write the file: every write fails"
        yield Advice("error", str(path), what, "chmod u+w, or run as the file's owner")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        what = "this user may not make files in the folder: SQLite keeps its journal beside the file, so writes fail"
        yield Advice("error", str(path.parent), what, "chmod u+wx, or move the file to a folder of its own")


def journal_mode(look: Look) -> Iterator[Advice]:
    """Readers and writers do not wait for each other."""
    look.facts["journal_mode"] = mode = look.value("PRAGMA journal_mode")
    if mode == "off" or (mode == "memory" and path_of(look.engine) is not None):
        what = "there is no journal on disk: a crash in the middle of a write damages the file"
        yield Advice("error", f"journal_mode={mode}", what, "PRAGMA journal_mode = WAL;")
    elif mode not in ("wal", "memory"):
        what = "readers wait for writers, and writers for readers; a store that opens the file turns it to WAL"
        yield Advice("hint", f"journal_mode={mode}", what, "PRAGMA journal_mode = WAL;  on a local file system")


def file_system(look: Look) -> Iterator[Advice]:
    """The file lies on a local disk."""
    path = path_of(look.engine)
    if path is None:
        return
    if not MOUNTS.exists():
        what = f"on {sys.platform} the kind of file system is not found out"
        yield Advice("hint", str(path), what, "make sure that it is a local disk, not a network share")
        return
    look.facts["file_system"] = kind = kind_of(path.resolve(), MOUNTS.read_text(encoding="utf-8", errors="replace"))
    if kind in _OVER_NETWORK:
        wal = look.value("PRAGMA journal_mode") == "wal"
        what = f"the file system is {kind}: " + (
            "WAL needs memory that all processes share, so two machines damage the file"
            if wal
            else "its locks may not hold, and two processes may then damage the file"
        )
        remedy = "move the file to a local disk, or use PostgreSQL"
        yield Advice("error" if wal else "warning", str(path), what, remedy)


def kind_of(path: Path, mounts: str) -> str:
    """Find the kind of file system of the deepest mount that holds a path; the last of several on one place."""
    best, kind = Path(), "unknown"
    for line in mounts.splitlines():
        front, _, back = line.partition(" - ")
        place = Path(_OCTAL.sub(lambda match: chr(int(match[1], 8)), front.split()[4]))
        if path.is_relative_to(place) and len(place.parts) >= len(best.parts):
            best, kind = place, back.split()[0]
    return kind


def synced_folder(look: Look) -> Iterator[Advice]:
    """No other program copies the file while it is written."""
    path = path_of(look.engine)
    found = [part for part in path.parent.parts if part.startswith(_SYNCED)] if path else []
    if found:
        what = f"{found[0]} looks like a folder that is kept in sync: a copy taken during a write is damaged"
        yield Advice("warning", str(path), what, "move the file out of it, and sync a backup instead")


def wal_size(look: Look) -> Iterator[Advice]:
    """The write-ahead log is written back into the file."""
    path = path_of(look.engine)
    log = path.with_name(path.name + "-wal") if path else None
    if log is not None and log.exists() and log.stat().st_size > LARGE_WAL:
        what = f"{log.stat().st_size / 2**20:.0f} MB: a reader that does not end keeps it from being written back"
        remedy = "end long reads (units of work, cursors left open), then  PRAGMA wal_checkpoint(TRUNCATE);"
        yield Advice("warning", str(log), what, remedy)


def free_space(look: Look) -> Iterator[Advice]:
    """The disk has room."""
    path = path_of(look.engine)
    if path is None:
        return
    free, size = shutil.disk_usage(path.parent).free, path.stat().st_size
    if free < LITTLE_SPACE:
        what = f"the disk has {free / 2**20:.0f} MB left; when it is full, writes fail with StorageError"
        yield Advice("warning", str(path.parent), what, "make room")
    elif free < size:
        what = "the disk has less room left than the file takes: neither VACUUM nor a backup beside it can succeed"
        yield Advice("hint", str(path.parent), what, "make room before either")


CHECKS: tuple[Check, ...] = (writable, journal_mode, file_system, synced_folder, wal_size, free_space)
