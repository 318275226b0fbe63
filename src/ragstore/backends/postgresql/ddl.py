"""What a table declaration cannot say on PostgreSQL."""

from __future__ import annotations

VECTOR_MINIMUM = (0, 8, 0)
VECTOR_ADVISED = (0, 8, 4)
EXTENSION_SCHEMA = """
SELECT n.nspname::pg_catalog.text FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace
WHERE e.extname OPERATOR(pg_catalog.=) 'vector'
"""
"""Where pgvector is; no name in it is one of a search path."""

STORAGE = (
    # vectors stay in the row: an exact scan of toasted vectors takes five times as long
    "ALTER TABLE {schema}.rag_embedding ALTER COLUMN dense SET STORAGE PLAIN",
    "ALTER TABLE {schema}.rag_embedding ALTER COLUMN half SET STORAGE PLAIN",
    "ALTER TABLE {schema}.rag_embedding ALTER COLUMN sparse SET STORAGE PLAIN",
    "ALTER TABLE {schema}.rag_chunk_terms ALTER COLUMN weights SET STORAGE PLAIN",
    # lexemes and rest go out of line, so that a page holds many rows' weights
    "ALTER TABLE {schema}.rag_chunk_terms ALTER COLUMN rest SET STORAGE EXTERNAL",
    "ALTER TABLE {schema}.rag_chunk_terms SET (toast_tuple_target = 128)",
    # a row is written over and over: its next version then finds room on its page
    "ALTER TABLE {schema}.rag_rate_limit SET (fillfactor = 50)",
)
"""Run after the tables are made; `{schema}` is the quoted schema name."""

FUNCTIONS = ("rag_message_append", "rag_rate_limit_charge")
"""What else the schema holds; the text is in the revision that wrote it last."""
