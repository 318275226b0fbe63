# ruff: noqa: E501
"""Sessions, and the users whose stamp was changed or whose sessions are counted."""

from __future__ import annotations

from alembic.operations import Operations

from ragstore.migrations import frozen

revision = "rs_0003"
down_revision = "rs_0002"
schema_number = 3
min_code = 1
rebuilds_tables = False

CREATED = {
    "postgresql": ("rag_session", "rag_session_user"),
    "sqlite": ("rag_session", "rag_session_user"),
}
ADDED: dict[str, dict[str, dict[str, str]]] = {"postgresql": {}, "sqlite": {}}

STATEMENTS = {
    "postgresql": (
        """CREATE TABLE {schema}.rag_session (
    tenant_id VARCHAR(64) COLLATE "C" DEFAULT 'default' NOT NULL,
    id UUID NOT NULL,
    kind VARCHAR(63) COLLATE "C" NOT NULL,
    user_id VARCHAR(255) COLLATE "C",
    organisation_id VARCHAR(255) COLLATE "C",
    secret_hash BYTEA NOT NULL,
    nonce BYTEA NOT NULL,
    generation INTEGER DEFAULT 0 NOT NULL,
    rotated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    stamp INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    idle_timeout BIGINT,
    touch_interval BIGINT NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    revoked_because VARCHAR(16) COLLATE "C",
    data JSONB NOT NULL,
    data_version INTEGER DEFAULT 0 NOT NULL,
    schema_version INTEGER NOT NULL,
    ip TEXT,
    agent TEXT,
    label TEXT,
    CONSTRAINT pk_rag_session PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_rag_session_because CHECK (revoked_because IN ('revoked', 'replaced', 'evicted', 'replayed')),
    CONSTRAINT ck_rag_session_revoked CHECK ((revoked_at IS NULL) = (revoked_because IS NULL))
)""",
        "CREATE INDEX ix_rag_session_ends_at ON {schema}.rag_session (ends_at)",
        "CREATE INDEX ix_rag_session_tenant_id_organisation_id ON {schema}.rag_session (tenant_id, organisation_id)",
        "CREATE INDEX ix_rag_session_tenant_id_user_id_kind_created_at_id ON {schema}.rag_session (tenant_id, user_id, kind, created_at, id)",
        """CREATE TABLE {schema}.rag_session_user (
    tenant_id VARCHAR(64) COLLATE "C" DEFAULT 'default' NOT NULL,
    user_id VARCHAR(255) COLLATE "C" NOT NULL,
    stamp INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_rag_session_user PRIMARY KEY (tenant_id, user_id)
)""",
    ),
    "sqlite": (
        """CREATE TABLE rag_session (
    tenant_id TEXT DEFAULT 'default' NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    user_id TEXT,
    organisation_id TEXT,
    secret_hash BLOB NOT NULL,
    nonce BLOB NOT NULL,
    generation INTEGER DEFAULT 0 NOT NULL,
    rotated_at INTEGER NOT NULL,
    stamp INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    idle_timeout INTEGER,
    touch_interval INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    revoked_at INTEGER,
    revoked_because TEXT,
    data TEXT NOT NULL,
    data_version INTEGER DEFAULT 0 NOT NULL,
    schema_version INTEGER NOT NULL,
    ip TEXT,
    agent TEXT,
    label TEXT,
    CONSTRAINT pk_rag_session PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_rag_session_because CHECK (revoked_because IN ('revoked', 'replaced', 'evicted', 'replayed')),
    CONSTRAINT ck_rag_session_revoked CHECK ((revoked_at IS NULL) = (revoked_because IS NULL))
) STRICT""",
        "CREATE INDEX ix_rag_session_ends_at ON rag_session (ends_at)",
        "CREATE INDEX ix_rag_session_tenant_id_organisation_id ON rag_session (tenant_id, organisation_id)",
        "CREATE INDEX ix_rag_session_tenant_id_user_id_kind_created_at_id ON rag_session (tenant_id, user_id, kind, created_at, id)",
        """CREATE TABLE rag_session_user (
    tenant_id TEXT DEFAULT 'default' NOT NULL,
    user_id TEXT NOT NULL,
    stamp INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_rag_session_user PRIMARY KEY (tenant_id, user_id)
) STRICT""",
    ),
}


def upgrade(op: Operations) -> None:
    """Make both tables."""
    frozen.run(op, STATEMENTS)


def downgrade(op: Operations) -> None:
    """Drop both: everybody is logged out."""
    frozen.drop_tables(op, CREATED)
