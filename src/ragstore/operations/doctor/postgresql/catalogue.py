"""What several checks ask the catalogue in the same way."""

from __future__ import annotations

OURS = """
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND starts_with(c.relname, 'rag_')
"""
"""Our tables, as `c`."""

EXISTS = """
SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table AND has_schema_privilege(n.oid, 'USAGE')
  AND has_table_privilege(c.oid, 'SELECT')
"""
"""Whether a table of ours is there to be read."""
