#!/usr/bin/env bash
# Run a command where a Docker daemon answers and an image of PostgreSQL with pgvector is at hand:
#
#     tools/container_host.sh nox -s containers
#
# Uses the daemon that answers; else, as root on Debian, installs and starts one of its own, which ends with the command.
# The command sees RAGSTORE_TEST_IMAGE. Exits with 77, saying why in one line, where no daemon or no image can be had.
set -uo pipefail

hub_image=${RAGSTORE_HUB_IMAGE:-pgvector/pgvector:pg17}
own_image=ragstore-test-postgres:17
suite=trixie # the first Debian that packages PostgreSQL 17 with pgvector
entrypoint=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/postgres_entrypoint.sh
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ragstore
work=$(mktemp -d "${TMPDIR:-/tmp}/ragstore-containers.XXXXXX")
daemon=
bridge=$(ls -d /sys/class/net/docker0 2>/dev/null)

skip() {
    echo "container tests skipped: $*"
    exit 77
}

stop() {
    if [ -n "$daemon" ]; then
        docker ps -q | xargs -r docker rm -f >/dev/null 2>&1
        kill "$daemon" 2>/dev/null
        wait "$daemon" 2>/dev/null
        [ -n "$bridge" ] || ip link delete docker0 2>/dev/null
    fi
    # A daemon that failed to start leaves mounts behind, which must not be walked into.
    awk '{print $2}' /proc/mounts | grep "^$work/" | sort -r | xargs -r -n 1 umount 2>/dev/null
    rm -rf --one-file-system "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

answers() { timeout 20 docker info >/dev/null 2>&1; }

apt_install() {
    apt-get update -qq >"$work/apt.log" 2>&1
    # RUNLEVEL=1 keeps the package from starting a daemon that nobody would stop.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >>"$work/apt.log" 2>&1 </dev/null
}

start_daemon() { # start_daemon OPTION...: true once it answers
    export DOCKER_HOST=unix://$work/docker.sock
    dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/docker.pid" \
        "$@" >"$work/dockerd.log" 2>&1 </dev/null &
    daemon=$!
    for _ in $(seq 60); do
        answers && return
        kill -0 "$daemon" 2>/dev/null || break
        sleep 0.5
    done
    kill "$daemon" 2>/dev/null
    wait "$daemon" 2>/dev/null
    daemon=
    return 1
}

own_daemon() {
    [ "$(id -u)" = 0 ] || skip "no Docker daemon answers, and only root can start one"
    if ! command -v dockerd >/dev/null; then
        command -v apt-get >/dev/null || skip "no Docker daemon answers, and without apt-get none can be installed"
        apt_install docker.io || skip "docker.io cannot be installed: $(tail -n 1 "$work/apt.log")"
    fi
    # Without iptables the userland proxy still maps a container's port to 127.0.0.1, which is all the tests need.
    start_daemon --storage-driver overlay2 ||
        start_daemon --storage-driver overlay2 --iptables=false --ip-masq=false ||
        start_daemon --storage-driver vfs --iptables=false --ip-masq=false ||
        skip "dockerd does not start: $(tail -n 1 "$work/dockerd.log")"
    # On a machine that is itself a container testcontainers would look for the daemon's ports at the bridge's address.
    export TESTCONTAINERS_CONNECTION_MODE=docker_host TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1
}

build_root() { # a Debian root with PostgreSQL, from the mirror, proxy and certificates that apt is configured with
    local mirror http_proxy='' https_proxy='' authorities='' # apt-config sets the last three
    apt_install debootstrap || skip "debootstrap cannot be installed: $(tail -n 1 "$work/apt.log")"
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
    eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy \
        authorities Acquire::https::CaInfo)"
    printf '%s\n' ${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"} \
        ${authorities:+"ca_certificate=$authorities"} >"$work/wgetrc"
    WGETRC=$work/wgetrc debootstrap --variant=minbase --include=postgresql-17,postgresql-17-pgvector,gosu \
        "$suite" "$work/root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
        skip "no registry answers, and debootstrap failed: $(tail -n 1 "$work/debootstrap.log")"
    install -m 755 "$entrypoint" "$work/root/entrypoint"
    rm -rf "$work"/root/var/{cache/apt/archives/*.deb,lib/apt/lists/*,lib/postgresql/*}
    mkdir -p "$cache" && rm -f "$cache"/postgres17-*.tar
    # Written beside and renamed: an interrupted run leaves no half archive behind.
    tar -C "$work/root" --one-file-system -c . >"$cache/$$.part" && mv "$cache/$$.part" "$1"
    rm -rf "$work/root"
}

own_image() {
    local root
    root=$cache/postgres17-$suite-$(cksum <"$entrypoint" | cut -d ' ' -f 1).tar
    [ -s "$root" ] || build_root "$root"
    docker import --change 'ENTRYPOINT ["/entrypoint"]' --change 'EXPOSE 5432' \
        --change 'ENV PATH=/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PGDATA=/var/lib/postgresql/data' \
        "$root" "$own_image" >/dev/null || skip "the image cannot be imported"
}

[ $# -gt 0 ] || { echo "usage: $0 COMMAND..." >&2; exit 2; }
answers || own_daemon
image=${RAGSTORE_TEST_IMAGE:-$hub_image}
if ! docker image inspect "$image" >/dev/null 2>&1 && ! timeout 60 docker pull -q "$image" >/dev/null 2>&1; then
    image=$own_image
    docker image inspect "$image" >/dev/null 2>&1 || own_image
fi
# Ryuk, testcontainers' reaper, is one more image to pull, and the daemon ends with the command.
export TESTCONTAINERS_RYUK_DISABLED=true
RAGSTORE_TEST_IMAGE=$image "$@"
