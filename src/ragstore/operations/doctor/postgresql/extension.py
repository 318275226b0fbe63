"""The extension pgvector."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ragstore.backends.postgresql import ddl
from ragstore.operations.doctor.drivers import number
from ragstore.operations.doctor.looking import Advice, Check, Look
from ragstore.operations.doctor.results import Level

# The version that fixed it, the kind of index that it concerns, what could happen.
KNOWN_BUGS = (
    ((0, 8, 2), "hnsw", "a parallel hnsw build may read and write outside its memory (CVE-2026-3172)"),
    ((0, 8, 3), "hnsw", "vacuuming an hnsw index may corrupt it"),
    ((0, 8, 4), "hnsw", "vacuuming an hnsw index may fail, and inserts meanwhile too"),
    ((0, 8, 4), "ivfflat", "an ivfflat build may take more than maintenance_work_mem"),
    ((0, 8, 7), "ivfflat", "an ivfflat build may write outside its memory"),
)

_FOUND = """
SELECT e.extversion, a.default_version FROM pg_extension AS e
LEFT JOIN pg_available_extensions AS a ON a.name = e.extname WHERE e.extname = 'vector'
"""
_METHODS = """
SELECT DISTINCT m.amname::text FROM pg_class AS c JOIN pg_am AS m ON m.oid = c.relam
WHERE c.relkind = 'i' AND m.amname IN ('hnsw', 'ivfflat')
"""


def pgvector(look: Look) -> Iterator[Advice]:
    """The extension is there, new enough, and what the server's files are."""
    found = look.rows(_FOUND)
    if not found:
        yield from _missing(look)
        return
    inside, files = found[0]
    look.facts["extension"] = inside
    if number(inside) < ddl.VECTOR_MINIMUM:
        remedy = "install it on the server, then run  ALTER EXTENSION vector UPDATE;"
        what = f"ragstore needs {_dotted(ddl.VECTOR_MINIMUM)} or later, and upgrades are refused"
        yield Advice("error", f"pgvector {inside}", what, remedy)
    elif files is not None and number(files) > number(inside):
        what = f"the server has the files of {files}, and this database still has the objects of {inside}"
        yield Advice("warning", "pgvector", what, "ALTER EXTENSION vector UPDATE;")
    # the code that runs is the files': the database has only its own list of functions
    methods = {row[0] for row in look.rows(_METHODS)}
    yield from bugs(max(inside, files or inside, key=number), methods)


def _missing(look: Look) -> Iterator[Advice]:
    if look.value("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"):
        remedy = "an administrator runs  CREATE EXTENSION vector;  in this database"
    else:
        remedy = "install pgvector's package on the server, then run  CREATE EXTENSION vector;  in this database"
    yield Advice("error", "pgvector", "the extension is not in this database: there is no vector search", remedy)


def bugs(version: str, methods: Collection[str]) -> Iterator[Advice]:
    """Name a version's known bugs; those of an index that is there, or of a version below the advised one, warn."""
    found = [(method, what) for fixed, method, what in KNOWN_BUGS if number(version) < fixed]
    if not found:
        return
    old = number(version) < ddl.VECTOR_ADVISED
    level: Level = "warning" if old or any(method in methods for method, _ in found) else "hint"
    remedy = f"install {_dotted(max(fixed for fixed, _, _ in KNOWN_BUGS))} or later on the server"
    if any("corrupt" in what for _, what in found):
        remedy += ", then REINDEX each hnsw index"
    yield Advice(level, f"pgvector {version}", "; ".join(what for _, what in found), remedy)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


CHECKS: tuple[Check, ...] = (pgvector,)
