#!/usr/bin/env bash
# A Postgres of its own, in a temporary folder, for as long as standard input stays open: stopped and removed when it ends, also
# where whoever started it was killed. For tests, and to try ASH_DATABASE_URL. Not Debian's own cluster, which is left alone.
#   eng/postgres.sh PORT [POSTGRES-ARGUMENT…]
# Prints one line once it takes connections: "ready", and the folder of its Unix socket. On 127.0.0.1 user and password are "ash".
set -euo pipefail

port=${1:?the port to listen on}
shift
programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[[ -x $programs/initdb ]] || { echo "eng/postgres.sh: Debian's postgresql is missing; run eng/setup.sh tests" >&2; exit 1; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/ash-postgres-XXXXXX")
server=
stop() {
    if [[ -n $server ]]; then
        kill -INT "$server" 2>/dev/null || true
        wait "$server" || true
    fi
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 143' TERM HUP INT

# Postgres refuses to run as root.
as=()
if ((EUID == 0)); then
    chown postgres "$folder"
    as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi

echo ash >"$folder/password"
chmod 644 "$folder/password"
cd "$folder"
"${as[@]}" "$programs/initdb" --pgdata="$folder/data" --username=ash --pwfile="$folder/password" --encoding=UTF8 --locale=C.UTF-8 \
    --auth-local=trust --auth-host=scram-sha-256 --no-sync >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log" >&2; exit 1; }

# Of a process group of its own: an interrupt at the terminal is for whoever started this script, which then stops it in order.
set -m
"${as[@]}" "$programs/postgres" -D "$folder/data" -p "$port" -k "$folder" -c listen_addresses=127.0.0.1 "$@" \
    >"$folder/log" 2>&1 </dev/null &
server=$!
set +m
until "$programs/pg_isready" -q -h "$folder" -p "$port"; do
    kill -0 "$server" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
    sleep 0.05
done

echo "ready $folder"
cat >/dev/null || true
