"""Approximate indexes by pgvector: one a space, partial, on an expression that names the space's dimensions.

A search uses an index only if it repeats its expression and its condition, so both are part of a contract:
`((dense::vector(N)) vector_cosine_ops) WHERE space_id = '…'`, with `half`, `halfvec` and the other metrics alike, and
`((binary_quantize(dense::vector(N))::bit(N)) bit_hamming_ops)` where one bit a component is kept.
"""
# ruff: noqa: S608 - names are quoted, and an id has no quote

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from ragstore.core.extension import MARK, VectorText
from ragstore.core.query import Query, Write
from ragstore.core.sql import for_text, literal, quoted
from ragstore.core.vectors import Metric
from ragstore.corpus.backend import FoundIndex, IndexSpec
from ragstore.corpus.records import EmbeddingSpace, IndexMethod

PREFIX = "ann_"
QUANTIZED_SPARE = 10
"""Candidates that one bit a component chooses for each hit, before their whole vectors are compared."""

_OPERATOR: dict[Metric, str] = {
    "cosine": f"OPERATOR({MARK}<=>)",
    "l2": f"OPERATOR({MARK}<->)",
    "inner_product": f"OPERATOR({MARK}<#>)",
}
_CLASS: dict[Metric, str] = {"cosine": "cosine", "l2": "l2", "inner_product": "ip"}


def name(space_id: UUID) -> str:
    """Name a space's index."""
    return f"{PREFIX}{space_id.hex}"


def _table(schema: str) -> str:
    return f"{for_text(quoted(schema))}.rag_embedding"


def _column(space: EmbeddingSpace) -> str:
    return "half" if space.storage == "halfvec" else "dense"


def _sized(space: EmbeddingSpace, vector: str) -> str:
    return f"CAST({vector} AS {MARK}{space.storage}({space.dimensions}))"


def _bits(space: EmbeddingSpace, vector: str) -> str:
    return f"CAST({MARK}binary_quantize({_sized(space, vector)}) AS bit({space.dimensions}))"


def _expression(space: EmbeddingSpace, spec: IndexSpec) -> str:
    if spec.quantization == "binary":
        return f"({_bits(space, _column(space))}) {MARK}bit_hamming_ops"
    return f"({_sized(space, _column(space))}) {MARK}{space.storage}_{_CLASS[space.metric]}_ops"


