#!/bin/bash
# The entry point of the image that container_host.sh builds. It takes POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB and
# PGDATA, and logs twice that it is ready, as the official image does, so that either image serves the same tests.
set -eu
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    install -d -m 700 -o postgres -g postgres "$PGDATA"
    install -m 600 -o postgres /dev/null /tmp/password
    echo "${POSTGRES_PASSWORD:-postgres}" >/tmp/password
    # A SQL_ASCII cluster, initdb's choice without a locale, would return bytes for text.
    gosu postgres initdb -E UTF8 --locale=C.UTF-8 --username="$user" --auth-local=trust --auth-host=scram-sha-256 \
        --pwfile=/tmp/password
    rm /tmp/password
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    gosu postgres pg_ctl start --wait -o "-c listen_addresses=''"
    [ "$database" = postgres ] || gosu postgres createdb --username="$user" "$database"
    gosu postgres pg_ctl stop --wait --mode=fast
fi

[ "${1:-}" != postgres ] || shift
exec gosu postgres postgres -c listen_addresses='*' "$@"
