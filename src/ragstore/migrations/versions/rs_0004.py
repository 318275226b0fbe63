"""Conversations: branches, streams, pins, what is searched, and on PostgreSQL the function that appends."""

from __future__ import annotations

from alembic.operations import Operations

from ragstore.migrations import frozen

revision = "rs_0004"
down_revision = "rs_0003"
schema_number = 4
min_code = 1
rebuilds_tables = False

CREATED: dict[str, tuple[str, ...]] = {"postgresql": (), "sqlite": ()}
_COLUMNS = {
    "rag_conversation": {"branched": "false", "language": "NULL", "searchable": "0", "words": "0"},
    "rag_message": {
        "pinned": "false", "updated_at": "NULL", "annotated": "true", "words": "NULL", "terms": "NULL", "counts": "NULL"
    },
}  # fmt: skip
ADDED = {"postgresql": _COLUMNS, "sqlite": _COLUMNS}

# Every table and type is named in full or found in pg_catalog, whatever the caller's search_path is.
#
# The conversation's row is locked, and read as it is then. Where a guard does not hold, or one of the host's own ids is
# there, nothing is written and no row is given: the caller finds out why. The clock is read under the lock.
APPEND = """CREATE FUNCTION {schema}.rag_message_append(
    tenant text, thread text, new_id uuid, expected int, owner text, organisation text, about text, analysed_in text,
    names text[], messages jsonb, cited jsonb, new_searchable int, new_words bigint
) RETURNS TABLE (conversation uuid, head int, leaf uuid, stored_at timestamptz)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    c record;
BEGIN
    LOOP
        SELECT r.id, r.head, r.leaf_id, r.user_id, r.organisation_id, r.collection, r.language INTO c
        FROM {schema}.rag_conversation AS r
        WHERE r.tenant_id = tenant AND r.thread_id = thread FOR NO KEY UPDATE;
        EXIT WHEN FOUND;
        IF expected <> 0 THEN
            RETURN;
        END IF;
        INSERT INTO {schema}.rag_conversation (
            tenant_id, id, thread_id, user_id, organisation_id, collection, metadata, language
        ) VALUES (tenant, new_id, thread, owner, organisation, about, '{}', analysed_in)
        ON CONFLICT DO NOTHING;
    END LOOP;
    IF c.head <> expected OR c.language IS DISTINCT FROM analysed_in
        OR (owner IS NOT NULL AND c.user_id IS DISTINCT FROM owner)
        OR (organisation IS NOT NULL AND c.organisation_id IS DISTINCT FROM organisation)
        OR (about IS NOT NULL AND c.collection IS DISTINCT FROM about)
    THEN
        RETURN;
    END IF;
    IF names IS NOT NULL THEN
        PERFORM FROM {schema}.rag_message AS m
        WHERE m.tenant_id = tenant AND m.conversation_id = c.id AND m.client_id = ANY (names);
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    conversation := c.id; head := c.head; leaf := c.leaf_id; stored_at := clock_timestamp();
    INSERT INTO {schema}.rag_message (
        tenant_id, id, conversation_id, seq, parent_id, client_id, role, status, content, parts, metadata,
        response_time, model, resolved_model, input_tokens, output_tokens, cached_tokens, reasoning_tokens, cost,
        created_at, pinned, updated_at, annotated, words, terms, counts
    )
    SELECT tenant, n.id, c.id, c.head + n.place, CASE WHEN n.place = 1 THEN c.leaf_id ELSE n.parent_id END,
        n.client_id, n.role, n.status, n.content, n.parts, n.meta, n.response_time, n.model, n.resolved_model,
        n.input_tokens, n.output_tokens, n.cached_tokens, n.reasoning_tokens, n.cost,
        stored_at, n.pinned, CASE WHEN n.status <> 'complete' THEN stored_at END, n.annotated,
        n.words, n.terms, n.counts
    FROM jsonb_to_recordset(messages) AS n (
        place int, id uuid, parent_id uuid, client_id text, role text, status text, content text, parts jsonb,
        meta jsonb, response_time float8, model text, resolved_model text, input_tokens int, output_tokens int,
        cached_tokens int, reasoning_tokens int, cost bigint, pinned boolean, annotated boolean, words int,
        terms int[], counts int[]
    );
    IF cited IS NOT NULL THEN
        INSERT INTO {schema}.rag_citation (
            tenant_id, message_id, rank, chunk_id, document_id, collection, source, title, snippet, score,
            start_offset, end_offset, page, heading
        )
        SELECT tenant, n.message_id, n.rank, n.chunk_id, n.document_id, n.collection, n.source, n.title, n.snippet,
            n.score, n.start_offset, n.end_offset, n.page, n.heading
        FROM jsonb_to_recordset(cited) AS n (
            message_id uuid, rank int, chunk_id uuid, document_id uuid, collection text, source text, title text,
            snippet text, score float8, start_offset int, end_offset int, page int, heading text
        );
    END IF;
    UPDATE {schema}.rag_conversation AS r
    SET head = c.head + jsonb_array_length(messages), leaf_id = (messages -> -1 ->> 'id')::uuid,
        last_activity = stored_at, searchable = r.searchable + new_searchable, words = r.words + new_words
    WHERE r.tenant_id = tenant AND r.id = c.id;
    RETURN NEXT;
END
$body$"""