def create(schema: str, space: EmbeddingSpace, spec: IndexSpec) -> Write:
    """Build a space's index while others write; outside a transaction. One that is there already is left alone."""
    return Write(VectorText(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {_definition(schema, space, spec)}"))


def definition(schema: str, space: EmbeddingSpace, spec: IndexSpec) -> str:
    """Give what follows CREATE INDEX, for a search path that finds the extension."""
    return _definition(schema, space, spec).replace(MARK, "")


def _definition(schema: str, space: EmbeddingSpace, spec: IndexSpec) -> str:
    options = ", ".join(f"{option} = {value}" for option, value in spec.options.items())
    return (
        f"{name(space.id)} ON {_table(schema)} USING {spec.method}"
        f" ({_expression(space, spec)}) WITH ({options}) WHERE space_id = '{space.id}'"
    )


def drop(schema: str, space_id: UUID) -> Write:
    """Drop a space's index, if there is one, while others read and write; outside a transaction."""
    return Write(text(f"DROP INDEX CONCURRENTLY IF EXISTS {for_text(quoted(schema))}.{name(space_id)}"))


# ------------------------------------------------------------------------------------------- the catalogue

_FIND = text("""
SELECT c.relname, am.amname, c.reloptions, position('binary_quantize' IN pg_get_indexdef(c.oid)) > 0, i.indisvalid,
    coalesce(pg_relation_size(c.oid), 0), coalesce(s.idx_scan, 0), p.phase,
    CASE WHEN p.tuples_total > 0 THEN p.tuples_done ELSE p.blocks_done END,
    CASE WHEN p.tuples_total > 0 THEN p.tuples_total ELSE p.blocks_total END
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
LEFT JOIN pg_catalog.pg_stat_user_indexes AS s ON s.indexrelid = c.oid
LEFT JOIN pg_catalog.pg_stat_progress_create_index AS p ON p.index_relid = c.oid AND p.datname = current_database()
WHERE n.nspname = :schema AND c.relname = :name
""")
_NAMES = text("""
SELECT c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind = 'i' AND starts_with(c.relname, 'ann_')
""")
# The number is ours alone: "ragstore" in ASCII.
_GUARD = text("SELECT pg_advisory_xact_lock(8241982538637079141) IS NOT NULL")


def _unused(schema: str) -> Any:
    # under row-level security the spaces of other tenants would look as if they were gone
    spaces = f"{for_text(quoted(schema))}.rag_embedding_space"
    return text(f"""
SELECT substr(c.relname, 5) FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind = 'i' AND c.relname ~ '^ann_[0-9a-f]{{32}}$'
    AND NOT row_security_active({literal(spaces)}) AND pg_has_role(c.relowner, 'USAGE')
    AND NOT EXISTS (SELECT 1 FROM {spaces} AS s WHERE s.id = CAST(substr(c.relname, 5) AS uuid))
""")


def find(schema: str, space_id: UUID) -> Query[FoundIndex]:
    """Look a space's index up in the database's catalogue."""
    return Query(_FIND, _to_found, {"schema": schema, "name": name(space_id)})


def _to_found(row: Sequence[Any]) -> FoundIndex:
    options = dict(option.split("=") for option in row[2] or ())
    spec = IndexSpec(row[1], "binary" if row[3] else "none", {key: int(value) for key, value in options.items()})
    running = None if row[7] is None else (row[7], row[8] or 0, row[9] or 0)
    return FoundIndex(row[0], spec, row[4] and running is None, row[5], row[6], running)


def guard() -> Query[bool]:
    """Lock out, until the transaction ends, all others who are about to build an index."""
    return Query(_GUARD, lambda row: bool(row[0]))


def names(schema: str) -> Query[str]:
    """List the approximate indexes by name."""
    return Query(_NAMES, lambda row: str(row[0]), {"schema": schema})


def unused(schema: str) -> Query[UUID]:
    """List the ids of deleted spaces whose indexes are still there and may be dropped by this role."""
    return Query(_unused(schema), lambda row: UUID(row[0]), {"schema": schema})


# ------------------------------------------------------------------------------------------- trying an index out

_EFFORT: dict[IndexMethod, str] = {"hnsw": "hnsw.ef_search", "ivfflat": "ivfflat.probes"}
# On few rows the planner would rather sort them all, and the index would look perfect.
_TRY = text("""
SELECT set_config(:setting, :effort, true) IS NOT NULL AND set_config('enable_seqscan', 'off', true) IS NOT NULL
    AND set_config('enable_sort', 'off', true) IS NOT NULL
""")


def try_index(effort: int, method: IndexMethod) -> Query[bool]:
    """Make the rest of the transaction use the index with this effort, wherever it can."""
    return Query(_TRY, lambda row: bool(row[0]), {"setting": _EFFORT[method], "effort": str(effort)})


def sample(schema: str, tenant: str, space: EmbeddingSpace, rows: int) -> Query[UUID]:
    """Choose chunks of a space at random."""
    statement = text(f"""
SELECT chunk_id FROM {_table(schema)} WHERE tenant_id = :tenant AND space_id = :space_id ORDER BY random() LIMIT :rows
""")
    return Query(statement, lambda row: row[0], {"tenant": tenant, "space_id": space.id, "rows": rows})


def exact(schema: str, tenant: str, space: EmbeddingSpace, chunk_id: UUID, rows: int) -> Query[float]:
    """Give the distances of the nearest to a chunk's vector, by a scan of all."""
    # the sum keeps any index out
    statement = VectorText(f"""
SELECT (e.{_column(space)} {_OPERATOR[space.metric]} ({_asked(schema, space)})) + 0 AS distance
FROM {_table(schema)} AS e WHERE e.tenant_id = :tenant AND e.space_id = :space_id ORDER BY distance LIMIT :rows
""")
    values = {"tenant": tenant, "space_id": space.id, "chunk_id": chunk_id, "rows": rows}
    return Query(statement, lambda row: float(row[0]), values)


def approximate(schema: str, tenant: str, space: EmbeddingSpace, chunk_id: UUID, rows: int) -> Query[float]:
    """Give the distances of those that the index takes for the nearest to a chunk's vector."""
    column, operator, asked = _column(space), _OPERATOR[space.metric], _asked(schema, space)
    near, spare = f"{_sized(space, column)} {operator} ({asked})", 1
    if space.quantization == "binary":
        near, spare = f"{_bits(space, column)} OPERATOR({MARK}<~>) {_bits(space, f'({asked})')}", QUANTIZED_SPARE
    statement = VectorText(f"""
WITH near AS MATERIALIZED (
    SELECT {column} AS stored FROM {_table(schema)} WHERE space_id = '{space.id}' ORDER BY {near} LIMIT :candidates
)
SELECT stored {operator} ({asked}) AS distance FROM near ORDER BY distance LIMIT :rows
""")
    values = {
        "tenant": tenant,
        "space_id": space.id,
        "chunk_id": chunk_id,
        "rows": rows,
        "candidates": rows * spare,
    }
    return Query(statement, lambda row: float(row[0]), values)


def _asked(schema: str, space: EmbeddingSpace) -> str:
    key = "tenant_id = :tenant AND space_id = :space_id AND chunk_id = :chunk_id"
    return f"SELECT {_column(space)} FROM {_table(schema)} WHERE {key}"
