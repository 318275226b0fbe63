"""Rate limits: a row for each key and limit, and on PostgreSQL the function that decides in one round trip."""

from __future__ import annotations

from alembic.operations import Operations

from ragstore.migrations import frozen

revision = "rs_0002"
down_revision = "rs_0001"
schema_number = 2
min_code = 1
rebuilds_tables = False

CREATED = {"postgresql": ("rag_rate_limit",), "sqlite": ("rag_rate_limit",)}
ADDED: dict[str, dict[str, dict[str, str]]] = {"postgresql": {}, "sqlite": {}}

# Every table and type is named in full or found in pg_catalog, whatever the caller's search_path is.
#
# Rows are locked in the order given, which is the same for all callers, so that two never wait for each other. The
# clock is read once they are locked. Of the kinds, 0 is a fixed window, 1 a sliding one, 2 gcra.
CHARGE = """CREATE FUNCTION {schema}.rag_rate_limit_charge(
    tenants text[], policies text[], rules text[], keys bytea[], kinds int[], capacities bigint[], periods bigint[],
    tolerances bigint[], steps bigint[], action text, taken_at bigint, given_now bigint, durable boolean, lock_wait text
) RETURNS TABLE (place int, fits boolean, mark bigint, used bigint, previous bigint, decided_at bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    count CONSTANT int := cardinality(policies);
    hour CONSTANT bigint := 3600000000;
    stored bigint[]; marks bigint[]; counts bigint[]; befores bigint[]; reaches bigint[]; fitting boolean[];
    m bigint; u bigint; b bigint; now bigint; now_ns bigint; start bigint; ending bigint; grain bigint; added int;
    all_fit boolean := true;
BEGIN
    IF NOT durable THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    ELSIF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    PERFORM set_config('lock_timeout', lock_wait, true);
    FOR i IN 1..count LOOP
        LOOP
            SELECT r.mark, r.used, r.previous INTO m, u, b FROM {schema}.rag_rate_limit AS r
            WHERE r.tenant_id = tenants[i] AND r.policy = policies[i] AND r.rule = rules[i] AND r.key = keys[i]
            FOR UPDATE;
            EXIT WHEN FOUND;
            INSERT INTO {schema}.rag_rate_limit AS r (tenant_id, policy, rule, key, mark, used, previous, expires_at)
            VALUES (tenants[i], policies[i], rules[i], keys[i], 0, 0, 0, clock_timestamp() + interval '1 hour')
            ON CONFLICT DO NOTHING;
            GET DIAGNOSTICS added = ROW_COUNT;
            IF added = 1 THEN
                m := 0; u := 0; b := 0;
                EXIT;
            END IF;
        END LOOP;
        stored[i] := m; marks[i] := m; counts[i] := u; befores[i] := b;
    END LOOP;
    now := coalesce(given_now, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
    now_ns := now * 1000;
    FOR i IN 1..count LOOP
        IF kinds[i] = 2 THEN
            reaches[i] := 2 * tolerances[i] - tolerances[i] / capacities[i];
            marks[i] := least(greatest(marks[i], now_ns), now_ns + reaches[i]);
            fitting[i] := marks[i] + steps[i] <= now_ns + tolerances[i];
        ELSE
            start := now - (now - 345600000000) % periods[i];
            IF marks[i] < start THEN
                befores[i] := CASE WHEN kinds[i] = 1 AND marks[i] = start - periods[i] THEN counts[i] ELSE 0 END;
                counts[i] := 0;
            END IF;
            marks[i] := start;
            fitting[i] := counts[i] + steps[i] + CASE WHEN befores[i] = 0 THEN 0 ELSE
                div(befores[i]::numeric * (periods[i] - (now - start)) + periods[i] - 1, periods[i])::bigint
                END <= capacities[i];
        END IF;
        all_fit := all_fit AND fitting[i];
    END LOOP;
    FOR i IN 1..count LOOP
        IF action = 'give' THEN
            IF kinds[i] = 2 THEN
                marks[i] := greatest(marks[i] - steps[i], now_ns);
            ELSIF taken_at >= marks[i] THEN
                counts[i] := greatest(counts[i] - steps[i], 0);
            ELSIF taken_at >= marks[i] - periods[i] THEN
                befores[i] := greatest(befores[i] - steps[i], 0);
            END IF;
        ELSIF all_fit OR action = 'take' THEN
            IF kinds[i] = 2 THEN
                marks[i] := least(marks[i] + steps[i], now_ns + reaches[i]);
            ELSE
                counts[i] := counts[i] + steps[i];
            END IF;
        END IF;
        -- a refusal writes only what a clock that has stepped back makes of the state, or it would refuse until the
        -- clock is back where it was
        IF all_fit OR action <> 'ask' OR marks[i] < stored[i] THEN
            ending := CASE kinds[i]
                WHEN 2 THEN (marks[i] + 999) / 1000 ELSE marks[i] + (kinds[i] + 1) * periods[i] END;
            grain := greatest(periods[i], hour);
            UPDATE {schema}.rag_rate_limit AS r
            SET mark = marks[i], used = counts[i], previous = befores[i],
                expires_at = to_timestamp(((ending + grain - 1) / grain * grain) / 1000000.0)
            WHERE r.tenant_id = tenants[i] AND r.policy = policies[i] AND r.rule = rules[i] AND r.key = keys[i];
        END IF;
        place := i; fits := fitting[i]; mark := marks[i]; used := counts[i]; previous := befores[i]; decided_at := now;
        RETURN NEXT;
    END LOOP;
END
$body$"""

STATEMENTS = {
    "postgresql": (
        """CREATE TABLE {schema}.rag_rate_limit (
    tenant_id VARCHAR(64) COLLATE "C" DEFAULT 'default' NOT NULL,
    policy VARCHAR(63) COLLATE "C" NOT NULL,
    rule VARCHAR(32) COLLATE "C" NOT NULL,
    key BYTEA NOT NULL,
    mark BIGINT NOT NULL,
    used BIGINT NOT NULL,
    previous BIGINT NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_rag_rate_limit PRIMARY KEY (tenant_id, policy, rule, key)
) WITH (fillfactor = 50)""",  # a row is written over and over: its next version then finds room on its page
        "CREATE INDEX ix_rag_rate_limit_expires_at ON {schema}.rag_rate_limit (expires_at)",
        CHARGE,
    ),
    "sqlite": (
        """CREATE TABLE rag_rate_limit (
    tenant_id TEXT DEFAULT 'default' NOT NULL,
    policy TEXT NOT NULL,
    rule TEXT NOT NULL,
    "key" BLOB NOT NULL,
    mark INTEGER NOT NULL,
    used INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    CONSTRAINT pk_rag_rate_limit PRIMARY KEY (tenant_id, policy, rule, "key")
) WITHOUT ROWID, STRICT""",
        "CREATE INDEX ix_rag_rate_limit_expires_at ON rag_rate_limit (expires_at)",
    ),
}


def upgrade(op: Operations) -> None:
    """Make the table and the function."""
    frozen.run(op, STATEMENTS)


def downgrade(op: Operations) -> None:
    """Drop both, with all counts."""
    frozen.run(op, {"postgresql": ["DROP FUNCTION {schema}.rag_rate_limit_charge"], "sqlite": []})
    frozen.drop_tables(op, CREATED)
