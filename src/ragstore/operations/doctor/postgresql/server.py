"""The server: what it is, and how it is set up for everybody."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date

from sqlalchemy.exc import SQLAlchemyError

from ragstore.core.sql import quoted
from ragstore.core.translate import translating
from ragstore.errors import RagstoreError
from ragstore.migrations import sides
from ragstore.migrations.on_postgresql import SERVER_MINIMUM
from ragstore.operations.doctor.looking import Advice, Check, Look
from ragstore.operations.doctor.postgresql.pooling import open_transactions

# The last day on which each major release gets fixes, as the PostgreSQL project has announced it.
END_OF_SUPPORT = {
    14: date(2026, 11, 12),
    15: date(2027, 11, 11),
    16: date(2028, 11, 9),
    17: date(2029, 11, 8),
    18: date(2030, 11, 14),
}
CLOCK_APART = 5.0
_CHECKSUMS = "turn them on with pg_checksums --enable while the server is stopped"


def reach(look: Look) -> Iterator[Advice]:
    """The server answers in UTF-8, and connections come out of the pool clean."""
    try:
        with translating(sides.of(look.engine.dialect).classify):
            dirty = tuple(open_transactions(look))
            if dirty:
                yield from dirty
                return
            role, database = look.rows("SELECT current_user::text, current_database()::text")[0]
    except (RagstoreError, SQLAlchemyError) as error:
        yield Advice(
            "error", "the connection", str(error), "put right what the message names; nothing else was looked at"
        )
        return
    look.facts |= {"role": role, "name": database}


def server_version(look: Look) -> Iterator[Advice]:
    """The server is new enough, and still gets fixes."""
    version, found = look.rows("SELECT current_setting('server_version'), current_setting('server_version_num')::int")[
        0
    ]
    look.facts["version"] = version
    yield from judge_version(version, found, date.today())  # noqa: DTZ011 - a day more or less is nothing here


def judge_version(version: str, number: int, today: date) -> Iterator[Advice]:
    """Hold a server's version against our floor and the calendar."""
    subject, major = f"PostgreSQL {version}", number // 10000
    if number < SERVER_MINIMUM:
        remedy = "move to a newer server: pg_upgrade, or dump and restore"
        yield Advice("error", subject, f"ragstore needs PostgreSQL {SERVER_MINIMUM // 10000} or later", remedy)
    elif major in END_OF_SUPPORT and today > END_OF_SUPPORT[major]:
        what = f"it has had no fixes, nor security fixes, since {END_OF_SUPPORT[major]}"
        yield Advice("warning", subject, what, "move to a newer server")


def standby(look: Look) -> Iterator[Advice]:
    """The server can be written to."""
    if look.value("SELECT pg_is_in_recovery()"):
        what = "it is a hot standby: every write fails with ReadOnlyError"
        yield Advice("error", "the server", what, "connect to the primary, e.g. with target_session_attrs=read-write")


def crash_safety(look: Look) -> Iterator[Advice]:
    """A crash loses nothing that was committed, and damages nothing."""
    if look.value("SELECT current_setting('fsync')") == "off":
        what = "after a crash of the machine the whole cluster may be damaged"
        yield Advice("error", "fsync", what, "ALTER SYSTEM SET fsync = on;  then  SELECT pg_reload_conf();")
    if look.value("SELECT current_setting('full_page_writes')") == "off":
        what = "a crash while a page is being written may damage it"
        remedy = "ALTER SYSTEM SET full_page_writes = on;  then  SELECT pg_reload_conf();"
        yield Advice("warning", "full_page_writes", what, remedy)
    if look.value("SELECT current_setting('data_checksums')") == "off":
        yield Advice(
            "hint", "data_checksums", "a page that the disk has damaged is read as if it were right", _CHECKSUMS
        )


def collation_version(look: Look) -> Iterator[Advice]:
    """The operating system still sorts text as it did when the indexes were built."""
    query = """
        SELECT datcollversion, pg_database_collation_actual_version(oid) FROM pg_database
        WHERE datname = current_database()
    """
    recorded, actual = look.rows(query)[0]
    if recorded is not None and actual is not None and recorded != actual:
        what = (
            f"the system's collation is version {actual}, and indexes on text were built with {recorded}: they may "
            'miss rows. Our keys have COLLATE "C" and are not affected; other indexes may be'
        )
        name = quoted(look.facts["name"])
        remedy = f"REINDEX DATABASE {name};  then  ALTER DATABASE {name} REFRESH COLLATION VERSION;"
        yield Advice("warning", f"database {look.facts['name']}", what, remedy)


def clock(look: Look) -> Iterator[Advice]:
    """This machine's clock and the server's agree."""
    with look.reading() as connection:
        began = time.time()
        theirs = float(connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar_one())
        ended = time.time()
    apart = max(0.0, began - theirs, theirs - ended)
    if apart > CLOCK_APART:
        what = (
            f"the server's clock and this machine's are {apart:.0f} s apart. Rate limits and sessions follow "
            "the server's; times that the application makes itself do not agree with them"
        )
        yield Advice("warning", "the clock", what, "let both follow a time server (NTP)")


CHECKS: tuple[Check, ...] = (server_version, standby, crash_safety, collation_version, clock)
