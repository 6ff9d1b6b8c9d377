# The store on a real PostgreSQL: a cluster of its own in a temporary directory, on a free port of loopback.

postgres() {
    start_postgres
    tested_at_least 80 cargo test --workspace --locked --test suite -- postgres
}

# Starts a cluster, which ends with the step, and says where it is: DAYPASS_TEST_POSTGRES, DAYPASS_TEST_POSTGRES_BIN.
start_postgres() {
    local programs port user
    programs=$(postgres_programs)
    user=$(postgres_user)
    cluster=$(mktemp -d -p "${TMPDIR:-/tmp}" daypass-postgres.XXXXXX)
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    if [[ -n $user ]]; then
        chown "$user" "$cluster"
        as_user=(setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups)
    else
        as_user=()
    fi
    pg_ctl=$programs/pg_ctl
    trap 'stop_postgres' EXIT
    "${as_user[@]}" "$programs/initdb" --pgdata "$cluster/data" --username daypass --auth trust --encoding UTF8 \
        --locale C --no-sync >"$CI_SCRATCH/initdb.log" 2>&1 || fail "initdb: $(tail -n 3 "$CI_SCRATCH/initdb.log")"
    # Without fsync: no test here takes the machine's power away.
    "${as_user[@]}" "$pg_ctl" --pgdata "$cluster/data" --log "$cluster/log" --wait --silent start --options "\
        -c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$cluster -c fsync=off \
        -c max_connections=400" || fail "PostgreSQL does not start: $(tail -n 3 "$cluster/log")"
    "$programs/createdb" --host 127.0.0.1 --port "$port" --username daypass daypass
    export DAYPASS_TEST_POSTGRES="postgres://daypass@127.0.0.1:$port/daypass" DAYPASS_TEST_POSTGRES_BIN=$programs
    export DAYPASS_REQUIRE_POSTGRES=1
    echo "$("$programs/postgres" --version) at $DAYPASS_TEST_POSTGRES"
}

stop_postgres() {
    if [[ -f $cluster/data/postmaster.pid ]]; then
        "${as_user[@]}" "$pg_ctl" --pgdata "$cluster/data" --mode immediate --wait --silent stop || true
    fi
    rm -rf "$cluster"
}

# Where initdb and its like are; PostgreSQL is installed if it is not there.
postgres_programs() {
    local programs
    programs=$(find_postgres_programs)
    if [[ -z $programs ]]; then
        install_postgres >&2
        programs=$(find_postgres_programs)
    fi
    [[ -n $programs ]] || fail "PostgreSQL was installed, but its programs are not to be found"
    printf '%s\n' "$programs"
}

# Debian keeps them away from PATH, a directory for each version.
find_postgres_programs() {
    local at
    for at in "${DAYPASS_TEST_POSTGRES_BIN:-}" "$(pg_config --bindir 2>/dev/null || true)" \
        $(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -rV) "$(dirname "$(command -v initdb || true)")"; do
        if [[ -x $at/initdb && -x $at/pg_ctl ]]; then
            printf '%s\n' "$at"
            return
        fi
    done
}

install_postgres() {
    local root=()
    if [[ $(id -u) != 0 ]]; then
        root=(sudo -n)
    fi
    command -v apt-get || fail "PostgreSQL is not installed, and there is no apt-get to install it with"
    # Its package would start a server of the machine's own, unless it is told not to.
    "${root[@]}" mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" | "${root[@]}" tee /etc/postgresql-common/createcluster.conf
    "${root[@]}" apt-get update --quiet
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends postgresql
}

# PostgreSQL refuses to run as root: whose it is then.
postgres_user() {
    if [[ $(id -u) == 0 ]]; then
        id -un postgres 2>/dev/null || echo nobody
    fi
}
