"""The files that URLs of SQLite name."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from sqlalchemy.engine import URL


def is_memory(url: URL) -> bool:
    """Say whether a URL names a database in memory, or another that ends with its connection."""
    return url.query.get("mode") == "memory" or file_of(url) is None


def file_of(url: URL) -> Path | None:
    """Give the file that a URL names, as SQLite reads it; None if each connection would have a database of its own."""
    if not url.database:
        return None
    plain = url.set(drivername="sqlite+pysqlite")
    (name, *_), options = plain.get_dialect()().create_connect_args(plain)
    if not (options.get("uri") and name.startswith("file:")):
        return None if name == ":memory:" else Path(name)
    parts = urlsplit(name)
    path, asked = unquote(parts.path), dict(parse_qsl(parts.query))
    in_memory = path in ("", ":memory:") or asked.get("mode") == "memory" or asked.get("vfs") == "memdb"
    return None if in_memory else Path(path)