_CONVERSATION_COLUMNS = {
    "postgresql": (
        "ADD COLUMN branched BOOLEAN DEFAULT false NOT NULL",
        'ADD COLUMN language VARCHAR(35) COLLATE "C"',
        "ADD COLUMN searchable INTEGER DEFAULT 0 NOT NULL",
        "ADD COLUMN words BIGINT DEFAULT 0 NOT NULL",
    ),
    "sqlite": (
        "ADD COLUMN branched INTEGER DEFAULT false NOT NULL",
        "ADD COLUMN language TEXT",
        "ADD COLUMN searchable INTEGER DEFAULT 0 NOT NULL",
        "ADD COLUMN words INTEGER DEFAULT 0 NOT NULL",
    ),
}
_MESSAGE_COLUMNS = {
    "postgresql": (
        "ADD COLUMN pinned BOOLEAN DEFAULT false NOT NULL",
        "ADD COLUMN updated_at TIMESTAMP WITH TIME ZONE",
        "ADD COLUMN annotated BOOLEAN DEFAULT true NOT NULL",
        "ADD COLUMN words INTEGER",
        "ADD COLUMN terms INTEGER[]",
        "ADD COLUMN counts INTEGER[]",
    ),
    "sqlite": (
        "ADD COLUMN pinned INTEGER DEFAULT false NOT NULL",
        "ADD COLUMN updated_at INTEGER",
        "ADD COLUMN annotated INTEGER DEFAULT true NOT NULL",
        "ADD COLUMN words INTEGER",
        "ADD COLUMN terms BLOB",
        "ADD COLUMN counts BLOB",
    ),
}
_USAGE = (
    "response_time IS NOT NULL OR model IS NOT NULL OR resolved_model IS NOT NULL OR input_tokens IS NOT NULL"
    " OR output_tokens IS NOT NULL OR cached_tokens IS NOT NULL OR reasoning_tokens IS NOT NULL OR cost IS NOT NULL"
)
_INDEXES = {
    "ix_rag_message_kept": "(tenant_id, conversation_id, seq) WHERE pinned OR role = 'system'",
    "ix_rag_message_open": "(updated_at) WHERE status IN ('pending', 'streaming')",
    "ix_rag_message_usage": f"(tenant_id, created_at) WHERE {_USAGE}",
}

STATEMENTS = {
    "postgresql": (
        "ALTER TABLE {schema}.rag_conversation " + ", ".join(_CONVERSATION_COLUMNS["postgresql"]),
        "ALTER TABLE {schema}.rag_message " + ", ".join(_MESSAGE_COLUMNS["postgresql"]),
        APPEND,
    ),
    "sqlite": (
        *(f"ALTER TABLE rag_conversation {column}" for column in _CONVERSATION_COLUMNS["sqlite"]),
        *(f"ALTER TABLE rag_message {column}" for column in _MESSAGE_COLUMNS["sqlite"]),
    ),
}


def upgrade(op: Operations) -> None:
    """Add the columns, the indexes and the function; no row is rewritten."""
    frozen.run(op, STATEMENTS)
    frozen.indexes(op, "rag_message", _INDEXES)


def downgrade(op: Operations) -> None:
    """Drop them again: branches become one list by `seq`, and pins on messages are forgotten."""
    frozen.drop_indexes(op, _INDEXES)
    columns = [(table, column) for table, names in _COLUMNS.items() for column in names]
    frozen.run(
        op,
        {
            "postgresql": [
                "DROP FUNCTION {schema}.rag_message_append",
                *(f"ALTER TABLE {{schema}}.{table} DROP COLUMN {column}" for table, column in columns),
            ],
            "sqlite": [
                *(f"ALTER TABLE {table} DROP COLUMN {column}" for table, column in columns),
            ],
        },
    )
