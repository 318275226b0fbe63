"""What is in the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ragstore.operations.doctor.looking import RESTORE, Advice, Check, Look

QUICK_UP_TO = 2 * 2**30
"""Bytes up to which the file is read as a whole without being asked to."""
FREE_SHARE = 0.25
FREE_BYTES = 16 * 2**20
PAGE_SIZE = 4096


def _bytes(look: Look) -> int:
    return int(look.value("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"))


def integrity(look: Look) -> Iterator[Advice]:
    """Each page is what SQLite wrote; deep: and each index has its table's rows."""
    if not look.deep and _bytes(look) > QUICK_UP_TO:
        what = f"the file has more than {QUICK_UP_TO / 2**30:.0f} GB: neither pages nor foreign keys were checked"
        yield Advice("hint", "the file", what, "ragstore doctor --deep")
        return
    statement = "PRAGMA integrity_check(5)" if look.deep else "PRAGMA quick_check(5)"
    for (said,) in look.rows(statement):
        if said != "ok":
            yield Advice("error", "the file", f"it is damaged: {said}", RESTORE)


def foreign_keys_hold(look: Look) -> Iterator[Advice]:
    """No row refers to one that is not there."""
    if not look.deep and _bytes(look) > QUICK_UP_TO:
        return
    orphans = Counter((table, parent) for table, _, parent, _ in look.rows("PRAGMA foreign_key_check"))
    for (table, parent), count in orphans.items():
        what = f"{count} rows refer to rows of {parent} that are not there: somebody wrote with foreign keys off"
        remedy = (
            f"look at them with  PRAGMA foreign_key_check({table});  and delete them; turn foreign keys on everywhere"
        )
        yield Advice("error" if table.startswith("rag_") else "warning", table, what, remedy)


def free_pages(look: Look) -> Iterator[Advice]:
    """The file is not mostly empty."""
    free, pages, size = look.rows(
        "SELECT freelist_count, page_count, page_size FROM pragma_freelist_count, pragma_page_count, pragma_page_size"
    )[0]
    if free > FREE_SHARE * pages and free * size >= FREE_BYTES:
        what = f"{free * size / 2**20:.0f} MB of it are free pages, which later writes use again"
        yield Advice("hint", "the file", what, "VACUUM;  makes it smaller; nobody can write meanwhile")


def layout(look: Look) -> Iterator[Advice]:
    """Pages and text are as SQLite makes them today."""
    size, encoding = look.value("PRAGMA page_size"), look.value("PRAGMA encoding")
    if size < PAGE_SIZE:
        what = f"{size} bytes: a vector is spread over many pages, and searches read more slowly"
        remedy = f"PRAGMA journal_mode = DELETE; PRAGMA page_size = {PAGE_SIZE}; VACUUM; PRAGMA journal_mode = WAL;"
        yield Advice("hint", "page_size", what, remedy)
    if encoding != "UTF-8":
        what = f"the file keeps text as {encoding}, and each value is converted"
        yield Advice("hint", "encoding", what, "it is fixed when a file is made: move the data to a new one")


CHECKS: tuple[Check, ...] = (integrity, foreign_keys_hold, free_pages, layout)
