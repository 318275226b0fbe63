"""What keeps the tables quick: statistics, vacuum, memory. And what hides rows from us."""

# ruff: noqa: S608 - constants
from __future__ import annotations

from collections.abc import Iterator

from ragstore.core.sql import quoted
from ragstore.operations.doctor.looking import Advice, Check, Look
from ragstore.operations.doctor.postgresql.catalogue import OURS

WORTH_ANALYZING = 2 * 2**20
"""Bytes from which a table's missing statistics make bad plans that hurt."""
MANY_DEAD = 50_000
DEAD_SHARE = 0.4
LARGE = 2**30
"""Bytes of ours from which the server's default memory is too little."""
DEFAULT_BUFFERS = 128 * 2**20

_NEVER_ANALYZED = f"""
SELECT c.relname::text, pg_relation_size(c.oid) {OURS} AND c.reltuples < 0 AND pg_relation_size(c.oid) >= :bytes
ORDER BY 2 DESC
"""
_DEAD = f"""
SELECT c.relname::text, s.n_dead_tup, s.n_live_tup
FROM pg_stat_user_tables AS s JOIN (SELECT c.oid, c.relname {OURS}) AS c ON c.oid = s.relid
WHERE s.n_dead_tup >= :dead AND s.n_dead_tup > :share * (s.n_live_tup + s.n_dead_tup)
"""
_OFF = f"""
SELECT c.relname::text {OURS} AND EXISTS (
  SELECT 1 FROM pg_options_to_table(c.reloptions) WHERE option_name = 'autovacuum_enabled'
    AND NOT CAST(option_value AS boolean))
"""
_ROW_SECURITY = f"SELECT c.relname::text {OURS} AND row_security_active(c.oid)"
_SIZES = f"""
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint,
  (SELECT setting::bigint * 8192 FROM pg_settings WHERE name = 'shared_buffers') {OURS}
"""
_MEMORY = """
SELECT c.relname::text, pg_relation_size(c.oid), pg_size_bytes(current_setting('maintenance_work_mem'))
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_am AS m ON m.oid = c.relam
WHERE n.nspname = :schema AND c.relkind = 'i' AND m.amname = 'hnsw' ORDER BY 2 DESC LIMIT 1
"""


def _table(look: Look, name: str) -> str:
    return f"{quoted(look.schema)}.{quoted(name)}"


def statistics(look: Look) -> Iterator[Advice]:
    """Each table that is not small has been analysed."""
    for name, size in look.rows(_NEVER_ANALYZED, schema=look.schema, bytes=WORTH_ANALYZING):
        what = f"{size / 2**20:.0f} MB, and never analysed: plans are guesses, and calls may take seconds"
        yield Advice("warning", name, what, f"ANALYZE {_table(look, name)};  after loading much, do so each time")


def dead_rows(look: Look) -> Iterator[Advice]:
    """Vacuum keeps up."""
    for name, dead, live in look.rows(_DEAD, schema=look.schema, dead=MANY_DEAD, share=DEAD_SHARE):
        what = f"{dead} dead rows beside {live} living ones: reads go through both"
        remedy = f"VACUUM (ANALYZE) {_table(look, name)};  and look for long transactions, which hold vacuum back"
        yield Advice("warning", name, what, remedy)


def autovacuum(look: Look) -> Iterator[Advice]:
    """Vacuum and statistics come by themselves."""
    for name in ("autovacuum", "track_counts"):
        if look.value("SELECT current_setting(:name)", name=name) == "off":
            what = "it is off: nothing is vacuumed or analysed by itself, so tables grow and plans get worse"
            yield Advice("warning", name, what, f"ALTER SYSTEM SET {name} = on;  then  SELECT pg_reload_conf();")
    for (table,) in look.rows(_OFF, schema=look.schema):
        what = "autovacuum is off for this table"
        yield Advice("warning", table, what, f"ALTER TABLE {_table(look, table)} RESET (autovacuum_enabled);")


def row_security(look: Look) -> Iterator[Advice]:
    """No policy hides rows from the role."""
    names = [row[0] for row in look.rows(_ROW_SECURITY, schema=look.schema)]
    if names:
        what = "row-level security is in force for this role: ragstore does not see, count or erase what policies hide"
        remedy = "ALTER TABLE ... DISABLE ROW LEVEL SECURITY;  tenants are kept apart by ragstore in every statement"
        yield Advice("warning", ", ".join(names), what, remedy)


def memory(look: Look) -> Iterator[Advice]:
    """The server has memory for the tables and for building their indexes."""
    total, buffers = look.rows(_SIZES, schema=look.schema)[0]
    if total >= LARGE and buffers <= DEFAULT_BUFFERS:
        what = f"{buffers / 2**20:.0f} MB, the default, for {total / 2**20:.0f} MB of tables and indexes"
        yield Advice("hint", "shared_buffers", what, "give it about a quarter of the machine's memory")
    for name, size, allowed in look.rows(_MEMORY, schema=look.schema):
        if size > allowed:
            what = f"{name} has {size / 2**20:.1f} MB and this is {allowed / 2**20:.1f} MB: building it anew is slow"
            yield Advice(
                "hint", "maintenance_work_mem", what, "SET maintenance_work_mem higher for the role that builds"
            )


CHECKS: tuple[Check, ...] = (statistics, dead_rows, autovacuum, row_security, memory)
