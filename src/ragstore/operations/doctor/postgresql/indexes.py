"""Indexes on our tables, those that belong to the data included."""
# ruff: noqa: S608 - names are quoted

from __future__ import annotations

from collections.abc import Iterator

from ragstore.config import Settings
from ragstore.core.sql import for_text, quoted
from ragstore.operations.doctor.looking import Advice, Check, Look
from ragstore.operations.doctor.postgresql.catalogue import EXISTS, OURS

UNUSED_BYTES = 100 * 2**20
"""Size from which an index that is never used is worth a word."""
UNUSED_DAYS = 14
"""Days of statistics that it takes to say "never"."""

_ON_OURS = f"""
FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid
JOIN (SELECT c.oid, c.relname {OURS}) AS t ON t.oid = i.indrelid
"""
_INVALID = f"""
SELECT x.relname::text, t.relname::text {_ON_OURS} WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
  AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index AS p WHERE p.datname = current_database()
                  AND (p.index_relid = i.indexrelid OR p.relid IS NULL))  -- NULL: another role's build
"""
_DUPLICATE = f"""
SELECT min(t.relname::text), array_agg(x.relname::text ORDER BY i.indisprimary DESC, i.indisunique DESC, x.oid)
{_ON_OURS} WHERE i.indisvalid
GROUP BY i.indrelid, x.relam, i.indkey::text, i.indclass::text, i.indcollation::text, i.indoption::text,
  pg_get_expr(i.indexprs, i.indrelid), pg_get_expr(i.indpred, i.indrelid)
HAVING count(*) > 1
"""
_UNUSED = f"""
SELECT x.relname::text, t.relname::text, pg_relation_size(x.oid)
{_ON_OURS} JOIN pg_stat_user_indexes AS s ON s.indexrelid = x.oid
WHERE s.idx_scan = 0 AND NOT i.indisunique AND i.indisvalid AND pg_relation_size(x.oid) >= :bytes
  AND (SELECT coalesce(stats_reset, pg_postmaster_start_time()) FROM pg_stat_database
       WHERE datname = current_database()) <= now() - make_interval(days => :days)
ORDER BY 3 DESC
"""
# `x` is a space's index.
_SPACES = """
FROM {schema}.rag_embedding_space AS s
LEFT JOIN pg_class AS x ON x.relname = 'ann_' || replace(s.id::text, '-', '') AND x.relnamespace = (
  SELECT oid FROM pg_namespace WHERE nspname = :schema)
"""
_BROKEN = f"""
SELECT s.id, s.tenant_id, s.index_method, s.index_state {_SPACES}
WHERE (s.index_method <> 'none' AND x.oid IS NULL OR s.index_state IN ('building', 'invalid'))
  AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index AS p WHERE p.datname = current_database()
                  AND (p.index_relid = x.oid OR p.relid IS NULL))
ORDER BY s.id LIMIT 20
"""
_LARGE = f"""
SELECT s.id, s.tenant_id {_SPACES} WHERE s.state = 'active' AND s.index_method = 'none' AND x.oid IS NULL
  AND :above < (SELECT count(*) FROM (
    SELECT 1 FROM {{schema}}.rag_embedding AS e WHERE e.tenant_id = s.tenant_id AND e.space_id = s.id
    LIMIT :above + 1) AS counted)
ORDER BY s.id LIMIT 20
"""
# Under row-level security the spaces of other tenants would look as if they were gone.
_GONE = """
SELECT x.relname::text FROM pg_class AS x JOIN pg_namespace AS n ON n.oid = x.relnamespace
WHERE n.nspname = :schema AND x.relkind = 'i' AND x.relname ~ '^ann_[0-9a-f]{{32}}$'
  AND NOT EXISTS (SELECT 1 FROM {schema}.rag_embedding_space AS s
                  WHERE s.id::text = CAST(substr(x.relname, 5) AS uuid)::text)
  AND NOT EXISTS (SELECT 1 FROM pg_class AS c WHERE c.relnamespace = n.oid AND c.relname = 'rag_embedding_space'
                  AND row_security_active(c.oid))
"""
_VECTORS = f"SELECT pg_relation_size(c.oid), c.reltuples {OURS} AND c.relname = 'rag_embedding'"


def _name(look: Look, index: str) -> str:
    return f"{quoted(look.schema)}.{quoted(index)}"


def invalid_indexes(look: Look) -> Iterator[Advice]:
    """No index is a leftover of a build that failed."""
    for index, table in look.rows(_INVALID, schema=look.schema):
        what = f"an index on {table} that a failed build has left: no query uses it, and every write pays for it"
        if index.startswith("ann_"):
            remedy = "run  ragstore db ensure-indexes, or call store.spaces.repair_indexes()"
        else:
            remedy = (
                f"run  ragstore db ensure-indexes ; one of your own:  DROP INDEX CONCURRENTLY {_name(look, index)};"
            )
        yield Advice("warning", index, what, remedy)


def duplicate_indexes(look: Look) -> Iterator[Advice]:
    """No two indexes are the same."""
    for table, (first, *others) in look.rows(_DUPLICATE, schema=look.schema):
        drops = " ".join(f"DROP INDEX CONCURRENTLY {_name(look, name)};" for name in others)
        what = f"{', '.join(others)} on {table} is the same as {first}: every write pays for both"
        yield Advice("hint", ", ".join(others), what, f"drop the one that ragstore did not declare, e.g.  {drops}")


def unused_indexes(look: Look) -> Iterator[Advice]:
    """Each large index has served a query."""
    for index, table, size in look.rows(_UNUSED, schema=look.schema, bytes=UNUSED_BYTES, days=UNUSED_DAYS):
        what = (
            f"{size / 2**20:.0f} MB on {table}, and no query of at least {UNUSED_DAYS} days has used it on this server"
        )
        yield Advice("hint", index, what, "one of your own: drop it, unless a replica uses it; one of ours: keep it")


def space_indexes(look: Look) -> Iterator[Advice]:
    """Each embedding space has the index that its record says, and each index its space."""
    if not _readable(look, "rag_embedding_space"):
        return
    for (index,) in look.rows(_GONE.format(schema=_literal(look)), schema=look.schema):
        what = "the index of an embedding space that is gone: the planner of every search looks at it"
        yield Advice("warning", index, what, "call store.spaces.drop_unused_indexes()")
    for space, tenant, method, state in look.rows(_BROKEN.format(schema=_literal(look)), schema=look.schema):
        what = f"its record says {method} ({state}), and no such index is complete: searches are exact, and slow"
        remedy = f'call store.spaces.repair_indexes()  for the tenant "{tenant}"'
        yield Advice("warning", f"space {space}", what, remedy)


def spaces_without_index(look: Look) -> Iterator[Advice]:
    """No active space has grown beyond what an exact search does quickly."""
    above = Settings().index_above
    if above is None or not _readable(look, "rag_embedding") or not _readable(look, "rag_embedding_space"):
        return
    if not any(count < 0 or count > above for _, count in look.rows(_VECTORS, schema=look.schema)):
        return
    values = {"schema": look.schema, "above": above}
    for space, tenant in look.rows(_LARGE.format(schema=_literal(look)), **values):
        what = f"it has more than {above} vectors and no approximate index: each search compares all of them"
        remedy = f'call store.spaces.create_index(collection)  for the tenant "{tenant}"'
        yield Advice("hint", f"space {space}", what, remedy)


def _readable(look: Look, table: str) -> bool:
    return bool(look.value(EXISTS, schema=look.schema, table=table))


def _literal(look: Look) -> str:
    return for_text(quoted(look.schema))


CHECKS: tuple[Check, ...] = (invalid_indexes, duplicate_indexes, unused_indexes, space_indexes, spaces_without_index)
